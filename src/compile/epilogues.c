/* SPDX-License-Identifier: MIT */
/* Fuses epilogues: transposes go into the matmul that reads them; bias and activation go into the matmul or
   convolution that produces their input. a b + c becomes one operator. */
#include "compile/rebuild.h"

#include <latent/ops.h>

/* ---- Transposes into the matmul that reads them ---- */

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

/* ---- Bias and activation into the matmul or convolution before them ---- */

static bool is_conv(const lt_node *x)
{
    return x->op == &lt_op_conv2d || x->op == &lt_op_conv2d_dx;
}

/* Whether x is a matmul or convolution without an activation yet. */
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

/* Strips reshapes from `now`, the new form of old node `old`; NULL if anything else reads the values. */
static lt_node *find_producer(const rebuild *r, const lt_node *old, lt_node *now)
{
    while (is_used_once(r, old)) {
        if (now->op != &lt_op_reshape)
            return now;
        now = now->in[0];
        old = old->op == &lt_op_reshape ? old->in[0] : old;
    }
    return NULL;
}

/* Rebuilds the producer with a bias and an activation (each optional: NULL). */
static lt_node *extend(lt_node *producer, lt_node *bias, const lt_op *activation, float parameter)
{
    lt_node *a = producer->in[0], *b = producer->in[1];
    bias = producer->n_in == 3 ? producer->in[2] : bias;
    if (is_conv(producer)) {
        conv_attr attr = *(const conv_attr *)producer->attr;
        attr.has_bias = bias != NULL;
        attr.activation = activation;
        attr.parameter = parameter;
        return conv_make(producer->op, &attr, a, b, bias);
    }
    matmul_attr attr = *(const matmul_attr *)producer->attr;
    attr.has_bias = bias != NULL;
    attr.activation = activation;
    attr.parameter = parameter;
    return matmul_make(&attr, a, b, bias);
}

/* Whether x is a row repeated for every row, or pixel, of the producer. */
static bool is_row(const lt_node *x, const lt_node *producer)
{
    return x->op == &lt_op_expand && x->shape.rank > 0 &&
           last_dimension(x) == last_dimension(producer) &&
           lt_shape_size(x->in[0]->shape) == last_dimension(x) &&
           last_dimension(x->in[0]) == last_dimension(x);
}

static lt_node *fold_bias(rebuild *r, const lt_node *x, lt_node *const *in)
{
    for (int side = 0; side < 2; side++) {
        lt_node *producer = find_producer(r, x->in[side], in[side]), *row = in[1 - side];
        if (!producer || !takes_bias(producer) || !is_row(row, producer))
            continue;
        lt_node *bias = lt_reshape(row->in[0], lt_shape_1d(last_dimension(row)));
        return lt_reshape(extend(producer, bias, NULL, 0), x->shape);
    }
    return NULL;
}

static lt_node *fold_activation(rebuild *r, const lt_node *x, lt_node *const *in)
{
    double parameter = 0;
    const target *t = r->program->target;
    if (!t->takes_activation || !t->takes_activation(x->op) || (x->n_in == 2 && !is_splat(in[1], &parameter)))
        return NULL;
    lt_node *producer = find_producer(r, x->in[0], in[0]);
    if (!producer || !takes_activation(producer))
        return NULL;
    return lt_reshape(extend(producer, NULL, x->op, (float)parameter), x->shape);
}

/* ---- Multiply and add ---- */

/* a b + c and c - a b, if nothing else reads a b. */
static lt_node *fold_multiply(rebuild *r, const lt_node *x, lt_node *const *in)
{
    for (int side = x->op == &lt_op_sub; side < 2; side++) {
        lt_node *producer = in[side], *other = in[1 - side];
        if (producer->op != &lt_op_mul || !is_used_once(r, x->in[side]))
            continue;
        const lt_op *op = x->op == &lt_op_sub ? &lt_op_sub_mul : &lt_op_mul_add;
        return node_make3(op, NULL, producer->in[0], producer->in[1], other);
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
