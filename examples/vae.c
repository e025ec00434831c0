/* SPDX-License-Identifier: MIT */
/* A variational autoencoder, written out: its loss, the loss's gradient, and Adam, as one graph. */
#include <latent/latent.h>
#include <stdio.h>

enum { BATCH = 100, SIDE = 12, PIXELS = SIDE * SIDE, IMAGES = 2000, EPOCHS = 20 };

/* -ELBO = KL(q(z|x) || N(0, I)) - E log p(x|z), in nats per image. x: n x SIDE x SIDE x 1. */
static lt_node *minus_elbo(lt_scope *s, lt_node *x, const void *options)
{
    (void)options;
    x = lt_flatten(x);
    lt_node *h = lt_relu(lt_linear(s, "encoder", x, 100));
    lt_gauss q = {lt_linear(s, "mean", h, 8), lt_linear(s, "logvar", h, 8)};
    lt_node *z = lt_gauss_sample(q);
    lt_node *logits = lt_linear(s, "pixels", lt_relu(lt_linear(s, "decoder", z, 100)), PIXELS);
    return lt_mean(lt_sub(lt_gauss_kl(q), lt_bernoulli_log_prob(logits, x)));
}

static int train(lt_session *step, lt_dataset *data, lt_node *x, lt_node *loss)
{
    int32_t order[IMAGES];
    for (int i = 0; i < EPOCHS * IMAGES / BATCH; i++) {
        int first = i * BATCH % IMAGES;
        if (first == 0)
            lt_dataset_order(data, LT_TRAIN, 1, (uint64_t)(i * BATCH / IMAGES), order);
        int status = lt_dataset_gather(data, LT_TRAIN, order + first, BATCH, 0, 1, lt_session_floats(step, x));
        if (status == LT_OK)
            status = lt_session_run(step, &(lt_run_key){.seed = 1, .step = (uint64_t)i});
        if (status != LT_OK)
            return status;
        if ((i + 1) % 100 == 0)
            printf("step %d: -ELBO %.2f nats\n", i + 1, (double)*lt_session_floats(step, loss));
    }
    return LT_OK;
}

int main(void)
{
    lt_dataset *data = NULL;
    lt_session *step = NULL;
    lt_params *params = lt_params_create();
    lt_graph *g = lt_graph_create();
    int status = lt_params_declare(params, minus_elbo, NULL, lt_shape_4d(1, SIDE, SIDE, 1), 1);
    lt_node *x = lt_input(g, "x", lt_shape_4d(BATCH, SIDE, SIDE, 1));
    lt_node *loss = minus_elbo(lt_params_visit(params, g), x, NULL);
    lt_node *targets[1 + LT_OPTIMIZER_TARGETS] = {loss};
    int n = lt_optimizer_build("adam lr=1e-3", params, loss, targets + 1);

    if (status == LT_OK) // forward, backward and update are one program
        status = lt_session_open(g, targets, 1 + n, NULL, &step);
    if (status == LT_OK)
        status = lt_params_bind(params, g, step);
    if (status == LT_OK)
        status = lt_dataset_synthetic(IMAGES, SIDE, SIDE, 1, NULL, &data);
    if (status == LT_OK)
        status = train(step, data, x, loss);
    if (status != LT_OK)
        fprintf(stderr, "%s\n", lt_last_error());

    lt_dataset_free(data);
    lt_session_free(step);
    lt_graph_free(g);
    lt_params_free(params);
    return status == LT_OK ? 0 : 1;
}
