/* SPDX-License-Identifier: MIT */
/* A small classifier trained on a data set's images. Its last hidden layer gives the features of quality scores.
   The same images give the same network and the same digest. */
#ifndef LATENT_FEATURES_H
#define LATENT_FEATURES_H

#include "quality/reference_set.h"

#include <latent/eval.h>

enum { FEATURES = 64 };

typedef struct features features;

typedef struct features_options {
    int steps;   /* of training; 0: 1500, fewer for few images */
    int threads; /* not 0 */
    lt_progress_function *progress;
    void *user;
} features_options;

typedef struct features_info {
    int classes;      /* of the labels, or rotations */
    bool is_rotation; /* there are no labels: it predicts the rotation of an image (Gidaris et al. 2018) */
    int steps;
    bool was_cached;
    int varying; /* features that are not constant over `learn` */
    char digest[SHA256_TEXT]; /* of weights, architecture, train images and labels */
} features_info;

/* Trains on `learn`, or reads the result of an earlier call from the cache. *out is NULL on failure. */
int features_open(const reference_set *learn, const features_options *o, features **out);
void features_free(features *f); /* Nullable: f */
const features_info *features_describe(const features *f);

/* Computes the features of n images (n x FEATURES; each has mean 0 and variance 1 over `learn`) and their class
   probabilities (n x classes). Nullable: probabilities. */
int features_find(features *f, int n, const float *images, float *values, float *probabilities);

/* Computes the accuracy on a set of images, and that of always guessing the most frequent class; NaN if they have no
   labels. */
int features_accuracy(features *f, const reference_set *g, double *share, double *guess);

#endif
