/* SPDX-License-Identifier: MIT */
/* y = act(a b + bias) for matrices a (n x k) and b (k x m). Only compile sets transposes, bias and activation; they
   have no gradient rule. */
#include "ops/eltwise.h"

#include <latent/ops.h>

static int64_t rows(const lt_node *x, bool transpose) { return x->shape.d[transpose ? 1 : 0]; }
static int64_t columns(const lt_node *x, bool transpose) { return x->shape.d[transpose ? 0 : 1]; }

static const char *matmul_shape(const lt_node *y, lt_shape *s)
{
    const matmul_attr *m = y->attr;
    const lt_node *a = y->in[0], *b = y->in[1];
    if (a->shape.rank != 2 || b->shape.rank != 2)
        return "expected two matrices";
    if (columns(a, m->transpose_a) != rows(b, m->transpose_b))
        return node_reason(y, "inner dimensions differ (%lld and %lld)",
                           (long long)columns(a, m->transpose_a),
                           (long long)rows(b, m->transpose_b));
    *s = lt_shape_2d(rows(a, m->transpose_a), columns(b, m->transpose_b));
    return NULL;
}

int64_t matmul_depth(const lt_node *y)
{
    return columns(y->in[0], ((const matmul_attr *)y->attr)->transpose_a);
}

/* Saturates when the count overflows. */
static int64_t matmul_flops(const lt_node *y)
{
    int64_t flops;
    bool fits = !__builtin_mul_overflow(lt_shape_size(y->shape), 2 * matmul_depth(y), &flops);
    return fits ? flops : INT64_MAX;
}

static const char *matmul_describe(const lt_node *y, arena *a)
{
    const matmul_attr *m = y->attr;
    return arena_format(a, "matmul %lld x %lld x %lld%s%s%s%s%s", (long long)y->shape.d[0],
                        (long long)matmul_depth(y), (long long)y->shape.d[1], m->transpose_a ? " a'" : "",
                        m->transpose_b ? " b'" : "", m->has_bias ? " + bias" : "",
                        m->activation ? " + " : "", m->activation ? m->activation->name : "");
}

static void matmul_reference(const lt_reference_call *c)
{
    const matmul_attr *attr = c->y->attr;
    LT_ASSERT(!attr->has_bias && !attr->activation && !attr->transpose_a && !attr->transpose_b);
    int64_t n = c->y->shape.d[0], m = c->y->shape.d[1], depth = matmul_depth(c->y);
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < m; j++) {
            double sum = 0;
            for (int64_t k = 0; k < depth; k++)
                sum += c->in[0][i * depth + k] * c->in[1][k * m + j];
            c->out[i * m + j] = sum;
        }
}

static void matmul_grad(lt_vjp *r)
{
    r->d[0] = lt_matmul(r->g, lt_transpose(r->in[1]));
    r->d[1] = lt_matmul(lt_transpose(r->in[0]), r->g);
}

const lt_op lt_op_matmul = {
    .name = "matmul", .n_in = LT_MANY, .attr_size = sizeof(matmul_attr), .shape = matmul_shape,
    .reference = matmul_reference, .grad = matmul_grad, .flops = matmul_flops,
    .describe = matmul_describe,
    .cases = (const lt_op_case[]){
        {"rectangular", .in = {{2, {3, 4}}, {2, {4, 2}}}, .attr = &(matmul_attr){0}},
        {"one row", .in = {{2, {1, 5}}, {2, {5, 1}}}, .attr = &(matmul_attr){0}},
        {"primes", .in = {{2, {67, 31}}, {2, {31, 101}}}, .attr = &(matmul_attr){0}},
        {"long", .in = {{2, {129, 301}}, {2, {301, 17}}}, .attr = &(matmul_attr){0}},
        {"one column", .in = {{2, {1031, 401}}, {2, {401, 1}}}, .attr = &(matmul_attr){0}},
        {"no rows", .in = {{2, {0, 3}}, {2, {3, 2}}}, .attr = &(matmul_attr){0}},
        {"no depth", .in = {{2, {2, 0}}, {2, {0, 3}}}, .attr = &(matmul_attr){0}},
        {0}}};

lt_node *matmul_make(const matmul_attr *attr, lt_node *a, lt_node *b, lt_node *bias)
{
    return node_make(&lt_op_matmul, attr, attr->has_bias ? 3 : 2, (lt_node *[]){a, b, bias});
}

lt_node *lt_matmul(lt_node *a, lt_node *b) { return matmul_make(&(matmul_attr){0}, a, b, NULL); }
