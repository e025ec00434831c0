/* SPDX-License-Identifier: MIT */
/* Files that hold images with their labels: CIFAR's, MATLAB's, NumPy's archives. */
#include "data_files.h"

#include "base/philox.h"
#include "data/reader.h"

#include <math.h>
#include <zlib.h>

/* ---- CIFAR ---- */

enum { SIDE = 32, PLANE = SIDE * SIDE, RECORD = 1 + 3 * PLANE, FINE_RECORD = 2 + 3 * PLANE };

/* Image i of a made-up set: its colour k at (row, column). */
static unsigned char colour_of(int i, int k, int row, int column)
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
                *p++ = colour_of(i, k, at / SIDE, at % SIDE);
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
                assert_true(*p++ == (float)colour_of(i, k, at / SIDE, at % SIDE) / 255);
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
    assert_int_equal(lt_dataset_open(&d, "cifar10", &o), LT_FORMAT);
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
        int status = lt_dataset_open(&d, put("any.tar", tar, n), NULL);
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

/* ---- MAT: what SciPy wrote (tools/golden_data.py) ---- */

enum { H = 5, W = 4, C = 3, N = 6 };
static const int digits[N] = {0, 1, 9, 2, 3, 0};

static unsigned char x_of(int h, int w, int c, int n)
{
    return (unsigned char)(37 * h + 11 * w + 83 * c + 101 * n + h * w * n);
}

static bytes read_golden(const char *name)
{
    char *path = must_format("%s/golden/%s", TESTS_DIR, name);
    bytes b;
    if (file_read(path, 1 << 20, &b) != LT_OK)
        fail_msg("%s", lt_last_error());
    free(path);
    return b;
}

static void assert_svhn(const char *path)
{
    lt_dataset *d = must_open(path, NULL);
    const lt_dataset_info *f = lt_dataset_describe(d);
    assert_true(f->h == H && f->w == W && f->c == C && f->n[LT_TRAIN] == N);
    float *x = gather_all(d, LT_TRAIN, 0, N, 1), *p = x;
    for (int n = 0; n < N; n++)
        for (int h = 0; h < H; h++)
            for (int w = 0; w < W; w++)
                for (int c = 0; c < C; c++)
                    assert_true(*p++ == (float)x_of(h, w, c, n) / 255);
    for (int n = 0; n < N; n++) {
        int32_t label;
        assert_int_equal(lt_dataset_labels(d, LT_TRAIN, (int32_t[]){n}, 1, &label), LT_OK);
        assert_int_equal(label, digits[n]);
    }
    free(x);
    lt_dataset_free(d);
}

static void mat_of_scipy_packed_and_plain(void **state)
{
    (void)state;
    static const char *const names[] = {"svhn-packed.mat", "svhn-plain.mat"};
    for (int i = 0; i < COUNT_OF(names); i++) {
        bytes b = read_golden(names[i]);
        assert_svhn(put(i ? "b.mat" : "a", b.data, b.size)); /* the signature is enough */
        put("train_32x32.mat", b.data, b.size);
        put("test_32x32.mat", b.data, b.size);
        lt_dataset *d = must_open(dir, NULL);
        assert_int_equal(lt_dataset_describe(d)->n[LT_TEST], N);
        assert_true(lt_dataset_describe(d)->has_labels[LT_TEST]);
        lt_dataset_free(d);
        bytes_clear(&b);
    }
    lt_dataset *d;
    lt_data_options o = {.limit = 0};
    strcpy(o.path, dir);
    assert_int_equal(lt_dataset_open(&d, "svhn", &o), LT_FORMAT);
    assert_says("expected 73257 train images of svhn, found 6");
}

/* ---- MAT: written here, in both byte orders ---- */

typedef struct writer {
    unsigned char data[1 << 16];
    size_t size, origin; /* elements are filled up to multiples of 8 from here */
    bool is_big;
} writer;

static void put_number(writer *m, uint64_t value, int size)
{
    for (int i = 0; i < size; i++)
        m->data[m->size++] = (unsigned char)(value >> 8 * (m->is_big ? size - 1 - i : i));
}

static void fill_up(writer *m)
{
    while ((m->size - m->origin) % 8)
        m->data[m->size++] = 0;
}

