/* SPDX-License-Identifier: MIT */
/* Families of distributions: against definitions and integrals in decimal arithmetic
   (tools/golden_distributions.py), closed forms against draws, draws against densities, derivatives
   against differences, and the corners. */
#include "check.h"
#include "golden/golden.h"

#include <latent/distributions.h>

#include <stdio.h>

static const double pi = 3.14159265358979323846;

/* ---- The families, made of nodes ---- */

static lt_distribution make_normal(lt_node **p)
{
    return lt_normal_distribution((lt_gauss){p[0], p[1]});
}
static lt_distribution make_full_normal(lt_node **p)
{
    return lt_full_normal_distribution(p[0], p[1]);
}
static lt_distribution make_laplace(lt_node **p) { return lt_laplace_distribution(p[0], p[1]); }
static lt_distribution make_uniform(lt_node **p) { return lt_uniform_distribution(p[0], p[1]); }
static lt_distribution make_bernoulli(lt_node **p) { return lt_bernoulli_distribution(p[0]); }
static lt_distribution make_categorical(lt_node **p) { return lt_categorical_distribution(p[0]); }
static lt_distribution make_continuous_bernoulli(lt_node **p)
{
    return lt_continuous_bernoulli_distribution(p[0]);
}
static lt_distribution make_logistic(lt_node **p)
{
    return lt_discretised_logistic_distribution(p[0], p[1]);
}
static lt_distribution make_mixture(lt_node **p)
{
    return lt_mixture_distribution(p[0], (lt_gauss){p[1], p[2]});
}

typedef struct family {
    const char *name;
    lt_distribution (*make)(lt_node **p);
} family;

static const family normal = {"normal", make_normal},
                    full_normal = {"full normal", make_full_normal},
                    laplace = {"laplace", make_laplace}, uniform = {"uniform", make_uniform},
                    bernoulli = {"bernoulli", make_bernoulli},
                    categorical = {"categorical", make_categorical},
                    continuous_bernoulli = {"continuous bernoulli", make_continuous_bernoulli},
                    logistic = {"discretised logistic", make_logistic},
                    mixture = {"mixture", make_mixture};

static const family *const families[] = {
    &normal,      &full_normal,          &laplace,  &uniform, &bernoulli,
    &categorical, &continuous_bernoulli, &logistic, &mixture};

/* Between two of a family, and between families: those that have a formula. */
static const struct {
    const family *q, *p;
} pairs[] = {{&normal, &normal},
             {&full_normal, &full_normal},
             {&laplace, &laplace},
             {&uniform, &uniform},
             {&bernoulli, &bernoulli},
             {&categorical, &categorical},
             {&continuous_bernoulli, &continuous_bernoulli},
             {&normal, &full_normal},
             {&full_normal, &normal},
             {&laplace, &normal},
             {&normal, &laplace},
             {&uniform, &normal},
             {&uniform, &continuous_bernoulli},
             {&continuous_bernoulli, &uniform}};

/* ---- Subjects: a graph, its inputs and their values ---- */

enum { MOST_INPUTS = 8 };

typedef struct subject {
    lt_graph *graph;
    int n;
    lt_node *inputs[MOST_INPUTS];
    double *values[MOST_INPUTS];
} subject;

static subject open_subject(void) { return (subject){.graph = lt_graph_create()}; }

static void close_subject(subject *c)
{
    for (int i = 0; i < c->n; i++)
        free(c->values[i]);
    lt_graph_free(c->graph);
}

/* An input that holds `values`, which it owns from now on. */
static lt_node *add_input(subject *c, lt_shape shape, double *values)
{
    char name[8];
    snprintf(name, sizeof name, "in%d", c->n);
    assert_true(c->n < MOST_INPUTS);
    c->values[c->n] = values;
    return c->inputs[c->n++] = lt_input(c->graph, name, shape);
}

