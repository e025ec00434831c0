/* SPDX-License-Identifier: MIT */
/* Evaluation against a model whose likelihood is known. */
#include <latent/eval.h>

#include "base/status.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data_files.h"
#include "linear_model.h"

/* ---- Likelihood ---- */

/* With the true posterior all samples have the same weight: exact with any K, batch and partly filled run. */
static void nll_is_exact_from_the_true_posterior(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 0);
    lt_estimate expected = exact_nlls(&f);
    const int samples[] = {1, 2, 7, 200}, batches[] = {0, 1, 20, 53, 1000};
    for (int i = 0; i < COUNT_OF(samples); i++)
        for (int k = 0; k < COUNT_OF(batches); k++)
            for (int x = LT_CPU; x <= LT_REFERENCE; x++) {
                if (x == LT_REFERENCE && (i == 3 || k == 1))
                    continue; /* slow */
                lt_evaluation e = evaluate(&f, &(lt_eval_options){.nll_samples = samples[i],
                                                                  .batch = batches[k],
                                                                  .run.executor = (lt_executor)x});
                assert_int_equal(e.images, IMAGES);
                assert_int_equal(e.nll_samples, samples[i]);
                assert_near(e.nll.value, expected.value, 1e-4);
                assert_near(e.nll.se, expected.se, 1e-5);
                assert_near(e.ess, samples[i], 1e-3 * samples[i]);
            }
    fixture_close(&f);
}

/* With a posterior that is too wide the estimate is above the truth, and closer with larger K. */
static void nll_comes_down_to_the_truth(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 1);
    double truth = exact_nlls(&f).value, last = INFINITY;
    for (int k = 1; k <= 1000; k *= 10) {
        lt_evaluation e = evaluate(&f, &(lt_eval_options){.nll_samples = k});
        assert_true(e.nll.value > truth - 0.02 && e.nll.value < last);
        assert_true(e.ess >= 1 && e.ess < k + 0.5);
        assert_true(e.neg_elbo.value > truth);
        last = e.nll.value;
    }
    assert_near(last, truth, 4 * 0.0042); /* the deviation of 40 seeds */
    fixture_close(&f);
}

/* ---- The bound ---- */

static void elbo_is_the_likelihood_at_the_true_posterior(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 0);
    double truth = exact_nlls(&f).value, mean = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        lt_evaluation e = evaluate(&f, &(lt_eval_options){.seed = seed});
        assert_near(e.neg_elbo.value, e.rate.value + e.distortion.value, 1e-5);
        mean += e.neg_elbo.value / 100;
        assert_int_equal(e.nll_samples, 0);
    }
    assert_near(mean, truth, 0.05);
    fixture_close(&f);
}

static void rate_and_squared_error_are_exact(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 0);
    double rate = 0, error = 0, x[PIXELS];
    for (int i = 0; i < IMAGES; i++) {
        double y[PIXELS];
        read_image(&f, i, x);
        memcpy(y, B, sizeof y);
        for (int k = 0; k < LATENT; k++) {
            double variance = 1 / (1 + dot(W[k], W[k]) / (SIGMA * SIGMA));
            double mean = (dot(W[k], x) - dot(W[k], B)) / (SIGMA * SIGMA) * variance;
            rate += 0.5 * (mean * mean + variance - 1 - log(variance)) / IMAGES;
            for (int p = 0; p < PIXELS; p++)
                y[p] += W[k][p] * mean;
        }
        for (int p = 0; p < PIXELS; p++)
            error += (x[p] - y[p]) * (x[p] - y[p]) / IMAGES;
    }
    lt_evaluation e = evaluate(&f, NULL);
    assert_near(e.rate.value, rate, 1e-5);
    assert_near(e.sigma, SIGMA, 0);
    assert_near(e.squared_error.value, error, 1e-5);
    assert_near(e.bits_per_dim.value, e.neg_elbo.value / (log(2) * PIXELS), 1e-9);
    fixture_close(&f);
}

/* ---- What the numbers are of ---- */

/* A model of a likelihood's line, evaluated on d. */
static lt_evaluation evaluate_line(const char *line, lt_dataset *d)
{
    lt_evaluation e;
    char set[80];
    snprintf(set, sizeof set, "model.likelihood=%s", line);
    lt_recipe *r = lt_recipe_parse("linear", recipe_text, (const char *[]){set}, 1);
    if (!r)
        fail_msg("%s", lt_last_error());
    lt_model *m = lt_model_create(r, (lt_image_size){HEIGHT, WIDTH, 1});
    lt_recipe_free(r);
    assert_int_equal(lt_evaluate(m, d, LT_TRAIN, NULL, &e), LT_OK);
    assert_near(e.bits_per_dim.value, e.neg_elbo.value / (log(2) * PIXELS), 1e-9);
    lt_model_free(m);
    return e;
}

