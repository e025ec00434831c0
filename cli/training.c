/* SPDX-License-Identifier: MIT */
/* The training of a run: steps, a meter, checkpoints; after each epoch validation, a line of
   metrics, a checkpoint, a picture of samples. The order matters. A process killed before the
   checkpoint does the end of the epoch again, with the same results. The picture is drawn while
   training goes on, and the next checkpoint waits for it; killed before that, the run goes on from
   the checkpoint that the picture is of, and draws it then. So none is ever missing. */
#include "training.h"

#include "album.h"
#include "epoch_rows.h"
#include "sample_writer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct training {
    const command *command;
    train_options options;
    const lt_recipe *recipe; /* the model's */
    const lt_train_options *plan;
    lt_run *run;
    lt_model *model;
    lt_dataset *data;
    lt_split valid; /* that validation takes */
    lt_trainer *trainer;
    sample_writer writer;
    const char *error; /* of a picture; NULL: the library's last */
    meter meter;
    epoch_rows rows;
    char *warned; /* of the last epoch: not said again after the next one */
    double began, saved, save_cost; /* seconds: start, newest checkpoint, what it took */
    int save_status;                /* of checkpoints in mid-epoch */
} training;

/* ---- Pictures of samples ---- */

static int await_picture(training *t)
{
    int status = sample_writer_wait(&t->writer);
    if (status != LT_OK)
        t->error = t->writer.message;
    return status;
}

static int begin_picture(training *t, int64_t epoch)
{
    LT_TRY(await_picture(t));
    char *path = album_name(lt_run_directory(t->run), epoch);
    int status = sample_writer_begin(&t->writer, t->model, path);
    free(path);
    return status;
}

/* Begins the picture of the checkpoint that the run goes on from, if it is due and not there. */
static int begin_missing_picture(training *t)
{
    int64_t epoch = lt_trainer_epochs_done(t->trainer);
    bool is_between_epochs = epoch > 0 && lt_trainer_images_done(t->trainer) == 0;
    if (!is_between_epochs || !lt_train_options_samples(t->plan, epoch))
        return LT_OK;
    char *path = album_name(lt_run_directory(t->run), epoch);
    bool is_there = access(path, F_OK) == 0;
    free(path);
    return is_there ? LT_OK : begin_picture(t, epoch);
}

/* ---- Checkpoints ---- */

static int save(training *t)
{
    LT_TRY(await_picture(t));
    double began = now_seconds();
    int status = lt_run_save(t->run, t->trainer);
    t->saved = now_seconds();
    t->save_cost = t->saved - began;
    return status;
}

/* Wherever a run stops, it resumes to the same bits; so beside the checkpoints after epochs there
   is one every ten seconds, or as rarely as makes them 1 % of the time. */
static bool is_save_due(const training *t)
{
    return t->plan->checkpoint_every > 0 && now_seconds() - t->saved > fmax(10, 100 * t->save_cost);
}

/* ---- During an epoch ---- */

static void show_step(training *t, const lt_train_report *r)
{
    char left[32], loss[64];
    double done = (double)r->images / (double)r->images_in_epoch, speed = epoch_speed(r);
    double epochs_left = (double)(t->plan->epochs - r->epoch + 1) - done;
    meter_draw(&t->meter, done, "epoch %lld/%lld  %s  %s  %.0f images/s  step %lld",
               (long long)r->epoch, (long long)t->plan->epochs,
               left_text(epochs_left * (double)r->images_in_epoch / fmax(speed, 1), left),
               epoch_loss_text(r, loss), speed, (long long)r->step);
}

static bool on_step(void *user, const lt_train_report *r)
{
    training *t = user;
    bool at_end = r->images == r->images_in_epoch;
    if (meter_is_due(&t->meter))
        show_step(t, r);
    if (!at_end && is_save_due(t))
        t->save_status = save(t);
    return t->save_status == LT_OK && !is_stopped();
}

/* ---- After an epoch ---- */

static int validate(training *t, const lt_train_report *r, lt_validation *v)
{
    lt_eval_options o = {.threads = (int)t->options.threads,
                         .executor = (lt_executor)t->options.executor};
    return lt_validate(t->model, t->data, t->valid, &o, r, v);
}

