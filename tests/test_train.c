/* SPDX-License-Identifier: MIT */
/* Trainer, checkpoints, run directories. */
#include "models/vae.h"
#include "nn/optimizers.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "train/safetensors.h"

#include <latent/eval.h>
#include <latent/runs.h>

#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "says.h"
#include "scratch.h"

/* ---- Training ---- */

static const char tiny_recipe[] =
    "name: tiny\n"
    "data: {set: synthetic}\n"
    "model:\n"
    "  latent: 3\n"
    "  likelihood: bernoulli\n"
    "  encoder: [linear 9, elu, dropout 0.2]\n"
    "  decoder: [linear 9, elu, linear image]\n"
    "objective: {schedule: linear epochs=2 per=step}\n"
    "optimizer: adam lr=0.01\n"
    "learning_rate_schedule: cosine\n"
    "train: {epochs: 3, batch: 16}\n";

enum { IMAGES = 50, HEIGHT = 6, WIDTH = 5, STEPS_PER_EPOCH = 4 };

typedef struct training {
    lt_dataset *data;
    lt_model *model;
    lt_trainer *trainer;
} training;

/* Returns a status instead of asserting, for tests in which allocations fail. */
static int training_open(training *t, const char *set, const lt_trainer_options *o)
{
    *t = (training){.data = NULL};
    lt_data_options binarize = {.binarize = LT_BINARIZE_DYNAMIC};
    lt_recipe *r = lt_recipe_parse("tiny", tiny_recipe, &set, set != NULL);
    if (!r)
        return LT_FORMAT;
    int status = lt_dataset_synthetic(IMAGES, HEIGHT, WIDTH, 1, &binarize, &t->data);
    if (status == LT_OK)
        t->model = lt_model_create(r, (lt_image_size){HEIGHT, WIDTH, 1});
    lt_recipe_free(r);
    if (t->model)
        t->trainer = lt_trainer_create(t->model, t->data, o);
    return t->trainer ? LT_OK : LT_NO_MEMORY;
}

static void training_close(training *t)
{
    lt_trainer_free(t->trainer);
    lt_model_free(t->model);
    lt_dataset_free(t->data);
}

static void training_begin(training *t, const char *set, lt_executor executor, int threads)
{
    lt_trainer_options o = {.run = {.executor = executor, .threads = threads}};
    if (training_open(t, set, &o) != LT_OK)
        fail_msg("%s", lt_last_error());
}

static void train_epochs(lt_trainer *t, int epochs)
{
    while (lt_trainer_epochs_done(t) < epochs)
        if (lt_trainer_epoch(t, NULL, NULL, NULL) != LT_OK)
            fail_msg("%s", lt_last_error());
}

static void report_tells_where_training_is(void **state)
{
    (void)state;
    training t;
    lt_train_report r;
    training_begin(&t, NULL, LT_CPU, 0);
    for (int step = 1; step <= 2 * STEPS_PER_EPOCH; step++) {
        int in_epoch = (step - 1) % STEPS_PER_EPOCH + 1;
        assert_int_equal(lt_trainer_step(t.trainer, &r), LT_OK);
        assert_int_equal(r.step, step);
        assert_int_equal(r.epoch, (step - 1) / STEPS_PER_EPOCH + 1);
        assert_int_equal(r.images, in_epoch == STEPS_PER_EPOCH ? IMAGES : 16 * in_epoch);
        assert_int_equal(r.images_in_epoch, IMAGES);
        assert_int_equal(r.batch, in_epoch == STEPS_PER_EPOCH ? IMAGES % 16 : 16);
        assert_true(r.values[VAE_RATE] > 0 && r.values[VAE_DISTORTION] > 0 && isnan(r.values[VAE_SIGMA]));
        assert_int_equal(lt_trainer_steps_done(t.trainer), step);
        assert_int_equal(lt_trainer_epochs_done(t.trainer), step / STEPS_PER_EPOCH);
        assert_int_equal(lt_trainer_images_done(t.trainer), step % STEPS_PER_EPOCH * 16);
    }
    assert_true(r.beta == 1);
    training_close(&t);
}

