/* SPDX-License-Identifier: MIT */
/* Finds the numbers of a run, and the ledger that says what they are. */
#include "explanation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- What was measured ---- */

/* Takes what line i of the log has. */
static void take_line(explanation *e, const lt_run_metrics *m, int i)
{
    const lt_epoch_log *line = lt_run_metrics_line(m, i);
    if (isfinite(lt_run_metrics_value(m, i, "epoch")))
        e->report = line->train;
    bool has_bound = lt_model_can(e->t.model, LT_CAN_BOUND);
    if (!isfinite(has_bound ? line->valid.neg_elbo : line->valid.distortion))
        return;
    if (line->valid.images < 1) {
        say("warning: %s, line %d: expected a count of images, found %g; not used", lt_run_metrics_path(m), i + 1,
            lt_run_metrics_value(m, i, "valid.images"));
        return;
    }
    e->found = line->valid;
    e->epoch = line->train.epoch;
}

/* The last validation of the run's log; none where there is no log, as beside a checkpoint. */
static int read_metrics(explanation *e)
{
    lt_run_metrics *m;
    struct stat s;
    char *path = path_in(e->run, "metrics.jsonl");
    int status = stat(path, &s) == 0 ? lt_run_metrics_open(path, &m) : LT_NOT_FOUND;
    for (int i = 0; status == LT_OK && i < lt_run_metrics_count(m); i++)
        take_line(e, m, i);
    if (status == LT_OK)
        lt_run_metrics_free(m);
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
    return lt_validate(e->t.model, e->t.data, e->split, &(lt_eval_options){.run.progress = go_on}, NULL,
                       &e->found);
}

/* The data is needed only where nothing has been measured yet. */
static int open_data(explanation *e, const char *data)
{
    int status = lt_model_open_data(e->t.model, data, NULL, 0, &e->t.data);
    e->has_data = status == LT_OK;
    bool is_measured = e->has_data && lt_model_can(e->t.model, LT_CAN_LIKELIHOOD);
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
    bool has_likelihood = lt_model_can(e->t.model, LT_CAN_LIKELIHOOD);
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
