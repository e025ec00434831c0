/* SPDX-License-Identifier: MIT */
/* Layers as a recipe names them: the table, and building one. */
#ifndef LATENT_LAYERS_H
#define LATENT_LAYERS_H

#include "base/spec.h"

#include <latent/nn.h>

/* What a layer is built with. */
typedef struct layer_context {
    lt_scope *scope;  /* of the list it stands in */
    const char *name; /* its place in the list, "0": the scope of its own parameters */
    bool is_training;
    lt_init init;           /* the model's */
    int64_t image_size;     /* numbers in an image: what `linear image` means */
    int64_t image_channels; /* in a pixel: what `conv image` means */
    lt_weight_norm weight_norm;
    const spec *wrapped; /* of a wrapper: its line; set by layer_build */
    lt_scope *own;       /* of a layer with a list: its scope, which is entered already, */
    lt_node *branch;     /* and what the list makes of x */
} layer_context;

typedef lt_node *layer_function(const layer_context *c, lt_node *x, const void *options);

typedef struct layer_row {
    spec_row spec;
    layer_function *build;
} layer_row;

extern const spec_table layer_table;

/* x: n x ...; a mistake in the shapes is a graph error. */
lt_node *layer_build(const spec *layer, const layer_context *c, lt_node *x);

/* Whether the layer is the one called `name`. */
bool layer_is(const spec *layer, const char *name);

#endif
