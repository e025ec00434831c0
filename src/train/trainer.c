/* SPDX-License-Identifier: MIT */
/* The training loop. A step runs the phases of the model's kind on one batch. The last batch of an epoch may be
   smaller; separate programs run it. */
#include "train/trainer.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/status.h"
#include "exec/run_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Data ---- */

/* Checks that the recipe names a data set, and that it exists if it is a file. */
static int check_set(const lt_recipe *r)
{
    if (lt_recipe_dataset(r)[0])
        return recipe_check_path(r);
    return status_fail(LT_VALUE, "the recipe %s names no data set; expected one: --data DATA, a name "
                       "(latent data list) or a path; in a program lt_dataset_open or "
                       "lt_dataset_from_memory", lt_recipe_name(r));
}

int lt_recipe_open_data(const lt_recipe *r, const char *instead, lt_dataset **out)
{
    *out = NULL;
    if (!instead)
        LT_TRY(check_set(r));
    return lt_dataset_open(instead ? instead : lt_recipe_dataset(r), lt_recipe_data_options(r), out);
}

static bool has_key(const char *set, const char *key)
{
    size_t n = strlen(key);
    return strncmp(set, key, n) == 0 && set[n] == '=';
}

/* One `--set` of an evaluation, "data.KEY=VALUE". */
static int set_data(lt_data_options *o, const char **instead, const char *set)
{
    static const char prefix[] = "data.";
    const char *key = set + strlen(prefix);
    if (strncmp(set, prefix, strlen(prefix)) != 0)
        return status_fail(LT_VALUE,
                           "%s: expected data.KEY=VALUE, as in data.limit=100: only data options of a "
                           "trained model can change", set);
    if (has_key(key, "flip"))
        return status_fail(LT_VALUE, "%s: images are mirrored in training only, not in evaluation",
                           set);
    if (!has_key(key, "set"))
        return lt_data_options_set(o, key);
    if (*instead || !key[strlen("set=")])
        return status_fail(LT_VALUE, "%s: expected one data set, found %s%s", set,
                           *instead ? "also " : "nothing", *instead ? *instead : "");
    *instead = key + strlen("set=");
    return LT_OK;
}

int lt_recipe_open_data_with(const lt_recipe *r, const char *instead, const char *const *sets, int n,
                             lt_dataset **out)
{
    lt_data_options o = *lt_recipe_data_options(r);
    int64_t validation = o.validation;
    *out = NULL;
    for (int i = 0; i < n; i++)
        LT_TRY(set_data(&o, &instead, sets[i]));
    if (!instead)
        LT_TRY(check_set(r));
    if (o.validation != validation)
        log_warning("data.validation=%jd: the model was trained with %jd, so its train and valid "
                    "splits were different", (intmax_t)o.validation, (intmax_t)validation);
    return lt_dataset_open(instead ? instead : lt_recipe_dataset(r), &o, out);
}

int lt_model_check_data(const lt_model *m, const lt_dataset *d)
{
    const lt_dataset_info *info = lt_dataset_describe(d);
    lt_image_size s = lt_model_image_size(m);
    if (info->h != s.h || info->w != s.w || info->c != s.c)
        return status_fail(LT_VALUE,
                           "the model expects images of %d x %d x %d, %s has %d x %d x %d", s.h,
                           s.w, s.c, info->name, info->h, info->w, info->c);
    return LT_OK;
}

/* ---- Making a trainer ---- */

static void warn_of_recipe(const lt_trainer *t)
{
    char *warning;
    for (int i = 0; (warning = lt_recipe_warning(t->recipe, t->images, i)) != NULL; i++) {
        log_warning("%s", warning);
        free(warning);
    }
}

/* The optimizer of a phase, with its state. */
static int make_phase(lt_trainer *t, int i)
{
    trainer_phase *f = &t->phases[i];
    const lt_recipe *r = t->recipe;
    bool is_discriminator = f->row->trains_discriminator;
    f->params = is_discriminator ? lt_model_discriminator(t->model) : lt_model_params(t->model);
    f->average = is_discriminator ? NULL : model_ema_buffer(t->model);
    f->optimizer_spec = f->row->optimizer ? f->row->optimizer(r) : &r->optimizer;
    f->optimizer = optimizer_of(f->optimizer_spec);
    f->n_states = f->optimizer->states(f->optimizer_spec->options);
    f->every = f->row->every ? f->row->every(r) : 1;
    for (int k = 0; k < f->n_states; k++)
        LT_TRY(lt_buffer_create(lt_params_extent(f->params), "optimizer state", &f->state[k]));
    return LT_OK;
}

static int make_phases(lt_trainer *t)
{
    const phase *rows = kind_of(t->recipe)->phases;
    while (t->n_phases < MAX_PHASES && rows[t->n_phases].name) {
        t->phases[t->n_phases].row = &rows[t->n_phases];
        LT_TRY(make_phase(t, t->n_phases++));
    }
    return LT_OK;
}

