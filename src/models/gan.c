/* SPDX-License-Identifier: MIT */
/* Adversarial models (Goodfellow et al. 2014): a generator maps codes z ~ N(0, I) to images, and a discriminator tells
   them from real ones. The discriminator takes a step with each batch, the generator with every discriminator_steps-th.
   Their losses are a row of the adversarial losses, plus a penalty for the discriminator.

   With classes, the generator's input is z and an embedding of the class, and the discriminator adds the inner product
   of another embedding with the input of its last layer (Miyato and Koyama 2018). */
#include "models/gan.h"

#include "base/status.h"
#include "graph/op.h"
#include "models/adversarial.h"
#include "nn/optimizers.h"
#include "models/penalties.h"

#include <string.h>

/* ---- Options ---- */

#define LINE(NAME, FALLBACK, HELP)                                                                 \
    {.name = #NAME, .kind = LT_KIND_TEXT, .offset = offsetof(gan_options, NAME),                   \
     .choices = FALLBACK, .help = HELP}

static const lt_option options[] = {
    LINE(loss, "non_saturating", "an adversarial loss"),
    LINE(penalty, "none", "a penalty on the discriminator"),
    {.name = "discriminator_steps", .kind = LT_KIND_INT, .offset = offsetof(gan_options, discriminator_steps),
     .fallback = 1, .min = 1, .max = 1000, .help = "discriminator steps per generator step"},
    {.name = "label_smoothing", .kind = LT_KIND_REAL,
     .offset = offsetof(gan_options, label_smoothing), .max = 0.5,
     .help = "the discriminator's target for real images is 1 minus this"},
    LINE(discriminator_optimizer, "", "an optimizer; empty: the recipe's optimizer"),
    {0}};

#define MODEL(NAME) .name = #NAME, .offset = offsetof(gan_model, NAME)

static const lt_option model_keys[] = {
    {MODEL(pixels), .kind = LT_KIND_CHOICE, .choices = "unit|symmetric",
     .help = "range of pixels in the networks: 0 ... 1, or -1 ... 1 as tanh has it"},
    {MODEL(classes), .kind = LT_KIND_INT, .max = 65536,
     .help = "number of classes to condition on; 0: unconditional"},
    {MODEL(class_size), .kind = LT_KIND_INT, .fallback = 32, .min = 1, .max = 65536,
     .help = "width of the class embedding in the generator's input"},
    {0}};

static const kind_network networks[] = {
    [GAN_GENERATOR] = {.key = "generator", .called = "the generator", .is_required = true},
    [GAN_DISCRIMINATOR] = {.key = "discriminator", .called = "the discriminator", .is_required = true},
    {.key = NULL}};

static const kind_line lines[] = {
    [GAN_LOSS] = {"objective", "loss", &adversarial_loss_table, false},
    [GAN_PENALTY] = {"objective", "penalty", &penalty_table, false},
    [GAN_DISCRIMINATOR_OPTIMIZER] = {"objective", "discriminator_optimizer", &optimizer_table, true},
    {.key = NULL}};

/* Papers on Wasserstein losses call the discriminator a critic. */
static const kind_alias aliases[] = {{"model", "critic", "discriminator"},
                                     {"objective", "critic_steps", "discriminator_steps"},
                                     {"objective", "critic_optimizer", "discriminator_optimizer"},
                                     {0}};

static const char *const resumable[] = {"objective.discriminator_optimizer.lr",
                                        "objective.discriminator_optimizer.weight_decay", NULL};

static const spec *loss_of(const lt_recipe *r) { return recipe_line(r, GAN_LOSS); }

static const spec *penalty_of(const lt_recipe *r) { return recipe_line(r, GAN_PENALTY); }

static const spec *discriminator_optimizer(const lt_recipe *r) { return recipe_line(r, GAN_DISCRIMINATOR_OPTIMIZER); }

