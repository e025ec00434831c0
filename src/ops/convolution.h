/* SPDX-License-Identifier: MIT */
/* Sizes of a convolution or one of its derivatives: y (n x oh x ow x o) is the cross-correlation of x (n x h x w x i)
   with w (kh x kw x i / groups x o). Shared by kernels, targets and the reference. */
#ifndef LATENT_CONVOLUTION_H
#define LATENT_CONVOLUTION_H

#include "ops/attributes.h"

typedef enum conv_pass {
    CONV_FORWARD, /* y from x and w */
    CONV_DX,      /* x from y and w: the input's gradient, and the transposed convolution */
    CONV_DW,      /* w from x and y: the weight's gradient */
} conv_pass;

typedef struct conv_spec {
    conv_pass pass;
    int64_t n, h, w, i; /* x */
    int64_t oh, ow, o;  /* y */
    int64_t kh, kw, stride, pad, dilation, groups;
    bool has_bias;          /* one float per channel of the result; never with DW */
    const lt_op *activation; /* or NULL */
    float parameter;        /* of the activation */
    int threads;            /* at most this many run at once */
} conv_spec;

/* The spec of a conv2d, conv2d_dx or conv2d_dw node; `threads` is 0. */
conv_spec conv_spec_of(const lt_node *y);

/* The spec of the convolution whose weight this conv2d_pack node packs, without bias and activation: the packed form
   does not depend on them. */
conv_spec conv_spec_of_pack(const lt_node *y);

/* Returns the floats of the packed weight that a device's kernel for `s` (CONV_FORWARD or CONV_DX) reads; 0: it reads
   the plain weight. Negative with an error on failure. */
typedef int64_t conv_packed_size_function(const conv_spec *s);

/* Returns a new node with the packed weight of the convolution y (conv2d or conv2d_dx, not packed), or NULL if the
   kernel reads the plain weight. A compiled graph must use the packed one. */
lt_node *conv_pack_weight(const lt_node *y, conv_packed_size_function *packed_size);

#endif
