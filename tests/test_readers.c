/* SPDX-License-Identifier: MIT */
/* IDX, AMAT and npy: what is right is read, whatever is wrong is told with its place. */
#include "data_files.h"

#include "base/philox.h"
#include "data/reader.h"

#include <math.h>

/* ---- What is right ---- */

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
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1, 2, 1)}", u1, 4, 2, 1, 2, 1,
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

/* ---- What is wrong ---- */

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
        {9, 1, "at byte 8: expected a height between 1 and 16384, found 65539"},
        {10, 1, "expected 1554 bytes after the header, found 18"},
        {11, 0, "at byte 8: expected a size of at least 1, found 0"},
        {11, 2, "expected 12 bytes after the header, found 18"},
        {12, 0xff, "expected a width between 1 and 16384"},
        {13, 1, "at byte 12: expected a width between 1 and 16384, found 65539"},
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

/* A header is looked at before the rest is unpacked: memory is what it tells of, not what is packed. */
static size_t asked;
static bool add_up(void *user, size_t size)
{
    (void)user;
    asked += size;
    return true;
}

static void packed_files_are_held_to_their_headers(void **state)
{
    (void)state;
    enum { ZEROS = 1 << 24 };
    unsigned char *b = must_alloc(ZEROS);
    const unsigned char small[16] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 3};
    const unsigned char huge[16] = {0, 0, 8, 3, 0x40, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 1};
    memcpy(b, small, sizeof small); /* 34 bytes, and 16 MiB that nobody asked for */
    assert_malformed(put_gz("more-idx3-ubyte.gz", b, ZEROS),
                     "expected the end of the data, as declared by its header, found more");
    memcpy(b, huge, sizeof huge); /* 7 GiB, in a few bytes */
    asked = 0;
    lt_set_allow_memory(add_up, NULL);
    assert_malformed(put_gz("less-idx3-ubyte.gz", b, 1000), "packed bytes, which cannot hold them");
    lt_set_allow_memory(NULL, NULL);
    assert_true(asked < 1 << 20);
    const char dictionary[] = "\x93NUMPY\1\0\x76\0{'descr': '|u1', 'fortran_order': False, 'shape': "
                              "(2, 3, 3), }                                                        \n";
    memset(b, 0, ZEROS);
    memcpy(b, dictionary, 128);
    assert_malformed(put_gz("more.npy.gz", b, ZEROS), "as declared by its header, found more");
    memcpy(b, "\x89HDF\r\n\x1a\n", 8); /* not unpacked at all */
    assert_malformed(put_gz("other.gz", b, ZEROS), "found an HDF5 file");
    free(b);
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
        assert_int_equal(lt_dataset_open(gz, NULL, &d), LT_FORMAT);
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
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 4, "expected labels of type"},
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
        {"{'color': 3, 'descr': '|u1'}", 4, "found 'color'"},
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

static void numbers_are_shown_with_all_digits(void **state)
{
    (void)state;
    static const float f4[4] = {0, 0.5f, 1.00000012f, 1};
    static const double f8[4] = {0, 1, 1 + 0x1p-52, 0};
    static const float low[4] = {0, 0, 0, -1e-38f};
    static const char f4_shape[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 2)}";
    assert_malformed(put_npy("x.npy", f4_shape, f4, 16),
                     "number 2: expected a value in [0, 1], found 1.00000012");
    assert_malformed(put_npy("x.npy", f4_shape, low, 16),
                     "number 3: expected a value in [0, 1], found -9.99999935e-39");
    assert_malformed(put_npy("x.npy", "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2, 2)}",
                             f8, 32),
                     "number 2: expected a value in [0, 1], found 1.0000000000000002");
}

/* Each of 2, 4 or 8 bytes in files of little-endian numbers. */
static void labels_out_of_range_are_shown(void **state)
{
    (void)state;
    static const unsigned char image[3] = {0};
    static const struct {
        const char *type;
        int64_t value;
        const char *found;
    } cases[] = {
        {"<i8", 300, "found 300"},        {"<i4", 256, "found 256"},
        {"<i2", -1, "found -1"},          {"<i8", -300, "found -300"},
        {"<u2", -1, "found 65535"},       {"<u4", -1, "found 4294967295"},
        {"<u8", -1, "found 18446744073709551615"}, {"<i4", INT32_MIN, "found -2147483648"},
        {"<i8", INT64_MIN, "found -9223372036854775808"},
    };
    put_npy("train.npy", "{'descr': '|u1', 'fortran_order': False, 'shape': (3, 1, 1)}", image, 3);
    for (int i = 0; i < COUNT_OF(cases); i++) {
        size_t size = (size_t)(cases[i].type[2] - '0');
        unsigned char labels[24] = {7, 0};
        memcpy(labels + 2 * size, &cases[i].value, size);
        char *header = must_format("{'descr': '%s', 'fortran_order': False, 'shape': (3,)}",
                                   cases[i].type);
        put_npy("train-labels.npy", header, labels, 3 * size);
        char *words = must_format("label 2: expected 0 to 255, %s", cases[i].found);
        lt_dataset *d;
        assert_int_equal(lt_dataset_open(dir, NULL, &d), LT_FORMAT);
        assert_says(words);
        free(words);
        free(header);
    }
}