static int check(const lt_recipe *r, const yaml_node *root)
{
    const yaml_node *objective = yaml_get(root, "objective");
    if (gan_options_of(r)->label_smoothing > 0 && !adversarial_can_smooth(loss_of(r)))
        return yaml_fail(recipe_location(objective, "label_smoothing"),
                         "label_smoothing changes the target of real images, but the loss %s has no target",
                         loss_of(r)->row->name);
    const network *generator = recipe_network(r, GAN_GENERATOR), *discriminator = recipe_network(r, GAN_DISCRIMINATOR);
    const network_line *last = discriminator->n ? &discriminator->lines[discriminator->n - 1] : NULL;
    if (last && layer_is(&last->layer, "sigmoid"))
        return yaml_fail(yaml_get(yaml_get(root, "model"), "discriminator")->last,
                         "the discriminator must end in a raw score: remove this sigmoid, the losses apply "
                         "their own activation");
    if (discriminator->n == 0 || generator->n == 0)
        return yaml_fail(recipe_location(yaml_get(root, "model"), discriminator->n ? "generator" : "discriminator"),
                         "expected at least one layer, found an empty list");
    return LT_OK;
}

/* A gradient penalty needs each score to depend on its own image only. */
static bool warn_of_penalty(const lt_recipe *r, text *out)
{
    const network_line *line = network_find(recipe_network(r, GAN_DISCRIMINATOR), "batch_norm");
    if (!line || !penalty_has_term(penalty_of(r)))
        return false;
    text_format(out, "%s:%d:%d: batch_norm in a discriminator with the penalty %s, which constrains the gradient at each "
                     "image: batch statistics make it depend on the other images (Gulrajani et al. 2017); use layer_norm "
                     "or no norm",
                line->file, line->line, line->column, penalty_of(r)->row->name);
    return true;
}

/* ---- Pixels: in 0 ... 1 in images, in the recipe's range in the networks ---- */

static lt_node *to_networks(const model_visit *v, lt_node *x)
{
    bool is_symmetric = gan_model_of(v->recipe)->pixels == PIXELS_SYMMETRIC;
    return is_symmetric ? lt_shift(lt_scale(x, 2), -1) : x;
}

static lt_node *to_images(const model_visit *v, lt_node *y)
{
    bool is_symmetric = gan_model_of(v->recipe)->pixels == PIXELS_SYMMETRIC;
    return is_symmetric ? lt_shift(lt_scale(y, 0.5), 0.5) : y;
}

/* ---- Networks ---- */

/* The embedding of each label: n x size. */
static lt_node *embed(lt_scope *root, const char *name, lt_node *labels, int64_t classes,
                      int64_t size)
{
    lt_init normal = {.kind = LT_INIT_NORMAL, .value = 1};
    lt_node *table = lt_param(lt_scope_enter(root, name), "weight", lt_shape_2d(classes, size),
                              LT_LAYOUT_PLAIN, normal);
    return lt_gather_rows(table, labels);
}

lt_node *gan_generate(const model_visit *v, lt_node *z, lt_node *labels)
{
    const lt_recipe *r = v->recipe;
    const network *net = recipe_network(r, GAN_GENERATOR);
    network_context c = visit_context(v);
    lt_scope *s = lt_scope_enter(v->root, "generator");
    if (gan_model_of(r)->classes > 0) {
        lt_node *code = embed(v->root, "generator_class", labels, gan_model_of(r)->classes,
                              gan_model_of(r)->class_size);
        z = lt_concat(1, 2, (lt_node *[]){z, code});
    }
    lt_node *y = network_build(net, &c, s, z);
    y = visit_expect_image(v, net, s, y);
    if (node_is_bad(y))
        return y;
    return lt_reshape(y, lt_shape_4d(lt_node_shape(y).d[0], v->size.h, v->size.w, v->size.c));
}

/* The discriminator's term for the class: n. */
static lt_node *project(const model_visit *v, lt_scope *root, lt_node *h, lt_node *labels)
{
    lt_node *rows = lt_flatten(h);
    if (node_is_bad(rows))
        return rows;
    lt_node *code = embed(root, "discriminator_class", labels, gan_model_of(v->recipe)->classes,
                          lt_node_shape(rows).d[1]);
    return lt_sum_rows(lt_mul(rows, code));
}

