/* SPDX-License-Identifier: MIT */
/* Bounds and likelihood of a split. Two programs: one encodes a batch and computes the terms of the
   -ELBO; the other samples some codes for each image and computes their weights, and runs until K samples
   are done. The weights are accumulated in double precision, so memory and the encoder's work do not grow
   with K. */
#include <latent/eval.h>
#include <latent/train.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/threads.h"
#include "eval/bounds.h"
#include "eval/visit.h"
#include "exec/run_options.h"
#include "models/kind.h"

#include <math.h>
#include <stdlib.h>

enum { BATCH = 200, DRAWN_ROWS = 1000 };

/* Steps of the run key from here on are for the samples of the likelihood, 2^32 for each batch; those below are for
   the ELBO. So the ELBO does not depend on K, and a larger K extends the same sequence of samples. */
static const uint64_t NLL_STEPS = 1ull << 63;

/* ---- The two programs ---- */

typedef struct encoder {
    visit v;
    lt_node *x, *mean, *logvar, *distortion, *squared_error;
    lt_node *rate, *sigma; /* or NULL */
} encoder;

static int encoder_open(encoder *e, lt_model *m, lt_shape images, const lt_session_options *o)
{
    lt_graph *g = e->v.graph = lt_graph_create();
    lt_model_terms t;
    e->x = lt_input(g, "x", images);
    LT_TRY(lt_model_build(m, g, e->x, LT_EVALUATION, &t));
    e->mean = t.posterior.mean;
    e->logvar = t.posterior.logvar;
    e->rate = t.rate;
    e->distortion = t.distortion;
    e->squared_error =
        lt_sum_rows(lt_square(lt_sub(e->x, lt_model_decode(m, g, t.posterior.mean))));
    e->sigma = t.sigma;
    lt_node *all[] = {e->mean, e->logvar, e->rate, e->distortion, e->squared_error, e->sigma}, *targets[6];
    int n = 0;
    for (int i = 0; i < COUNT_OF(all); i++)
        if (all[i])
            targets[n++] = all[i];
    return visit_open(&e->v, m, targets, n, o);
}

typedef struct weigher {
    visit v;
    lt_node *x;
    lt_gauss q;
    lt_node *log_weight; /* rows: image by image, `draws` for each */
} weigher;

static int weigher_open(weigher *w, lt_model *m, lt_shape images, int64_t draws,
                        const lt_session_options *o)
{
    lt_graph *g = w->v.graph = lt_graph_create();
    lt_shape codes = lt_shape_2d(images.d[0], lt_model_latent(m));
    w->x = lt_input(g, "x", images);
    w->q.mean = lt_input(g, "mean", codes);
    w->q.logvar = lt_input(g, "logvar", codes);
    w->log_weight = lt_model_log_weights(m, g, w->x, w->q, draws);
    return visit_open(&w->v, m, &w->log_weight, 1, o);
}

/* ---- One evaluation ---- */

typedef struct evaluation {
    visited images;
    lt_eval_options o;
    int batch;         /* images at a time */
    int first;         /* first image of the batch */
    int draws;         /* samples per image in one run of the weigher */
    int threads;
    int64_t pixels, latent;
    encoder encoder;
    weigher weigher;
    float *x, *mean, *logvar, *terms[3], *log_weight; /* of one batch */
    bounds_plan plan;
    image_bounds *bounds; /* of one batch */
    double *tails;        /* largest weights, plan.tail per image of the batch */
    double *shapes;       /* tail shape of each image */
    float sigma;                  /* NaN: none */
    bool has_gray, has_fractions; /* pixels other than 0 and 1; other than k / 255 */
    tally neg_elbo, rate, distortion, squared_error, values[BOUNDS], ess[BOUNDS];
    int64_t runs_done, runs_of_batch, runs; /* of either program, for progress */
} evaluation;

static int open_programs(evaluation *e, lt_model *m)
{
    lt_image_size s = lt_model_image_size(m);
    lt_shape images = lt_shape_4d(e->batch, s.h, s.w, s.c);
    lt_session_options o = run_session_options(&e->o.run);
    e->pixels = (int64_t)s.h * s.w * s.c;
    e->latent = lt_model_latent(m);
    LT_TRY(encoder_open(&e->encoder, m, images, &o));
    if (e->plan.draws > 0)
        LT_TRY(weigher_open(&e->weigher, m, images, e->draws, &o));
    return LT_OK;
}

