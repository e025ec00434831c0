/* SPDX-License-Identifier: MIT */
/* The ledger's constants and sums, and which published numbers it lets stand beside a model. */
#include "check.h"
#include "models/gan.h"
#include "models/vae.h"

#include <latent/ledger.h>

typedef struct made {
    lt_model *model;
    lt_ledger ledger;
} made;

static made make(const char *recipe, const char *const *sets, int n, int side,
                 const lt_ledger_facts *facts)
{
    made d;
    lt_recipe *r;
    lt_recipe_open(recipe, sets, n, &r);
    d.model = r ? lt_model_create(r, (lt_image_size){side, side, 1}) : NULL;
    lt_recipe_free(r);
    if (!d.model || lt_ledger_make(d.model, facts, &d.ledger) != LT_OK)
        fail_msg("%s", lt_last_error());
    return d;
}

static made make_set(const char *recipe, const char *set, int side)
{
    return make(recipe, &set, 1, side, NULL);
}

static const lt_ledger_term *find_term(const lt_ledger *l, const char *name)
{
    for (int i = 0; i < l->n_terms; i++)
        if (strcmp(l->terms[i].name, name) == 0)
            return &l->terms[i];
    return NULL;
}

static const lt_ledger_term *minimized(const lt_ledger *l, const char *name)
{
    for (int i = 0; i < l->n_minimized; i++)
        if (strcmp(l->minimized[i].name, name) == 0)
            return &l->minimized[i];
    fail_msg("no term %s is minimized", name);
    return &l->minimized[0];
}

static const lt_ledger_term *reported(const lt_ledger *l, const char *name)
{
    const lt_ledger_term *t = find_term(l, name);
    if (!t)
        fail_msg("no term %s", name);
    return t ? t : &l->terms[0];
}

static double nats(const lt_ledger *l, const char *name) { return reported(l, name)->nats; }

/* ---- Constants and sums ---- */

/* sigma^2 = 1/2: d/2 log pi. */
static void a_gaussian_s_constant_is_counted(void **state)
{
    (void)state;
    static const lt_validation found = {.images = 10, .neg_elbo = 490.5, .neg_elbo_se = 1, .rate = 30,
                                        .distortion = 460.5, .squared_error = 11};
    made d = make("i2dl-mlp-vae", NULL, 0, 28, &(lt_ledger_facts){.found = &found});
    const lt_ledger *l = &d.ledger;
    assert_near(l->constant, 448.734115, 1e-4); /* 392 log pi, by bc */
    assert_near(l->sigma * l->sigma, 0.5, 1e-7);
    assert_near(nats(l, "constant"), l->constant, 0);
    assert_near(nats(l, "error") + nats(l, "constant"), nats(l, "distortion"), 1e-9);
    assert_near(nats(l, "distortion"), 460.5, 0);
    assert_near(nats(l, "-ELBO"), 490.5, 0);
    assert_near(l->beta, 1 / 784., 1e-12);
    assert_near(l->bits_per_dim, 490.5 / 784 / 0.69314718, 1e-6);
    assert_int_equal(l->unit, LT_DENSITY);
    assert_string_equal(l->prior, "normal");
    assert_text_has(reported(l, "error")->text, "the squared error itself");
    lt_model_free(d.model);

    d = make_set("cs561-conv-vae", "data.resize=32", 32);
    assert_near(d.ledger.constant, 586.101702, 1e-4); /* 512 log pi */
    lt_model_free(d.model);
}

static void beta_is_that_of_the_last_step(void **state)
{
    (void)state;
    static const lt_train_report report = {
        .step = 938, .epoch = 2, .beta = 0.4, .beta_first = 0.4,
        .values = {[VAE_LOSS] = 480, [VAE_DISTORTION] = 476, [VAE_RATE] = 10, [VAE_WEIGHTED_RATE] = 4}};
    made d = make("i2dl-mlp-vae-annealed", NULL, 0, 28, &(lt_ledger_facts){.trained = &report});
    assert_near(d.ledger.beta, 0.4, 0);
    assert_int_equal(d.ledger.epochs, 2);
    assert_near(minimized(&d.ledger, "beta x rate")->nats, 4, 1e-9);
    assert_text_has(minimized(&d.ledger, "beta x rate")->text, "beta = 0.4; the mean rate is 10.00");
    lt_model_free(d.model);
    d = make("i2dl-mlp-vae-annealed", NULL, 0, 28, NULL);
    assert_near(d.ledger.beta, 1, 0);
    assert_int_equal(d.ledger.epochs, 15);
    assert_text_has(minimized(&d.ledger, "loss")->text, "-ELBO");
    assert_true(isnan(minimized(&d.ledger, "loss")->nats));
    assert_true(isnan(d.ledger.neg_elbo) && isnan(nats(&d.ledger, "-ELBO")));
    lt_model_free(d.model);
}

