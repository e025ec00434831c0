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
           "the KL term in training: its formula, or log q(z|x) - log p(z) at the draw; auto: the "
           "formula if there is one"),
    LINE(schedule, "of beta: a line of the schedules"),
    {.name = "samples", .kind = LT_KIND_INT, .offset = offsetof(vae_options, samples),
     .fallback = 1, .min = 1, .max = 65536, .help = "draws of z for each image in training"},
    CHOICE(bound, "elbo|iwae|dreg",
           "log p(x) from below: mean log weight of the draws; log mean weight; the same with the "
           "doubly reparameterised gradient"),
    REAL(free_bits, 0, 1e6, "nats of each latent's batch-mean KL that cost nothing less; 0: none"),
    REAL(capacity, 0, 1e6, "nats that the KL term is kept at, times its schedule; 0: none"),
    LINE(capacity_schedule, "of capacity: a line of the schedules"),
    {0}};

static double beta(const void *o) { return ((const vae_options *)o)->beta; }

static char *schedule(void *o) { return ((vae_options *)o)->schedule; }

static double capacity(const void *o) { return ((const vae_options *)o)->capacity; }

static char *capacity_schedule(void *o) { return ((vae_options *)o)->capacity_schedule; }

/* ---- Keys of `model` ---- */

#define MODEL(NAME) .name = #NAME, .offset = offsetof(recipe_model, NAME)

const lt_option vae_model_keys[] = {
    {MODEL(likelihood), .kind = LT_KIND_TEXT, .required = true,
     .help = "a line of the likelihoods"},
    {MODEL(prior), .kind = LT_KIND_TEXT, .choices = "normal", .help = "p(z): a line of the priors"},
    {MODEL(heads), .kind = LT_KIND_CHOICE, .choices = "linear|own",
     .help = "of q(z|x): a linear layer behind the lists of posterior, or nothing behind them"},
    {MODEL(latent2), .kind = LT_KIND_INT, .max = 65536,
     .help = "dimensions of a second layer of codes, encoder2 and decoder2; 0: none"},
    {0}};

static int read_posterior(lt_recipe *r, const yaml_node *model)
{
    static const char *const keys[] = {"mean", "logvar"};
    const yaml_node *posterior = yaml_get(model, "posterior");
    if (!posterior)
        return LT_OK;
    LT_TRY(yaml_check_keys(posterior, keys, COUNT_OF(keys)));
    LT_TRY(recipe_read_list(&r->mean, posterior, "mean"));
    return recipe_read_list(&r->logvar, posterior, "logvar");
}

/* encoder2 and decoder2, which go with latent2. */
static int read_second_layer(lt_recipe *r, const yaml_node *model)
{
    static const char *const lists[] = {"encoder2", "decoder2"};
    network *networks[] = {&r->encoder2, &r->decoder2};
    for (int i = 0; i < COUNT_OF(lists); i++) {
        bool is_there = yaml_get(model, lists[i]);
        if (is_there && r->model.latent2 == 0)
            return yaml_fail(yaml_get(model, lists[i]),
                             "%s is for a second stochastic layer: latent2 is missing", lists[i]);
        if (!is_there && r->model.latent2 > 0)
            return yaml_fail(recipe_place(model, "latent2"),
                             "model: with latent2 goes \"%s\" (a list of layers)", lists[i]);
        LT_TRY(recipe_read_list(networks[i], model, lists[i]));
    }
    return LT_OK;
}

static int read_schedule(lt_recipe *r, const scheduled *number, const yaml_node *objective,
                         const char *key, spec *schedule)
{
    return recipe_read_line(&schedule_table, number->schedule(r->objective.options), schedule,
                            objective, key);
}

