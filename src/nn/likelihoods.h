/* SPDX-License-Identifier: MIT */
/* Pixel likelihoods p(x|z) as a recipe names them: the table, and their terms. */
#ifndef LATENT_LIKELIHOODS_H
#define LATENT_LIKELIHOODS_H

#include "base/spec.h"

#include <latent/nn.h>

typedef struct likelihood_context {
    lt_scope *scope; /* of the likelihood's own parameters */
    bool is_training;
    bool is_weighed; /* the loss weighs draws: what is best for their mean is not its optimum */
    int channels; /* of an image: number i of it is of channel i mod channels */
} likelihood_context;

typedef struct likelihood_terms {
    lt_node *log_prob; /* n: log p(x|z), all constants */
    lt_node *sigma;    /* scalar standard deviation of a pixel, the root of the mean square over
                          channels; NULL if the likelihood has no width of its own */
} likelihood_terms;

/* What -log p(x|z) of an image is the sum of. */
typedef struct likelihood_parts {
    double constant;               /* nats that do not depend on the image */
    char error[96], constant_text[96]; /* the formulas of the rest, and of the constant */
} likelihood_parts;

typedef struct likelihood_row {
    spec_row spec;
    bool is_binary;       /* for pixels that are 0 or 1 */
    bool is_discrete;     /* probabilities, of bits or bytes; else densities on [0, 1] */
    const char *output;   /* what the decoder gives it, for messages */
    const char *unwanted; /* the layer that a decoder must not end in; NULL: none */
    bool (*is_of_batch)(const void *options); /* whether its width is the batch's own; NULL: never */
    lt_node *(*mean)(lt_node *y); /* or, where that has no short formula, the median */
    void (*build)(const likelihood_context *c, lt_node *y, lt_node *x, const void *options,
                  likelihood_terms *t);
    /* Fills p for `dimensions` pixels of one standard deviation sigma. NULL: -log p(x|z) is not such a sum. */
    void (*explain)(double sigma, int64_t dimensions, likelihood_parts *p);
    /* Draws of x, n x d, by c's graph; in evaluation. */
    lt_node *(*draw)(const likelihood_context *c, lt_node *y, const void *options);
} likelihood_row;

extern const spec_table likelihood_table;

/* Every likelihood of likelihoods.def. */
#define LIKELIHOOD(NAME) extern const likelihood_row likelihood_##NAME;
#include "nn/likelihoods.def"
#undef LIKELIHOOD

/* The row's facts. */
const likelihood_row *likelihood_facts(const spec *likelihood);

/* Whether in training log p(x|z) of one image depends on the others of the batch. */
bool likelihood_is_of_batch(const spec *likelihood);

/* E[x|z], or the median, from the decoder's output y (any shape). */
lt_node *likelihood_mean(const spec *likelihood, lt_node *y);

/* Terms of the images x under the decoder's output y: both n x d. */
likelihood_terms likelihood_build(const spec *likelihood, const likelihood_context *c, lt_node *y,
                                  lt_node *x);

/* Draws of p(x|z), n x d, where the decoder's output is y; in evaluation. */
lt_node *likelihood_draw(const spec *likelihood, const likelihood_context *c, lt_node *y);

#endif
