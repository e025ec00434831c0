/* SPDX-License-Identifier: MIT */
/* Convolution and its two derivatives: y = conv2d(x, w), x = conv2d_dx(y, w), w = conv2d_dw(x, y),
   each linear in both operands. They are the partial derivatives of one trilinear form,

       <conv2d(x, w), y> = <x, conv2d_dx(y, w)> = <w, conv2d_dw(x, y)>
                         = sum of x[n, iy, ix, i] w[ky, kx, i, o] y[n, oy, ox, o]

   over all n, oy, ox, ky, kx, o, i of o's group; iy = oy stride - pad + ky dilation, ix likewise.
   So their gradient rules use only each other. */
#include "ops/convolution.h"

#include "ops/window.h"

#include <stdio.h>

/* ---- Shapes ---- */

static conv_pass pass_of(const lt_op *op)
{
    return op == &lt_op_conv2d ? CONV_FORWARD : op == &lt_op_conv2d_dx ? CONV_DX : CONV_DW;
}

static conv_spec spec_of_attr(conv_pass pass, const conv_attr *a)
{
    return (conv_spec){.pass = pass, .stride = a->stride, .pad = a->pad, .dilation = a->dilation,
                       .groups = a->groups, .has_bias = a->has_bias, .parameter = a->parameter,
                       .activation = a->activation};
}

static void set_x(conv_spec *s, lt_shape x)
{
    s->n = x.d[0];
    s->h = x.d[1];
    s->w = x.d[2];
    s->i = x.d[3];
}

static void set_y(conv_spec *s, lt_shape y)
{
    s->n = y.d[0];
    s->oh = y.d[1];
    s->ow = y.d[2];
    s->o = y.d[3];
}

static const char *check_groups(const lt_node *y, int64_t groups, int64_t channels,
                                const char *what)
{
    if (groups < 1 || groups > WINDOW_MAX)
        return node_reason(y, "groups must be at least 1, found %lld", (long long)groups);
    if (channels % groups)
        return node_reason(y, "%lld groups do not divide %lld %s channels", (long long)groups,
                           (long long)channels, what);
    return NULL;
}

/* Sets the weight's sizes and its number of input channels over all groups. */
static const char *read_weight(const lt_node *y, conv_spec *s, int64_t *inputs)
{
    const conv_attr *a = y->attr;
    lt_shape w = y->in[1]->shape;
    if (a->is_packed) { /* made by compile from a checked node; o or i is known from in[0] */
        LT_ASSERT(w.rank == 1);
        s->kh = a->kh;
        s->kw = a->kw;
        s->o = s->pass == CONV_FORWARD ? a->channels : s->o;
        *inputs = s->pass == CONV_FORWARD ? s->i : a->channels;
        return NULL;
    }
    bool fits = w.rank == 4;
    for (int i = 0; fits && i < 4; i++)
        fits = w.d[i] >= 1 && w.d[i] <= WINDOW_MAX;
    if (!fits)
        return "expected a weight of height x width x input channels / groups x output channels";
    const char *reason = check_groups(y, s->groups, w.d[3], "output");
    if (reason)
        return reason;
    if (s->pass == CONV_DX && s->o != w.d[3])
        return node_reason(y, "input has %lld channels, weight expects %lld", (long long)s->o,
                           (long long)w.d[3]);
    s->kh = w.d[0];
    s->kw = w.d[1];
    s->o = w.d[3];
    *inputs = w.d[2] * s->groups;
    return *inputs <= WINDOW_MAX ? NULL : "too many channels";
}

/* Sets the size of y; for the derivatives, whose size is given, compares it. */
static const char *check_places(const lt_node *y, conv_spec *s)
{
    int64_t oh, ow;
    window rows = {s->kh, s->stride, s->pad, s->dilation};
    window columns = {s->kw, s->stride, s->pad, s->dilation};
    const char *reason = window_places(y, "rows", s->h, rows, &oh);
    if (!reason)
        reason = window_places(y, "columns", s->w, columns, &ow);
    if (reason)
        return reason;
    if (s->pass != CONV_FORWARD && (s->oh != oh || s->ow != ow))
        return node_reason(y, "%lld x %lld pixels become %lld x %lld under this window, not %lld x "
                           "%lld", (long long)s->h, (long long)s->w, (long long)oh, (long long)ow,
                           (long long)s->oh, (long long)s->ow);
    s->oh = oh;
    s->ow = ow;
    return NULL;
}

