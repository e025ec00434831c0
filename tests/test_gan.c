/* SPDX-License-Identifier: MIT */
/* What adversarial models compute: the discriminator's loss against its differences, steps of the trainer
   against PyTorch's (tools/golden_gan.py) and against formulas of linear networks. */
#include "gan_training.h"
#include "golden/golden.h"
#include "base/philox.h"
#include "models/gan.h"

/* ---- The whole loss of a discriminator against differences ---- */

/* ift6135-wgan-svhn with few channels. */
static const char *const small_svhn[] = {
    "model.latent=5",
    "model.generator.0=reshape 1 1 5",
    "model.generator.1=conv_transpose 8 kernel=4",
    "model.generator.4=conv_transpose 6 kernel=4 stride=2 pad=1",
    "model.generator.7=conv_transpose 4 kernel=4 stride=2 pad=1",
    "model.discriminator.0=conv 4 kernel=4 stride=2 pad=1",
    "model.discriminator.2=conv 8 kernel=4 stride=2 pad=1",
    "model.discriminator.4=conv 16 kernel=4 stride=2 pad=1"};

enum { FEW = 2, SIDE = 32, LATENT = 5 };

typedef struct critic_subject {
    lt_model *model;
    lt_graph *graph;
    lt_node *x, *z, *alpha, *w, *loss, *gradient, *norms; /* w: all weights of the discriminator */
    lt_program *whole, *value; /* of loss, gradient and norms; of the loss */
    lt_session *of_whole, *of_value;
    double *weights;
    int64_t size;
} critic_subject;

static model_visit visit_in(lt_model *m, lt_graph *g)
{
    return (model_visit){.recipe = lt_model_recipe(m), .size = lt_model_image_size(m), .graph = g,
                         .params = lt_model_params(m), .discriminator = lt_model_discriminator(m),
                         .root = lt_params_visit(lt_model_params(m), g), .is_training = true};
}

/* Of the discriminator by its input, at the points of the penalty: n. */
static lt_node *slope_norms(const critic_subject *c)
{
    model_visit v = visit_in(c->model, c->graph);
    lt_node *fake = gan_generate(&v, c->z, NULL), *real = lt_shift(lt_scale(c->x, 2), -1);
    lt_node *factor = lt_reshape(c->alpha, lt_shape_4d(FEW, 1, 1, 1));
    lt_node *at = lt_detach(lt_lerp(real, fake, factor));
    lt_node *slope = lt_grad(lt_sum(gan_discriminate(&v, at, NULL)), at);
    return lt_sqrt(lt_sum_rows(lt_square(slope)));
}

static void feed_draws(critic_subject *c, lt_node *node, draws *d, double lo, double hi)
{
    int64_t n = lt_shape_size(lt_node_shape(node));
    double *values = must_alloc(sizeof *values * (size_t)n);
    for (int64_t i = 0; i < n; i++)
        values[i] = draw(d, lo, hi);
    feed(c->of_whole, LT_REFERENCE, node, values);
    feed(c->of_value, LT_REFERENCE, node, values);
    free(values);
}

/* Weights that keep the size of what goes through, so that slopes are around 1. */
static void draw_weights(critic_subject *c, draws *d)
{
    const lt_params *p = lt_model_discriminator(c->model);
    for (int i = 0; i < lt_params_count(p); i++) {
        lt_param_info info = lt_params_info(p, i);
        int64_t n = lt_shape_size(info.shape);
        double fan_in = (double)(n / info.shape.d[0]);
        double most = info.shape.rank > 1 ? 1.35 * sqrt(3 / fan_in) : .2;
        for (int64_t k = 0; k < n; k++)
            c->weights[info.offset + k] = draw(d, -most, most);
    }
}

