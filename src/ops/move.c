/* SPDX-License-Identifier: MIT */
/* Operators that move elements without arithmetic. */
#include "ops/move.h"

#include "ops/eltwise.h"

#include <latent/ops.h>

#include <string.h>

static const char *check_axis(const lt_node *y, int64_t axis)
{
    int rank = y->in[0]->shape.rank;
    if (rank == 0)
        return "a scalar has no axes";
    if (axis < 0 || axis >= rank)
        return node_reason(y, "axis must be in 0 ... %d, found %lld", rank - 1, (long long)axis);
    return NULL;
}

/* ---- reshape ---- */

static const char *reshape_shape(const lt_node *y, lt_shape *s)
{
    *s = ((const shape_attr *)y->attr)->shape;
    const char *reason = shape_problem(*s);
    if (reason)
        return reason;
    if (lt_shape_size(*s) != lt_shape_size(y->in[0]->shape)) {
        char text[LT_SHAPE_TEXT_SIZE];
        return node_reason(y, "%s has a different number of elements", lt_shape_text(*s, text));
    }
    return NULL;
}

static void reshape_reference(const lt_reference_call *c)
{
    memcpy(c->out, c->in[0], sizeof *c->out * (size_t)lt_shape_size(c->y->shape));
}

static void reshape_grad(lt_vjp *r) { r->d[0] = lt_reshape(r->g, r->in[0]->shape); }

const lt_op lt_op_reshape = {
    .name = "reshape", .n_in = 1, .flags = OP_VIEW, .attr_size = sizeof(shape_attr),
    .shape = reshape_shape, .reference = reshape_reference,
    .grad = reshape_grad,
    .cases = (const lt_op_case[]){
        {"flatten", .in = {{3, {2, 3, 4}}}, .attr = &(shape_attr){{2, {2, 12}}}},
        {"to scalar", .in = {{2, {1, 1}}}, .attr = &(shape_attr){{0}}},
        {"empty", .in = {{2, {0, 5}}}, .attr = &(shape_attr){{1, {0}}}},
        {0}}};

lt_node *lt_reshape(lt_node *x, lt_shape shape)
{
    if (lt_shape_equal(x->shape, shape))
        return x;
    return node_make1(&lt_op_reshape, &(shape_attr){shape}, x);
}

lt_node *lt_flatten(lt_node *x)
{
    lt_shape s = x->shape;
    if (s.rank < 1)
        return lt_reshape(x, lt_shape_2d(1, 1));
    return lt_reshape(x, lt_shape_2d(s.d[0], inner_size(s, 0)));
}

/* ---- expand ---- */

static const char *expand_shape(const lt_node *y, lt_shape *s)
{
    const lt_shape *x = &y->in[0]->shape;
    *s = ((const shape_attr *)y->attr)->shape;
    const char *reason = shape_problem(*s);
    if (reason)
        return reason;
    char text[LT_SHAPE_TEXT_SIZE];
    bool fits = x->rank == s->rank;
    for (int i = 0; fits && i < s->rank; i++)
        fits = x->d[i] == 1 || x->d[i] == s->d[i];
    return fits ? NULL : node_reason(y, "cannot become %s", lt_shape_text(*s, text));
}

/* Position in x of element i of y, where dimensions of 1 in x repeat. */
static int64_t expand_source(const lt_node *y, int64_t i)
{
    const lt_shape *s = &y->shape, *x = &y->in[0]->shape;
    int64_t at = 0, stride = 1;
    for (int k = s->rank - 1; k >= 0; k--) {
        at += x->d[k] == 1 ? 0 : i % s->d[k] * stride;
        i /= s->d[k];
        stride *= x->d[k];
    }
    return at;
}

static void expand_reference(const lt_reference_call *c)
{
    int64_t n = lt_shape_size(c->y->shape);
    for (int64_t i = 0; i < n; i++)
        c->out[i] = c->in[0][expand_source(c->y, i)];
}

