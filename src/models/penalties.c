/* SPDX-License-Identifier: MIT */
/* The table of penalties. The gradient with respect to the image is a graph, so lt_grad differentiates the penalty
   with respect to the weights. */
#include "models/penalties.h"

#include "graph/op.h"

#include <latent/ops.h>

typedef struct penalty_row {
    spec_row spec;
    bool on_real; /* takes slopes at real images, else between real and fake ones */
    /* Maps each image's squared slope to its penalty: n -> n. NULL: no term. */
    lt_node *(*of_slope)(lt_node *squared, const void *options);
    double (*clip)(const void *options); /* Nullable */
} penalty_row;

/* A smaller norm is a constant with derivative 0; 1 / norm^3, a factor of third derivatives, is still finite in
   single precision. */
static const double smallest_norm = 1e-12;

static lt_node *norm_of(lt_node *squared)
{
    lt_node *least = lt_scalar(lt_node_graph(squared), smallest_norm * smallest_norm);
    return lt_sqrt(lt_max(squared, least));
}

typedef struct weight_options {
    double weight;
} weight_options;

/* lambda, gamma or c */
static double weight(const void *options) { return ((const weight_options *)options)->weight; }

#define WEIGHT(NAME, FALLBACK, MIN, HELP)                                                          \
    {                                                                                              \
        {.name = NAME, .kind = LT_KIND_REAL, .offset = offsetof(weight_options, weight),           \
         .fallback = FALLBACK, .min = MIN, .max = 1e6, .positional = true, .help = HELP},          \
        {0}                                                                                        \
    }

static const lt_option lambda_options[] = WEIGHT("lambda", 10, 0, "weight of the penalty"),
                       gamma_options[] = WEIGHT("gamma", 10, 0, "twice the weight of the penalty"),
                       clip_options[] = WEIGHT("c", 0.01, 1e-9, "largest magnitude of a weight");

static lt_node *two_sided(lt_node *squared, const void *options)
{
    return lt_scale(lt_square(lt_shift(norm_of(squared), -1)), weight(options));
}

static lt_node *one_sided(lt_node *squared, const void *options)
{
    return lt_scale(lt_square(lt_relu(lt_shift(norm_of(squared), -1))), weight(options));
}

static lt_node *half_of(lt_node *squared, const void *options)
{
    return lt_scale(squared, weight(options) / 2);
}

/* ---- The table ---- */

static const penalty_row
    row_none = {.spec = {.name = "none", .summary = "no limit on slopes",
                         .options = no_options}},
    row_gradient = {.spec = {.name = "gradient",
                             .summary = "lambda E (|df/dx| - 1)^2 between real and fake images: "
                                        "WGAN-GP (Gulrajani et al. 2017)",
                             .options = lambda_options, .size = sizeof(weight_options)},
                    .of_slope = two_sided},
    row_lipschitz = {.spec = {.name = "lipschitz",
                              .summary = "lambda E max(0, |df/dx| - 1)^2 between real and fake "
                                         "images: WGAN-LP (Petzka et al. 2018)",
                              .options = lambda_options, .size = sizeof(weight_options)},
                     .of_slope = one_sided},
    row_r1 = {.spec = {.name = "r1",
                       .summary = "gamma/2 E |df/dx|^2 at real images (Mescheder et al. 2018)",
                       .options = gamma_options, .size = sizeof(weight_options)},
              .on_real = true, .of_slope = half_of},
    row_clip = {.spec = {.name = "clip",
                         .summary = "clips every weight to -c ... c after each step "
                                    "(Arjovsky et al. 2017)",
                         .options = clip_options, .size = sizeof(weight_options)},
                .clip = weight};

static const spec_row *const rows[] = {&row_none.spec, &row_gradient.spec, &row_lipschitz.spec,
                                       &row_r1.spec, &row_clip.spec, NULL};

const spec_table penalty_table = {"penalty", rows};

static const penalty_row *row_of(const spec *penalty) { return (const penalty_row *)penalty->row; }

bool penalty_has_term(const spec *penalty) { return row_of(penalty)->of_slope != NULL; }

double penalty_clip(const spec *penalty)
{
    const penalty_row *r = row_of(penalty);
    return r->clip ? r->clip(penalty->options) : 0;
}

/* ---- Building ---- */

/* real + alpha (fake - real), one alpha for all numbers of an image. */
static lt_node *between(const spec *penalty, lt_node *real, lt_node *fake, lt_node *alpha)
{
    lt_shape a = lt_node_shape(real), b = lt_node_shape(fake), each = a;
    char of_real[LT_SHAPE_TEXT_SIZE], of_fake[LT_SHAPE_TEXT_SIZE];
    if (!node_is_bad(real) && !node_is_bad(fake) && !lt_shape_equal(a, b))
        return lt_graph_fail(lt_node_graph(real), "penalty %s: real images are %s, fake ones %s",
                             penalty->row->name, lt_shape_text(a, of_real),
                             lt_shape_text(b, of_fake));
    for (int i = 1; i < each.rank; i++)
        each.d[i] = 1;
    return lt_lerp(real, fake, lt_reshape(alpha, each));
}

static lt_node *penalize(const spec *penalty, lt_node *x, discriminator_function *f, void *user,
                         lt_node **norm)
{
    lt_node *at = lt_detach(x);
    lt_node *slope = lt_grad(lt_sum(f(user, at)), at);
    lt_node *squared = lt_sum_rows(lt_square(slope));
    *norm = lt_mean(norm_of(squared));
    return lt_mean(row_of(penalty)->of_slope(squared, penalty->options));
}

lt_node *penalty_build(const spec *penalty, lt_node *real, lt_node *fake, lt_node *alpha,
                       discriminator_function *f, void *user, lt_node **norm)
{
    const penalty_row *r = row_of(penalty);
    *norm = NULL;
    if (!r->of_slope)
        return NULL;
    if (r->on_real)
        return penalize(penalty, real, f, user, norm);
    if (!alpha)
        alpha = lt_uniform(lt_node_graph(real), lt_shape_1d(lt_node_shape(real).d[0]));
    return penalize(penalty, between(penalty, real, fake, alpha), f, user, norm);
}