/* Nullable: v. */
static void say_epoch(training *t, const lt_train_report *r, const lt_validation *v)
{
    const char *warning = lt_train_warning(t->recipe, r);
    meter_clear(&t->meter);
    epoch_rows_say(&t->rows, r, v, now_seconds() - t->began);
    bool is_new = warning && (!t->warned || strcmp(t->warned, warning) != 0);
    if (is_new)
        say_wrapped("  warning: %s", warning);
    if (is_new || !warning) {
        free(t->warned);
        t->warned = warning ? strdup(warning) : NULL;
    }
}

static bool is_due(int64_t epoch, int64_t every) { return every > 0 && epoch % every == 0; }

static int finish_epoch(training *t, const lt_train_report *r)
{
    lt_validation found, *v = NULL;
    bool is_last = r->epoch == t->plan->epochs;
    if (lt_model_has_likelihood(t->model)) {
        LT_TRY(validate(t, r, &found));
        v = &found;
    }
    LT_TRY(lt_run_log(t->run, r, v));
    if (is_last || is_due(r->epoch, t->plan->checkpoint_every))
        LT_TRY(save(t));
    if (lt_train_options_samples(t->plan, r->epoch))
        LT_TRY(begin_picture(t, r->epoch));
    say_epoch(t, r, v);
    return LT_OK;
}

/* ---- The whole ---- */

static int train_epochs(training *t)
{
    lt_train_report r;
    LT_TRY(begin_missing_picture(t));
    while (lt_trainer_epochs_done(t->trainer) < t->plan->epochs) {
        LT_TRY(lt_trainer_epoch(t->trainer, on_step, t, &r));
        LT_TRY(finish_epoch(t, &r));
        if (is_stopped() && r.epoch < t->plan->epochs)
            return LT_INTERRUPTED;
    }
    return await_picture(t);
}

static int open_trainer(training *t, const lt_recipe *r)
{
    warnings_begin();
    int status = lt_recipe_open_data(r, NULL, &t->data);
    if (status != LT_OK)
        return lt_recipe_advise_data(r, status);
    const lt_dataset_info *d = lt_dataset_describe(t->data);
    t->model = lt_model_create(r, (lt_image_size){d->h, d->w, d->c});
    if (!t->model)
        return lt_recipe_advise_data(r, LT_VALUE);
    if (t->options.weights)
        LT_TRY(lt_model_load(t->model, t->options.weights));
    t->recipe = lt_model_recipe(t->model);
    t->plan = lt_recipe_train_options(t->recipe);
    lt_trainer_options o = {.threads = (int)t->options.threads,
                            .executor = (lt_executor)t->options.executor};
    t->trainer = lt_trainer_create(t->model, t->data, &o);
    if (!t->trainer)
        return LT_VALUE;
    if (lt_model_has_likelihood(t->model))
        t->valid = lt_dataset_split(t->data, LT_VALID);
    lt_dataset_split(t->data, LT_TEST); /* so that what commands take by default is said once, too */
    bool has_pictures = t->plan->samples_every > 0 || t->plan->samples_at[0];
    return has_pictures ? sample_writer_open(&t->writer, t->model) : LT_OK;
}

static const char *plural(int64_t n) { return n == 1 ? "" : "s"; }

static void say_beginning(training *t)
{
    const lt_dataset_info *d = lt_dataset_describe(t->data);
    int64_t steps = (d->n[LT_TRAIN] + t->plan->batch - 1) / t->plan->batch;
    const lt_params *critic = lt_model_critic(t->model);
    int64_t parameters =
        lt_params_size(lt_model_params(t->model)) + (critic ? lt_params_size(critic) : 0);
    if (lt_trainer_steps_done(t->trainer) > 0)
        say("%s: going on after step %lld, in epoch %lld of %lld", lt_run_directory(t->run),
            (long long)lt_trainer_steps_done(t->trainer),
            (long long)lt_trainer_epochs_done(t->trainer) + 1, (long long)t->plan->epochs);
    else
        say_wrapped("%s: %s, %lld parameters, %d image%s of %s, %lld epoch%s of %lld step%s",
                    lt_run_directory(t->run), lt_recipe_name(t->recipe), (long long)parameters,
                    d->n[LT_TRAIN], plural(d->n[LT_TRAIN]), d->name, (long long)t->plan->epochs,
                    plural(t->plan->epochs), (long long)steps, plural(steps));
    t->rows = (epoch_rows){.recipe = t->recipe, .epochs = t->plan->epochs,
                           .is_wide = (int64_t)d->h * d->w * d->c > 1000};
    epoch_rows_explain(&t->rows, d->n[t->valid], t->valid);
}

