/* SPDX-License-Identifier: MIT */
/* The autoencoder: its loss is that of the same network in PyTorch, its gradient that of the loss, its codes are
   points, and what it cannot do is refused with a reason. */
#include "subject.h"

#include <latent/generator.h>
#include <latent/train.h>

#define AE                                                                                         \
    DATA "model:\n  kind: ae\n  latent: 2\n  likelihood: gaussian sigma=0.7071067811865476\n"       \
         "  encoder: [linear 3, tanh]\n  decoder: [linear 3, tanh, linear image]\n"

enum { LATENTS = 2 };

/* Sets tensor k, by the order of its parameters, to sin(1 + i + 10 k) / 2, i its elements in PyTorch's order. */
static void set_weights(lt_model *m)
{
    lt_params *p = lt_model_params(m);
    float values[64];
    for (int k = 0; k < lt_params_count(p); k++) {
        int64_t n = lt_shape_size(lt_params_info(p, k).shape);
        assert_true(n <= COUNT_OF(values));
        for (int i = 0; i < n; i++)
            values[i] = (float)(sin(1 + i + 10 * k) / 2);
        lt_params_import(p, k, lt_params_block(p), values);
    }
}

/* The loss on the images of fill_images. */
static double loss_of(const subject *c, lt_executor executor, int threads)
{
    subject_run r = open_run(c, &c->t.loss, 1, executor, threads);
    assert_int_equal(lt_session_run(r.session, &(lt_run_key){1, 0}), LT_OK);
    double *values = fetch(r.session, executor, c->t.loss), loss = values[0];
    free(values);
    close_run(&r);
    return loss;
}

/* From torch 1.13.1, in double precision:

       import math, torch
       t = lambda k, *s: torch.sin(1 + 10 * k + torch.arange(math.prod(s), dtype=torch.float64)).reshape(s) / 2
       x = torch.tensor([float(i % 5 < 2 or i % 7 == 3) for i in range(48)], dtype=torch.float64).reshape(4, 12)
       lin = torch.nn.functional.linear
       h = torch.tanh(lin(x, t(0, 3, 12), t(1, 3)))
       z = lin(h, t(2, 2, 3), t(3, 2))
       y = lin(torch.tanh(lin(z, t(4, 3, 2), t(5, 3))), t(6, 12, 3), t(7, 12))
       print(torch.nn.functional.mse_loss(y, x, reduction='sum') / 4)
       print(torch.nn.functional.binary_cross_entropy_with_logits(y, x, reduction='sum') / 4) */
static void losses_equal_pytorchs(void **state)
{
    (void)state;
    static const double log_pi = 1.14472988584940017414;
    static const struct {
        const char *set;
        double loss;
    } golden[] = {{"name=mse", 8.77527286210819 + PIXELS / 2. * log_pi},
                  {"model.likelihood=bernoulli", 8.48811142658217}};
    for (int i = 0; i < COUNT_OF(golden); i++) {
        subject c = build_subject(AE, &golden[i].set, 1);
        set_weights(c.model);
        assert_near(loss_of(&c, LT_REFERENCE, 1), golden[i].loss, 1e-6);
        assert_near(loss_of(&c, LT_CPU, 2), golden[i].loss, 1e-4);
        close_subject(&c);
    }
}

/* By central differences of the reference executor, in double precision; on both executors. */
static void gradient_is_that_of_the_loss(void **state)
{
    (void)state;
    static const double step = 1e-3;
    static const char *const sets[] = {"model.likelihood=gaussian sigma=learned", "model.likelihood=bernoulli"};
    for (int i = 0; i < COUNT_OF(sets); i++) {
        subject c = build_subject(AE, &sets[i], 1);
        float *w = lt_params_block(lt_model_params(c.model));
        int64_t n = lt_params_extent(lt_model_params(c.model));
        for (int e = 0; e < 2; e++) {
            lt_executor executor = e ? LT_CPU : LT_REFERENCE;
            subject_run r = open_run(&c, &c.gradient, 1, executor, 1);
            assert_int_equal(lt_session_run(r.session, &(lt_run_key){1, 0}), LT_OK);
            double *found = fetch(r.session, executor, c.gradient);
            for (int64_t k = 0; k < n; k += 5) {
                float at = w[k], above = at + (float)step, below = at - (float)step;
                w[k] = above;
                double up = loss_of(&c, LT_REFERENCE, 1);
                w[k] = below;
                double down = loss_of(&c, LT_REFERENCE, 1);
                w[k] = at;
                double want = (up - down) / ((double)above - (double)below);
                if (!(fabs(found[k] - want) <= 1e-4 * (1 + fabs(want))))
                    fail_msg("%s, number %jd: expected %.9g, found %.9g", sets[i], (intmax_t)k, want, found[k]);
            }
            free(found);
            close_run(&r);
        }
        close_subject(&c);
    }
}

/* z is the code, at every seed, and its reconstruction is what the decoder makes of it. */
static void codes_are_points(void **state)
{
    (void)state;
    subject c = open_subject(AE, NULL, 0);
    float x[BATCH * PIXELS], mean[BATCH * LATENTS], logvar[BATCH * LATENTS], y[BATCH * PIXELS], again[BATCH * PIXELS];
    for (int i = 0; i < BATCH * PIXELS; i++)
        x[i] = (float)(i % 3) / 2;
    assert_int_equal(lt_encode(c.model, BATCH, x, 1, mean, logvar), LT_OK);
    for (int i = 0; i < BATCH * LATENTS; i++)
        assert_true(isfinite(mean[i]) && isinf(logvar[i]) && logvar[i] < 0);
    assert_int_equal(lt_decode(c.model, BATCH, mean, 1, y), LT_OK);
    assert_int_equal(lt_reconstruct(c.model, BATCH, x, 1, again), LT_OK);
    assert_memory_equal(y, again, sizeof y);
    assert_true(lt_model_can(c.model, LT_CAN_RECONSTRUCT | LT_CAN_LIKELIHOOD | LT_CAN_INTERPOLATE));
    close_subject(&c);
}

static void samples_and_bounds_are_refused_with_a_reason(void **state)
{
    (void)state;
    subject c = open_subject(AE, NULL, 0);
    float images[PIXELS];
    assert_int_equal(lt_sample(c.model, 1, 0, 1, images), LT_VALUE);
    assert_text_has(lt_last_error(), "is an ae, which learns no distribution of its codes: there is no prior to "
                                     "sample from. Start from images with latent reconstruct");
    assert_int_equal(lt_recipe_require(lt_model_recipe(c.model), LT_CAN_BOUND), LT_VALUE);
    assert_text_has(lt_last_error(), "there is no bound on log p(x)");
    lt_model_log_weights(c.model, c.graph, c.x, lt_model_encode(c.model, c.graph, c.x), 2);
    assert_non_null(lt_graph_error(c.graph));
    close_subject(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_equal_pytorchs),
        cmocka_unit_test(gradient_is_that_of_the_loss),
        cmocka_unit_test(codes_are_points),
        cmocka_unit_test(samples_and_bounds_are_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