static void begin_file(writer *m, bool is_big)
{
    m->size = 0;
    m->is_big = is_big;
    memset(m->data, ' ', 116);
    memcpy(m->data, "MATLAB 5.0 by hand", 18);
    m->size = 116;
    put_number(m, 0, 8);
    put_number(m, 0x0100, 2);
    put_number(m, 'M' << 8 | 'I', 2);
}

static const struct number_kind {
    int class, type, size;
} DOUBLE = {6, 9, 8}, SINGLE = {7, 7, 4}, UINT8 = {9, 2, 1}, INT16 = {10, 3, 2}, INT8 = {8, 1, 1};

/* Begins a variable; put_number writes its numbers, and end_variable ends it. */
static size_t begin_variable(writer *m, const char *name, struct number_kind k, int rank,
                             const int *dims, int n)
{
    size_t start = m->origin = m->size;
    put_number(m, 14, 4);
    put_number(m, 0, 4);
    put_number(m, 6, 4);
    put_number(m, 8, 4);
    put_number(m, (uint64_t)k.class, 4);
    put_number(m, 0, 4);
    put_number(m, 5, 4);
    put_number(m, 4 * (uint64_t)rank, 4);
    for (int i = 0; i < rank; i++)
        put_number(m, (uint64_t)dims[i], 4);
    fill_up(m);
    put_number(m, 1, 4);
    put_number(m, strlen(name), 4);
    memcpy(m->data + m->size, name, strlen(name));
    m->size += strlen(name);
    fill_up(m);
    put_number(m, (uint64_t)k.type, 4);
    put_number(m, (uint64_t)(n * k.size), 4);
    return start;
}

static void end_variable(writer *m, size_t start)
{
    fill_up(m);
    size_t end = m->size;
    m->size = start + 4;
    put_number(m, end - start - 8, 4);
    m->size = end;
}

static void put_x(writer *m)
{
    size_t start = begin_variable(m, "X", UINT8, 4, (int[]){H, W, C, N}, H * W * C * N);
    for (int n = 0; n < N; n++)
        for (int c = 0; c < C; c++)
            for (int w = 0; w < W; w++)
                for (int h = 0; h < H; h++)
                    put_number(m, x_of(h, w, c, n), 1);
    end_variable(m, start);
}

static uint64_t bits_of(struct number_kind k, double value)
{
    float single = (float)value;
    uint64_t bits = fabs(value) < 9e18 ? (uint64_t)(int64_t)value : 0; /* of integers */
    uint32_t half;
    memcpy(&half, &single, sizeof half);
    if (k.type == DOUBLE.type)
        memcpy(&bits, &value, sizeof bits);
    return k.type == SINGLE.type ? half : bits;
}

static void put_y(writer *m, struct number_kind k, int rows, int columns, const double *values)
{
    size_t start = begin_variable(m, "y", k, 2, (int[]){rows, columns}, rows * columns);
    for (int i = 0; i < rows * columns; i++)
        put_number(m, bits_of(k, values[i]), k.size);
    end_variable(m, start);
}

static const double svhn_labels[N] = {10, 1, 9, 2, 3, 10};

/* The variable that begins at `start`, packed. */
static void pack_variable(writer *m, size_t start)
{
    unsigned char packed[1 << 16];
    uLongf n = sizeof packed;
    assert_int_equal(compress(packed, &n, m->data + start, m->size - start), Z_OK);
    m->size = start;
    put_number(m, 15, 4);
    put_number(m, n, 4);
    memcpy(m->data + m->size, packed, n);
    m->size += n;
}

static void mat_in_both_byte_orders_and_all_labels(void **state)
{
    (void)state;
    const struct number_kind kinds[] = {DOUBLE, SINGLE, UINT8, INT16, INT8};
    static writer m;
    for (int big = 0; big < 2; big++)
        for (int i = 0; i < COUNT_OF(kinds); i++)
            for (int is_packed = 0; is_packed < 2; is_packed++) {
                begin_file(&m, big);
                if (i % 2)
                    put_y(&m, kinds[i], 1, N, svhn_labels);
                size_t start = m.size;
                put_x(&m);
                if (is_packed)
                    pack_variable(&m, start);
                if (i % 2 == 0)
                    put_y(&m, kinds[i], N, 1, svhn_labels);
                assert_svhn(put("a.mat", m.data, m.size));
            }
}

