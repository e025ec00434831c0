/* SPDX-License-Identifier: MIT */
/* Pools: windows that move over images, channel by channel. max_pool2d with the transpose of what
   it does to small changes (scatter) and that one's transpose (gather); the weighted sum of each
   window, which a mean is, and its transpose, which nearest upsampling is. Channels are last, so the
   inner loops are over them, and vectors. Every number of a result is computed in one place in one
   order: who does which rows does not matter. */
#include "base/clones.h"
#include "base/threads.h"
#include "ops/attributes.h"
#include "kernels/channels.h"
#include "ops/window.h"

#include <math.h>
#include <string.h>

/* x: n x h x w x c; y: n x oh x ow x c. */
typedef struct pool {
    int64_t n, h, w, c, oh, ow, k, stride, pad;
    double weight;
} pool;

/* ---- Shapes ---- */

static const char *read_pool(const lt_node *y, lt_shape x, pool *p)
{
    const pool_attr *a = y->attr;
    const char *reason = check_images(y, "images", x);
    if (reason)
        return reason;
    *p = (pool){.n = x.d[0], .h = x.d[1], .w = x.d[2], .c = x.d[3], .k = a->kernel,
                .stride = a->stride, .pad = a->pad, .weight = a->weight};
    window o = {p->k, p->stride, p->pad, 1};
    reason = window_places(y, "rows", p->h, o, &p->oh);
    if (!reason)
        reason = window_places(y, "columns", p->w, o, &p->ow);
    if (!reason && p->pad >= p->k)
        return node_reason(y, "pad must be less than the window's %lld pixels, found %lld",
                           (long long)p->k, (long long)p->pad);
    if (!reason && p->h * p->w > WINDOW_MAX) /* pixels are counted in 32 bits */
        return node_reason(y, "images of more than %d pixels", WINDOW_MAX);
    return reason;
}

static lt_shape pooled_shape(const pool *p) { return lt_shape_4d(p->n, p->oh, p->ow, p->c); }

static const char *check_pooled(const lt_node *y, const pool *p, lt_shape found)
{
    char want[LT_SHAPE_TEXT_SIZE], text[LT_SHAPE_TEXT_SIZE];
    if (lt_shape_equal(found, pooled_shape(p)))
        return NULL;
    return node_reason(y, "%lld x %lld pixels under this window become %s, not %s", (long long)p->h,
                       (long long)p->w, lt_shape_text(pooled_shape(p), want),
                       lt_shape_text(found, text));
}

static const char *pool_shape(const lt_node *y, lt_shape *s)
{
    pool p;
    const char *reason = read_pool(y, y->in[0]->shape, &p);
    if (!reason)
        *s = pooled_shape(&p);
    return reason;
}

static pool pool_of(const lt_node *y, lt_shape x)
{
    pool p;
    const char *reason = read_pool(y, x, &p);
    LT_ASSERT(!reason);
    return p;
}

/* ---- Windows and pixels ---- */

typedef struct span {
    int64_t begin, end;
} span;

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

/* Pixels, of `size`, in the window at one place; never none, as pad < k. */
static inline span pixels_at(const pool *p, int64_t place, int64_t size)
{
    int64_t first = place * p->stride - p->pad;
    return (span){most(first, 0), least(first + p->k, size)};
}

/* Places, of `places`, whose window holds a pixel; perhaps none. */
static inline span places_of(const pool *p, int64_t pixel, int64_t places)
{
    int64_t last = pixel + p->pad, before = most(last - p->k + 1, 0);
    return (span){(before + p->stride - 1) / p->stride, least(last / p->stride + 1, places)};
}

/* ---- One run, cut into pieces ---- */

enum { MOST_PIECES = 64, PIECE_ELEMENTS = 8192 };

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

/* work(0) ... work(n - 1) make c->out from a and b; x is the shape of the images. */
static void run_pool(const lt_call *c, lt_shape x, int64_t n, const float *b,
                     void (*work)(const pool_run *r, int64_t i))
{
    pool_run r = {.pool = pool_of(c->y, x), .a = c->in[0], .b = b, .out = c->out, .work = work,
                  .n = n};
    r.pieces = least(least(n, MOST_PIECES), lt_shape_size(x) / PIECE_ELEMENTS + 1);
    threads_run(c->threads, r.pieces, run_piece, &r);
}

