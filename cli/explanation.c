/* SPDX-License-Identifier: MIT */
/* Finds the numbers of a run, and the ledger that says what they are. */
#include "explanation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- What was measured ---- */

static double number_of(const json_t *o, const char *name)
{
    const json_t *value = json_object_get(o, name);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

/* -ELBO of a validation: earlier versions wrote the ELBO, with its own sign. */
static double neg_elbo_of(const json_t *valid)
{
    double now = number_of(valid, "neg_elbo");
    return isnan(now) ? -number_of(valid, "elbo") : now;
}

static double neg_elbo_se_of(const json_t *valid)
{
    double now = number_of(valid, "neg_elbo_se");
    return isnan(now) ? number_of(valid, "elbo_se") : now;
}

/* A count; -1 where it is none, since a file may hold any number. */
static int64_t count_of(const json_t *o, const char *name)
{
    const json_t *value = json_object_get(o, name);
    double real = json_is_real(value) ? json_real_value(value) : -1;
    int64_t count = real >= 0 && real < 0x1p63 ? (int64_t)real : -1;
    return json_is_integer(value) ? json_integer_value(value) : count;
}

/* Takes what a line of metrics.jsonl has. */
static void take_line(explanation *e, int number, const char *line)
{
    json_t *o = json_loads(line, 0, NULL);
    const json_t *valid = json_object_get(o, "valid");
    if (json_is_number(json_object_get(o, "epoch")))
        e->report = (lt_train_report){.step = count_of(o, "step"),
                                      .epoch = count_of(o, "epoch"),
                                      .images = count_of(o, "images"),
                                      .loss = number_of(o, "loss"),
                                      .rate = number_of(o, "rate"),
                                      .distortion = number_of(o, "distortion"),
                                      .weighted_rate = number_of(o, "weighted_rate"),
                                      .beta = number_of(o, "beta"),
                                      .beta_first = number_of(o, "beta_first"),
                                      .critic_loss = number_of(o, "critic_loss"),
                                      .generator_loss = number_of(o, "generator_loss"),
                                      .d_real = number_of(o, "d_real"),
                                      .d_fake = number_of(o, "d_fake"),
                                      .penalty = number_of(o, "penalty"),
                                      .gradient_norm = number_of(o, "gradient_norm"),
                                      .estimate = number_of(o, "estimate"),
                                      .spread = number_of(o, "spread")};
    bool is_validation = isfinite(neg_elbo_of(valid));
    if (is_validation && count_of(valid, "images") < 1)
        say("warning: %s/metrics.jsonl, line %d: expected a count of images, found %g; not used",
            e->run, number, number_of(valid, "images"));
    else if (is_validation) {
        e->found = (lt_validation){.images = count_of(valid, "images"),
                                   .loss = number_of(valid, "loss"),
                                   .neg_elbo = neg_elbo_of(valid),
                                   .neg_elbo_se = neg_elbo_se_of(valid),
                                   .rate = number_of(valid, "rate"),
                                   .distortion = number_of(valid, "distortion"),
                                   .squared_error = number_of(valid, "squared_error")};
        e->epoch = count_of(o, "epoch");
    }
    json_decref(o);
}

/* The last validation in RUN/metrics.jsonl; none where there is no such file, as beside a checkpoint. */
static int read_metrics(explanation *e)
{
    char *path = path_in(e->run, "metrics.jsonl"), **lines;
    int n, status = lt_metrics_read(path, &lines, &n);
    for (int i = 0; i < n; i++)
        take_line(e, i + 1, lines[i]);
    lt_metrics_free(lines, n);
    free(path);
    return status == LT_NOT_FOUND ? LT_OK : status;
}

static bool go_on(void *user, double done)
{
    (void)user, (void)done;
    return !is_stopped();
}

static int evaluate(explanation *e)
{
    watch_signals();
    return lt_validate(e->t.model, e->t.data, e->split, &(lt_eval_options){.progress = go_on}, NULL,
                       &e->found);
}

/* The data is needed only where nothing has been measured yet. */
static int open_data(explanation *e, const char *data)
{
    int status = lt_model_open_data(e->t.model, data, NULL, 0, &e->t.data);
    e->has_data = status == LT_OK;
    bool is_measured = e->has_data && lt_model_has_likelihood(e->t.model);
    e->split = is_measured ? lt_dataset_split(e->t.data, LT_VALID) : LT_VALID;
    return status == LT_OK || e->epoch > 0 ? LT_OK : status;
}

static int make_ledger(explanation *e)
{
    lt_ledger_facts facts = {.data = e->has_data ? lt_dataset_describe(e->t.data) : NULL,
                             .found = &e->found,
                             .trained = e->report.epoch ? &e->report : NULL};
    return lt_ledger_make(&e->ledger, e->t.model, &facts);
}

int explanation_find(explanation *e, const char *data)
{
    LT_TRY(trained_open(&e->t, e->run, false, NULL));
    LT_TRY(read_metrics(e));
    if (data) /* what was measured was another's */
        e->epoch = 0;
    bool has_likelihood = lt_model_has_likelihood(e->t.model);
    int status = open_data(e, data);
    if (has_likelihood && status == LT_OK && e->epoch == 0)
        status = evaluate(e);
    if (has_likelihood)
        LT_TRY(status);
    if (e->epoch == 0 && !has_likelihood)
        e->found.neg_elbo = e->found.neg_elbo_se = (double)NAN;
    return make_ledger(e);
}

int explanation_take(explanation *e, const lt_evaluation *found, lt_split split)
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

/* ---- Published numbers ---- */

kept_away count_kept_away(const lt_ledger *l, const lt_published *p, const char *why)
{
    kept_away a = {.first = -1, .low = HUGE_VAL, .high = -HUGE_VAL};
    const lt_published *q;
    for (int i = 0; (q = lt_published_get(i)) != NULL; i++) {
        const char *its = lt_published_differs(q, l);
        if (!its || strcmp(its, why) != 0 || strcmp(q->images, p->images) != 0)
            continue;
        a.first = a.n++ ? a.first : i;
        a.low = fmin(a.low, q->nats);
        a.high = fmax(a.high, q->nats);
    }
    return a;
}

void explanation_round(const lt_ledger_term *terms, int n, double shown[LT_LEDGER_TERMS])
{
    double *parts[LT_LEDGER_TERMS], before = 0; /* the sum above, which the next begins with */
    int n_parts = 0;
    for (int i = 0; i < n; i++) {
        shown[i] = terms[i].nats;
        if (!terms[i].is_sum) {
            parts[n_parts++] = &shown[i];
            continue;
        }
        shown[i] -= n_parts > 0 ? before : 0;
        round_parts(parts, n_parts, &shown[i], 2);
        shown[i] += n_parts > 0 ? before : 0;
        before = shown[i];
        n_parts = 0;
    }
}
