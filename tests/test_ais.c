/* SPDX-License-Identifier: MIT */
/* Annealed importance sampling against a model whose likelihood is known, and against importance
   sampling where it is not. */
#include "base/status.h"

#include "linear_model.h"

static lt_ais_result anneal(const fixture *f, const lt_ais_options *o)
{
    lt_ais_result r;
    if (lt_ais(f->model, f->data, LT_TRAIN, o, &r) != LT_OK)
        fail_msg("%s", lt_last_error());
    return r;
}

/* The mean of found - -log p(x) over the images, and its standard error. */
static lt_estimate difference(const fixture *f, const double *found)
{
    double sum = 0, squares = 0, x[PIXELS];
    for (int i = 0; i < IMAGES; i++) {
        read_image(f, i, x);
        double d = found[i] - exact_nll(x);
        sum += d / IMAGES;
        squares += d * d / IMAGES;
    }
    return (lt_estimate){sum, sqrt((squares - sum * sum) / (IMAGES - 1))};
}

/* ---- Likelihood ---- */

static void estimates_are_within_their_errors_of_the_truth(void **state)
{
    (void)state;
    const lt_ais_options cases[] = {{.chains = 16, .steps = 100},
                                    {.chains = 40, .steps = 30, .leapfrogs = 5}, /* in batches */
                                    {.chains = 16, .steps = 100, .from_posterior = true},
                                    {.chains = 3, .steps = 60, .leapfrogs = 1,
                                     .from_posterior = true}};
    const double errors[] = {-1, 0.7}; /* q too narrow, where importance samples fail; too wide */
    for (int k = 0; k < COUNT_OF(errors); k++) {
        fixture f;
        fixture_open(&f, errors[k]);
        for (int i = 0; i < COUNT_OF(cases); i++) {
            double of[IMAGES], ess[IMAGES], mean = 0, mean_ess = 0;
            lt_ais_options o = cases[i];
            o.nll_of = of;
            o.ess_of = ess;
            lt_ais_result r = anneal(&f, &o);
            lt_estimate d = difference(&f, of);
            /* the logarithm of a mean is low by about var / 2 n */
            double bias = (1 / r.ess - 1. / r.chains) / 2;
            assert_near(d.value, bias, 3 * d.se + 1e-4);
            for (int j = 0; j < IMAGES; j++) {
                mean += of[j] / IMAGES;
                mean_ess += ess[j] / IMAGES;
                assert_true(ess[j] >= 1 && ess[j] <= r.chains + 1e-9);
            }
            assert_near(r.nll.value, mean, 1e-9);
            assert_near(r.ess, mean_ess, 1e-9);
            assert_int_equal(r.images, IMAGES);
        }
        fixture_close(&f);
    }
}

/* One model, every estimate of -log p(x): each within three errors of what it should be, and the
   bounds in their order. var(w) / E[w]^2 = V = r^2 / (2 r - 1) - 1 with two latents whose variance is r
   times the posterior's; the logarithm of a mean of K weights is low by V / 2 K. */
static void estimates_of_every_kind_agree(void **state)
{
    (void)state;
    enum { KS = 4 };
    const int ks[] = {10, 100, 1000, 5000}, nested[] = {1, 10, 100, 1000, 5000};
    const double r = 1.5, v = r * r / (2 * r - 1) - 1;
    double of[IMAGES], last = HUGE_VAL;
    fixture f;
    fixture_open(&f, log(r));
    for (int i = 0; i < KS; i++) {
        lt_evaluation e = evaluate(&f, &(lt_eval_options){.nll_samples = ks[i], .nll_of = of,
                                                          .iwae = nested, .n_iwae = i + 2});
        lt_estimate d = difference(&f, of);
        assert_near(d.value, v / (2 * ks[i]), 3 * d.se);
        for (int j = 1; j < e.n_bounds; j++) /* of the same draws: Jensen's inequality */
            assert_true(e.bounds[j].value.value < e.bounds[j - 1].value.value);
        assert_true(e.bounds[0].value.value > e.nll.value - d.value); /* the truth */
        assert_true(d.se < last); /* more draws, smaller errors */
        last = d.se;
    }
    for (int from = 0; from < 2; from++) {
        double annealed[IMAGES];
        anneal(&f, &(lt_ais_options){.chains = 16, .steps = 300, .from_posterior = from == 1,
                                     .nll_of = annealed});
        lt_estimate d = difference(&f, annealed);
        assert_near(d.value, 0, 3 * d.se);
    }
    fixture_close(&f);
}

