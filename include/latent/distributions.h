/* SPDX-License-Identifier: MIT */
/* distributions.h: log densities, samples, entropies, divergences, as nodes of a graph.
 * Everything is in nats with all constants. Values are n x ..., batch first; log densities,
 * entropies and divergences are summed over everything but the batch: n.
 *
 *     lt_distribution q = lt_normal_distribution(posterior);          // n x d
 *     lt_distribution p = lt_vamp_prior(posteriors_of_pseudo_inputs); // 1 x d, of 500 components
 *     lt_node *z = lt_sample_from(q, n);                                     // gradients reach `posterior`
 *     lt_node *rate = lt_sub(lt_log_prob(q, z), lt_log_prob(p, z));   // KL(q || p) at one sample
 */
#ifndef LATENT_DISTRIBUTIONS_H
#define LATENT_DISTRIBUTIONS_H

#include <latent/ops.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Formulas ---- */

/* Diagonal Gaussian by mean and log variance. */
typedef struct lt_gauss {
    lt_node *mean, *logvar;
} lt_gauss;

LT_API lt_node *lt_gauss_sample(lt_gauss q);                /* mean + sigma eps, reparameterized */
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

/* ---- Families, with common functions ---- */

typedef struct lt_family lt_family;

enum { LT_MAX_PARAMETERS = 3 };

/* A family and its parameters: made by a constructor below, passed by value, borrows its nodes. Parameters have a
   leading batch of n rows, or 1 row for any batch; those of one distribution broadcast together. A shape mismatch is
   a graph error. */
typedef struct lt_distribution {
    const lt_family *family;
    lt_node *p[LT_MAX_PARAMETERS]; /* as the constructor takes them */
    lt_shape shape;                 /* of its values; n or 1 rows */
} lt_distribution;

/* sum -1/2 (log 2 pi + lv + (x - mean)^2 e^-lv). Single precision holds lv within -170 ... 88. */
LT_API lt_distribution lt_normal_distribution(lt_gauss q);

/* N(0, I) over d numbers, one row. */
LT_API lt_distribution lt_standard_normal(lt_graph *g, int64_t d);

/* N(mean, L L^T); mean n x d, L: n x d x d, or d x d for all rows; lower triangular with a positive diagonal;
   elements above the diagonal are not read. A density is about 16 d nodes (a recursive triangular solve): for d up to
   a few hundred. */
LT_API lt_distribution lt_full_normal_distribution(lt_node *mean, lt_node *l);

/* Returns L from an arbitrary n x d x d (or d x d) x: x below the diagonal, e^x on it. */
LT_API lt_node *lt_cholesky_factor(lt_node *x);

/* sum -|x - location| / s - log 2 s, s = e^log_scale. */
LT_API lt_distribution lt_laplace_distribution(lt_node *location, lt_node *log_scale);

/* sum -log (high - low) for low <= x <= high, else -infinity. */
LT_API lt_distribution lt_uniform_distribution(lt_node *low, lt_node *high);

/* x in {0, 1}: sum x l - softplus(l). For x between 0 and 1 this is a cross-entropy, not a log probability. */
LT_API lt_distribution lt_bernoulli_distribution(lt_node *logits);

/* One of k classes, as a one-hot row: logits and x n x ... x k; sum x (l - log sum e^l). Classes with a probability
   below 2^-23 are sampled too rarely. */
LT_API lt_distribution lt_categorical_distribution(lt_node *logits);

/* x in [0, 1]: sum x l - log((e^l - 1) / l), else -infinity. Loaiza-Ganem and Cunningham 2019. */
LT_API lt_distribution lt_continuous_bernoulli_distribution(lt_node *logits);

/* The 256 levels k / 255: a logistic variable, rounded to the nearest, to 0 or 1 beyond them
   (Salimans et al. 2017). An x between levels counts as the nearest. */
LT_API lt_distribution lt_discretized_logistic_distribution(lt_node *location, lt_node *log_scale);

/* sum over k of w_k N(mean_k, e^lv_k), w = softmax of the logits: n x K; components n x K x d. */
LT_API lt_distribution lt_mixture_distribution(lt_node *logits, lt_gauss components);

/* The prior 1/K sum of K posteriors, K x d, those of trained pseudo-inputs (Tomczak and Welling
   2018): a mixture of one row. */
LT_API lt_distribution lt_vamp_prior(lt_gauss posteriors);

typedef struct lt_family_info {
    const char *name;         /* "normal"; static */
    bool is_reparameterized;  /* gradients pass through samples to every parameter */
    bool has_entropy;         /* lt_entropy has a formula */
} lt_family_info;
LT_API lt_family_info lt_distribution_describe(lt_distribution d);

/* log p(x): n. x has the shape of d; either may have 1 row. */
LT_API lt_node *lt_log_prob(lt_distribution d, lt_node *x);

/* n samples, one for each row of the parameters. Normal, full normal, Laplace, uniform and continuous Bernoulli are
   reparameterized: a sample is a differentiable function of parameters and noise. Samples of Bernoulli, categorical
   and discretized logistic are constants to lt_grad. In a mixture the choice of the component is a constant:
   gradients reach the means and variances of the chosen components, but not the logits. */
LT_API lt_node *lt_sample_from(lt_distribution d, int64_t n);

/* Entropy, -E[log p], in closed form: n. May be negative for densities. A graph error for discretized logistic and
   mixture, which have no closed form; see lt_estimate_entropy. */
LT_API lt_node *lt_entropy(lt_distribution d);

/* KL(q || p) = E_q[log q - log p] in closed form: n. +infinity if q has support outside p's: a normal against a
   uniform, a density against a discrete distribution or the reverse. Closed forms: two of one family, except
   discretized logistic and mixture; the two kinds of normal; normal with Laplace; uniform against normal; uniform
   with continuous Bernoulli. Otherwise a graph error; see lt_has_kl. */
LT_API lt_node *lt_kl(lt_distribution q, lt_distribution p);

/* Whether lt_kl has a formula for these two families. */
LT_API bool lt_has_kl(lt_distribution q, lt_distribution p);

/* A mean over samples, and its standard error: standard deviation / sqrt(samples). */
typedef struct lt_monte_carlo {
    lt_node *value, *se; /* n */
} lt_monte_carlo;

/* Entropy and KL(q || p) by Monte Carlo, for any families; at least 2 samples per row, all in memory at once.
   Supports are compared first: +infinity with se 0 if q's is certainly not inside p's. Gradients with respect to q's
   parameters are unbiased if q is reparameterized. */
LT_API lt_monte_carlo lt_estimate_entropy(lt_distribution d, int draws);
LT_API lt_monte_carlo lt_estimate_kl(lt_distribution q, lt_distribution p, int draws);

#ifdef __cplusplus
}
#endif
#endif
