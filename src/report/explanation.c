/* SPDX-License-Identifier: MIT */
/* Finds the numbers of a run, and the ledger that explains them. */
#include <latent/report.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "report/json.h"

#include <latent/runs.h>

#include <math.h>
#include <stdlib.h>

/* ---- What was measured ---- */

/* Takes what line i of the log has. */
static void take_line(lt_explanation *e, const lt_run_metrics *m, int i)
{
    const lt_epoch_log *line = lt_run_metrics_line(m, i);
    if (isfinite(lt_run_metrics_value(m, i, "epoch")))
        e->trained = line->train;
    bool has_bound = lt_model_can(e->model, LT_CAN_BOUND);
    if (!isfinite(has_bound ? line->valid.neg_elbo : line->valid.distortion))
        return;
    if (line->valid.images < 1) {
        log_warning("%s, line %d: expected a count of images, found %g; not used", lt_run_metrics_path(m), i + 1,
                    lt_run_metrics_value(m, i, "valid.images"));
        return;
    }
    e->found = line->valid;
    e->epoch = line->train.epoch;
}

/* The last validation of the run's log; none where there is no log, as beside a checkpoint. */
static int read_metrics(lt_explanation *e, const char *run)
{
    lt_run_metrics *m;
    char *path = file_join(run, "metrics.jsonl");
    int status = file_exists(path) ? lt_run_metrics_open(path, &m) : LT_NOT_FOUND;
    for (int i = 0; status == LT_OK && i < lt_run_metrics_count(m); i++)
        take_line(e, m, i);
    if (status == LT_OK)
        lt_run_metrics_free(m);
    free(path);
    return status == LT_NOT_FOUND ? LT_OK : status;
}

static int make_ledger(lt_explanation *e)
{
    lt_ledger_facts facts = {.data = e->data ? lt_dataset_describe(e->data) : NULL,
                             .found = &e->found,
                             .trained = e->trained.epoch ? &e->trained : NULL};
    return lt_ledger_make(e->model, &facts, &e->ledger);
}

/* The validation, made now: no number is at hand. */
static int validate(lt_explanation *e, const lt_run_options *run)
{
    return lt_validate(e->model, e->data, e->split, &(lt_eval_options){.run = *run}, NULL, &e->found);
}

/* The numbers of the split that is asked for. */
static int evaluate(lt_explanation *e, const char *run, const lt_explain_options *o)
{
    if (!lt_model_can(e->model, LT_CAN_LIKELIHOOD))
        return status_fail(LT_UNSUPPORTED, "%s has no likelihood, so there is nothing to evaluate", run);
    lt_evaluation found;
    if (!e->data)
        LT_TRY(lt_model_open_data(e->model, o->data, NULL, 0, &e->data));
    LT_TRY(lt_model_check_data(e->model, e->data));
    lt_split split = lt_dataset_split(e->data, o->split);
    int all = lt_dataset_describe(e->data)->n[split];
    lt_eval_options how = {.images = o->images < all ? o->images : 0, .seed = o->seed, .run = o->run};
    LT_TRY(lt_evaluate(e->model, e->data, split, &how, &found));
    return lt_explanation_use(e, &found, split);
}

/* The data are needed only where nothing has been measured yet. */
static int find_numbers(lt_explanation *e, const lt_explain_options *o)
{
    bool has_likelihood = lt_model_can(e->model, LT_CAN_LIKELIHOOD);
    int status = lt_model_open_data(e->model, o->data, NULL, 0, &e->data);
    e->split = e->data && has_likelihood ? lt_dataset_split(e->data, LT_VALID) : LT_VALID;
    if (status == LT_OK && has_likelihood && e->epoch == 0 && !o->with_split)
        status = validate(e, &o->run);
    else if (status != LT_OK && e->epoch > 0)
        status = LT_OK;
    if (e->epoch == 0 && !has_likelihood)
        e->found.neg_elbo = e->found.neg_elbo_se = (double)NAN;
    return has_likelihood ? status : LT_OK;
}

