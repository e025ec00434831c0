/* SPDX-License-Identifier: MIT */
/* Checks of weight updates: every optimizer over several steps against its published rule in plain C,
   clipping, the EMA of the weights, every schedule at steps with known factors, every initializer by bounds and
   moments. */
#include "verify/checks.h"

#include "base/memory.h"
#include "base/status.h"
#include "models/kind.h"
#include "nn/schedules.h"
#include "nn/init.h"
#include "nn/optimizers.h"
#include "verify/plain_math.h"

#include <latent/train.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Rules, of one weight: step t from 1, gradient g; the state starts at 0 ---- */

typedef struct numbers {
    double lr, beta1, beta2, eps, decay, momentum, nesterov;
} numbers;

typedef struct weight {
    double w, a, b; /* and the state of the rule */
} weight;

typedef void rule(weight *x, double g, int t, const numbers *n);

/* Kingma and Ba 2015, algorithm 1 */
static void adam(weight *x, double g, int t, const numbers *n)
{
    x->a = n->beta1 * x->a + (1 - n->beta1) * g;
    x->b = n->beta2 * x->b + (1 - n->beta2) * g * g;
    double m = x->a / (1 - pow(n->beta1, t)), v = x->b / (1 - pow(n->beta2, t));
    x->w -= n->lr * m / (sqrt(v) + n->eps);
}

/* Loshchilov and Hutter 2019, algorithm 2 */
static void adamw(weight *x, double g, int t, const numbers *n)
{
    double before = x->w;
    adam(x, g, t, n);
    x->w -= n->lr * n->decay * before;
}

/* Sutskever et al. 2013 as PyTorch has it; L2 decay is in the gradient */
static void sgd(weight *x, double g, int t, const numbers *n)
{
    (void)t;
    g += n->decay * x->w;
    x->a = n->momentum * x->a + g;
    x->w -= n->lr * (n->nesterov > 0 ? g + n->momentum * x->a : x->a);
}

/* Hinton's lecture 6e, with PyTorch's eps beside the root */
static void rmsprop(weight *x, double g, int t, const numbers *n)
{
    (void)t;
    x->a = n->beta2 * x->a + (1 - n->beta2) * g * g;
    x->b = n->momentum * x->b + g / (sqrt(x->a) + n->eps);
    x->w -= n->lr * x->b;
}

typedef struct optimizer_truth {
    const char *line;
    rule *step;
    numbers n;
} optimizer_truth;

static const optimizer_truth optimizers[] = {
    {"adam", adam, {1e-3, 0.9, 0.999, 1e-8, 0, 0, 0}},
    {"adam lr=0.05 beta1=0.5 beta2=0.9 eps=0.01", adam, {0.05, 0.5, 0.9, 0.01, 0, 0, 0}},
    {"adam lr=0.05 beta1=0 beta2=0.99", adam, {0.05, 0, 0.99, 1e-8, 0, 0, 0}},
    {"adamw", adamw, {1e-3, 0.9, 0.999, 1e-8, 0.01, 0, 0}},
    {"adamw lr=0.05 beta1=0.5 beta2=0.9 eps=0.01 weight_decay=0.3", adamw,
     {0.05, 0.5, 0.9, 0.01, 0.3, 0, 0}},
    {"sgd", sgd, {1e-2, 0, 0, 0, 0, 0, 0}},
    {"sgd lr=0.1 weight_decay=0.2", sgd, {0.1, 0, 0, 0, 0.2, 0, 0}},
    {"sgd lr=0.1 momentum=0.8 weight_decay=0.2", sgd, {0.1, 0, 0, 0, 0.2, 0.8, 0}},
    {"sgd lr=0.1 momentum=0.8 weight_decay=0.2 nesterov=yes", sgd, {0.1, 0, 0, 0, 0.2, 0.8, 1}},
    {"rmsprop", rmsprop, {1e-2, 0, 0.99, 1e-8, 0, 0, 0}},
    {"rmsprop lr=0.05 alpha=0.7 eps=0.01", rmsprop, {0.05, 0, 0.7, 0.01, 0, 0, 0}},
    {"rmsprop lr=0.05 alpha=0.7 eps=0.01 momentum=0.6", rmsprop, {0.05, 0, 0.7, 0.01, 0, 0.6, 0}},
};

