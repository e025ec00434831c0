/* SPDX-License-Identifier: MIT */
/* Every operator of the table, every case of it: shape and value (CPU against reference), first
   and second derivatives (against differences, in f64), the same bits for any number of threads and
   any memory plan; and what elementwise operators do with infinities, NaN and the like. There is no
   list of operators here: the one at the end is of functions that are made of operators. */
#include "check.h"

#include "graph/attributes.h"

#include <latent/ops.h>

#include <float.h>
#include <stdio.h>

/* Tested in test_exec.c and test_images.c. */
enum { NOT_HERE = OP_SOURCE | OP_EFFECT | OP_INTERNAL };

/* ---- A trial: a function of a few inputs, and values for them ---- */

typedef struct trial {
    const char *name;
    lt_graph *graph;
    lt_node *x[LT_CASE_INPUTS], *y;
    int n;
    int index_input; /* 1-based; 0: none */
    int64_t index_rows;
    double lo, hi;
    double *values[LT_CASE_INPUTS];
    bool *frozen[LT_CASE_INPUTS]; /* where a difference may not be taken: at kinks */
} trial;

static int64_t size_of(const lt_node *x) { return lt_shape_size(lt_node_shape(x)); }

static bool is_index(const trial *t, int i) { return i == t->index_input - 1; }

/* A draw away from 0 and from what the inputs before have at the same place, so that a small
   difference crosses no kink. */
static double draw_value(const trial *t, draws *d, int i, int64_t at)
{
    for (;;) {
        double v = draw(d, t->lo, t->hi);
        bool near = fabs(v) < .05;
        for (int k = 0; k < i; k++)
            near |= size_of(t->x[k]) == size_of(t->x[i]) && fabs(v - t->values[k][at]) < .02;
        if (!near)
            return v;
    }
}

/* Now and then exactly on a kink: 0, or the same as the input before; frozen there. */
static void draw_element(trial *t, draws *d, int i, int64_t at)
{
    bool zero = t->lo < 0 && draw_one_in(d, 8);
    bool equal = i > 0 && size_of(t->x[i - 1]) == size_of(t->x[i]) && draw_one_in(d, 8);
    t->values[i][at] = is_index(t, i) ? draw_below(d, (int)t->index_rows)
                       : equal        ? t->values[i - 1][at]
                       : zero         ? 0
                                      : draw_value(t, d, i, at);
    t->frozen[i][at] = zero || equal || is_index(t, i);
    if (equal)
        t->frozen[i - 1][at] = true;
}

static void draw_inputs(trial *t)
{
    draws d = draws_from(17);
    for (int i = 0; i < t->n; i++) {
        size_t n = (size_t)size_of(t->x[i]);
        t->values[i] = must_alloc(sizeof *t->values[i] * n);
        t->frozen[i] = must_alloc(n);
        for (size_t k = 0; k < n; k++)
            draw_element(t, &d, i, (int64_t)k);
    }
}

static void clear(trial *t)
{
    for (int i = 0; i < t->n; i++) {
        free(t->values[i]);
        free(t->frozen[i]);
    }
    lt_graph_free(t->graph);
}

/* How many inputs a case has: for operators of any number, those before the first scalar. */
static int count_inputs(const lt_op *op, const lt_op_case *c)
{
    int n = 0;
    while (op->n_in == LT_MANY && n < LT_CASE_INPUTS && c->in[n].rank > 0)
        n++;
    return op->n_in == LT_MANY ? n : op->n_in;
}

static lt_node *make(const lt_op *op, const void *attr, lt_graph *g, int n, lt_node **x)
{
    return n ? node_make(op, attr, n, x) : node_source(g, op, attr);
}

static trial trial_of_case(const lt_op *op, const lt_op_case *c)
{
    bool default_range = c->lo == 0 && c->hi == 0;
    trial t = {.name = c->name, .graph = lt_graph_create(), .n = count_inputs(op, c),
               .index_input = c->index_input, .index_rows = c->index_rows,
               .lo = default_range ? -2 : c->lo, .hi = default_range ? 2 : c->hi};
    for (int i = 0; i < t.n; i++)
        t.x[i] = lt_input(t.graph, (char[]){(char)('a' + i), 0}, c->in[i]);
    if (op->attr_size > 0 && !c->attr)
        fail_msg("%s, case \"%s\": needs attributes", op->name, c->name);
    t.y = make(op, c->attr, t.graph, t.n, t.x);
    if (lt_graph_error(t.graph))
        fail_msg("%s, case \"%s\": %s", op->name, c->name, lt_graph_error(t.graph));
    draw_inputs(&t);
    return t;
}

static void feed_trial(const trial *t, lt_session *s, lt_executor executor)
{
    for (int i = 0; i < t->n; i++)
        if (lt_session_doubles(s, t->x[i]) || lt_session_floats(s, t->x[i]))
            feed(s, executor, t->x[i], t->values[i]);
}

/* ---- Derivatives ---- */

