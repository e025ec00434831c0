/* SPDX-License-Identifier: MIT */
/* Reads arrays from npy, npz and csv, as written by lt_columns_write and NumPy. */
#include "data/npy.h"

#include <latent/data.h>

#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"
#include "data/archive.h"
#include "data/csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- npy ---- */

static double integer_at(const unsigned char *p, int size, bool is_signed)
{
    uint64_t value = is_signed && p[size - 1] >> 7 ? UINT64_MAX : 0;
    for (int k = size - 1; k >= 0; k--)
        value = value << 8 | p[k];
    return is_signed ? (double)(int64_t)value : (double)value;
}

static double real_at(const unsigned char *p, int size, bool is_signed)
{
    float single;
    double value;
    (void)is_signed;
    if (size == 4) {
        memcpy(&single, p, sizeof single);
        return (double)single;
    }
    memcpy(&value, p, sizeof value);
    return value;
}

/* IEEE 754 binary16: sign, 5 bits of exponent, 10 of fraction. */
static double half_at(const unsigned char *p, int size, bool is_signed)
{
    (void)size;
    (void)is_signed;
    int exponent = p[1] >> 2 & 31, fraction = (p[1] & 3) << 8 | p[0];
    double value = exponent == 0    ? ldexp(fraction, -24)
                   : exponent == 31 ? (fraction ? (double)NAN : (double)INFINITY)
                                    : ldexp(fraction + 1024, exponent - 25);
    return p[1] >> 7 ? -value : value;
}

static const struct plain_type {
    const char *descr;
    int size;
    bool is_signed;
    double (*at)(const unsigned char *p, int size, bool is_signed);
} types[] = {
    {"<f4", 4, true, real_at},     {"<f8", 8, true, real_at},     {"<f2", 2, true, half_at},
    {"|u1", 1, false, integer_at}, {"|b1", 1, false, integer_at}, {"|i1", 1, true, integer_at},
    {"<i2", 2, true, integer_at},  {"<u2", 2, false, integer_at}, {"<i4", 4, true, integer_at},
    {"<u4", 4, false, integer_at}, {"<i8", 8, true, integer_at},  {"<u8", 8, false, integer_at},
};

static const struct plain_type *find_type(const char *descr)
{
    for (int i = 0; i < COUNT_OF(types); i++)
        if (strcmp(types[i].descr, descr) == 0)
            return &types[i];
    return NULL;
}

static int parse_npy(const data_source *s, lt_number_array *a)
{
    npy_header h = {0};
    size_t n = 1, size;
    LT_TRY(npy_read_header(s, &h));
    const struct plain_type *t = find_type(h.descr);
    if (!t)
        return data_malformed(s, h.descr_at, "expected plain numbers such as '<f4' or '<i8', found '%s'",
                              h.descr);
    a->rank = h.rank;
    for (int i = 0; i < h.rank; i++) {
        a->shape[i] = (int64_t)h.shape[i];
        if (!size_mul(n, (size_t)h.shape[i], &n))
            return data_malformed(s, h.shape_at, "expected sizes that fit in memory, found more");
    }
    size_t found = s->content.size - h.data_at;
    if (!size_mul(n, (size_t)t->size, &size) || size != found)
        return data_malformed(s, h.data_at, "expected %zu numbers of %d bytes, found %zu bytes", n,
                              t->size, found);
    if (!size_mul(n, sizeof *a->values, &size))
        return data_malformed(s, h.shape_at, "expected sizes that fit in memory, found more");
    a->values = tensor_alloc(size ? size : 1, s->path);
    if (!a->values)
        return LT_NO_MEMORY;
    const unsigned char *at = s->content.data + h.data_at;
    for (size_t i = 0; i < n; i++, at += t->size)
        a->values[i] = t->at(at, t->size, t->is_signed);
    return LT_OK;
}

static int read_npy(const char *path, lt_number_array **all, int *n)
{
    data_source s = {.path = path};
    LT_TRY(limit_named(LIMIT_DATA_BYTES, file_read(path, DATA_LIMIT, &s.content)));
    *all = must_alloc(sizeof **all);
    *n = 1;
    (*all)->name = must_copy_text("");
    int status = parse_npy(&s, *all);
    bytes_clear(&s.content);
    return status;
}

/* ---- npz ---- */

static int read_entry(archive *zip, const char *path, uint64_t i, lt_number_array *a)
{
    static const char end[] = ".npy";
    archive_entry e;
    if (!archive_stat(zip, i, &e))
        return status_fail(LT_FORMAT, "%s: entry %ju has no name", path, (uintmax_t)i);
    size_t n = strlen(e.name), m = strlen(end);
    if (n <= m || strcmp(e.name + n - m, end) != 0)
        return status_fail(LT_FORMAT, "%s: expected arrays, NAME.npy, found %s", path, e.name);
    char *label = must_format("%s: %s", path, e.name);
    data_source s = {.path = label};
    a->name = must_format("%.*s", (int)(n - m), e.name);
    int status = limit_named(LIMIT_DATA_BYTES, archive_read(zip, i, label, DATA_LIMIT, &s.content));
    if (status == LT_OK)
        status = parse_npy(&s, a);
    bytes_clear(&s.content);
    free(label);
    return status;
}

static int read_npz(const char *path, lt_number_array **all, int *n)
{
    archive *zip;
    LT_TRY(archive_open(path, &zip));
    uint64_t count = archive_count(zip);
    int status = limit_check(LIMIT_NPZ_ARRAYS, path, count);
    if (status == LT_OK)
        *all = must_alloc(sizeof **all * ((size_t)count + 1));
    for (uint64_t i = 0; i < count && status == LT_OK; i++) {
        status = read_entry(zip, path, i, &(*all)[i]);
        *n = (int)i + 1;
    }
    archive_close(zip);
    return status;
}

/* ---- Any of them ---- */

static int read_csv(const char *path, lt_number_array **all, int *n)
{
    bytes content;
    LT_TRY(limit_named(LIMIT_DATA_BYTES, file_read(path, DATA_LIMIT, &content)));
    int status = csv_parse(path, &content, all, n);
    bytes_clear(&content);
    return status;
}

static const struct number_file {
    const char *end;
    int (*read)(const char *path, lt_number_array **all, int *n);
} kinds[] = {{".npy", read_npy}, {".npz", read_npz}, {".csv", read_csv}};

static const struct number_file *kind_of(const char *path)
{
    for (int i = 0; i < COUNT_OF(kinds); i++)
        if (data_has_extension(path, kinds[i].end))
            return &kinds[i];
    return NULL;
}

int lt_arrays_check_name(const char *path)
{
    size_t n = strlen(path);
    return kind_of(path) && strcmp(path + n - 3, ".gz") != 0
               ? LT_OK
               : status_fail(LT_VALUE, "%s: expected a name that ends in .npz, .npy or .csv", path);
}

int lt_arrays_read(const char *path, lt_number_array **all, int *n)
{
    *all = NULL;
    *n = 0;
    LT_TRY(lt_arrays_check_name(path));
    int status = kind_of(path)->read(path, all, n);
    if (status == LT_OK)
        return LT_OK;
    lt_arrays_free(*all, *n);
    *all = NULL;
    *n = 0;
    return status;
}

void lt_arrays_free(lt_number_array *all, int n)
{
    for (int i = 0; i < n; i++) {
        free(all[i].name);
        tensor_free(all[i].values);
    }
    free(all);
}
