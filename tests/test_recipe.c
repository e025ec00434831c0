/* SPDX-License-Identifier: MIT */
/* Recipes: presets, defaults, --set, schedules, and error messages of malformed ones. */
#include "models/kind.h"

#include "base/memory.h"
#include "base/status.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A small recipe, in lines that the tests can replace. */
#define DATA "data:\n  set: synthetic\n"
#define ENCODER "  encoder:\n    - linear 4\n    - relu\n"
#define DECODER "  decoder:\n    - linear 4\n    - linear image\n"
#define MODEL "model:\n  latent: 2\n  likelihood: bernoulli\n"
#define TINY DATA MODEL ENCODER DECODER

static lt_recipe *parse(const char *words) { return lt_recipe_parse("tiny.yaml", words, NULL, 0); }

static lt_recipe *must_parse(const char *words, const char *const *sets, int n)
{
    lt_recipe *r = lt_recipe_parse("tiny.yaml", words, sets, n);
    if (!r)
        fail_msg("%s", lt_last_error());
    return r;
}

static void assert_has(const char *all, const char *part)
{
    if (!strstr(all, part))
        fail_msg("expected \"%s\" in:\n%s", part, all);
}

static void assert_close(double found, double want, double tolerance)
{
    if (!(fabs(found - want) <= tolerance))
        fail_msg("expected %.17g, found %.17g", want, found);
}

/* ---- Presets ---- */

static void every_preset_resolves_to_itself(void **state)
{
    (void)state;
    assert_true(lt_preset_count() >= 4);
    for (int i = 0; i < lt_preset_count(); i++) {
        lt_recipe *r;
        lt_recipe_open(lt_preset_name(i), NULL, 0, &r);
        if (!r)
            fail_msg("%s", lt_last_error());
        assert_string_equal(lt_recipe_name(r), lt_preset_name(i));
        assert_string_equal(lt_recipe_summary(r), lt_preset_summary(i));
        lt_recipe *again = must_parse(lt_recipe_text(r), NULL, 0);
        assert_string_equal(lt_recipe_text(r), lt_recipe_text(again));
        lt_recipe_free(again);
        lt_recipe_free(r);
    }
}

static void presets_are_sorted(void **state)
{
    (void)state;
    for (int i = 1; i < lt_preset_count(); i++)
        assert_true(strcmp(lt_preset_name(i - 1), lt_preset_name(i)) < 0);
}

static void preset_files_are_those_embedded(void **state)
{
    (void)state;
    for (int i = 0; i < lt_preset_count(); i++) {
        char *path = must_format("%s/../recipes/%s.yaml", TESTS_DIR, lt_preset_name(i));
        lt_recipe *file;
        lt_recipe_open(path, NULL, 0, &file);
        if (!file)
            fail_msg("%s", lt_last_error());
        lt_recipe *inside;
        lt_recipe_open(lt_preset_name(i), NULL, 0, &inside);
        assert_string_equal(lt_recipe_text(file), lt_recipe_text(inside));
        lt_recipe_free(file);
        lt_recipe_free(inside);
        free(path);
    }
}

static void unknown_preset_names_the_nearest(void **state)
{
    (void)state;
    assert_int_equal(lt_recipe_open("ift6135-va", NULL, 0, &(lt_recipe *){NULL}), LT_NOT_FOUND);
    assert_has(lt_last_error(), "there is no preset \"ift6135-va\"; did you mean \"ift6135-vae\"?");
    assert_int_equal(lt_recipe_open("no/such/file.yaml", NULL, 0, &(lt_recipe *){NULL}), LT_NOT_FOUND);
    assert_has(lt_last_error(), "no/such/file.yaml");
}

/* ---- Defaults ---- */

