/* SPDX-License-Identifier: MIT */
/* The networks of a VAE: q(z|x), a diagonal Gaussian with two heads; p(x|z), a likelihood; and between two stochastic
   layers, diagonal Gaussians in both directions. */
#include "models/vae.h"

#include "graph/op.h"
#include "nn/params.h"

#include <stdio.h>

/* ---- Heads ---- */

/* The output of a separate head must have the latent dimensions. */
static lt_node *check_head(const model_visit *v, const network *own, lt_scope *s, lt_node *h)
{
    char expected[96];
    snprintf(expected, sizeof expected,
             "with `posterior_heads: separate` this list must give %jd latent dimensions",
             (intmax_t)v->recipe->model.latent);
    return visit_expect(v, own, s, h, v->recipe->model.latent, expected);
}

/* A head: its own layers, if any, followed by a linear layer named as the next in the list, unless `posterior_heads`
   is `separate`. */
static lt_node *head(const model_visit *v, lt_scope *posterior, const char *name,
                     const network *own, lt_node *h)
{
    network_context c = visit_context(v);
    lt_scope *s = posterior;
    bool is_own = vae_model_of(v->recipe)->posterior_heads == HEADS_SEPARATE;
    char index[16];
    if (own->n || is_own) {
        s = lt_scope_enter(posterior, name);
        h = network_build(own, &c, s, h);
        snprintf(index, sizeof index, "%d", own->n);
        name = index;
    }
    if (is_own)
        return check_head(v, own, s, h);
    return visit_linear(v, s, name, "linear latent", lt_flatten(h), v->recipe->model.latent);
}

/* ---- Encoder and decoder ---- */

lt_gauss vae_encode(const model_visit *v, lt_node *x)
{
    network_context c = visit_context(v);
    lt_node *h = network_build(recipe_network(v->recipe, VAE_ENCODER), &c, lt_scope_enter(v->root, "encoder"), x);
    lt_scope *posterior = lt_scope_enter(v->root, "posterior");
    return (lt_gauss){.mean = head(v, posterior, "mean", recipe_network(v->recipe, VAE_MEAN), h),
                      .logvar = head(v, posterior, "logvar", recipe_network(v->recipe, VAE_LOGVAR), h)};
}

/* A network between codes, followed by its heads. */
static lt_gauss gauss_of_codes(const model_visit *v, const network *net, const char *name,
                               const char *heads, const char *words, lt_node *z, int64_t units)
{
    network_context c = visit_context(v);
    lt_node *h = lt_flatten(network_build(net, &c, lt_scope_enter(v->root, name), z));
    lt_scope *s = lt_scope_enter(v->root, heads);
    return (lt_gauss){.mean = visit_linear(v, s, "mean", words, h, units),
                      .logvar = visit_linear(v, s, "logvar", words, h, units)};
}

lt_gauss vae_encode2(const model_visit *v, lt_node *z)
{
    const lt_recipe *r = v->recipe;
    return gauss_of_codes(v, recipe_network(r, VAE_ENCODER2), "encoder2", "posterior2", "linear latent2", z,
                          vae_model_of(r)->latent2);
}

lt_gauss vae_decode2(const model_visit *v, lt_node *z2)
{
    const lt_recipe *r = v->recipe;
    return gauss_of_codes(v, recipe_network(r, VAE_DECODER2), "decoder2", "prior", "linear latent", z2,
                          r->model.latent);
}

/* The decoder's output for z, as n x pixels. */
lt_node *vae_decoder_output(const model_visit *v, lt_node *z)
{
    return visit_decode(v, recipe_network(v->recipe, VAE_DECODER), z);
}

lt_node *vae_mean_image(const model_visit *v, lt_node *y)
{
    return visit_mean_image(v, recipe_line(v->recipe, VAE_LIKELIHOOD), y);
}

lt_node *vae_draw_image(const model_visit *v, lt_node *z)
{
    return visit_draw_image(v, recipe_line(v->recipe, VAE_LIKELIHOOD), vae_decoder_output(v, z));
}

likelihood_terms vae_likelihood(const model_visit *v, lt_node *y, lt_node *x)
{
    bool is_weighed = v->has_objective && vae_loss_has_gap(v->recipe);
    return visit_likelihood(v, recipe_line(v->recipe, VAE_LIKELIHOOD), is_weighed, y, x);
}

lt_node *vae_log_prob(const model_visit *v, lt_node *z, lt_node *x)
{
    return vae_likelihood(v, vae_decoder_output(v, z), x).log_prob;
}