/* A width for each channel of gray images is one width; other likelihoods have no constant. */
static void constants_of_other_likelihoods(void **state)
{
    (void)state;
    static const struct {
        const char *set;
        double constant;
    } cases[] = {
        {"model.likelihood=gaussian sigma=learned", 784 / 2. * (1.8378770664 - 2 * 1.3862943611)},
        {"model.likelihood=gaussian sigma=per_channel",
         784 / 2. * (1.8378770664 - 2 * 1.3862943611)},
        {"model.likelihood=laplace scale=0.1", 784 * -1.6094379124},
        {"model.likelihood=discretized_logistic", (double)NAN},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        made d = make_set("fashion-mlp-vae", cases[i].set, 28);
        if (isnan(cases[i].constant))
            assert_true(isnan(d.ledger.constant) && !find_term(&d.ledger, "constant"));
        else
            assert_near(d.ledger.constant, cases[i].constant, 1e-3);
        lt_model_free(d.model);
    }
}

/* ---- What training minimized ---- */

enum { SIDE = 6, IMAGES = 600, LATENTS = 3 };

static const char tiny[] = "data: {set: synthetic, binarize: fixed}\n"
                           "model:\n  latent: 3\n  likelihood: bernoulli\n"
                           "  encoder: [linear 8, tanh]\n"
                           "  decoder: [linear 8, tanh, linear image]\n"
                           "optimizer: adam lr=1e-9\ntrain: {epochs: 4, batch: 50}\n";

/* A model after some epochs that leave it as it is, and the ledger of the last one. */
typedef struct trained_run {
    lt_model *model;
    lt_dataset *data;
    lt_train_report report;
    lt_ledger ledger;
} trained_run;

static trained_run train_watched(const char *const *sets, int n, int epochs,
                                 lt_step_function *on_step, void *user)
{
    trained_run t = {.model = NULL};
    lt_recipe *r = lt_recipe_parse("tiny", tiny, sets, n);
    t.model = r ? lt_model_create(r, (lt_image_size){SIDE, SIDE, 1}) : NULL;
    lt_data_options bits = {.binarize = LT_BINARIZE_FIXED};
    if (!t.model || lt_dataset_synthetic(IMAGES, SIDE, SIDE, 1, &bits, &t.data) != LT_OK)
        fail_msg("%s", lt_last_error());
    lt_recipe_free(r);
    lt_trainer *trainer = lt_trainer_create(t.model, t.data, NULL);
    for (int i = 0; i < epochs; i++)
        assert_int_equal(lt_trainer_epoch(trainer, on_step, user, &t.report), LT_OK);
    lt_trainer_free(trainer);
    lt_ledger_facts facts = {.trained = &t.report};
    assert_int_equal(lt_ledger_make(t.model, &facts, &t.ledger), LT_OK);
    return t;
}

static trained_run train(const char *const *sets, int n, int epochs)
{
    return train_watched(sets, n, epochs, NULL, NULL);
}

static void trained_run_clear(trained_run *t)
{
    lt_model_free(t->model);
    lt_dataset_free(t->data);
}

/* The terms that are not sums add up to the loss, which comes last. */
static void check_sum(const trained_run *t)
{
    const lt_ledger *l = &t->ledger;
    const lt_ledger_term *last = &l->minimized[l->n_minimized - 1];
    double sum = 0;
    for (int i = 0; i < l->n_minimized; i++)
        sum += l->minimized[i].is_sum ? 0 : l->minimized[i].nats;
    assert_string_equal(last->name, "loss");
    assert_true(last->is_sum);
    assert_near(last->nats, t->report.values[VAE_LOSS], 0);
    assert_near(sum, t->report.values[VAE_LOSS], 1e-9);
    assert_near(minimized(l, "distortion")->nats, t->report.values[VAE_DISTORTION], 0);
}

