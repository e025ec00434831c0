/* SPDX-License-Identifier: MIT */
/* The autoencoder (Hinton and Salakhutdinov 2006): a VAE without a distribution of codes.

       loss = mean over the batch of  -log p(x|z),  z = f(x)

   f is the encoder and a linear layer to the latent dimensions; p(x|z) is one of the likelihoods, at the code itself:
   with gaussian sigma = sqrt(1/2) the loss is the squared error, summed over pixels, plus a constant. There is no
   distribution of codes: no rate, no bound on log p(x), and no sampling. */
#include "models/kind.h"

#include "graph/op.h"
#include "models/ledger_terms.h"

#include <math.h>
#include <string.h>

/* Positions in the lists of networks, lines and metrics. */
enum { AE_ENCODER, AE_DECODER };
enum { AE_LIKELIHOOD };
enum { AE_LOSS, AE_SQUARED_ERROR, AE_SIGMA };

/* ---- Keys ---- */

typedef struct ae_model {
    char likelihood[LT_TEXT_SIZE];
} ae_model;

static const lt_option model_keys[] = {
    {.name = "likelihood", .kind = LT_KIND_TEXT, .offset = offsetof(ae_model, likelihood), .required = true,
     .help = "a likelihood; the reconstruction error is -log p(x|z)"},
    {0}};

static const kind_network networks[] = {
    [AE_ENCODER] = {.key = "encoder", .called = "the encoder", .is_required = true},
    [AE_DECODER] = {.key = "decoder", .called = "the decoder", .is_required = true},
    {.key = NULL}};

static const kind_line lines[] = {
    [AE_LIKELIHOOD] = {"model", "likelihood", &likelihood_table, false}, {.key = NULL}};

static const spec *likelihood(const lt_recipe *r) { return recipe_line(r, AE_LIKELIHOOD); }

static int check(const lt_recipe *r, const yaml_node *root)
{
    return kind_check_decoder(yaml_get(root, "model"), recipe_network(r, AE_DECODER), likelihood(r));
}

/* ---- Networks ---- */

static lt_node *encode_point(const model_visit *v, lt_node *x)
{
    network_context c = visit_context(v);
    lt_scope *s = lt_scope_enter(v->root, "encoder");
    lt_node *h = network_build(recipe_network(v->recipe, AE_ENCODER), &c, s, x);
    return visit_linear(v, v->root, "code", "linear latent", lt_flatten(h), v->recipe->model.latent);
}

/* A code is a point, so there is no width. */
static lt_gauss encode(const model_visit *v, lt_node *x)
{
    lt_node *z = encode_point(v, x);
    if (node_is_bad(z))
        return (lt_gauss){z, z};
    return (lt_gauss){z, lt_broadcast(lt_scalar(v->graph, -(double)INFINITY), lt_node_shape(z))};
}

static lt_node *decoder_output(const model_visit *v, lt_node *z)
{
    return visit_decode(v, recipe_network(v->recipe, AE_DECODER), z);
}

static lt_node *decode(const model_visit *v, lt_node *z, lt_node *labels)
{
    (void)labels;
    return visit_mean_image(v, likelihood(v->recipe), decoder_output(v, z));
}

static lt_node *draw(const model_visit *v, lt_node *z)
{
    return visit_draw_image(v, likelihood(v->recipe), decoder_output(v, z));
}

static lt_node *log_prob(const model_visit *v, lt_node *z, lt_node *x)
{
    return visit_likelihood(v, likelihood(v->recipe), false, decoder_output(v, z), x).log_prob;
}

/* ---- The loss ---- */

static void build(const model_visit *v, lt_node *x, lt_model_terms *t)
{
    t->posterior = encode(v, x);
    t->z = t->posterior.mean;
    lt_node *y = decoder_output(v, t->z);
    likelihood_terms pixel = visit_likelihood(v, likelihood(v->recipe), false, y, x);
    t->reconstruction = visit_mean_image(v, likelihood(v->recipe), y);
    t->distortion = lt_neg(pixel.log_prob);
    t->squared_error = lt_sum_rows(lt_square(lt_sub(x, t->reconstruction)));
    t->sigma = pixel.sigma;
    t->loss = lt_mean(t->distortion);
}