/* Grey images without labels; labels of other ranges stay as they are. */
static void mat_grey_and_other_labels(void **state)
{
    (void)state;
    static writer m;
    begin_file(&m, false);
    size_t start = begin_variable(&m, "X", UINT8, 3, (int[]){2, 3, 2}, 12);
    for (int i = 0; i < 12; i++)
        put_number(&m, (uint64_t)(20 * i), 1);
    end_variable(&m, start);
    size_t images = m.size;
    lt_dataset *d = must_open(put("a.mat", m.data, m.size), NULL);
    const lt_dataset_info *f = lt_dataset_describe(d);
    assert_true(f->n[LT_TRAIN] == 2 && f->h == 2 && f->w == 3 && f->c == 1 && f->classes == 0);
    static const int want[12] = {0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11};
    float *x = gather_all(d, LT_TRAIN, 0, 2, 1);
    for (int i = 0; i < 12; i++)
        assert_true(x[i] == (float)(20 * want[i]) / 255);
    free(x);
    lt_dataset_free(d);
    static const double others[][2] = {{0, 10}, {1, 11}, {10, 10}, {255, 1}};
    static const int label_wants[][2] = {{0, 10}, {1, 11}, {0, 0}, {255, 1}};
    for (int i = 0; i < COUNT_OF(others); i++) {
        m.size = images;
        put_y(&m, DOUBLE, 2, 1, others[i]);
        int32_t labels[2];
        d = must_open(put("a.mat", m.data, m.size), NULL);
        assert_int_equal(lt_dataset_labels(d, LT_TRAIN, (int32_t[]){0, 1}, 2, labels), LT_OK);
        assert_true(labels[0] == label_wants[i][0] && labels[1] == label_wants[i][1]);
        lt_dataset_free(d);
    }
}

static void assert_mat_rejected(const writer *m, const char *words)
{
    assert_malformed(put("a.mat", m->data, m->size), words);
    assert_says("at byte");
}

/* Variables that are not what they should be. */
static void mat_rejects_other_variables(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct number_kind kind;
        int rank, dims[5], n;
        const char *words;
    } cases[] = {
        {"Z", {9, 2, 1}, 4, {2, 2, 3, 1}, 12, "expected a variable X of images, found Z"},
        {"y", {9, 2, 1}, 2, {2, 1}, 2, "found y alone"},
        {"X", {6, 9, 8}, 4, {2, 2, 3, 1}, 12, "X: expected the class uint8, found double"},
        {"X", {9, 3, 2}, 4, {2, 2, 3, 1}, 12, "X: expected the class uint8"},
        {"X", {1, 2, 1}, 4, {2, 2, 3, 1}, 12, "X: expected numbers, found the class cell"},
        {"X", {99, 2, 1}, 4, {2, 2, 3, 1}, 12, "found the class unknown"},
        {"X", {9, 2, 1}, 2, {2, 6}, 12, "found rank 2"},
        {"X", {9, 2, 1}, 5, {2, 2, 3, 1, 1}, 12, "found rank 5"},
        {"X", {9, 2, 1}, 4, {2, 2, 3, 2}, 12, "X: expected 24 bytes, found 12"},
        {"X", {9, 2, 1}, 4, {2, 2, 3, 1}, 13, "X: expected 12 bytes, found 13"},
        {"X", {9, 2, 1}, 4, {2, 0, 3, 1}, 0, "at least 1, found 0"},
        {"X", {9, 2, 1}, 4, {2, -2, 3, 1}, 12, "found a negative one"},
        {"X", {9, 2, 1}, 4, {8, 8, 5, 1}, 320, "expected a number of channels between 1 and 4"},
        {"X", {9, 2, 1}, 4, {16384, 16384, 4, 2147483647}, 4, "expected"},
    };
    static writer m;
    for (int i = 0; i < COUNT_OF(cases); i++) {
        begin_file(&m, i % 2);
        size_t start = begin_variable(&m, cases[i].name, cases[i].kind, cases[i].rank,
                                      cases[i].dims, cases[i].n);
        for (int k = 0; k < cases[i].n; k++)
            put_number(&m, 1, cases[i].kind.size);
        end_variable(&m, start);
        assert_mat_rejected(&m, cases[i].words);
        pack_variable(&m, start);
        if (i > 1)
            assert_mat_rejected(&m, "at byte 136: ");
    }
    begin_file(&m, false);
    put_x(&m);
    pack_variable(&m, 128);
    m.data[m.size - 1] ^= 1;
    assert_mat_rejected(&m, "found incorrect data check");
    begin_file(&m, false);
    put_x(&m);
    put_x(&m);
    assert_mat_rejected(&m, "expected one variable X, found a second one");
    begin_file(&m, false);
    assert_mat_rejected(&m, "expected a variable X of images, found none");
}

