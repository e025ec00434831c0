/* SPDX-License-Identifier: MIT */
/* What a model is worth: bounds, codes and samples, each computed once. */
#include <latent/report.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"

#include <latent/runs.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Columns of images ---- */

enum { COLUMNS = 9 + LT_MAX_BOUNDS };

/* One block holds all columns of numbers; the first one begins it. */
static int allocate_columns(lt_image_scores *s, int64_t n)
{
    double **columns[] = {&s->neg_elbo, &s->rate, &s->distortion, &s->squared_error, &s->nll,
                          &s->ess, &s->pareto_k, &s->ais, &s->ais_ess};
    size_t numbers = (size_t)n + 1;
    double *block = calloc(numbers * COLUMNS, sizeof *block);
    s->index = calloc(2 * numbers, sizeof *s->index);
    if (!block || !s->index) {
        free(block);
        return status_fail(LT_NO_MEMORY, "out of memory for the numbers of %jd images", (intmax_t)n);
    }
    s->label = s->index + numbers;
    for (int i = 0; i < COUNT_OF(columns); i++)
        *columns[i] = block + (size_t)i * numbers;
    for (int i = 0; i < LT_MAX_BOUNDS; i++)
        s->iwae[i] = block + (size_t)(COUNT_OF(columns) + i) * numbers;
    return LT_OK;
}

static void request_columns(const lt_image_scores *s, lt_eval_options *o)
{
    o->neg_elbo_of = s->neg_elbo;
    o->rate_of = s->rate;
    o->distortion_of = s->distortion;
    o->squared_error_of = s->squared_error;
    o->nll_of = s->nll;
    o->ess_of = s->ess;
    o->pareto_k_of = s->pareto_k;
    memcpy(o->iwae_of, s->iwae, sizeof s->iwae);
}

/* Which images of the split these are, and their labels. */
static int identify_images(lt_image_scores *s, const lt_dataset *d, lt_split split, int64_t n)
{
    const lt_dataset_info *info = lt_dataset_describe(d);
    s->n = n;
    for (int64_t i = 0; i < n; i++) {
        s->index[i] = (int32_t)lt_stratified_index(i, n, info->n[split]);
        s->label[i] = -1;
    }
    if (info->has_labels[split])
        LT_TRY(lt_dataset_labels(d, split, s->index, (int)n, s->label));
    for (int64_t i = 0; i < n; i++)
        s->index[i] = (int32_t)lt_dataset_origin(d, split, s->index[i]);
    return LT_OK;
}

/* ---- Computations ---- */

static void begin_phase(const lt_scorecard_options *o, const char *phase)
{
    if (o->on_phase)
        o->on_phase(o->run.user, phase);
}

static lt_estimate difference(bool is_there, const double *x, const double *y, int64_t n)
{
    return is_there ? lt_estimate_mean_difference(x, y, n) : (lt_estimate){(double)NAN, (double)NAN};
}

/* Annealing comes before bounds, because it refuses some models. */
static int find_bounds(lt_model *m, lt_dataset *d, const lt_scorecard_options *o, lt_scorecard *c)
{
    lt_image_scores *each = &c->images;
    lt_diagnosis_options codes = {.images = o->images, .run = o->run, .seed = o->seed};
    lt_ais_options ais = {.chains = o->ais_chains, .steps = o->ais_steps, .from_posterior = o->is_ais_from_posterior,
                          .images = o->images, .nll_of = each->ais, .ess_of = each->ais_ess, .run = o->run,
                          .seed = o->seed};
    lt_eval_options bounds = {.nll_samples = o->nll_samples, .iwae = o->iwae, .n_iwae = o->n_iwae,
                              .images = o->images, .run = o->run, .seed = o->seed};
    request_columns(each, &bounds);
    begin_phase(o, "codes");
    if (!lt_model_can(m, LT_CAN_RECONSTRUCT | LT_CAN_LIKELIHOOD) || lt_model_can(m, LT_CAN_BOUND))
        LT_TRY(lt_diagnose(m, d, c->split, &codes, &c->codes));
    begin_phase(o, "annealing");
    if (c->has_ais)
        LT_TRY(lt_ais(m, d, c->split, &ais, &c->ais));
    begin_phase(o, "bounds");
    LT_TRY(lt_evaluate(m, d, c->split, &bounds, &c->evaluation));
    int64_t n = c->evaluation.images;
    c->gap = difference(o->nll_samples > 0, each->neg_elbo, each->nll, n);
    c->ais_less_nll = difference(c->has_ais && o->nll_samples > 0, each->ais, each->nll, n);
    return identify_images(each, d, c->split, n);
}

