/* SPDX-License-Identifier: MIT */
/* Finding and opening sets, and batches that depend on
   nothing but their arguments. */
#include "data_files.h"

#include "base/options.h"
#include "data/catalog.h"
#include "data/dataset.h"

#include <math.h>

/* ---- Sets ---- */

/* Writes files of MNIST's names with few images; labels of train and test as many as said. */
static void put_small_mnist(int train_labels)
{
    unsigned char image[IDX_SIZE], label[LABELS_SIZE + 8] = {0};
    make_idx(image, label);
    put("train-images-idx3-ubyte", image, IDX_SIZE);
    put("t10k-images-idx3-ubyte", image, IDX_SIZE);
    put_gz("t10k-labels-idx1-ubyte.gz", label, LABELS_SIZE);
    label[7] = (unsigned char)train_labels;
    put("train-labels-idx1-ubyte", label, 8 + (size_t)train_labels);
}

static void directory_with_idx_files(void **state)
{
    (void)state;
    put_small_mnist(2);
    lt_dataset *d = must_open(dir, NULL);
    const lt_dataset_info *f = lt_dataset_describe(d);
    assert_int_equal(f->n[LT_TRAIN] * 100 + f->n[LT_VALID] * 10 + f->n[LT_TEST], 202);
    assert_int_equal(f->classes, 8);
    lt_dataset_free(d);
    put_small_mnist(1);
    assert_malformed(dir, "expected 2 labels, one for each image of");
    put_small_mnist(3);
    assert_malformed(dir, "found 3");

    unsigned char image[IDX_SIZE], label[LABELS_SIZE];
    make_idx(image, label);
    put("train-labels-idx1-ubyte", image, IDX_SIZE);
    assert_malformed(dir, "expected labels, found 2 images of 3 x 3 x 1");
    put_small_mnist(2);
    put("train-images-idx3-ubyte", label, LABELS_SIZE);
    assert_malformed(dir, "expected images, found 2 labels");
    unlink(in_dir("train-images-idx3-ubyte"));
    assert_rejected(LT_NOT_FOUND, dir, "lacks train-images-idx3-ubyte");
}

static void named_set_must_be_the_published_one(void **state)
{
    (void)state;
    put_small_mnist(2);
    lt_data_options o = {0};
    strcpy(o.path, dir);
    lt_dataset *d;
    assert_int_equal(lt_dataset_open("mnist", &o, &d), LT_FORMAT);
    assert_says("expected 60000 train images of mnist, found 2");
    assert_null(d);
    assert_int_equal(lt_dataset_open("binarized-mnist", &o, &d), LT_NOT_FOUND);
    assert_says("lacks binarized_mnist_train.amat");
    assert_int_equal(lt_dataset_open("synthetic", &o, &d), LT_VALUE);
    assert_int_equal(lt_dataset_open(dir, &o, &d), LT_VALUE);
    assert_int_equal(lt_data_verify("mnist", dir), LT_FORMAT);
    assert_says("ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db");
    char found[SHA256_TEXT];
    unsigned char image[IDX_SIZE], label[LABELS_SIZE];
    make_idx(image, label);
    sha256_text(image, IDX_SIZE, found);
    assert_says(found);
}

static void missing_and_misspelled_names(void **state)
{
    (void)state;
    lt_dataset *d;
    setenv("XDG_CACHE_HOME", dir, 1);
    setenv("LATENT_DATA", in_dir("data"), 1);
    assert_int_equal(lt_dataset_open("mnist", NULL, &d), LT_NOT_FOUND);
    assert_says(in_dir("data/mnist: no such directory"));
    assert_says(in_dir("latent/mnist: no such directory"));
    assert_says("latent data fetch mnist");
    lt_data_options o = {.path = "/none"};
    assert_int_equal(lt_dataset_open("fashion-mnist", &o, &d), LT_NOT_FOUND);
    assert_says("/none/fashion-mnist: no such directory");
    assert_says("apt install dataset-fashion-mnist");
    assert_int_equal(lt_dataset_open("fashion-minst", NULL, &d), LT_NOT_FOUND);
    assert_says("did you mean 'fashion-mnist'?");
    assert_says("nor is there such a file or directory");
    assert_int_equal(lt_dataset_open("", NULL, &d), LT_NOT_FOUND);
    assert_int_equal(lt_dataset_open("synthetc", NULL, &d), LT_NOT_FOUND);
    assert_says("did you mean 'synthetic'?");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("LATENT_DATA");
}

