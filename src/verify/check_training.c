/* SPDX-License-Identifier: MIT */
/* Checks of whole trainings: the same bits with any number of threads, nearly the same losses in double precision, and
   the same bits after resuming from a checkpoint. */
#include "verify/checks.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"

#include <latent/train.h>

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Models ---- */

typedef struct example {
    const char *name, *recipe;
} example;

static const example mlp = {"MLP VAE", "data: {set: synthetic}\n"
                                       "model:\n"
                                       "  latent: 7\n"
                                       "  likelihood: bernoulli\n"
                                       "  encoder: [linear 61, elu, linear 40, tanh]\n"
                                       "  decoder: [linear 61, silu, linear image]\n"
                                       "optimizer: adam lr=1e-3\n"
                                       "train: {epochs: 2, batch: 50}\n"};

static const example conv = {
    "convolutional VAE",
    "data: {set: synthetic}\n"
    "model:\n"
    "  latent: 5\n"
    "  likelihood: gaussian sigma=optimal\n"
    "  encoder: [conv 8 kernel=4 stride=2 pad=1 bias=no, batch_norm, leaky_relu 0.2,\n"
    "            conv 12 stride=2 pad=1, relu, max_pool 2]\n"
    "  decoder: [linear 72, reshape 3 3 8, conv_transpose 8 kernel=4 stride=2 pad=1, batch_norm,\n"
    "            silu, upsample, conv_transpose 4, relu, conv_transpose image pad=1, sigmoid]\n"
    "optimizer: adam lr=2e-3\n"
    "train: {epochs: 2, batch: 20}\n"};

enum { SIDE = 14, IMAGES = 130, STEPS = 8, HALF = 3 };

typedef struct training {
    lt_model *model;
    lt_dataset *data;
    lt_trainer *trainer;
} training;

static int training_open(training *t, const example *e, lt_executor executor, int threads)
{
    *t = (training){0};
    lt_recipe *r = lt_recipe_parse(e->name, e->recipe, NULL, 0);
    if (!r)
        return LT_FORMAT;
    t->model = lt_model_create(r, (lt_image_size){SIDE, SIDE, 1});
    lt_recipe_free(r);
    LT_TRY(lt_dataset_synthetic(IMAGES, SIDE, SIDE, 1, NULL, &t->data));
    if (t->model)
        t->trainer = lt_trainer_create(
            t->model, t->data, &(lt_trainer_options){.run = {.executor = executor, .threads = threads}});
    return t->trainer ? LT_OK : LT_VALUE;
}

static void training_close(training *t)
{
    lt_trainer_free(t->trainer);
    lt_model_free(t->model);
    lt_dataset_free(t->data);
}

static int train(training *t, int steps, double *loss)
{
    for (int i = 0; i < steps; i++) {
        lt_train_report r;
        LT_TRY(lt_trainer_step(t->trainer, &r));
        *loss = lt_metric_value(lt_recipe_loss(lt_model_recipe(t->model)), &r);
    }
    return LT_OK;
}

/* Parameters and running statistics, for a bitwise comparison. */
static bytes weights_of(const training *t)
{
    const lt_params *p = lt_model_params(t->model);
    size_t n = (size_t)(lt_params_extent(p) + lt_params_state_extent(p)) * sizeof(float);
    bytes b = {.data = must_alloc(n), .size = n};
    memcpy(b.data, lt_params_block(lt_model_params(t->model)), n);
    return b;
}

static int compare_weights(const bytes *a, const bytes *b, const char *what, int value)
{
    if (a->size == b->size && memcmp(a->data, b->data, a->size) == 0)
        return LT_OK;
    return status_fail(LT_VALUE, "other bits %s %d", what, value);
}

/* ---- Threads ---- */

static int train_with(const example *e, int threads, bytes *weights)
{
    training t;
    double loss;
    int status = training_open(&t, e, LT_CPU, threads);
    if (status == LT_OK)
        status = train(&t, STEPS, &loss);
    if (status == LT_OK)
        *weights = weights_of(&t);
    training_close(&t);
    return status;
}