static void the_elbo_is_distortion_and_rate(void **state)
{
    (void)state;
    trained_run t = train(NULL, 0, 1);
    check_sum(&t);
    assert_int_equal(t.ledger.n_minimized, 3);
    assert_near(minimized(&t.ledger, "rate")->nats, t.report.values[VAE_RATE], 1e-4);
    assert_text_has(minimized(&t.ledger, "rate")->text, "N(0, I)) in closed form");
    trained_run_clear(&t);

    const char *const sets[] = {"objective.beta=4", "objective.kl=monte-carlo",
                                "objective.samples=2"};
    t = train(sets, 3, 1);
    check_sum(&t);
    assert_near(minimized(&t.ledger, "beta x rate")->nats, 4 * t.report.values[VAE_RATE], 1e-3);
    assert_text_has(minimized(&t.ledger, "beta x rate")->text, "the mean over 2 samples of z");
    assert_text_has(minimized(&t.ledger, "loss")->text, "not a bound");
    trained_run_clear(&t);
}

/* The loss of training is the bound that evaluation finds of the same model and images. */
static void weighed_draws_have_a_gap(void **state)
{
    (void)state;
    static const char *const bounds[] = {"objective.bound=iwae", "objective.bound=dreg"};
    for (int i = 0; i < 2; i++) {
        const char *const sets[] = {bounds[i], "objective.samples=5"};
        trained_run t = train(sets, 2, 1);
        check_sum(&t);
        double gap = minimized(&t.ledger, "gap")->nats, loss = minimized(&t.ledger, "loss")->nats;
        lt_evaluation e;
        lt_eval_options o = {.iwae = (int[]){1, 5}, .n_iwae = 2, .nll_samples = 500};
        assert_int_equal(lt_evaluate(t.model, t.data, LT_TRAIN, &o, &e), LT_OK);
        assert_near(loss, e.bounds[1].value.value, 0.15);
        assert_near(gap, e.bounds[1].value.value - e.bounds[0].value.value, 0.15);
        assert_true(gap < -0.3);
        assert_int_equal(t.ledger.draws, 5);
        assert_text_has(minimized(&t.ledger, "loss")->text, "-L_5");
        assert_text_has(t.ledger.notes[i], "--iwae 5");
        trained_run_clear(&t);
    }
}

/* What an epoch's steps come to, from their running means. */
typedef struct products {
    int64_t epoch;
    double images, rates, sum; /* seen; of the rates of these; of beta x rate */
} products;

static bool add_product(void *user, const lt_train_report *r)
{
    products *p = user;
    if (r->epoch != p->epoch)
        *p = (products){.epoch = r->epoch};
    double images = (double)r->images, rates = r->values[VAE_RATE] * images;
    p->sum += r->beta * (rates - p->rates);
    p->rates = rates;
    p->images = images;
    return true;
}

/* While beta moves within an epoch, its last value times the mean rate is something else. */
static void beta_and_rate_are_multiplied_step_by_step(void **state)
{
    (void)state;
    static const char *const objectives[] = {"objective.kl=auto", "objective.free_bits=1",
                                             "objective.bound=iwae", "objective.bound=dreg",
                                             "objective.capacity=5"};
    for (size_t i = 0; i < sizeof objectives / sizeof objectives[0]; i++) {
        const char *const sets[] = {"objective.beta=3", "objective.samples=2", "train.batch=8",
                                    "objective.schedule=linear epochs=2 per=step", objectives[i]};
        products p = {.epoch = 0};
        lt_loss_part parts[LT_LOSS_PARTS];
        trained_run t = train_watched(sets, 5, 2, add_product, &p);
        check_sum(&t);
        assert_near(t.report.values[VAE_WEIGHTED_RATE], p.sum / p.images, 1e-5);
        assert_near(t.report.beta, 3, 1e-9);
        assert_true(t.report.beta_first > 1.4 && t.report.beta_first < 2);
        assert_true(fabs(t.report.beta * t.report.values[VAE_RATE] - t.report.values[VAE_WEIGHTED_RATE]) > 0.1);
        int n = lt_loss_parts(lt_model_recipe(t.model), &t.report, parts);
        if (strcmp(parts[1].name, "off target") != 0) {
            assert_near(parts[1].nats, t.report.values[VAE_WEIGHTED_RATE], n == 2 ? 1e-4 : 0);
            assert_text_has(minimized(&t.ledger, "beta x rate")->text,
                            "mean over steps, beta from 1");
        }
        /* a log without the number: not a product that it is not */
        t.report.values[VAE_WEIGHTED_RATE] = t.report.beta_first = (double)NAN;
        lt_loss_parts(lt_model_recipe(t.model), &t.report, parts);
        assert_true(n == 2 ? isfinite(parts[1].nats) : isnan(parts[1].nats));
        trained_run_clear(&t);
    }
}