/* Of what is not X or y nothing is unpacked but its name; what claims more than its numbers is
 * refused. */
static void mat_passes_over_packed_variables(void **state)
{
    (void)state;
    static writer m;
    begin_file(&m, false);
    size_t start = begin_variable(&m, "meta", DOUBLE, 2, (int[]){40, 50}, 2000);
    for (int i = 0; i < 2000; i++)
        put_number(&m, (uint64_t)i, 8);
    end_variable(&m, start);
    pack_variable(&m, start);
    m.data[m.size - 9] ^= 0x55; /* far behind the name */
    put_x(&m);
    put_y(&m, UINT8, N, 1, svhn_labels);
    assert_svhn(put("a.mat", m.data, m.size));
    begin_file(&m, false); /* an X that is wrong is refused before it is unpacked */
    start = begin_variable(&m, "X", DOUBLE, 4, (int[]){10, 10, 1, 20}, 2000);
    for (int i = 0; i < 2000; i++)
        put_number(&m, (uint64_t)i, 8);
    end_variable(&m, start);
    pack_variable(&m, start);
    m.data[m.size - 1] ^= 1; /* of zlib's checksum */
    assert_mat_rejected(&m, "X: expected the class uint8, found double");
    begin_file(&m, false);
    put_x(&m);
    m.size += 4096; /* zeros, or what was there: nothing looks at them */
    end_variable(&m, 128);
    assert_mat_rejected(
        &m, "expected the end of the variable after its numbers, found 4096 bytes more");
    pack_variable(&m, 128);
    assert_mat_rejected(
        &m, "expected the end of the variable after its numbers, found 4096 bytes more");
}

static void mat_rejects_other_labels(void **state)
{
    (void)state;
    static const struct {
        struct number_kind kind;
        int rows, columns;
        double values[N];
        const char *words;
    } cases[] = {
        {{6, 9, 8}, 6, 1, {0, 1, 2.5, 3}, "y: label 2: expected 0 to 255, found "},
        {{6, 9, 8}, 6, 1, {0, 1, 2, -1}, "y: label 3: expected 0 to 255, found "},
        {{7, 7, 4}, 6, 1, {256}, "y: label 0: expected 0 to 255, found "},
        {{6, 9, 8}, 6, 1, {1e300}, "y: label 0: expected 0 to 255, found "},
        {{10, 3, 2}, 6, 1, {0, -1}, "y: label 1: expected 0 to 255, found "},
        {{8, 1, 1}, 6, 1, {0, -1}, "y: label 1: expected 0 to 255, found "},
        {{10, 3, 2}, 6, 1, {0, 256}, "y: label 1: expected 0 to 255, found "},
        {{6, 9, 8}, 2, 3, {0}, "y: expected N x 1 labels, found 2 x 3"},
        {{6, 9, 8}, 0, 1, {0}, "y: expected N x 1 labels, found 0 x 1"},
        {{6, 9, 8}, 5, 1, {0}, "expected 6 labels, one for each image of"},
        {{9, 14, 1}, 6, 1, {0}, "y: expected 6 numbers, found 6 bytes of type 14"},
    };
    static writer m;
    for (int i = 0; i < COUNT_OF(cases); i++) {
        begin_file(&m, i % 2);
        put_x(&m);
        put_y(&m, cases[i].kind, cases[i].rows, cases[i].columns, cases[i].values);
        assert_malformed(put("a.mat", m.data, m.size), cases[i].words);
    }
}

