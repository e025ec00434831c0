/* SPDX-License-Identifier: MIT */
/* Bounds and likelihood of a split. Two programs: one encodes a batch and gives the terms of the
   ELBO; the other draws some codes for each of its images and weighs them, so many times that K
   draws have been seen. The weights are summed as they come, in double precision, so memory does
   not grow with K, and the encoder's work does not either. */
#include <latent/eval.h>
#include <latent/train.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/status.h"
#include "eval/visit.h"

#include <math.h>
#include <stdlib.h>

enum { BATCH = 200, DRAWN_ROWS = 1000 };

/* The steps of the run key from here on belong to the draws of the likelihood, those below to the
   ELBO's, so that the ELBO does not depend on K. */
static const uint64_t NLL_STEPS = 1ull << 40;

/* ---- Numbers ---- */

/* Running mean and sum of squared deviations (Welford). */
typedef struct tally {
    int64_t n;
    double mean, squares;
} tally;

static void tally_add(tally *t, double value)
{
    double before = value - t->mean;
    t->n++;
    t->mean += before / (double)t->n;
    t->squares += before * (value - t->mean);
}

static lt_estimate tally_estimate(const tally *t, double scale)
{
    double n = (double)t->n;
    return (lt_estimate){.value = scale * t->mean,
                         .se = fabs(scale) * sqrt(t->squares / (n - 1) / n)};
}

/* Sums of weights w = exp(l), kept relative to the largest l so far: sum w = e^top s1,
   sum w^2 = e^(2 top) s2. */
typedef struct weight_sum {
    double top, s1, s2;
} weight_sum;

static void weight_sum_add(weight_sum *s, double l)
{
    if (l == -HUGE_VAL) /* weight 0 */
        return;
    if (l > s->top) {
        double shrink = exp(s->top - l); /* 0 the first time */
        s->s1 *= shrink;
        s->s2 *= shrink * shrink;
        s->top = l;
    }
    double w = exp(l - s->top);
    s->s1 += w;
    s->s2 += w * w;
}

/* ---- The two programs ---- */

typedef struct encoder {
    visit v;
    lt_node *x, *mean, *logvar, *rate, *distortion, *squared_error;
    lt_node *sigma; /* or NULL */
} encoder;

static int encoder_open(encoder *e, lt_model *m, lt_shape images, const lt_session_options *o)
{
    lt_graph *g = e->v.graph = lt_graph_create();
    lt_model_terms t;
    e->x = lt_input(g, "x", images);
    LT_TRY(lt_model_build(m, g, e->x, LT_EVALUATION, &t));
    e->mean = t.posterior.mean;
    e->logvar = t.posterior.logvar;
    e->rate = lt_gauss_kl(t.posterior);
    e->distortion = t.distortion;
    e->squared_error =
        lt_sum_rows(lt_square(lt_sub(e->x, lt_model_decode(m, g, t.posterior.mean))));
    e->sigma = t.sigma;
    lt_node *targets[] = {e->mean,          e->logvar, e->rate, e->distortion,
                          e->squared_error, e->sigma};
    return visit_open(&e->v, m, targets, COUNT_OF(targets) - (e->sigma == NULL), o);
}

typedef struct weigher {
    visit v;
    lt_node *x, *mean, *logvar;
    lt_node *log_weight; /* rows: image by image, `draws` for each */
} weigher;

/* n x ... -> n x draws x ... -> (n draws) x ...: each row `draws` times. */
static lt_node *repeat_rows(lt_node *x, int64_t draws)
{
    lt_shape from = lt_node_shape(x), tall = from, wide = {.rank = from.rank + 1};
    tall.d[0] *= draws;
    wide.d[0] = from.d[0];
    wide.d[1] = 1;
    for (int i = 1; i < from.rank; i++)
        wide.d[i + 1] = from.d[i];
    lt_node *one = lt_reshape(x, wide);
    wide.d[1] = draws;
    return lt_reshape(lt_expand(one, wide), tall);
}

/* z = mean + sigma eps, log w = log p(x|z) + log p(z) - log q(z|x). The last two terms share their
   constants, and (z - mean) / sigma is eps: their difference is 1/2 sum eps^2 + logvar - z^2. */
static int weigher_open(weigher *w, lt_model *m, lt_shape images, int64_t draws,
                        const lt_session_options *o)
{
    lt_graph *g = w->v.graph = lt_graph_create();
    int64_t n = images.d[0], latent = lt_model_latent(m);
    w->x = lt_input(g, "x", images);
    w->mean = lt_input(g, "mean", lt_shape_2d(n, latent));
    w->logvar = lt_input(g, "logvar", lt_shape_2d(n, latent));
    lt_node *eps = lt_normal(g, lt_shape_2d(n * draws, latent));
    lt_node *logvar = repeat_rows(w->logvar, draws);
    lt_node *sigma = repeat_rows(lt_exp(lt_scale(w->logvar, 0.5)), draws);
    lt_node *z = lt_add(repeat_rows(w->mean, draws), lt_mul(sigma, eps));
    lt_node *prior_to_posterior =
        lt_sum_rows(lt_sub(lt_add(lt_square(eps), logvar), lt_square(z)));
    w->log_weight = lt_add(lt_model_log_prob(m, g, z, repeat_rows(w->x, draws)),
                           lt_scale(prior_to_posterior, 0.5));
    return visit_open(&w->v, m, &w->log_weight, 1, o);
}