/* The mean weight is p(x) however few the steps: what transitions must not spoil. */
static void weights_are_unbiased(void **state)
{
    (void)state;
    enum { SEEDS = 60 };
    fixture f;
    fixture_open(&f, 0.5);
    for (int steps = 1; steps <= 8; steps += 7) {
        double sum = 0, squares = 0, x[PIXELS], n = SEEDS * IMAGES;
        for (uint64_t seed = 0; seed < SEEDS; seed++) {
            double of[IMAGES];
            anneal(&f, &(lt_ais_options){.chains = 1, .steps = steps, .seed = seed, .nll_of = of,
                                         .from_posterior = true});
            for (int i = 0; i < IMAGES; i++) {
                read_image(&f, i, x);
                double w = exp(exact_nll(x) - of[i]);
                sum += w;
                squares += w * w;
            }
        }
        double mean = sum / n, deviation = sqrt(squares / n - mean * mean);
        assert_near(mean, 1, 3.5 * deviation / sqrt(n));
        assert_true(deviation > (steps == 1 ? 0.1 : 0.03)); /* there is something to spoil */
    }
    fixture_close(&f);
}

static void steps_are_adapted_and_weights_grow_even(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 0.7);
    double last = 0;
    for (int steps = 1; steps <= 400; steps *= 20) {
        lt_ais_result r = anneal(&f, &(lt_ais_options){.chains = 10, .steps = steps});
        assert_int_equal(r.chains, 10);
        assert_int_equal(r.steps, steps);
        assert_true(r.ess > last && r.ess <= 10);
        last = r.ess;
        if (steps == 400)
            assert_near(r.acceptance, 0.65, 0.03);
    }
    assert_true(last > 9);
    fixture_close(&f);
}

static const char bits_text[] = "name: bits\n"
                                "data: {set: synthetic}\n"
                                "model:\n"
                                "  latent: 3\n"
                                "  likelihood: bernoulli\n"
                                "  encoder: [linear 8, tanh]\n"
                                "  decoder: [linear 8, tanh, linear image]\n";

/* A nonlinear decoder and a prior of several modes: the two ways of estimating agree. */
static void compare_on_a_network(const char *prior)
{
    fixture f;
    double is[IMAGES], ais[IMAGES], sum = 0, squares = 0;
    lt_recipe *r = lt_recipe_parse("bits", bits_text, &prior, 1);
    if (!r)
        fail_msg("%s", lt_last_error());
    f.model = lt_model_create(r, (lt_image_size){HEIGHT, WIDTH, 1});
    lt_recipe_free(r);
    lt_data_options bits = {.binarize = LT_BINARIZE_THRESHOLD};
    assert_int_equal(lt_dataset_synthetic(IMAGES, HEIGHT, WIDTH, 1, &bits, &f.data), LT_OK);
    float *block = lt_params_block(lt_model_params(f.model));
    for (int64_t i = 0; i < lt_params_extent(lt_model_params(f.model)); i++)
        block[i] *= 3; /* so that x says something about z */
    const float zeros[3 * 8] = {0}; /* and q is the prior */
    const char *heads[] = {"mean.weight", "mean.bias", "logvar.weight", "logvar.bias"};
    for (int i = 0; i < COUNT_OF(heads); i++) {
        char name[64];
        snprintf(name, sizeof name, "posterior.%s", heads[i]);
        set_param(f.model, name, zeros);
    }
    lt_evaluation e = evaluate(&f, &(lt_eval_options){.nll_samples = 5000, .nll_of = is});
    anneal(&f, &(lt_ais_options){.chains = 16, .steps = 100, .nll_of = ais});
    for (int i = 0; i < IMAGES; i++) {
        sum += (ais[i] - is[i]) / IMAGES;
        squares += (ais[i] - is[i]) * (ais[i] - is[i]) / IMAGES;
    }
    assert_true(e.neg_elbo.value > e.nll.value + 0.1);
    assert_near(sum, 0, 3 * sqrt((squares - sum * sum) / (IMAGES - 1)));
    fixture_close(&f);
}

static void importance_samples_agree_on_networks(void **state)
{
    (void)state;
    compare_on_a_network("model.prior=normal");
    compare_on_a_network("model.prior=mixture 3");
}

/* ---- Reproducibility ---- */

static void chains_have_the_same_bits_at_any_number_of_threads(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 0.3);
    const int threads[] = {1, 2, 3, 8};
    lt_ais_result first = {0};
    for (int i = 0; i < COUNT_OF(threads); i++) {
        lt_ais_result r = anneal(&f, &(lt_ais_options){.chains = 30, .steps = 20, .seed = 4,
                                                       .run.threads = threads[i]});
        r.seconds = 0;
        if (i == 0)
            first = r;
        assert_memory_equal(&first.nll, &r.nll, sizeof r.nll);
        assert_memory_equal(&first.ess, &r.ess, 3 * sizeof r.ess);
    }
    lt_ais_result other = anneal(&f, &(lt_ais_options){.chains = 30, .steps = 20, .seed = 5});
    assert_true(fabs(other.nll.value - first.nll.value) > 1e-6);
    fixture_close(&f);
}

