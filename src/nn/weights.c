/* SPDX-License-Identifier: MIT */
/* Layers with weights: linear, convolution and its transpose, and spectral normalization of the weights. */
#include "nn/shapes.h"

#include "graph/op.h"

#include <math.h>

/* ---- Weights ---- */

/* w as a matrix output x rest, with the columns in PyTorch's order. */
static lt_node *as_matrix(lt_node *w, int out_axis)
{
    lt_shape s = lt_node_shape(w);
    if (s.rank == 2)
        return lt_transpose(w);
    int in_axis = out_axis == 3 ? 2 : 3;
    w = lt_permute(w, (int[]){out_axis, in_axis, 0, 1});
    return lt_reshape(w, lt_shape_2d(s.d[out_axis], s.d[in_axis] * s.d[0] * s.d[1]));
}

static lt_node *unit_vector(lt_node *x)
{
    lt_node *norm = lt_sqrt(lt_sum(lt_square(x)));
    return lt_div(x, lt_max(norm, lt_scalar(lt_node_graph(x), 1e-12)));
}

static lt_node *vector_state(lt_scope *s, const char *name, int64_t n)
{
    lt_init init = {.kind = LT_INIT_NORMAL, .value = 1 / sqrt((double)n)};
    return lt_reshape(lt_state(s, name, lt_shape_1d(n), init), lt_shape_2d(1, n));
}

static void keep_vector(lt_scope *s, const char *name, lt_node *x)
{
    lt_state_update(s, name, lt_reshape(x, lt_shape_1d(lt_shape_size(lt_node_shape(x)))));
}

/* w / sigma with sigma = u m v' for w as a matrix m; in training, one power iteration first moves u and v (rows)
   towards the singular vectors. They are constants to the gradient. */
static lt_node *spectral_weight(lt_scope *own, lt_node *w, int out_axis, bool is_training)
{
    if (node_is_bad(w))
        return w;
    lt_node *m = as_matrix(w, out_axis);
    lt_shape s = lt_node_shape(m);
    lt_node *u = vector_state(own, "weight_u", s.d[0]), *v = vector_state(own, "weight_v", s.d[1]);
    if (is_training) {
        lt_node *fixed = lt_detach(m);
        v = unit_vector(lt_matmul(u, fixed));
        u = unit_vector(lt_matmul(v, lt_transpose(fixed)));
        keep_vector(own, "weight_u", u);
        keep_vector(own, "weight_v", v);
    }
    lt_node *sigma = lt_sum(lt_mul(lt_detach(u), lt_matmul(lt_detach(v), lt_transpose(m))));
    return lt_div(w, sigma);
}

static lt_node *layer_weight(lt_scope *own, lt_shape shape, lt_layout layout, lt_init init,
                             lt_weight_norm norm, int out_axis)
{
    if (norm == LT_WEIGHT_FREE)
        return lt_param(own, "weight", shape, layout, init);
    lt_node *w = lt_param(own, "weight_orig", shape, layout, init);
    return spectral_weight(own, w, out_axis, norm == LT_WEIGHT_SPECTRAL_TRAINING);
}

static lt_node *with_bias(lt_scope *own, lt_node *y, int64_t n, lt_init init)
{
    return lt_add(y, lt_param(own, "bias", lt_shape_1d(n), LT_LAYOUT_PLAIN, init));
}

/* ---- Linear ---- */

lt_node *lt_linear_with(lt_scope *s, const char *name, lt_node *x, int64_t units,
                        const lt_linear_options *o)
{
    if (node_is_bad(x))
        return x;
    lt_shape shape = lt_node_shape(x);
    if (shape.rank != 2) {
        char found[LT_SHAPE_TEXT_SIZE];
        return lt_graph_fail(lt_node_graph(x), "linear: expected n x width, found %s",
                             lt_shape_text(shape, found));
    }
    int64_t in = shape.d[1];
    lt_scope *own = lt_scope_enter(s, name);
    lt_node *w = layer_weight(own, lt_shape_2d(in, units), LT_LAYOUT_LINEAR,
                              init_with_fans(o->weight_init, in, units), o->weight_norm, 1);
    lt_node *y = lt_matmul(x, w);
    return o->no_bias ? y : with_bias(own, y, units, init_with_fans(o->bias_init, in, units));
}

/* ---- Convolution ---- */

enum { MAX_WINDOW = 4096 }; /* kernel, stride, pad, dilation: their products cannot overflow */

/* Replaces zeros by defaults. */
static lt_conv_options complete(const lt_conv_options *o)
{
    lt_conv_options full = *o;
    full.kernel = o->kernel ? o->kernel : 3;
    full.stride = o->stride ? o->stride : 1;
    full.dilation = o->dilation ? o->dilation : 1;
    full.groups = o->groups ? o->groups : 1;
    return full;
}

static bool is_size(int n, int least) { return n >= least && n <= MAX_WINDOW; }

static bool check_conv(const char *what, lt_node *x, int64_t channels, const lt_conv_options *o)
{
    if (!is_image(what, x))
        return false;
    lt_graph *g = lt_node_graph(x);
    int64_t in = lt_node_shape(x).d[3];
    if (!is_size(o->kernel, 1) || !is_size(o->stride, 1) || !is_size(o->dilation, 1) ||
        !is_size(o->pad, 0) || !is_size(o->output_pad, 0) || o->groups < 1)
        lt_graph_fail(g,
                      "%s: kernel, stride, dilation and groups must be at least 1, pads at "
                      "least 0, none above %d",
                      what, MAX_WINDOW);
    else if (in % o->groups != 0 || channels % o->groups != 0)
        lt_graph_fail(g, "%s: groups=%d must divide the %jd input channels and the %jd output channels",
                      what, o->groups, (intmax_t)in, (intmax_t)channels);
    else
        return true;
    return false;
}