/* ---- Few channels: several places at a time ---- */

/* Windows that neither overlap nor reach over the edge, of images with few channels. A vector then is
   some places of a row, with all their channels: lane i c + k is channel k of the i-th of them. 64 images
   of 28 x 28 x 2 take a third to a fifth of the time. */
static bool is_narrow(const pool *p)
{
    return p->c > 0 && p->c < 16 && p->pad == 0 && p->stride >= p->k;
}

enum { MOST_LANES = 64 };

/* Places of one row of y, n c lanes. */
typedef struct run {
    int64_t n, lanes;
    const float *x; /* the first pixel of the first one's window */
    int64_t to;     /* where its first channel is in y */
} run;

/* One pixel of each window, c channels each `step` floats, to lanes and back. */
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

/* Where pixel (ky, kx) of each window of a row is, from the first window's first pixel. */
static inline int64_t tap_at(const pool *p, int64_t tap)
{
    return (tap / p->k * p->w + tap % p->k) * p->c;
}

/* The run that begins at place ox of row i of all the rows of y. */
static inline run run_at(const pool *p, const float *x, int64_t i, int64_t ox)
{
    int64_t n = least(p->ow - ox, MOST_LANES / p->c);
    int64_t row = i / p->oh * p->h + i % p->oh * p->stride;
    return (run){.n = n, .lanes = n * p->c, .x = x + (row * p->w + ox * p->stride) * p->c,
                 .to = (i * p->ow + ox) * p->c};
}

/* ---- max_pool2d ---- */

/* Of equals the first stays; of numbers and a NaN, the NaN. */
static inline bool replaces(float x, float best) { return (x > best) | (x != x); }