static critic_subject open_critic(uint64_t seed)
{
    draws d = draws_from(seed);
    critic_subject c = {.graph = lt_graph_create()};
    lt_recipe *r;
    lt_recipe_open("ift6135-wgan-svhn", small_svhn, COUNT_OF(small_svhn), &r);
    c.model = r ? lt_model_create(r, (lt_image_size){SIDE, SIDE, 3}) : NULL;
    if (!c.model)
        fail_msg("%s", lt_last_error());
    lt_recipe_free(r);
    phase_terms t = {0};
    model_visit v = visit_in(c.model, c.graph);
    c.x = lt_input(c.graph, "x", lt_shape_4d(FEW, SIDE, SIDE, 3));
    c.z = lt_input(c.graph, "z", lt_shape_2d(FEW, LATENT));
    c.alpha = lt_input(c.graph, "alpha", lt_shape_1d(FEW));
    gan_discriminator_terms(&v, c.x, c.z, NULL, c.alpha, &t);
    c.loss = t.loss;
    c.w = lt_params_variable(lt_model_discriminator(c.model), c.graph);
    c.gradient = lt_params_gradient(lt_model_discriminator(c.model), c.loss);
    c.norms = slope_norms(&c);
    c.whole = must_compile(c.graph, (lt_node *[]){c.loss, c.gradient, c.norms}, 3);
    c.value = must_compile(c.graph, &c.loss, 1);
    c.of_whole = must_create(c.whole, &(lt_session_options){.executor = LT_REFERENCE});
    c.of_value = must_create(c.value, &(lt_session_options){.executor = LT_REFERENCE});
    lt_node *generator = lt_params_variable(lt_model_params(c.model), c.graph);
    feed_draws(&c, c.x, &d, 0, 1);
    feed_draws(&c, c.z, &d, -2, 2);
    feed_draws(&c, c.alpha, &d, 0, 1);
    feed_draws(&c, generator, &d, -.5, .5);
    c.size = lt_params_extent(lt_model_discriminator(c.model));
    c.weights = must_alloc(sizeof *c.weights * (size_t)c.size);
    draw_weights(&c, &d);
    return c;
}

static void close_critic(critic_subject *c)
{
    lt_session_free(c->of_whole);
    lt_session_free(c->of_value);
    lt_program_free(c->whole);
    lt_program_free(c->value);
    lt_graph_free(c->graph);
    lt_model_free(c->model);
    free(c->weights);
}

static double loss_along(const critic_subject *c, const double *direction, double h)
{
    double *w = lt_session_doubles(c->of_value, c->w);
    for (int64_t i = 0; i < c->size; i++)
        w[i] = c->weights[i] + h * direction[i];
    must_run(c->of_value, NULL);
    return lt_session_doubles(c->of_value, c->loss)[0];
}

/* The larger error of the derivative along a direction, by quotients of two steps, in parts of it
   or of `floor`. Within these steps no unit of the discriminator may pass its kink. */
static double error_along(const critic_subject *c, const double *gradient, const double *direction,
                          double floor)
{
    static const double steps[] = {2e-5, 5e-6};
    double found = 0, worst = 0;
    for (int64_t i = 0; i < c->size; i++)
        found += gradient[i] * direction[i];
    for (int k = 0; k < COUNT_OF(steps); k++) {
        double h = steps[k];
        double want = (loss_along(c, direction, h) - loss_along(c, direction, -h)) / (2 * h);
        worst = fmax(worst, fabs(found - want) / fmax(fabs(want), floor));
    }
    return worst;
}

/* Numbers of a direction from `start` on; the rest stays 0. Their length is 1. */
static void aim(double *direction, int64_t size, int64_t start, int64_t n, draws *d)
{
    double squares = 0;
    memset(direction, 0, sizeof *direction * (size_t)size);
    for (int64_t i = start; i < start + n; i++) {
        direction[i] = draw(d, -1, 1);
        squares += direction[i] * direction[i];
    }
    for (int64_t i = start; i < start + n; i++)
        direction[i] /= sqrt(squares);
}

/* The steepest single weight and two others, of each tensor; and all of it along one direction. */
static double worst_of_tensor(const critic_subject *c, const double *gradient, int i, double floor,
                              draws *d)
{
    lt_param_info info = lt_params_info(lt_model_discriminator(c->model), i);
    int64_t n = lt_shape_size(info.shape), steepest = info.offset;
    double *direction = must_alloc(sizeof *direction * (size_t)c->size), worst = 0;
    for (int64_t k = info.offset; k < info.offset + n; k++)
        if (fabs(gradient[k]) > fabs(gradient[steepest]))
            steepest = k;
    const int64_t single[] = {steepest, info.offset + draw_below(d, (int)n),
                              info.offset + draw_below(d, (int)n)};
    for (int k = 0; k < COUNT_OF(single); k++) {
        aim(direction, c->size, single[k], 1, d);
        worst = fmax(worst, error_along(c, gradient, direction, floor));
    }
    aim(direction, c->size, info.offset, n, d);
    worst = fmax(worst, error_along(c, gradient, direction, floor));
    free(direction);
    return worst;
}