static lt_node *add_values(subject *c, lt_shape shape, const double *values)
{
    int64_t n = lt_shape_size(shape);
    double *copy = must_alloc(sizeof *copy * (size_t)(n + 1));
    for (int64_t i = 0; i < n; i++)
        copy[i] = values[i];
    return add_input(c, shape, copy);
}

static lt_node *add_draws(subject *c, lt_shape shape, draws *d, double lo, double hi)
{
    int64_t n = lt_shape_size(shape);
    double *values = must_alloc(sizeof *values * (size_t)n);
    for (int64_t i = 0; i < n; i++)
        values[i] = draw(d, lo, hi);
    return add_input(c, shape, values);
}

/* The values of `targets`; the caller frees them. */
static void run_all(const subject *c, lt_executor e, int n, lt_node *const *targets, double **out)
{
    lt_program *p = must_compile(c->graph, targets, n);
    lt_session *s = must_create(p, &(lt_session_options){.executor = e});
    for (int i = 0; i < c->n; i++)
        if (e == LT_REFERENCE ? lt_session_doubles(s, c->inputs[i]) != NULL
                              : lt_session_floats(s, c->inputs[i]) != NULL)
            feed(s, e, c->inputs[i], c->values[i]);
    must_run(s, &(lt_run_key){.seed = 7});
    for (int i = 0; i < n; i++)
        out[i] = fetch(s, e, targets[i]);
    lt_session_free(s);
    lt_program_free(p);
}

static double *run(const subject *c, lt_executor e, lt_node *target)
{
    double *values;
    run_all(c, e, 1, &target, &values);
    return values;
}

static double run_scalar(const subject *c, lt_executor e, lt_node *target)
{
    double *values = run(c, e, target), value = values[0];
    free(values);
    return value;
}

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
    lt_node *p[LT_MOST_PARAMETERS];
    for (int i = 0; i < LT_MOST_PARAMETERS; i++)
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
        assert_true(lt_has_divergence(q, p));
        expect(&c, file, line, "kl", lt_divergence(q, p));
        close_subject(&c);
    }
    safetensors_free(file);
}

/* ---- Moderate parameters, drawn ---- */

enum { ROWS = 3, WIDTH = 4, PARTS = 2 };

static lt_shape cube(int64_t a, int64_t b, int64_t c)
{
    return (lt_shape){.rank = 3, .d = {a, b, c}};
}

/* A distribution over ROWS x WIDTH numbers; for every family one that overlaps with any other. */
static lt_distribution drawn(subject *c, const family *f, draws *d)
{
    lt_shape s = lt_shape_2d(ROWS, WIDTH);
    lt_node *p[LT_MOST_PARAMETERS] = {NULL};
    if (f == &full_normal) {
        p[0] = add_draws(c, s, d, -1, 1);
        p[1] = lt_cholesky_factor(add_draws(c, cube(ROWS, WIDTH, WIDTH), d, -.8, .8));
    } else if (f == &mixture) {
        p[0] = add_draws(c, lt_shape_2d(ROWS, PARTS), d, -1, 1);
        p[1] = add_draws(c, cube(ROWS, PARTS, WIDTH), d, -2, 2);
        p[2] = add_draws(c, cube(ROWS, PARTS, WIDTH), d, -1, 1);
    } else if (f == &uniform) {
        p[0] = add_draws(c, s, d, .1, .4);
        p[1] = add_draws(c, s, d, .6, .9);
    } else {
        p[0] = add_draws(c, s, d, -1.5, 1.5);
        p[1] = add_draws(c, s, d, -1, 1);
    }
    return f->make(p);
}

