/* SPDX-License-Identifier: MIT */
/* Files that hold images with their labels: CIFAR's, NumPy's archives. */
#include "format_files.h"

#include <zlib.h>

/* ---- CIFAR ---- */

enum { SIDE = 32, PLANE = SIDE * SIDE, RECORD = 1 + 3 * PLANE, FINE_RECORD = 2 + 3 * PLANE };

/* Image i of a made-up set: its color k at (row, column). */
static unsigned char color_of(int i, int k, int row, int column)
{
    return (unsigned char)(91 * i + 70 * k + 5 * row + 3 * column + row * column);
}

/* Records of images first ... first + n - 1, with a label or two; freed by the caller. */
static unsigned char *make_records(int first, int n, int labels, size_t *size)
{
    *size = (size_t)n * (size_t)(labels + 3 * PLANE);
    unsigned char *file = must_alloc(*size), *p = file;
    for (int i = first; i < first + n; i++) {
        for (int k = 0; k < labels; k++)
            *p++ = (unsigned char)(k == 1 ? 90 + i % 10 : i % 10);
        for (int k = 0; k < 3; k++)
            for (int at = 0; at < PLANE; at++)
                *p++ = color_of(i, k, at / SIDE, at % SIDE);
    }
    return file;
}

static const char *put_records(const char *name, int first, int n, int labels)
{
    size_t size;
    unsigned char *file = make_records(first, n, labels, &size);
    const char *path = put(name, file, size);
    free(file);
    return path;
}

static void assert_images(const lt_dataset *d, lt_split split, int first, int n, int base)
{
    const lt_dataset_info *f = lt_dataset_describe(d);
    assert_int_equal(f->n[split], n);
    assert_true(f->h == SIDE && f->w == SIDE && f->c == 3 && f->has_labels[split]);
    float *x = gather_all(d, split, 0, n, 1), *p = x;
    for (int i = first; i < first + n; i++) {
        for (int at = 0; at < PLANE; at++)
            for (int k = 0; k < 3; k++)
                assert_true(*p++ == (float)color_of(i, k, at / SIDE, at % SIDE) / 255);
        int32_t label;
        assert_int_equal(lt_dataset_labels(d, split, (int32_t[]){i - first}, 1, &label), LT_OK);
        assert_int_equal(label, base + i % 10);
    }
    free(x);
}

static void cifar10_directory(void **state)
{
    (void)state;
    static const int counts[] = {3, 1, 4, 1, 5};
    char name[32];
    int first = 0;
    for (int i = 0; i < 5; i++) {
        snprintf(name, sizeof name, "data_batch_%d.bin", i + 1);
        put_records(name, first, counts[i], 1);
        first += counts[i];
    }
    assert_rejected(LT_NOT_FOUND, dir, "lacks test_batch.bin, which belongs to data_batch_1.bin");
    put_records("test_batch.bin", 50, 2, 1);
    lt_dataset *d = must_open(dir, NULL);
    assert_images(d, LT_TRAIN, 0, 14, 0);
    assert_images(d, LT_TEST, 50, 2, 0);
    assert_int_equal(lt_dataset_describe(d)->classes, 10);
    lt_dataset_free(d);

    lt_data_options o = {.resize = "8", .channels = 1, .validation = 3};
    d = must_open(dir, &o);
    const lt_dataset_info *f = lt_dataset_describe(d);
    assert_true(f->h == 8 && f->w == 8 && f->c == 1 && f->n[LT_VALID] == 3);
    lt_dataset_free(d);

    static const float floats[3 * PLANE];
    put_npy("data_batch_4.bin", "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 32, 32, 3)}",
            floats, sizeof floats);
    assert_malformed(dir, "data_batch_4.bin: expected bytes of 32 x 32 x 3 as in");
    unlink(in_dir("data_batch_4.bin"));
    assert_rejected(LT_NOT_FOUND, dir, "lacks data_batch_4.bin");
}

static void cifar100_directory_and_single_files(void **state)
{
    (void)state;
    put_records("train.bin", 0, 12, 2);
    put_records("test.bin", 12, 2, 2);
    lt_dataset *d = must_open(dir, NULL);
    assert_images(d, LT_TRAIN, 0, 12, 90);
    assert_images(d, LT_TEST, 12, 2, 90);
    assert_int_equal(lt_dataset_describe(d)->classes, 100);
    lt_dataset_free(d);

    size_t size;
    unsigned char *file = make_records(7, 3, 1, &size);
    d = must_open(put_gz("mine.bin.gz", file, size), NULL);
    assert_images(d, LT_TRAIN, 7, 3, 0);
    lt_dataset_free(d);
    free(file);

    unsigned char image[IDX_SIZE], label[LABELS_SIZE];
    make_idx(image, label);
    d = must_open(put("idx.bin", image, IDX_SIZE), NULL); /* a signature, and no whole records */
    assert_int_equal(lt_dataset_describe(d)->h, 3);
    lt_dataset_free(d);
}

