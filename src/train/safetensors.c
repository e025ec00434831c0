/* SPDX-License-Identifier: MIT */
#include "train/safetensors.h"

#include "base/file.h"
#include "base/ceilings.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"
#include "train/foreign.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define METADATA_KEY "__metadata__"

enum { LENGTH_SIZE = 8 };
static const size_t max_file = (size_t)1 << 36; /* 64 GiB */

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "files and memory are little-endian");

static const struct {
    const char *name;
    size_t size;
} types[] = {
#define X(name, size) {#name, size},
    SAFETENSORS_TYPES(X)
#undef X
};

static void append_shape(text *t, int rank, const int64_t *dims)
{
    text_append(t, "[");
    for (int i = 0; i < rank; i++)
        text_format(t, "%s%lld", i ? ", " : "", (long long)dims[i]);
    text_append(t, "]");
}

/* Counts the bytes of a tensor; false on overflow. */
static bool count_bytes(const safetensors_entry *e, size_t *count)
{
    size_t n = types[e->type].size;
    bool fits = true;
    for (int i = 0; i < e->rank; i++)
        fits = fits && e->dims[i] >= 0 && size_mul(n, (size_t)e->dims[i], &n);
    *count = n;
    return fits;
}

/* ---- Writing ---- */

/* Appends a JSON string; escapes only what must be escaped. */
static void put_string(text *t, const char *string)
{
    static const char escapes[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    text_append(t, "\"");
    for (; *string; string++) {
        unsigned char c = (unsigned char)*string;
        const char *escape = strchr(escapes, c);
        if (escape)
            text_format(t, "\\%c", letters[escape - escapes]);
        else if (c < 0x20)
            text_format(t, "\\u%04X", (unsigned)c);
        else
            text_append_bytes(t, string, 1);
    }
    text_append(t, "\"");
}

/* Whether an earlier entry has the name of entry i. */
static bool is_double(const safetensors_entry *tensors, int i)
{
    for (int k = 0; k < i; k++)
        if (strcmp(tensors[k].name, tensors[i].name) == 0)
            return true;
    return false;
}

static int put_entry(const char *path, text *t, const safetensors_entry *e, size_t *at)
{
    size_t size, end;
    LT_ASSERT(e->type <= SAFETENSORS_U8 && e->rank >= 0 && e->rank <= SAFETENSORS_RANK);
    if (!count_bytes(e, &size) || !size_add(*at, size, &end) || end > max_file)
        return status_fail(LT_VALUE, "%s: tensor \"%s\" is too large", path, e->name);
    if (!text_is_utf8(e->name))
        return status_fail(LT_VALUE, "%s: tensor name is not UTF-8", path);
    put_string(t, e->name);
    text_format(t, ":{\"dtype\":\"%s\",\"shape\":[", types[e->type].name);
    for (int i = 0; i < e->rank; i++)
        text_format(t, "%s%lld", i ? "," : "", (long long)e->dims[i]);
    text_format(t, "],\"data_offsets\":[%zu,%zu]}", *at, end);
    *at = end;
    return LT_OK;
}

static int put_metadata(const char *path, text *t, const safetensors_pair *pairs, int n)
{
    put_string(t, METADATA_KEY);
    text_append(t, ":{");
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < i; k++)
            if (strcmp(pairs[k].key, pairs[i].key) == 0)
                return status_fail(LT_VALUE, "%s: metadata key \"%s\" twice", path, pairs[i].key);
        if (!text_is_utf8(pairs[i].key) || !text_is_utf8(pairs[i].value))
            return status_fail(LT_VALUE, "%s: metadata is not UTF-8", path);
        text_append(t, i ? "," : "");
        put_string(t, pairs[i].key);
        text_append(t, ":");
        put_string(t, pairs[i].value);
    }
    text_append(t, "}");
    return LT_OK;
}

/* The header, padded with spaces so that the data begins at a multiple of 8 bytes. Not written with jansson,
   which would omit a member when memory runs out. */
static int build_header(const char *path, const safetensors_entry *tensors, int n,
                        const safetensors_pair *metadata, int n_metadata, text *out)
{
    size_t at = 0;
    text_append(out, "{");
    if (n_metadata > 0)
        LT_TRY(put_metadata(path, out, metadata, n_metadata));
    for (int i = 0; i < n; i++) {
        if (strcmp(tensors[i].name, METADATA_KEY) == 0 || is_double(tensors, i))
            return status_fail(LT_VALUE, "%s: duplicate tensor name \"%s\"", path, tensors[i].name);
        text_append(out, i > 0 || n_metadata > 0 ? "," : "");
        LT_TRY(put_entry(path, out, &tensors[i], &at));
    }
    text_append(out, "}");
    while (out->size % LENGTH_SIZE)
        text_append(out, " ");
    if (out->size > limit_of(LIMIT_TENSORS_HEADER))
        return status_fail(LT_VALUE, "%s: a header of %zu bytes is too long", path, out->size);
    return LT_OK;
}

