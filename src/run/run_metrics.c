/* SPDX-License-Identifier: MIT */
/* Reads metrics.jsonl: single numbers by name, and lines as structs. */
#include <latent/runs.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "models/kind.h"
#include "run/metrics.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct lt_run_metrics {
    char *path;        /* of the file */
    lt_recipe *recipe; /* beside the file; NULL: none that can be read */
    json_t *rows;      /* one object for each line */
    lt_epoch_log *lines;
    int n, capacity;
};

/* ---- Lines as structs ---- */

static double real_of(const json_t *o, const char *name)
{
    const json_t *value = json_object_get(o, name);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

/* Returns 0 if the value is not a count: the file may hold any number. */
static int64_t count_of(const json_t *o, const char *name)
{
    const json_t *value = json_object_get(o, name);
    double real = json_is_real(value) ? json_real_value(value) : 0;
    int64_t count = real >= 0 && real < 0x1p63 ? (int64_t)real : 0;
    return json_is_integer(value) ? json_integer_value(value) : count;
}

/* Nullable: recipe. */
static void read_report(const json_t *o, const lt_recipe *recipe, lt_train_report *r)
{
    int n = 0;
    const lt_metric *metrics = recipe ? lt_recipe_metrics(recipe, &n) : NULL;
    report_clear(r);
    r->step = count_of(o, "step");
    r->epoch = count_of(o, "epoch");
    r->images = count_of(o, "images");
    for (int i = 0; i < n; i++)
        r->values[i] = real_of(o, metrics[i].name);
    r->beta = real_of(o, "beta");
    r->beta_first = real_of(o, "beta_first");
    r->capacity = real_of(o, "capacity");
    r->learning_rate = real_of(o, "learning_rate");
    r->seconds = real_of(o, "seconds");
    double rate = real_of(o, "images_per_second") * r->seconds;
    r->images_timed = rate >= 0 && rate < 1e15 ? (int64_t)llround(rate) : 0;
}

static void read_validation(const json_t *o, lt_validation *v)
{
    *v = (lt_validation){.images = count_of(o, "images"),
                         .neg_elbo = real_of(o, "neg_elbo"),
                         .neg_elbo_se = real_of(o, "neg_elbo_se"),
                         .rate = real_of(o, "rate"),
                         .distortion = real_of(o, "distortion"),
                         .squared_error = real_of(o, "squared_error"),
                         .loss = real_of(o, "loss")};
}

/* ---- Opening ---- */

static int take_row(void *user, json_t *object)
{
    lt_run_metrics *m = user;
    m->lines = must_grow(m->lines, m->n, &m->capacity);
    lt_epoch_log *e = &m->lines[m->n++];
    *e = (lt_epoch_log){.train = {.step = 0}};
    read_report(object, m->recipe, &e->train);
    read_validation(json_object_get(object, "valid"), &e->valid);
    return json_array_append(m->rows, object) == 0 ? LT_OK : status_fail(LT_NO_MEMORY, "no memory for a log");
}

/* Finds the log of a run, given its directory, a checkpoint in it, or the log itself. The caller frees it. */
static int find_log(const char *path, char **log)
{
    char *around = lt_run_of_checkpoint(path);
    const char *run = around ? around : path;
    int status = LT_OK;
    *log = file_is_directory(run) ? file_join(run, "metrics.jsonl") : must_copy_text(run);
    if (!file_exists(run))
        status = status_fail(LT_NOT_FOUND, "%s: No such file or directory", run);
    else if (!file_exists(*log))
        status = status_fail(LT_NOT_FOUND, "%s: No such file or directory (not the directory of a run?)", *log);
    free(around);
    return status;
}

static void read_recipe(lt_run_metrics *m)
{
    char *directory = file_directory(m->path), *path = file_join(directory, "recipe.yaml");
    if (file_exists(path))
        lt_recipe_open(path, NULL, 0, &m->recipe);
    free(directory);
    free(path);
}

int lt_run_metrics_open(const char *path, lt_run_metrics **out)
{
    char *log;
    *out = NULL;
    int status = find_log(path, &log);
    if (status == LT_OK) {
        lt_run_metrics *m = must_alloc(sizeof *m);
        *m = (lt_run_metrics){.path = must_copy_text(log), .rows = json_array()};
        read_recipe(m);
        status = metrics_lines(log, true, take_row, m);
        if (status == LT_OK)
            *out = m;
        else
            lt_run_metrics_free(m);
    }
    free(log);
    return status;
}

void lt_run_metrics_free(lt_run_metrics *m)
{
    if (!m)
        return;
    free(m->path);
    lt_recipe_free(m->recipe);
    json_decref(m->rows);
    free(m->lines);
    free(m);
}

/* ---- Access ---- */

int lt_run_metrics_count(const lt_run_metrics *m) { return m->n; }

const char *lt_run_metrics_path(const lt_run_metrics *m) { return m->path; }

const lt_recipe *lt_run_metrics_recipe(const lt_run_metrics *m) { return m->recipe; }

const lt_epoch_log *lt_run_metrics_line(const lt_run_metrics *m, int line)
{
    return line >= 0 && line < m->n ? &m->lines[line] : NULL;
}

double lt_run_metrics_value(const lt_run_metrics *m, int line, const char *name)
{
    const json_t *at = line >= 0 ? json_array_get(m->rows, (size_t)line) : NULL;
    char word[64];
    while (at && *name) {
        size_t n = strcspn(name, ".");
        snprintf(word, sizeof word, "%.*s", (int)n, name);
        at = json_object_get(at, word);
        name += n + (name[n] == '.');
    }
    return json_is_number(at) ? json_number_value(at) : (double)NAN;
}

bool lt_run_metrics_has(const lt_run_metrics *m, const char *name)
{
    for (int i = 0; i < m->n; i++)
        if (!isnan(lt_run_metrics_value(m, i, name)))
            return true;
    return false;
}
