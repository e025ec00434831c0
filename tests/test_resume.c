/* SPDX-License-Identifier: MIT */
/* Resuming: keys of recipes that may differ, and numbers of a checkpoint that must not. */
#include "base/file.h"
#include "base/memory.h"
#include "check.h"
#include "train/checkpoint.h"

#include <latent/train.h>

#include "scratch.h"
#include "tiny_training.h"

/* ---- Two small trainings ---- */

static const char vae_words[] =
    "name: tiny\n"
    "data: {set: synthetic, binarize: dynamic}\n"
    "model:\n"
    "  latent: 2\n"
    "  likelihood: bernoulli\n"
    "  encoder: [linear 5, elu]\n"
    "  decoder: [linear 5, elu, linear image]\n"
    "train: {epochs: 3, batch: 8}\n";

static const char gan_words[] =
    "name: tiny\n"
    "data: {set: synthetic}\n"
    "model:\n"
    "  kind: gan\n"
    "  latent: 2\n"
    "  generator: [linear 5, relu, linear image]\n"
    "  discriminator: [linear 5, relu, linear 1]\n"
    "objective: {discriminator_steps: 3, discriminator_optimizer: adam 0.002}\n"
    "optimizer: adamw\n"
    "train: {epochs: 3, batch: 8, ema_decay: 0.9}\n";

enum { IMAGES = 30, BATCH = 8, STEPS_PER_EPOCH = 4 };

static lt_recipe *recipe_of(const char *words, const char *set)
{
    lt_recipe *r = lt_recipe_parse("tiny.yaml", words, &set, set != NULL);
    if (!r)
        fail_msg("%s", lt_last_error());
    return r;
}

static void step(training *t, int n)
{
    for (int i = 0; i < n; i++)
        if (lt_trainer_step(t->trainer, NULL) != LT_OK)
            fail_msg("%s", lt_last_error());
}

static void save(training *t, const char *path)
{
    if (lt_trainer_save(t->trainer, path) != LT_OK)
        fail_msg("%s", lt_last_error());
}

/* ---- Recipes ---- */

/* A change of a key, and whether a run may resume with it. */
typedef struct change {
    const char *set;
    bool is_allowed;
} change;

static const change vae_changes[] = {
    {"name=other", true},
    {"summary=more", true},
    {"seed=2", false},
    {"data.set=mnist", true},
    {"data.path=/data", true},
    {"data.strict=yes", true},
    {"data.validation=5", false},
    {"data.resize=5", false},
    {"data.channels=1", false},
    {"data.flip=yes", false},
    {"data.binarize=fixed", false},
    {"data.seed=1", false},
    {"data.limit=20", false},
    {"model.latent=3", false},
    {"model.init=kaiming_uniform", false},
    {"model.likelihood=gaussian 1", false},
    {"model.posterior_heads=separate", false},
    {"model.encoder.0=linear 6", false},
    {"model.encoder.0.bias=no", false},
    {"model.encoder.1=relu", false},
    {"model.decoder.2.init=xavier_uniform", false},
    {"objective.beta=2", false},
    {"objective.kl=monte-carlo", false},
    {"objective.schedule=linear", false},
    {"objective.samples=2", false},
    {"objective.bound=iwae", false},
    {"objective.free_bits=1", false},
    {"objective.capacity=1", false},
    {"optimizer.lr=0.1", true},
    {"optimizer.beta1=0.5", false},
    {"optimizer.beta2=0.5", false},
    {"optimizer.eps=0.1", false},
    {"optimizer=adamw", false},
    {"optimizer=sgd", false},
    {"learning_rate_schedule=cosine", true},
    {"train.epochs=9", true},
    {"train.batch=9", false},
    {"train.batch=4", false},
    {"train.samples_every=0", true},
    {"train.samples_at=2", true},
    {"train.checkpoint_every=2", true},
    {"train.keep_checkpoints=1", true},
    {"train.clip_norm=1", true},
    {"train.ema_decay=0.5", false},
};

static const change gan_changes[] = {
    {"objective.loss=hinge", false},
    {"objective.penalty=gradient 10", false},
    {"objective.discriminator_steps=2", false},
    {"objective.label_smoothing=0.1", false},
    {"objective.discriminator_optimizer.lr=0.1", true},
    {"objective.discriminator_optimizer.beta1=0.1", false},
    {"objective.discriminator_optimizer=sgd", false},
    {"optimizer.lr=0.1", true},
    {"optimizer.weight_decay=0.1", true},
    {"model.pixels=symmetric", false},
    {"model.generator.0=linear 6", false},
    {"model.discriminator.0=linear 6", false},
    {"model.classes=3", false},
    {"train.ema_decay=0", false},
};