static void build_phase(const model_visit *v, lt_node *x, lt_node *labels, phase_terms *t)
{
    (void)labels;
    lt_model_terms terms = {0};
    build(v, x, &terms);
    t->loss = t->metric[AE_LOSS] = terms.loss;
    t->metric[AE_SQUARED_ERROR] = lt_mean(terms.squared_error);
    t->metric[AE_SIGMA] = terms.sigma;
}

static bool loss_is_sum(const lt_recipe *r)
{
    (void)r;
    return true;
}

/* ---- Capabilities and metrics ---- */

static unsigned can(const lt_recipe *r)
{
    (void)r;
    return LT_CAN_ENCODE | LT_CAN_DECODE | LT_CAN_LIKELIHOOD;
}

static const kind_lack lacks[] = {
    {LT_CAN_SAMPLE, "which learns no distribution of its codes",
     "Start from images with latent reconstruct, interpolate or traverse; or train a vae"},
    {LT_CAN_BOUND | LT_CAN_POSTERIOR | LT_CAN_LOG_PRIOR, "whose codes are points without a prior p(z)",
     "latent eval measures its distortion"},
    {LT_CAN_CLASSES, "which was trained without labels", NULL},
    {LT_CAN_ADVERSARY, "which has no adversary", NULL},
    {0, NULL, NULL}};

static const lt_metric metrics[] = {
    [AE_LOSS] = {.name = "loss", .label = "loss", .unit = "nats per image", .meaning = "-log p(x|z) with all constants",
                 .phase = "step", .chart = "Training loss", .better = LT_BETTER_LOWER, .width = 7,
                 .digits = 2},
    [AE_SQUARED_ERROR] = {.name = "squared_error", .label = "squared", .meaning = "sum over pixels of (x - E[x|z])^2",
                          .phase = "step", .chart = "Squared error", .better = LT_BETTER_LOWER, .width = 7,
                          .digits = 2},
    [AE_SIGMA] = {.name = "sigma", .label = "sigma", .meaning = "standard deviation of a pixel", .phase = "step",
                  .chart = "Sigma of the likelihood", .is_last = true, .is_optional = true, .width = 6, .digits = 4},
    {.name = NULL}};

static void summarize(const lt_recipe *r, text *out)
{
    text_format(out, ", %s", ((const ae_model *)r->model_options)->likelihood);
}

/* ---- Explanation ---- */

static void explain(lt_ledger *l, const lt_recipe *r, const lt_ledger_facts *f)
{
    term_list minimized = {l->minimized, &l->n_minimized};
    l->layers = 1;
    l->draws = 1;
    ledger_add_distortion(l, likelihood(r), f->found ? f->found->distortion : (double)NAN, "z the code of the image");
    ledger_add_term(minimized, "loss", false, f->trained ? f->trained->values[AE_LOSS] : (double)NAN,
                    l->unit == LT_CROSS_ENTROPY ? "cross-entropy of x and E[x|z], z the code of the image"
                                                : "-log p(x|z), z the code of the image");
    ledger_note_unit(l);
    ledger_add_note(l, "The loss is not a bound on log p(x): the code has no cost, so an identity map would be optimal. "
                       "Compare it with the distortion of a model with as many latents, not with an -ELBO.");
}

/* ---- The record ---- */

const model_kind kind_ae = {
    .recipe = {.spec = {.name = "ae", .summary = "-log p(x|z) at z = f(x): no distribution of codes",
                        .options = no_options},
               .title = "AE", .phrase = "an ae", .model_keys = model_keys, .model_size = sizeof(ae_model),
               .networks = networks, .lines = lines, .metrics = metrics, .check = check},
    .can = can, .lacks = lacks, .phases = {{.name = "step", .build = build_phase}},
    .build = build, .encode = encode, .decode = decode, .draw = draw, .log_prob = log_prob,
    .likelihood = likelihood, .summarize = summarize, .explain = explain, .loss_is_sum = loss_is_sum};
