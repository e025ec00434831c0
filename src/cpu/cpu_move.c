/* SPDX-License-Identifier: MIT */
/* Operators that move elements, on the CPU. */
#include "base/threads.h"
#include "cpu/kernel.h"
#include "ops/move.h"

#include <string.h>

/* A permutation without axes of one element, with axes that stay adjacent merged. */
typedef struct movement {
    int rank;
    int64_t d[LT_MAX_RANK];                       /* of y, outermost first */
    int64_t from[LT_MAX_RANK], to[LT_MAX_RANK];   /* strides in x and y */
    int a, b;                                     /* the axes of a block */
    int outer[LT_MAX_RANK], n_outer;              /* the others */
    int64_t n, pieces;                            /* blocks */
    const float *x;
    float *y;
} movement;

static void merge_axes(movement *m, const lt_node *y)
{
    int64_t stride[LT_MAX_RANK], step = 1;
    permute_strides(y, stride);
    for (int i = 0; i < y->shape.rank; i++) {
        int64_t d = y->shape.d[i];
        int last = m->rank - 1;
        if (d == 1)
            continue;
        if (last >= 0 && m->from[last] == stride[i] * d) {
            m->d[last] *= d;
            m->from[last] = stride[i];
        } else {
            m->d[m->rank] = d;
            m->from[m->rank++] = stride[i];
        }
    }
    while (m->rank < 2) { /* a block needs two axes */
        m->d[m->rank] = m->from[m->rank] = 1;
        m->rank++;
    }
    for (int i = m->rank - 1; i >= 0; i--) {
        m->to[i] = step;
        step *= m->d[i];
    }
}

enum { TILE_A = 16, TILE_B = 64, SHORT = 8, MAX_PIECES = 64, PIECE_ELEMENTS = 8192 };

/* Transposes nb rows of na floats, or copies them (to_a = 1). Strided reads are faster than strided writes, except
   for short rows. */
static inline void move_tile(float *y, const float *x, int64_t na, int64_t to_a, int64_t nb,
                             int64_t from_b, int64_t to_b)
{
    if (to_a == 1 || nb < SHORT)
        for (int64_t b = 0; b < nb; b++)
            for (int64_t a = 0; a < na; a++)
                y[a * to_a + b * to_b] = x[a + b * from_b];
    else
        for (int64_t a = 0; a < na; a++)
            for (int64_t b = 0; b < nb; b++)
                y[a * to_a + b] = x[a + b * from_b];
}

/* Moves a block in tiles, so that rows of both x and y stay in the cache. */
static void move_block(const movement *m, float *y, const float *x)
{
    int64_t na = m->d[m->a], nb = m->d[m->b], to_a = m->to[m->a], to_b = m->to[m->b];
    int64_t from_b = m->from[m->b], tile = to_a == 1 || nb < SHORT ? na : TILE_A;
    for (int64_t b = 0; b < nb; b += TILE_B)
        for (int64_t a = 0; a < na; a += tile)
            move_tile(y + a * to_a + b * to_b, x + a + b * from_b, na - a < tile ? na - a : tile,
                      to_a, nb - b < TILE_B ? nb - b : TILE_B, from_b, to_b);
}

/* Finds the first block by division, the following ones by incrementing indices. */
static void move_piece(void *context, int64_t piece, int worker)
{
    (void)worker;
    const movement *m = context;
    int64_t first = m->n * piece / m->pieces, end = m->n * (piece + 1) / m->pieces;
    int64_t at[LT_MAX_RANK], from = 0, to = 0, rest = first;
    for (int k = m->n_outer - 1; k >= 0; k--) {
        const int axis = m->outer[k];
        at[k] = rest % m->d[axis];
        rest /= m->d[axis];
        from += at[k] * m->from[axis];
        to += at[k] * m->to[axis];
    }
    for (int64_t i = first; i < end; i++) {
        move_block(m, m->y + to, m->x + from);
        for (int k = m->n_outer - 1; k >= 0; k--) {
            const int axis = m->outer[k];
            from += m->from[axis];
            to += m->to[axis];
            if (++at[k] < m->d[axis])
                break;
            from -= at[k] * m->from[axis];
            to -= at[k] * m->to[axis];
            at[k] = 0;
        }
    }
}

/* Chooses the block's axes: one contiguous in x and one in y; if both are the same, also the next axis of y. */
static void choose_axes(movement *m)
{
    m->a = m->b = m->rank - 1;
    for (int i = 0; i < m->rank; i++)
        m->a = m->from[i] == 1 && m->d[i] > 1 ? i : m->a;
    m->b -= m->a == m->b;
    for (int i = 0; i < m->rank; i++)
        if (i != m->a && i != m->b)
            m->outer[m->n_outer++] = i;
}

static void permute_eval(const cpu_call *c)
{
    movement m = {.x = c->in[0], .y = c->out};
    int64_t size = lt_shape_size(c->y->shape);
    if (size == 0)
        return;
    merge_axes(&m, c->y);
    choose_axes(&m);
    m.n = size / (m.d[m.a] * m.d[m.b]);
    int64_t most = size / PIECE_ELEMENTS + 1;
    m.pieces = m.n < MAX_PIECES ? m.n : MAX_PIECES;
    m.pieces = m.pieces < most ? m.pieces : most;
    threads_run(c->threads, m.pieces, move_piece, &m);
}

static void slice_eval(const cpu_call *c)
{
    const slice_attr *a = c->y->attr;
    lt_shape x = c->y->in[0]->shape;
    int64_t outer = outer_size(x, a->axis), inner = inner_size(x, a->axis);
    int64_t run = (a->stop - a->start) * inner;
    for (int64_t i = 0; i < outer; i++)
        memcpy(c->out + i * run, c->in[0] + (i * x.d[a->axis] + a->start) * inner,
               sizeof *c->out * (size_t)run);
}

static void pad_eval(const cpu_call *c)
{
    const pad_attr *a = c->y->attr;
    lt_shape x = c->y->in[0]->shape;
    int64_t outer = outer_size(x, a->axis), inner = inner_size(x, a->axis);
    int64_t run = x.d[a->axis] * inner;
    float *out = c->out;
    for (int64_t i = 0; i < outer; i++) {
        memset(out, 0, sizeof *out * (size_t)(a->before * inner));
        out += a->before * inner;
        memcpy(out, c->in[0] + i * run, sizeof *out * (size_t)run);
        out += run;
        memset(out, 0, sizeof *out * (size_t)(a->after * inner));
        out += a->after * inner;
    }
}

static void concat_eval(const cpu_call *c)
{
    int64_t axis = ((const concat_attr *)c->y->attr)->axis;
    int64_t outer = outer_size(c->y->shape, axis), inner = inner_size(c->y->shape, axis);
    float *out = c->out;
    for (int64_t i = 0; i < outer; i++)
        for (int k = 0; k < c->y->n_in; k++) {
            int64_t run = c->y->in[k]->shape.d[axis] * inner;
            float *from = (float *)c->in[k] + i * run;
            if (from != out) /* the planner may have computed the input in place */
                memcpy(out, from, sizeof *out * (size_t)run);
            out += run;
        }
}

/* ---- Records ---- */

const cpu_kernel cpu_kernel_permute = {.op = &lt_op_permute, .run = permute_eval};
const cpu_kernel cpu_kernel_slice = {.op = &lt_op_slice, .run = slice_eval};
const cpu_kernel cpu_kernel_pad = {.op = &lt_op_pad, .run = pad_eval};
const cpu_kernel cpu_kernel_concat = {.op = &lt_op_concat, .run = concat_eval};
