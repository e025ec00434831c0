/* SPDX-License-Identifier: MIT */
/* Images of a split in the order of a seed; each is taken at most once. */
#ifndef LATENT_IMAGE_QUEUE_H
#define LATENT_IMAGE_QUEUE_H

#include <latent/data.h>

typedef struct image_queue {
    int n, first;            /* all before `first` are taken */
    int32_t *order, *labels; /* at each position: the image, -1 if taken; its label. labels: NULL without labels */
} image_queue;

/* An image; label: -1 if unknown. */
typedef struct queued_image {
    int32_t index, label;
} queued_image;

/* Opens a queue of a split that is not empty. Clear it in any case. */
int image_queue_open(const lt_dataset *data, lt_split split, uint64_t seed, image_queue *q);
void image_queue_clear(image_queue *q);

/* Takes the next image of a class, or for -1 of any class except those of the n others; false if there is none. */
bool image_queue_take(image_queue *q, int of_class, const queued_image *others, int n, queued_image *out);

#endif
