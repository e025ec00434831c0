/* SPDX-License-Identifier: MIT */
/* Scorecards as JSON: one, or several with their differences. */
#include "report/quality_json.h"

#include <math.h>

/* The kind of an estimate of -log p(x) by the logarithm of a mean of weights. */
static const char upper_bound[] = "upper bound on average";

static json_t *bounds_json(const lt_evaluation *e)
{
    json_t *all = json_array();
    for (int i = 0; i < e->n_bounds; i++)
        json_array_append_new(
            all, json_pack("{s:i, s:o, s:o, s:o, s:s}", "k", e->bounds[i].k, "value",
                           json_number(e->bounds[i].value.value), "se",
                           json_number(e->bounds[i].value.se), "ess",
                           json_number(e->bounds[i].ess), "kind", upper_bound));
    return all;
}

static json_t *ais_json(const lt_scorecard *c)
{
    const lt_ais_result *a = &c->ais;
    json_t *o = json_pack("{s:o, s:o, s:i, s:i, s:s, s:o, s:o, s:o, s:s}", "value",
                          json_number(a->nll.value), "se", json_number(a->nll.se), "chains",
                          a->chains, "steps", a->steps, "from",
                          c->is_ais_from_posterior ? "posterior" : "normal", "ess", json_number(a->ess),
                          "acceptance", json_number(a->acceptance), "step_size",
                          json_number(a->step_size), "kind", upper_bound);
    if (c->evaluation.nll_samples > 0)
        json_object_set_new(o, "less_nll", json_estimate(c->ais_less_nll));
    return o;
}

static json_t *codes_json(const lt_diagnosis *d)
{
    json_t *kl = json_array(), *spread = json_array();
    for (int k = 0; k < d->latent; k++) {
        json_array_append_new(kl, json_number(d->units[k].kl));
        json_array_append_new(spread, json_number(d->units[k].mean_variance));
    }
    if (!d->has_parts) {
        json_decref(kl);
        kl = json_null();
    }
    return json_pack("{s:i, s:i, s:o, s:o, s:o, s:b, s:s, s:o, s:o}", "latents", d->latent,
                     "active", d->active, "mutual_information", json_estimate(d->mutual_information),
                     "most_information", json_number(d->most_information), "aggregate_kl",
                     json_estimate(d->aggregate_kl), "collapsed", d->is_collapsed, "reason",
                     d->reason, "kl_per_latent", kl, "mean_variance_per_latent", spread);
}

static json_t *nll_json(const lt_evaluation *e)
{
    return json_pack("{s:i, s:o, s:o, s:o, s:s}", "k", e->nll_samples, "value",
                     json_number(e->nll.value), "se", json_number(e->nll.se), "ess",
                     json_number(e->ess), "kind", upper_bound);
}

static json_t *bounds_and_codes_json(const lt_scorecard *c, const char *run)
{
    const lt_evaluation *e = &c->evaluation;
    json_t *o = json_pack("{s:o, s:s, s:I, s:s, s:o, s:o, s:o, s:o}", "run", json_text(run), "split",
                          lt_split_name(c->split), "images", (json_int_t)e->images, "unit",
                          "nats/image", "neg_elbo", json_estimate(e->neg_elbo), "rate",
                          json_estimate(e->rate), "distortion", json_estimate(e->distortion),
                          "squared_error", json_estimate(e->squared_error));
    if (e->n_bounds > 0)
        json_object_set_new(o, "iwae", bounds_json(e));
    if (e->nll_samples > 0) {
        json_object_set_new(o, "nll", nll_json(e));
        json_object_set_new(o, "neg_elbo_less_nll", json_estimate(c->gap));
    }
    if (isfinite(e->pareto_share))
        json_object_set_new(o, "pareto",
                            json_pack("{s:i, s:o, s:o}", "draws", e->draws, "k",
                                      json_number(e->pareto_k), "bad_share",
                                      json_number(e->pareto_share)));
    if (c->has_ais)
        json_object_set_new(o, "ais", ais_json(c));
    json_object_set_new(o, "bits_per_dim", json_estimate(e->bits_per_dim));
    if (isfinite(e->sigma))
        json_object_set_new(o, "sigma", json_number(e->sigma));
    json_object_set_new(o, "bits_per_dim_kind", json_string(lt_unit_name(e->unit)));
    if (isfinite(e->bits_as_bytes.value))
        json_object_set_new(o, "bits_per_dim_as_bytes", json_estimate(e->bits_as_bytes));
    if (lt_model_can(c->model, LT_CAN_BOUND))
        json_object_set_new(o, "codes", codes_json(&c->codes));
    return o;
}

