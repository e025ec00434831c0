/* SPDX-License-Identifier: MIT */
/* The variational autoencoder (Kingma and Welling 2014; Higgins et al. 2017 for beta).

       loss = mean over the batch of  -log p(x|z) + beta KL(q(z|x) || p(z)),  z ~ q(z|x)

   q(z|x) is a diagonal Gaussian with linear heads for mean and log variance, p(x|z) one of the
   likelihoods. With beta = 1 the loss is -ELBO; tighter bounds are in vae_bounds.c. */
#include "models/vae.h"

#include "base/status.h"
#include "models/priors.h"

/* ---- Options ---- */

#define REAL(NAME, FALLBACK, MAX, HELP)                                                            \
    {.name = #NAME, .kind = LT_KIND_REAL, .offset = offsetof(vae_options, NAME),                   \
     .fallback = FALLBACK, .max = MAX, .help = HELP}
#define CHOICE(NAME, CHOICES, HELP)                                                                \
    {.name = #NAME, .kind = LT_KIND_CHOICE, .offset = offsetof(vae_options, NAME),                 \
     .choices = CHOICES, .help = HELP}
#define LINE(NAME, HELP)                                                                           \
    {.name = #NAME, .kind = LT_KIND_TEXT, .offset = offsetof(vae_options, NAME),                   \
     .choices = "constant", .help = HELP}

static const lt_option options[] = {
    REAL(beta, 1, 1e6, "weight of the KL term, or of its distance from capacity"),
    CHOICE(kl, "auto|analytic|monte-carlo",
           "KL term in training: in closed form, or log q(z|x) - log p(z) at the sample; auto: closed "
           "form if there is one"),
    LINE(schedule, "schedule of beta"),
    {.name = "samples", .kind = LT_KIND_INT, .offset = offsetof(vae_options, samples),
     .fallback = 1, .min = 1, .max = 65536, .help = "samples of z per image in training"},
    CHOICE(bound, "elbo|iwae|dreg",
           "lower bound of log p(x): mean log weight of the samples; log mean weight; the same with "
           "the doubly reparameterized gradient"),
    REAL(free_bits, 0, 1e6, "nats below which a latent's batch-mean KL has no gradient; 0: none"),
    REAL(capacity, 0, 1e6, "target of the KL term in nats, times its schedule; 0: none"),
    LINE(capacity_schedule, "schedule of capacity"),
    {0}};

static double beta(const void *o) { return ((const vae_options *)o)->beta; }

static double capacity(const void *o) { return ((const vae_options *)o)->capacity; }

/* ---- Keys of `model` ---- */

#define MODEL(NAME) .name = #NAME, .offset = offsetof(vae_model, NAME)

static const lt_option model_keys[] = {
    {MODEL(likelihood), .kind = LT_KIND_TEXT, .required = true,
     .help = "p(x|z): a likelihood"},
    {MODEL(prior), .kind = LT_KIND_TEXT, .choices = "normal", .help = "p(z): a prior"},
    {MODEL(posterior_heads), .kind = LT_KIND_CHOICE, .choices = "linear|separate",
     .help = "heads of q(z|x): linear layers after the lists of posterior, or these lists alone"},
    {MODEL(latent2), .kind = LT_KIND_INT, .max = 65536,
     .help = "dimensions of a second stochastic layer, with encoder2 and decoder2; 0: none"},
    {0}};

#define SECOND .with = "latent2", .with_use = "a second stochastic layer"

static const kind_network networks[] = {
    [VAE_ENCODER] = {.key = "encoder", .called = "the encoder", .is_required = true},
    [VAE_MEAN] = {.within = "posterior", .key = "mean", .called = "posterior.mean"},
    [VAE_LOGVAR] = {.within = "posterior", .key = "logvar", .called = "posterior.logvar"},
    [VAE_DECODER] = {.key = "decoder", .called = "the decoder", .is_required = true},
    [VAE_ENCODER2] = {.key = "encoder2", .called = "encoder2", SECOND},
    [VAE_DECODER2] = {.key = "decoder2", .called = "decoder2", SECOND},
    {.key = NULL}};

