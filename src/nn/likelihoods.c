/* SPDX-License-Identifier: MIT */
/* Pixel likelihoods. All constants are kept: a value is a log density (or probability) in nats that
   can be compared between models with the same kind of data. */
#include "nn/likelihoods.h"

#include "base/status.h"

#include <math.h>
#include <string.h>

static const double log_2_pi = 1.83787706640934548356;

/* ---- bernoulli: the decoder gives logits ---- */

static void bernoulli_build(const likelihood_context *c, lt_node *y, lt_node *x,
                            const void *options, likelihood_terms *t)
{
    (void)c, (void)options;
    t->log_prob = lt_bernoulli_log_prob(y, x);
}

static const likelihood_row row_bernoulli = {
    .spec = {.name = "bernoulli",
             .summary = "pixels that are 0 or 1; the decoder gives logits. "
                        "On grey pixels this is a cross-entropy, not a likelihood",
             .options = no_options},
    .is_binary = true, .output = "logits", .unwanted = "sigmoid",
    .mean = lt_sigmoid, .build = bernoulli_build};

/* ---- gaussian: the decoder gives the mean; one sigma for all pixels ----
   log p(x|z) = -e / (2 v) - d/2 (log 2 pi + log v), e = sum (x - y)^2, v = sigma^2. */

typedef struct gaussian_options {
    char sigma[LT_TEXT_SIZE]; /* "learned", "optimal" or a number */
} gaussian_options;

static const lt_option gaussian_rows[] = {
    {.name = "sigma", .kind = LT_KIND_TEXT, .offset = offsetof(gaussian_options, sigma),
     .choices = "optimal", .positional = true,
     .help = "standard deviation of a pixel: a number, `learned` (a parameter), or `optimal` "
             "(the root of the mean squared error: Rybkin et al. 2021)"},
    {0}};

static int check_gaussian(const void *options)
{
    const char *sigma = ((const gaussian_options *)options)->sigma;
    double value;
    if (strcmp(sigma, "learned") == 0 || strcmp(sigma, "optimal") == 0)
        return LT_OK;
    if (text_to_real(sigma, &value) && value >= 1e-3 && value <= 1e3)
        return LT_OK;
    return status_fail(LT_VALUE,
                       "sigma must be learned, optimal, or a number between 0.001 and 1000, "
                       "found \"%s\"", sigma);
}

static lt_node *squared_error(lt_node *y, lt_node *x)
{
    return lt_sum_rows(lt_square(lt_sub(x, y)));
}

/* Numbers per image. */
static double image_size(const lt_node *x) { return (double)lt_node_shape(x).d[1]; }

static void fixed_sigma(double sigma, lt_node *y, lt_node *x, likelihood_terms *t)
{
    double v = sigma * sigma;
    lt_node *e = squared_error(y, x);
    t->log_prob = lt_shift(lt_scale(e, -0.5 / v), -0.5 * image_size(x) * (log_2_pi + log(v)));
    t->sigma = lt_scalar(lt_node_graph(x), sigma);
}

/* The density by its log variance, a scalar node. */
static void variable_sigma(lt_node *log_v, lt_node *y, lt_node *x, likelihood_terms *t)
{
    lt_node *e = lt_mul(squared_error(y, x), lt_scale(lt_exp(lt_neg(log_v)), -0.5));
    lt_node *constant = lt_scale(lt_shift(log_v, log_2_pi), -0.5 * image_size(x));
    t->log_prob = lt_add(e, constant);
    t->sigma = lt_exp(lt_scale(log_v, 0.5));
}

static void learned_sigma(const likelihood_context *c, lt_node *y, lt_node *x,
                          likelihood_terms *t)
{
    lt_node *log_sigma = lt_param(c->scope, "log_sigma", lt_shape_0d(), LT_LAYOUT_PLAIN,
                                  (lt_init){.kind = LT_INIT_ZEROS});
    variable_sigma(lt_scale(log_sigma, 2), y, x, t);
}

/* In training v is the best for the batch at hand: its mean squared error. That is the batch's own
   optimum, so the loss has no gradient by v, and v is taken as a constant. An evaluated batch must
   not choose its own v: it gets what training has remembered, the mean over the last steps (all of
   them at first, then with weights that fall by 1/100 a step). */
static void optimal_sigma(const likelihood_context *c, lt_node *y, lt_node *x,
                          likelihood_terms *t)
{
    const double memory = 100, least = 1e-6; /* steps; a quarter of a grey level, squared */
    lt_node *v = lt_state(c->scope, "variance", lt_shape_0d(), (lt_init){.kind = LT_INIT_ONES});
    lt_node *steps = lt_state(c->scope, "steps", lt_shape_0d(), (lt_init){.kind = LT_INIT_ZEROS});
    lt_graph *g = lt_scope_graph(c->scope);
    if (c->is_training) {
        lt_node *best = lt_mean(lt_square(lt_sub(x, y)));
        best = lt_detach(lt_max(best, lt_scalar(g, least)));
        lt_node *n = lt_min(lt_shift(steps, 1), lt_scalar(g, memory));
        lt_state_update(c->scope, "variance", lt_add(v, lt_div(lt_sub(best, v), n)));
        lt_state_update(c->scope, "steps", n);
        v = best;
    }
    variable_sigma(lt_log(v), y, x, t);
}

static void gaussian_build(const likelihood_context *c, lt_node *y, lt_node *x,
                           const void *options, likelihood_terms *t)
{
    const char *sigma = ((const gaussian_options *)options)->sigma;
    double value;
    if (strcmp(sigma, "learned") == 0)
        learned_sigma(c, y, x, t);
    else if (strcmp(sigma, "optimal") == 0)
        optimal_sigma(c, y, x, t);
    else if (text_to_real(sigma, &value))
        fixed_sigma(value, y, x, t);
}

static lt_node *identity(lt_node *y) { return y; }

static const likelihood_row row_gaussian = {
    .spec = {.name = "gaussian", .summary = "grey or coloured pixels around the decoder's output",
             .options = gaussian_rows, .size = sizeof(gaussian_options), .check = check_gaussian},
    .output = "means", .mean = identity, .build = gaussian_build};

/* ---- The table ---- */

static const spec_row *const rows[] = {
#define LIKELIHOOD(NAME) &row_##NAME.spec,
#include "nn/likelihoods.def"
#undef LIKELIHOOD
    NULL};

const spec_table likelihood_table = {"likelihood", rows};

const likelihood_row *likelihood_facts(const spec *likelihood)
{
    return (const likelihood_row *)likelihood->row;
}

lt_node *likelihood_mean(const spec *likelihood, lt_node *y)
{
    return likelihood_facts(likelihood)->mean(y);
}

likelihood_terms likelihood_build(const spec *likelihood, const likelihood_context *c, lt_node *y,
                                  lt_node *x)
{
    likelihood_terms t = {0};
    likelihood_facts(likelihood)->build(c, y, x, likelihood->options, &t);
    return t;
}