static void a_critics_loss_has_the_derivative_of_its_differences(void **state)
{
    (void)state;
    enum { DIRECTIONS = 6 };
    draws d = draws_from(73);
    critic_subject c = open_critic(72);
    feed(c.of_whole, LT_REFERENCE, c.w, c.weights);
    must_run(c.of_whole, NULL);
    double *gradient = fetch(c.of_whole, LT_REFERENCE, c.gradient);
    double *norms = fetch(c.of_whole, LT_REFERENCE, c.norms);
    double *direction = must_alloc(sizeof *direction * (size_t)c.size), worst = 0;
    assert_true(fmin(norms[0], norms[1]) < .95 && fmax(norms[0], norms[1]) > 1.05);
    for (int k = 0; k < DIRECTIONS; k++) {
        aim(direction, c.size, 0, c.size, &d);
        worst = fmax(worst, error_along(&c, gradient, direction, 1e-3));
    }
    for (int i = 0; i < lt_params_count(lt_model_discriminator(c.model)); i++) {
        /* numbers below a thousandth of the largest are measured by that: the slope of the last
           bias is 0 but for rounding */
        double floor = 1e-3 * largest(gradient, c.size);
        worst = fmax(worst, worst_of_tensor(&c, gradient, i, floor, &d));
    }
    print_message("  worst relative error of the discriminator's derivatives: %.1e\n", worst);
    assert_true(worst <= 1e-5);
    free(direction);
    free(gradient);
    free(norms);
    close_critic(&c);
}

/* ---- Twenty steps of the trainer against PyTorch ---- */

enum { GOLDEN_IMAGES = 10, GOLDEN_STEPS = 20, GOLDEN_SIDE = 8 };

static lt_dataset *golden_data(const safetensors *file)
{
    enum { NUMBERS = GOLDEN_IMAGES * GOLDEN_SIDE * GOLDEN_SIDE * 3 };
    double *x = golden_doubles(file, "x", NUMBERS);
    float pixels[NUMBERS];
    int labels[GOLDEN_IMAGES];
    for (int i = 0; i < NUMBERS; i++)
        pixels[i] = (float)x[i];
    bool has_labels = safetensors_find(file, "labels");
    if (has_labels) {
        double *values = golden_doubles(file, "labels", GOLDEN_IMAGES);
        for (int i = 0; i < GOLDEN_IMAGES; i++)
            labels[i] = (int)values[i];
        free(values);
    }
    free(x);
    return open_images(pixels, GOLDEN_IMAGES, (lt_image_size){GOLDEN_SIDE, GOLDEN_SIDE, 3},
                       has_labels ? labels : NULL);
}

static void golden_import_all(const safetensors *file, lt_params *p)
{
    for (int i = 0; i < lt_params_count(p); i++)
        golden_import(file, lt_params_info(p, i).name, p, i);
}

static training golden_training(const safetensors *file, lt_executor executor)
{
    training t = begin_model(safetensors_metadata(file, "recipe"), NULL, 0, golden_data(file));
    golden_import_all(file, lt_model_params(t.model));
    golden_import_all(file, lt_model_discriminator(t.model));
    model_restart_average(t.model);
    begin_trainer(&t, executor, 1);
    return t;
}

/* The golden traces and what steps report under the same names. */
static const struct {
    const char *name;
    int metric, phase;
} traces[] = {{"discriminator_loss", GAN_DISCRIMINATOR_LOSS, 0}, {"penalty", GAN_PENALTY_TERM, 0},
              {"gradient_norm", GAN_GRADIENT_NORM, 0}, {"d_real", GAN_D_REAL, 0},
              {"d_fake", GAN_D_FAKE, 0}, {"estimate", GAN_ESTIMATE, 0},
              {"generator_loss", GAN_GENERATOR_LOSS, 1}};

