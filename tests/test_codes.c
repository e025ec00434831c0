/* SPDX-License-Identifier: MIT */
/* Priors of the codes, and a second stochastic layer: densities against the sums and loops that
   they stand for, draws against their moments, gradients against differences. */
#include "subject.h"

/* ---- Priors ---- */

static int place_of(const subject *c, const char *name)
{
    lt_params *p = lt_model_params(c->model);
    int i = lt_params_find(p, name);
    if (i < 0)
        fail_msg("there is no %s", name);
    return (int)lt_params_info(p, i).offset;
}

static float *numbers(subject *c, const char *name)
{
    return lt_params_block(lt_model_params(c->model)) + place_of(c, name);
}

/* Two components by their densities, one after the other. */
static double mixture_by_hand(const float *mean, const float *logvar, const float *logits,
                              const double *z)
{
    double each[2], total = 0;
    for (int k = 0; k < 2; k++) {
        each[k] = (double)logits[k];
        total += exp((double)logits[k]);
        for (int j = 0; j < 2; j++) {
            double m = (double)mean[2 * k + j], l = (double)logvar[2 * k + j];
            each[k] -= 0.5 * (log(2 * acos(-1.)) + l + (z[j] - m) * (z[j] - m) * exp(-l));
        }
    }
    return log(exp(each[0]) + exp(each[1])) - log(total);
}

static void mixture_prior_is_the_sum_of_its_components(void **state)
{
    (void)state;
    subject c = open_subject(TINY, (const char *[]){"model.prior=mixture 2"}, 1);
    double points[] = {0, 0, 1, -2, .5, 3}, *found;
    float *mean = numbers(&c, "mixture.mean"), *logvar = numbers(&c, "mixture.logvar"),
          *logits = numbers(&c, "mixture.logits");
    for (int i = 0; i < 4; i++)
        logvar[i] = 0.3f * (float)(i - 1);
    logits[0] = 1.5f;
    lt_node *z = lt_constant(c.graph, lt_shape_2d(3, 2), points);
    lt_node *y = lt_model_log_prior(c.model, c.graph, z);
    values_of(&c, &y, 1, 0, &found);
    for (int i = 0; i < 3; i++)
        assert_near(found[i], mixture_by_hand(mean, logvar, logits, points + 2 * i), 1e-12);
    free(found);
    close_subject(&c);
}

/* A mixture of one standard component has the losses of the prior it is. */
static void one_standard_component_is_the_normal_prior(void **state)
{
    (void)state;
    static const char *const normal[] = {"objective.kl=monte-carlo"};
    static const char *const mixture[] = {"model.prior=mixture 1"};
    subject a = build_subject(TINY, normal, 1), b = build_subject(TINY, mixture, 1);
    memset(numbers(&b, "mixture.mean"), 0, 2 * sizeof(float));
    double *va[2], *vb[2];
    values_of(&a, (lt_node *[]){a.t.rate, a.t.log_weight}, 2, 0, va);
    values_of(&b, (lt_node *[]){b.t.rate, b.t.log_weight}, 2, 0, vb);
    for (int i = 0; i < 2; i++) {
        assert_array_close("term", vb[i], va[i], BATCH, 1e-12, 1e-12);
        free(va[i]);
        free(vb[i]);
    }
    close_subject(&a);
    close_subject(&b);
}

static lt_node *vamp_weights(const subject *c, int64_t k)
{
    (void)k;
    return lt_model_log_prior(c->model, c->graph, lt_model_encode(c->model, c->graph, c->x).mean);
}

