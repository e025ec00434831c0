/* SPDX-License-Identifier: MIT */
/* safetensors files: what is written comes back, and nothing that a file holds is believed. */
#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"
#include "train/safetensors.h"

#include <math.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "says.h"
#include "scratch.h"

static const float weights[6] = {1, -2.5f, 3, 1e-40f, 5, 6};
static const double losses[2] = {1e300, -0.0};
static const int64_t steps[1] = {INT64_MIN};
static const uint64_t seeds[1] = {UINT64_MAX};
static const unsigned char flags[3] = {1, 0, 255};

static const safetensors_entry sample_tensors[] = {
    {"enc/fc1.weight", SAFETENSORS_F32, 2, {2, 3}, weights},
    {"flags", SAFETENSORS_U8, 1, {3}, flags}, /* what follows is not aligned */
    {"loss \"é\"", SAFETENSORS_F64, 1, {2}, losses},
    {"empty", SAFETENSORS_F32, 3, {4, 0, 7}, NULL},
    {"step", SAFETENSORS_I64, 0, {0}, steps},
    {"seed", SAFETENSORS_U64, 1, {1}, seeds},
};
static const safetensors_pair sample_metadata[] = {
    {"recipe", "model:\n  kind: vae # \"é\"\n"}, {"format", "latent"}, {"empty", ""}};

static void write_sample(const char *path)
{
    if (safetensors_write(path, sample_tensors, COUNT_OF(sample_tensors), sample_metadata,
                          COUNT_OF(sample_metadata)) != LT_OK)
        fail_msg("%s", lt_last_error());
}

static void tensors_come_back_as_written(void **state)
{
    (void)state;
    const char *path = in_dir("sample.safetensors");
    write_sample(path);
    safetensors *f;
    assert_int_equal(safetensors_read(path, &f), LT_OK);
    assert_int_equal(f->n, COUNT_OF(sample_tensors));
    for (int i = 0; i < f->n; i++) {
        const safetensors_entry *want = &sample_tensors[i];
        unsigned char found[64] = {0};
        assert_int_equal(safetensors_get(f, want->name, want->type, want->rank, want->dims, found),
                         LT_OK);
        size_t size[] = {24, 3, 16, 0, 8, 8};
        if (size[i])
            assert_memory_equal(found, want->data, size[i]);
    }
    assert_int_equal(f->n_metadata, COUNT_OF(sample_metadata));
    assert_string_equal(safetensors_metadata(f, "recipe"), sample_metadata[0].value);
    assert_string_equal(safetensors_metadata(f, "empty"), "");
    assert_null(safetensors_metadata(f, "Format"));
    safetensors_free(f);
    safetensors_free(NULL);
}

static void same_tensors_give_same_bytes(void **state)
{
    (void)state;
    bytes a, b;
    write_sample(in_dir("first"));
    write_sample(in_dir("second"));
    assert_int_equal(file_read(in_dir("first"), 1 << 20, &a), LT_OK);
    assert_int_equal(file_read(in_dir("second"), 1 << 20, &b), LT_OK);
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    assert_int_equal(a.data[0] % 8, 0); /* the data begin at a multiple of 8 */
    static const char start[] = "{\"__metadata__\":{\"recipe\":";
    assert_memory_equal(a.data + 8, start, sizeof start - 1);
    bytes_clear(&a);
    bytes_clear(&b);
}

static void file_without_tensors_is_fine(void **state)
{
    (void)state;
    const char *path = in_dir("none.safetensors");
    assert_int_equal(safetensors_write(path, NULL, 0, NULL, 0), LT_OK);
    safetensors *f;
    assert_int_equal(safetensors_read(path, &f), LT_OK);
    assert_int_equal(f->n, 0);
    assert_null(safetensors_find(f, "x"));
    safetensors_free(f);
}

static void lookup_names_what_does_not_fit(void **state)
{
    (void)state;
    const char *path = in_dir("sample.safetensors");
    write_sample(path);
    safetensors *f;
    assert_int_equal(safetensors_read(path, &f), LT_OK);
    float out[6];
    const int64_t shape[] = {3, 2};
    assert_int_equal(safetensors_get(f, "enc/fc1.wieght", SAFETENSORS_F32, 2, shape, out),
                     LT_NOT_FOUND);
    assert_says("no tensor \"enc/fc1.wieght\"; there is \"enc/fc1.weight\"");
    assert_says(path);
    assert_int_equal(safetensors_get(f, "enc/fc1.weight", SAFETENSORS_F32, 2, shape, out),
                     LT_FORMAT);
    assert_says("tensor \"enc/fc1.weight\": expected shape [3, 2], found [2, 3]");
    assert_int_equal(safetensors_get(f, "enc/fc1.weight", SAFETENSORS_F32, 0, NULL, out),
                     LT_FORMAT);
    assert_says("expected shape [], found [2, 3]");
    assert_int_equal(safetensors_get(f, "step", SAFETENSORS_U64, 0, NULL, out), LT_FORMAT);
    assert_says("tensor \"step\": expected U64, found I64");
    safetensors_free(f);
}

