/* SPDX-License-Identifier: MIT */
/* npy, one NumPy array: "\x93NUMPY", version, length of the header, a Python dictionary, the
   numbers. Images are bytes, booleans, or floats in [0, 1]; N x H x W, N x H x W x C, or N x D with
   square D. Labels are integers 0 ... 255 of rank 1. C order, little-endian. */
#include "data/npy.h"

#include "base/memory.h"
#include "base/status.h"

#include <float.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "npy.c copies little-endian numbers"
#endif

static const char SIGNATURE[] = "\x93NUMPY";
enum { SIGNATURE_SIZE = 6, MAX_RANK = NPY_MAX_RANK, DESCR_SIZE = NPY_DESCR_SIZE };

static bool npy_sniff(const data_source *s)
{
    return s->content.size >= SIGNATURE_SIZE &&
           memcmp(s->content.data, SIGNATURE, SIGNATURE_SIZE) == 0;
}

/* ---- The dictionary: {'descr': '|u1', 'fortran_order': False, 'shape': (60000, 28, 28), } ---- */

typedef struct cursor {
    const data_source *s;
    size_t at, end;
} cursor;

static int peek(cursor *c)
{
    while (c->at < c->end && strchr(" \t\n", c->s->content.data[c->at]) &&
           c->s->content.data[c->at])
        c->at++;
    return c->at < c->end ? c->s->content.data[c->at] : -1;
}

static bool accept(cursor *c, char wanted)
{
    bool is_there = peek(c) == wanted;
    c->at += is_there;
    return is_there;
}

static int unexpected(cursor *c, const char *wanted)
{
    int found = peek(c);
    if (found < 0)
        return data_malformed(c->s, c->at, "expected %s, found the end of the npy header", wanted);
    return data_malformed(c->s, c->at, "expected %s, found '%c' (byte %02x) in the npy header",
                          wanted, found >= ' ' && found < 127 ? found : '?', (unsigned)found);
}

static int read_quoted(cursor *c, const char *what, char text[DESCR_SIZE])
{
    int quote = peek(c);
    if (quote != '\'' && quote != '"')
        return unexpected(c, what);
    size_t start = c->at + 1, i = start;
    while (i < c->end && c->s->content.data[i] != quote)
        i++;
    if (i == c->end || i - start >= DESCR_SIZE)
        return data_malformed(c->s, c->at, "expected %s of at most %d letters, found none", what,
                              DESCR_SIZE - 1);
    memcpy(text, c->s->content.data + start, i - start);
    text[i - start] = 0;
    c->at = i + 1;
    return LT_OK;
}

static int read_bool(cursor *c, bool *value)
{
    peek(c);
    const char *text = (const char *)c->s->content.data + c->at;
    size_t left = c->end - c->at;
    *value = left >= 4 && memcmp(text, "True", 4) == 0;
    if (!*value && (left < 5 || memcmp(text, "False", 5) != 0))
        return unexpected(c, "True or False");
    c->at += *value ? 4 : 5;
    return LT_OK;
}

static int read_size(cursor *c, uint64_t *value)
{
    if (peek(c) < '0' || peek(c) > '9')
        return unexpected(c, "a size");
    *value = 0;
    for (; c->at < c->end; c->at++) {
        int digit = c->s->content.data[c->at] - '0';
        if (digit < 0 || digit > 9)
            break;
        if (*value > UINT32_MAX)
            return data_malformed(c->s, c->at, "expected a size that fits in memory, found more");
        *value = *value * 10 + (unsigned)digit;
    }
    return LT_OK;
}

static int read_shape(cursor *c, npy_header *h)
{
    if (!accept(c, '('))
        return unexpected(c, "'(' before the shape");
    while (!accept(c, ')')) {
        if (h->rank == MAX_RANK)
            return data_malformed(c->s, h->shape_at, "expected rank 1 to 4, found more");
        LT_TRY(read_size(c, &h->shape[h->rank++]));
        if (!accept(c, ',') && peek(c) != ')')
            return unexpected(c, "',' or ')' in the shape");
    }
    return LT_OK;
}

static int read_entry(cursor *c, npy_header *h)
{
    char key[DESCR_SIZE];
    size_t at = c->at;
    LT_TRY(read_quoted(c, "a key", key));
    if (!accept(c, ':'))
        return unexpected(c, "':'");
    peek(c);
    if (strcmp(key, "descr") == 0 && !h->has_descr) {
        h->has_descr = true;
        h->descr_at = c->at;
        return read_quoted(c, "a plain number type", h->descr);
    }
    if (strcmp(key, "fortran_order") == 0 && !h->has_order) {
        h->has_order = true;
        h->order_at = c->at;
        return read_bool(c, &h->fortran);
    }
    if (strcmp(key, "shape") == 0 && !h->has_shape) {
        h->has_shape = true;
        h->shape_at = c->at;
        return read_shape(c, h);
    }
    return data_malformed(c->s, at, "expected descr, fortran_order and shape once each, found '%s'",
                          key);
}

