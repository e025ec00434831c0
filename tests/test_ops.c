/* SPDX-License-Identifier: MIT */
/* Every operator of the table, every case of it: shape and value (CPU against reference), first
   and second derivatives (against differences, in f64), the same bits for any number of threads and
   any memory plan; and what elementwise operators do with infinities, NaN and the like. There is no
   list of operators here: the one at the end is of functions that are made of operators. */
#include "check.h"

#include "ops/attributes.h"
#include "verify/trial.h"

#include <latent/ops.h>

#include <float.h>
#include <stdio.h>

/* ---- What is checked of each trial ---- */

static void must(const lt_op *op, int status)
{
    if (status != LT_OK)
        fail_msg("%s%s%s", op ? op->name : "", op ? ", " : "", lt_last_error());
}

/* Nullable: op. */
static void check_trial(trial *t, const lt_op *op, bool differentiable)
{
    trial_targets out = {.node = {t->y}, .n = 1};
    trial_errors worst = {0};
    if (differentiable && t->n > 0)
        must(op, trial_differentiate(t, true, &out, &worst));
    lt_program *p = must_compile(t->graph, out.node, out.n);
    must(op, trial_compare(t, p, &out, &worst));
    must(op, trial_check_bits(t, p, &out));
    lt_program_free(p);
}

static trial case_trial(const lt_op *op, const lt_op_case *c)
{
    trial t;
    must(op, trial_of_case(&t, op, c));
    return t;
}

/* Without a rule the gradient must stop for a reason that is told: nothing to differentiate,
   detach, or an error that names the operator. */
static void check_no_gradient(trial *t, const lt_op *op)
{
    lt_node *dx[LT_CASE_INPUTS];
    if (t->n == 0)
        return;
    lt_grads(lt_sum(t->y), t->n, t->x, dx);
    assert_true(op == &lt_op_detach || lt_graph_error(t->graph));
}

static void operator_is_right(void **state)
{
    const lt_op *op = *state;
    assert_true(op->cases && op->cases->name);
    for (const lt_op_case *c = op->cases; c->name; c++) {
        trial t = case_trial(op, c);
        check_trial(&t, op, op->grad != NULL);
        if (!op->grad)
            check_no_gradient(&t, op);
        trial_clear(&t);
    }
}

/* ---- Cases cover odd shapes ---- */

static bool is_prime(int64_t n)
{
    for (int64_t k = 2; k * k <= n; k++)
        if (n % k == 0)
            return false;
    return n > 1;
}

static bool shape_has(lt_shape s, bool (*what)(int64_t d))
{
    bool has = false;
    for (int i = 0; i < s.rank; i++)
        has |= what(s.d[i]);
    return has;
}

static bool is_one(int64_t d) { return d == 1; }
static bool is_none(int64_t d) { return d == 0; }
static bool is_odd_prime(int64_t d) { return d > 2 && is_prime(d); }

/* Whether some input or result of the operator's cases has such a dimension. */
static bool cases_have(const lt_op *op, bool (*what)(int64_t d))
{
    bool has = false;
    for (const lt_op_case *c = op->cases; c->name; c++) {
        trial t = case_trial(op, c);
        has |= shape_has(lt_node_shape(t.y), what);
        for (int i = 0; i < t.n; i++)
            has |= shape_has(lt_node_shape(t.x[i]), what);
        trial_clear(&t);
    }
    return has;
}

/* Whether the operator accepts a first input of its first case without elements. */
static bool accepts_nothing(const lt_op *op)
{
    lt_graph *g = lt_graph_create();
    lt_node *x[LT_CASE_INPUTS];
    int n = trial_count_inputs(op, op->cases);
    for (int i = 0; i < n; i++) {
        lt_shape s = op->cases->in[i];
        if (op->n_in == 1 || op->flags & OP_ELEMENTWISE)
            s.d[s.rank - 1] = 0;
        x[i] = lt_input(g, "x", s);
    }
    bool accepts = n > 0 && !node_is_bad(node_make(op, op->cases->attr, n, x));
    lt_graph_free(g);
    return accepts;
}

static void cases_have_odd_shapes(void **state)
{
    (void)state;
    for (const lt_op *const *op = op_table; *op; op++) {
        if ((*op)->flags & TRIAL_NOT_OF)
            continue;
        if (!cases_have(*op, is_one))
            fail_msg("%s: no case has a dimension of 1", (*op)->name);
        if (!cases_have(*op, is_odd_prime))
            fail_msg("%s: no case has a prime dimension", (*op)->name);
        if (accepts_nothing(*op) && !cases_have(*op, is_none))
            fail_msg("%s: no case is empty", (*op)->name);
    }
}

