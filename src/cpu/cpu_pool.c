/* SPDX-License-Identifier: MIT */
/* Pools on the CPU. Channels are last, so the inner loops run over channels and vectorize. Each element of a result
   is computed by one thread in a fixed order, so results do not depend on the number of threads. */
#include "base/clones.h"
#include "base/threads.h"
#include "cpu/channels.h"
#include "cpu/kernel.h"
#include "ops/pool.h"

#include <math.h>
#include <string.h>

/* ---- Pieces ---- */

enum { MAX_PIECES = 64, PIECE_ELEMENTS = 8192 };

typedef struct pool_run {
    pool pool;
    const float *a, *b;
    float *out;
    void (*work)(const struct pool_run *r, int64_t i);
    int64_t n, pieces;
} pool_run;

static void run_piece(void *context, int64_t piece, int worker)
{
    (void)worker;
    const pool_run *r = context;
    for (int64_t i = r->n * piece / r->pieces; i < r->n * (piece + 1) / r->pieces; i++)
        r->work(r, i);
}

/* Runs work(0) ... work(n - 1), which compute c->out from a and b; x is the shape of the images. */
static void run_pool(const cpu_call *c, lt_shape x, int64_t n, const float *b,
                     void (*work)(const pool_run *r, int64_t i))
{
    pool_run r = {.pool = pool_of(c->y, x), .a = c->in[0], .b = b, .out = c->out, .work = work,
                  .n = n};
    r.pieces = least(least(n, MAX_PIECES), lt_shape_size(x) / PIECE_ELEMENTS + 1);
    threads_run(c->threads, r.pieces, run_piece, &r);
}

/* ---- Few channels: several windows at a time ---- */

/* Few channels, and windows that neither overlap nor reach over the edge. A vector then holds several windows of a
   row with all their channels: lane i c + k is channel k of window i. 64 images of 28 x 28 x 2 take a third to a
   fifth of the time. */
static bool is_narrow(const pool *p)
{
    return p->c > 0 && p->c < 16 && p->pad == 0 && p->stride >= p->k;
}

enum { MAX_LANES = 64 };

/* Windows of one row of y, n c lanes. */
typedef struct run {
    int64_t n, lanes;
    const float *x; /* first pixel of the first window */
    int64_t to;     /* index in y of its first channel */
} run;

/* Copy one pixel of each window (c channels, `step` floats apart) to lanes and back. */
static inline void load_lanes(int64_t n, int64_t c, int64_t step, const float *x, float *lanes)
{
#define LOAD(C)                                                                                    \
    for (int64_t i = 0; i < n; i++)                                                                \
        for (int64_t k = 0; k < (C); k++)                                                          \
    lanes[i * (C) + k] = x[i * step + k]
    FOR_CHANNELS(c, LOAD)
#undef LOAD
}

static inline void store_lanes(int64_t n, int64_t c, int64_t step, const float *lanes, float *x)
{
#define STORE(C)                                                                                   \
    for (int64_t i = 0; i < n; i++)                                                                \
        for (int64_t k = 0; k < (C); k++)                                                          \
    x[i * step + k] = lanes[i * (C) + k]
    FOR_CHANNELS(c, STORE)
#undef STORE
}

/* Offset of pixel (ky, kx) of a window from its first pixel. */
static inline int64_t tap_at(const pool *p, int64_t tap)
{
    return (tap / p->k * p->w + tap % p->k) * p->c;
}

/* The run that begins at window ox of row i, counted over all images of y. */
static inline run run_at(const pool *p, const float *x, int64_t i, int64_t ox)
{
    int64_t n = least(p->ow - ox, MAX_LANES / p->c);
    int64_t row = i / p->oh * p->h + i % p->oh * p->stride;
    return (run){.n = n, .lanes = n * p->c, .x = x + (row * p->w + ox * p->stride) * p->c,
                 .to = (i * p->ow + ox) * p->c};
}

/* ---- max_pool2d ---- */

/* The first of equal values stays; NaN wins over numbers. */
static inline bool replaces(float x, float best) { return (x > best) | (x != x); }

