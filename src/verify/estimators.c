/* SPDX-License-Identifier: MIT */
/* Estimates of log p(x) on a model with a formula for it: each is compared with the truth and with its
   expectation. */
#include "verify/checks.h"

#include "base/memory.h"
#include "base/status.h"
#include "verify/linear_gaussian.h"

#include <math.h>
#include <stdlib.h>

enum { IMAGES = 200, REPEATS = 12, QUICK_REPEATS = 10 };

static const double wider = 2.25; /* the variance of q(z|x) over that of the posterior */
static const double most_off = 3; /* standard errors */

static const int bounds[] = {1, 5, 50, 500}, samples[] = {10, 100, 1000, 5000};
enum { BOUNDS = COUNT_OF(bounds), SAMPLES = COUNT_OF(samples), ROWS = 1 + BOUNDS + SAMPLES };

typedef struct telling {
    lt_known_estimate_function *on_estimate;
    void *user;
    int failed;
} telling;

void known_estimate_judge(lt_known_estimate *e)
{
    double difference = e->found.value - e->truth;
    e->off = (difference - e->above) / e->found.se;
    e->is_right_side = difference >= -most_off * e->found.se; /* false for NaN */
    e->is_ok = e->is_right_side && fabs(e->off) <= most_off;
}

static int tell(telling *t, lt_known_estimate e)
{
    known_estimate_judge(&e);
    t->failed += !e.is_ok;
    if (t->on_estimate && !t->on_estimate(t->user, &e))
        return status_fail(LT_INTERRUPTED, "verification was stopped");
    return LT_OK;
}

/* ---- Draws from q(z|x) ---- */

/* Computes every estimate with its own samples; the bounds share theirs. */
static int find_once(const linear_gaussian *m, int repeat, double found[ROWS])
{
    lt_evaluation e;
    for (int i = 0; i < SAMPLES; i++) {
        lt_eval_options o = {.nll_samples = samples[i],
                             .iwae = bounds,
                             .n_iwae = i == SAMPLES - 1 ? BOUNDS : 0,
                             .run.threads = 1, /* the model is too small for more */
                             .seed = (uint64_t)(repeat * SAMPLES + i)};
        LT_TRY(lt_evaluate(m->model, m->data, LT_TRAIN, &o, &e));
        found[1 + BOUNDS + i] = e.nll.value;
    }
    found[0] = e.neg_elbo.value;
    for (int i = 0; i < BOUNDS; i++)
        found[1 + i] = e.bounds[i].value.value;
    return LT_OK;
}

static int tell_draws(const linear_gaussian *m, int repeats, telling *t)
{
    double found[ROWS], *values = must_alloc(sizeof *values * (size_t)(ROWS * repeats));
    int status = LT_OK;
    for (int r = 0; r < repeats && status == LT_OK; r++) {
        status = find_once(m, r, found);
        for (int i = 0; i < ROWS; i++)
            values[i * repeats + r] = found[i];
    }
    for (int i = 0; i < ROWS && status == LT_OK; i++) {
        bool is_sampling = i > BOUNDS;
        int k = i == 0 ? 1 : is_sampling ? samples[i - 1 - BOUNDS] : bounds[i - 1];
        const char *name = i == 0 ? "-ELBO" : is_sampling ? "importance sampling" : "IWAE";
        status = tell(t, (lt_known_estimate){
                             .name = name,
                             .draws = k,
                             .truth = m->nll,
                             .found = lt_estimate_mean(values + i * repeats, repeats),
                             .above = linear_gaussian_gap(wider, k)});
    }
    free(values);
    return status;
}

/* ---- Chains ---- */

/* The error is that of the mean over images of each image's difference from its own truth. Of C
   chains with C / ESS - 1 = V the logarithm of the mean weight is V / (2 C) too low. */
static int tell_chains(const linear_gaussian *m, const lt_ais_options *given, telling *t)
{
    double found[IMAGES];
    lt_ais_options o = *given;
    lt_ais_result r;
    o.nll_of = found;
    o.run.threads = 1;
    LT_TRY(lt_ais(m->model, m->data, LT_TRAIN, &o, &r));
    for (int i = 0; i < IMAGES; i++)
        found[i] -= m->nll_of[i];
    lt_estimate difference = lt_estimate_mean(found, IMAGES);
    const char *name = o.from_posterior ? "annealing from q(z|x)" : "annealing from N(0, I)";
    return tell(t, (lt_known_estimate){
                       .name = name,
                       .draws = r.chains,
                       .steps = r.steps,
                       .truth = m->nll,
                       .found = {m->nll + difference.value, difference.se},
                       .above = (r.chains / r.ess - 1) / (2 * r.chains)});
}

static int tell_all(const linear_gaussian *m, bool is_quick, telling *t)
{
    LT_TRY(tell_draws(m, is_quick ? QUICK_REPEATS : REPEATS, t));
    LT_TRY(tell_chains(m, &(lt_ais_options){.chains = 16, .steps = 50}, t));
    if (!is_quick)
        LT_TRY(tell_chains(m, &(lt_ais_options){.chains = 16, .steps = 500}, t));
    return tell_chains(m, &(lt_ais_options){.chains = 16, .steps = 50, .from_posterior = true}, t);
}

int lt_verify_estimators(bool is_quick, lt_known_estimate_function *on_estimate, void *user,
                         int *failed)
{
    telling t = {.on_estimate = on_estimate, .user = user};
    linear_gaussian m;
    int status = linear_gaussian_open(&m, wider, IMAGES);
    if (status == LT_OK)
        status = tell_all(&m, is_quick, &t);
    linear_gaussian_close(&m);
    if (failed)
        *failed = t.failed;
    return status;
}