static void search_takes_the_first_complete_place(void **state)
{
    (void)state;
    char place[256];
    put_small_mnist(2); /* in `dir` itself */
    setenv("LATENT_DATA", in_dir("data"), 1);
    setenv("XDG_CACHE_HOME", "relative/ignored", 1);
    setenv("HOME", dir, 1);
    assert_int_equal(lt_data_find("mnist", NULL, place, sizeof place), LT_NOT_FOUND);
    assert_int_equal(file_make_directories(in_dir("data/mnist")), LT_OK);
    assert_int_equal(file_make_directories(in_dir(".cache/latent")), LT_OK);
    assert_int_equal(symlink(dir, in_dir(".cache/latent/mnist")), 0);
    assert_int_equal(lt_data_find("mnist", NULL, place, sizeof place), LT_OK);
    assert_string_equal(place, in_dir(".cache/latent/mnist"));
    assert_int_equal(lt_data_find("mnist", dir, place, sizeof place), LT_OK);
    assert_string_equal(place, dir);
    assert_int_equal(lt_data_find("mnist", in_dir(".cache/latent"), place, sizeof place), LT_OK);
    assert_string_equal(place, in_dir(".cache/latent/mnist"));
    unsetenv("LATENT_DATA");
    unsetenv("XDG_CACHE_HOME");
}

static void catalog_rows_are_complete(void **state)
{
    (void)state;
    for (int i = 0; i < lt_data_count(); i++) {
        const lt_catalog_entry *e = lt_data_entry(i);
        assert_ptr_equal(lt_data_named(e->name), e);
        assert_non_null(e->mirrors[0]);
        assert_true(e->n[LT_TRAIN] > 0 && e->n_files > 0);
        for (int k = 0; k < e->n_files; k++) {
            assert_int_equal(strlen(e->files[k].sha256), SHA256_TEXT - 1);
            assert_int_equal(strspn(e->files[k].sha256, "0123456789abcdef"), SHA256_TEXT - 1);
            assert_true(e->n[e->files[k].split] > 0);
        }
    }
}

static int warnings;
static void count_warnings(void *user, lt_log_level level, const char *line)
{
    (void)user, (void)line;
    warnings += level == LT_LOG_WARNING;
}

static void validation_limit_and_fallback(void **state)
{
    (void)state;
    lt_data_options o = {.validation = 30, .limit = 20};
    lt_dataset *all, *cut;
    assert_int_equal(lt_dataset_synthetic(100, 6, 5, 1, NULL, &all), LT_OK);
    assert_int_equal(lt_dataset_synthetic(100, 6, 5, 1, &o, &cut), LT_OK);
    const lt_dataset_info *f = lt_dataset_describe(cut);
    assert_int_equal(f->n[LT_TRAIN], 20);
    assert_int_equal(f->n[LT_VALID], 20);
    assert_int_equal(f->n[LT_TEST], 20);
    float *x = gather_all(all, LT_TRAIN, 0, 100, 1), *v = gather_all(cut, LT_VALID, 0, 7, 1);
    assert_memory_equal(v, x + 70 * 30, 20 * 30 * sizeof *x);
    int32_t label[2];
    lt_dataset_labels(all, LT_TRAIN, (int32_t[]){89}, 1, label);
    lt_dataset_labels(cut, LT_VALID, (int32_t[]){19}, 1, label + 1);
    assert_int_equal(label[0], label[1]);
    free(x);
    free(v);

    warnings = 0;
    lt_set_log(count_warnings, NULL);
    assert_int_equal(lt_dataset_split(cut, LT_VALID), LT_VALID);
    assert_int_equal(warnings, 0);
    assert_int_equal(lt_dataset_split(all, LT_VALID), LT_TEST);
    assert_int_equal(lt_dataset_split(all, LT_VALID), LT_TEST);
    assert_int_equal(warnings, 1);
    lt_set_log(NULL, NULL);
    lt_dataset_free(all);
    lt_dataset_free(cut);
    o.validation = 100;
    assert_int_equal(lt_dataset_synthetic(100, 6, 5, 1, &o, &cut), LT_VALUE);
    assert_says("fewer than the 100 training images, found 100");
    o = (lt_data_options){.limit = -1};
    assert_int_equal(lt_dataset_synthetic(100, 6, 5, 1, &o, &cut), LT_VALUE);
    o = (lt_data_options){.binarize = 9};
    assert_int_equal(lt_dataset_open("synthetic", &o, &cut), LT_VALUE);
    assert_int_equal(lt_dataset_synthetic(0, 6, 5, 1, NULL, &cut), LT_VALUE);
    assert_int_equal(lt_dataset_synthetic(1, 6, 5, 9, NULL, &cut), LT_VALUE);
    lt_dataset_free(NULL);
}

