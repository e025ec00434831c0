/* SPDX-License-Identifier: MIT */
/* Families of distributions: against definitions and integrals in decimal arithmetic
   (tools/golden_distributions.py), derivatives against differences, and the corners. */
#include "families.h"
#include "golden/golden.h"

static const double pi = 3.14159265358979323846;

/* ---- Golden values ---- */

static const safetensors_entry *entry(const safetensors *file, const char *line, const char *key)
{
    char name[80];
    snprintf(name, sizeof name, "%s.%s", line, key);
    return safetensors_find(file, name);
}

static lt_node *add_golden(subject *c, const safetensors *file, const char *line, const char *key)
{
    const safetensors_entry *e = entry(file, line, key);
    if (!e)
        return NULL;
    char name[80];
    lt_shape s = {.rank = e->rank};
    snprintf(name, sizeof name, "%s.%s", line, key);
    for (int i = 0; i < e->rank; i++)
        s.d[i] = e->dims[i];
    return add_input(c, s, golden_doubles(file, name, lt_shape_size(s)));
}

/* The distribution whose parameters are LINE.q0, LINE.q1, ... */
static lt_distribution add_distribution(subject *c, const safetensors *file, const family *f,
                                        const char *line, char letter)
{
    lt_node *p[LT_MAX_PARAMETERS];
    for (int i = 0; i < LT_MAX_PARAMETERS; i++)
        p[i] = add_golden(c, file, line, (char[]){letter, (char)('0' + i), 0});
    return f->make(p);
}

/* Doubles: the last digits, but for sums that cancel: by their largest term, at most 1e4. Floats:
   a rounded input times the steepest density. */
static void expect(const subject *c, const safetensors *file, const char *line, const char *key,
                   lt_node *node)
{
    const double rtol[] = {[LT_CPU] = 5e-6, [LT_REFERENCE] = 2e-14},
                 atol[] = {[LT_CPU] = 5e-6, [LT_REFERENCE] = 5e-14};
    char name[80];
    snprintf(name, sizeof name, "%s.%s", line, key);
    int n = (int)lt_shape_size(lt_node_shape(node));
    double *want = golden_doubles(file, name, n);
    for (lt_executor e = LT_CPU; e <= LT_REFERENCE; e++) {
        double *found = run(c, e, node);
        int64_t at = find_difference(found, want, n, rtol[e], atol[e]);
        if (at >= 0)
            fail_msg("%s[%jd] by the %s executor: expected %.17g, found %.17g", name, (intmax_t)at,
                     e == LT_CPU ? "cpu" : "reference", want[at], found[at]);
        free(found);
    }
    free(want);
}

static void families_equal_their_definitions(void **state)
{
    (void)state;
    safetensors *file = golden_open("distributions");
    for (int i = 0; i < COUNT_OF(families); i++) {
        const family *f = families[i];
        subject c = open_subject();
        lt_distribution q = add_distribution(&c, file, f, f->name, 'q');
        lt_family_info info = lt_distribution_describe(q);
        assert_string_equal(info.name, f->name);
        expect(&c, file, f->name, "log_prob", lt_log_prob(q, add_golden(&c, file, f->name, "x")));
        if (info.has_entropy)
            expect(&c, file, f->name, "entropy", lt_entropy(q));
        close_subject(&c);
    }
    safetensors_free(file);
}

static void divergences_equal_their_integrals(void **state)
{
    (void)state;
    safetensors *file = golden_open("distributions");
    for (int i = 0; i < COUNT_OF(pairs); i++) {
        char line[80];
        bool is_one = pairs[i].q == pairs[i].p;
        snprintf(line, sizeof line, is_one ? "%s" : "%s to %s", pairs[i].q->name, pairs[i].p->name);
        subject c = open_subject();
        lt_distribution q = add_distribution(&c, file, pairs[i].q, line, 'q'),
                        p = add_distribution(&c, file, pairs[i].p, line, 'p');
        assert_true(lt_has_kl(q, p));
        expect(&c, file, line, "kl", lt_kl(q, p));
        close_subject(&c);
    }
    safetensors_free(file);
}

/* ---- Derivatives against differences, in doubles ---- */

static lt_node *dot(lt_node *a, lt_node *b) { return lt_sum(lt_mul(a, b)); }

/* Moves every input by h times its direction. */
static void move(const subject *c, double *const *direction, int moved, double h)
{
    for (int i = 0; i < moved; i++)
        for (int64_t k = 0; k < lt_shape_size(lt_node_shape(c->inputs[i])); k++)
            c->values[i][k] += h * direction[i][k];
}