/* 1/K sum of q(z|u), with the images u given to the encoder here. */
static lt_node *vamp_by_hand(const subject *c, int64_t k)
{
    lt_graph *g = c->graph;
    lt_params *p = lt_model_params(c->model);
    int i = lt_params_find(p, "vamp.images");
    assert_true(i >= 0);
    const float *u = lt_params_block(p) + lt_params_info(p, i).offset;
    double x[3 * PIXELS];
    assert_int_equal(lt_shape_size(lt_params_info(p, i).shape), k * PIXELS);
    for (int j = 0; j < 3 * PIXELS; j++)
        x[j] = 1 / (1 + exp(-(double)u[j]));
    lt_node *images = lt_constant(g, lt_shape_4d(3, tiny.h, tiny.w, tiny.c), x);
    lt_gauss q = lt_model_encode(c->model, g, images);
    lt_node *z = lt_model_encode(c->model, g, c->x).mean, *rows[BATCH * 3];
    for (int n = 0; n < BATCH * 3; n++) {
        lt_gauss one = {lt_slice(q.mean, 0, n % 3, n % 3 + 1),
                        lt_slice(q.logvar, 0, n % 3, n % 3 + 1)};
        rows[n] = lt_gauss_log_prob(one, lt_slice(z, 0, n / 3, n / 3 + 1));
    }
    lt_node *all = lt_reshape(lt_concat(0, BATCH * 3, rows), lt_shape_2d(BATCH, 3));
    return lt_shift(lt_log_sum_exp(all, LT_AXIS(1)), -log(3));
}

static void vamp_prior_is_the_mean_of_posteriors(void **state)
{
    (void)state;
#define VAMP                                                                                       \
    DATA "model:\n  latent: 2\n  likelihood: bernoulli\n  prior: vamp 3\n"                         \
         "  encoder: [linear 6, tanh]\n  decoder: [linear 6, tanh, linear image]\n"
    double *found = value_of(VAMP, vamp_weights, 3, BATCH);
    double *want = value_of(VAMP, vamp_by_hand, 3, BATCH);
    assert_array_close("log p(z)", found, want, BATCH, 1e-7, 1e-9); /* u to a float's digits */
    free(found);
    free(want);
}

static void gradients_reach_priors(void **state)
{
    (void)state;
    static const char *const priors[] = {"model.prior=mixture 3", "model.prior=vamp 3"};
    for (int i = 0; i < 2; i++) {
        check_gradient(TINY, (const char *[]){priors[i]}, 1, 0);
        check_gradient(TINY,
                       (const char *[]){priors[i], "objective.capacity=9", "objective.samples=2"},
                       3, 3.);
        check_gradient(
            TINY, (const char *[]){priors[i], "objective.samples=3", "objective.bound=iwae"}, 3, 0);
        check_threads(
            TINY, (const char *[]){priors[i], "objective.samples=50", "objective.bound=dreg"}, 3);
    }
}

/* What is drawn has the moments of the mixture, w_0 = 3/4. */
static void priors_are_drawn_from(void **state)
{
    (void)state;
    enum { N = 20000 };
    subject c = open_subject(TINY, (const char *[]){"model.prior=mixture 2"}, 1);
    float *mean = numbers(&c, "mixture.mean"), *logvar = numbers(&c, "mixture.logvar");
    numbers(&c, "mixture.logits")[0] = (float)log(3);
    for (int i = 0; i < 4; i++) {
        mean[i] = i < 2 ? -2 : 4;
        logvar[i] = i < 2 ? 0 : -1;
    }
    lt_node *z = lt_model_prior_sample(c.model, c.graph, N);
    double *found, sum = 0, squares = 0;
    values_of(&c, &z, 1, 0, &found);
    for (int i = 0; i < N; i++) {
        sum += found[2 * i];
        squares += found[2 * i] * found[2 * i];
    }
    double variance_of = .75 * (1 + 4) + .25 * (exp(-1) + 16) - .25;
    assert_near(sum / N, -.5, 4 * sqrt(variance_of / N));
    assert_near(squares / N - sum / N * sum / N, variance_of, .2);
    free(found);
    close_subject(&c);
}

