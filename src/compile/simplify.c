/* SPDX-License-Identifier: MIT */
/* Folds constants and removes operators that change nothing. */
#include "compile/rebuild.h"

#include <latent/ops.h>

#include <stdlib.h>

static lt_node *make_splat(rebuild *r, double value, lt_shape shape)
{
    return lt_broadcast(rebuild_common(r, lt_scalar(r->to, value)), shape);
}

static double count_reduced(const lt_node *y, const lt_node *x)
{
    int64_t n = lt_shape_size(y->shape);
    return n ? (double)(lt_shape_size(x->shape) / n) : 0;
}

/* A result whose elements are all equal because those of every input are. */
static lt_node *fold_splat(rebuild *r, const lt_node *x, lt_node *const *in)
{
    double v[3] = {0};
    if (x->n_in < 1 || x->n_in > 3)
        return NULL;
    for (int i = 0; i < x->n_in; i++)
        if (!is_splat(in[i], &v[i]))
            return NULL;
    if (x->op->flags & OP_ELEMENTWISE)
        return make_splat(r, x->op->scalar(v[0], v[1], v[2]), x->shape);
    if (x->op == &lt_op_sum)
        return make_splat(r, v[0] * count_reduced(x, in[0]), x->shape);
    bool moves = x->op == &lt_op_max_reduce || x->op == &lt_op_reshape || x->op == &lt_op_expand ||
                 x->op == &lt_op_permute || x->op == &lt_op_slice;
    return moves ? make_splat(r, v[0], x->shape) : NULL;
}

/* Returns the values of a constant or a splat; NULL if x is neither, or too large. The caller frees them. */
static double *constant_values(const lt_node *x)
{
    double value = 0;
    int64_t n = lt_shape_size(x->shape);
    bool constant = x->op == &lt_op_constant;
    if (n > FOLD_LIMIT || (!constant && !is_splat(x, &value)))
        return NULL;
    double *values = must_alloc(sizeof *values * (size_t)n);
    for (int64_t i = 0; i < n; i++)
        values[i] = constant ? ((const constant_attr *)x->attr)->values[i] : value;
    return values;
}

/* A result whose inputs are all constants. An expand is kept: its readers broadcast. */
static lt_node *fold_constant(rebuild *r, const lt_node *x, lt_node *const *in)
{
    int64_t n = lt_shape_size(x->shape);
    if (x->n_in == 0 || n > FOLD_LIMIT || !x->op->reference || x->op->flags & OP_EFFECT ||
        x->op == &lt_op_expand)
        return NULL;
    double **values = must_alloc(sizeof *values * (size_t)x->n_in);
    bool constant = true;
    for (int i = 0; constant && i < x->n_in; i++)
        constant = (values[i] = constant_values(in[i])) != NULL;
    lt_node *y = NULL;
    if (constant) {
        double *out = must_alloc(sizeof *out * (size_t)n);
        x->op->reference(
            &(lt_reference_call){.y = x, .in = (const double *const *)values, .out = out});
        y = lt_constant(r->to, x->shape, out);
        free(out);
    }
    for (int i = 0; i < x->n_in; i++)
        free(values[i]);
    free(values);
    return y;
}

/* x + 0, x - 0, x 1, x / 1, and operators that are the identity at this shape. */
static lt_node *fold_identity(const lt_node *x, lt_node *const *in)
{
    const lt_op *op = x->op;
    double v;
    bool additive = op == &lt_op_add || op == &lt_op_sub;
    bool multiplicative = op == &lt_op_mul || op == &lt_op_div;
    if ((additive || multiplicative) && is_splat(in[1], &v) && v == (additive ? 0 : 1))
        return in[0];
    if ((op == &lt_op_add || op == &lt_op_mul) && is_splat(in[0], &v) && v == (additive ? 0 : 1))
        return in[1];
    if (op == &lt_op_detach || op == &lt_op_copy)
        return in[0];
    bool by_shape = op == &lt_op_reshape || op == &lt_op_expand || op == &lt_op_slice;
    if (by_shape && lt_shape_equal(x->shape, in[0]->shape))
        return in[0];
    if ((op == &lt_op_sum || op == &lt_op_max_reduce) &&
        lt_shape_size(x->shape) == lt_shape_size(in[0]->shape))
        return lt_reshape(in[0], x->shape);
    return NULL;
}

/* Two reshapes, expands or transposes in a row. */
static lt_node *fold_chain(const lt_node *x, lt_node *const *in)
{
    if (x->op == &lt_op_reshape && in[0]->op == &lt_op_reshape)
        return lt_reshape(in[0]->in[0], x->shape);
    if (x->op == &lt_op_expand && in[0]->op == &lt_op_expand)
        return lt_expand(in[0]->in[0], x->shape);
    if (is_transpose(x) && is_transpose(in[0]))
        return in[0]->in[0];
    return NULL;
}

/* An elementwise operator whose inputs are all expanded is computed before the expand. */
static lt_node *fold_expanded(rebuild *r, const lt_node *x, lt_node *const *in)
{
    if (!(x->op->flags & OP_ELEMENTWISE) || x->n_in > 3 || x->shape.rank == 0)
        return NULL;
    lt_shape small = {.rank = x->shape.rank};
    for (int k = 0; k < small.rank; k++)
        small.d[k] = 1;
    double value[3];
    for (int i = 0; i < x->n_in; i++) {
        if (is_splat(in[i], &value[i]))
            continue;
        if (in[i]->op != &lt_op_expand)
            return NULL;
        for (int k = 0; k < small.rank; k++)
            small.d[k] = in[i]->in[0]->shape.d[k] == 1 ? small.d[k] : x->shape.d[k];
    }
    if (lt_shape_size(small) >= lt_shape_size(x->shape))
        return NULL;
    lt_node *part[3];
    for (int i = 0; i < x->n_in; i++)
        part[i] = is_splat(in[i], &value[i]) ? make_splat(r, value[i], small)
                                             : lt_expand(in[i]->in[0], small);
    return lt_expand(rebuild_common(r, node_make(x->op, x->attr, x->n_in, part)), x->shape);
}

static lt_node *simplify(rebuild *r, const lt_node *x, lt_node *const *in)
{
    lt_node *y = fold_splat(r, x, in);
    y = y ? y : fold_constant(r, x, in);
    y = y ? y : fold_identity(x, in);
    y = y ? y : fold_chain(x, in);
    y = y ? y : fold_expanded(r, x, in);
    return y ? y : rebuild_copy(r, x, in);
}

void simplify_graph(lt_program *p) { rebuild_graph(p, simplify, NULL); }
