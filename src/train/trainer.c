/* SPDX-License-Identifier: MIT */
/* The training loop. A step is one compiled graph: forward, backward, update. The last batch of an
   epoch is as small as what is left, and has a graph of its own; both work on the same blocks. */
#include "train/trainer.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

/* ---- Data ---- */

int lt_recipe_open_data(const lt_recipe *r, const char *instead, lt_dataset **out)
{
    return lt_dataset_open(out, instead ? instead : lt_recipe_dataset(r),
                           lt_recipe_data_options(r));
}

int lt_model_check_data(const lt_model *m, const lt_dataset *d)
{
    const lt_dataset_info *info = lt_dataset_describe(d);
    lt_image_size s = lt_model_image_size(m);
    if (info->h != s.h || info->w != s.w || info->c != s.c)
        return status_fail(LT_VALUE,
                           "the model is made for images of %d x %d x %d, %s has %d x %d x %d", s.h,
                           s.w, s.c, info->name, info->h, info->w, info->c);
    return LT_OK;
}

/* ---- The step as a program ---- */

enum { FIXED_TARGETS = 6, MAX_TARGETS = FIXED_TARGETS + 2 + OPTIMISER_STATES };

/* The update of parameters and optimiser state: assignments to add to the targets. */
static int add_update(const lt_trainer *t, step_program *p, lt_node *variables[],
                      lt_node **assigns)
{
    const lt_params *params = lt_model_params(t->model);
    const lt_recipe *r = t->recipe;
    optimiser_input in = {.w = lt_params_variable(params, p->graph),
                          .g = lt_params_gradient(params, p->loss),
                          .lr = p->learning_rate,
                          .t = p->t,
                          .options = r->optimiser.options};
    optimiser_output out = {.w = NULL};
    if (r->train.clip_norm > 0)
        in.g = gradient_clip(in.g, r->train.clip_norm);
    for (int i = 0; i < t->n_states; i++)
        variables[i] = in.state[i] = lt_variable(p->graph, t->optimiser->state[i],
                                                 lt_node_shape(in.w));
    t->optimiser->step(&in, &out);
    int n = 0;
    assigns[n++] = lt_assign(in.w, out.w);
    for (int i = 0; i < t->n_states; i++)
        assigns[n++] = lt_assign(in.state[i], out.state[i]);
    return n;
}

static int build_step(lt_trainer *t, step_program *p, int n)
{
    lt_graph *g = p->graph = lt_graph_create();
    lt_params *params = lt_model_params(t->model);
    lt_image_size s = lt_model_image_size(t->model);
    lt_model_terms terms;
    p->n = n;
    p->x = lt_input(g, "x", lt_shape_4d(n, s.h, s.w, s.c));
    p->learning_rate = lt_input(g, "learning_rate", lt_shape_0d());
    p->t = lt_input(g, "step", lt_shape_0d());
    LT_TRY(lt_model_build(t->model, g, p->x, LT_TRAINING, &terms));
    p->beta = terms.beta;
    p->capacity = terms.capacity;
    p->loss = terms.loss;
    p->rate = lt_mean(terms.rate);
    p->distortion = lt_mean(terms.distortion);
    p->sigma = terms.sigma;

    /* the inputs are targets, so that they are there even if an optimiser does not need them */
    lt_node *targets[MAX_TARGETS] = {p->loss, p->rate, p->distortion, p->learning_rate, p->t};
    lt_node *variables[OPTIMISER_STATES];
    int n_targets = 5;
    if (p->sigma)
        targets[n_targets++] = p->sigma;
    n_targets += add_update(t, p, variables, targets + n_targets);
    lt_node *running = lt_params_state_assign(params, g);
    if (running)
        targets[n_targets++] = running;

    p->program = lt_compile(g, targets, n_targets);
    if (!p->program)
        return LT_GRAPH;
    lt_session_options o = {.executor = t->options.executor, .threads = t->options.threads,
                            .profile = t->options.profile};
    p->session = lt_session_create(p->program, &o);
    if (!p->session)
        return LT_NO_MEMORY;
    for (int i = 0; i < t->n_states; i++)
        LT_TRY(lt_session_bind(p->session, variables[i], t->state[i]));
    return lt_params_bind(params, g, p->session);
}

static void free_step(step_program *p)
{
    lt_session_free(p->session);
    lt_program_free(p->program);
    lt_graph_free(p->graph);
}

/* ---- Making a trainer ---- */

static int make_state(lt_trainer *t)
{
    size_t bytes = sizeof(float) * (size_t)lt_params_extent(lt_model_params(t->model));
    t->optimiser = optimiser_find(t->recipe->optimiser.row->name);
    t->n_states = t->optimiser->states(t->recipe->optimiser.options);
    for (int i = 0; i < t->n_states; i++) {
        t->state[i] = tensor_alloc(bytes, "optimiser state");
        if (!t->state[i])
            return LT_NO_MEMORY;
    }
    return LT_OK;
}

static int make_steps(lt_trainer *t)
{
    lt_image_size s = lt_model_image_size(t->model);
    int left = t->images % t->batch;
    LT_TRY(build_step(t, &t->full, t->batch));
    if (left > 0)
        LT_TRY(build_step(t, &t->rest, left));
    if (t->options.executor == LT_CPU)
        return LT_OK;
    t->staging = tensor_alloc(
        sizeof(float) * (size_t)t->batch * (size_t)s.h * (size_t)s.w * (size_t)s.c, "a batch");
    return t->staging ? LT_OK : LT_NO_MEMORY;
}