/* Above every KL, free bits are what is paid: latents x F. */
static void free_bits_are_paid_in_full(void **state)
{
    (void)state;
    const char *const sets[] = {"objective.free_bits=50", "objective.beta=2"};
    trained_run t = train(sets, 2, 1);
    check_sum(&t);
    assert_near(minimized(&t.ledger, "beta x rate")->nats, 2 * t.report.values[VAE_RATE], 1e-9);
    assert_near(minimized(&t.ledger, "beta x rate")->nats + minimized(&t.ledger, "free bits")->nats,
                2 * LATENTS * 50, 1e-3);
    assert_text_has(minimized(&t.ledger, "free bits")->text, "F = 50 nats");
    trained_run_clear(&t);
}

/* Linear over 4 epochs: 1/4, 2/4 of the capacity in the second one. */
static void capacity_has_its_target_of_now(void **state)
{
    (void)state;
    const char *const sets[] = {"objective.capacity=80", "objective.beta=3",
                                "objective.capacity_schedule=linear epochs=4"};
    trained_run t = train(sets, 3, 2);
    check_sum(&t);
    assert_near(t.ledger.capacity, 40, 1e-9);
    assert_near(minimized(&t.ledger, "off target")->nats, 3 * (40 - t.report.values[VAE_RATE]), 1e-2);
    assert_text_has(minimized(&t.ledger, "off target")->text,
                    "3 x |rate - C|, of batch means, C = 40 nats in the last step, rising to 80");
    trained_run_clear(&t);
}

static void rates_without_a_formula_say_what_they_are(void **state)
{
    (void)state;
    static const struct {
        const char *sets[3];
        int n;
        const char *text, *note;
    } cases[] = {
        {{"model.prior=mixture 3"}, 1, "the trained prior mixture, one sample of z", "weights, means"},
        {{"model.prior=vamp 4"}, 1, "the trained prior vamp, one sample of z", "over trained images u"},
        {{"model.latent2=2", "model.encoder2=[linear 4]", "model.decoder2=[linear 4]"}, 3,
         "log q(z|x) q(z2|z) - log p(z2) p(z|z2), one sample of z and z2", "both stochastic layers"},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        trained_run t = train(cases[i].sets, cases[i].n, 1);
        check_sum(&t);
        assert_text_has(minimized(&t.ledger, "rate")->text, cases[i].text);
        assert_text_has(reported(&t.ledger, "rate")->text, cases[i].text);
        assert_text_has(t.ledger.notes[0], cases[i].note);
        assert_int_equal(t.ledger.layers, i == 2 ? 2 : 1);
        trained_run_clear(&t);
    }
}

/* ---- Adversarial models ---- */

static const char tiny_gan[] =
    "name: tiny-gan\ndata: {set: synthetic}\n"
    "model:\n  kind: gan\n  latent: 4\n  generator: [linear 8, relu, linear image, sigmoid]\n"
    "  discriminator: [flatten, linear 8, tanh, linear 1]\n"
    "objective: {loss: wasserstein, penalty: gradient 3, discriminator_steps: 2}\n";

static lt_model *make_gan(const char *const *sets, int n)
{
    lt_recipe *r = lt_recipe_parse("tiny-gan", tiny_gan, sets, n);
    lt_model *m = r ? lt_model_create(r, (lt_image_size){SIDE, SIDE, 1}) : NULL;
    if (!m)
        fail_msg("%s", lt_last_error());
    lt_recipe_free(r);
    return m;
}