static const char *read_forward(const lt_node *y, conv_spec *s)
{
    int64_t inputs;
    const char *reason = check_images(y, "images", y->in[0]->shape);
    if (reason)
        return reason;
    set_x(s, y->in[0]->shape);
    reason = read_weight(y, s, &inputs);
    if (!reason && inputs != s->i)
        reason = node_reason(y, "input has %lld channels, weight expects %lld", (long long)s->i,
                             (long long)inputs);
    return reason ? reason : check_places(y, s);
}

static const char *read_dx(const lt_node *y, conv_spec *s)
{
    const conv_attr *a = y->attr;
    const char *reason = check_images(y, "images", y->in[0]->shape);
    if (reason)
        return reason;
    if (a->h < 1 || a->h > WINDOW_MAX || a->w < 1 || a->w > WINDOW_MAX)
        return node_reason(y, "the result must have 1 to %d rows and columns, found %lld and %lld",
                           WINDOW_MAX, (long long)a->h, (long long)a->w);
    set_y(s, y->in[0]->shape);
    s->h = a->h;
    s->w = a->w;
    reason = read_weight(y, s, &s->i);
    return reason ? reason : check_places(y, s);
}

static const char *read_dw(const lt_node *y, conv_spec *s)
{
    const conv_attr *a = y->attr;
    const char *reason = check_images(y, "images", y->in[0]->shape);
    if (!reason)
        reason = check_images(y, "their gradients", y->in[1]->shape);
    if (reason)
        return reason;
    set_x(s, y->in[0]->shape);
    set_y(s, y->in[1]->shape);
    s->kh = a->h;
    s->kw = a->w;
    if (y->in[0]->shape.d[0] != s->n)
        return node_reason(y, "expected as many gradients as images (%lld), found %lld", (long long)y->in[0]->shape.d[0],
                           (long long)s->n);
    reason = check_groups(y, s->groups, s->i, "input");
    if (!reason)
        reason = check_groups(y, s->groups, s->o, "output");
    return reason ? reason : check_places(y, s);
}

/* Sets the sizes of y's convolution; returns the reason if its inputs and attributes do not fit. */
static const char *read_spec(const lt_node *y, conv_spec *s)
{
    *s = spec_of_attr(pass_of(y->op), y->attr);
    return s->pass == CONV_FORWARD ? read_forward(y, s)
           : s->pass == CONV_DX    ? read_dx(y, s)
                                   : read_dw(y, s);
}

conv_spec conv_spec_of(const lt_node *y)
{
    conv_spec s;
    const char *reason = read_spec(y, &s);
    LT_ASSERT(!reason);
    return s;
}

static const char *conv_shape(const lt_node *y, lt_shape *shape)
{
    conv_spec s;
    const char *reason = read_spec(y, &s);
    if (reason)
        return reason;
    *shape = s.pass == CONV_FORWARD ? lt_shape_4d(s.n, s.oh, s.ow, s.o)
             : s.pass == CONV_DX    ? lt_shape_4d(s.n, s.h, s.w, s.i)
                                    : lt_shape_4d(s.kh, s.kw, s.i / s.groups, s.o);
    LT_ASSERT(y->n_in == (s.has_bias ? 3 : 2));
    LT_ASSERT(!s.has_bias || lt_shape_size(y->in[2]->shape) == shape->d[3]);
    return NULL;
}

/* Saturates when the count overflows. */
static int64_t conv_flops(const lt_node *y)
{
    conv_spec s = conv_spec_of(y);
    int64_t factors[] = {s.n, s.oh, s.ow, s.o, s.kh, s.kw, s.i / s.groups}, flops = 2;
    bool fits = true;
    for (int i = 0; s.n && fits && i < (int)(sizeof factors / sizeof *factors); i++)
        fits = !__builtin_mul_overflow(flops, factors[i], &flops);
    return !s.n ? 0 : fits ? flops : INT64_MAX;
}

/* conv2d_dx 128 x 16x16x64 -> 32x32x32 k4 s2 + bias: from the input's images to the result's. */
static const char *conv_describe(const lt_node *y, arena *a)
{
    conv_spec s = conv_spec_of(y);
    const conv_attr *attr = y->attr;
    bool is_dx = s.pass == CONV_DX;
    char stride[32] = "", groups[32] = "";
    if (s.stride > 1)
        snprintf(stride, sizeof stride, " s%lld", (long long)s.stride);
    if (s.groups > 1)
        snprintf(groups, sizeof groups, " in %lld groups", (long long)s.groups);
    return arena_format(
        a, "%s %lld x %lldx%lldx%lld -> %lldx%lldx%lld k%lld%s%s%s%s%s", y->op->name,
        (long long)s.n, (long long)(is_dx ? s.oh : s.h), (long long)(is_dx ? s.ow : s.w),
        (long long)(is_dx ? s.o : s.i), (long long)(is_dx ? s.h : s.oh),
        (long long)(is_dx ? s.w : s.ow), (long long)(is_dx ? s.i : s.o), (long long)s.kh, stride,
        groups, attr->has_bias ? " + bias" : "", attr->activation ? " + " : "",
        attr->activation ? attr->activation->name : "");
}

