/* SPDX-License-Identifier: MIT */
/* MAT, MATLAB's file format, version 5 (the default of its `save` and of SciPy's savemat), as SVHN
   is published: the variable X, H x W x C x N or H x W x N bytes, and, if there is one, y, N
   labels; where those are 1 ... 10, 10 means 0. Other variables are ignored.

   A header of 128 bytes, then elements: type and size (4 bytes each; or 2 and 2, with at most 4
   bytes of data after them), data, filled up to a multiple of 8. A variable is an element that
   contains elements: flags, dimensions, name, numbers by columns; or one such element packed by
   zlib. Of a packed one the first bytes are unpacked, which tell what it is, and the rest only if
   it is one of ours and right so far. */
#include "data/reader.h"

#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { HEADER = 128, TAG = 8, VERSION_AT = 124, ORDER_AT = 126, MAX_DIMS = 8, NAME_SIZE = 64 };
enum { HEAD = 512 }; /* of a packed variable: holds flags, dimensions, name and the numbers' tag */

typedef enum element_type {
    MI_INT8 = 1,
    MI_UINT8 = 2,
    MI_INT16 = 3,
    MI_UINT16 = 4,
    MI_INT32 = 5,
    MI_UINT32 = 6,
    MI_SINGLE = 7,
    MI_DOUBLE = 9,
    MI_INT64 = 12,
    MI_UINT64 = 13,
    MI_MATRIX = 14,
    MI_COMPRESSED = 15,
} element_type;

static const char *const classes[] = {
    [1] = "cell",    [2] = "struct", [3] = "object",  [4] = "char",   [5] = "sparse",
    [6] = "double",  [7] = "single", [8] = "int8",    [9] = "uint8",  [10] = "int16",
    [11] = "uint16", [12] = "int32", [13] = "uint32", [14] = "int64", [15] = "uint64"};
enum { CLASS_UINT8 = 9, FLAG_COMPLEX = 0x800 };

/* The bytes that elements are read from: the file, or an unpacked variable or its beginning. */
typedef struct stream {
    const data_source *s;
    const unsigned char *data;
    size_t size;      /* of the available bytes */
    bool is_big;      /* big-endian */
    bool is_unpacked; /* then `packed_at` is its place in the file */
    size_t packed_at;
} stream;

typedef struct element {
    uint32_t type;
    size_t at, size; /* of its data */
    size_t next;     /* where the next element begins */
} element;

typedef struct variable {
    char name[NAME_SIZE];
    unsigned class;
    bool is_complex;
    int rank;
    uint64_t dims[MAX_DIMS];
    size_t dims_at;
    element numbers;
} variable;

/* ---- Elements ---- */

static int malformed(const stream *m, size_t at, const char *format, ...) LT_PRINTF(3, 4);
static int malformed(const stream *m, size_t at, const char *format, ...)
{
    char words[512];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    if (m->is_unpacked)
        return data_malformed(m->s, m->packed_at, "packed variable, its byte %zu: %s", at, words);
    return data_malformed(m->s, at, "%s", words);
}

/* `size` bytes as an unsigned number. */
static uint64_t read_number(const stream *m, size_t at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++) {
        size_t from = at + (m->is_big ? i : size - 1 - i);
        value = value << 8 | m->data[from];
    }
    return value;
}

static int read_element(const stream *m, size_t at, size_t end, element *e)
{
    if (end - at < TAG)
        return malformed(m, at, "expected an element, whose tag has 8 bytes, found %zu bytes",
                         end - at);
    if (m->size < TAG || at > m->size - TAG)
        return malformed(m, at,
                         "expected the numbers within the first %zu bytes of a variable, "
                         "found a longer name",
                         m->size);
    uint32_t first = (uint32_t)read_number(m, at, 4);
    if (first >> 16) {
        *e = (element){first & 0xffff, at + 4, first >> 16, at + TAG};
        if (e->size > 4)
            return malformed(m, at, "expected at most 4 bytes in a small element, found %zu",
                             e->size);
        return LT_OK;
    }
    *e = (element){first, at + TAG, (size_t)read_number(m, at + 4, 4), 0};
    if (e->size > end - e->at)
        return malformed(m, at, "expected an element of %zu bytes, found %zu to the end", e->size,
                         end - e->at);
    size_t filled = e->type == MI_COMPRESSED ? e->size : (e->size + 7) / 8 * 8;
    e->next = filled > end - e->at ? end : e->at + filled;
    return LT_OK;
}

