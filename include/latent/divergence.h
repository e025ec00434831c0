/* SPDX-License-Identifier: MIT */
/* divergence.h: the divergence of two known distributions, estimated by a trained critic and compared with the truth.
 * The principle of GANs in one or two dimensions: for each theta, q is shifted by theta along the first
 * axis, and a new critic is trained to tell it from p.
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
       LT_DIVERGENCE_TAIL = 1000 /* samples needed to estimate a tail; with fewer there is no error */
};

/* Zero means default. */
typedef struct lt_divergence_options {
    const char *p, *q;           /* distributions (latent list distributions), "normal 0 2", of the same
                                    dimensions. Default: "segment"; q: like p */
    const char *const *measures; /* losses (latent list losses); default: wasserstein, squared_hellinger */
    int n_measures;              /* at most LT_MAX_MEASURES */
    double from, to;             /* range of theta; default if points is 0: -1 and 1 */
    int points;                  /* evenly from `from` to `to`, at most LT_MAX_THETAS; default 21;
                                    1: `from` only */
    int steps;                   /* of training; default 3000 */
    int batch;                   /* samples of p and of q per step; default 256 */
    int samples;                 /* fresh samples of each for the estimates; default 65536 */
    double lr;                   /* of Adam; decays to 0 over the second half. Default 0.005 */
    double lambda;               /* weight of the Lipschitz penalty (WGAN-LP) on the critic of
                                    wasserstein; default 10 */
    uint64_t seed;
    lt_run_options run;
} lt_divergence_options;

/* The estimate of one critic from fresh samples. */
typedef struct lt_divergence_row {
    double theta;
    const char *measure; /* a static string */
    double exact;        /* by a formula, may be infinite; NaN: no formula */
    lt_estimate found;   /* lower bound given by this critic on fresh samples: in expectation not above the truth.
                            The error is that of the bound, not of the truth. It is NaN if the terms of the mean
                            have, or may have, infinite variance (see `tail`): the bound may then be far off in
                            either direction. wasserstein: the critic is divided by `slope` if that is above 1 */
    double tail;         /* tail shape k of the terms of the bound, of a Pareto distribution (see lt_evaluation).
                            From 0.5 on their variance is probably infinite. NaN: the terms are equal, or fewer than
                            LT_DIVERGENCE_TAIL */
    double low, high;    /* range of the bounds of LT_DIVERGENCE_CRITICS critics with different seeds, trained only
                            if found.se is NaN; else NaN */
    double slope;        /* wasserstein: largest gradient norm of the critic between samples of p and q; else NaN */
} lt_divergence_row;

typedef struct lt_divergence_study {
    lt_divergence_row *rows; /* by theta, then in the order of the measures; owned */
    int n, n_measures;       /* rows; rows per theta */
    const char *p, *q;       /* the distributions; those of the options are borrowed */
    double from, to;         /* range of theta */
    double seconds;
} lt_divergence_study;

/* Trains and evaluates one critic per theta and measure. Returns LT_NOT_FOUND or LT_VALUE for unknown distributions or
   measures and for numbers out of range; LT_INTERRUPTED if `run.progress` stopped it. Clear *s in any case.
   Nullable: o. */
LT_API int lt_divergence_run(const lt_divergence_options *o, lt_divergence_study *s);
LT_API void lt_divergence_clear(lt_divergence_study *s);

/* Computes `exact` of a row at any theta, for measure 0 ... n_measures - 1, for curves. */
LT_API int lt_divergence_exact(const lt_divergence_options *o, int measure, double theta,
                               double *exact);

#ifdef __cplusplus
}
#endif
#endif