static void options_come_from_the_table(void **state)
{
    (void)state;
    lt_data_options o;
    assert_int_equal(options_parse_words("data", data_options, &o,
                                         "validation=10000 binarize=dynamic limit=3 seed=-1"),
                     LT_OK);
    assert_int_equal(o.validation, 10000);
    assert_int_equal(o.binarize, LT_BINARIZE_DYNAMIC);
    assert_int_equal(o.limit, 3);
    assert_int_equal(o.seed, -1);
    assert_string_equal(o.path, "");
    assert_int_equal(options_set("data", data_options, &o, "limit", "-3"), LT_VALUE);
}

/* ---- Sizes and colors ---- */

static lt_data_options options_of(const char *words)
{
    lt_data_options o;
    if (options_parse_words("data", data_options, &o, words) != LT_OK)
        fail_msg("%s", lt_last_error());
    return o;
}

/* What transform_picture makes of the images of the set without options; freed by the caller. */
static float *transformed(const lt_dataset *d, lt_split split, const transform *t)
{
    const lt_dataset_info *f = lt_dataset_describe(d);
    int n = f->n[split], h, w, c;
    picture p = {.h = f->h, .w = f->w, .c = f->c};
    transform_size(t, &p, &h, &w, &c);
    size_t from = (size_t)f->h * (size_t)f->w * (size_t)f->c, to = (size_t)(h * w * c);
    float *x = gather_all(d, split, 0, n, 1), *out = must_alloc((size_t)n * to * sizeof *out);
    p.pixels = must_alloc(from);
    unsigned char *result = must_alloc(to);
    for (int i = 0; i < n; i++) {
        for (size_t k = 0; k < from; k++)
            p.pixels[k] = (unsigned char)(x[(size_t)i * from + k] * 255 + 0.5f);
        assert_int_equal(transform_picture(t, &p, result), LT_OK);
        for (size_t k = 0; k < to; k++)
            out[(size_t)i * to + k] = (float)result[k] / 255;
    }
    free(x);
    free(p.pixels);
    free(result);
    return out;
}

static void every_image_is_transformed(void **state)
{
    (void)state;
    put_small_mnist(2);
    const struct {
        const char *words;
        transform t;
    } cases[] = {
        {"resize=5", {5, 5, 0, CROP_CENTER, false}},
        {"resize=2x7 crop=none", {2, 7, 0, CROP_NONE, false}},
        {"resize=7x2 crop=fit channels=3", {7, 2, 3, CROP_FIT, false}},
        {"resize=6x4", {6, 4, 0, CROP_CENTER, false}},
        {"channels=3", {0, 0, 3, CROP_CENTER, false}},
        {"resize=3 channels=1", {3, 3, 1, CROP_CENTER, false}},
    };
    lt_dataset *whole = must_open(dir, NULL);
    for (int i = 0; i < COUNT_OF(cases); i++) {
        lt_data_options o = options_of(cases[i].words);
        lt_dataset *d = must_open(dir, &o);
        const lt_dataset_info *f = lt_dataset_describe(d);
        int h, w, c;
        transform_size(&cases[i].t, &(picture){.h = 3, .w = 3, .c = 1}, &h, &w, &c);
        assert_int_equal(f->h * 100 + f->w * 10 + f->c, h * 100 + w * 10 + c);
        assert_int_equal(f->file_h * 100 + f->file_w * 10 + f->file_c, 331);
        assert_int_equal(f->classes, 8);
        for (int s = LT_TRAIN; s <= LT_TEST; s += 2) {
            float *x = gather_all(d, (lt_split)s, 0, 1, 1);
            float *want = transformed(whole, (lt_split)s, &cases[i].t);
            assert_memory_equal(x, want, (size_t)(f->n[s] * h * w * c) * sizeof *x);
            free(x);
            free(want);
        }
        lt_dataset_free(d);
    }
    lt_dataset_free(whole);
}