static int expect_type(const stream *m, const element *e, size_t at, const char *what,
                       element_type type)
{
    return e->type == type
               ? LT_OK
               : malformed(m, at, "expected the %s, an element of type %d, found type %u", what,
                           (int)type, e->type);
}

/* ---- Variables ---- */

static int read_flags(const stream *m, size_t at, const element *e, variable *v)
{
    LT_TRY(expect_type(m, e, at, "flags of a variable", MI_UINT32));
    if (e->size != 8)
        return malformed(m, at, "expected 8 bytes of flags, found %zu", e->size);
    uint32_t flags = (uint32_t)read_number(m, e->at, 4);
    v->class = flags & 0xff;
    v->is_complex = flags & FLAG_COMPLEX;
    return LT_OK;
}

static int read_dims(const stream *m, size_t at, const element *e, variable *v)
{
    LT_TRY(expect_type(m, e, at, "dimensions of a variable", MI_INT32));
    if (e->size % 4 || e->size < 8 || e->size > 4 * MAX_DIMS)
        return malformed(m, at, "expected 2 to %d dimensions of 4 bytes, found %zu bytes", MAX_DIMS,
                         e->size);
    v->rank = (int)(e->size / 4);
    v->dims_at = e->at;
    for (int i = 0; i < v->rank; i++) {
        v->dims[i] = read_number(m, e->at + 4 * (size_t)i, 4);
        if (v->dims[i] > INT32_MAX)
            return malformed(m, e->at + 4 * (size_t)i,
                             "expected a dimension of 0 or more, found a negative one");
    }
    return LT_OK;
}

static int read_name(const stream *m, size_t at, const element *e, variable *v)
{
    LT_TRY(expect_type(m, e, at, "name of a variable", MI_INT8));
    size_t n = e->size < NAME_SIZE - 1 ? e->size : NAME_SIZE - 1;
    for (size_t i = 0; i < n; i++) {
        unsigned char letter = m->data[e->at + i];
        v->name[i] = (char)(letter > ' ' && letter < 127 ? letter : '?');
    }
    v->name[n] = 0;
    return LT_OK;
}

/* The elements within [at, end). Only bytes and numbers have what we look for after the name. */
static int read_variable(const stream *m, size_t at, size_t end, variable *v)
{
    element e;
    *v = (variable){.rank = 0};
    LT_TRY(read_element(m, at, end, &e));
    LT_TRY(read_flags(m, at, &e, v));
    at = e.next;
    LT_TRY(read_element(m, at, end, &e));
    LT_TRY(read_dims(m, at, &e, v));
    at = e.next;
    LT_TRY(read_element(m, at, end, &e));
    LT_TRY(read_name(m, at, &e, v));
    if (v->class < 6 || v->class > 15)
        return LT_OK;
    return read_element(m, e.next, end, &v->numbers);
}

static const char *class_name(const variable *v)
{
    return v->class < (unsigned)COUNT_OF(classes) && classes[v->class] ? classes[v->class]
                                                                       : "unknown";
}

/* ---- X ---- */

/* Converts from column-major H x W x C x N to N x H x W x C. */
static void transpose(const unsigned char *from, const data_array *a, unsigned char *to)
{
    size_t h = (size_t)a->h, w = (size_t)a->w, c = (size_t)a->c;
    for (int i = 0; i < a->n; i++, from += h * w * c)
        for (size_t row = 0; row < h; row++)
            for (size_t column = 0; column < w; column++)
                for (size_t k = 0; k < c; k++)
                    *to++ = from[row + h * (column + w * k)];
}

