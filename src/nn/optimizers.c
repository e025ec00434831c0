/* SPDX-License-Identifier: MIT */
/* Update rules, built with public operators. Each computes what PyTorch's optimizer of that name does. */
#include "nn/optimizers.h"

#include "base/status.h"

#include <math.h>

#define NEARLY_ONE 0.9999999

/* An option in the field of that name. */
#define REAL(TYPE, NAME, FALLBACK, MAX, HELP)                                                      \
    {.name = #NAME, .kind = LT_KIND_REAL, .offset = offsetof(TYPE, NAME), .fallback = (FALLBACK),  \
     .max = (MAX), .help = (HELP)}
#define RATE(FALLBACK)                                                                             \
    {.name = "lr", .kind = LT_KIND_REAL, .offset = offsetof(optimizer_options, lr),                \
     .fallback = (FALLBACK), .max = 1e3, .positional = true, .help = "learning rate"}

/* beta x + (1 - beta) y: one pass over a tile */
static lt_node *average(double beta, lt_node *x, lt_node *y)
{
    return lt_lerp(x, y, lt_scalar(lt_node_graph(x), 1 - beta));
}

/* 1 - beta^t, Adam's bias correction at step t; expm1 avoids cancellation. */
static lt_node *bias_correction(lt_node *t, double beta)
{
    double rate = fmax(log(beta), -100); /* beta 0: correction 1 */
    return lt_neg(lt_expm1(lt_scale(t, rate)));
}

/* ---- adam: m, v moving averages of g, g^2; w -= lr mhat / (sqrt(vhat) + eps) ---- */

typedef struct adam_options {
    optimizer_options base;
    double beta1, beta2, eps;
    double weight_decay; /* adamw; else 0 */
} adam_options;

#define ADAM_ROWS                                                                                  \
    RATE(1e-3), REAL(adam_options, beta1, 0.9, NEARLY_ONE, "decay of the mean gradient"),         \
        REAL(adam_options, beta2, 0.999, NEARLY_ONE, "decay of the mean squared gradient"),       \
        REAL(adam_options, eps, 1e-8, 1, "added to the square root in the denominator")

static const lt_option adam_rows[] = {ADAM_ROWS, {0}};

static void adam_update(const optimizer_input *in, lt_node *w, optimizer_output *out)
{
    const adam_options *o = in->options;
    lt_node *m = average(o->beta1, in->state[0], in->g);
    lt_node *v = average(o->beta2, in->state[1], lt_square(in->g));
    lt_node *rate = lt_div(in->lr, bias_correction(in->t, o->beta1));
    lt_node *scale = lt_rsqrt(bias_correction(in->t, o->beta2)); /* sqrt(vhat) = scale sqrt(v) */
    lt_node *root = lt_shift(lt_mul(lt_sqrt(v), scale), o->eps);
    out->w = lt_sub(w, lt_mul(lt_div(m, root), rate));
    out->state[0] = m;
    out->state[1] = v;
}

static void adam_step(const optimizer_input *in, optimizer_output *out) { adam_update(in, in->w, out); }

static int adam_states(const void *options)
{
    (void)options;
    return 2;
}

static const optimizer adam = {
    .spec = {.name = "adam", .summary = "Kingma and Ba 2015", .options = adam_rows, .size = sizeof(adam_options)},
    .state = {"m", "v"}, .states = adam_states, .step = adam_step};

/* ---- adamw: w -= lr weight_decay w, in addition to adam's step ---- */

static const lt_option adamw_rows[] = {
    ADAM_ROWS, REAL(adam_options, weight_decay, 0.01, 1e3, "each step subtracts lr weight_decay w from w"), {0}};

static void adamw_step(const optimizer_input *in, optimizer_output *out)
{
    const adam_options *o = in->options;
    lt_node *kept = lt_shift(lt_scale(in->lr, -o->weight_decay), 1);
    adam_update(in, lt_mul(in->w, kept), out);
}

static const optimizer adamw = {
    .spec = {.name = "adamw", .summary = "adam with decoupled weight decay", .options = adamw_rows,
             .size = sizeof(adam_options)},
    .state = {"m", "v"}, .states = adam_states, .step = adamw_step};

