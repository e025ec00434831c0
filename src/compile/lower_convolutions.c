/* SPDX-License-Identifier: MIT */
/* Convolutions of enlarged images become transposed ones of the images as they were. Those that are
   matrix products become them: of every pixel by itself (1 x 1 kernels), and those whose kernel covers
   the whole image (the transposed ones then start from one pixel). Channels are last and weights are
   kh x kw x i x o, so all operands are views. The other convolutions get their weights packed. */
#include "compile/rebuild.h"

#include "ops/convolution.h"

#include <latent/ops.h>

#include <stdlib.h>

/* ---- Nearest upsampling goes into the convolution after it ----
   Each pixel of x is f x f pixels of u, and y = conv2d(u, w), k x k, stride 1. Summed up over those
   pixels first,
       y = conv2d_dx(x, W),  K x K, stride f, pad k - 1 - pad,  K = k + f - 1,
       W[a, b, o, i] = sum of w[t, s, i, o] where 0 <= a + t - (k - 1) < f, likewise b and s:
   (K / f)^2 products for a pixel of y instead of k^2, 4 instead of 9 for f = 2 and k = 3, and no u.
   The gradients are conv2d(g, W), instead of sums over f x f pixels of conv2d_dx(g, w), and
   conv2d_dw(g, x), from which w takes its sums. */

typedef struct enlarging {
    int64_t f, k;
    double weight; /* of a pixel of x in those of u */
    conv_attr attr; /* of the convolutions with W */
} enlarging;

enum { MAX_KERNEL = 12 }; /* of W */

/* Whether a convolution with weight w over images `large` reads, or its result is read by, a pool of
   windows side by side that leaves `small` images. */
static bool find_enlarging(const conv_attr *conv, const pool_attr *pool, lt_shape w,
                           lt_shape small, lt_shape large, enlarging *e)
{
    int64_t f = pool->kernel, k = w.d[0];
    *e = (enlarging){.f = f, .k = k, .weight = pool->weight,
                     .attr = {.stride = f, .pad = k - 1 - conv->pad, .dilation = 1, .groups = 1}};
    return f > 1 && pool->stride == f && pool->pad == 0 && large.d[1] == f * small.d[1] &&
           large.d[2] == f * small.d[2] && k > 1 && w.d[1] == k && k + f - 1 <= MAX_KERNEL &&
           conv->stride == 1 && conv->dilation == 1 && conv->groups == 1 && e->attr.pad >= 0;
}

/* Which numbers of w are in which of W, K^2 x k^2, or which of W in which of w. */
static lt_node *spread(lt_graph *g, const enlarging *e, bool transposed)
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

/* w, k x k x i x o, becomes W, K x K x o x i; or W's gradient w's. */
static lt_node *enlarge_weight(const enlarging *e, lt_node *w)
{
    int64_t i = w->shape.d[2], o = w->shape.d[3], large = e->k + e->f - 1;
    lt_node *flat = lt_reshape(w, lt_shape_2d(e->k * e->k, i * o));
    lt_node *y = lt_matmul(spread(w->graph, e, false), flat);
    return lt_permute(lt_reshape(y, lt_shape_4d(large, large, i, o)), (int[]){0, 1, 3, 2});
}

static lt_node *reduce_weight(const enlarging *e, lt_node *w)
{
    int64_t o = w->shape.d[2], i = w->shape.d[3], large = e->k + e->f - 1;
    lt_node *flat = lt_reshape(lt_permute(w, (int[]){0, 1, 3, 2}), lt_shape_2d(large * large, i * o));
    lt_node *y = lt_matmul(spread(w->graph, e, true), flat);
    return lt_reshape(y, lt_shape_4d(e->k, e->k, i, o));
}

static lt_node *enlarge_conv(const lt_node *y, lt_node *u, lt_node *w)
{
    enlarging e;
    if (u->op != &lt_op_avg_pool2d_dx ||
        !find_enlarging(y->attr, u->attr, w->shape, u->in[0]->shape, u->shape, &e))
        return NULL;
    e.attr.h = y->shape.d[1];
    e.attr.w = y->shape.d[2];
    return conv_make(&lt_op_conv2d_dx, &e.attr, u->in[0], enlarge_weight(&e, w), NULL);
}

