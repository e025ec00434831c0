/* SPDX-License-Identifier: MIT */
/* What a report knows of a run: its checkpoint, how it was trained, what it is worth. */
#include "report/report_parts.h"

#include "base/file.h"
#include "base/memory.h"

#include <latent/runs.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MAX_SETS = 32 };

/* ---- The command ---- */

/* "key=value" of each value that differs, freed by the caller; how many, -1 where they do not have the same keys. */
static int find_sets(const lt_recipe *base, const lt_recipe *r, char *sets[MAX_SETS])
{
    lt_recipe_change *changes;
    int n, status = lt_recipe_diff(base, r, &changes, &n);
    bool fits = status == LT_OK && n <= MAX_SETS;
    for (int i = 0; fits && i < n; i++)
        fits = changes[i].then && changes[i].now;
    for (int i = 0; fits && i < n; i++) {
        sets[i] = must_format("%s=%s", changes[i].key, changes[i].now);
    }
    free(changes);
    return fits ? n : -1;
}

/* The sets that make the run's recipe of the preset that it is named after, tried out; -1: none. */
static int sets_of_preset(const lt_recipe *r, char *sets[MAX_SETS])
{
    const char *name = lt_recipe_name(r);
    lt_recipe *preset = NULL, *again = NULL;
    int n = -1;
    for (int i = 0; i < lt_preset_count(); i++)
        if (strcmp(lt_preset_name(i), name) == 0)
            lt_recipe_open(name, NULL, 0, &preset);
    if (preset)
        n = find_sets(preset, r, sets);
    if (n >= 0)
        lt_recipe_open(name, (const char *const *)sets, n, &again);
    if (again && strcmp(lt_recipe_text(again), lt_recipe_text(r)) != 0)
        n = -1;
    n = again ? n : -1;
    lt_recipe_free(preset);
    lt_recipe_free(again);
    return n;
}

void report_put_training(page *p, const report_run *r, bool *needs_recipe)
{
    const lt_recipe *recipe = lt_model_recipe(r->e.model);
    char *sets[MAX_SETS] = {NULL};
    int n = sets_of_preset(recipe, sets);
    page_html(p, "train ");
    page_word(p, n >= 0 ? lt_recipe_name(recipe) : "recipe.yaml");
    for (int i = 0; i < n; i++) {
        page_html(p, " -s ");
        page_word(p, sets[i]);
    }
    for (int i = 0; i < MAX_SETS; i++)
        free(sets[i]);
    *needs_recipe = n < 0;
}

const char *report_kind(const report_run *r)
{
    return lt_recipe_kind_title(lt_model_recipe(r->e.model));
}

/* ---- Numbers ---- */

static int make_card(report_run *r, const lt_report_options *q, int images, int nll_samples)
{
    lt_scorecard_options o = {.split = r->split, .images = images, .nll_samples = nll_samples, .is_lenient = true,
                              .with_quality = q->with_quality && lt_model_can(r->e.model, LT_CAN_SAMPLE),
                              .quality.samples = q->quality_samples, .seed = q->seed, .run = q->run};
    return lt_scorecard_make(r->e.model, r->e.data, &o, &r->card);
}

/* -ELBO and its parts are of all images, or as many as are asked for; bounds of many samples and codes of fewer. */
static int measure_bounds(report_run *r, const lt_report_options *q)
{
    enum { CARD_IMAGES = 1000 };
    int all = lt_dataset_describe(r->e.data)->n[r->split], wanted = q->images ? q->images : CARD_IMAGES;
    int images = wanted < all ? wanted : 0;
    lt_eval_options whole = {.images = q->images ? images : 0, .seed = q->seed, .run = q->run};
    LT_TRY(lt_evaluate(r->e.model, r->e.data, r->split, &whole, &r->whole));
    LT_TRY(make_card(r, q, images, q->nll_samples));
    return lt_explanation_use(&r->e, &r->whole, r->split);
}

/* Of a model that bounds nothing: the numbers of its ledger. */
static int measure_reconstruction(report_run *r, const lt_report_options *q)
{
    int all = lt_dataset_describe(r->e.data)->n[r->split];
    lt_eval_options o = {.images = q->images && q->images < all ? q->images : 0, .seed = q->seed,
                         .run = q->run};
    LT_TRY(lt_evaluate(r->e.model, r->e.data, r->split, &o, &r->whole));
    return lt_explanation_use(&r->e, &r->whole, r->split);
}

static int measure(report_run *r, const lt_report_options *q)
{
    r->split = lt_dataset_split(r->e.data, LT_TEST);
    if (lt_model_can(r->e.model, LT_CAN_BOUND))
        return measure_bounds(r, q);
    if (lt_model_can(r->e.model, LT_CAN_LIKELIHOOD))
        return measure_reconstruction(r, q);
    return make_card(r, q, 0, 0);
}

static bool has_log(const char *run)
{
    char *path = file_join(run, "metrics.jsonl");
    struct stat s;
    bool is_there = stat(path, &s) == 0 && s.st_size > 0;
    free(path);
    return is_there;
}

int report_open(report_run *r, const lt_report_options *q, const char *path)
{
    *r = (report_run){.path = path, .name = lt_run_name(path), .has_log = has_log(path)};
    LT_TRY(lt_explain(path, &(lt_explain_options){.data = q->data, .run = q->run}, &r->e));
    if (!r->e.data) {
        snprintf(r->no_data, sizeof r->no_data, "%s", lt_last_error());
        return LT_OK;
    }
    LT_TRY(lt_model_check_data(r->e.model, r->e.data));
    return measure(r, q);
}

void report_close(report_run *r)
{
    lt_scorecard_clear(&r->card);
    lt_explanation_clear(&r->e);
    free(r->name);
    *r = (report_run){.path = NULL};
}