enum { WEIGHTS = 3, STEPS = 6 };

/* Something that changes sign and size. */
static double gradient_at(int i, int t) { return (i + 1) * cos(1.7 * t + i) + 0.2; }

static int step_once(const spec *s, int t, double lr, double *w, double state[][WEIGHTS])
{
    double g[WEIGHTS];
    for (int i = 0; i < WEIGHTS; i++)
        g[i] = gradient_at(i, t);
    lt_graph *graph = lt_graph_create();
    lt_shape shape = lt_shape_1d(WEIGHTS);
    const optimizer *o = optimizer_of(s);
    optimizer_input in = {.w = lt_constant(graph, shape, w), .g = lt_constant(graph, shape, g),
                          .lr = lt_scalar(graph, lr), .t = lt_scalar(graph, t),
                          .options = s->options};
    optimizer_output out = {.w = NULL};
    int n = o->states(s->options);
    for (int k = 0; k < n; k++)
        in.state[k] = lt_constant(graph, shape, state[k]);
    o->step(&in, &out);
    numbers_target all[1 + OPTIMIZER_STATES] = {{out.w, w}};
    for (int k = 0; k < n; k++)
        all[1 + k] = (numbers_target){out.state[k], state[k]};
    return numbers_read_all(graph, NULL, all, 1 + n);
}

static int check_rule(const optimizer_truth *t)
{
    double w[WEIGHTS] = {1, -0.5, 2}, state[OPTIMIZER_STATES][WEIGHTS] = {{0}}, want[WEIGHTS];
    weight x[WEIGHTS] = {{1, 0, 0}, {-0.5, 0, 0}, {2, 0, 0}};
    spec s;
    LT_TRY(spec_parse(&optimizer_table, t->line, &s));
    double lr = ((const optimizer_options *)s.options)->lr;
    int status = check_near("learning rate", lr, t->n.lr, 0);
    for (int step = 1; status == LT_OK && step <= STEPS; step++) {
        status = step_once(&s, step, lr, w, state);
        for (int i = 0; i < WEIGHTS; i++) {
            t->step(&x[i], gradient_at(i, step), step, &t->n);
            want[i] = x[i].w;
        }
        if (status == LT_OK)
            status = check_all_near(t->line, WEIGHTS, w, want, 1e-12, NULL);
    }
    spec_clear(&s);
    return status;
}

static bool is_of(const char *line, const char *name)
{
    size_t n = strlen(name);
    return strncmp(line, name, n) == 0 && (line[n] == ' ' || !line[n]);
}

static int run_optimizer(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    int n = 0;
    (void)r;
    for (int i = 0; i < COUNT_OF(optimizers); i++)
        if (is_of(optimizers[i].line, about)) {
            LT_TRY(check_rule(&optimizers[i]));
            n++;
        }
    if (n == 0)
        return check_fail_unknown(about);
    snprintf(told, CHECK_TEXT_SIZE, "%d steps of %d weights as by hand, with %d sets of options",
             STEPS, WEIGHTS, n);
    return LT_OK;
}

/* ---- Clipping: to the norm, or nothing ---- */

static int run_clip(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    static const double g[] = {3, -4, 12}; /* norm 13 */
    (void)r, (void)about;
    for (int k = 0; k < 2; k++) {
        double found[3], want[3], norm = k ? 20 : 2.6;
        lt_graph *graph = lt_graph_create();
        LT_TRY(numbers_read(graph, gradient_clip(lt_constant(graph, lt_shape_1d(3), g), norm), found,
                            3));
        for (int i = 0; i < 3; i++)
            want[i] = g[i] * fmin(1, norm / (13 + 1e-6));
        LT_TRY(check_all_near("clipped gradient", 3, found, want, 1e-12, NULL));
    }
    snprintf(told, CHECK_TEXT_SIZE, "a norm of 13 at most 2.6, and at most 20");
    return LT_OK;
}