static const kind_line lines[] = {
    [VAE_LIKELIHOOD] = {"model", "likelihood", &likelihood_table, false},
    [VAE_PRIOR] = {"model", "prior", &prior_table, false},
    [VAE_SCHEDULE] = {"objective", "schedule", &schedule_table, false},
    [VAE_CAPACITY_SCHEDULE] = {"objective", "capacity_schedule", &schedule_table, false},
    {.key = NULL}};

/* ---- Incompatible options ---- */

/* The estimator requires the weight of a sample to be a function of that sample only. */
static int check_dreg(const lt_recipe *r, const yaml_node *place)
{
    static const int behind_codes[] = {VAE_DECODER, VAE_ENCODER2, VAE_DECODER2};
    const spec *likelihood = recipe_line(r, VAE_LIKELIHOOD);
    for (int i = 0; i < COUNT_OF(behind_codes); i++)
        if (network_has(recipe_network(r, behind_codes[i]), "batch_norm"))
            return yaml_fail(place,
                             "bound dreg needs weights that depend on one sample each, but batch_norm "
                             "in %s makes each depend on the whole batch: use the bound iwae, or "
                             "layer_norm", networks[behind_codes[i]].key);
    if (likelihood_is_of_batch(likelihood))
        return yaml_fail(place,
                         "bound dreg needs weights that depend on one sample each, but the optimal "
                         "width of %s depends on the whole batch: use the bound iwae, or a width "
                         "that is learned or a number", likelihood->row->name);
    return LT_OK;
}

/* Bounds with several samples need each sample's whole weight, so the KL cannot be in closed form; options that
   change the rate need it as a separate term. */
static int check_objective(const lt_recipe *r, const yaml_node *place)
{
    const vae_options *o = vae_options_of(r);
    const char *bound = o->bound == BOUND_IWAE ? "iwae" : "dreg";
    if (o->bound != BOUND_ELBO && o->kl == KL_ANALYTIC)
        return yaml_fail(place, "bound %s weights samples of z: it needs kl: monte-carlo, or auto",
                         bound);
    bool is_deep = vae_model_of(r)->latent2 > 0;
    const char *with = is_deep ? "two stochastic layers" : "the prior ";
    const char *prior = is_deep ? "" : recipe_line(r, VAE_PRIOR)->row->name;
    if (!vae_rate_has_formula(r) && o->kl == KL_ANALYTIC)
        return yaml_fail(place,
                         "the KL term has no closed form with %s%s: it needs kl: monte-carlo, or auto",
                         with, prior);
    if (!vae_rate_has_formula(r) && o->free_bits > 0)
        return yaml_fail(place, "free_bits needs one stochastic layer with the prior normal, where each "
                                "latent has its own KL, not %s%s",
                         with, prior);
    if (o->bound != BOUND_ELBO && (o->free_bits > 0 || o->capacity > 0))
        return yaml_fail(place, "%s needs the bound elbo, not %s",
                         o->free_bits > 0 ? "free_bits" : "capacity", bound);
    if (o->free_bits > 0 && o->capacity > 0)
        return yaml_fail(place, "free_bits and capacity cannot be combined");
    return o->bound == BOUND_DREG && o->samples > 1 ? check_dreg(r, place) : LT_OK;
}

static int check(const lt_recipe *r, const yaml_node *root)
{
    const yaml_node *objective = yaml_get(root, "objective"), *model = yaml_get(root, "model");
    LT_TRY(kind_check_decoder(model, recipe_network(r, VAE_DECODER), recipe_line(r, VAE_LIKELIHOOD)));
    if (vae_model_of(r)->latent2 > 0 && recipe_line(r, VAE_PRIOR)->row == &prior_vamp.spec)
        return yaml_fail(yaml_get(model, "prior"),
                         "the prior vamp needs codes that the encoder gives for images; with latent2 "
                         "the prior is on z2, which encoder2 gives for codes");
    return check_objective(r, objective ? objective : root);
}

/* ---- Training ---- */

static void build_phase(const model_visit *v, lt_node *x, lt_node *labels, phase_terms *t)
{
    (void)labels;
    lt_model_terms terms = {0};
    vae_build(v, x, &terms);
    *t = (phase_terms){.loss = terms.loss, .beta = terms.beta, .capacity = terms.capacity};
    t->metric[VAE_LOSS] = terms.loss;
    t->metric[VAE_RATE] = lt_mean(terms.rate);
    t->metric[VAE_WEIGHTED_RATE] = lt_mul(terms.beta, t->metric[VAE_RATE]);
    t->metric[VAE_DISTORTION] = lt_mean(terms.distortion);
    t->metric[VAE_SIGMA] = terms.sigma;
}

