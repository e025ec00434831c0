/* SPDX-License-Identifier: MIT */
/* evaluations.jsonl of a run: appends results and reads them. */
#include <latent/runs.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"
#include "data/entries.h"
#include "run/metrics.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Values of a line ---- */

static double real_of(const json_t *o, const char *name)
{
    const json_t *value = json_object_get(o, name);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static int64_t count_of(const json_t *o, const char *name)
{
    const json_t *value = json_object_get(o, name);
    return json_is_integer(value) ? json_integer_value(value) : 0;
}

static const char *text_of(const json_t *o, const char *name)
{
    const char *value = json_string_value(json_object_get(o, name));
    return value ? value : "";
}

/* ---- Lines ---- */

static char *results_path(const char *dir) { return file_join(dir, "evaluations.jsonl"); }

/* Omits numbers that are not finite: JSON has none. */
static void set_real(json_t *o, const char *name, double value)
{
    if (isfinite(value))
        json_object_set_new(o, name, json_real(value));
}

static json_t *result_json(const lt_run_result *r)
{
    json_t *o = json_pack("{s:s, s:s, s:s, s:I, s:I}", "checkpoint", r->checkpoint, "digest", r->digest,
                          "split", lt_split_name(r->split), "images", (json_int_t)r->images, "seed",
                          (json_int_t)r->seed);
    set_real(o, "neg_elbo", r->neg_elbo);
    set_real(o, "neg_elbo_se", r->neg_elbo_se);
    set_real(o, "rate", r->rate);
    set_real(o, "distortion", r->distortion);
    if (r->nll_samples > 0)
        json_object_set_new(o, "nll_samples", json_integer(r->nll_samples));
    set_real(o, "nll", r->nll);
    set_real(o, "nll_se", r->nll_se);
    if (r->samples > 0)
        json_object_set_new(o, "samples", json_integer(r->samples));
    set_real(o, "fid", r->fid);
    set_real(o, "kid", r->kid);
    set_real(o, "kid_se", r->kid_se);
    if (r->scores[0])
        json_object_set_new(o, "scores", json_string(r->scores));
    return o;
}

int lt_run_record(const char *dir, const lt_run_result *result)
{
    if (!entry_is_run(dir))
        return status_fail(LT_NOT_FOUND, "%s is not a run", dir);
    json_t *o = result_json(result);
    char *line = o ? json_dumps(o, JSON_COMPACT) : NULL, *path = results_path(dir);
    int status = line ? file_append(path, line)
                      : status_fail(LT_VALUE, "%s: cannot write a result whose strings are not UTF-8", path);
    free(path);
    free(line);
    json_decref(o);
    return status;
}

typedef struct result_lines {
    lt_run_result *all;
    int n, capacity;
} result_lines;

static lt_split split_named(const char *name)
{
    for (int i = 0; i < LT_SPLITS; i++)
        if (strcmp(lt_split_name((lt_split)i), name) == 0)
            return (lt_split)i;
    return LT_TEST;
}

static int take_result(void *user, json_t *o)
{
    result_lines *l = user;
    l->all = must_grow(l->all, l->n, &l->capacity);
    lt_run_result *r = &l->all[l->n++];
    *r = (lt_run_result){.split = split_named(text_of(o, "split")),
                         .images = count_of(o, "images"),
                         .seed = count_of(o, "seed"),
                         .neg_elbo = real_of(o, "neg_elbo"),
                         .neg_elbo_se = real_of(o, "neg_elbo_se"),
                         .rate = real_of(o, "rate"),
                         .distortion = real_of(o, "distortion"),
                         .nll_samples = count_of(o, "nll_samples"),
                         .nll = real_of(o, "nll"),
                         .nll_se = real_of(o, "nll_se"),
                         .samples = count_of(o, "samples"),
                         .fid = real_of(o, "fid"),
                         .kid = real_of(o, "kid"),
                         .kid_se = real_of(o, "kid_se")};
    snprintf(r->checkpoint, sizeof r->checkpoint, "%s", text_of(o, "checkpoint"));
    snprintf(r->digest, sizeof r->digest, "%s", text_of(o, "digest"));
    snprintf(r->scores, sizeof r->scores, "%s", text_of(o, "scores"));
    return LT_OK;
}

int lt_run_read_results(const char *dir, lt_run_result **results, int *n)
{
    result_lines l = {.n = 0};
    char *path = results_path(dir);
    int status = file_exists(path) ? metrics_lines(path, false, take_result, &l) : LT_OK;
    free(path);
    *results = l.all;
    *n = l.n;
    return status;
}