static int read_dictionary(cursor *c, npy_header *h)
{
    size_t start = c->at;
    if (!accept(c, '{'))
        return unexpected(c, "'{'");
    while (!accept(c, '}')) {
        LT_TRY(read_entry(c, h));
        if (!accept(c, ',') && peek(c) != '}')
            return unexpected(c, "',' or '}'");
    }
    if (peek(c) != -1)
        return unexpected(c, "blanks");
    if (!h->has_descr || !h->has_order || !h->has_shape)
        return data_malformed(c->s, start, "expected descr, fortran_order and shape, found no %s",
                              !h->has_descr   ? "descr"
                              : !h->has_order ? "fortran_order"
                                              : "shape");
    return LT_OK;
}

int npy_read_header(const data_source *s, npy_header *h)
{
    const unsigned char *p = s->content.data;
    size_t size = s->content.size;
    if (!npy_sniff(s))
        return data_malformed(s, 0, "expected \\x93NUMPY, found another signature");
    size_t start = size > 6 && p[6] == 1 ? 10 : 12;
    if (size < start)
        return data_malformed(s, size, "expected an npy header of %zu bytes or more, found %zu",
                              start, size);
    if (p[6] < 1 || p[6] > 3 || p[7] != 0)
        return data_malformed(s, 6, "expected npy version 1.0, 2.0 or 3.0, found %d.%d", p[6],
                              p[7]);
    size_t length = (size_t)p[8] | (size_t)p[9] << 8;
    if (start == 12)
        length |= (size_t)p[10] << 16 | (size_t)p[11] << 24;
    if (length > size - start)
        return data_malformed(s, 8, "expected an npy header of %zu bytes, found %zu", length,
                              size - start);
    h->data_at = start + length;
    cursor c = {s, start, h->data_at};
    LT_TRY(read_dictionary(&c, h));
    if (h->fortran)
        return data_malformed(s, h->order_at,
                              "expected C order (fortran_order: False), found "
                              "Fortran order; save numpy.ascontiguousarray(x)");
    return LT_OK;
}

/* ---- The numbers ---- */

/* `digits` are as many as tell such a number from its neighbors. */
static int fail_pixel(const data_source *s, size_t offset, size_t index, double found, int digits)
{
    return data_malformed(s, offset, "number %zu: expected a value in [0, 1], found %.*g", index,
                          digits, found);
}

static float *alloc_floats(const data_source *s, size_t n, data_array *out)
{
    size_t size;
    out->block = size_mul(n, sizeof(float), &size) ? tensor_alloc(size, s->path) : NULL;
    out->f32 = out->block;
    return out->block;
}

static int copy_f4(data_source *s, size_t at, size_t n, data_array *out)
{
    float *to = alloc_floats(s, n, out);
    if (!to)
        return LT_NO_MEMORY;
    memcpy(to, s->content.data + at, n * sizeof *to);
    for (size_t i = 0; i < n; i++)
        if (!(to[i] >= 0 && to[i] <= 1)) /* NaN too */
            return fail_pixel(s, at + i * sizeof *to, i, (double)to[i], FLT_DECIMAL_DIG);
    return LT_OK;
}

static int copy_f8(data_source *s, size_t at, size_t n, data_array *out)
{
    float *to = alloc_floats(s, n, out);
    if (!to)
        return LT_NO_MEMORY;
    for (size_t i = 0; i < n; i++) {
        double value;
        memcpy(&value, s->content.data + at + i * sizeof value, sizeof value);
        if (!(value >= 0 && value <= 1))
            return fail_pixel(s, at + i * sizeof value, i, value, DBL_DECIMAL_DIG);
        to[i] = (float)value;
    }
    return LT_OK;
}

static int take_u1(data_source *s, size_t at, size_t n, data_array *out)
{
    (void)n;
    out->file = s->content;
    s->content = (bytes){0};
    out->u8 = out->file.data + at;
    return LT_OK;
}

static int take_bool(data_source *s, size_t at, size_t n, data_array *out)
{
    for (size_t i = 0; i < n; i++)
        if (s->content.data[at + i] > 1)
            return data_malformed(s, at + i, "expected a boolean 00 or 01, found %02x",
                                  s->content.data[at + i]);
    out->is_binary = true;
    return take_u1(s, at, n, out);
}

static int fail_label(const data_source *s, size_t offset, size_t index, int size, bool is_signed)
{
    const unsigned char *p = s->content.data + offset;
    uint64_t value = is_signed && p[size - 1] >> 7 ? UINT64_MAX : 0;
    for (int k = size - 1; k >= 0; k--)
        value = value << 8 | p[k];
    if (is_signed)
        return data_malformed(s, offset, "label %zu: expected 0 to 255, found %jd", index,
                              (intmax_t)(int64_t)value);
    return data_malformed(s, offset, "label %zu: expected 0 to 255, found %ju", index,
                          (uintmax_t)value);
}

/* Integers of `size` bytes; negative ones have bytes above the first that are not 0. */
static int copy_integers(data_source *s, size_t at, size_t n, int size, bool is_signed,
                         data_array *out)
{
    unsigned char *to = tensor_alloc(n, s->path);
    if (!to)
        return LT_NO_MEMORY;
    out->block = to;
    out->u8 = to;
    for (size_t i = 0; i < n; i++) {
        const unsigned char *p = s->content.data + at + i * (size_t)size;
        to[i] = p[0];
        for (int k = 1; k < size; k++)
            if (p[k])
                return fail_label(s, at + i * (size_t)size, i, size, is_signed);
    }
    return LT_OK;
}

