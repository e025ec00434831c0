/* SPDX-License-Identifier: MIT */
/* The images that sample quality looks at: those of a split, or of two that belong together, or a
   part of them; from epoch 0 where bits are drawn anew in every epoch. */
#ifndef LATENT_GALLERY_H
#define LATENT_GALLERY_H

#include "data/catalog.h"

typedef struct gallery {
    lt_dataset *data;
    int n;              /* images */
    int first[2], count[2]; /* so many of each split from there on; `n` of them all, by
                               spread_place */
    lt_split split[2];
    bool has_labels;
} gallery;

/* What a score refers to, and what is known without it. `held` are the images of `split`; of a
   split that is train, its last sixth. `learn` are those of train, without those that are held, and
   with those that `validation` cut off. LT_VALUE where there are none. */
int gallery_divide(lt_dataset *d, lt_split split, gallery *learn, gallery *held);

/* At most n images of it, spread over it. */
gallery gallery_part(const gallery *g, int64_t n);

/* Which split image i is of, and its number there. */
int gallery_place(const gallery *g, int i, lt_split *split);

/* Images index[0 ... n - 1] as n x h x w x c floats, and their labels. */
int gallery_gather(const gallery *g, const int32_t *index, int n, int threads, float *x);
int gallery_labels(const gallery *g, const int32_t *index, int n, int32_t *labels);

/* Images first ... first + n - 1. */
int gallery_run(const gallery *g, int first, int n, int threads, float *x);

/* The SHA-256 of all pixels and, with `with_labels`, labels. */
int gallery_digest(const gallery *g, bool with_labels, int threads, char hex[SHA256_TEXT]);

#endif