/* ---- CIFAR-10 in its tar file ---- */

enum { BLOCK = 512, TAR_SIZE = 8 * (BLOCK + 14 * BLOCK) + 2 * BLOCK };

static void put_sum(unsigned char *header)
{
    unsigned sum = 0;
    memset(header + 148, ' ', 8);
    for (int i = 0; i < BLOCK; i++)
        sum += header[i];
    snprintf((char *)header + 148, 8, "%06o", sum);
}

static size_t put_member(unsigned char *tar, size_t at, const char *name, char kind, size_t n)
{
    memset(tar + at, 0, BLOCK);
    snprintf((char *)tar + at, 100, "%s", name);
    memcpy(tar + at + 100, "0000644", 8);
    snprintf((char *)tar + at + 124, 12, "%011o", (unsigned)n);
    tar[at + 156] = (unsigned char)kind;
    memcpy(tar + at + 257, "ustar\00000", 8);
    put_sum(tar + at);
    return at + BLOCK + (n + BLOCK - 1) / BLOCK * BLOCK;
}

/* The files of CIFAR-10 with n images each, in the folder of the published archive; at[i] is where
   that of file i begins. Returns the size. */
static size_t make_tar(unsigned char *tar, int n, size_t at[6])
{
    static const char *const names[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                        "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};
    memset(tar, 0, TAR_SIZE);
    size_t end = put_member(tar, 0, "cifar-10-batches-bin/", '5', 0), size;
    for (int i = 5; i >= 0; i--) { /* in an order of its own */
        char name[64];
        unsigned char *records = make_records(n * i, n, 1, &size);
        snprintf(name, sizeof name, "cifar-10-batches-bin/%s", names[i]);
        at[i] = end;
        end = put_member(tar, end, name, '0', size);
        memcpy(tar + at[i] + BLOCK, records, size);
        free(records);
    }
    end = put_member(tar, end, "cifar-10-batches-bin/readme.html", '0', 3);
    return end + 2 * BLOCK;
}

static void cifar10_tar_file(void **state)
{
    (void)state;
    static unsigned char tar[TAR_SIZE];
    size_t at[6], size = make_tar(tar, 2, at);
    assert_true(size <= TAR_SIZE);
    const char *paths[] = {put("any.tar", tar, size), put_gz("cifar-10-binary.tar.gz", tar, size),
                           dir};
    for (int i = 0; i < COUNT_OF(paths); i++) {
        lt_dataset *d = must_open(paths[i], NULL);
        assert_images(d, LT_TRAIN, 0, 10, 0);
        assert_images(d, LT_TEST, 10, 2, 0);
        lt_dataset_free(d);
    }
    lt_dataset *d;
    lt_data_options o = {.limit = 0};
    strcpy(o.path, dir);
    assert_int_equal(lt_dataset_open("cifar10", &o, &d), LT_FORMAT);
    assert_says("expected 50000 train images of cifar10, found 10");
    assert_int_equal(lt_data_verify("cifar10", dir), LT_FORMAT);
    assert_says("expected content with SHA-256 c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9");

    const struct {
        size_t at;
        int value;
        bool has_sum; /* the header's checksum is right */
        int status;
        const char *words;
    } cases[] = {
        {at[3], 'x', false, LT_FORMAT, "expected the checksum"},
        {at[3] + 124, '9', true, LT_FORMAT, "expected a size in octal"},
        {at[3] + 124, '7', true, LT_FORMAT, "to the end"},
        {at[0] + 23, 'X', true, LT_NOT_FOUND, "a tar file with data_batch_1.bin, found none"},
        {at[0] + 156, '2', true, LT_NOT_FOUND, "a tar file with data_batch_1.bin, found none"},
        {at[0] + 134, '0', true, LT_FORMAT, "any.tar: data_batch_1.bin: at byte"},
        {at[5] + BLOCK, 10, false, LT_FORMAT,
         "any.tar: test_batch.bin: at byte 0: expected a label"},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        make_tar(tar, 2, at);
        tar[cases[i].at] = (unsigned char)cases[i].value;
        if (cases[i].has_sum)
            put_sum(tar + cases[i].at / BLOCK * BLOCK);
        assert_rejected(cases[i].status, put("any.tar", tar, size), cases[i].words);
        assert_says("expected");
        assert_says("found");
    }
    make_tar(tar, 2, at);
    for (size_t n = 0; n < size; n += 97) {
        int status = lt_dataset_open(put("any.tar", tar, n), NULL, &d);
        assert_true(status == LT_OK || status == LT_FORMAT || status == LT_NOT_FOUND);
        assert_int_equal(status == LT_OK, n >= at[0] + BLOCK + 2 * RECORD);
        lt_dataset_free(d);
    }
}

static void cifar_rejects_damage(void **state)
{
    (void)state;
    size_t size;
    unsigned char *file = make_records(1, 2, 1, &size);
    assert_malformed(put("a.bin", file, size - 1),
                     "at byte 6145: expected records of 3073 bytes (CIFAR-10) or 3074");
    assert_malformed(put("a.bin", file, 0), "found an empty file");
    file[RECORD] = 10;
    assert_malformed(put("a.bin", file, size),
                     "at byte 3073: expected a label of CIFAR-10, 0 to 9, found 10");
    free(file);
    file = make_records(1, 2, 2, &size);
    file[FINE_RECORD] = 20;
    assert_malformed(put("a.bin", file, size), "at byte 3074: expected a coarse label");
    file[FINE_RECORD] = 19;
    file[1] = 100;
    assert_malformed(put("a.bin", file, size),
                     "at byte 1: expected a fine label of CIFAR-100, 0 to 99, found 100");
    free(file);
}

/* ---- npz: what NumPy wrote (tools/golden_data.py) ---- */

static unsigned char npz_pixel(int n, int h, int w, int c)
{
    return (unsigned char)(59 * n + 31 * h + 7 * w + 83 * c);
}

/* Images first ... first + n - 1 of 3 x 5, and their labels. */
static void assert_npz_split(const lt_dataset *d, lt_split split, int first, int n)
{
    static const int labels[] = {7, 0, 255, 3};
    const lt_dataset_info *f = lt_dataset_describe(d);
    assert_int_equal(f->n[split], n);
    assert_true(f->h == 3 && f->w == 5 && f->has_labels[split]);
    float *x = gather_all(d, split, 0, n, 1), *p = x;
    for (int i = first; i < first + n; i++) {
        int32_t label;
        for (int h = 0; h < 3; h++)
            for (int w = 0; w < 5; w++)
                for (int c = 0; c < f->c; c++)
                    assert_true(*p++ == (float)npz_pixel(i, h, w, c) / 255);
        assert_int_equal(lt_dataset_labels(d, split, (int32_t[]){i - first}, 1, &label), LT_OK);
        assert_int_equal(label, labels[i]);
    }
    free(x);
}

static void npz_of_keras_and_medmnist(void **state)
{
    (void)state;
    lt_dataset *d = must_open(TESTS_DIR "/golden/keras.npz", NULL);
    assert_npz_split(d, LT_TRAIN, 0, 4);
    assert_npz_split(d, LT_TEST, 2, 2);
    assert_int_equal(lt_dataset_describe(d)->n[LT_VALID], 0);
    assert_int_equal(lt_dataset_describe(d)->c, 1);
    lt_dataset_free(d);
    d = must_open(TESTS_DIR "/golden/medmnist.npz", NULL);
    assert_npz_split(d, LT_TRAIN, 0, 4);
    assert_npz_split(d, LT_VALID, 1, 1);
    assert_npz_split(d, LT_TEST, 2, 2);
    assert_int_equal(lt_dataset_describe(d)->c, 3);
    lt_dataset_free(d);
}

/* ---- npz: zip files written here, nothing packed ---- */

static void put_zip_head(writer *m, const char *name, const bytes *content, bool is_central,
                         size_t at)
{
    put_number(m, is_central ? 0x02014b50 : 0x04034b50, 4);
    if (is_central)
        put_number(m, 20, 2);
    put_number(m, 20, 2);
    put_number(m, 0, 8);
    put_number(m, crc32(0, content->data, (uInt)content->size), 4);
    put_number(m, content->size, 4);
    put_number(m, content->size, 4);
    put_number(m, strlen(name), 2);
    put_number(m, 0, 2);
    if (is_central) {
        put_number(m, 0, 8);
        put_number(m, 0, 2);
        put_number(m, at, 4);
    }
    memcpy(m->data + m->size, name, strlen(name));
    m->size += strlen(name);
}

/* An archive of arrays of these names: labels where the name begins with '*', images elsewhere. */
static const char *put_npz(const char *const *names, int n, const bytes *images,
                           const bytes *labels)
{
    static writer m;
    size_t at[8], start;
    m.size = 0;
    m.is_big = false;
    for (int part = 0; part < 2; part++) {
        start = m.size;
        for (int i = 0; i < n; i++) {
            bool is_labels = names[i][0] == '*', is_text = strstr(names[i], ".txt");
            const bytes *b = is_labels ? labels : images;
            char *name = must_format("%s%s", names[i] + is_labels, is_text ? "" : ".npy");
            if (part == 0)
                at[i] = m.size;
            put_zip_head(&m, name, b, part == 1, at[i]);
            if (part == 0)
                memcpy(m.data + m.size, b->data, b->size);
            m.size += part == 0 ? b->size : 0;
            free(name);
        }
    }
    size_t length = m.size - start;
    put_number(&m, 0x06054b50, 4);
    put_number(&m, 0, 4);
    put_number(&m, (uint64_t)n, 2);
    put_number(&m, (uint64_t)n, 2);
    put_number(&m, length, 4);
    put_number(&m, start, 4);
    put_number(&m, 0, 2);
    return put("a.npz", m.data, m.size);
}

static void npz_names(void **state)
{
    (void)state;
    static const struct {
        const char *names[4];
        int n;
        const char *found; /* for each split: 0 nothing, i images, l labels too */
        const char *words; /* of the error instead */
    } cases[] = {
        {{"train", "x"}, 2, "", "expected one array of train images, found also x"},
        {{"X", "*Y"}, 2, "l00", NULL},
        {{"images"}, 1, "i00", NULL},
        {{"data", "*targets_"}, 2, "l00", NULL},
        {{"arr_0"}, 1, "i00", NULL},
        {{"x-train", "x-val", "X_Test", "*test_y"}, 4, "iil", NULL},
        {{"Training Images", "*labels.train", "validation"}, 3, "li0", NULL},
        {{"train/image", "test/image", "*test/label"}, 3, "i0l", NULL},
        {{"x", "noise", "about.txt"}, 3, "i00", NULL},
        {{"about.txt", "noise"}, 2, "i00", NULL},
        {{"arr_0", "arr_1"}, 2, "", "found arr_0, arr_1"},
        {{"x_y", "train_test"}, 2, "", "found x_y, train_test"},
        {{"*y", "x", "*train_y"}, 3, "", "expected one array of train labels, found also train_y"},
        {{"*y", "x_test"}, 2, "", "expected images of the labeled train split, found y, x_test"},
        {{"*y_test", "*y"}, 2, "", "expected arrays called like train_images"},
        {{"about.txt"}, 1, "", "val_labels, found none"},
        {{"_", "-"}, 2, "", "found _, -"},
        {{"x", "y"}, 2, "", "a.npz: y.npy: at byte 60: expected N or N x 1 labels, found N x 3 x"},
    };
    unsigned char pixels[18] = {9}, numbers[3] = {5, 6, 7};
    bytes x, y;
    x.data = make_npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3, 3)}", pixels, 18,
                      &x.size);
    y.data =
        make_npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1)}", numbers, 2, &y.size);
    for (int i = 0; i < COUNT_OF(cases); i++) {
        const char *path = put_npz(cases[i].names, cases[i].n, &x, &y);
        if (cases[i].words) {
            assert_malformed(path, cases[i].words);
            continue;
        }
        lt_dataset *d = must_open(path, NULL);
        const lt_dataset_info *f = lt_dataset_describe(d);
        for (int s = 0; s < LT_SPLITS; s++) {
            assert_int_equal(f->n[s], cases[i].found[s] == '0' ? 0 : 2);
            assert_int_equal(f->has_labels[s], cases[i].found[s] == 'l');
        }
        lt_dataset_free(d);
    }
    bytes_clear(&x);
    bytes_clear(&y);
}

