/* SPDX-License-Identifier: MIT */
/* The variational autoencoder (Kingma and Welling 2014; Higgins et al. 2017 for beta).

       loss = mean over the batch of  -log p(x|z) + beta KL(q(z|x) || N(0, I)),  z ~ q(z|x)

   q(z|x) is a diagonal Gaussian with linear heads for mean and log variance, p(x|z) one of the
   likelihoods. With beta = 1 the loss is -ELBO. */
#include "models/objective.h"

#include "graph/op.h"
#include "nn/init.h"
#include "nn/likelihoods.h"
#include "nn/params.h"
#include "nn/shapes.h"

#include <stdio.h>

/* ---- Options ---- */

enum { KL_ANALYTIC, KL_MONTE_CARLO }; /* choices of `kl` */

typedef struct vae_options {
    double beta;
    int kl;
    char schedule[LT_TEXT_SIZE];
} vae_options;

static const lt_option options[] = {
    {.name = "beta", .kind = LT_KIND_REAL, .offset = offsetof(vae_options, beta), .fallback = 1,
     .max = 1e6, .help = "weight of the KL term"},
    {.name = "kl", .kind = LT_KIND_CHOICE, .offset = offsetof(vae_options, kl),
     .choices = "analytic|monte-carlo",
     .help = "the KL term in training: its formula, or log q(z|x) - log p(z) at the draw"},
    {.name = "schedule", .kind = LT_KIND_TEXT, .offset = offsetof(vae_options, schedule),
     .choices = "constant", .help = "of beta: a line of the schedules"},
    {0}};

static double weight(const void *o) { return ((const vae_options *)o)->beta; }

static char *schedule(void *o) { return ((vae_options *)o)->schedule; }

/* ---- Encoder and decoder ---- */

static int64_t pixels(const model_visit *v)
{
    return (int64_t)v->size.h * v->size.w * v->size.c;
}

static network_context context_of(const model_visit *v)
{
    return (network_context){.is_training = v->is_training,
                             .init = v->recipe->init,
                             .image_size = pixels(v),
                             .image_channels = v->size.c,
                             .observer = v->observer,
                             .user = v->user};
}

/* What a head's own layers give, if nothing follows them, must be the latent numbers. */
static lt_node *check_head(const model_visit *v, const network *own, lt_scope *s, lt_node *h)
{
    char found[LT_SHAPE_TEXT_SIZE];
    lt_node *y = lt_flatten(h);
    if (node_is_bad(y) || lt_node_shape(y).d[1] == v->recipe->model.latent)
        return y;
    network_blame_last(own, s);
    y = lt_graph_fail(v->graph, "with `heads: own` this list must give the %jd latent numbers, it "
                                "gives %s",
                      (intmax_t)v->recipe->model.latent, row_shape_text(lt_node_shape(h), found));
    lt_graph_set_place(v->graph, NULL);
    return y;
}

/* A head: layers of its own, if it has any, and unless `heads` says that these are all, a linear
   one, named as the next in their list. */
static lt_node *head(const model_visit *v, lt_scope *posterior, const char *name,
                     const network *own, lt_node *h)
{
    network_context c = context_of(v);
    lt_scope *s = posterior;
    bool is_own = v->recipe->model.heads == HEADS_OWN;
    char index[16];
    if (own->n || is_own) {
        s = lt_scope_enter(posterior, name);
        h = network_build(own, &c, s, h);
        snprintf(index, sizeof index, "%d", own->n);
        name = index;
    }
    if (is_own)
        return check_head(v, own, s, h);
    h = lt_flatten(h);
    lt_node *y = lt_linear(s, name, h, v->recipe->model.latent, .weight_init = v->recipe->init,
                           .bias_init = init_of_bias(v->recipe->init));
    if (v->observer)
        v->observer(v->user, &(network_event){.scope = scope_name(s), .index = name,
                                              .words = "linear latent", .in = lt_node_shape(h),
                                              .out = lt_node_shape(y)});
    return y;
}

static lt_gauss encode(const model_visit *v, lt_node *x)
{
    network_context c = context_of(v);
    lt_node *h = network_build(&v->recipe->encoder, &c, lt_scope_enter(v->root, "encoder"), x);
    lt_scope *posterior = lt_scope_enter(v->root, "posterior");
    return (lt_gauss){.mean = head(v, posterior, "mean", &v->recipe->mean, h),
                      .logvar = head(v, posterior, "logvar", &v->recipe->logvar, h)};
}

/* What the decoder gives for z, as n x pixels. */
static lt_node *decoder_output(const model_visit *v, lt_node *z)
{
    network_context c = context_of(v);
    const network *net = &v->recipe->decoder;
    lt_scope *s = lt_scope_enter(v->root, "decoder");
    lt_node *y = lt_flatten(network_build(net, &c, s, z));
    if (node_is_bad(y) || lt_node_shape(y).d[1] == pixels(v))
        return y;
    network_blame_last(net, s);
    y = lt_graph_fail(v->graph,
                      "the decoder gives %jd numbers for an image, %d x %d x %d has %jd; "
                      "its last layer with units should be `linear image`, or `conv image` at this "
                      "height and width",
                      (intmax_t)lt_node_shape(y).d[1], v->size.h, v->size.w, v->size.c,
                      (intmax_t)pixels(v));
    lt_graph_set_place(v->graph, NULL);
    return y;
}

