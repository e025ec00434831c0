/* SPDX-License-Identifier: MIT */
/* Means and covariances of points, and the distance of two Gaussians. */
#ifndef LATENT_MOMENTS_H
#define LATENT_MOMENTS_H

typedef struct moments {
    int n, d;
    double *mean, *covariance; /* d; d x d, of divisor n - 1 */
} moments;

/* Computes the moments of n >= 2 rows of d floats. Clear *m afterwards. */
void moments_find(moments *m, int n, int d, const float *x);
void moments_clear(moments *m);

/* The squared 2-Wasserstein distance of the Gaussians that have these moments,
   |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)): Frechet (1957); Heusel et al. 2017 of features. */
double moments_distance(const moments *a, const moments *b);

#endif