lt_node *gan_discriminate(const model_visit *v, lt_node *x, lt_node *labels)
{
    const network *net = recipe_network(v->recipe, GAN_DISCRIMINATOR);
    network_context c = visit_context(v);
    lt_scope *root = lt_params_visit(v->discriminator, v->graph), *s = lt_scope_enter(root, "discriminator");
    lt_node *h = network_build_lines(net, 0, net->n - 1, &c, s, x);
    lt_node *y = network_build_lines(net, net->n - 1, net->n, &c, s, h);
    y = visit_expect(v, net, s, y, 1, "the discriminator must give one number per image");
    if (node_is_bad(y))
        return y;
    y = lt_reshape(y, lt_shape_1d(lt_node_shape(y).d[0]));
    return gan_model_of(v->recipe)->classes > 0 ? lt_add(y, project(v, root, h, labels)) : y;
}

/* ---- Phases ---- */

static lt_node *draw_codes(const model_visit *v, int64_t n)
{
    return lt_normal(v->graph, lt_shape_2d(n, v->recipe->model.latent));
}

/* Root mean square over pixels of their standard deviation over the batch (two images or more). */
static lt_node *deviation(lt_node *x)
{
    lt_shape s = lt_node_shape(x), one = s;
    one.d[0] = 1;
    lt_node *mean = lt_reshape(lt_mean_over(x, LT_AXIS(0)), one);
    return lt_sqrt(lt_mean(lt_square(lt_sub(x, lt_broadcast(mean, s)))));
}

/* The discriminator as a function of images, for penalties; not reported to summaries again. */
typedef struct discriminator_at {
    model_visit visit;
    lt_node *labels;
} discriminator_at;

static lt_node *discriminate_points(void *user, lt_node *x)
{
    const discriminator_at *c = user;
    return gan_discriminate(&c->visit, x, c->labels);
}

void gan_discriminator_terms(const model_visit *v, lt_node *x, lt_node *z, lt_node *labels,
                      lt_node *alpha, phase_terms *t)
{
    const lt_recipe *r = v->recipe;
    const gan_options *o = gan_options_of(r);
    lt_node *fake = lt_detach(gan_generate(v, z, labels)), *real = to_networks(v, x), *norm = NULL;
    lt_node *on_real = gan_discriminate(v, real, labels);
    discriminator_at again = {.visit = *v, .labels = labels};
    again.visit.observer = NULL;
    lt_node *on_fake = discriminate_points(&again, fake);
    lt_node *penalty =
        penalty_build(penalty_of(r), real, fake, alpha, discriminate_points, &again, &norm);
    t->loss = adversarial_discriminator_loss(loss_of(r), on_real, on_fake, o->label_smoothing);
    if (penalty)
        t->loss = lt_add(t->loss, penalty);
    t->metric[GAN_DISCRIMINATOR_LOSS] = t->loss;
    t->metric[GAN_D_REAL] = lt_mean(adversarial_score(loss_of(r), on_real));
    t->metric[GAN_D_FAKE] = lt_mean(adversarial_score(loss_of(r), on_fake));
    t->metric[GAN_ESTIMATE] = adversarial_estimate(loss_of(r), on_real, on_fake);
    t->metric[GAN_PENALTY_TERM] = penalty;
    t->metric[GAN_GRADIENT_NORM] = norm;
    if (lt_node_shape(real).d[0] > 1)
        t->metric[GAN_PIXEL_STD_RATIO] = lt_div(deviation(fake), lt_shift(deviation(real), 1e-12));
}

void gan_generator_terms(const model_visit *v, lt_node *z, lt_node *labels, phase_terms *t)
{
    lt_node *fake = gan_generate(v, z, labels);
    t->loss = adversarial_generator_loss(loss_of(v->recipe), gan_discriminate(v, fake, labels));
    t->metric[GAN_GENERATOR_LOSS] = t->loss;
}

static void train_discriminator(const model_visit *v, lt_node *x, lt_node *labels, phase_terms *t)
{
    if (!node_is_bad(x))
        gan_discriminator_terms(v, x, draw_codes(v, lt_node_shape(x).d[0]), labels, NULL, t);
}

