/* SPDX-License-Identifier: MIT */
/* Places in the space of codes, and images from codes: quantiles, ways, the codes of samples, draws
   of p(x|z) against the moments of each likelihood. */
#include "check.h"

#include <latent/eval.h>

#include <stdio.h>

/* ---- Quantiles ---- */

/* Values of Python's statistics.NormalDist, the last one of mpmath. */
static void quantiles_are_the_published_ones(void **state)
{
    (void)state;
    static const struct {
        double p, z;
    } cases[] = {{0.05, -1.6448536269514726}, {0.2, -0.8416212335729142},
                 {0.35, -0.3853204664075676}, {0.5, 0},
                 {0.975, 1.9599639845400536}, {1e-4, -3.71901648545568},
                 {0.015625, -2.1538746940614555}, {1e-10, -6.361340902404056},
                 {1e-300, -37.047096299361199}};
    for (int i = 0; i < COUNT_OF(cases); i++) {
        double z = lt_normal_quantile(cases[i].p);
        if (fabs(z - cases[i].z) > 4e-15 * fmax(1, fabs(z)))
            fail_msg("quantile of %g: %.17g, expected %.17g", cases[i].p, z, cases[i].z);
    }
    assert_true(isinf(lt_normal_quantile(0)) && lt_normal_quantile(0) < 0);
    assert_true(isinf(lt_normal_quantile(1)) && lt_normal_quantile(1) > 0);
    assert_true(isnan(lt_normal_quantile(-0.1)) && isnan(lt_normal_quantile(1.1)) &&
                isnan(lt_normal_quantile(NAN)));
}

static void quantiles_undo_the_distribution_function(void **state)
{
    (void)state;
    double last = -INFINITY;
    for (int i = 1; i < 4096; i++) {
        double p = i / 4096.0, z = lt_normal_quantile(p);
        assert_true(z > last);
        assert_true(fabs(0.5 * erfc(-z / sqrt(2)) - p) < 1e-15);
        assert_true(z == -lt_normal_quantile(1 - p));
        last = z;
    }
}

/* ---- Ways ---- */

enum { N = 5 };

static double length(const float *x)
{
    double sum = 0;
    for (int i = 0; i < N; i++)
        sum += (double)x[i] * (double)x[i];
    return sqrt(sum);
}

static void ways_begin_and_end_where_they_should(void **state)
{
    (void)state;
    const float a[N] = {0.1f, -2, 3e-8f, 1e6f, 0.7f}, b[N] = {-0.3f, 2, 5, -1e-6f, 0.7f};
    float out[N];
    for (int round = 0; round < 2; round++) {
        lt_interpolate(N, a, b, 0, round, out);
        assert_memory_equal(out, a, sizeof a);
        lt_interpolate(N, a, b, 1, round, out);
        assert_memory_equal(out, b, sizeof b);
    }
    lt_interpolate(N, a, b, 0.25, false, out);
    for (int i = 0; i < N; i++)
        assert_true(fabs((double)out[i] - (0.75 * (double)a[i] + 0.25 * (double)b[i])) <=
                    1e-7 * fabs((double)out[i]));
}

/* Equal lengths: every place has that length, and its angle to `a` is t of the whole angle. */
static void round_ways_keep_their_length(void **state)
{
    (void)state;
    const float a[N] = {2, 0, 0, 0, 0}, b[N] = {-1, 0, sqrtf(3), 0, 0}; /* 120 degrees apart */
    const double whole = 2 * acos(0.5);
    for (int i = 0; i <= 10; i++) {
        float out[N];
        lt_interpolate(N, a, b, i / 10.0, true, out);
        assert_true(fabs(length(out) - 2) < 1e-6);
        assert_true(fabs(acos(fmin((double)out[0] / 2, 1)) - i / 10.0 * whole) < 1e-6);
    }
}

static void without_a_circle_there_is_the_line(void **state)
{
    (void)state;
    const float zero[N] = {0}, a[N] = {1, 2, 3, 4, 5}, back[N] = {-2, -4, -6, -8, -10},
                twice[N] = {2, 4, 6, 8, 10};
    const float *const others[] = {zero, back, twice};
    for (int i = 0; i < 3; i++) {
        float line[N], round[N];
        lt_interpolate(N, a, others[i], 0.3, false, line);
        lt_interpolate(N, a, others[i], 0.3, true, round);
        assert_memory_equal(line, round, sizeof line);
    }
}

