/* SPDX-License-Identifier: MIT */
/* Likelihoods centered at the decoder's output y, with a width s that the decoder does not predict: Gaussian,
   Laplace, discretized logistic. s is a constant of the recipe, a parameter, a parameter per channel, or the optimum
   of a batch. */
#include "nn/likelihoods.h"

#include "base/constants.h"
#include "base/status.h"
#include "nn/family.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double pi = 3.14159265358979323846;
static const double pi_by_sqrt_3 = 1.81379936423421785059; /* standard deviation of a logistic / its scale */

/* ---- The width ---- */

typedef struct scale_options {
    char scale[LT_TEXT_SIZE]; /* "learned", "per_channel", "optimal" or a number */
} scale_options;

/* s, log s and 1 / s: scalars, or one per channel. For a constant s, each is rounded once. */
typedef struct width {
    lt_node *s, *log, *inverse;
} width;

static int check_scale(const char *option, const void *options, bool has_optimum)
{
    const char *scale = ((const scale_options *)options)->scale;
    double value;
    if (strcmp(scale, "learned") == 0 || strcmp(scale, "per_channel") == 0 ||
        (has_optimum && strcmp(scale, "optimal") == 0))
        return LT_OK;
    if (text_to_real(scale, &value) && value >= 1e-3 && value <= 1e3)
        return LT_OK;
    return status_fail(LT_VALUE,
                       "%s must be learned, per_channel%s or a number between 0.001 and 1000, "
                       "found \"%s\"",
                       option, has_optimum ? ", optimal" : "", scale);
}

static width width_of(lt_node *s)
{
    return (width){s, lt_log(s), lt_div(lt_scalar(lt_node_graph(s), 1), s)};
}

/* A width that does not depend on images: a constant, or the parameter `name`, log s, initialized so that the
   standard deviation of a pixel, `deviation` s, is a quarter of the range. */
static width given_width(const likelihood_context *c, const char *scale, const char *name,
                         double deviation)
{
    lt_graph *g = lt_scope_graph(c->scope);
    double s;
    if (text_to_real(scale, &s))
        return (width){lt_scalar(g, s), lt_scalar(g, log(s)), lt_scalar(g, 1 / s)};
    bool is_one = strcmp(scale, "learned") == 0;
    double first = log(0.25 / deviation);
    lt_node *log_s = lt_param(c->scope, name, is_one ? lt_shape_0d() : lt_shape_1d(c->channels),
                              LT_LAYOUT_PLAIN, (lt_init){.kind = LT_INIT_CONSTANT, .value = first});
    return (width){lt_exp(log_s), log_s, lt_exp(lt_neg(log_s))};
}

/* The optimal width of a batch, from its mean error. In training it is the optimum of the loss, whose gradient with
   respect to it is therefore 0, so it is detached, except in a loss that weights samples, whose optimum differs. An
   evaluated batch must not choose its own width: it gets the state `name`, the mean over the last steps of training
   (at first over all of them, later with weights that decay by 1/100 per step); `error` may be NULL then. */
static lt_node *optimum(const likelihood_context *c, const char *name, lt_node *error, double least)
{
    const double memory = 100; /* steps */
    lt_node *v = lt_state(c->scope, name, lt_shape_0d(), (lt_init){.kind = LT_INIT_ONES});
    lt_node *steps = lt_state(c->scope, "steps", lt_shape_0d(), (lt_init){.kind = LT_INIT_ZEROS});
    lt_graph *g = lt_scope_graph(c->scope);
    if (!c->is_training)
        return v;
    lt_node *best = lt_max(lt_mean(error), lt_scalar(g, least));
    if (!c->is_weighed)
        best = lt_detach(best);
    lt_node *n = lt_min(lt_shift(steps, 1), lt_scalar(g, memory));
    lt_state_update(c->scope, name, lt_add(v, lt_div(lt_sub(best, v), n)));
    lt_state_update(c->scope, "steps", n);
    return best;
}

static bool is_optimal(const void *options)
{
    return strcmp(((const scale_options *)options)->scale, "optimal") == 0;
}

/* ---- Sums over images of c channels: x is n x d; element i of an image belongs to channel i mod c ---- */

/* Elements per image. */
static double image_size(const lt_node *x) { return (double)lt_node_shape(x).d[1]; }

