/* SPDX-License-Identifier: MIT */
/* The update rules, with public operators. Each is what PyTorch's of that name computes. */
#include "train/optimisers.h"

#include "base/status.h"

#include <latent/train.h>

#include <math.h>
#include <string.h>

/* beta x + (1 - beta) y: one pass over a tile */
static lt_node *average(double beta, lt_node *x, lt_node *y)
{
    return lt_lerp(x, y, lt_scalar(lt_node_graph(x), 1 - beta));
}

/* 1 - beta^t: what a moving average from zero has seen by step t. expm1 keeps the digits that the
   difference of two numbers near 1 would lose. */
static lt_node *seen(lt_node *t, double beta)
{
    double rate = fmax(log(beta), -100); /* beta 0: all of it */
    return lt_neg(lt_expm1(lt_scale(t, rate)));
}

/* ---- adam: m, v moving averages of g, g^2; w -= lr mhat / (sqrt(vhat) + eps) ---- */

static void adam_moments(const optimiser_input *in, double beta1, double beta2, double eps,
                         lt_node *w, optimiser_output *out)
{
    lt_node *m = average(beta1, in->state[0], in->g);
    lt_node *v = average(beta2, in->state[1], lt_square(in->g));
    lt_node *rate = lt_div(in->lr, seen(in->t, beta1));
    lt_node *scale = lt_rsqrt(seen(in->t, beta2)); /* sqrt(vhat) = scale sqrt(v) */
    lt_node *root = lt_shift(lt_mul(lt_sqrt(v), scale), eps);
    out->w = lt_sub(w, lt_mul(lt_div(m, root), rate));
    out->state[0] = m;
    out->state[1] = v;
}

static void adam_step(const optimiser_input *in, optimiser_output *out)
{
    const adam_options *o = in->options;
    adam_moments(in, o->beta1, o->beta2, o->eps, in->w, out);
}

static int adam_states(const void *options)
{
    (void)options;
    return 2;
}

static const optimiser optimiser_adam = {
    .name = "adam", .state = {"m", "v"}, .states = adam_states, .step = adam_step};

/* ---- adamw: the weights shrink by lr weight_decay of themselves, beside adam's step ---- */

static void adamw_step(const optimiser_input *in, optimiser_output *out)
{
    const adamw_options *o = in->options;
    lt_node *kept = lt_shift(lt_scale(in->lr, -o->weight_decay), 1);
    adam_moments(in, o->beta1, o->beta2, o->eps, lt_mul(in->w, kept), out);
}

static const optimiser optimiser_adamw = {
    .name = "adamw", .state = {"m", "v"}, .states = adam_states, .step = adamw_step};

/* ---- sgd: u = momentum u + g; w -= lr u, or lr (g + momentum u) ---- */

static void sgd_step(const optimiser_input *in, optimiser_output *out)
{
    const sgd_options *o = in->options;
    lt_node *g = in->g;
    if (o->weight_decay > 0)
        g = lt_add(g, lt_scale(in->w, o->weight_decay));
    if (o->momentum > 0) {
        lt_node *u = out->state[0] = lt_add(lt_scale(in->state[0], o->momentum), g);
        g = o->nesterov ? lt_add(g, lt_scale(u, o->momentum)) : u;
    }
    out->w = lt_sub(in->w, lt_mul(g, in->lr));
}

static int sgd_states(const void *options)
{
    return ((const sgd_options *)options)->momentum > 0 ? 1 : 0;
}

static const optimiser optimiser_sgd = {
    .name = "sgd", .state = {"momentum"}, .states = sgd_states, .step = sgd_step};

/* ---- rmsprop: v moving average of g^2; u = momentum u + g / (sqrt(v) + eps); w -= lr u ---- */

static void rmsprop_step(const optimiser_input *in, optimiser_output *out)
{
    const rmsprop_options *o = in->options;
    lt_node *v = average(o->alpha, in->state[0], lt_square(in->g));
    lt_node *u = lt_div(in->g, lt_shift(lt_sqrt(v), o->eps));
    out->state[0] = v;
    if (o->momentum > 0)
        u = out->state[1] = lt_add(lt_scale(in->state[1], o->momentum), u);
    out->w = lt_sub(in->w, lt_mul(u, in->lr));
}

static int rmsprop_states(const void *options)
{
    return ((const rmsprop_options *)options)->momentum > 0 ? 2 : 1;
}

static const optimiser optimiser_rmsprop = {
    .name = "rmsprop", .state = {"v", "momentum"}, .states = rmsprop_states, .step = rmsprop_step};

/* ---- The table ---- */

const optimiser *optimiser_find(const char *name)
{
    static const optimiser *const table[] = {&optimiser_adam, &optimiser_adamw, &optimiser_sgd,
                                             &optimiser_rmsprop};
    for (int i = 0; i < COUNT_OF(table); i++)
        if (strcmp(table[i]->name, name) == 0)
            return table[i];
    LT_ASSERT(!"an optimiser of optimiser_table without a step");
    return NULL;
}

/* ---- Clipping ---- */

lt_node *gradient_clip(lt_node *g, double norm)
{
    lt_graph *graph = lt_node_graph(g);
    lt_node *length = lt_sqrt(lt_sum(lt_square(g)));
    lt_node *factor = lt_div(lt_scalar(graph, norm), lt_shift(length, 1e-6));
    return lt_mul(g, lt_min(factor, lt_scalar(graph, 1)));
}

/* ---- In a graph of the caller's ---- */

_Static_assert(LT_OPTIMISER_TARGETS == 2 + OPTIMISER_STATES, "parameters, step, state");

static int build_targets(const spec *s, const lt_params *p, lt_node *loss, lt_node **targets)
{
    lt_graph *g = lt_node_graph(loss);
    const optimiser *o = optimiser_find(s->row->name);
    int states = o->states(s->options), n = 0;
    lt_node *t = lt_variable(g, "step", lt_shape_0d()), *next = lt_shift(t, 1);
    optimiser_input in = {.w = lt_params_variable(p, g),
                          .g = lt_params_gradient(p, loss),
                          .lr = lt_scalar(g, ((const optimiser_options *)s->options)->lr),
                          .t = next,
                          .options = s->options};
    optimiser_output out = {.w = NULL};
    for (int i = 0; i < states; i++)
        in.state[i] = lt_variable(g, o->state[i], lt_node_shape(in.w));
    o->step(&in, &out);
    targets[n++] = lt_assign(t, next);
    targets[n++] = lt_assign(in.w, out.w);
    for (int i = 0; i < states; i++)
        targets[n++] = lt_assign(in.state[i], out.state[i]);
    return n;
}

int lt_optimiser_build(const char *words, const lt_params *p, lt_node *loss,
                       lt_node *targets[LT_OPTIMISER_TARGETS])
{
    spec s;
    if (spec_parse(&optimiser_table, words, &s) != LT_OK)
        return 0;
    int n = build_targets(&s, p, loss, targets);
    spec_clear(&s);
    return n;
}
