/* SPDX-License-Identifier: MIT */
/* Checks of GAN losses: value and gradient of every adversarial loss at some points against its definition in plain C,
   and its estimate for two known distributions; every penalty at functions with known slopes. */
#include "verify/checks.h"

#include "base/status.h"
#include "models/adversarial.h"
#include "models/penalties.h"
#include "verify/plain_math.h"

#include <latent/ops.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- Adversarial losses ----
   Of each: the parts of the discriminator's loss on real and on fake output v, the generator's, the
   score that is shown, and the divergence with its best output v at a density ratio p/q = r. */

typedef struct loss_truth {
    const char *name;
    double (*real)(double v, double smoothing);
    double (*fake)(double v);
    double (*generator)(double v);
    double (*score)(double v);
    double (*best)(double r);       /* NULL: not of densities */
    double (*divergence)(double r); /* its integrand by q, at p/q = r */
} loss_truth;

static double probability(double v) { return 1 / (1 + exp(-v)); }
static double plain(double v) { return v; }
static double minus(double v) { return -v; }
static double log_fake(double v) { return -log(1 - probability(v)); }
static double log_real(double v, double s)
{
    return -(1 - s) * log(probability(v)) - s * log(1 - probability(v));
}
static double saturating(double v) { return log(1 - probability(v)); }
static double not_saturating(double v) { return -log(probability(v)); }
static double best_logit(double r) { return log(r); }
/* 1/2 KL(p || m) + 1/2 KL(q || m), m = (p + q) / 2 */
static double jensen_shannon(double r)
{
    return 0.5 * (r * log(2 * r / (1 + r)) + log(2 / (1 + r)));
}

static double square_real(double v, double s) { return pow(v - (1 - s), 2) / 2; }
static double square_fake(double v) { return v * v / 2; }
static double square_generator(double v) { return pow(v - 1, 2) / 2; }
static double best_share(double r) { return r / (1 + r); }
static double triangular(double r) { return pow(r - 1, 2) / (r + 1); }

static double hinge_real(double v, double s) { return (void)s, v < 1 ? 1 - v : 0; }
static double hinge_fake(double v) { return v > -1 ? 1 + v : 0; }
static double best_sign(double r) { return r > 1 ? 1 : -1; }
static double total_variation(double r) { return fabs(r - 1) / 2; }

static double wasserstein_real(double v, double s) { return (void)s, -v; }

/* f-GAN: T by v, f*(T) written in T alone. F = E T - E f*(T). */
static double hellinger_t(double v) { return 1 - exp(-v); }
static double hellinger_real(double v, double s) { return (void)s, -hellinger_t(v); }
static double hellinger_conjugate(double v) { return hellinger_t(v) / (1 - hellinger_t(v)); }
static double hellinger_generator(double v) { return -hellinger_conjugate(v); }
static double hellinger_best(double r) { return log(r) / 2; } /* T = f'(r) = 1 - r^(-1/2) */
static double hellinger(double r) { return pow(sqrt(r) - 1, 2); }

static double kl_real(double v, double s) { return (void)s, -v; }
static double kl_conjugate(double v) { return exp(v - 1); }
static double kl_generator(double v) { return -exp(v - 1); }
static double kl_best(double r) { return 1 + log(r); }
static double kl(double r) { return r * log(r); }

static double reverse_t(double v) { return -exp(-v); }
static double reverse_real(double v, double s) { return (void)s, exp(-v); }
static double reverse_conjugate(double v) { return -1 - log(-reverse_t(v)); }
static double reverse_generator(double v) { return 1 + log(-reverse_t(v)); }
static double reverse_kl(double r) { return -log(r); }

static double js_t(double v) { return log(2) - log(1 + exp(-v)); }
static double js_real(double v, double s) { return (void)s, -js_t(v); }
static double js_conjugate(double v) { return -log(2 - exp(js_t(v))); }
static double js_generator(double v) { return log(2 - exp(js_t(v))); }

