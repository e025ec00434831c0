/* SPDX-License-Identifier: MIT */
/* Files of formats made byte by byte, read from tests/golden, and damaged at random. */
#ifndef LATENT_TEST_FORMAT_FILES_H
#define LATENT_TEST_FORMAT_FILES_H

#include "data_files.h"

#include "base/philox.h"
#include "data/reader.h"

/* Numbers in either byte order. */
typedef struct writer {
    unsigned char data[1 << 16];
    size_t size, origin; /* elements are filled up to multiples of 8 from here */
    bool is_big;
} writer;

static inline void put_number(writer *m, uint64_t value, int size)
{
    for (int i = 0; i < size; i++)
        m->data[m->size++] = (unsigned char)(value >> 8 * (m->is_big ? size - 1 - i : i));
}

static inline bytes read_golden(const char *name)
{
    char *path = must_format("%s/golden/%s", TESTS_DIR, name);
    bytes b;
    if (file_read(path, 1 << 20, &b) != LT_OK)
        fail_msg("%s", lt_last_error());
    free(path);
    return b;
}

/* ---- Whatever the bytes: success, or LT_FORMAT with a message; the sanitizers watch ---- */

/* $LATENT_FUZZ, or `usual`. */
static inline int fuzz_times(int usual)
{
    const char *more = getenv("LATENT_FUZZ");
    return more ? atoi(more) : usual;
}

/* Damages a few bytes, or cuts the end. */
static inline void damage(bytes *b, uint64_t seed, size_t first)
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

static inline void parse_any(const char *name, bytes *b)
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
static inline bytes copy_of(const void *data, size_t size)
{
    bytes b = {must_alloc(size + 1), size};
    memcpy(b.data, data, size);
    return b;
}

static inline void fuzz(const char *name, const void *data, size_t size, size_t first, int times)
{
    for (int i = 0; i < times; i++) {
        bytes b = copy_of(data, size);
        damage(&b, (uint64_t)i, first);
        bytes exact = copy_of(b.data, b.size);
        bytes_clear(&b);
        parse_any(name, &exact);
    }
}

#endif
