/* SPDX-License-Identifier: MIT */
/* The study of divergences: formulas against integrals of densities, draws against their moments,
   critics against the truth. */
#include "models/toys.h"

#include "check.h"
#include "quadrature.h"

#include <latent/divergence.h>
#include <latent/figures.h>
#include <latent/report.h>

#include <stdio.h>

static const double pi = 3.14159265358979323846;

static spec parse(const char *words)
{
    spec s;
    if (spec_parse(&toy_table, words, &s) != LT_OK)
        fail_msg("%s", lt_last_error());
    return s;
}

static double exact(divergence_kind kind, const char *p, const char *q, double theta)
{
    spec a = parse(p), b = parse(q);
    double value = toy_divergence(kind, &a, &b, theta);
    spec_clear(&a);
    spec_clear(&b);
    return value;
}

/* ---- Formulas against integrals ---- */

/* From the definitions, with the conventions 0 log 0 = 0 and x / 0 = infinity. */
static double integrand(divergence_kind kind, double p, double q)
{
    double m = (p + q) / 2;
    switch (kind) {
    case DIVERGENCE_JENSEN_SHANNON:
        return ((p > 0 ? p * log(p / m) : 0) + (q > 0 ? q * log(q / m) : 0)) / 2;
    case DIVERGENCE_TRIANGULAR: return p + q > 0 ? pow(p - q, 2) / (p + q) : 0;
    case DIVERGENCE_TOTAL_VARIATION: return fabs(p - q) / 2;
    case DIVERGENCE_SQUARED_HELLINGER: return pow(sqrt(p) - sqrt(q), 2);
    case DIVERGENCE_KL: return p > 0 ? p * log(p / q) : 0;
    case DIVERGENCE_REVERSE_KL: return q > 0 ? q * log(q / p) : 0;
    case DIVERGENCE_PEARSON: return p != q ? pow(p - q, 2) / q : 0;
    case DIVERGENCE_WASSERSTEIN: break;
    }
    return (double)NAN;
}

enum { KINDS = DIVERGENCE_WASSERSTEIN };

typedef double density_function(const double *parameters, double x);

static double box(const double *ends, double x)
{
    return x >= ends[0] && x <= ends[1] ? 1 / (ends[1] - ends[0]) : 0;
}

static double bell(const double *o, double x)
{
    double t = (x - o[0]) / o[1];
    return exp(-t * t / 2) / (o[1] * sqrt(2 * pi));
}

/* A pair on the line: its words, and its densities. Ends of boxes are ends of cells. */
typedef struct line_pair {
    const char *p, *q;
    density_function *density;
    double of_p[2], of_q[2], theta;
} line_pair;

static const line_pair line_pairs[] = {
    {"uniform 0 1", "uniform 0 1", box, {0, 1}, {0, 1}, .5},
    {"uniform 0 1", "uniform 0 1", box, {0, 1}, {0, 1}, 2},
    {"uniform 0 1", "uniform -1 2", box, {0, 1}, {-1, 2}, .25},
    {"uniform -1 2", "uniform 0 1", box, {-1, 2}, {0, 1}, 0},
    {"uniform 0 2", "uniform 0 1", box, {0, 2}, {0, 1}, -.5},
    {"normal 0 1", "normal 0 1", bell, {0, 1}, {0, 1}, -.75},
    {"normal 0 1", "normal .5 1.25", bell, {0, 1}, {.5, 1.25}, .25},
    {"normal 0 1.25", "normal -1 1", bell, {0, 1.25}, {-1, 1}, 0}};

enum { CELLS = 4000 };
static const double edge = 20;