static lt_node *mean_image(const model_visit *v, lt_node *y)
{
    lt_shape image = lt_shape_4d(lt_node_shape(y).d[0], v->size.h, v->size.w, v->size.c);
    return lt_reshape(likelihood_mean(&v->recipe->likelihood, y), image);
}

static lt_node *decode(const model_visit *v, lt_node *z)
{
    return mean_image(v, decoder_output(v, z));
}

static likelihood_terms likelihood_of(const model_visit *v, lt_node *y, lt_node *x)
{
    likelihood_context c = {.scope = lt_scope_enter(v->root, "likelihood"),
                            .is_training = v->is_training,
                            .channels = v->size.c};
    return likelihood_build(&v->recipe->likelihood, &c, y, lt_flatten(x));
}

static lt_node *log_prob(const model_visit *v, lt_node *z, lt_node *x)
{
    return likelihood_of(v, decoder_output(v, z), x).log_prob;
}

/* ---- The terms ---- */

static void build(const model_visit *v, lt_node *x, lt_model_terms *t)
{
    const vae_options *o = v->recipe->objective.options;
    t->posterior = encode(v, x);
    t->z = lt_gauss_sample(t->posterior);
    lt_node *y = decoder_output(v, t->z);
    likelihood_terms pixel = likelihood_of(v, y, x);
    t->distortion = lt_neg(pixel.log_prob);
    t->sigma = pixel.sigma;
    t->reconstruction = mean_image(v, y);
    t->squared_error = lt_sum_rows(lt_square(lt_sub(x, t->reconstruction)));

    lt_node *log_ratio = lt_sub(lt_gauss_log_prob(t->posterior, t->z), lt_standard_log_prob(t->z));
    bool is_drawn = v->is_training && o->kl == KL_MONTE_CARLO;
    t->rate = is_drawn ? log_ratio : lt_gauss_kl(t->posterior);
    t->log_weight = lt_sub(pixel.log_prob, log_ratio);
    t->beta = lt_input(v->graph, "beta", lt_shape_0d());
    t->loss = lt_mean(lt_add(t->distortion, lt_mul(t->beta, t->rate)));
}

/* ---- Weights ---- */

/* n x ... -> n x draws x ... -> (n draws) x ...: each row `draws` times. */
static lt_node *repeat_rows(lt_node *x, int64_t draws)
{
    lt_shape from = lt_node_shape(x), tall = from, wide = {.rank = from.rank + 1};
    tall.d[0] *= draws;
    wide.d[0] = from.d[0];
    wide.d[1] = 1;
    for (int i = 1; i < from.rank; i++)
        wide.d[i + 1] = from.d[i];
    lt_node *one = lt_reshape(x, wide);
    wide.d[1] = draws;
    return lt_reshape(lt_expand(one, wide), tall);
}

static lt_node *log_prior(const model_visit *v, lt_node *z)
{
    (void)v;
    return lt_standard_log_prob(z);
}

/* z = mean + sigma eps, log w = log p(x|z) + log p(z) - log q(z|x). The last two terms share their
   constants, and (z - mean) / sigma is eps: their difference is 1/2 sum eps^2 + logvar - z^2. */
static lt_node *log_weights(const model_visit *v, lt_node *x, lt_gauss q, int64_t draws)
{
    lt_shape s = lt_node_shape(q.mean);
    s.d[0] *= draws;
    lt_node *eps = lt_normal(v->graph, s);
    lt_node *logvar = repeat_rows(q.logvar, draws);
    lt_node *sigma = repeat_rows(lt_exp(lt_scale(q.logvar, 0.5)), draws);
    lt_node *z = lt_add(repeat_rows(q.mean, draws), lt_mul(sigma, eps));
    lt_node *prior_to_posterior =
        lt_sum_rows(lt_sub(lt_add(lt_square(eps), logvar), lt_square(z)));
    return lt_add(log_prob(v, z, repeat_rows(x, draws)), lt_scale(prior_to_posterior, 0.5));
}

/* ---- The record ---- */

/* A likelihood that wants logits after a sigmoid would squash them twice. */
static int check(const lt_recipe *r, const yaml_node *model)
{
    const likelihood_row *likelihood = likelihood_facts(&r->likelihood);
    const network *net = &r->decoder;
    if (!likelihood->unwanted || !net->n || !layer_is(&net->lines[net->n - 1].layer,
                                                      likelihood->unwanted))
        return LT_OK;
    return yaml_fail(yaml_get(model, "decoder")->last,
                     "the %s likelihood wants %s: leave out this %s, it is applied where the "
                     "mean image is wanted",
                     likelihood->spec.name, likelihood->output, likelihood->unwanted);
}

const objective_row objective_vae = {
    .spec = {.name = "vae", .summary = "-log p(x|z) + beta KL(q(z|x) || N(0, I))",
             .options = options, .size = sizeof(vae_options)},
    .weight = weight, .schedule = schedule, .check = check,
    .build = build, .encode = encode, .decode = decode, .log_prob = log_prob,
    .log_prior = log_prior, .log_weights = log_weights};
