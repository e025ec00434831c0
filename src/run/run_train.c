/* SPDX-License-Identifier: MIT */
/* Training in a run: steps and checkpoints; after each epoch validation, a line of metrics, a checkpoint, samples.
   The order matters. A process killed before the checkpoint repeats the end of the epoch with the same results.
   Samples are written while training continues, and the next checkpoint waits for them. A run killed before that
   resumes from the checkpoint of those samples and writes them then, so no sample file is ever missing. */
#include <latent/runs.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/status.h"
#include "base/text.h"
#include "run/sample_writer.h"
#include "train/trainer.h"

#include <math.h>
#include <stdlib.h>

typedef struct training {
    lt_run *run;
    lt_trainer *trainer;
    lt_dataset *data;
    lt_split valid; /* for validation */
    const lt_train_options *plan;
    lt_run_train_options o;
    sample_writer writer;
    double saved, save_cost; /* seconds: time of the newest checkpoint, duration of writing it */
    int save_status;         /* of checkpoints in mid-epoch */
    text save_message;       /* of the one that failed: stopping the epoch overwrites lt_last_error() */
} training;

/* ---- Samples ---- */

/* Some kinds of model cannot sample. */
static bool has_samples(const training *t)
{
    bool is_wanted = t->plan->samples_every > 0 || t->plan->samples_at[0];
    return is_wanted && lt_model_can(t->trainer->model, LT_CAN_SAMPLE);
}

static int begin_samples(training *t, int64_t epoch)
{
    if (!has_samples(t))
        return LT_OK;
    char *path = lt_run_sample_path(lt_run_directory(t->run), epoch);
    int status = sample_writer_begin(&t->writer, t->trainer->model, path);
    free(path);
    return status;
}

/* Starts the samples of the checkpoint that the run resumes from, if they are due and missing. */
static int begin_missing_samples(training *t)
{
    int64_t epoch = lt_trainer_epochs_done(t->trainer);
    bool is_between_epochs = epoch > 0 && lt_trainer_images_done(t->trainer) == 0;
    if (!is_between_epochs || !lt_train_options_samples(t->plan, epoch))
        return LT_OK;
    char *path = lt_run_sample_path(lt_run_directory(t->run), epoch);
    bool is_there = file_exists(path);
    free(path);
    return is_there ? LT_OK : begin_samples(t, epoch);
}

/* ---- Checkpoints ---- */

static int save(training *t)
{
    LT_TRY(sample_writer_wait(&t->writer));
    double began = seconds_now();
    int status = lt_run_save(t->run, t->trainer);
    t->saved = seconds_now();
    t->save_cost = t->saved - began;
    return status;
}

/* Besides the checkpoints after epochs there is one every ten seconds, or less often so that they take at most 1 % of
   the time. Resuming from any of them gives the same bits. */
static bool is_save_due(const training *t)
{
    return t->plan->checkpoint_every > 0 && seconds_now() - t->saved > fmax(10, 100 * t->save_cost);
}

/* ---- Epochs ---- */

static bool on_step(void *user, const lt_train_report *r)
{
    training *t = user;
    bool continues = !t->o.on_step || t->o.on_step(t->o.user, r);
    if (r->images < r->images_in_epoch && is_save_due(t) && (t->save_status = save(t)) != LT_OK)
        text_append(&t->save_message, lt_last_error());
    return t->save_status == LT_OK && continues;
}

static int validate(training *t, const lt_train_report *r, lt_validation *v)
{
    const lt_run_options *run = &t->trainer->options.run;
    const lt_eval_options o = {.run = {.threads = run->threads, .executor = run->executor}};
    return lt_validate(t->trainer->model, t->data, t->valid, &o, r, v);
}

static bool is_due(int64_t epoch, int64_t every) { return every > 0 && epoch % every == 0; }

static int finish_epoch(training *t, const lt_train_report *r)
{
    lt_validation found, *v = NULL;
    bool is_last = r->epoch == t->plan->epochs;
    if (lt_model_can(t->trainer->model, LT_CAN_LIKELIHOOD)) {
        LT_TRY(validate(t, r, &found));
        v = &found;
    }
    LT_TRY(lt_run_log(t->run, r, v));
    if (is_last || is_due(r->epoch, t->plan->checkpoint_every))
        LT_TRY(save(t));
    if (lt_train_options_samples(t->plan, r->epoch))
        LT_TRY(begin_samples(t, r->epoch));
    bool continues = !t->o.on_epoch || t->o.on_epoch(t->o.user, r, v);
    return continues || is_last ? LT_OK
                                : status_fail(LT_INTERRUPTED, "training was stopped after epoch %lld",
                                              (long long)r->epoch);
}

static int train_epochs(training *t)
{
    lt_train_report r;
    LT_TRY(begin_missing_samples(t));
    while (lt_trainer_epochs_done(t->trainer) < t->plan->epochs) {
        LT_TRY(lt_trainer_epoch(t->trainer, on_step, t, &r));
        LT_TRY(finish_epoch(t, &r));
    }
    return sample_writer_wait(&t->writer);
}

/* Saves the current step. */
static int stop(training *t)
{
    LT_TRY(save(t));
    return status_fail(LT_INTERRUPTED, "training was stopped after step %lld",
                       (long long)lt_trainer_steps_done(t->trainer));
}

int lt_run_train(lt_run *run, lt_trainer *trainer, lt_dataset *data, const lt_run_train_options *o)
{
    training t = {.run = run, .trainer = trainer, .data = data, .saved = seconds_now()};
    if (trainer->data != data)
        return status_fail(LT_VALUE, "%s: expected the data set that its trainer was made with, found %s",
                           lt_run_directory(run), lt_dataset_describe(data)->name);
    if (o)
        t.o = *o;
    t.plan = lt_recipe_train_options(lt_run_recipe(run));
    if (lt_model_can(trainer->model, LT_CAN_LIKELIHOOD))
        t.valid = lt_dataset_split(data, LT_VALID);
    int status = has_samples(&t) ? sample_writer_open(&t.writer, trainer->model) : LT_OK;
    if (status == LT_OK)
        status = train_epochs(&t);
    if (t.save_status != LT_OK)
        status = status_fail(t.save_status, "%s", text_get(&t.save_message));
    if (status == LT_INTERRUPTED)
        status = stop(&t);
    sample_writer_close(&t.writer);
    text_clear(&t.save_message);
    return status;
}
