/* SPDX-License-Identifier: MIT */
/* What latent uses of oneDNN; dnnl.h is included in onednn.c alone.
   Same bits at any thread count: the result is cut into shards by its shape alone, each computed by
   one single-threaded primitive; threads only share out the shards. */
#ifndef LATENT_ONEDNN_H
#define LATENT_ONEDNN_H

#include <stdbool.h>
#include <stdint.h>

typedef struct onednn_matmul onednn_matmul;

/* y (n x m) = activation(a (n x k) b (k x m) + bias (m)); all row-major; a transposed operand is
   stored k x n or m x k. */
typedef struct onednn_matmul_spec {
    int64_t n, k, m;
    int threads; /* at most this many run at once */
    bool transpose_a, transpose_b, has_bias;
    const char *activation; /* name of an elementwise operator, or NULL */
    float parameter;        /* of the activation */
} onednn_matmul_spec;

/* NULL with an error message when oneDNN fails. Sizes of 0 are fine. */
onednn_matmul *onednn_matmul_create(const onednn_matmul_spec *spec);
void onednn_matmul_run(onednn_matmul *k, const float *a, const float *b, const float *bias, float *y,
                       int threads);
void onednn_matmul_free(onednn_matmul *k);

/* Whether a matmul can apply this elementwise operator to its result. */
bool onednn_has_activation(const char *name);

/* "2.6.3" */
const char *onednn_version(void);

/* The instruction set oneDNN uses here, in a word. */
const char *onednn_isa(void);

#endif
