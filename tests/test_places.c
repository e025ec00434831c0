/* SPDX-License-Identifier: MIT */
/* Names inside folders and archives: however they are written they are the same set, and what a tool has
   drawn is not data. */
#include "data_files.h"
#include "picture_files.h"

#include "data/identity.h"
#include "data/entries.h"

/* ---- Files ---- */

static char told[8192];

static void keep_log(void *user, lt_log_level level, const char *line)
{
    (void)user, (void)level;
    snprintf(told + strlen(told), sizeof told - strlen(told), "%s\n", line);
}

static int make_place_dir(void **state)
{
    int status = make_data_dir(state);
    setenv("XDG_CACHE_HOME", in_dir("cache"), 1);
    told[0] = 0;
    lt_set_log(keep_log, NULL);
    return status;
}

static int remove_place_dir(void **state)
{
    lt_set_log(NULL, NULL);
    unsetenv("XDG_CACHE_HOME");
    return remove_dir(state);
}

static bytes image_of(unsigned char value)
{
    unsigned char pixels[12];
    memset(pixels, value, sizeof pixels);
    return make_png8(4, 3, 1, pixels);
}

/* Images of 1, 2, 3 ... under these names, as a zip file; others are texts. */
static const char *put_names(const char *zip, const char *const *names, int n)
{
    zip_item items[16];
    assert_true(n <= COUNT_OF(items));
    for (int i = 0; i < n; i++)
        items[i] = (zip_item){names[i], image_of((unsigned char)(i + 1)), i % 2};
    put_zip(in_dir(zip), items, n);
    for (int i = 0; i < n; i++)
        bytes_clear(&items[i].content);
    return in_dir(zip);
}

static void put_folder(const char *name, unsigned char value)
{
    bytes b = image_of(value);
    char *path = must_copy_text(in_dir(name));
    char *folder = file_directory(path);
    assert_int_equal(file_make_directories(folder), LT_OK);
    assert_int_equal(file_write(path, b.data, b.size), LT_OK);
    free(folder);
    free(path);
    bytes_clear(&b);
}

/* Pixels and labels of each split, in words: "1:0 2:1 | | 3:0". */
static const char *content_of(const char *path)
{
    static char words[1024];
    lt_dataset *d;
    if (lt_dataset_open(path, NULL, &d) != LT_OK)
        fail_msg("%s", lt_last_error());
    const lt_dataset_info *f = lt_dataset_describe(d);
    words[0] = 0;
    for (int s = 0; s < LT_SPLITS; s++) {
        snprintf(words + strlen(words), sizeof words - strlen(words), "%s", s ? " |" : "");
        for (int32_t i = 0; i < f->n[s]; i++) {
            float x[12];
            int32_t label = -1;
            assert_int_equal(lt_dataset_gather(d, (lt_split)s, &i, 1, 0, 1, x), LT_OK);
            if (f->has_labels[s])
                assert_int_equal(lt_dataset_labels(d, (lt_split)s, &i, 1, &label), LT_OK);
            snprintf(words + strlen(words), sizeof words - strlen(words), label < 0 ? " %d" : " %d:%d",
                     (int)(x[0] * 255 + 0.5f), (int)label);
        }
    }
    lt_dataset_free(d);
    return words + 1;
}

static void assert_told(const char *part)
{
    if (!strstr(told, part))
        fail_msg("expected \"%s\" in:\n%s", part, told);
}

static void expect_failure(const char *path, int status, const char *part)
{
    lt_dataset *d;
    assert_int_equal(lt_dataset_open(path, NULL, &d), status);
    if (!strstr(lt_last_error(), part))
        fail_msg("expected \"%s\", found: %s", part, lt_last_error());
}

/* ---- Names ---- */

static void names_are_cleaned(void **state)
{
    (void)state;
    static const struct {
        const char *name, *clean;
    } cases[] = {
        {"a/b.png", "a/b.png"},          {"./a/b.png", "a/b.png"},
        {"a\\b.png", "a/b.png"},         {".\\a\\b.png", "a/b.png"},
        {"/a/b.png", "a/b.png"},         {"//a//b.png", "a/b.png"},
        {"C:\\x\\a.png", "x/a.png"},     {"c:a.png", "a.png"},
        {"\\\\host\\a.png", "host/a.png"}, {"a/./b/././c.png", "a/b/c.png"},
        {"a/../b.png", "b.png"},         {"../../b.png", "b.png"},
        {"a/b/../../c.png", "c.png"},    {"a/b/..", "a/"},
        {"a/", "a/"},                    {"a\\", "a/"},
        {"./", ""},                      {"", ""},
        {"..", ""},                      {"a/..", ""},
        {"...", "..."},                  {"a..b/..c.png", "a..b/..c.png"},
        {".hidden/x.png", ".hidden/x.png"}, {"1:x.png", "1:x.png"},
        {"\xc3\xa9\\\xc3\xbc.png", "\xc3\xa9/\xc3\xbc.png"},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        char *name = must_copy_text(cases[i].name);
        assert_int_equal(entry_clean(name), strchr(cases[i].name, '\\') != NULL);
        assert_string_equal(name, cases[i].clean);
        free(name);
    }
}

