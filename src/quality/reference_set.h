/* SPDX-License-Identifier: MIT */
/* A set of images for quality scores: a split, two splits together, or a part of them. Bits that are sampled
   in every epoch are those of epoch 0. */
#ifndef LATENT_REFERENCE_SET_H
#define LATENT_REFERENCE_SET_H

#include "data/catalog.h"

typedef struct reference_set {
    lt_dataset *data;
    int n;              /* images */
    int first[2], count[2]; /* images first ... first + count - 1 of each split; `n` of these by stratified_index */
    lt_split split[2];
    bool has_labels;
} reference_set;

/* Divides the data. `held_out` gets the images of `split`, or the last sixth of train. `learn` gets train without
   `held_out`, including images that `validation` cut off. LT_VALUE if either is empty. */
int reference_set_divide(lt_dataset *d, lt_split split, reference_set *learn, reference_set *held_out);

/* A stratified sample of at most n images. */
reference_set reference_set_part(const reference_set *g, int64_t n);

/* Returns the index of image i in its split. */
int reference_set_place(const reference_set *g, int i, lt_split *split);

/* Gather images index[0 ... n - 1] as n x h x w x c floats, and their labels. */
int reference_set_gather(const reference_set *g, const int32_t *index, int n, int threads, float *x);
int reference_set_labels(const reference_set *g, const int32_t *index, int n, int32_t *labels);

/* Gathers images first ... first + n - 1. */
int reference_set_run(const reference_set *g, int first, int n, int threads, float *x);

/* The SHA-256 of all pixels and, with `with_labels`, labels. */
int reference_set_digest(const reference_set *g, bool with_labels, int threads, char hex[SHA256_TEXT]);

#endif
