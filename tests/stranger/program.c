/* SPDX-License-Identifier: MIT */
/* A program of somebody else, in C: a network, its gradient, a chart, an animation. Prints what it computed. */
#include <latent/latent.h>

#include <stdio.h>

/* n x 6 x 6 x 1 -> n x 2: each layer with and without options. */
static lt_node *network(lt_scope *s, lt_node *x)
{
    x = lt_relu(lt_conv(s, "a", x, 4, .kernel = 4, .stride = 2, .pad = 1)); /* 3 x 3 x 4 */
    x = lt_batch_norm(s, "b", x, true);
    x = lt_conv_transpose(s, "c", x, 4);                                    /* 5 x 5 x 4 */
    x = lt_group_norm(s, "d", x, 2, .eps = 1e-3);
    x = lt_layer_norm(s, "e", lt_instance_norm(s, "f", lt_conv(s, "g", x, 2)));
    x = lt_linear(s, "h", lt_flatten(x), 3, .no_bias = true, .weight_init = {LT_INIT_ONES, 0, 0, 0});
    return lt_linear(s, "i", x, 2);
}

static int count_parameters(int64_t *n)
{
    lt_params *p = lt_params_create();
    lt_graph *g = lt_graph_create();
    network(lt_params_visit(p, g), lt_input(g, "x", lt_shape_4d(2, 6, 6, 1)));
    int status = lt_params_allocate(p, 1);
    *n = lt_params_size(p);
    if (lt_graph_error(g))
        fprintf(stderr, "%s\n", lt_graph_error(g));
    lt_graph_free(g);
    lt_params_free(p);
    return status;
}

int main(void)
{
    int64_t parameters;
    double x[200], y[200];
    float pixels[2][16];
    lt_image frames[2];
    for (int i = 0; i < 200; i++) {
        x[i] = lt_normal_quantile((i + 0.5) / 200);
        y[i] = lt_normal_quantile((i * 73 % 200 + 0.5) / 200);
    }
    for (int i = 0; i < 32; i++)
        pixels[i / 16][i % 16] = (float)i / 31;
    lt_series s = {.kind = LT_HIST2D, .n = 200, .x = x, .y = y};
    lt_chart c = {.series = &s, .n_series = 1, .has_marginals = true, .has_normal = true};
    int status = count_parameters(&parameters);
    if (status == LT_OK)
        status = lt_chart_write("chart.svg", &c, NULL);
    for (int i = 0; i < 2 && status == LT_OK; i++)
        status = lt_image_grid(pixels[i], 1, 4, 4, 1, NULL, &frames[i]);
    if (status == LT_OK)
        status = lt_animation_write("film.webp", &(lt_animation){.frames = frames, .n = 2});
    if (status != LT_OK)
        return fprintf(stderr, "%s\n", lt_last_error()), 1;
    lt_image_clear(&frames[0]);
    lt_image_clear(&frames[1]);
    printf("%s: %ld parameters\n", lt_version(), (long)parameters);
    return 0;
}
