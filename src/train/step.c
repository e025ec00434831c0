/* SPDX-License-Identifier: MIT */
/* A phase of training as a compiled program: forward, backward, update. All programs of a trainer share the
   same blocks. */
#include "train/trainer.h"

#include "base/memory.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

/* ---- Building ---- */

enum {
    MAX_TARGETS = 1 + LT_METRICS + 6 + 2 + OPTIMIZER_STATES + 2,
};

typedef struct target_list {
    lt_node *list[MAX_TARGETS];
    int n;
} target_list;

/* Nullable: node. */
static void add_target(target_list *l, lt_node *node)
{
    if (!node)
        return;
    LT_ASSERT(l->n < MAX_TARGETS);
    l->list[l->n++] = node;
}

static lt_node *scalar_input(step_program *p, const char *name)
{
    return lt_input(p->graph, name, lt_shape_0d());
}

/* The variables of an update; the session binds them to blocks. */
typedef struct update {
    lt_node *state[OPTIMIZER_STATES], *average;
} update;

/* Assigns the new parameters, optimizer state and average. */
static void add_update(const lt_trainer *t, const trainer_phase *f, step_program *p, update *u,
                       target_list *l)
{
    const lt_recipe *r = t->recipe;
    double clip = f->row->clip ? f->row->clip(r) : 0;
    optimizer_input in = {.w = lt_params_variable(f->params, p->graph),
                          .g = lt_params_gradient(f->params, p->loss),
                          .lr = p->learning_rate,
                          .t = p->t,
                          .options = f->optimizer_spec->options};
    optimizer_output out = {.w = NULL};
    if (r->train.clip_norm > 0)
        in.g = gradient_clip(in.g, r->train.clip_norm);
    for (int i = 0; i < f->n_states; i++)
        u->state[i] = in.state[i] =
            lt_variable(p->graph, f->optimizer->state[i], lt_node_shape(in.w));
    f->optimizer->step(&in, &out);
    if (clip > 0)
        out.w = lt_clamp(out.w, -clip, clip);
    add_target(l, lt_assign(in.w, out.w));
    for (int i = 0; i < f->n_states; i++)
        add_target(l, lt_assign(in.state[i], out.state[i]));
    if (f->average) {
        u->average = lt_variable(p->graph, "average", lt_node_shape(in.w));
        add_target(l, lt_assign(u->average, lt_lerp(u->average, out.w, p->mix)));
    }
}

static int bind_update(const lt_trainer *t, const trainer_phase *f, const step_program *p,
                       const update *u)
{
    for (int i = 0; i < f->n_states; i++)
        LT_TRY(lt_session_bind(p->session, u->state[i], f->state[i], 0));
    if (u->average)
        LT_TRY(lt_session_bind(p->session, u->average, f->average, 0));
    return lt_model_bind(t->model, p->graph, p->session, LT_TRAINING);
}

static int compile_step(const lt_trainer *t, step_program *p, const target_list *l)
{
    lt_session_options o = {.executor = t->options.run.executor, .threads = t->options.run.threads,
                            .profile = t->options.profile};
    return lt_session_open(p->graph, l->list, l->n, &o, &p->session);
}

int step_build(lt_trainer *t, int i, step_program *p, int n)
{
    const trainer_phase *f = &t->phases[i];
    lt_image_size s = lt_model_image_size(t->model);
    lt_params *sets[] = {lt_model_params(t->model), lt_model_discriminator(t->model)};
    lt_graph *g = p->graph = lt_graph_create();
    target_list l = {.n = 0};
    update u = {.average = NULL};
    phase_terms terms;
    p->n = n;
    lt_node *x = lt_input(g, "x", lt_shape_4d(n, s.h, s.w, s.c));
    p->x = i == 0 ? x : NULL;
    p->labels = t->labels ? lt_input(g, "labels", lt_shape_1d(n)) : NULL;
    p->learning_rate = scalar_input(p, "learning_rate");
    p->t = scalar_input(p, "step");
    p->mix = f->average ? scalar_input(p, "mix") : NULL;
    LT_TRY(model_build_phase(t->model, g, i, x, p->labels, &terms));
    p->beta = terms.beta;
    p->capacity = terms.capacity;
    p->loss = terms.loss;

    /* inputs are targets, so that they exist even if nothing reads them */
    lt_node *inputs[] = {p->loss, p->x, p->labels, p->learning_rate, p->t, p->mix};
    for (int k = 0; k < COUNT_OF(inputs); k++)
        add_target(&l, inputs[k]);
    for (int k = 0; k < LT_METRICS; k++)
        add_target(&l, p->metric[k] = terms.metric[k]);
    add_update(t, f, p, &u, &l);
    for (int k = 0; k < COUNT_OF(sets); k++)
        add_target(&l, sets[k] ? lt_params_state_assign(sets[k], g) : NULL);
    LT_TRY(compile_step(t, p, &l));
    return bind_update(t, f, p, &u);
}