/* ---- The reference: the trilinear form, term by term ---- */

typedef enum array { X, W, Y } array;

typedef struct roles {
    array a, b, out;
} roles;

static const roles roles_of[] = {
    [CONV_FORWARD] = {X, W, Y}, [CONV_DX] = {Y, W, X}, [CONV_DW] = {X, Y, W}};

/* Adds the terms of pixel px of x and pixel py of y, which meet at pixel pw of the window. */
static void add_terms(const lt_reference_call *c, const conv_spec *s, int64_t px, int64_t pw,
                      int64_t py)
{
    roles r = roles_of[s->pass];
    int64_t inputs = s->i / s->groups, outputs = s->o / s->groups, at[3];
    for (int64_t o = 0; o < s->o; o++)
        for (int64_t i = 0; i < inputs; i++) {
            at[X] = px * s->i + o / outputs * inputs + i;
            at[W] = (pw * inputs + i) * s->o + o;
            at[Y] = py * s->o + o;
            c->out[at[r.out]] += c->in[0][at[r.a]] * c->in[1][at[r.b]];
        }
}

static void conv_reference(const lt_reference_call *c)
{
    const conv_attr *attr = c->y->attr;
    LT_ASSERT(!attr->has_bias && !attr->activation && !attr->is_packed);
    conv_spec s = conv_spec_of(c->y);
    int64_t size = lt_shape_size(c->y->shape);
    for (int64_t i = 0; i < size; i++)
        c->out[i] = 0;
    for (int64_t py = 0; py < s.n * s.oh * s.ow; py++)
        for (int64_t pw = 0; pw < s.kh * s.kw; pw++) {
            int64_t image = py / (s.oh * s.ow);
            int64_t iy = py / s.ow % s.oh * s.stride - s.pad + pw / s.kw * s.dilation;
            int64_t ix = py % s.ow * s.stride - s.pad + pw % s.kw * s.dilation;
            if (iy >= 0 && iy < s.h && ix >= 0 && ix < s.w)
                add_terms(c, &s, (image * s.h + iy) * s.w + ix, pw, py);
        }
}

/* ---- Builders and gradients ---- */

lt_node *conv_make(const lt_op *op, const conv_attr *attr, lt_node *a, lt_node *b, lt_node *bias)
{
    return node_make(op, attr, attr->has_bias ? 3 : 2, (lt_node *[]){a, b, bias});
}

static lt_node *make(const lt_op *op, lt_node *a, lt_node *b, int64_t h, int64_t w, lt_window o)
{
    o = window_defaults(o);
    return conv_make(op, &(conv_attr){.stride = o.stride, .pad = o.pad, .dilation = o.dilation,
                                      .groups = o.groups, .h = h, .w = w}, a, b, NULL);
}

lt_node *lt_conv2d(lt_node *x, lt_node *w, lt_window o)
{
    return make(&lt_op_conv2d, x, w, 0, 0, o);
}

lt_node *lt_conv2d_dx(lt_node *g, lt_node *w, int64_t height, int64_t width, lt_window o)
{
    return make(&lt_op_conv2d_dx, g, w, height, width, o);
}

lt_node *lt_conv2d_dw(lt_node *x, lt_node *g, int64_t kh, int64_t kw, lt_window o)
{
    return make(&lt_op_conv2d_dw, x, g, kh, kw, o);
}

static lt_window window_of(const lt_node *y)
{
    const conv_attr *a = y->attr;
    return (lt_window){.stride = (int)a->stride, .pad = (int)a->pad, .dilation = (int)a->dilation,
                       .groups = (int)a->groups};
}

static int64_t height(const lt_node *x) { return x->shape.d[1]; }
static int64_t width(const lt_node *x) { return x->shape.d[2]; }

static void conv_grad(lt_vjp *r)
{
    lt_node *x = r->in[0], *w = r->in[1], *g = r->g;
    lt_window o = window_of(r->y);
    r->d[0] = lt_conv2d_dx(g, w, height(x), width(x), o);
    r->d[1] = lt_conv2d_dw(x, g, w->shape.d[0], w->shape.d[1], o);
}