static void check_pair(const line_pair *c, const double *x, const double *w)
{
    double shifted[2] = {c->of_q[0] + c->theta, c->of_q[1] + (c->density == box ? c->theta : 0)};
    double want[KINDS] = {0}, below = 0, distance = 0;
    for (int i = 0; i < 5 * CELLS; i++) {
        double p = c->density(c->of_p, x[i]), q = c->density(shifted, x[i]);
        for (int k = 0; k < KINDS; k++)
            want[k] += w[i] * integrand((divergence_kind)k, p, q);
    }
    for (int cell = 0; cell < CELLS; cell++) { /* W1: the area between the distribution functions */
        double difference = 0, width = 2 * edge / CELLS;
        for (int i = 5 * cell; i < 5 * cell + 5; i++)
            difference += w[i] * (c->density(c->of_p, x[i]) - c->density(shifted, x[i]));
        distance += width * fabs(below + difference / 2);
        below += difference;
    }
    for (int k = 0; k < KINDS; k++) {
        double found = exact((divergence_kind)k, c->p, c->q, c->theta);
        bool has_none = isnan(found);
        if (has_none) /* of normals only */
            assert_true(c->density == bell && (k == DIVERGENCE_JENSEN_SHANNON ||
                                               k == DIVERGENCE_TRIANGULAR ||
                                               k == DIVERGENCE_TOTAL_VARIATION));
        else if (!(found == want[k] || fabs(found - want[k]) <= 2e-6 * (1 + want[k])))
            fail_msg("divergence %d of %s from %s + %g: the integral is %.9g, the formula %.9g", k,
                     c->p, c->q, c->theta, want[k], found);
    }
    double found = exact(DIVERGENCE_WASSERSTEIN, c->p, c->q, c->theta);
    if (!(fabs(found - distance) <= 2e-4))
        fail_msg("W1 of %s from %s + %g: the integral is %.9g, the formula %.9g", c->p, c->q,
                 c->theta, distance, found);
}

static void formulas_on_the_line_are_integrals(void **state)
{
    (void)state;
    double *x = must_alloc(sizeof *x * 5 * CELLS), *w = must_alloc(sizeof *w * 5 * CELLS);
    quadrature(-edge, edge, CELLS, x, w);
    for (int i = 0; i < COUNT_OF(line_pairs); i++)
        check_pair(&line_pairs[i], x, w);
    free(x);
    free(w);
}

static void formulas_in_the_plane_are_integrals(void **state)
{
    (void)state;
    enum { SIDE = 80 };
    const double p[2][2] = {{.5, 1}, {0, 1}}, q[2][2] = {{-.25, 1.25}, {1, 1.25}};
    double x[5 * SIDE], w[5 * SIDE], want[KINDS] = {0};
    quadrature(-12, 12, SIDE, x, w);
    for (int i = 0; i < 5 * SIDE; i++)
        for (int j = 0; j < 5 * SIDE; j++)
            for (int k = 0; k < KINDS; k++)
                want[k] += w[i] * w[j] * integrand((divergence_kind)k,
                                                   bell(p[0], x[i]) * bell(p[1], x[j]),
                                                   bell(q[0], x[i]) * bell(q[1], x[j]));
    static const divergence_kind known[] = {DIVERGENCE_SQUARED_HELLINGER, DIVERGENCE_KL,
                                            DIVERGENCE_REVERSE_KL, DIVERGENCE_PEARSON};
    for (int i = 0; i < COUNT_OF(known); i++)
        assert_near(exact(known[i], "gaussian .5 0 1", "gaussian -.5 1 1.25", .25), want[known[i]],
                    1e-6);
    assert_near(exact(DIVERGENCE_TOTAL_VARIATION, "gaussian", "gaussian 0 4 1", 3),
                exact(DIVERGENCE_TOTAL_VARIATION, "normal", "normal 5 1", 0), 1e-15);
}

