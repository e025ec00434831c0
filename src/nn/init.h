/* SPDX-License-Identifier: MIT */
/* Initializers: the table, and sampling from them. */
#ifndef LATENT_INIT_H
#define LATENT_INIT_H

#include "base/spec.h"

#include <latent/nn.h>

extern const spec_table initializer_table;

/* `normal 0.02`: an initializer with its value, without fans. */
int init_parse(const char *words, lt_init *init);

/* Whether it has the fans that it needs. */
bool init_is_complete(const lt_init *init);

/* Fills n numbers from the stream of (seed, name). */
void init_fill(const lt_init *init, const char *name, uint64_t seed, int64_t n, float *values);

/* The initializer of biases that belongs to this one of weights: PyTorch's samples them too, all others set them to
   0. */
lt_init init_of_bias(lt_init weight);

#endif