static void training_lowers_the_loss(void **state)
{
    (void)state;
    for (int i = 0; optimizer_table.rows[i]; i++) {
        char set[64];
        training t;
        lt_train_report first, last;
        snprintf(set, sizeof set, "optimizer=%s lr=0.01", optimizer_table.rows[i]->name);
        training_begin(&t, set, LT_CPU, 0);
        assert_int_equal(lt_trainer_epoch(t.trainer, NULL, NULL, &first), LT_OK);
        train_epochs(t.trainer, 19);
        assert_int_equal(lt_trainer_epoch(t.trainer, NULL, NULL, &last), LT_OK);
        if (!(last.values[VAE_DISTORTION] < first.values[VAE_DISTORTION]))
            fail_msg("%s: %g nats, then %g", set, first.values[VAE_DISTORTION], last.values[VAE_DISTORTION]);
        training_close(&t);
    }
}

/* The same trained model, whose data say flip or not. */
static void training_flips_and_evaluation_does_not(void **state)
{
    (void)state;
    double elbo[2];
    float first[2];
    for (int k = 0; k < 2; k++) {
        training t = {.data = NULL};
        lt_data_options o = {.flip = k == 1};
        lt_evaluation e;
        lt_recipe *r = lt_recipe_parse("tiny", tiny_recipe, NULL, 0);
        assert_int_equal(lt_dataset_synthetic(IMAGES, HEIGHT, WIDTH, 1, &o, &t.data), LT_OK);
        t.model = lt_model_create(r, (lt_image_size){HEIGHT, WIDTH, 1});
        lt_recipe_free(r);
        t.trainer = lt_trainer_create(t.model, t.data, NULL);
        assert_int_equal(lt_evaluate(t.model, t.data, LT_TRAIN, NULL, &e), LT_OK);
        elbo[k] = e.neg_elbo.value;
        train_epochs(t.trainer, 1);
        first[k] = lt_params_block(lt_model_params(t.model))[0];
        training_close(&t);
    }
    assert_true(elbo[0] == elbo[1]);
    assert_true(first[0] != first[1]);
}

static void executors_agree(void **state)
{
    (void)state;
    training t[2];
    lt_train_report r[2];
    for (int i = 0; i < 2; i++) {
        training_begin(&t[i], NULL, i ? LT_REFERENCE : LT_CPU, 0);
        train_epochs(t[i].trainer, 2);
        assert_int_equal(lt_trainer_epoch(t[i].trainer, NULL, NULL, &r[i]), LT_OK);
    }
    assert_float_equal(r[0].values[VAE_LOSS], r[1].values[VAE_LOSS], 1e-3);
    assert_float_equal(r[0].values[VAE_RATE], r[1].values[VAE_RATE], 1e-3);
    for (int i = 0; i < 2; i++)
        training_close(&t[i]);
}

static void same_bits_at_any_number_of_threads(void **state)
{
    (void)state;
    const lt_executor executors[] = {LT_CPU, LT_REFERENCE};
    const int threads[] = {1, 2, 3, 4, 8};
    for (int e = 0; e < 2; e++)
        for (int i = 0; i < COUNT_OF(threads); i++) {
            training t;
            training_begin(&t, NULL, executors[e], threads[i]);
            train_epochs(t.trainer, 3);
            const char *path = in_dir(i ? "others" : "first");
            assert_int_equal(lt_trainer_save(t.trainer, path), LT_OK);
            training_close(&t);
            if (i)
                assert_same_file(in_dir("first"), path);
        }
}

/* Stopped after each of its steps in turn, saved, loaded into a new trainer, and trained to the
 * end. */
static void check_resume(lt_executor executor)
{
    training whole, first, second;
    const char *end = in_dir("end"), *middle = in_dir("middle"), *resumed = in_dir("resumed");
    training_begin(&whole, NULL, executor, 0);
    train_epochs(whole.trainer, 3);
    assert_int_equal(lt_trainer_save(whole.trainer, end), LT_OK);
    training_close(&whole);
    training_begin(&first, NULL, executor, 0);
    for (int step = 0; step < 3 * STEPS_PER_EPOCH; step++) {
        if (step)
            assert_int_equal(lt_trainer_step(first.trainer, NULL), LT_OK);
        assert_int_equal(lt_trainer_save(first.trainer, middle), LT_OK);
        training_begin(&second, NULL, executor, 0);
        assert_int_equal(lt_trainer_load(second.trainer, middle), LT_OK);
        assert_int_equal(lt_trainer_steps_done(second.trainer), step);
        train_epochs(second.trainer, 3);
        assert_int_equal(lt_trainer_save(second.trainer, resumed), LT_OK);
        training_close(&second);
        assert_same_file(end, resumed);
    }
    training_close(&first);
}