static lt_node *enlarge_conv_dw(const lt_node *w, lt_node *u, lt_node *g)
{
    enlarging e;
    if (u->op != &lt_op_avg_pool2d_dx ||
        !find_enlarging(w->attr, u->attr, w->shape, u->in[0]->shape, u->shape, &e))
        return NULL;
    e.attr.h = e.attr.w = e.k + e.f - 1;
    return reduce_weight(&e, conv_make(&lt_op_conv2d_dw, &e.attr, g, u->in[0], NULL));
}

/* Old node x is a pool of u = conv2d_dx(g, w), which nothing else reads. */
static lt_node *enlarge_conv_dx(const rebuild *r, const lt_node *x, lt_node *u)
{
    enlarging e;
    if (u->op != &lt_op_conv2d_dx || !is_used_once(r, x->in[0]) ||
        !find_enlarging(u->attr, x->attr, u->in[1]->shape, x->shape, u->shape, &e))
        return NULL;
    return conv_make(&lt_op_conv2d, &e.attr, u->in[0], enlarge_weight(&e, u->in[1]), NULL);
}

static lt_node *enlarge(rebuild *r, const lt_node *x, lt_node *const *in)
{
    lt_node *y = x->op == &lt_op_conv2d       ? enlarge_conv(x, in[0], in[1])
                 : x->op == &lt_op_conv2d_dw  ? enlarge_conv_dw(x, in[0], in[1])
                 : x->op == &lt_op_avg_pool2d ? enlarge_conv_dx(r, x, in[0])
                                              : NULL;
    return y ? y : rebuild_copy(r, x, in);
}

/* ---- Products ---- */

/* As a product of matrices: X (rows x depth) W (depth x o) = Y (rows x o). */
typedef struct product_form {
    lt_shape x, w, y;
} product_form;

static bool find_product_form(const conv_attr *attr, lt_shape x, lt_shape w, lt_shape y,
                              product_form *f)
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

static lt_node *multiply_conv(const lt_node *y, lt_node *x, lt_node *w)
{
    product_form f;
    if (!find_product_form(y->attr, x->shape, w->shape, y->shape, &f))
        return NULL;
    return lt_matmul(lt_reshape(x, f.x), lt_reshape(w, f.w));
}

static lt_node *multiply_conv_dx(const lt_node *x, lt_node *g, lt_node *w)
{
    product_form f;
    if (!find_product_form(x->attr, x->shape, w->shape, g->shape, &f))
        return NULL;
    return lt_matmul(lt_reshape(g, f.y), lt_transpose(lt_reshape(w, f.w)));
}

static lt_node *multiply_conv_dw(const lt_node *w, lt_node *x, lt_node *g)
{
    product_form f;
    if (!find_product_form(w->attr, x->shape, w->shape, g->shape, &f))
        return NULL;
    return lt_matmul(lt_transpose(lt_reshape(x, f.x)), lt_reshape(g, f.y));
}

static lt_node *multiply(rebuild *r, const lt_node *x, lt_node *const *in)
{
    lt_node *y = x->op == &lt_op_conv2d      ? multiply_conv(x, in[0], in[1])
                 : x->op == &lt_op_conv2d_dx ? multiply_conv_dx(x, in[0], in[1])
                 : x->op == &lt_op_conv2d_dw ? multiply_conv_dw(x, in[0], in[1])
                                             : NULL;
    return y ? lt_reshape(y, x->shape) : rebuild_copy(r, x, in);
}

void lower_convolutions(lt_program *p)
{
    rebuild_graph(p, enlarge, NULL);
    rebuild_graph(p, multiply, NULL);
}

/* ---- Packed weights ---- */

static lt_node *pack(rebuild *r, const lt_node *x, lt_node *const *in)
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
        rebuild_graph(p, pack, NULL);
}
