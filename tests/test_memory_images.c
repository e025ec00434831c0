/* SPDX-License-Identifier: MIT */
/* Data sets of images in memory: the same as the same images from files, to the last byte of a checkpoint. */
#include "data/identity.h"

#include "check.h"
#include "data_files.h"

#include <latent/runs.h>

enum { N = 24, M = 7, H = 4, W = 3, PIXELS = H * W };

static uint8_t bytes_of[N][PIXELS], test_bytes[M][PIXELS];
static float floats_of[N][PIXELS], test_floats[M][PIXELS];
static int32_t labels_of[N], test_labels[M];

static void make_images(void)
{
    draws d = draws_from(11);
    for (int i = 0; i < N * PIXELS; i++)
        floats_of[i / PIXELS][i % PIXELS] = (float)(bytes_of[i / PIXELS][i % PIXELS] = (uint8_t)draw_below(&d, 256)) / 255;
    for (int i = 0; i < M * PIXELS; i++)
        test_floats[i / PIXELS][i % PIXELS] = (float)(test_bytes[i / PIXELS][i % PIXELS] = (uint8_t)draw_below(&d, 256)) / 255;
    for (int i = 0; i < N; i++)
        labels_of[i] = i % 3;
    for (int i = 0; i < M; i++)
        test_labels[i] = i % 2;
}

static lt_memory_images in_memory(bool as_floats)
{
    lt_memory_images m = {.h = H, .w = W, .c = 1};
    m.split[LT_TRAIN] = (lt_memory_split){.n = N, .labels = labels_of};
    m.split[LT_TEST] = (lt_memory_split){.n = M, .labels = test_labels};
    if (as_floats) {
        m.split[LT_TRAIN].floats = floats_of[0];
        m.split[LT_TEST].floats = test_floats[0];
    } else {
        m.split[LT_TRAIN].bytes = bytes_of[0];
        m.split[LT_TEST].bytes = test_bytes[0];
    }
    return m;
}

static lt_dataset *must_make(const lt_memory_images *m, const lt_data_options *o)
{
    lt_dataset *d;
    if (lt_dataset_from_memory(m, o, &d) != LT_OK)
        fail_msg("%s", lt_last_error());
    return d;
}

/* ---- The same in files ---- */

/* A directory with both splits and their labels. */
static const char *put_files(bool as_floats)
{
    const char *at = as_floats ? "floats" : "bytes";
    char shape[32];
    assert_int_equal(file_make_directories(in_dir(at)), LT_OK);
    static const char *const names[] = {"train", "test"};
    const void *const images[2][2] = {{bytes_of, test_bytes}, {floats_of, test_floats}};
    const int32_t *const labels[] = {labels_of, test_labels};
    for (int i = 0; i < 2; i++) {
        char *path = must_format("%s/%s.npy", at, names[i]), *beside = must_format("%s/%s-labels.npy", at, names[i]);
        int n = i ? M : N;
        snprintf(shape, sizeof shape, "(%d, %d, %d)", n, H, W);
        put_numbers(path, as_floats ? "<f4" : "|u1", shape, images[as_floats][i],
                    (size_t)(n * PIXELS) * (as_floats ? 4 : 1));
        snprintf(shape, sizeof shape, "(%d,)", n);
        put_numbers(beside, "<i4", shape, labels[i], sizeof(int32_t) * (size_t)n);
        free(path);
        free(beside);
    }
    return in_dir(at);
}

/* ---- Comparing ---- */

