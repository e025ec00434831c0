/* SPDX-License-Identifier: MIT */
/* Convolutions as matmuls, for the shapes where oneDNN's convolutions are slow (see conv.c). One group only; without
   bias and activation. */
#ifndef LATENT_IM2COL_H
#define LATENT_IM2COL_H

#include "cpu/conv.h"

/* im2col: DX and DW of a fixed number of images, the spec's n, by one thread, for few channels of x. The patches of x
   under the kernel at each pixel of y are a matrix of kh kw i rows and n oh ow columns. DX: patches = w y^T, added
   into x (col2im); DW: w = patches y. */
typedef struct im2col im2col;

/* NULL with an error message on failure. */
im2col *im2col_create(const conv_spec *spec);
void im2col_free(im2col *k);

/* DX: a = y, b = w, out = x. DW: a = x, b = y, out = w. */
void im2col_run(im2col *k, const float *a, const float *b, float *out, int worker);

/* DW of a whole batch, for many channels and few pixels: the gradient of each w[ky][kx] (i x o) is the matmul of the
   pixels of x under that tap with those of y. */
typedef struct kernel_taps kernel_taps;

/* NULL with an error message on failure. */
kernel_taps *kernel_taps_create(const conv_spec *spec);
void kernel_taps_free(kernel_taps *k);

void kernel_taps_run(kernel_taps *k, const float *x, const float *y, float *w, int threads);

#endif
