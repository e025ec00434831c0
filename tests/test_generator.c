/* SPDX-License-Identifier: MIT */
/* An open generator: compared with the functions that open one per call, with graphs of the model built by hand, and
   after changes of the parameters. */
#include "check.h"

#include <latent/generator.h>
#include <latent/nn.h>

enum { LATENT = 3, SIDE = 8, PIXELS = SIDE * SIDE, IMAGES = 150, CLASSES = 4 };

static const char vae[] = "name: vae\n"
                          "data: {set: synthetic}\n"
                          "model: {latent: 3, likelihood: bernoulli,\n"
                          "  encoder: [conv 4 stride=2 pad=1, relu, linear 8, tanh],\n"
                          "  decoder: [linear 64, relu, reshape 4 4 4, conv_transpose 1 kernel=4 stride=2 pad=1]}\n";
static const char gan[] = "name: gan\n"
                          "data: {set: synthetic}\n"
                          "model: {kind: gan, latent: 3, classes: 4,\n"
                          "  generator: [linear 8, relu, linear image, sigmoid],\n"
                          "  discriminator: [linear 4, leaky_relu .2, linear 1]}\n"
                          "objective: {loss: hinge}\n";

static lt_model *must_make(const char *text)
{
    lt_recipe *r = lt_recipe_parse("test", text, NULL, 0);
    lt_model *m = r ? lt_model_create(r, (lt_image_size){SIDE, SIDE, 1}) : NULL;
    if (!m)
        fail_msg("%s", lt_last_error());
    lt_recipe_free(r);
    return m;
}

static lt_generator *must_open(lt_model *m, int batch, int threads)
{
    lt_generator *g;
    if (lt_generator_open(m, batch, &(lt_generator_options){.run.threads = threads}, &g) != LT_OK)
        fail_msg("%s", lt_last_error());
    return g;
}

static float z[IMAGES * LATENT], x[IMAGES * PIXELS], want[IMAGES * PIXELS], found[IMAGES * PIXELS];

static void fill_inputs(void)
{
    for (int i = 0; i < IMAGES * LATENT; i++)
        z[i] = (float)sin(0.7 * i);
    for (int i = 0; i < IMAGES * PIXELS; i++)
        x[i] = (float)(0.5 + 0.5 * cos(0.3 * i));
}

static void expect_same(const float *a, const float *b, int n, double tolerance)
{
    for (int i = 0; i < n; i++)
        if (tolerance > 0 ? !(fabs((double)a[i] - (double)b[i]) <= tolerance)
                          : memcmp(&a[i], &b[i], sizeof *a) != 0)
            fail_msg("number %d: %.9g and %.9g", i, (double)a[i], (double)b[i]);
}

/* Computes one image with a graph of one row that only this test builds. */
static void decode_by_hand(lt_model *m, const float *code, float *image)
{
    lt_graph *g = lt_graph_create();
    lt_node *in = lt_input(g, "z", lt_shape_2d(1, LATENT)), *out = lt_model_decode(m, g, in);
    lt_session *s;
    assert_int_equal(lt_session_open(g, &out, 1, &(lt_session_options){.executor = LT_REFERENCE}, &s), LT_OK);
    assert_int_equal(lt_model_bind(m, g, s, LT_EVALUATION), LT_OK);
    assert_int_equal(lt_session_write(s, in, code, LATENT), LT_OK);
    assert_int_equal(lt_session_run(s, NULL), LT_OK);
    assert_int_equal(lt_session_read(s, out, image, PIXELS), LT_OK);
    lt_session_free(s);
    lt_graph_free(g);
}

static void one_image_at_a_time_is_what_the_model_says(void **state)
{
    (void)state;
    lt_model *m = must_make(vae);
    lt_generator *g = must_open(m, 1, 1);
    for (int i = 0; i < 5; i++) {
        decode_by_hand(m, z + i * LATENT, want);
        assert_int_equal(lt_generator_decode(g, 1, z + i * LATENT, found), LT_OK);
        expect_same(found, want, PIXELS, 1e-6);
    }
    lt_generator_free(g);
    lt_model_free(m);
}

/* Any number of rows, threads and calls in any order: the bits of the functions without a generator; with another
   batch those of one row, up to the rounding of other kernels. */