static unsigned expanded_axes(lt_shape from, lt_shape to)
{
    unsigned axes = 0;
    for (int i = 0; i < to.rank; i++)
        if (from.d[i] != to.d[i])
            axes |= LT_AXIS(i);
    return axes;
}

static void expand_grad(lt_vjp *r)
{
    r->d[0] = lt_sum_keep(r->g, expanded_axes(r->in[0]->shape, r->y->shape));
}

const lt_op lt_op_expand = {
    .name = "expand", .n_in = 1, .attr_size = sizeof(shape_attr), .shape = expand_shape,
    .reference = expand_reference, .grad = expand_grad,
    .cases = (const lt_op_case[]){
        {"rows", .in = {{2, {1, 7}}}, .attr = &(shape_attr){{2, {5, 7}}}},
        {"columns", .in = {{2, {5, 1}}}, .attr = &(shape_attr){{2, {5, 7}}}},
        {"middle", .in = {{3, {2, 1, 3}}}, .attr = &(shape_attr){{3, {2, 5, 3}}}},
        {"ends", .in = {{3, {1, 4, 1}}}, .attr = &(shape_attr){{3, {3, 4, 2}}}},
        {"to empty", .in = {{2, {1, 3}}}, .attr = &(shape_attr){{2, {0, 3}}}},
        {0}}};

lt_node *lt_expand(lt_node *x, lt_shape shape)
{
    if (lt_shape_equal(x->shape, shape))
        return x;
    return node_make1(&lt_op_expand, &(shape_attr){shape}, x);
}

/* Uses expand, which elementwise readers take as a broadcast. */
lt_node *lt_repeat_rows(lt_node *x, int64_t times)
{
    lt_shape from = x->shape, tall = from, wide = {.rank = from.rank + 1};
    if (node_is_bad(x))
        return x;
    if (from.rank < 1 || wide.rank > LT_MAX_RANK || times < 1)
        return lt_graph_fail(x->graph, "repeat_rows: expected rows of rank 1 to %d, and 1 or more "
                             "times; found rank %d, %jd times", LT_MAX_RANK - 1, from.rank,
                             (intmax_t)times);
    tall.d[0] *= times;
    wide.d[0] = from.d[0];
    wide.d[1] = 1;
    for (int i = 1; i < from.rank; i++)
        wide.d[i + 1] = from.d[i];
    lt_node *one = lt_reshape(x, wide);
    wide.d[1] = times;
    return times == 1 ? x : lt_reshape(lt_expand(one, wide), tall);
}

lt_node *lt_broadcast(lt_node *x, lt_shape shape)
{
    if (node_is_bad(x) || x->shape.rank > shape.rank || shape_problem(shape))
        return lt_expand(x, shape);
    lt_shape aligned = {.rank = shape.rank};
    int missing = shape.rank - x->shape.rank;
    for (int i = 0; i < shape.rank; i++)
        aligned.d[i] = i < missing ? 1 : x->shape.d[i - missing];
    return lt_expand(lt_reshape(x, aligned), shape);
}

void broadcast_together(int n, lt_node **in, const char *op)
{
    lt_shape to = in[0]->shape;
    for (int k = 0; k < n; k++) {
        if (node_is_bad(in[k]) || in[k]->graph != in[0]->graph)
            return; /* node_make reports it */
        lt_shape s = in[k]->shape;
        lt_shape longer = s.rank > to.rank ? s : to, shorter = s.rank > to.rank ? to : s;
        for (int i = 1; i <= shorter.rank; i++) {
            int64_t *d = &longer.d[longer.rank - i], e = shorter.d[shorter.rank - i];
            if (*d != e && *d != 1 && e != 1) {
                char a[LT_SHAPE_TEXT_SIZE], b[LT_SHAPE_TEXT_SIZE];
                in[0] = lt_graph_fail(in[0]->graph, "%s: shapes do not fit: %s and %s", op,
                                      lt_shape_text(to, a), lt_shape_text(s, b));
                return;
            }
            *d = *d == 1 ? e : *d;
        }
        to = longer;
    }
    for (int k = 0; k < n; k++)
        in[k] = lt_broadcast(in[k], to);
}