/* Nothing in common but where they are one. */
static void segments_are_near_or_far_only_to_wasserstein(void **state)
{
    (void)state;
    const double apart[KINDS] = {[DIVERGENCE_JENSEN_SHANNON] = log(2), [DIVERGENCE_TRIANGULAR] = 2,
                                 [DIVERGENCE_TOTAL_VARIATION] = 1,
                                 [DIVERGENCE_SQUARED_HELLINGER] = 2, [DIVERGENCE_KL] = HUGE_VAL,
                                 [DIVERGENCE_REVERSE_KL] = HUGE_VAL,
                                 [DIVERGENCE_PEARSON] = HUGE_VAL};
    for (int k = 0; k < KINDS; k++) {
        assert_true(exact((divergence_kind)k, "segment", "segment", -.1) == apart[k]);
        assert_true(exact((divergence_kind)k, "segment 1", "segment", 1) == 0);
    }
    assert_true(exact(DIVERGENCE_WASSERSTEIN, "segment", "segment", -.1) == .1);
    assert_true(exact(DIVERGENCE_WASSERSTEIN, "segment 2", "segment 3", -.5) == .5);
    assert_true(exact(DIVERGENCE_WASSERSTEIN, "ring", "ring", -.5) == .5); /* one moved */
    assert_true(isnan(exact(DIVERGENCE_WASSERSTEIN, "ring", "grid", 0)));
    /* the assignments' U[0, 1] from U[.5, 1.5] and U[1, 2] */
    assert_true(exact(DIVERGENCE_WASSERSTEIN, "uniform 0 1", "uniform .5 1.5", 0) == .5);
    assert_true(exact(DIVERGENCE_WASSERSTEIN, "uniform 0 1", "uniform 1 2", 0) == 1);
}

/* ---- Draws ---- */

typedef struct moments {
    const char *words;
    double mean[2], variance[2];
} moments;

/* Variance of each axis: on the ring radius^2 / 2 + sigma^2, on the grid
   gap^2 (side^2 - 1) / 12 + sigma^2. */
static const moments known_moments[] = {
    {"segment -3", {-3, .5}, {0, 1. / 12}},
    {"uniform -1 2", {.5}, {.75}},
    {"normal 2 .5", {2}, {.25}},
    {"gaussian 1 -2 .5", {1, -2}, {.25, .25}},
    {"ring 5 2 .1", {0, 0}, {2.01, 2.01}},
    {"grid 4 .5 .1", {0, 0}, {.3225, .3225}}};

enum { DRAWS = 40000 };

static void draws_have_their_moments(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT_OF(known_moments); i++) {
        const moments *c = &known_moments[i];
        spec s = parse(c->words);
        int d = toy_dims(&s);
        lt_graph *g = lt_graph_create();
        lt_node *x = toy_draw(&s, g, DRAWS);
        lt_program *p = must_compile(g, &x, 1);
        lt_session *session = must_create(p, NULL);
        must_run(session, &(lt_run_key){8, 1});
        for (int k = 0; k < d; k++) {
            double sum = 0, squares = 0, fourth = 0;
            for (int j = 0; j < DRAWS; j++)
                sum += (double)lt_session_floats(session, x)[j * d + k] / DRAWS;
            for (int j = 0; j < DRAWS; j++) {
                double off = (double)lt_session_floats(session, x)[j * d + k] - c->mean[k];
                squares += off * off / DRAWS;
                fourth += off * off * off * off / DRAWS;
            }
            assert_near(sum, c->mean[k], 4 * sqrt(c->variance[k] / DRAWS) + 1e-6);
            assert_near(squares, c->variance[k],
                        4 * sqrt(fmax(0, fourth - squares * squares) / DRAWS) + 1e-6);
        }
        lt_session_free(session);
        lt_program_free(p);
        lt_graph_free(g);
        spec_clear(&s);
    }
}

