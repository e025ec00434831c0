/* SPDX-License-Identifier: MIT */
/* Adversarial models of classes: images of the one that is asked for. */
#include "gan_training.h"

/* Black images of class 0, white ones of class 2. */
static lt_dataset *black_and_white(bool has_labels)
{
    enum { N = 16 };
    static float x[N * 4];
    int labels[N];
    for (int i = 0; i < N; i++) {
        labels[i] = 2 * (i % 2);
        for (int k = 0; k < 4; k++)
            x[4 * i + k] = (float)(i % 2);
    }
    return open_images(x, N, (lt_image_size){2, 2, 1}, has_labels ? labels : NULL);
}

static const char conditional[] =
    "data: {set: synthetic}\n"
    "model:\n"
    "  kind: gan\n"
    "  latent: 2\n"
    "  classes: 3\n"
    "  class_size: 4\n"
    "  generator: [linear 8, tanh, linear image, sigmoid]\n"
    "  discriminator: [linear 8, tanh, linear 1]\n"
    "objective: {loss: hinge, penalty: r1 0.1}\n"
    "optimizer: adam lr=0.01 beta1=0\n"
    "train: {batch: 16}\n";

static double mean_of_class(lt_model *m, int label)
{
    float x[32 * 4];
    double sum = 0;
    if (lt_sample_class(m, label, 32, 7, 1, x) != LT_OK)
        fail_msg("%s", lt_last_error());
    for (int i = 0; i < COUNT_OF(x); i++)
        sum += (double)x[i] / COUNT_OF(x);
    return sum;
}

/* Labels reach both: without them at the discriminator, images of any class would do; the generator gives
   what it is asked for. Of a class drawn, as many are of each. */
static void samples_are_of_the_class_asked_for(void **state)
{
    (void)state;
    training t = begin_model(conditional, NULL, 0, black_and_white(true));
    begin_trainer(&t, LT_CPU, 1);
    must_train(t.trainer, 600);
    double black = mean_of_class(t.model, 0), white = mean_of_class(t.model, 2);
    if (!(black < .2 && white > .8))
        fail_msg("black is %g, white is %g", black, white);
    end_training(&t);
}

static void classes_that_are_not_there_are_refused(void **state)
{
    (void)state;
    float x[4 * 4];
    training t = begin_model(conditional, NULL, 0, black_and_white(true));
    assert_int_equal(lt_sample_class(t.model, 3, 4, 0, 1, x), LT_VALUE);
    assert_text_has(lt_last_error(), "expected a class from 0 to 2, found 3");
    assert_int_equal(lt_sample_class(t.model, -1, 4, 0, 1, x), LT_VALUE);
    end_training(&t);
    static const char *const none = "model.classes=0", *const two = "model.classes=2";
    t = begin_model(conditional, &none, 1, black_and_white(true));
    assert_int_equal(lt_sample_class(t.model, 0, 4, 0, 1, x), LT_VALUE);
    assert_text_has(lt_last_error(), "has no classes: it was trained without labels");
    end_training(&t);
    t = begin_model(conditional, &two, 1, black_and_white(true));
    assert_null(lt_trainer_create(t.model, t.data, NULL));
    assert_text_has(lt_last_error(), "the model has 2 classes, and set has 3");
    end_training(&t);
    t = begin_model(conditional, NULL, 0, black_and_white(false));
    assert_null(lt_trainer_create(t.model, t.data, NULL));
    assert_text_has(lt_last_error(), "the model has 3 classes, and set has no labels");
    end_training(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_of_the_class_asked_for),
        cmocka_unit_test(classes_that_are_not_there_are_refused),
    };
    return cmocka_run_group_tests(tests, make_data_dir, remove_dir);
}
