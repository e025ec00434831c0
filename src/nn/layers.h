/* SPDX-License-Identifier: MIT */
/* The table of layers, by their names in recipes, and building one. */
#ifndef LATENT_LAYERS_H
#define LATENT_LAYERS_H

#include "base/spec.h"

#include <latent/nn.h>

/* The context in which a layer is built. */
typedef struct layer_context {
    lt_scope *scope;  /* of its list */
    const char *name; /* its position in the list, "0": the scope of its parameters */
    bool is_training;
    lt_init init;           /* the model's */
    int64_t image_size;     /* h w c of an image: the units of `linear image` */
    int64_t image_channels; /* the channels of `conv image` */
    lt_weight_norm weight_norm;
    const spec *wrapped; /* wrapper: the wrapped line; set by layer_build */
    lt_scope *own;       /* layer with a list: its scope, already entered */
    lt_node *branch;     /* layer with a list: the list applied to x */
} layer_context;

typedef lt_node *layer_function(const layer_context *c, lt_node *x, const void *options);

typedef struct layer_row {
    spec_row spec;
    layer_function *build;
} layer_row;

extern const spec_table layer_table;

/* Builds a layer on x: n x ...; a shape mismatch is a graph error. */
lt_node *layer_build(const spec *layer, const layer_context *c, lt_node *x);

/* Whether the layer is the one called `name`. */
bool layer_is(const spec *layer, const char *name);

#endif
