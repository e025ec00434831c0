/* SPDX-License-Identifier: MIT */
/* Bounds with many samples and the tail of their weights: the arithmetic against its definition, the estimates
   against a model whose likelihood is known. */
#include "eval/visit.h"
#include "eval/bounds.h"

#include "base/philox.h"
#include "base/status.h"

#include "linear_model.h"

/* Uniform in (0, 1), 32 bits. */
static double uniform(int i)
{
    philox_key key = {.seed = 1, .stream = 7};
    return (philox_word(&key, i) + 0.5) * 0x1p-32;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* ---- The tail ---- */

static void tail_keeps_the_largest(void **state)
{
    (void)state;
    enum { N = 500, SIZE = 37 };
    double room[SIZE], all[N];
    tail t = {.size = SIZE, .heap = room};
    for (int i = 0; i < N; i++)
        tail_add(&t, all[i] = floor(100 * uniform(i))); /* many are equal */
    assert_int_equal(t.n, SIZE);
    qsort(all, N, sizeof *all, by_value);
    qsort(room, SIZE, sizeof *room, by_value);
    assert_memory_equal(room, all + N - SIZE, sizeof room);
}

static void tail_is_a_fifth_or_three_roots(void **state)
{
    (void)state;
    assert_int_equal(tail_size(24), 0);
    assert_int_equal(tail_size(25), 5 + 1);
    assert_int_equal(tail_size(200), 40 + 1);
    assert_int_equal(tail_size(10000), 300 + 1);
}

/* The shape of n quantiles of a generalized Pareto distribution of scale s above 1. */
static double shape_with_prior(double k, double s, int n)
{
    double *room = malloc(sizeof *room * (size_t)(n + 1));
    tail t = {.size = n + 1, .heap = room};
    tail_add(&t, 0);
    for (int i = 0; i < n; i++) {
        double p = (i + 0.5) / n; /* of being larger */
        tail_add(&t, log(1 + s * (k == 0 ? -log(p) : (pow(p, -k) - 1) / k)));
    }
    double found = tail_shape(&t);
    free(room);
    return found;
}

static double shape_of_pareto(double k, double s, int n)
{
    return (shape_with_prior(k, s, n) * (n + 10) - 5) / n; /* without the prior */
}

/* The numbers of Zhang and Stephens' fit with the prior of Vehtari et al., written in numpy after
   the papers. */
static void few_weights_are_drawn_towards_a_half(void **state)
{
    (void)state;
    const struct {
        double k;
        int n;
        double shape;
    } c[] = {{0.2, 10, 0.381918326005503},  {0.2, 20, 0.344516319433447},
             {0.2, 100, 0.24125049859614},  {0.7, 10, 0.577376209141276},
             {0.7, 100, 0.680035988100642}, {1.6, 10, 0.928067746585444},
             {1.6, 20, 1.15597831505848},   {1.6, 100, 1.4699063812892}};
    for (int i = 0; i < COUNT_OF(c); i++)
        assert_near(shape_with_prior(c[i].k, 1, c[i].n), c[i].shape, 1e-9);
}

static void shape_of_pareto_quantiles_is_theirs(void **state)
{
    (void)state;
    const double shapes[] = {-0.4, 0, 0.2, 0.5, 0.7, 1, 1.6};
    for (int i = 0; i < COUNT_OF(shapes); i++) {
        assert_near(shape_of_pareto(shapes[i], 1, 3000), shapes[i], 0.02);
        assert_near(shape_of_pareto(shapes[i], 1, 100), shapes[i], 0.12);
        assert_near(shape_of_pareto(shapes[i], 1e-3, 3000), shapes[i], 0.02);
        assert_near(shape_of_pareto(shapes[i], 50, 3000), shapes[i], 0.02);
    }
}

static void shapes_of_odd_tails_are_said(void **state)
{
    (void)state;
    double room[8];
    tail equal = {.size = 8, .heap = room};
    for (int i = 0; i < 8; i++)
        tail_add(&equal, -80);
    assert_near(tail_shape(&equal), 0, 0);
    tail few = {.size = 5, .heap = room};
    for (int i = 0; i < 5; i++)
        tail_add(&few, i);
    assert_true(isnan(tail_shape(&few)));
    tail lone = {.size = 8, .heap = room}; /* one weight, and nothing next to it */
    for (int i = 0; i < 8; i++)
        tail_add(&lone, i == 3 ? 0 : -2000 - i);
    assert_true(tail_shape(&lone) > 1);
    tail lost = {.size = 8, .heap = room};
    for (int i = 0; i < 8; i++)
        tail_add(&lost, (double)NAN);
    assert_true(isnan(tail_shape(&lost)));
}

/* ---- Groups ---- */

static double log_mean(const double *l, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += exp(l[i] - l[0]);
    return l[0] + log(sum / n);
}

static void groups_are_disjoint_and_full(void **state)
{
    (void)state;
    enum { N = 17 };
    const int k[] = {1, 5, 17, 4};
    bounds_plan p = bounds_make_plan(&(lt_eval_options){.iwae = k, .n_iwae = 4, .nll_samples = 9});
    double l[N], room[N];
    image_bounds b;
    assert_int_equal(p.n, 5);
    assert_int_equal(p.draws, N);
    bounds_begin(&b, &p, room);
    for (int i = 0; i < N; i++)
        bounds_add(&b, &p, l[i] = 900 * (uniform(i) - 0.5)); /* exp of it would overflow */
    for (int j = 0; j < 4; j++) {
        double sum = 0;
        for (int i = 0; i + k[j] <= N; i += k[j])
            sum += log_mean(l + i, k[j]);
        assert_int_equal(b.of[j].groups, N / k[j]);
        assert_near(b.of[j].log_mean, sum, 1e-9);
    }
    assert_int_equal(b.of[4].groups, 1);
    assert_near(b.of[4].log_mean, log_mean(l, 9), 1e-12);
    assert_near(b.of[0].ess, N, 1e-9);
}

/* Weights 1, 2 and 0: the mean is 1, the effective number 9 / 5. */
static void weights_of_zero_count(void **state)
{
    (void)state;
    bounds_plan p = bounds_make_plan(&(lt_eval_options){.nll_samples = 3});
    image_bounds b;
    bounds_begin(&b, &p, NULL);
    bounds_add(&b, &p, -HUGE_VAL);
    bounds_add(&b, &p, 0);
    bounds_add(&b, &p, log(2));
    assert_near(b.of[0].log_mean, 0, 1e-15);
    assert_near(b.of[0].ess, 9 / 5., 1e-12);
}

/* ---- A model ---- */

enum { KS = 4 };
static const int ks[KS] = {1, 5, 50, 500};

static void bounds_come_down_to_the_truth(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 0.7);
    double truth = exact_nlls(&f).value, of[IMAGES], sum = 0;
    lt_evaluation e = evaluate(&f, &(lt_eval_options){.nll_samples = 500, .iwae = ks, .n_iwae = KS,
                                                      .nll_of = of});
    assert_int_equal(e.n_bounds, KS);
    assert_int_equal(e.draws, 500);
    for (int i = 0; i < KS; i++) {
        assert_int_equal(e.bounds[i].k, ks[i]);
        assert_true(e.bounds[i].value.value > truth - 0.003);
        assert_true(e.bounds[i].ess >= 1 && e.bounds[i].ess < ks[i] + 1e-9);
        if (i > 0)
            assert_true(e.bounds[i].value.value < e.bounds[i - 1].value.value);
    }
    assert_near(e.bounds[KS - 1].value.value, truth, 0.01);
    assert_memory_equal(&e.bounds[KS - 1].value, &e.nll, sizeof e.nll); /* the same draws */
    for (int i = 0; i < IMAGES; i++)
        sum += of[i] / IMAGES;
    assert_near(sum, e.nll.value, 1e-9);
    fixture_close(&f);
}