static int make_buffers(evaluation *e)
{
    size_t row = sizeof(float) * (size_t)e->batch;
    float **blocks[] = {&e->x, &e->mean, &e->logvar, &e->terms[0], &e->terms[1], &e->terms[2],
                        &e->log_weight};
    int64_t widths[] = {e->pixels, e->latent, e->latent, 1, 1, 1, e->draws};
    for (int i = 0; i < COUNT_OF(blocks); i++) {
        *blocks[i] = tensor_alloc(row * (size_t)widths[i], "a batch to evaluate");
        if (!*blocks[i])
            return LT_NO_MEMORY;
    }
    e->bounds = must_alloc(sizeof *e->bounds * (size_t)e->batch);
    e->tails = must_alloc(sizeof *e->tails * (size_t)e->batch * (size_t)e->plan.tail);
    e->shapes = must_alloc(sizeof *e->shapes * (size_t)e->images.n);
    return LT_OK;
}

static void release(evaluation *e)
{
    float *blocks[] = {e->x, e->mean, e->logvar, e->terms[0], e->terms[1], e->terms[2],
                       e->log_weight};
    for (int i = 0; i < COUNT_OF(blocks); i++)
        tensor_free(blocks[i]);
    free(e->bounds);
    free(e->tails);
    free(e->shapes);
    visit_close(&e->encoder.v);
    visit_close(&e->weigher.v);
}

static int report_progress(evaluation *e)
{
    e->runs_done++;
    if (!run_continues(&e->o.run, (double)e->runs_done / (double)e->runs))
        return status_fail(LT_INTERRUPTED, "evaluation was stopped");
    return LT_OK;
}

/* Finds out whether pixels are bits, bytes or other numbers. */
static void classify_pixels(evaluation *e, int n)
{
    for (int64_t i = 0; i < n * e->pixels; i++) {
        float level = 255 * e->x[i];
        e->has_gray |= level != 0 && level != 255;
        e->has_fractions |= fabsf(level - rintf(level)) > 1e-3f;
    }
}

/* Stores a number of image i of the batch, if the caller wants it. */
static void keep(const evaluation *e, double *of, int i, double value)
{
    if (of)
        of[e->first + i] = value;
}

static void count_terms(evaluation *e, int i)
{
    const lt_eval_options *o = &e->o;
    double rate = (double)e->terms[0][i], distortion = (double)e->terms[1][i],
           squared_error = (double)e->terms[2][i];
    tally_add(&e->rate, rate);
    tally_add(&e->distortion, distortion);
    tally_add(&e->neg_elbo, rate + distortion);
    tally_add(&e->squared_error, squared_error);
    keep(e, o->neg_elbo_of, i, rate + distortion);
    keep(e, o->rate_of, i, rate);
    keep(e, o->distortion_of, i, distortion);
    keep(e, o->squared_error_of, i, squared_error);
}

/* Encodes images e->first ... e->first + n - 1; the rest of the batch is not counted. */
static int encode_batch(evaluation *e, int n)
{
    encoder *c = &e->encoder;
    lt_session *s = c->v.session;
    int b = e->batch, first = e->first;
    LT_TRY(visited_gather(&e->images, first, b, e->x));
    classify_pixels(e, n);
    LT_TRY(lt_session_write(s, c->x, e->x, b * e->pixels));
    LT_TRY(lt_session_run(s, &(lt_run_key){e->o.seed, (uint64_t)(first / b)}));
    for (int i = 0; !c->rate && i < b; i++)
        e->terms[0][i] = NAN;
    if (c->rate)
        LT_TRY(lt_session_read(s, c->rate, e->terms[0], b));
    LT_TRY(lt_session_read(s, c->distortion, e->terms[1], b));
    LT_TRY(lt_session_read(s, c->squared_error, e->terms[2], b));
    if (c->sigma)
        LT_TRY(lt_session_read(s, c->sigma, &e->sigma, 1));
    LT_TRY(lt_session_read(s, c->mean, e->mean, b * e->latent));
    LT_TRY(lt_session_read(s, c->logvar, e->logvar, b * e->latent));
    for (int i = 0; i < n; i++)
        count_terms(e, i);
    return LT_OK;
}

/* The samples of one image in one run of the weigher; `count` of them count. */
typedef struct draws_call {
    evaluation *e;
    int count;
} draws_call;

static void add_draws(void *context, int64_t i, int worker)
{
    (void)worker;
    const draws_call *c = context;
    evaluation *e = c->e;
    for (int j = 0; j < c->count; j++)
        bounds_add(&e->bounds[i], &e->plan, (double)e->log_weight[i * e->draws + j]);
}