static int read_keys(lt_recipe *r, const yaml_node *model, const yaml_node *objective)
{
    const objective_row *row = objective_of(r);
    recipe_model *m = &r->model;
    LT_TRY(recipe_read_line(&likelihood_table, m->likelihood, &r->likelihood, model, "likelihood"));
    LT_TRY(recipe_read_line(&prior_table, m->prior, &r->prior, model, "prior"));
    LT_TRY(recipe_need_list(&r->encoder, model, "encoder"));
    LT_TRY(read_posterior(r, model));
    LT_TRY(recipe_need_list(&r->decoder, model, "decoder"));
    LT_TRY(read_second_layer(r, model));
    LT_TRY(read_schedule(r, &row->beta, objective, "schedule", &r->beta_schedule));
    return read_schedule(r, &row->capacity, objective, "capacity_schedule", &r->capacity_schedule);
}

static void print_lists(const lt_recipe *r, text *out)
{
    network_print(&r->encoder, 2, "encoder", out);
    text_append(out, "  posterior:\n");
    network_print(&r->mean, 4, "mean", out);
    network_print(&r->logvar, 4, "logvar", out);
    network_print(&r->decoder, 2, "decoder", out);
    if (r->model.latent2 > 0) {
        network_print(&r->encoder2, 2, "encoder2", out);
        network_print(&r->decoder2, 2, "decoder2", out);
    }
}

/* ---- What options of one recipe exclude ---- */

/* A likelihood that wants logits after a sigmoid would squash them twice. */
static int check_output(const lt_recipe *r, const yaml_node *model)
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

/* The estimate takes that the weight of a draw is a function of that draw alone. */
static int check_dreg(const lt_recipe *r, const yaml_node *place)
{
    static const char *const names[] = {"decoder", "encoder2", "decoder2"};
    const network *nets[] = {&r->decoder, &r->encoder2, &r->decoder2};
    for (int i = 0; i < COUNT_OF(names); i++)
        if (network_has(nets[i], "batch_norm"))
            return yaml_fail(place,
                             "bound dreg needs weights that depend on one draw each, and batch_norm "
                             "in %s makes each depend on all of the batch: take the bound iwae, or "
                             "layer_norm", names[i]);
    if (likelihood_is_of_batch(&r->likelihood))
        return yaml_fail(place,
                         "bound dreg needs weights that depend on one draw each, and the optimal "
                         "width of %s depends on all of the batch: take the bound iwae, or a width "
                         "that is learned or a number", r->likelihood.row->name);
    return LT_OK;
}

/* Bounds of several draws weigh them, which a formula for part of a weight cannot do; what changes
   the rate alone needs the rate to be a term of its own. */
static int check_objective(const lt_recipe *r, const yaml_node *place)
{
    const vae_options *o = r->objective.options;
    const char *bound = o->bound == BOUND_IWAE ? "iwae" : "dreg";
    if (o->bound != BOUND_ELBO && o->kl == KL_ANALYTIC)
        return yaml_fail(place, "bound %s weighs draws of z: it needs kl: monte-carlo, or auto",
                         bound);
    bool is_deep = r->model.latent2 > 0;
    const char *with = is_deep ? "two stochastic layers" : "the prior ";
    const char *prior = is_deep ? "" : r->prior.row->name;
    if (!vae_rate_has_formula(r) && o->kl == KL_ANALYTIC)
        return yaml_fail(place,
                         "the KL term has no formula with %s%s: it needs kl: monte-carlo, or auto",
                         with, prior);
    if (!vae_rate_has_formula(r) && o->free_bits > 0)
        return yaml_fail(place, "free_bits is for one layer of codes with the prior normal, where "
                                "each latent has a KL of its own, not for %s%s",
                         with, prior);
    if (o->bound != BOUND_ELBO && (o->free_bits > 0 || o->capacity > 0))
        return yaml_fail(place, "%s is for the bound elbo, not %s",
                         o->free_bits > 0 ? "free_bits" : "capacity", bound);
    if (o->free_bits > 0 && o->capacity > 0)
        return yaml_fail(place, "free_bits and capacity exclude each other");
    return o->bound == BOUND_DREG && o->samples > 1 ? check_dreg(r, place) : LT_OK;
}