static void splits_are_recognized(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        int split, like;
    } cases[] = {
        {"train", LT_TRAIN, LT_TRAIN},       {"Train", LT_TRAIN, LT_TRAIN},
        {"VAL", LT_VALID, LT_VALID},         {"testing", LT_TEST, LT_TEST},
        {"train_images", LT_SPLITS, LT_TRAIN}, {"test2017", LT_SPLITS, LT_TEST},
        {"seg_Val", LT_SPLITS, LT_VALID},    {"trainer", LT_SPLITS, LT_SPLITS},
        {"valley", LT_SPLITS, LT_SPLITS},    {"cat", LT_SPLITS, LT_SPLITS},
        {"contest", LT_SPLITS, LT_SPLITS},   {"", LT_SPLITS, LT_SPLITS},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(entry_split(cases[i].name, strlen(cases[i].name)), cases[i].split);
        assert_int_equal(entry_split_like(cases[i].name, strlen(cases[i].name)), cases[i].like);
    }
}

/* One set, by the archivers of this world. */
static void archives_are_one_set_however_written(void **state)
{
    (void)state;
    static const char *const parts[] = {"train/cat/0.png", "train/dog/0.png", "train/cat/1.png",
                                        "test/cat/0.png", "test/dog/0.png"};
    enum { N = COUNT_OF(parts) };
    static const char *const forms[] = {"%s", "./%s", "/%s", "pets/%s", "./pets/my/%s", "C:\\pets\\%s",
                                        "a/../%s", "//%s", "pets//%s"};
    char identity[2][IDENTITY_TEXT];
    for (int i = 0; i < 2 * COUNT_OF(forms); i++) {
        char *names[N];
        for (int k = 0; k < N; k++) {
            names[k] = must_alloc(64);
            snprintf(names[k], 64, forms[i / 2], parts[k]);
            for (char *c = names[k]; *c && i % 2; c++)
                *c = *c == '/' ? '\\' : *c;
        }
        const char *path = put_names("pets.zip", (const char *const *)names, N);
        assert_string_equal(content_of(path), "1:0 2:1 3:0 | | 4:0 5:1");
        lt_dataset *d;
        assert_int_equal(lt_dataset_open(path, NULL, &d), LT_OK);
        dataset_identity(d, LT_TRAIN, identity[i > 0]);
        assert_string_equal(identity[i > 0], identity[0]);
        lt_dataset_free(d);
        for (int k = 0; k < N; k++)
            free(names[k]);
    }
    assert_told("pets.zip: '\\' in its names is read as '/'");
}

static void the_odd_archives_are_one_set(void **state)
{
    (void)state;
    static const char *const zips[] = {"good", "backslash", "dotslash"};
    char identity[3][LT_SPLITS][IDENTITY_TEXT];
    if (!file_exists(SHARED_DATA "/odd/good.zip"))
        skip();
    for (int i = 0; i < COUNT_OF(zips); i++) {
        char *path = must_format("%s/odd/%s.zip", SHARED_DATA, zips[i]);
        lt_dataset *d;
        assert_int_equal(lt_dataset_open(path, NULL, &d), LT_OK);
        assert_int_equal(lt_dataset_describe(d)->n[LT_TRAIN], 6);
        assert_int_equal(lt_dataset_describe(d)->n[LT_TEST], 6);
        assert_int_equal(lt_dataset_describe(d)->classes, 2);
        for (int s = 0; s < LT_SPLITS; s++) {
            dataset_identity(d, (lt_split)s, identity[i][s]);
            assert_string_equal(identity[i][s], identity[0][s]);
        }
        lt_dataset_free(d);
        free(path);
    }
}

static void the_last_of_two_entries_stays(void **state)
{
    (void)state;
    static const char *const names[] = {"a/1.png", "b/1.png", "a/2.png", "./b/1.png"};
    const char *path = put_names("twice.zip", names, COUNT_OF(names));
    bytes b;
    assert_int_equal(file_read(path, 1 << 20, &b), LT_OK);
    for (size_t i = 0; i + 7 <= b.size; i++) /* libzip would not write it */
        if (memcmp(b.data + i, "a/2.png", 7) == 0)
            b.data[i + 2] = '1';
    assert_int_equal(file_write(path, b.data, b.size), LT_OK);
    bytes_clear(&b);
    assert_string_equal(content_of(path), "3:0 4:1 | |");
    assert_told("2 pictures are there twice under one name; the last ones are used: a/1.png ...");
}