/* The bound of one draw is the ELBO: log p(x) less KL(q || p(z|x)), which is that of two Gaussians
   of one mean and variances of ratio e^error, for each latent. */
static void bound_of_one_draw_is_the_elbo(void **state)
{
    (void)state;
    const double error = 0.7;
    fixture f;
    fixture_open(&f, error);
    double gap = LATENT * 0.5 * (exp(error) - 1 - error), mean = 0;
    for (uint64_t seed = 0; seed < 10; seed++) {
        lt_evaluation e = evaluate(&f, &(lt_eval_options){.iwae = (int[]){1, 1000}, .n_iwae = 2,
                                                          .seed = seed});
        mean += e.bounds[0].value.value / 10;
        assert_int_equal(e.nll_samples, 0);
    }
    /* the deviation of log w is that of 1/2 sum error_i eps_i^2, about one */
    assert_near(mean, exact_nlls(&f).value + gap, 4 / sqrt(10. * IMAGES * 1000));
    fixture_close(&f);
}

/* q narrower than the posterior by s: w = exp(y (1 - s^2) / 2) with y ~ chi^2, so that
   P(w > t) falls as t^(-1 / (1 - s^2)), and k = 1 - s^2. */
static void shape_is_that_of_the_posterior_s_tails(void **state)
{
    (void)state;
    const double squares[] = {0.1, 0.5, 0.9};
    for (int i = 0; i < COUNT_OF(squares); i++) {
        fixture f;
        fixture_open(&f, log(squares[i]));
        lt_evaluation e = evaluate(&f, &(lt_eval_options){.nll_samples = 20000, .batch = 1});
        assert_near(e.pareto_k, 1 - squares[i], 0.12);
        assert_true(squares[i] > 0.4 ? e.pareto_share < 0.2 : e.pareto_share > 0.8);
        fixture_close(&f);
    }
    fixture f;
    fixture_open(&f, 0.7); /* wider: weights are bounded */
    lt_evaluation e = evaluate(&f, &(lt_eval_options){.nll_samples = 2000});
    assert_true(e.pareto_k < 0.2);
    e = evaluate(&f, &(lt_eval_options){.nll_samples = 24});
    assert_true(isnan(e.pareto_k) && isnan(e.pareto_share));
    fixture_close(&f);
}