/* Row i, counted over all images of y. */
LT_CLONES
static void max_row(const pool_run *r, int64_t i)
{
    const pool *p = &r->pool;
    span rows = pixels_at(p, i % p->oh, p->h);
    for (int64_t ox = 0; ox < p->ow; ox++) {
        span columns = pixels_at(p, ox, p->w);
        float *best = r->out + (i * p->ow + ox) * p->c;
        for (int64_t c = 0; c < p->c; c++)
            best[c] = -INFINITY;
        for (int64_t iy = rows.begin; iy < rows.end; iy++)
            for (int64_t ix = columns.begin; ix < columns.end; ix++) {
                const float *x = r->a + ((i / p->oh * p->h + iy) * p->w + ix) * p->c;
#pragma omp simd
                for (int64_t c = 0; c < p->c; c++)
                    best[c] = replaces(x[c], best[c]) ? x[c] : best[c];
            }
    }
}

LT_CLONES
static void max_row_narrow(const pool_run *r, int64_t i)
{
    const pool *p = &r->pool;
    for (int64_t ox = 0; ox < p->ow; ox += MAX_LANES / p->c) {
        run u = run_at(p, r->a, i, ox);
        float best[MAX_LANES], x[MAX_LANES];
        load_lanes(u.n, p->c, p->stride * p->c, u.x, best);
        for (int64_t tap = 1; tap < p->k * p->k; tap++) {
            load_lanes(u.n, p->c, p->stride * p->c, u.x + tap_at(p, tap), x);
#pragma omp simd
            for (int64_t k = 0; k < u.lanes; k++)
                best[k] = replaces(x[k], best[k]) ? x[k] : best[k];
        }
        memcpy(r->out + u.to, best, sizeof *best * (size_t)u.lanes);
    }
}

static void max_eval(const cpu_call *c)
{
    pool p = pool_of(c->y, c->y->in[0]->shape);
    run_pool(c, c->y->in[0]->shape, p.n * p.oh, NULL, is_narrow(&p) ? max_row_narrow : max_row);
}

/* ---- max_pool2d_scatter and _gather ---- */

enum { BLOCK = 64 };

/* Finds the pixels of the maxima of m <= BLOCK channels from `first` on, in the window at (oy, ox). */
static inline void find_maxima(const pool *p, const float *image, span rows, span columns,
                               int64_t first, int64_t m, int32_t *at)
{
    float best[BLOCK];
    for (int64_t c = 0; c < m; c++) {
        best[c] = -INFINITY;
        at[c] = (int32_t)(rows.begin * p->w + columns.begin);
    }
    for (int64_t iy = rows.begin; iy < rows.end; iy++)
        for (int64_t ix = columns.begin; ix < columns.end; ix++) {
            int32_t pixel = (int32_t)(iy * p->w + ix);
            const float *x = image + pixel * p->c + first;
#pragma omp simd
            for (int64_t c = 0; c < m; c++) {
                bool better = (x[c] > best[c]) | ((x[c] != x[c]) & (best[c] == best[c]));
                best[c] = better ? x[c] : best[c];
                at[c] = better ? pixel : at[c];
            }
        }
}

/* Adds m channels of g at the pixels of their maxima. */
static inline void put_maxima(const pool *p, float *image, span rows, span columns, int64_t m,
                              const int32_t *at, const float *g)
{
    for (int64_t iy = rows.begin; iy < rows.end; iy++)
        for (int64_t ix = columns.begin; ix < columns.end; ix++) {
            int32_t pixel = (int32_t)(iy * p->w + ix);
            float *x = image + pixel * p->c;
#pragma omp simd
            for (int64_t c = 0; c < m; c++)
                x[c] += at[c] == pixel ? g[c] : 0;
        }
}