#define INTEGERS(name, size, is_signed)                                                            \
    static int copy_##name(data_source *s, size_t at, size_t n, data_array *out)                   \
    {                                                                                              \
        return copy_integers(s, at, n, size, is_signed, out);                                      \
    }
INTEGERS(i2, 2, true)
INTEGERS(i4, 4, true)
INTEGERS(i8, 8, true)
INTEGERS(u2, 2, false)
INTEGERS(u4, 4, false)
INTEGERS(u8, 8, false)
#undef INTEGERS

/* A number type; labels or images or both may be of it. */
static const struct number_type {
    const char *descr;
    size_t size;
    bool for_images, for_labels;
    int (*copy)(data_source *s, size_t at, size_t n, data_array *out);
} types[] = {
    {"|u1", 1, true, true, take_u1},  {"|b1", 1, true, false, take_bool},
    {"<f4", 4, true, false, copy_f4}, {"<f8", 8, true, false, copy_f8},
    {"<i2", 2, false, true, copy_i2}, {"<u2", 2, false, true, copy_u2},
    {"<i4", 4, false, true, copy_i4}, {"<u4", 4, false, true, copy_u4},
    {"<i8", 8, false, true, copy_i8}, {"<u8", 8, false, true, copy_u8},
};

static const struct number_type *find_type(const npy_header *h)
{
    for (int i = 0; i < COUNT_OF(types); i++)
        if (strcmp(types[i].descr, h->descr) == 0 &&
            (h->rank == 1 ? types[i].for_labels : types[i].for_images))
            return &types[i];
    return NULL;
}

/* N x 1 labels are N. */
static int drop_axis(const data_source *s, npy_header *h)
{
    if (h->rank < 2)
        return LT_OK;
    if (h->rank > 2 || h->shape[1] != 1)
        return data_malformed(s, h->shape_at, "expected N or N x 1 labels, found N x %ju%s",
                              (uintmax_t)h->shape[1], h->rank > 2 ? " x ..." : "");
    h->rank = 1;
    return LT_OK;
}

/* N x H x W x C for images; H = 0 for labels. */
static int set_shape(const data_source *s, const npy_header *h, data_array *out, size_t *n)
{
    if (h->rank == 0)
        return data_malformed(s, h->shape_at, "expected rank 1 to 4, found a single number");
    uint64_t shape[4] = {h->shape[0], 0, 0, 1};
    for (int i = 1; i < h->rank; i++) {
        shape[i] = h->shape[i];
        if (shape[i] == 0)
            return data_malformed(s, h->shape_at, "expected sizes of at least 1, found 0");
    }
    if (h->rank == 2) {
        shape[1] = shape[2] = (uint64_t)data_square_side(h->shape[1]);
        if (!shape[1])
            return data_malformed(s, h->shape_at,
                                  "expected N x H x W, N x H x W x C, or N x D with square D "
                                  "(784 is 28 x 28), found N x %ju",
                                  (uintmax_t)h->shape[1]);
    }
    return data_set_shape(s, h->shape_at, 0, out, shape, n);
}

static int npy_read(data_source *s, data_array *out, data_array *labels)
{
    (void)labels;
    npy_header h = {0};
    LT_TRY(npy_read_header(s, &h));
    if (s->is_for_labels)
        LT_TRY(drop_axis(s, &h));
    size_t n, size;
    LT_TRY(set_shape(s, &h, out, &n));
    const struct number_type *type = find_type(&h);
    if (!type)
        return data_malformed(s, h.descr_at,
                              h.rank == 1 ? "expected labels of type '|u1', '<i2', '<u2', "
                                            "'<i4', '<u4', '<i8' or '<u8', found '%s'"
                                          : "expected images of type '|u1', '|b1', '<f4' or "
                                            "'<f8', found '%s'",
                              h.descr);
    size_t found = s->content.size - h.data_at;
    if (!size_mul(n, type->size, &size) || size != found)
        return data_malformed(s, h.data_at, "expected %zu numbers of %zu bytes, found %zu bytes", n,
                              type->size, found);
    return type->copy(s, h.data_at, n, out);
}

static size_t npy_whole(const data_source *head)
{
    npy_header h = {0};
    size_t size = 1;
    if (npy_read_header(head, &h) != LT_OK)
        return 0; /* it continues after the head, or is damaged, which npy_read reports */
    for (int i = 0; i < h.rank; i++)
        if (!size_mul(size, (size_t)h.shape[i], &size))
            return SIZE_MAX;
    const struct number_type *type = find_type(&h);
    if (!type || !size_mul(size, type->size, &size) || !size_add(size, h.data_at, &size))
        return type ? SIZE_MAX : 0;
    return size;
}

const reader npy_reader = {
    .name = "npy", .extension = ".npy", .sniff = npy_sniff, .read = npy_read, .whole = npy_whole};
