/* SPDX-License-Identifier: MIT */
/* What latent uses of oneDNN; dnnl.h is included in onednn.c alone.
   Same bits at any thread count: the result is cut into chunks by its shape alone, each computed by
   one single-threaded primitive; threads only share out the chunks. */
#ifndef LATENT_ONEDNN_H
#define LATENT_ONEDNN_H

#include "cpu/conv.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct onednn_matmul onednn_matmul;

/* y (n x m) = activation(a (n x k) b (k x m) + bias (m)); all row-major; a transposed operand is
   stored k x n or m x k. */
typedef struct onednn_matmul_spec {
    int64_t n, k, m;
    int threads; /* at most this many run at once */
    bool transpose_a, transpose_b, has_bias;
    bool accumulate; /* y += a b; no bias, no activation */
    bool whole;      /* not cut: a piece of the caller's loop */
    const lt_op *activation; /* an operator that is one, or NULL */
    float parameter;        /* of the activation */
} onednn_matmul_spec;

/* NULL with an error message when oneDNN fails. Sizes of 0 are fine. */
onednn_matmul *onednn_matmul_create(const onednn_matmul_spec *spec);
void onednn_matmul_run(onednn_matmul *k, const float *a, const float *b, const float *bias, float *y,
                       int threads);
void onednn_matmul_free(onednn_matmul *k);

/* One convolution primitive made for one thread, over a fixed number of images: the spec's n. What
   conv.h calls packed is the format that oneDNN chose for the weight: the operand of FORWARD and DX,
   the result of DW. It depends neither on bias and activation nor on threads. */
typedef struct onednn_conv onednn_conv;

/* In the weight format of `like`, or in oneDNN's choice (NULL). A has_bias or an activation is
   FORWARD's alone. NULL with an error message on failure. */
onednn_conv *onednn_conv_create(const conv_spec *spec, const onednn_conv *like);
void onednn_conv_free(onednn_conv *k);

/* Floats of a packed weight; equal to those of a plain one if that is the packed format. */
size_t onednn_conv_packed_size(const onednn_conv *k);
bool onednn_conv_is_plain(const onednn_conv *k);

/* On the calling thread; `worker` < spec.threads, never the same one twice at a time. */
void onednn_conv_run(onednn_conv *k, const float *a, const float *b, const float *bias, float *out,
                     int worker);
/* Plain into packed (FORWARD, DX), packed into plain (DW). */
void onednn_conv_reorder(onednn_conv *k, const float *from, float *to);

/* "2.6.3" */
const char *onednn_version(void);

/* The instruction set oneDNN uses here, in a word. */
const char *onednn_isa(void);

#endif