/* ---- permute ---- */

static const char *permute_shape(const lt_node *y, lt_shape *s)
{
    const permute_attr *p = y->attr;
    const lt_shape *x = &y->in[0]->shape;
    unsigned seen = 0;
    s->rank = x->rank;
    for (int i = 0; i < x->rank; i++) {
        if (p->axes[i] < 0 || p->axes[i] >= x->rank || seen & LT_AXIS(p->axes[i]))
            return "axes are not a permutation";
        seen |= LT_AXIS(p->axes[i]);
        s->d[i] = x->d[p->axes[i]];
    }
    return NULL;
}

void permute_strides(const lt_node *y, int64_t stride[LT_MAX_RANK])
{
    const permute_attr *p = y->attr;
    for (int i = 0; i < y->shape.rank; i++)
        stride[i] = inner_size(y->in[0]->shape, p->axes[i]);
}

static int64_t permute_source(const lt_node *y, const int64_t *stride, int64_t i)
{
    int64_t at = 0;
    for (int k = y->shape.rank - 1; k >= 0; k--) {
        at += i % y->shape.d[k] * stride[k];
        i /= y->shape.d[k];
    }
    return at;
}

static void permute_reference(const lt_reference_call *c)
{
    int64_t stride[LT_MAX_RANK], n = lt_shape_size(c->y->shape);
    permute_strides(c->y, stride);
    for (int64_t i = 0; i < n; i++)
        c->out[i] = c->in[0][permute_source(c->y, stride, i)];
}

static void permute_grad(lt_vjp *r)
{
    const permute_attr *p = r->y->attr;
    int back[LT_MAX_RANK];
    for (int i = 0; i < r->y->shape.rank; i++)
        back[p->axes[i]] = i;
    r->d[0] = lt_permute(r->g, back);
}

const lt_op lt_op_permute = {
    .name = "permute", .n_in = 1, .attr_size = sizeof(permute_attr), .shape = permute_shape,
    .reference = permute_reference, .grad = permute_grad,
    .cases = (const lt_op_case[]){
        {"transpose", .in = {{2, {5, 7}}}, .attr = &(permute_attr){{1, 0}}},
        {"rotate", .in = {{3, {2, 3, 5}}}, .attr = &(permute_attr){{1, 2, 0}}},
        {"channels last", .in = {{4, {2, 3, 4, 5}}}, .attr = &(permute_attr){{0, 2, 3, 1}}},
        {"one row", .in = {{2, {1, 7}}}, .attr = &(permute_attr){{1, 0}}},
        {"one", .in = {{3, {1, 1, 1}}}, .attr = &(permute_attr){{2, 0, 1}}},
        {"tiles", .in = {{2, {67, 101}}}, .attr = &(permute_attr){{1, 0}}},
        {"rows stay", .in = {{3, {5, 3, 37}}}, .attr = &(permute_attr){{1, 0, 2}}},
        {"pixel shuffle", .in = {{6, {5, 8, 7, 9, 2, 3}}},
         .attr = &(permute_attr){{0, 1, 4, 2, 5, 3}}},
        {"and back", .in = {{6, {2, 3, 2, 5, 3, 7}}}, .attr = &(permute_attr){{0, 1, 3, 5, 2, 4}}},
        {"empty", .in = {{2, {0, 3}}}, .attr = &(permute_attr){{1, 0}}},
        {0}}};

lt_node *lt_permute(lt_node *x, const int *axes)
{
    permute_attr attr = {{0}};
    bool identity = true;
    for (int i = 0; i < x->shape.rank; i++) {
        attr.axes[i] = axes[i];
        identity &= axes[i] == i;
    }
    return identity ? x : node_make1(&lt_op_permute, &attr, x);
}

lt_node *lt_transpose(lt_node *x)
{
    if (!node_is_bad(x) && x->shape.rank != 2)
        return lt_graph_fail(x->graph, "transpose: expected a matrix, found rank %d",
                             x->shape.rank);
    return lt_permute(x, (int[]){1, 0});
}

