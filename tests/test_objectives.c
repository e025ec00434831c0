/* SPDX-License-Identifier: MIT */
/* Objectives: weights and bounds against their definitions put together from densities, in the
   double precision of the reference executor, and against PyTorch. */
#include "golden/golden.h"
#include "models/vae.h"
#include "subject.h"

/* ---- Weights ---- */

static void weights_are_joint_less_posterior_image_by_image(void **state)
{
    (void)state;
    enum { DRAWS = 3 };
    double *found = value_of(TINY, weights, DRAWS, BATCH * DRAWS);
    double *want = value_of(TINY, weights_by_densities, DRAWS, BATCH * DRAWS);
    assert_array_close("weight", found, want, BATCH * DRAWS, 1e-12, 0);
    assert_true(fabs(found[0] - found[1]) > 1e-6);
    free(found);
    free(want);
}

static void weights_refuse_other_shapes(void **state)
{
    (void)state;
    subject c = open_subject(TINY, NULL, 0);
    lt_graph *g = c.graph;
    lt_node *two = lt_input(g, "two", lt_shape_2d(2, 2));
    lt_model_log_weights(c.model, g, c.x, (lt_gauss){two, two}, 1);
    assert_text_has(lt_graph_error(g), "expected the posterior of 4 images, found that of 2");
    close_subject(&c);
    c = open_subject(TINY, NULL, 0);
    lt_model_log_weights(c.model, c.graph, c.x, lt_model_encode(c.model, c.graph, c.x), 0);
    assert_text_has(lt_graph_error(c.graph), "samples of z per image, found 0");
    close_subject(&c);
}

/* ---- Bounds ---- */

static double loss_with(const char *const *sets, int n, uint64_t step)
{
    subject c = build_subject(TINY, sets, n);
    double loss = number_of(&c, c.t.loss, step);
    close_subject(&c);
    return loss;
}

/* Training draws n k rows at once, as the densities above do. */
static void bounds_are_means_and_log_means_of_weights(void **state)
{
    (void)state;
    enum { K = 5 };
    double *w = value_of(TINY, weights_by_densities, K, BATCH * K), elbo = 0, iwae = 0;
    for (int i = 0; i < BATCH * K; i++)
        elbo += w[i] / (BATCH * K);
    for (int i = 0; i < BATCH; i++)
        iwae += log_mean_exp(w + i * K, K) / BATCH;
    static const char *const drawn[] = {"objective.samples=5", "objective.kl=monte-carlo"};
    static const char *const bound[] = {"objective.samples=5", "objective.bound=iwae"};
    static const char *const dreg[] = {"objective.samples=5", "objective.bound=dreg"};
    assert_near(loss_with(drawn, 2, 0), -elbo, 1e-11);
    assert_near(loss_with(bound, 2, 0), -iwae, 1e-11);
    assert_true(loss_with(dreg, 2, 0) == loss_with(bound, 2, 0));
    free(w);
}

static void formula_and_draws_share_the_distortion(void **state)
{
    (void)state;
    static const char *const drawn[] = {"objective.samples=3", "objective.kl=monte-carlo"};
    subject a = build_subject(TINY, drawn, 1), b = build_subject(TINY, drawn, 2);
    lt_node *nodes[][3] = {{a.t.distortion, lt_gauss_kl(a.t.posterior), a.t.rate},
                           {b.t.distortion, b.t.rate, b.t.log_weight}};
    double *va[3], *vb[3], sum = 0;
    values_of(&a, nodes[0], 3, 0, va);
    values_of(&b, nodes[1], 3, 0, vb);
    assert_array_close("distortion", vb[0], va[0], BATCH, 1e-14, 0);
    assert_array_close("rate", va[2], va[1], BATCH, 1e-14, 0);
    for (int i = 0; i < BATCH; i++) {
        sum += fabs(vb[1][i] - va[1][i]);
        assert_true(vb[2][i] > -vb[0][i] - vb[1][i]); /* log mean above mean log */
    }
    assert_true(sum > 1e-3);
    for (int i = 0; i < 3; i++) {
        free(va[i]);
        free(vb[i]);
    }
    close_subject(&a);
    close_subject(&b);
}