static int make_steps(lt_trainer *t)
{
    int left = t->images % t->batch;
    for (int k = 0; k < LT_METRICS; k++)
        t->phase_of[k] = -1;
    for (int i = 0; i < t->n_phases; i++) {
        trainer_phase *f = &t->phases[i];
        LT_TRY(step_build(t, i, &f->full, t->batch));
        if (left > 0)
            LT_TRY(step_build(t, i, &f->rest, left));
        for (int k = 0; k < LT_METRICS; k++)
            if (f->full.metric[k])
                t->phase_of[k] = i;
    }
    if (t->options.run.executor == LT_CPU)
        return LT_OK;
    lt_image_size s = lt_model_image_size(t->model);
    t->staging = tensor_alloc(
        sizeof(float) * (size_t)t->batch * (size_t)s.h * (size_t)s.w * (size_t)s.c, "a batch");
    return t->staging ? LT_OK : LT_NO_MEMORY;
}

/* Allocates the labels of a batch if the model has classes; the data must have labels then. */
static int make_labels(lt_trainer *t)
{
    const lt_dataset_info *info = lt_dataset_describe(t->data);
    int classes = lt_model_classes(t->model);
    if (classes == 0)
        return LT_OK;
    if (!info->has_labels[LT_TRAIN])
        return status_fail(LT_VALUE, "the model has %d classes, and %s has no labels", classes,
                           info->name);
    if (info->classes > classes)
        return status_fail(LT_VALUE, "the model has %d classes, and %s has %d", classes, info->name,
                           info->classes);
    t->labels = must_alloc(sizeof *t->labels * (size_t)t->batch);
    return LT_OK;
}

static int make_trainer(lt_trainer *t)
{
    const lt_dataset_info *info = lt_dataset_describe(t->data);
    LT_TRY(lt_model_check_data(t->model, t->data));
    if (info->n[LT_TRAIN] == 0)
        return status_fail(LT_VALUE, "%s has no train split", info->name);
    identity_find(t);
    t->images = info->n[LT_TRAIN];
    t->batch = t->recipe->train.batch < t->images ? (int)t->recipe->train.batch : t->images;
    warn_of_recipe(t);
    t->steps_per_epoch = (t->images + t->batch - 1) / t->batch;
    t->seed = lt_recipe_seed(t->recipe);
    t->order = must_alloc(sizeof *t->order * (size_t)t->images);
    t->ordered = -1;
    LT_TRY(make_labels(t));
    LT_TRY(make_phases(t));
    return make_steps(t);
}

lt_trainer *lt_trainer_create(lt_model *m, lt_dataset *d, const lt_trainer_options *o)
{
    lt_trainer *t = must_alloc(sizeof *t);
    t->model = m;
    t->data = d;
    t->recipe = lt_model_recipe(m);
    if (o)
        t->options = *o;
    if (make_trainer(t) == LT_OK)
        return t;
    lt_trainer_free(t);
    return NULL;
}

void lt_trainer_free(lt_trainer *t)
{
    if (!t)
        return;
    for (int i = 0; i < t->n_phases; i++) {
        trainer_phase *f = &t->phases[i];
        step_free(&f->full);
        step_free(&f->rest);
        for (int k = 0; k < OPTIMIZER_STATES; k++)
            lt_buffer_free(f->state[k]);
    }
    tensor_free(t->staging);
    free(t->labels);
    free(t->order);
    free(t);
}

int64_t lt_trainer_steps_done(const lt_trainer *t) { return t->done.step; }

int64_t lt_trainer_epochs_done(const lt_trainer *t) { return t->done.epoch; }

int64_t lt_trainer_images_done(const lt_trainer *t) { return t->done.images; }

int lt_trainer_phases(const lt_trainer *t) { return t->n_phases; }

const char *lt_trainer_phase_name(const lt_trainer *t, int i) { return t->phases[i].row->name; }

const lt_program *lt_trainer_program(const lt_trainer *t, int i)
{
    return lt_session_program(t->phases[i].full.session);
}

lt_session *lt_trainer_session(lt_trainer *t, int i) { return t->phases[i].full.session; }

/* ---- Steps ---- */

