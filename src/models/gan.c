/* SPDX-License-Identifier: MIT */
/* Adversarial models (Goodfellow et al. 2014): a generator makes images of codes z ~ N(0, I), and a
   critic tells them from real ones. The critic is trained with each batch, the generator with every
   critic_steps-th; what each minimises is a row of the adversarial losses, the critic with a penalty.

   With classes, the generator reads an embedding of the class beside z, and the critic adds the inner
   product of another one with what its last layer reads (Miyato and Koyama 2018). */
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
    LINE(loss, "non_saturating", "a line of the adversarial losses"),
    LINE(penalty, "none", "on the critic: a line of the penalties"),
    {.name = "critic_steps", .kind = LT_KIND_INT, .offset = offsetof(gan_options, critic_steps),
     .fallback = 1, .min = 1, .max = 1000, .help = "of the critic for one of the generator"},
    {.name = "label_smoothing", .kind = LT_KIND_REAL,
     .offset = offsetof(gan_options, label_smoothing), .max = 0.5,
     .help = "the critic's target for real images is 1 less this"},
    LINE(critic_optimiser, "", "a line of the optimisers; empty: the recipe's optimiser"),
    {0}};

#define MODEL(NAME) .name = #NAME, .offset = offsetof(recipe_model, NAME)

const lt_option gan_model_keys[] = {
    {MODEL(pixels), .kind = LT_KIND_CHOICE, .choices = "unit|symmetric",
     .help = "what generator and critic take black and white for: 0 and 1, or -1 and 1 as of tanh"},
    {MODEL(classes), .kind = LT_KIND_INT, .max = 65536,
     .help = "classes that images are made of and told apart in; 0: labels are not used"},
    {MODEL(class_size), .kind = LT_KIND_INT, .fallback = 32, .min = 1, .max = 65536,
     .help = "numbers beside z that stand for a class"},
    {0}};

static const gan_options *options_of(const lt_recipe *r) { return r->objective.options; }

static int read_keys(lt_recipe *r, const yaml_node *model, const yaml_node *objective)
{
    gan_options *o = r->objective.options;
    LT_TRY(recipe_need_list(&r->generator, model, "generator"));
    LT_TRY(recipe_need_list(&r->critic, model, "critic"));
    LT_TRY(recipe_read_line(&adversarial_loss_table, o->loss, &r->loss, objective, "loss"));
    LT_TRY(recipe_read_line(&penalty_table, o->penalty, &r->penalty, objective, "penalty"));
    if (!o->critic_optimiser[0])
        memcpy(o->critic_optimiser, r->steps.optimiser, sizeof o->critic_optimiser);
    return recipe_read_line(&optimizer_table, o->critic_optimiser, &r->critic_optimiser, objective,
                            "critic_optimiser");
}

static int check(const lt_recipe *r, const yaml_node *root)
{
    const yaml_node *objective = yaml_get(root, "objective");
    if (options_of(r)->label_smoothing > 0 && !adversarial_can_smooth(&r->loss))
        return yaml_fail(recipe_place(objective, "label_smoothing"),
                         "label_smoothing moves the target of real images, and the loss %s has none",
                         r->loss.row->name);
    const network_line *last = r->critic.n ? &r->critic.lines[r->critic.n - 1] : NULL;
    if (last && layer_is(&last->layer, "sigmoid"))
        return yaml_fail(yaml_get(yaml_get(root, "model"), "critic")->last,
                         "the critic gives a number before any activation: leave out this sigmoid, "
                         "losses apply what they need");
    if (r->critic.n == 0 || r->generator.n == 0)
        return yaml_fail(recipe_place(yaml_get(root, "model"), r->critic.n ? "generator" : "critic"),
                         "a list without layers");
    return LT_OK;
}

static void print_lists(const lt_recipe *r, text *out)
{
    network_print(&r->generator, 2, "generator", out);
    network_print(&r->critic, 2, "critic", out);
}

/* ---- Pixels: images have them in 0 ... 1, the networks as the recipe says ---- */

static lt_node *to_networks(const model_visit *v, lt_node *x)
{
    bool is_symmetric = v->recipe->model.pixels == PIXELS_SYMMETRIC;
    return is_symmetric ? lt_shift(lt_scale(x, 2), -1) : x;
}

static lt_node *to_images(const model_visit *v, lt_node *y)
{
    bool is_symmetric = v->recipe->model.pixels == PIXELS_SYMMETRIC;
    return is_symmetric ? lt_shift(lt_scale(y, 0.5), 0.5) : y;
}

/* ---- Networks ---- */

/* A row of numbers for each label: n x size. */
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
    network_context c = visit_context(v);
    lt_scope *s = lt_scope_enter(v->root, "generator");
    if (r->model.classes > 0) {
        lt_node *code = embed(v->root, "generator_class", labels, r->model.classes,
                              r->model.class_size);
        z = lt_concat(1, 2, (lt_node *[]){z, code});
    }
    lt_node *y = network_build(&r->generator, &c, s, z);
    y = visit_expect_image(v, &r->generator, s, y);
    if (node_is_bad(y))
        return y;
    return lt_reshape(y, lt_shape_4d(lt_node_shape(y).d[0], v->size.h, v->size.w, v->size.c));
}