/* Splits of different sizes, black and white, floats: whatever is stored. */
static void whatever_is_stored_is_transformed(void **state)
{
    (void)state;
    static const unsigned char u1[4] = {0, 255, 0, 255}, b1[4] = {0, 1, 0, 1};
    static const float f4[4] = {0, 1, 0, 1};
    put_npy("train.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 2)}", u1, 4);
    put_npy("test.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 4)}", f4, 16);
    put_npy("valid.npy", "{'descr': '|b1', 'fortran_order': False, 'shape': (1, 2, 2)}", b1, 4);
    assert_malformed(dir, "test.npy: expected images of 2 x 2 x 1, found 1 x 4 x 1");
    lt_data_options o = options_of("resize=1x4 crop=none");
    lt_dataset *d = must_open(dir, &o);
    assert_false(lt_dataset_describe(d)->is_binary);
    static const unsigned char want[4] = {0, 64, 191, 255}; /* 0, 1/4, 3/4, 1 */
    for (int s = 0; s < LT_SPLITS; s++) {
        float *x = gather_all(d, (lt_split)s, 0, 1, 1);
        for (int i = 0; i < 4; i++)
            assert_true(x[i] == (s == LT_TEST ? f4[i] : (float)want[i] / 255));
        free(x);
    }
    lt_dataset_free(d);

    const char *binary = in_dir("valid.npy");
    o = options_of("channels=3");
    d = must_open(binary, &o);
    assert_true(lt_dataset_describe(d)->is_binary);
    float *x = gather_all(d, LT_TRAIN, 0, 1, 1);
    for (int i = 0; i < 12; i++)
        assert_true(x[i] == b1[i / 3]);
    free(x);
    lt_dataset_free(d);
    o = options_of("resize=8 binarize=threshold");
    d = must_open(binary, &o);
    assert_true(lt_dataset_describe(d)->is_binary);
    x = gather_all(d, LT_TRAIN, 0, 1, 1);
    for (int i = 0; i < 64; i++)
        assert_true(x[i] == (i % 8 >= 4));
    free(x);
    lt_dataset_free(d);
}

static void sizes_that_cannot_be(void **state)
{
    (void)state;
    static const struct {
        const char *set, *words;
    } cases[] = {
        {"resize=0", "expected pixels as in 32 or 48x64 (height x width), each 1 to 16384"},
        {"resize=32x", "found '32x'"},
        {"resize=x32", "found 'x32'"},
        {"resize=32x32x3", "found '32x32x3'"},
        {"resize=-4", "found '-4'"},
        {"resize=16385", "found '16385'"},
        {"resize=1000000000000000", "found '1000000000000000'"},
        {"resize=4 5", "found '4 5'"},
        {"channels=2", "expected 1 (gray), 3 (color) or 0 (as they are), found 2"},
        {"crop=fit", "goes with resize"},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        lt_data_options o = {0};
        lt_dataset *d;
        int size[3];
        assert_int_equal(lt_data_options_set(&o, cases[i].set), LT_OK);
        assert_int_equal(lt_dataset_open("synthetic", &o, &d), LT_VALUE);
        assert_says(cases[i].words);
        assert_int_equal(lt_data_image_size("mnist", &o, size, size + 1, size + 2), LT_VALUE);
        assert_says(cases[i].words);
    }
    lt_data_options o = {0};
    lt_dataset *d;
    assert_int_equal(lt_dataset_synthetic(3, 4, 4, 2, &o, &d), LT_VALUE);
    assert_says("expected images of 1 channel (gray) or 3 (color), found 2");
    assert_int_equal(lt_data_options_set(&o, "resise=3"), LT_NOT_FOUND);
    assert_says("resize");
    assert_int_equal(lt_data_options_set(&o, "resize"), LT_VALUE);
    assert_int_equal(lt_data_options_set(&o, "limit=-1"), LT_VALUE);
    assert_int_equal(o.limit, 0);
}

static void size_is_known_without_files(void **state)
{
    (void)state;
    static const struct {
        const char *name, *words;
        int h, w, c;
    } cases[] = {
        {"mnist", "", 28, 28, 1},
        {"mnist", "resize=32 channels=3", 32, 32, 3},
        {"synthetic", "resize=8x9", 8, 9, 1},
        {"/no/such/folder", "resize=64 channels=3", 64, 64, 3},
    };
    int h, w, c;
    for (int i = 0; i < COUNT_OF(cases); i++) {
        lt_data_options o = options_of(cases[i].words);
        assert_int_equal(lt_data_image_size(cases[i].name, &o, &h, &w, &c), LT_OK);
        assert_true(h == cases[i].h && w == cases[i].w && c == cases[i].c);
    }
    lt_data_options o = options_of("resize=64");
    assert_int_equal(lt_data_image_size("/no/such/folder", &o, &h, &w, &c), LT_NOT_FOUND);
    assert_int_equal(lt_data_image_size("/no/such/folder", NULL, &h, &w, &c), LT_NOT_FOUND);
    assert_says("resize and channels would say it");
}

