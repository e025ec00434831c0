/* SPDX-License-Identifier: MIT */
/* A kind of model as a record: how the networks of a recipe become the terms of a loss. */
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
    lt_params *params, *discriminator; /* discriminator: NULL where the kind of model has none */
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

/* A linear layer that no list has; `words` name it in summaries. */
lt_node *visit_linear(const model_visit *v, lt_scope *s, const char *name, const char *words, lt_node *h,
                      int64_t units);

/* What the list `net` gives for z, n x pixels, as parameters "decoder.0.weight" ... Of that y, E[x|z] as
   images, a draw of p(x|z) as images, and the likelihood of images x; the scope of its parameters is
   "likelihood". is_weighed: as in likelihood_context. */
lt_node *visit_decode(const model_visit *v, const network *net, lt_node *z);
lt_node *visit_mean_image(const model_visit *v, const spec *likelihood, lt_node *y);
lt_node *visit_draw_image(const model_visit *v, const spec *likelihood, lt_node *y);
likelihood_terms visit_likelihood(const model_visit *v, const spec *likelihood, bool is_weighed, lt_node *y,
                                  lt_node *x);

/* A number of the loss that changes over training: an option times its schedule. */
typedef struct scheduled {
    double (*value)(const void *options); /* of `objective`; NULL: there is no such number */
    int schedule; /* position of its schedule among the kind's lines */
} scheduled;

/* What a phase of training builds. */
typedef struct phase_terms {
    lt_node *loss;               /* scalar: what the phase minimizes */
    lt_node *metric[LT_METRICS]; /* scalars, in the order of the kind's metrics; NULL: not of this phase */
    lt_node *beta, *capacity;    /* inputs, or NULL */
} phase_terms;

/* Training goes round through its phases: each is a step of its own, down the gradient by one set of
   parameters. The first one is taken with every batch. */
typedef struct phase {
    const char *name;
    bool trains_discriminator; /* instead of the rest */
    const spec *(*optimizer)(const lt_recipe *r); /* NULL: the recipe's own */
    int64_t (*every)(const lt_recipe *r); /* batches for one of its steps; NULL: 1 */
    double (*clip)(const lt_recipe *r);   /* the largest weight it leaves; NULL or 0: any */
    /* x: n x h x w x c; labels: n, NULL where the recipe uses none. The first phase reads both, others
       the labels and n. */
    void (*build)(const model_visit *v, lt_node *x, lt_node *labels, phase_terms *t);
} phase;

enum { MAX_PHASES = 2 };

/* Why a kind of model cannot do something, and what to ask instead: "NAME is a gan, WHY: there is no code of
   an image. INSTEAD". */
typedef struct kind_lack {
    unsigned what;
    const char *why;
    const char *instead; /* a sentence without its full stop. Nullable */
} kind_lack;

/* A kind of model. */
typedef struct model_kind {
    recipe_kind recipe;
    unsigned (*can)(const lt_recipe *r);
    const kind_lack *lacks;   /* why it cannot do the rest; ends with a row without a reason */
    scheduled beta, capacity; /* what the rate is weighed with, and kept at */
    phase phases[MAX_PHASES]; /* a phase without a name ends them */
    /* What follows is NULL where a kind of model has no such thing. */
    void (*build)(const model_visit *v, lt_node *x, lt_model_terms *t);
    lt_gauss (*encode)(const model_visit *v, lt_node *x);
    lt_node *(*decode)(const model_visit *v, lt_node *z, lt_node *labels);
    lt_node *(*draw)(const model_visit *v, lt_node *z); /* images of p(x|z) */
    lt_node *(*log_prob)(const model_visit *v, lt_node *z, lt_node *x);
    lt_node *(*log_prior)(const model_visit *v, lt_node *z);
    lt_node *(*draw_prior)(const model_visit *v, int64_t n);
    lt_node *(*log_weights)(const model_visit *v, lt_node *x, lt_gauss q, int64_t draws);
    const spec *(*likelihood)(const lt_recipe *r); /* of pixels */
    bool (*has_normal_prior)(const lt_recipe *r);  /* p(z) = N(0, I), of one layer of codes */
    int64_t (*latent2)(const lt_recipe *r);        /* dimensions of a second layer of codes */
    int64_t (*classes)(const lt_recipe *r);        /* that images can be asked of */
    void (*summarize)(const lt_recipe *r, text *out); /* for the first line of a summary: ", prior mixture" */
    /* The terms that add up to its loss, as lt_loss_parts; and what is worth a warning in a report. */
    int (*loss_parts)(const lt_recipe *r, const lt_train_report *t, lt_loss_part parts[LT_LOSS_PARTS]);
    const char *(*warn)(const lt_recipe *r, const lt_train_report *t);
    /* Fills what a ledger has of the kind: terms, notes, and numbers of the last step. */
    void (*explain)(lt_ledger *l, const lt_recipe *r, const lt_ledger_facts *facts);
    /* Why losses of two recipes of the kind are of different things; NULL: they are of one. Without it any
       difference in the section `objective` counts. */
    const char *(*differ)(const lt_recipe *a, const lt_recipe *b);
    /* Whether the loss is a mean over images of distortion + beta x rate, and nothing else. */
    bool (*loss_is_sum)(const lt_recipe *r);
} model_kind;

extern const spec_table kind_table;

const model_kind *kind_of(const lt_recipe *r);

/* LT_VALUE if the list `decoder` of `model` ends in a layer that the likelihood applies itself: a sigmoid before
   logits would squash them twice. */
int kind_check_decoder(const yaml_node *model, const network *net, const spec *likelihood);

/* As lt_recipe_require; the message says that there is no `thing`. Nullable: thing (the capability's own). */
int kind_require(const lt_recipe *r, unsigned what, const char *thing);

/* The weight of the rate, and what it is kept at, in the step after `step` steps; NaN where the kind
   of model has no such thing. */
double recipe_beta(const lt_recipe *r, int64_t step, int64_t steps_per_epoch);
double recipe_capacity(const lt_recipe *r, int64_t step, int64_t steps_per_epoch);

/* Makes it a report of nothing: its numbers are NaN. */
void report_clear(lt_train_report *r);

/* Its likelihood of pixels; NULL: it has none. And whether p(z) of its codes is N(0, I). */
const spec *recipe_likelihood(const lt_recipe *r);
bool recipe_has_normal_prior(const lt_recipe *r);

/* Every kind of models.def. */
#define KIND(NAME) extern const model_kind kind_##NAME;
#include "models/models.def"
#undef KIND

/* ---- Models, for training ---- */

/* Builds phase i of training on x and, where the model has classes, labels (n). */
int model_build_phase(lt_model *m, lt_graph *g, int i, lt_node *x, lt_node *labels, phase_terms *t);

/* The moving average of what the trained part of lt_model_params holds, laid out like it; NULL: none
   is kept. And makes it equal to the weights. */
float *model_ema(lt_model *m);
lt_buffer *model_ema_buffer(lt_model *m);
size_t model_ema_bytes(const lt_model *m);
void model_restart_average(lt_model *m);

/* The identity of the split that m was trained with, as in dataset_identity; NULL: not known. */
const char *model_trained_on(const lt_model *m, lt_split split);
void model_set_trained_on(lt_model *m, lt_split split, const char *identity); /* Nullable: identity */

#endif