static int check_images(const stream *m, const variable *v, data_array *out)
{
    if (v->class != CLASS_UINT8 || v->is_complex || v->numbers.type != MI_UINT8)
        return malformed(m, v->dims_at, "X: expected the class uint8, found %s%s", class_name(v),
                         v->is_complex ? " (complex)" : "");
    if (v->rank != 3 && v->rank != 4)
        return malformed(m, v->dims_at, "X: expected H x W x C x N or H x W x N, found rank %d",
                         v->rank);
    uint64_t shape[4] = {v->dims[v->rank - 1], v->dims[0], v->dims[1],
                         v->rank == 4 ? v->dims[2] : 1};
    for (int i = 0; i < 4; i++)
        if (shape[i] == 0)
            return malformed(m, v->dims_at, "X: expected dimensions of at least 1, found 0");
    size_t pixels;
    LT_TRY(
        data_set_shape(m->s, m->is_unpacked ? m->packed_at : v->dims_at, 0, out, shape, &pixels));
    return pixels == v->numbers.size
               ? LT_OK
               : malformed(m, v->numbers.at, "X: expected %zu bytes, found %zu", pixels,
                           v->numbers.size);
}

static int take_images(const stream *m, const variable *v, data_array *out)
{
    out->u8 = out->block = tensor_alloc(v->numbers.size, m->s->path);
    if (!out->block)
        return LT_NO_MEMORY;
    transpose(m->data + v->numbers.at, out, out->block);
    return LT_OK;
}

/* ---- y ---- */

static size_t number_size(uint32_t type)
{
    switch (type) {
    case MI_INT8:
    case MI_UINT8:
        return 1;
    case MI_INT16:
    case MI_UINT16:
        return 2;
    case MI_INT32:
    case MI_UINT32:
    case MI_SINGLE:
        return 4;
    case MI_DOUBLE:
    case MI_INT64:
    case MI_UINT64:
        return 8;
    default:
        return 0;
    }
}

static double read_label(const stream *m, const element *e, size_t i)
{
    size_t size = number_size(e->type);
    uint64_t bits = read_number(m, e->at + i * size, size), sign = UINT64_C(1) << (8 * size - 1);
    bool is_signed =
        e->type == MI_INT8 || e->type == MI_INT16 || e->type == MI_INT32 || e->type == MI_INT64;
    double value = is_signed && bits & sign ? (double)(bits - sign) - (double)sign : (double)bits;
    if (e->type == MI_SINGLE) {
        uint32_t half = (uint32_t)bits;
        float single;
        memcpy(&single, &half, sizeof single);
        value = (double)single;
    } else if (e->type == MI_DOUBLE) {
        memcpy(&value, &bits, sizeof value);
    }
    return value;
}

/* Where labels are 1 ... 10, 10 is the digit 0. */
static void make_digits(unsigned char *labels, int n)
{
    int least = 255, most = 0;
    for (int i = 0; i < n; i++) {
        least = labels[i] < least ? labels[i] : least;
        most = labels[i] > most ? labels[i] : most;
    }
    for (int i = 0; i < n && least > 0 && most == 10; i++)
        labels[i] = labels[i] % 10;
}

static int check_labels(const stream *m, const variable *v, data_array *out)
{
    const element *e = &v->numbers;
    size_t size = number_size(e->type);
    uint64_t n = v->dims[0] * v->dims[1];
    if (v->is_complex || v->rank != 2 || (v->dims[0] != 1 && v->dims[1] != 1) || n == 0)
        return malformed(m, v->dims_at, "y: expected N x 1 labels, found %s%ju x %ju%s",
                         v->is_complex ? "complex " : "", (uintmax_t)v->dims[0],
                         (uintmax_t)v->dims[1], v->rank > 2 ? " x ..." : "");
    if (size == 0 || e->size != n * size)
        return malformed(m, e->at, "y: expected %ju numbers, found %zu bytes of type %u",
                         (uintmax_t)n, e->size, e->type);
    *out = (data_array){.is_labels = true, .n = (int)n};
    return LT_OK;
}

static int take_labels(const stream *m, const variable *v, data_array *out)
{
    const element *e = &v->numbers;
    unsigned char *labels = tensor_alloc((size_t)out->n, m->s->path);
    out->u8 = out->block = labels;
    if (!labels)
        return LT_NO_MEMORY;
    for (size_t i = 0; i < (size_t)out->n; i++) {
        double label = read_label(m, e, i);
        if (!(label >= 0 && label <= 255) || label != (int)label) /* NaN too */
            return malformed(m, e->at + i * number_size(e->type),
                             "y: label %zu: expected 0 to 255, found %.17g", i, label);
        labels[i] = (unsigned char)label;
    }
    make_digits(labels, out->n);
    return LT_OK;
}

