/* SPDX-License-Identifier: MIT */
/* Checks of trained critics against a known answer: two segments of length 1, theta apart.
   This tests losses, the penalty, gradients of gradients, Adam and sampling together. */
#include "verify/checks.h"

#include "base/status.h"

#include <latent/divergence.h>

#include <math.h>

/* W1 is |theta|; the integral of (sqrt p - sqrt q)^2 is 2 if the segments do not overlap. */
static double truth_of(int measure, double theta)
{
    return measure == 0 ? fabs(theta) : theta != 0 ? 2 : 0;
}

static int check_measure(const lt_divergence_study *s, int measure, double *worst)
{
    int status = LT_OK;
    for (int i = measure; i < s->n; i += 2) {
        const lt_divergence_row *r = &s->rows[i];
        double want = truth_of(measure, r->theta), off = fabs(r->found.value - want);
        if (!(off <= 0.03) && status == LT_OK)
            status = status_fail(LT_VALUE, "theta %g: expected %g +- 0.03, found %.4f", r->theta,
                                 want, r->found.value);
        *worst = fmax(*worst, off);
    }
    return status;
}

void check_critics(check_run *r)
{
    static const char *const measures[] = {"wasserstein", "squared_hellinger"};
    static const char *const names[] = {"Wasserstein distance of segments",
                                        "squared Hellinger distance of segments"};
    const lt_divergence_options o = {
        .measures = measures, .n_measures = 2, .from = -1, .to = 1,
        .points = r->o.is_quick ? 3 : 5, .steps = 1500, .samples = 8192};
    bool is_wanted = false;
    for (int i = 0; i < 2; i++)
        is_wanted |= check_is_wanted(r, "critics", names[i]);
    if (!is_wanted)
        return;
    lt_divergence_study s;
    int ran = lt_divergence_run(&o, &s);
    for (int i = 0; i < 2; i++) {
        double worst = 0;
        int status = ran == LT_OK ? check_measure(&s, i, &worst) : ran;
        if (!check_report(r, "critics", names[i], status, "%d of them, off by at most %.4f",
                          o.points, worst))
            break;
    }
    lt_divergence_clear(&s);
}
