/* SPDX-License-Identifier: MIT */
/* Diagnoses the codes of a split: which latents carry information about the image, how much all of them
   carry, and how far the aggregate posterior is from the prior. */
#include <latent/eval.h>
#include <latent/train.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/estimate.h"
#include "eval/mixture.h"
#include "eval/visit.h"
#include "exec/run_options.h"
#include "models/kind.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 200, MAX_DRAWS = 4000, ROUND = 500 };

static const double active_variance = 0.01; /* Burda et al. 2016 */
static const double least_information = 0.1, least_without_means = 0.5; /* nats */

/* One latent over the images. */
typedef struct unit_tally {
    tally mean, variance, kl; /* of q(z_k|x): its mean, variance, KL from N(0, 1) */
} unit_tally;

typedef struct diagnosing {
    visited images;
    lt_diagnosis_options o;
    int batch, draws; /* images at a time; images whose samples are used */
    int64_t pixels, latent;
    visit v;
    lt_node *input, *out[4];
    float *x, *read[4]; /* of a batch: mean, logvar, z, rate */
    mixture all;
    float *z; /* draws x stride */
    int *of;
    double *rates, *own, *together; /* of the samples: rate, log q(z|x), log q(z) */
    unit_tally *units;
    tally rate, information, distance;
    int done, todo;
} diagnosing;

enum { MEAN, LOGVAR, DRAW, RATE };

/* ---- Opening and closing ---- */

static int open_program(diagnosing *d, lt_model *m)
{
    lt_image_size s = lt_model_image_size(m);
    lt_graph *g = d->v.graph = lt_graph_create();
    lt_model_terms t;
    d->pixels = (int64_t)s.h * s.w * s.c;
    d->latent = lt_model_latent(m);
    d->input = lt_input(g, "x", lt_shape_4d(d->batch, s.h, s.w, s.c));
    LT_TRY(lt_model_build(m, g, d->input, LT_EVALUATION, &t));
    d->out[MEAN] = t.posterior.mean;
    d->out[LOGVAR] = t.posterior.logvar;
    d->out[DRAW] = t.z;
    d->out[RATE] = t.rate;
    const lt_session_options how = run_session_options(&d->o.run);
    return visit_open(&d->v, m, d->out, COUNT_OF(d->out), &how);
}

static int make_room(diagnosing *d)
{
    size_t draws = (size_t)d->draws;
    d->of = must_alloc(sizeof *d->of * draws);
    d->rates = must_alloc(sizeof *d->rates * draws);
    d->own = must_alloc(sizeof *d->own * draws);
    d->together = must_alloc(sizeof *d->together * draws);
    d->units = must_alloc(sizeof *d->units * (size_t)d->latent);
    LT_TRY(mixture_init(&d->all, d->images.n, d->latent));
    d->z = tensor_alloc(sizeof *d->z * draws * (size_t)d->all.stride, "draws");
    d->x = tensor_alloc(sizeof *d->x * (size_t)(d->batch * d->pixels), "a batch of images");
    if (!d->z || !d->x)
        return LT_NO_MEMORY;
    for (int i = 0; i < COUNT_OF(d->read); i++) {
        int64_t width = i == RATE ? 1 : d->latent;
        d->read[i] = tensor_alloc(sizeof **d->read * (size_t)(d->batch * width), "codes");
        if (!d->read[i])
            return LT_NO_MEMORY;
    }
    return LT_OK;
}

static void release(diagnosing *d)
{
    for (int i = 0; i < COUNT_OF(d->read); i++)
        tensor_free(d->read[i]);
    tensor_free(d->x);
    tensor_free(d->z);
    mixture_clear(&d->all);
    free(d->of);
    free(d->rates);
    free(d->own);
    free(d->together);
    free(d->units);
    visit_close(&d->v);
}

static int report_progress(diagnosing *d)
{
    d->done++;
    if (!run_continues(&d->o.run, (double)d->done / d->todo))
        return status_fail(LT_INTERRUPTED, "the diagnosis was stopped");
    return LT_OK;
}

/* ---- Codes ---- */

/* The image of sample k: a stratified sample of the images. */
static int image_of(const diagnosing *d, int k)
{
    return (int)stratified_index(k, d->draws, d->images.n);
}

static void count_image(diagnosing *d, int at, int image)
{
    const float *mean = d->read[MEAN] + at * d->latent,
                *logvar = d->read[LOGVAR] + at * d->latent;
    for (int64_t k = 0; k < d->latent; k++) {
        double m = (double)mean[k], l = (double)logvar[k], variance = exp(l);
        tally_add(&d->units[k].mean, m);
        tally_add(&d->units[k].variance, variance);
        tally_add(&d->units[k].kl, 0.5 * (m * m + variance - 1 - l));
    }
    tally_add(&d->rate, (double)d->read[RATE][at]);
    mixture_set(&d->all, image, mean, logvar);
}

/* Encodes images first ... first + n - 1 and keeps their samples from number *drawn on. The rest of the batch is not
   counted. */