static double pearson_conjugate(double v) { return v * v / 4 + v; }
static double pearson_generator(double v) { return -v * v / 4 - v; }
static double pearson_best(double r) { return 2 * (r - 1); }
static double pearson(double r) { return pow(r - 1, 2); }

static double variation_t(double v) { return tanh(v) / 2; }
static double variation_real(double v, double s) { return (void)s, -tanh(v) / 2; }
static double variation_generator(double v) { return -tanh(v) / 2; }
static double variation_best(double r) { return r > 1 ? 40 : -40; }

static const loss_truth losses[] = {
    {"minimax", log_real, log_fake, saturating, probability, best_logit, jensen_shannon},
    {"non_saturating", log_real, log_fake, not_saturating, probability, best_logit, jensen_shannon},
    {"least_squares", square_real, square_fake, square_generator, plain, best_share, triangular},
    {"hinge", hinge_real, hinge_fake, minus, plain, best_sign, total_variation},
    {"wasserstein", wasserstein_real, plain, minus, plain, NULL, NULL},
    {"squared_hellinger", hellinger_real, hellinger_conjugate, hellinger_generator, hellinger_t,
     hellinger_best, hellinger},
    {"kl", kl_real, kl_conjugate, kl_generator, plain, kl_best, kl},
    {"reverse_kl", reverse_real, reverse_conjugate, reverse_generator, reverse_t, best_logit,
     reverse_kl},
    {"jensen_shannon", js_real, js_conjugate, js_generator, js_t, best_logit, jensen_shannon},
    {"pearson", kl_real, pearson_conjugate, pearson_generator, plain, pearson_best, pearson},
    {"total_variation", variation_real, variation_t, variation_generator, variation_t,
     variation_best, total_variation},
};

enum { POINTS = 7 };
static const double outputs[POINTS] = {-2.3, -1.1, -0.4, 0.3, 0.9, 1.2, 2.1}; /* no kink near */

static double mean_real(const loss_truth *t, const double *v, double s)
{
    double sum = 0;
    for (int i = 0; i < POINTS; i++)
        sum += t->real(v[i], s) / POINTS;
    return sum;
}

static double mean_over(double (*f)(double), const double *v)
{
    double sum = 0;
    for (int i = 0; i < POINTS; i++)
        sum += f(v[i]) / POINTS;
    return sum;
}

/* d/dv of one point's term of a mean, by extrapolated central differences. */
static double slope_of(const loss_truth *t, double (*f)(double), double v, double s)
{
    double slope[2];
    for (int k = 0; k < 2; k++) {
        double h = 1e-3 * (k + 1);
        slope[k] = f ? f(v + h) - f(v - h) : t->real(v + h, s) - t->real(v - h, s);
        slope[k] /= 2 * h;
    }
    return (4 * slope[0] - slope[1]) / 3 / POINTS;
}

