/* SPDX-License-Identifier: MIT */
/* Readers against damaged files, known contents of the published sets, batches that depend on
   nothing but their arguments. */
#include <latent/data.h>

#include "base/memory.h"
#include "base/options.h"
#include "base/philox.h"
#include "base/status.h"
#include "base/text.h"
#include "data/catalogue.h"
#include "data/dataset.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include <zlib.h>

/* ---- A directory for the files of a test; emptied after it ---- */

static char dir[64];

static int make_dir(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/latent-data-XXXXXX");
    unsetenv("LATENT_DATA");
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    char *command = must_format("rm -rf '%s'", dir);
    int status = system(command);
    free(command);
    return status;
}

/* Paths in the directory live until the next four are asked for. */
static const char *in_dir(const char *name)
{
    static char paths[4][128];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

static const char *put(const char *name, const void *data, size_t size)
{
    const char *path = in_dir(name);
    assert_int_equal(file_write(path, data, size), LT_OK);
    return path;
}

static const char *put_text(const char *name, const char *t) { return put(name, t, strlen(t)); }

static const char *put_gz(const char *name, const void *data, size_t size)
{
    const char *path = in_dir(name);
    gzFile f = gzopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(gzwrite(f, data, (unsigned)size), size);
    assert_int_equal(gzclose(f), Z_OK);
    return path;
}

/* ---- Small valid files ---- */

enum { IDX_SIZE = 16 + 2 * 3 * 3, LABELS_SIZE = 8 + 2 };

/* Two images of 3 x 3, pixels 0, 14, 28 ... 238; two labels, 7 and 4. */
static void make_idx(unsigned char image[IDX_SIZE], unsigned char label[LABELS_SIZE])
{
    memcpy(image, "\0\0\x08\x03\0\0\0\x02\0\0\0\x03\0\0\0\x03", 16);
    for (int i = 0; i < 18; i++)
        image[16 + i] = (unsigned char)(14 * i);
    memcpy(label, "\0\0\x08\x01\0\0\0\x02\x07\x04", LABELS_SIZE);
}

static const char AMAT[] = "0 1 0 0\n1 1 0 0 \n0 0 0 1\n";

/* An npy file of version 1; freed by the caller. */
static unsigned char *make_npy(const char *dictionary, const void *data, size_t n, size_t *size)
{
    size_t length = strlen(dictionary);
    *size = 10 + length + n;
    unsigned char *file = must_alloc(*size);
    memcpy(file, "\x93NUMPY\x01\x00", 8);
    file[8] = (unsigned char)length;
    file[9] = (unsigned char)(length >> 8);
    memcpy(file + 10, dictionary, length);
    memcpy(file + 10 + length, data, n);
    return file;
}

static const char *put_npy(const char *name, const char *dictionary, const void *data, size_t n)
{
    size_t size;
    unsigned char *file = make_npy(dictionary, data, n, &size);
    const char *path = put(name, file, size);
    free(file);
    return path;
}

/* ---- Expectations ---- */

static lt_dataset *must_open(const char *name, const lt_data_options *options)
{
    lt_dataset *d;
    if (lt_dataset_open(&d, name, options) != LT_OK)
        fail_msg("%s: %s", name, lt_last_error());
    return d;
}

static void assert_says(const char *words)
{
    if (!strstr(lt_last_error(), words))
        fail_msg("expected '%s' in the message: %s", words, lt_last_error());
}

/* Opening fails; the message names the path and holds `words`. */
static void assert_rejected(int status, const char *path, const char *words)
{
    lt_dataset *d = (lt_dataset *)&status;
    int found = lt_dataset_open(&d, path, NULL);
    if (found != status)
        fail_msg("%s: expected %s, found %s", path, lt_status_name(status), lt_status_name(found));
    assert_null(d);
    assert_says(path);
    assert_says(words);
}

/* The same for a damaged file, whose message says what was expected and found. */
static void assert_malformed(const char *path, const char *words)
{
    assert_rejected(LT_FORMAT, path, words);
    assert_says("expected");
    assert_says("found");
}

static float *gather_all(const lt_dataset *d, lt_split split, uint64_t epoch, int batch,
                         int threads)
{
    const lt_dataset_info *f = lt_dataset_describe(d);
    size_t pixels = (size_t)f->h * (size_t)f->w * (size_t)f->c;
    int n = f->n[split];
    float *x = must_alloc((size_t)n * pixels * sizeof *x);
    int32_t *index = must_alloc((size_t)n * sizeof *index);
    for (int i = 0; i < n; i++)
        index[i] = i;
    for (int i = 0; i < n; i += batch)
        assert_int_equal(lt_dataset_gather(d, split, index + i, n - i < batch ? n - i : batch,
                                           epoch, threads, x + (size_t)i * pixels),
                         LT_OK);
    free(index);
    return x;
}

/* ---- Readers: what is right ---- */

static void idx_plain_and_gz_are_equal(void **state)
{
    (void)state;
    unsigned char image[IDX_SIZE], label[LABELS_SIZE];
    make_idx(image, label);
    lt_dataset *d[2] = {must_open(put("a-idx3-ubyte", image, IDX_SIZE), NULL),
                        must_open(put_gz("b-idx3-ubyte.gz", image, IDX_SIZE), NULL)};
    for (int k = 0; k < 2; k++) {
        const lt_dataset_info *f = lt_dataset_describe(d[k]);
        assert_int_equal(f->n[LT_TRAIN], 2);
        assert_int_equal(f->n[LT_TEST], 0);
        assert_int_equal(f->h * 100 + f->w * 10 + f->c, 331);
        assert_false(f->is_binary);
        float *x = gather_all(d[k], LT_TRAIN, 0, 2, 1);
        for (int i = 0; i < 18; i++)
            assert_true(x[i] == (float)(14 * i) / 255);
        free(x);
        lt_dataset_free(d[k]);
    }
}

static void every_byte_is_exactly_b_over_255(void **state)
{
    (void)state;
    unsigned char b[256];
    for (int i = 0; i < 256; i++)
        b[i] = (unsigned char)i;
    lt_dataset *d = must_open(put_npy("b.npy",
                                      "{'descr': '|u1', 'fortran_order': False, "
                                      "'shape': (1, 256), }\n",
                                      b, 256),
                              NULL);
    float *x = gather_all(d, LT_TRAIN, 0, 1, 1);
    for (int i = 0; i < 256; i++)
        assert_true(x[i] == (float)i / 255);
    free(x);
    lt_dataset_free(d);
}

static void amat_reads_plain_and_free_spelling(void **state)
{
    (void)state;
    static const char other[] = "0.000 1.0e+00\t 0 0\r\n 1 1. 0 0\r\n0 0 0e-00 1";
    const char *texts[] = {AMAT, other};
    static const float want[12] = {0, 1, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1};
    for (int k = 0; k < 2; k++) {
        lt_dataset *d = must_open(put_text("a.amat", texts[k]), NULL);
        const lt_dataset_info *f = lt_dataset_describe(d);
        assert_int_equal(f->n[LT_TRAIN], 3);
        assert_int_equal(f->h * 100 + f->w * 10 + f->c, 221);
        assert_true(f->is_binary);
        float *x = gather_all(d, LT_TRAIN, 0, 2, 1);
        assert_memory_equal(x, want, sizeof want);
        free(x);
        lt_dataset_free(d);
    }
}

static void npy_reads_every_type_and_shape(void **state)
{
    (void)state;
    static const float f4[4] = {0, 0.25f, 0.5f, 1};
    static const double f8[4] = {0, 0.25, 0.5, 1};
    static const unsigned char u1[4] = {0, 51, 102, 255}, b1[4] = {0, 1, 1, 0};
    static const float u1_want[4] = {0, 0.2f, 0.4f, 1}, b1_want[4] = {0, 1, 1, 0};
    const struct {
        const char *dictionary;
        const void *data;
        size_t size;
        int n, h, w, c;
        const float *want;
    } cases[] = {
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 2), }", f4, 16, 1, 2, 2, 1, f4},
        {"{\"shape\": (1,4),\"descr\":\"<f8\",\"fortran_order\":False}  \n", f8, 32, 1, 2, 2, 1,
         f4},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1, 2, 2)}", u1, 4, 1, 1, 2, 2,
         u1_want},
        {"{'descr': '|b1', 'fortran_order': False, 'shape': (4, 1, 1), }", b1, 4, 4, 1, 1, 1,
         b1_want},
    };
    for (int k = 0; k < COUNT_OF(cases); k++) {
        lt_dataset *d =
            must_open(put_npy("a.npy", cases[k].dictionary, cases[k].data, cases[k].size), NULL);
        const lt_dataset_info *f = lt_dataset_describe(d);
        assert_int_equal(f->n[LT_TRAIN], cases[k].n);
        assert_int_equal(f->h, cases[k].h);
        assert_int_equal(f->w, cases[k].w);
        assert_int_equal(f->c, cases[k].c);
        assert_int_equal(f->is_binary, cases[k].want == b1_want);
        float *x = gather_all(d, LT_TRAIN, 0, 3, 1);
        assert_memory_equal(x, cases[k].want, 4 * sizeof *x);
        free(x);
        lt_dataset_free(d);
    }
}

