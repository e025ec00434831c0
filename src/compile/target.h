/* SPDX-License-Identifier: MIT */
/* What compiling must know of the device that a program is for. A device has one record; passes ask it and nothing
   else. */
#ifndef LATENT_TARGET_H
#define LATENT_TARGET_H

#include "ops/convolution.h"

typedef struct target {
    const char *name;
    int max_group; /* nodes in a fusion group; 1: each operator is run by itself, and reads arrays alone, no broadcasts */
    bool takes_transposes; /* matmul reads transposed operands */
    bool takes_bias;       /* matmul, conv2d and conv2d_dx add a row of numbers to their result */
    /* Whether they apply this elementwise operator to their result, after the bias. NULL: none. */
    bool (*takes_activation)(const lt_op *op);
    conv_packed_size_function *packed_size; /* NULL: convolutions read weights as they are */
} target;

#endif
