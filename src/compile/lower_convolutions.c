/* SPDX-License-Identifier: MIT */
/* Upsample-conv fusion: a convolution of upsampled images becomes a transposed convolution of the original ones.
   Convolutions with a 1 x 1 kernel, and those whose kernel covers the whole image, become matmuls (transposed ones
   then start from one pixel). Channels are last and weights are kh x kw x i x o, so all operands are views. The other
   convolutions get packed weights. */
#include "compile/rebuild.h"

#include "ops/convolution.h"

#include <latent/ops.h>

#include <stdlib.h>

/* ---- Upsample-conv fusion ----
   Nearest upsampling makes each pixel of x f x f pixels of u; y = conv2d(u, w), k x k, stride 1. Summing w over equal
   pixels first gives
       y = conv2d_dx(x, W),  K x K, stride f, pad k - 1 - pad,  K = k + f - 1,
       W[a, b, o, i] = sum of w[t, s, i, o] where 0 <= a + t - (k - 1) < f, likewise b and s:
   (K / f)^2 multiplications per pixel of y instead of k^2 (4 instead of 9 for f = 2 and k = 3), and no u.
   The gradient of x is conv2d(g, W), instead of sums over f x f pixels of conv2d_dx(g, w); the gradient of w sums
   conv2d_dw(g, x) in the same way. */

typedef struct upsampling {
    int64_t f, k;
    double weight; /* factor from a pixel of x to its pixels of u */
    conv_attr attr; /* of the convolutions with W */
} upsampling;

enum { MAX_KERNEL = 12 }; /* of W */

/* Whether a convolution with weight w over images `large` can be fused with the pool (windows side by side, images
   `small`) that it reads or that reads it; if so, describes the fusion in *e. */
static bool match_upsampling(const conv_attr *conv, const pool_attr *pool, lt_shape w,
                           lt_shape small, lt_shape large, upsampling *e)
{
    int64_t f = pool->kernel, k = w.d[0];
    *e = (upsampling){.f = f, .k = k, .weight = pool->weight,
                     .attr = {.stride = f, .pad = k - 1 - conv->pad, .dilation = 1, .groups = 1}};
    return f > 1 && pool->stride == f && pool->pad == 0 && large.d[1] == f * small.d[1] &&
           large.d[2] == f * small.d[2] && k > 1 && w.d[1] == k && k + f - 1 <= MAX_KERNEL &&
           conv->stride == 1 && conv->dilation == 1 && conv->groups == 1 && e->attr.pad >= 0;
}

/* The K^2 x k^2 matrix that sums taps of w into taps of W, or its transpose. */
static lt_node *tap_matrix(lt_graph *g, const upsampling *e, bool transposed)
{
    int64_t k = e->k, large = k + e->f - 1, n = large * large, m = k * k;
    double *values = must_alloc(sizeof *values * (size_t)(n * m));
    for (int64_t q = 0; q < n; q++)
        for (int64_t t = 0; t < m; t++) {
            int64_t row = q / large + t / k - (k - 1), column = q % large + t % k - (k - 1);
            bool in = row >= 0 && row < e->f && column >= 0 && column < e->f;
            values[transposed ? t * n + q : q * m + t] = in ? e->weight : 0;
        }
    lt_node *y = lt_constant(g, transposed ? lt_shape_2d(m, n) : lt_shape_2d(n, m), values);
    free(values);
    return y;
}

/* w (k x k x i x o) to W (K x K x o x i). */
static lt_node *sum_weight_taps(const upsampling *e, lt_node *w)
{
    int64_t i = w->shape.d[2], o = w->shape.d[3], large = e->k + e->f - 1;
    lt_node *flat = lt_reshape(w, lt_shape_2d(e->k * e->k, i * o));
    lt_node *y = lt_matmul(tap_matrix(w->graph, e, false), flat);
    return lt_permute(lt_reshape(y, lt_shape_4d(large, large, i, o)), (int[]){0, 1, 3, 2});
}

/* The gradient of W to the gradient of w. */
static lt_node *sum_gradient_taps(const upsampling *e, lt_node *w)
{
    int64_t o = w->shape.d[2], i = w->shape.d[3], large = e->k + e->f - 1;
    lt_node *flat = lt_reshape(lt_permute(w, (int[]){0, 1, 3, 2}), lt_shape_2d(large * large, i * o));
    lt_node *y = lt_matmul(tap_matrix(w->graph, e, true), flat);
    return lt_reshape(y, lt_shape_4d(e->k, e->k, i, o));
}

static lt_node *fuse_conv(const lt_node *y, lt_node *u, lt_node *w)
{
    upsampling e;
    if (u->op != &lt_op_avg_pool2d_dx ||
        !match_upsampling(y->attr, u->attr, w->shape, u->in[0]->shape, u->shape, &e))
        return NULL;
    e.attr.h = y->shape.d[1];
    e.attr.w = y->shape.d[2];
    return conv_make(&lt_op_conv2d_dx, &e.attr, u->in[0], sum_weight_taps(&e, w), NULL);
}