/* ---- Batches ---- */

static void order_is_a_permutation_of_its_own_for_each_epoch(void **state)
{
    (void)state;
    enum { N = 1000 };
    lt_data_options o = {.validation = N};
    lt_dataset *d;
    assert_int_equal(lt_dataset_synthetic(2 * N, 2, 2, 1, &o, &d), LT_OK);
    int32_t a[N], b[N];
    bool seen[N] = {0};
    lt_dataset_order(d, LT_TRAIN, 7, 3, a);
    for (int i = 0; i < N; i++) {
        assert_in_range(a[i], 0, N - 1);
        assert_false(seen[a[i]]);
        seen[a[i]] = true;
    }
    lt_dataset_order(d, LT_TRAIN, 7, 3, b);
    assert_memory_equal(a, b, sizeof a);
    lt_dataset_order(d, LT_TRAIN, 7, 4, b);
    assert_memory_not_equal(a, b, sizeof a);
    lt_dataset_order(d, LT_TRAIN, 8, 3, b);
    assert_memory_not_equal(a, b, sizeof a);
    lt_dataset_order(d, LT_VALID, 7, 3, b);
    assert_memory_not_equal(a, b, sizeof a);
    lt_dataset_free(d);
}

static bool equal_and_freed(float *a, float *b, size_t n)
{
    bool equal = memcmp(a, b, n * sizeof *a) == 0;
    free(a);
    free(b);
    return equal;
}

static void same_bits_in_any_batch_and_with_any_threads(void **state)
{
    (void)state;
    for (int binarize = LT_BINARIZE_NONE; binarize <= LT_BINARIZE_THRESHOLD; binarize++) {
        lt_data_options o = {.binarize = binarize, .seed = 3};
        lt_dataset *d;
        assert_int_equal(lt_dataset_synthetic(150, 27, 31, 3, &o, &d), LT_OK);
        assert_int_equal(lt_dataset_describe(d)->is_binary, binarize != LT_BINARIZE_NONE);
        static const size_t n = (size_t)150 * 27 * 31 * 3;
        for (int k = 0; k < 4; k++)
            assert_true(equal_and_freed(
                gather_all(d, LT_TRAIN, 5, 150, 1),
                gather_all(d, LT_TRAIN, 5, (const int[]){1, 7, 128, 150}[k], k), n));
        bool same = equal_and_freed(gather_all(d, LT_TRAIN, 5, 150, 1),
                                    gather_all(d, LT_TRAIN, 6, 150, 1), n);
        assert_int_equal(same, binarize != LT_BINARIZE_DYNAMIC);

        float x[27 * 31 * 3] = {9};
        assert_int_equal(lt_dataset_gather(d, LT_TRAIN, (int32_t[]){150}, 1, 0, 1, x), LT_VALUE);
        assert_int_equal(lt_dataset_gather(d, LT_VALID, (int32_t[]){0}, 1, 0, 1, x), LT_VALUE);
        assert_int_equal(lt_dataset_gather(d, LT_TRAIN, (int32_t[]){-1}, 1, 0, 1, x), LT_VALUE);
        assert_true(x[0] == 9);
        lt_dataset_free(d);
    }
}

static float *gather_augmented(const lt_dataset *d, uint64_t epoch, int batch, int threads)
{
    const lt_dataset_info *f = lt_dataset_describe(d);
    size_t pixels = (size_t)f->h * (size_t)f->w * (size_t)f->c;
    int n = f->n[LT_TRAIN];
    float *x = must_alloc((size_t)n * pixels * sizeof *x);
    int32_t *index = must_alloc((size_t)n * sizeof *index);
    for (int i = 0; i < n; i++)
        index[i] = i;
    for (int i = 0; i < n; i += batch)
        assert_int_equal(lt_dataset_gather_augmented(d, LT_TRAIN, index + i,
                                                     n - i < batch ? n - i : batch, epoch, threads,
                                                     x + (size_t)i * pixels),
                         LT_OK);
    free(index);
    return x;
}

