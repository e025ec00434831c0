/* SPDX-License-Identifier: MIT */
/* The losses of a VAE, from k samples of z per image; rows of samples are grouped by image.

       log w = log p(x|z) + beta (log p(z) - log q(z|x))
       elbo    the mean of log w, or of log p(x|z) minus beta times the KL in closed form
       iwae    log of the mean of w (Burda et al. 2016)
       dreg    the same bound with a lower-variance gradient of q's parameters (Tucker et al. 2019)

   The loss is minus the bound, averaged over the batch. */
#include "base/constants.h"
#include "models/priors.h"
#include "models/vae.h"

#include <math.h>

static const vae_options *options_of(const model_visit *v) { return vae_options_of(v->recipe); }

/* ---- Rows ---- */

/* n k -> n x k */
static lt_node *by_image(lt_node *rows, int64_t k)
{
    return lt_reshape(rows, lt_shape_2d(lt_shape_size(lt_node_shape(rows)) / k, k));
}

/* n k -> n: the mean over samples. */
static lt_node *mean_of_draws(lt_node *rows, int64_t k)
{
    return k == 1 ? rows : lt_mean_over(by_image(rows, k), LT_AXIS(1));
}

/* n k -> n: log of the mean of e^row over samples. */
static lt_node *log_mean_of_draws(lt_node *rows, int64_t k)
{
    return k == 1 ? rows : lt_shift(lt_log_sum_exp(by_image(rows, k), LT_AXIS(1)), -log((double)k));
}

/* (n k) x ... -> n x ...: the first sample of each image. */
static lt_node *first_draws(lt_node *x, int64_t k)
{
    if (k == 1)
        return x;
    lt_shape first = lt_node_shape(x), s = first;
    first.d[0] /= k;
    s = lt_shape_2d(first.d[0], k * (lt_shape_size(first) / first.d[0]));
    return lt_reshape(lt_slice(lt_reshape(x, s), 1, 0, s.d[1] / k), first);
}

/* ---- Samples ---- */

enum { MAX_LAYERS = 2 };

/* Samples of z, and of z2 if there is a second layer. */
typedef struct draws {
    int64_t k;
    int layers;
    lt_gauss q[MAX_LAYERS];  /* of each row */
    lt_node *z[MAX_LAYERS];  /* the sample, a function of q */
    lt_node *at[MAX_LAYERS]; /* the argument of densities and networks: z; for dreg, z detached */
} draws;

static void draw_layer(draws *d, lt_gauss q, bool is_detached)
{
    int i = d->layers++;
    d->q[i] = q;
    d->z[i] = lt_gauss_sample(q);
    d->at[i] = is_detached ? lt_detach(d->z[i]) : d->z[i];
}

static draws draw(const model_visit *v, lt_gauss posterior, int64_t k, bool is_detached)
{
    draws d = {.k = k};
    lt_gauss q = {lt_repeat_rows(posterior.mean, k), lt_repeat_rows(posterior.logvar, k)};
    draw_layer(&d, q, is_detached);
    if (vae_model_of(v->recipe)->latent2 > 0)
        draw_layer(&d, vae_encode2(v, d.at[0]), is_detached);
    return d;
}

/* Log densities, n k. */
typedef struct densities {
    lt_node *pixels, *prior, *posterior;
} densities;

/* Adds log p(z) and log q(z|x) of both layers. For dreg they are functions of z alone, except for the parameters of
   q(z2|z), whose gradient is not taken through them. */
static void add_code_densities(const model_visit *v, const draws *d, densities *log_p)
{
    lt_gauss q = d->q[0];
    if (d->at[0] != d->z[0])
        q = (lt_gauss){lt_detach(q.mean), lt_detach(q.logvar)};
    log_p->posterior = lt_gauss_log_prob(q, d->at[0]);
    log_p->prior = prior_log_prob(v, recipe_line(v->recipe, VAE_PRIOR), d->at[d->layers - 1]);
    if (d->layers == 1)
        return;
    log_p->posterior = lt_add(log_p->posterior, lt_gauss_log_prob(d->q[1], d->at[1]));
    log_p->prior = lt_add(log_p->prior, lt_gauss_log_prob(vae_decode2(v, d->at[1]), d->at[0]));
}