static int make_trainer(lt_trainer *t)
{
    const lt_dataset_info *info = lt_dataset_describe(t->data);
    LT_TRY(lt_model_check_data(t->model, t->data));
    if (info->n[LT_TRAIN] == 0)
        return status_fail(LT_VALUE, "%s has no train split", info->name);
    t->images = info->n[LT_TRAIN];
    t->batch = t->recipe->train.batch < t->images ? (int)t->recipe->train.batch : t->images;
    t->steps_per_epoch = (t->images + t->batch - 1) / t->batch;
    t->seed = lt_recipe_seed(t->recipe);
    t->order = must_alloc(sizeof *t->order * (size_t)t->images);
    t->ordered = -1;
    LT_TRY(make_state(t));
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
    free_step(&t->full);
    free_step(&t->rest);
    for (int i = 0; i < OPTIMISER_STATES; i++)
        tensor_free(t->state[i]);
    tensor_free(t->staging);
    free(t->order);
    free(t);
}

int64_t lt_trainer_steps_done(const lt_trainer *t) { return t->done.step; }

int64_t lt_trainer_epochs_done(const lt_trainer *t) { return t->done.epoch; }

const lt_program *lt_trainer_program(const lt_trainer *t) { return t->full.program; }

lt_session *lt_trainer_session(lt_trainer *t) { return t->full.session; }

/* ---- Steps ---- */

/* Assembles the next batch where the step reads it. */
static int gather_batch(lt_trainer *t, const step_program *p)
{
    bool is_cpu = t->options.executor == LT_CPU;
    float *x = is_cpu ? lt_session_floats(p->session, p->x) : t->staging;
    int threads = t->options.threads > 0 ? t->options.threads : lt_cores();
    if (t->ordered != t->done.epoch) {
        lt_dataset_order(t->data, LT_TRAIN, t->seed, (uint64_t)t->done.epoch, t->order);
        t->ordered = t->done.epoch;
    }
    LT_TRY(lt_dataset_gather_augmented(t->data, LT_TRAIN, t->order + t->done.images, p->n,
                                       (uint64_t)t->done.epoch, threads, x));
    if (is_cpu)
        return LT_OK;
    return lt_session_write(p->session, p->x, x, lt_shape_size(lt_node_shape(p->x)));
}

static int write_scalar(const step_program *p, const lt_node *x, double value)
{
    return lt_session_write(p->session, x, &(float){(float)value}, 1);
}

static int read_scalar(const step_program *p, const lt_node *x, double *value)
{
    float f;
    LT_TRY(lt_session_read(p->session, x, &f, 1));
    *value = (double)f;
    return LT_OK;
}

/* Runs the next step and fills r's loss, rate, distortion, sigma with those of its batch. */
static int run_step(lt_trainer *t, const step_program *p, lt_train_report *r)
{
    r->beta = recipe_beta(t->recipe, t->done.step, t->steps_per_epoch);
    r->learning_rate = recipe_learning_rate(t->recipe, t->done.step, t->steps_per_epoch);
    r->sigma = (double)NAN;
    LT_TRY(gather_batch(t, p));
    if (p->beta)
        LT_TRY(write_scalar(p, p->beta, r->beta));
    if (p->capacity)
        LT_TRY(write_scalar(p, p->capacity,
                            recipe_capacity(t->recipe, t->done.step, t->steps_per_epoch)));
    LT_TRY(write_scalar(p, p->learning_rate, r->learning_rate));
    LT_TRY(write_scalar(p, p->t, (double)(t->done.step + 1)));
    lt_run_key key = {.seed = t->seed, .step = (uint64_t)t->done.step};
    LT_TRY(lt_session_run(p->session, &key));
    LT_TRY(read_scalar(p, p->loss, &r->loss));
    LT_TRY(read_scalar(p, p->rate, &r->rate));
    LT_TRY(read_scalar(p, p->distortion, &r->distortion));
    if (p->sigma)
        LT_TRY(read_scalar(p, p->sigma, &r->sigma));
    if (!isfinite(r->loss))
        return status_fail(LT_VALUE,
                           "step %lld: the loss is %g (distortion %g, rate %g); a smaller learning "
                           "rate, or clip_norm, may help",
                           (long long)t->done.step + 1, r->loss, r->distortion, r->rate);
    return LT_OK;
}

/* Counts a step whose values are in r, and puts the averages there instead. */
static void count_step(lt_trainer *t, int n, double seconds, lt_train_report *r)
{
    train_counters *c = &t->done;
    c->step++;
    c->images += n;
    c->loss += r->loss * n;
    c->rate += r->rate * n;
    c->distortion += r->distortion * n;
    t->seconds += seconds;
    t->images_timed += n;

    double seen = (double)c->images;
    r->step = c->step;
    r->epoch = c->epoch + 1;
    r->images = c->images;
    r->images_in_epoch = t->images;
    r->batch = n;
    r->loss = c->loss / seen;
    r->rate = c->rate / seen;
    r->distortion = c->distortion / seen;
    r->seconds = t->seconds;
    r->images_timed = t->images_timed;
    if (c->images == t->images) {
        *c = (train_counters){.step = c->step, .epoch = c->epoch + 1};
        t->seconds = 0;
        t->images_timed = 0;
    }
}

int lt_trainer_step(lt_trainer *t, lt_train_report *r)
{
    double began = seconds_now();
    lt_train_report report;
    const step_program *p = t->images - t->done.images >= t->batch ? &t->full : &t->rest;
    LT_TRY(run_step(t, p, &report));
    count_step(t, p->n, seconds_now() - began, &report);
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
        bool goes_on = !on_step || on_step(user, &report);
        if (r)
            *r = report;
        if (t->done.epoch > epoch)
            return LT_OK;
        if (!goes_on)
            return status_fail(LT_INTERRUPTED, "training was stopped after step %lld",
                               (long long)report.step);
    }
}
