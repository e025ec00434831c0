/* SPDX-License-Identifier: MIT */
/* Pooling, channel by channel: max_pool2d with the transpose of its derivative (scatter) and the transpose of that
   (gather); the weighted sum of each window, of which the mean is one, and its transpose, of which nearest upsampling
   is one. */
#include "ops/pool.h"

#include "ops/window.h"

#include <math.h>
#include <string.h>

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

pool pool_of(const lt_node *y, lt_shape x)
{
    pool p;
    const char *reason = read_pool(y, x, &p);
    LT_ASSERT(!reason);
    return p;
}

/* ---- max_pool2d ---- */

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

/* Position in x of the element that becomes y[i]. */
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
    .reference = max_pool2d_reference, .grad = max_pool2d_grad,
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

/* ---- max_pool2d_scatter and _gather ---- */

static const char *scatter_shape(const lt_node *y, lt_shape *s)
{
    pool p;
    const char *reason = read_pool(y, y->in[0]->shape, &p);
    *s = y->in[0]->shape;
    return reason ? reason : check_pooled(y, &p, y->in[1]->shape);
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

/* The positions of the maxima are constant in x, except at ties. */
static void scatter_grad(lt_vjp *r)
{
    r->d[1] = lt_max_pool2d_gather(r->in[0], r->g, kernel_of(r->y), window_of(r->y));
}

const lt_op lt_op_max_pool2d_scatter = {
    .name = "max_pool2d_scatter", .n_in = 2, .attr_size = sizeof(pool_attr),
    .shape = scatter_shape, .reference = scatter_reference,
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
    .reference = gather_reference, .grad = gather_grad,
    .cases = (const lt_op_case[]){
        {"halves", .in = {{4, {2, 6, 4, 5}}, {4, {2, 6, 4, 5}}}, POOL(2, 2, 0, )},
        {"two channels", .in = {{4, {2, 5, 68, 2}}, {4, {2, 5, 68, 2}}}, POOL(2, 2, 0, )},
        {"four channels", .in = {{4, {1, 7, 50, 4}}, {4, {1, 7, 50, 4}}}, POOL(2, 3, 0, )},
        {"overlapping", .in = {{4, {2, 7, 5, 3}}, {4, {2, 7, 5, 3}}}, POOL(3, 2, 1, )},
        {"every pixel", .in = {{4, {1, 5, 4, 70}}, {4, {1, 5, 4, 70}}}, POOL(3, 1, 1, )},
        {"no images", .in = {{4, {0, 4, 4, 3}}, {4, {0, 4, 4, 3}}}, POOL(2, 2, 0, )},
        {0}}};

/* Returns x, or the bad node if o has dilation or groups. */
static lt_node *check_window(const lt_op *op, lt_node *x, lt_window *o)
{
    *o = window_defaults(*o);
    if (node_is_bad(x) || (o->dilation == 1 && o->groups == 1))
        return x;
    return lt_graph_fail(x->graph, "%s: dilation and groups apply to convolutions only", op->name);
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

/* For every pixel of x and every window that holds it: y += weight x, or x += weight y. */
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
    .reference = avg_pool2d_reference, .grad = avg_pool2d_grad,
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
    .shape = avg_pool2d_dx_shape, .reference = avg_pool2d_dx_reference,
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