/* Evaluation draws the rate where there is no formula, and weighs with the prior at hand. */
static void weights_know_the_prior(void **state)
{
    (void)state;
#define MIXED                                                                                      \
    DATA "model:\n  latent: 2\n  likelihood: bernoulli\n  prior: mixture 3\n"                      \
         "  encoder: [linear 6, tanh]\n  decoder: [linear 6, tanh, linear image]\n"
    static const char *const words[] = {MIXED, VAMP};
    for (int i = 0; i < 2; i++) {
        double *found = value_of(words[i], weights, 3, BATCH * 3);
        double *want = value_of(words[i], weights_by_densities, 3, BATCH * 3);
        assert_array_close("weight", found, want, BATCH * 3, 1e-12, 0);
        free(found);
        free(want);
    }
    subject c = open_subject(MIXED, NULL, 0);
    assert_int_equal(lt_model_build(c.model, c.graph, c.x, LT_EVALUATION, &c.t), LT_OK);
    double *v[3];
    values_of(&c, (lt_node *[]){c.t.rate, c.t.distortion, c.t.log_weight}, 3, 0, v);
    for (int i = 0; i < BATCH; i++)
        assert_near(v[2][i], -v[0][i] - v[1][i], 1e-12);
    for (int i = 0; i < 3; i++)
        free(v[i]);
    close_subject(&c);
}

static void priors_without_a_formula_are_told_so(void **state)
{
    (void)state;
    check_refused(TINY, (const char *[]){"model.prior=vamp 5", "objective.kl=analytic"}, 2,
                  "no closed form with the prior vamp: it needs kl: monte-carlo");
    check_refused(TINY, (const char *[]){"model.prior=mixture 5", "objective.free_bits=1"}, 2,
                  "free_bits needs one stochastic layer with the prior normal");
    check_refused(TINY, (const char *[]){"model.prior=mixtur 5"}, 1, "did you mean \"mixture\"?");
    check_refused(TINY, (const char *[]){"model.prior=mixture"}, 1, "k");
}

/* ---- Two stochastic layers ---- */

#define TWO                                                                                        \
    DATA "model:\n  latent: 3\n  latent2: 2\n  likelihood: bernoulli\n"                            \
         "  encoder: [linear 6, tanh]\n  encoder2: [linear 5, tanh]\n"                             \
         "  decoder2: [linear 4, tanh]\n  decoder: [linear 6, tanh, linear image]\n"

static void second_layers_are_named_like_the_first(void **state)
{
    (void)state;
    static const char *const names[] = {
        "encoder.0.weight",     "encoder.0.bias",           "posterior.mean.weight",
        "posterior.mean.bias",  "posterior.logvar.weight",  "posterior.logvar.bias",
        "encoder2.0.weight",    "encoder2.0.bias",          "posterior2.mean.weight",
        "posterior2.mean.bias", "posterior2.logvar.weight", "posterior2.logvar.bias",
        "decoder.0.weight",     "decoder.0.bias",           "decoder.2.weight",
        "decoder.2.bias",       "decoder2.0.weight",        "decoder2.0.bias",
        "prior.mean.weight",    "prior.mean.bias",          "prior.logvar.weight",
        "prior.logvar.bias"};
    subject c = open_subject(TWO, NULL, 0);
    const lt_params *p = lt_model_params(c.model);
    assert_int_equal(lt_params_count(p), COUNT_OF(names));
    for (int i = 0; i < COUNT_OF(names); i++)
        assert_string_equal(lt_params_info(p, i).name, names[i]);
    assert_int_equal(lt_model_latent(c.model), 3);
    assert_int_equal(lt_model_latent2(c.model), 2);
    char *summary = lt_model_summary(c.model);
    assert_text_has(summary, "latent 3 and 2, bernoulli");
    assert_text_has(summary, "posterior2.mean        linear latent2");
    assert_text_has(summary, "prior.logvar           linear latent ");
    assert_text_has(summary, "encoder2 20, posterior2 24, decoder 108, decoder2 12, prior 30");
    free(summary);
    close_subject(&c);
}