typedef struct trace {
    double found[GOLDEN_STEPS];
    int n;
} trace;

/* What the last step, of n images, measured. */
static double measured(const training *t, lt_executor executor, int of_phase, int k, int64_t n)
{
    const trainer_phase *f = &t->trainer->phases[of_phase];
    const step_program *p = n == f->full.n ? &f->full : &f->rest;
    double *value = fetch(p->session, executor, p->metric[k]), first = value[0];
    free(value);
    return first;
}

static void run_traces(const training *t, lt_executor executor, trace *all)
{
    for (int step = 1; step <= GOLDEN_STEPS; step++) {
        lt_train_report r = must_step(t->trainer);
        for (int i = 0; i < COUNT_OF(traces); i++)
            if (step % t->trainer->phases[traces[i].phase].every == 0)
                all[i].found[all[i].n++] =
                    measured(t, executor, traces[i].phase, traces[i].metric, r.batch);
    }
}

/* The largest relative errors. */
typedef struct errors {
    double losses, weights, moves;
} errors;

/* The largest error of a tensor of the file, in parts of its largest number. */
static double tensor_error(const safetensors *file, const char *prefix, const lt_params *p, int i,
                           const float *block)
{
    lt_param_info info = lt_params_info(p, i);
    int64_t n = lt_shape_size(info.shape);
    char *name = must_format("%s%s", prefix, info.name);
    double *want = golden_doubles(file, name, n), worst = 0, size = largest(want, n);
    float *found = must_alloc(sizeof *found * (size_t)n);
    lt_params_export(p, i, block, found);
    for (int64_t k = 0; k < n; k++)
        worst = fmax(worst, fabs((double)found[k] - want[k]));
    free(found);
    free(want);
    free(name);
    return worst / size;
}

/* And of the way that it has gone from the start. */
static double largest_move(const safetensors *file, const lt_params *p, int i)
{
    lt_param_info info = lt_params_info(p, i);
    int64_t n = lt_shape_size(info.shape);
    char *name = must_format("after.%s", info.name);
    double *before = golden_doubles(file, info.name, n), *after = golden_doubles(file, name, n);
    double size = largest(after, n);
    for (int64_t k = 0; k < n; k++)
        after[k] -= before[k];
    double move = largest(after, n);
    free(before);
    free(after);
    free(name);
    return move / size;
}

/* Adam's steps are as large for slopes near 0 as for others: the moves are the stricter measure. */
static void check_tensors(const safetensors *file, lt_params *p, errors *worst)
{
    for (int i = 0; i < lt_params_count(p); i++) {
        double error = tensor_error(file, "after.", p, i, lt_params_block(p));
        double move = largest_move(file, p, i);
        if (!(error <= 1e-4 && error <= fmax(3e-3 * move, 1e-7)))
            fail_msg("%s: relative error %g, of its move %g", lt_params_info(p, i).name, error,
                     error / move);
        worst->weights = fmax(worst->weights, error);
        worst->moves = fmax(worst->moves, move > 0 ? error / move : 0);
    }
}

static void check_average(const safetensors *file, lt_model *m, errors *worst)
{
    const lt_params *p = lt_model_params(m);
    for (int i = 0; model_ema(m) && i < lt_params_count(p); i++) {
        if (lt_params_info(p, i).is_state)
            continue;
        double error = tensor_error(file, "average.", p, i, model_ema(m));
        if (!(error <= 1e-4))
            fail_msg("average of %s: relative error %g", lt_params_info(p, i).name, error);
        worst->weights = fmax(worst->weights, error);
    }
}

/* Losses by their own size; other numbers are means over outputs of size 1, and may come near 0. */
static void check_traces(const safetensors *file, const trace *all, errors *worst)
{
    for (int i = 0; i < COUNT_OF(traces); i++) {
        bool is_loss = strstr(traces[i].name, "loss");
        double *want = golden_doubles(file, traces[i].name, all[i].n);
        assert_array_close(traces[i].name, all[i].found, want, all[i].n, 1e-4, is_loss ? 0 : 1e-6);
        for (int k = 0; is_loss && k < all[i].n; k++)
            worst->losses = fmax(worst->losses, fabs(all[i].found[k] / want[k] - 1));
        free(want);
    }
}