/* Each field of an otherwise right file; X begins at byte 128. */
static void mat_rejects_each_damaged_field(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        int size;
        uint64_t value;
        const char *words;
    } cases[] = {
        {124, 2, 0x0200, "at byte 124: expected a MAT file of version 5, found 7.3 (HDF5)"},
        {124, 2, 0x0300, "expected MAT version 0100, found 0300"},
        {126, 2, 0, "expected IM or MI, the byte order, found 00 00"},
        {128, 4, 13,
         "at byte 128: expected a variable, an element of type 14 or 15, found type 13"},
        {132, 4, 1 << 20, "at byte 128: expected an element of 1048576 bytes, found"},
        {132, 4, 7, "expected an element, whose tag has 8 bytes, found 7"},
        {136, 4, 5, "expected the flags of a variable, an element of type 6, found type 5"},
        {140, 4, 4, "expected 8 bytes of flags, found 4"},
        {152, 4, 6, "expected the dimensions of a variable, an element of type 5, found type 6"},
        {156, 4, 6, "expected 2 to 8 dimensions of 4 bytes, found 6 bytes"},
        {156, 4, 4, "expected 2 to 8 dimensions of 4 bytes, found 4 bytes"},
        {176, 4, 2, "expected the name of a variable, an element of type 1, found type 2"},
        {176, 4, 5 << 16 | 1, "expected at most 4 bytes in a small element, found 5"},
        {192, 4, 3, "X: expected the class uint8"},
        {196, 4, 1 << 16, "at byte 192: expected an element of 65536 bytes"},
        {144, 4, 9 | 0x800, "found uint8 (complex)"},
    };
    static writer m;
    for (int i = 0; i < COUNT_OF(cases); i++) {
        begin_file(&m, i % 2);
        put_x(&m);
        size_t size = m.size;
        m.size = cases[i].at;
        put_number(&m, cases[i].value, cases[i].size);
        m.size = size;
        assert_mat_rejected(&m, cases[i].words);
    }
    assert_malformed(put_text("a.mat", "MATLAB 5.0"),
                     "expected a MAT header of 128 bytes, found 10");
    char hdf[200] = "\x89HDF\r\n\x1a\n";
    assert_malformed(put("a.mat", hdf, sizeof hdf), "found an HDF5 file (MATLAB 7.3 saves these)");
}

static void mat_rejects_damaged_packing(void **state)
{
    (void)state;
    static writer m;
    begin_file(&m, false);
    put_x(&m);
    size_t plain = m.size - 128;
    pack_variable(&m, 128);
    writer good = m;
    for (size_t cut = 1; cut < good.size - 136; cut++) { /* the stream ends too early */
        m.size = 132;
        put_number(&m, good.size - 136 - cut, 4);
        m.size = good.size - cut;
        assert_mat_rejected(&m, "at byte 136: expected a");
        m = good;
    }
    m.data[good.size - 1] ^= 1; /* the checksum */
    assert_mat_rejected(&m, "incorrect data check");
    m = good;
    m.data[136] = 0;
    assert_mat_rejected(&m, "expected a variable packed by zlib, found incorrect header");

    for (int by = -8; by <= 8; by += 16) { /* the packed tag tells another size */
        begin_file(&m, false);
        put_x(&m);
        m.size = 132;
        put_number(&m, (uint64_t)((int64_t)plain - 8 + by), 4);
        m.size = 128 + plain;
        pack_variable(&m, 128);
        assert_mat_rejected(&m, by < 0 ? "found more" : "found fewer");
    }
    begin_file(&m, false);
    put_x(&m);
    m.size = 132;
    put_number(&m, UINT32_MAX, 4);
    m.size = 128 + plain;
    pack_variable(&m, 128);
    assert_mat_rejected(&m, "packed into");
    begin_file(&m, false);
    put_number(&m, 15, 4);
    put_number(&m, 0, 4);
    pack_variable(&m, 128); /* packed twice */
    assert_mat_rejected(&m, "expected a packed variable (type 14), found type 15");
}

