/* SPDX-License-Identifier: MIT */
/* The study of divergences. Each critic is a task with its own seed in one thread, so the results do not depend on
   which thread runs it. */
#include <latent/divergence.h>

#include "base/clock.h"
#include "base/estimate.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/threads.h"
#include "exec/run_options.h"
#include "models/penalties.h"
#include "models/toys.h"
#include "nn/optimizers.h"

#include <latent/nn.h>

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNITS = 50, ROUNDS = 32, MAX_STEPS = 10000000, MAX_DRAWS = 1 << 24 };

typedef struct study {
    lt_divergence_options o; /* with all defaults filled in */
    spec p, q, losses[LT_MAX_MEASURES], penalty;
    lt_divergence_row *rows;
    int n;
    atomic_int_fast64_t done, total; /* runs of sessions, of all */
    atomic_bool is_stopped;
    atomic_int status; /* the first that is not LT_OK, and its message */
    char message[512];
} study;

/* ---- The critic: d - 50 - 50 - 1 ---- */

typedef struct critic {
    lt_params *params;
    lt_graph *graph;
} critic;

static lt_node *network(lt_scope *s, lt_node *x, const void *options)
{
    const lt_init he = {.kind = LT_INIT_KAIMING_UNIFORM};
    (void)options;
    x = lt_leaky_relu(lt_linear(s, "0", x, UNITS, .weight_init = he), 0.2);
    x = lt_leaky_relu(lt_linear(s, "1", x, UNITS, .weight_init = he), 0.2);
    return lt_linear(s, "2", x, 1, .weight_init = he); /* n x 1 */
}

static lt_node *ask(void *user, lt_node *x)
{
    const critic *c = user;
    return network(lt_params_visit(c->params, c->graph), x, NULL);
}

static int make_params(const study *s, uint64_t seed, lt_params **params)
{
    *params = lt_params_create();
    return lt_params_declare(*params, network, NULL, lt_shape_2d(1, toy_dims(&s->p)), seed);
}

/* ---- Samples ---- */

typedef struct pair {
    lt_node *real, *fake; /* n x d */
} pair;

static pair draw_pair(const study *s, lt_graph *g, double theta, int64_t n)
{
    const double by[2] = {theta, 0};
    lt_node *moved = lt_constant(g, lt_shape_2d(1, toy_dims(&s->q)), by);
    lt_node *real = toy_draw(&s->p, g, n);
    return (pair){real, lt_add(toy_draw(&s->q, g, n), moved)};
}

static bool is_wasserstein(const spec *loss)
{
    return adversarial_divergence(loss) == DIVERGENCE_WASSERSTEIN;
}

/* ---- Running ---- */

static int open_session(const study *s, const critic *c, lt_node *const *targets, int n, lt_session **out)
{
    const lt_session_options o = {.executor = s->o.run.executor, .threads = 1};
    LT_TRY(lt_session_open(c->graph, targets, n, &o, out));
    return lt_params_bind(c->params, c->graph, *out);
}

/* Runs a session once; worker 0, the caller's thread, reports the progress of all critics. */
static int run_once(study *s, lt_session *r, lt_run_key key, int worker)
{
    LT_TRY(lt_session_run(r, &key));
    int64_t done = atomic_fetch_add(&s->done, 1) + 1;
    if (worker == 0 && !run_continues(&s->o.run, (double)done / (double)atomic_load(&s->total)))
        atomic_store(&s->is_stopped, true);
    if (atomic_load(&s->is_stopped))
        return status_fail(LT_INTERRUPTED, "stopped");
    return LT_OK;
}

/* ---- Training: Adam; the learning rate is constant for half of the steps, then decays linearly to 0 ---- */

static lt_node *falling_rate(const study *s, lt_node *t)
{
    lt_node *left = lt_shift(lt_scale(t, -2. / s->o.steps), 2 + 1. / s->o.steps);
    return lt_scale(lt_clamp(left, 0, 1), s->o.lr);
}