/* Largest errors found: losses 1.3e-5, where they are near 0; weights 2e-5; moves 4e-4. Parameters
   are floats for both executors. */
static void check_golden(const char *name)
{
    safetensors *file = golden_open(name);
    for (lt_executor e = LT_CPU; e <= LT_REFERENCE; e++) {
        trace all[COUNT_OF(traces)] = {{.n = 0}};
        errors worst = {0};
        training t = golden_training(file, e);
        run_traces(&t, e, all);
        check_traces(file, all, &worst);
        check_tensors(file, lt_model_params(t.model), &worst);
        check_tensors(file, lt_model_discriminator(t.model), &worst);
        check_average(file, t.model, &worst);
        print_message("  %s, %s: losses %.1e, weights %.1e, their moves %.1e\n", name,
                      e == LT_CPU ? "cpu" : "reference", worst.losses, worst.weights, worst.moves);
        end_training(&t);
    }
    safetensors_free(file);
}

static void wasserstein_gan_trains_like_pytorchs(void **state)
{
    (void)state;
    check_golden("gan_lipschitz");
}

static void conditional_gan_with_spectral_norm_trains_like_pytorchs(void **state)
{
    (void)state;
    check_golden("gan_spectral");
}

static void saturating_gan_trains_like_pytorchs(void **state)
{
    (void)state;
    check_golden("gan_saturating");
}

/* ---- Linear networks, whose steps have formulas ---- */

/* f(x) = w x + b, G(z) = A z + a; plain gradient descent by RATE. */
static const char linear_recipe[] =
    "data: {set: synthetic}\n"
    "model:\n"
    "  kind: gan\n"
    "  latent: 2\n"
    "  pixels: symmetric\n"
    "  init: normal 0.8\n"
    "  generator: [linear image]\n"
    "  discriminator: [linear 1]\n"
    "objective: {loss: wasserstein, penalty: lipschitz 10, discriminator_steps: 2}\n"
    "optimizer: sgd lr=0.03125\n"
    "train: {batch: 3}\n";

enum { CODES = 2, PIXELS = 6, COUNT = 5 };
static const double RATE = 0.03125;

typedef struct linear_gan {
    double w[PIXELS], b[1], A[PIXELS * CODES], a[PIXELS];
} linear_gan;

static void read_param(lt_params *p, const char *name, double *values)
{
    float outside[PIXELS * CODES];
    int i = lt_params_find(p, name);
    assert_true(i >= 0);
    lt_params_export(p, i, lt_params_block(p), outside);
    for (int64_t k = 0; k < lt_shape_size(lt_params_info(p, i).shape); k++)
        values[k] = (double)outside[k];
}

static linear_gan read_linear(const training *t)
{
    linear_gan g;
    read_param(lt_model_discriminator(t->model), "discriminator.0.weight", g.w);
    read_param(lt_model_discriminator(t->model), "discriminator.0.bias", g.b);
    read_param(lt_model_params(t->model), "generator.0.weight", g.A);
    read_param(lt_model_params(t->model), "generator.0.bias", g.a);
    return g;
}

/* Row i of the codes of a phase in a step, from 0: two phases take turns in the noise. */
static void codes_of(int step, int of_phase, int i, double z[CODES])
{
    philox_key key = {.seed = 1, .stream = 0, .step = (uint64_t)(2 * step + of_phase)};
    double u = ((philox_word(&key, 2 * i) >> 8) + 1.) * 0x1p-24;
    double angle = 2 * M_PI * (philox_word(&key, 2 * i + 1) >> 8) * 0x1p-24;
    z[0] = sqrt(-2 * log(u)) * cos(angle);
    z[1] = sqrt(-2 * log(u)) * sin(angle);
}

static void generate(const linear_gan *g, const double z[CODES], double x[PIXELS])
{
    for (int k = 0; k < PIXELS; k++)
        x[k] = g->A[2 * k] * z[0] + g->A[2 * k + 1] * z[1] + g->a[k];
}

