/* SPDX-License-Identifier: MIT */
/* The images that sample quality looks at: those of a split, or of two that belong together, or a
   part of them; from epoch 0 where bits are drawn anew in every epoch. */
#ifndef LATENT_REFERENCE_SET_H
#define LATENT_REFERENCE_SET_H

#include "data/catalog.h"

typedef struct reference_set {
    lt_dataset *data;
    int n;              /* images */
    int first[2], count[2]; /* so many of each split from there on; `n` of them all, by
                               stratified_index */
    lt_split split[2];
    bool has_labels;
} reference_set;

/* What a score refers to, and what is known without it. `held` are the images of `split`; of a
   split that is train, its last sixth. `learn` are those of train, without those that are held, and
   with those that `validation` cut off. LT_VALUE where there are none. */
int reference_set_divide(lt_dataset *d, lt_split split, reference_set *learn, reference_set *held_out);

/* At most n images of it, spread over it. */
reference_set reference_set_part(const reference_set *g, int64_t n);

/* Which split image i is of, and its number there. */
int reference_set_place(const reference_set *g, int i, lt_split *split);

/* Images index[0 ... n - 1] as n x h x w x c floats, and their labels. */
int reference_set_gather(const reference_set *g, const int32_t *index, int n, int threads, float *x);
int reference_set_labels(const reference_set *g, const int32_t *index, int n, int32_t *labels);

/* Images first ... first + n - 1. */
int reference_set_run(const reference_set *g, int first, int n, int threads, float *x);

/* The SHA-256 of all pixels and, with `with_labels`, labels. */
int reference_set_digest(const reference_set *g, bool with_labels, int threads, char hex[SHA256_TEXT]);

#endif