static int build_step(const study *s, const critic *c, lt_node *loss, lt_node **targets)
{
    spec adam;
    LT_TRY(spec_parse(&optimizer_table, "adam beta1=0.5 beta2=0.99", &adam));
    const optimizer *rule = optimizer_of(&adam);
    lt_graph *g = c->graph;
    lt_node *t = lt_variable(g, "step", lt_shape_0d()), *next = lt_shift(t, 1);
    optimizer_input in = {.w = lt_params_variable(c->params, g),
                          .g = lt_params_gradient(c->params, loss), .lr = falling_rate(s, next),
                          .t = next, .options = adam.options};
    optimizer_output out = {.w = NULL};
    for (int i = 0; i < OPTIMIZER_STATES; i++)
        in.state[i] = lt_variable(g, rule->state[i], lt_node_shape(in.w));
    rule->step(&in, &out);
    targets[0] = lt_assign(t, next);
    targets[1] = lt_assign(in.w, out.w);
    for (int i = 0; i < OPTIMIZER_STATES; i++)
        targets[2 + i] = lt_assign(in.state[i], out.state[i]);
    spec_clear(&adam);
    return LT_OK;
}

static int train(study *s, critic *c, const spec *loss, double theta, uint64_t seed, int worker)
{
    lt_node *targets[2 + OPTIMIZER_STATES], *norm = NULL;
    pair x = draw_pair(s, c->graph, theta, s->o.batch);
    lt_node *total = adversarial_discriminator_loss(loss, ask(c, x.real), ask(c, x.fake), 0);
    if (is_wasserstein(loss))
        total = lt_add(total, penalty_build(&s->penalty, x.real, x.fake, NULL, ask, c, &norm));
    LT_TRY(build_step(s, c, total, targets));
    lt_session *r;
    int status = open_session(s, c, targets, COUNT_OF(targets), &r);
    for (int i = 0; status == LT_OK && i < s->o.steps; i++)
        status = run_once(s, r, (lt_run_key){seed, (uint64_t)i}, worker);
    lt_session_free(r);
    return status;
}

/* ---- Estimating: in ROUNDS parts of the fresh samples; the deviation of the parts is the standard error ---- */

/* The terms of the bound on one side, p or q: the largest distances from an approximate center. */
typedef struct side {
    lt_node *terms;
    double center;
    tail tail;
} side;

/* With fewer samples a tail is indistinguishable from noise. */
static bool shows_tail(const study *s)
{
    int64_t of_round = (s->o.samples + ROUNDS - 1) / ROUNDS;
    return of_round * ROUNDS >= LT_DIVERGENCE_TAIL;
}

static void begin_side(const study *of, side *s, int64_t n)
{
    s->tail.size = shows_tail(of) ? tail_size(n * ROUNDS) : 0;
    s->tail.heap = must_alloc(sizeof *s->tail.heap * (size_t)(s->tail.size + 1));
}

/* Adds the terms of one round; the first round sets the center. */
static int add_terms(lt_session *session, side *of, int64_t n, bool is_first)
{
    LT_ASSERT(lt_shape_size(lt_node_shape(of->terms)) == n);
    double *terms = must_alloc(sizeof *terms * (size_t)n);
    int status = lt_session_read_doubles(session, of->terms, terms, n);
    for (int64_t i = 0; is_first && i < n; i++)
        of->center += terms[i] / (double)n;
    for (int64_t i = 0; status == LT_OK && i < n; i++)
        tail_add(&of->tail, log(fabs(terms[i] - of->center)));
    free(terms);
    return status;
}

/* The heavier tail; NaN if the terms of both sides are equal, or too few. */
static double tail_of(side sides[2])
{
    return fmax(tail_shape(&sides[0].tail), tail_shape(&sides[1].tail));
}