static int check(const lt_recipe *r, const yaml_node *root)
{
    const yaml_node *objective = yaml_get(root, "objective"), *model = yaml_get(root, "model");
    LT_TRY(check_output(r, model));
    if (r->model.latent2 > 0 && r->prior.row == &prior_vamp.spec)
        return yaml_fail(yaml_get(model, "prior"),
                         "the prior vamp is of codes that the encoder gives for images; with "
                         "latent2 they would be those behind them");
    return check_objective(r, objective ? objective : root);
}

/* ---- Training ---- */

static void build_phase(const model_visit *v, lt_node *x, lt_node *labels, phase_terms *t)
{
    (void)labels;
    lt_model_terms terms = {0};
    vae_build(v, x, &terms);
    *t = (phase_terms){.loss = terms.loss, .beta = terms.beta, .capacity = terms.capacity};
    t->measure[MEASURE_loss] = terms.loss;
    t->measure[MEASURE_rate] = lt_mean(terms.rate);
    t->measure[MEASURE_weighted_rate] = lt_mul(terms.beta, t->measure[MEASURE_rate]);
    t->measure[MEASURE_distortion] = lt_mean(terms.distortion);
    t->measure[MEASURE_sigma] = terms.sigma;
}

static lt_node *decode(const model_visit *v, lt_node *z, lt_node *labels)
{
    (void)labels;
    return vae_mean_image(v, vae_decoder_output(v, z));
}

/* ---- What it can do and reports ---- */

static unsigned can(const lt_recipe *r)
{
    unsigned always = LT_CAN_ENCODE | LT_CAN_POSTERIOR | LT_CAN_DECODE | LT_CAN_SAMPLE |
                      LT_CAN_LIKELIHOOD | LT_CAN_BOUND;
    return always | (r->model.latent2 > 0 ? 0 : LT_CAN_LOG_PRIOR);
}

static const kind_lack lacks[] = {
    {LT_CAN_LOG_PRIOR, "and with two stochastic layers log p(z) of the first is an integral over the second"},
    {LT_CAN_CLASSES, "trained without labels: it cannot be asked for images of a class"},
    {LT_CAN_ADVERSARY, "which has no adversary"},
    {0, NULL}};

#define NATS .unit = "nats per image", .phase = "step", .better = LT_BETTER_LOWER, .width = 7, .digits = 2

static const lt_metric metrics[] = {
    {.name = "loss", .label = "loss", .meaning = "what is minimized: by default distortion + beta rate",
     .chart = "Loss, as training has it", NATS},
    {.name = "rate", .label = "rate", .meaning = "KL(q(z|x) || p(z))", .chart = "Rate", .unit = "nats per image",
     .phase = "step", .width = 7, .digits = 2},
    {.name = "distortion", .label = "distortion", .meaning = "-log p(x|z) with all constants",
     .chart = "Distortion", NATS},
    {.name = "weighted_rate", .meaning = "beta x rate, with the beta of each step", NATS},
    {.name = "sigma", .label = "sigma", .meaning = "standard deviation of a pixel", .phase = "step",
     .chart = "Sigma of the likelihood", .is_last = true, .width = 6, .digits = 4},
    {.name = NULL}};

/* ---- The record ---- */

const objective_row objective_vae = {
    .spec = {.name = "vae", .summary = "-log p(x|z) + beta KL(q(z|x) || p(z))",
             .options = options, .size = sizeof(vae_options)},
    .model_keys = vae_model_keys,
    .inner_keys = {"encoder", "posterior", "decoder", "encoder2", "decoder2"},
    .beta = {beta, schedule}, .capacity = {capacity, capacity_schedule},
    .read = read_keys, .check = check, .print = print_lists,
    .phases = {{.name = "step", .build = build_phase}},
    .title = "VAE", .phrase = "a vae", .can = can, .lacks = lacks, .metrics = metrics,
    .build = vae_build, .encode = vae_encode, .decode = decode, .draw = vae_draw_image, .log_prob = vae_log_prob,
    .log_prior = vae_log_prior, .draw_prior = vae_draw_prior, .log_weights = vae_log_weights};
