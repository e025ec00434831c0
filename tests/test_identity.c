/* SPDX-License-Identifier: MIT */
/* Data sets are identified by content: the same images under another name are the same data, other images under the
   same name are not. */
#include "data/identity.h"

#include "data_files.h"

#include <latent/train.h>

/* ---- Identities ---- */

enum { N = 12, SIDE = 4, PIXELS = SIDE * SIDE, HEADER = 128, FILE_SIZE = HEADER + N * PIXELS };

/* An npy file of n x h x w bytes. */
static void make_file(unsigned char file[FILE_SIZE], int n, int h, int w)
{
    memset(file, ' ', HEADER);
    memcpy(file, "\x93NUMPY\1\0\x76\0", 10);
    char words[HEADER];
    int length = snprintf(words, sizeof words,
                          "{'descr': '|u1', 'fortran_order': False, 'shape': (%d, %d, %d), }", n, h, w);
    memcpy(file + 10, words, (size_t)length);
    file[HEADER - 1] = '\n';
    for (int i = 0; i < n * h * w; i++)
        file[HEADER + i] = (unsigned char)(i * 37 % 251);
}

static lt_dataset *open_at(const char *path, const lt_data_options *o)
{
    lt_dataset *d;
    if (lt_dataset_open(path, o, &d) != LT_OK)
        fail_msg("%s", lt_last_error());
    return d;
}

typedef struct identity {
    char text[IDENTITY_TEXT];
} identity;

static identity identity_of(const char *path, lt_split split, const lt_data_options *o)
{
    identity found;
    lt_dataset *d = open_at(path, o);
    dataset_identity(d, split, found.text);
    lt_dataset_free(d);
    return found;
}

static bool is_same(const char *a, const char *b)
{
    identity x = identity_of(a, LT_TRAIN, NULL), y = identity_of(b, LT_TRAIN, NULL);
    return strcmp(x.text, y.text) == 0;
}

static void the_place_is_no_part_of_it(void **state)
{
    (void)state;
    unsigned char file[FILE_SIZE];
    make_file(file, N, SIDE, SIDE);
    put("a.npy", file, FILE_SIZE);
    assert_int_equal(file_make_directories(in_dir("folder")), LT_OK);
    put("folder/train.npy", file, FILE_SIZE);
    put_gz("b.npy.gz", file, FILE_SIZE);
    assert_true(is_same(in_dir("a.npy"), in_dir("folder")));
    assert_true(is_same(in_dir("a.npy"), in_dir("b.npy.gz")));
    identity valid = identity_of(in_dir("a.npy"), LT_VALID, NULL);
    assert_string_equal(valid.text, "");
    identity train = identity_of(in_dir("a.npy"), LT_TRAIN, NULL);
    assert_int_equal(strncmp(train.text, "12 ", 3), 0);
    assert_int_equal(strlen(train.text), 3 + 64);
}

static void every_pixel_is_part_of_it(void **state)
{
    (void)state;
    unsigned char file[FILE_SIZE];
    make_file(file, N, SIDE, SIDE);
    put("a.npy", file, FILE_SIZE);
    for (int i = HEADER; i < FILE_SIZE; i += 7) {
        file[i] ^= 1;
        assert_false(is_same(in_dir("a.npy"), put("b.npy", file, FILE_SIZE)));
        file[i] ^= 1;
    }
    unsigned char image[PIXELS]; /* two images change places */
    memcpy(image, file + HEADER, PIXELS);
    memcpy(file + HEADER, file + HEADER + PIXELS, PIXELS);
    memcpy(file + HEADER + PIXELS, image, PIXELS);
    assert_false(is_same(in_dir("a.npy"), put("b.npy", file, FILE_SIZE)));
    make_file(file, N, 2, 8); /* the same bytes in another shape */
    assert_false(is_same(in_dir("a.npy"), put("b.npy", file, FILE_SIZE)));
    make_file(file, N - 1, SIDE, SIDE);
    assert_false(is_same(in_dir("a.npy"), put("b.npy", file, FILE_SIZE - PIXELS)));
}

