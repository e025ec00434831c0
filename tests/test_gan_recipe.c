/* SPDX-License-Identifier: MIT */
/* Recipes of adversarial models: error messages of malformed ones; every loss with every penalty. */
#include "gan_training.h"

#include "models/gan.h"

/* A small recipe, in lines that the tests can replace. */
#define DATA "data:\n  set: synthetic\n"
#define MODEL "model:\n  kind: gan\n  latent: 2\n"
#define GENERATOR "  generator:\n    - linear 4\n    - linear image\n"
#define CRITIC "  discriminator:\n    - linear 4\n    - linear 1\n"
#define TINY DATA MODEL GENERATOR CRITIC

typedef struct mistake {
    const char *words, *message; /* without the list of what is known, at its end */
} mistake;

static const mistake malformed[] = {
    {DATA MODEL CRITIC,
     "tiny.yaml:4:3: model: \"generator\" is missing (a list of layers)"},
    {DATA MODEL GENERATOR,
     "tiny.yaml:4:3: model: \"discriminator\" is missing (a list of layers)"},
    {DATA MODEL GENERATOR "  discriminator: []\n",
     "tiny.yaml:9:18: expected at least one layer, found an empty list"},
    {DATA MODEL "  generator: []\n" CRITIC,
     "tiny.yaml:6:14: expected at least one layer, found an empty list"},
    {DATA MODEL "  generator: linear 4\n" CRITIC,
     "tiny.yaml:6:14: expected a list, found a value"},
    {DATA MODEL GENERATOR "  discriminator: [lineer 1]\n",
     "tiny.yaml:9:19: unknown layer \"lineer\"; did you mean \"linear\"?"},
    {DATA MODEL GENERATOR CRITIC "  encoder:\n    - linear 4\n",
     "tiny.yaml:12:3: unknown key \"encoder\""},
    {DATA MODEL GENERATOR CRITIC "  likelihood: bernoulli\n",
     "tiny.yaml:12:3: unknown key \"likelihood\""},
    {DATA MODEL GENERATOR CRITIC "  pixels: symetric\n",
     "tiny.yaml:12:11: model: pixels must be one of unit, symmetric, found \"symetric\""},
    {DATA MODEL GENERATOR CRITIC "  clases: 3\n",
     "tiny.yaml:12:3: unknown key \"clases\"; did you mean \"classes\"?"},
    {DATA MODEL GENERATOR CRITIC "  classes: -1\n",
     "tiny.yaml:12:12: model: classes must be a whole number between 0 and 65536, found \"-1\""},
    {DATA MODEL GENERATOR CRITIC "  class_size: 0\n",
     "tiny.yaml:12:15: model: class_size must be a whole number between 1 and 65536, found "
     "\"0\""},
    {DATA "model:\n  kind: gna\n  latent: 2\n" GENERATOR CRITIC,
     "tiny.yaml:4:9: unknown kind of model \"gna\"; did you mean \"gan\"?"},
    {DATA "model:\n  kind: gan loss=hinge\n  latent: 2\n" GENERATOR CRITIC,
     "tiny.yaml:4:9: kind: expected only a name, found \"gan loss=hinge\"; options are keys of the section "
     "\"objective\""},
    {DATA "model:\n  latent: 2\n" GENERATOR CRITIC,
     "tiny.yaml:5:3: unknown key \"generator\""},
    {TINY "objective:\n  loss: wasserstien\n",
     "tiny.yaml:13:9: unknown loss \"wasserstien\"; did you mean \"wasserstein\"?"},
    {TINY "objective:\n  loss: hinge 3\n",
     "tiny.yaml:13:9: loss hinge: value \"3\" is one too many (it has no options)"},
    {TINY "objective:\n  los: hinge\n",
     "tiny.yaml:13:3: unknown key \"los\"; did you mean \"loss\"?"},
    {TINY "objective:\n  beta: 1\n",
     "tiny.yaml:13:3: unknown key \"beta\""},
    {TINY "objective:\n  penalty: lipshitz\n",
     "tiny.yaml:13:12: unknown penalty \"lipshitz\"; did you mean \"lipschitz\"?"},
    {TINY "objective:\n  penalty: lipschitz weight=3\n",
     "tiny.yaml:13:12: unknown option \"weight\" of penalty lipschitz (options: lambda)"},
    {TINY "objective:\n  penalty: lipschitz -1\n",
     "tiny.yaml:13:12: penalty lipschitz: lambda must be a number between 0 and 1000000, "
     "found \"-1\""},
    {TINY "objective:\n  penalty: clip 0\n",
     "tiny.yaml:13:12: penalty clip: c must be a number between 1e-09 and 1000000, found \"0\""},
    {TINY "objective:\n  penalty:\n    lipschitz: 10\n",
     "tiny.yaml:14:5: expected a value, found a map"},
    {TINY "objective:\n  discriminator_steps: 0\n",
     "tiny.yaml:13:24: objective: discriminator_steps must be a whole number between 1 and 1000, "
     "found \"0\""},
    {TINY "objective:\n  discriminator_steps: 2.5\n",
     "tiny.yaml:13:24: objective: discriminator_steps must be a whole number between 1 and 1000, "
     "found \"2.5\""},
    {TINY "objective:\n  label_smoothing: .6\n",
     "tiny.yaml:13:20: objective: label_smoothing must be a number between 0 and 0.5, found "
     "\".6\""},
    {TINY "objective:\n  loss: wasserstein\n  label_smoothing: .1\n",
     "tiny.yaml:14:20: label_smoothing changes the target of real images, but the loss wasserstein has no target"},
    {TINY "objective:\n  label_smoothing: .1\n  loss: hinge\n",
     "tiny.yaml:13:20: label_smoothing changes the target of real images, but the loss hinge has no target"},
    {TINY "objective:\n  discriminator_optimizer: adma\n",
     "tiny.yaml:13:28: unknown optimizer \"adma\"; did you mean \"adam\"?"},
    {TINY "objective:\n  discriminator_optimizer: adam lr=fast\n",
     "tiny.yaml:13:28: optimizer adam: lr must be a number between 0 and 1000, found \"fast\""},
    {DATA MODEL GENERATOR "  discriminator:\n    - linear 1\n    - sigmoid\n",
     "tiny.yaml:11:7: the discriminator must end in a raw score: remove this sigmoid, the losses apply their "
     "own activation"},
    {TINY "  critic: [linear 1]\n",
     "tiny.yaml:12:3: \"critic\" is an alias of \"discriminator\", which line 9 sets already"},
    {DATA "model:\n  kind: vae\n  latent: 2\n  critic: [linear 1]\n",
     "tiny.yaml:6:3: unknown key \"critic\""},
    {TINY "train:\n  samples_at: soon\n",
     "tiny.yaml:13:15: samples_at: expected epochs as in \"1, 30, 50\", found \"soon\""},
    {TINY "train:\n  samples_at: 1, 0\n",
     "tiny.yaml:13:15: samples_at: expected epochs as in \"1, 30, 50\", found \"1, 0\""},
    {TINY "train:\n  samples_at: 1; 30\n",
     "tiny.yaml:13:15: samples_at: expected epochs as in \"1, 30, 50\", found \"1; 30\""},
    {TINY "train:\n  samples_at: -3\n",
     "tiny.yaml:13:15: samples_at: expected epochs as in \"1, 30, 50\", found \"-3\""},
    {TINY "train:\n  samples_at: 99999999999999999999999999\n",
     "tiny.yaml:13:15: samples_at: expected epochs as in \"1, 30, 50\", found "
     "\"99999999999999999999999999\""},
    {TINY "train:\n  samples_at: [1, 30]\n",
     "tiny.yaml:13:15: expected a value, found a list"},
    {TINY "train:\n  ema_decay: 1\n",
     "tiny.yaml:13:14: train: ema_decay must be a number between 0 and 0.9999999, found \"1\""},
};