/* <y, weights> for fixed random weights. */
static lt_node *project(lt_node *y, uint64_t seed)
{
    draws d = draws_from(seed);
    int64_t n = size_of(y);
    double *weights = must_alloc(sizeof *weights * (size_t)n);
    for (int64_t i = 0; i < n; i++)
        weights[i] = draw(&d, -1, 1);
    lt_node *w = lt_constant(lt_node_graph(y), lt_node_shape(y), weights);
    free(weights);
    return lt_sum(lt_mul(y, w));
}

/* The sum over the inputs of <gradient of y by the input, random weights>. */
static lt_node *project_gradients(trial *t, lt_node *y, lt_node **dx)
{
    lt_node *sum = lt_scalar(t->graph, 0);
    lt_grads(y, t->n, t->x, dx);
    for (int i = 0; i < t->n; i++)
        if (!is_index(t, i))
            sum = lt_add(sum, project(dx[i], 100 + (uint64_t)i));
    return sum;
}

/* Which way the inputs are moved: a random direction, 0 where they are frozen. */
static double direction(const trial *t, int i, int64_t at)
{
    philox_key key = {.seed = 23, .stream = (uint32_t)i};
    return t->frozen[i][at] ? 0 : 2 * (double)philox_uniform(philox_word(&key, at)) - 1;
}

/* f at the inputs moved by `step` along the direction. */
static double value_at(const trial *t, lt_session *s, const lt_node *f, double step)
{
    for (int i = 0; i < t->n; i++) {
        double *x = lt_session_doubles(s, t->x[i]);
        for (int64_t k = 0; x && k < size_of(t->x[i]); k++)
            x[k] = t->values[i][k] + step * direction(t, i, k);
    }
    must_run(s, NULL);
    return *lt_session_doubles(s, f);
}

static double central(const trial *t, lt_session *s, const lt_node *f, double h)
{
    return (value_at(t, s, f, h) - value_at(t, s, f, -h)) / (2 * h);
}

/* Central differences at h, h/2, h/4, extrapolated twice (Richardson): error O(h^6). */
static double difference(const trial *t, lt_session *s, const lt_node *f, double h)
{
    double d1 = central(t, s, f, h), d2 = central(t, s, f, h / 2), d4 = central(t, s, f, h / 4);
    double e1 = (4 * d2 - d1) / 3, e2 = (4 * d4 - d2) / 3;
    return (16 * e2 - e1) / 15;
}

/* The gradients dx of f against differences of f along the direction: relative error at the best of
   a few steps (large ones cross kinks, small ones lose digits). */
static double derivative_error(const trial *t, lt_node *f, lt_node *const *dx, double enough)
{
    lt_node *targets[LT_CASE_INPUTS + 1] = {f};
    memcpy(targets + 1, dx, sizeof *dx * (size_t)t->n);
    lt_program *p = must_compile(t->graph, targets, t->n + 1);
    lt_session *s = must_create(p, &(lt_session_options){.executor = LT_REFERENCE});
    value_at(t, s, f, 0);
    double want = 0, squares = 0;
    for (int i = 0; i < t->n; i++)
        for (int64_t k = 0; k < size_of(t->x[i]); k++) {
            double part = lt_session_doubles(s, dx[i])[k] * direction(t, i, k);
            want += part;
            squares += part * part;
        }
    lt_session_free(s);
    lt_program_free(p);

    p = must_compile(t->graph, &f, 1);
    s = must_create(p, &(lt_session_options){.executor = LT_REFERENCE});
    static const double steps[] = {.02, 1e-3, 1e-4, 1e-5, 1e-6};
    double best = HUGE_VAL, scale = fmax(fabs(want), sqrt(squares));
    for (int i = 0; i < COUNT_OF(steps) && best > enough; i++) {
        double error = fabs(difference(t, s, f, steps[i]) - want);
        best = fmin(best, error / (scale > 0 ? scale : 1));
    }
    lt_session_free(s);
    lt_program_free(p);
    return best;
}

/* ---- Executors ---- */

enum { MAX_TARGETS = 1 + 2 * LT_CASE_INPUTS };

typedef struct targets {
    lt_node *node[MAX_TARGETS];
    int n;
} targets;

static const lt_run_key run_key = {.seed = 5, .step = 7};

/* y is exact to about an ulp of each function; gradients are sums of products of them. */
static void check_cpu(const trial *t, const lt_program *p, const targets *out)
{
    lt_session *cpu = must_create(p, NULL);
    lt_session *reference = must_create(p, &(lt_session_options){.executor = LT_REFERENCE});
    feed_trial(t, cpu, LT_CPU);
    feed_trial(t, reference, LT_REFERENCE);
    must_run(cpu, &run_key);
    must_run(reference, &run_key);
    for (int i = 0; i < out->n; i++) {
        int64_t n = size_of(out->node[i]);
        double *found = fetch(cpu, LT_CPU, out->node[i]);
        double *want = fetch(reference, LT_REFERENCE, out->node[i]);
        double rtol = i == 0 ? 1e-5 : 1e-4, atol = rtol / 5 * fmax(1, largest(want, n));
        assert_array_close(t->name, found, want, n, rtol, atol);
        free(found);
        free(want);
    }
    lt_session_free(cpu);
    lt_session_free(reference);
}

