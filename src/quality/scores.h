/* SPDX-License-Identifier: MIT */
/* Scores of one set of points against another. */
#ifndef LATENT_SCORES_H
#define LATENT_SCORES_H

#include "quality/neighbors.h"

#include <latent/quality.h>

/* KID: the mean over subsets of the unbiased squared maximum mean discrepancy of n and m rows of d floats, with the
   kernel (x.y / d + 1)^3. At least 20 rows each. */
lt_estimate kernel_distance(int d, int n, const float *a, int m, const float *b, int threads);

/* Computes the squared distance of each point to its k-th nearest neighbor. */
void radii_find(const points *p, int k, int threads, float *radius);

/* Computes precision, recall, density and coverage from the k-nearest-neighbor radii of both sets. */
void overlap_find(const points *images, const float *images_radius, const points *held_out,
                  const float *held_out_radius, int k, int threads, lt_sample_scores *s);

/* The Inception-style score of n rows of probabilities. At least 20 rows. */
lt_estimate inception_find(int n, int classes, const float *p);

/* The probability that a number of x is below a number of y, with its error (DeLong et al. 1988); ties count half. */
lt_estimate chance_below(int n, const float *x, int m, const float *y);

#endif