/* The derivative of y along a direction of its first `moved` inputs, by `slope` and by differences
   (f(-2h) - 8 f(-h) + 8 f(h) - f(2h)) / 12 h. */
static void check_slope(const char *what, const subject *c, double *const *direction, int moved,
                        lt_node *y, lt_node *slope)
{
    const double h = 1e-3;
    const double at[] = {-2 * h, -h, h, 2 * h}, weight[] = {1, -8, 8, -1};
    double found = run_scalar(c, LT_REFERENCE, slope), want = 0;
    for (int i = 0; i < 4; i++) {
        move(c, direction, moved, at[i]);
        want += weight[i] * run_scalar(c, LT_REFERENCE, y) / (12 * h);
        move(c, direction, moved, -at[i]);
    }
    if (!(fabs(found - want) <= 1e-8 * (1 + fabs(want))))
        fail_msg("%s: derivative %.12g, by differences %.12g", what, found, want);
}

/* First and second derivatives of y (a vector) by the inputs that are there now, along random
   directions. */
static void check_derivatives(const char *what, subject *c, lt_node *y, draws *d)
{
    int n = c->n;
    char second[120];
    double *directions[MAX_INPUTS] = {NULL};
    lt_node *u[MAX_INPUTS], *dx[MAX_INPUTS], *slope = NULL, *curvature = NULL;
    lt_graph *g = c->graph;
    double weights[ROWS * WIDTH];
    for (int i = 0; i < lt_shape_size(lt_node_shape(y)); i++)
        weights[i] = draw(d, .5, 1.5);
    lt_node *total = dot(y, lt_constant(g, lt_node_shape(y), weights));
    for (int i = 0; i < n; i++) {
        lt_shape s = lt_node_shape(c->inputs[i]);
        directions[i] = must_alloc(sizeof *directions[i] * (size_t)lt_shape_size(s));
        for (int64_t k = 0; k < lt_shape_size(s); k++)
            directions[i][k] = draw(d, -1, 1);
        u[i] = lt_constant(g, s, directions[i]);
    }
    lt_grads(total, n, c->inputs, dx);
    for (int i = 0; i < n; i++)
        slope = slope ? lt_add(slope, dot(dx[i], u[i])) : dot(dx[i], u[i]);
    check_slope(what, c, directions, n, total, slope);
    lt_grads(slope, n, c->inputs, dx);
    for (int i = 0; i < n; i++)
        curvature = curvature ? lt_add(curvature, dot(dx[i], u[i])) : dot(dx[i], u[i]);
    snprintf(second, sizeof second, "%s, second", what);
    check_slope(second, c, directions, n, slope, curvature);
    for (int i = 0; i < n; i++)
        free(directions[i]);
}

static void derivatives_equal_differences(void **state)
{
    (void)state;
    draws d = draws_from(5);
    for (int i = 0; i < COUNT_OF(families); i++) {
        const family *f = families[i];
        subject c = open_subject();
        lt_distribution q = drawn(&c, f, &d);
        if (lt_distribution_describe(q).has_entropy)
            check_derivatives(f->name, &c, lt_entropy(q), &d);
        if (lt_distribution_describe(q).is_reparameterized)
            check_derivatives(f->name, &c, lt_sample_from(q, ROWS), &d);
        lt_node *x = drawn_values(&c, f, &d);
        if (f->make == make_logistic) { /* its values are levels, rounded */
            lt_node *log_prob = lt_log_prob(q, lt_constant(c.graph, lt_node_shape(x), c.values[2]));
            free(c.values[--c.n]);
            check_derivatives(f->name, &c, log_prob, &d);
        } else {
            check_derivatives(f->name, &c, lt_log_prob(q, x), &d);
        }
        close_subject(&c);
    }
    for (int i = 0; i < COUNT_OF(pairs); i++) {
        subject c = open_subject();
        lt_distribution q = drawn(&c, pairs[i].q, &d);
        if (pairs[i].q == &uniform && pairs[i].p == &uniform) { /* a wider one, to be finite */
            lt_node *p[] = {lt_shift(q.p[0], -1), lt_scale(q.p[1], 3)};
            check_derivatives("uniform kl", &c, lt_kl(q, make_uniform(p)), &d);
        } else {
            lt_distribution p = drawn(&c, pairs[i].p, &d);
            if (pairs[i].p == &uniform)
                p = lt_uniform_distribution(lt_shift(p.p[0], -1), lt_shift(p.p[1], 1));
            check_derivatives(pairs[i].q->name, &c, lt_kl(q, p), &d);
        }
        close_subject(&c);
    }
}