void step_free(step_program *p)
{
    lt_session_free(p->session);
    lt_graph_free(p->graph);
}

/* ---- Running ---- */

/* Nullable: x. */
static int write_scalar(const step_program *p, const lt_node *x, double value)
{
    return x ? lt_session_write(p->session, x, &(float){(float)value}, 1) : LT_OK;
}

static int read_scalar(const step_program *p, const lt_node *x, double *value)
{
    float f;
    LT_TRY(lt_session_read(p->session, x, &f, 1));
    *value = (double)f;
    return LT_OK;
}

static int write_labels(const lt_trainer *t, const step_program *p)
{
    if (!p->labels)
        return LT_OK;
    float *labels = must_alloc(sizeof *labels * (size_t)p->n);
    for (int i = 0; i < p->n; i++)
        labels[i] = (float)t->labels[i];
    int status = lt_session_write(p->session, p->labels, labels, p->n);
    free(labels);
    return status;
}

/* The share of the weights in their average in step k, from 0: the average forgets early weights faster. */
static double average_mix(const lt_trainer *t, int64_t k)
{
    double memory = t->recipe->train.ema_decay, early = (1 + (double)k) / (10 + (double)k);
    return 1 - fmin(memory, early);
}

static int check_loss(const lt_trainer *t, int i, const step_program *p, const double *value)
{
    text others = {0};
    double loss;
    LT_TRY(read_scalar(p, p->loss, &loss));
    if (isfinite(loss))
        return LT_OK;
    for (int k = 0; k < t->recipe->n_metrics; k++)
        if (p->metric[k] && p->metric[k] != p->loss)
            text_format(&others, "%s%s %g", others.size ? ", " : " (", t->recipe->metrics[k].name, value[k]);
    int status = status_fail(
        LT_VALUE, "step %lld: the loss%s%s is %g%s%s; try a smaller learning rate, or clip_norm",
        (long long)t->done.step + 1, t->n_phases > 1 ? " of the " : "",
        t->n_phases > 1 ? t->phases[i].row->name : "", loss, text_get(&others),
        others.size ? ")" : "");
    text_clear(&others);
    return status;
}

int step_run(lt_trainer *t, int i, const step_program *p, double value[LT_METRICS])
{
    const trainer_phase *f = &t->phases[i];
    const lt_recipe *r = t->recipe;
    int64_t step = t->done.step, own = step / f->every;
    LT_TRY(write_labels(t, p));
    LT_TRY(write_scalar(p, p->beta, recipe_beta(r, step, t->steps_per_epoch)));
    LT_TRY(write_scalar(p, p->capacity, recipe_capacity(r, step, t->steps_per_epoch)));
    LT_TRY(write_scalar(p, p->learning_rate,
                        recipe_learning_rate(r, f->optimizer_spec, step, t->steps_per_epoch)));
    LT_TRY(write_scalar(p, p->t, (double)(own + 1)));
    LT_TRY(write_scalar(p, p->mix, f->average ? average_mix(t, own) : 0));
    /* each phase of a step has its own key */
    lt_run_key key = {.seed = t->seed, .step = (uint64_t)(step * t->n_phases + i)};
    LT_TRY(lt_session_run(p->session, &key));
    for (int k = 0; k < LT_METRICS; k++)
        if (p->metric[k])
            LT_TRY(read_scalar(p, p->metric[k], &value[k]));
    return check_loss(t, i, p, value);
}