static void splits_that_vanish_are_told_of(void **state)
{
    (void)state;
    static const struct {
        const char *names[3];
        const char *told;
    } cases[] = {
        {{"train_images/1.png", "test_images/1.png", "test_images/2.png"},
         "also those in test_images; splits are folders called train, valid (or val) and test, side by "
         "side, where this has train_images"},
        {{"images/train/1.png", "masks/test/1.png", "images/train/2.png"}, "also those in masks/test"},
        {{"seg_train/a/1.png", "seg_val/a/1.png", "x/1.png"}, "also those in seg_val"},
        {{"cat/1.png", "dog/1.png", "train/1.png"}, NULL}, /* the vehicle */
        {{"train/1.png", "test/1.png", "train/2.png"}, NULL},
        {{"trainer/1.png", "test_tube/1.png", "valley/2.png"}, NULL},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        told[0] = 0;
        content_of(put_names("names.zip", cases[i].names, 3));
        if (cases[i].told)
            assert_told(cases[i].told);
        else
            assert_null(strstr(told, "no splits are found"));
    }
}

/* ---- Runs ---- */

static void put_run(const char *name, const char *other)
{
    char *path = must_format("%s/recipe.yaml", name);
    put_folder(path, 0);
    free(path);
    path = must_format("%s/%s", name, other);
    put_folder(path, 0);
    free(path);
    path = must_format("%s/samples/epoch-0001.png", name);
    put_folder(path, 99);
    free(path);
}

static void runs_in_a_folder_are_left_out(void **state)
{
    (void)state;
    put_folder("photos/a.png", 1);
    put_folder("photos/sub/b.png", 2);
    put_run("photos/runs/one", "checkpoints/step-1.safetensors");
    put_run("photos/runs/two", "metrics.jsonl");
    put_folder("photos/samples/c.png", 3); /* not of a run */
    put_folder("photos/recipe.yaml", 0);
    put_folder("photos/sub/recipe.yaml", 0);
    assert_string_equal(content_of(in_dir("photos")), "1 3 2 | |");
    assert_told("photos: 2 runs of latent train inside it are skipped: runs/one ...");
}

static void runs_in_an_archive_are_left_out(void **state)
{
    (void)state;
    static const char *const names[] = {
        "a.png", "runs/x/recipe.yaml", "runs/x/checkpoints/1.safetensors",
        "runs/x/samples/1.png", "runs/y/metrics.jsonl", "runs/y/samples/2.png", "runs/xx/3.png",
        "z\\recipe.yaml", "z\\metrics.jsonl", "z\\samples\\1.png",
    };
    assert_string_equal(content_of(put_names("runs.zip", names, COUNT_OF(names))), "1 7 6 | |");
    assert_told("2 runs of latent train inside it are skipped: runs/x ...");
    static const char *const only[] = {"x/recipe.yaml", "x/metrics.jsonl", "x/samples/1.png"};
    expect_failure(put_names("run.zip", only, 3), LT_NOT_FOUND,
                   "expected pictures, found only those of 1 run of latent train: x");
    static const char *const bare[] = {"recipe.yaml", "metrics.jsonl", "samples/1.png"};
    expect_failure(put_names("run.zip", bare, 3), LT_VALUE, "run.zip: this is a run of latent train");
}

static void a_run_is_not_data(void **state)
{
    (void)state;
    put_run("x", "checkpoints/step-1.safetensors");
    put_folder("x/mine/1.png", 5);
    expect_failure(in_dir("x"), LT_VALUE, "this is a run of latent train");
    expect_failure(in_dir("x/samples"), LT_VALUE, "is a run of latent train");
    expect_failure(in_dir("x/samples/"), LT_VALUE, "is a run of latent train");
    expect_failure(in_dir("x/checkpoints"), LT_VALUE, "is a run of latent train");
    assert_string_equal(content_of(in_dir("x/mine")), "5 | |");
    put_folder("pictures/samples/1.png", 6);
    assert_string_equal(content_of(in_dir("pictures/samples")), "6 | |");
}

static void litter_is_left_out(void **state)
{
    (void)state;
    static const char *const litter[] = {
        ".hidden/1.png", ".a.png", "__MACOSX/1.png", "@eaDir/1.png", "#recycle/1.png",
        ".ipynb_checkpoints/1.png", "$RECYCLE.BIN/1.png", "System Volume Information/1.png",
    };
    put_folder("photos/a.png", 1);
    for (int i = 0; i < COUNT_OF(litter); i++) {
        char *name = must_format("photos/%s", litter[i]);
        put_folder(name, 9);
        free(name);
    }
    assert_string_equal(content_of(in_dir("photos")), "1 | |");
}