static void assert_same_split(const lt_dataset *a, const lt_dataset *b, lt_split split)
{
    const lt_dataset_info *p = lt_dataset_describe(a), *q = lt_dataset_describe(b);
    int n = p->n[split], size = p->h * p->w * p->c;
    char x_id[IDENTITY_TEXT], y_id[IDENTITY_TEXT];
    assert_int_equal(n, q->n[split]);
    assert_int_equal(p->has_labels[split], q->has_labels[split]);
    dataset_identity(a, split, x_id);
    dataset_identity(b, split, y_id);
    assert_string_equal(x_id, y_id);
    int32_t index[N], labels[2][N];
    for (int i = 0; i < n; i++)
        index[i] = i;
    float *x = must_alloc(sizeof *x * (size_t)(n * size) + 1), *y = must_alloc(sizeof *y * (size_t)(n * size) + 1);
    assert_int_equal(lt_dataset_gather(a, split, index, n, 3, 1, x), LT_OK);
    assert_int_equal(lt_dataset_gather(b, split, index, n, 3, 1, y), LT_OK);
    assert_memory_equal(x, y, sizeof *x * (size_t)(n * size));
    if (n > 0 && p->has_labels[split]) {
        assert_int_equal(lt_dataset_labels(a, split, index, n, labels[0]), LT_OK);
        assert_int_equal(lt_dataset_labels(b, split, index, n, labels[1]), LT_OK);
        assert_memory_equal(labels[0], labels[1], sizeof(int32_t) * (size_t)n);
    }
    free(x);
    free(y);
}

static void as_from_files_with_every_option(void **state)
{
    (void)state;
    static const lt_data_options options[] = {{0},
                                              {.validation = 5},
                                              {.classes = "1, 2", .limit = 6},
                                              {.resize = "6x5"},
                                              {.channels = 3},
                                              {.binarize = LT_BINARIZE_DYNAMIC, .seed = 4},
                                              {.validation = 4, .classes = "0", .resize = "2"}};
    for (int k = 0; k < 4; k++) {
        bool as_floats = k & 1;
        const char *path = put_files(as_floats);
        for (int i = 0; i < COUNT_OF(options); i++) {
            lt_memory_images m = in_memory(as_floats);
            m.borrow = k > 1;
            lt_dataset *a = must_make(&m, &options[i]), *b = must_open(path, &options[i]);
            const lt_dataset_info *p = lt_dataset_describe(a), *q = lt_dataset_describe(b);
            assert_true(p->h == q->h && p->w == q->w && p->c == q->c && p->classes == q->classes &&
                        p->is_binary == q->is_binary);
            for (int s = 0; s < LT_SPLITS; s++)
                assert_same_split(a, b, (lt_split)s);
            lt_dataset_free(a);
            lt_dataset_free(b);
        }
    }
}

/* What an array of the caller's holds is not changed, borrowed or not. */
static void callers_images_stay(void **state)
{
    (void)state;
    uint8_t before[N][PIXELS];
    memcpy(before, bytes_of, sizeof before);
    lt_memory_images m = in_memory(false);
    m.borrow = true;
    lt_dataset *d = must_make(&m, &(lt_data_options){.classes = "2", .validation = 3});
    lt_dataset_free(d);
    assert_memory_equal(before, bytes_of, sizeof before);
}

static void memorization_outlive_the_callers(void **state)
{
    (void)state;
    float x[PIXELS];
    uint8_t *own = must_alloc(sizeof bytes_of);
    memcpy(own, bytes_of, sizeof bytes_of);
    lt_memory_images m = in_memory(false);
    m.split[LT_TRAIN].bytes = own;
    lt_dataset *d = must_make(&m, NULL);
    memset(own, 0, sizeof bytes_of);
    free(own);
    assert_int_equal(lt_dataset_gather(d, LT_TRAIN, (const int32_t[]){5}, 1, 0, 1, x), LT_OK);
    for (int i = 0; i < PIXELS; i++)
        assert_true(x[i] == (float)bytes_of[5][i] / 255);
    lt_dataset_free(d);
    m.split[LT_TRAIN].bytes = bytes_of[0];
    m.borrow = true; /* nothing is copied: the pixels that are seen are the caller's */
    d = must_make(&m, NULL);
    uint8_t was = bytes_of[5][0];
    bytes_of[5][0] = (uint8_t)(was ^ 255);
    assert_int_equal(lt_dataset_gather(d, LT_TRAIN, (const int32_t[]){5}, 1, 0, 1, x), LT_OK);
    assert_true(x[0] == (float)(was ^ 255) / 255);
    bytes_of[5][0] = was;
    lt_dataset_free(d);
}