static lt_node *fuse_conv_dw(const lt_node *w, lt_node *u, lt_node *g)
{
    upsampling e;
    if (u->op != &lt_op_avg_pool2d_dx ||
        !match_upsampling(w->attr, u->attr, w->shape, u->in[0]->shape, u->shape, &e))
        return NULL;
    e.attr.h = e.attr.w = e.k + e.f - 1;
    return sum_gradient_taps(&e, conv_make(&lt_op_conv2d_dw, &e.attr, g, u->in[0], NULL));
}

/* Old node x is a pool of u = conv2d_dx(g, w), and the only reader of u. */
static lt_node *fuse_conv_dx(const rebuild *r, const lt_node *x, lt_node *u)
{
    upsampling e;
    if (u->op != &lt_op_conv2d_dx || !is_used_once(r, x->in[0]) ||
        !match_upsampling(u->attr, x->attr, u->in[1]->shape, x->shape, u->shape, &e))
        return NULL;
    return conv_make(&lt_op_conv2d, &e.attr, u->in[0], sum_weight_taps(&e, u->in[1]), NULL);
}

static lt_node *fuse_upsampling(rebuild *r, const lt_node *x, lt_node *const *in)
{
    lt_node *y = x->op == &lt_op_conv2d       ? fuse_conv(x, in[0], in[1])
                 : x->op == &lt_op_conv2d_dw  ? fuse_conv_dw(x, in[0], in[1])
                 : x->op == &lt_op_avg_pool2d ? fuse_conv_dx(r, x, in[0])
                                              : NULL;
    return y ? y : rebuild_copy(r, x, in);
}

/* ---- Convolutions as matmuls ---- */

/* X (rows x depth) W (depth x o) = Y (rows x o). */
typedef struct matmul_form {
    lt_shape x, w, y;
} matmul_form;

static bool match_matmul(const conv_attr *attr, lt_shape x, lt_shape w, lt_shape y,
                              matmul_form *f)
{
    bool per_pixel = w.d[0] == 1 && w.d[1] == 1 && attr->stride == 1;
    bool whole = y.d[1] == 1 && y.d[2] == 1 && w.d[0] == x.d[1] && w.d[1] == x.d[2];
    if (attr->groups != 1 || attr->pad != 0 || !(per_pixel || whole))
        return false;
    int64_t rows = per_pixel ? x.d[0] * x.d[1] * x.d[2] : x.d[0];
    int64_t depth = w.d[0] * w.d[1] * w.d[2];
    f->x = lt_shape_2d(rows, depth);
    f->w = lt_shape_2d(depth, w.d[3]);
    f->y = lt_shape_2d(rows, w.d[3]);
    return true;
}

static lt_node *matmul_conv(const lt_node *y, lt_node *x, lt_node *w)
{
    matmul_form f;
    if (!match_matmul(y->attr, x->shape, w->shape, y->shape, &f))
        return NULL;
    return lt_matmul(lt_reshape(x, f.x), lt_reshape(w, f.w));
}

static lt_node *matmul_conv_dx(const lt_node *x, lt_node *g, lt_node *w)
{
    matmul_form f;
    if (!match_matmul(x->attr, x->shape, w->shape, g->shape, &f))
        return NULL;
    return lt_matmul(lt_reshape(g, f.y), lt_transpose(lt_reshape(w, f.w)));
}

static lt_node *matmul_conv_dw(const lt_node *w, lt_node *x, lt_node *g)
{
    matmul_form f;
    if (!match_matmul(w->attr, x->shape, w->shape, g->shape, &f))
        return NULL;
    return lt_matmul(lt_transpose(lt_reshape(x, f.x)), lt_reshape(g, f.y));
}

static lt_node *lower_to_matmul(rebuild *r, const lt_node *x, lt_node *const *in)
{
    lt_node *y = x->op == &lt_op_conv2d      ? matmul_conv(x, in[0], in[1])
                 : x->op == &lt_op_conv2d_dx ? matmul_conv_dx(x, in[0], in[1])
                 : x->op == &lt_op_conv2d_dw ? matmul_conv_dw(x, in[0], in[1])
                                             : NULL;
    return y ? lt_reshape(y, x->shape) : rebuild_copy(r, x, in);
}

void lower_convolutions(lt_program *p)
{
    rebuild_graph(p, fuse_upsampling, NULL);
    rebuild_graph(p, lower_to_matmul, NULL);
}

/* ---- Packed weights ---- */

static lt_node *pack_conv_weight(rebuild *r, const lt_node *x, lt_node *const *in)
{
    lt_node *y = rebuild_copy(r, x, in);
    bool reads_packed = x->op == &lt_op_conv2d || x->op == &lt_op_conv2d_dx;
    lt_node *packed = reads_packed ? conv_pack_weight(y, r->program->target->packed_size) : NULL;
    if (!packed)
        return y;
    conv_attr attr = *(const conv_attr *)x->attr;
    attr.is_packed = true;
    attr.kh = in[1]->shape.d[0];
    attr.kw = in[1]->shape.d[1];
    attr.channels = last_dimension(x);
    return conv_make(x->op, &attr, in[0], rebuild_common(r, packed),
                     attr.has_bias ? in[2] : NULL);
}

void pack_weights(lt_program *p)
{
    if (p->target->packed_size)
        rebuild_graph(p, pack_conv_weight, NULL);
}
