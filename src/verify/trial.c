/* SPDX-License-Identifier: MIT */
/* Trials: random inputs, differences, executors. */
#include "verify/trial.h"

#include "verify/draws.h"

#include <latent/ops.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t size_of(const lt_node *x) { return lt_shape_size(lt_node_shape(x)); }

static bool is_index(const trial *t, int i) { return i == t->index_input - 1; }

/* ---- Inputs ---- */

/* A number away from 0 and from the earlier inputs at the same index, so that a small difference crosses no kink. */
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

/* Sometimes exactly on a kink: 0, or equal to the previous input; frozen there. */
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

int trial_draw(trial *t)
{
    if (lt_graph_error(t->graph))
        return status_fail(LT_GRAPH, "%s: %s", t->name, lt_graph_error(t->graph));
    draws d = draws_from(17);
    for (int i = 0; i < t->n; i++) {
        size_t n = (size_t)size_of(t->x[i]);
        t->values[i] = must_alloc(sizeof *t->values[i] * n);
        t->frozen[i] = must_alloc(n);
        for (size_t k = 0; k < n; k++)
            draw_element(t, &d, i, (int64_t)k);
    }
    return LT_OK;
}

void trial_clear(trial *t)
{
    for (int i = 0; i < t->n; i++) {
        free(t->values[i]);
        free(t->frozen[i]);
    }
    lt_graph_free(t->graph);
}

int trial_count_inputs(const lt_op *op, const lt_op_case *c)
{
    int n = 0;
    while (op->n_in == LT_MANY && n < LT_CASE_INPUTS && c->in[n].rank > 0)
        n++;
    return op->n_in == LT_MANY ? n : op->n_in;
}