static void names_and_missing_labels(void **state)
{
    (void)state;
    lt_memory_images m = in_memory(false);
    m.name = "mine";
    m.class_names = (const char *const[]){"a", "b", "c", "d"};
    m.n_classes = 4;
    lt_dataset *d = must_make(&m, NULL);
    assert_string_equal(lt_dataset_describe(d)->name, "mine");
    assert_int_equal(lt_dataset_describe(d)->classes, 4);
    assert_string_equal(lt_dataset_describe(d)->class_names[3], "d");
    lt_dataset_free(d);
    m.split[LT_TRAIN].labels = m.split[LT_TEST].labels = NULL;
    d = must_make(&m, NULL);
    assert_false(lt_dataset_describe(d)->has_labels[LT_TRAIN]);
    lt_dataset_free(d);
    m.split[LT_TRAIN].n = 0;
    d = must_make(&m, NULL);
    assert_int_equal(lt_dataset_describe(d)->n[LT_TRAIN], 0);
    lt_dataset_free(d);
}

static void check_refused(const lt_memory_images *m, const lt_data_options *o, const char *words)
{
    lt_dataset *d;
    assert_int_equal(lt_dataset_from_memory(m, o, &d), LT_VALUE);
    assert_null(d);
    assert_text_has(lt_last_error(), words);
}

static void what_makes_no_set_is_refused(void **state)
{
    (void)state;
    float bad[N][PIXELS];
    int32_t labels[N];
    lt_memory_images m = in_memory(true), none = {.h = H, .w = W, .c = 1};
    check_refused(&none, NULL, "found none in any split");
    m.h = 0;
    check_refused(&m, NULL, "found 0 x 3 x 1");
    m = in_memory(true);
    m.split[LT_TEST].bytes = test_bytes[0];
    check_refused(&m, NULL, "the test split: expected bytes or floats, found both");
    m.split[LT_TEST].floats = NULL;
    check_refused(&m, NULL, "bytes in 1 splits and floats in 1");
    m = in_memory(true);
    memcpy(bad, floats_of, sizeof bad);
    m.split[LT_TRAIN].floats = bad[0];
    bad[3][5] = 1.5f;
    check_refused(&m, NULL, "train image 3, number 5: expected a value in [0, 1], found 1.5");
    bad[3][5] = (float)NAN;
    check_refused(&m, NULL, "found nan");
    m = in_memory(true);
    memcpy(labels, labels_of, sizeof labels);
    labels[7] = 256;
    m.split[LT_TRAIN].labels = labels;
    check_refused(&m, NULL, "label 7 of the train split: expected 0 to 255, found 256");
    m = in_memory(true);
    check_refused(&m, &(lt_data_options){.validation = N}, "validation");
    check_refused(&m, &(lt_data_options){.path = "x"}, "path");
    m.c = 2;
    m.split[LT_TRAIN].n = m.split[LT_TEST].n = 1;
    check_refused(&m, NULL, "expected images of 1 channel");
}

/* ---- Training ---- */

static const char recipe[] = "name: mine\nmodel:\n  latent: 2\n  likelihood: bernoulli\n  encoder: [linear 5, elu]\n"
                             "  decoder: [linear image]\ntrain: {batch: 5, epochs: 4, ema_decay: 0.9}\n";

/* Trains `epochs` in the run at `path`, new or gone on with, on data that this gives back. */
static int train(lt_dataset *d, const char *path, int epochs, bool is_new)
{
    lt_recipe *r = lt_recipe_parse("mine.yaml", recipe, NULL, 0);
    if (!r)
        fail_msg("%s", lt_last_error());
    assert_string_equal(lt_recipe_dataset(r), "");
    lt_model *m = lt_model_create(r, (lt_image_size){H, W, 1});
    lt_trainer *t = lt_trainer_create(m, d, NULL);
    assert_non_null(t);
    lt_run *run = NULL;
    int status = is_new ? lt_run_create(path, t, &run) : lt_run_open(path, NULL, 0, &run);
    if (status == LT_OK && !is_new)
        status = lt_run_restore(run, t);
    for (int i = 0; i < epochs && status == LT_OK; i++) {
        status = lt_trainer_epoch(t, NULL, NULL, NULL);
        if (status == LT_OK)
            status = lt_run_save(run, t);
    }
    lt_run_free(run);
    lt_trainer_free(t);
    lt_model_free(m);
    lt_recipe_free(r);
    lt_dataset_free(d);
    return status;
}

static void assert_ok(int status)
{
    if (status != LT_OK)
        fail_msg("%s", lt_last_error());
}

