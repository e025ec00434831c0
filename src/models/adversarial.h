/* SPDX-License-Identifier: MIT */
/* Losses of discriminator and generator. p is the distribution of real images, q that of fake ones; v is the
   discriminator's raw output, before any activation: any shape, one number per image. Losses are means over images.
   */
#ifndef LATENT_ADVERSARIAL_H
#define LATENT_ADVERSARIAL_H

#include "base/spec.h"

#include <latent/graph.h>

extern const spec_table adversarial_loss_table; /* the rows of adversarial_losses.def */

/* The divergence of p from q that a discriminator estimates. */
typedef enum divergence_kind {
    DIVERGENCE_JENSEN_SHANNON,    /* nats, 0 to log 2 */
    DIVERGENCE_TRIANGULAR,        /* integral of (p - q)^2 / (p + q), 0 to 2 */
    DIVERGENCE_TOTAL_VARIATION,   /* half the integral of |p - q|, 0 to 1 */
    DIVERGENCE_SQUARED_HELLINGER, /* integral of (sqrt p - sqrt q)^2, 0 to 2 */
    DIVERGENCE_KL,                /* KL(p || q), nats */
    DIVERGENCE_REVERSE_KL,        /* KL(q || p), nats */
    DIVERGENCE_PEARSON,           /* integral of (p - q)^2 / q */
    DIVERGENCE_WASSERSTEIN,       /* W1, in units of x */
} divergence_kind;
divergence_kind adversarial_divergence(const spec *loss);

/* Whether the loss has a target for real images that can be smoothed. */
bool adversarial_can_smooth(const spec *loss);

/* L, the loss of the discriminator. smoothing: the target of real images is 1 - smoothing (one-sided label smoothing,
   Salimans et al. 2016); a graph error unless it is 0 or the loss has a target. */
lt_node *adversarial_discriminator_loss(const spec *loss, lt_node *real, lt_node *fake, double smoothing);

/* The loss of the generator. */
lt_node *adversarial_generator_loss(const spec *loss, lt_node *fake);

/* The estimate of the divergence of p from q by this discriminator on these images: in expectation a lower bound,
   reached by the optimal discriminator. For wasserstein it is a bound only for critics with slopes up to 1. Below 0:
   worse than a constant. */
lt_node *adversarial_estimate(const spec *loss, lt_node *real, lt_node *fake);

/* Whether the score of images is the probability of being real; else it is unbounded. */
bool adversarial_is_probability(const spec *loss);

/* The terms of that estimate: the offset plus the means of *of_real and *of_fake, each of v's shape. Check their
   tails before giving the means a standard error. */
void adversarial_estimate_terms(const spec *loss, lt_node *real, lt_node *fake, lt_node **of_real,
                                lt_node **of_fake);

/* The score of images, in v's shape: the probability of being real for minimax and non_saturating, g_f(v) in the
   f-GAN family, else v. */
lt_node *adversarial_score(const spec *loss, lt_node *v);

#endif
