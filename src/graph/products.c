/* SPDX-License-Identifier: MIT */
/* Matrix products take in what follows them, and a b + c becomes one operator. */
#include "graph/rebuild.h"

#include <latent/ops.h>

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

/* A row repeated down a matrix: expand of 1 x m, whose storage is a vector of m. */
static bool is_row(const lt_node *x)
{
    return x->op == &lt_op_expand && x->shape.rank == 2 && x->in[0]->shape.d[0] == 1 &&
           x->in[0]->shape.d[1] == x->shape.d[1];
}

/* Whether `product`, the new form of old node `old`, may still take something in. */
static bool is_open(const rebuild *r, const lt_node *old, const lt_node *product)
{
    const matmul_attr *attr = product->attr;
    return product->op == &lt_op_matmul && is_used_once(r, old) && !attr->activation &&
           product->in[0]->shape.d[attr->transpose_a ? 0 : 1] > 0;
}

static lt_node *fold_bias(rebuild *r, const lt_node *x, lt_node *const *in)
{
    for (int side = 0; side < 2; side++) {
        lt_node *product = in[side], *row = in[1 - side];
        if (!is_open(r, x->in[side], product) || !is_row(row))
            continue;
        matmul_attr attr = *(const matmul_attr *)product->attr;
        if (attr.has_bias)
            continue;
        attr.has_bias = true;
        return matmul_make(&attr, product->in[0], product->in[1], row->in[0]);
    }
    return NULL;
}

static lt_node *fold_activation(rebuild *r, const lt_node *x, lt_node *const *in)
{
    double parameter = 0;
    if (!matmul_can_activate(x->op) || !is_open(r, x->in[0], in[0]) ||
        (x->n_in == 2 && !is_splat(in[1], &parameter)))
        return NULL;
    matmul_attr attr = *(const matmul_attr *)in[0]->attr;
    attr.activation = x->op;
    attr.parameter = (float)parameter;
    return matmul_make(&attr, in[0]->in[0], in[0]->in[1], attr.has_bias ? in[0]->in[2] : NULL);
}

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
    if (x->op == &lt_op_matmul)
        return fold_transposes(x, in);
    if (x->op == &lt_op_add)
        y = fold_bias(r, x, in);
    if (!y && (x->op == &lt_op_add || x->op == &lt_op_sub))
        y = fold_multiply(r, x, in);
    if (!y && x->n_in > 0)
        y = fold_activation(r, x, in);
    return y ? y : rebuild_copy(r, x, in);
}

void rewrite_products(lt_program *p) { rebuild_graph(p, rewrite_product, NULL); }
