/* SPDX-License-Identifier: MIT */
/* Normalization: batch, group, instance and layer norm are one composition over different axes. It is written so that
   the fused code passes over memory twice forward (sums; y) and twice backward (sums; dx): one pass gives both
   moments. */
#include "nn/shapes.h"

#include "graph/op.h"

/* ---- Moments ---- */

typedef struct moments {
    lt_node *mean, *variance; /* 1 along the axes */
    lt_node *a, *d, *offset;  /* a constant, d = x - a, and the mean of d */
} moments;

static int64_t count_over(lt_shape s, unsigned axes)
{
    int64_t n = 1;
    for (int i = 0; i < s.rank; i++)
        n *= axes & LT_AXIS(i) ? s.d[i] : 1;
    return n;
}

/* The first element along the axes, which become 1. */
static lt_node *first_along(lt_node *x, unsigned axes)
{
    for (int i = 0; i < lt_node_shape(x).rank; i++)
        if (axes & LT_AXIS(i))
            x = lt_slice(x, i, 0, 1);
    return x;
}

/* Mean and variance over the axes, which become 1: with d = x - a,
       mean = a + mean(d),  variance = mean(d^2) - mean(d)^2
   for any constant a. Here a is the first element of each group, so that a mean far from 0 causes no cancellation. */
static moments moments_over(lt_node *x, unsigned axes)
{
    double n = (double)count_over(lt_node_shape(x), axes);
    lt_node *a = lt_detach(first_along(x, axes)), *d = lt_sub(x, a);
    lt_node *first = lt_scale(lt_sum_keep(d, axes), 1 / n);
    lt_node *second = lt_scale(lt_sum_keep(lt_square(d), axes), 1 / n);
    lt_node *zero = lt_scalar(lt_node_graph(x), 0); /* rounding may give less */
    return (moments){.mean = lt_add(a, first),
                     .variance = lt_max(lt_sub(second, lt_square(first)), zero),
                     .a = a,
                     .d = d,
                     .offset = first};
}

static double eps_of(const lt_norm_options *o) { return o->eps ? o->eps : 1e-5; }

static lt_node *scale_of(lt_node *variance, const lt_norm_options *o)
{
    return lt_rsqrt(lt_shift(variance, eps_of(o)));
}

/* ---- Weight and bias ---- */

typedef struct affine {
    lt_node *weight, *bias; /* NULL: none */
} affine;

static affine affine_of(lt_scope *own, lt_shape s, lt_layout layout, const lt_norm_options *o)
{
    if (o->no_affine)
        return (affine){0};
    return (affine){lt_param(own, "weight", s, layout, (lt_init){.kind = LT_INIT_ONES}),
                    lt_param(own, "bias", s, layout, (lt_init){.kind = LT_INIT_ZEROS})};
}

/* (d - offset) k + bias with k = scale weight, as d k + (bias - offset k): one multiply-add per element, and two full
   reductions in the gradient instead of three. */
static lt_node *apply(lt_node *d, lt_node *offset, lt_node *scale, affine a)
{
    lt_node *k = a.weight ? lt_mul(scale, a.weight) : scale, *shift = lt_mul(offset, k);
    return lt_add(lt_mul(d, k), a.bias ? lt_sub(a.bias, shift) : lt_neg(shift));
}

/* ---- Batch norm ---- */

/* (1 - momentum) running + momentum new. */
static void move_state(lt_scope *own, const char *name, lt_node *running, lt_node *new,
                       const lt_norm_options *o)
{
    lt_node *momentum = lt_scalar(lt_scope_graph(own), o->momentum ? o->momentum : 0.1);
    lt_node *flat = lt_reshape(new, lt_node_shape(running));
    lt_state_update(own, name, lt_lerp(running, flat, momentum));
}