static void check_error(const mistake *m)
{
    if (strncmp(lt_last_error(), m->message, strlen(m->message)) != 0)
        fail_msg("expected \"%s\", found \"%s\"", m->message, lt_last_error());
}

static void malformed_recipes_say_where_and_why(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT_OF(malformed); i++) {
        assert_null(lt_recipe_parse("tiny.yaml", malformed[i].words, NULL, 0));
        check_error(&malformed[i]);
    }
}

/* ---- Aliases ---- */

static void a_critic_is_a_discriminator(void **state)
{
    (void)state;
    static const char own[] = TINY "objective:\n  loss: wasserstein\n  discriminator_steps: 2\n"
                                   "  discriminator_optimizer: adam lr=3e-4\n",
                      other[] = DATA MODEL GENERATOR "  critic:\n    - linear 4\n    - linear 1\n"
                                "objective:\n  loss: wasserstein\n  critic_steps: 2\n"
                                "  critic_optimizer: adam lr=3e-4\n";
    static const char *const sets[] = {"model.critic.0=linear 5", "objective.critic_steps=4",
                                       "objective.critic_optimizer.lr=1e-3"},
                      *const own_sets[] = {"model.discriminator.0=linear 5", "objective.discriminator_steps=4",
                                           "objective.discriminator_optimizer.lr=1e-3"};
    for (int n = 0; n <= COUNT_OF(sets); n += COUNT_OF(sets)) {
        lt_recipe *a = must_parse(own, own_sets, n), *b = must_parse(other, sets, n), *c = must_parse(own, sets, n);
        assert_null(strstr(lt_recipe_text(b), "critic"));
        assert_string_equal(lt_recipe_text(a), lt_recipe_text(b));
        assert_string_equal(lt_recipe_text(a), lt_recipe_text(c));
        lt_recipe_free(a);
        lt_recipe_free(b);
        lt_recipe_free(c);
    }
}

