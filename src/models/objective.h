/* SPDX-License-Identifier: MIT */
/* What an objective is: how the networks of a recipe become the terms of a loss. */
#ifndef LATENT_OBJECTIVE_H
#define LATENT_OBJECTIVE_H

#include "recipe/recipe.h"

/* One visit of a model in a graph. */
typedef struct model_visit {
    const lt_recipe *recipe;
    lt_image_size size;
    lt_graph *graph;
    lt_params *params, *critic; /* critic: NULL where the kind of model has none */
    lt_scope *root; /* of this visit; another one visits the same networks again */
    bool is_training;   /* networks: batch statistics, dropout, widths of the batch */
    bool has_objective; /* draws and loss are those of training, else of evaluation */
    network_observer *observer; /* Nullable */
    void *user;
} model_visit;

/* Numbers in an image; and what lists of layers are built with. */
int64_t visit_pixels(const model_visit *v);
network_context visit_context(const model_visit *v);

/* h, which the list `net` has given, as n x numbers; else a mistake of its last line: `expected` says
   what it should give. And as n x pixels. */
lt_node *visit_expect(const model_visit *v, const network *net, lt_scope *s, lt_node *h,
                      int64_t numbers, const char *expected);
lt_node *visit_expect_image(const model_visit *v, const network *net, lt_scope *s, lt_node *h);

/* A number of the loss that changes over training: an option times its schedule. */
typedef struct scheduled {
    double (*value)(const void *options);
    char *(*schedule)(void *options); /* the schedule's line, LT_TEXT_SIZE bytes */
} scheduled;

/* Scalars that a training step reports; the report of a trainer has fields of these names. */
enum {
#define MEASURE(NAME, ...) MEASURE_##NAME,
#include "models/measures.def"
#undef MEASURE
    MEASURES
};

/* What a phase of training builds. */
typedef struct phase_terms {
    lt_node *loss;              /* scalar: what the phase minimises */
    lt_node *measure[MEASURES]; /* scalars; NULL: not of this phase */
    lt_node *beta, *capacity;   /* inputs, or NULL */
} phase_terms;

/* Training goes round through its phases: each is a step of its own, down the gradient by one set of
   parameters. The first one is taken with every batch. */
typedef struct phase {
    const char *name;
    bool trains_critic; /* instead of the rest */
    int64_t (*every)(const lt_recipe *r); /* batches for one of its steps; NULL: 1 */
    double (*clip)(const lt_recipe *r);   /* the largest weight it leaves; NULL or 0: any */
    /* x: n x h x w x c; labels: n, NULL where the recipe uses none. The first phase reads both, others
       the labels and n. */
    void (*build)(const model_visit *v, lt_node *x, lt_node *labels, phase_terms *t);
} phase;

enum { MAX_PHASES = 2 };

/* What a kind of model cannot do: the rest of a sentence that begins with its phrase, "a gan". */
typedef struct kind_lack {
    unsigned what;
    const char *why;
} kind_lack;

/* A `kind` of model. */
typedef struct objective_row {
    spec_row spec; /* options are the keys of the `objective` section */
    const lt_option *model_keys;  /* of the `model` section beside those of all kinds; a recipe_model */
    const char *inner_keys[RECIPE_INNER]; /* lists and maps of that section; NULL after the last */
    scheduled beta, capacity; /* what the rate is weighed with, and kept at; NULL: no such thing */
    /* Reads what section_read does not, lists and lines; then what options of a recipe exclude. The
       sections of what is left out are maps without keys. */
    int (*read)(lt_recipe *r, const yaml_node *model, const yaml_node *objective);
    int (*check)(const lt_recipe *r, const yaml_node *root);
    void (*print)(const lt_recipe *r, text *out); /* the lists of the model section */
    phase phases[MAX_PHASES]; /* a phase without a name ends them */
    const char *title, *phrase; /* in titles, "VAE"; in sentences, "a vae" */
    unsigned (*can)(const lt_recipe *r);
    const kind_lack *lacks;   /* why it cannot do the rest; ends with a row without a reason */
    const lt_metric *metrics; /* what it reports; ends with a row without a name */
    void (*describe)(const lt_recipe *r, lt_metric *m); /* what a metric is with this recipe; NULL: as listed */
    /* What follows is NULL where a kind of model has no such thing. */
    void (*build)(const model_visit *v, lt_node *x, lt_model_terms *t);
    lt_gauss (*encode)(const model_visit *v, lt_node *x);
    lt_node *(*decode)(const model_visit *v, lt_node *z, lt_node *labels);
    lt_node *(*draw)(const model_visit *v, lt_node *z); /* images of p(x|z) */
    lt_node *(*log_prob)(const model_visit *v, lt_node *z, lt_node *x);
    lt_node *(*log_prior)(const model_visit *v, lt_node *z);
    lt_node *(*draw_prior)(const model_visit *v, int64_t n);
    lt_node *(*log_weights)(const model_visit *v, lt_node *x, lt_gauss q, int64_t draws);
} objective_row;

/* Makes the list of lt_recipe_metrics for a recipe that has been read. */
void kind_list_metrics(lt_recipe *r);

extern const spec_table objective_table;
extern const lt_option vae_model_keys[], gan_model_keys[];

const objective_row *objective_of(const lt_recipe *r);

/* Every objective of models.def. */
#define OBJECTIVE(NAME) extern const objective_row objective_##NAME;
#include "models/models.def"
#undef OBJECTIVE

/* ---- Models, for training ---- */

/* Builds phase i of training on x and, where the model has classes, labels (n). */
int model_build_phase(lt_model *m, lt_graph *g, int i, lt_node *x, lt_node *labels, phase_terms *t);

/* The moving average of what the trained part of lt_model_params holds, laid out like it; NULL: none
   is kept. And makes it equal to the weights. */
float *model_average(lt_model *m);
size_t model_average_bytes(const lt_model *m);
void model_restart_average(lt_model *m);

/* The identity of the split that m was trained with, as in dataset_identity; NULL: not known. */
const char *model_trained_on(const lt_model *m, lt_split split);
void model_set_trained_on(lt_model *m, lt_split split, const char *identity); /* Nullable: identity */

/* Adds "; did you mean "optimiser.lr"?" for a key that there is none of, "lr": the keys that end like it, or
   the nearest, first of those `allowed` where it stands. Nullable: kind (all kinds of models). */
void recipe_suggest_key(const objective_row *kind, const char *word, const char *const *allowed, int n,
                        text *out);

#endif