static int put_all(file_writer *w, const text *header, const safetensors_entry *tensors, int n)
{
    unsigned char length[LENGTH_SIZE];
    for (int i = 0; i < LENGTH_SIZE; i++)
        length[i] = (unsigned char)((uint64_t)header->size >> (8 * i));
    LT_TRY(file_put(w, length, sizeof length));
    LT_TRY(file_put(w, header->data, header->size));
    for (int i = 0; i < n; i++) {
        size_t size = 0;
        count_bytes(&tensors[i], &size);
        LT_TRY(file_put(w, tensors[i].data, size));
    }
    return LT_OK;
}

int safetensors_write(const char *path, const safetensors_entry *tensors, int n,
                      const safetensors_pair *metadata, int n_metadata)
{
    text header = {0};
    file_writer *w = NULL;
    int status = build_header(path, tensors, n, metadata, n_metadata, &header);
    if (status == LT_OK)
        status = file_begin(&w, path);
    if (status == LT_OK)
        status = put_all(w, &header, tensors, n);
    text_clear(&header);
    if (status == LT_OK)
        return file_commit(w);
    file_abandon(w);
    return status;
}

/* ---- Reading ---- */

struct safetensors_memory {
    const char *path;
    bytes file;
    arena names;
};

/* A file being read: `data` of `size` bytes follow the header. */
typedef struct reading {
    const char *path;
    safetensors *out;
    const unsigned char *data;
    size_t size;
} reading;

static int fail_tensor(const reading *r, const char *name, const char *expected)
{
    return status_fail(LT_FORMAT, "%s: tensor \"%s\": expected %s", r->path, name, expected);
}

static int parse_type(const reading *r, const json_t *json, safetensors_entry *e)
{
    const char *found = json_string_value(json_object_get(json, "dtype"));
    if (!found)
        return fail_tensor(r, e->name, "a dtype");
    for (int i = 0; i < COUNT_OF(types); i++)
        if (strcmp(found, types[i].name) == 0) {
            e->type = (safetensors_type)i;
            return LT_OK;
        }
    return status_fail(LT_FORMAT,
                       "%s: tensor \"%s\": expected dtype F32, F64, I64, U64, U8, F16 or BF16, "
                       "found %s",
                       r->path, e->name, found);
}

static int parse_shape(const reading *r, const json_t *json, safetensors_entry *e)
{
    const json_t *shape = json_object_get(json, "shape");
    size_t rank = json_array_size(shape);
    if (!json_is_array(shape) || rank > SAFETENSORS_RANK)
        return fail_tensor(r, e->name, "a shape of at most 8 numbers");
    e->rank = (int)rank;
    for (int i = 0; i < e->rank; i++) {
        const json_t *dim = json_array_get(shape, (size_t)i);
        e->dims[i] = json_integer_value(dim);
        if (!json_is_integer(dim) || e->dims[i] < 0)
            return fail_tensor(r, e->name, "a shape of whole numbers, not negative");
    }
    return LT_OK;
}

/* Checks that the offsets lie in the data and span the bytes of the shape. */
static int parse_offsets(const reading *r, const json_t *json, safetensors_entry *e)
{
    const json_t *offsets = json_object_get(json, "data_offsets");
    const json_t *first = json_array_get(offsets, 0), *last = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(last))
        return fail_tensor(r, e->name, "two data_offsets");
    json_int_t from = json_integer_value(first), to = json_integer_value(last);
    if (from < 0 || to < from || (uint64_t)to > r->size)
        return status_fail(LT_FORMAT,
                           "%s: tensor \"%s\": expected data_offsets within %zu bytes of data, "
                           "found [%lld, %lld]",
                           r->path, e->name, r->size, (long long)from, (long long)to);
    size_t need, span = (size_t)(to - from);
    if (!count_bytes(e, &need) || need != span) {
        text shape = {0};
        append_shape(&shape, e->rank, e->dims);
        status_fail(LT_FORMAT, "%s: tensor \"%s\": shape %s of %s does not fit its %zu bytes",
                    r->path, e->name, text_get(&shape), types[e->type].name, span);
        text_clear(&shape);
        return LT_FORMAT;
    }
    e->data = r->data + from;
    return LT_OK;
}

static int parse_entry(reading *r, const char *name, const json_t *json)
{
    safetensors_entry *e = &r->out->tensors[r->out->n++];
    e->name = arena_copy_text(&r->out->memory->names, name);
    if (!json_is_object(json) || json_object_size(json) != 3)
        return fail_tensor(r, name, "an object of dtype, shape and data_offsets");
    LT_TRY(parse_type(r, json, e));
    LT_TRY(parse_shape(r, json, e));
    return parse_offsets(r, json, e);
}