/* Each of the ring's points is near as many draws as any other, and no draw far from all. */
static void every_point_of_a_ring_is_drawn(void **state)
{
    (void)state;
    enum { MODES = 8 };
    int near[MODES] = {0};
    spec s = parse("ring 8 1 .01");
    lt_graph *g = lt_graph_create();
    lt_node *x = toy_draw(&s, g, DRAWS);
    lt_program *p = must_compile(g, &x, 1);
    lt_session *session = must_create(p, NULL);
    must_run(session, &(lt_run_key){8, 2});
    for (int j = 0; j < DRAWS; j++) {
        double a = (double)lt_session_floats(session, x)[2 * j],
               b = (double)lt_session_floats(session, x)[2 * j + 1];
        int mode = (int)lround(atan2(b, a) * MODES / (2 * pi));
        double angle = 2 * pi * mode / MODES;
        assert_true(hypot(a - cos(angle), b - sin(angle)) < .06);
        near[(mode + MODES) % MODES]++;
    }
    for (int i = 0; i < MODES; i++)
        assert_near(near[i], DRAWS / MODES, 4 * sqrt(DRAWS / MODES));
    lt_session_free(session);
    lt_program_free(p);
    lt_graph_free(g);
    spec_clear(&s);
}

/* ---- Critics ---- */

static lt_divergence_study run(const lt_divergence_options *o)
{
    lt_divergence_study s;
    if (lt_divergence_run(o, &s) != LT_OK)
        fail_msg("%s", lt_last_error());
    return s;
}

/* Not more than `below` below the truth, and above it, but for chance. */
static void check_rows(const lt_divergence_study *s, double below)
{
    for (int i = 0; i < s->n; i++) {
        const lt_divergence_row *r = &s->rows[i];
        double off = r->found.value - r->exact;
        if (!(off >= -below - 4 * r->found.se && off <= 4 * r->found.se + 1e-3))
            fail_msg("%s at %g: expected %.4f, found %.4f +- %.4f", r->measure, r->theta, r->exact,
                     r->found.value, r->found.se);
        assert_int_equal(isnan(r->slope), strcmp(r->measure, "wasserstein") != 0);
    }
}

static void critics_of_segments_find_the_truth(void **state)
{
    (void)state;
    lt_divergence_study s =
        run(&(lt_divergence_options){.from = -1, .to = 1, .points = 3, .steps = 1500});
    assert_int_equal(s.n, 6);
    assert_true(s.rows[0].theta == -1 && s.rows[3].theta == 0 && s.rows[5].theta == 1);
    assert_string_equal(s.rows[5].measure, "squared_hellinger");
    check_rows(&s, .03);
    assert_true(s.rows[0].slope > 1); /* what a penalty of 10 lets it be */
    lt_divergence_clear(&s);
}

static void critics_of_normals_find_the_truth(void **state)
{
    (void)state;
    static const char *const measures[] = {"wasserstein", "kl", "squared_hellinger",
                                           "total_variation", "pearson"};
    lt_divergence_study s =
        run(&(lt_divergence_options){.p = "normal 0 1", .q = "normal 0 1", .measures = measures,
                                     .n_measures = COUNT_OF(measures), .from = 1, .points = 1,
                                     .steps = 1500});
    assert_int_equal(s.n, COUNT_OF(measures));
    check_rows(&s, .04);
    lt_divergence_clear(&s);
}

/* Whatever is printed holds: a bound with an error is not above the truth by more than chance, and one
   whose terms have too heavy a tail has none. */
static void printed_errors_can_hold(void **state)
{
    (void)state;
    static const struct {
        const char *p, *q;
        double theta;
    } pairs[] = {{"segment", "segment", 0.5},      {"uniform 0 1", "uniform 0 1", 0.3},
                 {"normal 0 1", "normal 0 2", 1},  {"gaussian", "gaussian", 1},
                 {"ring", "ring", 0.5},            {"grid", "grid", 0}};
    const char *losses[LT_MAX_MEASURES];
    int n = 0, bounds = 0;
    for (; adversarial_loss_table.rows[n]; n++)
        losses[n] = adversarial_loss_table.rows[n]->name;
    for (int i = 0; i < COUNT_OF(pairs); i++) {
        lt_divergence_study s = run(&(lt_divergence_options){
            .p = pairs[i].p, .q = pairs[i].q, .measures = losses, .n_measures = n,
            .from = pairs[i].theta, .points = 1, .steps = 300, .batch = 128, .samples = 8192});
        for (int k = 0; k < n; k++) {
            const lt_divergence_row *r = &s.rows[k];
            bool is_heavy = isnan(r->found.se);
            if (!is_heavy && !isnan(r->exact) && !(r->found.value - 4 * r->found.se <= r->exact + 2e-3))
                fail_msg("%s of %s: %.4f +- %.4f is above %.4f", r->measure, pairs[i].p,
                         r->found.value, r->found.se, r->exact);
            assert_true(is_heavy ? r->tail >= 0.5 && r->low <= r->found.value &&
                                       r->found.value <= r->high && r->low < r->high
                                 : isnan(r->low) && isnan(r->high));
            bounds += !is_heavy;
        }
        lt_divergence_clear(&s);
    }
    assert_true(bounds > 30);
}

