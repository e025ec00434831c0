/* SPDX-License-Identifier: MIT */
/* Random numbers as operators: a function of (seed, stream, step, element) and nothing else. */
#include "base/philox.h"
#include "base/threads.h"
#include "kernels/tiles.h"
#include "ops/eltwise.h"

#include <latent/ops.h>

#include <math.h>
#include <string.h>

static const char *random_shape(const lt_node *y, lt_shape *s)
{
    *s = ((const random_attr *)y->attr)->shape;
    return NULL;
}

static philox_key key_of(const lt_node *y, const lt_run_key *key)
{
    return (philox_key){key->seed, ((const random_attr *)y->attr)->stream, key->step};
}

enum { MOST_PIECES = 64, TILES_PER_PIECE = 4 };

/* One run of a random node. */
typedef struct draw_call {
    const lt_call *c;
    void (*convert)(int n, float *y, const unsigned *words);
    philox_key key;
    int64_t n, tiles, pieces;
} draw_call;

/* Words become floats in a buffer, whole blocks of four. */
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

static void draw(const lt_call *c, void (*convert)(int n, float *y, const unsigned *words))
{
    draw_call d = {.c = c, .convert = convert, .key = key_of(c->y, c->key),
                   .n = lt_shape_size(c->y->shape)};
    d.tiles = (d.n + TILE_SIZE - 1) / TILE_SIZE;
    d.pieces = d.tiles < MOST_PIECES ? d.tiles / TILES_PER_PIECE + 1 : MOST_PIECES;
    threads_run(c->threads, d.pieces, draw_piece, &d);
}

/* ---- uniform ---- */

static void uniform_eval(const lt_call *c) { draw(c, tile_uniform); }

static void uniform_reference(const lt_reference_call *c)
{
    philox_key key = key_of(c->y, c->key);
    int64_t n = lt_shape_size(c->y->shape);
    for (int64_t i = 0; i < n; i++)
        c->out[i] = ((philox_word(&key, i) >> 9) + .5) * 0x1p-23;
}

const lt_op lt_op_uniform = {
    .name = "uniform", .flags = OP_RANDOM, .attr_size = sizeof(random_attr), .shape = random_shape,
    .eval = uniform_eval, .reference = uniform_reference,
    .cases = (const lt_op_case[]){
        {"matrix", .attr = &(random_attr){{2, {5, 7}}, 3}},
        {"tiles", .attr = &(random_attr){{1, {5003}}, 4}},
        {"one", .attr = &(random_attr){{2, {1, 1}}, 14}},
        {"empty", .attr = &(random_attr){{2, {0, 3}}, 24}},
        {0}}};

lt_node *lt_uniform(lt_graph *g, lt_shape shape)
{
    return node_source(g, &lt_op_uniform, &(random_attr){shape, g->streams++});
}

/* ---- normal ---- */

static void normal_eval(const lt_call *c) { draw(c, tile_normal); }

static void normal_reference(const lt_reference_call *c)
{
    philox_key key = key_of(c->y, c->key);
    int64_t n = lt_shape_size(c->y->shape);
    for (int64_t i = 0; i < n; i++) {
        double u = ((philox_word(&key, i & ~1) >> 8) + 1.) * 0x1p-24;
        double angle = 2 * M_PI * (philox_word(&key, i | 1) >> 8) * 0x1p-24;
        c->out[i] = sqrt(-2 * log(u)) * (i % 2 ? sin(angle) : cos(angle));
    }
}

const lt_op lt_op_normal = {
    .name = "normal", .flags = OP_RANDOM, .attr_size = sizeof(random_attr), .shape = random_shape,
    .eval = normal_eval, .reference = normal_reference,
    .cases = (const lt_op_case[]){
        {"matrix", .attr = &(random_attr){{2, {5, 7}}, 5}},
        {"tiles", .attr = &(random_attr){{1, {5003}}, 6}},
        {"one", .attr = &(random_attr){{2, {1, 1}}, 16}},
        {"empty", .attr = &(random_attr){{2, {0, 3}}, 26}},
        {0}}};

lt_node *lt_normal(lt_graph *g, lt_shape shape)
{
    return node_source(g, &lt_op_normal, &(random_attr){shape, g->streams++});
}

lt_node *lt_bernoulli(lt_node *p)
{
    return node_is_bad(p) ? p : lt_less(lt_uniform(p->graph, p->shape), p);
}
