/* SPDX-License-Identifier: MIT */
/* distributions.h: log densities, draws, entropies, divergences, as nodes of a graph.
 * Log densities have all constants and are in nats. Values are n x ..., batch first; a log density is
 * summed over everything but the batch: n.
 */
#ifndef LATENT_DISTRIBUTIONS_H
#define LATENT_DISTRIBUTIONS_H

#include <latent/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Formulas of their own ---- */

/* Diagonal Gaussian by mean and log variance. */
typedef struct lt_gauss {
    lt_node *mean, *logvar;
} lt_gauss;

LT_API lt_node *lt_gauss_sample(lt_gauss q);                /* mean + sigma eps, reparameterised */
LT_API lt_node *lt_gauss_log_prob(lt_gauss q, lt_node *z);  /* -1/2 sum log 2 pi + lv + d^2/e^lv */
LT_API lt_node *lt_gauss_kl(lt_gauss q);                    /* KL(q || N(0, I)) */
LT_API lt_node *lt_gauss_kl_between(lt_gauss q, lt_gauss p); /* KL(q || p) */
LT_API lt_node *lt_gauss_entropy(lt_gauss q);               /* 1/2 sum log 2 pi e + lv */
LT_API lt_node *lt_standard_log_prob(lt_node *z);           /* log N(z; 0, I) */

/* log p(x) = sum x l - softplus(l) for x in {0, 1} and logits l. */
LT_API lt_node *lt_bernoulli_log_prob(lt_node *logits, lt_node *x);

/* The density log p(x) = sum x l - softplus(l) + log(l / tanh(l/2)) of x in [0, 1], and its mean
   (logits and x of one shape; Loaiza-Ganem and Cunningham 2019). */
LT_API lt_node *lt_continuous_bernoulli_log_prob(lt_node *logits, lt_node *x);
LT_API lt_node *lt_continuous_bernoulli_mean(lt_node *logits);

#ifdef __cplusplus
}
#endif
#endif
