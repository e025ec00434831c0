/* SPDX-License-Identifier: MIT */
/* Convolution of images and its derivatives, on float arrays. y (n x oh x ow x o) is the
   cross-correlation of x (n x h x w x i) with w (kh x kw x i / groups x o); channels last.
   Same bits at any thread count: the work is cut into pieces by the shape alone, each computed by one
   thread; weight gradients of pieces of the batch are added as a tree. */
#ifndef LATENT_CONV_H
#define LATENT_CONV_H

#include "ops/convolution.h"

/* Floats of the packed weight that the kernel for `spec` (FORWARD or DX) reads; 0: it reads the plain
   one. Depends on the spec without threads, bias and activation. Negative with an error on failure. */
int64_t conv_packed_size(const conv_spec *spec);

typedef struct conv_kernel conv_kernel;

/* NULL with an error message on failure. Sizes of 0 (no images) are fine. */
conv_kernel *conv_create(const conv_spec *spec);
void conv_free(conv_kernel *k);

/* packed (conv_packed_size) from plain w, for the same spec but for threads, bias, activation. */
void conv_pack(conv_kernel *k, const float *w, float *packed, int threads);

/* FORWARD: a = x, b = w (packed if it has a packed size), out = y. DX: a = y, b = w, out = x.
   DW: a = x, b = y, out = w, plain. bias: NULL unless has_bias. */
void conv_run(conv_kernel *k, const float *a, const float *b, const float *bias, float *out,
              int threads);

#endif