/* ---- Special values ---- */

static const float specials[] = {
    0, -0.f, 1, -1, .5f, -.5f, 2, -3, 1e-7f, -1e-7f, 88, -88, 104, -104, 1e10f, -1e10f,
    FLT_MAX, -FLT_MAX, FLT_MIN, -FLT_MIN, 1e-45f, -1e-45f, INFINITY, -INFINITY, NAN};
enum { N_SPECIALS = sizeof specials / sizeof *specials };

static int64_t power(int64_t base, int n) { return n ? base * power(base, n - 1) : 1; }

/* Every combination of special values of n inputs: input i of combination k. */
static float special(int64_t k, int i) { return specials[k / power(N_SPECIALS, i) % N_SPECIALS]; }

static void check_special(const char *what, const double *in, double found, double want,
                          double atol)
{
    want = (double)(float)want;
    bool close = fabs(found - want) <= atol + 1e-5 * fabs(want);
    if (!same_number(found, want) && !(isfinite(want) && close))
        fail_msg("%s(%g, %g, %g): expected %g, found %g", what, in[0], in[1], in[2], want, found);
}

/* What rounding may do: three operands meet in two operations, where the result may be small. */
static double allowed_error(const lt_op *op, const double *in)
{
    double m = 0;
    for (int i = 0; i < 3; i++)
        m = isfinite(in[i]) ? fmax(m, fabs(in[i])) : m;
    return (double)FLT_MIN + (op->n_in == 3 ? 1e-6 * (m + m * m) : 0);
}

/* The intermediate result of three operands may overflow in single precision alone. */
static bool may_overflow(const lt_op *op, const double *in)
{
    return allowed_error(op, in) > 1e-6 * (double)FLT_MAX;
}

/* The CPU executor does what IEEE arithmetic on the formula says; only below the normal range of
   floats may a result differ (flushed by a vector function). */
static void elementwise_special_values(void **state)
{
    (void)state;
    for (const lt_op *const *op = op_table; *op; op++) {
        if (!((*op)->flags & OP_ELEMENTWISE))
            continue;
        int64_t n = power(N_SPECIALS, (*op)->n_in);
        lt_graph *g = lt_graph_create();
        lt_node *x[LT_CASE_INPUTS];
        for (int i = 0; i < (*op)->n_in; i++)
            x[i] = lt_input(g, "x", lt_shape_1d(n));
        lt_node *y = node_make(*op, NULL, (*op)->n_in, x);
        lt_program *p = must_compile(g, &y, 1);
        lt_session *s = must_create(p, NULL);
        for (int i = 0; i < (*op)->n_in; i++)
            for (int64_t k = 0; k < n; k++)
                lt_session_floats(s, x[i])[k] = special(k, i);
        must_run(s, NULL);
        for (int64_t k = 0; k < n; k++) {
            double in[3];
            for (int i = 0; i < 3; i++)
                in[i] = (double)special(k, i);
            if (!may_overflow(*op, in))
                check_special((*op)->name, in, (double)lt_session_floats(s, y)[k],
                              (*op)->scalar(in[0], in[1], in[2]), allowed_error(*op, in));
        }
        lt_session_free(s);
        lt_program_free(p);
        lt_graph_free(g);
    }
}

/* The same for operators that a matrix product applies to its result; oneDNN's exponentials lose
   relative, not absolute precision near 0. */
static void activation_special_values(void **state)
{
    (void)state;
    for (const lt_op *const *op = op_table; *op; op++) {
        if (!((*op)->flags & OP_ELEMENTWISE) || (*op)->activation == NO_ACTIVATION)
            continue;
        lt_graph *g = lt_graph_create();
        lt_node *x = lt_input(g, "x", lt_shape_2d(N_SPECIALS, 1));
        lt_node *one = lt_input(g, "one", lt_shape_2d(1, 1));
        lt_node *product = lt_matmul(x, one);
        lt_node *in[] = {product, lt_broadcast(lt_scalar(g, .25), lt_node_shape(product))};
        lt_node *y = node_make(*op, NULL, (*op)->n_in, in);
        lt_program *p = must_compile(g, &y, 1);
        assert_int_equal(lt_program_describe(p).kernels, 1);
        lt_session *s = must_create(p, NULL);
        *lt_session_floats(s, one) = 1;
        for (int k = 0; k < N_SPECIALS; k++)
            lt_session_floats(s, x)[k] = specials[k];
        must_run(s, NULL);
        for (int k = 0; k < N_SPECIALS; k++) {
            double values[3] = {(double)specials[k], .25, 0};
            check_special((*op)->name, values, (double)lt_session_floats(s, y)[k],
                          (*op)->scalar(values[0], values[1], 0), 1e-7);
        }
        lt_session_free(s);
        lt_program_free(p);
        lt_graph_free(g);
    }
}

