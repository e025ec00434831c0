/* SPDX-License-Identifier: MIT */
/* Building a recipe's lists of layers, shared by all kinds of models. */
#include "models/kind.h"

#include "graph/op.h"
#include "nn/init.h"
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
    y = lt_graph_fail(v->graph, "%s, found %s", expected,
                      row_shape_text(lt_node_shape(h), found));
    lt_graph_set_location(v->graph, NULL);
    return y;
}

/* Whether h is an image of another shape than the model's: flattening it would reorder pixels. Rows and 1 x 1 images
   are fine. */
static bool is_other_image(const model_visit *v, const lt_node *h)
{
    lt_shape s = lt_node_shape(h);
    return s.rank == 4 && s.d[1] * s.d[2] > 1 &&
           (s.d[1] != v->size.h || s.d[2] != v->size.w || s.d[3] != v->size.c);
}

/* The right number of values in the wrong shape. */
static lt_node *fail_arrangement(const model_visit *v, const network *net, lt_scope *s, lt_node *h)
{
    char found[LT_SHAPE_TEXT_SIZE];
    network_blame_last(net, s);
    lt_node *bad = lt_graph_fail(v->graph, "expected images of %d x %d x %d, found %s", v->size.h, v->size.w, v->size.c,
                                 row_shape_text(lt_node_shape(h), found));
    lt_graph_set_location(v->graph, NULL);
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
                      "expected %jd numbers per image (%d x %d x %d), found %jd; its last layer "
                      "with units should be `linear image`, or `conv image` at this height and "
                      "width",
                      (intmax_t)visit_pixels(v), v->size.h, v->size.w, v->size.c,
                      (intmax_t)lt_node_shape(y).d[1]);
    lt_graph_set_location(v->graph, NULL);
    return y;
}

lt_node *visit_linear(const model_visit *v, lt_scope *s, const char *name, const char *words, lt_node *h,
                      int64_t units)
{
    lt_node *y = lt_linear(s, name, h, units, .weight_init = v->recipe->init,
                           .bias_init = init_of_bias(v->recipe->init));
    if (v->observer)
        v->observer(v->user, &(network_event){.scope = scope_name(s), .index = name,
                                              .words = words, .in = lt_node_shape(h),
                                              .out = lt_node_shape(y)});
    return y;
}

/* ---- Decoders ---- */

lt_node *visit_decode(const model_visit *v, const network *net, lt_node *z)
{
    network_context c = visit_context(v);
    lt_scope *s = lt_scope_enter(v->root, "decoder");
    return visit_expect_image(v, net, s, network_build(net, &c, s, z));
}

/* n x pixels as n x h x w x c. */
static lt_node *as_images(const model_visit *v, lt_node *x)
{
    return lt_reshape(x, lt_shape_4d(lt_node_shape(x).d[0], v->size.h, v->size.w, v->size.c));
}

lt_node *visit_mean_image(const model_visit *v, const spec *likelihood, lt_node *y)
{
    return as_images(v, likelihood_mean(likelihood, y));
}

static likelihood_context enter_likelihood(const model_visit *v, bool is_weighed)
{
    return (likelihood_context){.scope = lt_scope_enter(v->root, "likelihood"),
                                .is_training = v->is_training,
                                .is_weighed = is_weighed,
                                .channels = v->size.c};
}

lt_node *visit_draw_image(const model_visit *v, const spec *likelihood, lt_node *y)
{
    likelihood_context c = enter_likelihood(v, false);
    return as_images(v, likelihood_draw(likelihood, &c, y));
}

likelihood_terms visit_likelihood(const model_visit *v, const spec *likelihood, bool is_weighed, lt_node *y,
                                  lt_node *x)
{
    likelihood_context c = enter_likelihood(v, is_weighed);
    return likelihood_build(likelihood, &c, y, lt_flatten(x));
}