/* ---- sgd: u = momentum u + g; w -= lr u, or lr (g + momentum u) ---- */

typedef struct sgd_options {
    optimizer_options base;
    double momentum, weight_decay;
    bool nesterov;
} sgd_options;

static const lt_option sgd_rows[] = {
    RATE(1e-2),
    REAL(sgd_options, momentum, 0, NEARLY_ONE, "fraction of the previous step that is added"),
    {.name = "nesterov", .kind = LT_KIND_BOOL, .offset = offsetof(sgd_options, nesterov),
     .help = "Nesterov momentum"},
    REAL(sgd_options, weight_decay, 0, 1e3, "adds weight_decay w to the gradient"),
    {0}};

static void sgd_step(const optimizer_input *in, optimizer_output *out)
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

static const optimizer sgd = {
    .spec = {.name = "sgd", .summary = "stochastic gradient descent, with optional momentum", .options = sgd_rows,
             .size = sizeof(sgd_options)},
    .state = {"momentum"}, .states = sgd_states, .step = sgd_step};

/* ---- rmsprop: v moving average of g^2; u = momentum u + g / (sqrt(v) + eps); w -= lr u ---- */

typedef struct rmsprop_options {
    optimizer_options base;
    double alpha, eps, momentum;
} rmsprop_options;

static const lt_option rmsprop_rows[] = {
    RATE(1e-2),
    REAL(rmsprop_options, alpha, 0.99, NEARLY_ONE, "decay of the mean squared gradient"),
    REAL(rmsprop_options, eps, 1e-8, 1, "added to the square root in the denominator"),
    REAL(rmsprop_options, momentum, 0, NEARLY_ONE, "fraction of the previous step that is added"),
    {0}};

static void rmsprop_step(const optimizer_input *in, optimizer_output *out)
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

static const optimizer rmsprop = {
    .spec = {.name = "rmsprop", .summary = "gradient divided by its root mean square", .options = rmsprop_rows,
             .size = sizeof(rmsprop_options)},
    .state = {"v", "momentum"}, .states = rmsprop_states, .step = rmsprop_step};

/* ---- The table ---- */

static const spec_row *const rows[] = {&adam.spec, &adamw.spec, &sgd.spec, &rmsprop.spec, NULL};

const spec_table optimizer_table = {"optimizer", rows};

/* ---- Clipping ---- */

lt_node *gradient_clip(lt_node *g, double norm)
{
    lt_graph *graph = lt_node_graph(g);
    lt_node *length = lt_sqrt(lt_sum(lt_square(g)));
    lt_node *factor = lt_div(lt_scalar(graph, norm), lt_shift(length, 1e-6));
    return lt_mul(g, lt_min(factor, lt_scalar(graph, 1)));
}

/* ---- In a caller's graph ---- */

static int build_targets(const spec *s, const lt_params *p, lt_node *loss, lt_node **targets)
{
    lt_graph *g = lt_node_graph(loss);
    const optimizer *o = optimizer_of(s);
    int states = o->states(s->options), n = 0;
    lt_node *t = lt_variable(g, "step", lt_shape_0d()), *next = lt_shift(t, 1);
    optimizer_input in = {.w = lt_params_variable(p, g),
                          .g = lt_params_gradient(p, loss),
                          .lr = lt_scalar(g, ((const optimizer_options *)s->options)->lr),
                          .t = next,
                          .options = s->options};
    optimizer_output out = {.w = NULL};
    for (int i = 0; i < states; i++)
        in.state[i] = lt_variable(g, o->state[i], lt_node_shape(in.w));
    o->step(&in, &out);
    targets[n++] = lt_assign(t, next);
    targets[n++] = lt_assign(in.w, out.w);
    for (int i = 0; i < states; i++)
        targets[n++] = lt_assign(in.state[i], out.state[i]);
    return n;
}

int lt_optimizer_build(const char *words, const lt_params *p, lt_node *loss,
                       lt_node *targets[LT_OPTIMIZER_TARGETS])
{
    spec s;
    if (spec_parse(&optimizer_table, words, &s) != LT_OK) {
        lt_graph_fail(lt_node_graph(loss), "%s", lt_last_error());
        return 0;
    }
    int n = build_targets(&s, p, loss, targets);
    spec_clear(&s);
    return n;
}
