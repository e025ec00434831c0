/* SPDX-License-Identifier: MIT */
/* Codes to files and back: against the posterior that is known and a decoder computed by hand. */
#include "base/file.h"
#include "base/status.h"

#include "linear_model.h"

#include "scratch.h"

static void assert_has(const char *part)
{
    if (!strstr(lt_last_error(), part))
        fail_msg("expected \"%s\" in \"%s\"", part, lt_last_error());
}

static lt_codes encode(const fixture *f, int n)
{
    lt_codes c;
    if (lt_encode_split(f->model, f->data, LT_TRAIN, &(lt_codes_options){.images = n, .seed = 5}, &c) != LT_OK)
        fail_msg("%s", lt_last_error());
    return c;
}

static lt_codes must_read(const char *name, const char *array)
{
    lt_codes c;
    if (lt_codes_read(in_dir(name), array, LATENT, &c) != LT_OK)
        fail_msg("%s", lt_last_error());
    return c;
}

static const char *const names[] = {"c.npz", "c.csv"};

static void files_hold_every_bit(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 0);
    lt_codes c = encode(&f, 17);
    size_t size = sizeof(float) * 17 * LATENT;
    static const char *const arrays[] = {"mean", "logvar", "z"};
    const float *const values[] = {c.mean, c.logvar, c.z};
    for (int i = 0; i < COUNT_OF(names); i++) {
        assert_int_equal(lt_codes_write(&c, in_dir(names[i]), NULL), LT_OK);
        for (int k = 0; k < COUNT_OF(arrays); k++) {
            lt_codes back = must_read(names[i], arrays[k]);
            assert_int_equal(back.n, 17);
            assert_memory_equal(back.z, values[k], size);
            assert_memory_equal(back.labels, c.labels, sizeof(int32_t) * 17);
            lt_codes_clear(&back);
        }
        lt_codes back = must_read(names[i], NULL); /* the means */
        assert_memory_equal(back.z, c.mean, size);
        lt_codes_clear(&back);
    }
    for (int k = 0; k < COUNT_OF(arrays); k++) {
        assert_int_equal(lt_codes_write(&c, in_dir("c.npy"), arrays[k]), LT_OK);
        lt_codes back = must_read("c.npy", NULL);
        assert_memory_equal(back.z, values[k], size);
        assert_null(back.labels);
        lt_codes_clear(&back);
    }
    lt_codes_clear(&c);
    fixture_close(&f);
}

/* index, label, mean_0 ... of each line, against what the images say. */
static void csv_is_the_known_posterior(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 0);
    lt_codes c = encode(&f, 0);
    assert_int_equal(lt_codes_write(&c, in_dir("c.csv"), NULL), LT_OK);
    FILE *file = fopen(in_dir("c.csv"), "r");
    char line[512];
    assert_non_null(fgets(line, sizeof line, file));
    assert_string_equal(line, "index,label,mean_0,mean_1,logvar_0,logvar_1,z_0,z_1\n");
    int rows = 0;
    for (; fgets(line, sizeof line, file); rows++) {
        int index, label;
        int32_t want;
        double v[6], x[PIXELS];
        assert_int_equal(sscanf(line, "%d,%d,%lf,%lf,%lf,%lf,%lf,%lf", &index, &label, &v[0], &v[1], &v[2], &v[3],
                                &v[4], &v[5]), 8);
        assert_int_equal(index, rows);
        assert_int_equal(lt_dataset_labels(f.data, LT_TRAIN, &(int32_t){index}, 1, &want), LT_OK);
        assert_int_equal(label, want);
        read_image(&f, index, x);
        for (int k = 0; k < LATENT; k++) {
            double variance = 1 / (1 + dot(W[k], W[k]) / (SIGMA * SIGMA));
            assert_near(v[k], (dot(W[k], x) - dot(W[k], B)) / (SIGMA * SIGMA) * variance, 1e-5);
            assert_near(v[2 + k], log(variance), 1e-5);
            assert_true(fabs(v[4 + k] - v[k]) < 6 * sqrt(variance) && v[4 + k] != v[k]);
        }
    }
    fclose(file);
    assert_int_equal(rows, IMAGES);
    lt_codes_clear(&c);
    fixture_close(&f);
}

/* W z + b by hand of what the file says. */
static void decoded_files_are_the_known_images(void **state)
{
    (void)state;
    fixture f;
    float images[IMAGES][PIXELS];
    fixture_open(&f, 0);
    lt_codes c = encode(&f, 0);
    for (int i = 0; i < COUNT_OF(names); i++) {
        assert_int_equal(lt_codes_write(&c, in_dir(names[i]), NULL), LT_OK);
        lt_codes back = must_read(names[i], "z");
        assert_int_equal(lt_decode(f.model, back.n, back.z, 1, images[0]), LT_OK);
        for (int n = 0; n < back.n; n++)
            for (int p = 0; p < PIXELS; p++) {
                double want = B[p];
                for (int k = 0; k < LATENT; k++)
                    want += W[k][p] * (double)c.z[n * LATENT + k];
                assert_near((double)images[n][p], want, 1e-5);
            }
        lt_codes_clear(&back);
    }
    lt_codes_clear(&c);
    fixture_close(&f);
}