/* N = 24 in batches of 5 are 5 steps an epoch. */
static void training_gives_the_same_bytes(void **state)
{
    (void)state;
    static const char last[] = "checkpoints/step-00000020.safetensors";
    for (int k = 0; k < 2; k++) {
        lt_memory_images m = in_memory(k);
        const char *files = put_files(k);
        char *a = must_format("%s/memory-%d", dir, k), *b = must_format("%s/file-%d", dir, k),
             *c = must_format("%s/both-%d", dir, k);
        assert_ok(train(must_make(&m, NULL), a, 4, true));
        assert_ok(train(must_open(files, NULL), b, 4, true));
        assert_ok(train(must_make(&m, NULL), c, 2, true));  /* begun in memory, */
        assert_ok(train(must_open(files, NULL), c, 2, false)); /* gone on with from files */
        char *of_a = file_join(a, last), *of_b = file_join(b, last), *of_c = file_join(c, last);
        assert_same_file(of_a, of_b);
        assert_same_file(of_a, of_c);
        char *more[] = {a, b, c, of_a, of_b, of_c};
        for (int i = 0; i < COUNT_OF(more); i++)
            free(more[i]);
    }
}

static void other_images_do_not_resume(void **state)
{
    (void)state;
    lt_memory_images m = in_memory(false);
    assert_ok(train(must_make(&m, NULL), in_dir("run"), 1, true));
    bytes_of[2][2] ^= 1;
    assert_int_equal(train(must_make(&m, NULL), in_dir("run"), 1, false), LT_VALUE);
    assert_text_has(lt_last_error(), "was trained on other data");
    bytes_of[2][2] ^= 1;
    assert_ok(train(must_make(&m, NULL), in_dir("run"), 1, false));
}

/* ---- Recipes that leave their data to others ---- */

static void recipes_without_data_say_what_to_do(void **state)
{
    (void)state;
    lt_dataset *d;
    lt_recipe *r = lt_recipe_parse("mine.yaml", recipe, NULL, 0);
    assert_int_equal(lt_recipe_open_data(r, NULL, &d), LT_VALUE);
    assert_text_has(lt_last_error(), "the recipe mine names no data set; expected one: --data DATA");
    assert_int_equal(lt_recipe_open_data_with(r, NULL, NULL, 0, &d), LT_VALUE);
    assert_int_equal(lt_recipe_open_data(r, put_files(false), &d), LT_OK);
    lt_dataset_free(d);
    const char *const sets[] = {"data.limit=3", "data.set=synthetic"};
    assert_int_equal(lt_recipe_open_data_with(r, NULL, sets, 2, &d), LT_OK);
    assert_int_equal(lt_dataset_describe(d)->n[LT_TRAIN], 3);
    lt_dataset_free(d);
    /* the text with every default says it again, and is the same text */
    lt_recipe *again = lt_recipe_parse("again.yaml", lt_recipe_text(r), NULL, 0);
    assert_non_null(again);
    assert_string_equal(lt_recipe_text(r), lt_recipe_text(again));
    assert_text_has(lt_recipe_text(r), "  set: \"\"\n");
    lt_recipe_free(again);
    const char *const options[] = {"data.resize=8", "data.set=synthetic"}; /* --set makes the section */
    again = lt_recipe_parse("set.yaml", recipe, options, 2);
    assert_non_null(again);
    assert_string_equal(lt_recipe_dataset(again), "synthetic");
    assert_string_equal(lt_recipe_data_options(again)->resize, "8");
    lt_recipe_free(again);
    lt_recipe_free(r);
}

static int begin(void **state)
{
    make_images();
    return make_data_dir(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_from_files_with_every_option),
        cmocka_unit_test(callers_images_stay),
        cmocka_unit_test(memorization_outlive_the_callers),
        cmocka_unit_test(names_and_missing_labels),
        cmocka_unit_test(what_makes_no_set_is_refused),
        cmocka_unit_test(training_gives_the_same_bytes),
        cmocka_unit_test(other_images_do_not_resume),
        cmocka_unit_test(recipes_without_data_say_what_to_do),
    };
    return cmocka_run_group_tests(tests, begin, remove_dir);
}
