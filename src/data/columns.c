/* SPDX-License-Identifier: MIT */
/* Several arrays in one file: npz (a zip file of npy files, stored as they are) and csv. */
#include "data/npy_write.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* ---- What can be written ---- */

static bool is_name(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    return name && *name && strlen(name) < LT_TEXT_SIZE && name[strspn(name, letters)] == 0;
}

static int check_array(const lt_array *all, int i)
{
    size_t n, room;
    const lt_array *a = &all[i];
    if (!is_name(a->name))
        return status_fail(LT_VALUE, "array %d: expected a name of letters, digits and '_', found "
                           "'%s'", i, a->name ? a->name : "");
    for (int k = 0; k < i; k++)
        if (strcmp(all[k].name, a->name) == 0)
            return status_fail(LT_VALUE, "arrays %d and %d: both are called %s", k, i, a->name);
    if (a->rank < 1 || a->rank > LT_MAX_ARRAY_RANK || a->kind < LT_FLOAT32 || a->kind > LT_INT32)
        return status_fail(LT_VALUE, "array %s: expected rank 1 to %d of a known kind of numbers, "
                           "found rank %d, kind %d", a->name, LT_MAX_ARRAY_RANK, a->rank,
                           (int)a->kind);
    return npy_count(a, &n, &room) ? LT_OK
                                    : status_fail(LT_VALUE, "array %s: its size does not fit in memory",
                                                  a->name);
}

/* Checks columns of a csv file; an array of rank 2 is several columns. */
static int check_columns(const lt_array *columns, int n)
{
    for (int i = 0; i < n; i++) {
        LT_TRY(check_array(columns, i));
        if (columns[i].rank > 2 || columns[i].shape[0] != columns[0].shape[0])
            return status_fail(LT_VALUE, "column %s: expected rank 1 or 2 and %jd rows as in %s, found "
                               "rank %d, %jd rows", columns[i].name, (intmax_t)columns[0].shape[0],
                               columns[0].name, columns[i].rank, (intmax_t)columns[i].shape[0]);
    }
    return LT_OK;
}

/* ---- npz: records of the zip format (APPNOTE 4.3), its date 1980-01-01 ---- */

enum { LOCAL_HEAD = 0x04034b50, CENTRAL_HEAD = 0x02014b50, CENTRAL_END = 0x06054b50 };

static void append_number(text *t, uint64_t value, int size)
{
    for (int i = 0; i < size; i++)
        text_append_bytes(t, &(char){(char)(value >> 8 * i & 0xff)}, 1);
}

typedef struct npz_entry {
    text head; /* of the npy file */
    const void *values;
    size_t room; /* bytes of the values */
    uint32_t crc;
    uint64_t at, size; /* in the archive; of the npy file */
} npz_entry;

/* CRC-32 in pieces that zlib's `uInt` holds. */
static uint32_t crc_of(const npz_entry *e)
{
    enum { PIECE = 1 << 30 };
    uLong crc = crc32(0, (const Bytef *)text_get(&e->head), (uInt)e->head.size);
    for (size_t at = 0; at < e->room; at += PIECE) {
        size_t n = e->room - at < PIECE ? e->room - at : PIECE;
        crc = crc32(crc, (const Bytef *)e->values + at, (uInt)n);
    }
    return (uint32_t)crc;
}

/* Appends the fields of both heads of an entry: version, flags, stored, time, date, CRC, sizes, length of name. */
static void append_facts(text *t, const npz_entry *e, size_t name)
{
    append_number(t, 20, 2);
    append_number(t, 0, 2 + 2 + 2);
    append_number(t, 1 << 5 | 1, 2);
    append_number(t, e->crc, 4);
    append_number(t, e->size, 4);
    append_number(t, e->size, 4);
    append_number(t, name, 2);
    append_number(t, 0, 2);
}

static void put_entry(file_writer *w, npz_entry *e, const lt_array *a, uint64_t at, text *central)
{
    text t = {0};
    char *name = must_format("%s.npy", a->name);
    e->at = at;
    append_number(&t, LOCAL_HEAD, 4);
    append_facts(&t, e, strlen(name));
    text_append(&t, name);
    append_number(central, CENTRAL_HEAD, 4);
    append_number(central, 20, 2);
    append_facts(central, e, strlen(name));
    append_number(central, 0, 2 + 2 + 2); /* no comment, disk 0, no attributes */
    append_number(central, 0, 4);
    append_number(central, e->at, 4);
    text_append(central, name);
    file_put(w, text_get(&t), t.size);
    file_put(w, text_get(&e->head), e->head.size);
    file_put(w, e->values, e->room);
    e->at += t.size + e->size; /* where the next one begins */
    free(name);
    text_clear(&t);
}

