/* SPDX-License-Identifier: MIT */
/* Tests whether samples are copies of train images. */
#ifndef LATENT_MEMORIZATION_H
#define LATENT_MEMORIZATION_H

#include "quality/features.h"

#include <latent/quality.h>

typedef struct memorization_options {
    int samples, held_out; /* numbers of images; a part of them is compared */
    int threads;
    lt_progress_function *progress;
    void *user;
} memorization_options;

typedef struct memorization memorization;

/* Opens a search among all images of `learn`; both are borrowed. *out is NULL on failure. */
int memorization_open(const reference_set *learn, features *f, const memorization_options *o, memorization **out);
void memorization_free(memorization *c); /* Nullable: c */

/* The numbers of samples and held-out images that are compared. */
int memorization_samples(const memorization *c);
int memorization_held(const memorization *c);

/* Adds samples, or held-out images, first ... first + n - 1 with their features; ignores those that are not
   compared. */
void memorization_take(memorization *c, bool is_held, int first, int n, const float *images,
                 const float *values);

/* Call it after all images are added: fills in q->memorization and q->pairs. */
int memorization_find(memorization *c, lt_quality *q);

#endif