/* ---- Bounds ---- */

/* log w, n k. */
static lt_node *log_weight(const densities *log_p, lt_node *beta)
{
    lt_node *log_ratio = lt_sub(log_p->posterior, log_p->prior);
    return lt_sub(log_p->pixels, lt_mul(beta, log_ratio));
}

static lt_node *iwae_loss(const densities *log_p, lt_node *beta, int64_t k)
{
    return lt_neg(lt_mean(log_mean_of_draws(log_weight(log_p, beta), k)));
}

/* The normalized weights s, constants to the gradient: n k. */
static lt_node *shares(lt_node *log_w, int64_t k)
{
    lt_node *rows = by_image(log_w, k);
    lt_shape one = lt_shape_2d(lt_node_shape(rows).d[0], 1);
    lt_node *sum = lt_reshape(lt_log_sum_exp(rows, LT_AXIS(1)), one);
    return lt_detach(lt_reshape(lt_exp(lt_sub(rows, sum)), lt_node_shape(log_w)));
}

/* The gradient of log mean w is that of sum s log w, which is used for the model's parameters. With respect to q's
   parameters it has a part through z, sum s (d log w / d z) (d z / d q), and the score of q at fixed z,
   -beta sum s (d log q / d q). The latter can be reparameterized again: it equals -beta sum (d s / d z) (d z / d q), with
   d s / d z = (s - s^2) d log w / d z. Together (Tucker et al. 2019 for beta = 1):

       sum ((1 - beta) s + beta s^2) (d log w / d z) (d z / d q)

   for any weight beta, and for both stochastic layers jointly. This requires that a sample's log w does not depend on
   other samples; check_dreg rejects recipes that couple them. So with z and q constant in `model` and `rest`

       model = -1/n sum s (log p(x|z) + beta log p(z)),   rest = 1/n sum s beta log q(z|x)
       c = (1 - beta + beta s) d(model + rest) / dz,   surrogate = model + sum c z

   With two layers z2 is also a function of z, so c of z includes c2 dz2 / dz. The loss has the value of iwae and the
   gradient of the surrogate. The backward pass for c and for the model's parameters is shared. */
static lt_node *dreg_loss(const draws *d, const densities *log_p, lt_node *beta)
{
    double n = (double)lt_shape_size(lt_node_shape(log_p->pixels)) / (double)d->k;
    lt_node *s = shares(log_weight(log_p, beta), d->k), *slope[MAX_LAYERS], *part = NULL;
    lt_node *log_joint = lt_add(log_p->pixels, lt_mul(beta, log_p->prior));
    lt_node *model = lt_scale(lt_sum(lt_mul(s, log_joint)), -1 / n), *surrogate = model;
    lt_node *rest = lt_scale(lt_sum(lt_mul(s, lt_mul(beta, log_p->posterior))), 1 / n);
    lt_node *share = lt_add(lt_shift(lt_neg(beta), 1), lt_mul(beta, s));
    lt_node *column = lt_reshape(share, lt_shape_2d(lt_shape_size(lt_node_shape(s)), 1));
    lt_grads(lt_add(model, rest), d->layers, d->at, slope);
    for (int i = d->layers - 1; i >= 0; i--) {
        lt_node *c = lt_mul(column, slope[i]);
        if (part)
            c = lt_add(c, lt_grad(part, d->at[i]));
        part = lt_sum(lt_mul(lt_detach(c), d->z[i]));
        surrogate = lt_add(surrogate, part);
    }
    return lt_add(lt_detach(iwae_loss(log_p, beta, d->k)), lt_sub(surrogate, lt_detach(surrogate)));
}

bool vae_loss_has_gap(const lt_recipe *r)
{
    const vae_options *o = vae_options_of(r);
    return o->bound != BOUND_ELBO && o->samples > 1;
}

