/* SPDX-License-Identifier: MIT */
/* Diagnosis of codes: densities of mixtures against their formula, information where it is known,
   and models that have collapsed. */
#include "eval/mixture.h"

#include "base/philox.h"
#include "base/status.h"

#include "linear_model.h"

static lt_diagnosis diagnose(const fixture *f, const lt_diagnosis_options *o)
{
    lt_diagnosis d;
    if (lt_diagnose(f->model, f->data, LT_TRAIN, o, &d) != LT_OK)
        fail_msg("%s", lt_last_error());
    return d;
}

/* Every number of a parameter becomes `value`. */
static void fill_param(const fixture *f, const char *name, float value)
{
    float values[LATENT * PIXELS];
    for (int i = 0; i < COUNT_OF(values); i++)
        values[i] = value;
    set_param(f->model, name, values);
}

/* ---- Mixtures ---- */

static float normal_like(int i)
{
    philox_key key = {.seed = 3};
    return 4 * (philox_uniform(philox_word(&key, i)) - 0.5f);
}

static void mixtures_have_the_density_of_their_formula(void **state)
{
    (void)state;
    enum { N = 37, WIDTHS = 3, MOST = 35, DRAWS = 21 };
    const int widths[WIDTHS] = {1, 16, MOST};
    for (int w = 0; w < WIDTHS; w++) {
        int n = widths[w], of[DRAWS];
        float mean[N][MOST], logvar[N][MOST], *z;
        double own[DRAWS], all[DRAWS];
        mixture m;
        assert_int_equal(mixture_init(&m, N, n), LT_OK);
        z = calloc((size_t)(DRAWS * m.stride), sizeof *z);
        for (int i = 0; i < N; i++) {
            for (int k = 0; k < n; k++) {
                mean[i][k] = normal_like(i * n + k);
                logvar[i][k] = normal_like(10000 + i * n + k);
            }
            mixture_set(&m, i, mean[i], logvar[i]);
        }
        for (int i = 0; i < DRAWS; i++)
            for (int k = 0; k < n; k++)
                z[i * m.stride + k] = mean[of[i] = 7 * i % N][k] + normal_like(500 + i + k) / 8;
        mixture_log_probs(&m, DRAWS, z, of, 3, own, all);
        for (int i = 0; i < DRAWS; i++) {
            double sum = 0;
            for (int j = 0; j < N; j++) {
                double l = 0;
                for (int k = 0; k < n; k++) {
                    double d = (double)z[i * m.stride + k] - (double)mean[j][k];
                    double v = exp((double)logvar[j][k]);
                    l -= 0.5 * (d * d / v + log(2 * 3.14159265358979323846 * v));
                }
                if (j == of[i])
                    assert_near(own[i], l, 1e-4);
                sum += exp(l) / N;
            }
            assert_near(all[i], log(sum), 1e-4);
        }
        free(z);
        mixture_clear(&m);
    }
}

/* ---- Latents ---- */

static void units_are_those_of_the_linear_posterior(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 0);
    lt_diagnosis d = diagnose(&f, NULL);
    lt_evaluation e = evaluate(&f, NULL);
    assert_int_equal(d.images, IMAGES);
    assert_int_equal(d.latent, LATENT);
    assert_near(d.rate.value, e.rate.value, 1e-9);
    assert_near(d.rate.se, e.rate.se, 1e-9);
    assert_near(d.units[0].kl + d.units[1].kl, d.rate.value, 1e-4);
    for (int k = 0; k < LATENT; k++) {
        double variance = 1 / (1 + dot(W[k], W[k]) / (SIGMA * SIGMA)), sum = 0, squares = 0;
        for (int i = 0; i < IMAGES; i++) {
            double x[PIXELS];
            read_image(&f, i, x);
            double mean = (dot(W[k], x) - dot(W[k], B)) / (SIGMA * SIGMA) * variance;
            sum += mean;
            squares += mean * mean;
        }
        double spread = squares - sum * sum / IMAGES;
        assert_near(d.units[k].mean, sum / IMAGES, 1e-5);
        assert_near(d.units[k].mean_variance, spread / (IMAGES - 1), 1e-5);
        assert_near(d.units[k].variance, spread / IMAGES + variance, 1e-5);
        assert_true(d.units[k].is_active == (spread / (IMAGES - 1) > 0.01));
    }
    assert_false(d.is_collapsed);
    assert_string_equal(d.reason, "");
    lt_diagnosis_clear(&d);
    fixture_close(&f);
}

/* ---- Information ---- */

/* Posteriors that do not overlap name their image: log n nats. */
static void separate_codes_hold_the_image_s_number(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, -30);
    lt_diagnosis d = diagnose(&f, NULL);
    assert_near(d.most_information, log(IMAGES), 1e-12);
    assert_near(d.mutual_information.value, log(IMAGES), 1e-6);
    assert_near(d.aggregate_kl.value, d.rate.value - log(IMAGES), 1e-6);
    lt_diagnosis_clear(&d);
    d = diagnose(&f, &(lt_diagnosis_options){.images = 9});
    assert_int_equal(d.images, 9);
    assert_near(d.mutual_information.value, log(9), 1e-6);
    lt_diagnosis_clear(&d);
    fixture_close(&f);
}

/* Information is about what it is between two Gaussians: 1/2 sum log(1 + spread / variance), if the
   means were Gaussian, and not more than log n. */