/* ---- slice ---- */

static const char *slice_shape(const lt_node *y, lt_shape *s)
{
    const slice_attr *a = y->attr;
    const char *reason = check_axis(y, a->axis);
    if (reason)
        return reason;
    *s = y->in[0]->shape;
    if (a->start < 0 || a->stop < a->start || a->stop > s->d[a->axis])
        return node_reason(y, "[%lld, %lld) is not inside axis %lld of size %lld", (long long)a->start,
                           (long long)a->stop, (long long)a->axis, (long long)s->d[a->axis]);
    s->d[a->axis] = a->stop - a->start;
    return NULL;
}

static void slice_reference(const lt_reference_call *c)
{
    const slice_attr *a = c->y->attr;
    lt_shape x = c->y->in[0]->shape;
    int64_t outer = outer_size(x, a->axis), inner = inner_size(x, a->axis);
    double *out = c->out;
    for (int64_t i = 0; i < outer; i++)
        for (int64_t k = a->start; k < a->stop; k++)
            for (int64_t j = 0; j < inner; j++)
                *out++ = c->in[0][(i * x.d[a->axis] + k) * inner + j];
}

static void slice_grad(lt_vjp *r)
{
    const slice_attr *a = r->y->attr;
    r->d[0] = lt_pad(r->g, a->axis, a->start, r->in[0]->shape.d[a->axis] - a->stop);
}

const lt_op lt_op_slice = {
    .name = "slice", .n_in = 1, .attr_size = sizeof(slice_attr), .shape = slice_shape,
    .reference = slice_reference, .grad = slice_grad,
    .cases = (const lt_op_case[]){
        {"rows", .in = {{2, {7, 3}}}, .attr = &(slice_attr){.axis = 0, .start = 2, .stop = 5}},
        {"columns", .in = {{2, {5, 7}}}, .attr = &(slice_attr){.axis = 1, .start = 0, .stop = 3}},
        {"middle", .in = {{3, {2, 5, 3}}}, .attr = &(slice_attr){.axis = 1, .start = 4, .stop = 5}},
        {"nothing", .in = {{2, {5, 7}}}, .attr = &(slice_attr){.axis = 1, .start = 3, .stop = 3}},
        {0}}};

lt_node *lt_slice(lt_node *x, int axis, int64_t start, int64_t stop)
{
    return node_make1(&lt_op_slice, &(slice_attr){.start = start, .stop = stop, .axis = axis}, x);
}

/* ---- pad ---- */

static const char *pad_shape(const lt_node *y, lt_shape *s)
{
    const pad_attr *a = y->attr;
    const char *reason = check_axis(y, a->axis);
    if (reason)
        return reason;
    if (a->before < 0 || a->after < 0)
        return "padding must not be negative";
    *s = y->in[0]->shape;
    int64_t *d = &s->d[a->axis];
    bool fits = !__builtin_add_overflow(*d, a->before, d) && !__builtin_add_overflow(*d, a->after, d);
    return fits ? NULL : "the padding is too large";
}

static void pad_reference(const lt_reference_call *c)
{
    const pad_attr *a = c->y->attr;
    lt_shape x = c->y->in[0]->shape, s = c->y->shape;
    int64_t outer = outer_size(x, a->axis), inner = inner_size(x, a->axis);
    double *out = c->out;
    for (int64_t i = 0; i < outer; i++)
        for (int64_t k = 0; k < s.d[a->axis]; k++)
            for (int64_t j = 0; j < inner; j++) {
                int64_t from = k - a->before;
                bool inside = from >= 0 && from < x.d[a->axis];
                *out++ = inside ? c->in[0][(i * x.d[a->axis] + from) * inner + j] : 0;
            }
}

static void pad_grad(lt_vjp *r)
{
    const pad_attr *a = r->y->attr;
    r->d[0] = lt_slice(r->g, a->axis, a->before, a->before + r->in[0]->shape.d[a->axis]);
}