static lt_dataset *fractions(void)
{
    float x[4 * PIXELS];
    for (int i = 0; i < COUNT_OF(x); i++)
        x[i] = (float)i / COUNT_OF(x);
    put_npy("train.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (4, 3, 2)}", x,
            sizeof x);
    return must_open(in_dir(""), NULL);
}

/* Bits as bytes: from a likelihood of bytes, or from a density on bytes with 8 added. */
static void bits_say_what_they_are_of(void **state)
{
    (void)state;
    enum { GRAY, BITS, FRACTIONS, KINDS };
    const double nothing = (double)NAN;
    const struct {
        const char *line;
        int data;
        lt_unit unit;
        double more; /* as bytes; NaN: not given */
    } cases[] = {
        {"bernoulli", GRAY, LT_CROSS_ENTROPY, nothing},
        {"bernoulli", BITS, LT_DISCRETE, nothing},
        {"bernoulli", FRACTIONS, LT_CROSS_ENTROPY, nothing},
        {"gaussian", GRAY, LT_DENSITY, 8},
        {"gaussian", BITS, LT_DENSITY, nothing},
        {"gaussian", FRACTIONS, LT_DENSITY, nothing},
        {"gaussian 0.008", GRAY, LT_DENSITY, 8},
        {"gaussian 0.0078", GRAY, LT_DENSITY, nothing}, /* 1.99 levels */
        {"laplace", GRAY, LT_DENSITY, 8},
        {"continuous_bernoulli", GRAY, LT_DENSITY, nothing},
        {"discretized_logistic", GRAY, LT_DISCRETE, 0},
        {"discretized_logistic", FRACTIONS, LT_DISCRETE, 0},
    };
    lt_dataset *data[KINDS] = {[FRACTIONS] = fractions()};
    lt_data_options bits = {.binarize = LT_BINARIZE_THRESHOLD};
    assert_int_equal(lt_dataset_synthetic(IMAGES, HEIGHT, WIDTH, 1, NULL, &data[GRAY]), LT_OK);
    assert_int_equal(lt_dataset_synthetic(IMAGES, HEIGHT, WIDTH, 1, &bits, &data[BITS]), LT_OK);
    for (int i = 0; i < COUNT_OF(cases); i++) {
        lt_evaluation e = evaluate_line(cases[i].line, data[cases[i].data]);
        assert_string_equal(lt_unit_name(e.unit), lt_unit_name(cases[i].unit));
        assert_int_equal(e.is_bytes, cases[i].data != FRACTIONS);
        if (isnan(cases[i].more))
            assert_true(isnan(e.bits_as_bytes.value));
        else {
            assert_near(e.bits_as_bytes.value, e.bits_per_dim.value + cases[i].more, 1e-12);
            assert_near(e.bits_as_bytes.se, e.bits_per_dim.se, 0);
        }
    }
    for (int i = 0; i < KINDS; i++)
        lt_dataset_free(data[i]);
}

/* ---- Reproducibility ---- */

static void same_bits_at_any_number_of_threads(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 0.3);
    const int threads[] = {1, 2, 3, 4, 8};
    lt_evaluation first = {0};
    for (int i = 0; i < COUNT_OF(threads); i++) {
        lt_evaluation e = evaluate(&f, &(lt_eval_options){.nll_samples = 30, .batch = 20,
                                                          .run.threads = threads[i], .seed = 4});
        e.seconds = 0;
        if (i == 0)
            first = e;
        assert_memory_equal(&first.neg_elbo, &e.neg_elbo, sizeof e.neg_elbo);
        assert_memory_equal(&first.nll, &e.nll, sizeof e.nll);
        assert_memory_equal(&first.ess, &e.ess, sizeof e.ess);
    }
    fixture_close(&f);
}

static void elbo_does_not_depend_on_samples_but_on_seed(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 0.3);
    lt_evaluation a = evaluate(&f, NULL), b = evaluate(&f, &(lt_eval_options){.nll_samples = 9}),
                  c = evaluate(&f, &(lt_eval_options){.seed = 1});
    assert_memory_equal(&a.neg_elbo, &b.neg_elbo, sizeof a.neg_elbo);
    assert_true(fabs(a.neg_elbo.value - c.neg_elbo.value) > 1e-6);
    fixture_close(&f);
}

/* ---- Mistakes and progress ---- */