/* Where classes are chosen an image has its number of before. */
static void indices_are_those_of_the_split_as_it_was(void **state)
{
    (void)state;
    fixture f;
    fixture_open(&f, 0);
    lt_dataset *some;
    assert_int_equal(lt_dataset_synthetic(IMAGES, HEIGHT, WIDTH, 1, &(lt_data_options){.classes = "2"}, &some),
                     LT_OK);
    lt_codes c;
    assert_int_equal(lt_encode_split(f.model, some, LT_TRAIN, NULL, &c), LT_OK);
    int at = 0;
    for (int32_t i = 0; i < IMAGES; i++) {
        int32_t label;
        assert_int_equal(lt_dataset_labels(f.data, LT_TRAIN, &i, 1, &label), LT_OK);
        if (label == 2)
            assert_int_equal(c.origin[at++], i);
    }
    assert_int_equal(at, c.n);
    assert_true(at > 0 && at < IMAGES);
    lt_codes_clear(&c);
    lt_dataset_free(some);
    fixture_close(&f);
}

static void put_text(const char *name, const char *words)
{
    assert_int_equal(lt_file_write(in_dir(name), words, strlen(words)), LT_OK);
}

static void codes_of_other_programs(void **state)
{
    (void)state;
    const float want[] = {1, 2, 3, 4};
    static const char *const files[] = {"1,2\n3,4\n", "z1,z2\n1,2\n3,4\n", "0,1\n1,2\n3,4\n", "id,q_0,q_1\n7,1,2\n8,3,4\n"};
    for (int i = 0; i < COUNT_OF(files); i++) {
        put_text("o.csv", files[i]);
        lt_codes c = must_read("o.csv", NULL);
        assert_int_equal(c.n, 2);
        assert_memory_equal(c.z, want, sizeof want);
        lt_codes_clear(&c);
    }
    assert_int_equal(lt_npy_write(in_dir("one.npy"), want, 1, (const int64_t[]){2}), LT_OK);
    lt_codes c = must_read("one.npy", NULL); /* a single code */
    assert_int_equal(c.n, 1);
    lt_codes_clear(&c);
}

static void check_refused(const char *name, const char *array, const char *words)
{
    lt_codes c;
    assert_int_equal(lt_codes_read(in_dir(name), array, LATENT, &c), LT_VALUE);
    assert_has(words);
    lt_codes_clear(&c);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    const float x[6] = {0};
    assert_int_equal(lt_npy_write(in_dir("w.npy"), x, 2, (const int64_t[]){2, 3}), LT_OK);
    check_refused("w.npy", NULL, "expected codes of N x 2, as the model has 2 latents, found 2 x 3");
    assert_int_equal(lt_npy_write(in_dir("none.npy"), x, 2, (const int64_t[]){0, 2}), LT_OK);
    check_refused("none.npy", NULL, "found 0 of them");
    put_text("two.csv", "a_1,a_2,b_1,b_2\n1,2,3,4\n");
    check_refused("two.csv", NULL, "found a (1 x 2), b (1 x 2)");
    check_refused("two.csv", "c", "expected an array 'c' of N x 2");
    put_text("near.csv", "mean_1,mean_2\n1,2\n");
    check_refused("near.csv", "means", "did you mean 'mean'?");
    put_text("nan.csv", "1,2\n3,nan\n");
    check_refused("nan.csv", NULL, "code 1, latent 1: expected a finite number, found nan");
    lt_codes only = must_read("near.csv", NULL);
    assert_int_equal(lt_codes_write(&only, in_dir("again.npz"), NULL), LT_VALUE); /* no codes of images */
    lt_codes_clear(&only);
    fixture f;
    fixture_open(&f, 0);
    lt_codes c = encode(&f, 3);
    assert_int_equal(lt_codes_write(&c, in_dir("c.txt"), NULL), LT_VALUE);
    assert_int_equal(lt_codes_write(&c, in_dir("c.npz"), "z"), LT_VALUE);
    assert_int_equal(lt_codes_write(&c, in_dir("c.npy"), "y"), LT_VALUE);
    assert_int_equal(lt_codes_write(&c, in_dir("no/c.npy"), NULL), LT_NOT_FOUND);
    lt_codes_clear(&c);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_hold_every_bit),
        cmocka_unit_test(csv_is_the_known_posterior),
        cmocka_unit_test(decoded_files_are_the_known_images),
        cmocka_unit_test(indices_are_those_of_the_split_as_it_was),
        cmocka_unit_test(codes_of_other_programs),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