/* A NaN anywhere must reach the loss: no operator on numbers may swallow one. Comparisons answer
   "no"; a sign is made of comparisons; select looks at one of its values only. */
static void nan_propagates(void **state)
{
    (void)state;
    for (const lt_op *const *op = op_table; *op; op++) {
        bool compares = *op == &lt_op_step || *op == &lt_op_sign || *op == &lt_op_less ||
                        *op == &lt_op_less_equal || *op == &lt_op_equal || *op == &lt_op_select;
        if (!((*op)->flags & OP_ELEMENTWISE) || compares)
            continue;
        if (!isnan((*op)->scalar((double)NAN, .5, .5)))
            fail_msg("%s(NaN) is a number", (*op)->name);
        if ((*op)->n_in == 2 && !isnan((*op)->scalar(-.5, (double)NAN, 0)))
            fail_msg("%s(-.5, NaN) is a number", (*op)->name);
    }
}

/* ---- Functions made of operators ---- */

typedef struct function {
    const char *name;
    lt_node *(*make)(lt_node **x);
    lt_shape in[LT_CASE_INPUTS];
    double lo, hi;
} function;

static lt_node *make_softplus(lt_node **x) { return lt_softplus(lt_scale(x[0], 10)); }
static lt_node *make_leaky(lt_node **x) { return lt_leaky_relu(x[0], .2); }
static lt_node *make_rectifier(lt_node **x) { return lt_leaky_relu(x[0], 0); }
static lt_node *make_elu(lt_node **x) { return lt_elu(x[0], 1); }
static lt_node *make_half_elu(lt_node **x) { return lt_elu(x[0], .5); }
static lt_node *make_gelu(lt_node **x) { return lt_gelu(x[0]); }
static lt_node *make_silu(lt_node **x) { return lt_silu(x[0]); }
static lt_node *make_clamp(lt_node **x) { return lt_clamp(x[0], -1, 1.5); }
static lt_node *make_lerp(lt_node **x) { return lt_lerp(x[0], x[1], x[2]); }
static lt_node *make_mean(lt_node **x) { return lt_mean(x[0]); }
static lt_node *make_mean_over(lt_node **x) { return lt_mean_over(x[0], LT_AXIS(1)); }
static lt_node *make_max_over(lt_node **x) { return lt_max_over(x[0], LT_AXIS(0) | LT_AXIS(2)); }
static lt_node *make_sum_rows(lt_node **x) { return lt_square(lt_sum_rows(x[0])); }
static lt_node *make_lse(lt_node **x) { return lt_log_sum_exp(x[0], LT_AXIS(1)); }
static lt_node *make_lse_all(lt_node **x) { return lt_log_sum_exp(x[0], LT_ALL_AXES); }
static lt_node *make_flatten(lt_node **x) { return lt_flatten(lt_exp(x[0])); }
static lt_node *make_outer(lt_node **x) { return lt_mul(lt_exp(x[0]), lt_tanh(x[1])); }
static lt_node *make_vector(lt_node **x) { return lt_div(x[0], lt_shift(lt_square(x[1]), 1)); }
static lt_node *make_choice(lt_node **x)
{
    return lt_select(lt_less(x[0], x[1]), lt_square(x[0]), lt_exp(x[1]));
}
static lt_node *make_layer(lt_node **x) { return lt_tanh(lt_add(lt_matmul(x[0], x[1]), x[2])); }
static lt_node *make_transposed(lt_node **x)
{
    return lt_sigmoid(lt_matmul(lt_transpose(x[0]), lt_transpose(x[1])));
}
static lt_node *make_batch_norm(lt_node **x)
{
    lt_node *centered = lt_sub(x[0], lt_mean_over(x[0], LT_AXIS(0)));
    lt_node *variance = lt_mean_over(lt_square(centered), LT_AXIS(0));
    return lt_mul(centered, lt_rsqrt(lt_shift(variance, .01)));
}
static lt_node *make_global_mean(lt_node **x) { return lt_exp(lt_global_avg_pool(x[0])); }
static lt_node *make_upsample(lt_node **x) { return lt_square(lt_upsample(x[0], 3)); }
static lt_node *make_shuffle(lt_node **x) { return lt_square(lt_pixel_shuffle(x[0], 2)); }
static lt_node *make_frame(lt_node **x) { return lt_exp(lt_pad_image(x[0], 1, 2, 0, 3)); }
static lt_node *make_crop(lt_node **x) { return lt_exp(lt_crop_image(x[0], 1, 2, 3, 2)); }
static lt_node *make_conv(lt_node **x)
{
    lt_window o = {.stride = 2, .pad = 1};
    return lt_tanh(lt_add(lt_conv2d(x[0], x[1], o), x[2]));
}
static lt_node *make_transposed_conv(lt_node **x)
{
    lt_window o = {.stride = 2, .pad = 1};
    return lt_sigmoid(lt_add(lt_conv2d_dx(x[0], x[1], 6, 7, o), x[2]));
}
static lt_node *make_pools(lt_node **x)
{
    lt_node *y = lt_max_pool2d(lt_square(x[0]), 2, (lt_window){.stride = 2});
    return lt_square(lt_avg_pool2d(y, 3, (lt_window){.pad = 1}));
}