bool vae_loss_is_sum(const lt_recipe *r)
{
    const vae_options *o = vae_options_of(r);
    return !vae_loss_has_gap(r) && o->free_bits == 0 && o->capacity == 0;
}

/* ---- The rate ---- */

bool vae_rate_has_formula(const lt_recipe *r)
{
    return prior_is_standard(recipe_line(r, VAE_PRIOR)) && vae_model_of(r)->latent2 == 0;
}

/* Whether the KL term is log q(z|x) - log p(z) at the samples, not in closed form. */
static bool is_rate_drawn(const model_visit *v)
{
    const vae_options *o = options_of(v);
    if (!vae_rate_has_formula(v->recipe))
        return true;
    return v->has_objective && (o->kl == KL_MONTE_CARLO || o->bound != BOUND_ELBO);
}

/* The batch mean of each latent's part of the rate: latent. */
static lt_node *rate_by_latent(const model_visit *v, lt_gauss posterior, const draws *d)
{
    lt_node *terms;
    if (is_rate_drawn(v)) {
        lt_gauss q = d->q[0];
        lt_node *z = d->z[0];
        lt_node *deviation = lt_mul(lt_square(lt_sub(z, q.mean)), lt_exp(lt_neg(q.logvar)));
        terms = lt_sub(lt_square(z), lt_add(q.logvar, deviation));
    } else {
        terms =
            lt_add(lt_square(posterior.mean), lt_sub(lt_expm1(posterior.logvar), posterior.logvar));
    }
    return lt_scale(lt_mean_over(terms, LT_AXIS(0)), 0.5);
}

/* sum over latents of max(free_bits, their batch-mean rate). */
static lt_node *free_bits_rate(const model_visit *v, lt_gauss posterior, const draws *d)
{
    lt_node *rate = rate_by_latent(v, posterior, d);
    return lt_sum(lt_max(rate, lt_scalar(v->graph, options_of(v)->free_bits)));
}

/* ---- The terms ---- */

static lt_node *loss_of(const model_visit *v, const draws *d, const densities *log_p,
                        const lt_model_terms *t)
{
    const vae_options *o = options_of(v);
    if (v->has_objective && o->bound == BOUND_IWAE)
        return iwae_loss(log_p, t->beta, d->k);
    if (v->has_objective && o->bound == BOUND_DREG)
        return dreg_loss(d, log_p, t->beta);
    if (t->capacity)
        return lt_add(lt_mean(t->distortion),
                      lt_mul(t->beta, lt_abs(lt_sub(lt_mean(t->rate), t->capacity))));
    if (v->has_objective && o->free_bits > 0)
        return lt_add(lt_mean(t->distortion), lt_mul(t->beta, free_bits_rate(v, t->posterior, d)));
    return lt_mean(lt_add(t->distortion, lt_mul(t->beta, t->rate)));
}

void vae_build(const model_visit *v, lt_node *x, lt_model_terms *t)
{
    const vae_options *o = options_of(v);
    int64_t k = v->has_objective ? o->samples : 1;
    t->posterior = vae_encode(v, x);
    draws d = draw(v, t->posterior, k, v->has_objective && o->bound == BOUND_DREG);
    lt_node *y = vae_decoder_output(v, d.at[0]), *images = lt_repeat_rows(x, k);
    likelihood_terms pixel = vae_likelihood(v, y, images);
    densities log_p = {.pixels = pixel.log_prob};
    add_code_densities(v, &d, &log_p);

    lt_node *means = vae_mean_image(v, y), *log_ratio = lt_sub(log_p.posterior, log_p.prior);
    t->z = first_draws(d.z[0], k);
    t->distortion = mean_of_draws(lt_neg(log_p.pixels), k);
    t->sigma = pixel.sigma;
    t->reconstruction = first_draws(means, k);
    t->squared_error = mean_of_draws(lt_sum_rows(lt_square(lt_sub(images, means))), k);
    t->rate = is_rate_drawn(v) ? mean_of_draws(log_ratio, k) : lt_gauss_kl(t->posterior);
    t->log_weight = log_mean_of_draws(lt_sub(log_p.pixels, log_ratio), k);
    t->beta = lt_input(v->graph, "beta", lt_shape_0d());
    if (v->has_objective && o->capacity > 0)
        t->capacity = lt_input(v->graph, "capacity", lt_shape_0d());
    t->loss = loss_of(v, &d, &log_p, t);
}