/* Data and options that differ from the recipe's. */
static json_t *chosen_json(const lt_scorecard *c)
{
    json_t *sets = json_array();
    for (int i = 0; i < c->n_sets; i++)
        json_array_append_new(sets, json_text(c->sets[i]));
    return json_pack("{s:o, s:o}", "data", json_text(c->set), "set", sets);
}

static json_t *scorecard_json(const lt_scorecard *c, const char *run)
{
    json_t *o = c->has_bounds ? bounds_and_codes_json(c, run)
                              : json_pack("{s:o, s:s}", "run", json_text(run), "split", lt_split_name(c->split));
    if (c->data || c->n_sets > 0)
        json_object_set_new(o, "chosen", chosen_json(c));
    if (c->has_quality)
        json_object_set_new(o, "quality", quality_json(&c->quality));
    return o;
}

char *lt_evaluation_json(const lt_scorecard *c, const char *run) { return json_take(scorecard_json(c, run)); }

/* ---- Several ---- */

/* Of data that were asked for instead of the recipes': how their pixels are made. */
static const char *pixels_differ(const lt_scorecard *a, const lt_scorecard *b)
{
    bool is_random = a->options.binarize == LT_BINARIZE_FIXED;
    if (a->size.h != b->size.h || a->size.w != b->size.w || a->size.c != b->size.c)
        return "the images have different sizes or channels";
    if (a->options.binarize != b->options.binarize || (is_random && a->options.seed != b->options.seed))
        return "the pixels are binarized differently";
    return NULL;
}

const char *lt_scorecards_differ(const lt_scorecard *a, const lt_scorecard *b)
{
    const char *why = a->data && b->data
                          ? pixels_differ(a, b)
                          : lt_recipes_differ(lt_model_recipe(a->model), lt_model_recipe(b->model),
                                              LT_NUMBERS_LIKELIHOOD);
    if (!why && a->split != b->split)
        why = "the splits differ";
    if (!why && a->evaluation.images != b->evaluation.images)
        why = "the numbers of images differ";
    if (!why && a->evaluation.unit != b->evaluation.unit)
        why = "the nats have different meanings: probabilities, densities, cross-entropies";
    return why;
}

static json_t *difference_json(const char *run, const lt_scorecard *b, const char *first, const lt_scorecard *a)
{
    const char *why = lt_scorecards_differ(a, b);
    json_t *neg_elbo = why ? json_null()
                           : json_estimate(lt_estimate_mean_difference(b->images.neg_elbo, a->images.neg_elbo,
                                                                       a->evaluation.images));
    json_t *o = json_pack("{s:o, s:o, s:o}", "run", json_text(run), "less", json_text(first), "neg_elbo", neg_elbo);
    if (why)
        json_object_set_new(o, "do_not_compare", json_string(why));
    return o;
}

/* Differences from the first run that has bounds; null where they do not compare. */
static json_t *differences_json(int n, const char *const *runs, const lt_scorecard *cards)
{
    json_t *list = json_array();
    int first = -1;
    for (int i = 0; i < n; i++) {
        if (!cards[i].has_bounds)
            continue;
        if (first >= 0)
            json_array_append_new(list, difference_json(runs[i], &cards[i], runs[first], &cards[first]));
        first = first < 0 ? i : first;
    }
    return list;
}

char *lt_comparison_json(int n, const char *const *runs, const lt_scorecard *cards)
{
    json_t *list = json_array();
    bool has_quality = n > 0;
    for (int i = 0; i < n; i++) {
        json_array_append_new(list, scorecard_json(&cards[i], runs[i]));
        has_quality &= cards[i].has_quality;
    }
    json_t *o = json_pack("{s:s, s:o, s:o}", "split", lt_split_name(n > 0 ? cards[0].split : LT_TEST), "runs", list,
                          "differences", differences_json(n, runs, cards));
    if (has_quality)
        json_object_set_new(o, "digest", json_string(cards[0].quality.digest));
    return json_take(o);
}