static lt_node *largest_slope(critic *c, pair x, int64_t n)
{
    lt_node *part = lt_uniform(c->graph, lt_shape_2d(n, 1));
    lt_node *at = lt_lerp(x.real, x.fake, part);
    lt_node *slope = lt_grad(lt_sum(ask(c, at)), at);
    return lt_sqrt(lt_max_over(lt_sum_rows(lt_square(slope)), LT_ALL_AXES));
}

/* Divides the critic by its largest slope: it is then 1-Lipschitz on the samples and bounds the distance. */
static void limit_slope(lt_divergence_row *row)
{
    double divisor = fmax(1, row->slope);
    row->found.value /= divisor;
    row->found.se /= divisor;
}

static int ask_rounds(study *s, critic *c, const spec *loss, lt_divergence_row *row, side sides[2],
                      uint64_t seed, int worker)
{
    int64_t n = (s->o.samples + ROUNDS - 1) / ROUNDS;
    bool has_slope = is_wasserstein(loss);
    pair x = draw_pair(s, c->graph, row->theta, n);
    lt_node *on_real = ask(c, x.real), *on_fake = ask(c, x.fake);
    lt_node *targets[4] = {adversarial_estimate(loss, on_real, on_fake)};
    adversarial_estimate_terms(loss, on_real, on_fake, &sides[0].terms, &sides[1].terms);
    for (int i = 0; i < 2; i++) {
        begin_side(s, &sides[i], n);
        targets[1 + i] = sides[i].terms;
    }
    if (has_slope)
        targets[3] = largest_slope(c, x, n);
    double parts[ROUNDS], slope = 0, at = 0;
    lt_session *r;
    int status = open_session(s, c, targets, 3 + has_slope, &r);
    for (int i = 0; status == LT_OK && i < ROUNDS; i++) {
        status = run_once(s, r, (lt_run_key){seed, (uint64_t)(s->o.steps + i)}, worker);
        if (status == LT_OK)
            status = lt_session_read_doubles(r, targets[0], &parts[i], 1);
        if (status == LT_OK && has_slope)
            status = lt_session_read_doubles(r, targets[3], &at, 1);
        slope = fmax(slope, at);
        for (int k = 0; status == LT_OK && k < 2; k++)
            status = add_terms(r, &sides[k], n, i == 0);
    }
    lt_session_free(r);
    if (status != LT_OK)
        return status;
    row->found = lt_estimate_mean(parts, ROUNDS);
    row->tail = tail_of(sides);
    row->slope = has_slope ? slope : (double)NAN;
    if (has_slope)
        limit_slope(row);
    return LT_OK;
}

static int estimate(study *s, critic *c, const spec *loss, lt_divergence_row *row, uint64_t seed,
                    int worker)
{
    side sides[2] = {{.center = 0}};
    int status = ask_rounds(s, c, loss, row, sides, seed, worker);
    for (int i = 0; i < 2; i++)
        free(sides[i].tail.heap);
    return status;
}

/* ---- One critic from its first weights to its bound ---- */

static int find_bound(study *s, const spec *loss, lt_divergence_row *row, uint64_t seed, int worker)
{
    critic c;
    int status = make_params(s, seed, &c.params);
    if (status == LT_OK) {
        c.graph = lt_graph_create();
        status = train(s, &c, loss, row->theta, seed, worker);
        lt_graph_free(c.graph);
    }
    if (status == LT_OK) {
        c.graph = lt_graph_create();
        status = estimate(s, &c, loss, row, seed, worker);
        lt_graph_free(c.graph);
    }
    lt_params_free(c.params);
    return status;
}

/* A mean of terms of infinite variance has no standard error; with too few samples to show the tail, the variance is
   unknown. An error below the last printed digit does not count either. */
static bool has_error(const study *s, const lt_divergence_row *row)
{
    const double heavy = 0.5, unseen = 5e-5;
    return shows_tail(s) && (!(row->tail >= heavy) || row->found.se < unseen);
}

