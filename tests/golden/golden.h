/* SPDX-License-Identifier: MIT */
/* Graphs against the values of tools/golden.py, in both executors. Included by test programs. */
#ifndef LATENT_GOLDEN_H
#define LATENT_GOLDEN_H

#include "base/memory.h"
#include "base/status.h"
#include "train/safetensors.h"

#include <latent/nn.h>
#include <latent/ops.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Doubles differ by the order of sums; floats by their 24 bits, over sums of about a hundred. */
static const double golden_rtol[] = {[LT_CPU] = 2e-5, [LT_REFERENCE] = 1e-11};
static const double golden_atol[] = {[LT_CPU] = 2e-6, [LT_REFERENCE] = 1e-12};

/* A node and the tensor that it takes its values from, or that its values must be. */
typedef struct golden_value {
    lt_node *node;
    const char *name;
} golden_value;

static inline safetensors *golden_open(const char *name)
{
    char *path = must_format("%s/golden/%s.safetensors", TESTS_DIR, name);
    safetensors *file;
    if (safetensors_read(path, &file) != LT_OK)
        fail_msg("%s", lt_last_error());
    free(path);
    return file;
}

/* The numbers of a tensor, which must have n of them; the caller frees them. */
static inline double *golden_doubles(const safetensors *file, const char *name, int64_t n)
{
    const safetensors_entry *e = safetensors_find(file, name);
    if (!e)
        fail_msg("%s", lt_last_error());
    int64_t size = 1;
    for (int i = 0; i < e->rank; i++)
        size *= e->dims[i];
    if (size != n || e->type != SAFETENSORS_F64)
        fail_msg("golden \"%s\" has %jd numbers, the node %jd", name, (intmax_t)size, (intmax_t)n);
    double *values = must_alloc(sizeof *values * (size_t)n);
    memcpy(values, e->data, sizeof *values * (size_t)n);
    return values;
}

static inline void golden_feed(const safetensors *file, lt_session *s, lt_executor executor,
                               const golden_value *v)
{
    int64_t n = lt_shape_size(lt_node_shape(v->node));
    double *values = golden_doubles(file, v->name, n);
    for (int64_t i = 0; i < n; i++)
        if (executor == LT_REFERENCE)
            lt_session_doubles(s, v->node)[i] = values[i];
        else
            lt_session_floats(s, v->node)[i] = (float)values[i];
    free(values);
}

static inline void golden_compare(const char *what, lt_executor executor, const double *want,
                                  const double *found, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        double allowed = golden_atol[executor] + golden_rtol[executor] * fabs(want[i]);
        if (!(fabs(found[i] - want[i]) <= allowed))
            fail_msg("%s[%jd] by the %s executor: expected %.17g, found %.17g", what, (intmax_t)i,
                     executor == LT_REFERENCE ? "reference" : "cpu", want[i], found[i]);
    }
}

static inline void golden_expect(const safetensors *file, lt_session *s, lt_executor executor,
                                 const golden_value *v)
{
    int64_t n = lt_shape_size(lt_node_shape(v->node));
    double *want = golden_doubles(file, v->name, n), *found = must_alloc(sizeof *found * (size_t)n);
    for (int64_t i = 0; i < n; i++)
        found[i] = executor == LT_REFERENCE ? lt_session_doubles(s, v->node)[i]
                                            : (double)lt_session_floats(s, v->node)[i];
    golden_compare(v->name, executor, want, found, n);
    free(want);
    free(found);
}

/* Runs the graph once with each executor: `in` gets its golden values, `out` must have them.
   Nullable: p, whose block the sessions share. */