static void train_generator(const model_visit *v, lt_node *x, lt_node *labels, phase_terms *t)
{
    if (!node_is_bad(x))
        gan_generator_terms(v, draw_codes(v, lt_node_shape(x).d[0]), labels, t);
}

static int64_t discriminator_steps(const lt_recipe *r) { return gan_options_of(r)->discriminator_steps; }

static double discriminator_clip(const lt_recipe *r) { return penalty_clip(penalty_of(r)); }

/* ---- Evaluation ---- */

/* A uniformly sampled class for each code. */
static lt_node *draw_labels(const model_visit *v, int64_t n)
{
    int64_t classes = gan_model_of(v->recipe)->classes;
    if (classes == 0)
        return NULL;
    lt_node *u = lt_scale(lt_uniform(v->graph, lt_shape_1d(n)), (double)classes);
    return lt_clamp(lt_round(lt_shift(u, -0.5)), 0, (double)(classes - 1));
}

static lt_node *decode(const model_visit *v, lt_node *z, lt_node *labels)
{
    if (node_is_bad(z))
        return z;
    if (!labels)
        labels = draw_labels(v, lt_node_shape(z).d[0]);
    return to_images(v, gan_generate(v, z, labels));
}

/* ---- Metrics ---- */

bool gan_limits_slopes(const lt_recipe *r)
{
    return penalty_has_term(penalty_of(r)) || penalty_clip(penalty_of(r)) > 0 ||
           network_has(recipe_network(r, GAN_DISCRIMINATOR), "spectral_norm");
}

/* The Wasserstein distance is the supremum over critics with slopes at most 1; a penalty or clipped weights keep
   slopes only near a multiple of 1, so the estimate is not a strict bound. */
static const char *describe_estimate(const lt_recipe *r)
{
    if (adversarial_divergence(loss_of(r)) != DIVERGENCE_WASSERSTEIN)
        return "a lower bound of the divergence in expectation, by this discriminator";
    if (gan_limits_slopes(r))
        return "E critic(real) - E critic(fake), a bound on the Wasserstein distance only while the critic's "
               "slopes are at most 1";
    return "E critic(real) - E critic(fake), not a bound: nothing limits the critic's slopes";
}

bool lt_recipe_score(const lt_recipe *r, lt_score *score)
{
    static const lt_score probability = {true, "D(real)", "D(fake)", "probability of being real", NULL},
                          number = {false, "critic(real)", "critic(fake)",
                                    "score of the discriminator, not a probability", NULL};
    if (kind_of(r) != &kind_gan)
        return false;
    *score = adversarial_is_probability(loss_of(r)) ? probability : number;
    score->estimate = describe_estimate(r);
    return true;
}

/* A warning about an epoch's metrics, or NULL. */
static const char *warn(const lt_recipe *r, const lt_train_report *t)
{
    if (t->step < discriminator_steps(r))
        return "the generator has not taken a step yet: discriminator_steps exceeds the steps so far";
    if (t->values[GAN_PIXEL_STD_RATIO] < 0.1)
        return "mode collapse: the generated images are nearly identical";
    if (adversarial_is_probability(loss_of(r)) && t->values[GAN_D_REAL] > 0.995 && t->values[GAN_D_FAKE] < 0.005)
        return "discriminator saturation: it classifies every image correctly, so the generator may stop learning";
    return NULL;
}

/* Losses compare if they are of the same divergence, whatever the other options. */
static const char *differ(const lt_recipe *a, const lt_recipe *b)
{
    bool are_equal = loss_of(a)->row == loss_of(b)->row && spec_is_equal(penalty_of(a), penalty_of(b));
    return are_equal ? NULL : "the losses or penalties differ";
}

static int64_t classes(const lt_recipe *r) { return gan_model_of(r)->classes; }

static void summarize(const lt_recipe *r, text *out)
{
    if (classes(r) > 0)
        text_format(out, ", %jd classes", (intmax_t)classes(r));
}