static void check_changes(const char *words, const change *list, int n)
{
    lt_recipe *then = recipe_of(words, NULL);
    for (int i = 0; i < n; i++) {
        const char *set = list[i].set;
        lt_recipe *now = lt_recipe_parse("tiny.yaml", words, &set, 1);
        if (!now)
            fail_msg("%s: %s", set, lt_last_error());
        int status = lt_recipe_check_resume(then, now);
        if (status != (list[i].is_allowed ? LT_OK : LT_VALUE))
            fail_msg("%s: %s", set, lt_status_name(status));
        char *key = must_format("%.*s", (int)strcspn(set, "="), set);
        const char *last = strrchr(key, '.'); /* of a list it is the list that is named */
        if (status != LT_OK && !(last && strspn(last + 1, "0123456789")))
            assert_text_has(lt_last_error(), strstr(key, ".0.") || strstr(key, ".2.") ? "model." : key);
        if (status != LT_OK)
            assert_text_has(lt_last_error(), "train.epochs");
        free(key);
        lt_recipe_free(now);
    }
    assert_int_equal(lt_recipe_check_resume(then, then), LT_OK);
    lt_recipe_free(then);
}

static void what_may_change_is_a_list(void **state)
{
    (void)state;
    check_changes(vae_words, vae_changes, COUNT_OF(vae_changes));
    check_changes(gan_words, gan_changes, COUNT_OF(gan_changes));
    lt_recipe *vae = recipe_of(vae_words, NULL), *gan = recipe_of(gan_words, NULL);
    assert_int_equal(lt_recipe_check_resume(vae, gan), LT_VALUE);
    assert_text_has(lt_last_error(), "model.kind (from vae to gan)");
    lt_recipe_free(vae);
    lt_recipe_free(gan);
}

/* Each name of the list is one of the changes above that are allowed. */
static void the_list_names_keys(void **state)
{
    (void)state;
    const char *key;
    int n = 0;
    for (; (key = lt_recipe_resumable(n)) != NULL; n++) {
        bool is_found = false;
        size_t size = strlen(key);
        for (int i = 0; i < COUNT_OF(vae_changes); i++)
            is_found |= vae_changes[i].is_allowed && !strncmp(vae_changes[i].set, key, size);
        for (int i = 0; i < COUNT_OF(gan_changes); i++)
            is_found |= gan_changes[i].is_allowed && !strncmp(gan_changes[i].set, key, size);
        if (!is_found && strcmp(key, "objective.discriminator_optimizer.weight_decay") != 0)
            fail_msg("%s", key);
    }
    assert_true(n > 10);
    assert_null(lt_recipe_resumable(-1));
}

/* In the middle of an epoch and between epochs: forbidden changes are refused and change nothing. */
static void other_recipes_are_refused_before_anything_is_taken(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s", in_dir("checkpoint"));
    for (int steps = 3; steps <= STEPS_PER_EPOCH; steps++) {
        training t = begin_training(vae_words, NULL, IMAGES);
        step(&t, steps);
        save(&t, path);
        end_training(&t);
        for (int i = 0; i < COUNT_OF(vae_changes); i++) {
            const char *set = vae_changes[i].set;
            if (strncmp(set, "data.", 5) == 0) /* the data of these are made by hand */
                continue;
            if (strncmp(set, "model.posterior_heads", 11) == 0)
                continue; /* no network of this recipe's */
            t = begin_training(vae_words, set, IMAGES);
            int status = lt_trainer_load(t.trainer, path);
            if (status != (vae_changes[i].is_allowed ? LT_OK : LT_VALUE))
                fail_msg("%s: %s, %s", set, lt_status_name(status), lt_last_error());
            assert_int_equal(lt_trainer_steps_done(t.trainer), status == LT_OK ? steps : 0);
            if (status == LT_OK)
                step(&t, STEPS_PER_EPOCH);
            end_training(&t);
        }
    }
}

/* ---- Numbers of checkpoints ---- */

/* Writes the checkpoint `from` with another value of a metadata key, or without it (NULL), as a file without
   a digest, which anybody could write. */
static void write_changed(const char *to, const char *from, const char *key, const char *value)
{
    enum { MAX_PAIRS = 40 };
    safetensors *file;
    safetensors_pair pairs[MAX_PAIRS];
    int n = 0;
    assert_int_equal(safetensors_read(from, &file), LT_OK);
    assert_true(file->n_metadata < MAX_PAIRS);
    for (int i = 0; i < file->n_metadata; i++) {
        bool is_it = strcmp(file->metadata[i].key, key) == 0;
        if (strcmp(file->metadata[i].key, "digest") == 0 || (is_it && !value))
            continue;
        pairs[n] = file->metadata[i];
        if (is_it)
            pairs[n].value = value;
        n++;
    }
    assert_int_equal(safetensors_write(to, file->tensors, file->n, pairs, n), LT_OK);
    safetensors_free(file);
}

