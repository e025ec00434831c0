/* SPDX-License-Identifier: MIT */
/* Scores of one set of points against another. */
#ifndef LATENT_SCORES_H
#define LATENT_SCORES_H

#include "quality/neighbors.h"

#include <latent/quality.h>

/* KID: the mean over subsets of the squared maximum mean discrepancy, without bias, of n and m rows
   of d floats, with the kernel (x.y / d + 1)^3. At least 20 rows each. */
lt_estimate kernel_distance(int d, int n, const float *a, int m, const float *b, int threads);

/* The squared distance of each point from its k-th nearest other one. */
void radii_find(const points *p, int k, int threads, float *radius);

/* Precision, recall, density and coverage of s, from the radii of both by k. */
void overlap_find(const points *images, const float *images_radius, const points *held_out,
                  const float *held_out_radius, int k, int threads, lt_sample_scores *s);

/* The Inception-style score of n rows of probabilities. At least 20 rows. */
lt_estimate inception_find(int n, int classes, const float *p);

/* The probability that a number of x is below one of y, with its error (DeLong et al. 1988); equal
   ones count half. */
lt_estimate chance_below(int n, const float *x, int m, const float *y);

#endif