/* Values, scores and gradients, at one smoothing of the target. */
static int check_points(const spec *loss, const loss_truth *t, double smoothing)
{
    double discriminator, generator, score[POINTS], by_real[POINTS], by_fake[POINTS], by_v[POINTS];
    double want[3][POINTS], want_score[POINTS];
    lt_graph *g = lt_graph_create();
    lt_shape n = lt_shape_1d(POINTS);
    lt_node *real = lt_constant(g, n, outputs), *fake = lt_constant(g, n, outputs);
    lt_node *of_discriminator = adversarial_discriminator_loss(loss, real, fake, smoothing);
    lt_node *of_generator = adversarial_generator_loss(loss, fake), *slopes[2];
    lt_grads(of_discriminator, 2, (lt_node *[]){real, fake}, slopes);
    numbers_target all[] = {{of_discriminator, &discriminator}, {of_generator, &generator},
                            {adversarial_score(loss, real), score}, {slopes[0], by_real},
                            {slopes[1], by_fake}, {lt_grad(of_generator, fake), by_v}};
    LT_TRY(numbers_read_all(g, NULL, all, COUNT_OF(all)));
    for (int i = 0; i < POINTS; i++) {
        want[0][i] = slope_of(t, NULL, outputs[i], smoothing);
        want[1][i] = slope_of(t, t->fake, outputs[i], 0);
        want[2][i] = slope_of(t, t->generator, outputs[i], 0);
        want_score[i] = t->score(outputs[i]);
    }
    double want_discriminator = mean_real(t, outputs, smoothing) + mean_over(t->fake, outputs);
    LT_TRY(check_near("discriminator's loss", discriminator, want_discriminator, 1e-9));
    LT_TRY(check_near("generator's loss", generator, mean_over(t->generator, outputs), 1e-9));
    LT_TRY(check_all_near("score", POINTS, score, want_score, 1e-12, NULL));
    LT_TRY(check_all_near("gradient by real output", POINTS, by_real, want[0], 1e-9, NULL));
    LT_TRY(check_all_near("gradient by fake output", POINTS, by_fake, want[1], 1e-9, NULL));
    return check_all_near("generator's gradient", POINTS, by_v, want[2], 1e-9, NULL);
}

/* Two distributions of two values, p = 1/4, 3/4 and q = 3/4, 1/4, as eight samples in these shares:
   at the best output the estimate is the divergence, and elsewhere below it. */
static int check_divergence(const spec *loss, const loss_truth *t)
{
    enum { N = 4 };
    const double ratio[2] = {1. / 3, 3};
    double want = 0.75 * t->divergence(ratio[0]) + 0.25 * t->divergence(ratio[1]);
    for (int shift = -1; shift <= 1; shift++) {
        double real[N], fake[N], found;
        for (int i = 0; i < N; i++) {
            real[i] = t->best(ratio[i > 0]) + 0.2 * shift;
            fake[i] = t->best(ratio[i > 2]) + 0.2 * shift;
        }
        lt_graph *g = lt_graph_create();
        lt_node *a = lt_constant(g, lt_shape_1d(N), real), *b = lt_constant(g, lt_shape_1d(N), fake);
        LT_TRY(numbers_read(g, adversarial_estimate(loss, a, b), &found, 1));
        if (shift == 0)
            LT_TRY(check_near("divergence at the best output", found, want, 1e-9));
        else if (!(found <= want + 1e-12))
            return status_fail(LT_VALUE, "divergence: expected at most %.9g at another output, found "
                                         "%.9g", want, found);
    }
    return LT_OK;
}

static const loss_truth *find_loss(const char *name)
{
    for (int i = 0; i < COUNT_OF(losses); i++)
        if (strcmp(losses[i].name, name) == 0)
            return &losses[i];
    return NULL;
}

/* E v(x) - E v(G(z)) itself */
static int check_wasserstein(const spec *loss)
{
    double found;
    lt_graph *g = lt_graph_create();
    lt_node *real = lt_constant(g, lt_shape_1d(2), (double[]){1, 4}),
            *fake = lt_constant(g, lt_shape_1d(2), (double[]){-1, 0.5});
    LT_TRY(numbers_read(g, adversarial_estimate(loss, real, fake), &found, 1));
    return check_near("distance", found, 2.75, 1e-12);
}

static int run_loss(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    const loss_truth *t = find_loss(about);
    spec loss;
    (void)r;
    if (!t)
        return check_fail_unknown(about);
    LT_TRY(spec_parse(&adversarial_loss_table, about, &loss));
    int status = check_points(&loss, t, 0);
    bool has_target = adversarial_can_smooth(&loss);
    if (status == LT_OK && has_target)
        status = check_points(&loss, t, 0.1);
    if (status == LT_OK)
        status = t->best ? check_divergence(&loss, t) : check_wasserstein(&loss);
    spec_clear(&loss);
    snprintf(told, CHECK_TEXT_SIZE, "values and gradients of both players%s, the divergence",
             has_target ? " with and without smoothing" : "");
    return status;
}