/* Trains critics with other seeds, to find the range of their bounds. */
static int find_spread(study *s, const spec *loss, lt_divergence_row *row, uint64_t seed, int worker)
{
    row->found.se = (double)NAN;
    row->low = row->high = row->found.value;
    atomic_fetch_add(&s->total, (LT_DIVERGENCE_CRITICS - 1) * (s->o.steps + ROUNDS));
    for (int i = 1; i < LT_DIVERGENCE_CRITICS; i++) {
        lt_divergence_row other = *row;
        LT_TRY(find_bound(s, loss, &other, seed ^ (uint64_t)i << 48, worker));
        row->low = fmin(row->low, other.found.value);
        row->high = fmax(row->high, other.found.value);
    }
    return LT_OK;
}

static int make_row(study *s, int64_t i, int worker)
{
    lt_divergence_row *row = &s->rows[i];
    const spec *loss = &s->losses[i % s->o.n_measures];
    /* each has its own weights and samples */
    uint64_t seed = s->o.seed * (LT_MAX_MEASURES * LT_MAX_THETAS) + (uint64_t)i;
    row->low = row->high = (double)NAN;
    LT_TRY(find_bound(s, loss, row, seed, worker));
    return has_error(s, row) ? LT_OK : find_spread(s, loss, row, seed, worker);
}

static void run_row(void *context, int64_t i, int worker)
{
    study *s = context;
    if (atomic_load(&s->is_stopped))
        return;
    int status = make_row(s, i, worker), none = LT_OK;
    if (status == LT_OK || !atomic_compare_exchange_strong(&s->status, &none, status))
        return;
    snprintf(s->message, sizeof s->message, "%s", lt_last_error());
    atomic_store(&s->is_stopped, true);
}

/* ---- The study ---- */

static int check_count(const char *name, int64_t value, int64_t least, int64_t most)
{
    return value >= least && value <= most
               ? LT_OK
               : status_fail(LT_VALUE, "%s: expected %jd ... %jd, found %jd", name,
                             (intmax_t)least, (intmax_t)most, (intmax_t)value);
}

static int check_real(const char *name, double value, double least, double most)
{
    return value >= least && value <= most
               ? LT_OK
               : status_fail(LT_VALUE, "%s: expected %g ... %g, found %g", name, least,
                             most, value);
}

static int fill_defaults(lt_divergence_options *o)
{
    static const char *const measures[] = {"wasserstein", "squared_hellinger"};
    o->p = o->p ? o->p : "segment";
    o->q = o->q ? o->q : o->p;
    if (o->n_measures == 0) {
        o->measures = measures;
        o->n_measures = COUNT_OF(measures);
    }
    if (o->points == 0) {
        o->from = -1;
        o->to = 1;
        o->points = 21;
    }
    o->steps = o->steps ? o->steps : 3000;
    o->batch = o->batch ? o->batch : 256;
    o->samples = o->samples ? o->samples : 65536;
    o->lr = o->lr == 0 ? 0.005 : o->lr;
    o->lambda = o->lambda == 0 ? 10 : o->lambda;
    o->run.threads = run_threads(&o->run);
    LT_TRY(check_count("measures", o->n_measures, 1, LT_MAX_MEASURES));
    LT_TRY(check_count("points", o->points, 1, LT_MAX_THETAS));
    LT_TRY(check_count("steps", o->steps, 1, MAX_STEPS));
    LT_TRY(check_count("batch", o->batch, 2, MAX_DRAWS));
    LT_TRY(check_count("samples", o->samples, 2 * ROUNDS, MAX_DRAWS));
    LT_TRY(check_count("threads", o->run.threads, 1, THREADS_MAX));
    LT_TRY(check_real("theta", o->from, -1e3, 1e3));
    LT_TRY(check_real("theta", o->to, -1e3, 1e3));
    LT_TRY(check_real("learning rate", o->lr, 1e-9, 1e3));
    return check_real("lambda", o->lambda, 1e-9, 1e6);
}

