/* SPDX-License-Identifier: MIT */
/* Images of a split in the order of a seed, each to be taken once. */
#ifndef LATENT_IMAGE_PILE_H
#define LATENT_IMAGE_PILE_H

#include "cli.h"

typedef struct image_pile {
    int n, first;            /* nothing is left before `first` */
    int32_t *order, *labels; /* at each place: the image, -1 once it is taken; its label. Without
                                labels NULL */
} image_pile;

/* One image; its label is -1 where that is not known. */
typedef struct piled_image {
    int32_t index, label;
} piled_image;

/* Of the data that are open. Close it in any case. */
int image_pile_open(const trained *t, lt_split split, uint64_t seed, image_pile *p);
void image_pile_close(image_pile *p);

/* Takes the next image of a class, or for -1 of any class but those of the n others; false if there
   is none. */
bool image_pile_take(image_pile *p, int class, const piled_image *others, int n, piled_image *out);

#endif