static void check_laid(const char *header, const void *data, size_t size, int channels, int n,
                       const float *want)
{
    lt_dataset *d = must_open(put_npy("x.npy", header, data, size),
                              &(lt_data_options){.channels = channels});
    const lt_dataset_info *f = lt_dataset_describe(d);
    assert_int_equal(f->c, channels);
    float x[12];
    int32_t index = 0;
    assert_int_equal(f->h * f->w * f->c, n);
    assert_int_equal(lt_dataset_gather(d, LT_TRAIN, &index, 1, 0, 1, x), LT_OK);
    for (int i = 0; i < n; i++)
        if (!(fabsf(x[i] - want[i]) < 1e-6f))
            fail_msg("number %d: expected %.9g, found %.9g", i, (double)want[i], (double)x[i]);
    lt_dataset_free(d);
}

/* v a + 1 - a; bytes rounded. */
static void alpha_is_laid_on_white(void **state)
{
    (void)state;
    static const unsigned char rgba[8] = {200, 100, 0, 255, 10, 20, 30, 51}; /* alpha 1 and 1/5 */
    static const unsigned char gray[6] = {9, 0, 255, 255, 100, 102};           /* alpha 0, 1, 2/5 */
    static const unsigned char bits[4] = {0, 0, 0, 1};
    static const float floats[4] = {0.5f, 0.25f, 1, 0.5f};
    const float rgb[6] = {200 / 255.f, 100 / 255.f, 0, 206 / 255.f, 208 / 255.f, 210 / 255.f};
    const float white[3] = {1, 1, 193 / 255.f}, of_bits[2] = {1, 0};
    const float of_floats[3] = {0.75f, 0.625f, 1};
    check_laid("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 1, 4)}", rgba, 8, 3, 6, rgb);
    check_laid("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 3, 1, 2)}", gray, 6, 1, 3, white);
    check_laid("{'descr': '|b1', 'fortran_order': False, 'shape': (1, 2, 1, 2)}", bits, 4, 1, 2,
               of_bits);
    check_laid("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 4)}", floats, 16, 3, 3,
               of_floats);
}

static void other_channels_are_refused(void **state)
{
    (void)state;
    static const unsigned char zeros[16] = {0};
    for (int c = 2; c <= 4; c += 2) {
        char *header = must_format("{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2, 2, %d)}", c);
        lt_dataset *d;
        assert_int_equal(lt_dataset_open(put_npy("x.npy", header, zeros, (size_t)(4 * c)), NULL, &d),
                         LT_VALUE);
        char *words = must_format("found %d; if the last one is alpha: --set data.channels=%d", c, c - 1);
        assert_says(words);
        free(words);
        free(header);
    }
}

static void files_that_are_nothing_we_know(void **state)
{
    (void)state;
    assert_malformed(put_text("x.dat", "hello"), "found bytes 68 65 6c 6c");
    assert_malformed(put_text("x.pcx", "\x0aPCX"), "expected CIFAR, IDX, npy, MAT or AMAT data, found");
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
        data_array a, labels;
        int status = data_parse(files[k].name, &b, &a, &labels);
        assert_true(status == LT_OK || status == LT_FORMAT);
        assert_int_equal(status == LT_OK, a.u8 || a.f32);
        data_array_clear(&a);
    }
    free(npy);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(idx_plain_and_gz_are_equal),
        TEST(every_byte_is_exactly_b_over_255),
        TEST(amat_reads_plain_and_free_spelling),
        TEST(npy_reads_every_type_and_shape),
        TEST(npy_directory_with_labels),
        TEST(idx_rejects_each_damaged_field),
        TEST(packed_files_are_held_to_their_headers),
        TEST(idx_rejects_every_truncation),
        TEST(amat_rejects_damage),
        TEST(npy_rejects_damage),
        TEST(numbers_are_shown_with_all_digits),
        TEST(labels_out_of_range_are_shown),
        TEST(alpha_is_laid_on_white),
        TEST(other_channels_are_refused),
        TEST(files_that_are_nothing_we_know),
        TEST(random_damage_never_crashes),
    };
    return cmocka_run_group_tests_name("readers", tests, NULL, NULL);
}
