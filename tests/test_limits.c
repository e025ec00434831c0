/* SPDX-License-Identifier: MIT */
/* Each row of the limits, with an input that needs a known amount of it: read where the limit is
   that amount, refused by name where it is one less. */
#include "check.h"
#include "data_files.h"
#include "picture_files.h"

#include <latent/limits.h>
#include <latent/model.h>

#include <sys/stat.h>

#include "base/ceilings.h"
#include "image/picture.h"
#include "run/metrics.h"
#include "train/safetensors.h"

enum { W = 24, H = 16 };

static bytes small_jpeg(bool is_progressive)
{
    static unsigned char pixels[W * H];
    for (int i = 0; i < W * H; i++)
        pixels[i] = (unsigned char)(i * i / 7);
    return make_jpeg(W, H, TJPF_GRAY, TJSAMP_GRAY, is_progressive ? TJFLAG_PROGRESSIVE : 0, pixels);
}

/* Start-of-scan markers, counted by brute force: no other part of these files has ff da. */
static uint64_t count_scans(void)
{
    bytes b = small_jpeg(true);
    uint64_t n = 0;
    for (size_t i = 0; i + 1 < b.size; i++)
        n += b.data[i] == 0xff && b.data[i + 1] == 0xda;
    bytes_clear(&b);
    assert_true(n > 1);
    return n;
}

static int read_picture(bool is_progressive)
{
    bytes b = small_jpeg(is_progressive);
    picture_file s = {.path = "file", .content = b};
    picture p;
    int status = picture_decode(&s, &p);
    picture_clear(&p);
    bytes_clear(&b);
    return status;
}

static int read_still(void) { return read_picture(false); }
static int read_progressive(void) { return read_picture(true); }

static int open_set(const char *name)
{
    lt_dataset *d;
    int status = lt_dataset_open(in_dir(name), NULL, &d);
    lt_dataset_free(d);
    return status;
}

static int read_array(void) { return open_set("a.npy"); }
static int read_zip(void) { return open_set("a.zip"); }
static int read_npz(void) { return open_set("a.npz"); }

/* A file two folders down. */
static int read_folder(void) { return open_set("deep"); }

/* Four levels: the recipe, a section, a list, its lines. */
static const char recipe_words[] = "data: {set: synthetic}\n"
                                   "model:\n"
                                   "  kind: gan\n"
                                   "  latent: 2\n"
                                   "  generator: [linear image]\n"
                                   "  discriminator: [linear 1]\n"
                                   "objective: {loss: minimax}\n";

static int read_recipe(void)
{
    lt_recipe *r;
    lt_recipe_open(in_dir("a.yaml"), NULL, 0, &r);
    lt_recipe_free(r);
    return r ? LT_OK : LT_FORMAT;
}

static const char log_words[] = "{\"step\":1,\"epoch\":1}\n";

static int read_metrics(void)
{
    int64_t left;
    return metrics_cut(in_dir("metrics.jsonl"), 5, 1, &left);
}

static int read_tensors(void)
{
    safetensors *file;
    int status = safetensors_read(in_dir("a.safetensors"), &file);
    if (status == LT_OK)
        safetensors_free(file);
    return status;
}

static int read_csv(void)
{
    lt_number_array *all;
    int n, status = lt_arrays_read(in_dir("a.csv"), &all, &n);
    lt_arrays_free(all, n);
    return status;
}

static uint64_t array_bytes, jpeg_bytes, header_bytes, scans;

static void make_zip_file(const char *name, const char *entries[2], const bytes contents[2])
{
    int code;
    zip_t *z = zip_open(in_dir(name), ZIP_CREATE | ZIP_TRUNCATE, &code);
    assert_non_null(z);
    for (int i = 0; i < 2; i++)
        assert_true(zip_file_add(z, entries[i],
                                 zip_source_buffer(z, contents[i].data, contents[i].size, 0),
                                 0) >= 0);
    assert_int_equal(zip_close(z), 0);
}