/* Metadata that anybody could have written, read without a trainer. */
static void metadata_are_read_completely_or_not(void **state)
{
    (void)state;
    static const struct {
        const char *key, *value;
        int status;
    } changes[] = {
        {"step", NULL, LT_OK}, /* not said */
        {"step", "-1", LT_FORMAT},
        {"epoch", "1.5", LT_FORMAT},
        {"images", "", LT_FORMAT},
        {"data_train", NULL, LT_OK},
        {"data_train", "72", LT_FORMAT},
        {"data_train", "72 abc", LT_FORMAT},
        {"data_train", "x 0123456789012345678901234567890123456789012345678901234567890123", LT_FORMAT},
        {"recipe", NULL, LT_VALUE},
        {"recipe", "name: [", LT_VALUE},
        {"image", "28", LT_VALUE},
        {"format_version", "99", LT_UNSUPPORTED},
    };
    training t = begin_training(vae_words, NULL, IMAGES);
    assert_int_equal(lt_trainer_save(t.trainer, in_dir("said")), LT_OK);
    end_training(&t);
    for (int i = 0; i < COUNT_OF(changes); i++) {
        lt_checkpoint c;
        char *changed = must_copy_text(in_dir("changed"));
        write_changed(changed, in_dir("said"), changes[i].key, changes[i].value);
        int status = lt_checkpoint_info(changed, &c);
        if (status != changes[i].status)
            fail_msg("%s=%s: %s, %s", changes[i].key, changes[i].value, lt_status_name(status), lt_last_error());
        if (status != LT_OK)
            assert_true(!c.path && !c.recipe && strstr(lt_last_error(), "changed"));
        else
            assert_true(c.digest[0] == 0 && (i == 0 ? c.step == -1 && c.epoch == 0
                                                    : c.step == 0 && c.trained_on[LT_TRAIN].images == 0));
        lt_checkpoint_clear(&c);
        free(changed);
    }
}

static char *value_of(const char *path, const char *key)
{
    safetensors *file;
    assert_int_equal(checkpoint_read(path, &file), LT_OK);
    const char *value = safetensors_metadata(file, key);
    assert_non_null(value);
    char *copy = must_copy_text(value);
    safetensors_free(file);
    return copy;
}

/* Into a fresh trainer, which stays so. */
static void expect_damaged(training *t, const char *path, const char *key, const char *value)
{
    write_changed(in_dir("changed"), path, key, value);
    int status = lt_trainer_load(t->trainer, in_dir("changed"));
    if (status != LT_FORMAT && status != LT_VALUE)
        fail_msg("%s = %s: %s", key, value ? value : "(missing)", lt_status_name(status));
    assert_text_has(lt_last_error(), key);
    assert_int_equal(lt_trainer_steps_done(t->trainer), 0);
}

/* Every wrong number, at each step of two epochs. */
static void check_counters(const char *words, const char *const *keys, int n)
{
    static const char *const strange[] = {
        "-1", "", " ", "0.5", "1e308", "nan", "inf", "9223372036854775807", "9223372036854775808",
        "-9223372036854775808", "18446744073709551615", "4611686018427387904", "0x10", "1 ", NULL};
    char path[128]; /* in_dir forgets it */
    training t = begin_training(words, NULL, IMAGES), fresh = begin_training(words, NULL, IMAGES);
    snprintf(path, sizeof path, "%s", in_dir("good"));
    for (int steps = 0; steps <= 2 * STEPS_PER_EPOCH; steps++) {
        step(&t, steps > 0);
        save(&t, path);
        for (int k = 0; k < n; k++) {
            char *value = value_of(path, keys[k]), other[32];
            int64_t number = strtoll(value, NULL, 10);
            for (int i = 0; i < COUNT_OF(strange) && steps % 3 == 1; i++)
                expect_damaged(&fresh, path, keys[k], strange[i]);
            for (int by = -BATCH; by <= BATCH; by++) {
                snprintf(other, sizeof other, "%lld", (long long)(number + by));
                if (by != 0 && (by % 3 == 0 || by == 1 || by == -1 || abs(by) == BATCH))
                    expect_damaged(&fresh, path, keys[k], other);
            }
            free(value);
        }
    }
    end_training(&t);
    end_training(&fresh);
}

static void counters_are_compared_with_each_other(void **state)
{
    (void)state;
    static const char *const keys[] = {"step", "epoch", "images", "images_in_epoch", "seed",
                                       "seen_generator"};
    check_counters(vae_words, keys, COUNT_OF(keys) - 1);
    check_counters(gan_words, keys, COUNT_OF(keys));
}