static void a_gan_has_two_losses_and_no_nats(void **state)
{
    (void)state;
    lt_model *m = make_gan(NULL, 0);
    lt_train_report report = {
        .step = 10, .epoch = 2, .beta = (double)NAN,
        .values = {[GAN_DISCRIMINATOR_LOSS] = -1.5, [GAN_PENALTY_TERM] = 0.25, [GAN_GENERATOR_LOSS] = 0.75,
                   [GAN_ESTIMATE] = 1.75, [GAN_GRADIENT_NORM] = 0.9, [GAN_D_REAL] = 1, [GAN_D_FAKE] = -0.75,
                   [GAN_PIXEL_STD_RATIO] = 0.05}};
    lt_ledger l;
    assert_int_equal(lt_ledger_make(m, &(lt_ledger_facts){.trained = &report}, &l), LT_OK);
    assert_false(l.has_likelihood);
    assert_true(isnan(l.neg_elbo) && isnan(l.beta) && isnan(l.bits_per_dim));
    assert_near(minimized(&l, "on images")->nats, -1.75, 1e-12);
    assert_near(minimized(&l, "penalty")->nats, 0.25, 0);
    assert_text_has(minimized(&l, "penalty")->text, "gradient 3: lambda E");
    assert_near(minimized(&l, "discriminator")->nats, -1.5, 0);
    assert_text_has(minimized(&l, "discriminator")->text, "2 steps per generator step");
    assert_near(minimized(&l, "generator")->nats, 0.75, 0);
    assert_near(nats(&l, "estimate"), 1.75, 0);
    assert_text_has(reported(&l, "estimate")->text, "Wasserstein-1");
    assert_text_has(l.notes[0], "no ELBO");
    assert_text_has(l.notes[1], "--quality");
    assert_text_has(l.notes[3], "slopes stay below 1");
    assert_text_has(l.notes[4], "WARNING: mode collapse");
    assert_int_equal(l.n_notes, 5);
    const lt_published *p;
    for (int i = 0; (p = lt_published_get(i)) != NULL; i++)
        assert_text_has(lt_published_differs(p, &l), "no likelihood");
    lt_model_free(m);
}

static void a_gan_without_a_penalty_or_numbers(void **state)
{
    (void)state;
    const char *const sets[] = {"objective.penalty=none", "objective.loss=non_saturating",
                                "objective.label_smoothing=0.1"};
    lt_ledger l;
    lt_model *m = make_gan(sets, 2);
    assert_int_equal(lt_ledger_make(m, NULL, &l), LT_OK);
    assert_int_equal(l.n_minimized, 3);
    assert_true(isnan(minimized(&l, "on images")->nats) && isnan(nats(&l, "D(real)")));
    assert_text_has(reported(&l, "estimate")->text, "0 to 0.693 nats");
    assert_null(find_term(&l, "slope"));
    assert_int_equal(l.n_notes, 3);
    lt_model_free(m);
    m = make_gan(sets, 1);
    assert_int_equal(lt_ledger_make(m, NULL, &l), LT_OK);
    assert_text_has(l.notes[3], "not a bound");
    lt_model_free(m);
    m = make_gan(sets, 3);
    assert_int_equal(lt_ledger_make(m, NULL, &l), LT_OK);
    assert_text_has(l.notes[0], "0.9 instead of 1");
    lt_model_free(m);
}

static void what_a_gan_does_not_have_is_refused(void **state)
{
    (void)state;
    lt_model *m = make_gan(NULL, 0);
    lt_dataset *data;
    assert_int_equal(lt_dataset_synthetic(10, SIDE, SIDE, 1, NULL, &data), LT_OK);
    lt_evaluation e;
    lt_ais_result a;
    lt_diagnosis d;
    static const char want[] = "tiny-gan is a gan, which makes images but has no likelihood";
    assert_int_equal(lt_evaluate(m, data, LT_TRAIN, NULL, &e), LT_VALUE);
    assert_text_has(lt_last_error(), want);
    assert_text_has(lt_last_error(), "no bound on log p(x). latent eval RUN --quality measures how good its "
                                     "images are");
    assert_int_equal(lt_ais(m, data, LT_TRAIN, NULL, &a), LT_VALUE);
    assert_text_has(lt_last_error(), want);
    assert_int_equal(lt_diagnose(m, data, LT_TRAIN, NULL, &d), LT_VALUE);
    assert_text_has(lt_last_error(), want);
    lt_diagnosis_clear(&d);
    lt_dataset_free(data);
    lt_model_free(m);
}

/* ---- Pixels and units ---- */