static void npy_directory_with_labels(void **state)
{
    (void)state;
    static const unsigned char u1[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    static const int64_t labels[2] = {200, 3};
    put_npy("train.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 2)}", u1, 8);
    put_npy("train-labels.npy", "{'descr': '<i8', 'fortran_order': False, 'shape': (2,)}", labels,
            16);
    put_npy("test.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 2)}", u1, 4);
    lt_dataset *d = must_open(dir, NULL);
    const lt_dataset_info *f = lt_dataset_describe(d);
    assert_string_equal(f->name, strrchr(dir, '/') + 1);
    assert_int_equal(f->n[LT_TRAIN] * 100 + f->n[LT_VALID] * 10 + f->n[LT_TEST], 201);
    assert_int_equal(f->classes, 201);
    assert_false(f->has_labels[LT_TEST]);
    int32_t index[] = {1, 0, 1}, got[3];
    assert_int_equal(lt_dataset_labels(d, LT_TRAIN, index, 3, got), LT_OK);
    assert_int_equal(got[0], 3);
    assert_int_equal(got[1], 200);
    assert_int_equal(lt_dataset_labels(d, LT_TEST, index + 1, 1, got), LT_NOT_FOUND);
    assert_int_equal(lt_dataset_labels(d, LT_TRAIN, (int32_t[]){2}, 1, got), LT_VALUE);
    lt_dataset_free(d);

    put_npy("test.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1, 4)}", u1, 4);
    assert_rejected(LT_FORMAT, dir, "expected images of 2 x 2 x 1, found 1 x 4 x 1");
}

/* ---- Readers: what is wrong ---- */

static void idx_rejects_each_damaged_field(void **state)
{
    (void)state;
    static const struct {
        int offset, value;
        const char *words;
    } cases[] = {
        {0, 1, "at byte 0: expected 00 00"},
        {1, 0x80, "at byte 0: expected 00 00"},
        {2, 0x0d, "at byte 2: expected IDX type 08 (bytes), found 0d"},
        {2, 0, "at byte 2"},
        {3, 0, "at byte 3: expected IDX rank 3 (images) or 1 (labels), found 0"},
        {3, 1, "expected 2 bytes after the header, found 26"},
        {3, 2, "at byte 3"},
        {3, 4, "at byte 3"},
        {3, 255, "at byte 3"},
        {4, 0x80, "at byte 4: expected a count between 1 and 2147483647, found 2147483650"},
        {4, 0x7f, "expected 19176357"}, /* (0x7f000002 images of 9 bytes */
        {5, 1, "expected 589842 bytes after the header, found 18"},
        {6, 1, "after the header, found 18"},
        {7, 0, "at byte 4: expected a count between 1 and 2147483647, found 0"},
        {7, 1, "at byte 25: expected 9 bytes after the header, found 18"},
        {7, 3, "at byte 34: expected 27 bytes after the header, found 18"},
        {8, 0xff, "expected a height between 1 and 16384, found 4278190083"},
        {9, 1, "expected a height between 1 and 16384, found 65539"},
        {10, 1, "expected 1554 bytes after the header, found 18"},
        {11, 0, "at byte 8: expected a size of at least 1, found 0"},
        {11, 2, "expected 12 bytes after the header, found 18"},
        {12, 0xff, "expected a width between 1 and 16384"},
        {13, 1, "expected a width between 1 and 16384, found 65539"},
        {14, 1, "expected 1554 bytes"},
        {15, 0, "at byte 12: expected a size of at least 1, found 0"},
        {15, 4, "expected 24 bytes after the header, found 18"},
    };
    unsigned char image[IDX_SIZE], label[LABELS_SIZE];
    for (int i = 0; i < COUNT_OF(cases); i++) {
        make_idx(image, label);
        image[cases[i].offset] = (unsigned char)cases[i].value;
        assert_malformed(put("x-idx3-ubyte", image, IDX_SIZE), cases[i].words);
    }
}

static void idx_rejects_every_truncation(void **state)
{
    (void)state;
    unsigned char image[IDX_SIZE + 3] = {0}, label[LABELS_SIZE];
    make_idx(image, label);
    for (size_t n = 0; n < IDX_SIZE; n++)
        assert_malformed(put("x-idx3-ubyte", image, n), n < 16 ? "at byte" : "expected 18 bytes");
    for (size_t n = 1; n <= 3; n++)
        assert_malformed(put("x-idx3-ubyte", image, IDX_SIZE + n), "at byte 34: expected 18 bytes");
    assert_malformed(put("x-idx1-ubyte", label, LABELS_SIZE), "expected images, found 2 labels");

    const char *gz = put_gz("x-idx3-ubyte.gz", image, IDX_SIZE);
    bytes packed;
    assert_int_equal(file_read(gz, 1 << 20, &packed), LT_OK);
    for (size_t n = 0; n < packed.size; n++) {
        lt_dataset *d;
        gz = put("x-idx3-ubyte.gz", packed.data, n);
        assert_int_equal(lt_dataset_open(&d, gz, NULL), LT_FORMAT);
        assert_says(gz);
    }
    bytes_clear(&packed);
}

static void amat_rejects_damage(void **state)
{
    (void)state;
    static const struct {
        const char *content, *words;
    } cases[] = {
        {"", "expected images or labels, found an empty file"},
        {"\n", "line 1: expected as many numbers"},
        {"0 1 0\n", "line 1: expected as many numbers as a square image has pixels"},
        {"0 1 0 1\n0 1 0\n", "at byte 8: line 2: expected 4 numbers, found 3"},
        {"0 1 0 1\n0 1 0 1 1\n", "line 2: expected 4 numbers, found 5"},
        {"0 1 0 1\n\n0 1 0 1\n", "at byte 8: line 2: expected 4 numbers, found 0"},
        {"0 1 0 1\n0 1 0 1\n \n", "line 3: expected 4 numbers, found 0"},
        {"0 1 0 1\n0 1 0 2\n", "at byte 14: line 2, number 4: expected 0 or 1, found '2'"},
        {"0 1 0 1\n0 x 0 1\n", "line 2, number 2: expected 0 or 1, found 'x'"},
        {"0 1 0 1\n0 hello 0 1\n", "found 'hello'"},
        {"0 1 0 1\n01 0 0 1\n", "line 2, number 1: expected 0 or 1, found '01'"},
        {"0 1 0 1\n0.5 0 0 1\n", "found '0.5'"},
        {"0 1 0 1\n-0 0 0 1\n", "found '-0'"},
        {"0,1,0,1\n", "line 1, number 1: expected 0 or 1, found '0,1,0,1'"},
        {"0 1 0 1\n0 1 0\f1\n", "line 2, number 3"},
        {"nan 1 0 1\n", "found 'nan'"},
    };
    for (int i = 0; i < COUNT_OF(cases); i++)
        assert_malformed(put_text("x.amat", cases[i].content), cases[i].words);
    assert_malformed(put("x.amat", "0 1 0 1\n0 1 0 \0\n", 16), "line 2, number 4");

    char *line = must_alloc(2 * 784 + 1); /* a whole line of MNIST's size, but one number */
    for (int i = 0; i < 783; i++)
        memcpy(line + 2 * i, "1 ", 2);
    assert_malformed(put_text("x.amat", line), "found 783");
    free(line);
}

static void npy_rejects_damage(void **state)
{
    (void)state;
    static const struct {
        const char *dictionary;
        size_t size;
        const char *words;
    } cases[] = {
        {"{'descr': '|u1', 'fortran_order': True, 'shape': (1, 2, 2)}", 4, "found Fortran order"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (1, 2, 2)}", 4, "found '|O'"},
        {"{'descr': '<i8', 'fortran_order': False, 'shape': (1, 2, 2)}", 32, "found '<i8'"},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (1, 2, 2)}", 16, "found '>f4'"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", 4, "number type"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 2)}", 4,
         "expected 8 numbers of 1 bytes, found 4 bytes"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 2)}", 5,
         "expected 4 numbers of 1 bytes, found 5 bytes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 2)}", 4, "of 4 bytes, found 4"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': ()}", 1, "found a single number"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (4,)}", 4, "found 4 labels"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 5)}", 5, "found N x 5"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (0, 2, 2)}", 0, "found 0"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 0, 2)}", 0, "found 0"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 3, 8, 8)}", 192,
         "found channels first"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1)}", 1, "found more"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (1, -2, -2)}", 4, "found '-'"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (2147483647, 16384, 16384, 4)}", 4,
         "expected "},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999, 2, 2)}", 4,
         "fits in memory"},
        {"{'descr': '|u1', 'fortran_order': False}", 4, "found no shape"},
        {"{'descr': '|u1', 'descr': '|u1', 'shape': (1,)}", 1, "once each, found 'descr'"},
        {"{'colour': 3, 'descr': '|u1'}", 4, "found 'colour'"},
        {"{'descr': '|u1', 'fortran_order': Maybe, 'shape': (1, 2, 2)}", 4, "True or False"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 2", 4, "end of the npy header"},
        {"['descr']", 4, "expected '{', found '['"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 2)} x", 4, "expected blanks"},
        {"", 4, "end of the npy header"},
    };
    static const unsigned char zeros[192];
    for (int i = 0; i < COUNT_OF(cases); i++)
        assert_malformed(put_npy("x.npy", cases[i].dictionary, zeros, cases[i].size),
                         cases[i].words);

    static const char good[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 2)}";
    static const float high[4] = {0, 0, 1.5f, 0}, none[4] = {0, 0, 0, NAN};
    assert_malformed(put_npy("x.npy", good, high, 16), "number 2: expected a value in [0, 1]");
    assert_malformed(put_npy("x.npy", good, none, 16), "number 3: expected a value in [0, 1]");
    static const double low[4] = {0, -1e-9, 0, 0};
    assert_malformed(put_npy("x.npy",
                             "{'descr': '<f8', 'fortran_order': False, 'shape': "
                             "(1, 2, 2)}",
                             low, 32),
                     "number 1");
    assert_malformed(put_npy("x.npy",
                             "{'descr': '|b1', 'fortran_order': False, 'shape': "
                             "(1, 2, 2)}",
                             "\0\1\2\0", 4),
                     "expected a boolean");
    size_t size;
    unsigned char *file = make_npy(good, high, 16, &size);
    for (size_t n = 0; n < size; n++)
        assert_malformed(put("x.npy", file, n), "at byte");
    file[5] = 'Z';
    assert_malformed(put("x.npy", file, size), "another signature");
    file[5] = 'Y', file[6] = 9;
    assert_malformed(put("x.npy", file, size), "found 9.0");
    file[6] = 1, file[9] = 0xff;
    assert_malformed(put("x.npy", file, size), "at byte 8: expected an npy header of");
    free(file);
}