/* train.npy with the labels 0, 1, 2, 0 ... */
static void put_labeled(unsigned char label)
{
    unsigned char file[FILE_SIZE], labels[HEADER + N];
    make_file(file, N, SIDE, SIDE);
    assert_int_equal(file_make_directories(in_dir("labeled")), LT_OK);
    put("labeled/train.npy", file, FILE_SIZE);
    static const char header[] =
        "\x93NUMPY\1\0\x76\0{'descr': '|u1', 'fortran_order': False, 'shape': (12,), }";
    memset(labels, ' ', HEADER);
    memcpy(labels, header, sizeof header - 1);
    labels[HEADER - 1] = '\n';
    for (int i = 0; i < N; i++)
        labels[HEADER + i] = (unsigned char)(i % 3);
    labels[HEADER + 5] = label;
    put("labeled/train-labels.npy", labels, sizeof labels);
}

static void so_are_labels(void **state)
{
    (void)state;
    put_labeled(2);
    identity a = identity_of(in_dir("labeled"), LT_TRAIN, NULL);
    put_labeled(1);
    identity b = identity_of(in_dir("labeled"), LT_TRAIN, NULL);
    assert_string_not_equal(a.text, b.text);
}

static void choosing_images_is_no_part_of_it(void **state)
{
    (void)state;
    static const char *const choices[] = {"limit=5", "validation=3", "classes=1", "classes=0, 2",
                                          "binarize=fixed", "flip=yes", "seed=3"};
    put_labeled(2);
    identity all = identity_of(in_dir("labeled"), LT_TRAIN, NULL);
    for (int i = 0; i < COUNT_OF(choices); i++) {
        lt_data_options o = {0};
        assert_int_equal(lt_data_options_set(&o, choices[i]), LT_OK);
        identity some = identity_of(in_dir("labeled"), LT_TRAIN, &o);
        assert_string_equal(some.text, all.text);
    }
    lt_data_options o = {.resize = "5"};
    identity resized = identity_of(in_dir("labeled"), LT_TRAIN, &o);
    assert_string_not_equal(resized.text, all.text);
}

/* ---- In checkpoints ---- */

static char told[4096];

static void listen(void *user, lt_log_level level, const char *message)
{
    (void)user, (void)level;
    snprintf(told + strlen(told), sizeof told - strlen(told), "%s\n", message);
}

static lt_recipe *recipe_at(const char *path)
{
    char *set = must_format("data.set=%s", path);
    lt_recipe *r = lt_recipe_parse("tiny.yaml",
                                   "name: tiny\ndata: {set: x}\nmodel:\n  latent: 2\n"
                                   "  likelihood: bernoulli\n  encoder: [linear 4]\n"
                                   "  decoder: [linear image]\ntrain: {batch: 5}\n",
                                   (const char *const *)&set, 1);
    assert_non_null(r);
    free(set);
    return r;
}

/* Trains two steps on the file and saves, or loads: returns the status of lt_trainer_load, and checks that a
   refused load leaves the trainer unchanged. */
static int train_and(const char *path, const char *save, const char *load)
{
    lt_recipe *r = recipe_at(path);
    lt_dataset *d;
    assert_int_equal(lt_recipe_open_data(r, NULL, &d), LT_OK);
    lt_model *m = lt_model_create(r, (lt_image_size){SIDE, SIDE, 1});
    lt_trainer *t = lt_trainer_create(m, d, NULL);
    assert_non_null(t);
    int status = load ? lt_trainer_load(t, load) : LT_OK;
    assert_int_equal(lt_trainer_steps_done(t), load && status == LT_OK ? 2 : 0);
    for (int i = 0; i < 2 && save; i++)
        assert_int_equal(lt_trainer_step(t, NULL), LT_OK);
    if (save)
        assert_int_equal(lt_trainer_save(t, save), LT_OK);
    lt_trainer_free(t);
    lt_model_free(m);
    lt_dataset_free(d);
    lt_recipe_free(r);
    return status;
}

