/* SPDX-License-Identifier: MIT */
/* Convolutions that are matrix products become them: of every pixel by itself (1 x 1 kernels), and those
   whose kernel covers the whole image (the transposed ones then start from one pixel). Channels are last
   and weights are kh x kw x i x o, so all operands are views. The other convolutions get their weights
   packed. */
#include "graph/rebuild.h"

#include <latent/ops.h>

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

void rewrite_convolutions(lt_program *p) { rebuild_graph(p, multiply, NULL); }

static lt_node *pack(rebuild *r, const lt_node *x, lt_node *const *in)
{
    lt_node *y = rebuild_copy(r, x, in);
    bool reads_packed = x->op == &lt_op_conv2d || x->op == &lt_op_conv2d_dx;
    lt_node *packed = reads_packed ? conv_pack_weight(y) : NULL;
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

void rewrite_pack(lt_program *p) { rebuild_graph(p, pack, NULL); }