static void put_archive(file_writer *w, npz_entry *entries, const lt_array *arrays, int n)
{
    text central = {0};
    uint64_t at = 0;
    for (int i = 0; i < n; i++) {
        put_entry(w, &entries[i], &arrays[i], at, &central);
        at = entries[i].at;
    }
    uint64_t size = central.size;
    append_number(&central, CENTRAL_END, 4);
    append_number(&central, 0, 2 + 2);
    append_number(&central, (uint64_t)n, 2);
    append_number(&central, (uint64_t)n, 2);
    append_number(&central, size, 4);
    append_number(&central, at, 4);
    append_number(&central, 0, 2);
    file_put(w, text_get(&central), central.size);
    text_clear(&central);
}

/* Sets heads and sizes; the sum must be below 4 GB, since larger zip files need other records. */
static int fill_entries(const char *path, const lt_array *arrays, int n, npz_entry *entries)
{
    const uint64_t most = UINT32_MAX - (1 << 20);
    uint64_t total = 0;
    for (int i = 0; i < n; i++) {
        size_t count;
        npz_entry *e = &entries[i];
        npy_count(&arrays[i], &count, &e->room);
        npy_append_head(&e->head, &arrays[i]);
        e->values = arrays[i].values;
        e->size = e->head.size + e->room;
        total += e->size;
        if (total > most)
            return status_fail(LT_VALUE, "%s: expected arrays of less than 4 GB together", path);
        e->crc = crc_of(e);
    }
    return LT_OK;
}

int lt_npz_write(const char *path, const lt_array *arrays, int n)
{
    enum { MAX_ARRAYS = 1000 };
    if (n < 1 || n > MAX_ARRAYS)
        return status_fail(LT_VALUE, "%s: expected 1 to %d arrays, found %d", path, MAX_ARRAYS, n);
    for (int i = 0; i < n; i++)
        LT_TRY(check_array(arrays, i));
    npz_entry *entries = must_alloc(sizeof *entries * (size_t)n);
    file_writer *w;
    int status = fill_entries(path, arrays, n, entries);
    if (status == LT_OK)
        status = file_begin(&w, path);
    if (status == LT_OK) {
        put_archive(w, entries, arrays, n);
        status = file_commit(w); /* fails if a piece did */
    }
    for (int i = 0; i < n; i++)
        text_clear(&entries[i].head);
    free(entries);
    return status;
}

/* ---- csv ---- */

static void append_value(text *t, const lt_array *a, int64_t i)
{
    double value;
    if (a->kind == LT_INT32) {
        text_format(t, "%jd", (intmax_t)((const int32_t *)a->values)[i]);
        return;
    }
    value = a->kind == LT_FLOAT32 ? (double)((const float *)a->values)[i]
                                  : ((const double *)a->values)[i];
    if (isnan(value))
        text_append(t, "nan");
    else if (isinf(value))
        text_append(t, value < 0 ? "-inf" : "inf");
    else if (a->kind == LT_FLOAT32)
        text_append_single(t, (float)value);
    else
        text_append_real(t, value);
}

static int64_t columns_of(const lt_array *a) { return a->rank == 2 ? a->shape[1] : 1; }

static void append_names(text *t, const lt_array *columns, int n)
{
    bool is_first = true;
    for (int k = 0; k < n; k++)
        for (int64_t j = 0; j < columns_of(&columns[k]); j++, is_first = false) {
            text_format(t, "%s%s", is_first ? "" : ",", columns[k].name);
            if (columns[k].rank == 2)
                text_format(t, "_%jd", (intmax_t)j);
        }
    text_append(t, "\n");
}

static void append_rows(text *t, const lt_array *columns, int n)
{
    for (int64_t i = 0; n > 0 && i < columns[0].shape[0]; i++) {
        bool is_first = true;
        for (int k = 0; k < n; k++) {
            int64_t width = columns_of(&columns[k]);
            for (int64_t j = 0; j < width; j++, is_first = false) {
                text_append(t, is_first ? "" : ",");
                append_value(t, &columns[k], i * width + j);
            }
        }
        text_append(t, "\n");
    }
}

char *lt_csv_text(const lt_array *columns, int n)
{
    text t = {0};
    if (check_columns(columns, n) != LT_OK)
        return NULL;
    append_names(&t, columns, n);
    append_rows(&t, columns, n);
    return text_take(&t);
}

int lt_columns_check_name(const char *path)
{
    return text_ends_in(path, ".csv") || text_ends_in(path, ".npz")
               ? LT_OK
               : status_fail(LT_VALUE, "%s: expected a name that ends in .csv or .npz", path);
}

int lt_columns_write(const char *path, const lt_array *columns, int n)
{
    LT_TRY(lt_columns_check_name(path));
    LT_TRY(check_columns(columns, n));
    if (text_ends_in(path, ".npz"))
        return lt_npz_write(path, columns, n);
    char *words = lt_csv_text(columns, n);
    int status = words ? file_write(path, words, strlen(words)) : LT_VALUE;
    free(words);
    return status;
}
