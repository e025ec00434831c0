/* SPDX-License-Identifier: MIT */
/* The data option `classes`, against a choice made by hand, image by image. */
#include "data_files.h"

#include "data/dataset.h"

enum { IMAGES = 90, SIDE = 5, PIXELS = SIDE * SIDE };

static lt_dataset *synthetic(const lt_data_options *o)
{
    lt_dataset *d;
    if (lt_dataset_synthetic(IMAGES, SIDE, SIDE, 1, o, &d) != LT_OK)
        fail_msg("%s", lt_last_error());
    return d;
}

static int label_of(const lt_dataset *d, lt_split split, int i)
{
    int32_t label;
    assert_int_equal(lt_dataset_labels(d, split, &(int32_t){i}, 1, &label), LT_OK);
    return label;
}

/* `some` is the images of `all` with these labels, in their order, with their draws and mirrors. */
static void assert_chosen(const lt_dataset *some, const lt_dataset *all, const bool wanted[4])
{
    float x[2][PIXELS];
    for (int s = 0; s < LT_SPLITS; s++) {
        int at = 0;
        for (int i = 0; i < lt_dataset_describe(all)->n[s]; i++) {
            if (!wanted[label_of(all, (lt_split)s, i)])
                continue;
            assert_int_equal(lt_dataset_origin(some, (lt_split)s, at), i);
            assert_int_equal(label_of(some, (lt_split)s, at), label_of(all, (lt_split)s, i));
            lt_dataset_gather_augmented(all, (lt_split)s, &(int32_t){i}, 1, 3, 1, x[0]);
            lt_dataset_gather_augmented(some, (lt_split)s, &(int32_t){at++}, 1, 3, 1, x[1]);
            assert_memory_equal(x[0], x[1], sizeof x[0]);
        }
        assert_int_equal(lt_dataset_describe(some)->n[s], at);
        assert_int_equal(lt_dataset_origin(some, (lt_split)s, at), -1);
        assert_int_equal(lt_dataset_origin(some, (lt_split)s, -1), -1);
    }
}

static void chosen_images_keep_all_they_have(void **state)
{
    (void)state;
    static const struct {
        const char *classes;
        bool wanted[4];
    } choices[] = {{"1", {false, true, false, false}},
                   {"3, 0", {true, false, false, true}},
                   {" 0,1 , 2,3,3", {true, true, true, true}}};
    const int binarize[] = {LT_BINARIZE_NONE, LT_BINARIZE_FIXED, LT_BINARIZE_DYNAMIC};
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 3; k++) {
            lt_data_options o = {.validation = 31, .binarize = binarize[k], .flip = true};
            lt_dataset *all = synthetic(&o);
            strcpy(o.classes, choices[i].classes);
            lt_dataset *some = synthetic(&o);
            assert_chosen(some, all, choices[i].wanted);
            assert_int_equal(lt_dataset_describe(some)->classes, 4);
            assert_int_equal(lt_dataset_origin(all, LT_VALID, 30), 30);
            lt_dataset_free(all);
            lt_dataset_free(some);
        }
}

static void limit_is_of_the_chosen(void **state)
{
    (void)state;
    lt_data_options o = {.classes = "2"};
    lt_dataset *all = synthetic(&o);
    o.limit = 4;
    lt_dataset *few = synthetic(&o);
    assert_int_equal(lt_dataset_describe(few)->n[LT_TRAIN], 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(lt_dataset_origin(few, LT_TRAIN, i), lt_dataset_origin(all, LT_TRAIN, i));
    lt_dataset_free(all);
    lt_dataset_free(few);
}

/* Floats, whose images are chosen like bytes; classes by their names. */
static void names_and_floats(void **state)
{
    (void)state;
    const float x[3 * 4] = {0, 0.25f, 0.5f, 1, 1, 1, 0, 0, 0.125f, 0, 0, 1};
    put_npy("train.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2, 2), }\n", x,
            sizeof x);
    put_npy("train-labels.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }\n",
            "\1\0\1", 3);
    lt_data_options o = {.classes = "1"};
    lt_dataset *d = must_open(dir, &o);
    float found[8];
    assert_int_equal(lt_dataset_describe(d)->n[LT_TRAIN], 2);
    assert_int_equal(lt_dataset_gather(d, LT_TRAIN, (int32_t[]){0, 1}, 2, 0, 1, found), LT_OK);
    assert_memory_equal(found, x, 4 * sizeof *x);
    assert_memory_equal(found + 4, x + 8, 4 * sizeof *x);
    lt_dataset_free(d);
    d = must_open(dir, NULL);
    dataset_name_classes(d, (const char *const[]){"cat", "guinea pig"}, 2);
    d->info.class_names = (const char *const *)d->class_names;
    strcpy(d->info.options.classes, "guinea pig, 0");
    assert_int_equal(dataset_keep_classes(d), LT_OK);
    assert_int_equal(d->splits[LT_TRAIN].n, 3);
    lt_dataset_free(d);
    d = must_open(dir, NULL);
    dataset_name_classes(d, (const char *const[]){"cat", "guinea pig"}, 2);
    d->info.class_names = (const char *const *)d->class_names;
    strcpy(d->info.options.classes, "guinea pg");
    assert_int_equal(dataset_keep_classes(d), LT_VALUE);
    assert_says("or the name of a class, found 'guinea pg'; did you mean 'guinea pig'?");
    lt_dataset_free(d);
    o = (lt_data_options){.classes = "0, 2"};
    assert_int_equal(lt_dataset_open(dir, &o, &d), LT_VALUE);
    assert_says("expected a number from 0 to 1, found '2'");
    unlink(in_dir("train-labels.npy"));
    assert_int_equal(lt_dataset_open(dir, &o, &d), LT_VALUE);
    assert_says("expected labels, found none in the train split");
}

static void what_is_no_class_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"4", "-1", "1,", ",", "1;2", " ", "1 2"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        lt_data_options o = {0};
        lt_dataset *d;
        strcpy(o.classes, bad[i]);
        assert_int_equal(lt_dataset_synthetic(IMAGES, SIDE, SIDE, 1, &o, &d), LT_VALUE);
        assert_says("data option classes: expected a number from 0 to 3");
        assert_null(d);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(chosen_images_keep_all_they_have),
        cmocka_unit_test(limit_is_of_the_chosen),
        cmocka_unit_test(names_and_floats),
        cmocka_unit_test(what_is_no_class_is_refused),
    };
    return cmocka_run_group_tests_name("classes", tests, make_data_dir, remove_dir);
}