static void executors_agree(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 0.3);
    lt_ais_options o = {.chains = 4, .steps = 1, .images = 5};
    lt_ais_result a = anneal(&f, &o);
    o.run.executor = LT_REFERENCE;
    lt_ais_result b = anneal(&f, &o);
    assert_int_equal(b.images, 5);
    assert_near(a.nll.value, b.nll.value, 1e-4);
    fixture_close(&f);
}

/* ---- Mistakes and progress ---- */

static void progress_reaches_one_and_can_stop(void **state)
{
    (void)state;
    fixture f;
    progress p = {0};
    lt_ais_result r;
    fixture_open(&f, 0);
    lt_ais_options o = {.chains = 50, .steps = 5, .run = {.progress = count_progress, .user = &p}};
    anneal(&f, &o);
    assert_near(p.last, 1, 1e-12);
    p = (progress){.stop_at = 3};
    assert_int_equal(lt_ais(f.model, f.data, LT_TRAIN, &o, &r), LT_INTERRUPTED);
    assert_int_equal(p.calls, 3);
    fixture_close(&f);
}

static void impossible_annealing_is_refused(void **state)
{
    (void)state;
    const lt_ais_options cases[] = {{.chains = -1}, {.steps = -1}, {.leapfrogs = -1},
                                    {.images = -1}, {.chains = 1000000}};
    fixture f;
    lt_ais_result r;
    fixture_open(&f, 0);
    for (int i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(lt_ais(f.model, f.data, LT_TRAIN, &cases[i], &r), LT_VALUE);
    assert_int_equal(lt_ais(f.model, f.data, LT_VALID, NULL, &r), LT_VALUE);
    fixture_close(&f);
}

/* ---- Memory ---- */

static bool allow_until(void *user, size_t bytes)
{
    (void)bytes;
    int *left = user;
    return (*left)-- > 0;
}

static void annealing_without_memory_fails_and_leaks_nothing(void **state)
{
    (void)state;
    fixture f;
    lt_ais_result r;
    fixture_open(&f, 0);
    int status = LT_NO_MEMORY, n = 0;
    for (; status == LT_NO_MEMORY && n < 1000; n++) {
        int left = n;
        lt_set_allow_memory(allow_until, &left);
        status = lt_ais(f.model, f.data, LT_TRAIN,
                           &(lt_ais_options){.chains = 2, .steps = 2, .images = 3, .run.threads = 1},
                           &r);
        lt_set_allow_memory(NULL, NULL);
    }
    assert_int_equal(status, LT_OK);
    assert_true(n > 14); /* its own arrays alone */
    fixture_close(&f);
}

static const char two_text[] = "name: two\n"
                               "data: {set: synthetic}\n"
                               "model:\n"
                               "  latent: 3\n"
                               "  latent2: 2\n"
                               "  likelihood: gaussian sigma=0.5\n"
                               "  encoder: []\n"
                               "  encoder2: [linear 4, tanh]\n"
                               "  decoder2: [linear 4, tanh]\n"
                               "  decoder: [linear image]\n";

static void two_layers_of_latents_are_refused(void **state)
{
    (void)state;
    fixture f;
    lt_ais_result r;
    lt_recipe *recipe = lt_recipe_parse("two", two_text, NULL, 0);
    if (!recipe)
        fail_msg("%s", lt_last_error());
    f.model = lt_model_create(recipe, (lt_image_size){HEIGHT, WIDTH, 1});
    lt_recipe_free(recipe);
    assert_int_equal(lt_dataset_synthetic(IMAGES, HEIGHT, WIDTH, 1, NULL, &f.data), LT_OK);
    assert_int_equal(lt_ais(f.model, f.data, LT_TRAIN, NULL, &r), LT_UNSUPPORTED);
    assert_non_null(strstr(lt_last_error(), "two has a second stochastic layer"));
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(estimates_are_within_their_errors_of_the_truth),
        cmocka_unit_test(estimates_of_every_kind_agree),
        cmocka_unit_test(weights_are_unbiased),
        cmocka_unit_test(steps_are_adapted_and_weights_grow_even),
        cmocka_unit_test(importance_samples_agree_on_networks),
        cmocka_unit_test(chains_have_the_same_bits_at_any_number_of_threads),
        cmocka_unit_test(executors_agree),
        cmocka_unit_test(progress_reaches_one_and_can_stop),
        cmocka_unit_test(impossible_annealing_is_refused),
        cmocka_unit_test(annealing_without_memory_fails_and_leaks_nothing),
        cmocka_unit_test(two_layers_of_latents_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
