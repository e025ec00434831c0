/* SPDX-License-Identifier: MIT */
/* The parts of a variational autoencoder: options, networks, losses. */
#ifndef LATENT_VAE_H
#define LATENT_VAE_H

#include "models/kind.h"
#include "nn/likelihoods.h"

enum { KL_AUTO, KL_ANALYTIC, KL_MONTE_CARLO }; /* choices of `kl` */
enum { BOUND_ELBO, BOUND_IWAE, BOUND_DREG };   /* choices of `bound` */

enum { HEADS_LINEAR, HEADS_SEPARATE };         /* choices of `posterior_heads` */

/* Positions in its lists of networks, lines and metrics. */
enum { VAE_ENCODER, VAE_MEAN, VAE_LOGVAR, VAE_DECODER, VAE_ENCODER2, VAE_DECODER2 };
enum { VAE_LIKELIHOOD, VAE_PRIOR, VAE_SCHEDULE, VAE_CAPACITY_SCHEDULE };
enum { VAE_LOSS, VAE_RATE, VAE_DISTORTION, VAE_WEIGHTED_RATE, VAE_SIGMA };

/* Its own keys of `model`. */
typedef struct vae_model {
    int64_t latent2; /* dimensions of the second stochastic layer; 0: none */
    int posterior_heads; /* HEADS_LINEAR, HEADS_SEPARATE */
    char likelihood[LT_TEXT_SIZE], prior[LT_TEXT_SIZE];
} vae_model;

/* Its keys of `objective`. */
typedef struct vae_options {
    double beta;
    int kl;
    char schedule[LT_TEXT_SIZE];
    int64_t samples;
    int bound;
    double free_bits, capacity;
    char capacity_schedule[LT_TEXT_SIZE];
} vae_options;

static inline const vae_model *vae_model_of(const lt_recipe *r) { return r->model_options; }
static inline const vae_options *vae_options_of(const lt_recipe *r) { return r->kind.options; }

/* ---- vae_networks.c: the networks ---- */

lt_gauss vae_encode(const model_visit *v, lt_node *x);

/* The second stochastic layer, q(z2|z) and p(z|z2); only if latent2 > 0. */
lt_gauss vae_encode2(const model_visit *v, lt_node *z);
lt_gauss vae_decode2(const model_visit *v, lt_node *z2);

/* The decoder's output for z, n x pixels; from it E[x|z] as images, and the likelihood of x. */
lt_node *vae_decoder_output(const model_visit *v, lt_node *z);
lt_node *vae_mean_image(const model_visit *v, lt_node *y);
likelihood_terms vae_likelihood(const model_visit *v, lt_node *y, lt_node *x);

lt_node *vae_log_prob(const model_visit *v, lt_node *z, lt_node *x);

/* A sample of p(x|z) for each code, as images. */
lt_node *vae_draw_image(const model_visit *v, lt_node *z);

/* ---- vae_bounds.c: terms, bounds and weights ---- */

/* Whether the KL term has a closed form. */
bool vae_rate_has_formula(const lt_recipe *r);

/* Whether the loss differs from the mean of -log w; and whether it is exactly the mean over images of distortion +
   beta x rate. */
bool vae_loss_has_gap(const lt_recipe *r);
bool vae_loss_is_sum(const lt_recipe *r);

/* ---- vae_loss.c ---- */

int vae_loss_parts(const lt_recipe *r, const lt_train_report *t, lt_loss_part parts[LT_LOSS_PARTS]);

/* ---- ledger_vae.c ---- */

void vae_explain(lt_ledger *l, const lt_recipe *r, const lt_ledger_facts *f);

/* ---- vae_bounds.c ---- */

void vae_build(const model_visit *v, lt_node *x, lt_model_terms *t);
lt_node *vae_log_prior(const model_visit *v, lt_node *z);
lt_node *vae_draw_prior(const model_visit *v, int64_t n);
lt_node *vae_log_weights(const model_visit *v, lt_node *x, lt_gauss q, int64_t draws);

#endif