static void one_draw_makes_all_bounds_equal(void **state)
{
    (void)state;
    static const char *const drawn[] = {"objective.kl=monte-carlo"};
    static const char *const bound[] = {"objective.bound=iwae"};
    subject a = build_subject(TINY, drawn, 1), b = build_subject(TINY, bound, 1);
    double *va[2], *vb[2];
    values_of(&a, (lt_node *[]){a.t.loss, a.gradient}, 2, 3, va);
    values_of(&b, (lt_node *[]){b.t.loss, b.gradient}, 2, 3, vb);
    assert_near(vb[0][0], va[0][0], 1e-12);
    assert_array_close("gradient", vb[1], va[1], lt_params_extent(lt_model_params(a.model)), 1e-11,
                       1e-13);
    for (int i = 0; i < 2; i++) {
        free(va[i]);
        free(vb[i]);
    }
    close_subject(&a);
    close_subject(&b);
}

/* -log p(x) as a mean over the batch, by the trapezoid rule over one latent. */
static double exact_loss(const char *words)
{
    enum { POINTS = 2001 };
    subject c = open_subject(words, NULL, 0);
    double *z = must_alloc(sizeof *z * POINTS), *log_joint[BATCH], sum = 0;
    for (int i = 0; i < POINTS; i++)
        z[i] = -10 + 0.01 * i;
    lt_node *grid = lt_constant(c.graph, lt_shape_2d(POINTS, 1), z), *joint[BATCH];
    for (int i = 0; i < BATCH; i++) {
        lt_shape s = lt_shape_4d(POINTS, tiny.h, tiny.w, tiny.c);
        lt_node *x = lt_expand(lt_slice(c.x, 0, i, i + 1), s);
        joint[i] = lt_add(lt_model_log_prob(c.model, c.graph, grid, x),
                          lt_model_log_prior(c.model, c.graph, grid));
    }
    values_of(&c, joint, BATCH, 0, log_joint);
    for (int i = 0; i < BATCH; i++) {
        sum -= (log_mean_exp(log_joint[i], POINTS) + log(POINTS * 0.01)) / BATCH;
        free(log_joint[i]);
    }
    free(z);
    close_subject(&c);
    return sum;
}

#define NARROW                                                                                     \
    DATA "model:\n  latent: 1\n  likelihood: bernoulli\n  init: normal 0.7\n"                      \
         "  encoder: [linear 6, tanh]\n  decoder: [linear 6, tanh, linear image]\n"

/* Mean and its standard error over runs with other noise. */
typedef struct mean_of_runs {
    double mean, se;
} mean_of_runs;

static mean_of_runs mean_loss(const char *k, int runs)
{
    const char *const sets[] = {"objective.bound=iwae", k};
    subject c = build_subject(NARROW, sets, 2);
    subject_run r = open_run(&c, &c.t.loss, 1, LT_REFERENCE, 1);
    double sum = 0, squares = 0;
    for (int i = 0; i < runs; i++) {
        must_run(r.session, &(lt_run_key){1, (uint64_t)i});
        double loss = lt_session_doubles(r.session, c.t.loss)[0];
        sum += loss;
        squares += loss * loss;
    }
    close_run(&r);
    close_subject(&c);
    double mean = sum / runs;
    return (mean_of_runs){mean, sqrt((squares / runs - mean * mean) / (runs - 1))};
}

static void bounds_tighten_with_draws_to_the_integral(void **state)
{
    (void)state;
    mean_of_runs one = mean_loss("objective.samples=1", 400),
                 few = mean_loss("objective.samples=8", 400),
                 many = mean_loss("objective.samples=256", 100);
    double exact = exact_loss(NARROW);
    assert_true(one.mean - few.mean > 4 * (one.se + few.se));
    assert_true(few.mean - many.mean > 4 * (few.se + many.se));
    assert_true(many.mean > exact - 4 * many.se);
    assert_near(many.mean, exact, 0.02 + 4 * many.se);
}

/* ---- Gradients ---- */

static void gradients_of_losses_equal_differences(void **state)
{
    (void)state;
    check_gradient(TINY, (const char *[]){"objective.samples=3"}, 1, 0);
    check_gradient(TINY, (const char *[]){"objective.samples=3", "objective.kl=monte-carlo"}, 2, 0);
    check_gradient(TINY, (const char *[]){"objective.samples=3", "objective.bound=iwae"}, 2, 0);
    check_gradient(TINY, (const char *[]){"objective.free_bits=0.01"}, 1, 0);
    check_gradient(TINY,
                   (const char *[]){"objective.free_bits=0.01", "objective.kl=monte-carlo",
                                    "objective.samples=2"},
                   3, 0);
    check_gradient(TINY, (const char *[]){"objective.capacity=5"}, 1, 3.);
    check_gradient(TINY, (const char *[]){"objective.capacity=5"}, 1, 1e-3);
}