/* ---- One evaluation ---- */

typedef struct evaluation {
    lt_dataset *data;
    lt_split split;
    lt_eval_options o;
    int images, batch,
        draws; /* in the split; at a time; for each image in one run of the weigher */
    int64_t pixels, latent;
    encoder encoder;
    weigher weigher;
    int32_t *index;
    float *x, *mean, *logvar, *terms[3], *log_weight; /* of one batch */
    weight_sum *sums;
    float sigma;                  /* NaN: none */
    bool has_grey, has_fractions; /* pixels other than 0 and 1; other than k / 255 */
    tally elbo, rate, distortion, squared_error, nll, ess;
    int64_t runs_done, runs; /* of either program, for progress */
} evaluation;

static int open_programs(evaluation *e, lt_model *m)
{
    lt_image_size s = lt_model_image_size(m);
    lt_shape images = lt_shape_4d(e->batch, s.h, s.w, s.c);
    lt_session_options o = {.executor = e->o.executor, .threads = e->o.threads};
    e->pixels = (int64_t)s.h * s.w * s.c;
    e->latent = lt_model_latent(m);
    LT_TRY(encoder_open(&e->encoder, m, images, &o));
    if (e->o.nll_samples > 0)
        LT_TRY(weigher_open(&e->weigher, m, images, e->draws, &o));
    return LT_OK;
}

static int make_room(evaluation *e)
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
    e->index = must_alloc(sizeof *e->index * (size_t)e->batch);
    e->sums = must_alloc(sizeof *e->sums * (size_t)e->batch);
    return LT_OK;
}

static void release(evaluation *e)
{
    float *blocks[] = {e->x, e->mean, e->logvar, e->terms[0], e->terms[1], e->terms[2],
                       e->log_weight};
    for (int i = 0; i < COUNT_OF(blocks); i++)
        tensor_free(blocks[i]);
    free(e->index);
    free(e->sums);
    visit_close(&e->encoder.v);
    visit_close(&e->weigher.v);
}

static int report_progress(evaluation *e)
{
    e->runs_done++;
    if (e->o.progress && !e->o.progress(e->o.user, (double)e->runs_done / (double)e->runs))
        return status_fail(LT_INTERRUPTED, "evaluation was stopped");
    return LT_OK;
}

/* Notes what kind of numbers the pixels are. */
static void look_at_pixels(evaluation *e, int n)
{
    for (int64_t i = 0; i < n * e->pixels; i++) {
        float level = 255 * e->x[i];
        e->has_grey |= level != 0 && level != 255;
        e->has_fractions |= fabsf(level - rintf(level)) > 1e-3f;
    }
}

/* Images first ... first + n - 1; the rest of the batch repeats the last one and is not counted. */
static int encode_batch(evaluation *e, int first, int n)
{
    encoder *c = &e->encoder;
    lt_session *s = c->v.session;
    int b = e->batch;
    for (int i = 0; i < b; i++)
        e->index[i] = first + (i < n ? i : n - 1);
    LT_TRY(lt_dataset_gather(e->data, e->split, e->index, b, 0, 1, e->x));
    look_at_pixels(e, n);
    LT_TRY(lt_session_write(s, c->x, e->x, b * e->pixels));
    LT_TRY(lt_session_run(s, &(lt_run_key){e->o.seed, (uint64_t)(first / b)}));
    LT_TRY(lt_session_read(s, c->rate, e->terms[0], b));
    LT_TRY(lt_session_read(s, c->distortion, e->terms[1], b));
    LT_TRY(lt_session_read(s, c->squared_error, e->terms[2], b));
    if (c->sigma)
        LT_TRY(lt_session_read(s, c->sigma, &e->sigma, 1));
    LT_TRY(lt_session_read(s, c->mean, e->mean, b * e->latent));
    LT_TRY(lt_session_read(s, c->logvar, e->logvar, b * e->latent));
    for (int i = 0; i < n; i++) {
        double rate = (double)e->terms[0][i], distortion = (double)e->terms[1][i];
        tally_add(&e->rate, rate);
        tally_add(&e->distortion, distortion);
        tally_add(&e->elbo, -rate - distortion);
        tally_add(&e->squared_error, (double)e->terms[2][i]);
    }
    return LT_OK;
}

