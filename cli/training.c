/* SPDX-License-Identifier: MIT */
/* Shared by train and resume: opens what lt_run_train needs, shows progress, and reports the end. */
#include "training.h"

#include "epoch_rows.h"

#include <stdlib.h>
#include <string.h>

typedef struct training {
    const command *command;
    train_options options;
    const lt_recipe *recipe; /* the model's */
    const lt_train_options *plan;
    lt_run *run;
    lt_model *model;
    lt_dataset *data;
    lt_split valid; /* for validation */
    lt_trainer *trainer;
    meter meter;
    epoch_rows rows;
    char *warned; /* warning of the last epoch, not repeated after the next one */
    double began; /* seconds */
} training;

/* ---- While it trains ---- */

static void show_step(training *t, const lt_train_report *r)
{
    char left[32], loss[64];
    double done = (double)r->images / (double)r->images_in_epoch, speed = epoch_speed(r);
    double epochs_left = (double)(t->plan->epochs - r->epoch + 1) - done;
    meter_draw(&t->meter, done, "epoch %lld/%lld  %s  %s  %.0f images/s  step %lld",
               (long long)r->epoch, (long long)t->plan->epochs,
               left_text(epochs_left * (double)r->images_in_epoch / (speed > 1 ? speed : 1), left),
               epoch_loss_text(&t->rows, r, loss), speed, (long long)r->step);
}

static bool on_step(void *user, const lt_train_report *r)
{
    training *t = user;
    if (meter_is_due(&t->meter))
        show_step(t, r);
    return !is_stopped();
}

static bool on_epoch(void *user, const lt_train_report *r, const lt_validation *v)
{
    training *t = user;
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
    return !is_stopped();
}

/* ---- The whole ---- */

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
    lt_trainer_options o = {.run = {.threads = (int)t->options.threads, .executor = (lt_executor)t->options.executor}};
    t->trainer = lt_trainer_create(t->model, t->data, &o);
    if (!t->trainer)
        return LT_VALUE;
    if (lt_model_can(t->model, LT_CAN_LIKELIHOOD))
        t->valid = lt_dataset_split(t->data, LT_VALID);
    lt_dataset_split(t->data, LT_TEST); /* prints the warning about the default split once, too */
    return LT_OK;
}

static const char *plural(int64_t n) { return n == 1 ? "" : "s"; }

static void say_beginning(training *t)
{
    const lt_dataset_info *d = lt_dataset_describe(t->data);
    int64_t steps = (d->n[LT_TRAIN] + t->plan->batch - 1) / t->plan->batch;
    const lt_params *discriminator = lt_model_discriminator(t->model);
    int64_t parameters =
        lt_params_size(lt_model_params(t->model)) + (discriminator ? lt_params_size(discriminator) : 0);
    if (lt_trainer_steps_done(t->trainer) > 0)
        say("%s: resuming after step %lld, in epoch %lld of %lld", lt_run_directory(t->run),
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

/* Reports how training ended; returns the exit code. */
static int say_end(training *t, int status, bool was_done)
{
    const char *dir = lt_run_directory(t->run);
    meter_clear(&t->meter);
    if (status == LT_INTERRUPTED) {
        say("stopped after step %lld; to resume: latent resume %s", (long long)lt_trainer_steps_done(t->trainer),
            shell(dir));
        return stop_code();
    }
    if (status != LT_OK)
        return complain_library(t->command, status);
    if (was_done)
        say("%s: already trained for %lld epochs; for more: --epochs N", dir,
            (long long)lt_trainer_epochs_done(t->trainer));
    else
        say("%s: done; next: latent eval %s", dir, shell(dir));
    return CODE_DONE;
}

/* Trains if the run could be opened, and closes it. Returns the exit code. */
static int train(training *t, int status)
{
    int code;
    if (status == LT_OK) {
        bool was_done = lt_trainer_epochs_done(t->trainer) >= t->plan->epochs;
        const lt_run_train_options o = {.on_step = on_step, .on_epoch = on_epoch, .user = t};
        if (!was_done)
            say_beginning(t);
        t->began = now_seconds();
        code = say_end(t, lt_run_train(t->run, t->trainer, t->data, &o), was_done);
    } else {
        code = complain_library(t->command, status);
    }
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
    watch_training_signals(); /* before a signal could leave a run half created */
    int status = open_trainer(&t, r);
    if (status == LT_OK)
        status = lt_run_create(dir, t.trainer, &t.run);
    if (status == LT_OK)
        status = warnings_keep(dir);
    return train(&t, status);
}

int train_on(const command *c, const char *dir, const text_list *sets, const train_options *o)
{
    training t = {.command = c, .options = *o};
    meter_begin(&t.meter);
    watch_training_signals();
    warnings_expect(dir);
    int status = lt_run_open(dir, sets->item, sets->n, &t.run);
    if (status == LT_OK)
        status = open_trainer(&t, lt_run_recipe(t.run));
    if (status == LT_OK)
        status = lt_run_restore(t.run, t.trainer);
    if (status == LT_OK)
        status = warnings_keep(dir);
    return train(&t, status);
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
            say("latent: %s is given twice: by --set and by its own option", key);
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