static int make_inputs(void **state)
{
    int status = make_data_dir(state);
    setenv("XDG_CACHE_HOME", "/dev/null", 1); /* nothing is kept: each reading is one */
    float pixels[2 * 4 * 4] = {0}, weights[3] = {1, 2, 3};
    assert_int_equal(lt_npy_write(in_dir("a.npy"), pixels, 3, (const int64_t[]){2, 4, 4}), LT_OK);
    bytes array, jpeg = small_jpeg(false), file;
    assert_int_equal(file_read(in_dir("a.npy"), 1 << 20, &array), LT_OK);
    array_bytes = array.size;
    jpeg_bytes = jpeg.size;
    scans = count_scans();
    make_zip_file("a.zip", (const char *[]){"1.jpg", "2.jpg"}, (const bytes[]){jpeg, jpeg});
    make_zip_file("a.npz", (const char *[]){"x_train.npy", "x_test.npy"},
                  (const bytes[]){array, array});
    safetensors_entry t[2] = {
        {.name = "a", .type = SAFETENSORS_F32, .rank = 1, .dims = {3}, .data = weights},
        {.name = "b", .type = SAFETENSORS_F32, .rank = 1, .dims = {3}, .data = weights}};
    assert_int_equal(safetensors_write(in_dir("a.safetensors"), t, 2, NULL, 0), LT_OK);
    assert_int_equal(file_read(in_dir("a.safetensors"), 1 << 20, &file), LT_OK);
    header_bytes = file.size - 8 - 2 * sizeof weights;
    static const char *const folders[] = {"deep", "deep/a", "deep/a/b"};
    for (int i = 0; i < COUNT_OF(folders); i++)
        assert_int_equal(mkdir(in_dir(folders[i]), 0777), 0);
    put("deep/a/b/1.jpg", jpeg.data, jpeg.size);
    put_text("a.csv", "1,2,3\n4,5,6\n");
    put_text("a.yaml", recipe_words);
    put_text("metrics.jsonl", log_words);
    bytes_clear(&file);
    bytes_clear(&array);
    bytes_clear(&jpeg);
    return status;
}

static void every_limit_is_held(void **state)
{
    (void)state;
    const struct {
        limit_row row;
        uint64_t need;
        int (*read)(void);
    } cases[] = {
        {LIMIT_DATA_BYTES, array_bytes, read_array},
        {LIMIT_IMAGE_SIDE, W, read_still},
        {LIMIT_PICTURE_BYTES, jpeg_bytes, read_zip},
        {LIMIT_PICTURE_PIXELS, W * H, read_still},
        {LIMIT_JPEG_SCANS, scans, read_progressive},
        {LIMIT_JPEG_WORK, scans * W * H, read_progressive},
        {LIMIT_FOLDER_DEPTH, 2, read_folder},
        {LIMIT_ZIP_ENTRIES, 2, read_zip},
        {LIMIT_ZIP_BYTES, 2 * jpeg_bytes, read_zip},
        {LIMIT_CSV_COLUMNS, 3, read_csv},
        {LIMIT_NPZ_ARRAYS, 2, read_npz},
        {LIMIT_TENSORS_HEADER, header_bytes, read_tensors},
        {LIMIT_TENSORS_COUNT, 2, read_tensors},
        {LIMIT_RECIPE_BYTES, strlen(recipe_words), read_recipe},
        {LIMIT_RECIPE_DEPTH, 4, read_recipe},
        {LIMIT_METRICS_BYTES, strlen(log_words), read_metrics},
    };
    assert_int_equal(COUNT_OF(cases), lt_limit_count());
    for (int i = 0; i < COUNT_OF(cases); i++) {
        const lt_limit *l = lt_limit_get((int)cases[i].row);
        assert_int_equal(cases[i].row, i);
        limit_change(cases[i].row, cases[i].need);
        if (cases[i].read() != LT_OK)
            fail_msg("%s at %ju: %s", l->name, (uintmax_t)cases[i].need, lt_last_error());
        limit_change(cases[i].row, cases[i].need - 1);
        if (cases[i].read() != LT_FORMAT || !strstr(lt_last_error(), l->name))
            fail_msg("%s below %ju: not refused by name: %s", l->name, (uintmax_t)cases[i].need,
                     lt_last_error());
        limit_change(cases[i].row, 0);
    }
    assert_null(lt_limit_get(lt_limit_count()));
    assert_null(lt_limit_get(-1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_limit_is_held, make_inputs, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
