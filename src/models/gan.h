/* SPDX-License-Identifier: MIT */
/* The parts of an adversarial model: options, networks, losses. */
#ifndef LATENT_GAN_H
#define LATENT_GAN_H

#include "models/kind.h"

enum { PIXELS_UNIT, PIXELS_SYMMETRIC }; /* choices of `pixels` */

/* Positions in its lists of networks, lines and metrics. */
enum { GAN_GENERATOR, GAN_DISCRIMINATOR };
enum { GAN_LOSS, GAN_PENALTY, GAN_DISCRIMINATOR_OPTIMIZER };
enum {
    GAN_DISCRIMINATOR_LOSS,
    GAN_GENERATOR_LOSS,
    GAN_D_REAL,
    GAN_D_FAKE,
    GAN_PENALTY_TERM,
    GAN_GRADIENT_NORM,
    GAN_ESTIMATE,
    GAN_PIXEL_STD_RATIO,
};

/* Its own keys of `model`. */
typedef struct gan_model {
    int pixels;                  /* PIXELS_UNIT, PIXELS_SYMMETRIC */
    int64_t classes, class_size; /* number of classes, 0: none; width of the generator's class embedding */
} gan_model;

/* Its keys of `objective`. */
typedef struct gan_options {
    char loss[LT_TEXT_SIZE], penalty[LT_TEXT_SIZE], discriminator_optimizer[LT_TEXT_SIZE];
    int64_t discriminator_steps;
    double label_smoothing;
} gan_options;

static inline const gan_model *gan_model_of(const lt_recipe *r) { return r->model_options; }
static inline const gan_options *gan_options_of(const lt_recipe *r) { return r->kind.options; }

/* Images for codes z, n x latent: n x h x w x c, with pixels in the networks' range. labels: n classes, if the recipe
   has classes. */
lt_node *gan_generate(const model_visit *v, lt_node *z, lt_node *labels);

/* The discriminator's scores of such images: n. Each call visits it again. */
lt_node *gan_discriminate(const model_visit *v, lt_node *x, lt_node *labels);

/* Whether a penalty, clipped weights or spectral_norm limits the discriminator's slopes. */
bool gan_limits_slopes(const lt_recipe *r);

/* The losses of both at given codes. x: images, with pixels in 0 ... 1; alpha: n positions between real and fake
   images for the penalty, NULL: sampled. */
void gan_discriminator_terms(const model_visit *v, lt_node *x, lt_node *z, lt_node *labels,
                      lt_node *alpha, phase_terms *t);
void gan_generator_terms(const model_visit *v, lt_node *z, lt_node *labels, phase_terms *t);

/* ledger_gan.c: explains the losses and the metrics. */
void gan_explain(lt_ledger *l, const lt_recipe *r, const lt_ledger_facts *f);

#endif