static void more_draws_begin_with_the_same(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 0.7);
    lt_evaluation a = evaluate(&f, &(lt_eval_options){.nll_samples = 90}),
                  b = evaluate(&f, &(lt_eval_options){.nll_samples = 90, .iwae = (int[]){700},
                                                      .n_iwae = 1});
    assert_memory_equal(&a.nll, &b.nll, sizeof a.nll);
    assert_int_equal(b.draws, 700);
    fixture_close(&f);
}

static void bounds_have_the_same_bits_at_any_number_of_threads(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, -0.5);
    const int threads[] = {1, 2, 3, 4, 8};
    lt_evaluation first = {0};
    for (int i = 0; i < COUNT_OF(threads); i++) {
        lt_evaluation e = evaluate(&f, &(lt_eval_options){.nll_samples = 60, .iwae = ks,
                                                          .n_iwae = 2, .batch = 20,
                                                          .run.threads = threads[i]});
        if (i == 0)
            first = e;
        assert_memory_equal(&first.nll, &e.nll, sizeof e.nll);
        assert_memory_equal(first.bounds, e.bounds, sizeof e.bounds);
        assert_memory_equal(&first.pareto_k, &e.pareto_k, 2 * sizeof e.pareto_k);
    }
    fixture_close(&f);
}

static void part_of_a_split_is_spread_over_it(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 0);
    double truth = 0, x[PIXELS];
    for (int i = 0; i < 7; i++) {
        read_image(&f, (int)stratified_index(i, 7, IMAGES), x);
        truth += exact_nll(x) / 7;
    }
    lt_evaluation e = evaluate(&f, &(lt_eval_options){.nll_samples = 20, .images = 7, .batch = 3});
    assert_int_equal(e.images, 7);
    assert_near(e.nll.value, truth, 1e-4);
    e = evaluate(&f, &(lt_eval_options){.images = 1000});
    assert_int_equal(e.images, IMAGES);
    fixture_close(&f);
}

/* One of each part; and where ten classes take turns, as many of each as chance would have it (100
   +- 9.5), not 1000 of one. */
static void places_keep_no_step(void **state)
{
    (void)state;
    static const int64_t parts[] = {1, 7, 1000, 2000, 3333, 9999, 10000};
    for (int k = 0; k < COUNT_OF(parts); k++) {
        int64_t n = parts[k], all = 10000;
        int of_class[10] = {0};
        for (int64_t i = 0; i < n; i++) {
            int64_t place = stratified_index(i, n, all);
            assert_true(place >= i * all / n && place < (i + 1) * all / n);
            of_class[place % 10]++;
        }
        for (int c = 0; n == 1000 && c < 10; c++)
            assert_in_range(of_class[c], 60, 140);
    }
}

static void impossible_bounds_are_refused(void **state)
{
    (void)state;
    const lt_eval_options cases[] = {{.iwae = (int[]){5, 0}, .n_iwae = 2},
                                     {.n_iwae = LT_MAX_BOUNDS + 1},
                                     {.n_iwae = -1},
                                     {.images = -1},
                                     {.nll_samples = -1}};
    fixture f;
    fixture_open(&f, 0);
    for (int i = 0; i < COUNT_OF(cases); i++) {
        lt_evaluation e;
        assert_int_equal(lt_evaluate(f.model, f.data, LT_TRAIN, &cases[i], &e), LT_VALUE);
    }
    fixture_close(&f);
}

/* ---- Each image's own numbers ---- */

