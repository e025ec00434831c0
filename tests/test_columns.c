/* SPDX-License-Identifier: MIT */
/* Files of columns and of arrays, read back by libzip and strtod. */
#include "data_files.h"

#include <math.h>
#include <zip.h>

static const float FLOATS[2][3] = {{0.1f, -2, 3e-30f}, {1, 0.5f, 7}};
static const double DOUBLES[4] = {0.1, -1. / 3, 5e-324, 1e300};
static const int32_t INTEGERS[4] = {7, -1, INT32_MAX, INT32_MIN};

static const lt_array arrays[] = {{"samples", LT_FLOAT32, FLOATS, 2, {2, 3}},
                                  {"nats", LT_FLOAT64, DOUBLES, 1, {4}},
                                  {"index", LT_INT32, INTEGERS, 1, {4}},
                                  {"none", LT_FLOAT64, NULL, 2, {0, 5}}};
enum { ARRAYS = 4 };

/* The npy file called `name` is this dictionary and these bytes. */
static void assert_entry(zip_t *z, const char *name, const char *dictionary, const void *values,
                         size_t size)
{
    unsigned char file[512];
    zip_stat_t s;
    assert_int_equal(zip_stat(z, name, 0, &s), 0);
    assert_int_equal(s.comp_method, ZIP_CM_STORE);
    zip_file_t *f = zip_fopen(z, name, 0); /* checks the CRC at the end */
    assert_non_null(f);
    assert_int_equal(zip_fread(f, file, sizeof file), s.size);
    assert_int_equal(zip_fclose(f), 0);
    size_t length = (size_t)(file[8] + 256 * file[9]);
    assert_memory_equal(file, "\x93NUMPY\x01\x00", 8);
    assert_int_equal((10 + length) % 64, 0);
    assert_memory_equal(file + 10, dictionary, strlen(dictionary));
    assert_int_equal(file[9 + length], '\n');
    assert_int_equal(s.size, 10 + length + size);
    if (size)
        assert_memory_equal(file + 10 + length, values, size);
}

static void npz_holds_what_was_given(void **state)
{
    (void)state;
    assert_int_equal(lt_npz_write(in_dir("a.npz"), arrays, ARRAYS), LT_OK);
    zip_t *z = zip_open(in_dir("a.npz"), ZIP_RDONLY | ZIP_CHECKCONS, NULL);
    assert_non_null(z);
    assert_int_equal(zip_get_num_entries(z, 0), ARRAYS);
    assert_entry(z, "samples.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
                 FLOATS, sizeof FLOATS);
    assert_entry(z, "nats.npy", "{'descr': '<f8', 'fortran_order': False, 'shape': (4,), }", DOUBLES,
                 sizeof DOUBLES);
    assert_entry(z, "index.npy", "{'descr': '<i4', 'fortran_order': False, 'shape': (4,), }",
                 INTEGERS, sizeof INTEGERS);
    assert_entry(z, "none.npy", "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 5), }", NULL,
                 0);
    zip_discard(z);
}

/* What is written can be opened as a data set again. */
static void npz_of_images_is_a_data_set(void **state)
{
    (void)state;
    float x[2 * 3 * 3];
    int32_t labels[2] = {1, 0}, found[2];
    for (int i = 0; i < 18; i++)
        x[i] = (float)i / 18;
    const lt_array set[] = {{"x_train", LT_FLOAT32, x, 4, {2, 3, 3, 1}},
                            {"y_train", LT_INT32, labels, 1, {2}}};
    assert_int_equal(lt_npz_write(in_dir("set.npz"), set, 2), LT_OK);
    lt_dataset *d = must_open(in_dir("set.npz"), NULL);
    float y[18];
    assert_int_equal(lt_dataset_gather(d, LT_TRAIN, (int32_t[]){0, 1}, 2, 0, 1, y), LT_OK);
    assert_memory_equal(x, y, sizeof x);
    assert_int_equal(lt_dataset_labels(d, LT_TRAIN, (int32_t[]){0, 1}, 2, found), LT_OK);
    assert_memory_equal(labels, found, sizeof labels);
    lt_dataset_free(d);
}