/* The cotangent is an x; dw(x, y) is the derivative by w again. */
static void conv_dx_grad(lt_vjp *r)
{
    lt_node *y = r->in[0], *w = r->in[1], *x = r->g;
    lt_window o = window_of(r->y);
    r->d[0] = lt_conv2d(x, w, o);
    r->d[1] = lt_conv2d_dw(x, y, w->shape.d[0], w->shape.d[1], o);
}

/* The cotangent is a w. */
static void conv_dw_grad(lt_vjp *r)
{
    lt_node *x = r->in[0], *y = r->in[1], *w = r->g;
    lt_window o = window_of(r->y);
    r->d[0] = lt_conv2d_dx(y, w, height(x), width(x), o);
    r->d[1] = lt_conv2d(x, w, o);
}

/* ---- Records ---- */

/* CONV(2, 1, 1, 3, ) becomes .attr = &(conv_attr){.stride = 2, .pad = 1, .dilation = 1,
   .groups = 3, } */
#define CONV(STRIDE, PAD, DILATION, GROUPS, ...)                                                   \
    .attr = &(conv_attr){.stride = STRIDE, .pad = PAD, .dilation = DILATION, .groups = GROUPS,     \
                         __VA_ARGS__}

const lt_op lt_op_conv2d = {
    .name = "conv2d", .n_in = LT_MANY, .attr_size = sizeof(conv_attr), .shape = conv_shape,
    .reference = conv_reference,
    .grad = conv_grad, .flops = conv_flops, .describe = conv_describe,
    .cases = (const lt_op_case[]){
        {"plain", .in = {{4, {2, 5, 7, 3}}, {4, {3, 3, 3, 4}}}, CONV(1, 0, 1, 1, )},
        {"same size", .in = {{4, {3, 5, 4, 2}}, {4, {3, 3, 2, 5}}}, CONV(1, 1, 1, 1, )},
        {"half size", .in = {{4, {2, 7, 6, 1}}, {4, {4, 4, 1, 17}}}, CONV(2, 1, 1, 1, )},
        {"dilated", .in = {{4, {1, 9, 8, 3}}, {4, {3, 2, 3, 2}}}, CONV(1, 1, 2, 1, )},
        {"groups", .in = {{4, {2, 6, 5, 6}}, {4, {2, 3, 2, 9}}}, CONV(1, 1, 1, 3, )},
        {"depthwise", .in = {{4, {2, 5, 5, 8}}, {4, {3, 3, 1, 8}}}, CONV(2, 1, 1, 8, )},
        {"all at once", .in = {{4, {2, 11, 8, 4}}, {4, {3, 2, 2, 6}}}, CONV(3, 2, 2, 2, )},
        {"1 x 1", .in = {{4, {3, 4, 5, 7}}, {4, {1, 1, 7, 3}}}, CONV(1, 0, 1, 1, )},
        {"1 x 1, every third", .in = {{4, {2, 7, 5, 3}}, {4, {1, 1, 3, 2}}}, CONV(3, 1, 1, 1, )},
        {"covers all", .in = {{4, {3, 4, 3, 5}}, {4, {4, 3, 5, 7}}}, CONV(1, 0, 1, 1, )},
        {"no images", .in = {{4, {0, 5, 7, 3}}, {4, {3, 3, 3, 2}}}, CONV(1, 0, 1, 1, )},
        {0}}};

const lt_op lt_op_conv2d_dx = {
    .name = "conv2d_dx", .n_in = LT_MANY, .attr_size = sizeof(conv_attr), .shape = conv_shape,
    .reference = conv_reference,
    .grad = conv_dx_grad, .flops = conv_flops, .describe = conv_describe,
    .cases = (const lt_op_case[]){
        {"plain", .in = {{4, {2, 3, 5, 4}}, {4, {3, 3, 3, 4}}}, CONV(1, 0, 1, 1, .h = 5, .w = 7)},
        {"double size", .in = {{4, {2, 3, 4, 5}}, {4, {4, 4, 3, 5}}},
         CONV(2, 1, 1, 1, .h = 6, .w = 8)},
        {"one more", .in = {{4, {2, 3, 4, 5}}, {4, {4, 4, 1, 5}}},
         CONV(2, 1, 1, 1, .h = 7, .w = 9)},
        {"dilated", .in = {{4, {1, 7, 8, 2}}, {4, {3, 2, 3, 2}}}, CONV(1, 1, 2, 1, .h = 9, .w = 8)},
        {"groups", .in = {{4, {2, 7, 5, 9}}, {4, {2, 3, 2, 9}}}, CONV(1, 1, 1, 3, .h = 6, .w = 5)},
        {"all at once", .in = {{4, {2, 4, 4, 6}}, {4, {3, 2, 2, 6}}},
         CONV(3, 2, 2, 2, .h = 11, .w = 8)},
        {"gaps", .in = {{4, {2, 3, 2, 3}}, {4, {1, 1, 2, 3}}}, CONV(3, 0, 1, 1, .h = 8, .w = 5)},
        {"from one pixel", .in = {{4, {3, 1, 1, 7}}, {4, {4, 3, 5, 7}}},
         CONV(1, 0, 1, 1, .h = 4, .w = 3)},
        {"no images", .in = {{4, {0, 3, 5, 2}}, {4, {3, 3, 3, 2}}},
         CONV(1, 0, 1, 1, .h = 5, .w = 7)},
        {0}}};