static void a_way_may_be_written_over_its_end(void **state)
{
    (void)state;
    float a[N] = {1, 0, 2, 0, 1}, b[N] = {0, 3, 1, 1, 0}, want[N];
    lt_interpolate(N, a, b, 0.4, true, want);
    lt_interpolate(N, a, b, 0.4, true, b);
    assert_memory_equal(b, want, sizeof b);
}

/* ---- Codes and images ---- */

static lt_model *must_make(const char *text, const char *set)
{
    lt_recipe *r = lt_recipe_parse("test", text, &set, set != NULL);
    lt_model *m = r ? lt_model_create(r, (lt_image_size){4, 4, 1}) : NULL;
    if (!m)
        fail_msg("%s", lt_last_error());
    lt_recipe_free(r);
    return m;
}

static const char vae[] = "name: vae\n"
                          "data: {set: synthetic}\n"
                          "model: {latent: 3, likelihood: bernoulli, encoder: [linear 8, tanh],\n"
                          "  decoder: [linear 8, tanh, linear image]}\n";
static const char gan[] = "name: gan\n"
                          "data: {set: synthetic}\n"
                          "model: {kind: gan, latent: 3, classes: 4,\n"
                          "  generator: [linear 8, relu, linear image, sigmoid],\n"
                          "  discriminator: [linear 4, leaky_relu .2, linear 1]}\n"
                          "objective: {loss: hinge}\n";

enum { IMAGES = 150, LATENT = 3, PIXELS = 16 };

static void samples_are_made_of_the_codes_of_samples(void **state)
{
    (void)state;
    static float z[IMAGES * LATENT], x[IMAGES * PIXELS], want[IMAGES * PIXELS];
    lt_model *m = must_make(vae, NULL);
    assert_int_equal(lt_sample(m, IMAGES, 5, 1, want), LT_OK);
    assert_int_equal(lt_sample_codes(m, IMAGES, 5, 1, z), LT_OK);
    assert_int_equal(lt_decode(m, IMAGES, z, 2, x), LT_OK);
    assert_memory_equal(x, want, sizeof x);
    lt_model_free(m);
}

static void classes_are_decoded_as_they_are_sampled(void **state)
{
    (void)state;
    static float z[IMAGES * LATENT], x[IMAGES * PIXELS], want[IMAGES * PIXELS];
    int32_t labels[IMAGES];
    lt_model *m = must_make(gan, NULL);
    assert_int_equal(lt_sample_codes(m, IMAGES, 5, 1, z), LT_OK);
    for (int i = 0; i < IMAGES; i++)
        labels[i] = i / 5 % 4; /* not the same in every block of 64 */
    assert_int_equal(lt_decode_class(m, IMAGES, z, labels, 2, x), LT_OK);
    for (int label = 0; label < 4; label++) {
        assert_int_equal(lt_sample_class(m, label, IMAGES, 5, 1, want), LT_OK);
        for (int i = 0; i < IMAGES; i++)
            if (labels[i] == label)
                assert_memory_equal(x + i * PIXELS, want + i * PIXELS, sizeof *x * PIXELS);
    }
    labels[7] = 4;
    assert_int_equal(lt_decode_class(m, IMAGES, z, labels, 1, x), LT_VALUE);
    assert_string_equal(lt_last_error(), "expected a class from 0 to 3, found 4");
    assert_int_equal(lt_decode_sample(m, 1, z, 0, 1, x), LT_GRAPH);
    assert_non_null(strstr(lt_last_error(), "a gan has no likelihood to sample images from"));
    lt_model_free(m);
}

/* Means and variances of many draws at one code, against E[x|z] and a formula in it. */

enum { DRAWS = 20000 };

static double variance_of_bits(double mean) { return mean * (1 - mean); }
static double variance_of_normal(double mean) { return (void)mean, 0.3 * 0.3; }
static double variance_of_laplace(double mean) { return (void)mean, 2 * 0.2 * 0.2; }
static double variance_of_start(double mean) { return (void)mean, 0.25 * 0.25; }

/* Of the density e^(l x) on [0, 1], where e^l follows from the mean; near l = 0 it is 1/12. */
static double variance_of_continuous_bits(double mean)
{
    double low = -50, high = 50;
    for (int i = 0; i < 200; i++) {
        double l = (low + high) / 2;
        double at = fabs(l) < 1e-4 ? 0.5 + l / 12 : 1 / (1 - exp(-l)) - 1 / l;
        *(at < mean ? &low : &high) = l;
    }
    double l = (low + high) / 2;
    return fabs(l) < 1e-2 ? 1 / 12.0 : 1 / (l * l) - 1 / (2 * cosh(l) - 2);
}