static void wrong_tensors_are_not_written(void **state)
{
    (void)state;
    const char *path = in_dir("unwritten");
    const safetensors_entry twice[] = {{"x", SAFETENSORS_U8, 1, {3}, flags},
                                       {"x", SAFETENSORS_U8, 1, {3}, flags}};
    assert_int_equal(safetensors_write(path, twice, 2, NULL, 0), LT_VALUE);
    assert_says("\"x\"");
    const safetensors_entry huge = {"x", SAFETENSORS_F64, 2, {INT64_MAX, INT64_MAX}, flags};
    assert_int_equal(safetensors_write(path, &huge, 1, NULL, 0), LT_VALUE);
    const safetensors_entry negative = {"x", SAFETENSORS_F64, 1, {-1}, flags};
    assert_int_equal(safetensors_write(path, &negative, 1, NULL, 0), LT_VALUE);
    const safetensors_entry reserved = {"__metadata__", SAFETENSORS_U8, 1, {3}, flags};
    assert_int_equal(safetensors_write(path, &reserved, 1, NULL, 0), LT_VALUE);
    const safetensors_entry latin = {"\xe9", SAFETENSORS_U8, 1, {3}, flags};
    assert_int_equal(safetensors_write(path, &latin, 1, NULL, 0), LT_VALUE);
    const safetensors_pair bad = {"k", "\xff"}, pairs[] = {{"k", "1"}, {"k", "2"}};
    assert_int_equal(safetensors_write(path, NULL, 0, &bad, 1), LT_VALUE);
    assert_int_equal(safetensors_write(path, NULL, 0, pairs, 2), LT_VALUE);
    assert_int_equal(safetensors_write(in_dir("no/x"), NULL, 0, NULL, 0), LT_NOT_FOUND);
    assert_false(file_exists(path));
    assert_int_equal(count_names(".unwritten"), 0);
}

/* Writes a file with this header and `n` bytes of data 0, 1, 2 ... */
static void put_safetensors(const char *path, const char *header, size_t n)
{
    text t = {0};
    uint64_t length = strlen(header);
    text_append_bytes(&t, (const char *)&length, sizeof length);
    text_append(&t, header);
    for (size_t i = 0; i < n; i++)
        text_append_bytes(&t, &(char){(char)i}, 1);
    put_file(path, t.data, t.size);
    text_clear(&t);
}

#define ONE(dtype, shape, offsets)                                                                 \
    "{\"x\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
#define TWO(from, to)                                                                              \
    "{\"x\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"                              \
    "\"y\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[" from "," to "]}}"

static void foreign_headers_are_understood(void **state)
{
    (void)state;
    const char *path = in_dir("foreign");
    static const struct {
        const char *header;
        size_t n;
    } right[] = {
        {ONE("\"F32\"", "[1]", "[0,4]"), 4},
        {ONE("\"F32\"", "[]", "[0,4]") "     ", 4},
        {" \n{ \"__metadata__\" : {} }", 0},
        {"{\"y\":{\"data_offsets\":[4,8],\"shape\":[4],\"dtype\":\"U8\"},"
         "\"x\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}",
         8},
        {ONE("\"U8\"", "[0,9223372036854775807]", "[0,0]"), 0},
    };
    for (int i = 0; i < COUNT_OF(right); i++) {
        safetensors *f;
        put_safetensors(path, right[i].header, right[i].n);
        if (safetensors_read(path, &f) != LT_OK)
            fail_msg("%s", lt_last_error());
        safetensors_free(f);
    }
}