const lt_op lt_op_conv2d_dw = {
    .name = "conv2d_dw", .n_in = LT_MANY, .attr_size = sizeof(conv_attr), .shape = conv_shape,
    .reference = conv_reference,
    .grad = conv_dw_grad, .flops = conv_flops, .describe = conv_describe,
    .cases = (const lt_op_case[]){
        {"plain", .in = {{4, {2, 5, 7, 3}}, {4, {2, 3, 5, 4}}}, CONV(1, 0, 1, 1, .h = 3, .w = 3)},
        {"half size", .in = {{4, {5, 7, 6, 1}}, {4, {5, 3, 3, 17}}},
         CONV(2, 1, 1, 1, .h = 4, .w = 4)},
        {"many images", .in = {{4, {37, 4, 3, 2}}, {4, {37, 4, 3, 3}}},
         CONV(1, 1, 1, 1, .h = 3, .w = 3)},
        {"dilated", .in = {{4, {1, 9, 8, 3}}, {4, {1, 7, 8, 2}}}, CONV(1, 1, 2, 1, .h = 3, .w = 2)},
        {"groups", .in = {{4, {2, 6, 5, 6}}, {4, {2, 7, 5, 9}}}, CONV(1, 1, 1, 3, .h = 2, .w = 3)},
        {"all at once", .in = {{4, {2, 11, 8, 4}}, {4, {2, 4, 4, 6}}},
         CONV(3, 2, 2, 2, .h = 3, .w = 2)},
        {"from one pixel", .in = {{4, {3, 4, 3, 5}}, {4, {3, 1, 1, 7}}},
         CONV(1, 0, 1, 1, .h = 4, .w = 3)},
        {"no images", .in = {{4, {0, 5, 7, 3}}, {4, {0, 3, 5, 2}}},
         CONV(1, 0, 1, 1, .h = 3, .w = 3)},
        {0}}};

/* ---- conv2d_pack ---- */

conv_spec conv_spec_of_pack(const lt_node *y)
{
    const conv_pack_attr *a = y->attr;
    lt_shape w = y->in[0]->shape;
    conv_spec s = spec_of_attr(a->is_dx ? CONV_DX : CONV_FORWARD, &a->conv);
    set_x(&s, lt_shape_4d(a->n, a->h, a->w, w.d[2] * s.groups));
    set_y(&s, lt_shape_4d(a->n, a->oh, a->ow, w.d[3]));
    s.kh = w.d[0];
    s.kw = w.d[1];
    return s;
}

static const char *pack_shape(const lt_node *y, lt_shape *s)
{
    *s = lt_shape_1d(((const conv_pack_attr *)y->attr)->size);
    return NULL;
}

const lt_op lt_op_conv2d_pack = {
    .name = "conv2d_pack", .n_in = 1, .flags = OP_INTERNAL, .attr_size = sizeof(conv_pack_attr),
    .shape = pack_shape};

lt_node *conv_pack_weight(const lt_node *y, conv_packed_size_function *packed_size)
{
    conv_spec s = conv_spec_of(y);
    LT_ASSERT(s.pass != CONV_DW && !((const conv_attr *)y->attr)->is_packed);
    s.has_bias = false; /* the packed form does not depend on the epilogue */
    s.activation = NULL;
    s.parameter = 0;
    int64_t size = packed_size(&s);
    if (size <= 0)
        return NULL;
    conv_pack_attr attr = {
        .conv = {.stride = s.stride, .pad = s.pad, .dilation = s.dilation, .groups = s.groups},
        .is_dx = s.pass == CONV_DX, .size = size, .n = s.n, .h = s.h, .w = s.w, .oh = s.oh,
        .ow = s.ow};
    return node_make1(&lt_op_conv2d_pack, &attr, y->in[1]);
}