static void rows_do_not_depend_on_their_company(void **state)
{
    (void)state;
    static const int counts[] = {IMAGES, 1, 64, 65, 7, 0, 128};
    static float mean[IMAGES * LATENT], logvar[IMAGES * LATENT], m2[IMAGES * LATENT], l2[IMAGES * LATENT];
    lt_model *m = must_make(vae);
    assert_int_equal(lt_encode(m, IMAGES, x, 1, mean, logvar), LT_OK);
    for (int batch = 0; batch < 70; batch = batch ? batch * 5 + 2 : 1)
        for (int threads = 1; threads <= 3; threads += 2) {
            lt_generator *g = must_open(m, batch, threads);
            double tolerance = batch ? 2e-6 : 0;
            for (int k = 0; k < COUNT_OF(counts); k++) {
                int n = counts[k];
                assert_int_equal(lt_decode(m, n, z, 1, want), LT_OK);
                assert_int_equal(lt_generator_decode(g, n, z, found), LT_OK);
                expect_same(found, want, n * PIXELS, tolerance);
                assert_int_equal(lt_generator_encode(g, n, x, m2, l2), LT_OK);
                expect_same(m2, mean, n * LATENT, tolerance);
                expect_same(l2, logvar, n * LATENT, tolerance);
                assert_int_equal(lt_generator_encode(g, n, x, m2, NULL), LT_OK);
                expect_same(m2, mean, n * LATENT, tolerance);
                assert_int_equal(lt_reconstruct(m, n, x, 1, want), LT_OK);
                assert_int_equal(lt_generator_reconstruct(g, n, x, found), LT_OK);
                expect_same(found, want, n * PIXELS, tolerance);
                assert_int_equal(lt_generator_decode(g, n, z, found), LT_OK);
                for (int i = 0; i < n; i += 13) { /* the same row alone */
                    assert_int_equal(lt_generator_decode(g, 1, z + i * LATENT, want), LT_OK);
                    expect_same(found + i * PIXELS, want, PIXELS, 0);
                }
            }
            lt_generator_free(g);
        }
    lt_model_free(m);
}

/* A seed gives the same images, codes and classes in every generator, from any first index. */
static void seeds_name_images_whatever_the_batch(void **state)
{
    (void)state;
    const char *const recipes[] = {vae, gan};
    for (int r = 0; r < COUNT_OF(recipes); r++) {
        lt_model *m = must_make(recipes[r]);
        for (int batch = 1; batch < 200; batch *= 7) {
            lt_generator *g = must_open(m, batch, 1);
            assert_int_equal(lt_sample(m, IMAGES, 5, 2, want), LT_OK);
            assert_int_equal(lt_generator_sample(g, 0, IMAGES, 5, found), LT_OK);
            expect_same(found, want, IMAGES * PIXELS, 0);
            for (int first = 0; first < IMAGES - 40; first += 37) {
                assert_int_equal(lt_generator_sample(g, first, 40, 5, found), LT_OK);
                expect_same(found, want + first * PIXELS, 40 * PIXELS, 0);
            }
            assert_int_equal(lt_sample_codes(m, IMAGES, 5, 1, want), LT_OK);
            assert_int_equal(lt_generator_sample_codes(g, 70, 9, 5, found), LT_OK);
            expect_same(found, want + 70 * LATENT, 9 * LATENT, 0);
            assert_int_equal(lt_decode(m, IMAGES, z, 1, want), LT_OK); /* draws classes, of the GAN */
            assert_int_equal(lt_generator_decode(g, IMAGES, z, found), LT_OK);
            expect_same(found, want, IMAGES * PIXELS, 2e-6);
            lt_generator_free(g);
        }
        lt_model_free(m);
    }
}

static void classes_and_draws_are_those_of_one_call(void **state)
{
    (void)state;
    int32_t labels[IMAGES];
    lt_model *m = must_make(gan);
    lt_generator *g = must_open(m, 0, 1);
    for (int i = 0; i < IMAGES; i++)
        labels[i] = i / 5 % CLASSES;
    for (int round = 0; round < 2; round++) { /* the second call finds it compiled, with other labels in its memory */
        assert_int_equal(lt_sample_class(m, 3 - round, 70, 5, 1, want), LT_OK);
        assert_int_equal(lt_generator_sample_class(g, 3 - round, 0, 70, 5, found), LT_OK);
        expect_same(found, want, 70 * PIXELS, 0);
        assert_int_equal(lt_decode_class(m, IMAGES, z, labels, 1, want), LT_OK);
        assert_int_equal(lt_generator_decode_class(g, IMAGES, z, labels, found), LT_OK);
        expect_same(found, want, IMAGES * PIXELS, 0);
    }
    lt_generator_free(g);
    lt_model_free(m);
    m = must_make(vae);
    g = must_open(m, 5, 1);
    assert_int_equal(lt_decode_sample(m, IMAGES, z, 9, 1, want), LT_OK);
    assert_int_equal(lt_generator_decode_sample(g, IMAGES, z, 9, found), LT_OK);
    expect_same(found, want, IMAGES * PIXELS, 2e-6);
    lt_generator_free(g);
    lt_model_free(m);
}

/* ---- Parameters, memory, misuse ---- */

static void changed_parameters_are_used(void **state)
{
    (void)state;
    lt_model *m = must_make(vae);
    lt_generator *g = must_open(m, 1, 1);
    assert_int_equal(lt_generator_decode(g, 1, z, want), LT_OK);
    lt_params *p = lt_model_params(m);
    for (int64_t i = 0; i < lt_params_extent(p); i++)
        lt_params_block(p)[i] *= -0.5f;
    assert_int_equal(lt_generator_decode(g, 1, z, found), LT_OK);
    assert_true(memcmp(found, want, sizeof *want * PIXELS) != 0);
    decode_by_hand(m, z, want);
    expect_same(found, want, PIXELS, 1e-6);
    lt_generator_free(g);
    lt_model_free(m);
}