/* Returns the log of opening the data of the checkpoint's model. */
static const char *tell_open(const char *checkpoint, const char *instead, const char *set)
{
    told[0] = 0;
    lt_model *m;
    lt_model_open(checkpoint, &m);
    assert_non_null(m);
    lt_set_log(listen, NULL);
    lt_dataset *d;
    assert_int_equal(lt_model_open_data(m, instead, &set, set ? 1 : 0, &d), LT_OK);
    lt_set_log(NULL, NULL);
    lt_dataset_free(d);
    lt_model_free(m);
    return told;
}

static void a_run_knows_its_images(void **state)
{
    (void)state;
    unsigned char file[FILE_SIZE];
    make_file(file, N, SIDE, SIDE);
    char *a = must_copy_text(put("a.npy", file, FILE_SIZE));
    char *b = must_copy_text(put("moved.npy", file, FILE_SIZE));
    char *saved = must_copy_text(in_dir("saved.safetensors"));
    assert_int_equal(train_and(a, saved, NULL), LT_OK);
    assert_int_equal(train_and(a, NULL, saved), LT_OK);
    assert_int_equal(train_and(b, NULL, saved), LT_OK);
    assert_string_equal(tell_open(saved, NULL, NULL), "");
    file[HEADER + 50] ^= 4; /* as many images under the same name */
    put("a.npy", file, FILE_SIZE);
    assert_int_equal(train_and(a, NULL, saved), LT_VALUE);
    const char *message = lt_last_error();
    assert_non_null(strstr(message, "was trained on other data: expected 12 images (SHA-256 "));
    assert_non_null(strstr(message, a));
    assert_non_null(strstr(message, saved));
    assert_int_equal(train_and(b, NULL, saved), LT_OK);
    assert_non_null(strstr(tell_open(saved, NULL, NULL), "not the data that tiny was trained with"));
    assert_non_null(strstr(tell_open(saved, NULL, "data.limit=3"), "not the data that tiny"));
    assert_string_equal(tell_open(saved, a, NULL), ""); /* asked for */
    assert_string_equal(tell_open(saved, b, NULL), "");
    char *set = must_format("data.set=%s", a);
    assert_string_equal(tell_open(saved, NULL, set), "");
    make_file(file, N - 2, SIDE, SIDE); /* others, and fewer */
    put("a.npy", file, FILE_SIZE - 2 * PIXELS);
    assert_int_equal(train_and(a, NULL, saved), LT_VALUE);
    assert_non_null(strstr(lt_last_error(), "12 images"));
    assert_non_null(strstr(lt_last_error(), "has 10 images"));
    free(set);
    free(a);
    free(b);
    free(saved);
}

static void other_splits_are_told_of(void **state)
{
    (void)state;
    unsigned char file[FILE_SIZE];
    assert_int_equal(file_make_directories(in_dir("sets")), LT_OK);
    make_file(file, N, SIDE, SIDE);
    put("sets/train.npy", file, FILE_SIZE);
    put("sets/test.npy", file, FILE_SIZE);
    char *sets = must_copy_text(in_dir("sets"));
    char *saved = must_copy_text(in_dir("saved.safetensors"));
    assert_int_equal(train_and(sets, saved, NULL), LT_OK);
    file[HEADER] ^= 1;
    put("sets/test.npy", file, FILE_SIZE);
    told[0] = 0;
    lt_set_log(listen, NULL);
    assert_int_equal(train_and(sets, NULL, saved), LT_OK);
    lt_set_log(NULL, NULL);
    assert_non_null(strstr(told, "the test split has changed since"));
    tell_open(saved, NULL, NULL);
    assert_non_null(strstr(told, "expected a test split of 12 images"));
    assert_null(strstr(told, "its train split"));
    free(sets);
    free(saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_place_is_no_part_of_it, make_data_dir, remove_dir),
        cmocka_unit_test_setup_teardown(every_pixel_is_part_of_it, make_data_dir, remove_dir),
        cmocka_unit_test_setup_teardown(so_are_labels, make_data_dir, remove_dir),
        cmocka_unit_test_setup_teardown(choosing_images_is_no_part_of_it, make_data_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_run_knows_its_images, make_data_dir, remove_dir),
        cmocka_unit_test_setup_teardown(other_splits_are_told_of, make_data_dir, remove_dir),
    };
    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