/* ---- The average of the weights: with the decay d, step k from 0, the average keeps the part
   min(d, (1 + k) / (10 + k)) of itself ---- */

static const char average_recipe[] = "data: {set: synthetic}\n"
                                     "model:\n"
                                     "  latent: 2\n"
                                     "  likelihood: bernoulli\n"
                                     "  encoder: [linear 5, tanh]\n"
                                     "  decoder: [linear image]\n"
                                     "optimizer: sgd lr=1e-3\n"
                                     "train: {epochs: 2, batch: 10, ema_decay: 0.2}\n";

static int follow_average(lt_model *m, lt_trainer *t)
{
    const lt_params *p = lt_model_params(m);
    int64_t n = lt_params_extent(p);
    double *average = must_alloc(sizeof *average * (size_t)n), found, want;
    int status = LT_OK;
    for (int64_t i = 0; i < n; i++)
        average[i] = (double)lt_params_block(lt_model_params(m))[i];
    for (int k = 0; status == LT_OK && k < 4; k++) {
        lt_train_report report;
        status = lt_trainer_step(t, &report);
        double kept = fmin(0.2, (1. + k) / (10. + k));
        for (int64_t i = 0; status == LT_OK && i < n; i++) {
            average[i] = kept * average[i] + (1 - kept) * (double)lt_params_block(lt_model_params(m))[i];
            found = (double)model_ema(m)[i];
            want = average[i];
            status = check_near("average", found, want, 1e-6);
        }
    }
    free(average);
    return status;
}

static int run_average(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    (void)r, (void)about;
    lt_recipe *recipe = lt_recipe_parse("average", average_recipe, NULL, 0);
    lt_model *m = recipe ? lt_model_create(recipe, (lt_image_size){4, 4, 1}) : NULL;
    lt_dataset *data = NULL;
    lt_recipe_free(recipe);
    int status = m ? lt_dataset_synthetic(100, 4, 4, 1, NULL, &data) : LT_FORMAT;
    lt_trainer *t = status == LT_OK
                        ? lt_trainer_create(m, data, &(lt_trainer_options){.run.threads = 1})
                        : NULL;
    if (status == LT_OK)
        status = t ? follow_average(m, t) : LT_VALUE;
    lt_trainer_free(t);
    lt_model_free(m);
    lt_dataset_free(data);
    snprintf(told, CHECK_TEXT_SIZE, "that of every weight over 4 steps");
    return status;
}

bool check_optimizer_rows(check_run *r, const spec_table *table)
{
    return checks_report_table(r, "optimizers", table, run_optimizer);
}

void check_optimizers(check_run *r)
{
    static const check_row others[] = {{"clip_norm", run_clip, NULL},
                                       {"average of weights", run_average, NULL}};
    if (check_optimizer_rows(r, &optimizer_table))
        checks_report(r, "optimizers", others, COUNT_OF(others));
}

/* ---- Schedules: 10 steps an epoch, 20 epochs ---- */

typedef struct schedule_truth {
    const char *line;
    int64_t step;
    double factor;
} schedule_truth;