static void find_shape(void *context, int64_t i, int worker)
{
    (void)worker;
    evaluation *e = context;
    e->shapes[e->first + i] = tail_shape(&e->bounds[i].tail);
}

/* Adds bound k of image i of the batch; the last one is the NLL. */
static void count_bound(evaluation *e, int i, int k)
{
    const grouping *g = &e->bounds[i].of[k];
    double value = -g->log_mean / g->groups, ess = g->ess / g->groups;
    bool is_nll = k == e->o.n_iwae;
    tally_add(&e->values[k], value);
    tally_add(&e->ess[k], ess);
    keep(e, is_nll ? e->o.nll_of : e->o.iwae_of[k], i, value);
    if (is_nll)
        keep(e, e->o.ess_of, i, ess);
}

/* Adds the bounds of n images. */
static void count_draws(evaluation *e, int n)
{
    threads_run(e->threads, n, find_shape, e);
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < e->plan.n; k++)
            count_bound(e, i, k);
        keep(e, e->o.pareto_k_of, i, e->shapes[e->first + i]);
    }
}

/* Makes all samples for each image of the batch that encode_batch has encoded. */
static int weigh_batch(evaluation *e, int n)
{
    weigher *w = &e->weigher;
    lt_session *s = w->v.session;
    uint64_t step = NLL_STEPS + ((uint64_t)(e->first / e->batch) << 32);
    LT_TRY(lt_session_write(s, w->x, e->x, e->batch * e->pixels));
    LT_TRY(lt_session_write(s, w->q.mean, e->mean, e->batch * e->latent));
    LT_TRY(lt_session_write(s, w->q.logvar, e->logvar, e->batch * e->latent));
    for (int i = 0; i < n; i++)
        bounds_begin(&e->bounds[i], &e->plan, e->tails + (int64_t)i * e->plan.tail);
    for (int done = 0; done < e->plan.draws; done += e->draws, step++) {
        int left = e->plan.draws - done;
        draws_call call = {e, left < e->draws ? left : e->draws};
        LT_TRY(lt_session_run(s, &(lt_run_key){e->o.seed, step}));
        LT_TRY(lt_session_read(s, w->log_weight, e->log_weight, (int64_t)e->batch * e->draws));
        threads_run(e->threads, n, add_draws, &call);
        LT_TRY(report_progress(e));
    }
    count_draws(e, n);
    return LT_OK;
}

static int evaluate_all(evaluation *e, lt_model *m)
{
    LT_TRY(open_programs(e, m));
    LT_TRY(make_buffers(e));
    e->runs_of_batch = (e->plan.draws + e->draws - 1) / e->draws;
    e->runs = (int64_t)((e->images.n + e->batch - 1) / e->batch) * (1 + e->runs_of_batch);
    for (e->first = 0; e->first < e->images.n; e->first += e->batch) {
        int n = e->images.n - e->first < e->batch ? e->images.n - e->first : e->batch;
        LT_TRY(encode_batch(e, n));
        LT_TRY(report_progress(e));
        if (e->plan.draws > 0)
            LT_TRY(weigh_batch(e, n));
    }
    return LT_OK;
}

const char *lt_unit_name(lt_unit unit)
{
    static const char *const names[] = {[LT_DISCRETE] = "discrete", [LT_DENSITY] = "density",
                                        [LT_CROSS_ENTROPY] = "cross-entropy"};
    return names[unit];
}

static lt_unit unit_of(const evaluation *e, const lt_model *m)
{
    if (lt_model_is_binary(m) && e->has_gray)
        return LT_CROSS_ENTROPY;
    return lt_model_is_discrete(m) ? LT_DISCRETE : LT_DENSITY;
}

/* A density p on [0, 1] is about 256 P, where P is the probability of a byte spread over its 1/256. So
   -log2 P = -log2 p + 8, to about 0.01 bits if the density is wider than two levels. */