static void information_and_distance_make_up_the_rate(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 0);
    lt_diagnosis d = diagnose(&f, NULL);
    double gaussian = 0;
    for (int k = 0; k < LATENT; k++) {
        double variance = 1 / (1 + dot(W[k], W[k]) / (SIGMA * SIGMA));
        gaussian += 0.5 * log(d.units[k].variance / variance);
    }
    assert_near(d.mutual_information.value, gaussian, 0.1 + 3 * d.mutual_information.se);
    assert_near(d.mutual_information.value + d.aggregate_kl.value, d.rate.value, 1e-9);
    assert_true(d.mutual_information.value > 0 && d.mutual_information.value < log(IMAGES));
    lt_diagnosis_clear(&d);
    fixture_close(&f);
}

/* ---- Collapse ---- */

static void codes_that_ignore_the_image_have_collapsed(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 0);
    fill_param(&f, "posterior.mean.weight", 0);
    fill_param(&f, "posterior.mean.bias", 0);
    fill_param(&f, "posterior.logvar.bias", 0);
    lt_diagnosis d = diagnose(&f, NULL);
    assert_true(d.is_collapsed);
    assert_int_equal(d.active, 0);
    assert_near(d.mutual_information.value, 0, 1e-5);
    assert_non_null(strstr(d.reason, "0 of 2 latents active"));
    assert_non_null(strstr(d.reason, "is the prior for every image"));
    lt_diagnosis_clear(&d);
    fill_param(&f, "posterior.mean.bias", 2); /* a rate of 4 nats for nothing */
    d = diagnose(&f, NULL);
    assert_true(d.is_collapsed);
    assert_near(d.aggregate_kl.value, 4, 1e-4);
    assert_non_null(strstr(d.reason, "the same for every image, and the rate of 4.00 nats"));
    lt_diagnosis_clear(&d);
    fixture_close(&f);
}

static void one_image_alone_is_not_judged(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 0);
    lt_diagnosis d = diagnose(&f, &(lt_diagnosis_options){.images = 1});
    assert_false(d.is_collapsed);
    lt_diagnosis_clear(&d);
    fixture_close(&f);
}

/* ---- Reproducibility and mistakes ---- */

static void diagnosis_has_the_same_bits_at_any_number_of_threads(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 0.3);
    const int threads[] = {1, 2, 3, 8};
    lt_diagnosis first = {0};
    for (int i = 0; i < COUNT_OF(threads); i++) {
        lt_diagnosis d = diagnose(&f, &(lt_diagnosis_options){.threads = threads[i]});
        if (i > 0) {
            assert_memory_equal(&first.rate, &d.rate, sizeof d.rate);
            assert_memory_equal(&first.mutual_information, &d.mutual_information,
                                sizeof d.mutual_information);
            assert_memory_equal(first.units, d.units, LATENT * sizeof *d.units);
        }
        if (i == 0)
            first = d;
        else
            lt_diagnosis_clear(&d);
    }
    lt_diagnosis_clear(&first);
    fixture_close(&f);
}

static bool stop(void *user, double done)
{
    (void)user;
    return done < 0.4;
}

static void diagnosis_can_stop_and_refuses_nonsense(void **state)
{
    (void)state;
    fixture f;
    lt_diagnosis d;
    fixture_open(&f, 0);
    assert_int_equal(lt_diagnose(f.model, f.data, LT_TRAIN,
                                 &(lt_diagnosis_options){.progress = stop}, &d), LT_INTERRUPTED);
    lt_diagnosis_clear(&d);
    assert_int_equal(lt_diagnose(f.model, f.data, LT_TEST,
                                 &(lt_diagnosis_options){.images = -1}, &d), LT_VALUE);
    assert_int_equal(lt_diagnose(f.model, f.data, LT_VALID, NULL, &d), LT_VALUE);
    lt_diagnosis_clear(&d);
    fixture_close(&f);
}

/* ---- Memory ---- */

static bool allow_until(void *user, size_t bytes)
{
    (void)bytes;
    int *left = user;
    return (*left)-- > 0;
}

static void diagnosis_without_memory_fails_and_leaks_nothing(void **state)
{
    (void)state;
    fixture f;
    lt_diagnosis d;
    fixture_open(&f, 0);
    int status = LT_NO_MEMORY, n = 0;
    for (; status == LT_NO_MEMORY && n < 1000; n++) {
        int left = n;
        lt_set_allow_memory(allow_until, &left);
        status = lt_diagnose(f.model, f.data, LT_TRAIN, &(lt_diagnosis_options){.threads = 1}, &d);
        lt_set_allow_memory(NULL, NULL);
        lt_diagnosis_clear(&d);
    }
    assert_int_equal(status, LT_OK);
    assert_true(n > 8); /* its own arrays alone */
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mixtures_have_the_density_of_their_formula),
        cmocka_unit_test(units_are_those_of_the_linear_posterior),
        cmocka_unit_test(separate_codes_hold_the_image_s_number),
        cmocka_unit_test(information_and_distance_make_up_the_rate),
        cmocka_unit_test(codes_that_ignore_the_image_have_collapsed),
        cmocka_unit_test(one_image_alone_is_not_judged),
        cmocka_unit_test(diagnosis_has_the_same_bits_at_any_number_of_threads),
        cmocka_unit_test(diagnosis_can_stop_and_refuses_nonsense),
        cmocka_unit_test(diagnosis_without_memory_fails_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
