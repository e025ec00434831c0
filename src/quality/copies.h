/* SPDX-License-Identifier: MIT */
/* Are samples copies of train images? */
#ifndef LATENT_COPIES_H
#define LATENT_COPIES_H

#include "quality/features.h"

#include <latent/quality.h>

typedef struct copies_options {
    int samples, held; /* how many there are of each; some of them are looked at */
    int threads;
    lt_progress_function *progress;
    void *user;
} copies_options;

typedef struct copies copies;

/* For a search among all images of `learn`; both are borrowed. *out is NULL on failure. */
int copies_open(copies **out, const gallery *learn, features *f, const copies_options *o);
void copies_free(copies *c); /* Nullable: c */

/* How many samples and held images are looked at. */
int copies_samples(const copies *c);
int copies_held(const copies *c);

/* Samples, or held images, first ... first + n - 1, and their features; those that are not looked
   at do not matter. */
void copies_take(copies *c, bool is_held, int first, int n, const float *images,
                 const float *values);

/* When all are there: fills in q->copies and q->pairs. */
int copies_find(copies *c, lt_quality *q);

#endif