static double criticize(const linear_gan *g, const double x[PIXELS])
{
    double y = g->b[0];
    for (int k = 0; k < PIXELS; k++)
        y += g->w[k] * x[k];
    return y;
}

/* The mean of n images, and the root of their variance in a pixel. */
static double summarize(const double x[][PIXELS], int n, double mean[PIXELS])
{
    double variance = 0;
    for (int k = 0; k < PIXELS; k++) {
        double squares = 0;
        mean[k] = 0;
        for (int i = 0; i < n; i++) {
            mean[k] += x[i][k] / n;
            squares += x[i][k] * x[i][k] / n;
        }
        variance += (squares - mean[k] * mean[k]) / PIXELS;
    }
    return sqrt(variance);
}

/* What a step of the discriminator on n real images measures; and takes it. */
static void criticize_step(linear_gan *g, int step, const double real[][PIXELS], int n,
                           double value[LT_METRICS])
{
    double fake[COUNT][PIXELS], z[CODES], of_real[PIXELS], of_fake[PIXELS], squared = 0;
    for (int i = 0; i < n; i++) {
        codes_of(step, 0, i, z);
        generate(g, z, fake[i]);
    }
    double wide = summarize(real, n, of_real);
    for (int k = 0; k < PIXELS; k++)
        squared += g->w[k] * g->w[k];
    double norm = sqrt(squared), over = fmax(0, norm - 1);
    value[GAN_PIXEL_STD_RATIO] = summarize((const double(*)[PIXELS])fake, n, of_fake) / wide;
    value[GAN_D_REAL] = criticize(g, of_real);
    value[GAN_D_FAKE] = criticize(g, of_fake);
    value[GAN_ESTIMATE] = value[GAN_D_REAL] - value[GAN_D_FAKE];
    value[GAN_PENALTY_TERM] = 10 * over * over;
    value[GAN_GRADIENT_NORM] = norm;
    value[GAN_DISCRIMINATOR_LOSS] = value[GAN_PENALTY_TERM] - value[GAN_ESTIMATE];
    for (int k = 0; k < PIXELS; k++)
        g->w[k] -= RATE * (of_fake[k] - of_real[k] + 20 * over * g->w[k] / norm);
}

static void generate_step(linear_gan *g, int step, int n, double value[LT_METRICS])
{
    double mean[CODES] = {0}, z[CODES], x[PIXELS];
    for (int i = 0; i < n; i++) {
        codes_of(step, 1, i, z);
        mean[0] += z[0] / n;
        mean[1] += z[1] / n;
    }
    generate(g, mean, x);
    value[GAN_GENERATOR_LOSS] = -criticize(g, x);
    for (int k = 0; k < PIXELS; k++) {
        g->a[k] += RATE * g->w[k];
        for (int j = 0; j < CODES; j++)
            g->A[CODES * k + j] += RATE * g->w[k] * mean[j];
    }
}

static const int linear_metrics[] = {
    GAN_DISCRIMINATOR_LOSS, GAN_GENERATOR_LOSS, GAN_D_REAL, GAN_D_FAKE,
    GAN_PENALTY_TERM, GAN_GRADIENT_NORM, GAN_ESTIMATE, GAN_PIXEL_STD_RATIO};

/* Means over the images that a phase has seen in the epoch; NaN before it has seen any. */
static void check_report(const lt_recipe *recipe, const lt_train_report *r, const double sums[LT_METRICS],
                         const int seen[2])
{
    for (int i = 0; i < COUNT_OF(linear_metrics); i++) {
        int k = linear_metrics[i], n = seen[k == GAN_GENERATOR_LOSS];
        double found = r->values[k];
        if (n == 0 ? !isnan(found) : !(fabs(found - sums[k] / n) <= 1e-5 * (1 + fabs(found))))
            fail_msg("step %jd, %s: expected %.9g, found %.9g", (intmax_t)r->step,
                     recipe->metrics[k].name,
                     sums[k] / n, found);
    }
    assert_true(isnan(r->beta));
    assert_int_equal(recipe->n_metrics, COUNT_OF(linear_metrics));
}