/* y = W x + b in double precision, W: out x in as it is outside; then tanh. */
static void dense(const subject *c, const char *layer, const double *x, double *y, bool is_tanh)
{
    lt_params *p = lt_model_params(c->model);
    char *w_name = must_format("%s.weight", layer), *b_name = must_format("%s.bias", layer);
    int w = lt_params_find(p, w_name), b = lt_params_find(p, b_name);
    assert_true(w >= 0 && b >= 0);
    int64_t out = lt_params_info(p, w).shape.d[0], in = lt_params_info(p, w).shape.d[1];
    float weight[PIXELS * PIXELS], bias[PIXELS];
    lt_params_export(p, w, lt_params_block(p), weight);
    lt_params_export(p, b, lt_params_block(p), bias);
    for (int64_t i = 0; i < out; i++) {
        y[i] = (double)bias[i];
        for (int64_t j = 0; j < in; j++)
            y[i] += (double)weight[i * in + j] * x[j];
        y[i] = is_tanh ? tanh(y[i]) : y[i];
    }
    free(w_name);
    free(b_name);
}

static void gauss_heads(const subject *c, const char *heads, const double *h, double *mean,
                        double *logvar)
{
    char *m = must_format("%s.mean", heads), *l = must_format("%s.logvar", heads);
    dense(c, m, h, mean, false);
    dense(c, l, h, logvar, false);
    free(m);
    free(l);
}

static double log_normal(const double *z, const double *mean, const double *logvar, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum -= 0.5 * (log(2 * acos(-1.)) + logvar[i] +
                      (z[i] - mean[i]) * (z[i] - mean[i]) * exp(-logvar[i]));
    return sum;
}

/* log p(z2) p(z|z2) p(x|z) / (q(z|x) q(z2|z)) of one image and its noise, in plain loops. */
static double two_layer_weight(const subject *c, const double *x, const double *eps,
                               const double *eps2)
{
    double h[6], mean[3], logvar[3], z[3], mean2[2], logvar2[2], z2[2], p_mean[3], p_logvar[3],
        y[PIXELS], log_w, zero[2] = {0};
    dense(c, "encoder.0", x, h, true);
    gauss_heads(c, "posterior", h, mean, logvar);
    for (int i = 0; i < 3; i++)
        z[i] = mean[i] + exp(logvar[i] / 2) * eps[i];
    dense(c, "encoder2.0", z, h, true);
    gauss_heads(c, "posterior2", h, mean2, logvar2);
    for (int i = 0; i < 2; i++)
        z2[i] = mean2[i] + exp(logvar2[i] / 2) * eps2[i];
    dense(c, "decoder2.0", z2, h, true);
    gauss_heads(c, "prior", h, p_mean, p_logvar);
    dense(c, "decoder.0", z, h, true);
    dense(c, "decoder.2", h, y, false);
    log_w = log_normal(z2, zero, zero, 2) + log_normal(z, p_mean, p_logvar, 3) -
            log_normal(z, mean, logvar, 3) - log_normal(z2, mean2, logvar2, 2);
    for (int i = 0; i < PIXELS; i++)
        log_w += x[i] * y[i] - log1p(exp(y[i]));
    return log_w;
}