static bool count_allocation(void *user, size_t bytes)
{
    (void)bytes;
    ++*(int *)user;
    return true;
}

static void later_calls_allocate_nothing(void **state)
{
    (void)state;
    int n = 0;
    lt_model *m = must_make(vae);
    lt_generator *g = must_open(m, 4, 1);
    lt_set_allow_memory(count_allocation, &n);
    assert_int_equal(lt_generator_decode(g, 6, z, found), LT_OK);
    assert_int_equal(lt_generator_encode(g, 6, x, found, NULL), LT_OK);
    assert_true(n > 0); /* they are counted */
    n = 0;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(lt_generator_decode(g, 6, z, found), LT_OK);
        assert_int_equal(lt_generator_encode(g, 6, x, found, found + 6 * LATENT), LT_OK);
    }
    assert_int_equal(n, 0);
    lt_set_allow_memory(NULL, NULL);
    lt_generator_free(g);
    lt_model_free(m);
}

typedef struct parts_done {
    double of[3], limit;
    int calls;
} parts_done;

static bool stop_in_time(void *user, double done)
{
    parts_done *p = user;
    p->of[p->calls++] = done;
    return done < p->limit;
}

static void progress_is_reported_for_each_batch_and_can_stop(void **state)
{
    (void)state;
    parts_done p = {.limit = 2};
    lt_model *m = must_make(vae);
    lt_generator *g;
    const lt_generator_options o = {.run = {.threads = 1, .progress = stop_in_time, .user = &p}};
    assert_int_equal(lt_generator_open(m, 4, &o, &g), LT_OK);
    assert_int_equal(lt_generator_decode(g, 10, z, found), LT_OK);
    const double tenths[3] = {0.4, 0.8, 1};
    assert_memory_equal(p.of, tenths, sizeof tenths);
    p = (parts_done){.limit = 0.7};
    assert_int_equal(lt_generator_decode(g, 10, z, found), LT_INTERRUPTED);
    assert_int_equal(p.calls, 2);
    assert_string_equal(lt_last_error(), "the generator was stopped after row 8 of 10");
    lt_generator_free(g);
    lt_model_free(m);
}

static void misuse_is_explained(void **state)
{
    (void)state;
    lt_generator *g = (lt_generator *)x;
    lt_model *m = must_make(gan);
    assert_int_equal(lt_generator_open(m, -1, NULL, &g), LT_VALUE);
    assert_null(g);
    assert_string_equal(lt_last_error(), "generator: batch must be between 1 and 65536 (0: 64), found -1");
    assert_int_equal(lt_generator_open(m, LT_GENERATOR_MAX_BATCH + 1, NULL, &g), LT_VALUE);
    assert_int_equal(lt_generator_open(m, 1, &(lt_generator_options){.run.threads = -1}, &g), LT_VALUE);
    assert_null(g);
    assert_non_null(strstr(lt_last_error(), "threads must be between 1 and"));
    g = must_open(m, 2, 1);
    assert_ptr_equal(lt_generator_model(g), m);
    assert_int_equal(lt_generator_decode(g, -1, z, found), LT_VALUE);
    assert_int_equal(lt_generator_sample(g, -1, 1, 0, found), LT_VALUE);
    assert_int_equal(lt_generator_sample(g, INT32_MAX, 1, 0, found), LT_VALUE);
    for (int i = 0; i < 2; i++) { /* a failure leaves nothing half open */
        assert_int_equal(lt_generator_encode(g, 1, x, found, NULL), LT_GRAPH);
        assert_non_null(strstr(lt_last_error(), "has no encoder"));
        assert_int_equal(lt_generator_decode_sample(g, 1, z, 0, found), LT_GRAPH);
    }
    assert_int_equal(lt_generator_sample_class(g, CLASSES, 0, 1, 0, found), LT_VALUE);
    assert_int_equal(lt_generator_decode_class(g, 1, z, &(int32_t){-1}, found), LT_VALUE);
    assert_int_equal(lt_generator_decode(g, 1, z, found), LT_OK);
    lt_generator_free(g);
    lt_generator_free(NULL);
    lt_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_image_at_a_time_is_what_the_model_says),
        cmocka_unit_test(rows_do_not_depend_on_their_company),
        cmocka_unit_test(seeds_name_images_whatever_the_batch),
        cmocka_unit_test(classes_and_draws_are_those_of_one_call),
        cmocka_unit_test(changed_parameters_are_used),
        cmocka_unit_test(later_calls_allocate_nothing),
        cmocka_unit_test(progress_is_reported_for_each_batch_and_can_stop),
        cmocka_unit_test(misuse_is_explained),
    };
    fill_inputs();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
