/* SPDX-License-Identifier: MIT */
/* A kind of model: a record that builds the terms of a loss from the networks of a recipe. */
#ifndef LATENT_KIND_H
#define LATENT_KIND_H

#include "nn/likelihoods.h"
#include "recipe/recipe.h"

#include <latent/ledger.h>
#include <latent/train.h>

/* One visit of a model in a graph. */
typedef struct model_visit {
    const lt_recipe *recipe;
    lt_image_size size;
    lt_graph *graph;
    lt_params *params, *discriminator; /* discriminator: NULL if the kind of model has none */
    lt_scope *root; /* of this visit; a new one visits the same networks again */
    bool is_training;   /* mode of the networks: batch statistics, dropout, widths of the batch */
    bool has_objective; /* samples and loss of training, else of evaluation */
    network_observer *observer; /* Nullable */
    void *user;
} model_visit;

/* Return the size of an image (h w c), and the context for building lists of layers. */
int64_t visit_pixels(const model_visit *v);
network_context visit_context(const model_visit *v);

/* Return h, the output of the list `net`, as n x numbers, and as n x pixels. A wrong size is a graph error at the
   last line of the list; `expected` describes the right one. */
lt_node *visit_expect(const model_visit *v, const network *net, lt_scope *s, lt_node *h,
                      int64_t numbers, const char *expected);
lt_node *visit_expect_image(const model_visit *v, const network *net, lt_scope *s, lt_node *h);

/* Builds a linear layer that is not in a list; summaries call it `words`. */
lt_node *visit_linear(const model_visit *v, lt_scope *s, const char *name, const char *words, lt_node *h,
                      int64_t units);

/* Builds the decoder `net` on z: y, n x pixels, with parameters "decoder.0.weight" ... From y: E[x|z] as images, a
   sample of p(x|z) as images, and the likelihood of images x, with parameters in the scope "likelihood". is_weighed:
   as in likelihood_context. */
lt_node *visit_decode(const model_visit *v, const network *net, lt_node *z);
lt_node *visit_mean_image(const model_visit *v, const spec *likelihood, lt_node *y);
lt_node *visit_draw_image(const model_visit *v, const spec *likelihood, lt_node *y);
likelihood_terms visit_likelihood(const model_visit *v, const spec *likelihood, bool is_weighed, lt_node *y,
                                  lt_node *x);

/* A coefficient of the loss that changes over training: an option times its schedule. */
typedef struct scheduled {
    double (*value)(const void *options); /* an option of `objective`; NULL: the kind has no such coefficient */
    int schedule; /* position of its schedule in the kind's lines */
} scheduled;

/* The nodes that a phase of training builds. */
typedef struct phase_terms {
    lt_node *loss;               /* scalar */
    lt_node *metric[LT_METRICS]; /* scalars, in the order of the kind's metrics; NULL: not reported by this phase */
    lt_node *beta, *capacity;    /* inputs, or NULL */
} phase_terms;

/* Training cycles through its phases; each is a gradient step on one set of parameters. The first runs with every
   batch. */
typedef struct phase {
    const char *name;
    bool trains_discriminator; /* instead of the rest */
    const spec *(*optimizer)(const lt_recipe *r); /* NULL: the recipe's own */
    int64_t (*every)(const lt_recipe *r); /* batches per step; NULL: 1 */
    double (*clip)(const lt_recipe *r);   /* limit of weights after a step; NULL or 0: none */
    /* x: n x h x w x c; labels: n, NULL if the recipe uses none. The first phase reads both, others only the labels
       and n. */
    void (*build)(const model_visit *v, lt_node *x, lt_node *labels, phase_terms *t);
} phase;

enum { MAX_PHASES = 2 };

/* Why a kind of model lacks a capability, and what to do instead: "NAME is a gan, WHY: there is no code of an image.
   INSTEAD". */
typedef struct kind_lack {
    unsigned what;
    const char *why;
    const char *instead; /* a sentence without a period. Nullable */
} kind_lack;