int lt_explain(const char *run, const lt_explain_options *options, lt_explanation *e)
{
    static const lt_explain_options defaults = {0};
    const lt_explain_options *o = options ? options : &defaults;
    *e = (lt_explanation){.split = LT_VALID};
    LT_TRY(lt_run_model(run, &e->checkpoint, e->digest, &e->model));
    LT_TRY(read_metrics(e, run));
    if (o->data) /* what was measured was another's */
        e->epoch = 0;
    LT_TRY(find_numbers(e, o));
    return o->with_split ? evaluate(e, run, o) : make_ledger(e);
}

int lt_explanation_use(lt_explanation *e, const lt_evaluation *found, lt_split split)
{
    e->found = (lt_validation){.images = found->images,
                               .neg_elbo = found->neg_elbo.value,
                               .neg_elbo_se = found->neg_elbo.se,
                               .rate = found->rate.value,
                               .distortion = found->distortion.value,
                               .squared_error = found->squared_error.value,
                               .loss = (double)NAN};
    e->epoch = 0;
    e->split = split;
    return make_ledger(e);
}

void lt_explanation_clear(lt_explanation *e)
{
    lt_dataset_free(e->data);
    lt_model_free(e->model);
    free(e->checkpoint);
    *e = (lt_explanation){.split = LT_VALID};
}

/* ---- As JSON ---- */

/* Numbers of a model without a likelihood are not nats. */
static json_t *terms_json(const lt_ledger *l, const lt_ledger_term *of, int n)
{
    json_t *terms = json_array();
    for (int i = 0; i < n; i++) {
        const lt_ledger_term *t = &of[i];
        json_array_append_new(terms,
                              json_pack("{s:s, s:o, s:b, s:s}", "name", t->name,
                                        l->has_likelihood ? "nats" : "value", json_number(t->nats),
                                        "is_sum", t->is_sum, "text", t->text));
    }
    return terms;
}

static json_t *published_json(const lt_ledger *l)
{
    json_t *rows = json_array();
    const lt_published *p;
    for (int i = 0; (p = lt_published_get(i)) != NULL; i++) {
        const char *why = lt_published_differs(p, l);
        json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:f, s:s, s:b}", "images",
                                p->images, "pixels", lt_pixels_name(p->pixels), "model", p->model,
                                "estimator", p->is_elbo ? "elbo" : "nll", "k", p->samples, "split",
                                lt_split_name(p->split), "nats", p->nats, "source", p->source,
                                "comparable", why == NULL);
        if (p->epochs)
            json_object_set_new(row, "epochs", json_integer(p->epochs));
        json_object_set_new(row, "same_objective", json_boolean(lt_published_is_like(p, l)));
        if (why)
            json_object_set_new(row, "because", json_string(why));
        json_array_append_new(rows, row);
    }
    return rows;
}

char *lt_explanation_json(const lt_explanation *e)
{
    const lt_ledger *l = &e->ledger;
    json_t *notes = json_array();
    for (int i = 0; i < l->n_notes; i++)
        json_array_append_new(notes, json_string(l->notes[i]));
    json_t *o =
        json_pack("{s:o, s:s, s:s, s:I, s:b, s:s, s:s, s:s, s:i, s:s, s:I, s:o, s:o, s:o, s:o}",
                  "checkpoint", json_text(e->checkpoint), "set", l->set, "pixels", lt_pixels_name(l->pixels),
                  "dimensions", (json_int_t)l->dimensions, "has_likelihood", l->has_likelihood,
                  "likelihood", l->likelihood, "prior", l->prior, "objective", l->objective,
                  "layers", l->layers, "bound", l->bound, "draws", (json_int_t)l->draws, "sigma",
                  json_number(l->sigma), "constant", json_number(l->constant), "beta",
                  json_number(l->beta), "capacity", json_number(l->capacity));
    json_t *measured = json_pack(
        "{s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "split", lt_split_name(e->split), "images",
        (json_int_t)e->found.images, "epoch", (json_int_t)e->epoch, "neg_elbo",
        json_estimate((lt_estimate){l->neg_elbo, e->found.neg_elbo_se}), "bits_per_dim",
        json_pack("{s:o, s:s?}", "value", json_number(l->bits_per_dim), "kind",
                  l->has_likelihood ? lt_unit_name(l->unit) : NULL),
        "minimized", terms_json(l, l->minimized, l->n_minimized), "terms",
        terms_json(l, l->terms, l->n_terms), "notes", notes, "published", published_json(l));
    json_object_update(o, measured);
    json_decref(measured);
    return json_take(o);
}