/* The whole image i, because its windows may overlap. */
LT_CLONES
static void scatter_image(const pool_run *r, int64_t i)
{
    const pool *p = &r->pool;
    int64_t size = p->h * p->w * p->c;
    const float *image = r->a + i * size, *g = r->b + i * p->oh * p->ow * p->c;
    float *out = r->out + i * size;
    memset(out, 0, sizeof *out * (size_t)size);
    for (int64_t oy = 0; oy < p->oh; oy++)
        for (int64_t ox = 0; ox < p->ow; ox++, g += p->c)
            for (int64_t c = 0; c < p->c; c += BLOCK) {
                int32_t at[BLOCK];
                int64_t m = least(BLOCK, p->c - c);
                span rows = pixels_at(p, oy, p->h), columns = pixels_at(p, ox, p->w);
                find_maxima(p, image, rows, columns, c, m, at);
                put_maxima(p, out + c, rows, columns, m, at, g + c);
            }
}

/* Row i, counted over all images of y. */
LT_CLONES
static void gather_row(const pool_run *r, int64_t i)
{
    const pool *p = &r->pool;
    int64_t image = i / p->oh * p->h * p->w * p->c;
    float *out = r->out + i * p->ow * p->c;
    span rows = pixels_at(p, i % p->oh, p->h);
    for (int64_t ox = 0; ox < p->ow; ox++, out += p->c)
        for (int64_t first = 0; first < p->c; first += BLOCK) {
            int32_t at[BLOCK];
            int64_t m = least(BLOCK, p->c - first);
            find_maxima(p, r->a + image, rows, pixels_at(p, ox, p->w), first, m, at);
            for (int64_t c = 0; c < m; c++)
                out[first + c] = r->b[image + at[c] * p->c + first + c];
        }
}

/* Finds the pixel of the maximum of each lane. */
static inline void find_lane_maxima(const pool *p, const run *u, int32_t *at)
{
    float best[MAX_LANES], x[MAX_LANES];
    load_lanes(u->n, p->c, p->stride * p->c, u->x, best);
    memset(at, 0, sizeof *at * (size_t)u->lanes);
    for (int64_t tap = 1; tap < p->k * p->k; tap++) {
        load_lanes(u->n, p->c, p->stride * p->c, u->x + tap_at(p, tap), x);
#pragma omp simd
        for (int64_t k = 0; k < u->lanes; k++) {
            bool better = (x[k] > best[k]) | ((x[k] != x[k]) & (best[k] == best[k]));
            best[k] = better ? x[k] : best[k];
            at[k] = better ? (int32_t)tap : at[k];
        }
    }
}

/* The whole image i; some pixels may be in no window. */
LT_CLONES
static void scatter_image_narrow(const pool_run *r, int64_t i)
{
    const pool *p = &r->pool;
    int64_t size = p->h * p->w * p->c, step = p->stride * p->c;
    if (p->stride > p->k || p->oh * p->k < p->h || p->ow * p->k < p->w)
        memset(r->out + i * size, 0, sizeof *r->out * (size_t)size);
    for (int64_t row = i * p->oh; row < (i + 1) * p->oh; row++)
        for (int64_t ox = 0; ox < p->ow; ox += MAX_LANES / p->c) {
            run u = run_at(p, r->a, row, ox);
            int32_t at[MAX_LANES];
            float x[MAX_LANES];
            find_lane_maxima(p, &u, at);
            for (int64_t tap = 0; tap < p->k * p->k; tap++) {
#pragma omp simd
                for (int64_t k = 0; k < u.lanes; k++)
                    x[k] = at[k] == tap ? r->b[u.to + k] : 0;
                store_lanes(u.n, p->c, step, x, r->out + (u.x - r->a) + tap_at(p, tap));
            }
        }
}

LT_CLONES
static void gather_row_narrow(const pool_run *r, int64_t i)
{
    const pool *p = &r->pool;
    for (int64_t ox = 0; ox < p->ow; ox += MAX_LANES / p->c) {
        run u = run_at(p, r->a, i, ox);
        int32_t at[MAX_LANES];
        float x[MAX_LANES];
        find_lane_maxima(p, &u, at);
        for (int64_t tap = 0; tap < p->k * p->k; tap++) {
            load_lanes(u.n, p->c, p->stride * p->c, r->b + (u.x - r->a) + tap_at(p, tap), x);
#pragma omp simd
            for (int64_t k = 0; k < u.lanes; k++)
                r->out[u.to + k] = at[k] == tap ? x[k] : r->out[u.to + k];
        }
    }
}