static int parse_metadata(reading *r, json_t *json)
{
    arena *names = &r->out->memory->names;
    if (!json_is_object(json))
        return status_fail(LT_FORMAT, "%s: " METADATA_KEY " is not a JSON object", r->path);
    r->out->metadata = arena_alloc(names, json_object_size(json) * sizeof *r->out->metadata);
    const char *key;
    json_t *value;
    json_object_foreach(json, key, value)
    {
        if (!json_is_string(value))
            return status_fail(LT_FORMAT, "%s: metadata \"%s\": expected a string", r->path, key);
        r->out->metadata[r->out->n_metadata++] = (safetensors_pair){
            arena_copy_text(names, key), arena_copy_text(names, json_string_value(value))};
    }
    return LT_OK;
}

/* Sorts by offset; an empty tensor comes before the tensor at the same offset. */
static int by_offset(const void *a, const void *b)
{
    const safetensors_entry *x = a, *y = b;
    const unsigned char *p = x->data, *q = y->data;
    if (p != q)
        return p < q ? -1 : 1;
    size_t m, n;
    count_bytes(x, &m);
    count_bytes(y, &n);
    return m != n ? (m < n ? -1 : 1) : strcmp(x->name, y->name);
}

/* Checks that the tensors cover the data without overlaps or gaps. */
static int check_offsets(reading *r)
{
    safetensors *f = r->out;
    if (f->n)
        qsort(f->tensors, (size_t)f->n, sizeof *f->tensors, by_offset);
    size_t at = 0;
    for (int i = 0; i < f->n; i++) {
        size_t begin = (size_t)((const unsigned char *)f->tensors[i].data - r->data), need;
        if (begin != at)
            return status_fail(LT_FORMAT,
                               "%s: tensor \"%s\": expected data at byte %zu, found it at %zu",
                               r->path, f->tensors[i].name, at, begin);
        count_bytes(&f->tensors[i], &need);
        at += need;
    }
    if (at == r->size)
        return LT_OK;
    return status_fail(LT_FORMAT, "%s: %zu bytes of data, of which tensors use %zu", r->path,
                       r->size, at);
}

static int parse_header(reading *r, json_t *header)
{
    safetensors *f = r->out;
    if (!json_is_object(header))
        return status_fail(LT_FORMAT, "%s: the header is not a JSON object", r->path);
    size_t n = json_object_size(header);
    LT_TRY(limit_check(LIMIT_TENSORS_COUNT, r->path, n));
    f->tensors = arena_alloc(&f->memory->names, n * sizeof *f->tensors);
    const char *key;
    json_t *value;
    json_object_foreach(header, key, value) LT_TRY(
        strcmp(key, METADATA_KEY) == 0 ? parse_metadata(r, value) : parse_entry(r, key, value));
    return check_offsets(r);
}

static int fail_foreign(const reading *r, const bytes *file, uint64_t header)
{
    const char *what = foreign_kind(file->data, file->size);
    if (what)
        return status_fail(LT_FORMAT, "%s: expected safetensors, found %s", r->path, what);
    return status_fail(LT_FORMAT,
                       "%s: not a safetensors file, or cut off: a header of %llu bytes in a file of "
                       "%zu",
                       r->path, (unsigned long long)header, file->size);
}

static int parse_file(reading *r, const bytes *file)
{
    uint64_t length = 0;
    for (int i = 0; i < LENGTH_SIZE && file->size >= LENGTH_SIZE; i++)
        length |= (uint64_t)file->data[i] << (8 * i);
    if (file->size < LENGTH_SIZE || length > file->size - LENGTH_SIZE)
        return fail_foreign(r, file, length);
    LT_TRY(limit_check(LIMIT_TENSORS_HEADER, r->path, length));
    r->data = file->data + LENGTH_SIZE + length;
    r->size = file->size - LENGTH_SIZE - (size_t)length;
    json_error_t error;
    json_t *header = json_loadb((const char *)file->data + LENGTH_SIZE, (size_t)length,
                                JSON_REJECT_DUPLICATES, &error);
    if (!header && !error.text[0]) /* jansson ran out of memory; the file may be fine */
        return status_fail(LT_NO_MEMORY, "%s: no memory for its header", r->path);
    if (!header && foreign_kind(file->data, file->size))
        return fail_foreign(r, file, length);
    if (!header)
        return status_fail(LT_FORMAT, "%s: header, byte %d: %s", r->path, error.position,
                           error.text);
    int status = parse_header(r, header);
    json_decref(header);
    return status;
}