static const function functions[] = {
    {"softplus, far out", make_softplus, {{2, {5, 7}}}, -2, 2},
    {"leaky_relu", make_leaky, {{2, {5, 7}}}, -2, 2},
    {"leaky_relu of slope 0", make_rectifier, {{2, {5, 7}}}, -2, 2},
    {"elu", make_elu, {{2, {5, 7}}}, -2, 2},
    {"elu of .5", make_half_elu, {{1, {1031}}}, -2, 2},
    {"gelu", make_gelu, {{1, {1031}}}, -3, 3},
    {"silu", make_silu, {{1, {1031}}}, -3, 3},
    {"clamp", make_clamp, {{2, {5, 7}}}, -3, 3},
    {"lerp", make_lerp, {{2, {5, 7}}, {1, {7}}, {2, {5, 1}}}, -2, 2},
    {"mean", make_mean, {{3, {3, 5, 2}}}, -2, 2},
    {"mean_over", make_mean_over, {{3, {3, 5, 2}}}, -2, 2},
    {"max_over", make_max_over, {{3, {3, 5, 2}}}, -2, 2},
    {"sum_rows", make_sum_rows, {{3, {3, 5, 2}}}, -2, 2},
    {"log_sum_exp", make_lse, {{2, {5, 7}}}, -2, 2},
    {"log_sum_exp of all", make_lse_all, {{3, {67, 3, 5}}}, -2, 2},
    {"flatten", make_flatten, {{4, {2, 3, 1, 5}}}, -2, 2},
    {"outer product", make_outer, {{2, {13, 1}}, {2, {1, 11}}}, -2, 2},
    {"broadcast of ranks", make_vector, {{3, {2, 3, 5}}, {1, {5}}}, -2, 2},
    {"choice", make_choice, {{2, {31, 3}}, {2, {31, 3}}}, -2, 2},
    {"layer", make_layer, {{2, {7, 5}}, {2, {5, 3}}, {1, {3}}}, -1, 1},
    {"transposed", make_transposed, {{2, {5, 7}}, {2, {3, 5}}}, -1, 1},
    {"batch norm", make_batch_norm, {{2, {31, 5}}}, -2, 2},
    {"global_avg_pool", make_global_mean, {{4, {3, 5, 7, 2}}}, -2, 2},
    {"upsample", make_upsample, {{4, {2, 3, 5, 7}}}, -2, 2},
    {"pixel_shuffle", make_shuffle, {{4, {2, 3, 5, 12}}}, -2, 2},
    {"pad_image", make_frame, {{4, {2, 3, 5, 3}}}, -2, 2},
    {"crop_image", make_crop, {{4, {2, 5, 4, 3}}}, -2, 2},
    {"convolution", make_conv, {{4, {2, 5, 6, 3}}, {4, {3, 4, 3, 5}}, {1, {5}}}, -1, 1},
    {"transposed convolution", make_transposed_conv,
     {{4, {2, 3, 3, 5}}, {4, {4, 4, 3, 5}}, {1, {3}}}, -1, 1},
    {"pools", make_pools, {{4, {2, 7, 8, 3}}}, -2, 2},
};

