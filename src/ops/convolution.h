/* SPDX-License-Identifier: MIT */
/* What a convolution or one of its derivatives computes, in numbers: y (n x oh x ow x o) is the cross-correlation of x
   (n x h x w x i) with w (kh x kw x i / groups x o). For kernels, targets and the reference alike. */
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
    bool has_bias;          /* one number per channel of the result; not of DW */
    const lt_op *activation; /* an operator that is one, or NULL */
    float parameter;        /* of the activation */
    int threads;            /* at most this many run at once */
} conv_spec;

/* Of conv2d, conv2d_dx and conv2d_dw; `threads` is 0. */
conv_spec conv_spec_of(const lt_node *y);

/* Of conv2d_pack: the convolution whose weight it packs, without bias and activation, on which the packed form does not
   depend. */
conv_spec conv_spec_of_pack(const lt_node *y);

/* Floats of the packed weight that a device's kernel for `s` (CONV_FORWARD or CONV_DX) reads; 0: it reads the plain one.
   Negative with an error on failure. */
typedef int64_t conv_packed_size_function(const conv_spec *s);

/* What is to be read in place of the weight of the convolution y (conv2d or conv2d_dx, not packed): a new
   node of y's graph with its packed form, or NULL where the kernel takes the weight as it is. Compile
   must use it. */
lt_node *conv_pack_weight(const lt_node *y, conv_packed_size_function *packed_size);

#endif