/* ---- Infinite divergences ---- */

static lt_distribution interval(subject *c, double low, double high)
{
    lt_node *p[] = {number(c, low), number(c, high)};
    return make_uniform(p);
}

/* The document's uniforms: KL(U[0, 1] || U[1/2, 3/2]) and KL(U[0, 1] || U[1, 2]) are no zeros. */
static void divergence_is_infinite_where_supports_differ(void **state)
{
    (void)state;
    subject c = open_subject();
    lt_distribution unit = interval(&c, 0, 1);
    const double from[][3] = {
        {.5, 1.5, INFINITY}, {1, 2, INFINITY}, {0, 1, 0}, {-1, 3, log(4)}, {.1, 3, INFINITY}};
    for (int i = 0; i < COUNT_OF(from); i++)
        for (lt_executor e = LT_CPU; e <= LT_REFERENCE; e++) {
            c.n = 2; /* unit's own */
            lt_distribution p = interval(&c, from[i][0], from[i][1]);
            double kl = run_scalar(&c, e, lt_kl(unit, p));
            assert_true(kl == from[i][2] || fabs(kl - from[i][2]) < 1e-6);
            lt_monte_carlo drawn_kl = lt_estimate_kl(unit, p, 100);
            double value = run_scalar(&c, e, drawn_kl.value),
                   error = run_scalar(&c, e, drawn_kl.se);
            assert_true(value == from[i][2] || fabs(value - from[i][2]) < 1e-6);
            assert_true(error < 1e-6);
            free(c.values[2]);
            free(c.values[3]);
        }
    c.n = 2;
    close_subject(&c);
}

/* Between families: by their supports, whatever the parameters. */
static void families_that_cannot_overlap_diverge(void **state)
{
    (void)state;
    const struct {
        const family *q, *p;
    } infinite[] = {{&normal, &uniform},
                    {&normal, &continuous_bernoulli},
                    {&mixture, &uniform},
                    {&laplace, &continuous_bernoulli},
                    {&full_normal, &uniform},
                    {&bernoulli, &normal},
                    {&normal, &bernoulli},
                    {&bernoulli, &continuous_bernoulli},
                    {&logistic, &continuous_bernoulli},
                    {&logistic, &bernoulli},
                    {&categorical, &bernoulli},
                    {&uniform, &logistic}};
    draws d = draws_from(10);
    for (int i = 0; i < COUNT_OF(infinite); i++) {
        subject c = open_subject();
        lt_distribution q = drawn(&c, infinite[i].q, &d), p = drawn(&c, infinite[i].p, &d);
        assert_true(lt_has_kl(q, p));
        lt_monte_carlo estimate = lt_estimate_kl(q, p, 10);
        double *found[3];
        run_all(&c, LT_CPU, 3, (lt_node *[]){lt_kl(q, p), estimate.value, estimate.se},
                found);
        for (int k = 0; k < ROWS; k++)
            assert_true(found[0][k] == (double)INFINITY && found[1][k] == (double)INFINITY &&
                        found[2][k] == 0);
        for (int k = 0; k < 3; k++)
            free(found[k]);
        close_subject(&c);
    }
    subject c = open_subject(); /* a bit is a level: finite, by draws alone */
    lt_distribution q = drawn(&c, &bernoulli, &d), p = drawn(&c, &logistic, &d);
    assert_false(lt_has_kl(q, p));
    assert_true(isfinite(run_scalar(&c, LT_CPU, lt_sum(lt_estimate_kl(q, p, 10).value))));
    close_subject(&c);
}

static void values_outside_have_no_density(void **state)
{
    (void)state;
    const double x[] = {-1e-6, 0, .5, 1, 1.000001};
    subject c = open_subject();
    lt_node *at = add_values(&c, lt_shape_2d(5, 1), x);
    lt_distribution both[] = {interval(&c, 0, 1),
                              lt_continuous_bernoulli_distribution(number(&c, 2))};
    for (int i = 0; i < 2; i++)
        for (lt_executor e = LT_CPU; e <= LT_REFERENCE; e++) {
            double *p = run(&c, e, lt_log_prob(both[i], at));
            for (int k = 0; k < 5; k++)
                assert_true(k % 4 ? isfinite(p[k]) : p[k] == (double)-INFINITY);
            free(p);
        }
    close_subject(&c);
}

/* ---- Large and small arguments, in floats ---- */

