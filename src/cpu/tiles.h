/* SPDX-License-Identifier: MIT */
/* Tile kernels: one elementwise operator over a short run of floats that stays in cache.
   y[i] = f(a[i], b[i], c[i]) for i < n; y may be the same array as an input. If bit k of `scalars` is
   set, operand k is one float for all i. */
#ifndef LATENT_TILES_H
#define LATENT_TILES_H

#include "ops/attributes.h"

typedef void tile_function(int n, float *y, const float *a, const float *b, const float *c,
                           unsigned scalars);

/* Returns the tile kernel of an elementwise operator, or NULL. */
tile_function *cpu_find_tile(const lt_op *op);

/* Floats per tile: a chain of operators has about a dozen tiles, which stay in an L1 of 32 KiB. */
enum { TILE_SIZE = 512 };

/* E1(exp, ...) becomes void tile_exp(int n, float *y, const float *a, const float *b,
                                      const float *c, unsigned scalars); */
#define TILE(NAME)                                                                                 \
    void tile_##NAME(int n, float *y, const float *a, const float *b, const float *c,              \
                     unsigned scalars);
#define E1(NAME, ...) TILE(NAME)
#define E2(NAME, ...) TILE(NAME)
#define E3(NAME, ...) TILE(NAME)
#include "ops/eltwise.def"
#undef E1
#undef E2
#undef E3
#undef TILE

/* Sums and maxima of a run; the order of additions is fixed by n alone. */
float tile_sum_all(int n, const float *x);
float tile_max_all(int n, const float *x);

/* y[i] += x[i], y[i] = max(y[i], x[i]). */
void tile_accumulate_sum(int n, float *y, const float *x);
void tile_accumulate_max(int n, float *y, const float *x);

/* y[c] += x[r][c] for every row r; the order of additions is fixed by the sizes alone. */
void tile_sum_rows(int rows, int columns, float *y, const float *x);

void tile_fill(int n, float *y, float value);

/* Uniform and normal samples from Philox words (Box-Muller, two at a time); n is a multiple of 4, at most TILE_SIZE.
   */
void tile_uniform(int n, float *y, const unsigned *words);
void tile_normal(int n, float *y, const unsigned *words);

#endif