static void progress_reaches_one_and_can_stop(void **state)
{
    (void)state;
    fixture f;
    progress p = {0};
    lt_evaluation e;
    fixture_open(&f, 0);
    lt_eval_options o = {.nll_samples = 70, .batch = 20, .run = {.progress = count_progress, .user = &p}};
    evaluate(&f, &o);
    assert_near(p.last, 1, 1e-12);
    p = (progress){.stop_at = 2};
    assert_int_equal(lt_evaluate(f.model, f.data, LT_TRAIN, &o, &e), LT_INTERRUPTED);
    assert_int_equal(p.calls, 2);
    fixture_close(&f);
}

static void other_images_and_empty_splits_are_refused(void **state)
{
    (void)state;
    fixture f;
    lt_evaluation e;
    lt_dataset *other;
    fixture_open(&f, 0);
    assert_int_equal(lt_evaluate(f.model, f.data, LT_VALID, NULL, &e), LT_VALUE);
    assert_non_null(strstr(lt_last_error(), "valid"));
    assert_int_equal(lt_dataset_synthetic(5, 4, 4, 1, NULL, &other), LT_OK);
    assert_int_equal(lt_evaluate(f.model, other, LT_TRAIN, NULL, &e), LT_VALUE);
    assert_non_null(strstr(lt_last_error(), "4 x 4 x 1"));
    lt_dataset_free(other);
    fixture_close(&f);
}

/* ---- Images and codes ---- */

static void codes_and_images_are_the_model_s(void **state)
{
    (void)state;
    fixture f;
    float x[3 * PIXELS], y[3 * PIXELS], again[3 * PIXELS], mean[3 * LATENT], logvar[3 * LATENT];
    fixture_open(&f, 0);
    assert_int_equal(lt_dataset_gather(f.data, LT_TRAIN, (int32_t[]){5, 0, 9}, 3, 0, 1, x), LT_OK);
    assert_int_equal(lt_encode(f.model, 3, x, 0, mean, logvar), LT_OK);
    assert_int_equal(lt_decode(f.model, 3, mean, 0, y), LT_OK);
    assert_int_equal(lt_reconstruct(f.model, 3, x, 0, again), LT_OK);
    for (int n = 0; n < 3; n++)
        for (int i = 0; i < PIXELS; i++) {
            double expected = B[i];
            for (int k = 0; k < LATENT; k++)
                expected += W[k][i] * (double)mean[n * LATENT + k];
            assert_near((double)y[n * PIXELS + i], expected, 1e-6);
            assert_near((double)again[n * PIXELS + i], expected, 1e-6);
        }
    double variance = 1 / (1 + dot(W[1], W[1]) / (SIGMA * SIGMA));
    assert_near((double)logvar[1], log(variance), 1e-6);
    fixture_close(&f);
}

static void samples_have_the_model_s_moments(void **state)
{
    (void)state;
    enum { N = 20000 };
    fixture f;
    float *x = malloc(sizeof *x * N * PIXELS), few[70 * PIXELS];
    double mean[PIXELS] = {0}, square[PIXELS] = {0};
    fixture_open(&f, 0);
    assert_int_equal(lt_sample(f.model, N, 3, 0, x), LT_OK);
    assert_int_equal(lt_sample(f.model, 70, 3, 1, few), LT_OK);
    assert_memory_equal(x, few, sizeof few);
    for (int n = 0; n < N; n++)
        for (int i = 0; i < PIXELS; i++) {
            double d = (double)x[n * PIXELS + i] - B[i];
            mean[i] += d / N;
            square[i] += d * d / N;
        }
    for (int i = 0; i < PIXELS; i++) {
        double expected = W[0][i] * W[0][i] + W[1][i] * W[1][i];
        assert_near(mean[i], 0, 5 * sqrt(expected / N) + 1e-6);
        assert_near(square[i], expected, 5 * expected * sqrt(2.0 / N) + 1e-6);
    }
    free(x);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nll_is_exact_from_the_true_posterior),
        cmocka_unit_test(nll_comes_down_to_the_truth),
        cmocka_unit_test(elbo_is_the_likelihood_at_the_true_posterior),
        cmocka_unit_test(rate_and_squared_error_are_exact),
        cmocka_unit_test_setup_teardown(bits_say_what_they_are_of, make_data_dir, remove_dir),
        cmocka_unit_test(same_bits_at_any_number_of_threads),
        cmocka_unit_test(elbo_does_not_depend_on_samples_but_on_seed),
        cmocka_unit_test(progress_reaches_one_and_can_stop),
        cmocka_unit_test(other_images_and_empty_splits_are_refused),
        cmocka_unit_test(codes_and_images_are_the_model_s),
        cmocka_unit_test(samples_have_the_model_s_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
