/* SPDX-License-Identifier: MIT */
#include "nn/shapes.h"

#include "graph/op.h"

const char *row_shape_text(lt_shape s, char text[LT_SHAPE_TEXT_SIZE])
{
    for (int i = 1; i < s.rank; i++)
        s.d[i - 1] = s.d[i];
    s.rank -= s.rank > 0;
    return lt_shape_text(s, text);
}

bool is_image(const char *what, lt_node *x)
{
    char found[LT_SHAPE_TEXT_SIZE];
    lt_shape s = lt_node_shape(x);
    if (node_is_bad(x) || s.rank == 4)
        return !node_is_bad(x);
    lt_graph_fail(
        lt_node_graph(x),
        "%s: expected an image as height x width x channels, found %s; `reshape` makes one", what,
        row_shape_text(s, found));
    return false;
}

lt_init init_with_fans(lt_init init, int64_t in, int64_t out)
{
    init.fan_in = init.fan_in ? init.fan_in : in;
    init.fan_out = init.fan_out ? init.fan_out : out;
    return init;
}
