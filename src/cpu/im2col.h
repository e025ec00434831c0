/* SPDX-License-Identifier: MIT */
/* Convolutions as matrix products, for the shapes where oneDNN's own are slow (conv.c says which).
   One group only; without bias and activation. */
#ifndef LATENT_IM2COL_H
#define LATENT_IM2COL_H

#include "cpu/conv.h"

/* DX and DW of a fixed number of images, the spec's n, by one thread, for few channels of x. The
   patches of x, what the kernel covers at each pixel of y, are a matrix of kh kw i rows and n oh ow
   columns. DX: patches = w y^T, which are added up in x; DW: w = patches y. */
typedef struct im2col im2col;

/* NULL with an error message on failure. */
im2col *im2col_create(const conv_spec *spec);
void im2col_free(im2col *k);

/* DX: a = y, b = w, out = x. DW: a = x, b = y, out = w. */
void im2col_run(im2col *k, const float *a, const float *b, float *out, int worker);

/* DW of a whole batch, for many channels and few pixels: the gradient of each w[ky][kx] (i x o) is a
   product of the pixels of x under that tap and of y. */
typedef struct kernel_taps kernel_taps;

/* NULL with an error message on failure. */
kernel_taps *kernel_taps_create(const conv_spec *spec);
void kernel_taps_free(kernel_taps *k);

void kernel_taps_run(kernel_taps *k, const float *x, const float *y, float *w, int threads);

#endif