/* What the critic adds for the class: n. */
static lt_node *project(const model_visit *v, lt_scope *root, lt_node *h, lt_node *labels)
{
    lt_node *rows = lt_flatten(h);
    if (node_is_bad(rows))
        return rows;
    lt_node *code = embed(root, "critic_class", labels, v->recipe->model.classes,
                          lt_node_shape(rows).d[1]);
    return lt_sum_rows(lt_mul(rows, code));
}

lt_node *gan_criticise(const model_visit *v, lt_node *x, lt_node *labels)
{
    const network *net = &v->recipe->critic;
    network_context c = visit_context(v);
    lt_scope *root = lt_params_visit(v->critic, v->graph), *s = lt_scope_enter(root, "critic");
    lt_node *h = network_build_lines(net, 0, net->n - 1, &c, s, x);
    lt_node *y = network_build_lines(net, net->n - 1, net->n, &c, s, h);
    y = visit_expect(v, net, s, y, 1, "the critic must give one number for an image");
    if (node_is_bad(y))
        return y;
    y = lt_reshape(y, lt_shape_1d(lt_node_shape(y).d[0]));
    return v->recipe->model.classes > 0 ? lt_add(y, project(v, root, h, labels)) : y;
}

/* ---- Phases ---- */

static lt_node *draw_codes(const model_visit *v, int64_t n)
{
    return lt_normal(v->graph, lt_shape_2d(n, v->recipe->model.latent));
}

/* The root of the mean over pixels of their variance over the batch, of two images or more. */
static lt_node *deviation(lt_node *x)
{
    lt_shape s = lt_node_shape(x), one = s;
    one.d[0] = 1;
    lt_node *mean = lt_reshape(lt_mean_over(x, LT_AXIS(0)), one);
    return lt_sqrt(lt_mean(lt_square(lt_sub(x, lt_broadcast(mean, s)))));
}

/* The critic on points between images, which summaries have seen before. */
typedef struct critic_at {
    model_visit visit;
    lt_node *labels;
} critic_at;

static lt_node *criticise_points(void *user, lt_node *x)
{
    const critic_at *c = user;
    return gan_criticise(&c->visit, x, c->labels);
}

void gan_critic_terms(const model_visit *v, lt_node *x, lt_node *z, lt_node *labels,
                      lt_node *alpha, phase_terms *t)
{
    const lt_recipe *r = v->recipe;
    const gan_options *o = options_of(r);
    lt_node *fake = lt_detach(gan_generate(v, z, labels)), *real = to_networks(v, x), *norm = NULL;
    lt_node *on_real = gan_criticise(v, real, labels);
    critic_at again = {.visit = *v, .labels = labels};
    again.visit.observer = NULL;
    lt_node *on_fake = criticise_points(&again, fake);
    lt_node *penalty =
        penalty_build(&r->penalty, real, fake, alpha, criticise_points, &again, &norm);
    t->loss = adversarial_critic_loss(&r->loss, on_real, on_fake, o->label_smoothing);
    if (penalty)
        t->loss = lt_add(t->loss, penalty);
    t->measure[MEASURE_critic_loss] = t->loss;
    t->measure[MEASURE_d_real] = lt_mean(adversarial_score(&r->loss, on_real));
    t->measure[MEASURE_d_fake] = lt_mean(adversarial_score(&r->loss, on_fake));
    t->measure[MEASURE_estimate] = adversarial_estimate(&r->loss, on_real, on_fake);
    t->measure[MEASURE_penalty] = penalty;
    t->measure[MEASURE_gradient_norm] = norm;
    if (lt_node_shape(real).d[0] > 1)
        t->measure[MEASURE_spread] = lt_div(deviation(fake), lt_shift(deviation(real), 1e-12));
}

void gan_generator_terms(const model_visit *v, lt_node *z, lt_node *labels, phase_terms *t)
{
    lt_node *fake = gan_generate(v, z, labels);
    t->loss = adversarial_generator_loss(&v->recipe->loss, gan_criticise(v, fake, labels));
    t->measure[MEASURE_generator_loss] = t->loss;
}

static void train_critic(const model_visit *v, lt_node *x, lt_node *labels, phase_terms *t)
{
    if (!node_is_bad(x))
        gan_critic_terms(v, x, draw_codes(v, lt_node_shape(x).d[0]), labels, NULL, t);
}

static void train_generator(const model_visit *v, lt_node *x, lt_node *labels, phase_terms *t)
{
    if (!node_is_bad(x))
        gan_generator_terms(v, draw_codes(v, lt_node_shape(x).d[0]), labels, t);
}

static int64_t critic_steps(const lt_recipe *r) { return options_of(r)->critic_steps; }

static double critic_clip(const lt_recipe *r) { return penalty_clip(&r->penalty); }

/* ---- Evaluation ---- */