static void function_is_right(void **state)
{
    const function *f = *state;
    trial t = {.name = f->name, .graph = lt_graph_create(), .lo = f->lo, .hi = f->hi};
    while (t.n < LT_CASE_INPUTS && f->in[t.n].rank > 0) {
        t.x[t.n] = lt_input(t.graph, "x", f->in[t.n]);
        t.n++;
    }
    t.y = f->make(t.x);
    must(NULL, trial_draw(&t));
    check_trial(&t, NULL, true);
    trial_clear(&t);
}

/* log sum e^x where e^x overflows, vanishes, or x is infinite. */
static void log_sum_exp_is_safe(void **state)
{
    (void)state;
    static const float rows[][3] = {{1000, 1000, 999}, {-1000, -1001, -1000}, {3, -INFINITY, 3},
                                    {-INFINITY, -INFINITY, -INFINITY}, {1, INFINITY, 2},
                                    {1, NAN, 2}};
    enum { ROWS = sizeof rows / sizeof *rows };
    double want[] = {1000 + log(2 + exp(-1)), -1000 + log(2 + exp(-1)), 3 + log(2), -HUGE_VAL,
                     HUGE_VAL, (double)NAN};
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", lt_shape_2d(ROWS, 3)), *y = lt_log_sum_exp(x, LT_AXIS(1));
    lt_program *p = must_compile(g, &y, 1);
    for (lt_executor e = LT_CPU; e <= LT_REFERENCE; e++) {
        lt_session *s = must_create(p, &(lt_session_options){.executor = e});
        lt_session_write(s, x, &rows[0][0], 3 * ROWS);
        must_run(s, NULL);
        double *found = fetch(s, e, y);
        assert_array_close("log_sum_exp", found, want, ROWS, 1e-6, 0);
        free(found);
        lt_session_free(s);
    }
    lt_program_free(p);
    lt_graph_free(g);
}

/* An index outside the table, or none at all, reads zeros and writes nothing. */
static void indices_outside_are_harmless(void **state)
{
    (void)state;
    static const float at[] = {-1, 3, NAN, INFINITY, -INFINITY, 1e30f, 1, 1.75f, -.5f};
    enum { N = sizeof at / sizeof *at };
    const double gathered[N] = {0, 0, 0, 0, 0, 0, 20, 20, 0}, scattered[] = {0, 200, 0};
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", lt_shape_2d(3, 1)), *index = lt_input(g, "i", lt_shape_1d(N));
    lt_node *y = lt_gather_rows(x, index);
    lt_node *z = lt_scatter_rows(lt_input(g, "w", lt_shape_2d(N, 1)), index, 3);
    lt_program *p = must_compile(g, (lt_node *[]){y, z}, 2);
    for (lt_executor e = LT_CPU; e <= LT_REFERENCE; e++) {
        lt_session *s = must_create(p, &(lt_session_options){.executor = e});
        lt_session_write(s, x, (float[]){10, 20, 30}, 3);
        lt_session_write(s, index, at, N);
        float ones[N];
        for (int i = 0; i < N; i++)
            ones[i] = 100;
        lt_session_write(s, z->in[0], ones, N);
        must_run(s, NULL);
        double *found = fetch(s, e, y);
        assert_array_close("gathered", found, gathered, N, 0, 0);
        free(found);
        found = fetch(s, e, z);
        assert_array_close("scattered", found, scattered, 3, 0, 0);
        free(found);
        lt_session_free(s);
    }
    lt_program_free(p);
    lt_graph_free(g);
}

/* ---- The list ---- */

static const struct CMUnitTest others[] = {
    cmocka_unit_test(cases_have_odd_shapes),
    cmocka_unit_test(elementwise_special_values),
    cmocka_unit_test(activation_special_values),
    cmocka_unit_test(nan_propagates),
    cmocka_unit_test(log_sum_exp_is_safe),
    cmocka_unit_test(indices_outside_are_harmless),
};

int main(void)
{
    enum { MOST = 256 };
    static struct CMUnitTest tests[MOST];
    int n = COUNT_OF(others);
    memcpy(tests, others, sizeof others);
    for (const lt_op *const *op = op_table; *op && n < MOST; op++)
        if (!((*op)->flags & TRIAL_NOT_OF))
            tests[n++] = (struct CMUnitTest){.name = (*op)->name, .test_func = operator_is_right,
                                             .initial_state = (void *)(uintptr_t)*op};
    for (int i = 0; i < COUNT_OF(functions) && n < MOST; i++)
        tests[n++] = (struct CMUnitTest){.name = functions[i].name, .test_func = function_is_right,
                                         .initial_state = (void *)(uintptr_t)&functions[i]};
    return _cmocka_run_group_tests("operators", tests, (size_t)n, NULL, NULL);
}