/* Is y the mirror image of x? */
static bool is_mirrored(const float *x, const float *y, int h, int w, int c)
{
    bool same = true;
    for (int row = 0; row < h; row++)
        for (int i = 0; i < w; i++)
            same &= memcmp(x + (row * w + i) * c, y + (row * w + w - 1 - i) * c,
                           (size_t)c * sizeof *x) == 0;
    return same;
}

/* Every image is itself or its mirror, half of them each; whether is told by its index and the
   epoch, and plain gathering knows nothing of it. */
static void flips_mirror_half_of_the_images(void **state)
{
    (void)state;
    enum { N = 2000, H = 5 };
    for (int c = 1; c <= 3; c += 2) {
        int w = 4 + c, turned[2] = {0}, both = 0;
        size_t pixels = (size_t)(H * w * c);
        lt_data_options o = {.flip = true, .binarize = c == 1 ? LT_BINARIZE_FIXED : 0};
        lt_dataset *d;
        assert_int_equal(lt_dataset_synthetic(N, H, w, c, &o, &d), LT_OK);
        float *x = gather_all(d, LT_TRAIN, 0, N, 1);
        float *e[2] = {gather_augmented(d, 0, N, 1), gather_augmented(d, 1, N, 1)};
        for (size_t i = 0; i < N; i++) {
            bool is_turned[2];
            for (int k = 0; k < 2; k++) {
                is_turned[k] = memcmp(e[k] + i * pixels, x + i * pixels, pixels * sizeof *x) != 0;
                if (is_turned[k])
                    assert_true(is_mirrored(x + i * pixels, e[k] + i * pixels, H, w, c));
                turned[k] += is_turned[k];
            }
            both += is_turned[0] && is_turned[1];
        }
        for (int k = 0; k < 2; k++) /* 5 standard deviations; few of the images are symmetric */
            assert_in_range(turned[k], N / 2 - 112 - N / 20, N / 2 + 112);
        assert_in_range(both, N / 4 - 97 - N / 20, N / 4 + 97);
        assert_true(equal_and_freed(gather_augmented(d, 1, 7, 3), e[1], N * pixels));
        assert_true(equal_and_freed(gather_all(d, LT_TRAIN, 1, 7, 2), x, N * pixels));
        free(e[0]);
        lt_dataset_free(d);
    }
}

static void without_flip_there_is_none(void **state)
{
    (void)state;
    lt_dataset *d;
    assert_int_equal(lt_dataset_synthetic(50, 6, 5, 3, NULL, &d), LT_OK);
    assert_true(equal_and_freed(gather_augmented(d, 3, 50, 1), gather_all(d, LT_TRAIN, 3, 50, 1),
                                50 * 6 * 5 * 3));
    float x = 9;
    assert_int_equal(lt_dataset_gather_augmented(d, LT_TRAIN, (int32_t[]){50}, 1, 0, 1, &x),
                     LT_VALUE);
    assert_true(x == 9);
    lt_dataset_free(d);
}

/* 4000 draws of each pixel: five standard errors hold for every one of them, whatever is stored. */
static void mean_of_draws_is_the_gray_value(void **state)
{
    (void)state;
    enum { EPOCHS = 4000, PIXELS = 64 };
    unsigned char u1[PIXELS];
    float f4[PIXELS];
    for (int i = 0; i < PIXELS; i++) {
        u1[i] = (unsigned char)(i * 255 / (PIXELS - 1));
        f4[i] = (float)u1[i] / 255;
    }
    const char *paths[2] = {
        put_npy("u.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 8, 8)}", u1,
                sizeof u1),
        put_npy("f.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 8, 8)}", f4,
                sizeof f4)};
    lt_data_options o = {.binarize = LT_BINARIZE_DYNAMIC};
    for (int k = 0; k < 2; k++) {
        lt_dataset *d = must_open(paths[k], &o);
        double sum[PIXELS] = {0};
        float x[PIXELS], mean[PIXELS];
        for (int e = 0; e < EPOCHS; e++) {
            lt_dataset_gather(d, LT_TRAIN, (int32_t[]){0}, 1, (uint64_t)e, 1, x);
            for (int i = 0; i < PIXELS; i++)
                sum[i] += (double)x[i];
        }
        assert_int_equal(lt_dataset_mean_image(d, LT_TRAIN, mean), LT_OK);
        for (int i = 0; i < PIXELS; i++) {
            double p = (double)f4[i], error = 5 * sqrt(p * (1 - p) / EPOCHS);
            assert_true(fabs(sum[i] / EPOCHS - p) <= error);
            assert_true(fabs((double)mean[i] - p) < 1e-7);
        }
        lt_dataset_free(d);
    }
}