static void defaults_are_written_out(void **state)
{
    (void)state;
    lt_recipe *r = must_parse(TINY, NULL, 0);
    assert_string_equal(lt_recipe_text(r),
                        "name: tiny\n"
                        "summary: \"\"\n"
                        "seed: 1\n"
                        "data:\n"
                        "  set: synthetic\n"
                        "  validation: 0\n"
                        "  resize: \"\"\n"
                        "  crop: center\n"
                        "  orient: exif\n"
                        "  channels: 0\n"
                        "  flip: no\n"
                        "  binarize: none\n"
                        "  seed: 0\n"
                        "  limit: 0\n"
                        "  classes: \"\"\n"
                        "  strict: no\n"
                        "  path: \"\"\n"
                        "model:\n"
                        "  kind: vae\n"
                        "  latent: 2\n"
                        "  init: pytorch\n"
                        "  likelihood: bernoulli\n"
                        "  prior: normal\n"
                        "  posterior_heads: linear\n"
                        "  latent2: 0\n"
                        "  encoder:\n"
                        "    - linear 4 bias=yes init=model\n"
                        "    - relu\n"
                        "  posterior:\n"
                        "    mean: []\n"
                        "    logvar: []\n"
                        "  decoder:\n"
                        "    - linear 4 bias=yes init=model\n"
                        "    - linear image bias=yes init=model\n"
                        "objective:\n"
                        "  beta: 1\n"
                        "  kl: auto\n"
                        "  schedule: constant\n"
                        "  samples: 1\n"
                        "  bound: elbo\n"
                        "  free_bits: 0\n"
                        "  capacity: 0\n"
                        "  capacity_schedule: constant\n"
                        "optimizer: adam 0.001 beta1=0.9 beta2=0.999 eps=1e-08\n"
                        "learning_rate_schedule: constant\n"
                        "train:\n"
                        "  epochs: 20\n"
                        "  batch: 128\n"
                        "  samples_every: 1\n"
                        "  samples_at: \"\"\n"
                        "  checkpoint_every: 1\n"
                        "  keep_checkpoints: 2\n"
                        "  clip_norm: 0\n"
                        "  ema_decay: 0\n");
    lt_recipe_free(r);
}

static void everything_written_is_kept(void **state)
{
    (void)state;
    static const char full[] =
        "name: a-name_1.x\nsummary: \"a: #1 \\\"quoted\\\" line\"\nseed: 7\n"
        "data: {set: ./some dir/x.npy, binarize: dynamic, limit: 100, path: /tmp/a b}\n"
        "model:\n  latent: 3\n  likelihood: gaussian learned\n  init: normal 0.05\n"
        "  encoder: [linear 8 bias=no init=\"normal value=0.1\", leaky_relu .2, dropout .25]\n"
        "  posterior: {mean: [linear 4, tanh], logvar: []}\n"
        "  decoder: [linear 12, reshape 2 3 2, flatten, shift -.5, linear image, sigmoid]\n"
        "objective: {beta: 1/4, kl: monte-carlo, schedule: cyclical period=4 ratio=.25}\n"
        "optimizer: sgd lr=.5 momentum=.9 nesterov=yes\n"
        "learning_rate_schedule: step every=3\n"
        "train: {epochs: 3, batch: 7, samples_every: 0, checkpoint_every: 2, keep_checkpoints: 0,\n"
        "  clip_norm: 5}\n";
    lt_recipe *r = must_parse(full, NULL, 0);
    const char *words = lt_recipe_text(r);
    static const char *const parts[] = {
        "name: a-name_1.x\n", "summary: \"a: #1 \\\"quoted\\\" line\"\n", "seed: 7\n",
        "set: ./some dir/x.npy\n", "binarize: dynamic\n", "path: /tmp/a b\n",
        "likelihood: gaussian learned\n", "init: normal 0.05\n",
        "- linear 8 bias=no init=\"normal value=0.1\"\n", "- leaky_relu 0.2\n", "- dropout 0.25\n",
        "- reshape 2 3 2\n", "- flatten\n", "- shift -0.5\n", "beta: 0.25\n", "kl: monte-carlo\n",
        "schedule: cyclical period=4 ratio=0.25 per=step\n",
        "optimizer: sgd 0.5 momentum=0.9 nesterov=yes weight_decay=0\n",
        "learning_rate_schedule: step every=3 factor=0.1\n", "clip_norm: 5\n",
    };
    for (int i = 0; i < COUNT_OF(parts); i++)
        assert_has(words, parts[i]);
    lt_recipe *again = must_parse(words, NULL, 0);
    assert_string_equal(words, lt_recipe_text(again));
    lt_recipe_free(again);
    lt_recipe_free(r);
}

