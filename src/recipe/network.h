/* SPDX-License-Identifier: MIT */
/* Lists of layers in a recipe, and building them in a graph. */
#ifndef LATENT_NETWORK_H
#define LATENT_NETWORK_H

#include "base/yaml.h"
#include "nn/layers.h"

typedef struct network_line network_line;

typedef struct network {
    network_line *lines;
    int n;
} network;

struct network_line {
    spec layer;
    char *words; /* as written */
    char *file;
    int line, column; /* in the file */
    network list;     /* of a nested layer: `residual:` */
};

/* Return the first line with that layer, also in nested lists and inside wrappers, or NULL; and whether there is one.
   */
const network_line *network_find(const network *net, const char *layer);
bool network_has(const network *net, const char *layer);

/* Reads a list. LT_VALUE or LT_NOT_FOUND with file, line and column; clear *net also after a failure. */
int network_read(network *net, const yaml_node *list);
void network_clear(network *net);

/* Prints the list as in a recipe, below a key indented by `indent`. */
void network_print(const network *net, int indent, const char *key, text *out);

/* Passed to the observer for each layer built, for summaries; twice for a layer with a list, before and after the
   list. */
typedef struct network_event {
    const char *scope, *index;
    const char *words; /* the line without defaults */
    int depth;       /* of nested lists; 0: outermost */
    bool is_opening; /* before its list: out is not known yet and equals in */
    bool is_closing;
    lt_shape in, out;
} network_event;

typedef void network_observer(void *user, const network_event *event);

typedef struct network_context {
    bool is_training;
    lt_init init;
    int64_t image_size, image_channels;
    int depth; /* nesting of this list */
    network_observer *observer; /* Nullable */
    void *user;
} network_context;

/* Builds the list on x. Parameters are named by position: "SCOPE.0.weight", "SCOPE.1.0.weight" in the list of layer
   1. Sets the graph's location to the line being built. */
lt_node *network_build(const network *net, const network_context *c, lt_scope *s, lt_node *x);

/* The same for lines first ... end - 1. */
lt_node *network_build_lines(const network *net, int first, int end, const network_context *c,
                             lt_scope *s, lt_node *x);

/* Sets the graph's location to the last line (or, if the list is empty, the network's name), until
   lt_graph_set_location(g, NULL). */
void network_blame_last(const network *net, lt_scope *s);

#endif
