/* SPDX-License-Identifier: MIT */
/* What the tests of src/data share: a directory for files, small valid files, expectations. */
#ifndef LATENT_TEST_DATA_FILES_H
#define LATENT_TEST_DATA_FILES_H

#include <latent/data.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <zlib.h>

#include "says.h"
#include "scratch.h"

/* A directory, and no data sets of the user. */
static inline int make_data_dir(void **state)
{
    unsetenv("LATENT_DATA");
    return make_dir(state);
}

static inline const char *put(const char *name, const void *data, size_t size)
{
    const char *path = in_dir(name);
    assert_int_equal(file_write(path, data, size), LT_OK);
    return path;
}

static inline const char *put_text(const char *name, const char *t)
{
    return put(name, t, strlen(t));
}

static inline const char *put_gz(const char *name, const void *data, size_t size)
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
static inline void make_idx(unsigned char image[IDX_SIZE], unsigned char label[LABELS_SIZE])
{
    memcpy(image, "\0\0\x08\x03\0\0\0\x02\0\0\0\x03\0\0\0\x03", 16);
    for (int i = 0; i < 18; i++)
        image[16 + i] = (unsigned char)(14 * i);
    memcpy(label, "\0\0\x08\x01\0\0\0\x02\x07\x04", LABELS_SIZE);
}

static const char AMAT[] = "0 1 0 0\n1 1 0 0 \n0 0 0 1\n";

/* An npy file of version 1; freed by the caller. */
static inline unsigned char *make_npy(const char *dictionary, const void *data, size_t n,
                                      size_t *size)
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

static inline const char *put_npy(const char *name, const char *dictionary, const void *data,
                                  size_t n)
{
    size_t size;
    unsigned char *file = make_npy(dictionary, data, n, &size);
    const char *path = put(name, file, size);
    free(file);
    return path;
}

/* The same with the dictionary of plain numbers in C's order. */
static inline const char *put_numbers(const char *name, const char *descr, const char *shape,
                                      const void *values, size_t size)
{
    char dictionary[160];
    snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", descr,
             shape);
    return put_npy(name, dictionary, values, size);
}

/* ---- Expectations ---- */

static inline lt_dataset *must_open(const char *name, const lt_data_options *options)
{
    lt_dataset *d;
    if (lt_dataset_open(name, options, &d) != LT_OK)
        fail_msg("%s: %s", name, lt_last_error());
    return d;
}

/* Opening fails; the message names the path and holds `words`. */
static inline void assert_rejected(int status, const char *path, const char *words)
{
    lt_dataset *d = (lt_dataset *)&status;
    int found = lt_dataset_open(path, NULL, &d);
    if (found != status)
        fail_msg("%s: expected %s, found %s", path, lt_status_name(status), lt_status_name(found));
    assert_null(d);
    assert_says(path);
    assert_says(words);
}

/* The same for a damaged file, whose message says what was expected and found. */
static inline void assert_malformed(const char *path, const char *words)
{
    assert_rejected(LT_FORMAT, path, words);
    assert_says("expected");
    assert_says("found");
}

static inline float *gather_all(const lt_dataset *d, lt_split split, uint64_t epoch, int batch,
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

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_data_dir, remove_dir)

#endif