/* Where the parameters of the decoder are in a gradient: the rest is the encoder's. */
static bool is_decoders(const lt_params *p, int64_t place)
{
    for (int i = 0; i < lt_params_count(p); i++) {
        lt_param_info info = lt_params_info(p, i);
        if (place >= info.offset && place < info.offset + lt_shape_size(info.shape))
            return strncmp(info.name, "decoder", 7) == 0;
    }
    return false;
}

/* The loss whose gradient by q is the estimator as it is written: the squares of the shares and
   the densities of q are numbers. */
static lt_node *written_dreg(const subject *c, int k)
{
    lt_graph *g = c->graph;
    lt_shape wide = {.rank = 3, .d = {BATCH, k, 2}}, tall = lt_shape_2d(BATCH * k, 2);
    lt_node *eps = lt_normal(g, tall);
    lt_gauss q = lt_model_encode(c->model, g, c->x);
    lt_node **parts[] = {&q.mean, &q.logvar};
    for (int i = 0; i < 2; i++) {
        lt_shape one = {.rank = 3, .d = {BATCH, 1, 2}};
        *parts[i] = lt_reshape(lt_expand(lt_reshape(*parts[i], one), wide), tall);
    }
    lt_shape image = {.rank = 3, .d = {BATCH, 1, PIXELS}},
             images = {.rank = 3, .d = {BATCH, k, PIXELS}};
    lt_node *x = lt_reshape(lt_expand(lt_reshape(c->x, image), images),
                            lt_shape_4d(BATCH * k, tiny.h, tiny.w, tiny.c));
    lt_node *z = lt_add(q.mean, lt_mul(lt_exp(lt_scale(q.logvar, .5)), eps));
    lt_gauss fixed = {lt_detach(q.mean), lt_detach(q.logvar)};
    lt_node *w = lt_sub(lt_add(lt_model_log_prob(c->model, g, z, x), lt_standard_log_prob(z)),
                        lt_gauss_log_prob(fixed, z));
    lt_node *e = lt_reshape(lt_exp(lt_shift(w, 8)), lt_shape_2d(BATCH, k));
    lt_node *share = lt_reshape(lt_div(e, lt_sum_keep(e, LT_AXIS(1))), lt_shape_1d(BATCH * k));
    return lt_scale(lt_sum(lt_mul(lt_detach(lt_square(share)), w)), -1. / BATCH);
}

static void dreg_is_the_estimator_by_q_and_iwae_by_the_decoder(void **state)
{
    (void)state;
    static const char *const iwae[] = {"objective.samples=4", "objective.bound=iwae"};
    static const char *const dreg[] = {"objective.samples=4", "objective.bound=dreg"};
    subject a = build_subject(TINY, iwae, 2), b = build_subject(TINY, dreg, 2),
            c = open_subject(TINY, NULL, 0);
    c.gradient = lt_params_gradient(lt_model_params(c.model), written_dreg(&c, 4));
    double *of_iwae, *of_dreg, *written;
    values_of(&a, &a.gradient, 1, 0, &of_iwae);
    values_of(&b, &b.gradient, 1, 0, &of_dreg);
    values_of(&c, &c.gradient, 1, 0, &written);
    const lt_params *p = lt_model_params(a.model);
    double apart = 0;
    for (int64_t i = 0; i < lt_params_extent(p); i++) {
        bool is_model = is_decoders(p, i);
        assert_near(of_dreg[i], is_model ? of_iwae[i] : written[i], 1e-11);
        apart += is_model ? 0 : fabs(of_dreg[i] - of_iwae[i]);
    }
    assert_true(apart > 1e-3);
    free(of_iwae);
    free(of_dreg);
    free(written);
    close_subject(&a);
    close_subject(&b);
    close_subject(&c);
}

static void dreg_is_iwae_in_expectation_with_less_noise(void **state)
{
    (void)state;
    check_dreg(TINY);
}

/* The way back through the decoder is computed once for both parts of the gradient. */
static void dreg_costs_no_second_way_back(void **state)
{
    (void)state;
    static const char *const iwae[] = {"objective.samples=6", "objective.bound=iwae"};
    static const char *const dreg[] = {"objective.samples=6", "objective.bound=dreg"};
    subject a = build_subject(TINY, iwae, 2), b = build_subject(TINY, dreg, 2);
    lt_program *pa = must_compile(a.graph, (lt_node *[]){a.t.loss, a.gradient}, 2);
    lt_program *pb = must_compile(b.graph, (lt_node *[]){b.t.loss, b.gradient}, 2);
    assert_int_equal(lt_program_describe(pa).flops, lt_program_describe(pb).flops);
    lt_program_free(pa);
    lt_program_free(pb);
    close_subject(&a);
    close_subject(&b);
}