static void accessors_give_what_was_read(void **state)
{
    (void)state;
    lt_recipe *r;
    lt_recipe_open("ift6135-vae", NULL, 0, &r);
    assert_string_equal(lt_recipe_dataset(r), "binarized-mnist");
    assert_int_equal(lt_recipe_data_options(r)->binarize, LT_BINARIZE_NONE);
    const lt_train_options *train = lt_recipe_train_options(r);
    assert_int_equal(train->epochs, 20);
    assert_int_equal(train->batch, 64);
    assert_int_equal(lt_recipe_seed(r), 1);
    lt_recipe_free(r);
}

/* ---- --set ---- */

static void sets_change_keys_lines_and_options(void **state)
{
    (void)state;
    static const char *const sets[] = {
        "seed=5", "model.latent=3", "model.encoder.0=linear 9", "model.encoder.0.bias=no",
        "optimizer.lr=1e-4", "optimizer.beta1=.5", "model.likelihood=gaussian",
        "model.likelihood.sigma=learned", "objective.schedule=linear", "objective.schedule.free=2",
        "model.decoder=[linear 5, tanh, linear image]", "train.epochs=2", "data.binarize=threshold",
    };
    lt_recipe *r = must_parse(TINY, sets, COUNT_OF(sets));
    static const char *const parts[] = {
        "seed: 5\n", "latent: 3\n", "- linear 9 bias=no init=model\n",
        "optimizer: adam 0.0001 beta1=0.5 ", "likelihood: gaussian learned\n",
        "schedule: linear free=2 epochs=10 per=epoch\n", "- linear 5 bias=yes", "- tanh\n",
        "epochs: 2\n", "binarize: threshold\n",
    };
    for (int i = 0; i < COUNT_OF(parts); i++)
        assert_has(lt_recipe_text(r), parts[i]);
    lt_recipe_free(r);
}

static void later_sets_win(void **state)
{
    (void)state;
    static const char *const sets[] = {"optimizer.lr=1", "optimizer=sgd .25", "train.batch=3",
                                       "train.batch=4"};
    lt_recipe *r = must_parse(TINY, sets, COUNT_OF(sets));
    assert_has(lt_recipe_text(r), "optimizer: sgd 0.25 ");
    assert_has(lt_recipe_text(r), "batch: 4\n");
    lt_recipe_free(r);
}

/* The last error; a message that ends in "(known: " goes on with the names of a table, which grows. */
static void assert_said(const char *message)
{
    size_t n = strlen(message);
    bool is_open = n > 8 && strcmp(message + n - 8, "(known: ") == 0;
    assert_memory_equal(lt_last_error(), message, is_open ? n : n + 1);
    if (is_open)
        assert_string_equal(lt_last_error() + strlen(lt_last_error()) - 1, ")");
}