/* e^-v of a v that falls in lines where samples are normal. */
static void heavy_tails_have_no_error(void **state)
{
    (void)state;
    static const char *const measures[] = {"reverse_kl", "total_variation", "minimax"};
    lt_divergence_options o = {.p = "normal 0 1", .q = "normal 0 2", .measures = measures,
                               .n_measures = COUNT_OF(measures), .from = 1, .points = 1,
                               .steps = 600, .samples = 16384};
    lt_divergence_study s = run(&o);
    assert_true(isnan(s.rows[0].found.se) && s.rows[0].tail > 0.5);
    assert_true(s.rows[0].low < s.rows[0].high);
    for (int i = 1; i < s.n; i++)
        assert_true(s.rows[i].found.se > 0 && s.rows[i].tail < 0.5 && isnan(s.rows[i].low));
    lt_divergence_clear(&s);
}

/* The tail is not seen, so that no error is known to hold, whatever the measure. */
static void few_samples_have_no_error(void **state)
{
    (void)state;
    static const char *const measures[] = {"reverse_kl", "total_variation", "wasserstein"};
    lt_divergence_options o = {.p = "normal 0 1", .q = "normal 0 2", .measures = measures,
                               .n_measures = COUNT_OF(measures), .from = 1, .points = 1,
                               .steps = 60, .samples = 992};
    lt_divergence_study s = run(&o);
    for (int i = 0; i < s.n; i++) {
        const lt_divergence_row *r = &s.rows[i];
        assert_true(isnan(r->found.se) && isnan(r->tail) && r->low < r->high);
        assert_true(r->low <= r->found.value && r->found.value <= r->high);
    }
    lt_divergence_clear(&s);
    o.samples = 1000;
    s = run(&o);
    assert_true(s.rows[1].found.se > 0 && isnan(s.rows[1].low));
    lt_divergence_clear(&s);
}

static void threads_do_not_matter(void **state)
{
    (void)state;
    lt_divergence_study first = {.n = 0};
    for (int threads = 1; threads <= 3; threads++) {
        lt_divergence_study s = run(&(lt_divergence_options){.p = "ring", .q = "grid", .points = 3,
                                                             .from = 0, .to = 1, .steps = 20,
                                                             .samples = 512, .run.threads = threads});
        for (int i = 0; i < first.n; i++) {
            assert_memory_equal(&s.rows[i].found, &first.rows[i].found, sizeof s.rows[i].found);
            assert_true(same_number(s.rows[i].slope, first.rows[i].slope));
            assert_true(isnan(s.rows[i].exact));
        }
        if (first.n == 0)
            first = s;
        else
            lt_divergence_clear(&s);
    }
    assert_int_equal(first.n, 6);
    assert_true(first.rows[0].found.value != first.rows[2].found.value);
    lt_divergence_clear(&first);
}

static bool stop_at_half(void *user, double done)
{
    (void)user;
    assert_true(done > 0 && done <= 1);
    return done < .5;
}