static const schedule_truth schedules[] = {
    {"constant", 0, 1}, {"constant", 150, 1},
    /* epoch e, from 1: e / 5; by steps (step + 1) / 50 */
    {"linear epochs=5", 0, 0.2}, {"linear epochs=5", 9, 0.2}, {"linear epochs=5", 10, 0.4},
    {"linear epochs=5", 49, 1}, {"linear epochs=5", 120, 1},
    {"linear epochs=5 free=2", 15, 0}, {"linear epochs=5 free=2", 20, 0.2},
    {"linear epochs=5 free=2", 69, 1}, {"linear epochs=4", 25, 0.75},
    {"linear epochs=5 per=step", 0, 0.02}, {"linear epochs=5 per=step", 9, 0.2},
    {"linear epochs=5 per=step", 30, 0.62}, {"linear epochs=5 free=2 per=step", 24, 0.1},
    {"linear", 30, 0.4},
    /* a climb over the first half of each period of 4 epochs */
    {"cyclical period=4", 0, 0}, {"cyclical period=4", 10, 0.5}, {"cyclical period=4", 15, 0.75},
    {"cyclical period=4", 25, 1}, {"cyclical period=4", 39, 1}, {"cyclical period=4", 40, 0},
    {"cyclical period=4", 45, 0.25}, {"cyclical period=4 ratio=0.25", 5, 0.5},
    {"cyclical period=4 per=epoch", 9, 0}, {"cyclical period=4 per=epoch", 15, 0.5},
    {"cyclical", 25, 0.5},
    /* floor + (1 - floor) (1 + cos(pi done)) / 2 */
    {"cosine", 0, 1}, {"cosine", 100, 0.5}, {"cosine", 200, 0}, {"cosine", 50, 0.853553390593273762},
    {"cosine floor=0.2", 0, 1}, {"cosine floor=0.2", 100, 0.6}, {"cosine floor=0.2", 200, 0.2},
    {"cosine", 150, 0.146446609406726238},
    /* stages of 1, 3, 9 epochs */
    {"burda stages=3", 0, 1}, {"burda stages=3", 9, 1}, {"burda stages=3", 10, 0.316227766016837933},
    {"burda stages=3", 39, 0.316227766016837933}, {"burda stages=3", 40, 0.1},
    {"burda stages=3", 190, 0.1}, {"burda", 15, 0.719685673001151883},
    {"burda", 40, 0.517947467923121115}, {"burda stages=1", 100, 1},
    {"step every=3", 0, 1}, {"step every=3", 29, 1}, {"step every=3", 30, 0.1},
    {"step every=3", 60, 0.01}, {"step every=3 factor=0.5", 95, 0.125}, {"step", 150, 0.1},
};

static int check_factor(const schedule_truth *t)
{
    spec s;
    LT_TRY(spec_parse(&schedule_table, t->line, &s));
    char what[96];
    snprintf(what, sizeof what, "%s at step %d", t->line, (int)t->step);
    double found = schedule_factor(&s, &(schedule_clock){t->step, 10, 20});
    spec_clear(&s);
    return check_near(what, found, t->factor, 1e-12);
}

static int run_schedule(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    int n = 0;
    (void)r;
    for (int i = 0; i < COUNT_OF(schedules); i++)
        if (is_of(schedules[i].line, about)) {
            LT_TRY(check_factor(&schedules[i]));
            n++;
        }
    if (n == 0)
        return check_fail_unknown(about);
    snprintf(told, CHECK_TEXT_SIZE, "factors at %d steps", n);
    return LT_OK;
}

/* Factors of a recipe's numbers. */
static int run_numbers(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    static const char words[] =
        "data: {set: synthetic}\n"
        "model: {latent: 2, likelihood: bernoulli, encoder: [], decoder: [linear image]}\n"
        "objective: {beta: 4, schedule: linear epochs=5, capacity: 30,\n"
        "            capacity_schedule: linear epochs=10}\n"
        "optimizer: adam lr=0.01\n"
        "learning_rate_schedule: step every=3\n"
        "train: {epochs: 20}\n";
    lt_recipe *recipe = lt_recipe_parse("numbers", words, NULL, 0);
    (void)r, (void)about;
    if (!recipe)
        return LT_FORMAT;
    double beta = recipe_beta(recipe, 10, 10), capacity = recipe_capacity(recipe, 10, 10),
           rate = recipe_learning_rate(recipe, &recipe->optimizer, 30, 10);
    lt_recipe_free(recipe);
    LT_TRY(check_near("beta", beta, 1.6, 1e-12));
    LT_TRY(check_near("capacity", capacity, 6, 1e-12));
    LT_TRY(check_near("learning rate", rate, 1e-3, 1e-15));
    snprintf(told, CHECK_TEXT_SIZE, "beta, capacity and learning rate times their schedules");
    return LT_OK;
}

bool check_schedule_rows(check_run *r, const spec_table *table)
{
    return checks_report_table(r, "schedules", table, run_schedule);
}

void check_schedules(check_run *r)
{
    if (check_schedule_rows(r, &schedule_table))
        checks_report(r, "schedules", &(check_row){"numbers of a recipe", run_numbers, NULL}, 1);
}