/* 2000 equal images, p = 1/5: each gets draws of its own, the same in every epoch, others when the
   set is another split or the seed another one. */
static void fixed_draws_differ_from_image_to_image(void **state)
{
    (void)state;
    enum { N = 2000, PIXELS = 9 };
    unsigned char u1[N * PIXELS];
    memset(u1, 51, sizeof u1);
    const char *path = put_npy(
        "u.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (2000, 3, 3)}", u1, sizeof u1);
    lt_data_options o = {.binarize = LT_BINARIZE_FIXED, .validation = N / 2};
    lt_dataset *d = must_open(path, &o);
    o.seed = 1;
    lt_dataset *other = must_open(path, &o);
    float *x = gather_all(d, LT_TRAIN, 0, 10, 1);
    double sum = 0;
    int equal = 0;
    for (int i = 0; i < N / 2 * PIXELS; i++)
        sum += (double)x[i];
    for (int i = 1; i < N / 2; i++)
        equal += memcmp(x, x + (size_t)i * PIXELS, PIXELS * sizeof *x) == 0;
    assert_true(fabs(sum / (N / 2 * PIXELS) - 0.2) < 5 * sqrt(0.16 / (N / 2 * PIXELS)));
    assert_true(equal < 200); /* an all black image has probability 0.8^9 = 0.13 */
    size_t n = N / 2 * PIXELS;
    assert_false(equal_and_freed(x, gather_all(d, LT_VALID, 0, 10, 1), n));
    assert_false(equal_and_freed(gather_all(d, LT_TRAIN, 0, 10, 1),
                                 gather_all(other, LT_TRAIN, 0, 10, 1), n));
    lt_dataset_free(d);
    lt_dataset_free(other);
}

static void black_and_white_stay(void **state)
{
    (void)state;
    enum { SIDE = 512, HALF = SIDE * SIDE / 2 };
    unsigned char *u1 = must_alloc(2 * HALF);
    memset(u1 + HALF, 255, HALF);
    lt_data_options o = {.binarize = LT_BINARIZE_DYNAMIC};
    lt_dataset *d = must_open(
        put_npy("u.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 512, 512)}", u1,
                2 * HALF),
        &o);
    for (uint64_t epoch = 0; epoch < 16; epoch++) {
        float *x = gather_all(d, LT_TRAIN, epoch, 1, 1), wrong = 0;
        for (int i = 0; i < HALF; i++)
            wrong += x[i] + (1 - x[HALF + i]);
        assert_true(wrong == 0);
        free(x);
    }
    lt_dataset_free(d);
    free(u1);
}

static void bytes_0_and_1_are_black_and_white(void **state)
{
    (void)state;
    static const unsigned char u1[4] = {0, 1, 1, 0}, black[4];
    static const char header[] = "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 2)}";
    lt_dataset *d = must_open(put_npy("u.npy", header, u1, 4), NULL);
    assert_true(lt_dataset_describe(d)->is_binary);
    float *x = gather_all(d, LT_TRAIN, 0, 1, 1);
    assert_true(x[0] == 0 && x[1] == 1);
    free(x);
    lt_dataset_free(d);
    d = must_open(put_npy("u.npy", header, black, 4), NULL);
    assert_false(lt_dataset_describe(d)->is_binary);
    lt_dataset_free(d);
}

static void assert_hash(const void *data, size_t size, const char *want)
{
    char found[SHA256_TEXT];
    sha256_text(data, size, found);
    assert_string_equal(found, want);
}

/* What a seed gives is a promise: the same on every machine and in every later version. The hashes
   are those of tools/golden_data.py, which shares nothing with this code. */
