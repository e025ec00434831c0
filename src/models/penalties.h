/* SPDX-License-Identifier: MIT */
/* Penalties that keep a discriminator smooth: terms of its loss, or a limit on its weights. */
#ifndef LATENT_PENALTIES_H
#define LATENT_PENALTIES_H

#include "base/spec.h"

#include <latent/graph.h>

extern const spec_table penalty_table; /* none, gradient, lipschitz, r1, clip */

/* The discriminator: n, or n x 1, scores of images x, n x ... Each score must depend on its own image only, without
   batch statistics: the gradient is taken of their sum. */
typedef lt_node *discriminator_function(void *user, lt_node *x);

/* Returns the scalar to add to the discriminator's loss, or NULL (none, clip). real, fake: n x ..., of one shape.
   Slopes are taken at real images (r1), or at points between the pairs, real + alpha (fake - real), with alpha: n,
   sampled from (0, 1) if NULL. These points are constants to lt_grad, so that slopes are differentiated with respect
   to the discriminator's weights only. The norm is that of the whole gradient of one image; where the gradient is 0,
   the derivative of the norm is 0. *norm: its mean over images, a scalar, or NULL. Nullable: alpha. */
lt_node *penalty_build(const spec *penalty, lt_node *real, lt_node *fake, lt_node *alpha,
                       discriminator_function *f, void *user, lt_node **norm);

/* Whether it adds a term to the loss. */
bool penalty_has_term(const spec *penalty);

/* The largest magnitude of a discriminator's weight after each step; 0: no limit. */
double penalty_clip(const spec *penalty);

#endif