static const mistake misshapen[] = {
    {DATA MODEL GENERATOR "  discriminator:\n    - linear 2\n",
     "tiny.yaml:10:7: discriminator, layer 0 (linear 2): the discriminator must give one number per image, found 2"},
    {DATA MODEL GENERATOR "  discriminator:\n    - conv 4\n    - relu\n",
     "tiny.yaml:11:7: discriminator, layer 1 (relu): the discriminator must give one number per image, found 2 "
     "x 1 x 4"},
    {DATA MODEL "  generator:\n    - linear 7\n" CRITIC,
     "tiny.yaml:7:7: generator, layer 0 (linear 7): expected 12 numbers per image (4 x 3 x 1), "
     "found 7; its last layer with units should be `linear image`, or `conv "
     "image` at this height and width"},
    {DATA MODEL "  generator:\n    - reshape 1 1 2\n    - conv_transpose 3\n" CRITIC,
     "tiny.yaml:8:7: generator, layer 1 (conv_transpose 3): expected 12 numbers per image (4 x 3 "
     "x 1), found 27; its last layer with units should be `linear image`, or "
     "`conv image` at this height and width"},
    {DATA MODEL "  generator: [linear 12, reshape 2 6 1]\n" CRITIC,
     "tiny.yaml:6:26: generator, layer 1 (reshape 2 6 1): expected images of 4 x 3 x 1, found 2 "
     "x 6 x 1"},
    {DATA MODEL "  generator:\n    - conv 4\n" CRITIC,
     "tiny.yaml:7:7: generator, layer 0 (conv 4) at 2: conv: expected an image as height x "
     "width x channels, found 2; `reshape` makes one"},
    {DATA MODEL "  generator:\n    - reshape 1 1 3\n    - linear image\n" CRITIC,
     "tiny.yaml:7:7: generator, layer 0 (reshape 1 1 3) at 2: reshape: expected 3 numbers for 1 x 1 x 3, found 2"},
    {DATA MODEL "  classes: 4\n  class_size: 3\n"
                "  generator:\n    - reshape 1 1 2\n    - linear image\n" CRITIC,
     "tiny.yaml:9:7: generator, layer 0 (reshape 1 1 2) at 5: reshape: expected 2 numbers for 1 x 1 x 2, found 5"},
    {DATA MODEL GENERATOR "  discriminator:\n    - reshape 5 5 5\n    - linear 1\n",
     "tiny.yaml:10:7: discriminator, layer 0 (reshape 5 5 5) at 4 x 3 x 1: reshape: expected 125 numbers for 5 "
     "x 5 x 5, found 12"},
};

static void misshapen_networks_say_where_and_why(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT_OF(misshapen); i++) {
        lt_recipe *r = must_parse(misshapen[i].words, NULL, 0);
        assert_null(lt_model_create(r, (lt_image_size){4, 3, 1}));
        check_error(&misshapen[i]);
        lt_recipe_free(r);
    }
}

/* As rows of numbers are: 1 x 1 x 12 has one order. */
static void a_column_of_channels_is_an_image(void **state)
{
    (void)state;
    lt_recipe *r =
        must_parse(DATA MODEL "  generator: [linear 12, reshape 1 1 12]\n" CRITIC, NULL, 0);
    lt_model *m = lt_model_create(r, (lt_image_size){4, 3, 1});
    assert_non_null(m);
    lt_model_free(m);
    lt_recipe_free(r);
}

/* ---- Every loss with every penalty ---- */

static void assert_resolves_to_itself(const lt_recipe *r)
{
    lt_recipe *again = must_parse(lt_recipe_text(r), NULL, 0);
    assert_string_equal(lt_recipe_text(r), lt_recipe_text(again));
    lt_recipe_free(again);
}

static void assert_finite(const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        assert_true(isfinite(x[i]));
}

