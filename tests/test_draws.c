/* SPDX-License-Identifier: MIT */
/* Draws of distributions: against formulas of entropies and divergences, against densities, and the
   gradients that pass through them. */
#include "families.h"
#include "quadrature.h"

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
        check_estimate(what, &c, lt_estimate_kl(q, p, DRAWS), lt_kl(q, p));
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
    lt_node *kl = lt_kl(q, p), *same = lt_gauss_kl((lt_gauss){q.p[0], q.p[1]});
    double *found[2];
    run_all(&c, LT_REFERENCE, 2, (lt_node *[]){kl, same}, found);
    assert_array_close("kl", found[0], found[1], ROWS, 1e-15, 1e-15);
    check_estimate("one prior", &c, lt_estimate_kl(q, p, DRAWS), kl);
    check_estimate("one posterior", &c, lt_estimate_kl(p, q, DRAWS), lt_kl(p, q));
    lt_node *scalars[] = {lt_scalar(c.graph, 0), q.p[1]};
    assert_true(lt_shape_equal(make_normal(scalars).shape, q.shape));
    assert_int_equal(lt_node_shape(lt_sample_from(p, 50)).d[0], 50);
    free(found[0]);
    free(found[1]);
    close_subject(&c);
}

/* ---- Draws against densities ---- */

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
    double *p = run(c, LT_REFERENCE, density), *found = run(c, LT_CPU, lt_sample_from(q, DRAWS));
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
    double *x = run(&c, LT_CPU, lt_sample_from(q, DRAWS));
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
    double *one = run(&c, LT_CPU, lt_sample_from(lt_categorical_distribution(number(&c, 3)), 4));
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
    lt_distribution q = lt_discretized_logistic_distribution(number(&c, .9), number(&c, -3));
    lt_distribution b = lt_bernoulli_distribution(number(&c, -1.2));
    lt_node *x = add_values(&c, lt_shape_2d(256, 1), levels),
            *bits = add_values(&c, lt_shape_2d(2, 1), (double[]){0, 1});
    double *log_prob = run(&c, LT_REFERENCE, lt_log_prob(q, x)),
           *bit_prob = run(&c, LT_REFERENCE, lt_log_prob(b, bits));
    double *found = run(&c, LT_CPU, lt_sample_from(q, DRAWS)),
           *drawn_bits = run(&c, LT_CPU, lt_sample_from(b, DRAWS));
    for (int i = 0; i < DRAWS; i++) {
        int k = (int)lround(found[i] * 255);
        assert_true(k >= 0 && k < 256 && found[i] == (double)((float)k / 255));
        assert_true(drawn_bits[i] == 0 || drawn_bits[i] == 1);
        times[k]++;
        ones[drawn_bits[i] == 1]++;
    }
    check_frequencies("discretized logistic", 256, log_prob, times, DRAWS);
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
    double covariance[9] = {0}, found[9] = {0}, center[3] = {0};
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k <= (i < j ? i : j); k++)
                covariance[i * 3 + j] += l[i * 3 + k] * l[j * 3 + k];
    subject c = open_subject();
    lt_distribution q = lt_full_normal_distribution(add_values(&c, lt_shape_2d(1, 3), mean),
                                                    add_values(&c, lt_shape_2d(3, 3), l));
    double *x = run(&c, LT_CPU, lt_sample_from(q, DRAWS));
    for (int n = 0; n < DRAWS; n++)
        for (int i = 0; i < 3; i++) {
            center[i] += x[n * 3 + i] / DRAWS;
            for (int j = 0; j < 3; j++)
                found[i * 3 + j] += (x[n * 3 + i] - mean[i]) * (x[n * 3 + j] - mean[j]) / DRAWS;
        }
    for (int i = 0; i < 3; i++) {
        assert_near(center[i], mean[i], 4 * sqrt(covariance[i * 4] / DRAWS));
        for (int j = 0; j < 3; j++) {
            double v = covariance[i * 4] * covariance[j * 4] +
                       covariance[i * 3 + j] * covariance[i * 3 + j];
            assert_near(found[i * 3 + j], covariance[i * 3 + j], 4 * sqrt(v / DRAWS));
        }
    }
    assert_true(isfinite(run_scalar(&c, LT_CPU, lt_entropy(q))));
    assert_true(isfinite(run_scalar(&c, LT_CPU, lt_kl(q, q))));
    free(x);
    close_subject(&c);
}

