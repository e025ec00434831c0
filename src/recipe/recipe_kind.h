/* SPDX-License-Identifier: MIT */
/* The part of a kind's record that recipes use for reading, printing and comparing. The records are in src/models and
   are passed down as a table. */
#ifndef LATENT_RECIPE_KIND_H
#define LATENT_RECIPE_KIND_H

#include "base/yaml.h"
#include "base/spec.h"

#include <latent/model.h>

/* A list of layers in the section `model`. */
typedef struct kind_network {
    const char *within; /* the map that contains it: "posterior"; NULL: the section itself */
    const char *key;
    const char *called;   /* in sentences: "the encoder" */
    bool is_required;
    const char *with;     /* an integer key of `model`: the list is present if, and only if, it is above 0 */
    const char *with_use; /* the feature that both belong to: "a second stochastic layer" */
} kind_network;

/* A text key of the kind whose value is a line: "gaussian sigma=1" under model.likelihood. */
typedef struct kind_line {
    const char *section; /* "model", "objective" */
    const char *key;
    const spec_table *table;
    bool is_like_optimizer; /* empty means the recipe's optimizer */
} kind_line;

/* Another name of a key; read but never written. */
typedef struct kind_alias {
    const char *section, *alias, *key;
} kind_alias;

/* The first member of a kind's record. */
typedef struct recipe_kind {
    spec_row spec;               /* its options are the keys of the section `objective` */
    const char *title, *phrase;  /* in titles, "VAE"; in sentences, "a vae" */
    const lt_option *model_keys; /* its keys in the section `model`, in addition to the shared ones */
    size_t model_size;           /* bytes of the struct that they fill */
    const kind_network *networks; /* in printing order; ends with a row without a key */
    const kind_line *lines;       /* ends with a row without a key. Nullable */
    const kind_alias *aliases;    /* ends with a row without an alias. Nullable */
    const char *const *resumable; /* its keys that may change when a run is resumed; ends with NULL. Nullable */
    const lt_metric *metrics;     /* reported by training; ends with a row without a name */
    void (*describe)(const lt_recipe *r, lt_metric *m); /* completes a metric for this recipe. Nullable */
    int (*check)(const lt_recipe *r, const yaml_node *root); /* rejects combinations of keys */
    bool (*warn)(const lt_recipe *r, text *out); /* its own warning, as in lt_recipe_warning. Nullable */
} recipe_kind;

/* Returns the network's path in a recipe: "model.posterior.mean". The caller frees it. */
char *kind_network_path(const kind_network *n);
char *kind_line_path(const kind_line *l);

/* Returns the kind of that name, or NULL. */
const recipe_kind *kind_named(const spec_table *kinds, const char *name);

#endif