/* Reshapes x to broadcast with `of`, a scalar or one element per channel: n x d or n x d/c x c. */
static lt_node *by_channel(lt_node *x, const lt_node *of)
{
    lt_shape s = lt_node_shape(x), channels = lt_node_shape(of);
    if (channels.rank == 0)
        return x;
    int64_t c = channels.d[0];
    return lt_reshape(x, (lt_shape){.rank = 3, .d = {s.d[0], s.d[1] / c, c}});
}

/* n: sum of error x w. */
static lt_node *weighted_sum(lt_node *error, lt_node *w)
{
    if (lt_node_shape(w).rank == 0)
        return lt_mul(lt_sum_rows(error), w);
    return lt_sum_rows(lt_mul(by_channel(error, w), w));
}

/* scalar: sum over the elements of an image of w + constant. */
static lt_node *constant_sum(lt_node *w, double constant, const lt_node *x)
{
    return lt_scale(lt_shift(lt_mean(w), constant), image_size(x));
}

/* log s broadcast to y, n x d. */
static lt_node *log_scales(const width *w, lt_node *y)
{
    lt_shape s = lt_node_shape(by_channel(y, w->log));
    return lt_reshape(lt_broadcast(w->log, s), lt_node_shape(y));
}

/* The reported standard deviation: the root mean square of `deviation` s. */
static lt_node *reported(const width *w, double deviation)
{
    lt_node *s = w->s;
    if (lt_node_shape(s).rank)
        s = lt_sqrt(lt_mean(lt_square(s)));
    return deviation == 1 ? s : lt_scale(s, deviation);
}

/* ---- gaussian: log p(x|z) = sum -(x - y)^2 / (2 s^2) - log s - 1/2 log 2 pi ---- */

static const lt_option gaussian_rows[] = {
    {.name = "sigma", .kind = LT_KIND_TEXT, .offset = offsetof(scale_options, scale),
     .choices = "optimal", .positional = true,
     .help = "standard deviation of a pixel: a number, `learned` (a parameter), `per_channel` (one "
             "per channel), or `optimal` (the root mean squared error: Rybkin et al. "
             "2021)"},
    {0}};

static int check_gaussian(const void *options) { return check_scale("sigma", options, true); }

/* Nullable: error in evaluation. */
static width gaussian_width(const likelihood_context *c, const void *options, lt_node *error)
{
    const double least = 1e-6; /* variance: a quarter of a gray level, squared */
    const char *scale = ((const scale_options *)options)->scale;
    return is_optimal(options) ? width_of(lt_sqrt(optimum(c, "variance", error, least)))
                               : given_width(c, scale, "log_sigma", 1);
}

static void gaussian_build(const likelihood_context *c, lt_node *y, lt_node *x,
                           const void *options, likelihood_terms *t)
{
    lt_node *error = lt_square(lt_sub(x, y));
    width w = gaussian_width(c, options, error);
    t->log_prob = lt_sub(lt_scale(weighted_sum(error, lt_square(w.inverse)), -0.5),
                         constant_sum(w.log, 0.5 * LOG_2_PI, x));
    t->sigma = reported(&w, 1);
}

static lt_node *gaussian_draw(const likelihood_context *c, lt_node *y, const void *options)
{
    width w = gaussian_width(c, options, NULL);
    return lt_gauss_sample((lt_gauss){y, lt_scale(log_scales(&w, y), 2)});
}

static lt_node *identity(lt_node *y) { return y; }

static void gaussian_explain(double sigma, int64_t dimensions, likelihood_parts *p)
{
    double variance = sigma * sigma;
    bool is_plain = fabs(2 * variance - 1) < 1e-6;
    p->constant = (double)dimensions / 2 * log(2 * pi * variance);
    snprintf(p->error, sizeof p->error, "sum (x - y)^2 / (2 sigma^2), sigma^2 = %.4g%s", variance,
             is_plain ? ": the squared error itself" : "");
    snprintf(p->constant_text, sizeof p->constant_text, "%lld/2 log(2 pi sigma^2)", (long long)dimensions);
}

const likelihood_row likelihood_gaussian = {
    .spec = {.name = "gaussian", .summary = "gray or color pixels, centered at the decoder's output",
             .options = gaussian_rows, .size = sizeof(scale_options), .check = check_gaussian},
    .output = "means", .is_of_batch = is_optimal, .mean = identity, .build = gaussian_build,
    .explain = gaussian_explain, .draw = gaussian_draw};

/* ---- laplace: log p(x|z) = sum -|x - y| / s - log 2 s ---- */