static void resumed_training_has_the_same_bits(void **state)
{
    (void)state;
    check_resume(LT_CPU);
    check_resume(LT_REFERENCE);
}

typedef struct halfway {
    int calls;
    double last, limit;
} halfway;

static bool stop_after(void *user, double done)
{
    halfway *h = user;
    h->calls++;
    assert_true(done > h->last && done <= 1);
    h->last = done;
    return done < h->limit;
}

static void progress_counts_images_of_the_epoch_and_can_stop(void **state)
{
    (void)state;
    training t;
    halfway h = {.limit = 2};
    lt_trainer_options o = {.run = {.threads = 1, .progress = stop_after, .user = &h}};
    assert_int_equal(training_open(&t, NULL, &o), LT_OK);
    assert_int_equal(lt_trainer_epoch(t.trainer, NULL, NULL, NULL), LT_OK);
    assert_int_equal(h.calls, STEPS_PER_EPOCH);
    assert_true(h.last == 1);
    h = (halfway){.limit = 32.0 / IMAGES};
    assert_int_equal(lt_trainer_epoch(t.trainer, NULL, NULL, NULL), LT_INTERRUPTED);
    assert_int_equal(lt_trainer_steps_done(t.trainer), STEPS_PER_EPOCH + 2);
    h.limit = 2;
    assert_int_equal(lt_trainer_epoch(t.trainer, NULL, NULL, NULL), LT_OK);
    assert_int_equal(h.calls, STEPS_PER_EPOCH);
    training_close(&t);
}

/* The means of an epoch do not depend on interruptions. */
static void resumed_epoch_reports_all_its_images(void **state)
{
    (void)state;
    training whole, part;
    lt_train_report r, s;
    training_begin(&whole, NULL, LT_CPU, 0);
    assert_int_equal(lt_trainer_epoch(whole.trainer, NULL, NULL, &r), LT_OK);
    training_close(&whole);
    training_begin(&part, NULL, LT_CPU, 0);
    lt_trainer_step(part.trainer, NULL);
    lt_trainer_step(part.trainer, NULL);
    assert_int_equal(lt_trainer_save(part.trainer, in_dir("part")), LT_OK);
    training_close(&part);
    training_begin(&part, NULL, LT_CPU, 0);
    assert_int_equal(lt_trainer_load(part.trainer, in_dir("part")), LT_OK);
    assert_int_equal(lt_trainer_epoch(part.trainer, NULL, NULL, &s), LT_OK);
    assert_memory_equal(&r.values[VAE_LOSS], &s.values[VAE_LOSS], sizeof r.values[VAE_LOSS]);
    assert_memory_equal(&r.values[VAE_RATE], &s.values[VAE_RATE], sizeof r.values[VAE_RATE]);
    assert_int_equal(s.images, IMAGES);
    assert_int_equal(s.images_timed, IMAGES - 32);
    training_close(&part);
}

static bool stop_at_two(void *user, const lt_train_report *r)
{
    ++*(int *)user;
    return r->step < 2;
}

static void callback_stops_and_training_goes_on(void **state)
{
    (void)state;
    training t;
    int calls = 0;
    training_begin(&t, NULL, LT_CPU, 0);
    assert_int_equal(lt_trainer_epoch(t.trainer, stop_at_two, &calls, NULL), LT_INTERRUPTED);
    assert_int_equal(calls, 2);
    assert_int_equal(lt_trainer_steps_done(t.trainer), 2);
    assert_int_equal(lt_trainer_epoch(t.trainer, NULL, NULL, NULL), LT_OK);
    assert_int_equal(lt_trainer_steps_done(t.trainer), STEPS_PER_EPOCH);
    training_close(&t);
}