/* ---- Looking at what is not alike ---- */

static void put_image(const char *name, int h, int w, int c)
{
    unsigned char pixels[64 * 64 * 3];
    memset(pixels, 7, sizeof pixels);
    if (c == 3) /* else it would be stored as gray by some */
        pixels[0] = 200;
    bytes b = make_png8(w, h, c, pixels);
    char *path = must_copy_text(in_dir(name)), *folder = file_directory(path);
    assert_int_equal(file_make_directories(folder), LT_OK);
    assert_int_equal(file_write(path, b.data, b.size), LT_OK);
    free(folder);
    free(path);
    bytes_clear(&b);
}

static void mixed_pictures_are_described(void **state)
{
    (void)state;
    put_image("mixed/train/a/1.png", 40, 60, 3);
    put_image("mixed/train/a/2.png", 40, 60, 3);
    put_image("mixed/train/a/3.png", 64, 33, 3);
    put_image("mixed/train/b/1.png", 40, 60, 1);
    put_image("mixed/test/b/1.png", 5, 5, 3);
    for (int i = 0; i < 12; i++) {
        char name[64];
        snprintf(name, sizeof name, "mixed/train/c/%02d.png", i);
        put_folder(name, 1);
        assert_int_equal(file_write(in_dir(name), "\x89PNG\r\n\x1a\nxx", 10), LT_OK);
    }
    lt_survey v;
    assert_int_equal(lt_data_survey(in_dir("mixed"), &v), LT_OK);
    assert_int_equal(v.images, 5);
    assert_int_equal(v.n[LT_TRAIN], 4);
    assert_int_equal(v.n[LT_TEST], 1);
    assert_int_equal(v.n_sizes, 4);
    assert_int_equal(v.sizes[0].images, 2);
    assert_int_equal(v.sizes[0].h, 40);
    assert_int_equal(v.sizes[0].w, 60);
    assert_int_equal(v.sizes[0].c, 3);
    assert_int_equal(v.n_classes, 3);
    assert_string_equal(v.classes[0].name, "a");
    assert_int_equal(v.classes[0].images[LT_TRAIN], 3);
    assert_int_equal(v.classes[1].images[LT_TRAIN], 1);
    assert_int_equal(v.classes[1].images[LT_TEST], 1);
    assert_int_equal(v.classes[2].images[LT_TRAIN], 0);
    assert_int_equal(v.unreadable, 12);
    assert_int_equal(v.n_problems, LT_SURVEY_PROBLEMS);
    assert_non_null(strstr(v.problems[0], "mixed/train/c/00.png"));
    assert_string_equal(v.sets, "--set data.resize=32 --set data.channels=3");
    lt_survey_clear(&v);
    /* and with these it opens; the class without an image is there */
    lt_data_options o = {.resize = "32", .channels = 3};
    lt_dataset *d;
    assert_int_equal(lt_dataset_open(in_dir("mixed"), &o, &d), LT_OK);
    assert_int_equal(lt_dataset_describe(d)->classes, 3);
    assert_string_equal(lt_dataset_describe(d)->class_names[2], "c");
    lt_dataset_free(d);
}

static void alike_pictures_need_nothing(void **state)
{
    (void)state;
    lt_survey v;
    put_image("alike/1.png", 9, 8, 1);
    put_image("alike/2.png", 9, 8, 1);
    assert_int_equal(lt_data_survey(in_dir("alike"), &v), LT_OK);
    assert_string_equal(v.sets, "");
    assert_int_equal(v.n_classes, 0);
    lt_survey_clear(&v);
    put_image("alike/3.png", 9, 8, 3);
    assert_int_equal(lt_data_survey(in_dir("alike"), &v), LT_OK);
    assert_string_equal(v.sets, "--set data.channels=3");
    lt_survey_clear(&v);
    assert_int_equal(lt_data_survey(in_dir("nowhere"), &v), LT_NOT_FOUND);
    lt_survey_clear(&v);
}

int main(void)
{
#define PLACES(name) cmocka_unit_test_setup_teardown(name, make_place_dir, remove_place_dir)
    const struct CMUnitTest tests[] = {
        PLACES(names_are_cleaned),
        PLACES(splits_are_recognized),
        PLACES(archives_are_one_set_however_written),
        PLACES(the_odd_archives_are_one_set),
        PLACES(the_last_of_two_entries_stays),
        PLACES(splits_that_vanish_are_told_of),
        PLACES(runs_in_a_folder_are_left_out),
        PLACES(runs_in_an_archive_are_left_out),
        PLACES(a_run_is_not_data),
        PLACES(litter_is_left_out),
        PLACES(mixed_pictures_are_described),
        PLACES(alike_pictures_need_nothing),
    };
    return cmocka_run_group_tests_name("places", tests, NULL, NULL);
}