/* ---- Free bits and capacity ---- */

static void free_bits_leave_each_latents_mean_rate_alone_below(void **state)
{
    (void)state;
    static const char *const sets[] = {"objective.free_bits=0.5"};
    subject c = build_subject(TINY, sets, 1);
    lt_gauss q = c.t.posterior;
    lt_node *nodes[] = {c.t.loss, c.t.distortion, q.mean, q.logvar, c.t.rate};
    double *v[5], want = 0, rate = 0;
    c.beta = 0.5;
    /* latent 0 costs more than half a nat, latent 1 less */
    lt_params *p = lt_model_params(c.model);
    lt_params_block(p)[lt_params_info(p, lt_params_find(p, "posterior.mean.bias")).offset] += 2;
    values_of(&c, nodes, 5, 0, v);
    for (int j = 0; j < 2; j++) {
        double mean = 0;
        for (int i = j; i < 2 * BATCH; i += 2)
            mean += (v[2][i] * v[2][i] + exp(v[3][i]) - 1 - v[3][i]) / 2 / BATCH;
        rate += mean;
        assert_true(j == 0 ? mean > 0.6 : mean < 0.4);
        want += 0.5 * fmax(mean, 0.5);
    }
    for (int i = 0; i < BATCH; i++) {
        want += v[1][i] / BATCH;
        rate -= v[4][i] / BATCH;
    }
    assert_near(v[0][0], want, 1e-12);
    assert_near(rate, 0, 1e-12); /* what is reported is the whole rate */
    for (int i = 0; i < 5; i++)
        free(v[i]);
    close_subject(&c);
}

static void capacity_is_what_the_mean_rate_is_kept_at(void **state)
{
    (void)state;
    static const char *const sets[] = {"objective.capacity=5", "objective.beta=30"};
    subject c = build_subject(TINY, sets, 2);
    lt_node *nodes[] = {c.t.loss, c.t.distortion, c.t.rate};
    for (int side = 0; side < 2; side++) {
        double *v[3], distortion = 0, rate = 0;
        c.beta = 30;
        c.capacity = side ? 4 : 1e-3;
        values_of(&c, nodes, 3, 0, v);
        for (int i = 0; i < BATCH; i++) {
            distortion += v[1][i] / BATCH;
            rate += v[2][i] / BATCH;
        }
        assert_true((rate < c.capacity) == side);
        assert_near(v[0][0], distortion + 30 * fabs(rate - c.capacity), 1e-10);
        for (int i = 0; i < 3; i++)
            free(v[i]);
    }
    close_subject(&c);
}

static void capacity_rises_by_its_schedule(void **state)
{
    (void)state;
    static const char *const sets[] = {"objective.capacity=25",
                                       "objective.capacity_schedule=linear epochs=10",
                                       "objective.capacity_schedule.per=step"};
    lt_recipe *r = lt_recipe_parse("tiny.yaml", TINY, sets, 3);
    assert_non_null(r);
    assert_near(recipe_capacity(r, 0, 100), 25. / 1000, 1e-12);
    assert_near(recipe_capacity(r, 499, 100), 12.5, 1e-12);
    assert_near(recipe_capacity(r, 5000, 100), 25, 0);
    assert_near(recipe_beta(r, 0, 100), 1, 0);
    lt_recipe_free(r);
}

/* The numbers of the schedules reach the step. */
static void training_steps_are_given_the_capacity(void **state)
{
    (void)state;
    static const char *const sets[] = {"objective.capacity=8", "objective.beta=3", "train.batch=50",
                                       "objective.capacity_schedule=linear epochs=2",
                                       "data.limit=100"};
    training t = open_training(TINY, sets, COUNT_OF(sets));
    lt_train_report report;
    assert_int_equal(lt_trainer_step(t.trainer, &report), LT_OK);
    assert_near(report.values[VAE_LOSS], report.values[VAE_DISTORTION] + 3 * fabs(report.values[VAE_RATE] - 4),
                1e-5 * fabs(report.values[VAE_LOSS]));
    close_training(&t);
}

/* ---- What options exclude ---- */