/* Row i of all the rows of y. */
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
    for (int64_t ox = 0; ox < p->ow; ox += MOST_LANES / p->c) {
        run u = run_at(p, r->a, i, ox);
        float best[MOST_LANES], x[MOST_LANES];
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

static void max_pool2d_eval(const lt_call *c)
{
    pool p = pool_of(c->y, c->y->in[0]->shape);
    run_pool(c, c->y->in[0]->shape, p.n * p.oh, NULL, is_narrow(&p) ? max_row_narrow : max_row);
}

/* The pixel of an image where channel c of the window at (oy, ox) is largest: the first of equals,
   the first NaN if there is one. */
static int64_t find_max(const pool *p, const double *image, int64_t oy, int64_t ox, int64_t c)
{
    span rows = pixels_at(p, oy, p->h), columns = pixels_at(p, ox, p->w);
    int64_t best = rows.begin * p->w + columns.begin;
    for (int64_t iy = rows.begin; iy < rows.end; iy++)
        for (int64_t ix = columns.begin; ix < columns.end; ix++) {
            double x = image[(iy * p->w + ix) * p->c + c], y = image[best * p->c + c];
            if (y == y && (x > y || x != x))
                best = iy * p->w + ix;
        }
    return best;
}

/* Where element i of y comes from in x. */
static int64_t source_of(const pool *p, const double *x, int64_t i)
{
    int64_t c = i % p->c, ox = i / p->c % p->ow, oy = i / p->c / p->ow % p->oh;
    int64_t image = i / (p->c * p->ow * p->oh) * p->h * p->w * p->c;
    return image + find_max(p, x + image, oy, ox, c) * p->c + c;
}

static void max_pool2d_reference(const lt_reference_call *c)
{
    pool p = pool_of(c->y, c->y->in[0]->shape);
    int64_t n = lt_shape_size(c->y->shape);
    for (int64_t i = 0; i < n; i++)
        c->out[i] = c->in[0][source_of(&p, c->in[0], i)];
}

static lt_window window_of(const lt_node *y)
{
    const pool_attr *a = y->attr;
    return (lt_window){.stride = (int)a->stride, .pad = (int)a->pad};
}

static int kernel_of(const lt_node *y) { return (int)((const pool_attr *)y->attr)->kernel; }

static void max_pool2d_grad(lt_vjp *r)
{
    r->d[0] = lt_max_pool2d_scatter(r->in[0], r->g, kernel_of(r->y), window_of(r->y));
}

/* POOL(2, 1, 0, ) becomes .attr = &(pool_attr){.kernel = 2, .stride = 1, .pad = 0, } */
#define POOL(KERNEL, STRIDE, PAD, ...)                                                             \
    .attr = &(pool_attr){.kernel = KERNEL, .stride = STRIDE, .pad = PAD, __VA_ARGS__}

const lt_op lt_op_max_pool2d = {
    .name = "max_pool2d", .n_in = 1, .attr_size = sizeof(pool_attr), .shape = pool_shape,
    .eval = max_pool2d_eval, .reference = max_pool2d_reference, .grad = max_pool2d_grad,
    .cases = (const lt_op_case[]){
        {"halves", .in = {{4, {2, 6, 4, 5}}}, POOL(2, 2, 0, )},
        {"two channels", .in = {{4, {2, 5, 68, 2}}}, POOL(2, 2, 0, )},
        {"eight channels", .in = {{4, {1, 4, 19, 8}}}, POOL(2, 2, 0, )},
        {"overlapping", .in = {{4, {2, 7, 5, 3}}}, POOL(3, 2, 1, )},
        {"every pixel", .in = {{4, {1, 5, 4, 17}}}, POOL(3, 1, 1, )},
        {"gaps", .in = {{4, {3, 8, 9, 1}}}, POOL(2, 3, 0, )},
        {"one window", .in = {{4, {2, 3, 3, 70}}}, POOL(3, 1, 0, )},
        {"identity", .in = {{4, {2, 3, 2, 2}}}, POOL(1, 1, 0, )},
        {"no images", .in = {{4, {0, 4, 4, 3}}}, POOL(2, 2, 0, )},
        {0}}};

/* ---- Its scatter and gather ---- */

enum { BLOCK = 64 };

/* Pixels at which m <= BLOCK channels from `first` on are largest in the window at (oy, ox). */
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

/* Adds m channels of g at the pixels of the window that are theirs. */
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

/* All of image i, as its windows may overlap. */
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

/* Row i of all the rows of y. */
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

/* The pixel of its window at which each lane is largest. */
static inline void find_lane_maxima(const pool *p, const run *u, int32_t *at)
{
    float best[MOST_LANES], x[MOST_LANES];
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

/* All of image i, whose windows need not hold every pixel. */
LT_CLONES
static void scatter_image_narrow(const pool_run *r, int64_t i)
{
    const pool *p = &r->pool;
    int64_t size = p->h * p->w * p->c, step = p->stride * p->c;
    if (p->stride > p->k || p->oh * p->k < p->h || p->ow * p->k < p->w)
        memset(r->out + i * size, 0, sizeof *r->out * (size_t)size);
    for (int64_t row = i * p->oh; row < (i + 1) * p->oh; row++)
        for (int64_t ox = 0; ox < p->ow; ox += MOST_LANES / p->c) {
            run u = run_at(p, r->a, row, ox);
            int32_t at[MOST_LANES];
            float x[MOST_LANES];
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
    for (int64_t ox = 0; ox < p->ow; ox += MOST_LANES / p->c) {
        run u = run_at(p, r->a, i, ox);
        int32_t at[MOST_LANES];
        float x[MOST_LANES];
        find_lane_maxima(p, &u, at);
        for (int64_t tap = 0; tap < p->k * p->k; tap++) {
            load_lanes(u.n, p->c, p->stride * p->c, r->b + (u.x - r->a) + tap_at(p, tap), x);
#pragma omp simd
            for (int64_t k = 0; k < u.lanes; k++)
                r->out[u.to + k] = at[k] == tap ? x[k] : r->out[u.to + k];
        }
    }
}

static const char *scatter_shape(const lt_node *y, lt_shape *s)
{
    pool p;
    const char *reason = read_pool(y, y->in[0]->shape, &p);
    *s = y->in[0]->shape;
    return reason ? reason : check_pooled(y, &p, y->in[1]->shape);
}

static void scatter_eval(const lt_call *c)
{
    pool p = pool_of(c->y, c->y->shape);
    run_pool(c, c->y->shape, p.n, c->in[1], is_narrow(&p) ? scatter_image_narrow : scatter_image);
}

static void scatter_reference(const lt_reference_call *c)
{
    pool p = pool_of(c->y, c->y->shape);
    int64_t size = lt_shape_size(c->y->shape), n = lt_shape_size(c->y->in[1]->shape);
    for (int64_t i = 0; i < size; i++)
        c->out[i] = 0;
    for (int64_t i = 0; i < n; i++)
        c->out[source_of(&p, c->in[0], i)] += c->in[1][i];
}

/* Where the maxima are does not change with x, but at ties. */
static void scatter_grad(lt_vjp *r)
{
    r->d[1] = lt_max_pool2d_gather(r->in[0], r->g, kernel_of(r->y), window_of(r->y));
}

const lt_op lt_op_max_pool2d_scatter = {
    .name = "max_pool2d_scatter", .n_in = 2, .attr_size = sizeof(pool_attr),
    .shape = scatter_shape, .eval = scatter_eval, .reference = scatter_reference,
    .grad = scatter_grad,
    .cases = (const lt_op_case[]){
        {"halves", .in = {{4, {2, 6, 4, 5}}, {4, {2, 3, 2, 5}}}, POOL(2, 2, 0, )},
        {"two channels", .in = {{4, {2, 5, 68, 2}}, {4, {2, 2, 34, 2}}}, POOL(2, 2, 0, )},
        {"eight channels", .in = {{4, {1, 4, 19, 8}}, {4, {1, 2, 9, 8}}}, POOL(2, 2, 0, )},
        {"overlapping", .in = {{4, {2, 7, 5, 3}}, {4, {2, 4, 3, 3}}}, POOL(3, 2, 1, )},
        {"every pixel", .in = {{4, {5, 5, 4, 17}}, {4, {5, 5, 4, 17}}}, POOL(3, 1, 1, )},
        {"gaps", .in = {{4, {3, 8, 9, 1}}, {4, {3, 3, 3, 1}}}, POOL(2, 3, 0, )},
        {"one window", .in = {{4, {2, 3, 3, 70}}, {4, {2, 1, 1, 70}}}, POOL(3, 1, 0, )},
        {"no images", .in = {{4, {0, 4, 4, 3}}, {4, {0, 2, 2, 3}}}, POOL(2, 2, 0, )},
        {0}}};

static const char *gather_shape(const lt_node *y, lt_shape *s)
{
    if (!lt_shape_equal(y->in[0]->shape, y->in[1]->shape))
        return "expected two inputs of the same shape";
    return pool_shape(y, s);
}

static void gather_eval(const lt_call *c)
{
    pool p = pool_of(c->y, c->y->in[0]->shape);
    run_pool(c, c->y->in[0]->shape, p.n * p.oh, c->in[1],
             is_narrow(&p) ? gather_row_narrow : gather_row);
}

static void gather_reference(const lt_reference_call *c)
{
    pool p = pool_of(c->y, c->y->in[0]->shape);
    int64_t n = lt_shape_size(c->y->shape);
    for (int64_t i = 0; i < n; i++)
        c->out[i] = c->in[1][source_of(&p, c->in[0], i)];
}

static void gather_grad(lt_vjp *r)
{
    r->d[1] = lt_max_pool2d_scatter(r->in[0], r->g, kernel_of(r->y), window_of(r->y));
}

const lt_op lt_op_max_pool2d_gather = {
    .name = "max_pool2d_gather", .n_in = 2, .attr_size = sizeof(pool_attr), .shape = gather_shape,
    .eval = gather_eval, .reference = gather_reference, .grad = gather_grad,
    .cases = (const lt_op_case[]){
        {"halves", .in = {{4, {2, 6, 4, 5}}, {4, {2, 6, 4, 5}}}, POOL(2, 2, 0, )},
        {"two channels", .in = {{4, {2, 5, 68, 2}}, {4, {2, 5, 68, 2}}}, POOL(2, 2, 0, )},
        {"four channels", .in = {{4, {1, 7, 50, 4}}, {4, {1, 7, 50, 4}}}, POOL(2, 3, 0, )},
        {"overlapping", .in = {{4, {2, 7, 5, 3}}, {4, {2, 7, 5, 3}}}, POOL(3, 2, 1, )},
        {"every pixel", .in = {{4, {1, 5, 4, 70}}, {4, {1, 5, 4, 70}}}, POOL(3, 1, 1, )},
        {"no images", .in = {{4, {0, 4, 4, 3}}, {4, {0, 4, 4, 3}}}, POOL(2, 2, 0, )},
        {0}}};

/* A bad node instead of x if o has what is of convolutions only. */
static lt_node *check_window(const lt_op *op, lt_node *x, lt_window *o)
{
    *o = window_defaults(*o);
    if (node_is_bad(x) || (o->dilation == 1 && o->groups == 1))
        return x;
    return lt_graph_fail(x->graph, "%s: dilation and groups are of convolutions only", op->name);
}

static lt_node *make_max(const lt_op *op, lt_node *x, lt_node *other, int kernel, lt_window o)
{
    x = check_window(op, x, &o);
    pool_attr attr = {.kernel = kernel, .stride = o.stride, .pad = o.pad};
    return node_make(op, &attr, other ? 2 : 1, (lt_node *[]){x, other});
}

lt_node *lt_max_pool2d(lt_node *x, int kernel, lt_window o)
{
    return make_max(&lt_op_max_pool2d, x, NULL, kernel, o);
}

lt_node *lt_max_pool2d_scatter(lt_node *x, lt_node *g, int kernel, lt_window o)
{
    return make_max(&lt_op_max_pool2d_scatter, x, g, kernel, o);
}

lt_node *lt_max_pool2d_gather(lt_node *x, lt_node *t, int kernel, lt_window o)
{
    return make_max(&lt_op_max_pool2d_gather, x, t, kernel, o);
}

/* ---- avg_pool2d: a weight times the sum of each window ---- */

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

/* Row i of all the rows of y. */
LT_CLONES
static void avg_row(const pool_run *r, int64_t i)
{
    const pool *p = &r->pool;
    const float *image = r->a + i / p->oh * p->h * p->w * p->c;
    span rows = pixels_at(p, i % p->oh, p->h);
    for (int64_t ox = 0; ox < p->ow; ox++)
        sum_pixels(p, image, p->w, rows, pixels_at(p, ox, p->w), r->out + (i * p->ow + ox) * p->c);
}

/* Row i of all the rows of x: pixels collect from the places that have them. */
LT_CLONES
static void avg_dx_row(const pool_run *r, int64_t i)
{
    const pool *p = &r->pool;
    const float *image = r->a + i / p->h * p->oh * p->ow * p->c;
    span rows = places_of(p, i % p->h, p->oh);
    for (int64_t ix = 0; ix < p->w; ix++)
        sum_pixels(p, image, p->ow, rows, places_of(p, ix, p->ow), r->out + (i * p->w + ix) * p->c);
}

static void avg_pool2d_eval(const lt_call *c)
{
    run_pool(c, c->y->in[0]->shape, c->y->shape.d[0] * c->y->shape.d[1], NULL, avg_row);
}

static void avg_pool2d_dx_eval(const lt_call *c)
{
    run_pool(c, c->y->shape, c->y->shape.d[0] * c->y->shape.d[1], NULL, avg_dx_row);
}

/* Every pixel of x with every place that has it: y += weight x, or x += weight y. */
static void avg_terms(const lt_reference_call *c, lt_shape shape, bool is_dx)
{
    pool p = pool_of(c->y, shape);
    int64_t size = lt_shape_size(c->y->shape);
    for (int64_t i = 0; i < size; i++)
        c->out[i] = 0;
    for (int64_t py = 0; py < p.n * p.oh * p.ow; py++)
        for (int64_t k = 0; k < p.k * p.k; k++) {
            int64_t iy = py / p.ow % p.oh * p.stride - p.pad + k / p.k;
            int64_t ix = py % p.ow * p.stride - p.pad + k % p.k;
            int64_t px = (py / (p.oh * p.ow) * p.h + iy) * p.w + ix;
            bool inside = iy >= 0 && iy < p.h && ix >= 0 && ix < p.w;
            int64_t to = is_dx ? px : py, from = is_dx ? py : px;
            for (int64_t i = 0; inside && i < p.c; i++)
                c->out[to * p.c + i] += p.weight * c->in[0][from * p.c + i];
        }
}

static void avg_pool2d_reference(const lt_reference_call *c)
{
    avg_terms(c, c->y->in[0]->shape, false);
}

static void avg_pool2d_dx_reference(const lt_reference_call *c) { avg_terms(c, c->y->shape, true); }

static const char *avg_pool2d_dx_shape(const lt_node *y, lt_shape *s)
{
    const pool_attr *a = y->attr;
    lt_shape g = y->in[0]->shape;
    const char *reason = check_images(y, "images", g);
    if (reason)
        return reason;
    pool p;
    *s = lt_shape_4d(g.d[0], a->h, a->w, g.d[3]);
    reason = read_pool(y, *s, &p);
    return reason ? reason : check_pooled(y, &p, g);
}

static void avg_pool2d_grad(lt_vjp *r)
{
    pool_attr a = *(const pool_attr *)r->y->attr;
    a.h = r->in[0]->shape.d[1];
    a.w = r->in[0]->shape.d[2];
    r->d[0] = node_make1(&lt_op_avg_pool2d_dx, &a, r->g);
}

static void avg_pool2d_dx_grad(lt_vjp *r)
{
    pool_attr a = *(const pool_attr *)r->y->attr;
    a.h = a.w = 0;
    r->d[0] = node_make1(&lt_op_avg_pool2d, &a, r->g);
}

const lt_op lt_op_avg_pool2d = {
    .name = "avg_pool2d", .n_in = 1, .attr_size = sizeof(pool_attr), .shape = pool_shape,
    .eval = avg_pool2d_eval, .reference = avg_pool2d_reference, .grad = avg_pool2d_grad,
    .cases = (const lt_op_case[]){
        {"halves", .in = {{4, {2, 6, 4, 5}}}, POOL(2, 2, 0, .weight = .25)},
        {"overlapping", .in = {{4, {2, 7, 5, 3}}}, POOL(3, 2, 1, .weight = 1. / 9)},
        {"every pixel", .in = {{4, {1, 5, 4, 17}}}, POOL(3, 1, 1, .weight = 1. / 9)},
        {"gaps", .in = {{4, {3, 8, 9, 1}}}, POOL(2, 3, 0, .weight = 1)},
        {"one window", .in = {{4, {2, 3, 3, 70}}}, POOL(3, 1, 0, .weight = 1. / 9)},
        {"no images", .in = {{4, {0, 4, 4, 3}}}, POOL(2, 2, 0, .weight = .25)},
        {0}}};

const lt_op lt_op_avg_pool2d_dx = {
    .name = "avg_pool2d_dx", .n_in = 1, .attr_size = sizeof(pool_attr),
    .shape = avg_pool2d_dx_shape, .eval = avg_pool2d_dx_eval, .reference = avg_pool2d_dx_reference,
    .grad = avg_pool2d_dx_grad,
    .cases = (const lt_op_case[]){
        {"doubles", .in = {{4, {2, 3, 2, 5}}}, POOL(2, 2, 0, .weight = 1, .h = 6, .w = 4)},
        {"overlapping", .in = {{4, {2, 4, 3, 3}}},
         POOL(3, 2, 1, .weight = 1. / 9, .h = 7, .w = 5)},
        {"every pixel", .in = {{4, {1, 5, 4, 17}}},
         POOL(3, 1, 1, .weight = 1. / 9, .h = 5, .w = 4)},
        {"gaps", .in = {{4, {3, 3, 3, 1}}}, POOL(2, 3, 0, .weight = 1, .h = 8, .w = 9)},
        {"one window", .in = {{4, {2, 1, 1, 70}}}, POOL(3, 1, 0, .weight = 1. / 9, .h = 3, .w = 3)},
        {"no images", .in = {{4, {0, 2, 2, 3}}}, POOL(2, 2, 0, .weight = .25, .h = 4, .w = 4)},
        {0}}};

static lt_node *make_avg(const lt_op *op, lt_node *x, int64_t h, int64_t w, int kernel, lt_window o)
{
    x = check_window(op, x, &o);
    return node_make1(op, &(pool_attr){.kernel = kernel, .stride = o.stride, .pad = o.pad, .h = h,
                                       .w = w, .weight = 1 / ((double)kernel * kernel)}, x);
}

lt_node *lt_avg_pool2d(lt_node *x, int kernel, lt_window o)
{
    return make_avg(&lt_op_avg_pool2d, x, 0, 0, kernel, o);
}

lt_node *lt_avg_pool2d_dx(lt_node *g, int64_t height, int64_t width, int kernel, lt_window o)
{
    return make_avg(&lt_op_avg_pool2d_dx, g, height, width, kernel, o);
}
