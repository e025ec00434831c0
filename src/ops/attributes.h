/* SPDX-License-Identifier: MIT */
/* The operators, for passes and executors that recognize them, and the attributes of the structured ones. */
#ifndef LATENT_ATTRIBUTES_H
#define LATENT_ATTRIBUTES_H

#include "graph/op.h"

/* OP(sum) becomes extern const lt_op lt_op_sum; so do the lines of eltwise.def. */
#define OP(NAME) extern const lt_op lt_op_##NAME;
#define E1(NAME, ...) OP(NAME)
#define E2 E1
#define E3 E1
#include "ops/eltwise.def"
#include "ops/ops.def"
#undef E1
#undef E2
#undef E3
#undef OP

typedef struct constant_attr {
    const double *values; /* in the graph's arena */
    lt_shape shape;
} constant_attr;

/* Attributes are compared byte by byte (shape attributes: by the node's shape), so the structs below have no padding.
   */

typedef struct axes_attr {
    unsigned axes; /* bit i: axis i */
} axes_attr;

typedef struct shape_attr {
    lt_shape shape;
} shape_attr;

typedef struct permute_attr {
    int axes[LT_MAX_RANK];
} permute_attr;

typedef struct slice_attr {
    int64_t start, stop, axis;
} slice_attr;

typedef struct pad_attr {
    int64_t before, after, axis;
} pad_attr;

typedef struct concat_attr {
    int64_t axis;
} concat_attr;

typedef struct scatter_attr {
    int64_t rows;
} scatter_attr;

typedef struct random_attr {
    lt_shape shape;
    uint32_t stream;
} random_attr;

/* y = act(op(a) op(b) + bias); op() is the transpose where set. Only compile sets transposes, bias and activation. */
typedef struct matmul_attr {
    const lt_op *activation; /* or NULL */
    float parameter;         /* second operand of the activation: slope, alpha */
    bool transpose_a, transpose_b, has_bias, unused;
} matmul_attr;

lt_node *matmul_make(const matmul_attr *attr, lt_node *a, lt_node *b, lt_node *bias);

/* The inner dimension: columns of op(a). */
int64_t matmul_depth(const lt_node *y);

/* Attributes of conv2d, conv2d_dx and conv2d_dw: y = act(conv + bias). Only compile sets bias (conv2d: o floats,
   conv2d_dx: i floats), activation and packed weights; they have no gradient rule. */
typedef struct conv_attr {
    int64_t stride, pad, dilation, groups;
    int64_t h, w;            /* conv2d_dx: size of the result; conv2d_dw: of the kernel; conv2d: 0 */
    int64_t kh, kw;          /* is_packed: size of the kernel, which the packed array does not show */
    int64_t channels;        /* is_packed: channels of the result */
    const lt_op *activation; /* or NULL */
    float parameter;         /* second operand of the activation: slope, alpha */
    bool has_bias, is_packed, unused[2];
} conv_attr;

/* `op` is conv2d, conv2d_dx or conv2d_dw; bias: NULL unless attr->has_bias. */
lt_node *conv_make(const lt_op *op, const conv_attr *attr, lt_node *a, lt_node *b, lt_node *bias);

/* Attributes of conv2d_pack: packs the weight w (kh x kw x i / groups x o) for one convolution, into a vector whose
   layout only the kernel knows. */
typedef struct conv_pack_attr {
    conv_attr conv;     /* stride, pad, dilation, groups; the rest is 0, so that equal packings are one node */
    int64_t is_dx;      /* for conv2d_dx, else for conv2d */
    int64_t size;       /* floats of the vector */
    int64_t n, h, w;    /* images of x and their size; i channels */
    int64_t oh, ow;     /* size of y; o channels */
} conv_pack_attr;

/* Attributes of the pools: a window of kernel x kernel pixels. */
typedef struct pool_attr {
    int64_t kernel, stride, pad;
    int64_t h, w;  /* avg_pool2d_dx: size of the result; else 0 */
    double weight; /* avg_pool2d and avg_pool2d_dx: factor of the window's sum, 1 / kernel^2 for means,
                      1 for upsampling; else 0 */
} pool_attr;

#endif