static void seeds_keep_their_meaning(void **state)
{
    (void)state;
    enum { N = 500 };
    lt_data_options o = {.binarize = LT_BINARIZE_DYNAMIC, .seed = 42};
    lt_dataset *d;
    assert_int_equal(lt_dataset_synthetic(N, 13, 11, 3, &o, &d), LT_OK);
    size_t n = (size_t)N * 13 * 11 * 3;
    int32_t order[N];
    lt_dataset_order(d, LT_TRAIN, 42, 7, order);
    float *x = gather_all(d, LT_TRAIN, 7, N, 1);
    assert_hash(d->splits[LT_TRAIN].u8, n,
                "2bcb11037481a8db2dffae38e18bed528c50b873908ecbc2cee252617ffca7e7");
    assert_hash(order, sizeof order,
                "a8d3c194715e4cb1b61dbe42ed50de51669f023cbce7fafe6b0218531f987365");
    assert_hash(x, n * sizeof *x,
                "6ad130eed7c1f946a8b8272d7c129a03762e207bcf72286549fa99e261e229cc");
    free(x);
    lt_dataset_free(d);

    o = (lt_data_options){.flip = true, .seed = 42};
    assert_int_equal(lt_dataset_synthetic(N, 13, 11, 3, &o, &d), LT_OK);
    x = gather_augmented(d, 7, N, 1);
    assert_hash(x, n * sizeof *x,
                "92d8ea41f9be833533802502cdf55a1036f4d701d54286dab3fcd568b007d49f");
    free(x);
    lt_dataset_free(d);
}

static int allocations_left;
static bool allow_some(void *user, size_t size)
{
    (void)user, (void)size;
    return allocations_left-- > 0;
}

static void failing_allocations_are_errors(void **state)
{
    (void)state;
    static const float f4[4];
    const char *npy = put_npy(
        "f.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 2)}", f4, sizeof f4);
    const char *amat = put_text("a.amat", AMAT);
    const char *names[] = {npy, amat, "synthetic"};
    static const int needed[] = {1, 1, 4};
    lt_set_allow_memory(allow_some, NULL);
    for (int i = 0; i < COUNT_OF(names); i++)
        for (int k = 0; k <= needed[i]; k++) {
            lt_dataset *d;
            allocations_left = k;
            int status = lt_dataset_open(names[i], NULL, &d);
            assert_int_equal(status, k < needed[i] ? LT_NO_MEMORY : LT_OK);
            assert_int_equal(status == LT_OK, d != NULL);
            lt_dataset_free(d);
        }
    lt_set_allow_memory(NULL, NULL);
}

static void threshold_and_mean_agree(void **state)
{
    (void)state;
    static const unsigned char u1[4] = {0, 127, 128, 255};
    static const float f4[4] = {0, 0.5f, 0.50001f, 1}, want[4] = {0, 0, 1, 1};
    lt_data_options o = {.binarize = LT_BINARIZE_THRESHOLD};
    for (int k = 0; k < 2; k++) {
        const char *path =
            k ? put_npy("f.npy", "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 2)}", f4,
                        16)
              : put_npy("u.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 2)}", u1,
                        4);
        lt_dataset *d = must_open(path, &o);
        float mean[4], *x = gather_all(d, LT_TRAIN, 0, 1, 1);
        assert_memory_equal(x, want, sizeof want);
        assert_int_equal(lt_dataset_mean_image(d, LT_TRAIN, mean), LT_OK);
        assert_memory_equal(mean, want, sizeof want);
        assert_int_equal(lt_dataset_mean_image(d, LT_TEST, mean), LT_VALUE);
        free(x);
        lt_dataset_free(d);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(directory_with_idx_files),
        TEST(named_set_must_be_the_published_one),
        TEST(missing_and_misspelled_names),
        TEST(search_takes_the_first_complete_place),
        TEST(catalog_rows_are_complete),
        TEST(validation_limit_and_fallback),
        TEST(options_come_from_the_table),
        TEST(every_image_is_transformed),
        TEST(whatever_is_stored_is_transformed),
        TEST(sizes_that_cannot_be),
        TEST(size_is_known_without_files),
        TEST(order_is_a_permutation_of_its_own_for_each_epoch),
        TEST(same_bits_in_any_batch_and_with_any_threads),
        TEST(flips_mirror_half_of_the_images),
        TEST(without_flip_there_is_none),
        TEST(mean_of_draws_is_the_gray_value),
        TEST(fixed_draws_differ_from_image_to_image),
        TEST(black_and_white_stay),
        TEST(bytes_0_and_1_are_black_and_white),
        TEST(seeds_keep_their_meaning),
        TEST(failing_allocations_are_errors),
        TEST(threshold_and_mean_agree),
    };
    return cmocka_run_group_tests_name("data", tests, NULL, NULL);
}
