/* SPDX-License-Identifier: MIT */
/* What recipes say that their models can do is what the functions of a model do; what they say that training
   reports is what it reports. */
#include "check.h"
#include "tiny_training.h"

#include "base/status.h"

#include <latent/model.h>

#include <math.h>
#include <string.h>

/* Models for images of 4 x 4, and what each can do. */
static const struct {
    const char *name, *words;
    unsigned can;
} kinds[] = {
    {"vae", "model: {kind: vae, latent: 2, likelihood: gaussian sigma=learned, encoder: [linear 4], "
            "decoder: [linear image]}\ntrain: {epochs: 1, batch: 4}\n",
     LT_CAN_ENCODE | LT_CAN_POSTERIOR | LT_CAN_DECODE | LT_CAN_SAMPLE | LT_CAN_LIKELIHOOD | LT_CAN_LOG_PRIOR |
         LT_CAN_BOUND},
    {"vae of two layers",
     "model: {kind: vae, latent: 3, latent2: 2, likelihood: bernoulli, encoder: [linear 4], decoder: [linear "
     "image], encoder2: [linear 4], decoder2: [linear 4]}\ntrain: {epochs: 1, batch: 4}\n",
     LT_CAN_ENCODE | LT_CAN_POSTERIOR | LT_CAN_DECODE | LT_CAN_SAMPLE | LT_CAN_LIKELIHOOD | LT_CAN_BOUND},
    {"gan", "model: {kind: gan, latent: 2, generator: [linear image], discriminator: [linear 1]}\n"
            "objective: {penalty: gradient 10}\ntrain: {epochs: 1, batch: 4}\n",
     LT_CAN_DECODE | LT_CAN_SAMPLE | LT_CAN_ADVERSARY},
    {"gan with classes",
     "model: {kind: gan, latent: 2, classes: 10, generator: [linear image], discriminator: [linear 1]}\n"
     "train: {epochs: 1, batch: 4}\n",
     LT_CAN_DECODE | LT_CAN_SAMPLE | LT_CAN_ADVERSARY | LT_CAN_CLASSES},
};

enum { N = 3 };

static lt_recipe *parse(int i)
{
    lt_recipe *r = lt_recipe_parse(kinds[i].name, kinds[i].words, (const char *[]){"name=tiny"}, 1);
    if (!r)
        fail_msg("%s: %s", kinds[i].name, lt_last_error());
    return r;
}

static lt_model *make(int i)
{
    lt_recipe *r = parse(i);
    lt_model *m = lt_model_create(r, (lt_image_size){4, 4, 1});
    lt_recipe_free(r);
    if (!m)
        fail_msg("%s: %s", kinds[i].name, lt_last_error());
    return m;
}

/* ---- Capabilities ---- */

/* Builds what a capability stands for. */
static void try_it(lt_model *m, lt_graph *g, unsigned what)
{
    lt_node *x = lt_input(g, "x", lt_shape_4d(N, 4, 4, 1));
    lt_node *z = lt_input(g, "z", lt_shape_2d(N, lt_model_latent(m)));
    lt_node *labels = lt_input(g, "labels", lt_shape_1d(N));
    switch (what) {
    case LT_CAN_ENCODE:
        lt_model_encode(m, g, x);
        break;
    case LT_CAN_DECODE:
        lt_model_decode(m, g, z);
        break;
    case LT_CAN_SAMPLE:
        lt_model_prior_sample(m, g, N);
        break;
    case LT_CAN_LIKELIHOOD:
        lt_model_log_prob(m, g, z, x);
        break;
    case LT_CAN_LOG_PRIOR:
        lt_model_log_prior(m, g, z);
        break;
    case LT_CAN_BOUND:
        lt_model_log_weights(m, g, x, (lt_gauss){z, z}, 2);
        break;
    default:
        lt_model_decode_class(m, g, z, labels);
    }
}

