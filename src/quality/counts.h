/* SPDX-License-Identifier: MIT */
/* What can be said of a count: k of n. */
#ifndef LATENT_COUNTS_H
#define LATENT_COUNTS_H

#include <latent/base.h>

/* The share k / n. Its error is the way to the farther end of Wilson's interval of one standard
   error (1927), which is never nothing: of 0 of n it is 1 / (n + 1). NaN where n is 0. */
lt_estimate count_share(int64_t k, int64_t n);

/* The ends of Wilson's interval of z standard errors. */
void count_interval(int64_t k, int64_t n, double z, double *low, double *high);

/* Fisher's exact test, one-sided: the probability that at least k of n are marked if the l marked
   ones of m others are of the same kind; all n + m are exchangeable then. */
double count_excess(int64_t k, int64_t n, int64_t l, int64_t m);

#endif