static lt_window window_of(const lt_conv_options *o)
{
    return (lt_window){
        .stride = o->stride, .pad = o->pad, .dilation = o->dilation, .groups = o->groups};
}

/* Rows or columns that a dilated kernel covers. */
static int64_t reach(const lt_conv_options *o)
{
    return (int64_t)o->dilation * (o->kernel - 1) + 1;
}

/* PyTorch computes the fans from the outside shape, so a transposed convolution's fan_in comes from its output
   channels; w is kh x kw x i x o. */
static lt_node *conv_weight(lt_scope *own, const lt_conv_options *o, int64_t i, int64_t n_o,
                            int out_axis, lt_init *bias_init)
{
    int64_t area = (int64_t)o->kernel * o->kernel;
    *bias_init = init_with_fans(o->bias_init, area * i, area * n_o);
    return layer_weight(own, lt_shape_4d(o->kernel, o->kernel, i, n_o), LT_LAYOUT_CONV,
                        init_with_fans(o->weight_init, area * i, area * n_o), o->weight_norm,
                        out_axis);
}

lt_node *lt_conv_with(lt_scope *s, const char *name, lt_node *x, int64_t channels,
                      const lt_conv_options *options)
{
    lt_conv_options o = complete(options);
    lt_graph *g = lt_scope_graph(s);
    if (!check_conv("conv", x, channels, &o))
        return g->bad;
    lt_shape in = lt_node_shape(x);
    if (in.d[1] + 2 * o.pad < reach(&o) || in.d[2] + 2 * o.pad < reach(&o))
        return lt_graph_fail(g,
                             "conv: a window of %jd x %jd does not fit into %jd x %jd pixels "
                             "with pad=%d",
                             (intmax_t)reach(&o), (intmax_t)reach(&o), (intmax_t)in.d[1],
                             (intmax_t)in.d[2], o.pad);
    lt_scope *own = lt_scope_enter(s, name);
    lt_init bias_init;
    lt_node *w = conv_weight(own, &o, in.d[3] / o.groups, channels, 3, &bias_init);
    lt_node *y = lt_conv2d(x, w, window_of(&o));
    return o.no_bias ? y : with_bias(own, y, channels, bias_init);
}

lt_node *lt_conv_transpose_with(lt_scope *s, const char *name, lt_node *x, int64_t channels,
                                const lt_conv_options *options)
{
    lt_conv_options o = complete(options);
    lt_graph *g = lt_scope_graph(s);
    if (!check_conv("conv_transpose", x, channels, &o))
        return g->bad;
    if (o.output_pad >= o.stride)
        return lt_graph_fail(g, "conv_transpose: output_pad=%d must be below stride=%d",
                             o.output_pad, o.stride);
    lt_shape in = lt_node_shape(x);
    int64_t more = reach(&o) + o.output_pad - 2 * o.pad;
    int64_t h = (in.d[1] - 1) * o.stride + more, w = (in.d[2] - 1) * o.stride + more;
    if (h < 1 || w < 1)
        return lt_graph_fail(g, "conv_transpose: pad=%d leaves %jd x %jd pixels", o.pad,
                             (intmax_t)h, (intmax_t)w);
    lt_scope *own = lt_scope_enter(s, name);
    lt_init bias_init;
    lt_node *weight = conv_weight(own, &o, channels / o.groups, in.d[3], 2, &bias_init);
    lt_node *y = lt_conv2d_dx(x, weight, h, w, window_of(&o));
    return o.no_bias ? y : with_bias(own, y, channels, bias_init);
}

/* ---- Shortcuts ---- */

/* The stride that reduces n pixels to m with a 1 x 1 window: ceil(n / stride) = m. 0: none. */
static int64_t stride_between(int64_t n, int64_t m)
{
    int64_t stride = (n + m - 1) / m;
    return m <= n && (n + stride - 1) / stride == m ? stride : 0;
}

static lt_node *fail_shortcut(lt_graph *g, lt_shape x, lt_shape f)
{
    char before[LT_SHAPE_TEXT_SIZE], after[LT_SHAPE_TEXT_SIZE];
    return lt_graph_fail(g,
                         "residual: %s cannot be added to %s; a shortcut can only change the channels, "
                         "and shrink an image by an integer stride",
                         row_shape_text(x, before), row_shape_text(f, after));
}

lt_node *lt_shortcut(lt_scope *s, const char *name, lt_node *x, lt_node *f, lt_init init)
{
    lt_graph *g = lt_scope_graph(s);
    if (node_is_bad(x) || node_is_bad(f))
        return g->bad;
    lt_shape from = lt_node_shape(x), to = lt_node_shape(f);
    if (lt_shape_equal(from, to))
        return lt_add(x, f);
    if (from.rank == 2 && to.rank == 2)
        return lt_add(lt_linear(s, name, x, to.d[1], .no_bias = true, .weight_init = init), f);
    if (from.rank != 4 || to.rank != 4)
        return fail_shortcut(g, from, to);
    int64_t stride = stride_between(from.d[1], to.d[1]);
    if (!stride || stride > MAX_WINDOW || (from.d[2] + stride - 1) / stride != to.d[2])
        return fail_shortcut(g, from, to);
    return lt_add(lt_conv(s, name, x, to.d[3], .kernel = 1, .stride = (int)stride, .no_bias = true,
                          .weight_init = init),
                  f);
}