static int parse_lines(study *s)
{
    const lt_divergence_options *o = &s->o;
    char penalty[64];
    snprintf(penalty, sizeof penalty, "lipschitz %.17g", o->lambda);
    LT_TRY(spec_parse(&penalty_table, penalty, &s->penalty));
    LT_TRY(spec_parse(&toy_table, o->p, &s->p));
    LT_TRY(spec_parse(&toy_table, o->q, &s->q));
    for (int i = 0; i < o->n_measures; i++)
        LT_TRY(spec_parse(&adversarial_loss_table, o->measures[i], &s->losses[i]));
    if (toy_dims(&s->p) != toy_dims(&s->q))
        return status_fail(LT_VALUE, "p and q must have the same dimensions; %s has "
                           "%d, %s has %d", o->p, toy_dims(&s->p), o->q, toy_dims(&s->q));
    return LT_OK;
}

/* Theta i of n; the middle of a symmetric range is exactly 0. */
static double theta_at(const lt_divergence_options *o, int i)
{
    if (o->points == 1)
        return o->from;
    int last = o->points - 1;
    return (o->from * (last - i) + o->to * i) / last;
}

static void make_rows(study *s)
{
    s->n = s->o.points * s->o.n_measures;
    atomic_store(&s->total, (int64_t)s->n * (s->o.steps + ROUNDS));
    s->rows = must_alloc(sizeof *s->rows * (size_t)s->n);
    for (int i = 0; i < s->n; i++) {
        const spec *loss = &s->losses[i % s->o.n_measures];
        lt_divergence_row *row = &s->rows[i];
        row->theta = theta_at(&s->o, i / s->o.n_measures);
        row->measure = loss->row->name;
        row->exact = toy_divergence(adversarial_divergence(loss), &s->p, &s->q, row->theta);
    }
}

/* Call close_study in any case. */
static int open_study(const lt_divergence_options *o, study **opened)
{
    study *s = *opened = must_alloc(sizeof *s);
    if (o)
        s->o = *o;
    LT_TRY(fill_defaults(&s->o));
    return parse_lines(s);
}

static void close_study(study *s)
{
    spec_clear(&s->p);
    spec_clear(&s->q);
    spec_clear(&s->penalty);
    for (int i = 0; i < LT_MAX_MEASURES; i++)
        spec_clear(&s->losses[i]);
    free(s);
}

static int run_study(study *s, lt_divergence_study *out)
{
    make_rows(s);
    out->rows = s->rows;
    out->n = s->n;
    out->n_measures = s->o.n_measures;
    out->p = s->o.p;
    out->q = s->o.q;
    out->from = s->o.from;
    out->to = s->o.to;
    threads_run(s->o.run.threads, s->n, run_row, s);
    int status = atomic_load(&s->status);
    return status == LT_OK ? LT_OK : status_fail(status, "%s", s->message);
}

int lt_divergence_run(const lt_divergence_options *o, lt_divergence_study *out)
{
    double began = seconds_now();
    study *s;
    *out = (lt_divergence_study){.n = 0};
    int status = open_study(o, &s);
    if (status == LT_OK)
        status = run_study(s, out);
    out->seconds = seconds_now() - began;
    close_study(s);
    return status;
}

int lt_divergence_exact(const lt_divergence_options *o, int measure, double theta, double *exact)
{
    study *s;
    int status = open_study(o, &s);
    if (status == LT_OK)
        status = check_count("measure", measure, 0, s->o.n_measures - 1);
    if (status == LT_OK)
        *exact = toy_divergence(adversarial_divergence(&s->losses[measure]), &s->p, &s->q, theta);
    close_study(s);
    return status;
}

void lt_divergence_clear(lt_divergence_study *s)
{
    free(s->rows);
    *s = (lt_divergence_study){.n = 0};
}