static void malformed_sets_say_why(void **state)
{
    (void)state;
    static const struct {
        const char *set, *message;
    } cases[] = {
        {"model.latent",
         "--set model.latent: expected KEY=VALUE, as in model.latent=32"},
        {"=3",
         "--set =3: expected KEY=VALUE, as in model.latent=32"},
        {"model.latnt=3",
         "--set model.latnt:1:1: unknown key \"latnt\"; did you mean \"model.latent\"? (keys: kind, "
         "latent, init, likelihood, prior, posterior_heads, latent2, encoder, posterior, decoder, "
         "encoder2, decoder2)"},
        {"model.latent=many",
         "--set model.latent:1:1: model: latent must be a whole number between 1 and 65536, "
         "found \"many\""},
        {"optimizer.momentum=.9",
         "--set optimizer.momentum: unknown option \"momentum\" of optimizer adam (options: lr, "
         "beta1, beta2, eps)"},
        {"optimizer.lr=fast",
         "--set optimizer.lr: optimizer adam: lr must be a number between 0 and 1000, found "
         "\"fast\""},
        {"model.encoder.0.unts=3",
         "--set model.encoder.0.unts: unknown option \"unts\" of layer linear; did you mean "
         "\"units\"? (options: units, bias, init)"},
        {"model.encoder.7=relu",
         "--set model.encoder.7: the list at tiny.yaml:7:5 has no element \"7\"; it has 2"},
        {"model.encoder.0=lineer 3",
         "--set model.encoder.0:1:1: unknown layer \"lineer\"; did you mean \"linear\"? (known: "},
        {"model.init.value=1",
         "--set model.init.value: unknown option \"value\" of initializer pytorch (it has no "
         "options)"},
        {"seed.x=1",
         "--set seed.x:1:1: expected a value, found a map"},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        lt_recipe *r = lt_recipe_parse("tiny.yaml", TINY, &cases[i].set, 1);
        assert_null(r);
        assert_said(cases[i].message);
    }
}

/* ---- Malformed recipes ---- */