/* Assembles the next batch where the first phase reads it. */
static int gather_batch(lt_trainer *t, const step_program *p)
{
    bool is_cpu = t->options.run.executor == LT_CPU;
    float *x = is_cpu ? lt_session_floats(p->session, p->x) : t->staging;
    int threads = run_threads(&t->options.run);
    if (t->ordered != t->done.epoch) {
        lt_dataset_order(t->data, LT_TRAIN, t->seed, (uint64_t)t->done.epoch, t->order);
        t->ordered = t->done.epoch;
    }
    const int32_t *index = t->order + t->done.images;
    LT_TRY(lt_dataset_gather_augmented(t->data, LT_TRAIN, index, p->n, (uint64_t)t->done.epoch,
                                       threads, x));
    if (t->labels)
        LT_TRY(lt_dataset_labels(t->data, LT_TRAIN, index, p->n, t->labels));
    if (is_cpu)
        return LT_OK;
    return lt_session_write(p->session, p->x, x, lt_shape_size(lt_node_shape(p->x)));
}

/* Adds the metrics of a step to the sums of its phase. A last batch of one image has no standard deviation: the
   mean of the earlier steps is used for it. */
static void count_metrics(lt_trainer *t, int i, const step_program *p,
                           const double value[LT_METRICS])
{
    double seen = (double)t->done.seen[i];
    for (int k = 0; k < LT_METRICS; k++)
        if (p->metric[k])
            t->done.sum[k] += value[k] * p->n;
        else if (t->phase_of[k] == i && seen > 0)
            t->done.sum[k] += t->done.sum[k] / seen * p->n;
}

/* Runs the phases that are due on the next batch; does not touch the numbers of the others. */
static int run_phases(lt_trainer *t, bool is_full, double value[LT_METRICS])
{
    for (int i = 0; i < t->n_phases; i++) {
        trainer_phase *f = &t->phases[i];
        const step_program *p = is_full ? &f->full : &f->rest;
        if ((t->done.step + 1) % f->every != 0)
            continue;
        if (i == 0)
            LT_TRY(gather_batch(t, p));
        LT_TRY(step_run(t, i, p, value));
        count_metrics(t, i, p, value);
        t->done.seen[i] += p->n;
    }
    return LT_OK;
}

static void report_metrics(const lt_trainer *t, const double last[LT_METRICS], lt_train_report *r)
{
    for (int k = 0; k < LT_METRICS; k++) {
        int i = t->phase_of[k];
        double seen = i < 0 ? 0 : (double)t->done.seen[i];
        bool is_last = k < t->recipe->n_metrics && t->recipe->metrics[k].is_last;
        r->values[k] = is_last ? last[k] : seen > 0 ? t->done.sum[k] / seen : (double)NAN;
    }
}

/* Counts a step on n images. */
static void count_step(lt_trainer *t, int n, double seconds, const double last[LT_METRICS],
                       lt_train_report *r)
{
    train_counters *c = &t->done;
    const lt_recipe *recipe = t->recipe;
    int64_t step = c->step;
    c->step++;
    c->images += n;
    t->seconds += seconds;
    t->images_timed += n;
    *r = (lt_train_report){
        .step = c->step,
        .epoch = c->epoch + 1,
        .images = c->images,
        .images_in_epoch = t->images,
        .batch = n,
        .beta = recipe_beta(recipe, step, t->steps_per_epoch),
        .beta_first = recipe_beta(recipe, c->epoch * t->steps_per_epoch, t->steps_per_epoch),
        .capacity = t->phases[0].full.capacity
                        ? recipe_capacity(recipe, step, t->steps_per_epoch)
                        : (double)NAN,
        .learning_rate = recipe_learning_rate(recipe, &recipe->optimizer, step, t->steps_per_epoch),
        .seconds = t->seconds,
        .images_timed = t->images_timed};
    report_metrics(t, last, r);
    if (c->images == t->images) {
        *c = (train_counters){.step = c->step, .epoch = c->epoch + 1};
        t->seconds = 0;
        t->images_timed = 0;
    }
}

int lt_trainer_step(lt_trainer *t, lt_train_report *r)
{
    double began = seconds_now(), value[LT_METRICS];
    lt_train_report report;
    int left = t->images - (int)t->done.images;
    bool is_full = left >= t->batch;
    for (int k = 0; k < LT_METRICS; k++)
        value[k] = (double)NAN;
    LT_TRY(run_phases(t, is_full, value));
    count_step(t, is_full ? t->batch : left, seconds_now() - began, value, &report);
    if (r)
        *r = report;
    return LT_OK;
}

int lt_trainer_epoch(lt_trainer *t, lt_step_function *on_step, void *user, lt_train_report *r)
{
    lt_train_report report;
    int64_t epoch = t->done.epoch;
    for (;;) {
        LT_TRY(lt_trainer_step(t, &report));
        bool continues = !on_step || on_step(user, &report);
        double done = (double)report.images / (double)report.images_in_epoch;
        continues = run_continues(&t->options.run, done) && continues;
        if (r)
            *r = report;
        if (t->done.epoch > epoch)
            return LT_OK;
        if (!continues)
            return status_fail(LT_INTERRUPTED, "training was stopped after step %lld",
                               (long long)report.step);
    }
}
