/* SPDX-License-Identifier: MIT */
/* eval.h: what a trained model is worth, in nats per image with standard errors.
 *
 *     lt_evaluation e;
 *     lt_evaluate(model, data, LT_TEST, &(lt_eval_options){.nll_samples = 200}, &e);
 *     printf("-ELBO %.2f +- %.2f\n", -e.elbo.value, e.elbo.se);
 */
#ifndef LATENT_EVAL_H
#define LATENT_EVAL_H

#include <latent/data.h>
#include <latent/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A mean over images and its standard error. */
typedef struct lt_estimate {
    double value, se;
} lt_estimate;

typedef struct lt_eval_options {
    int nll_samples; /* K of the importance-sampled log-likelihood; 0: none */
    int batch;       /* images at a time; 0: 200 */
    int threads;     /* 0: all; results do not depend on it */
    lt_executor executor;
    uint64_t seed;   /* of the posterior draws */
    bool (*progress)(void *user, double done); /* done in [0, 1]; false stops; Nullable */
    void *user;
} lt_eval_options;

typedef struct lt_evaluation {
    int64_t images;
    lt_estimate elbo;          /* one posterior draw per image; beta = 1 whatever was trained */
    lt_estimate rate;          /* analytic KL(q(z|x) || N(0, I)) */
    lt_estimate distortion;    /* -log p(x|z) */
    lt_estimate squared_error; /* of the mean reconstruction from the posterior mean, per image */
    lt_estimate nll;           /* -log 1/K sum w_k (Burda et al. 2016, eq. 8); an upper bound on -log p(x) */
    int nll_samples;
    double ess;                /* mean over images of (sum w)^2 / sum w^2, between 1 and K */
    lt_estimate bits_per_dim;  /* -elbo / (log 2 x dimensions) */
} lt_evaluation;

/* Evaluates on a split of `d`. Memory does not grow with K. Nullable: o. */
LT_API int lt_evaluate(lt_model *m, lt_dataset *d, lt_split split, const lt_eval_options *o,
                       lt_evaluation *e);

#ifdef __cplusplus
}
#endif
#endif
