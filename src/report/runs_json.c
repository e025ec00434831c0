/* SPDX-License-Identifier: MIT */
/* Runs and their results as JSON. */
#include "report/json.h"

#include <latent/report.h>

static json_t *result_json(const lt_run_result *r)
{
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:o, s:o, s:I, s:o, s:o, s:I, s:o, s:o}", "checkpoint",
                     r->checkpoint, "digest", r->digest, "split", lt_split_name(r->split), "images",
                     (json_int_t)r->images, "seed", (json_int_t)r->seed, "neg_elbo",
                     json_estimate((lt_estimate){r->neg_elbo, r->neg_elbo_se}), "rate",
                     json_number(r->rate), "nll_samples", (json_int_t)r->nll_samples, "nll",
                     json_estimate((lt_estimate){r->nll, r->nll_se}), "fid", json_number(r->fid),
                     "samples", (json_int_t)r->samples, "kid",
                     json_estimate((lt_estimate){r->kid, r->kid_se}), "distortion",
                     json_number(r->distortion));
}

/* The metrics of its recipe. Nullable: recipe. */
static json_t *last_json(const lt_recipe *recipe, const lt_epoch_log *e)
{
    int n = 0;
    const lt_metric *list = recipe ? lt_recipe_metrics(recipe, &n) : NULL;
    json_t *o = json_pack("{s:I}", "step", (json_int_t)e->train.step);
    for (int i = 0; i < n; i++)
        json_object_set_new(o, list[i].name, json_number(lt_metric_value(&list[i], &e->train)));
    if (e->valid.images > 0)
        json_object_set_new(o, "valid",
                            json_pack("{s:I, s:o, s:o, s:o}", "images", (json_int_t)e->valid.images,
                                      "neg_elbo",
                                      json_estimate((lt_estimate){e->valid.neg_elbo, e->valid.neg_elbo_se}),
                                      "rate", json_number(e->valid.rate), "distortion",
                                      json_number(e->valid.distortion)));
    return o;
}

static json_t *run_json(const lt_run_summary *s)
{
    const lt_recipe *r = s->recipe;
    json_t *results = json_array();
    for (int i = 0; i < s->n_results; i++)
        json_array_append_new(results, result_json(&s->results[i]));
    json_t *o = json_pack("{s:o, s:s, s:I, s:o, s:o, s:o}", "run", json_text(s->directory), "state",
                          lt_run_state_name(s->state), "epochs", (json_int_t)s->epochs, "epochs_wanted",
                          r ? json_integer(s->wanted) : json_null(), "seconds", json_number(s->seconds),
                          "checkpoint", json_text(s->checkpoint));
    if (r)
        json_object_update_new(o, json_pack("{s:s, s:s, s:o, s:I}", "recipe", lt_recipe_name(r), "model",
                                            lt_recipe_kind(r), "data", json_text(lt_recipe_dataset(r)), "seed",
                                            (json_int_t)lt_recipe_seed(r)));
    if (s->problem[0])
        json_object_set_new(o, "problem", json_text(s->problem));
    json_object_set_new(o, "last", s->has_log ? last_json(r, &s->last) : json_null());
    json_object_set_new(o, "results", results);
    return o;
}

char *lt_runs_json(int n, const lt_run_summary *runs)
{
    json_t *list = json_array();
    for (int i = 0; i < n; i++)
        json_array_append_new(list, run_json(&runs[i]));
    return json_take(json_pack("{s:o}", "runs", list));
}
