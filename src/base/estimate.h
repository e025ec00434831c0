/* SPDX-License-Identifier: MIT */
/* Streaming estimates: means with standard errors, sums of weights given by their logarithms, and the tail index
   of the weights. */
#ifndef LATENT_ESTIMATE_H
#define LATENT_ESTIMATE_H

#include <latent/base.h>

/* Running mean and sum of squared deviations (Welford). */
typedef struct tally {
    int64_t n;
    double mean, squares;
} tally;

void tally_add(tally *t, double value);

/* Of `scale` times the numbers; a single number has no standard error: NaN. */
lt_estimate tally_estimate(const tally *t, double scale);

/* Sums of weights w = exp(l), kept relative to the largest l so far: sum w = e^top s1,
   sum w^2 = e^(2 top) s2. Begin with WEIGHT_SUM_ZERO. */
typedef struct weight_sum {
    double top, s1, s2;
} weight_sum;

#define WEIGHT_SUM_ZERO ((weight_sum){.top = -HUGE_VAL})

void weight_sum_add(weight_sum *s, double l);
double weight_sum_log_mean(const weight_sum *s, int64_t n); /* log 1/n sum w */
double weight_sum_ess(const weight_sum *s);                 /* (sum w)^2 / sum w^2 */

/* The largest of the numbers added: a heap with the smallest of them on top. */
typedef struct tail {
    int size, n;
    double *heap; /* the caller's, `size` numbers */
} tail;

/* How many of n weights are their tail (Vehtari et al. 2024): min(n / 5, 3 sqrt n), and one more to
   measure from; 0 where that is too few to fit anything. */
int tail_size(int64_t n);

void tail_add(tail *t, double l);

/* The shape k of a generalized Pareto distribution of the tail's weights exp(l) (Zhang and Stephens
   2009, with the prior of Vehtari et al. 2024): moments of order 1/k and above are infinite. 0
   where all weights are equal, NaN where there are too few. Leaves the tail sorted. */
double tail_shape(tail *t);

#endif