/* Both kinds of weights draw z first and then z2. */
static void two_layer_weights_equal_plain_loops(void **state)
{
    (void)state;
    enum { K = 3, N = BATCH * K };
    subject c = open_subject(TWO, NULL, 0),
            d = build_subject(TWO, (const char *[]){"objective.samples=3"}, 1),
            e = open_subject(TWO, NULL, 0);
    lt_node *noise[] = {lt_normal(c.graph, lt_shape_2d(N, 3)),
                        lt_normal(c.graph, lt_shape_2d(N, 2))};
    double x[BATCH * PIXELS], *eps[2], *terms[2], *found, elbo = 0;
    fill_images(x);
    values_of(&c, noise, 2, 0, eps);
    lt_node *w = weights(&e, K);
    values_of(&e, &w, 1, 0, &found);
    values_of(&d, (lt_node *[]){d.t.loss, d.t.log_weight}, 2, 0, terms);
    for (int i = 0; i < BATCH; i++) {
        double want[K];
        for (int j = 0; j < K; j++) {
            int row = i * K + j;
            want[j] = two_layer_weight(&c, x + i * PIXELS, eps[0] + 3 * row, eps[1] + 2 * row);
            assert_near(found[row], want[j], 1e-12);
            elbo += want[j] / N;
        }
        assert_near(terms[1][i], log_mean_exp(want, K), 1e-12);
    }
    assert_near(terms[0][0], -elbo, 1e-12);
    free(found);
    for (int i = 0; i < 2; i++) {
        free(eps[i]);
        free(terms[i]);
    }
    close_subject(&c);
    close_subject(&d);
    close_subject(&e);
}

static void gradients_reach_both_layers(void **state)
{
    (void)state;
    check_gradient(TWO, (const char *[]){"objective.samples=2"}, 1, 0);
    check_gradient(TWO, (const char *[]){"objective.samples=3", "objective.bound=iwae"}, 2, 0);
    check_gradient(
        TWO,
        (const char *[]){"objective.samples=3", "objective.bound=iwae", "model.prior=mixture 3"}, 3,
        0);
    check_threads(TWO, (const char *[]){"objective.samples=50", "objective.bound=dreg"}, 2);
}

static void dreg_of_two_layers_is_iwae_in_expectation(void **state)
{
    (void)state;
    check_dreg(TWO);
}

/* With heads that only have biases, p(z|z2) is known. */
static void two_layers_are_drawn_from_the_top(void **state)
{
    (void)state;
    enum { N = 20000 };
    subject c = open_subject(TWO, NULL, 0);
    memset(numbers(&c, "prior.logvar.weight"), 0, 12 * sizeof(float));
    memset(numbers(&c, "prior.mean.weight"), 0, 12 * sizeof(float));
    for (int j = 0; j < 3; j++) {
        numbers(&c, "prior.mean.bias")[j] = (float)j;
        numbers(&c, "prior.logvar.bias")[j] = (float)-j;
    }
    lt_node *z = lt_model_prior_sample(c.model, c.graph, N);
    assert_true(lt_shape_equal(lt_node_shape(z), lt_shape_2d(N, 3)));
    double *found;
    values_of(&c, &z, 1, 0, &found);
    for (int j = 0; j < 3; j++) {
        double sum = 0, squares = 0;
        for (int i = 0; i < N; i++) {
            sum += found[3 * i + j] / N;
            squares += found[3 * i + j] * found[3 * i + j] / N;
        }
        assert_near(sum, j, 4 * sqrt(exp(-j) / N));
        assert_near(squares - sum * sum, exp(-j), 0.05 * exp(-j));
    }
    free(found);
    close_subject(&c);
}

static void what_two_layers_cannot_do_is_said(void **state)
{
    (void)state;
    check_refused(TWO, (const char *[]){"objective.kl=analytic"}, 1,
                  "no closed form with two stochastic layers");
    check_refused(TWO, (const char *[]){"objective.free_bits=1"}, 1, "free_bits needs one stochastic layer");
    check_refused(TWO, (const char *[]){"model.prior=vamp 3"}, 1, "the prior vamp needs codes");
    check_refused(TWO, (const char *[]){"model.latent2=0"}, 1,
                  "encoder2 belongs to a second stochastic layer: \"latent2\" is missing");
    check_refused(TINY, (const char *[]){"model.latent2=3"}, 1, "latent2 needs \"encoder2\"");
    subject c = open_subject(TWO, NULL, 0);
    lt_model_log_prior(c.model, c.graph, lt_input(c.graph, "z", lt_shape_2d(5, 3)));
    assert_text_has(lt_graph_error(c.graph), "is an integral over the second");
    close_subject(&c);
}

