/* SPDX-License-Identifier: MIT */
/* The elementwise operators: eltwise.def included once per thing that each line becomes. */
#include "ops/eltwise.h"

#include <latent/ops.h>

#include <math.h>

#define CASES(LO, HI)                                                                              \
    (const lt_op_case[]){{"matrix", .in = {MATRIX, MATRIX, MATRIX}, .lo = LO, .hi = HI},           \
                         {"scalar", .in = {{0}}, .lo = LO, .hi = HI},                              \
                         {"one", .in = {ONE, ONE, ONE}, .lo = LO, .hi = HI},                       \
                         {"prime", .in = {PRIME, PRIME, PRIME}, .lo = LO, .hi = HI},               \
                         {"empty", .in = {EMPTY, EMPTY, EMPTY}, .lo = LO, .hi = HI},               \
                         {0}}
#define MATRIX {2, {5, 7}}
#define ONE {1, {1}}
#define PRIME {1, {1031}}
#define EMPTY {2, {0, 3}}

static const char *same_shapes(const lt_node *y, lt_shape *s)
{
    *s = y->in[0]->shape;
    for (int i = 1; i < y->n_in; i++)
        if (!lt_shape_equal(*s, y->in[i]->shape))
            return "inputs have different shapes";
    return NULL;
}

static void reference(const lt_reference_call *c)
{
    int64_t n = lt_shape_size(c->y->shape);
    for (int64_t i = 0; i < n; i++)
        c->out[i] = c->y->op->scalar(c->in[0][i], c->y->n_in > 1 ? c->in[1][i] : 0,
                                     c->y->n_in > 2 ? c->in[2][i] : 0);
}

/* E1(exp, exp(x), lt_mul(g, y), COSTLY, NO_ACTIVATION, -2, 2) becomes
 *     static double scalar_exp(double x, double b, double c) { return exp(x); }
 *     static void grad_exp(lt_vjp *r) { ... r->d[0] = lt_mul(g, y); }
 *     const lt_op lt_op_exp = {.name = "exp", .n_in = 1, .scalar = scalar_exp, ...}; */
#define RECORD(NAME, N_IN, COST, ACTIVATION, LO, HI)                                                              \
    const lt_op lt_op_##NAME = {.name = #NAME,                                                     \
                                .n_in = N_IN,                                                      \
                                .flags = OP_ELEMENTWISE,                                           \
                                .shape = same_shapes,                                              \
                                .reference = reference,                                            \
                                .grad = grad_##NAME,                                               \
                                .cases = CASES(LO, HI),                                            \
                                .scalar = scalar_##NAME,                                            \
                                .is_cheap = COST,                                                  \
                                .activation = ACTIVATION};
enum { COSTLY, CHEAP };
#define R(constant) (constant)
#define E1(NAME, FORWARD, GRAD, ...)  \
    static double scalar_##NAME(double x, double b, double c)                                      \
    {                                                                                              \
        (void)b, (void)c;                                                                          \
        return FORWARD;                                                                            \
    }                                                                                              \
    static void grad_##NAME(lt_vjp *r)                                                             \
    {                                                                                              \
        lt_node *x = r->in[0], *y = r->y, *g = r->g;                                               \
        (void)x, (void)y, (void)g;                                                                 \
        r->d[0] = GRAD;                                                                            \
    }                                                                                              \
    RECORD(NAME, 1, __VA_ARGS__)
#define E2(NAME, FORWARD, GRAD_A, GRAD_B, ...)  \
    static double scalar_##NAME(double a, double b, double c)                                      \
    {                                                                                              \
        (void)c;                                                                                   \
        return FORWARD;                                                                            \
    }                                                                                              \
    static void grad_##NAME(lt_vjp *r)                                                             \
    {                                                                                              \
        lt_node *a = r->in[0], *b = r->in[1], *y = r->y, *g = r->g;                                \
        (void)a, (void)b, (void)y, (void)g;                                                        \
        r->d[0] = GRAD_A;                                                                          \
        r->d[1] = GRAD_B;                                                                          \
    }                                                                                              \
    RECORD(NAME, 2, __VA_ARGS__)
#define E3(NAME, FORWARD, GRAD_A, GRAD_B, GRAD_C, ...)  \
    static double scalar_##NAME(double a, double b, double c) { return FORWARD; }                  \
    static void grad_##NAME(lt_vjp *r)                                                             \
    {                                                                                              \
        lt_node *a = r->in[0], *b = r->in[1], *c = r->in[2], *g = r->g;                            \
        (void)a, (void)b, (void)c;                                                                 \
        r->d[0] = GRAD_A;                                                                          \
        r->d[1] = GRAD_B;                                                                          \
        r->d[2] = GRAD_C;                                                                          \
    }                                                                                              \
    RECORD(NAME, 3, __VA_ARGS__)
#include "ops/eltwise.def"
#undef E1
#undef E2
#undef E3

/* E1(exp, ...) becomes lt_node *lt_exp(lt_node *x) { return node_make1(&lt_op_exp, NULL, x); }
   Binary and ternary builders broadcast first. */
#define E1(NAME, ...)                                                                              \
    lt_node *lt_##NAME(lt_node *x) { return node_make1(&lt_op_##NAME, NULL, x); }
#define E2(NAME, ...)                                                                              \
    lt_node *lt_##NAME(lt_node *a, lt_node *b)                                                     \
    {                                                                                              \
        lt_node *in[] = {a, b};                                                                    \
        broadcast_together(2, in, #NAME);                                                          \
        return node_make(&lt_op_##NAME, NULL, 2, in);                                              \
    }
#define E3(NAME, ...)                                                                              \
    lt_node *lt_##NAME(lt_node *a, lt_node *b, lt_node *c)                                         \
    {                                                                                              \
        lt_node *in[] = {a, b, c};                                                                 \
        broadcast_together(3, in, #NAME);                                                          \
        return node_make(&lt_op_##NAME, NULL, 3, in);                                              \
    }
#include "ops/eltwise.def"
#undef E1
#undef E2
#undef E3