static void malformed_headers_are_refused(void **state)
{
    (void)state;
    const char *path = in_dir("malformed");
    static const struct {
        const char *header;
        size_t n;
        const char *message;
    } wrong[] = {
        {"", 0, "header, byte"},
        {"{", 0, "header, byte"},
        {"[]", 0, "not a JSON object"},
        {"3", 0, "header, byte"},
        {"{} {}", 0, "header, byte"},
        {"{\"x\":3}", 0, "tensor \"x\": expected an object"},
        {"{\"x\":{}}", 0, "tensor \"x\": expected an object"},
        {"{\"__metadata__\":[]}", 0, "__metadata__"},
        {"{\"__metadata__\":{\"a\":1}}", 0, "metadata \"a\": expected a string"},
        {"{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0, "duplicate"},
        {ONE("\"F33\"", "[1]", "[0,4]"), 4, "found F33"},
        {ONE("\"f32\"", "[1]", "[0,4]"), 4, "found f32"},
        {ONE("4", "[1]", "[0,4]"), 4, "expected a dtype"},
        {ONE("\"F32\"", "1", "[0,4]"), 4, "expected a shape"},
        {ONE("\"F32\"", "[1.0]", "[0,4]"), 4, "expected a shape"},
        {ONE("\"F32\"", "[-1]", "[0,4]"), 4, "expected a shape"},
        {ONE("\"F32\"", "[\"1\"]", "[0,4]"), 4, "expected a shape"},
        {ONE("\"F32\"", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, "at most 8"},
        {ONE("\"F32\"", "[2]", "[0,4]"), 4, "shape [2] of F32 does not fit its 4 bytes"},
        {ONE("\"F64\"", "[1]", "[0,4]"), 4, "does not fit"},
        {ONE("\"F32\"", "[4611686018427387904,4]", "[0,0]"), 0, "does not fit"},
        {ONE("\"F32\"", "[4611686018427387905]", "[0,4]"), 4, "does not fit"},
        {ONE("\"F32\"", "[99999999999999999999]", "[0,4]"), 4, "header, byte"},
        {ONE("\"F32\"", "[1]", "[0,8]"), 4, "within 4 bytes of data, found [0, 8]"},
        {ONE("\"F32\"", "[1]", "[4,0]"), 4, "found [4, 0]"},
        {ONE("\"F32\"", "[1]", "[-4,0]"), 4, "found [-4, 0]"},
        {ONE("\"F32\"", "[1]", "[0,4,4]"), 4, "two data_offsets"},
        {ONE("\"F32\"", "[1]", "[0]"), 4, "two data_offsets"},
        {ONE("\"F32\"", "[1]", "{}"), 4, "two data_offsets"},
        {ONE("\"F32\"", "[1]", "[0,4.0]"), 4, "two data_offsets"},
        {ONE("\"F32\"", "[1]", "[0,4],\"more\":1"), 4, "expected an object"},
        {ONE("\"F32\"", "[1]", "[4,8]"), 8, "expected data at byte 0, found it at 4"},
        {ONE("\"F32\"", "[1]", "[0,4]"), 5, "5 bytes of data, of which tensors use 4"},
        {TWO("5", "9"), 9, "\"y\": expected data at byte 4, found it at 5"},
        {TWO("3", "7"), 7, "\"y\": expected data at byte 4, found it at 3"},
        {TWO("0", "4"), 4, "expected data at byte 4, found it at 0"},
        {"{\"x\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},"
         "\"x\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}",
         0, "duplicate"},
        {"{\"a\\u0000b\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0,
         "header, byte"},
        {"{\"\xff\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}", 0, "header, byte"},
    };
    for (int i = 0; i < COUNT_OF(wrong); i++) {
        safetensors *f;
        put_safetensors(path, wrong[i].header, wrong[i].n);
        assert_int_equal(safetensors_read(path, &f), LT_FORMAT);
        assert_null(f);
        assert_says(path);
        assert_says(wrong[i].message);
    }
}

static void wrong_header_lengths_are_refused(void **state)
{
    (void)state;
    static const uint64_t lengths[] = {0,         1,         3,          1000,
                                       100000001, INT64_MAX, UINT64_MAX, UINT64_MAX - 7};
    const char *path = in_dir("length");
    for (int i = 0; i < COUNT_OF(lengths); i++) {
        unsigned char file[10] = {[8] = '{', [9] = '}'};
        memcpy(file, &lengths[i], 8);
        put_file(path, file, sizeof file);
        safetensors *f;
        assert_int_equal(safetensors_read(path, &f), LT_FORMAT);
        assert_says(path);
    }
    safetensors *f;
    assert_int_equal(safetensors_read(in_dir("missing"), &f), LT_NOT_FOUND);
}

static void safetensors_cut_anywhere_is_refused(void **state)
{
    (void)state;
    const char *path = in_dir("cut.safetensors");
    write_sample(path);
    bytes b;
    assert_int_equal(file_read(path, 1 << 20, &b), LT_OK);
    for (size_t n = 0; n < b.size; n++) {
        put_file(path, b.data, n);
        safetensors *f;
        assert_int_equal(safetensors_read(path, &f), LT_FORMAT);
    }
    bytes_clear(&b);
}

static void damaged_safetensors_are_refused_or_read_inside_the_file(void **state)
{
    (void)state;
    static const char damage[] = "\0 \"0129{}[],:-.\\x\xff";
    const char *path = in_dir("damaged.safetensors");
    write_sample(path);
    bytes b;
    assert_int_equal(file_read(path, 1 << 20, &b), LT_OK);
    size_t header_end = 8 + (size_t)b.data[0] + ((size_t)b.data[1] << 8);
    for (size_t i = 0; i < header_end; i++)
        for (size_t k = 0; k < sizeof damage - 1; k++) {
            unsigned char before = b.data[i];
            b.data[i] = (unsigned char)damage[k];
            FILE *file = fopen(path, "wb"); /* not synchronized: there are thousands */
            assert_int_equal(fwrite(b.data, 1, b.size, file), b.size);
            assert_int_equal(fclose(file), 0);
            b.data[i] = before;
            safetensors *f;
            int status = safetensors_read(path, &f);
            assert_true(status == LT_OK || status == LT_FORMAT);
            for (int t = 0; status == LT_OK && t < f->n; t++) {
                unsigned char out[64];
                const safetensors_entry *e = &f->tensors[t];
                assert_int_equal(safetensors_get(f, e->name, e->type, e->rank, e->dims, out),
                                 LT_OK);
            }
            safetensors_free(f);
        }
    bytes_clear(&b);
}

/* What the 16 bits of a half stand for, by the definition of the format. */
static double half_by_definition(unsigned h)
{
    int exponent = (int)(h >> 10 & 31), fraction = (int)(h & 1023);
    double value = exponent == 0   ? ldexp(fraction, -24)
                   : exponent < 31 ? ldexp(1024 + fraction, exponent - 25)
                   : fraction == 0 ? (double)INFINITY
                                   : (double)NAN;
    return h & 0x8000 ? -value : value;
}

static void short_floats_widen_exactly(void **state)
{
    (void)state;
    const char *path = in_dir("half");
    text t = {0};
    static const char *const names[] = {"F16", "BF16"};
    static float out[65536];
    static const int64_t shape[] = {65536};
    for (int type = 0; type < 2; type++) {
        text header = {0};
        text_format(&header, ONE("\"%s\"", "[65536]", "[0,131072]"), names[type]);
        uint64_t length = header.size;
        text_append_bytes(&t, (const char *)&length, sizeof length);
        text_append(&t, header.data);
        text_clear(&header);
        for (uint32_t h = 0; h < 65536; h++)
            text_append_bytes(&t, (const char *)&(uint16_t){(uint16_t)h}, 2);
        put_file(path, t.data, t.size);
        text_clear(&t);
        safetensors *f;
        assert_int_equal(safetensors_read(path, &f), LT_OK);
        assert_int_equal(safetensors_get(f, "x", SAFETENSORS_F64, 1, shape, out), LT_FORMAT);
        assert_int_equal(safetensors_get(f, "x", SAFETENSORS_F32, 1, shape, out), LT_OK);
        safetensors_free(f);
        for (uint32_t h = 0; h < 65536; h++) {
            uint32_t bits, want = h << 16;
            memcpy(&bits, &out[h], sizeof bits);
            if (type == 1)
                assert_int_equal(bits, want);
            else if (isnan(half_by_definition(h)))
                assert_true(isnan(out[h]));
            else
                assert_true((double)out[h] == half_by_definition(h) && bits >> 31 == h >> 15);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_come_back_as_written),
        cmocka_unit_test(same_tensors_give_same_bytes),
        cmocka_unit_test(file_without_tensors_is_fine),
        cmocka_unit_test(lookup_names_what_does_not_fit),
        cmocka_unit_test(wrong_tensors_are_not_written),
        cmocka_unit_test(foreign_headers_are_understood),
        cmocka_unit_test(malformed_headers_are_refused),
        cmocka_unit_test(wrong_header_lengths_are_refused),
        cmocka_unit_test(safetensors_cut_anywhere_is_refused),
        cmocka_unit_test(damaged_safetensors_are_refused_or_read_inside_the_file),
        cmocka_unit_test(short_floats_widen_exactly),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
