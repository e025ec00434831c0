/* SPDX-License-Identifier: MIT */
/* Priors p(z) of the codes, by their names in recipes. */
#ifndef LATENT_PRIORS_H
#define LATENT_PRIORS_H

#include "models/kind.h"

#include <latent/distributions.h>

typedef struct prior_row {
    spec_row spec;
    bool is_standard; /* N(0, I): the KL of a diagonal Gaussian has a formula for each latent */
    /* Builds the prior in its own scope. */
    lt_distribution (*make)(const model_visit *v, const void *options, int64_t latent);
} prior_row;

extern const spec_table prior_table;

/* Every prior of priors.def. */
#define PRIOR(NAME) extern const prior_row prior_##NAME;
#include "models/priors.def"
#undef PRIOR

bool prior_is_standard(const spec *prior);

/* log p(z): n; and n samples, n x latent. Each builds the prior, so call only one of them per visit. */
lt_node *prior_log_prob(const model_visit *v, const spec *prior, lt_node *z);
lt_node *prior_draw(const model_visit *v, const spec *prior, int64_t n, int64_t latent);

#endif
