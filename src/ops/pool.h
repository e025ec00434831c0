/* SPDX-License-Identifier: MIT */
/* Sizes of a pool, shared by kernels and the reference. */
#ifndef LATENT_POOL_H
#define LATENT_POOL_H

#include "ops/attributes.h"

/* x: n x h x w x c; y: n x oh x ow x c. */
typedef struct pool {
    int64_t n, h, w, c, oh, ow, k, stride, pad;
    double weight;
} pool;

typedef struct span {
    int64_t begin, end;
} span;

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

/* Pixels, of `size`, inside window `place`; at least one, because pad < k. */
static inline span pixels_at(const pool *p, int64_t place, int64_t size)
{
    int64_t first = place * p->stride - p->pad;
    return (span){most(first, 0), least(first + p->k, size)};
}

/* Windows, of `places`, that hold a pixel; possibly none. */
static inline span places_of(const pool *p, int64_t pixel, int64_t places)
{
    int64_t last = pixel + p->pad, before = most(last - p->k + 1, 0);
    return (span){(before + p->stride - 1) / p->stride, least(last / p->stride + 1, places)};
}

/* Sizes of node y, a pool over images of shape x. */
pool pool_of(const lt_node *y, lt_shape x);

#endif