/* ---- Damage ---- */

static void random_damage_never_crashes(void **state)
{
    (void)state;
    size_t size;
    unsigned char *records = make_records(0, 2, 1, &size);
    fuzz("x.bin", records, size, 0, fuzz_times(5000) / 5);
    free(records);
}

/* Archives are files, and slower. */
static void damaged_npz_never_crashes(void **state)
{
    (void)state;
    int times = fuzz_times(3000) / 10;
    static const char *const names[] = {"keras.npz", "medmnist.npz"};
    for (int k = 0; k < COUNT_OF(names); k++) {
        bytes good = read_golden(names[k]);
        for (int i = 0; i < times; i++) {
            lt_dataset *d;
            bytes b = copy_of(good.data, good.size);
            damage(&b, (uint64_t)i, 0);
            const char *path = put("a.npz", b.data, b.size);
            int status = lt_dataset_open(path, NULL, &d);
            assert_true(status == LT_OK || status == LT_FORMAT || status == LT_UNSUPPORTED);
            if (status != LT_OK)
                assert_says(path);
            lt_dataset_free(d);
            bytes_clear(&b);
        }
        bytes_clear(&good);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(cifar10_directory),
        TEST(cifar100_directory_and_single_files),
        TEST(cifar10_tar_file),
        TEST(cifar_rejects_damage),
        TEST(npz_of_keras_and_medmnist),
        TEST(npz_names),
        TEST(damaged_npz_never_crashes),
        TEST(random_damage_never_crashes),
    };
    return cmocka_run_group_tests_name("formats", tests, NULL, NULL);
}