static void two_layer_recipes_read_back(void **state)
{
    (void)state;
    lt_recipe *r = lt_recipe_parse(
        "tiny.yaml", TWO,
        (const char *[]){"model.encoder2.0.units=7", "model.prior=mixture 4", "model.prior.k=6"},
        3);
    if (!r)
        fail_msg("%s", lt_last_error());
    assert_text_has(lt_recipe_text(r), "  prior: mixture 6\n");
    assert_text_has(lt_recipe_text(r),
                    "  encoder2:\n    - linear 7 bias=yes init=model\n    - tanh\n"
                    "  decoder2:\n    - linear 4 ");
    lt_recipe *again = lt_recipe_parse("tiny.yaml", lt_recipe_text(r), NULL, 0);
    assert_string_equal(lt_recipe_text(again), lt_recipe_text(r));
    lt_recipe_free(again);
    lt_recipe_free(r);
}

/* ---- Resumed training ---- */

/* Stopped in the second of three epochs of three steps, where the schedules have moved. */
static void check_resume(const char *words, const char *const *sets, int n)
{
    enum { STEPS = 9, STOP = 4 };
    char *path = file_join(dir, "middle");
    training whole = open_training(words, sets, n), rest = open_training(words, sets, n);
    for (int i = 0; i < STEPS; i++) {
        if (i == STOP)
            assert_int_equal(lt_trainer_save(whole.trainer, path), LT_OK);
        assert_int_equal(lt_trainer_step(whole.trainer, NULL), LT_OK);
    }
    assert_int_equal(lt_trainer_load(rest.trainer, path), LT_OK);
    for (int i = STOP; i < STEPS; i++)
        assert_int_equal(lt_trainer_step(rest.trainer, NULL), LT_OK);
    lt_params *a = lt_model_params(whole.model), *b = lt_model_params(rest.model);
    assert_memory_equal(lt_params_block(a), lt_params_block(b),
                        sizeof(float) * (size_t)lt_params_extent(a));
    close_training(&whole);
    close_training(&rest);
    free(path);
}

static void resumed_training_has_the_same_bits(void **state)
{
    (void)state;
#define SHORT "data.limit=100", "train.batch=40", "train.epochs=3"
    check_resume(TWO,
                 (const char *[]){SHORT, "objective.samples=3", "objective.bound=dreg",
                                  "learning_rate_schedule=burda stages=2"},
                 6);
    check_resume(TINY, (const char *[]){SHORT, "model.prior=vamp 3", "objective.bound=iwae"}, 5);
    check_resume(TINY,
                 (const char *[]){SHORT, "objective.capacity=4", "objective.beta=10",
                                  "objective.capacity_schedule=linear epochs=3 per=step"},
                 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mixture_prior_is_the_sum_of_its_components),
        cmocka_unit_test(one_standard_component_is_the_normal_prior),
        cmocka_unit_test(vamp_prior_is_the_mean_of_posteriors),
        cmocka_unit_test(gradients_reach_priors),
        cmocka_unit_test(priors_are_drawn_from),
        cmocka_unit_test(weights_know_the_prior),
        cmocka_unit_test(priors_without_a_formula_are_told_so),
        cmocka_unit_test(second_layers_are_named_like_the_first),
        cmocka_unit_test(two_layer_weights_equal_plain_loops),
        cmocka_unit_test(gradients_reach_both_layers),
        cmocka_unit_test(dreg_of_two_layers_is_iwae_in_expectation),
        cmocka_unit_test(two_layers_are_drawn_from_the_top),
        cmocka_unit_test(what_two_layers_cannot_do_is_said),
        cmocka_unit_test(two_layer_recipes_read_back),
        cmocka_unit_test(resumed_training_has_the_same_bits),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
