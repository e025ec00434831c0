/* SPDX-License-Identifier: MIT */
/* Convolutions of few channels with stride 1, in which a vector holds pixels of one channel (see conv.c). One group
   only; without bias and activation. */
#ifndef LATENT_PLANES_H
#define LATENT_PLANES_H

#include "cpu/conv.h"

/* FORWARD and DW of a fixed number of images, the spec's n, by one thread. */
typedef struct planes planes;

/* NULL with an error message on failure. */
planes *planes_create(const conv_spec *spec);
void planes_free(planes *k);

/* FORWARD: a = x, b = w, out = y. DW: a = x, b = y, out = w. */
void planes_run(planes *k, const float *a, const float *b, float *out, int worker);

#endif
