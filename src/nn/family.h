/* SPDX-License-Identifier: MIT */
/* The record of a family of distributions, which the functions of distributions.h use. A new family is a file (or a
   block in one) with a record and a constructor; divergences between two families are rows in divergences.c. */
#ifndef LATENT_FAMILY_H
#define LATENT_FAMILY_H

#include <latent/distributions.h>

/* Supports of distributions. */
typedef enum support {
    ON_LINE = 1,      /* real numbers */
    ON_UNIT = 2,      /* [0, 1] */
    ON_INTERVAL = 4,  /* [low, high]: parameters */
    ON_BITS = 8,      /* {0, 1} */
    ON_CLASSES = 16,  /* one-hot rows */
    ON_LEVELS = 32,   /* k / 255 */
} support;

struct lt_family {
    const char *name;
    support support;
    unsigned holds; /* supports that are, or may be, inside this one */
    bool is_reparameterized;
    /* x: n x ..., checked against d->shape; n, or 1 if all have one row. */
    lt_node *(*log_prob)(const lt_distribution *d, lt_node *x);
    /* A sample of this shape: d->shape with the requested number of rows. */
    lt_node *(*draw)(const lt_distribution *d, lt_shape shape);
    /* n or 1. NULL: no closed form. */
    lt_node *(*entropy)(const lt_distribution *d);
    /* KL(q || p) of two of the family: n or 1. NULL: no closed form. */
    lt_node *(*divergence)(const lt_distribution *q, const lt_distribution *p);
};

extern const lt_family family_normal, family_full_normal, family_laplace, family_uniform,
    family_bernoulli, family_categorical, family_continuous_bernoulli, family_discretized_logistic,
    family_mixture;

/* A distribution whose n parameters, broadcast together, have the shape of its values. */
lt_distribution distribution_make(const lt_family *f, int n, lt_node *const *p);

/* A distribution whose parameters are the graph's bad node, after an error. */
lt_distribution distribution_bad(const lt_family *f, lt_node *bad);

/* Elements per row: the factor of a density's constants. */
double row_size(const lt_node *x);

/* Samples n one-hot rows from n x k (or 1 x k) logits; constants to lt_grad. */
lt_node *draw_one_hot(lt_node *logits, int64_t n);

/* Along the last axis: x - log sum e^x. */
lt_node *log_softmax(lt_node *x);

/* Elementwise log probabilities of levels; x, y and 1 / s broadcast together. */
lt_node *discretized_logistic_terms(lt_node *x, lt_node *y, lt_node *inverse);

/* A(l) = log((e^l - 1) / l), elementwise: continuous Bernoulli's log p = x l - A(l). */
lt_node *continuous_bernoulli_normalizer(lt_node *l);

/* N(mean, diag e^lv), n x d, as a full normal, so that both kinds share one divergence. */
lt_distribution full_from_diagonal(const lt_distribution *d);

#endif
