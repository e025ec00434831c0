/* SPDX-License-Identifier: MIT */
/* The published sets, where they are. Sums were computed with Python's gzip module. */
#include "data_files.h"

#include "data/catalog.h"
#include "data/dataset.h"

#include <math.h>

static double sum_of_means(const lt_dataset *d, lt_split split)
{
    float mean[784];
    double sum = 0;
    assert_int_equal(lt_dataset_mean_image(d, split, mean), LT_OK);
    for (int i = 0; i < 784; i++)
        sum += (double)mean[i];
    return sum * lt_dataset_describe(d)->n[split];
}

static void known_content(const char *place, const char *name, const double sums[2],
                          const double firsts[2], const int labels[2])
{
    if (!file_is_directory(place)) {
        print_message("skipped: %s is missing\n", place);
        skip();
    }
    lt_data_options o = {0};
    snprintf(o.path, sizeof o.path, "%s", place);
    lt_dataset *d = must_open(name, &o);
    assert_int_equal(lt_dataset_describe(d)->classes, labels ? 10 : 0);
    const char *const *names = lt_data_named(name)->class_names;
    for (int path = 0; path < 2; path++) {
        lt_dataset *same = must_open(path ? place : name, path ? NULL : &o);
        const char *const *found = lt_dataset_describe(same)->class_names;
        bool is_called_so = !path || strcmp(strrchr(place, '/') + 1, name) == 0;
        assert_int_equal(found != NULL, names && is_called_so);
        for (int k = 0; k < 10 && found; k++)
            assert_string_equal(found[k], names[k]);
        lt_dataset_free(same);
    }
    double scale = labels ? 255 : 1;
    for (int k = 0; k < 2; k++) {
        lt_split split = k ? LT_TEST : LT_TRAIN;
        assert_true(fabs(sum_of_means(d, split) * scale / sums[k] - 1) < 1e-6);
        float x[784];
        double first = 0;
        assert_int_equal(lt_dataset_gather(d, split, (int32_t[]){0}, 1, 0, 1, x), LT_OK);
        for (int i = 0; i < 784; i++)
            first += (double)x[i];
        assert_true(fabs(first * scale - firsts[k]) < 1e-2);
        int32_t label;
        if (labels)
            assert_int_equal(lt_dataset_labels(d, split, (int32_t[]){0}, 1, &label), LT_OK);
        if (labels)
            assert_int_equal(label, labels[k]);
    }
    lt_dataset_free(d);
    assert_int_equal(lt_data_verify(name, place), LT_OK);
}

static void mnist_is_mnist(void **state)
{
    (void)state;
    known_content(SHARED_DATA "/mnist", "mnist", (double[]){1567298545, 264923200},
                  (double[]){27525, 18454}, (int[]){5, 7});
}

static void fashion_is_fashion(void **state)
{
    (void)state;
    known_content("/usr/share/datasets/fashion-mnist", "fashion-mnist",
                  (double[]){3431114169, 573469082}, (double[]){76247, 33456}, (int[]){9, 9});
}

static void binarized_is_binarized(void **state)
{
    (void)state;
    known_content(SHARED_DATA "/binarized-mnist", "binarized-mnist", (double[]){5118041, 1038896},
                  (double[]){123, 147}, NULL);
    lt_data_options o = {.path = SHARED_DATA "/binarized-mnist", .limit = 3};
    lt_dataset *d = must_open("binarized-mnist", &o);
    static const int want[LT_SPLITS][3] = {{123, 80, 159}, {90, 74, 116}, {147, 116, 116}};
    for (int s = 0; s < LT_SPLITS; s++) {
        float *x = gather_all(d, (lt_split)s, 0, 3, 1);
        for (int i = 0; i < 3; i++) {
            float sum = 0;
            for (int k = 0; k < 784; k++)
                sum += x[i * 784 + k];
            assert_true(sum == (float)want[s][i]);
        }
        free(x);
    }
    lt_dataset_free(d);
    o.validation = 5;
    assert_int_equal(lt_dataset_open("binarized-mnist", &o, &d), LT_VALUE);
    assert_says("has a validation split of its own");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(mnist_is_mnist),
        TEST(fashion_is_fashion),
        TEST(binarized_is_binarized),
    };
    return cmocka_run_group_tests_name("published_sets", tests, NULL, NULL);
}
