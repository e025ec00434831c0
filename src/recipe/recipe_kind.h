/* SPDX-License-Identifier: MIT */
/* What a recipe must know of a kind of model: the part of its record that reading, printing and comparing
   recipes walk. The rows are in src/models, and reach this layer as a table. */
#ifndef LATENT_RECIPE_KIND_H
#define LATENT_RECIPE_KIND_H

#include "base/yaml.h"
#include "base/spec.h"

#include <latent/model.h>

/* A list of layers in the section `model`. */
typedef struct kind_network {
    const char *within; /* the map that it stands in: "posterior"; NULL: the section itself */
    const char *key;
    const char *called;   /* in sentences: "the encoder" */
    bool is_required;
    const char *with;     /* a whole number of `model`: the list is there if, and only if, it is above 0 */
    const char *with_use; /* what the two are for: "a second stochastic layer" */
} kind_network;

/* A line of a table, which stands under a text key of the kind: "gaussian sigma=1" under model.likelihood. */
typedef struct kind_line {
    const char *section; /* "model", "objective" */
    const char *key;
    const spec_table *table;
    bool is_like_optimizer; /* where it is empty, it is the recipe's own optimizer */
} kind_line;

/* Another name of a key, which is read and never written. */
typedef struct kind_alias {
    const char *section, *alias, *key;
} kind_alias;

/* The first member of a kind's record. */
typedef struct recipe_kind {
    spec_row spec;               /* its options are the keys of the section `objective` */
    const char *title, *phrase;  /* in titles, "VAE"; in sentences, "a vae" */
    const lt_option *model_keys; /* of the section `model`, beside those of all kinds */
    size_t model_size;           /* bytes of the struct that they fill */
    const kind_network *networks; /* in the order in which they are printed; ends with a row without a key */
    const kind_line *lines;       /* ends with a row without a key. Nullable */
    const kind_alias *aliases;    /* ends with a row without an alias. Nullable */
    const char *const *resumable; /* keys of its own that may change when a run is resumed; ends with NULL. Nullable */
    const lt_metric *metrics;     /* what training reports; ends with a row without a name */
    void (*describe)(const lt_recipe *r, lt_metric *m); /* what a metric is in this recipe. Nullable */
    int (*check)(const lt_recipe *r, const yaml_node *root); /* what its keys exclude */
    bool (*warn)(const lt_recipe *r, text *out); /* a warning of its own, as in lt_recipe_warning. Nullable */
} recipe_kind;

/* Its path in a recipe: "model.posterior.mean". The caller frees it. */
char *kind_network_path(const kind_network *n);
char *kind_line_path(const kind_line *l);

/* The kind of that name; NULL: there is none. */
const recipe_kind *kind_named(const spec_table *kinds, const char *name);

#endif
