/* SPDX-License-Identifier: MIT */
/* One floor down: an autoencoder written in C, its gradient, and Adam, as one graph. */
#include <latent/latent.h>
#include <stdio.h>

enum { BATCH = 100, SIZE = 12, STEPS = 400 };

/* n x pixels -> 8 numbers per image -> n x pixels. */
static lt_node *network(lt_scope *s, lt_node *x)
{
    const lt_init he = {.kind = LT_INIT_KAIMING_UNIFORM};
    lt_node *h = lt_relu(lt_linear(s, "encoder.0", x, 64, .weight_init = he));
    h = lt_linear(s, "encoder.2", h, 8, .weight_init = he);
    h = lt_relu(lt_linear(s, "decoder.0", h, 64, .weight_init = he));
    return lt_sigmoid(lt_linear(s, "decoder.2", h, SIZE * SIZE, .weight_init = he));
}

int main(void)
{
    /* The first visit declares the parameters; nothing is computed. */
    lt_params *params = lt_params_create();
    lt_graph *scratch = lt_graph_create();
    network(lt_params_visit(params, scratch), lt_input(scratch, "x", lt_shape_2d(1, SIZE * SIZE)));
    int status = lt_params_allocate(params, 1);
    lt_graph_free(scratch);

    /* Forward, backward and update are one graph. */
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", lt_shape_4d(BATCH, SIZE, SIZE, 1));
    lt_node *flat = lt_flatten(x);
    lt_node *y = network(lt_params_visit(params, g), flat);
    lt_node *loss = lt_mean(lt_sum_rows(lt_square(lt_sub(flat, y))));
    lt_node *targets[1 + LT_OPTIMIZER_TARGETS] = {loss};
    int n = lt_optimizer_build("adam lr=1e-3", params, loss, targets + 1);

    lt_program *step = status == LT_OK && n > 0 ? lt_compile(g, targets, 1 + n) : NULL;
    lt_session *session = step ? lt_session_create(step, NULL) : NULL;
    if (!session || lt_params_bind(params, g, session) != LT_OK)
        return fprintf(stderr, "%s\n", lt_last_error()), 1;

    /* Each run reads the batch where it was assembled, and changes the parameters in place. */
    lt_dataset *data = NULL;
    int32_t order[2000];
    status = lt_dataset_synthetic(&data, 2000, SIZE, SIZE, 1, NULL);
    for (int i = 0; i < STEPS && status == LT_OK; i++) {
        int at = i * BATCH % 2000;
        if (at == 0)
            lt_dataset_order(data, LT_TRAIN, 1, (uint64_t)(i * BATCH / 2000), order);
        status = lt_dataset_gather(data, LT_TRAIN, order + at, BATCH, 0, 1,
                                   lt_session_floats(session, x));
        if (status == LT_OK)
            status = lt_session_run(session, NULL);
        if (status == LT_OK && (i + 1) % 100 == 0)
            printf("step %d: squared error %.3f\n", i + 1,
                   (double)*lt_session_floats(session, loss));
    }
    if (status != LT_OK)
        fprintf(stderr, "%s\n", lt_last_error());

    lt_dataset_free(data);
    lt_session_free(session);
    lt_program_free(step);
    lt_graph_free(g);
    lt_params_free(params);
    return status == LT_OK ? 0 : 1;
}
