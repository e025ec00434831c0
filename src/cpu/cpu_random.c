/* SPDX-License-Identifier: MIT */
/* Random operators on the CPU. */
#include "base/threads.h"
#include "cpu/kernel.h"
#include "cpu/tiles.h"
#include "ops/random.h"

#include <string.h>

enum { MAX_PIECES = 64, TILES_PER_PIECE = 4 };

/* One run of a random node. */
typedef struct draw_call {
    const cpu_call *c;
    void (*convert)(int n, float *y, const unsigned *words);
    philox_key key;
    int64_t n, tiles, pieces;
} draw_call;

/* Converts words to floats in a buffer, in blocks of four. */
static void draw_tile(const draw_call *d, int64_t t)
{
    uint32_t words[TILE_SIZE];
    float values[TILE_SIZE];
    int64_t first = t * TILE_SIZE, m = d->n - first < TILE_SIZE ? d->n - first : TILE_SIZE;
    philox_words(&d->key, first, m, words);
    d->convert((int)((m + 3) / 4 * 4), values, words);
    memcpy(d->c->out + first, values, sizeof *values * (size_t)m);
}

static void draw_piece(void *context, int64_t i, int thread)
{
    (void)thread;
    const draw_call *d = context;
    for (int64_t t = d->tiles * i / d->pieces; t < d->tiles * (i + 1) / d->pieces; t++)
        draw_tile(d, t);
}

static void draw(const cpu_call *c, void (*convert)(int n, float *y, const unsigned *words))
{
    draw_call d = {.c = c, .convert = convert, .key = random_key(c->y, c->key),
                   .n = lt_shape_size(c->y->shape)};
    d.tiles = (d.n + TILE_SIZE - 1) / TILE_SIZE;
    d.pieces = d.tiles < MAX_PIECES ? d.tiles / TILES_PER_PIECE + 1 : MAX_PIECES;
    threads_run(c->threads, d.pieces, draw_piece, &d);
}

static void uniform_eval(const cpu_call *c) { draw(c, tile_uniform); }

static void normal_eval(const cpu_call *c) { draw(c, tile_normal); }

const cpu_kernel cpu_kernel_uniform = {.op = &lt_op_uniform, .run = uniform_eval};
const cpu_kernel cpu_kernel_normal = {.op = &lt_op_normal, .run = normal_eval};