static int encode_batch(diagnosing *d, int first, int n, int *drawn)
{
    lt_session *s = d->v.session;
    int b = d->batch;
    LT_TRY(visited_gather(&d->images, first, b, d->x));
    LT_TRY(lt_session_write(s, d->input, d->x, b * d->pixels));
    LT_TRY(lt_session_run(s, &(lt_run_key){d->o.seed, (uint64_t)(first / b)}));
    for (int i = 0; i < COUNT_OF(d->out); i++)
        LT_TRY(lt_session_read(s, d->out[i], d->read[i], b * (i == RATE ? 1 : d->latent)));
    for (int i = 0; i < n; i++)
        count_image(d, i, first + i);
    for (; *drawn < d->draws && image_of(d, *drawn) < first + n; (*drawn)++) {
        int at = image_of(d, *drawn) - first;
        memcpy(d->z + *drawn * d->all.stride, d->read[DRAW] + at * d->latent,
               sizeof *d->z * (size_t)d->latent);
        d->of[*drawn] = first + at;
        d->rates[*drawn] = (double)d->read[RATE][at];
    }
    return report_progress(d);
}

static int diagnose_all(diagnosing *d)
{
    int drawn = 0, threads = run_threads(&d->o.run);
    d->todo = (d->images.n + d->batch - 1) / d->batch + (d->draws + ROUND - 1) / ROUND;
    for (int first = 0; first < d->images.n; first += d->batch) {
        int n = d->images.n - first < d->batch ? d->images.n - first : d->batch;
        LT_TRY(encode_batch(d, first, n, &drawn));
    }
    for (int first = 0; first < d->draws; first += ROUND) {
        int n = d->draws - first < ROUND ? d->draws - first : ROUND;
        mixture_log_probs(&d->all, n, d->z + first * d->all.stride, d->of + first, threads,
                          d->own + first, d->together + first);
        LT_TRY(report_progress(d));
    }
    for (int k = 0; k < d->draws; k++) {
        double information = d->own[k] - d->together[k];
        tally_add(&d->information, information);
        tally_add(&d->distance, d->rates[k] - information);
    }
    return LT_OK;
}

/* ---- Conclusions ---- */

static void conclude_unit(const unit_tally *u, bool has_parts, lt_latent_unit *r)
{
    double n = (double)u->mean.n;
    r->kl = has_parts ? u->kl.mean : (double)NAN;
    r->mean_variance = n > 1 ? u->mean.squares / (n - 1) : 0;
    r->mean = u->mean.mean;
    r->variance = u->mean.squares / n + u->variance.mean;
    r->is_active = r->mean_variance > active_variance * (has_parts ? 1 : r->variance);
}

/* Posterior collapse: the codes of all images have the same distribution, as far as this can tell. */
static void find_collapse(lt_diagnosis *r)
{
    double mi = r->mutual_information.value, rate = r->rate.value;
    bool is_small = mi < least_information || (r->active == 0 && mi < least_without_means);
    r->is_collapsed = r->images > 1 && is_small;
    r->reason[0] = 0;
    if (!r->is_collapsed)
        return;
    int n = snprintf(r->reason, sizeof r->reason,
                     "%d of %d latents active, %.2g nats of information about the image in the "
                     "code: ", r->active, r->latent, mi > 0 ? mi : 0);
    if (rate < least_without_means)
        snprintf(r->reason + n, sizeof r->reason - (size_t)n,
                 "at a rate of %.2g nats q(z|x) is the prior for every image, and tells the decoder "
                 "nothing", rate);
    else
        snprintf(r->reason + n, sizeof r->reason - (size_t)n,
                 "q(z|x) is the same for every image, and the rate of %.2f nats is its distance "
                 "from the prior", rate);
}

static void conclude(const diagnosing *d, const lt_model *m, lt_diagnosis *r)
{
    *r = (lt_diagnosis){.images = d->images.n,
                        .latent = (int)d->latent,
                        .has_parts =
                            recipe_has_normal_prior(lt_model_recipe(m)),
                        .rate = tally_estimate(&d->rate, 1),
                        .mutual_information = tally_estimate(&d->information, 1),
                        .most_information = log(d->images.n),
                        .aggregate_kl = tally_estimate(&d->distance, 1),
                        .units = must_alloc(sizeof *r->units * (size_t)d->latent)};
    for (int k = 0; k < r->latent; k++) {
        conclude_unit(&d->units[k], r->has_parts, &r->units[k]);
        r->active += r->units[k].is_active;
    }
    find_collapse(r);
}

static int check(diagnosing *d, const lt_model *m, lt_dataset *data, lt_split split)
{
    LT_TRY(kind_require(lt_model_recipe(m), LT_CAN_BOUND,
                        lt_model_can(m, LT_CAN_ENCODE) ? "rate of its codes" : "code of an image"));
    if (d->o.images < 0)
        return status_fail(LT_VALUE, "diagnosis: expected at least 0 images, found %d", d->o.images);
    LT_TRY(visited_init(&d->images, m, data, split, d->o.images));
    d->batch = d->images.n < BATCH ? d->images.n : BATCH;
    d->draws = d->images.n < MAX_DRAWS ? d->images.n : MAX_DRAWS;
    return LT_OK;
}

int lt_diagnose(lt_model *m, lt_dataset *data, lt_split split, const lt_diagnosis_options *o,
                lt_diagnosis *result)
{
    diagnosing d = {.batch = 0};
    *result = (lt_diagnosis){0};
    if (o)
        d.o = *o;
    double began = seconds_now();
    int status = check(&d, m, data, split);
    if (status == LT_OK)
        status = open_program(&d, m);
    if (status == LT_OK)
        status = make_room(&d);
    if (status == LT_OK)
        status = diagnose_all(&d);
    if (status == LT_OK) {
        conclude(&d, m, result);
        result->seconds = seconds_now() - began;
    }
    release(&d);
    return status;
}

void lt_diagnosis_clear(lt_diagnosis *d)
{
    free(d->units);
    *d = (lt_diagnosis){0};
}