/* ---- Initializers ---- */

enum { FAN_IN = 20, FAN_OUT = 30, DRAWN = 40000 };

typedef struct init_truth {
    const char *line;
    double bound;    /* uniform in (-bound, bound); 0: not */
    double variance; /* of a normal; 0: not */
    double constant;
} init_truth;

static const init_truth inits[] = {
    {"pytorch", 0.223606797749978970, 0, 0},         /* 1 / sqrt(20) */
    {"kaiming_uniform", 0.547722557505166113, 0, 0}, /* sqrt(6 / 20) */
    {"kaiming_normal", 0, 0.1, 0},                   /* 2 / 20 */
    {"xavier_uniform", 0.346410161513775459, 0, 0},  /* sqrt(6 / 50) */
    {"xavier_normal", 0, 0.04, 0},                   /* 2 / 50 */
    {"normal 0.3", 0, 0.09, 0},
    {"constant 0.7", 0, 0, 0.7},
    {"zeros", 0, 0, 0},
    {"ones", 0, 0, 1},
};

/* Moments 1, 2 and 4 divided by powers of the variance: 0, 1, and 9/5 or 3. */
static int check_moments(const float *x, double variance, double fourth)
{
    double sum = 0, square = 0, power = 0;
    for (int i = 0; i < DRAWN; i++) {
        double v = (double)x[i];
        sum += v / DRAWN;
        square += v * v / DRAWN;
        power += v * v * v * v / DRAWN;
    }
    LT_TRY(check_near("mean", sum, 0, 4 * sqrt(variance / DRAWN)));
    LT_TRY(check_near("variance", square, variance, 4 * variance * sqrt((fourth - 1) / DRAWN)));
    return check_near("fourth moment", power / (variance * variance), fourth, 0.05 * fourth);
}

static int check_init(const init_truth *t, const float *x)
{
    double largest = -HUGE_VAL, smallest = HUGE_VAL;
    for (int i = 0; i < DRAWN; i++) {
        largest = fmax(largest, (double)x[i]);
        smallest = fmin(smallest, (double)x[i]);
    }
    if (t->bound > 0) {
        LT_TRY(check_near("largest", largest, t->bound * 0.999, t->bound * 1.001e-3));
        LT_TRY(check_near("smallest", smallest, -t->bound * 0.999, t->bound * 1.001e-3));
        return check_moments(x, t->bound * t->bound / 3, 1.8);
    }
    if (t->variance > 0)
        return check_moments(x, t->variance, 3);
    LT_TRY(check_near("largest", largest, t->constant, 1e-7));
    return check_near("smallest", smallest, t->constant, 1e-7);
}

static int run_init(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    const init_truth *t = NULL;
    (void)r;
    for (int i = 0; i < COUNT_OF(inits); i++)
        if (is_of(inits[i].line, about))
            t = &inits[i];
    if (!t)
        return check_fail_unknown(about);
    lt_init init;
    LT_TRY(init_parse(t->line, &init));
    init.fan_in = FAN_IN;
    init.fan_out = FAN_OUT;
    float *x = must_alloc(sizeof *x * DRAWN);
    init_fill(&init, "layer.weight", 1, DRAWN, x);
    int status = check_init(t, x);
    bool is_pytorch = strcmp(t->line, "pytorch") == 0;
    init_fill(&(lt_init){.kind = init_of_bias(init).kind, .fan_in = FAN_IN, .fan_out = FAN_OUT},
              "layer.bias", 1, DRAWN, x);
    if (status == LT_OK)
        status = check_init(is_pytorch ? t : &(init_truth){"zeros", 0, 0, 0}, x);
    free(x);
    snprintf(told, CHECK_TEXT_SIZE, "bounds and moments of %d numbers with %d in, %d out", DRAWN,
             FAN_IN, FAN_OUT);
    return status;
}

bool check_initializer_rows(check_run *r, const spec_table *table)
{
    return checks_report_table(r, "initializers", table, run_init);
}

void check_initializers(check_run *r)
{
    check_initializer_rows(r, &initializer_table);
}
