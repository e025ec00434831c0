/* SPDX-License-Identifier: MIT */
/* Random numbers for checks: a sequence that depends only on its seed. */
#ifndef LATENT_DRAWS_H
#define LATENT_DRAWS_H

#include "base/philox.h"

#include <stdbool.h>

typedef struct draws {
    philox_key key;
    int64_t next;
} draws;

static inline draws draws_from(uint64_t seed) { return (draws){.key = {.seed = seed}}; }

/* A number in (lo, hi), exact in single precision, so that both executors get the same value. */
static inline double draw(draws *d, double lo, double hi)
{
    double u = (double)philox_uniform(philox_word(&d->key, d->next++));
    return (double)(float)(lo + (hi - lo) * u);
}

/* One of 0 ... n - 1. */
static inline int draw_below(draws *d, int n)
{
    return (int)((uint64_t)philox_word(&d->key, d->next++) * (uint64_t)n >> 32);
}

/* True once in n. */
static inline bool draw_one_in(draws *d, int n) { return draw_below(d, n) == 0; }

#endif