static void csv_reads_back_exactly(void **state)
{
    (void)state;
    const double odd[4] = {(double)NAN, HUGE_VAL, -HUGE_VAL, 0};
    const float floats[4] = {0.1f, 1, -0.f, 16777216};
    const lt_array columns[] = {arrays[2], arrays[1], {"odd", LT_FLOAT64, odd, 1, {4}},
                                {"f", LT_FLOAT32, floats, 1, {4}}};
    char *text = lt_csv_text(columns, 4), *at;
    static const char head[] = "index,nats,odd,f\n7,0.1,nan,0.1\n-1,";
    assert_non_null(text);
    assert_memory_equal(text, head, strlen(head));
    at = strchr(text, '\n');
    for (int i = 0; i < 4; i++) {
        assert_int_equal(strtol(at + 1, &at, 10), INTEGERS[i]);
        double value = strtod(at + 1, &at);
        assert_memory_equal(&value, &DOUBLES[i], sizeof value);
        value = strtod(at + 1, &at);
        assert_true(value == odd[i] || (isnan(value) && isnan(odd[i])));
        assert_true(strtof(at + 1, &at) == floats[i]);
        assert_int_equal(*at, '\n');
    }
    assert_int_equal(at[1], 0);
    assert_int_equal(lt_columns_write(in_dir("c.csv"), columns, 4), LT_OK);
    bytes b;
    assert_int_equal(file_read(in_dir("c.csv"), 1 << 20, &b), LT_OK);
    assert_string_equal((const char *)b.data, text);
    bytes_clear(&b);
    free(text);
    assert_int_equal(lt_columns_write(in_dir("c.NPZ"), columns, 4), LT_OK);
    zip_t *z = zip_open(in_dir("c.NPZ"), ZIP_RDONLY, NULL);
    assert_int_equal(zip_get_num_entries(z, 0), 4);
    zip_discard(z);
}

static void assert_refused(const lt_array *a, int n, const char *words)
{
    assert_int_equal(lt_npz_write(in_dir("bad.npz"), a, n), LT_VALUE);
    assert_says(words);
    assert_int_not_equal(access(in_dir("bad.npz"), F_OK), 0);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    const lt_array twice[] = {arrays[1], arrays[1]}, long_and_short[] = {arrays[1], arrays[0]};
    assert_refused(twice, 2, "both are called nats");
    assert_refused(&(lt_array){"a b", LT_FLOAT64, DOUBLES, 1, {4}}, 1, "letters, digits and '_'");
    assert_refused(&(lt_array){"../a", LT_FLOAT64, DOUBLES, 1, {4}}, 1, "found '../a'");
    assert_refused(&(lt_array){NULL, LT_FLOAT64, DOUBLES, 1, {4}}, 1, "expected a name");
    assert_refused(&(lt_array){"a", LT_FLOAT64, DOUBLES, 5, {4}}, 1, "expected rank 1 to 4");
    assert_refused(&(lt_array){"a", LT_FLOAT64, DOUBLES, 2, {INT64_MAX, 9}}, 1, "does not fit");
    assert_refused(&(lt_array){"a", LT_FLOAT64, DOUBLES, 1, {-1}}, 1, "does not fit");
    assert_refused(&(lt_array){"a", LT_FLOAT64, DOUBLES, 1, {1 << 29}}, 1, "less than 4 GB");
    assert_refused(arrays, 0, "expected 1 to 1000 arrays, found 0");
    assert_null(lt_csv_text(long_and_short, 2));
    assert_says("column samples: expected rank 1 or 2 and 4 rows as in nats, found rank 2, 2 rows");
    assert_int_equal(lt_columns_write(in_dir("a.txt"), arrays + 1, 1), LT_VALUE);
    assert_says("ends in .csv or .npz");
    assert_int_equal(lt_columns_write(in_dir("none/a.csv"), arrays + 1, 1), LT_NOT_FOUND);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(npz_holds_what_was_given),
        cmocka_unit_test(npz_of_images_is_a_data_set),
        cmocka_unit_test(csv_reads_back_exactly),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests_name("columns", tests, make_data_dir, remove_dir);
}