int trial_of_case(trial *t, const lt_op *op, const lt_op_case *c)
{
    bool default_range = c->lo == 0 && c->hi == 0;
    *t = (trial){.name = c->name,
                 .graph = lt_graph_create(),
                 .n = trial_count_inputs(op, c),
                 .index_input = c->index_input,
                 .index_rows = c->index_rows,
                 .lo = default_range ? -2 : c->lo,
                 .hi = default_range ? 2 : c->hi};
    if (op->attr_size > 0 && !c->attr)
        return status_fail(LT_VALUE, "%s: needs attributes", c->name);
    for (int i = 0; i < t->n; i++)
        t->x[i] = lt_input(t->graph, (char[]){(char)('a' + i), 0}, c->in[i]);
    t->y = t->n ? node_make(op, c->attr, t->n, t->x) : node_source(t->graph, op, c->attr);
    return trial_draw(t);
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
static lt_node *project_gradients(trial *t, lt_node *const *dx)
{
    lt_node *sum = lt_scalar(t->graph, 0);
    for (int i = 0; i < t->n; i++)
        if (!is_index(t, i))
            sum = lt_add(sum, project(dx[i], 100 + (uint64_t)i));
    return sum;
}

/* A random direction for the inputs, 0 where they are frozen. */
static double direction(const trial *t, int i, int64_t at)
{
    philox_key key = {.seed = 23, .stream = (uint32_t)i};
    return t->frozen[i][at] ? 0 : 2 * (double)philox_uniform(philox_word(&key, at)) - 1;
}

/* f at the inputs moved by `step` along the direction; NaN if it cannot be run. */
static double value_at(const trial *t, lt_session *s, const lt_node *f, double step)
{
    for (int i = 0; i < t->n; i++) {
        double *x = lt_session_doubles(s, t->x[i]);
        for (int64_t k = 0; x && k < size_of(t->x[i]); k++)
            x[k] = t->values[i][k] + step * direction(t, i, k);
    }
    return lt_session_run(s, NULL) == LT_OK ? *lt_session_doubles(s, f) : (double)NAN;
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

/* A session in double precision that computes the targets. */
static int oracle_open(const trial *t, lt_node *const *targets, int n, lt_session **out)
{
    const lt_session_options o = {.executor = LT_REFERENCE};
    int status = lt_session_open(t->graph, targets, n, &o, out);
    return status == LT_OK ? LT_OK : status_prefix(status, "%s", t->name);
}

/* The gradients along the direction, and a scale for errors of that number. */
static int slope_of(const trial *t, lt_node *f, lt_node *const *dx, double *slope, double *scale)
{
    lt_node *targets[LT_CASE_INPUTS + 1] = {f};
    memcpy(targets + 1, dx, sizeof *dx * (size_t)t->n);
    lt_session *o;
    int status = oracle_open(t, targets, t->n + 1, &o);
    double squares = *slope = 0;
    if (status == LT_OK)
        value_at(t, o, f, 0);
    for (int i = 0; status == LT_OK && i < t->n; i++)
        for (int64_t k = 0; k < size_of(t->x[i]); k++) {
            double part = lt_session_doubles(o, dx[i])[k] * direction(t, i, k);
            *slope += part;
            squares += part * part;
        }
    *scale = fmax(fabs(*slope), sqrt(squares));
    lt_session_free(o);
    return status;
}

/* The gradients dx of f against differences of f along the direction: relative error at the best of
   a few steps (large ones cross kinks, small ones lose digits). */
static int derivative_error(const trial *t, lt_node *f, lt_node *const *dx, double enough,
                            double *best)
{
    static const double steps[] = {.02, 1e-3, 1e-4, 1e-5, 1e-6};
    double slope, scale;
    LT_TRY(slope_of(t, f, dx, &slope, &scale));
    lt_session *o;
    int status = oracle_open(t, &f, 1, &o);
    *best = HUGE_VAL;
    for (int i = 0; status == LT_OK && i < COUNT_OF(steps) && *best > enough; i++) {
        double error = fabs(difference(t, o, f, steps[i]) - slope);
        *best = fmin(*best, error / (scale > 0 ? scale : 1)); /* a NaN is not taken */
    }
    lt_session_free(o);
    return status;
}

static int check_derivative(const trial *t, lt_node *f, lt_node *const *dx, const char *order,
                            double limit, double *worst)
{
    double error;
    LT_TRY(derivative_error(t, f, dx, 1e-9, &error));
    *worst = fmax(*worst, error);
    if (error <= limit)
        return LT_OK;
    return status_fail(LT_VALUE, "%s: relative error %.1e of the %s derivative", t->name, error,
                       order);
}

int trial_differentiate(trial *t, bool with_second, trial_targets *out, trial_errors *worst)
{
    lt_node *dx[LT_CASE_INPUTS], *ddx[LT_CASE_INPUTS];
    lt_node *first = project(t->y, 99), *second = NULL;
    lt_grads(first, t->n, t->x, dx);
    if (with_second) {
        second = project_gradients(t, dx);
        lt_grads(second, t->n, t->x, ddx);
    }
    if (lt_graph_error(t->graph))
        return status_fail(LT_GRAPH, "%s: %s", t->name, lt_graph_error(t->graph));
    for (int i = 0; i < t->n; i++)
        if (!lt_shape_equal(lt_node_shape(dx[i]), lt_node_shape(t->x[i])))
            return status_fail(LT_VALUE, "%s: a gradient of another shape than its input", t->name);
    memcpy(out->node + out->n, dx, sizeof *dx * (size_t)t->n);
    out->n += t->n;
    LT_TRY(check_derivative(t, first, dx, "first", 1e-8, &worst->first));
    if (!with_second)
        return LT_OK;
    memcpy(out->node + out->n, ddx, sizeof *ddx * (size_t)t->n);
    out->n += t->n;
    return check_derivative(t, second, ddx, "second", 1e-7, &worst->second);
}

/* ---- Executors ---- */

static const lt_run_key run_key = {.seed = 5, .step = 7};

/* A session that has run on the trial's values, or NULL. */
static lt_session *run_with(const trial *t, const lt_program *p, const lt_session_options *o)
{
    lt_session *s = lt_session_create(p, o);
    for (int i = 0; s && i < t->n; i++) {
        double *doubles = o->executor == LT_REFERENCE ? lt_session_doubles(s, t->x[i]) : NULL;
        float *floats = o->executor == LT_CPU ? lt_session_floats(s, t->x[i]) : NULL;
        for (int64_t k = 0; (doubles || floats) && k < size_of(t->x[i]); k++)
            if (doubles)
                doubles[k] = t->values[i][k];
            else
                floats[k] = (float)t->values[i][k];
    }
    if (s && lt_session_run(s, &run_key) == LT_OK)
        return s;
    lt_session_free(s);
    return NULL;
}

/* Equal, or both NaN, or finite and within the tolerance. */
static bool is_close(double found, double want, double rtol, double atol)
{
    bool same = found == want || (isnan(found) && isnan(want));
    return same || (isfinite(want) && fabs(found - want) <= atol + rtol * fabs(want));
}

static int compare_arrays(const trial *t, int which, const float *found, const double *want,
                          int64_t n, double rtol, double *worst)
{
    double largest = 1;
    for (int64_t k = 0; k < n; k++)
        largest = fabs(want[k]) > largest ? fabs(want[k]) : largest;
    for (int64_t k = 0; k < n; k++) {
        if (!is_close((double)found[k], want[k], rtol, rtol / 5 * largest))
            return status_fail(LT_VALUE, "%s: %s %d[%jd]: expected %.9g, found %.9g", t->name,
                               which ? "gradient" : "result", which, (intmax_t)k, want[k],
                               (double)found[k]);
        double error = fabs((double)found[k] - want[k]) / largest;
        *worst = error > *worst ? error : *worst;
    }
    return LT_OK;
}

/* y is exact to about an ulp of each function; gradients are sums of products of them. */
int trial_compare(const trial *t, const lt_program *p, const trial_targets *out,
                  trial_errors *worst)
{
    lt_session *cpu = run_with(t, p, &(lt_session_options){.executor = LT_CPU});
    lt_session *reference = run_with(t, p, &(lt_session_options){.executor = LT_REFERENCE});
    int status = cpu && reference ? LT_OK : status_prefix(LT_VALUE, "%s", t->name);
    for (int i = 0; status == LT_OK && i < out->n; i++)
        status = compare_arrays(t, i, lt_session_floats(cpu, out->node[i]),
                                lt_session_doubles(reference, out->node[i]), size_of(out->node[i]),
                                i == 0 ? 1e-5 : 1e-4, &worst->cpu);
    lt_session_free(cpu);
    lt_session_free(reference);
    return status;
}

/* All target values of one run, one after another; the caller frees them. NULL: it did not run. */
static float *values_with(const trial *t, const lt_program *p, const trial_targets *out,
                          const lt_session_options *o, size_t *n)
{
    lt_session *s = run_with(t, p, o);
    *n = 0;
    for (int i = 0; i < out->n; i++)
        *n += (size_t)size_of(out->node[i]);
    float *values = s ? must_alloc(sizeof *values * *n) : NULL, *at = values;
    for (int i = 0; s && i < out->n; i++) {
        size_t size = (size_t)size_of(out->node[i]);
        memcpy(at, lt_session_floats(s, out->node[i]), sizeof *at * size);
        at += size;
    }
    lt_session_free(s);
    return values;
}

static int check_same(const trial *t, const lt_program *p, const trial_targets *out,
                      const float *want, const lt_session_options *o)
{
    size_t n;
    float *found = values_with(t, p, out, o, &n);
    bool is_same = found && memcmp(found, want, sizeof *want * n) == 0;
    free(found);
    if (!found)
        return status_prefix(LT_VALUE, "%s", t->name);
    return is_same ? LT_OK
                   : status_fail(LT_VALUE, "%s: other bits with %d threads%s", t->name, o->threads,
                                 o->no_memory_reuse ? ", own places" : "");
}

int trial_check_bits(const trial *t, const lt_program *p, const trial_targets *out)
{
    static const int threads[] = {1, 2, 3, 4, 8};
    size_t n;
    float *want = values_with(t, p, out, &(lt_session_options){.threads = 1}, &n);
    int status = want ? LT_OK : status_prefix(LT_VALUE, "%s", t->name);
    for (int i = 0; i < COUNT_OF(threads); i++)
        for (int own = 0; status == LT_OK && own < 2; own++)
            status = check_same(t, p, out, want,
                                &(lt_session_options){.threads = threads[i], .no_memory_reuse = own});
    free(want);
    return status;
}