/* Values that a distribution of this family may have. */
static lt_node *drawn_values(subject *c, const family *f, draws *d)
{
    lt_shape s = lt_shape_2d(ROWS, WIDTH);
    double x[ROWS * WIDTH];
    if (f == &uniform)
        return add_draws(c, s, d, .45, .55);
    if (f == &continuous_bernoulli)
        return add_draws(c, s, d, .05, .95);
    if (f == &normal || f == &full_normal || f == &laplace || f == &mixture)
        return add_draws(c, s, d, -2, 2);
    for (int i = 0; i < ROWS * WIDTH; i++)
        x[i] = f == &bernoulli     ? draw_below(d, 2)
               : f == &categorical ? i % WIDTH == i / WIDTH
                                   : draw_below(d, 256) / 255.;
    return add_values(c, s, x);
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
    double *directions[MOST_INPUTS];
    lt_node *u[MOST_INPUTS], *dx[MOST_INPUTS], *slope = NULL, *curvature = NULL;
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
        if (lt_distribution_describe(q).is_reparameterised)
            check_derivatives(f->name, &c, lt_draw(q, ROWS), &d);
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
            check_derivatives("uniform kl", &c, lt_divergence(q, make_uniform(p)), &d);
        } else {
            lt_distribution p = drawn(&c, pairs[i].p, &d);
            if (pairs[i].p == &uniform)
                p = lt_uniform_distribution(lt_shift(p.p[0], -1), lt_shift(p.p[1], 1));
            check_derivatives(pairs[i].q->name, &c, lt_divergence(q, p), &d);
        }
        close_subject(&c);
    }
}

/* ---- Formulas against draws ---- */

enum { DRAWS = 20000 };

static void check_estimate(const char *what, const subject *c, lt_monte_carlo estimate,
                           lt_node *formula)
{
    double *found[3];
    run_all(c, LT_CPU, 3, (lt_node *[]){estimate.value, estimate.se, formula}, found);
    for (int i = 0; i < ROWS; i++) {
        assert_true(found[1][i] >= 0 && found[1][i] < .2);
        if (!(fabs(found[0][i] - found[2][i]) <= 4 * found[1][i] + 1e-5))
            fail_msg("%s[%d]: %.6g +- %.2g by draws, %.6g by formula", what, i, found[0][i],
                     found[1][i], found[2][i]);
    }
    for (int i = 0; i < 3; i++)
        free(found[i]);
}

static void formulas_agree_with_draws(void **state)
{
    (void)state;
    draws d = draws_from(6);
    for (int i = 0; i < COUNT_OF(families); i++) {
        subject c = open_subject();
        lt_distribution q = drawn(&c, families[i], &d);
        if (lt_distribution_describe(q).has_entropy)
            check_estimate(families[i]->name, &c, lt_estimate_entropy(q, DRAWS), lt_entropy(q));
        close_subject(&c);
    }
    for (int i = 0; i < COUNT_OF(pairs); i++) {
        char what[80];
        subject c = open_subject();
        lt_distribution q = drawn(&c, pairs[i].q, &d), p = drawn(&c, pairs[i].p, &d);
        if (pairs[i].p == &uniform)
            p = lt_uniform_distribution(lt_shift(p.p[0], -.5), lt_shift(p.p[1], .5));
        snprintf(what, sizeof what, "%s to %s", pairs[i].q->name, pairs[i].p->name);
        check_estimate(what, &c, lt_estimate_divergence(q, p, DRAWS), lt_divergence(q, p));
        close_subject(&c);
    }
}

/* Of -log N(x; 0, 1) = c + x^2 / 2 the deviation is sqrt(1/2). */
static void standard_errors_are_those_of_means(void **state)
{
    (void)state;
    subject c = open_subject();
    lt_monte_carlo estimate = lt_estimate_entropy(lt_standard_normal(c.graph, 1), DRAWS);
    double error = run_scalar(&c, LT_CPU, estimate.se);
    assert_near(error, sqrt(.5 / DRAWS), .03 * sqrt(.5 / DRAWS));
    close_subject(&c);
}