static void loss_that_is_not_finite_is_an_error(void **state)
{
    (void)state;
    training t;
    training_begin(&t, "optimizer=sgd lr=1000", LT_CPU, 0);
    int status = LT_OK;
    for (int i = 0; i < 200 && status == LT_OK; i++)
        status = lt_trainer_epoch(t.trainer, NULL, NULL, NULL);
    assert_int_equal(status, LT_VALUE);
    assert_says("step ");
    assert_says("the loss is ");
    training_close(&t);
}

static void trainer_rejects_other_images(void **state)
{
    (void)state;
    training t;
    lt_dataset *other;
    training_begin(&t, NULL, LT_CPU, 0);
    assert_int_equal(lt_dataset_synthetic(10, 7, 7, 1, NULL, &other), LT_OK);
    assert_null(lt_trainer_create(t.model, other, NULL));
    assert_says("6 x 5 x 1");
    lt_dataset_free(other);
    training_close(&t);
}

/* ---- Checkpoints ---- */

/* A checkpoint after two steps, in the test's directory. */
static const char *make_checkpoint(const char *name, const char *set)
{
    training t;
    const char *path = in_dir(name);
    training_begin(&t, set, LT_CPU, 0);
    assert_int_equal(lt_trainer_step(t.trainer, NULL), LT_OK);
    assert_int_equal(lt_trainer_step(t.trainer, NULL), LT_OK);
    assert_int_equal(lt_trainer_save(t.trainer, path), LT_OK);
    training_close(&t);
    return path;
}

static void assert_not_loaded(const char *path, const char *set, int status, const char *message)
{
    training t;
    training_begin(&t, set, LT_CPU, 0);
    lt_params *p = lt_model_params(t.model);
    size_t size = sizeof(float) * (size_t)lt_params_extent(p);
    float *before = must_alloc(size);
    memcpy(before, lt_params_block(p), size);
    assert_int_equal(lt_trainer_load(t.trainer, path), status);
    assert_says(message);
    assert_memory_equal(before, lt_params_block(p), size);
    assert_int_equal(lt_trainer_steps_done(t.trainer), 0);
    free(before);
    training_close(&t);
}

static void checkpoint_of_something_else_is_rejected(void **state)
{
    (void)state;
    const char *path = make_checkpoint("other", NULL);
    assert_not_loaded(path, "model.latent=4", LT_VALUE, "model.latent (from 3 to 4)");
    assert_not_loaded(path, "model.encoder.0=linear 8", LT_VALUE,
                      "model.encoder (from linear 9 bias=yes init=model to linear 8 ");
    assert_not_loaded(path, "optimizer=sgd", LT_VALUE, "optimizer (from adam to sgd)");
    assert_not_loaded(path, "seed=7", LT_VALUE, "seed (from 1 to 7)");
    path = make_checkpoint("sgd", "optimizer=sgd");
    assert_not_loaded(path, "optimizer=sgd momentum=0.9", LT_VALUE,
                      "optimizer.momentum (from 0 to 0.9)");
    path = make_checkpoint("momentum", "optimizer=sgd momentum=0.9");
    assert_not_loaded(path, "optimizer=sgd", LT_VALUE,
                      "optimizer.momentum (from 0.9 to 0)");
    assert_not_loaded(in_dir("none"), NULL, LT_NOT_FOUND, "none");
}

/* Changing or cutting off any byte makes the file damaged. */
static void broken_weights_are_not_saved(void **state)
{
    (void)state;
    training t;
    const char *path = in_dir("broken");
    training_begin(&t, NULL, LT_CPU, 0);
    assert_int_equal(lt_trainer_step(t.trainer, NULL), LT_OK);
    lt_params_block(lt_model_params(t.model))[1] = NAN;
    assert_int_equal(lt_trainer_save(t.trainer, path), LT_VALUE);
    assert_says("step 1 made weights that are not finite (encoder.0.weight[");
    assert_false(file_exists(path));
    training_close(&t);
}