static void options_that_exclude_each_other_are_told_so(void **state)
{
    (void)state;
    check_refused(TINY, (const char *[]){"objective.bound=iwae", "objective.kl=analytic"}, 2,
                  "bound iwae weights samples of z: it needs kl: monte-carlo");
    check_refused(TINY, (const char *[]){"objective.bound=dreg", "objective.free_bits=1"}, 2,
                  "free_bits needs the bound elbo, not dreg");
    check_refused(TINY, (const char *[]){"objective.bound=iwae", "objective.capacity=1"}, 2,
                  "capacity needs the bound elbo, not iwae");
    check_refused(TINY, (const char *[]){"objective.free_bits=1", "objective.capacity=1"}, 2,
                  "free_bits and capacity cannot be combined");
    check_refused(TINY, (const char *[]){"objective.samples=0"}, 1, "samples must be");
}

/* ---- Bits ---- */

static void losses_have_the_same_bits_with_any_threads(void **state)
{
    (void)state;
    check_threads(TINY, (const char *[]){"objective.samples=50", "objective.bound=iwae"}, 2);
    check_threads(TINY, (const char *[]){"objective.samples=50", "objective.bound=dreg"}, 2);
    check_threads(TINY, (const char *[]){"objective.samples=50", "objective.free_bits=.1"}, 2);
}

/* ---- PyTorch ---- */

/* Loss and gradients of one bound: tools/golden_objectives.py has our noise, and hooks for DReG. */
static void check_golden(const safetensors *file, const char *bound)
{
    enum { N = 3 };
    char *set = must_format("objective.bound=%s", bound);
    subject c = open_subject(safetensors_metadata(file, "recipe"), (const char *[]){set}, 1);
    lt_params *p = lt_model_params(c.model);
    for (int i = 0; i < lt_params_count(p); i++)
        golden_import(file, lt_params_info(p, i).name, p, i);
    lt_node *x = lt_input(c.graph, "x", lt_shape_4d(N, tiny.h, tiny.w, tiny.c));
    assert_int_equal(lt_model_build(c.model, c.graph, x, LT_TRAINING, &c.t), LT_OK);
    lt_node *gradient = lt_params_gradient(p, c.t.loss);
    char names[33][64];
    golden_value out[33];
    int n = lt_params_count(p);
    for (int i = 0; i < n; i++) {
        lt_param_info info = lt_params_info(p, i);
        lt_node *part = lt_slice(gradient, 0, info.offset, info.offset + lt_shape_size(info.shape));
        if (info.layout == LT_LAYOUT_LINEAR)
            part = lt_transpose(lt_reshape(part, lt_shape_2d(info.shape.d[1], info.shape.d[0])));
        snprintf(names[i], sizeof names[i], "%s.d.%s", bound, info.name);
        out[i] = (golden_value){part, names[i]};
    }
    snprintf(names[n], sizeof names[n], "%s.loss", bound);
    out[n] = (golden_value){c.t.loss, names[n]};
    golden_run(file, c.graph, p, (golden_value[]){{x, "x"}, {c.t.beta, "beta"}}, 2, out, n + 1);
    free(set);
    close_subject(&c);
}

static void bounds_and_their_gradients_equal_pytorchs(void **state)
{
    (void)state;
    static const char *const files[] = {"bounds_one", "bounds_two"};
    for (int i = 0; i < 2; i++) {
        safetensors *file = golden_open(files[i]);
        check_golden(file, "elbo");
        check_golden(file, "iwae");
        check_golden(file, "dreg");
        safetensors_free(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_joint_less_posterior_image_by_image),
        cmocka_unit_test(weights_refuse_other_shapes),
        cmocka_unit_test(bounds_are_means_and_log_means_of_weights),
        cmocka_unit_test(formula_and_draws_share_the_distortion),
        cmocka_unit_test(one_draw_makes_all_bounds_equal),
        cmocka_unit_test(bounds_tighten_with_draws_to_the_integral),
        cmocka_unit_test(gradients_of_losses_equal_differences),
        cmocka_unit_test(dreg_is_the_estimator_by_q_and_iwae_by_the_decoder),
        cmocka_unit_test(dreg_is_iwae_in_expectation_with_less_noise),
        cmocka_unit_test(dreg_costs_no_second_way_back),
        cmocka_unit_test(free_bits_leave_each_latents_mean_rate_alone_below),
        cmocka_unit_test(capacity_is_what_the_mean_rate_is_kept_at),
        cmocka_unit_test(capacity_rises_by_its_schedule),
        cmocka_unit_test(training_steps_are_given_the_capacity),
        cmocka_unit_test(options_that_exclude_each_other_are_told_so),
        cmocka_unit_test(losses_have_the_same_bits_with_any_threads),
        cmocka_unit_test(bounds_and_their_gradients_equal_pytorchs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