const lt_op lt_op_pad = {
    .name = "pad", .n_in = 1, .attr_size = sizeof(pad_attr), .shape = pad_shape,
    .reference = pad_reference, .grad = pad_grad,
    .cases = (const lt_op_case[]){
        {"rows", .in = {{2, {3, 4}}}, .attr = &(pad_attr){.axis = 0, .before = 1, .after = 2}},
        {"columns", .in = {{2, {3, 4}}}, .attr = &(pad_attr){.axis = 1, .before = 2}},
        {"middle", .in = {{3, {2, 3, 4}}}, .attr = &(pad_attr){.axis = 1, .after = 3}},
        {"a column", .in = {{2, {3, 1}}}, .attr = &(pad_attr){.axis = 1, .before = 2, .after = 1}},
        {"around nothing", .in = {{2, {0, 4}}}, .attr = &(pad_attr){.axis = 0, .before = 2}},
        {0}}};

lt_node *lt_pad(lt_node *x, int axis, int64_t before, int64_t after)
{
    return node_make1(&lt_op_pad, &(pad_attr){.axis = axis, .before = before, .after = after}, x);
}

/* ---- concat ---- */

static const char *concat_shape(const lt_node *y, lt_shape *s)
{
    int64_t axis = ((const concat_attr *)y->attr)->axis;
    const char *reason = check_axis(y, axis);
    if (reason)
        return reason;
    *s = y->in[0]->shape;
    for (int i = 1; i < y->n_in; i++) {
        lt_shape x = y->in[i]->shape;
        bool fits = x.rank == s->rank;
        for (int k = 0; fits && k < x.rank; k++)
            fits = k == axis || x.d[k] == s->d[k];
        if (!fits)
            return node_reason(y, "input %d does not fit the first along axis %lld", i,
                               (long long)axis);
        s->d[axis] += x.d[axis];
    }
    return NULL;
}

static void concat_reference(const lt_reference_call *c)
{
    int64_t axis = ((const concat_attr *)c->y->attr)->axis;
    int64_t outer = outer_size(c->y->shape, axis), inner = inner_size(c->y->shape, axis);
    double *out = c->out;
    for (int64_t i = 0; i < outer; i++)
        for (int k = 0; k < c->y->n_in; k++) {
            int64_t run = c->y->in[k]->shape.d[axis] * inner;
            for (int64_t j = 0; j < run; j++)
                *out++ = c->in[k][i * run + j];
        }
}

static void concat_grad(lt_vjp *r)
{
    int64_t axis = ((const concat_attr *)r->y->attr)->axis;
    int64_t start = 0;
    for (int i = 0; i < r->y->n_in; i++) {
        int64_t n = r->in[i]->shape.d[axis];
        r->d[i] = lt_slice(r->g, axis, start, start + n);
        start += n;
    }
}

const lt_op lt_op_concat = {
    .name = "concat", .n_in = LT_MANY, .attr_size = sizeof(concat_attr), .shape = concat_shape,
    .reference = concat_reference, .grad = concat_grad,
    .cases = (const lt_op_case[]){
        {"rows", .in = {{2, {2, 3}}, {2, {5, 3}}, {2, {1, 3}}}, .attr = &(concat_attr){0}},
        {"columns", .in = {{2, {3, 2}}, {2, {3, 5}}}, .attr = &(concat_attr){1}},
        {"middle", .in = {{3, {2, 1, 3}}, {3, {2, 4, 3}}}, .attr = &(concat_attr){1}},
        {"one with nothing", .in = {{2, {2, 3}}, {2, {0, 3}}}, .attr = &(concat_attr){0}},
        {0}}};

lt_node *lt_concat(int axis, int n, lt_node *const *x)
{
    bool alone = n == 1 && !node_is_bad(x[0]) && axis >= 0 && axis < x[0]->shape.rank;
    return alone ? x[0] : node_make(&lt_op_concat, &(concat_attr){axis}, n, x);
}