/* ---- The distribution of a draw is the uniform number that it is made of ---- */

/* F(x) = expm1(l x) / expm1(l), or x for l = 0. */
static double continuous_bernoulli_below(double x, double l)
{
    return l == 0  ? x
           : l > 0 ? exp(l * (x - 1)) * expm1(-l * x) / expm1(-l)
                   : expm1(l * x) / expm1(l);
}

/* What is above, for l > 0, has the digits near 1. */
static void continuous_bernoulli_inverts_its_distribution(void **state)
{
    (void)state;
    const double logits[] = {0,    1e-30, 1e-5,  .01,  .062, .0624999, .0625001, .3,  1,   30,
                             -.01, -1e-9, -.062, -.07, -.5,  -1,       -30,      700, -700};
    enum { N = COUNT_OF(logits), TIMES = 200 };
    subject c = open_subject();
    lt_node *l = add_values(&c, lt_shape_2d(N, 1), logits);
    lt_node *rows = lt_broadcast(l, lt_shape_2d(N, TIMES));
    double *x = run(&c, LT_REFERENCE, lt_sample_from(lt_continuous_bernoulli_distribution(rows), N));
    subject other = open_subject(); /* whose first stream has the same numbers */
    double *u = run(&other, LT_REFERENCE, lt_uniform(other.graph, lt_shape_2d(N, TIMES)));
    for (int i = 0; i < N * TIMES; i++) {
        double logit = logits[i / TIMES];
        if (logit > 0) /* that of 1 - x at -l: 1 - u */
            assert_near(continuous_bernoulli_below(1 - x[i], -logit), 1 - u[i], 1e-13);
        else
            assert_near(continuous_bernoulli_below(x[i], logit), u[i], 1e-13);
    }
    free(x);
    free(u);
    close_subject(&c);
    close_subject(&other);
}

static void laplace_inverts_its_distribution(void **state)
{
    (void)state;
    enum { N = 500 };
    subject c = open_subject(), other = open_subject();
    lt_distribution q = lt_laplace_distribution(number(&c, .5), number(&c, -1));
    double *x = run(&c, LT_REFERENCE, lt_sample_from(q, N));
    double *u = run(&other, LT_REFERENCE, lt_uniform(other.graph, lt_shape_2d(N, 1)));
    for (int i = 0; i < N; i++) {
        double t = (x[i] - .5) / exp(-1);
        assert_near(t < 0 ? exp(t) / 2 : 1 - exp(-t) / 2, u[i], 1e-14);
    }
    free(x);
    free(u);
    close_subject(&c);
    close_subject(&other);
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
        bool passes = lt_distribution_describe(q).is_reparameterized;
        int n = c.n - (f == &bernoulli || f == &categorical || f == &continuous_bernoulli);
        lt_node *x = lt_sum(lt_sample_from(q, ROWS)), *dx[MAX_INPUTS];
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas_agree_with_draws),
        cmocka_unit_test(standard_errors_are_those_of_means),
        cmocka_unit_test(a_row_serves_all),
        cmocka_unit_test(draws_have_their_density),
        cmocka_unit_test(classes_come_as_often_as_they_should),
        cmocka_unit_test(bits_and_levels_come_as_often_as_they_should),
        cmocka_unit_test(full_normal_has_its_covariance),
        cmocka_unit_test(continuous_bernoulli_inverts_its_distribution),
        cmocka_unit_test(laplace_inverts_its_distribution),
        cmocka_unit_test(gradients_of_draws_pass_or_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