lt_node *lt_batch_norm_with(lt_scope *s, const char *name, lt_node *x, bool is_training,
                            const lt_norm_options *o)
{
    if (node_is_bad(x))
        return x;
    lt_shape shape = lt_node_shape(x);
    if (shape.rank < 2)
        return lt_graph_fail(lt_node_graph(x), "batch_norm: expected n x ... x channels");
    lt_scope *own = lt_scope_enter(s, name);
    int channel_axis = shape.rank - 1;
    lt_shape c = lt_shape_1d(shape.d[channel_axis]);
    affine a = affine_of(own, c, LT_LAYOUT_PLAIN, o);
    lt_node *mean = lt_state(own, "running_mean", c, (lt_init){.kind = LT_INIT_ZEROS});
    lt_node *variance = lt_state(own, "running_var", c, (lt_init){.kind = LT_INIT_ONES});
    lt_node *batches =
        lt_state(own, "num_batches_tracked", lt_shape_0d(), (lt_init){.kind = LT_INIT_ZEROS});
    unsigned axes = LT_AXIS(channel_axis) - 1;
    double n = (double)count_over(shape, axes);
    if (!is_training || n < 2)
        return apply(x, mean, scale_of(variance, o), a);
    moments m = moments_over(x, axes);
    move_state(own, "running_mean", mean, m.mean, o);
    move_state(own, "running_var", variance, lt_scale(m.variance, n / (n - 1)), o);
    lt_state_update(own, "num_batches_tracked", lt_shift(batches, 1));
    return apply(m.d, m.offset, scale_of(m.variance, o), a);
}

/* ---- Norms of each image ---- */

/* The mean over each group, for every channel of it; x: n x groups x channels of a group. */
static lt_node *mean_of_group(lt_node *x)
{
    lt_shape s = lt_node_shape(x);
    return lt_expand(lt_scale(lt_sum_keep(x, LT_AXIS(2)), 1 / (double)s.d[2]), s);
}

/* The moments of a group are computed from those of its channels, on small arrays:
       mean = mean of means,  variance = mean of variances + (means - mean)^2. */
static lt_node *group_norm(const char *what, lt_scope *s, const char *name, lt_node *x,
                           int64_t groups, const lt_norm_options *o)
{
    lt_shape shape = lt_node_shape(x);
    bool is_image = shape.rank == 4;
    int64_t channels = shape.rank ? shape.d[shape.rank - 1] : 1;
    if ((shape.rank != 2 && !is_image) || groups < 1 || channels % groups != 0)
        return lt_graph_fail(lt_node_graph(x), "%s: %jd channels are not divisible into %jd groups",
                             what, (intmax_t)channels, (intmax_t)groups);
    lt_scope *own = lt_scope_enter(s, name);
    affine own_affine = affine_of(own, lt_shape_1d(channels), LT_LAYOUT_PLAIN, o);
    if (!is_image)
        x = lt_reshape(x, lt_shape_4d(shape.d[0], 1, 1, channels));
    moments m = moments_over(x, LT_AXIS(1) | LT_AXIS(2));
    lt_shape each = lt_node_shape(m.mean), cut = {3, {shape.d[0], groups, channels / groups}};
    lt_node *means = lt_reshape(m.mean, cut), *variances = lt_reshape(m.variance, cut);
    lt_node *mean = mean_of_group(means), *between = lt_square(lt_sub(means, mean));
    lt_node *scale = scale_of(mean_of_group(lt_add(variances, between)), o);
    lt_node *offset = lt_sub(lt_reshape(mean, each), m.a);
    return lt_reshape(apply(m.d, offset, lt_reshape(scale, each), own_affine), shape);
}

lt_node *lt_group_norm_with(lt_scope *s, const char *name, lt_node *x, int64_t groups,
                            const lt_norm_options *o)
{
    return node_is_bad(x) ? x : group_norm("group_norm", s, name, x, groups, o);
}

lt_node *lt_instance_norm_with(lt_scope *s, const char *name, lt_node *x, const lt_norm_options *o)
{
    if (!is_image("instance_norm", x))
        return lt_scope_graph(s)->bad;
    return group_norm("instance_norm", s, name, x, lt_node_shape(x).d[3], o);
}

lt_node *lt_layer_norm_with(lt_scope *s, const char *name, lt_node *x, const lt_norm_options *o)
{
    if (node_is_bad(x))
        return x;
    lt_shape shape = lt_node_shape(x), one = {.rank = shape.rank - 1};
    if (shape.rank != 2 && shape.rank != 4)
        return lt_graph_fail(lt_node_graph(x), "layer_norm: expected rows or images");
    for (int i = 0; i < one.rank; i++)
        one.d[i] = shape.d[i + 1];
    lt_scope *own = lt_scope_enter(s, name);
    lt_layout layout = one.rank == 3 ? LT_LAYOUT_IMAGE : LT_LAYOUT_PLAIN;
    affine a = affine_of(own, one, layout, o);
    moments m = moments_over(x, (LT_AXIS(shape.rank) - 1) & ~LT_AXIS(0));
    lt_node *y = apply(m.d, m.offset, scale_of(m.variance, o), (affine){0});
    return a.weight ? lt_add(lt_mul(y, a.weight), a.bias) : y;
}
