/* SPDX-License-Identifier: MIT */
/* Finds and summarizes runs without opening them. */
#include <latent/runs.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "data/entries.h"
#include "run/run_lock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- One run ---- */

const char *lt_run_state_name(lt_run_state state)
{
    static const char *const names[] = {[LT_RUN_DONE] = "done", [LT_RUN_RUNNING] = "running",
                                        [LT_RUN_STOPPED] = "stopped", [LT_RUN_BROKEN] = "broken"};
    return names[state];
}

/* Keeps the first problem. */
static void note_problem(lt_run_summary *s, const char *problem)
{
    if (s->problem[0])
        return;
    free(s->problem);
    s->problem = must_copy_text(problem);
}

static void read_recipe(lt_run_summary *s)
{
    char *path = file_join(s->directory, "recipe.yaml");
    if (lt_recipe_open(path, NULL, 0, &s->recipe) == LT_OK)
        s->wanted = lt_recipe_train_options(s->recipe)->epochs;
    else
        note_problem(s, lt_last_error());
    free(path);
}

static void find_checkpoint(lt_run_summary *s)
{
    char *dir = file_join(s->directory, "checkpoints"), **names = NULL;
    int n = 0, status = file_is_directory(dir) ? file_list(dir, ".safetensors", &names, &n) : LT_OK;
    if (status != LT_OK)
        note_problem(s, lt_last_error());
    else if (n == 0)
        note_problem(s, "it has no checkpoint");
    s->checkpoint = must_copy_text(n > 0 ? names[n - 1] : "");
    file_list_free(names, n);
    free(dir);
}

/* A run that has not finished an epoch has no log. */
static void read_log(lt_run_summary *s)
{
    lt_run_metrics *m = NULL;
    char *path = file_join(s->directory, "metrics.jsonl");
    if (file_exists(path) && lt_run_metrics_open(path, &m) != LT_OK)
        note_problem(s, lt_last_error());
    int n = m ? lt_run_metrics_count(m) : 0;
    for (int i = 0; i < n; i++) {
        double seconds = lt_run_metrics_line(m, i)->train.seconds;
        s->seconds += isfinite(seconds) ? seconds : 0;
    }
    s->has_log = n > 0;
    if (n > 0) {
        s->last = *lt_run_metrics_line(m, n - 1);
        s->epochs = s->last.train.epoch;
    }
    lt_run_metrics_free(m);
    free(path);
}

static lt_run_state find_state(const lt_run_summary *s)
{
    if (run_is_locked(s->directory))
        return LT_RUN_RUNNING;
    if (s->problem[0])
        return LT_RUN_BROKEN;
    return s->epochs >= s->wanted ? LT_RUN_DONE : LT_RUN_STOPPED;
}

int lt_run_summarize(const char *dir, lt_run_summary *s)
{
    *s = (lt_run_summary){.directory = must_copy_text(dir), .problem = must_copy_text(""),
                          .state = LT_RUN_BROKEN};
    if (!entry_is_run(dir))
        return status_fail(LT_NOT_FOUND, file_exists(dir) ? "%s is not a run" : "%s does not exist", dir);
    read_recipe(s);
    find_checkpoint(s);
    read_log(s);
    if (lt_run_read_results(dir, &s->results, &s->n_results) != LT_OK)
        note_problem(s, lt_last_error());
    s->state = find_state(s);
    return LT_OK;
}

void lt_run_summary_clear(lt_run_summary *s)
{
    free(s->directory);
    free(s->problem);
    free(s->checkpoint);
    free(s->results);
    lt_recipe_free(s->recipe);
    *s = (lt_run_summary){.directory = NULL};
}

const lt_run_result *lt_run_summary_nll(const lt_run_summary *s)
{
    for (int i = s->n_results - 1; i >= 0; i--)
        if (isfinite(s->results[i].nll))
            return &s->results[i];
    return NULL;
}

const lt_run_result *lt_run_summary_fid(const lt_run_summary *s)
{
    for (int i = s->n_results - 1; i >= 0; i--)
        if (isfinite(s->results[i].fid))
            return &s->results[i];
    return NULL;
}

/* ---- Lists of runs ---- */

enum { DEPTH = 3 };

typedef struct finding {
    char **runs;
    int n, capacity;
} finding;

static void add_run(finding *f, const char *dir)
{
    f->runs = must_grow(f->runs, f->n, &f->capacity);
    f->runs[f->n++] = must_copy_text(dir);
}

/* A run contains no runs. Skips directories below the given one that cannot be read. */
static int find_runs(finding *f, const char *dir, int depth)
{
    char **names;
    int n;
    if (entry_is_run(dir)) {
        add_run(f, dir);
        return LT_OK;
    }
    LT_TRY(file_list(dir, NULL, &names, &n));
    for (int i = 0; i < n && depth > 0; i++) {
        char *path = strcmp(dir, ".") == 0 ? must_copy_text(names[i]) : file_join(dir, names[i]);
        if (file_is_directory(path))
            find_runs(f, path, depth - 1);
        free(path);
    }
    file_list_free(names, n);
    return LT_OK;
}

int lt_runs_find(const char *dir, char ***runs, int *n)
{
    finding f = {.n = 0};
    size_t end = strlen(dir);
    while (end > 1 && dir[end - 1] == '/')
        end--;
    char *clean = must_format("%.*s", (int)end, dir);
    int status = !file_exists(clean)         ? status_fail(LT_NOT_FOUND, "%s does not exist", clean)
                 : file_is_directory(clean) ? find_runs(&f, clean, DEPTH)
                                            : status_fail(LT_VALUE, "%s is a file: expected a directory of "
                                                          "runs, or a run", clean);
    free(clean);
    *runs = f.runs;
    *n = f.n;
    return status;
}

void lt_runs_free(char **runs, int n)
{
    for (int i = 0; i < n; i++)
        free(runs[i]);
    free(runs);
}