static void models_do_what_they_say_and_nothing_else(void **state)
{
    (void)state;
    static const unsigned all[] = {LT_CAN_ENCODE,     LT_CAN_DECODE, LT_CAN_SAMPLE, LT_CAN_LIKELIHOOD,
                                   LT_CAN_LOG_PRIOR, LT_CAN_BOUND,  LT_CAN_CLASSES};
    for (int i = 0; i < COUNT_OF(kinds); i++) {
        lt_model *m = make(i);
        assert_int_equal(lt_recipe_capabilities(lt_model_recipe(m)), kinds[i].can);
        assert_int_equal(lt_model_can(m, LT_CAN_ADVERSARY), lt_model_discriminator(m) != NULL);
        for (int k = 0; k < COUNT_OF(all); k++) {
            lt_graph *g = lt_graph_create();
            try_it(m, g, all[k]);
            if (!lt_graph_error(g) != lt_model_can(m, all[k]))
                fail_msg("%s: %s: %s", kinds[i].name, lt_capability_name(all[k]),
                         lt_graph_error(g) ? lt_graph_error(g) : "is there, and is not among its capabilities");
            lt_graph_free(g);
        }
        lt_model_free(m);
    }
}

static void what_is_missing_is_named_with_a_reason(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT_OF(kinds); i++) {
        lt_recipe *r = parse(i);
        for (unsigned one = 1; lt_capability_name(one); one <<= 1) {
            bool can = lt_recipe_can(r, one);
            assert_int_equal(lt_recipe_require(r, one), can ? LT_OK : LT_VALUE);
            if (!can && !strstr(lt_last_error(), lt_recipe_kind_phrase(r)))
                fail_msg("%s: %s", kinds[i].name, lt_last_error());
        }
        lt_recipe_free(r);
    }
}

/* ---- Metrics ---- */

static bool has_phase(const lt_trainer *t, const char *name)
{
    for (int i = 0; i < lt_trainer_phases(t); i++)
        if (strcmp(lt_trainer_phase_name(t, i), name) == 0)
            return true;
    return false;
}

/* Every number that a step reports is of the list, and one of each phase is there. */
static void training_reports_what_is_listed(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT_OF(kinds); i++) {
        training t = begin_training(kinds[i].words, "data.set=synthetic", 8);
        const lt_recipe *r = lt_model_recipe(t.model);
        lt_train_report report;
        int n;
        const lt_metric *list = lt_recipe_metrics(r, &n);
        assert_true(n > 0);
        expect_ok(lt_trainer_step(t.trainer, &report));
        for (int k = 0; k < n; k++) {
            assert_true(has_phase(t.trainer, list[k].phase));
            assert_int_equal(list[k].index, k);
            assert_ptr_equal(lt_recipe_metric(r, list[k].name), &list[k]);
        }
        assert_true(isfinite(lt_metric_value(lt_recipe_loss(r), &report)));
        assert_null(lt_recipe_metric(r, "none of these"));
        end_training(&t);
    }
}

static void metrics_of_a_gan_say_what_its_loss_makes_of_images(void **state)
{
    (void)state;
    const char *sets[] = {"objective.loss=wasserstein", "name=tiny"};
    lt_recipe *plain = parse(2), *other = lt_recipe_parse("w", kinds[2].words, sets, 2);
    assert_non_null(other);
    assert_string_equal(lt_recipe_metric(plain, "d_real")->unit, "probability of being real");
    assert_string_equal(lt_recipe_metric(other, "d_real")->unit, "score of the discriminator, not a probability");
    lt_recipe_free(plain);
    lt_recipe_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(models_do_what_they_say_and_nothing_else),
        cmocka_unit_test(what_is_missing_is_named_with_a_reason),
        cmocka_unit_test(training_reports_what_is_listed),
        cmocka_unit_test(metrics_of_a_gan_say_what_its_loss_makes_of_images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