/* All target values of one run, one after another; the caller frees them. */
static float *run_with(const trial *t, const lt_program *p, const targets *out,
                       lt_session_options options, size_t *n)
{
    lt_session *s = must_create(p, &options);
    feed_trial(t, s, LT_CPU);
    must_run(s, &run_key);
    *n = 0;
    for (int i = 0; i < out->n; i++)
        *n += (size_t)size_of(out->node[i]);
    float *values = must_alloc(sizeof *values * *n), *at = values;
    for (int i = 0; i < out->n; i++) {
        size_t size = (size_t)size_of(out->node[i]);
        memcpy(at, lt_session_floats(s, out->node[i]), sizeof *at * size);
        at += size;
    }
    lt_session_free(s);
    return values;
}

static void check_bits(const trial *t, const lt_program *p, const targets *out)
{
    size_t n;
    float *want = run_with(t, p, out, (lt_session_options){.threads = 1}, &n);
    static const int threads[] = {1, 2, 3, 4, 8};
    for (int i = 0; i < COUNT_OF(threads); i++)
        for (int own = 0; own < 2; own++) {
            lt_session_options o = {.threads = threads[i], .own_places = own};
            float *found = run_with(t, p, out, o, &n);
            if (memcmp(found, want, sizeof *want * n))
                fail_msg("%s: other bits with %d threads%s", t->name, threads[i],
                         own ? ", own places" : "");
            free(found);
        }
    free(want);
}

/* ---- What is checked of each trial ---- */

static void check_trial(trial *t, bool differentiable)
{
    targets out = {.node = {t->y}, .n = 1};
    if (differentiable && t->n > 0) {
        lt_node *dx[LT_CASE_INPUTS], *ddx[LT_CASE_INPUTS];
        lt_node *first = project(t->y, 99);
        lt_node *second = project_gradients(t, first, dx);
        lt_grads(second, t->n, t->x, ddx);
        if (lt_graph_error(t->graph))
            fail_msg("%s: %s", t->name, lt_graph_error(t->graph));
        for (int i = 0; i < t->n; i++) {
            assert_true(lt_shape_equal(lt_node_shape(dx[i]), lt_node_shape(t->x[i])));
            out.node[out.n++] = dx[i];
        }
        memcpy(out.node + out.n, ddx, sizeof *ddx * (size_t)t->n);
        out.n += t->n;
        double error = derivative_error(t, first, dx, 1e-9);
        if (!(error <= 1e-8))
            fail_msg("%s: relative error %.1e of the first derivative", t->name, error);
        error = derivative_error(t, second, ddx, 1e-9);
        if (!(error <= 1e-7))
            fail_msg("%s: relative error %.1e of the second derivative", t->name, error);
    }
    lt_program *p = must_compile(t->graph, out.node, out.n);
    check_cpu(t, p, &out);
    check_bits(t, p, &out);
    lt_program_free(p);
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
        trial t = trial_of_case(op, c);
        check_trial(&t, op->grad != NULL);
        if (!op->grad)
            check_no_gradient(&t, op);
        clear(&t);
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
        trial t = trial_of_case(op, c);
        has |= shape_has(lt_node_shape(t.y), what);
        for (int i = 0; i < t.n; i++)
            has |= shape_has(lt_node_shape(t.x[i]), what);
        clear(&t);
    }
    return has;
}

/* Whether the operator accepts a first input of its first case without elements. */
static bool accepts_nothing(const lt_op *op)
{
    lt_graph *g = lt_graph_create();
    lt_node *x[LT_CASE_INPUTS];
    int n = count_inputs(op, op->cases);
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
        if ((*op)->flags & NOT_HERE)
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
        if (!((*op)->flags & OP_ELEMENTWISE) || !matmul_can_activate(*op))
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
    lt_node *centred = lt_sub(x[0], lt_mean_over(x[0], LT_AXIS(0)));
    lt_node *variance = lt_mean_over(lt_square(centred), LT_AXIS(0));
    return lt_mul(centred, lt_rsqrt(lt_shift(variance, .01)));
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
    if (lt_graph_error(t.graph))
        fail_msg("%s: %s", f->name, lt_graph_error(t.graph));
    draw_inputs(&t);
    check_trial(&t, true);
    clear(&t);
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
        if (!((*op)->flags & NOT_HERE))
            tests[n++] = (struct CMUnitTest){.name = (*op)->name, .test_func = operator_is_right,
                                             .initial_state = (void *)(uintptr_t)*op};
    for (int i = 0; i < COUNT_OF(functions) && n < MOST; i++)
        tests[n++] = (struct CMUnitTest){.name = functions[i].name, .test_func = function_is_right,
                                         .initial_state = (void *)(uintptr_t)&functions[i]};
    return _cmocka_run_group_tests("operators", tests, (size_t)n, NULL, NULL);
}