static void files_that_are_nothing_we_know(void **state)
{
    (void)state;
    assert_malformed(put_text("x.bin", "hello"), "found bytes 68 65 6c 6c");
    assert_malformed(put_text("x.png", "\x89PNG"), "expected IDX, npy or AMAT");
    assert_malformed(put_text("y", "a"), "found bytes 61 00 00 00");
    assert_rejected(LT_NOT_FOUND, in_dir("none.npy"), "No such file");
    assert_rejected(LT_NOT_FOUND, dir, "lacks train-images-idx3-ubyte");
    assert_says("binarized_mnist_train.amat");
}

/* Whatever the bytes: success, or LT_FORMAT with a message; the sanitizers watch. */
static void random_damage_never_crashes(void **state)
{
    (void)state;
    unsigned char image[IDX_SIZE], label[LABELS_SIZE];
    make_idx(image, label);
    size_t size;
    unsigned char *npy =
        make_npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 2)}", "abcd", 4, &size);
    const struct {
        const char *name;
        const void *data;
        size_t size;
    } files[] = {
        {"x-idx3-ubyte", image, IDX_SIZE}, {"x.amat", AMAT, strlen(AMAT)}, {"x.npy", npy, size}};
    for (int i = 0; i < 30000; i++) {
        uint32_t r[8];
        philox_words(&(philox_key){.seed = 5, .step = (uint64_t)i}, 0, 8, r);
        int k = i % COUNT_OF(files);
        bytes b = {must_alloc(files[k].size + 1), files[k].size};
        memcpy(b.data, files[k].data, b.size);
        b.data[r[0] % b.size] = (unsigned char)r[1];
        if (r[2] % 2)
            b.data[r[3] % b.size] ^= (unsigned char)(1 << r[4] % 8);
        if (r[5] % 4 == 0)
            b.data[b.size = r[6] % b.size] = 0;
        data_array a;
        int status = data_parse(files[k].name, &b, &a);
        assert_true(status == LT_OK || status == LT_FORMAT);
        assert_int_equal(status == LT_OK, a.u8 || a.f32);
        data_array_clear(&a);
    }
    free(npy);
}

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
    assert_int_equal(lt_dataset_open(&d, "mnist", &o), LT_FORMAT);
    assert_says("expected 60000 train images of mnist, found 2");
    assert_null(d);
    assert_int_equal(lt_dataset_open(&d, "binarized-mnist", &o), LT_NOT_FOUND);
    assert_says("lacks binarized_mnist_train.amat");
    assert_int_equal(lt_dataset_open(&d, "synthetic", &o), LT_VALUE);
    assert_int_equal(lt_dataset_open(&d, dir, &o), LT_VALUE);
    assert_int_equal(lt_data_verify("mnist", dir), LT_FORMAT);
    assert_says("ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db");
    char found[SHA256_TEXT];
    unsigned char image[IDX_SIZE], label[LABELS_SIZE];
    make_idx(image, label);
    sha256_text(image, IDX_SIZE, found);
    assert_says(found);
}