static void malformed_recipes_say_where_and_why(void **state)
{
    (void)state;
    static const struct {
        const char *words, *message;
    } cases[] = {
        {"",
         "tiny.yaml:1:1: the document is empty"},
        {"just words",
         "tiny.yaml:1:1: expected a map, found a value"},
        {"- a\n- list\n",
         "tiny.yaml:1:1: expected a map, found a list"},
        {"data: {set: x\n",
         "tiny.yaml:2:1: did not find expected ',' or '}' while parsing a flow mapping"},
        {DATA MODEL ENCODER DECODER "sed: 3\n",
         "tiny.yaml:12:1: unknown key \"sed\"; did you mean \"seed\"? (keys: name, summary, "
         "seed, optimizer, learning_rate_schedule, data, model, objective, train)"},
        {DATA ENCODER DECODER,
         "tiny.yaml:1:1: the section \"model\" is missing"},
        {"data: {set: x, binarise: none}\n" MODEL ENCODER DECODER,
         "tiny.yaml:1:16: unknown key \"binarise\"; did you mean \"binarize\"? (keys: set, "
         "validation, resize, crop, orient, channels, flip, binarize, seed, limit, classes, strict, path)"},
        {"data: {set: x, binarize: maybe}\n" MODEL ENCODER DECODER,
         "tiny.yaml:1:26: data: binarize must be one of none, fixed, dynamic, threshold, found "
         "\"maybe\""},
        {"data: {set: [x]}\n" MODEL ENCODER DECODER,
         "tiny.yaml:1:13: expected a value, found a list"},
        {DATA "model:\n  likelihood: bernoulli\n" ENCODER DECODER,
         "tiny.yaml:4:3: model: \"latent\" is missing (dimensions of z)"},
        {DATA "model:\n  latent: 0\n  likelihood: bernoulli\n" ENCODER DECODER,
         "tiny.yaml:4:11: model: latent must be a whole number between 1 and 65536, found \"0\""},
        {DATA "model:\n  latent: 2.5\n  likelihood: bernoulli\n" ENCODER DECODER,
         "tiny.yaml:4:11: model: latent must be a whole number between 1 and 65536, found "
         "\"2.5\""},
        {DATA "model:\n  latent: 2\n  likelihood: bernouli\n" ENCODER DECODER,
         "tiny.yaml:5:15: unknown likelihood \"bernouli\"; did you mean \"bernoulli\"? (known: "},
        {DATA "model:\n  latent: 2\n  likelihood: gaussian sigma=optimum\n" ENCODER DECODER,
         "tiny.yaml:5:15: likelihood gaussian: sigma must be learned, per_channel, optimal "
         "or a number between 0.001 and 1000, found \"optimum\""},
        {DATA "model:\n  latent: 2\n  kind: van\n  likelihood: bernoulli\n" ENCODER DECODER,
         "tiny.yaml:5:9: unknown kind of model \"van\"; did you mean \"vae\"? (known: "},
        {DATA "model:\n  latent: 2\n  kind: vae beta=2\n  likelihood: bernoulli\n" ENCODER DECODER,
         "tiny.yaml:5:9: kind: expected only a name, found \"vae beta=2\"; options are keys of the section "
         "\"objective\""},
        {DATA MODEL "  init: normal 0.1 0.2\n" ENCODER DECODER,
         "tiny.yaml:6:9: initializer normal: value \"0.2\" is one too many (options: value)"},
        {DATA MODEL ENCODER,
         "tiny.yaml:4:3: model: \"decoder\" is missing (a list of layers)"},
        {DATA MODEL ENCODER "  decoder: linear 4\n",
         "tiny.yaml:9:12: expected a list, found a value"},
        {DATA MODEL ENCODER "  decoder:\n    - linear: 4\n",
         "tiny.yaml:10:7: expected a value, found a map"},
        {DATA MODEL ENCODER "  decoder:\n    - linear 4\n    - leaky_rel 0.2\n",
         "tiny.yaml:11:7: unknown layer \"leaky_rel\"; did you mean \"leaky_relu\"? (known: "},
        {DATA MODEL ENCODER "  decoder:\n    - linear\n",
         "tiny.yaml:10:7: layer linear: units is missing (output width; `image`: height x width x channels of "
         "the images)"},
        {DATA MODEL ENCODER "  decoder:\n    - linear 0\n",
         "tiny.yaml:10:7: layer linear: units must be a whole number between 1 and 1048576, or "
         "\"image\", found \"0\""},
        {DATA MODEL ENCODER "  decoder:\n    - linear 4 init=kaiming\n",
         "tiny.yaml:10:7: layer linear: unknown initializer \"kaiming\"; did you mean "
         "\"kaiming_normal\"? (known: "},
        {DATA MODEL ENCODER "  decoder:\n    - linear 4 bias=maybe\n",
         "tiny.yaml:10:7: layer linear: bias must be yes or no, found \"maybe\""},
        {DATA MODEL ENCODER "  decoder:\n    - \"\"\n",
         "tiny.yaml:10:7: expected the name of a layer, found nothing (known: "},
        {DATA MODEL ENCODER "  decoder:\n    - linear image\n    - sigmoid\n",
         "tiny.yaml:11:7: the bernoulli likelihood expects logits: remove this sigmoid, it is applied when the "
         "mean image is computed"},
        {DATA MODEL ENCODER DECODER "  posterior:\n    mu: [relu]\n",
         "tiny.yaml:13:5: unknown key \"mu\" (keys: mean, logvar)"},
        {TINY "objective:\n  beta: -1\n",
         "tiny.yaml:13:9: objective: beta must be a number between 0 and 1000000, found \"-1\""},
        {TINY "objective:\n  schedule: linear warmup=3\n",
         "tiny.yaml:13:13: unknown option \"warmup\" of schedule linear (options: free, epochs, "
         "per)"},
        {TINY "optimizer: adam lr=1e-3 lr=1e-4\n",
         "tiny.yaml:12:12: optimizer adam: lr is given twice"},
        {TINY "optimizer: adm\n",
         "tiny.yaml:12:12: unknown optimizer \"adm\"; did you mean \"adam\"? (known: "},
        {TINY "learning_rate_schedule: cosine 3\n",
         "tiny.yaml:12:25: schedule cosine: value \"3\" is one too many (options: floor)"},
        {TINY "train:\n  batch: 1e3\n",
         "tiny.yaml:13:10: train: batch must be a whole number between 1 and 65536, found "
         "\"1e3\""},
        {TINY "train:\n  epochs: 3\n  epochs: 4\n",
         "tiny.yaml:14:3: key \"epochs\" appears twice, first in line 13"},
        {"name: \"../evil\"\n" TINY,
         "tiny.yaml:1:7: name: expected letters, digits, '_', and after the first also '-' and '.', found "
         "\"../evil\""},
        {"seed: -1\n" TINY,
         "tiny.yaml:1:7: recipe: seed must be a whole number between 0 and 9e+15, found \"-1\""},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        assert_null(parse(cases[i].words));
        assert_said(cases[i].message);
    }
}