/* K draws for each image of the batch that encode_batch left; draws beyond K are not counted. */
static int weigh_batch(evaluation *e, int first, int n)
{
    weigher *w = &e->weigher;
    lt_session *s = w->v.session;
    int k = e->o.nll_samples, runs = (k + e->draws - 1) / e->draws;
    uint64_t step = NLL_STEPS + (uint64_t)(first / e->batch) * (uint64_t)runs;
    LT_TRY(lt_session_write(s, w->x, e->x, e->batch * e->pixels));
    LT_TRY(lt_session_write(s, w->mean, e->mean, e->batch * e->latent));
    LT_TRY(lt_session_write(s, w->logvar, e->logvar, e->batch * e->latent));
    for (int i = 0; i < n; i++)
        e->sums[i] = (weight_sum){.top = -HUGE_VAL};
    for (int done = 0; done < k; done += e->draws, step++) {
        LT_TRY(lt_session_run(s, &(lt_run_key){e->o.seed, step}));
        LT_TRY(lt_session_read(s, w->log_weight, e->log_weight, (int64_t)e->batch * e->draws));
        int count = k - done < e->draws ? k - done : e->draws;
        for (int i = 0; i < n; i++)
            for (int j = 0; j < count; j++)
                weight_sum_add(&e->sums[i], (double)e->log_weight[i * e->draws + j]);
        LT_TRY(report_progress(e));
    }
    for (int i = 0; i < n; i++) {
        const weight_sum *sum = &e->sums[i];
        tally_add(&e->nll, -(sum->top + log(sum->s1 / k)));
        tally_add(&e->ess, sum->s1 * sum->s1 / sum->s2);
    }
    return LT_OK;
}

static int evaluate_all(evaluation *e, lt_model *m)
{
    LT_TRY(open_programs(e, m));
    LT_TRY(make_room(e));
    int k = e->o.nll_samples, batches = (e->images + e->batch - 1) / e->batch;
    e->runs = (int64_t)batches * (1 + (k + e->draws - 1) / e->draws);
    for (int first = 0; first < e->images; first += e->batch) {
        int n = e->images - first < e->batch ? e->images - first : e->batch;
        LT_TRY(encode_batch(e, first, n));
        LT_TRY(report_progress(e));
        if (k > 0)
            LT_TRY(weigh_batch(e, first, n));
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
    if (lt_model_is_binary(m) && e->has_grey)
        return LT_CROSS_ENTROPY;
    return lt_model_is_discrete(m) ? LT_DISCRETE : LT_DENSITY;
}

/* A density p on [0, 1] is about 256 P of a byte spread over its 1/256: -log2 P = -log2 p + 8, to
   about 0.01 bits if the density is wider than two levels. */
static lt_estimate as_bytes(const evaluation *e, const lt_model *m, lt_estimate bits)
{
    if (lt_model_is_discrete(m) && !lt_model_is_binary(m))
        return bits;
    bool is_flat = e->sigma >= 2.f / 255; /* false for NaN */
    if (!lt_model_is_discrete(m) && is_flat && e->has_grey && !e->has_fractions)
        return (lt_estimate){bits.value + 8, bits.se};
    return (lt_estimate){(double)NAN, (double)NAN};
}

static lt_evaluation conclude(const evaluation *e, const lt_model *m)
{
    lt_evaluation result = {
        .images = e->images,
        .unit = unit_of(e, m),
        .is_bytes = !e->has_fractions,
        .sigma = (double)e->sigma,
        .elbo = tally_estimate(&e->elbo, 1),
        .rate = tally_estimate(&e->rate, 1),
        .distortion = tally_estimate(&e->distortion, 1),
        .squared_error = tally_estimate(&e->squared_error, 1),
        .bits_per_dim = tally_estimate(&e->elbo, -1 / (log(2) * (double)e->pixels)),
        .nll_samples = e->o.nll_samples,
        .nll = tally_estimate(&e->nll, 1),
        .ess = e->ess.mean};
    result.bits_as_bytes = as_bytes(e, m, result.bits_per_dim);
    return result;
}

static int check(evaluation *e, lt_model *m)
{
    const lt_dataset_info *info = lt_dataset_describe(e->data);
    LT_TRY(lt_model_check_data(m, e->data));
    e->images = info->n[e->split];
    if (e->images == 0)
        return status_fail(LT_VALUE, "%s has no %s split", info->name, lt_split_name(e->split));
    if (e->o.nll_samples < 0 || e->o.batch < 0)
        return status_fail(LT_VALUE, "cannot evaluate with %d samples and batches of %d",
                           e->o.nll_samples, e->o.batch);
    e->batch = e->o.batch ? e->o.batch : BATCH;
    if (e->batch > e->images)
        e->batch = e->images;
    e->draws = e->batch < DRAWN_ROWS ? DRAWN_ROWS / e->batch : 1;
    if (e->draws > e->o.nll_samples && e->o.nll_samples > 0)
        e->draws = e->o.nll_samples;
    return LT_OK;
}

int lt_evaluate(lt_model *m, lt_dataset *d, lt_split split, const lt_eval_options *o,
                lt_evaluation *result)
{
    evaluation e = {.data = d, .split = split, .sigma = NAN};
    if (o)
        e.o = *o;
    double began = seconds_now();
    int status = check(&e, m);
    if (status == LT_OK)
        status = evaluate_all(&e, m);
    if (status == LT_OK) {
        *result = conclude(&e, m);
        result->seconds = seconds_now() - began;
    }
    release(&e);
    return status;
}