static unsigned can(const lt_recipe *r)
{
    return LT_CAN_DECODE | LT_CAN_SAMPLE | LT_CAN_ADVERSARY | (gan_model_of(r)->classes > 0 ? LT_CAN_CLASSES : 0);
}

static const kind_lack lacks[] = {
    {LT_CAN_ENCODE | LT_CAN_POSTERIOR, "which makes images but has no encoder", NULL},
    {LT_CAN_BOUND | LT_CAN_LIKELIHOOD | LT_CAN_LOG_PRIOR, "which makes images but has no likelihood p(x|z)",
     "latent eval RUN --quality measures how good its images are"},
    {LT_CAN_CLASSES, "which was trained without labels", NULL},
    {0, NULL, NULL}};

#define DISCRIMINATOR .phase = "discriminator", .width = 7, .digits = 3

static const lt_metric metrics[] = {
    [GAN_DISCRIMINATOR_LOSS] = {.name = "discriminator_loss", .label = "D loss", .meaning = "loss of the discriminator, with the penalty",
     .chart = "Losses", DISCRIMINATOR},
    [GAN_GENERATOR_LOSS] = {.name = "generator_loss", .label = "G loss", .meaning = "loss of the generator",
     .chart = "Losses", .phase = "generator", .width = 9, .digits = 3},
    [GAN_D_REAL] = {.name = "d_real", .label = "real", DISCRIMINATOR},
    [GAN_D_FAKE] = {.name = "d_fake", .label = "fake", DISCRIMINATOR},
    [GAN_PENALTY_TERM] = {.name = "penalty", .label = "penalty", .meaning = "penalty term of the discriminator's loss",
     .chart = "Penalty", .is_optional = true, DISCRIMINATOR},
    [GAN_GRADIENT_NORM] = {.name = "gradient_norm", .label = "slope",
     .meaning = "norm of the discriminator's gradient by the image, at the points of the penalty",
     .chart = "Norm of the discriminator's gradient", .phase = "discriminator", .is_optional = true, .width = 5, .digits = 3},
    [GAN_ESTIMATE] = {.name = "estimate", .label = "estimate", .chart = "Divergence, estimated by the discriminator", .phase = "discriminator",
     .width = 8, .digits = 3},
    [GAN_PIXEL_STD_RATIO] = {.name = "pixel_std_ratio", .unit = "generated over real images", .chart = "Pixel std ratio",
     .meaning = "standard deviation over a batch of generated pixels, divided by that of real ones; near 0: "
                "mode collapse",
     .phase = "discriminator", .width = 6, .digits = 3},
    {.name = NULL}};

/* The discriminator's output is a probability with some losses and a score with others. */
static void describe(const lt_recipe *r, lt_metric *m)
{
    lt_score score;
    lt_recipe_score(r, &score);
    bool is_real = m->index == GAN_D_REAL;
    if (is_real || m->index == GAN_D_FAKE) {
        m->meaning = is_real ? score.real : score.fake;
        m->unit = score.text;
        m->chart = score.is_probability ? "D(x), mean" : "critic(x), mean";
    } else if (m->index == GAN_ESTIMATE) {
        m->meaning = score.estimate;
    }
}

/* ---- The record ---- */

const model_kind kind_gan = {
    .recipe = {.spec = {.name = "gan", .summary = "a generator against a discriminator", .options = options,
                        .size = sizeof(gan_options)},
               .title = "GAN", .phrase = "a gan", .model_keys = model_keys, .model_size = sizeof(gan_model),
               .networks = networks, .lines = lines, .aliases = aliases, .resumable = resumable, .metrics = metrics,
               .describe = describe, .check = check, .warn = warn_of_penalty},
    .can = can, .lacks = lacks,
    .phases = {{.name = "discriminator", .trains_discriminator = true, .optimizer = discriminator_optimizer, .clip = discriminator_clip,
                .build = train_discriminator},
               {.name = "generator", .every = discriminator_steps, .build = train_generator}},
    .decode = decode, .draw_prior = draw_codes, .classes = classes, .summarize = summarize,
    .warn = warn, .explain = gan_explain, .differ = differ};