/* Numbers that are consistent, but too large for any training. */
static void epochs_end_somewhere(void **state)
{
    (void)state;
    training t = begin_training(vae_words, NULL, IMAGES);
    save(&t, in_dir("begun"));
    end_training(&t);
    write_changed(in_dir("far"), in_dir("begun"), "epoch", "2305843009213693951");
    write_changed(in_dir("farther"), in_dir("far"), "step", "9223372036854775804");
    t = begin_training(vae_words, NULL, IMAGES);
    assert_int_equal(lt_trainer_load(t.trainer, in_dir("farther")), LT_FORMAT);
    assert_text_has(lt_last_error(), "\"epoch\": expected at most 1000000");
    end_training(&t);
}

static void sums_are_numbers(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "one", "nan(1)", "0x1", "infinity", NULL};
    training t = begin_training(vae_words, NULL, IMAGES);
    step(&t, 2);
    save(&t, in_dir("middle"));
    step(&t, 2);
    save(&t, in_dir("between"));
    end_training(&t);
    t = begin_training(vae_words, NULL, IMAGES);
    for (int i = 0; i < COUNT_OF(wrong); i++)
        expect_damaged(&t, in_dir("middle"), "sum_loss", wrong[i]);
    expect_damaged(&t, in_dir("between"), "sum_loss", "1");
    expect_damaged(&t, in_dir("middle"), "recipe", NULL);
    expect_damaged(&t, in_dir("middle"), "recipe", "name: [");
    write_changed(in_dir("infinite"), in_dir("middle"), "sum_loss", "inf");
    assert_int_equal(lt_trainer_load(t.trainer, in_dir("infinite")), LT_OK);
    end_training(&t);
}

/* A sum of a metric may be infinite while the loss is not: the checkpoint is read back. */
static void infinite_sums_are_read_back(void **state)
{
    (void)state;
    training t = begin_training(gan_words, NULL, IMAGES);
    step(&t, 2);
    for (int k = 0; k < t.trainer->recipe->n_metrics; k++)
        t.trainer->done.sum[k] = k % 3 == 0 ? NAN : k % 3 == 1 ? INFINITY : -INFINITY;
    t.trainer->done.seen[1] = 0;
    for (int k = 0; k < t.trainer->recipe->n_metrics; k++) /* the generator has made no step yet */
        if (t.trainer->phase_of[k] == 1)
            t.trainer->done.sum[k] = 0;
    save(&t, in_dir("odd"));
    training u = begin_training(gan_words, NULL, IMAGES);
    assert_int_equal(lt_trainer_load(u.trainer, in_dir("odd")), LT_OK);
    for (int k = 0; k < t.trainer->recipe->n_metrics; k++)
        if (t.trainer->phase_of[k] == 0 && !t.trainer->recipe->metrics[k].is_last)
            assert_true(same_number(u.trainer->done.sum[k], t.trainer->done.sum[k]));
    end_training(&u);
    end_training(&t);
}

static void later_formats_are_refused(void **state)
{
    (void)state;
    static const char *const versions[] = {"999", "2", "0", "", "1.0", " 1"};
    training t = begin_training(vae_words, NULL, IMAGES);
    save(&t, in_dir("now"));
    for (int i = 0; i < COUNT_OF(versions); i++) {
        write_changed(in_dir("later"), in_dir("now"), "format_version", versions[i]);
        assert_int_equal(lt_trainer_load(t.trainer, in_dir("later")), LT_UNSUPPORTED);
        assert_int_equal(lt_model_load(t.model, in_dir("later")), LT_UNSUPPORTED);
        assert_int_not_equal(lt_model_open(in_dir("later"), &(lt_model *){NULL}), LT_OK);
        assert_text_has(lt_last_error(), "format_version: expected 1, found");
        assert_text_has(lt_last_error(), versions[i]);
    }
    write_changed(in_dir("none"), in_dir("now"), "format_version", NULL);
    assert_int_equal(lt_model_load(t.model, in_dir("none")), LT_FORMAT);
    assert_text_has(lt_last_error(), "without a format_version");
    write_changed(in_dir("foreign"), in_dir("none"), "format", "pt");
    assert_int_equal(lt_model_load(t.model, in_dir("foreign")), LT_OK);
    end_training(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_change_is_a_list),
        cmocka_unit_test(the_list_names_keys),
        cmocka_unit_test(other_recipes_are_refused_before_anything_is_taken),
        cmocka_unit_test(counters_are_compared_with_each_other),
        cmocka_unit_test(epochs_end_somewhere),
        cmocka_unit_test(sums_are_numbers),
        cmocka_unit_test(infinite_sums_are_read_back),
        cmocka_unit_test(later_formats_are_refused),
        cmocka_unit_test(metadata_are_read_completely_or_not),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