/* ---- The file ---- */

typedef struct findings {
    data_array *images, *labels;
    text others; /* ", a, b" */
} findings;

/* Looks at the first elements of a variable within [at, end): `*ours` is where its numbers go,
   whose shape is then set; NULL: it is neither X nor y. */
static int look(const stream *m, size_t at, size_t end, findings *f, variable *v, data_array **ours)
{
    *ours = NULL;
    LT_TRY(read_variable(m, at, end, v));
    bool is_x = strcmp(v->name, "X") == 0, is_y = strcmp(v->name, "y") == 0;
    if ((is_x && f->images->n) || (is_y && f->labels->n))
        return malformed(m, at, "expected one variable %s, found a second one", v->name);
    if (!is_x && !is_y) {
        text_format(&f->others, ", %s", v->name);
        return LT_OK;
    }
    if (v->class < 6 || v->class > 15)
        return malformed(m, at, "%s: expected numbers, found the class %s", v->name, class_name(v));
    *ours = is_x ? f->images : f->labels;
    LT_TRY(is_x ? check_images(m, v, *ours) : check_labels(m, v, *ours));
    return v->numbers.next >= end
               ? LT_OK
               : malformed(m, v->numbers.next,
                           "%s: expected the end of the variable after its numbers, "
                           "found %zu bytes more",
                           v->name, end - v->numbers.next);
}

static int take(const stream *m, const variable *v, const findings *f, data_array *ours)
{
    return ours == f->images ? take_images(m, v, ours) : take_labels(m, v, ours);
}

static int take_variable(const stream *file, const element *e, findings *f)
{
    variable v;
    data_array *ours;
    LT_TRY(look(file, e->at, e->at + e->size, f, &v, &ours));
    return ours ? take(file, &v, f, ours) : LT_OK;
}

/* ---- Packed variables ---- */

/* Unpacks the first bytes; `size` is what the variable says it has, with its tag. */
static int unpack_head(const stream *file, const element *e, z_stream *z, unsigned char head[HEAD],
                       stream *m, size_t *size)
{
    enum { MOST = 1032 }; /* deflate packs no better */
    z->next_out = head;
    z->avail_out = HEAD;
    int code = inflate(z, Z_SYNC_FLUSH);
    *m = (stream){file->s, head, HEAD - z->avail_out, file->is_big, true, e->at};
    if ((code != Z_OK && code != Z_STREAM_END) || m->size < TAG)
        return malformed(file, e->at, "expected a variable packed by zlib, found %s",
                         z->msg ? z->msg : "an incomplete stream");
    uint64_t type = read_number(m, 0, 4), claim = read_number(m, 4, 4);
    if (type != MI_MATRIX)
        return malformed(file, e->at, "expected a packed variable (type %d), found type %ju",
                         MI_MATRIX, (uintmax_t)type);
    if (claim > (uint64_t)e->size * MOST)
        return malformed(file, e->at, "expected less than %ju bytes packed into %zu, found %ju",
                         (uintmax_t)e->size * MOST, e->size, (uintmax_t)claim);
    *size = (size_t)claim + TAG;
    if (m->size != (*size < HEAD ? *size : HEAD))
        return malformed(file, e->at, "expected a variable that unpacks to %zu bytes, found %s",
                         *size, m->size < *size ? "fewer" : "more");
    return LT_OK;
}

/* Unpacks what comes after the head into `out`, which must be the whole of it. */
static int unpack_rest(const stream *file, const element *e, z_stream *z, unsigned char *out,
                       size_t got, size_t size)
{
    unsigned char extra;
    z->next_out = out + got;
    z->avail_out = (uInt)(size - got);
    int code = z->avail_out ? inflate(z, Z_FINISH) : Z_BUF_ERROR;
    got = size - z->avail_out;
    z->next_out = &extra;
    z->avail_out = 1;
    if (code == Z_BUF_ERROR && got == size) /* the checksum may be left */
        code = inflate(z, Z_FINISH);
    if (code == Z_STREAM_END && got == size && z->avail_out == 1)
        return LT_OK;
    return malformed(file, e->at, "expected a variable that unpacks to %zu bytes, found %s", size,
                     z->msg              ? z->msg
                     : z->avail_out == 0 ? "more"
                     : got == size       ? "an incomplete stream"
                                         : "fewer");
}

