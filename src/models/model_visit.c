/* SPDX-License-Identifier: MIT */
/* What every kind of model does with the lists of a recipe. */
#include "models/kind.h"

#include "graph/op.h"
#include "nn/params.h"
#include "nn/shapes.h"

int64_t visit_pixels(const model_visit *v) { return (int64_t)v->size.h * v->size.w * v->size.c; }

network_context visit_context(const model_visit *v)
{
    return (network_context){.is_training = v->is_training,
                             .init = v->recipe->init,
                             .image_size = visit_pixels(v),
                             .image_channels = v->size.c,
                             .observer = v->observer,
                             .user = v->user};
}

lt_node *visit_expect(const model_visit *v, const network *net, lt_scope *s, lt_node *h,
                      int64_t numbers, const char *expected)
{
    char found[LT_SHAPE_TEXT_SIZE];
    lt_node *y = lt_flatten(h);
    if (node_is_bad(y) || lt_node_shape(y).d[1] == numbers)
        return y;
    network_blame_last(net, s);
    y = lt_graph_fail(v->graph, "%s, it gives %s", expected,
                      row_shape_text(lt_node_shape(h), found));
    lt_graph_set_place(v->graph, NULL);
    return y;
}

/* Whether h is neither rows of numbers, nor 1 x 1 x numbers, nor of the images' own shape: its
   numbers would be taken for other pixels. */
static bool is_other_image(const model_visit *v, const lt_node *h)
{
    lt_shape s = lt_node_shape(h);
    return s.rank == 4 && s.d[1] * s.d[2] > 1 &&
           (s.d[1] != v->size.h || s.d[2] != v->size.w || s.d[3] != v->size.c);
}

/* As many numbers as the images have, otherwise arranged. */
static lt_node *fail_arrangement(const model_visit *v, const network *net, lt_scope *s, lt_node *h)
{
    char found[LT_SHAPE_TEXT_SIZE];
    network_blame_last(net, s);
    lt_node *bad = lt_graph_fail(v->graph, "the %s gives images of %s, expected %d x %d x %d",
                                 scope_name(s), row_shape_text(lt_node_shape(h), found), v->size.h,
                                 v->size.w, v->size.c);
    lt_graph_set_place(v->graph, NULL);
    return bad;
}

lt_node *visit_expect_image(const model_visit *v, const network *net, lt_scope *s, lt_node *h)
{
    lt_node *y = lt_flatten(h);
    if (node_is_bad(y))
        return y;
    if (lt_node_shape(y).d[1] == visit_pixels(v))
        return is_other_image(v, h) ? fail_arrangement(v, net, s, h) : y;
    network_blame_last(net, s);
    y = lt_graph_fail(v->graph,
                      "the %s gives %jd numbers for an image, %d x %d x %d has %jd; its last layer "
                      "with units should be `linear image`, or `conv image` at this height and "
                      "width",
                      scope_name(s), (intmax_t)lt_node_shape(y).d[1], v->size.h, v->size.w,
                      v->size.c, (intmax_t)visit_pixels(v));
    lt_graph_set_place(v->graph, NULL);
    return y;
}
