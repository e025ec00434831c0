/* SPDX-License-Identifier: MIT */
/* Bounds of one image, accumulated from its log weights: memory does not grow with their number. */
#ifndef LATENT_BOUNDS_H
#define LATENT_BOUNDS_H

#include "base/estimate.h"

#include <latent/eval.h>

enum { BOUNDS = LT_MAX_BOUNDS + 1 };

/* The bounds to compute from the samples of each image. */
typedef struct bounds_plan {
    int n;
    int k[BOUNDS];    /* samples in a group */
    int most[BOUNDS]; /* groups */
    int draws;        /* samples of an image */
    int tail;         /* number of largest weights to keep */
} bounds_plan;

/* From iwae, n_iwae and nll_samples, whose bound comes last and has one group. */
bounds_plan bounds_make_plan(const lt_eval_options *o);

/* The weights in consecutive groups of k. The mean over groups of log 1/k sum w is an unbiased estimate
   of the bound of k samples; an incomplete group does not count. */
typedef struct grouping {
    int drawn, groups;
    weight_sum sum;       /* of the current group */
    double log_mean, ess; /* summed over the groups */
} grouping;

typedef struct image_bounds {
    grouping of[BOUNDS];
    tail tail;
} image_bounds;

/* `heap` has plan->tail elements. */
void bounds_begin(image_bounds *b, const bounds_plan *p, double *heap);
void bounds_add(image_bounds *b, const bounds_plan *p, double log_weight);

#endif
