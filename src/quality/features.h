/* SPDX-License-Identifier: MIT */
/* A small classifier of a data set's own images, trained here: what it computes on the way are the
   features that sample quality is measured in. The same images give the same network, and a digest
   that names it. */
#ifndef LATENT_FEATURES_H
#define LATENT_FEATURES_H

#include "quality/reference_set.h"

#include <latent/eval.h>

enum { FEATURES = 64 };

typedef struct features features;

typedef struct features_options {
    int steps;   /* of training; 0: 1500, less for few images */
    int threads; /* not 0 */
    lt_progress_function *progress;
    void *user;
} features_options;

typedef struct features_info {
    int classes;      /* those of the labels, or of rotations */
    bool is_rotation; /* there are no labels: it tells how an image was turned (Gidaris et al.
                         2018) */
    int steps;
    bool was_cached;
    int varying; /* features that are not the same for all of `learn` */
    char digest[SHA256_TEXT]; /* of weights, architecture, and the images and labels they are of */
} features_info;

/* Trains on `learn`, or takes what an earlier call left in the cache. *out is NULL on failure. */
int features_open(const reference_set *learn, const features_options *o, features **out);
void features_free(features *f); /* Nullable: f */
const features_info *features_describe(const features *f);

/* Writes the features of n images (n x FEATURES; each has mean 0 and variance 1 over `learn`) and
   what class they are of (n x classes probabilities). Nullable: probabilities. */
int features_find(features *f, int n, const float *images, float *values, float *probabilities);

/* The share of the images of a gallery whose class it finds, and what always naming the most frequent
   one would; NaN where they have no labels. */
int features_accuracy(features *f, const reference_set *g, double *share, double *guess);

#endif
