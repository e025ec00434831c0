/* SPDX-License-Identifier: MIT */
/* The table of priors. Their parameters are trained together with the networks. */
#include "models/priors.h"

/* ---- normal ---- */

static lt_distribution normal_make(const model_visit *v, const void *options, int64_t latent)
{
    (void)options;
    return lt_standard_normal(v->graph, latent);
}

const prior_row prior_normal = {
    .spec = {.name = "normal", .summary = "N(0, I)", .options = no_options},
    .is_standard = true, .make = normal_make};

/* ---- mixture: K diagonal normals, with means initialized from N(0, I) ---- */

typedef struct components_options {
    int64_t k;
} components_options;

#define COMPONENTS(HELP)                                                                           \
    {                                                                                              \
        {.name = "k", .kind = LT_KIND_INT, .offset = offsetof(components_options, k), .min = 1,    \
         .max = 65536, .positional = true, .required = true, .help = HELP},                        \
        {0}                                                                                        \
    }

static const lt_option mixture_options[] = COMPONENTS("components");

static lt_distribution mixture_make(const model_visit *v, const void *options, int64_t latent)
{
    int64_t k = ((const components_options *)options)->k;
    lt_shape each = lt_shape_2d(k, latent), row = {.rank = 3, .d = {1, k, latent}};
    lt_init normal = {.kind = LT_INIT_NORMAL, .value = 1}, zeros = {.kind = LT_INIT_ZEROS};
    lt_scope *s = lt_scope_enter(v->root, "mixture");
    lt_node *mean = lt_param(s, "mean", each, LT_LAYOUT_PLAIN, normal);
    lt_node *logvar = lt_param(s, "logvar", each, LT_LAYOUT_PLAIN, zeros);
    lt_node *logits = lt_param(s, "logits", lt_shape_1d(k), LT_LAYOUT_PLAIN, zeros);
    return lt_mixture_distribution(
        lt_reshape(logits, lt_shape_2d(1, k)),
        (lt_gauss){.mean = lt_reshape(mean, row), .logvar = lt_reshape(logvar, row)});
}

const prior_row prior_mixture = {
    .spec = {.name = "mixture",
             .summary = "sum of w_k N(mean_k, diag e^logvar_k): weights, means, variances trained",
             .options = mixture_options, .size = sizeof(components_options)},
    .make = mixture_make};

/* ---- vamp: the mean of the posteriors of K trained images (Tomczak and Welling 2018), sigmoid(u)
   with u initialized from N(0, 1): around 1/2, and always in [0, 1]. ---- */

static const lt_option vamp_options[] = COMPONENTS("pseudo-inputs");

static lt_distribution vamp_make(const model_visit *v, const void *options, int64_t latent)
{
    int64_t k = ((const components_options *)options)->k;
    lt_init normal = {.kind = LT_INIT_NORMAL, .value = 1};
    lt_node *u = lt_param(lt_scope_enter(v->root, "vamp"), "images",
                          lt_shape_4d(k, v->size.h, v->size.w, v->size.c), LT_LAYOUT_PLAIN, normal);
    model_visit again = *v; /* the encoder has been visited */
    again.root = lt_params_visit(v->params, v->graph);
    again.observer = NULL;
    (void)latent;
    return lt_vamp_prior(kind_of(v->recipe)->encode(&again, lt_sigmoid(u)));
}

const prior_row prior_vamp = {
    .spec = {.name = "vamp",
             .summary = "mean of q(z|u_k) over trained images u_k (Tomczak and Welling 2018)",
             .options = vamp_options, .size = sizeof(components_options)},
    .make = vamp_make};

/* ---- The table ---- */

static const spec_row *const rows[] = {
#define PRIOR(NAME) &prior_##NAME.spec,
#include "models/priors.def"
#undef PRIOR
    NULL};

const spec_table prior_table = {"prior", rows};

static const prior_row *row_of(const spec *prior) { return (const prior_row *)prior->row; }

bool prior_is_standard(const spec *prior) { return row_of(prior)->is_standard; }

lt_node *prior_log_prob(const model_visit *v, const spec *prior, lt_node *z)
{
    if (prior_is_standard(prior))
        return lt_standard_log_prob(z);
    int64_t latent = lt_node_shape(z).d[1];
    return lt_log_prob(row_of(prior)->make(v, prior->options, latent), z);
}

lt_node *prior_draw(const model_visit *v, const spec *prior, int64_t n, int64_t latent)
{
    if (prior_is_standard(prior))
        return lt_normal(v->graph, lt_shape_2d(n, latent));
    return lt_sample_from(row_of(prior)->make(v, prior->options, latent), n);
}