static lt_node *decode(const model_visit *v, lt_node *z, lt_node *labels)
{
    (void)labels;
    return vae_mean_image(v, vae_decoder_output(v, z));
}

/* ---- Properties of a recipe ---- */

static const spec *likelihood(const lt_recipe *r) { return recipe_line(r, VAE_LIKELIHOOD); }

static int64_t latent2(const lt_recipe *r) { return vae_model_of(r)->latent2; }

static void summarize(const lt_recipe *r, text *out)
{
    if (latent2(r) > 0)
        text_format(out, " and %jd", (intmax_t)latent2(r));
    text_format(out, ", %s", vae_model_of(r)->likelihood);
    if (!prior_is_standard(recipe_line(r, VAE_PRIOR)))
        text_format(out, ", prior %s", vae_model_of(r)->prior);
}

/* ---- Capabilities and metrics ---- */

static unsigned can(const lt_recipe *r)
{
    unsigned always = LT_CAN_ENCODE | LT_CAN_POSTERIOR | LT_CAN_DECODE | LT_CAN_SAMPLE |
                      LT_CAN_LIKELIHOOD | LT_CAN_BOUND;
    return always | (vae_model_of(r)->latent2 > 0 ? 0 : LT_CAN_LOG_PRIOR);
}

static const kind_lack lacks[] = {
    {LT_CAN_LOG_PRIOR, "and with two stochastic layers p(z) of the first is an integral over the second", NULL},
    {LT_CAN_CLASSES, "which was trained without labels", NULL},
    {LT_CAN_ADVERSARY, "which has no adversary", NULL},
    {0, NULL, NULL}};

#define NATS .unit = "nats per image", .phase = "step", .better = LT_BETTER_LOWER, .width = 7, .digits = 2

static const lt_metric metrics[] = {
    [VAE_LOSS] = {.name = "loss", .label = "loss", .meaning = "training loss: by default distortion + beta rate",
     .chart = "Training loss", NATS},
    [VAE_RATE] = {.name = "rate", .label = "rate", .meaning = "KL(q(z|x) || p(z))", .chart = "Rate", .unit = "nats per image",
     .phase = "step", .width = 7, .digits = 2},
    [VAE_DISTORTION] = {.name = "distortion", .label = "distortion", .meaning = "-log p(x|z) with all constants",
     .chart = "Distortion", NATS},
    [VAE_WEIGHTED_RATE] = {.name = "weighted_rate", .meaning = "beta x rate, with the beta of each step", NATS},
    [VAE_SIGMA] = {.name = "sigma", .label = "sigma", .meaning = "standard deviation of a pixel", .phase = "step",
     .chart = "Sigma of the likelihood", .is_last = true, .is_optional = true, .width = 6, .digits = 4},
    {.name = NULL}};

/* ---- The record ---- */

const model_kind kind_vae = {
    .recipe = {.spec = {.name = "vae", .summary = "-log p(x|z) + beta KL(q(z|x) || p(z))",
                        .options = options, .size = sizeof(vae_options)},
               .title = "VAE", .phrase = "a vae", .model_keys = model_keys, .model_size = sizeof(vae_model),
               .networks = networks, .lines = lines, .metrics = metrics, .check = check},
    .can = can, .lacks = lacks,
    .beta = {beta, VAE_SCHEDULE}, .capacity = {capacity, VAE_CAPACITY_SCHEDULE},
    .phases = {{.name = "step", .build = build_phase}},
    .build = vae_build, .encode = vae_encode, .decode = decode, .draw = vae_draw_image,
    .log_prob = vae_log_prob, .log_prior = vae_log_prior, .draw_prior = vae_draw_prior,
    .log_weights = vae_log_weights, .likelihood = likelihood, .has_normal_prior = vae_rate_has_formula,
    .latent2 = latent2, .summarize = summarize, .loss_parts = vae_loss_parts, .explain = vae_explain,
    .loss_is_sum = vae_loss_is_sum};
