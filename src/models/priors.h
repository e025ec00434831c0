/* SPDX-License-Identifier: MIT */
/* Priors p(z) of the codes as a recipe names them. */
#ifndef LATENT_PRIORS_H
#define LATENT_PRIORS_H

#include "models/kind.h"

#include <latent/distributions.h>

typedef struct prior_row {
    spec_row spec;
    bool is_standard; /* N(0, I): the KL of a diagonal Gaussian has a formula, latent by latent */
    /* Builds it in a scope of its own; `encode` gives q(z|x) of images that the prior has. */
    lt_distribution (*make)(const model_visit *v, const void *options, int64_t latent);
} prior_row;

extern const spec_table prior_table;

/* Every prior of priors.def. */
#define PRIOR(NAME) extern const prior_row prior_##NAME;
#include "models/priors.def"
#undef PRIOR

bool prior_is_standard(const spec *prior);

/* log p(z): n; and n draws, n x latent. Each builds the prior: once in a visit. */
lt_node *prior_log_prob(const model_visit *v, const spec *prior, lt_node *z);
lt_node *prior_draw(const model_visit *v, const spec *prior, int64_t n, int64_t latent);

#endif