/* ---- Weights and the prior ---- */

lt_node *vae_log_prior(const model_visit *v, lt_node *z)
{
    if (vae_model_of(v->recipe)->latent2 > 0)
        return lt_graph_fail(v->graph, "log p(z) of the first of two stochastic layers is an "
                                       "integral over the second");
    return prior_log_prob(v, recipe_line(v->recipe, VAE_PRIOR), z);
}

lt_node *vae_draw_prior(const model_visit *v, int64_t n)
{
    int64_t latent2 = vae_model_of(v->recipe)->latent2;
    int64_t highest = latent2 > 0 ? latent2 : v->recipe->model.latent;
    lt_node *z = prior_draw(v, recipe_line(v->recipe, VAE_PRIOR), n, highest);
    return latent2 > 0 ? lt_gauss_sample(vae_decode2(v, z)) : z;
}

/* Samples of a layer with their noise, eps = (z - mean) / sigma. */
typedef struct noisy_draw {
    lt_node *z, *eps, *logvar;
} noisy_draw;

static noisy_draw draw_with_noise(lt_gauss q, int64_t k)
{
    lt_shape s = lt_node_shape(q.mean);
    s.d[0] *= k;
    noisy_draw d = {.eps = lt_normal(lt_node_graph(q.mean), s), .logvar = lt_repeat_rows(q.logvar, k)};
    lt_node *sigma = lt_repeat_rows(lt_exp(lt_scale(q.logvar, 0.5)), k);
    d.z = lt_add(lt_repeat_rows(q.mean, k), lt_mul(sigma, d.eps));
    return d;
}

/* 1/2 sum log 2 pi + logvar + eps^2. */
static lt_node *minus_log_posterior(const noisy_draw *d)
{
    double latent = (double)lt_node_shape(d->z).d[1];
    lt_node *sum = lt_sum_rows(lt_add(lt_square(d->eps), d->logvar));
    return lt_shift(lt_scale(sum, 0.5), 0.5 * LOG_2_PI * latent);
}

/* log p - log q of the layer that the prior is on. With N(0, I) the constants cancel: 1/2 sum eps^2 + logvar - z^2.
   */
static lt_node *prior_to_posterior(const model_visit *v, const noisy_draw *d)
{
    if (!prior_is_standard(recipe_line(v->recipe, VAE_PRIOR)))
        return lt_add(prior_log_prob(v, recipe_line(v->recipe, VAE_PRIOR), d->z), minus_log_posterior(d));
    lt_node *terms = lt_sub(lt_add(lt_square(d->eps), d->logvar), lt_square(d->z));
    return lt_scale(lt_sum_rows(terms), 0.5);
}

/* log p(z2) p(z|z2) - log q(z|x) q(z2|z), one z2 for each z. */
static lt_node *two_layer_ratio(const model_visit *v, const noisy_draw *d)
{
    noisy_draw d2 = draw_with_noise(vae_encode2(v, d->z), 1);
    lt_node *first = lt_add(lt_gauss_log_prob(vae_decode2(v, d2.z), d->z), minus_log_posterior(d));
    return lt_add(prior_to_posterior(v, &d2), first);
}

lt_node *vae_log_weights(const model_visit *v, lt_node *x, lt_gauss q, int64_t k)
{
    noisy_draw d = draw_with_noise(q, k);
    lt_node *ratio =
        vae_model_of(v->recipe)->latent2 > 0 ? two_layer_ratio(v, &d) : prior_to_posterior(v, &d);
    return lt_add(vae_log_prob(v, d.z, lt_repeat_rows(x, k)), ratio);
}