static void check_pair(const char *loss, const char *penalty)
{
    enum { STEPS = 30 };
    char sets[3][64];
    lt_dataset *data;
    snprintf(sets[0], sizeof sets[0], "objective.loss=%s", loss);
    snprintf(sets[1], sizeof sets[1], "objective.penalty=%s", penalty);
    snprintf(sets[2], sizeof sets[2], "train.batch=8");
    assert_int_equal(lt_dataset_synthetic(20, 4, 3, 1, NULL, &data), LT_OK);
    training t = begin_model(TINY, (const char *[]){sets[0], sets[1], sets[2]}, 3, data);
    assert_resolves_to_itself(lt_model_recipe(t.model));
    begin_trainer(&t, LT_CPU, 1);
    for (int i = 0; i < STEPS; i++) {
        lt_train_report r = must_step(t.trainer);
        assert_true(isfinite(r.values[GAN_DISCRIMINATOR_LOSS]) && isfinite(r.values[GAN_GENERATOR_LOSS]) && isfinite(r.values[GAN_ESTIMATE]));
        assert_true(isfinite(r.values[GAN_D_REAL]) && isfinite(r.values[GAN_D_FAKE]) && isfinite(r.values[GAN_PIXEL_STD_RATIO]));
        assert_int_equal(isfinite(r.values[GAN_PENALTY_TERM]), isfinite(r.values[GAN_GRADIENT_NORM]));
    }
    assert_finite(lt_params_block(lt_model_params(t.model)),
                  lt_params_extent(lt_model_params(t.model)));
    assert_finite(lt_params_block(lt_model_discriminator(t.model)),
                  lt_params_extent(lt_model_discriminator(t.model)));
    end_training(&t);
}

static void every_loss_trains_with_every_penalty(void **state)
{
    (void)state;
    lt_table_entry loss, penalty;
    int pairs = 0;
    for (int i = 0; lt_table_get("losses", i, &loss); i++)
        for (int k = 0; lt_table_get("penalties", k, &penalty); k++, pairs++)
            check_pair(loss.name, penalty.name);
    assert_true(pairs >= 11 * 5);
}

/* ---- Every loss leads to the data ---- */

static const char one_pixel[] =
    DATA "model:\n  kind: gan\n  latent: 1\n  generator: [linear image]\n"
         "  discriminator: [linear 8, tanh, linear 1]\n"
         "objective: {discriminator_steps: 2}\n"
         "optimizer: adam lr=0.01 beta1=0\n"
         "train: {batch: 32}\n";

/* Of 64 samples. */
static double mean_of_samples(lt_model *m)
{
    float x[64];
    double sum = 0;
    assert_int_equal(lt_sample(m, 64, 3, 1, x), LT_OK);
    for (int i = 0; i < 64; i++)
        sum += (double)x[i] / 64;
    return sum;
}

/* Of samples from images of a pixel around 0.8; they start from a distance of 1.8. */
static double distance_after(const char *loss, const char *penalty, int steps)
{
    enum { N = 64 };
    float pixels[N];
    char sets[2][64];
    draws d = draws_from(91);
    for (int i = 0; i < N; i++)
        pixels[i] = (float)draw(&d, .6, 1);
    snprintf(sets[0], sizeof sets[0], "objective.loss=%s", loss);
    snprintf(sets[1], sizeof sets[1], "objective.penalty=%s", penalty);
    training t = begin_model(one_pixel, (const char *[]){sets[0], sets[1]}, 2,
                             open_images(pixels, N, (lt_image_size){1, 1, 1}, NULL));
    lt_params *p = lt_model_params(t.model);
    int i = lt_params_find(p, "generator.0.bias");
    lt_params_import(p, i, lt_params_block(p), &(float){-1});
    begin_trainer(&t, LT_CPU, 1);
    must_train(t.trainer, steps);
    double distance = fabs(mean_of_samples(t.model) - .8);
    end_training(&t);
    return distance;
}

static void every_loss_leads_to_the_data(void **state)
{
    (void)state;
    lt_table_entry loss;
    for (int i = 0; lt_table_get("losses", i, &loss); i++) {
        const char *penalty = strcmp(loss.name, "wasserstein") == 0 ? "lipschitz 10" : "r1 0.1";
        double distance = distance_after(loss.name, penalty, 600);
        if (!(distance < .2))
            fail_msg("%s: samples are %g away", loss.name, distance);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_recipes_say_where_and_why),
        cmocka_unit_test(a_critic_is_a_discriminator),
        cmocka_unit_test(misshapen_networks_say_where_and_why),
        cmocka_unit_test(a_column_of_channels_is_an_image),
        cmocka_unit_test(every_loss_trains_with_every_penalty),
        cmocka_unit_test(every_loss_leads_to_the_data),
    };
    return cmocka_run_group_tests(tests, make_data_dir, remove_dir);
}
