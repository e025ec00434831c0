/* SPDX-License-Identifier: MIT */
/* Training of convolutional models as a whole: the same bits whatever the number of threads, and
   after a stop; evaluation by running statistics, image by image. */
#include "check.h"

#include "base/file.h"
#include "scratch.h"

#include <latent/eval.h>
#include <latent/train.h>

/* Every kind of layer that has weights or something to remember. */
static const char words[] =
    "data: {set: synthetic}\n"
    "model:\n"
    "  latent: 3\n"
    "  likelihood: gaussian sigma=optimal\n"
    "  encoder:\n"
    "    - conv 8 kernel=4 stride=2 pad=1 bias=no\n"
    "    - batch_norm\n"
    "    - leaky_relu 0.2\n"
    "    - residual: [group_norm 4, silu, conv 12 stride=2 pad=1, layer_norm, relu, conv 12 pad=1]\n"
    "    - spectral_norm conv 8 pad=1 groups=4\n"
    "    - max_pool 2\n"
    "  decoder:\n"
    "    - linear 72\n"
    "    - reshape 3 3 8\n"
    "    - instance_norm affine=yes\n"
    "    - conv_transpose 8 kernel=4 stride=2 pad=1\n"
    "    - batch_norm\n"
    "    - silu\n"
    "    - upsample\n"
    "    - spectral_norm conv_transpose 4\n"
    "    - avg_pool 3 stride=1\n"
    "    - conv_transpose image\n"
    "    - sigmoid\n"
    "objective: {schedule: linear epochs=2 per=step}\n"
    "optimizer: adam lr=2e-3\n"
    "train: {epochs: 2, batch: 20}\n";

enum { SIDE = 14, CHANNELS = 3, IMAGES = 50, STEPS = 5, HALF = 2 }; /* the 3rd step is a small one */

typedef struct training {
    lt_model *model;
    lt_dataset *data;
    lt_trainer *trainer;
} training;

static training begin(lt_executor executor, int threads)
{
    training t = {.data = NULL};
    lt_recipe *r = lt_recipe_parse("r.yaml", words, NULL, 0);
    if (!r || lt_dataset_synthetic(IMAGES, SIDE, SIDE, CHANNELS, NULL, &t.data) != LT_OK ||
        !(t.model = lt_model_create(r, (lt_image_size){SIDE, SIDE, CHANNELS})))
        fail_msg("%s", lt_last_error());
    t.trainer = lt_trainer_create(
        t.model, t.data, &(lt_trainer_options){.run = {.executor = executor, .threads = threads}});
    if (!t.trainer)
        fail_msg("%s", lt_last_error());
    lt_recipe_free(r);
    return t;
}

static void end(training *t)
{
    lt_trainer_free(t->trainer);
    lt_model_free(t->model);
    lt_dataset_free(t->data);
}

static double step(training *t, int n)
{
    lt_train_report r = {.step = 0};
    for (int i = 0; i < n; i++)
        if (lt_trainer_step(t->trainer, &r) != LT_OK)
            fail_msg("%s", lt_last_error());
    return lt_report_value(lt_model_recipe(t->model), &r, "loss");
}

static bytes saved(const training *t)
{
    bytes b = {0};
    if (lt_trainer_save(t->trainer, in_dir("x")) != LT_OK ||
        file_read(in_dir("x"), 1 << 24, &b) != LT_OK)
        fail_msg("%s", lt_last_error());
    return b;
}

static void assert_same(const bytes *a, const bytes *b)
{
    assert_int_equal(a->size, b->size);
    assert_memory_equal(a->data, b->data, a->size);
}

static void same_bits_at_any_number_of_threads(void **state)
{
    (void)state;
    static const int threads[] = {1, 2, 3, 4, 8};
    bytes first = {0};
    for (int i = 0; i < COUNT_OF(threads); i++) {
        training t = begin(LT_CPU, threads[i]);
        step(&t, STEPS);
        bytes b = saved(&t);
        if (i)
            assert_same(&b, &first);
        else
            first = b;
        if (i)
            bytes_clear(&b);
        end(&t);
    }
    bytes_clear(&first);
}

static void stopped_training_goes_on_with_the_same_bits(void **state)
{
    (void)state;
    training whole = begin(LT_CPU, 2), part = begin(LT_CPU, 2), rest = begin(LT_CPU, 1);
    step(&whole, STEPS);
    step(&part, HALF);
    assert_int_equal(lt_trainer_save(part.trainer, in_dir("half")), LT_OK);
    assert_int_equal(lt_trainer_load(rest.trainer, in_dir("half")), LT_OK);
    step(&rest, STEPS - HALF);
    bytes a = saved(&whole), b = saved(&rest);
    assert_same(&a, &b);
    bytes_clear(&a);
    bytes_clear(&b);
    end(&whole);
    end(&part);
    end(&rest);
}

/* Losses of five steps, floats against doubles. */
static void executors_agree_on_training(void **state)
{
    (void)state;
    training fast = begin(LT_CPU, 0), slow = begin(LT_REFERENCE, 0);
    for (int i = 0; i < STEPS; i++) {
        double want = step(&slow, 1);
        assert_near(step(&fast, 1), want, 2e-4 * fabs(want));
    }
    end(&fast);
    end(&slow);
}

/* In evaluation the code of an image does not depend on its neighbors. */
static void images_are_evaluated_by_themselves(void **state)
{
    (void)state;
    enum { N = 4, SIZE = SIDE * SIDE * CHANNELS };
    static float x[N * SIZE], all[N * SIZE], one[SIZE];
    training t = begin(LT_CPU, 0);
    step(&t, STEPS);
    draws d = draws_from(3);
    for (int i = 0; i < N * SIZE; i++)
        x[i] = (float)draw(&d, 0, 1);
    assert_int_equal(lt_reconstruct(t.model, N, x, 0, all), LT_OK);
    for (int i = 0; i < N; i++) {
        assert_int_equal(lt_reconstruct(t.model, 1, x + i * SIZE, 0, one), LT_OK);
        for (int k = 0; k < SIZE; k++)
            assert_near((double)one[k], (double)all[i * SIZE + k], 1e-5);
    }
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bits_at_any_number_of_threads),
        cmocka_unit_test(stopped_training_goes_on_with_the_same_bits),
        cmocka_unit_test(executors_agree_on_training),
        cmocka_unit_test(images_are_evaluated_by_themselves),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