static void damaged_checkpoint_is_rejected(void **state)
{
    (void)state;
    const char *path = make_checkpoint("good", NULL), *bad = in_dir("bad");
    bytes b;
    training t;
    training_begin(&t, NULL, LT_CPU, 0);
    assert_int_equal(file_read(path, 1 << 20, &b), LT_OK);
    for (size_t at = 0; at < b.size; at += 97) {
        b.data[at] ^= 1;
        assert_int_equal(file_write(bad, b.data, b.size), LT_OK);
        b.data[at] ^= 1;
        int status = lt_trainer_load(t.trainer, bad);
        if (status != LT_FORMAT && b.data[at] != ' ' && b.data[at] != '"')
            fail_msg("byte %zu changed: %s", at, lt_status_name(status));
    }
    for (size_t size = 0; size < b.size; size += b.size / 23) {
        assert_int_equal(file_write(bad, b.data, size), LT_OK);
        assert_int_equal(lt_trainer_load(t.trainer, bad), LT_FORMAT);
    }
    assert_int_equal(lt_trainer_steps_done(t.trainer), 0);
    assert_int_equal(lt_trainer_load(t.trainer, path), LT_OK);
    bytes_clear(&b);
    training_close(&t);
}

static void checkpoint_is_what_pytorch_reads(void **state)
{
    (void)state;
    safetensors *f;
    assert_int_equal(safetensors_read(make_checkpoint("names", NULL), &f), LT_OK);
    const struct {
        const char *name;
        int rank;
        int64_t dims[2];
    } expected[] = {
        {"encoder.0.weight", 2, {9, 30}},
        {"encoder.0.bias", 1, {9}},
        {"posterior.mean.weight", 2, {3, 9}},
        {"posterior.logvar.bias", 1, {3}},
        {"decoder.2.weight", 2, {30, 9}},
        {"optimizer.adam.m.decoder.2.weight", 2, {30, 9}},
        {"optimizer.adam.v.encoder.0.bias", 1, {9}},
    };
    for (int i = 0; i < COUNT_OF(expected); i++) {
        const safetensors_entry *e = safetensors_find(f, expected[i].name);
        assert_non_null(e);
        assert_int_equal(e->rank, expected[i].rank);
        assert_memory_equal(e->dims, expected[i].dims, sizeof *e->dims * (size_t)e->rank);
    }
    assert_string_equal(safetensors_metadata(f, "step"), "2");
    assert_string_equal(safetensors_metadata(f, "image"), "6x5x1");
    safetensors_free(f);
}

static void model_of_a_checkpoint_is_the_model(void **state)
{
    (void)state;
    training t;
    float a[10 * HEIGHT * WIDTH], b[10 * HEIGHT * WIDTH];
    const char *path = in_dir("model");
    training_begin(&t, NULL, LT_CPU, 0);
    train_epochs(t.trainer, 1);
    assert_int_equal(lt_trainer_save(t.trainer, path), LT_OK);
    assert_int_equal(lt_sample(t.model, 10, 5, 0, a), LT_OK);
    lt_model *m;
    lt_model_open(path, &m);
    assert_non_null(m);
    assert_int_equal(lt_sample(m, 10, 5, 0, b), LT_OK);
    assert_memory_equal(a, b, sizeof a);
    lt_model_free(m);
    training_close(&t);
    training_begin(&t, NULL, LT_CPU, 0);
    assert_int_equal(lt_model_load(t.model, path), LT_OK);
    assert_int_equal(lt_sample(t.model, 10, 5, 0, b), LT_OK);
    assert_memory_equal(a, b, sizeof a);
    training_close(&t);
}

/* A file of weights and nothing else, as another program would write it. */
static void weights_of_other_programs_load(void **state)
{
    (void)state;
    training t;
    safetensors *f;
    safetensors_entry weights[16];
    int n = 0;
    assert_int_equal(safetensors_read(make_checkpoint("full", NULL), &f), LT_OK);
    for (int i = 0; i < f->n; i++)
        if (strncmp(f->tensors[i].name, "optimizer.", 10) != 0)
            weights[n++] = f->tensors[i];
    assert_int_equal(safetensors_write(in_dir("weights"), weights, n, NULL, 0), LT_OK);
    training_begin(&t, NULL, LT_CPU, 0);
    assert_int_equal(lt_model_load(t.model, in_dir("weights")), LT_OK);
    assert_int_not_equal(lt_model_open(in_dir("weights"), &(lt_model *){NULL}), LT_OK);
    assert_says("expected the recipe of its model, found nothing");
    assert_int_equal(safetensors_write(in_dir("few"), weights, n - 1, NULL, 0), LT_OK);
    assert_int_equal(lt_model_load(t.model, in_dir("few")), LT_NOT_FOUND);
    assert_says(weights[n - 1].name);
    weights[0].name = "encoder.7.weight";
    assert_int_equal(safetensors_write(in_dir("strange"), weights, n, NULL, 0), LT_OK);
    assert_int_equal(lt_model_load(t.model, in_dir("strange")), LT_VALUE);
    assert_says("no parameter \"encoder.7.weight\"");
    safetensors_free(f);
    training_close(&t);
}

