/* SPDX-License-Identifier: MIT */
/* Convolution of images and its derivatives, on float arrays. y (n x oh x ow x o) is the cross-correlation of x (n x
   h x w x i) with w (kh x kw x i / groups x o). Results are the same bits at any thread count: the shape alone cuts
   the work into pieces, each computed by one thread; weight gradients of pieces are added as a tree. */
#ifndef LATENT_CONV_H
#define LATENT_CONV_H

#include "ops/convolution.h"

/* Returns the floats of the packed weight that the kernel for `spec` (FORWARD or DX) reads; 0: it reads the plain
   one. Independent of threads, bias and activation. Negative with an error on failure. */
int64_t conv_packed_size(const conv_spec *spec);

typedef struct conv_kernel conv_kernel;

/* Returns NULL with an error on failure. Sizes of 0 (no images) are allowed. */
conv_kernel *conv_create(const conv_spec *spec);
void conv_free(conv_kernel *k);

/* Packs plain w (conv_packed_size floats), for specs that differ in threads, bias and activation only. */
void conv_pack(conv_kernel *k, const float *w, float *packed, int threads);

/* FORWARD: a = x, b = w (packed if it has a packed size), out = y. DX: a = y, b = w, out = x.
   DW: a = x, b = y, out = w, plain. bias: NULL unless has_bias. */
void conv_run(conv_kernel *k, const float *a, const float *b, const float *bias, float *out,
              int threads);

#endif