/* ---- Schedules ---- */

static lt_recipe *with_schedule(const char *line)
{
    const char *sets[] = {line};
    return must_parse(TINY, sets, 1);
}

static void document_001_anneals_by_fifths(void **state)
{
    (void)state;
    lt_recipe *r;
    lt_recipe_open("i2dl-mlp-vae-annealed", NULL, 0, &r);
    static const double want[] = {.2, .4, .6, .8, 1, 1, 1};
    for (int epoch = 0; epoch < COUNT_OF(want); epoch++)
        for (int step = 0; step < 469; step += 468)
            assert_close(recipe_beta(r, epoch * 469 + step, 469), want[epoch], 1e-12);
    lt_recipe_free(r);
}

static void free_epochs_have_no_weight(void **state)
{
    (void)state;
    lt_recipe *r = with_schedule("objective.schedule=linear free=2 epochs=4");
    static const double want[] = {0, 0, .25, .5, .75, 1, 1};
    for (int epoch = 0; epoch < COUNT_OF(want); epoch++)
        assert_close(recipe_beta(r, epoch * 10 + 3, 10), want[epoch], 1e-12);
    lt_recipe_free(r);
}

static void steps_meet_epochs_at_their_ends(void **state)
{
    (void)state;
    lt_recipe *r = with_schedule("objective.schedule=linear epochs=4 per=step");
    assert_close(recipe_beta(r, 0, 10), 1 / 40., 1e-12);
    assert_close(recipe_beta(r, 9, 10), .25, 1e-12);
    assert_close(recipe_beta(r, 19, 10), .5, 1e-12);
    assert_close(recipe_beta(r, 1000, 10), 1, 1e-12);
    lt_recipe_free(r);
}

static void cycles_climb_and_stay(void **state)
{
    (void)state;
    lt_recipe *r = with_schedule("objective.schedule=cyclical period=4 ratio=.5");
    for (int cycle = 0; cycle < 3; cycle++) {
        assert_close(recipe_beta(r, cycle * 40, 10), 0, 1e-12);
        assert_close(recipe_beta(r, cycle * 40 + 10, 10), .5, 1e-12);
        assert_close(recipe_beta(r, cycle * 40 + 20, 10), 1, 1e-12);
        assert_close(recipe_beta(r, cycle * 40 + 39, 10), 1, 1e-12);
    }
    lt_recipe_free(r);
}

static void beta_multiplies_its_schedule(void **state)
{
    (void)state;
    lt_recipe *r;
    lt_recipe_open("i2dl-mlp-vae", NULL, 0, &r);
    assert_close(recipe_beta(r, 12345, 469), 1. / 784, 1e-15);
    lt_recipe_free(r);
}

static void learning_rate_follows_its_schedule(void **state)
{
    (void)state;
    static const char *const cosine[] = {"learning_rate_schedule=cosine floor=.2",
                                         "optimizer.lr=.5", "train.epochs=10"};
    lt_recipe *r = must_parse(TINY, cosine, COUNT_OF(cosine));
    assert_close(recipe_learning_rate(r, &r->optimizer, 0, 7), .5, 1e-12);
    assert_close(recipe_learning_rate(r, &r->optimizer, 35, 7), .3, 1e-12);
    assert_close(recipe_learning_rate(r, &r->optimizer, 70, 7), .1, 1e-12);
    lt_recipe_free(r);
    static const char *const step[] = {"learning_rate_schedule=step every=2 factor=.1",
                                       "optimizer.lr=.5"};
    r = must_parse(TINY, step, COUNT_OF(step));
    assert_close(recipe_learning_rate(r, &r->optimizer, 13, 7), .5, 1e-12);
    assert_close(recipe_learning_rate(r, &r->optimizer, 14, 7), .05, 1e-12);
    assert_close(recipe_learning_rate(r, &r->optimizer, 28, 7), .005, 1e-12);
    lt_recipe_free(r);
}

