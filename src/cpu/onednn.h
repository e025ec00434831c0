/* SPDX-License-Identifier: MIT */
/* The interface to oneDNN; dnnl.h is included in onednn.c alone. Results are the same bits at any thread count: the
   shape alone cuts the result into chunks, each computed by one single-threaded primitive; threads only distribute
   the chunks. */
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
    bool whole;      /* not cut, for use inside a parallel loop */
    const lt_op *activation; /* or NULL */
    float parameter;        /* of the activation */
} onednn_matmul_spec;

/* Returns NULL with an error if oneDNN fails. Sizes of 0 are allowed. */
onednn_matmul *onednn_matmul_create(const onednn_matmul_spec *spec);
void onednn_matmul_run(onednn_matmul *k, const float *a, const float *b, const float *bias, float *y,
                       int threads);
void onednn_matmul_free(onednn_matmul *k);

/* A convolution primitive for one thread and a fixed number of images, the spec's n. A packed weight has the format
   that oneDNN chose: an operand of FORWARD and DX, the result of DW. The format does not depend on bias, activation
   or threads. */
typedef struct onednn_conv onednn_conv;

/* Uses the weight format of `like`, or of oneDNN's choice (NULL). Bias and activation only with FORWARD. Returns NULL
   with an error on failure. */
onednn_conv *onednn_conv_create(const conv_spec *spec, const onednn_conv *like);
void onednn_conv_free(onednn_conv *k);

/* Floats of a packed weight; the same as of a plain one if that is the packed format. */
size_t onednn_conv_packed_size(const onednn_conv *k);
bool onednn_conv_is_plain(const onednn_conv *k);

/* Runs on the calling thread; `worker` < spec.threads, each used by one thread at a time. */
void onednn_conv_run(onednn_conv *k, const float *a, const float *b, const float *bias, float *out,
                     int worker);
/* Reorders plain to packed (FORWARD, DX), or packed to plain (DW). */
void onednn_conv_reorder(onednn_conv *k, const float *from, float *to);

/* "2.6.3" */
const char *onednn_version(void);

/* Name of the instruction set that oneDNN uses on this machine. */
const char *onednn_isa(void);

#endif