/* A kind of model. */
typedef struct model_kind {
    recipe_kind recipe;
    unsigned (*can)(const lt_recipe *r);
    const kind_lack *lacks;   /* why it lacks the others; ends with a row without a reason */
    scheduled beta, capacity; /* weight and target of the rate */
    phase phases[MAX_PHASES]; /* ends with a phase without a name */
    /* Each of the following is NULL if the kind of model does not have it. */
    void (*build)(const model_visit *v, lt_node *x, lt_model_terms *t);
    lt_gauss (*encode)(const model_visit *v, lt_node *x);
    lt_node *(*decode)(const model_visit *v, lt_node *z, lt_node *labels);
    lt_node *(*draw)(const model_visit *v, lt_node *z); /* sample images from p(x|z) */
    lt_node *(*log_prob)(const model_visit *v, lt_node *z, lt_node *x);
    lt_node *(*log_prior)(const model_visit *v, lt_node *z);
    lt_node *(*draw_prior)(const model_visit *v, int64_t n);
    lt_node *(*log_weights)(const model_visit *v, lt_node *x, lt_gauss q, int64_t draws);
    const spec *(*likelihood)(const lt_recipe *r); /* of pixels */
    bool (*has_normal_prior)(const lt_recipe *r);  /* p(z) = N(0, I), one stochastic layer */
    int64_t (*latent2)(const lt_recipe *r);        /* dimensions of a second stochastic layer */
    int64_t (*classes)(const lt_recipe *r);        /* number of classes to condition on */
    void (*summarize)(const lt_recipe *r, text *out); /* adds to the first line of a summary: ", prior mixture" */
    /* The terms that add up to its loss, as lt_loss_parts; and a warning about a report, or NULL. */
    int (*loss_parts)(const lt_recipe *r, const lt_train_report *t, lt_loss_part parts[LT_LOSS_PARTS]);
    const char *(*warn)(const lt_recipe *r, const lt_train_report *t);
    /* Fills the kind's part of a ledger: terms, notes, and coefficients of the last step. */
    void (*explain)(lt_ledger *l, const lt_recipe *r, const lt_ledger_facts *facts);
    /* Returns why losses of two recipes of the kind do not compare; NULL: they do. Without it, any difference in the
       section `objective` counts. */
    const char *(*differ)(const lt_recipe *a, const lt_recipe *b);
    /* Whether the loss is exactly the mean over images of distortion + beta x rate. */
    bool (*loss_is_sum)(const lt_recipe *r);
} model_kind;

extern const spec_table kind_table;

const model_kind *kind_of(const lt_recipe *r);

/* LT_VALUE if the list `decoder` of `model` ends in a layer that the likelihood applies itself: a sigmoid would be
   applied twice. */
int kind_check_decoder(const yaml_node *model, const network *net, const spec *likelihood);

/* As lt_recipe_require, with a message that there is no `thing`. Nullable: thing (the capability's own). */
int kind_require(const lt_recipe *r, unsigned what, const char *thing);

/* The weight and the target of the rate in the step after `step` steps; NaN if the kind of model has none. */
double recipe_beta(const lt_recipe *r, int64_t step, int64_t steps_per_epoch);
double recipe_capacity(const lt_recipe *r, int64_t step, int64_t steps_per_epoch);

/* Sets all numbers of a report to NaN. */
void report_clear(lt_train_report *r);

/* The likelihood of pixels, or NULL; and whether p(z) is N(0, I). */
const spec *recipe_likelihood(const lt_recipe *r);
bool recipe_has_normal_prior(const lt_recipe *r);

/* Every kind of models.def. */
#define KIND(NAME) extern const model_kind kind_##NAME;
#include "models/models.def"
#undef KIND

/* ---- Models, for training ---- */

/* Builds phase i of training on x and, if the model has classes, labels (n). */
int model_build_phase(lt_model *m, lt_graph *g, int i, lt_node *x, lt_node *labels, phase_terms *t);

/* Returns the moving average of the trained part of lt_model_params, in the same layout, or NULL; and sets it to the
   weights. */
float *model_ema(lt_model *m);
lt_buffer *model_ema_buffer(lt_model *m);
size_t model_ema_bytes(const lt_model *m);
void model_restart_average(lt_model *m);

/* The identity of the split that m was trained on, as in dataset_identity; NULL: unknown. */
const char *model_trained_on(const lt_model *m, lt_split split);
void model_set_trained_on(lt_model *m, lt_split split, const char *identity); /* Nullable: identity */

#endif
