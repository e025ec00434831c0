/* SPDX-License-Identifier: MIT */
/* divergence.h: how far apart two known distributions are by a trained critic, beside the truth.
 * What GANs rest on, in one or two dimensions: for each theta, q is moved by theta along the first
 * axis, and a critic is trained from the start to tell it from p.
 *
 *     lt_divergence_study s;
 *     if (lt_divergence_run(NULL, &s) == LT_OK)                  // two segments, -1 <= theta <= 1
 *         for (int i = 0; i < s.n; i++)
 *             printf("%s at %.1f: %.3f, in truth %.3f\n", s.rows[i].measure, s.rows[i].theta,
 *                    s.rows[i].found.value, s.rows[i].exact);
 *     lt_divergence_clear(&s);
 */
#ifndef LATENT_DIVERGENCE_H
#define LATENT_DIVERGENCE_H

#include <latent/eval.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { LT_MAX_MEASURES = 16, LT_MAX_THETAS = 1001, LT_DIVERGENCE_CRITICS = 5,
       LT_DIVERGENCE_TAIL = 1000 /* samples that show how heavy a tail is; of fewer there is no error */
};

/* Zero means default. */
typedef struct lt_divergence_options {
    const char *p, *q;           /* lines of the table "distributions", "normal 0 2"; of the same
                                    dimensions. Default: "segment"; q: as p */
    const char *const *measures; /* rows of the table "losses"; default: wasserstein,
                                    squared_hellinger */
    int n_measures;              /* at most LT_MAX_MEASURES */
    double from, to;             /* of theta; default, where points is 0: -1 and 1 */
    int points;                  /* evenly from `from` to `to`, at most LT_MAX_THETAS; default 21;
                                    1: `from` alone */
    int steps;                   /* of training; default 3000 */
    int batch;                   /* draws of p and of q in a step; default 256 */
    int samples;                 /* fresh draws of each that estimates are made of; default 65536 */
    double lr;                   /* of Adam; halfway it begins to fall to 0. Default 0.005 */
    double lambda;               /* weight of the Lipschitz penalty (WGAN-LP) on the critic of
                                    wasserstein; default 10 */
    uint64_t seed;
    lt_run_options run;
} lt_divergence_options;

/* One critic: what it says of fresh draws. */
typedef struct lt_divergence_row {
    double theta;
    const char *measure; /* a static string */
    double exact;        /* by a formula, perhaps infinite; NaN where there is none */
    lt_estimate found;   /* the bound that this critic proves, on fresh samples: in expectation not
                            above the truth. Its error is that of this bound, not of the truth; NaN
                            where the bound is a mean without one, or not known to have one (`tail`):
                            then it may be far off, on either side. wasserstein: of the critic divided by `slope`, if that
                            is above 1 */
    double tail;         /* how heavy the tail of the terms is that the bound is a mean of: the shape
                            k of a Pareto distribution (see lt_evaluation). From 0.5 on their variance
                            is infinite for all that the samples say; NaN: equal, or fewer
                            than LT_DIVERGENCE_TAIL */
    double low, high;    /* of the bounds of LT_DIVERGENCE_CRITICS critics, this one and others from
                            other seeds, trained only where found.se is NaN; else NaN */
    double slope;        /* wasserstein: the largest norm of its gradient between draws of p and q;
                            else NaN */
} lt_divergence_row;

typedef struct lt_divergence_study {
    lt_divergence_row *rows; /* by theta, then in the order of the measures; owned */
    int n;
    double seconds;
} lt_divergence_study;

/* Trains and asks one critic per theta and measure. LT_NOT_FOUND or LT_VALUE for lines that are
   none or numbers out of range; LT_INTERRUPTED when `run.progress` stopped it. *s must be cleared anyway.
   Nullable: o. */
LT_API int lt_divergence_run(const lt_divergence_options *o, lt_divergence_study *s);
LT_API void lt_divergence_clear(lt_divergence_study *s);

/* What `exact` of a row is, at any theta, for measure 0 ... n_measures - 1: for curves. */
LT_API int lt_divergence_exact(const lt_divergence_options *o, int measure, double theta,
                               double *exact);

#ifdef __cplusplus
}
#endif
#endif
