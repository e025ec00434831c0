/* SPDX-License-Identifier: MIT */
/* What keeps a discriminator smooth: terms of its loss, or a limit on its weights. */
#ifndef LATENT_PENALTIES_H
#define LATENT_PENALTIES_H

#include "base/spec.h"

#include <latent/graph.h>

extern const spec_table penalty_table; /* none, gradient, lipschitz, r1, clip */

/* The discriminator: n numbers, or n x 1, for images x, n x ... Each number may depend on its own image
   alone: batch statistics in a discriminator would make the gradient of one image that of all. */
typedef lt_node *discriminator_function(void *user, lt_node *x);

/* The scalar to be added to the discriminator's loss, NULL if there is none (none, clip). real, fake:
   n x ..., of one shape. Slopes are taken at real images (r1), or at points between the pairs, real +
   alpha (fake - real) with alpha: n, drawn from (0, 1) where it is NULL; these points are constants
   to lt_grad, so that it is the discriminator's weights by which slopes are differentiated again. The norm
   is that of the whole gradient by one image; its derivative where the gradient is 0 is 0. *norm: its
   mean over images, a scalar, or NULL. Nullable: alpha. */
lt_node *penalty_build(const spec *penalty, lt_node *real, lt_node *fake, lt_node *alpha,
                       discriminator_function *f, void *user, lt_node **norm);

/* Whether it adds a term to the loss. */
bool penalty_has_term(const spec *penalty);

/* The largest magnitude of a discriminator's weight after each step; 0: any. */
double penalty_clip(const spec *penalty);

#endif
