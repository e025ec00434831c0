/* SPDX-License-Identifier: MIT */
/* What the log weights of one image come to, taken as they are drawn: memory does not grow with
   their number. */
#ifndef LATENT_BOUNDS_H
#define LATENT_BOUNDS_H

#include "base/estimate.h"

#include <latent/eval.h>

enum { BOUNDS = LT_MAX_BOUNDS + 1 };

/* What is wanted of the draws of each image: so many bounds. */
typedef struct bounds_plan {
    int n;
    int k[BOUNDS];    /* draws in a group */
    int most[BOUNDS]; /* groups */
    int draws;        /* of an image */
    int tail;         /* the largest of them that are kept */
} bounds_plan;

/* From iwae, n_iwae and nll_samples, whose bound comes last and has one group. */
bounds_plan bounds_make_plan(const lt_eval_options *o);

/* The weights in groups of k, one after the other. The mean over groups of log 1/k sum w is an
   unbiased estimate of the bound of k draws; a group that is not full does not count. */
typedef struct grouping {
    int drawn, groups;
    weight_sum sum;       /* of the group now */
    double log_mean, ess; /* summed over the groups */
} grouping;

typedef struct image_bounds {
    grouping of[BOUNDS];
    tail tail;
} image_bounds;

/* `room` has plan->tail numbers. */
void bounds_begin(image_bounds *b, const bounds_plan *p, double *room);
void bounds_add(image_bounds *b, const bounds_plan *p, double log_weight);

#endif