static const lt_option laplace_rows[] = {
    {.name = "scale", .kind = LT_KIND_TEXT, .offset = offsetof(scale_options, scale),
     .choices = "optimal", .positional = true,
     .help = "mean absolute error of a pixel: a number, `learned` (a parameter), `per_channel` (one "
             "per channel), or `optimal` (that of the batch; evaluation uses a running mean)"},
    {0}};

static int check_laplace(const void *options) { return check_scale("scale", options, true); }

/* Nullable: error in evaluation. */
static width laplace_width(const likelihood_context *c, const void *options, lt_node *error)
{
    const double least = 1e-3; /* a quarter of a gray level */
    const char *scale = ((const scale_options *)options)->scale;
    return is_optimal(options) ? width_of(optimum(c, "mean_error", error, least))
                               : given_width(c, scale, "log_scale", sqrt(2));
}

static void laplace_build(const likelihood_context *c, lt_node *y, lt_node *x,
                          const void *options, likelihood_terms *t)
{
    lt_node *error = lt_abs(lt_sub(x, y));
    width w = laplace_width(c, options, error);
    t->log_prob = lt_neg(lt_add(weighted_sum(error, w.inverse), constant_sum(w.log, log(2), x)));
    t->sigma = reported(&w, sqrt(2));
}

static lt_node *laplace_draw(const likelihood_context *c, lt_node *y, const void *options)
{
    width w = laplace_width(c, options, NULL);
    return lt_sample_from(lt_laplace_distribution(y, log_scales(&w, y)), lt_node_shape(y).d[0]);
}

static void laplace_explain(double sigma, int64_t dimensions, likelihood_parts *p)
{
    p->constant = (double)dimensions * log(sqrt(2) * sigma);
    snprintf(p->error, sizeof p->error, "sum |x - y| / s, s = %.4g", sigma / sqrt(2));
    snprintf(p->constant_text, sizeof p->constant_text, "%lld log(2 s)", (long long)dimensions);
}

const likelihood_row likelihood_laplace = {
    .spec = {.name = "laplace",
             .summary = "like gaussian, with absolute instead of squared errors: sharp edges cost less",
             .options = laplace_rows, .size = sizeof(scale_options), .check = check_laplace},
    .output = "medians", .is_of_batch = is_optimal, .mean = identity, .build = laplace_build,
    .explain = laplace_explain, .draw = laplace_draw};

/* ---- discretized_logistic: probabilities of the 256 levels of a byte (discrete.c) ---- */

static const lt_option logistic_rows[] = {
    {.name = "scale", .kind = LT_KIND_TEXT, .offset = offsetof(scale_options, scale),
     .choices = "per_channel", .positional = true,
     .help = "scale of the logistic, for intensities in 0 ... 1: a number, `learned` (a "
             "parameter), or `per_channel` (one per channel)"},
    {0}};

static int check_logistic(const void *options) { return check_scale("scale", options, false); }

static width logistic_width(const likelihood_context *c, const void *options)
{
    return given_width(c, ((const scale_options *)options)->scale, "log_scale", pi_by_sqrt_3);
}

static void logistic_build(const likelihood_context *c, lt_node *y, lt_node *x,
                           const void *options, likelihood_terms *t)
{
    width w = logistic_width(c, options);
    lt_node *terms = discretized_logistic_terms(by_channel(x, w.inverse), by_channel(y, w.inverse),
                                                w.inverse);
    t->log_prob = lt_sum_rows(terms);
    t->sigma = reported(&w, pi_by_sqrt_3);
}

static lt_node *logistic_draw(const likelihood_context *c, lt_node *y, const void *options)
{
    width w = logistic_width(c, options);
    return lt_sample_from(lt_discretized_logistic_distribution(y, log_scales(&w, y)),
                   lt_node_shape(y).d[0]);
}

/* The median, within the levels 0 ... 1. */
static lt_node *nearest_intensity(lt_node *y) { return lt_clamp(y, 0, 1); }

const likelihood_row likelihood_discretized_logistic = {
    .spec = {.name = "discretized_logistic",
             .summary = "probabilities of the 256 levels of a byte, centered at the decoder's output, "
                        "which should be unbounded (no sigmoid). Bits per dimension compare with "
                        "those of other models of bytes",
             .options = logistic_rows, .size = sizeof(scale_options), .check = check_logistic},
    .is_discrete = true, .output = "medians", .mean = nearest_intensity, .build = logistic_build,
    .draw = logistic_draw};