static void pixels_are_what_the_recipe_makes_of_them(void **state)
{
    (void)state;
    static const struct {
        const char *set;
        lt_pixels pixels;
        lt_unit unit;
    } cases[] = {
        {"data.set=binarized-mnist", LT_PIXELS_STATIC, LT_DISCRETE},
        {"data.set=/some/where/binarized-mnist/", LT_PIXELS_STATIC, LT_DISCRETE},
        {"data.set=mnist", LT_PIXELS_GRAY, LT_CROSS_ENTROPY},
        {"data.binarize=dynamic", LT_PIXELS_DYNAMIC, LT_DISCRETE},
        {"data.binarize=fixed", LT_PIXELS_OWN, LT_DISCRETE},
        {"data.binarize=threshold", LT_PIXELS_THRESHOLD, LT_DISCRETE},
        {"data.set=./nowhere", LT_PIXELS_UNKNOWN, LT_CROSS_ENTROPY},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        made d = make_set("ift6135-vae", cases[i].set, 28);
        assert_string_equal(lt_pixels_name(d.ledger.pixels), lt_pixels_name(cases[i].pixels));
        assert_int_equal(d.ledger.unit, cases[i].unit);
        assert_true(lt_pixels_text(d.ledger.pixels)[0]);
        lt_model_free(d.model);
    }
}

/* Other data than the recipe's decides. */
static void the_data_at_hand_decides(void **state)
{
    (void)state;
    lt_dataset *bits;
    lt_data_options o = {.binarize = LT_BINARIZE_THRESHOLD};
    assert_int_equal(lt_dataset_synthetic(5, 28, 28, 1, &o, &bits), LT_OK);
    made d = make("ift6135-vae", (const char *[]){"data.set=mnist"}, 1, 28,
                  &(lt_ledger_facts){.data = lt_dataset_describe(bits)});
    assert_string_equal(d.ledger.set, "synthetic");
    assert_string_equal(lt_pixels_name(d.ledger.pixels), "bits");
    assert_int_equal(d.ledger.unit, LT_DISCRETE);
    lt_model_free(d.model);
    lt_dataset_free(bits);
}

/* ---- Published numbers ---- */

/* The reason for the first row of these images and pixels. */
static const char *reason(const lt_ledger *l, const char *images, lt_pixels pixels)
{
    const lt_published *p;
    for (int i = 0; (p = lt_published_get(i)) != NULL; i++)
        if (strcmp(p->images, images) == 0 && p->pixels == pixels)
            return lt_published_differs(p, l);
    fail_msg("no row of %s", images);
    return NULL;
}

static void the_same_bits_may_stand_together(void **state)
{
    (void)state;
    made fixed = make("ift6135-vae", NULL, 0, 28, NULL);
    const char *const sets[] = {"data.set=mnist", "data.binarize=dynamic", "train.epochs=3280"};
    made dynamic = make("ift6135-vae", sets, 3, 28, NULL);
    made gray = make("ift6135-vae", sets, 1, 28, NULL);
    assert_null(reason(&fixed.ledger, "mnist", LT_PIXELS_STATIC));
    assert_null(reason(&dynamic.ledger, "mnist", LT_PIXELS_DYNAMIC));
    assert_null(reason(&gray.ledger, "mnist", LT_PIXELS_GRAY));
    assert_text_has(reason(&fixed.ledger, "mnist", LT_PIXELS_DYNAMIC), "anew in every epoch");
    assert_text_has(reason(&dynamic.ledger, "mnist", LT_PIXELS_STATIC), "published: images binarized once");
    assert_text_has(reason(&fixed.ledger, "mnist", LT_PIXELS_UNKNOWN), "does not say how its images were binarized");
    assert_text_has(reason(&fixed.ledger, "mnist", LT_PIXELS_GRAY), "not a likelihood");
    assert_text_has(reason(&gray.ledger, "mnist", LT_PIXELS_STATIC), "cross-entropies");
    assert_text_has(reason(&fixed.ledger, "fashion-mnist", LT_PIXELS_DYNAMIC), "other images");
    lt_model_free(fixed.model);
    lt_model_free(dynamic.model);
    lt_model_free(gray.model);
}