static void scatter_eval(const cpu_call *c)
{
    pool p = pool_of(c->y, c->y->shape);
    run_pool(c, c->y->shape, p.n, c->in[1], is_narrow(&p) ? scatter_image_narrow : scatter_image);
}

static void gather_eval(const cpu_call *c)
{
    pool p = pool_of(c->y, c->y->in[0]->shape);
    run_pool(c, c->y->in[0]->shape, p.n * p.oh, c->in[1],
             is_narrow(&p) ? gather_row_narrow : gather_row);
}

/* ---- avg_pool2d ---- */

static inline void add_pixel(int64_t n, float *sum, const float *x, bool first)
{
    if (first)
        memcpy(sum, x, sizeof *sum * (size_t)n);
    else
#pragma omp simd
        for (int64_t c = 0; c < n; c++)
            sum[c] += x[c];
}

static inline void finish_sum(int64_t n, float *sum, float weight)
{
#pragma omp simd
    for (int64_t c = 0; c < n; c++)
        sum[c] *= weight;
}

/* y[c] = weight times the sum over rows and columns of image, which is `width` pixels wide. */
static inline void sum_pixels(const pool *p, const float *image, int64_t width, span rows,
                              span columns, float *y)
{
    for (int64_t iy = rows.begin; iy < rows.end; iy++)
        for (int64_t ix = columns.begin; ix < columns.end; ix++)
            add_pixel(p->c, y, image + (iy * width + ix) * p->c,
                      iy == rows.begin && ix == columns.begin);
    if (rows.begin >= rows.end || columns.begin >= columns.end)
        memset(y, 0, sizeof *y * (size_t)p->c);
    else if (p->weight != 1)
        finish_sum(p->c, y, (float)p->weight);
}

/* Row i, counted over all images of y. */
LT_CLONES
static void avg_row(const pool_run *r, int64_t i)
{
    const pool *p = &r->pool;
    const float *image = r->a + i / p->oh * p->h * p->w * p->c;
    span rows = pixels_at(p, i % p->oh, p->h);
    for (int64_t ox = 0; ox < p->ow; ox++)
        sum_pixels(p, image, p->w, rows, pixels_at(p, ox, p->w), r->out + (i * p->ow + ox) * p->c);
}

/* Row i, counted over all images of x: each pixel gathers from the windows that hold it. */
LT_CLONES
static void avg_dx_row(const pool_run *r, int64_t i)
{
    const pool *p = &r->pool;
    const float *image = r->a + i / p->h * p->oh * p->ow * p->c;
    span rows = places_of(p, i % p->h, p->oh);
    for (int64_t ix = 0; ix < p->w; ix++)
        sum_pixels(p, image, p->ow, rows, places_of(p, ix, p->ow), r->out + (i * p->w + ix) * p->c);
}

static void avg_eval(const cpu_call *c)
{
    run_pool(c, c->y->in[0]->shape, c->y->shape.d[0] * c->y->shape.d[1], NULL, avg_row);
}

static void avg_dx_eval(const cpu_call *c)
{
    run_pool(c, c->y->shape, c->y->shape.d[0] * c->y->shape.d[1], NULL, avg_dx_row);
}

/* ---- Records ---- */

const cpu_kernel cpu_kernel_max_pool2d = {.op = &lt_op_max_pool2d, .run = max_eval};
const cpu_kernel cpu_kernel_max_pool2d_scatter = {.op = &lt_op_max_pool2d_scatter, .run = scatter_eval};
const cpu_kernel cpu_kernel_max_pool2d_gather = {.op = &lt_op_max_pool2d_gather, .run = gather_eval};
const cpu_kernel cpu_kernel_avg_pool2d = {.op = &lt_op_avg_pool2d, .run = avg_eval};
const cpu_kernel cpu_kernel_avg_pool2d_dx = {.op = &lt_op_avg_pool2d_dx, .run = avg_dx_eval};
