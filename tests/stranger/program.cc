// SPDX-License-Identifier: MIT
// A program of somebody else, in C++: the same network; options by name, as a struct, and none.
#include <latent/latent.h>

#include <cstdio>

static lt_node *network(lt_scope *s, lt_node *x)
{
    lt_conv_options window = lt_conv_options();
    window.kernel = 4;
    window.stride = 2;
    window.pad = 1;
    x = lt_relu(lt_conv(s, "a", x, 4, window));
    x = lt_batch_norm(s, "b", x, true);
    x = lt_conv_transpose(s, "c", x, 4);
    x = lt_group_norm(s, "d", x, 2, .eps = 1e-3);
    x = lt_layer_norm(s, "e", lt_instance_norm(s, "f", lt_conv(s, "g", x, 2)));
    x = lt_linear(s, "h", lt_flatten(x), 3, .no_bias = true, .weight_init = {LT_INIT_ONES, 0, 0, 0});
    lt_linear_options plain = lt_linear_options();
    return lt_linear_with(s, "i", x, 2, &plain);
}

int main()
{
    lt_params *p = lt_params_create();
    lt_graph *g = lt_graph_create();
    network(lt_params_visit(p, g), lt_input(g, "x", lt_shape_4d(2, 6, 6, 1)));
    if (lt_params_allocate(p, 1) != LT_OK || lt_graph_error(g)) {
        std::fprintf(stderr, "%s\n", lt_last_error());
        return 1;
    }
    std::printf("%s: %ld parameters\n", lt_version(), static_cast<long>(lt_params_size(p)));
    lt_graph_free(g);
    lt_params_free(p);
    double x[] = {0, 1, 2}, y[] = {1, 0, 1};
    lt_series s = lt_series();
    s.n = 3;
    s.x = x;
    s.y = y;
    lt_chart c = lt_chart();
    c.series = &s;
    c.n_series = 1;
    if (lt_chart_write("chart.png", &c, nullptr) != LT_OK) {
        std::fprintf(stderr, "%s\n", lt_last_error());
        return 1;
    }
    return 0;
}
