/* SPDX-License-Identifier: MIT */
/* The table of pixel likelihoods p(x|z), by their names in recipes, and their terms. */
#ifndef LATENT_LIKELIHOODS_H
#define LATENT_LIKELIHOODS_H

#include "base/spec.h"

#include <latent/nn.h>

typedef struct likelihood_context {
    lt_scope *scope; /* of the likelihood's own parameters */
    bool is_training;
    bool is_weighed; /* the loss weights samples, so the best width for their mean is not its optimum */
    int channels; /* of an image: element i belongs to channel i mod channels */
} likelihood_context;

typedef struct likelihood_terms {
    lt_node *log_prob; /* n: log p(x|z), all constants */
    lt_node *sigma;    /* scalar: standard deviation of a pixel, root mean square over channels; NULL
                          if the likelihood has no width */
} likelihood_terms;

/* What -log p(x|z) of an image is the sum of. */
typedef struct likelihood_parts {
    double constant;               /* nats that do not depend on the image */
    char error[96], constant_text[96]; /* the formulas of the rest, and of the constant */
} likelihood_parts;

typedef struct likelihood_row {
    spec_row spec;
    bool is_binary;       /* for pixels that are 0 or 1 */
    bool is_discrete;     /* probabilities of bits or bytes; else densities on [0, 1] */
    const char *output;   /* the decoder's output, for messages */
    const char *unwanted; /* the layer that a decoder must not end in; NULL: none */
    bool (*is_of_batch)(const void *options); /* whether its width depends on the batch; NULL: never */
    lt_node *(*mean)(lt_node *y); /* the mean, or the median if that has no short formula */
    void (*build)(const likelihood_context *c, lt_node *y, lt_node *x, const void *options,
                  likelihood_terms *t);
    /* Fills p for `dimensions` pixels of one standard deviation sigma. NULL: -log p(x|z) is not such a sum. */
    void (*explain)(double sigma, int64_t dimensions, likelihood_parts *p);
    /* Samples of x, n x d, in evaluation. */
    lt_node *(*draw)(const likelihood_context *c, lt_node *y, const void *options);
} likelihood_row;

extern const spec_table likelihood_table;

/* Every likelihood of likelihoods.def. */
#define LIKELIHOOD(NAME) extern const likelihood_row likelihood_##NAME;
#include "nn/likelihoods.def"
#undef LIKELIHOOD

/* The line's row. */
const likelihood_row *likelihood_facts(const spec *likelihood);

/* Whether, in training, log p(x|z) of an image depends on the other images of the batch. */
bool likelihood_is_of_batch(const spec *likelihood);

/* E[x|z], or the median, from the decoder's output y (any shape). */
lt_node *likelihood_mean(const spec *likelihood, lt_node *y);

/* Terms for images x and the decoder's output y, both n x d. */
likelihood_terms likelihood_build(const spec *likelihood, const likelihood_context *c, lt_node *y,
                                  lt_node *x);

/* Samples of p(x|z), n x d, for the decoder's output y, in evaluation. */
lt_node *likelihood_draw(const spec *likelihood, const likelihood_context *c, lt_node *y);

#endif