typedef struct refusal {
    lt_divergence_options o;
    int status;
    const char *message;
} refusal;

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    static const char *const one[] = {"wassersten"};
    static const refusal refusals[] = {
        {{.p = "segment", .q = "normal"}, LT_VALUE, "segment has 2, normal has 1"},
        {{.p = "gausian"}, LT_NOT_FOUND, "gaussian"},
        {{.p = "uniform 1 1"}, LT_VALUE, "hi must be at least"},
        {{.measures = one, .n_measures = 1}, LT_NOT_FOUND, "wasserstein"},
        {{.measures = one, .n_measures = 17}, LT_VALUE, "measures: expected 1 ... 16, found 17"},
        {{.points = -1}, LT_VALUE, "points"},
        {{.points = 2, .from = (double)NAN}, LT_VALUE, "theta"},
        {{.steps = -5}, LT_VALUE, "steps"},
        {{.samples = 10}, LT_VALUE, "samples"},
        {{.batch = 1}, LT_VALUE, "batch"},
        {{.lr = (double)NAN}, LT_VALUE, "learning rate"},
        {{.lambda = -1}, LT_VALUE, "lambda"},
        {{.steps = 5, .samples = 64, .run.progress = stop_at_half}, LT_INTERRUPTED, "stopped"}};
    for (int i = 0; i < COUNT_OF(refusals); i++) {
        lt_divergence_study s;
        int status = lt_divergence_run(&refusals[i].o, &s);
        if (status != refusals[i].status)
            fail_msg("refusal %d: status %d, %s", i, status, lt_last_error());
        assert_text_has(lt_last_error(), refusals[i].message);
        lt_divergence_clear(&s);
    }
    double exact_value;
    assert_int_equal(lt_divergence_exact(NULL, 0, -.3, &exact_value), LT_OK);
    assert_true(exact_value == .3);
    assert_int_equal(lt_divergence_exact(NULL, 2, -.3, &exact_value), LT_VALUE);
}

/* ---- As a chart and as JSON ---- */

static void studies_are_plotted_and_written(void **state)
{
    (void)state;
    static const char *const measures[] = {"wasserstein", "squared_hellinger"};
    const lt_divergence_options o = {.measures = measures, .n_measures = 2, .from = -0.5, .to = 1, .points = 3,
                                     .steps = 5, .samples = 2000};
    lt_divergence_study s;
    lt_figure *f;
    assert_int_equal(lt_divergence_run(&o, &s), LT_OK);
    assert_int_equal(lt_figure_divergence(&o, &s, &f), LT_OK);
    const lt_chart_page *page = lt_figure_charts(f);
    assert_int_equal(page->n_charts, 2);
    assert_string_equal(page->title, "segment against segment, theta apart");
    const lt_series *truth = &page->charts[0].series[0], *found = &page->charts[0].series[1];
    for (int i = 0; i < truth->n; i++)
        assert_near(truth->y[i], fabs(truth->x[i]), 1e-12); /* of two segments */
    assert_int_equal(found->n, 3);
    for (int i = 0; i < 3; i++) {
        assert_near(found->x[i], -0.5 + 0.75 * i, 1e-12);
        assert_near(found->y[i], s.rows[2 * i].found.value, 0);
    }
    lt_figure_free(f);

    char want[64], *json = lt_divergence_json(&s);
    assert_non_null(json);
    snprintf(want, sizeof want, "\"theta\": 0.25, \"measure\": \"wasserstein\", \"exact\": 0.25");
    assert_non_null(strstr(json, want));
    free(json);
    lt_divergence_clear(&s);
    assert_int_equal(lt_figure_divergence(&o, &s, &f), LT_VALUE);
    assert_null(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas_on_the_line_are_integrals),
        cmocka_unit_test(formulas_in_the_plane_are_integrals),
        cmocka_unit_test(segments_are_near_or_far_only_to_wasserstein),
        cmocka_unit_test(draws_have_their_moments),
        cmocka_unit_test(every_point_of_a_ring_is_drawn),
        cmocka_unit_test(critics_of_segments_find_the_truth),
        cmocka_unit_test(critics_of_normals_find_the_truth),
        cmocka_unit_test(printed_errors_can_hold),
        cmocka_unit_test(heavy_tails_have_no_error),
        cmocka_unit_test(few_samples_have_no_error),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(studies_are_plotted_and_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
