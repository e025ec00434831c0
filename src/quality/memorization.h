/* SPDX-License-Identifier: MIT */
/* Are samples copies of train images? */
#ifndef LATENT_MEMORIZATION_H
#define LATENT_MEMORIZATION_H

#include "quality/features.h"

#include <latent/quality.h>

typedef struct memorization_options {
    int samples, held_out; /* how many there are of each; some of them are looked at */
    int threads;
    lt_progress_function *progress;
    void *user;
} memorization_options;

typedef struct memorization memorization;

/* For a search among all images of `learn`; both are borrowed. *out is NULL on failure. */
int memorization_open(const reference_set *learn, features *f, const memorization_options *o, memorization **out);
void memorization_free(memorization *c); /* Nullable: c */

/* How many samples and held-out images are looked at. */
int memorization_samples(const memorization *c);
int memorization_held(const memorization *c);

/* Samples, or held-out images, first ... first + n - 1, and their features; those that are not looked
   at do not matter. */
void memorization_take(memorization *c, bool is_held, int first, int n, const float *images,
                 const float *values);

/* When all are there: fills in q->copies and q->pairs. */
int memorization_find(memorization *c, lt_quality *q);

#endif