static int take_unpacked(const stream *file, const element *e, findings *f, z_stream *z)
{
    unsigned char head[HEAD];
    stream m;
    size_t size = 0;
    variable v;
    data_array *ours;
    LT_TRY(unpack_head(file, e, z, head, &m, &size));
    LT_TRY(look(&m, TAG, size, f, &v, &ours));
    if (!ours)
        return LT_OK;
    unsigned char *whole = tensor_alloc(size, file->s->path);
    if (!whole)
        return LT_NO_MEMORY;
    memcpy(whole, head, m.size);
    int status = unpack_rest(file, e, z, whole, m.size, size);
    m.data = whole;
    m.size = size;
    if (status == LT_OK)
        status = take(&m, &v, f, ours);
    tensor_free(whole);
    return status;
}

static int take_packed(const stream *file, const element *e, findings *f)
{
    z_stream z = {.next_in = (unsigned char *)file->data + e->at, .avail_in = (uInt)e->size};
    if (inflateInit(&z) != Z_OK)
        return status_fail(LT_NO_MEMORY, "%s: zlib cannot be started", file->s->path);
    int status = take_unpacked(file, e, f, &z);
    inflateEnd(&z);
    return status;
}

static int take_all(const stream *file, findings *f)
{
    element e = {0};
    for (size_t at = HEADER; at < file->size; at = e.next) {
        LT_TRY(read_element(file, at, file->size, &e));
        if (e.type == MI_COMPRESSED)
            LT_TRY(take_packed(file, &e, f));
        else if (e.type == MI_MATRIX)
            LT_TRY(take_variable(file, &e, f));
        else
            return malformed(file, at,
                             "expected a variable, an element of type %d or %d, found "
                             "type %u",
                             MI_MATRIX, MI_COMPRESSED, e.type);
    }
    if (f->images->n)
        return LT_OK;
    return malformed(file, file->size, "expected a variable X of images, found %s",
                     f->others.size ? f->others.data + 2
                     : f->labels->n ? "y alone"
                                    : "none");
}

static int check_header(const data_source *s, bool *is_big)
{
    const unsigned char *p = s->content.data;
    if (s->content.size < HEADER)
        return data_malformed(s, s->content.size, "expected a MAT header of %d bytes, found %zu",
                              HEADER, s->content.size);
    if (memcmp(p, "\x89HDF", 4) == 0)
        return data_malformed(s, 0,
                              "expected a MAT file of version 5, found 7.3 (HDF5); save it "
                              "with -v7");
    bool is_little = p[ORDER_AT] == 'I' && p[ORDER_AT + 1] == 'M';
    if (!is_little && (p[ORDER_AT] != 'M' || p[ORDER_AT + 1] != 'I'))
        return data_malformed(s, ORDER_AT, "expected IM or MI, the byte order, found %02x %02x",
                              p[ORDER_AT], p[ORDER_AT + 1]);
    *is_big = !is_little;
    unsigned version = is_little ? p[VERSION_AT] | (unsigned)p[VERSION_AT + 1] << 8
                                 : p[VERSION_AT + 1] | (unsigned)p[VERSION_AT] << 8;
    if (version == 0x0200)
        return data_malformed(
            s, VERSION_AT, "expected a MAT file of version 5, found 7.3 (HDF5); save it with -v7");
    if (version != 0x0100)
        return data_malformed(s, VERSION_AT, "expected MAT version 0100, found %04x", version);
    return LT_OK;
}

static bool mat_sniff(const data_source *s)
{
    return s->content.size >= 7 && memcmp(s->content.data, "MATLAB ", 7) == 0;
}

static int mat_read(data_source *s, data_array *out, data_array *labels)
{
    stream file = {.s = s, .data = s->content.data, .size = s->content.size};
    LT_TRY(check_header(s, &file.is_big));
    findings f = {.images = out, .labels = labels};
    int status = take_all(&file, &f);
    text_clear(&f.others);
    return status;
}

const reader mat_reader = {
    .name = "MAT", .extension = ".mat", .sniff = mat_sniff, .read = mat_read};