static void mat_truncated_anywhere(void **state)
{
    (void)state;
    static const char *const names[] = {"svhn-packed.mat", "svhn-plain.mat"};
    for (int i = 0; i < COUNT_OF(names); i++) {
        bytes b = read_golden(names[i]);
        int whole = 0;
        for (size_t n = 0; n < b.size; n++) {
            lt_dataset *d;
            const char *path = put("a.mat", b.data, n);
            int status = lt_dataset_open(&d, path, NULL);
            whole += status == LT_OK; /* X, and then perhaps y, is complete */
            if (status != LT_OK) {
                assert_int_equal(status, LT_FORMAT);
                assert_says(path);
                assert_says("at byte");
            }
            lt_dataset_free(d);
        }
        assert_in_range(whole, 1, 40);
        bytes_clear(&b);
    }
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
        {{"*y", "x_test"}, 2, "", "expected images of the labelled train split, found y, x_test"},
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

/* ---- Whatever the bytes: success, or LT_FORMAT with a message; the sanitizers watch ---- */

/* Damages a few bytes, or cuts the end. */
static void damage(bytes *b, uint64_t seed, size_t first)
{
    static const uint32_t values[] = {0, 1, 2, 0x7f, 0x80, 0xff, 14, 15};
    uint32_t r[12];
    philox_words(&(philox_key){.seed = 9, .step = seed}, 0, 12, r);
    size_t room = b->size - first;
    for (uint32_t i = 0; i < 1 + r[0] % 3; i++)
        b->data[first + r[1 + i] % room] =
            (unsigned char)(r[4 + i] % 2 ? values[r[4 + i] / 2 % COUNT_OF(values)] : r[7 + i]);
    if (r[10] % 4 == 0)
        b->size = first + r[11] % room;
}

static void parse_any(const char *name, bytes *b)
{
    data_array a, labels;
    int status = data_parse(name, b, &a, &labels);
    assert_true(status == LT_OK || status == LT_FORMAT);
    assert_int_equal(status == LT_OK, a.u8 || a.f32);
    assert_true(status == LT_OK || !labels.u8);
    data_array_clear(&a);
    data_array_clear(&labels);
}

/* A copy that the sanitizers see the end of. */
static bytes copy_of(const void *data, size_t size)
{
    bytes b = {must_alloc(size + 1), size};
    memcpy(b.data, data, size);
    return b;
}

static void fuzz(const char *name, const void *data, size_t size, size_t first, int times)
{
    for (int i = 0; i < times; i++) {
        bytes b = copy_of(data, size);
        damage(&b, (uint64_t)i, first);
        bytes exact = copy_of(b.data, b.size);
        bytes_clear(&b);
        parse_any(name, &exact);
    }
}

/* Damage inside a packed variable, packed again so that zlib finds nothing wrong. */
static void fuzz_inside(const writer *good, size_t start, int times)
{
    static writer m;
    for (int i = 0; i < times; i++) {
        bytes b = copy_of(good->data + start, good->size - start);
        damage(&b, (uint64_t)i, 0);
        m = *good;
        memcpy(m.data + start, b.data, b.size);
        m.size = start + b.size;
        bytes_clear(&b);
        pack_variable(&m, start);
        b = copy_of(m.data, m.size);
        parse_any("x.mat", &b);
    }
}

static void random_damage_never_crashes(void **state)
{
    (void)state;
    const char *more = getenv("LATENT_FUZZ");
    int times = more ? atoi(more) : 5000;
    size_t size;
    unsigned char *records = make_records(0, 2, 1, &size);
    fuzz("x.bin", records, size, 0, times / 5);
    free(records);
    static const char *const names[] = {"svhn-packed.mat", "svhn-plain.mat"};
    for (int i = 0; i < COUNT_OF(names); i++) {
        bytes b = read_golden(names[i]);
        fuzz("x.mat", b.data, b.size, i ? 124 : 0, times);
        bytes_clear(&b);
    }
    static writer m;
    begin_file(&m, true);
    put_y(&m, INT16, N, 1, svhn_labels);
    size_t start = m.size;
    put_x(&m);
    fuzz("x.mat", m.data, start, 128, times);
    fuzz_inside(&m, start, times);
}

/* Archives are files, and slower. */
static void damaged_npz_never_crashes(void **state)
{
    (void)state;
    const char *more = getenv("LATENT_FUZZ");
    int times = more ? atoi(more) / 10 : 300;
    static const char *const names[] = {"keras.npz", "medmnist.npz"};
    for (int k = 0; k < COUNT_OF(names); k++) {
        bytes good = read_golden(names[k]);
        for (int i = 0; i < times; i++) {
            lt_dataset *d;
            bytes b = copy_of(good.data, good.size);
            damage(&b, (uint64_t)i, 0);
            const char *path = put("a.npz", b.data, b.size);
            int status = lt_dataset_open(&d, path, NULL);
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
        TEST(mat_of_scipy_packed_and_plain),
        TEST(mat_in_both_byte_orders_and_all_labels),
        TEST(mat_grey_and_other_labels),
        TEST(mat_rejects_other_variables),
        TEST(mat_passes_over_packed_variables),
        TEST(mat_rejects_other_labels),
        TEST(mat_rejects_each_damaged_field),
        TEST(mat_rejects_damaged_packing),
        TEST(mat_truncated_anywhere),
        TEST(npz_of_keras_and_medmnist),
        TEST(npz_names),
        TEST(damaged_npz_never_crashes),
        TEST(random_damage_never_crashes),
    };
    return cmocka_run_group_tests_name("formats", tests, NULL, NULL);
}