static void other_units_sizes_and_parts_may_not(void **state)
{
    (void)state;
    static const struct {
        const char *recipe, *set, *part;
        int side;
    } cases[] = {
        {"i2dl-mlp-vae", "name=x", "a density", 28},
        {"i2dl-mlp-vae", "model.likelihood=discretized_logistic", "nats of bytes", 28},
        {"ift6135-vae", "data.limit=100", "only a part", 28},
        {"ift6135-vae", "data.resize=32", "another image size", 32},
        {"ift6135-vae", "data.set=cifar10", "other images", 28},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        made d = make_set(cases[i].recipe, cases[i].set, cases[i].side);
        assert_text_has(reason(&d.ledger, "mnist", LT_PIXELS_STATIC), cases[i].part);
        lt_model_free(d.model);
    }
    made d = make_set("ift6135-vae", "data.binarize=fixed", 28);
    assert_text_has(reason(&d.ledger, "mnist", LT_PIXELS_STATIC), "not those of the published");
    lt_model_free(d.model);
}

/* Burda et al.'s rows need their 3280 epochs. */
static void short_schedules_may_not(void **state)
{
    (void)state;
    static const struct {
        const char *recipe, *set, *model;
        int epochs, like;
        bool may;
    } cases[] = {{"iwae-1l", "name=x", "IWAE 1 layer, k = 50", 3280, 1, true},
                 {"iwae-1l", "name=x", "IWAE 1 layer, k = 50", 3279, 1, false},
                 {"iwae-1l-short", "name=x", "IWAE 1 layer, k = 50", 0, 1, false},
                 {"iwae-1l", "objective.bound=elbo", "VAE 1 layer, k = 50", 0, 1, true},
                 {"iwae-1l", "objective.samples=1", "VAE 1 layer, k = 1", 0, 1, true},
                 {"iwae-2l", "name=x", "IWAE 2 layers, k = 50", 0, 1, true},
                 {"iwae-2l", "objective.samples=7", "IWAE 2 layers, k = 50", 0, 0, true}};
    for (int i = 0; i < COUNT_OF(cases); i++) {
        lt_train_report report = {.step = 3000 * 3280, .epoch = cases[i].epochs, .beta = 1};
        lt_ledger_facts facts = {.trained = cases[i].epochs ? &report : NULL};
        made d = make(cases[i].recipe, &cases[i].set, 1, 28, &facts);
        const lt_published *p;
        int like = 0;
        for (int k = 0; (p = lt_published_get(k)) != NULL; k++) {
            if (lt_published_is_like(p, &d.ledger)) {
                assert_string_equal(p->model, cases[i].model);
                like++;
            }
            if (strcmp(p->model, "IWAE 1 layer, k = 50") != 0 || p->pixels != LT_PIXELS_DYNAMIC)
                continue;
            if (cases[i].may)
                assert_null(lt_published_differs(p, &d.ledger));
            else
                assert_text_has(lt_published_differs(p, &d.ledger), "published model was trained for more epochs");
        }
        assert_int_equal(like, cases[i].like);
        lt_model_free(d.model);
    }
}

static void the_table_is_whole(void **state)
{
    (void)state;
    const lt_published *p;
    int n = 0;
    for (; (p = lt_published_get(n)) != NULL; n++) {
        assert_true(p->images[0] && p->model[0] && p->source[0]);
        assert_true(p->nats > 70 && p->nats < 240);
        assert_true(p->is_elbo == (p->samples == 1));
    }
    assert_true(n > 30);
    assert_null(lt_published_get(-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gaussian_s_constant_is_counted),
        cmocka_unit_test(beta_is_that_of_the_last_step),
        cmocka_unit_test(constants_of_other_likelihoods),
        cmocka_unit_test(the_elbo_is_distortion_and_rate),
        cmocka_unit_test(weighed_draws_have_a_gap),
        cmocka_unit_test(beta_and_rate_are_multiplied_step_by_step),
        cmocka_unit_test(free_bits_are_paid_in_full),
        cmocka_unit_test(capacity_has_its_target_of_now),
        cmocka_unit_test(rates_without_a_formula_say_what_they_are),
        cmocka_unit_test(a_gan_has_two_losses_and_no_nats),
        cmocka_unit_test(a_gan_without_a_penalty_or_numbers),
        cmocka_unit_test(what_a_gan_does_not_have_is_refused),
        cmocka_unit_test(pixels_are_what_the_recipe_makes_of_them),
        cmocka_unit_test(the_data_at_hand_decides),
        cmocka_unit_test(the_same_bits_may_stand_together),
        cmocka_unit_test(other_units_sizes_and_parts_may_not),
        cmocka_unit_test(short_schedules_may_not),
        cmocka_unit_test(the_table_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