/* One prior for all rows of q, by formula and by draws. */
static void a_row_serves_all(void **state)
{
    (void)state;
    draws d = draws_from(8);
    subject c = open_subject();
    lt_distribution q = drawn(&c, &normal, &d), p = lt_standard_normal(c.graph, WIDTH);
    lt_node *kl = lt_divergence(q, p), *same = lt_gauss_kl((lt_gauss){q.p[0], q.p[1]});
    double *found[2];
    run_all(&c, LT_REFERENCE, 2, (lt_node *[]){kl, same}, found);
    assert_array_close("kl", found[0], found[1], ROWS, 1e-15, 1e-15);
    check_estimate("one prior", &c, lt_estimate_divergence(q, p, DRAWS), kl);
    check_estimate("one posterior", &c, lt_estimate_divergence(p, q, DRAWS), lt_divergence(p, q));
    lt_node *scalars[] = {lt_scalar(c.graph, 0), q.p[1]};
    assert_true(lt_shape_equal(make_normal(scalars).shape, q.shape));
    assert_int_equal(lt_node_shape(lt_draw(p, 50)).d[0], 50);
    free(found[0]);
    free(found[1]);
    close_subject(&c);
}

/* ---- Draws against densities ---- */

/* Gauss's five points on each of `cells` cells of [lo, hi]: places and weights. */
static void quadrature(double lo, double hi, int cells, double *x, double *w)
{
    const double a = sqrt(5 - 2 * sqrt(10. / 7)) / 3, b = sqrt(5 + 2 * sqrt(10. / 7)) / 3;
    const double at[] = {-b, -a, 0, a, b};
    const double near = (322 + 13 * sqrt(70)) / 900, far = (322 - 13 * sqrt(70)) / 900;
    const double weight[] = {far, near, 128. / 225, near, far};
    double half = (hi - lo) / cells / 2;
    for (int i = 0; i < 5 * cells; i++) {
        x[i] = lo + half * (2 * (i / 5) + 1 + at[i % 5]);
        w[i] = half * weight[i % 5];
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

enum { CELLS = 400, PLACES = 5 * CELLS };

/* One number, p[i] its parameters as they are; all of its mass is within [lo, hi]. */
static void check_draws(const family *f, lt_distribution q, subject *c, double lo, double hi)
{
    double x[PLACES], w[PLACES], mass = 0, first = 0, second = 0, apart = 0;
    quadrature(lo, hi, CELLS, x, w);
    lt_node *density = lt_exp(lt_log_prob(q, add_values(c, lt_shape_2d(PLACES, 1), x)));
    double *p = run(c, LT_REFERENCE, density), *found = run(c, LT_CPU, lt_draw(q, DRAWS));
    qsort(found, DRAWS, sizeof *found, ascending);
    double mean = 0, square = 0;
    int k = 0;
    for (int i = 0; i < PLACES; i++) {
        mass += w[i] * p[i];
        first += w[i] * p[i] * x[i];
        second += w[i] * p[i] * x[i] * x[i];
        if (i % 5 != 4)
            continue;
        double edge = lo + (hi - lo) * (i + 1) / PLACES; /* of a cell */
        for (; k < DRAWS && found[k] <= edge; k++)
            mean += found[k] / DRAWS, square += found[k] * found[k] / DRAWS;
        apart = fmax(apart, fabs((double)k / DRAWS - mass));
    }
    double variance = second - first * first;
    if (fabs(mass - 1) > 1e-10)
        fail_msg("%s: the density's integral is %.15g", f->name, mass);
    assert_int_equal(k, DRAWS);
    if (!(apart < 1.95 / sqrt(DRAWS))) /* Kolmogorov: once in a thousand */
        fail_msg("%s: distribution of draws is %.4f off", f->name, apart);
    assert_near(mean, first, 4 * sqrt(variance / DRAWS));
    /* sd of x^2 - ... at most that of the heaviest tails here: kurtosis 6 */
    assert_near(square - mean * mean, variance, 4 * variance * sqrt(5. / DRAWS));
    free(p);
    free(found);
}

static lt_node *number(subject *c, double value)
{
    return add_values(c, lt_shape_2d(1, 1), &value);
}

static void draws_have_their_density(void **state)
{
    (void)state;
    const struct {
        const family *f;
        double a, b, lo, hi;
    } cases[] = {{&normal, .5, -1, -6.5, 7.5},
                 {&laplace, -1, .4, -65, 63},
                 {&uniform, -1, 3, -1, 3},
                 {&continuous_bernoulli, 0, 0, 0, 1},
                 {&continuous_bernoulli, .03, 0, 0, 1},
                 {&continuous_bernoulli, -.06, 0, 0, 1},
                 {&continuous_bernoulli, 4, 0, 0, 1},
                 {&continuous_bernoulli, -20, 0, 0, 1}};
    for (int i = 0; i < COUNT_OF(cases); i++) {
        subject c = open_subject();
        lt_node *p[] = {number(&c, cases[i].a), number(&c, cases[i].b)};
        check_draws(cases[i].f, cases[i].f->make(p), &c, cases[i].lo, cases[i].hi);
        close_subject(&c);
    }
    subject c = open_subject();
    lt_node *p[] = {add_values(&c, lt_shape_2d(1, 3), (double[]){0, 1, -1}),
                    add_values(&c, cube(1, 3, 1), (double[]){-3, 0, 4}),
                    add_values(&c, cube(1, 3, 1), (double[]){0, -2, -.5})};
    check_draws(&mixture, make_mixture(p), &c, -15, 15);
    close_subject(&c);
}

/* How often each of k values comes, against its probability. */
static void check_frequencies(const char *what, int k, const double *log_prob, const int *times,
                              int n)
{
    double sum = 0;
    for (int i = 0; i < k; i++) {
        double p = exp(log_prob[i]);
        sum += p;
        if (fabs((double)times[i] / n - p) > 4.5 * sqrt(p * (1 - p) / n) + 1. / n)
            fail_msg("%s: value %d of probability %.6g came %d times in %d", what, i, p, times[i],
                     n);
    }
    assert_near(sum, 1, 1e-12);
}

static void classes_come_as_often_as_they_should(void **state)
{
    (void)state;
    enum { K = 6 };
    const double logits[K] = {-90, 1, 0, -2, 3, -90};
    double eye[K * K] = {0};
    int times[K] = {0};
    for (int i = 0; i < K; i++)
        eye[i * K + i] = 1;
    subject c = open_subject();
    lt_distribution q = lt_categorical_distribution(add_values(&c, lt_shape_2d(1, K), logits));
    double *log_prob =
        run(&c, LT_REFERENCE, lt_log_prob(q, add_values(&c, lt_shape_2d(K, K), eye)));
    double *x = run(&c, LT_CPU, lt_draw(q, DRAWS));
    for (int i = 0; i < DRAWS; i++) {
        int ones = 0;
        for (int k = 0; k < K; k++) {
            assert_true(x[i * K + k] == 0 || x[i * K + k] == 1);
            ones += x[i * K + k] == 1;
            times[k] += x[i * K + k] == 1;
        }
        assert_int_equal(ones, 1);
    }
    check_frequencies("categorical", K, log_prob, times, DRAWS);
    free(log_prob);
    free(x);
    double *one = run(&c, LT_CPU, lt_draw(lt_categorical_distribution(number(&c, 3)), 4));
    assert_array_close("the only class", one, ((double[]){1, 1, 1, 1}), 4, 0, 0);
    free(one);
    close_subject(&c);
}

static void bits_and_levels_come_as_often_as_they_should(void **state)
{
    (void)state;
    double levels[256];
    int times[256] = {0}, ones[2] = {0};
    for (int i = 0; i < 256; i++)
        levels[i] = i / 255.;
    subject c = open_subject();
    lt_distribution q = lt_discretised_logistic_distribution(number(&c, .9), number(&c, -3));
    lt_distribution b = lt_bernoulli_distribution(number(&c, -1.2));
    lt_node *x = add_values(&c, lt_shape_2d(256, 1), levels),
            *bits = add_values(&c, lt_shape_2d(2, 1), (double[]){0, 1});
    double *log_prob = run(&c, LT_REFERENCE, lt_log_prob(q, x)),
           *bit_prob = run(&c, LT_REFERENCE, lt_log_prob(b, bits));
    double *found = run(&c, LT_CPU, lt_draw(q, DRAWS)),
           *drawn_bits = run(&c, LT_CPU, lt_draw(b, DRAWS));
    for (int i = 0; i < DRAWS; i++) {
        int k = (int)lround(found[i] * 255);
        assert_true(k >= 0 && k < 256 && found[i] == (double)((float)k / 255));
        assert_true(drawn_bits[i] == 0 || drawn_bits[i] == 1);
        times[k]++;
        ones[drawn_bits[i] == 1]++;
    }
    check_frequencies("discretised logistic", 256, log_prob, times, DRAWS);
    check_frequencies("bernoulli", 2, bit_prob, ones, DRAWS);
    free(log_prob);
    free(bit_prob);
    free(found);
    free(drawn_bits);
    close_subject(&c);
}

/* The covariance of draws is L L^T; what is above the diagonal is not read. */
static void full_normal_has_its_covariance(void **state)
{
    (void)state;
    const double mean[] = {1, -2, .5}, l[] = {1.5, NAN, 9, -.7, .4, INFINITY, .3, 1, .8};
    double covariance[9] = {0}, found[9] = {0}, centre[3] = {0};
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k <= (i < j ? i : j); k++)
                covariance[i * 3 + j] += l[i * 3 + k] * l[j * 3 + k];
    subject c = open_subject();
    lt_distribution q = lt_full_normal_distribution(add_values(&c, lt_shape_2d(1, 3), mean),
                                                    add_values(&c, lt_shape_2d(3, 3), l));
    double *x = run(&c, LT_CPU, lt_draw(q, DRAWS));
    for (int n = 0; n < DRAWS; n++)
        for (int i = 0; i < 3; i++) {
            centre[i] += x[n * 3 + i] / DRAWS;
            for (int j = 0; j < 3; j++)
                found[i * 3 + j] += (x[n * 3 + i] - mean[i]) * (x[n * 3 + j] - mean[j]) / DRAWS;
        }
    for (int i = 0; i < 3; i++) {
        assert_near(centre[i], mean[i], 4 * sqrt(covariance[i * 4] / DRAWS));
        for (int j = 0; j < 3; j++) {
            double v = covariance[i * 4] * covariance[j * 4] +
                       covariance[i * 3 + j] * covariance[i * 3 + j];
            assert_near(found[i * 3 + j], covariance[i * 3 + j], 4 * sqrt(v / DRAWS));
        }
    }
    assert_true(isfinite(run_scalar(&c, LT_CPU, lt_entropy(q))));
    assert_true(isfinite(run_scalar(&c, LT_CPU, lt_divergence(q, q))));
    free(x);
    close_subject(&c);
}

/* ---- Gradients of draws ---- */

static void gradients_of_draws_pass_or_stop(void **state)
{
    (void)state;
    draws d = draws_from(9);
    for (int i = 0; i < COUNT_OF(families); i++) {
        const family *f = families[i];
        subject c = open_subject();
        lt_distribution q = drawn(&c, f, &d);
        bool passes = lt_distribution_describe(q).is_reparameterised;
        int n = c.n - (f == &bernoulli || f == &categorical || f == &continuous_bernoulli);
        lt_node *x = lt_sum(lt_draw(q, ROWS)), *dx[MOST_INPUTS];
        lt_grads(x, n, c.inputs, dx);
        for (int k = 0; k < n; k++) {
            double *slope = run(&c, LT_CPU, dx[k]);
            bool is_zero = largest(slope, lt_shape_size(lt_node_shape(dx[k]))) == 0;
            if (is_zero == (passes || (f == &mixture && k > 0)))
                fail_msg("%s: the gradient by parameter %d is %szero", f->name, k,
                         is_zero ? "" : "not ");
            free(slope);
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
            double kl = run_scalar(&c, e, lt_divergence(unit, p));
            assert_true(kl == from[i][2] || fabs(kl - from[i][2]) < 1e-6);
            lt_monte_carlo drawn_kl = lt_estimate_divergence(unit, p, 100);
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
        assert_true(lt_has_divergence(q, p));
        lt_monte_carlo estimate = lt_estimate_divergence(q, p, 10);
        double *found[3];
        run_all(&c, LT_CPU, 3, (lt_node *[]){lt_divergence(q, p), estimate.value, estimate.se},
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
    assert_false(lt_has_divergence(q, p));
    assert_true(isfinite(run_scalar(&c, LT_CPU, lt_sum(lt_estimate_divergence(q, p, 10).value))));
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
    lt_node *p[LT_MOST_PARAMETERS] = {add_values(&c, lt_shape_2d(n, 1), a)};
    if (b)
        p[1] = add_values(&c, lt_shape_2d(n, 1), b);
    int inputs = c.n, count = 0;
    lt_distribution q = f->make(p);
    lt_node *all[12], *dx[2];
    lt_node *at = lt_broadcast(number(&c, x), lt_shape_2d(n, 1));
    all[count++] = lt_log_prob(q, at);
    if (lt_distribution_describe(q).has_entropy)
        all[count++] = lt_entropy(q);
    if (lt_has_divergence(q, q))
        all[count++] = lt_divergence(q, q);
    for (int k = 0, values = count; k < values; k++) {
        lt_grads(lt_sum(all[k]), inputs, c.inputs, dx);
        for (int i = 0; i < inputs; i++)
            all[count++] = dx[i];
    }
    all[count++] = lt_draw(q, n);
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
    lt_node *all[] = {y, dx[0], dx[1], dx[2], lt_draw(q, 2)};
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
    assert_int_equal(lt_node_shape(lt_draw(p, 64)).d[0], 64);
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
    assert_false(lt_has_divergence(q, lt_standard_normal(c.graph, WIDTH)));
    lt_divergence(q, lt_standard_normal(c.graph, WIDTH));
    expect_mistake(&c, "mixture from normal has no closed form");

    c = open_subject();
    lt_log_prob(drawn(&c, &normal, &d), add_draws(&c, lt_shape_2d(ROWS, 1), &d, 0, 1));
    expect_mistake(&c, "normal: values are 3 x 1, the distribution's 3 x 4");

    c = open_subject();
    lt_divergence(drawn(&c, &normal, &d), lt_standard_normal(c.graph, 7));
    expect_mistake(&c, "3 x 4 of normal, 1 x 7 of normal");

    c = open_subject();
    lt_draw(drawn(&c, &laplace, &d), 5);
    expect_mistake(&c, "laplace: 5 draws asked for, parameters are of 3 rows");

    c = open_subject();
    lt_estimate_entropy(lt_standard_normal(c.graph, 2), 1);
    expect_mistake(&c, "at least 2 draws, found 1");

    c = open_subject();
    lt_node *zero = lt_scalar(c.graph, 0);
    lt_log_prob(lt_normal_distribution((lt_gauss){zero, zero}), zero);
    expect_mistake(&c, "normal: expected parameters with a batch axis");

    c = open_subject();
    lt_node *m = add_draws(&c, lt_shape_2d(3, 4), &d, 0, 1);
    lt_draw(lt_full_normal_distribution(m, m), 3);
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
        cmocka_unit_test(formulas_agree_with_draws),
        cmocka_unit_test(standard_errors_are_those_of_means),
        cmocka_unit_test(a_row_serves_all),
        cmocka_unit_test(draws_have_their_density),
        cmocka_unit_test(classes_come_as_often_as_they_should),
        cmocka_unit_test(bits_and_levels_come_as_often_as_they_should),
        cmocka_unit_test(full_normal_has_its_covariance),
        cmocka_unit_test(gradients_of_draws_pass_or_stop),
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