/* The paper's table: its first and last epochs of each stage. */
static void burdas_schedule_is_the_papers(void **state)
{
    (void)state;
    static const int64_t last[] = {1, 4, 13, 40, 121, 364, 1093, 3280};
    lt_recipe *r;
    lt_recipe_open("iwae-1l", NULL, 0, &r);
    assert_non_null(r);
    assert_int_equal(lt_recipe_train_options(r)->epochs, last[7]);
    for (int i = 0; i < 8; i++) {
        double want = 1e-3 * pow(10, -i / 7.);
        assert_close(recipe_learning_rate(r, &r->optimizer, 3000 * (i ? last[i - 1] : 0), 3000), want, 1e-15);
        assert_close(recipe_learning_rate(r, &r->optimizer, 3000 * last[i] - 1, 3000), want, 1e-15);
    }
    lt_recipe_free(r);
    lt_recipe_open("iwae-1l-short", NULL, 0, &r);
    assert_close(recipe_learning_rate(r, &r->optimizer, 3000 * 40 - 1, 3000), 1e-4, 1e-15);
    assert_close(recipe_learning_rate(r, &r->optimizer, 3000 * 50, 3000), 1e-4, 1e-15);
    static const char *const one[] = {"learning_rate_schedule.stages=1"};
    lt_recipe_free(r);
    lt_recipe_open("iwae-1l-short", one, 1, &r);
    assert_close(recipe_learning_rate(r, &r->optimizer, 3000 * 40, 3000), 1e-3, 1e-15);
    lt_recipe_free(r);
}

/* ---- Tables ---- */

static void every_table_row_has_a_summary_and_parses_back(void **state)
{
    (void)state;
    const char *table;
    for (int i = 0; (table = lt_table_name(i)); i++) {
        lt_table_entry entry;
        int n = 0;
        while (lt_table_get(table, n, &entry)) {
            n++;
            assert_true(strlen(entry.summary) > 0);
            assert_non_null(entry.options);
            char *help = lt_table_help(entry.options);
            for (const lt_option *row = entry.options; row->name; row++)
                assert_non_null(strstr(help, row->name));
            free(help);
        }
        assert_true(n > 0);
    }
    lt_table_entry entry;
    assert_false(lt_table_get("nothing", 0, &entry));
    assert_false(lt_table_get("layers", -1, &entry));
}

/* ---- Values ---- */

/* Every value of a preset, set on it, changes nothing; set on the recipe that differs in it, makes them equal. */
static void values_are_sets(void **state)
{
    (void)state;
    for (int p = 0; p < lt_preset_count(); p++) {
        lt_recipe *r;
        lt_recipe_open(lt_preset_name(p), NULL, 0, &r);
        int n;
        const lt_recipe_value *values = lt_recipe_values(r, &n);
        assert_true(n > 30);
        for (int i = 0; i < n; i++) /* the text has them in this order */
            assert_string_equal(lt_recipe_get(r, values[i].key), values[i].value);
        for (int i = 0; i < n; i++) {
            char *set = must_format("%s=%s", values[i].key, values[i].value);
            lt_recipe *again;
            lt_recipe_open(lt_preset_name(p), (const char *[]){set}, 1, &again);
            if (!again)
                fail_msg("%s: %s: %s", lt_preset_name(p), set, lt_last_error());
            assert_string_equal(lt_recipe_text(again), lt_recipe_text(r));
            lt_recipe_free(again);
            free(set);
        }
        lt_recipe_free(r);
    }
}

