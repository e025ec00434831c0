/* SPDX-License-Identifier: MIT */
/* Lists of layers, as a recipe has them, and building them into a graph. */
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
    int line, column; /* where */
    network list;     /* of a layer that has one: `residual:` */
};

/* The first line with a layer of that name in the list, or in a list or behind a wrapper in it; NULL: there
   is none. And whether there is one. */
const network_line *network_find(const network *net, const char *layer);
bool network_has(const network *net, const char *layer);

/* Reads a list. LT_VALUE or LT_NOT_FOUND with file, line and column; *net must be cleared
   anyway. */
int network_read(network *net, const yaml_node *list);
void network_clear(network *net);

/* The list in the notation of recipes, below a key that is indented by `indent`. */
void network_print(const network *net, int indent, const char *key, text *out);

/* What building tells of each layer, for summaries. A layer with a list is told twice, before and
   after its list. */
typedef struct network_event {
    const char *scope, *index;
    const char *words; /* of the line, without defaults */
    int depth;       /* of lists in lists: 0 */
    bool is_opening; /* out is not known yet: equals in */
    bool is_closing;
    lt_shape in, out;
} network_event;

typedef void network_observer(void *user, const network_event *event);

typedef struct network_context {
    bool is_training;
    lt_init init;
    int64_t image_size, image_channels;
    int depth; /* of this list in others */
    network_observer *observer; /* Nullable */
    void *user;
} network_context;

/* Builds the list on x; parameters are named by place: "SCOPE.0.weight", "SCOPE.1.0.weight" in a
   list of layer 1. Says in the graph which
   line is being built. */
lt_node *network_build(const network *net, const network_context *c, lt_scope *s, lt_node *x);

/* The same for lines first ... end - 1 alone. */
lt_node *network_build_lines(const network *net, int first, int end, const network_context *c,
                             lt_scope *s, lt_node *x);

/* Puts the place of the last line (or of what the network is called, without one) into the graph's
   error messages, until lt_graph_set_location(g, NULL). */
void network_blame_last(const network *net, lt_scope *s);

#endif