static int find_quality(lt_model *m, lt_dataset *d, const lt_scorecard_options *o, lt_scorecard *c)
{
    lt_quality_options q = o->quality;
    q.seed = o->seed;
    q.run = o->run;
    q.run.executor = LT_CPU;
    begin_phase(o, "samples");
    return lt_quality_measure(m, d, c->split, &q, &c->quality);
}

int lt_scorecard_make(lt_model *m, lt_dataset *d, const lt_scorecard_options *options, lt_scorecard *c)
{
    static const lt_scorecard_options defaults = {0};
    const lt_scorecard_options *o = options ? options : &defaults;
    const lt_dataset_info *info = lt_dataset_describe(d);
    bool has_likelihood = lt_model_can(m, LT_CAN_LIKELIHOOD);
    *c = (lt_scorecard){.model = m, .split = lt_dataset_split(d, o->split), .options = info->options,
                        .size = {info->h, info->w, info->c}, .data = o->data, .sets = o->sets, .n_sets = o->n_sets,
                        .seed = (int64_t)o->seed, .has_ais = o->ais_chains > 0,
                        .is_ais_from_posterior = o->is_ais_from_posterior};
    snprintf(c->set, sizeof c->set, "%s", info->name);
    bool is_asked = o->with_bounds || o->nll_samples > 0 || o->n_iwae > 0 || c->has_ais;
    c->has_bounds = has_likelihood || (is_asked && !o->is_lenient);
    c->has_quality = o->with_quality || (!has_likelihood && !o->is_lenient);
    c->has_ais &= c->has_bounds;
    LT_TRY(c->has_bounds ? allocate_columns(&c->images, info->n[c->split]) : LT_OK);
    LT_TRY(c->has_bounds ? find_bounds(m, d, o, c) : LT_OK);
    return c->has_quality ? find_quality(m, d, o, c) : LT_OK;
}

void lt_scorecard_clear(lt_scorecard *c)
{
    lt_diagnosis_clear(&c->codes);
    free(c->images.neg_elbo);
    free(c->images.index);
    *c = (lt_scorecard){.model = NULL};
}

/* ---- What is kept ---- */

int lt_scorecard_record(const lt_scorecard *c, const char *run, const char *checkpoint, const char *digest)
{
    const double none = (double)NAN;
    const lt_evaluation *e = &c->evaluation;
    if (c->data || c->n_sets > 0 || !file_is_directory(run))
        return LT_OK;
    bool has_nll = c->has_bounds && e->nll_samples > 0;
    lt_run_result r = {.split = c->split, .seed = c->seed,
                       .images = c->has_bounds ? e->images : 0,
                       .neg_elbo = c->has_bounds ? e->neg_elbo.value : none,
                       .neg_elbo_se = c->has_bounds ? e->neg_elbo.se : none,
                       .rate = c->has_bounds ? e->rate.value : none,
                       .distortion = c->has_bounds ? e->distortion.value : none,
                       .nll_samples = has_nll ? e->nll_samples : 0,
                       .nll = has_nll ? e->nll.value : none, .nll_se = has_nll ? e->nll.se : none,
                       .samples = c->has_quality ? c->quality.images : 0,
                       .fid = c->has_quality ? c->quality.samples.fid : none,
                       .kid = c->has_quality ? c->quality.samples.kid.value : none,
                       .kid_se = c->has_quality ? c->quality.samples.kid.se : none};
    const char *slash = strrchr(checkpoint, '/');
    snprintf(r.checkpoint, sizeof r.checkpoint, "%s", slash ? slash + 1 : checkpoint);
    snprintf(r.digest, sizeof r.digest, "%s", digest);
    snprintf(r.scores, sizeof r.scores, "%s", c->has_quality ? c->quality.digest : "");
    return lt_run_record(run, &r);
}