/* Values and slopes by parameters are finite; so are draws. */
static void check_finite(const family *f, int n, const double *a, const double *b, double x)
{
    subject c = open_subject();
    lt_node *p[LT_MAX_PARAMETERS] = {add_values(&c, lt_shape_2d(n, 1), a)};
    if (b)
        p[1] = add_values(&c, lt_shape_2d(n, 1), b);
    int inputs = c.n, count = 0;
    lt_distribution q = f->make(p);
    lt_node *all[12], *dx[2];
    lt_node *at = lt_broadcast(number(&c, x), lt_shape_2d(n, 1));
    all[count++] = lt_log_prob(q, at);
    if (lt_distribution_describe(q).has_entropy)
        all[count++] = lt_entropy(q);
    if (lt_has_kl(q, q))
        all[count++] = lt_kl(q, q);
    for (int k = 0, values = count; k < values; k++) {
        lt_grads(lt_sum(all[k]), inputs, c.inputs, dx);
        for (int i = 0; i < inputs; i++)
            all[count++] = dx[i];
    }
    all[count++] = lt_sample_from(q, n);
    for (int k = 0; k < count; k++) {
        double *found = run(&c, LT_CPU, all[k]);
        for (int i = 0; i < n; i++)
            if (!isfinite(found[i]))
                fail_msg("%s: value %d at parameters %g, %g is %g", f->name, k, a[i], b ? b[i] : 0,
                         found[i]);
        free(found);
    }
    close_subject(&c);
}

static void extremes_stay_finite(void **state)
{
    (void)state;
    const double logits[] = {0,  1e-38, -1e-38, 1e-7, .0624, .0626, -.5,
                             .5, 90,    -90,    1e4,  -1e4,  1e30,  -1e30};
    for (int x = 0; x < 2; x++) {
        check_finite(&bernoulli, COUNT_OF(logits), logits, NULL, x);
        check_finite(&continuous_bernoulli, COUNT_OF(logits), logits, NULL, x);
        check_finite(&categorical, COUNT_OF(logits), logits, NULL, 1);
    }
    const double places[] = {0, 0, 0, 0, 1e15, -1e15, 1e-20};
    const double scales[] = {0, 40, -40, 80, 20, 30, -80};
    const double logvars[] = {0, 80, -80, 85, 20, 30, -85};
    check_finite(&laplace, COUNT_OF(places), places, scales, 0);
    check_finite(&normal, COUNT_OF(places), places, logvars, 0);
    check_finite(&logistic, COUNT_OF(places), places, logvars, 0);
    check_finite(&normal, 1, (double[]){0}, (double[]){-160}, 0);
    const double low[] = {0, -1e30, -1e-30}, high[] = {1e-30, 1e30, 1e-30};
    check_finite(&uniform, COUNT_OF(low), low, high, 0);
}

/* Components that are far away, or narrow, or without weight must not spoil the others. */
static void mixtures_stay_finite(void **state)
{
    (void)state;
    const double logits[] = {0, -200, 3, 0, 1e30, 0}, means[] = {0, 1e15, 5, -3, 1e5, 0},
                 logvars[] = {0, 0, -80, 0, -20, 80}, x[] = {1, 5};
    subject c = open_subject();
    lt_node *w = add_values(&c, lt_shape_2d(2, 3), logits),
            *m = add_values(&c, cube(2, 3, 1), means), *v = add_values(&c, cube(2, 3, 1), logvars);
    lt_distribution q = lt_mixture_distribution(w, (lt_gauss){m, v});
    lt_node *y = lt_log_prob(q, add_values(&c, lt_shape_2d(2, 1), x)), *dx[3];
    lt_grads(lt_sum(y), 3, c.inputs, dx);
    lt_node *all[] = {y, dx[0], dx[1], dx[2], lt_sample_from(q, 2)};
    for (int i = 0; i < COUNT_OF(all); i++) {
        double *found = run(&c, LT_CPU, all[i]);
        for (int k = 0; k < lt_shape_size(lt_node_shape(all[i])); k++)
            if (!isfinite(found[k]))
                fail_msg("value %d[%d] is %g", i, k, found[k]);
        free(found);
    }
    close_subject(&c);
}

/* ---- Priors of posteriors ---- */