static int check_threads(const example *e)
{
    static const int threads[] = {2, 3, 4, 8};
    bytes first = {0};
    int status = train_with(e, 1, &first);
    for (int i = 0; status == LT_OK && i < COUNT_OF(threads); i++) {
        bytes other = {0};
        status = train_with(e, threads[i], &other);
        if (status == LT_OK)
            status = compare_weights(&first, &other, "of threads:", threads[i]);
        bytes_clear(&other);
    }
    bytes_clear(&first);
    return status;
}

/* ---- Executors ---- */

/* Rounding grows from step to step: half of the digits are enough to see a wrong gradient. */
static int compare_losses(const example *e, double *worst)
{
    training fast, slow;
    int status = training_open(&fast, e, LT_CPU, 0);
    int slow_status = training_open(&slow, e, LT_REFERENCE, 1);
    status = status == LT_OK ? slow_status : status;
    for (int i = 0; status == LT_OK && i < STEPS; i++) {
        double found = 0, want = 0;
        status = train(&slow, 1, &want);
        if (status == LT_OK)
            status = train(&fast, 1, &found);
        if (status == LT_OK)
            status = check_near("loss", found, want, 3e-4 * fabs(want));
        *worst = fmax(*worst, fabs(found - want) / fabs(want));
    }
    training_close(&fast);
    training_close(&slow);
    return status;
}

/* ---- Checkpoints ---- */

/* Resumes from the file in a new trainer. */
static int go_on(const example *e, const char *path, bytes *weights)
{
    training t;
    double loss;
    int status = training_open(&t, e, LT_CPU, 1);
    if (status == LT_OK)
        status = lt_trainer_load(t.trainer, path);
    if (status == LT_OK)
        status = train(&t, STEPS - HALF, &loss);
    if (status == LT_OK)
        *weights = weights_of(&t);
    training_close(&t);
    return status;
}

static int save_half(const example *e, const char *path)
{
    training t;
    double loss;
    int status = training_open(&t, e, LT_CPU, 2);
    if (status == LT_OK)
        status = train(&t, HALF, &loss);
    if (status == LT_OK)
        status = lt_trainer_save(t.trainer, path);
    training_close(&t);
    return status;
}

static int compare_halves(const example *e, const char *path)
{
    bytes whole = {0}, rest = {0};
    int status = train_with(e, 1, &whole);
    if (status == LT_OK)
        status = save_half(e, path);
    if (status == LT_OK)
        status = go_on(e, path, &rest);
    if (status == LT_OK)
        status = compare_weights(&whole, &rest, "after a checkpoint at step", HALF);
    bytes_clear(&whole);
    bytes_clear(&rest);
    return status;
}

static int check_checkpoint(const example *e)
{
    const char *place = getenv("TMPDIR");
    place = place && *place ? place : "/tmp";
    char *dir = must_format("%s/latent-verify-XXXXXX", place);
    if (!mkdtemp(dir)) {
        int status =
            status_fail(LT_IO, "cannot make a directory in %s: %s", place, strerror(errno));
        free(dir);
        return status;
    }
    char *path = file_join(dir, "half.safetensors");
    int status = compare_halves(e, path);
    unlink(path);
    rmdir(dir);
    free(path);
    free(dir);
    return status;
}

/* ---- The family ---- */

static int run_threads(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    (void)r;
    snprintf(told, CHECK_TEXT_SIZE, "%d steps have the same bits at 1, 2, 3, 4 and 8", STEPS);
    return check_threads(about);
}

static int run_losses(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    char error[CHECK_ERROR_SIZE];
    double worst = 0;
    int status = compare_losses(about, &worst);
    (void)r;
    snprintf(told, CHECK_TEXT_SIZE, "%d losses as in double precision, to %s", STEPS,
             check_error_text(worst, error));
    return status;
}

static int run_checkpoint(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    (void)r;
    snprintf(told, CHECK_TEXT_SIZE, "read back after %d of %d steps: the same bits", HALF, STEPS);
    return check_checkpoint(about);
}

void check_training(check_run *r)
{
    static const char *const areas[] = {"threads", "training", "checkpoints"};
    static check_function *const runs[] = {run_threads, run_losses, run_checkpoint};
    const example *const examples[] = {&mlp, &conv};
    for (int i = 0; i < COUNT_OF(areas); i++)
        for (int k = 0; k < COUNT_OF(examples); k++) {
            const check_row row = {examples[k]->name, runs[i], examples[k]};
            if (!checks_report(r, areas[i], &row, 1))
                return;
        }
}