/* ---- Run directories ---- */

static void run_is_created_once(void **state)
{
    (void)state;
    lt_run *run, *other;
    training t;
    training_begin(&t, NULL, LT_CPU, 0);
    const char *path = in_dir("run-once");
    assert_int_equal(lt_run_create(path, t.trainer, &run), LT_OK);
    assert_string_equal(lt_recipe_text(lt_run_recipe(run)),
                        lt_recipe_text(lt_model_recipe(t.model)));
    assert_true(file_exists(in_dir("run-once/checkpoints/step-00000000.safetensors")));
    assert_int_equal(lt_run_open(path, NULL, 0, &other), LT_VALUE); /* locked */
    assert_says("another process");
    lt_run_free(run);
    assert_int_equal(lt_run_create(path, t.trainer, &run), LT_VALUE);
    assert_says("already holds a run");
    const char *set = "train.epochs=9";
    assert_int_equal(lt_run_open(path, &set, 1, &run), LT_OK);
    assert_int_equal(lt_recipe_train_options(lt_run_recipe(run))->epochs, 9);
    lt_run_free(run);
    assert_int_equal(lt_run_open(path, NULL, 0, &run), LT_OK); /* nothing was restored: as before */
    assert_int_equal(lt_recipe_train_options(lt_run_recipe(run))->epochs, 3);
    lt_run_free(run);
    assert_int_equal(lt_run_open(in_dir("no-run"), NULL, 0, &run), LT_NOT_FOUND);
    assert_null(run);
    training_close(&t);
}

static int count_lines(const char *path)
{
    bytes b;
    int n = 0;
    if (file_read(path, 1 << 20, &b) != LT_OK)
        return -1;
    for (size_t i = 0; i < b.size; i++)
        n += b.data[i] == '\n';
    bytes_clear(&b);
    return n;
}

static void keep_warning(void *user, lt_log_level level, const char *line)
{
    size_t n = strlen(user);
    if (level == LT_LOG_WARNING)
        snprintf((char *)user + n, 1000 - n, "%s\n", line);
}

static void run_restores_the_newest_whole_checkpoint(void **state)
{
    (void)state;
    training t;
    lt_run *run;
    lt_train_report r;
    char warning[1000] = "";
    training_begin(&t, NULL, LT_CPU, 0);
    assert_int_equal(lt_run_create(in_dir("run"), t.trainer, &run), LT_OK);
    for (int epoch = 0; epoch < 3; epoch++) {
        assert_int_equal(lt_trainer_epoch(t.trainer, NULL, NULL, &r), LT_OK);
        assert_int_equal(lt_run_log(run, &r, NULL), LT_OK);
        assert_int_equal(lt_run_save(run, t.trainer), LT_OK);
    }
    training_close(&t);
    lt_run_free(run);
    const char *newest = in_dir("run/checkpoints/step-00000012.safetensors");
    char *found = lt_run_checkpoint(in_dir("run"));
    assert_string_equal(found, newest);
    free(found);
    assert_false(file_exists(in_dir("run/checkpoints/step-00000004.safetensors"))); /* keep_checkpoints: 2 */
    assert_int_equal(truncate(newest, 3000), 0);
    assert_int_equal(file_write(in_dir("run/checkpoints/.x.tmp-1"), "x", 1), LT_OK);
    assert_int_equal(file_append(in_dir("run/metrics.jsonl"), "{\"step\":"), LT_OK);

    lt_set_log(keep_warning, warning);
    assert_int_equal(lt_run_open(in_dir("run"), NULL, 0, &run), LT_OK);
    training_begin(&t, NULL, LT_CPU, 0);
    assert_int_equal(lt_run_restore(run, t.trainer), LT_OK);
    lt_set_log(NULL, NULL);
    assert_non_null(strstr(warning, "step-00000012"));
    assert_int_equal(lt_trainer_steps_done(t.trainer), 8);
    assert_int_equal(count_lines(in_dir("run/metrics.jsonl")), 2);
    assert_false(file_exists(in_dir("run/checkpoints/.x.tmp-1")));
    assert_int_equal(lt_trainer_step(t.trainer, NULL), LT_OK);
    assert_int_equal(lt_trainer_step(t.trainer, NULL), LT_OK);
    assert_int_equal(lt_run_save(run, t.trainer), LT_OK); /* the damaged one of step 12 does not count */
    assert_true(file_exists(in_dir("run/checkpoints/step-00000008.safetensors")));
    assert_true(file_exists(in_dir("run/checkpoints/step-00000010.safetensors")));
    training_close(&t);
    lt_run_free(run);
}