static int fail(const training *t, int status)
{
    return t->error ? complain(t->command, CODE_FAILED, "%s", t->error)
                    : complain_library(t->command, status);
}

/* Stopped by a signal: keep what has been done. */
static int stop(training *t)
{
    meter_clear(&t->meter);
    int status = save(t);
    if (status != LT_OK)
        return fail(t, status);
    say("stopped after step %lld; to go on: latent resume %s",
        (long long)lt_trainer_steps_done(t->trainer), shell(lt_run_directory(t->run)));
    return stop_code();
}

/* Nothing to train, but the last picture may be missing. */
static int say_done(training *t)
{
    int status = train_epochs(t);
    if (status != LT_OK)
        return fail(t, status);
    say("%s: has been trained for %lld epochs already; for more: --epochs N",
        lt_run_directory(t->run), (long long)lt_trainer_epochs_done(t->trainer));
    return CODE_DONE;
}

static int train(training *t)
{
    if (lt_trainer_epochs_done(t->trainer) >= t->plan->epochs)
        return say_done(t);
    say_beginning(t);
    t->began = t->saved = now_seconds();
    int status = train_epochs(t);
    if (t->save_status != LT_OK)
        status = t->save_status;
    if (status == LT_INTERRUPTED)
        return stop(t);
    meter_clear(&t->meter);
    if (status != LT_OK)
        return fail(t, status);
    say("%s: done; next: latent eval %s", lt_run_directory(t->run), shell(lt_run_directory(t->run)));
    return CODE_DONE;
}

/* Trains if the run could be opened; closes it; the exit code. */
static int finish(training *t, int status)
{
    int code = status == LT_OK ? train(t) : complain_library(t->command, status);
    sample_writer_close(&t->writer);
    lt_trainer_free(t->trainer);
    lt_model_free(t->model);
    lt_dataset_free(t->data);
    lt_run_free(t->run);
    free(t->warned);
    return code;
}

int train_new(const command *c, const lt_recipe *r, const char *dir, const train_options *o)
{
    training t = {.command = c, .options = *o};
    meter_begin(&t.meter);
    watch_training_signals(); /* before there is a run that a signal could leave half made */
    int status = open_trainer(&t, r);
    if (status == LT_OK)
        status = lt_run_create(&t.run, dir, t.trainer);
    if (status == LT_OK)
        status = warnings_keep(dir);
    return finish(&t, status);
}

int train_on(const command *c, const char *dir, const text_list *sets, const train_options *o)
{
    training t = {.command = c, .options = *o};
    meter_begin(&t.meter);
    watch_training_signals();
    warnings_expect(dir);
    int status = lt_run_open(&t.run, dir, sets->item, sets->n);
    if (status == LT_OK)
        status = open_trainer(&t, lt_run_recipe(t.run));
    if (status == LT_OK)
        status = lt_run_restore(t.run, t.trainer);
    if (status == LT_OK)
        status = warnings_keep(dir);
    return finish(&t, status);
}

/* ---- Sets ---- */

char *set_text(text_list *sets, const char *key, const char *value)
{
    size_t size = strlen(key) + strlen(value) + 2;
    char *set = malloc(size);
    if (!set || sets->n == (int)(sizeof sets->item / sizeof sets->item[0])) {
        free(set);
        say("latent: too many --set");
        exit(CODE_USAGE);
    }
    size_t n = strlen(key);
    for (int i = 0; i < sets->n; i++)
        if (strncmp(sets->item[i], key, n) == 0 && sets->item[i][n] == '=') {
            say("latent: %s is given twice: by --set, and by an option of its own", key);
            exit(CODE_USAGE);
        }
    snprintf(set, size, "%s=%s", key, value);
    sets->item[sets->n++] = set;
    return set;
}

char *set_count(text_list *sets, const char *key, int64_t value)
{
    char word[32];
    snprintf(word, sizeof word, "%lld", (long long)value);
    return set_text(sets, key, word);
}

char *set_data(text_list *sets, const char *data) { return set_text(sets, "data.set", data); }