static void vamp_prior_is_the_mean_of_densities(void **state)
{
    (void)state;
    enum { K = 5 };
    draws d = draws_from(11);
    subject c = open_subject();
    lt_gauss posteriors = {add_draws(&c, lt_shape_2d(K, WIDTH), &d, -2, 2),
                           add_draws(&c, lt_shape_2d(K, WIDTH), &d, -1, 1)};
    lt_node *z = add_draws(&c, lt_shape_2d(ROWS, WIDTH), &d, -2, 2);
    lt_distribution p = lt_vamp_prior(posteriors);
    double *found = run(&c, LT_REFERENCE, lt_log_prob(p, z));
    for (int i = 0; i < ROWS; i++) {
        double sum = 0;
        for (int k = 0; k < K; k++) {
            double log_density = 0;
            for (int j = 0; j < WIDTH; j++) {
                double lv = c.values[1][k * WIDTH + j];
                double t = c.values[2][i * WIDTH + j] - c.values[0][k * WIDTH + j];
                log_density -= (log(2 * pi) + lv + t * t / exp(lv)) / 2;
            }
            sum += exp(log_density) / K;
        }
        assert_near(found[i], log(sum), 1e-13);
    }
    assert_int_equal(lt_node_shape(lt_sample_from(p, 64)).d[0], 64);
    free(found);
    close_subject(&c);
}

static void cholesky_factor_has_a_positive_diagonal(void **state)
{
    (void)state;
    subject c = open_subject();
    double *l =
        run(&c, LT_CPU,
            lt_cholesky_factor(add_values(&c, lt_shape_2d(2, 2), (double[]){-1, 100, -3, 0})));
    assert_array_close("factor", l, ((double[]){exp(-1), 0, -3, 1}), 4, 1e-6, 0);
    free(l);
    close_subject(&c);
}

/* ---- Mistakes ---- */

static void expect_mistake(subject *c, const char *message)
{
    assert_text_has(lt_graph_error(c->graph), message);
    close_subject(c);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    draws d = draws_from(12);
    subject c = open_subject();
    lt_entropy(drawn(&c, &mixture, &d));
    expect_mistake(&c, "mixture: the entropy has no closed form");

    c = open_subject();
    lt_distribution q = drawn(&c, &mixture, &d);
    assert_false(lt_has_kl(q, lt_standard_normal(c.graph, WIDTH)));
    lt_kl(q, lt_standard_normal(c.graph, WIDTH));
    expect_mistake(&c, "mixture from normal has no closed form");

    c = open_subject();
    lt_log_prob(drawn(&c, &normal, &d), add_draws(&c, lt_shape_2d(ROWS, 1), &d, 0, 1));
    expect_mistake(&c, "normal: expected values of 3 x 4, found 3 x 1");

    c = open_subject();
    lt_kl(drawn(&c, &normal, &d), lt_standard_normal(c.graph, 7));
    expect_mistake(&c, "3 x 4 of normal, 1 x 7 of normal");

    c = open_subject();
    lt_sample_from(drawn(&c, &laplace, &d), 5);
    expect_mistake(&c, "laplace: 5 samples requested, but the parameters have 3 rows");

    c = open_subject();
    lt_estimate_entropy(lt_standard_normal(c.graph, 2), 1);
    expect_mistake(&c, "at least 2 draws, found 1");

    c = open_subject();
    lt_node *zero = lt_scalar(c.graph, 0);
    lt_log_prob(lt_normal_distribution((lt_gauss){zero, zero}), zero);
    expect_mistake(&c, "normal: expected parameters with a batch axis");

    c = open_subject();
    lt_node *m = add_draws(&c, lt_shape_2d(3, 4), &d, 0, 1);
    lt_sample_from(lt_full_normal_distribution(m, m), 3);
    expect_mistake(&c, "full normal: expected n x d and n x d x d, found 3 x 4 and 3 x 4");

    c = open_subject();
    m = add_draws(&c, lt_shape_2d(3, 4), &d, 0, 1);
    lt_entropy(lt_mixture_distribution(m, (lt_gauss){m, m}));
    expect_mistake(&c, "mixture: expected n x K logits and n x K x d components");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families_equal_their_definitions),
        cmocka_unit_test(divergences_equal_their_integrals),
        cmocka_unit_test(derivatives_equal_differences),
        cmocka_unit_test(divergence_is_infinite_where_supports_differ),
        cmocka_unit_test(families_that_cannot_overlap_diverge),
        cmocka_unit_test(values_outside_have_no_density),
        cmocka_unit_test(extremes_stay_finite),
        cmocka_unit_test(mixtures_stay_finite),
        cmocka_unit_test(vamp_prior_is_the_mean_of_densities),
        cmocka_unit_test(cholesky_factor_has_a_positive_diagonal),
        cmocka_unit_test(mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
