/* SPDX-License-Identifier: MIT */
/* Diagnosis of codes: densities of mixtures against their formula, information where it is known,
   and models that have collapsed. */
#include "eval/mixture.h"

#include "base/philox.h"
#include "base/status.h"

#include "linear_model.h"
#include "scratch.h"

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
    assert_true(d.has_parts);
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

/* Every other image is black, the rest differ, and posteriors hardly have any width: a black
   image's code says log 2, another's log n. Draws of half of the images are of both kinds alike. */
static void draws_keep_no_step_with_the_order_of_images(void **state)
{
    (void)state;
    enum { FEW = 8000 };
    float *x = calloc(FEW * PIXELS, sizeof *x);
    fixture f;
    fixture_open(&f, -30);
    for (int i = 1; i < FEW; i += 2)
        x[i * PIXELS + 1] = (float)i / FEW;
    assert_int_equal(lt_npy_write(in_dir("turns.npy"), x, 3, (int64_t[]){FEW, HEIGHT, WIDTH}),
                     LT_OK);
    free(x);
    lt_dataset_free(f.data);
    assert_int_equal(lt_dataset_open(in_dir("turns.npy"), NULL, &f.data), LT_OK);
    lt_diagnosis d = diagnose(&f, NULL);
    double want = (log(2) + log(FEW)) / 2, step = (log(FEW) - log(2)) / 2;
    assert_near(d.mutual_information.value, want, 4 * step / sqrt(4000));
    assert_near(d.mutual_information.se, step / sqrt(4000), 0.01 * step);
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

/* ---- Other priors, and two layers: one latent each, so that integrals are sums over a grid ---- */

enum { MANY = 400 };
static const double log_2pi = 1.8378770664093454836, grid_step = 0.01, grid_end = 15;

#define ONE_LATENT                                                                                 \
    "data: {set: synthetic}\nmodel:\n  latent: 1\n  likelihood: gaussian sigma=0.5\n"              \
    "  encoder: []\n  decoder: [linear image]\n"

typedef struct param_value {
    const char *name;
    float values[PIXELS];
} param_value;

/* A model of `words` on MANY images, with these parameters; means are scale (sum of +- x) + 0.2. */
static void open_one_latent(fixture *f, const char *words, double scale, double variance,
                            const param_value *params, int n)
{
    lt_recipe *r = lt_recipe_parse("one", words, NULL, 0);
    f->model = r ? lt_model_create(r, (lt_image_size){HEIGHT, WIDTH, 1}) : NULL;
    if (!f->model)
        fail_msg("%s", lt_last_error());
    lt_recipe_free(r);
    assert_int_equal(lt_dataset_synthetic(MANY, HEIGHT, WIDTH, 1, NULL, &f->data), LT_OK);
    float weight[PIXELS], zeros[PIXELS] = {0};
    for (int i = 0; i < PIXELS; i++)
        weight[i] = (float)(i % 2 ? -scale : 2 * scale);
    set_param(f->model, "posterior.mean.weight", weight);
    set_param(f->model, "posterior.mean.bias", (float[]){(float)(0.2 * scale)});
    set_param(f->model, "posterior.logvar.weight", zeros);
    set_param(f->model, "posterior.logvar.bias", (float[]){(float)log(variance)});
    for (int i = 0; i < n; i++)
        set_param(f->model, params[i].name, params[i].values);
}

static double log_normal(double z, double mean, double variance)
{
    return -0.5 * (log_2pi + log(variance) + (z - mean) * (z - mean) / variance);
}

/* By integrals over z: I(x; z) = 1/n sum KL(q(z|x) || q(z)), and the mean over q(z) of log q(z) -
   log_p(z). */
static void integrate(const fixture *f, double variance, double (*log_p)(double z),
                      double *information, double *distance)
{
    float x[MANY * PIXELS], mean[MANY];
    int32_t index[MANY];
    for (int i = 0; i < MANY; i++)
        index[i] = i;
    assert_int_equal(lt_dataset_gather(f->data, LT_TRAIN, index, MANY, 0, 1, x), LT_OK);
    assert_int_equal(lt_encode(f->model, MANY, x, 1, mean, NULL), LT_OK);
    *information = *distance = 0;
    for (double z = -grid_end; z < grid_end; z += grid_step) {
        double q = 0, q_log_q = 0;
        for (int i = 0; i < MANY; i++) {
            double l = log_normal(z, (double)mean[i], variance);
            q += exp(l) / MANY;
            q_log_q += exp(l) * l / MANY;
        }
        if (q == 0)
            continue;
        *information += grid_step * (q_log_q - q * log(q));
        *distance += grid_step * q * (log(q) - log_p(z));
    }
}

static void check_integrals(const fixture *f, double variance, double (*log_p)(double z))
{
    double information, distance;
    integrate(f, variance, log_p, &information, &distance);
    lt_diagnosis d = diagnose(f, NULL);
    assert_near(d.mutual_information.value, information, 4 * d.mutual_information.se);
    assert_near(d.aggregate_kl.value, distance, 4 * d.aggregate_kl.se);
    assert_near(d.rate.value, information + distance, 4 * d.rate.se + 4 * d.aggregate_kl.se);
    assert_true(d.mutual_information.se < 0.1 && d.aggregate_kl.se < 0.1 * distance);
    assert_false(d.has_parts);
    assert_true(isnan(d.units[0].kl));
    lt_diagnosis_clear(&d);
}

static double log_two_normals(double z)
{
    double first = 1 / (1 + exp(-0.4)); /* its weight, from logits 0.4 and 0 */
    return log(first * exp(log_normal(z, -1.5, exp(0.3))) +
               (1 - first) * exp(log_normal(z, 1, exp(-0.5))));
}

static void codes_are_held_against_the_prior_there_is(void **state)
{
    (void)state;
    static const param_value params[] = {{"mixture.mean", {-1.5f, 1}},
                                         {"mixture.logvar", {0.3f, -0.5f}},
                                         {"mixture.logits", {0.4f, 0}}};
    fixture f;
    open_one_latent(&f, ONE_LATENT "  prior: mixture 2\n", 1, 0.3, params, COUNT_OF(params));
    check_integrals(&f, 0.3, log_two_normals);
    fixture_close(&f);
}

/* The mean over z2 from q(z2|z) = N(0.7 z - 0.1, 0.4) of log p(z2) p(z|z2) - log q(z2|z), where
   p(z|z2) = N(0.9 z2 + 0.3, 0.6). */
static double log_two_layers(double z)
{
    double mean = 0.7 * z - 0.1, off = z - 0.9 * mean - 0.3;
    double prior2 = -0.5 * (log_2pi + mean * mean + 0.4);
    double prior = -0.5 * (log_2pi + log(0.6) + (off * off + 0.81 * 0.4) / 0.6);
    return prior2 + prior + 0.5 * (log_2pi + 1 + log(0.4));
}

static void two_layers_are_held_against_both(void **state)
{
    (void)state;
    const param_value params[] = {
        {"posterior2.mean.weight", {0.7f}}, {"posterior2.mean.bias", {-0.1f}},
        {"posterior2.logvar.weight", {0}},  {"posterior2.logvar.bias", {(float)log(0.4)}},
        {"prior.mean.weight", {0.9f}},      {"prior.mean.bias", {0.3f}},
        {"prior.logvar.weight", {0}},       {"prior.logvar.bias", {(float)log(0.6)}}};
    fixture f;
    open_one_latent(&f, ONE_LATENT "  latent2: 1\n  encoder2: []\n  decoder2: []\n", 1, 0.3, params,
                    COUNT_OF(params));
    check_integrals(&f, 0.3, log_two_layers);
    fixture_close(&f);
}

/* A prior that is trained has no unit of length: codes a hundred times smaller say as much. */
static void activity_does_not_depend_on_the_unit_of_codes(void **state)
{
    (void)state;
    static const double scales[] = {1, 0.01};
    lt_diagnosis d[2];
    for (int i = 0; i < 2; i++) {
        const param_value params[] = {{"mixture.mean", {0}},
                                      {"mixture.logvar", {(float)log(scales[i] * scales[i])}}};
        fixture f;
        open_one_latent(&f, ONE_LATENT "  prior: mixture 1\n", 0.3 * scales[i],
                        0.5 * scales[i] * scales[i], params, 2);
        d[i] = diagnose(&f, NULL);
        fixture_close(&f);
    }
    assert_near(d[1].mutual_information.value, d[0].mutual_information.value, 1e-3);
    assert_true(d[1].mutual_information.value > 0.1 && d[1].mutual_information.value < 0.5);
    assert_true(d[1].units[0].mean_variance < 0.01);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(d[i].active, 1);
        assert_false(d[i].is_collapsed);
        lt_diagnosis_clear(&d[i]);
    }
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
        lt_diagnosis d = diagnose(&f, &(lt_diagnosis_options){.run.threads = threads[i]});
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
                                 &(lt_diagnosis_options){.run.progress = stop}, &d), LT_INTERRUPTED);
    lt_diagnosis_clear(&d);
    assert_int_equal(lt_diagnose(f.model, f.data, LT_TEST,
                                 &(lt_diagnosis_options){.images = -1}, &d), LT_VALUE);
    assert_int_equal(lt_diagnose(f.model, f.data, LT_VALID, NULL, &d), LT_VALUE);
    lt_diagnosis_clear(&d);
    fixture_close(&f);
}

/* ---- Memory ---- */

static bool allow_until(void *user, size_t size)
{
    (void)size;
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
        status = lt_diagnose(f.model, f.data, LT_TRAIN, &(lt_diagnosis_options){.run.threads = 1}, &d);
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
        cmocka_unit_test(draws_keep_no_step_with_the_order_of_images),
        cmocka_unit_test(information_and_distance_make_up_the_rate),
        cmocka_unit_test(codes_are_held_against_the_prior_there_is),
        cmocka_unit_test(two_layers_are_held_against_both),
        cmocka_unit_test(activity_does_not_depend_on_the_unit_of_codes),
        cmocka_unit_test(codes_that_ignore_the_image_have_collapsed),
        cmocka_unit_test(one_image_alone_is_not_judged),
        cmocka_unit_test(diagnosis_has_the_same_bits_at_any_number_of_threads),
        cmocka_unit_test(diagnosis_can_stop_and_refuses_nonsense),
        cmocka_unit_test(diagnosis_without_memory_fails_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