static lt_estimate as_bytes(const evaluation *e, const lt_model *m, lt_estimate bits)
{
    if (lt_model_is_discrete(m) && !lt_model_is_binary(m))
        return bits;
    bool is_flat = e->sigma >= 2.f / 255; /* false for NaN */
    if (!lt_model_is_discrete(m) && is_flat && e->has_gray && !e->has_fractions)
        return (lt_estimate){bits.value + 8, bits.se};
    return (lt_estimate){(double)NAN, (double)NAN};
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void conclude_draws(const evaluation *e, lt_evaluation *r)
{
    const double worst = 0.7; /* above it an estimate is unreliable: Vehtari et al. */
    int last = e->plan.n - 1;
    r->draws = e->plan.draws;
    r->n_bounds = e->o.n_iwae;
    for (int i = 0; i < r->n_bounds; i++)
        r->bounds[i] =
            (lt_bound){e->o.iwae[i], tally_estimate(&e->values[i], 1), e->ess[i].mean};
    r->nll_samples = e->o.nll_samples;
    if (r->nll_samples > 0) {
        r->nll = tally_estimate(&e->values[last], 1);
        r->ess = e->ess[last].mean;
    }
    r->pareto_k = r->pareto_share = (double)NAN;
    if (e->plan.tail == 0)
        return;
    int bad = 0;
    for (int i = 0; i < e->images.n; i++)
        bad += !(e->shapes[i] <= worst);
    qsort(e->shapes, (size_t)e->images.n, sizeof *e->shapes, by_value);
    r->pareto_k = e->shapes[e->images.n / 2];
    r->pareto_share = (double)bad / e->images.n;
}

bool lt_evaluation_is_biased(const lt_evaluation *e)
{
    const double few = 0.05; /* share of the images */
    return e->pareto_share > few;
}

static lt_evaluation conclude(const evaluation *e, const lt_model *m)
{
    lt_evaluation result = {
        .images = e->images.n,
        .unit = unit_of(e, m),
        .is_bytes = !e->has_fractions,
        .sigma = (double)e->sigma,
        .neg_elbo = tally_estimate(&e->neg_elbo, 1),
        .rate = tally_estimate(&e->rate, 1),
        .distortion = tally_estimate(&e->distortion, 1),
        .squared_error = tally_estimate(&e->squared_error, 1),
        .bits_per_dim = tally_estimate(&e->neg_elbo, 1 / (log(2) * (double)e->pixels))};
    conclude_draws(e, &result);
    result.bits_as_bytes = as_bytes(e, m, result.bits_per_dim);
    return result;
}

/* ---- Options ---- */

static int check_options(const lt_eval_options *o)
{
    if (o->nll_samples < 0 || o->batch < 0 || o->images < 0)
        return status_fail(LT_VALUE, "evaluation: cannot use %d images, batches of %d, %d samples",
                           o->images, o->batch, o->nll_samples);
    if (o->n_iwae < 0 || o->n_iwae > LT_MAX_BOUNDS)
        return status_fail(LT_VALUE, "at most %d bounds at a time, found %d", LT_MAX_BOUNDS,
                           o->n_iwae);
    for (int i = 0; i < o->n_iwae; i++)
        if (o->iwae[i] < 1)
            return status_fail(LT_VALUE, "k of a bound: expected at least 1, found %d", o->iwae[i]);
    return LT_OK;
}

static int check(evaluation *e, lt_model *m, lt_dataset *d, lt_split split)
{
    const lt_recipe *r = lt_model_recipe(m);
    if (!lt_recipe_can(r, LT_CAN_RECONSTRUCT | LT_CAN_LIKELIHOOD) || e->o.nll_samples > 0 || e->o.n_iwae > 0)
        LT_TRY(kind_require(r, LT_CAN_BOUND, "bound on log p(x)"));
    LT_TRY(check_options(&e->o));
    LT_TRY(visited_init(&e->images, m, d, split, e->o.images));
    e->plan = bounds_make_plan(&e->o);
    e->threads = run_threads(&e->o.run);
    e->batch = e->o.batch ? e->o.batch : BATCH;
    if (e->batch > e->images.n)
        e->batch = e->images.n;
    e->draws = e->batch < DRAWN_ROWS ? DRAWN_ROWS / e->batch : 1;
    if (e->draws > e->plan.draws && e->plan.draws > 0)
        e->draws = e->plan.draws;
    return LT_OK;
}

int lt_evaluate(lt_model *m, lt_dataset *d, lt_split split, const lt_eval_options *o,
                lt_evaluation *result)
{
    evaluation e = {.sigma = NAN};
    if (o)
        e.o = *o;
    double began = seconds_now();
    int status = check(&e, m, d, split);
    if (status == LT_OK)
        status = evaluate_all(&e, m);
    if (status == LT_OK) {
        *result = conclude(&e, m);
        result->seconds = seconds_now() - began;
    }
    release(&e);
    return status;
}
