/* SPDX-License-Identifier: MIT */
/* Checks of bounds and likelihoods on a model where all are known. */
#include "verify/checks.h"
#include "verify/linear_gaussian.h"

#include "base/status.h"

#include <math.h>
#include <stdio.h>

static const char area[] = "linear Gaussian model";

/* With the true posterior all samples have equal weight: exact for any K. */
static int check_exact(double *worst)
{
    linear_gaussian m;
    int status = linear_gaussian_open(&m, 1, 1000);
    const int samples[] = {1, 7, 50};
    for (int i = 0; status == LT_OK && i < COUNT_OF(samples); i++) {
        lt_evaluation e;
        lt_eval_options o = {.nll_samples = samples[i], .run.threads = 1};
        status = lt_evaluate(m.model, m.data, LT_TRAIN, &o, &e);
        if (status == LT_OK) {
            *worst = fmax(*worst, fabs(e.nll.value - m.nll));
            status = check_near("-log p(x)", e.nll.value, m.nll, 1e-5);
        }
    }
    linear_gaussian_close(&m);
    return status;
}

/* "IWAE, k = 5", "importance sampling, K = 10", "annealing from N(0, I), 16 x 50" */
static void name_estimate(const lt_known_estimate *e, char *name, size_t size)
{
    if (e->steps)
        snprintf(name, size, "%s, %d x %d", e->name, e->draws, e->steps);
    else if (e->name[0] == '-')
        snprintf(name, size, "%s", e->name);
    else
        snprintf(name, size, "%s, %d draws", e->name, e->draws);
}

static bool report_estimate(void *user, const lt_known_estimate *e)
{
    char name[64];
    int status = LT_OK;
    double found = e->found.value - e->truth;
    name_estimate(e, name, sizeof name);
    if (!e->is_right_side)
        status = status_fail(LT_VALUE, "%.5f +- %.5f below -log p(x)", -found, e->found.se);
    else if (!e->is_ok)
        status = status_fail(LT_VALUE, "%.5f +- %.5f above -log p(x), expected %.5f", found,
                             e->found.se, e->above);
    return check_report(user, area, name, status, "%.5f +- %.5f above -log p(x), expected %.5f",
                        found, e->found.se, e->above);
}

void check_estimators(check_run *r)
{
    double worst = 0;
    char text[CHECK_ERROR_SIZE];
    if (check_is_wanted(r, area, "true posterior")) {
        int exact = check_exact(&worst);
        if (!check_report(r, area, "true posterior", exact,
                          "-log p(x) exact with 1, 7 and 50 draws, to %s",
                          check_error_text(worst, text)))
            return;
    }
    if (!check_is_wanted(r, area, "estimates"))
        return;
    int status = lt_verify_estimators(r->o.is_quick, report_estimate, r, NULL);
    if (status != LT_OK && !r->is_stopped)
        check_report(r, area, "estimates", status, "none");
}