static void check_draws(const char *likelihood, double (*variance)(double mean))
{
    static float z[DRAWS * LATENT], x[DRAWS * PIXELS], mean[PIXELS];
    char set[80];
    snprintf(set, sizeof set, "model.likelihood=%s", likelihood);
    lt_model *m = must_make(vae, set);
    for (int i = 0; i < DRAWS * LATENT; i++)
        z[i] = (float)(i % LATENT) - 0.7f;
    assert_int_equal(lt_decode(m, 1, z, 1, mean), LT_OK);
    if (lt_decode_sample(m, DRAWS, z, 9, 2, x) != LT_OK)
        fail_msg("%s: %s", likelihood, lt_last_error());
    for (int k = 0; k < PIXELS; k++) {
        double s = 0, ss = 0, want = (double)mean[k], spread = variance(want);
        for (int i = 0; i < DRAWS; i++) {
            double d = (double)x[i * PIXELS + k] - want;
            s += d / DRAWS;
            ss += d * d / DRAWS;
        }
        if (fabs(s) > 5 * sqrt(spread / DRAWS) || fabs(ss / spread - 1) > 0.08)
            fail_msg("%s, pixel %d: mean %g off %g, variance %g, expected %g", likelihood, k, s,
                     want, ss, spread);
    }
    lt_model_free(m);
}

static void draws_have_the_moments_of_the_likelihood(void **state)
{
    (void)state;
    check_draws("bernoulli", variance_of_bits);
    check_draws("continuous_bernoulli", variance_of_continuous_bits);
    check_draws("gaussian sigma=0.3", variance_of_normal);
    check_draws("gaussian sigma=learned", variance_of_start);
    check_draws("gaussian sigma=per_channel", variance_of_start);
    check_draws("laplace scale=0.2", variance_of_laplace);
    check_draws("laplace scale=per_channel", variance_of_start);
}

/* Levels k / 255, within 0 and 1, around a median: half of them on each side. */
static void draws_of_bytes_are_levels(void **state)
{
    (void)state;
    static float z[DRAWS * LATENT], x[DRAWS * PIXELS], median[PIXELS];
    lt_model *m = must_make(vae, "model.likelihood=discretized_logistic scale=0.1");
    assert_int_equal(lt_decode(m, 1, z, 1, median), LT_OK);
    assert_int_equal(lt_decode_sample(m, DRAWS, z, 9, 1, x), LT_OK);
    for (int k = 0; k < PIXELS; k++) {
        int below = 0, above = 0;
        for (int i = 0; i < DRAWS; i++) {
            double level = 255 * (double)x[i * PIXELS + k];
            assert_true(fabs(level - round(level)) < 1e-4 && level > -0.5 && level < 255.5);
            below += x[i * PIXELS + k] < median[k] + 0.002f;
            above += x[i * PIXELS + k] > median[k] - 0.002f;
        }
        assert_true(below > DRAWS / 2 - 400 && above > DRAWS / 2 - 400);
    }
    lt_model_free(m);
}

static void the_first_draws_do_not_depend_on_their_number(void **state)
{
    (void)state;
    static float z[IMAGES * LATENT], x[IMAGES * PIXELS], few[3 * PIXELS];
    lt_model *m = must_make(vae, NULL);
    assert_int_equal(lt_decode_sample(m, IMAGES, z, 2, 2, x), LT_OK);
    assert_int_equal(lt_decode_sample(m, 3, z, 2, 1, few), LT_OK);
    assert_memory_equal(x, few, sizeof few);
    assert_true(memcmp(x, x + 64 * PIXELS, sizeof few) != 0); /* of another block */
    assert_int_equal(lt_decode_sample(m, 3, z, 3, 1, few), LT_OK);
    assert_true(memcmp(x, few, sizeof few) != 0);
    lt_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_the_published_ones),
        cmocka_unit_test(quantiles_undo_the_distribution_function),
        cmocka_unit_test(ways_begin_and_end_where_they_should),
        cmocka_unit_test(round_ways_keep_their_length),
        cmocka_unit_test(without_a_circle_there_is_the_line),
        cmocka_unit_test(a_way_may_be_written_over_its_end),
        cmocka_unit_test(samples_are_made_of_the_codes_of_samples),
        cmocka_unit_test(classes_are_decoded_as_they_are_sampled),
        cmocka_unit_test(draws_have_the_moments_of_the_likelihood),
        cmocka_unit_test(draws_of_bytes_are_levels),
        cmocka_unit_test(the_first_draws_do_not_depend_on_their_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
