/* SPDX-License-Identifier: MIT */
/* Are samples copies of train images? */
#ifndef LATENT_COPIES_H
#define LATENT_COPIES_H

#include "eval/features.h"

#include <latent/quality.h>

/* How many images of this many numbers are looked at: at most 500. */
int copies_count(int64_t pixels);

/* Searches all images that were learnt from for the nearest of n samples and m held images (images
   and features of both); fills in q->features, q->pixels and q->pairs. */
typedef struct copies_question {
    const gallery *learn;
    features *features;
    int n, m;
    const float *samples, *held;             /* n and m images */
    const float *sample_values, *held_values; /* their features */
    int threads;
    lt_progress_function *progress;
    void *user;
} copies_question;

int copies_find(const copies_question *c, lt_quality *q);

#endif