int safetensors_read(const char *path, safetensors **file)
{
    safetensors *f = must_alloc(sizeof *f);
    *file = NULL;
    f->memory = must_alloc(sizeof *f->memory);
    f->memory->path = arena_copy_text(&f->memory->names, path);
    reading r = {.path = path, .out = f};
    int status = file_read(path, max_file, &f->memory->file);
    if (status == LT_OK)
        status = parse_file(&r, &f->memory->file);
    if (status == LT_OK)
        *file = f;
    else
        safetensors_free(f);
    return status;
}

void safetensors_free(safetensors *file)
{
    if (!file)
        return;
    bytes_clear(&file->memory->file);
    arena_clear(&file->memory->names);
    free(file->memory);
    free(file);
}

/* ---- Access ---- */

const char *safetensors_metadata(const safetensors *file, const char *key)
{
    for (int i = 0; i < file->n_metadata; i++)
        if (strcmp(file->metadata[i].key, key) == 0)
            return file->metadata[i].value;
    return NULL;
}

static const char *entry_name(const void *list, int i)
{
    return ((const safetensors_entry *)list)[i].name;
}

const safetensors_entry *safetensors_find(const safetensors *file, const char *name)
{
    for (int i = 0; i < file->n; i++)
        if (strcmp(file->tensors[i].name, name) == 0)
            return &file->tensors[i];
    const char *nearest = text_nearest(name, entry_name, file->tensors, file->n);
    status_fail(LT_NOT_FOUND, "%s: no tensor \"%s\"%s%s%s", file->memory->path, name,
                nearest ? "; there is \"" : "", nearest ? nearest : "", nearest ? "\"" : "");
    return NULL;
}

static int check_shape(const safetensors *file, const safetensors_entry *e, int rank,
                       const int64_t *dims)
{
    if (e->rank == rank && (!rank || !memcmp(e->dims, dims, sizeof *dims * (size_t)rank)))
        return LT_OK;
    text expected = {0}, found = {0};
    append_shape(&expected, rank, dims);
    append_shape(&found, e->rank, e->dims);
    status_fail(LT_FORMAT, "%s: tensor \"%s\": expected shape %s, found %s", file->memory->path,
                e->name, text_get(&expected), text_get(&found));
    text_clear(&expected);
    text_clear(&found);
    return LT_FORMAT;
}

/* Converts IEEE half precision from its bits; exact in f32. */
static float half_to_float(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 1023;
    uint32_t bits = sign | (exponent + 112) << 23 | fraction << 13;
    if (exponent == 31) /* infinity and NaN */
        bits = sign | 0x7f800000 | fraction << 13;
    float f;
    memcpy(&f, &bits, sizeof f);
    if (exponent == 0) /* zero and subnormals: a multiple of 2^-24 */
        f = (float)fraction * (sign ? -0x1p-24f : 0x1p-24f);
    return f;
}

/* Reads one element of any type as f32; `from` may be unaligned. */
static float element(safetensors_type type, const unsigned char *from)
{
    union {
        uint16_t half;
        uint32_t bits;
        float f32;
        double f64;
        int64_t i64;
        uint64_t u64;
        uint8_t u8;
    } x = {0};
    memcpy(&x, from, types[type].size);
    switch (type) {
    case SAFETENSORS_F32:
        return x.f32;
    case SAFETENSORS_F64:
        return (float)x.f64;
    case SAFETENSORS_I64:
        return (float)x.i64;
    case SAFETENSORS_U64:
        return (float)x.u64;
    case SAFETENSORS_U8:
        return (float)x.u8;
    case SAFETENSORS_F16:
        return half_to_float(x.half);
    case SAFETENSORS_BF16: /* the upper half of an f32 */
        x.bits = (uint32_t)x.half << 16;
        return x.f32;
    }
    return 0;
}

static void convert(const safetensors_entry *e, size_t n, float *out)
{
    size_t size = types[e->type].size;
    for (size_t i = 0; i < n; i++)
        out[i] = element(e->type, (const unsigned char *)e->data + i * size);
}

int safetensors_get(const safetensors *file, const char *name, safetensors_type type, int rank,
                    const int64_t *dims, void *out)
{
    const safetensors_entry *e = safetensors_find(file, name);
    if (!e)
        return LT_NOT_FOUND;
    LT_TRY(check_shape(file, e, rank, dims));
    if (e->type != type && type != SAFETENSORS_F32)
        return status_fail(LT_FORMAT, "%s: tensor \"%s\": expected %s, found %s",
                           file->memory->path, name, types[type].name, types[e->type].name);
    size_t size = 0;
    count_bytes(e, &size);
    if (e->type != type)
        convert(e, size / types[e->type].size, out);
    else if (size)
        memcpy(out, e->data, size);
    return LT_OK;
}
