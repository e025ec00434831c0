/* SPDX-License-Identifier: MIT */
/* What a recipe says of an optimiser. Its steps are built by train/, which finds it by name. */
#ifndef LATENT_OPTIMISER_OPTIONS_H
#define LATENT_OPTIMISER_OPTIONS_H

#include "nn/spec.h"

/* Every optimiser's options start with these. */
typedef struct optimiser_options {
    double lr; /* learning rate, before its schedule */
} optimiser_options;

typedef struct adam_options {
    optimiser_options base;
    double beta1, beta2, eps;
} adam_options;

typedef struct adamw_options {
    optimiser_options base;
    double beta1, beta2, eps, weight_decay;
} adamw_options;

typedef struct sgd_options {
    optimiser_options base;
    double momentum, weight_decay;
    bool nesterov;
} sgd_options;

typedef struct rmsprop_options {
    optimiser_options base;
    double alpha, eps, momentum;
} rmsprop_options;

extern const spec_table optimiser_table;

#endif