/* KL(q(z|x) || N(0, I)) of the posterior whose variance is the true one times e^error. */
static double exact_rate(const double *x, double error)
{
    double sum = 0, d[PIXELS];
    for (int i = 0; i < PIXELS; i++)
        d[i] = x[i] - B[i];
    for (int k = 0; k < LATENT; k++) {
        double precision = 1 + dot(W[k], W[k]) / (SIGMA * SIGMA), variance = exp(error) / precision,
               mean = dot(W[k], d) / (SIGMA * SIGMA) / precision;
        sum += 0.5 * (variance + mean * mean - 1 - log(variance));
    }
    return sum;
}

/* Distance of x to b + W m, m the posterior's mean. */
static double exact_squared_error(const double *x)
{
    double d[PIXELS], error[PIXELS];
    for (int i = 0; i < PIXELS; i++)
        d[i] = error[i] = x[i] - B[i];
    for (int k = 0; k < LATENT; k++) {
        double precision = 1 + dot(W[k], W[k]) / (SIGMA * SIGMA);
        for (int i = 0; i < PIXELS; i++)
            error[i] -= W[k][i] * dot(W[k], d) / (SIGMA * SIGMA) / precision;
    }
    return dot(error, error);
}

static void assert_mean(const double *values, int n, double want)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += values[i];
    assert_near(sum / n, want, 1e-12 * (1 + fabs(want)));
}

/* Of all images in batches that do not divide them, and of some of them. */
static void each_image_has_its_own_numbers(void **state)
{
    (void)state;
    const int groups[] = {1, 4}, counts[] = {0, 20};
    fixture f;
    fixture_open(&f, log(1.2));
    for (int i = 0; i < 2; i++) {
        double neg_elbo[IMAGES], rate[IMAGES], distortion[IMAGES], squared[IMAGES], nll[IMAGES],
            ess[IMAGES], one[IMAGES], four[IMAGES], pareto[IMAGES], x[PIXELS];
        lt_evaluation e = evaluate(
            &f, &(lt_eval_options){.nll_samples = 400, .iwae = groups, .n_iwae = 2, .images = counts[i],
                                   .batch = 7, .neg_elbo_of = neg_elbo, .rate_of = rate,
                                   .distortion_of = distortion, .squared_error_of = squared,
                                   .nll_of = nll, .ess_of = ess, .iwae_of = {one, four},
                                   .pareto_k_of = pareto});
        int n = (int)e.images;
        assert_int_equal(n, counts[i] ? counts[i] : IMAGES);
        for (int k = 0; k < n; k++) {
            read_image(&f, (int)lt_stratified_index(k, n, IMAGES), x);
            assert_near(rate[k], exact_rate(x, log(1.2)), 1e-5);
            assert_near(squared[k], exact_squared_error(x), 1e-5);
            assert_near(nll[k], exact_nll(x), 0.15); /* V / 2 K and 3.5 of its errors */
            assert_near(neg_elbo[k], rate[k] + distortion[k], 1e-12);
            assert_true(ess[k] > 200 && ess[k] <= 400);
            assert_true(pareto[k] < 0.7);
        }
        assert_mean(neg_elbo, n, e.neg_elbo.value);
        assert_mean(rate, n, e.rate.value);
        assert_mean(distortion, n, e.distortion.value);
        assert_mean(squared, n, e.squared_error.value);
        assert_mean(nll, n, e.nll.value);
        assert_mean(ess, n, e.ess);
        assert_mean(one, n, e.bounds[0].value.value);
        assert_mean(four, n, e.bounds[1].value.value);
    }
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tail_keeps_the_largest),
        cmocka_unit_test(tail_is_a_fifth_or_three_roots),
        cmocka_unit_test(shape_of_pareto_quantiles_is_theirs),
        cmocka_unit_test(few_weights_are_drawn_towards_a_half),
        cmocka_unit_test(shapes_of_odd_tails_are_said),
        cmocka_unit_test(groups_are_disjoint_and_full),
        cmocka_unit_test(weights_of_zero_count),
        cmocka_unit_test(bounds_come_down_to_the_truth),
        cmocka_unit_test(bound_of_one_draw_is_the_elbo),
        cmocka_unit_test(shape_is_that_of_the_posterior_s_tails),
        cmocka_unit_test(more_draws_begin_with_the_same),
        cmocka_unit_test(bounds_have_the_same_bits_at_any_number_of_threads),
        cmocka_unit_test(part_of_a_split_is_spread_over_it),
        cmocka_unit_test(places_keep_no_step),
        cmocka_unit_test(impossible_bounds_are_refused),
        cmocka_unit_test(each_image_has_its_own_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
