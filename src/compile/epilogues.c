/* SPDX-License-Identifier: MIT */
/* Products, of matrices and of images, take in what precedes and follows them; a b + c becomes one
   operator. */
#include "compile/rebuild.h"

#include <latent/ops.h>

/* ---- Transposes go into the matrix product after them ---- */

static lt_node *fold_transposes(const lt_node *x, lt_node *const *in)
{
    matmul_attr attr = *(const matmul_attr *)x->attr;
    lt_node *a = in[0], *b = in[1];
    if (is_transpose(a)) {
        attr.transpose_a = !attr.transpose_a;
        a = a->in[0];
    }
    if (is_transpose(b)) {
        attr.transpose_b = !attr.transpose_b;
        b = b->in[0];
    }
    return matmul_make(&attr, a, b, attr.has_bias ? in[2] : NULL);
}

/* ---- Bias and activation go into the product before them ---- */

static bool is_conv(const lt_node *x)
{
    return x->op == &lt_op_conv2d || x->op == &lt_op_conv2d_dx;
}

/* Whether the bias and the activation of this product are still to come. */
static bool takes_activation(const lt_node *x)
{
    if (is_conv(x))
        return !((const conv_attr *)x->attr)->activation && lt_shape_size(x->shape) > 0;
    if (x->op != &lt_op_matmul)
        return false;
    const matmul_attr *m = x->attr;
    return !m->activation && x->in[0]->shape.d[m->transpose_a ? 0 : 1] > 0;
}

static bool takes_bias(const lt_node *x)
{
    if (!takes_activation(x))
        return false;
    return is_conv(x) ? !((const conv_attr *)x->attr)->has_bias
                      : !((const matmul_attr *)x->attr)->has_bias;
}

/* The product whose numbers `now`, the new form of old node `old`, has under another shape, when
   nothing else reads any of them; NULL if there is none. */
static lt_node *product_behind(const rebuild *r, const lt_node *old, lt_node *now)
{
    while (is_used_once(r, old)) {
        if (now->op != &lt_op_reshape)
            return now;
        now = now->in[0];
        old = old->op == &lt_op_reshape ? old->in[0] : old;
    }
    return NULL;
}

/* The same product with a bias (unless NULL) and an activation (unless NULL). */
static lt_node *extend(lt_node *product, lt_node *bias, const lt_op *activation, float parameter)
{
    lt_node *a = product->in[0], *b = product->in[1];
    bias = product->n_in == 3 ? product->in[2] : bias;
    if (is_conv(product)) {
        conv_attr attr = *(const conv_attr *)product->attr;
        attr.has_bias = bias != NULL;
        attr.activation = activation;
        attr.parameter = parameter;
        return conv_make(product->op, &attr, a, b, bias);
    }
    matmul_attr attr = *(const matmul_attr *)product->attr;
    attr.has_bias = bias != NULL;
    attr.activation = activation;
    attr.parameter = parameter;
    return matmul_make(&attr, a, b, bias);
}

/* A row of numbers that is repeated for every row, or pixel, of a product. */
static bool is_row(const lt_node *x, const lt_node *product)
{
    return x->op == &lt_op_expand && x->shape.rank > 0 &&
           last_dimension(x) == last_dimension(product) &&
           lt_shape_size(x->in[0]->shape) == last_dimension(x) &&
           last_dimension(x->in[0]) == last_dimension(x);
}

static lt_node *fold_bias(rebuild *r, const lt_node *x, lt_node *const *in)
{
    for (int side = 0; side < 2; side++) {
        lt_node *product = product_behind(r, x->in[side], in[side]), *row = in[1 - side];
        if (!product || !takes_bias(product) || !is_row(row, product))
            continue;
        lt_node *bias = lt_reshape(row->in[0], lt_shape_1d(last_dimension(row)));
        return lt_reshape(extend(product, bias, NULL, 0), x->shape);
    }
    return NULL;
}

static lt_node *fold_activation(rebuild *r, const lt_node *x, lt_node *const *in)
{
    double parameter = 0;
    const target *t = r->program->target;
    if (!t->takes_activation || !t->takes_activation(x->op) || (x->n_in == 2 && !is_splat(in[1], &parameter)))
        return NULL;
    lt_node *product = product_behind(r, x->in[0], in[0]);
    if (!product || !takes_activation(product))
        return NULL;
    return lt_reshape(extend(product, NULL, x->op, (float)parameter), x->shape);
}

/* ---- One operator for two ---- */

/* a b + c and c - a b, when nothing else reads the product. */
static lt_node *fold_multiply(rebuild *r, const lt_node *x, lt_node *const *in)
{
    for (int side = x->op == &lt_op_sub; side < 2; side++) {
        lt_node *product = in[side], *other = in[1 - side];
        if (product->op != &lt_op_mul || !is_used_once(r, x->in[side]))
            continue;
        const lt_op *op = x->op == &lt_op_sub ? &lt_op_sub_mul : &lt_op_mul_add;
        return node_make3(op, NULL, product->in[0], product->in[1], other);
    }
    return NULL;
}

static lt_node *rewrite_product(rebuild *r, const lt_node *x, lt_node *const *in)
{
    lt_node *y = NULL;
    const target *t = r->program->target;
    if (x->op == &lt_op_matmul)
        return t->takes_transposes ? fold_transposes(x, in) : rebuild_copy(r, x, in);
    if (x->op == &lt_op_add && t->takes_bias)
        y = fold_bias(r, x, in);
    if (!y && (x->op == &lt_op_add || x->op == &lt_op_sub))
        y = fold_multiply(r, x, in);
    if (!y && x->n_in > 0)
        y = fold_activation(r, x, in);
    return y ? y : rebuild_copy(r, x, in);
}

void fuse_epilogues(lt_program *p) { rebuild_graph(p, rewrite_product, NULL); }