bool check_loss_rows(check_run *r, const spec_table *table)
{
    return checks_report_table(r, "losses", table, run_loss);
}

void check_losses(check_run *r)
{
    check_loss_rows(r, &adversarial_loss_table);
}

/* ---- Penalties: at f(x) = a.x the slope is |a| everywhere, at |x|^2 / 2 it is |x| ---- */

typedef struct penalty_truth {
    const char *line;
    double (*of_slope)(double slope); /* NULL: no term */
    bool at_real;
    double clip;
} penalty_truth;

static double two_sided(double slope) { return 7 * pow(slope - 1, 2); }
static double one_sided(double slope) { return slope > 1 ? 7 * pow(slope - 1, 2) : 0; }
static double half_square(double slope) { return 7 * slope * slope / 2; }

static const penalty_truth penalties[] = {
    {"none", NULL, false, 0},
    {"gradient 7", two_sided, false, 0},
    {"lipschitz 7", one_sided, false, 0},
    {"r1 7", half_square, true, 0},
    {"clip 0.25", NULL, false, 0.25},
};

enum { IMAGES = 3, SIDE = 2 };

static lt_node *linear(void *user, lt_node *x) /* user: a */
{
    lt_node *a = user;
    return lt_sum_rows(lt_mul(x, lt_broadcast(a, lt_node_shape(x))));
}

static lt_node *bowl(void *user, lt_node *x)
{
    return lt_sum_rows(lt_mul(lt_scale(lt_square(x), 0.5), lt_broadcast(user, lt_node_shape(x))));
}

static double norm(const double *x) { return sqrt(x[0] * x[0] + x[1] * x[1]); }

/* Slopes |a| below and above 1: the term, the mean norm, and the gradient by a: f'(|a|) a / |a|. */
static int check_linear(const spec *penalty, const penalty_truth *t, double length)
{
    static const double real[IMAGES][SIDE] = {{0.1, 0.9}, {0.4, 0.2}, {0.7, 0.7}},
                        fake[IMAGES][SIDE] = {{0.8, 0.3}, {0.5, 0.5}, {0, 1}};
    double a[SIDE] = {0.6 * length, -0.8 * length}, found, mean, slope[SIDE], want[SIDE];
    lt_graph *g = lt_graph_create();
    lt_shape s = lt_shape_2d(IMAGES, SIDE);
    lt_node *w = lt_constant(g, lt_shape_1d(SIDE), a), *of_norm;
    lt_node *y = penalty_build(penalty, lt_constant(g, s, real[0]), lt_constant(g, s, fake[0]), NULL,
                               linear, w, &of_norm);
    if (!t->of_slope) {
        lt_graph_free(g);
        return y ? status_fail(LT_VALUE, "expected no term, found one") : LT_OK;
    }
    if (!y || !of_norm)
        return status_fail(LT_VALUE, "expected a term and its mean norm, found none");
    numbers_target all[] = {{y, &found}, {of_norm, &mean}, {lt_grad(y, w), slope}};
    LT_TRY(numbers_read_all(g, NULL, all, COUNT_OF(all)));
    double h = 1e-4, by = (t->of_slope(length + h) - t->of_slope(length - h)) / (2 * h);
    for (int k = 0; k < SIDE; k++)
        want[k] = by * a[k] / length;
    LT_TRY(check_near("penalty", found, t->of_slope(length), 1e-9));
    LT_TRY(check_near("mean norm", mean, length, 1e-9));
    return check_all_near("gradient by the weights", SIDE, slope, want, 1e-6, NULL);
}