/* Of codes without a class: one drawn for each, all as likely. */
static lt_node *draw_labels(const model_visit *v, int64_t n)
{
    int64_t classes = v->recipe->model.classes;
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

/* ---- What is reported ---- */

bool gan_limits_slopes(const lt_recipe *r)
{
    return penalty_has_term(&r->penalty) || penalty_clip(&r->penalty) > 0 ||
           network_has(&r->critic, "spectral_norm");
}

/* Only what a critic cannot exceed bounds a divergence: the Wasserstein distance is over critics whose slopes
   are at most 1, which a penalty or clipped weights keep near a multiple of that. */
static const char *describe_estimate(const lt_recipe *r)
{
    if (adversarial_divergence(&r->loss) != DIVERGENCE_WASSERSTEIN)
        return "a lower bound of the divergence in expectation, by this critic";
    if (gan_limits_slopes(r))
        return "E critic(real) - E critic(fake), which is the Wasserstein distance only as far as the critic's "
               "slopes are at most 1";
    return "E critic(real) - E critic(fake), which bounds nothing: nothing limits the critic's slopes";
}

bool lt_recipe_score(const lt_recipe *r, lt_score *score)
{
    static const lt_score probability = {true, "D(real)", "D(fake)", "probability of being real", NULL},
                          number = {false, "critic(real)", "critic(fake)",
                                    "score of the critic, not a probability", NULL};
    if (objective_of(r) != &objective_gan)
        return false;
    *score = adversarial_is_probability(&r->loss) ? probability : number;
    score->estimate = describe_estimate(r);
    return true;
}

bool gan_awaits_generator(const lt_recipe *r, int64_t step)
{
    return objective_of(r) == &objective_gan && step < critic_steps(r);
}

static unsigned can(const lt_recipe *r)
{
    return LT_CAN_DECODE | LT_CAN_SAMPLE | LT_CAN_ADVERSARY | (r->model.classes > 0 ? LT_CAN_CLASSES : 0);
}

static const kind_lack lacks[] = {
    {LT_CAN_ENCODE | LT_CAN_POSTERIOR, "which makes images but has no encoder: its images have no codes"},
    {LT_CAN_BOUND | LT_CAN_LIKELIHOOD | LT_CAN_LOG_PRIOR,
     "which makes images but has no likelihood p(x|z): there is no bound on log p(x). How good its images "
     "are is said by latent eval RUN --quality"},
    {LT_CAN_CLASSES, "trained without labels: it cannot be asked for images of a class"},
    {0, NULL}};

#define CRITIC .phase = "critic", .width = 7, .digits = 3

static const lt_metric metrics[] = {
    {.name = "critic_loss", .label = "critic", .meaning = "what the critic minimizes, with the penalty",
     .chart = "Losses", CRITIC},
    {.name = "generator_loss", .label = "generator", .meaning = "what the generator minimizes",
     .chart = "Losses", .phase = "generator", .width = 9, .digits = 3},
    {.name = "d_real", .label = "real", CRITIC},
    {.name = "d_fake", .label = "fake", CRITIC},
    {.name = "penalty", .label = "penalty", .meaning = "the penalty in the critic's loss", .chart = "Penalty",
     CRITIC},
    {.name = "gradient_norm", .label = "slope",
     .meaning = "length of the critic's gradient by an image, where the penalty takes it",
     .chart = "Norm of the critic's gradient", .phase = "critic", .width = 5, .digits = 3},
    {.name = "estimate", .label = "estimate", .chart = "Divergence, the critic's estimate", .phase = "critic",
     .width = 8, .digits = 3},
    {.name = "spread", .unit = "generated over real images", .chart = "Spread of pixels",
     .meaning = "standard deviation of generated pixels over that of real ones, each over a batch; near 0: "
                "mode collapse",
     .phase = "critic", .width = 6, .digits = 3},
    {.name = NULL}};

/* What the critic says of images is a probability with some losses and a score with others. */
static void describe(const lt_recipe *r, lt_metric *m)
{
    lt_score score;
    lt_recipe_score(r, &score);
    bool is_real = strcmp(m->name, "d_real") == 0;
    if (is_real || strcmp(m->name, "d_fake") == 0) {
        m->meaning = is_real ? score.real : score.fake;
        m->unit = score.text;
        m->chart = score.is_probability ? "D(x), mean" : "critic(x), mean";
    } else if (strcmp(m->name, "estimate") == 0) {
        m->meaning = score.estimate;
    }
}

/* ---- The record ---- */

const objective_row objective_gan = {
    .spec = {.name = "gan", .summary = "a generator against a critic", .options = options,
             .size = sizeof(gan_options)},
    .model_keys = gan_model_keys, .inner_keys = {"generator", "critic"},
    .read = read_keys, .check = check, .print = print_lists,
    .phases = {{.name = "critic", .trains_critic = true, .clip = critic_clip,
                .build = train_critic},
               {.name = "generator", .every = critic_steps, .build = train_generator}},
    .title = "GAN", .phrase = "a gan", .can = can, .lacks = lacks, .metrics = metrics, .describe = describe,
    .decode = decode, .draw_prior = draw_codes};
