/* SPDX-License-Identifier: MIT */
/* Statistics of a count: k of n. */
#ifndef LATENT_COUNTS_H
#define LATENT_COUNTS_H

#include <latent/base.h>

/* The share k / n. Its error is the distance to the farther end of Wilson's interval (1927) of one standard
   error, which is never 0: for k = 0 it is 1 / (n + 1). NaN if n is 0. */
lt_estimate count_share(int64_t k, int64_t n);

/* The ends of Wilson's interval of z standard errors. */
void count_interval(int64_t k, int64_t n, double z, double *low, double *high);

/* Fisher's exact test, one-sided: the probability that at least k of n are marked if l of m others are, and all n + m
   are exchangeable. */
double count_excess(int64_t k, int64_t n, int64_t l, int64_t m);

#endif