/* Checks where slopes are taken: at real images, or at fraction alpha between real and fake. */
static int check_place(const spec *penalty, const penalty_truth *t)
{
    static const double real[IMAGES][SIDE] = {{2, 1}, {0.4, 0.2}, {-0.7, 1.7}},
                        fake[IMAGES][SIDE] = {{0.8, 0.3}, {1.5, -0.5}, {0, 1}},
                        alpha[IMAGES] = {0.25, 0.5, 0.9}, weight[SIDE] = {1, 1};
    double found, want = 0;
    lt_graph *g = lt_graph_create();
    lt_shape s = lt_shape_2d(IMAGES, SIDE);
    lt_node *of_norm, *w = lt_constant(g, lt_shape_1d(SIDE), weight);
    lt_node *y = penalty_build(penalty, lt_constant(g, s, real[0]), lt_constant(g, s, fake[0]),
                               lt_constant(g, lt_shape_1d(IMAGES), alpha), bowl, w, &of_norm);
    for (int i = 0; i < IMAGES; i++) {
        double at[SIDE];
        for (int k = 0; k < SIDE; k++)
            at[k] = real[i][k] + (t->at_real ? 0 : alpha[i]) * (fake[i][k] - real[i][k]);
        want += t->of_slope(norm(at)) / IMAGES;
    }
    LT_TRY(numbers_read(g, y, &found, 1));
    return check_near("penalty of |x|^2 / 2", found, want, 1e-9);
}

/* Checks the default weight: 10, for clip 0.01. */
static int check_default(const char *name, const penalty_truth *t)
{
    spec penalty;
    lt_node *of_norm;
    double found;
    LT_TRY(spec_parse(&penalty_table, name, &penalty));
    lt_graph *g = lt_graph_create();
    lt_shape s = lt_shape_2d(1, SIDE);
    lt_node *x = lt_constant(g, s, (double[]){0.1, 0.2}),
            *w = lt_constant(g, lt_shape_1d(SIDE), (double[]){1.5, -2}); /* slope 2.5 */
    lt_node *y = penalty_build(&penalty, x, x, NULL, linear, w, &of_norm);
    double clip = penalty_clip(&penalty);
    spec_clear(&penalty);
    if (!y)
        lt_graph_free(g);
    else
        LT_TRY(numbers_read(g, y, &found, 1));
    if (y)
        LT_TRY(check_near("penalty of the default weight", found, t->of_slope(2.5) * 10 / 7, 1e-9));
    return check_near("clip by default", clip, t->clip > 0 ? 0.01 : 0, 0);
}

static const penalty_truth *find_penalty(const char *name)
{
    size_t n = strlen(name);
    for (int i = 0; i < COUNT_OF(penalties); i++)
        if (strncmp(penalties[i].line, name, n) == 0 && strchr(" ", penalties[i].line[n]))
            return &penalties[i];
    return NULL;
}

static int run_penalty(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    const penalty_truth *t = find_penalty(about);
    spec penalty;
    (void)r;
    if (!t)
        return check_fail_unknown(about);
    LT_TRY(spec_parse(&penalty_table, t->line, &penalty));
    int status = check_linear(&penalty, t, 0.4);
    if (status == LT_OK)
        status = check_linear(&penalty, t, 2.5);
    if (status == LT_OK && t->of_slope)
        status = check_place(&penalty, t);
    if (status == LT_OK)
        status = check_near("clip", penalty_clip(&penalty), t->clip, 0);
    if (status == LT_OK && penalty_has_term(&penalty) != (t->of_slope != NULL))
        status = status_fail(LT_VALUE, "expected %s term", t->of_slope ? "a" : "no");
    spec_clear(&penalty);
    if (status == LT_OK)
        status = check_default(about, t);
    snprintf(told, CHECK_TEXT_SIZE, "%s", t->of_slope ? "slopes 0.4 and 2.5, their gradient by the "
                                                        "weights, and where they are taken"
                                                      : "no term in the loss");
    return status;
}

bool check_penalty_rows(check_run *r, const spec_table *table)
{
    return checks_report_table(r, "penalties", table, run_penalty);
}

void check_penalties(check_run *r)
{
    check_penalty_rows(r, &penalty_table);
}