static void missing_and_misspelt_names(void **state)
{
    (void)state;
    lt_dataset *d;
    setenv("XDG_CACHE_HOME", dir, 1);
    setenv("LATENT_DATA", in_dir("data"), 1);
    assert_int_equal(lt_dataset_open(&d, "mnist", NULL), LT_NOT_FOUND);
    assert_says(in_dir("data/mnist: no such directory"));
    assert_says(in_dir("latent/mnist: no such directory"));
    assert_says("latent data fetch mnist");
    lt_data_options o = {.path = "/none"};
    assert_int_equal(lt_dataset_open(&d, "fashion-mnist", &o), LT_NOT_FOUND);
    assert_says("/none/fashion-mnist: no such directory");
    assert_says("apt install dataset-fashion-mnist");
    assert_int_equal(lt_dataset_open(&d, "fashion-minst", NULL), LT_NOT_FOUND);
    assert_says("did you mean 'fashion-mnist'?");
    assert_says("nor is there such a file or directory");
    assert_int_equal(lt_dataset_open(&d, "", NULL), LT_NOT_FOUND);
    assert_int_equal(lt_dataset_open(&d, "synthetc", NULL), LT_NOT_FOUND);
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

static void catalogue_rows_are_complete(void **state)
{
    (void)state;
    for (int i = 0; i < lt_data_count(); i++) {
        const lt_catalogue_entry *e = lt_data_entry(i);
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
    assert_int_equal(lt_dataset_synthetic(&all, 100, 6, 5, 1, NULL), LT_OK);
    assert_int_equal(lt_dataset_synthetic(&cut, 100, 6, 5, 1, &o), LT_OK);
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
    assert_int_equal(lt_dataset_synthetic(&cut, 100, 6, 5, 1, &o), LT_VALUE);
    assert_says("fewer than the 100 training images, found 100");
    o = (lt_data_options){.limit = -1};
    assert_int_equal(lt_dataset_synthetic(&cut, 100, 6, 5, 1, &o), LT_VALUE);
    o = (lt_data_options){.binarize = 9};
    assert_int_equal(lt_dataset_open(&cut, "synthetic", &o), LT_VALUE);
    assert_int_equal(lt_dataset_synthetic(&cut, 0, 6, 5, 1, NULL), LT_VALUE);
    assert_int_equal(lt_dataset_synthetic(&cut, 1, 6, 5, 9, NULL), LT_VALUE);
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

/* ---- Batches ---- */

static void order_is_a_permutation_of_its_own_for_each_epoch(void **state)
{
    (void)state;
    enum { N = 1000 };
    lt_dataset *d;
    assert_int_equal(lt_dataset_synthetic(&d, N, 2, 2, 1, NULL), LT_OK);
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
        assert_int_equal(lt_dataset_synthetic(&d, 150, 27, 31, 3, &o), LT_OK);
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

/* 4000 draws of each pixel: five standard errors hold for every one of them, whatever is stored. */
static void mean_of_draws_is_the_grey_value(void **state)
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

static void assert_hash(const void *data, size_t size, const char *want)
{
    char found[SHA256_TEXT];
    sha256_text(data, size, found);
    assert_string_equal(found, want);
}

/* What a seed gives is a promise: the same on every machine and in every later version. */
static void seeds_keep_their_meaning(void **state)
{
    (void)state;
    enum { N = 500 };
    lt_data_options o = {.binarize = LT_BINARIZE_DYNAMIC, .seed = 42};
    lt_dataset *d;
    assert_int_equal(lt_dataset_synthetic(&d, N, 13, 11, 3, &o), LT_OK);
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
            int status = lt_dataset_open(&d, names[i], NULL);
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

/* ---- The published sets, where they are. Sums were computed with Python's gzip module. ---- */

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
    assert_int_equal(lt_dataset_open(&d, "binarized-mnist", &o), LT_VALUE);
    assert_says("has a validation split of its own");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_dir, remove_dir)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(idx_plain_and_gz_are_equal),
        TEST(every_byte_is_exactly_b_over_255),
        TEST(amat_reads_plain_and_free_spelling),
        TEST(npy_reads_every_type_and_shape),
        TEST(npy_directory_with_labels),
        TEST(idx_rejects_each_damaged_field),
        TEST(idx_rejects_every_truncation),
        TEST(amat_rejects_damage),
        TEST(npy_rejects_damage),
        TEST(files_that_are_nothing_we_know),
        TEST(random_damage_never_crashes),
        TEST(directory_with_idx_files),
        TEST(named_set_must_be_the_published_one),
        TEST(missing_and_misspelt_names),
        TEST(search_takes_the_first_complete_place),
        TEST(catalogue_rows_are_complete),
        TEST(validation_limit_and_fallback),
        TEST(options_come_from_the_table),
        TEST(order_is_a_permutation_of_its_own_for_each_epoch),
        TEST(same_bits_in_any_batch_and_with_any_threads),
        TEST(mean_of_draws_is_the_grey_value),
        TEST(fixed_draws_differ_from_image_to_image),
        TEST(seeds_keep_their_meaning),
        TEST(failing_allocations_are_errors),
        TEST(threshold_and_mean_agree),
        TEST(mnist_is_mnist),
        TEST(fashion_is_fashion),
        TEST(binarized_is_binarized),
    };
    return cmocka_run_group_tests_name("data", tests, NULL, NULL);
}