static inline void golden_run(const safetensors *file, lt_graph *g, lt_params *p,
                              const golden_value *in, int n_in, const golden_value *out, int n_out)
{
    lt_node *targets[64];
    assert_true(n_out <= COUNT_OF(targets));
    for (int i = 0; i < n_out; i++)
        targets[i] = out[i].node;
    lt_program *program = lt_compile(g, targets, n_out);
    if (!program)
        fail_msg("%s", lt_last_error());
    for (lt_executor e = LT_CPU; e <= LT_REFERENCE; e++) {
        lt_session *s = lt_session_create(program, &(lt_session_options){.executor = e});
        assert_non_null(s);
        if (p)
            assert_int_equal(lt_params_bind(p, g, s), LT_OK);
        for (int i = 0; i < n_in; i++)
            golden_feed(file, s, e, &in[i]);
        assert_int_equal(lt_session_run(s, NULL), LT_OK);
        for (int i = 0; i < n_out; i++)
            golden_expect(file, s, e, &out[i]);
        lt_session_free(s);
    }
    lt_program_free(program);
}

/* A function of inputs NAME.a, NAME.b, NAME.c of the golden file, as many as are there. */
typedef struct golden_function {
    const char *name;
    lt_node *(*make)(lt_node **x);
} golden_function;

/* y = f(a, b, c) and the gradients of sum(g y), in both executors. */
static inline void golden_check(const safetensors *file, const golden_function *f)
{
    enum { MOST = 4 };
    char names[2 * MOST + 1][64];
    golden_value in[MOST], out[MOST];
    int n = 0;
    lt_graph *g = lt_graph_create();
    lt_node *x[MOST], *d[MOST];
    for (; n < MOST - 1; n++) {
        snprintf(names[n], sizeof names[n], "%s.%c", f->name, 'a' + n);
        const safetensors_entry *e = safetensors_find(file, names[n]);
        if (!e)
            break;
        lt_shape s = {.rank = e->rank};
        for (int i = 0; i < e->rank; i++)
            s.d[i] = e->dims[i];
        x[n] = lt_input(g, names[n], s);
        in[n] = (golden_value){x[n], names[n]};
    }
    if (n == 0)
        fail_msg("no golden values of %s", f->name);
    lt_node *y = f->make(x), *weights = lt_input(g, "g", lt_node_shape(y));
    snprintf(names[MOST], sizeof names[MOST], "%s.g", f->name);
    in[n] = (golden_value){weights, names[MOST]};
    lt_grads(lt_sum(lt_mul(y, weights)), n, x, d);
    for (int i = 0; i < n; i++) {
        snprintf(names[MOST + 1 + i], sizeof names[0], "%s.d.%c", f->name, 'a' + i);
        out[i] = (golden_value){d[i], names[MOST + 1 + i]};
    }
    char name_of_y[64];
    snprintf(name_of_y, sizeof name_of_y, "%s.y", f->name);
    out[n] = (golden_value){y, name_of_y};
    golden_run(file, g, NULL, in, n + 1, out, n + 1);
    lt_graph_free(g);
}

/* Gives parameter i the values of a tensor, whose shape must be the parameter's outside one. */
static inline void golden_import(const safetensors *file, const char *tensor, lt_params *p, int i)
{
    lt_param_info info = lt_params_info(p, i);
    int64_t n = lt_shape_size(info.shape);
    double *values = golden_doubles(file, tensor, n);
    float *outside = must_alloc(sizeof *outside * (size_t)n);
    for (int64_t k = 0; k < n; k++)
        outside[k] = (float)values[k];
    const safetensors_entry *e = safetensors_find(file, tensor);
    assert_int_equal(e->rank, info.shape.rank);
    for (int k = 0; k < e->rank; k++)
        assert_int_equal(e->dims[k], info.shape.d[k]);
    lt_params_import(p, i, lt_params_block(p), outside);
    free(values);
    free(outside);
}

/* Where element k of a parameter as PyTorch stores it, c x b x a, is inside, a x b x c. */
static inline int64_t golden_place(const lt_param_info *info, int64_t k)
{
    const int64_t *d = info->shape.d;
    int64_t a = 1, b = 1;
    if (info->layout == LT_LAYOUT_PLAIN)
        return k;
    if (info->layout == LT_LAYOUT_LINEAR)
        b = d[1];
    else if (info->layout == LT_LAYOUT_CONV)
        b = d[1], a = d[2] * d[3];
    else
        a = d[1] * d[2];
    return (k % a * b + k / a % b) * d[0] + k / (a * b);
}

#endif