static void check_linear(const linear_gan *found, const linear_gan *want)
{
    assert_array_close("w", found->w, want->w, PIXELS, 0, 1e-5);
    assert_array_close("b", found->b, want->b, 1, 0, 1e-5);
    assert_array_close("A", found->A, want->A, PIXELS * CODES, 0, 1e-5);
    assert_array_close("a", found->a, want->a, PIXELS, 0, 1e-5);
}

/* Batches of 3 and 2; the generator's steps fall on small batches, and on none of some epochs. */
static void linear_networks_follow_their_formulas(void **state)
{
    (void)state;
    float pixels[COUNT * PIXELS];
    draws d = draws_from(81);
    for (int i = 0; i < COUNT * PIXELS; i++)
        pixels[i] = (float)draw(&d, 0, 1);
    for (int every = 2; every <= 5; every += 3) {
        char set[40];
        snprintf(set, sizeof set, "objective.discriminator_steps=%d", every);
        training t = begin_model(linear_recipe, (const char *[]){set}, 1,
                                 open_images(pixels, COUNT, (lt_image_size){2, 3, 1}, NULL));
        begin_trainer(&t, LT_CPU, 1);
        double sums[LT_METRICS] = {0}, real[COUNT][PIXELS];
        int seen[2] = {0};
        linear_gan g = read_linear(&t);
        for (int step = 0; step < 12; step++) {
            int32_t order[COUNT];
            int first = step % 2 ? 3 : 0, n = step % 2 ? 2 : 3;
            double value[LT_METRICS] = {0};
            lt_dataset_order(t.data, LT_TRAIN, 1, (uint64_t)step / 2, order);
            for (int i = 0; i < n; i++)
                for (int k = 0; k < PIXELS; k++)
                    real[i][k] = 2 * (double)pixels[order[first + i] * PIXELS + k] - 1;
            if (first == 0) {
                memset(sums, 0, sizeof sums);
                memset(seen, 0, sizeof seen);
            }
            criticize_step(&g, step, (const double(*)[PIXELS])real, n, value);
            seen[0] += n;
            if ((step + 1) % every == 0) {
                generate_step(&g, step, n, value);
                seen[1] += n;
            }
            for (int k = 0; k < LT_METRICS; k++)
                sums[k] += n * value[k];
            lt_train_report r = must_step(t.trainer);
            check_report(lt_model_recipe(t.model), &r, sums, seen);
            linear_gan found = read_linear(&t);
            check_linear(&found, &g);
        }
        end_training(&t);
    }
}

/* What is decoded are images, with pixels in 0 ... 1: (A z + a + 1) / 2 of symmetric ones. */
static void decoded_pixels_are_those_of_images(void **state)
{
    (void)state;
    float pixels[COUNT * PIXELS] = {0}, found[COUNT * PIXELS], codes[COUNT * CODES];
    draws d = draws_from(82);
    for (int i = 0; i < COUNT * CODES; i++)
        codes[i] = (float)draw(&d, -0.1, 0.1);
    training t = begin_model(linear_recipe, NULL, 0,
                             open_images(pixels, COUNT, (lt_image_size){2, 3, 1}, NULL));
    linear_gan g = read_linear(&t);
    assert_int_equal(lt_decode(t.model, COUNT, codes, 1, found), LT_OK);
    for (int i = 0; i < COUNT; i++) {
        double y[PIXELS];
        generate(&g, (const double[]){(double)codes[2 * i], (double)codes[2 * i + 1]}, y);
        for (int k = 0; k < PIXELS; k++) {
            double want = (y[k] + 1) / 2;
            assert_true(want > 0 && want < 1); /* as of a generator that ends in tanh */
            assert_true(fabs((double)found[i * PIXELS + k] - want) <= 1e-6);
        }
    }
    end_training(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_critics_loss_has_the_derivative_of_its_differences),
        cmocka_unit_test(wasserstein_gan_trains_like_pytorchs),
        cmocka_unit_test(conditional_gan_with_spectral_norm_trains_like_pytorchs),
        cmocka_unit_test(saturating_gan_trains_like_pytorchs),
        cmocka_unit_test(linear_networks_follow_their_formulas),
        cmocka_unit_test(decoded_pixels_are_those_of_images),
    };
    return cmocka_run_group_tests(tests, make_data_dir, remove_dir);
}
