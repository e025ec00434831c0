/* SPDX-License-Identifier: MIT */
/* Image functions that are compositions of operators: their gradients follow. */
#include "ops/attributes.h"
#include "ops/window.h"

#include <latent/ops.h>

/* Whether x is n x height x width x channels; if not, records the error and sets x to the bad node. */
static bool is_images(const char *function, lt_node **x)
{
    char text[LT_SHAPE_TEXT_SIZE];
    if (!node_is_bad(*x) && (*x)->shape.rank != 4)
        *x = lt_graph_fail((*x)->graph, "%s: expected n x height x width x channels, found %s",
                           function, lt_shape_text((*x)->shape, text));
    return !node_is_bad(*x);
}

static bool is_factor(const char *function, lt_node **x, int factor)
{
    if (is_images(function, x) && factor < 1)
        *x = lt_graph_fail((*x)->graph, "%s: the factor must be at least 1, found %d", function,
                           factor);
    return !node_is_bad(*x);
}

lt_node *lt_global_avg_pool(lt_node *x)
{
    return is_images("global_avg_pool", &x) ? lt_mean_over(x, LT_AXIS(1) | LT_AXIS(2)) : x;
}

/* The transpose of a sum over windows that do not overlap. */
lt_node *lt_upsample(lt_node *x, int factor)
{
    if (!is_factor("upsample", &x, factor) || factor == 1)
        return x;
    int64_t h = x->shape.d[1], w = x->shape.d[2];
    if (h > WINDOW_MAX / factor || w > WINDOW_MAX / factor)
        return lt_graph_fail(x->graph, "upsample: the result is too large");
    return node_make1(&lt_op_avg_pool2d_dx, &(pool_attr){.kernel = factor, .stride = factor,
                      .h = h * factor, .w = w * factor, .weight = 1}, x);
}

lt_node *lt_pixel_shuffle(lt_node *x, int factor)
{
    if (!is_factor("pixel_shuffle", &x, factor) || factor == 1)
        return x;
    int64_t n = x->shape.d[0], h = x->shape.d[1], w = x->shape.d[2], f = factor;
    int64_t channels = x->shape.d[3] / (f * f);
    if (x->shape.d[3] % (f * f))
        return lt_graph_fail(x->graph, "pixel_shuffle: %jd channels are not divisible by %d x %d",
                             (intmax_t)x->shape.d[3], factor, factor);
    if (h > WINDOW_MAX / f || w > WINDOW_MAX / f)
        return lt_graph_fail(x->graph, "pixel_shuffle: the result is too large");
    x = lt_reshape(x, (lt_shape){6, {n, h, w, channels, f, f}});
    x = lt_permute(x, (int[]){0, 1, 4, 2, 5, 3});
    return lt_reshape(x, lt_shape_4d(n, h * f, w * f, channels));
}

lt_node *lt_pad_image(lt_node *x, int64_t top, int64_t bottom, int64_t left, int64_t right)
{
    return is_images("pad_image", &x) ? lt_pad(lt_pad(x, 1, top, bottom), 2, left, right) : x;
}

lt_node *lt_crop_image(lt_node *x, int64_t top, int64_t left, int64_t height, int64_t width)
{
    if (!is_images("crop_image", &x))
        return x;
    int64_t bottom, right, h = x->shape.d[1], w = x->shape.d[2];
    bool fits = top >= 0 && left >= 0 && height >= 0 && width >= 0 &&
                !__builtin_add_overflow(top, height, &bottom) && bottom <= h &&
                !__builtin_add_overflow(left, width, &right) && right <= w;
    if (!fits)
        return lt_graph_fail(x->graph, "crop_image: %jd x %jd pixels at row %jd, column %jd are not "
                             "inside %jd x %jd", (intmax_t)height, (intmax_t)width, (intmax_t)top,
                             (intmax_t)left, (intmax_t)h, (intmax_t)w);
    return lt_slice(lt_slice(x, 1, top, bottom), 2, left, right);
}
