/* SPDX-License-Identifier: MIT */
/* Sums and maxima over a set of axes, which become 1. The CPU executor runs them inside fused groups;
   the loops here are for the reference. */
#include "ops/eltwise.h"

#include <latent/ops.h>

#include <float.h>
#include <math.h>

static const char *reduced_shape(const lt_node *y, lt_shape *s)
{
    unsigned axes = ((const axes_attr *)y->attr)->axes;
    *s = y->in[0]->shape;
    if (axes >> s->rank)
        return node_reason(y, "axes %#x are beyond rank %d", axes, s->rank);
    for (int i = 0; i < s->rank; i++)
        if (axes & LT_AXIS(i))
            s->d[i] = 1;
    return NULL;
}

/* Position in y of element i of x. */
static int64_t reduced_place(const lt_node *y, int64_t i)
{
    const lt_shape *x = &y->in[0]->shape;
    int64_t at = 0, stride = 1;
    for (int k = x->rank - 1; k >= 0; k--) {
        at += y->shape.d[k] == 1 ? 0 : i % x->d[k] * stride;
        i /= x->d[k];
        stride *= y->shape.d[k];
    }
    return at;
}

static void fill(double *out, int64_t n, double value)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = value;
}

static void sum_reference(const lt_reference_call *c)
{
    fill(c->out, lt_shape_size(c->y->shape), 0);
    int64_t n = lt_shape_size(c->y->in[0]->shape);
    for (int64_t i = 0; i < n; i++)
        c->out[reduced_place(c->y, i)] += c->in[0][i];
}

static void sum_grad(lt_vjp *r) { r->d[0] = lt_expand(r->g, r->in[0]->shape); }

#define CASES                                                                                      \
    {"rows", .in = {{2, {5, 7}}}, .attr = &(axes_attr){1}},                                        \
        {"columns", .in = {{2, {5, 7}}}, .attr = &(axes_attr){2}},                                 \
        {"all", .in = {{2, {5, 7}}}, .attr = &(axes_attr){3}},                                     \
        {"one", .in = {{2, {1, 1}}}, .attr = &(axes_attr){2}},                                     \
        {"middle", .in = {{3, {3, 5, 2}}}, .attr = &(axes_attr){2}},                               \
        {"ends", .in = {{3, {3, 5, 2}}}, .attr = &(axes_attr){5}},                                 \
        {"long", .in = {{2, {67, 1031}}}, .attr = &(axes_attr){3}},                                \
        {"tall", .in = {{2, {1031, 3}}}, .attr = &(axes_attr){1}},                                 \
        {"alternate", .in = {{4, {2, 3, 4, 5}}}, .attr = &(axes_attr){10}},                        \
        {"no rows", .in = {{2, {0, 3}}}, .attr = &(axes_attr){2}}

const lt_op lt_op_sum = {
    .name = "sum", .n_in = 1, .flags = OP_REDUCTION, .attr_size = sizeof(axes_attr),
    .shape = reduced_shape, .reference = sum_reference, .grad = sum_grad,
    .cases = (const lt_op_case[]){
        CASES, {"of nothing", .in = {{3, {2, 0, 3}}}, .attr = &(axes_attr){2}},
        {"rows of 8", .in = {{2, {45, 8}}}, .attr = &(axes_attr){1}}, {0}}};

/* ---- max ---- */

static const char *max_shape(const lt_node *y, lt_shape *s)
{
    const char *reason = reduced_shape(y, s);
    for (int i = 0; !reason && i < s->rank; i++)
        if (y->in[0]->shape.d[i] == 0 && s->d[i] == 1)
            reason = "the maximum of no elements is not defined";
    return reason;
}

static void max_reference(const lt_reference_call *c)
{
    fill(c->out, lt_shape_size(c->y->shape), (double)-INFINITY);
    int64_t n = lt_shape_size(c->y->in[0]->shape);
    for (int64_t i = 0; i < n; i++) {
        double *y = &c->out[reduced_place(c->y, i)], x = c->in[0][i];
        *y = x > *y || isnan(x) ? x : *y;
    }
}

/* The cotangent goes to the maximum, divided among ties. */
static void max_grad(lt_vjp *r)
{
    lt_node *x = r->in[0], *winners = lt_equal(x, r->y);
    lt_node *ties = lt_sum_keep(winners, ((const axes_attr *)r->y->attr)->axes);
    r->d[0] = lt_mul(winners, lt_div(r->g, ties));
}

const lt_op lt_op_max_reduce = {
    .name = "max_reduce", .n_in = 1, .flags = OP_REDUCTION, .attr_size = sizeof(axes_attr),
    .shape = max_shape, .reference = max_reference, .grad = max_grad,
    .cases = (const lt_op_case[]){CASES, {0}}};

/* ---- Builders ---- */

static unsigned all_axes(const lt_node *x) { return (1u << x->shape.rank) - 1; }

static lt_node *reduce_keep(const lt_op *op, lt_node *x, unsigned axes)
{
    if (axes == LT_ALL_AXES)
        axes = all_axes(x);
    return axes ? node_make1(op, &(axes_attr){axes}, x) : x;
}

static lt_node *drop_axes(lt_node *y, unsigned axes)
{
    lt_shape s = {0};
    for (int i = 0; i < y->shape.rank; i++)
        if (!(axes & LT_AXIS(i)))
            s.d[s.rank++] = y->shape.d[i];
    return lt_reshape(y, s);
}

lt_node *lt_sum_keep(lt_node *x, unsigned axes) { return reduce_keep(&lt_op_sum, x, axes); }

lt_node *lt_sum_over(lt_node *x, unsigned axes) { return drop_axes(lt_sum_keep(x, axes), axes); }

lt_node *lt_sum(lt_node *x) { return lt_sum_over(x, LT_ALL_AXES); }

lt_node *lt_sum_rows(lt_node *x) { return lt_sum_over(x, all_axes(x) & ~1u); }

static double count_over(const lt_node *x, unsigned axes)
{
    double n = 1;
    for (int i = 0; i < x->shape.rank; i++)
        if (axes & LT_AXIS(i))
            n *= (double)x->shape.d[i];
    return n;
}

lt_node *lt_mean_over(lt_node *x, unsigned axes)
{
    return lt_scale(lt_sum_over(x, axes), 1 / count_over(x, axes));
}

lt_node *lt_mean(lt_node *x) { return lt_mean_over(x, LT_ALL_AXES); }

lt_node *lt_max_keep(lt_node *x, unsigned axes) { return reduce_keep(&lt_op_max_reduce, x, axes); }

lt_node *lt_max_over(lt_node *x, unsigned axes) { return drop_axes(lt_max_keep(x, axes), axes); }

/* m + log sum e^(x - m). The maximum m is detached, since it does not change the gradient, and kept finite, since
   infinity - infinity is NaN. */
lt_node *lt_log_sum_exp(lt_node *x, unsigned axes)
{
    lt_node *m = lt_detach(lt_clamp(lt_max_keep(x, axes), (double)-FLT_MAX, (double)FLT_MAX));
    lt_node *sum = lt_sum_keep(lt_exp(lt_sub(x, m)), axes);
    return drop_axes(lt_add(m, lt_log(sum)), axes);
}
