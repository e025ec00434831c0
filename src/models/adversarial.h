/* SPDX-License-Identifier: MIT */
/* What a critic and a generator minimise. p is the distribution of real images, q that of fake
   ones; v is the critic's raw output, before any activation: any shape, one number an image. Losses
   are means over images. */
#ifndef LATENT_ADVERSARIAL_H
#define LATENT_ADVERSARIAL_H

#include "nn/spec.h"

#include <latent/graph.h>

extern const spec_table adversarial_loss_table; /* the rows of adversarial_losses.def */

/* Whether the loss has a target for real images that can be moved away from 1. */
bool adversarial_can_smooth(const spec *loss);

/* L, to be minimised by the critic. smoothing: the target of real images is 1 - smoothing
   (one-sided label smoothing, Salimans et al. 2016); a loss without targets takes 0 alone, the rest
   is a graph error. */
lt_node *adversarial_critic_loss(const spec *loss, lt_node *real, lt_node *fake, double smoothing);

/* To be minimised by the generator. */
lt_node *adversarial_generator_loss(const spec *loss, lt_node *fake);

/* The divergence of p from q that this critic proves, on these images: in expectation a lower
   bound, which the best of all critics reaches. Which divergence, and its unit, is in the row's summary.
   For wasserstein it is one only of critics with slopes up to 1. Below 0: worse than a constant. */
lt_node *adversarial_estimate(const spec *loss, lt_node *real, lt_node *fake);

/* What is reported as D(x), in v's shape: the probability of a real image for minimax and
   non_saturating, g_f(v) in the f-GAN family, else v. */
lt_node *adversarial_score(const spec *loss, lt_node *v);

#endif
