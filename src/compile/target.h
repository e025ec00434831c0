/* SPDX-License-Identifier: MIT */
/* What the compiler must know about the device that a program runs on: one record per device, which passes consult.
   */
#ifndef LATENT_TARGET_H
#define LATENT_TARGET_H

#include "ops/convolution.h"

typedef struct target {
    const char *name;
    int max_group; /* nodes in a fusion group; 1: each operator runs alone and reads whole arrays, no broadcasts */
    bool takes_transposes; /* matmul reads transposed operands */
    bool takes_bias;       /* matmul, conv2d and conv2d_dx add a bias row to their result */
    /* Whether they apply this elementwise operator to their result, after the bias. NULL: to none. */
    bool (*takes_activation)(const lt_op *op);
    conv_packed_size_function *packed_size; /* NULL: convolutions read plain weights */
} target;

#endif