/* ---- Memory that fails ---- */

typedef struct limit {
    int64_t left; /* allocations that succeed */
    bool was_hit;
} limit;

static bool allow_until(void *user, size_t size)
{
    limit *l = user;
    (void)size;
    if (l->left-- > 0)
        return true;
    l->was_hit = true;
    return false;
}

/* Training, saving, loading, evaluating, sampling. */
static int short_life(lt_executor executor)
{
    training t;
    lt_evaluation e;
    float images[4 * HEIGHT * WIDTH];
    lt_trainer_options o = {.run = {.executor = executor, .threads = 2}};
    int status = training_open(&t, NULL, &o);
    if (status == LT_OK)
        status = lt_trainer_epoch(t.trainer, NULL, NULL, NULL);
    if (status == LT_OK)
        status = lt_trainer_save(t.trainer, in_dir("life"));
    if (status == LT_OK)
        status = lt_trainer_load(t.trainer, in_dir("life"));
    if (status == LT_OK)
        status = lt_model_load(t.model, in_dir("life"));
    if (status == LT_OK)
        status = lt_evaluate(t.model, t.data, LT_TEST, &(lt_eval_options){.nll_samples = 3}, &e);
    if (status == LT_OK)
        status = lt_sample(t.model, 4, 0, 0, images);
    training_close(&t);
    return status;
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    const lt_executor executors[] = {LT_CPU, LT_REFERENCE};
    for (int e = 0; e < 2; e++) {
        limit l = {.was_hit = true};
        for (int n = 0; l.was_hit; n++) {
            l = (limit){.left = n};
            lt_set_allow_memory(allow_until, &l);
            int status = short_life(executors[e]);
            lt_set_allow_memory(NULL, NULL);
            if (l.was_hit && status != LT_NO_MEMORY)
                fail_msg("allocation %d fails: %s, %s", n, lt_status_name(status), lt_last_error());
            if (!l.was_hit && status != LT_OK)
                fail_msg("%s", lt_last_error());
            assert_true(n < 1000);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(report_tells_where_training_is),
        cmocka_unit_test(training_lowers_the_loss),
        cmocka_unit_test(training_flips_and_evaluation_does_not),
        cmocka_unit_test(executors_agree),
        cmocka_unit_test(same_bits_at_any_number_of_threads),
        cmocka_unit_test(resumed_training_has_the_same_bits),
        cmocka_unit_test(resumed_epoch_reports_all_its_images),
        cmocka_unit_test(progress_counts_images_of_the_epoch_and_can_stop),
        cmocka_unit_test(callback_stops_and_training_goes_on),
        cmocka_unit_test(loss_that_is_not_finite_is_an_error),
        cmocka_unit_test(trainer_rejects_other_images),
        cmocka_unit_test(checkpoint_of_something_else_is_rejected),
        cmocka_unit_test(broken_weights_are_not_saved),
        cmocka_unit_test(damaged_checkpoint_is_rejected),
        cmocka_unit_test(checkpoint_is_what_pytorch_reads),
        cmocka_unit_test(model_of_a_checkpoint_is_the_model),
        cmocka_unit_test(weights_of_other_programs_load),
        cmocka_unit_test(run_is_created_once),
        cmocka_unit_test(run_restores_the_newest_whole_checkpoint),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
