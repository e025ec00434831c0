/* SPDX-License-Identifier: MIT */
/* What an objective is: how the networks of a recipe become the terms of a loss. */
#ifndef LATENT_OBJECTIVE_H
#define LATENT_OBJECTIVE_H

#include "models/recipe.h"

/* One visit of a model in a graph. */
typedef struct model_visit {
    const lt_recipe *recipe;
    lt_image_size size;
    lt_graph *graph;
    lt_params *params;
    lt_scope *root; /* of this visit; another one visits the same networks again */
    bool is_training;
    network_observer *observer; /* Nullable */
    void *user;
} model_visit;

/* A number of the loss that changes over training: an option times its schedule. */
typedef struct scheduled {
    double (*value)(const void *options);
    char *(*schedule)(void *options); /* the schedule's line, LT_TEXT_SIZE bytes */
} scheduled;

/* A `kind` of model. */
typedef struct objective_row {
    spec_row spec; /* options are the keys of the `objective` section */
    scheduled beta, capacity; /* what the rate is weighed with, and kept at */
    int (*check)(const lt_recipe *r, const yaml_node *root); /* of the whole recipe */
    void (*build)(const model_visit *v, lt_node *x, lt_model_terms *t);
    lt_gauss (*encode)(const model_visit *v, lt_node *x);
    lt_node *(*decode)(const model_visit *v, lt_node *z);
    lt_node *(*log_prob)(const model_visit *v, lt_node *z, lt_node *x);
    lt_node *(*log_prior)(const model_visit *v, lt_node *z);
    lt_node *(*draw_prior)(const model_visit *v, int64_t n);
    lt_node *(*log_weights)(const model_visit *v, lt_node *x, lt_gauss q, int64_t draws);
} objective_row;

extern const spec_table objective_table;

const objective_row *objective_of(const lt_recipe *r);

/* Every objective of models.def. */
#define OBJECTIVE(NAME) extern const objective_row objective_##NAME;
#include "models/models.def"
#undef OBJECTIVE

#endif