static void a_value_has_its_key(void **state)
{
    (void)state;
    const char *sets[] = {"data.resize=32", "model.encoder.0=linear 7", "train.batch=9"};
    lt_recipe *r;
    lt_recipe_open("cs446-vae2d", sets, 3, &r);
    assert_string_equal(lt_recipe_get(r, "data.resize"), "32");
    assert_string_equal(lt_recipe_get(r, "train.batch"), "9");
    assert_string_equal(lt_recipe_get(r, "model.kind"), "vae");
    assert_string_equal(lt_recipe_get(r, "name"), "cs446-vae2d");
    assert_int_equal(strncmp(lt_recipe_get(r, "model.encoder.0"), "linear 7", 8), 0);
    assert_null(lt_recipe_get(r, "train.bach"));
    assert_non_null(strstr(lt_last_error(), "train.batch"));

    lt_recipe *plain;
    lt_recipe_open("cs446-vae2d", NULL, 0, &plain);
    lt_recipe_change *changes;
    int n;
    assert_int_equal(lt_recipe_diff(plain, r, &changes, &n), LT_OK);
    assert_int_equal(n, 3);
    static const char *const keys[] = {"data.resize", "model.encoder.0", "train.batch"};
    for (int i = 0; i < 3; i++) {
        assert_string_equal(changes[i].key, keys[i]);
        assert_string_equal(changes[i].now, lt_recipe_get(r, keys[i]));
        assert_string_equal(changes[i].then, lt_recipe_get(plain, keys[i]));
    }
    free(changes);
    assert_int_equal(lt_recipe_diff(r, r, &changes, &n), LT_OK);
    assert_int_equal(n, 0);
    free(changes);
    lt_recipe_free(plain);
    lt_recipe_free(r);
}

static void keys_of_one_side_alone_are_changes(void **state)
{
    (void)state;
    lt_recipe *vae, *gan;
    assert_int_equal(lt_recipe_open("cs446-vae2d", NULL, 0, &vae), LT_OK);
    assert_int_equal(lt_recipe_open("cs446-gan", NULL, 0, &gan), LT_OK);
    lt_recipe_change *changes;
    int n, of_vae = 0, of_gan = 0;
    assert_int_equal(lt_recipe_diff(vae, gan, &changes, &n), LT_OK);
    for (int i = 0; i < n; i++) {
        of_vae += !changes[i].now && strcmp(changes[i].key, "model.likelihood") == 0;
        of_gan += !changes[i].then && strcmp(changes[i].key, "objective.loss") == 0;
    }
    assert_true(of_vae == 1 && of_gan == 1);
    free(changes);
    lt_recipe_free(vae);
    lt_recipe_free(gan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_sets),
        cmocka_unit_test(a_value_has_its_key),
        cmocka_unit_test(keys_of_one_side_alone_are_changes),
        cmocka_unit_test(every_preset_resolves_to_itself),
        cmocka_unit_test(presets_are_sorted),
        cmocka_unit_test(preset_files_are_those_embedded),
        cmocka_unit_test(unknown_preset_names_the_nearest),
        cmocka_unit_test(defaults_are_written_out),
        cmocka_unit_test(everything_written_is_kept),
        cmocka_unit_test(accessors_give_what_was_read),
        cmocka_unit_test(sets_change_keys_lines_and_options),
        cmocka_unit_test(later_sets_win),
        cmocka_unit_test(malformed_sets_say_why),
        cmocka_unit_test(malformed_recipes_say_where_and_why),
        cmocka_unit_test(document_001_anneals_by_fifths),
        cmocka_unit_test(free_epochs_have_no_weight),
        cmocka_unit_test(steps_meet_epochs_at_their_ends),
        cmocka_unit_test(cycles_climb_and_stay),
        cmocka_unit_test(beta_multiplies_its_schedule),
        cmocka_unit_test(learning_rate_follows_its_schedule),
        cmocka_unit_test(burdas_schedule_is_the_papers),
        cmocka_unit_test(every_table_row_has_a_summary_and_parses_back),
    };
    return cmocka_run_group_tests_name("recipe", tests, NULL, NULL);
}
