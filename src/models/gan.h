/* SPDX-License-Identifier: MIT */
/* The parts of an adversarial model: options, networks, what each of the two minimizes. */
#ifndef LATENT_GAN_H
#define LATENT_GAN_H

#include "models/kind.h"

enum { PIXELS_UNIT, PIXELS_SYMMETRIC }; /* choices of `pixels` */

/* Positions in the lists of its networks, of its lines, and of its metrics. */
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
    int64_t classes, class_size; /* classes: 0, none; numbers that stand for one in the generator */
} gan_model;

/* Its keys of `objective`. */
typedef struct gan_options {
    char loss[LT_TEXT_SIZE], penalty[LT_TEXT_SIZE], discriminator_optimizer[LT_TEXT_SIZE];
    int64_t discriminator_steps;
    double label_smoothing;
} gan_options;

static inline const gan_model *gan_model_of(const lt_recipe *r) { return r->model_options; }
static inline const gan_options *gan_options_of(const lt_recipe *r) { return r->kind.options; }

/* Images for codes z, n x latent: n x h x w x c, with pixels as the networks have them. labels: the
   classes, n, where the recipe has classes. */
lt_node *gan_generate(const model_visit *v, lt_node *z, lt_node *labels);

/* The discriminator's numbers for such images: n. Each call visits it again. */
lt_node *gan_discriminate(const model_visit *v, lt_node *x, lt_node *labels);

/* Whether something keeps the discriminator's slopes near a multiple of 1: a penalty, clipped weights, layers. */
bool gan_limits_slopes(const lt_recipe *r);

/* What each minimizes, at given codes; alpha: n, where the penalty takes slopes between real and fake
   images, NULL: drawn. x: images, with pixels in 0 ... 1. */
void gan_discriminator_terms(const model_visit *v, lt_node *x, lt_node *z, lt_node *labels,
                      lt_node *alpha, phase_terms *t);
void gan_generator_terms(const model_visit *v, lt_node *z, lt_node *labels, phase_terms *t);

/* ledger_gan.c: what discriminator and generator minimize, what is reported of them, and what it means. */
void gan_explain(lt_ledger *l, const lt_recipe *r, const lt_ledger_facts *f);

#endif
