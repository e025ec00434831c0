/* SPDX-License-Identifier: MIT */
/* Finds the reader of a file and holds what the readers share. */
#include "data/reader.h"

#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"
#include "image/other_formats.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const reader *const readers[] = {
#define READER(NAME) &NAME##_reader,
#include "data/readers.def"
#undef READER
};

void data_array_clear(data_array *a)
{
    bytes_clear(&a->file);
    tensor_free(a->block);
    *a = (data_array){0};
}

int data_malformed(const data_source *s, size_t offset, const char *format, ...)
{
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    return status_fail(LT_FORMAT, "%s: at byte %zu: %s", s->path, offset, message);
}

static int check_size(const data_source *s, size_t offset, const char *what, uint64_t size,
                      uint64_t max)
{
    if (size >= 1 && size <= max)
        return LT_OK;
    return data_malformed(s, offset, "expected a %s between 1 and %ju, found %ju", what,
                          (uintmax_t)max, (uintmax_t)size);
}

int data_set_shape(const data_source *s, size_t offset, size_t step, data_array *out,
                   const uint64_t size[4], size_t *pixels)
{
    LT_TRY(check_size(s, offset, "count", size[0], INT32_MAX));
    out->n = (int)size[0];
    out->is_labels = size[1] == 0;
    *pixels = size[0];
    if (out->is_labels)
        return LT_OK;
    LT_TRY(check_size(s, offset + step, "height", size[1], limit_of(LIMIT_IMAGE_SIDE)));
    LT_TRY(check_size(s, offset + 2 * step, "width", size[2], limit_of(LIMIT_IMAGE_SIDE)));
    if (size[3] > MAX_CHANNELS && size[1] <= MAX_CHANNELS)
        return data_malformed(s, offset,
                              "expected channels last (N x H x W x C), found channels first: "
                              "%ju x %ju x %ju x %ju",
                              (uintmax_t)size[0], (uintmax_t)size[1], (uintmax_t)size[2],
                              (uintmax_t)size[3]);
    LT_TRY(check_size(s, offset + 3 * step, "number of channels", size[3], MAX_CHANNELS));
    out->h = (int)size[1];
    out->w = (int)size[2];
    out->c = (int)size[3];
    if (!size_mul(*pixels, size[1] * size[2] * size[3], pixels))
        return data_malformed(s, offset,
                              "expected sizes that fit in memory, found %d x %d x %d x %d", out->n,
                              out->h, out->w, out->c);
    return LT_OK;
}

int data_square_side(size_t pixels)
{
    for (size_t side = 1; side <= limit_of(LIMIT_IMAGE_SIDE) && side * side <= pixels; side++)
        if (side * side == pixels)
            return (int)side;
    return 0;
}

bool data_has_extension(const char *path, const char *extension)
{
    size_t n = strlen(path), m = strlen(extension);
    if (n > 3 && strcmp(path + n - 3, ".gz") == 0)
        n -= 3;
    return n > m && strncmp(path + n - m, extension, m) == 0;
}

/* The signature decides before the extension; a file with a damaged signature is recognized by its extension. */
static const reader *find_reader(const data_source *s)
{
    for (int i = 0; i < COUNT_OF(readers); i++)
        if (readers[i]->sniff && readers[i]->sniff(s))
            return readers[i];
    for (int i = 0; i < COUNT_OF(readers); i++)
        if (readers[i]->extension && data_has_extension(s->path, readers[i]->extension))
            return readers[i];
    return NULL;
}

/* Bytes that are all 0 or 1 would be black images on a scale of 255. */
void data_notice_binary(const char *path, data_array *a)
{
    if (a->is_labels || a->is_binary || !a->u8)
        return;
    size_t pixels = (size_t)a->n * (size_t)a->h * (size_t)a->w * (size_t)a->c;
    unsigned ones = 0;
    for (size_t i = 0; i < pixels; i++) {
        if (a->u8[i] > 1)
            return;
        ones |= a->u8[i];
    }
    if (!ones)
        return;
    a->is_binary = true;
    log_info("%s: all pixels are 0 or 1: read as black and white", path);
}

int data_run(const reader *r, data_source *s, data_array *out, data_array *labels)
{
    *out = *labels = (data_array){0};
    int status = s->content.size == 0
                     ? data_malformed(s, 0, "expected images or labels, found an empty file")
                     : r->read(s, out, labels);
    bytes_clear(&s->content);
    if (status == LT_OK) {
        data_notice_binary(s->path, out);
        return LT_OK;
    }
    data_array_clear(out);
    data_array_clear(labels);
    return status;
}

/* "CIFAR, IDX or npy"; the last one may not be a reader's. The caller clears it. Nullable: last. */
static text expected_formats(const char *last)
{
    text t = {0};
    int n = COUNT_OF(readers) + (last ? 1 : 0);
    for (int i = 0; i < n; i++)
        text_format(&t, "%s%s", i == 0 ? "" : i == n - 1 ? " or " : ", ", i < COUNT_OF(readers) ? readers[i]->name : last);
    return t;
}

/* Fails for a file of unknown format. */
static int unknown_read(data_source *s, data_array *out, data_array *labels)
{
    const unsigned char *p = s->content.data;
    size_t n = s->content.size;
    (void)out, (void)labels;
    text formats = expected_formats(NULL);
    int status = data_malformed(s, 0, "expected %s data, found bytes %02x %02x %02x %02x", text_get(&formats), p[0],
                                n > 1 ? p[1] : 0, n > 2 ? p[2] : 0, n > 3 ? p[3] : 0);
    text_clear(&formats);
    return status;
}

static int check_format(const data_source *s)
{
    const char *other = other_format(&s->content);
    if (!other)
        return LT_OK;
    text formats = expected_formats("npz");
    int status = status_fail(LT_FORMAT, "%s: expected %s data, found %s", s->path, text_get(&formats), other);
    text_clear(&formats);
    return status;
}

int data_parse(const char *path, bytes *content, data_array *out, data_array *labels)
{
    static const reader unknown_reader = {.name = "unknown", .read = unknown_read};
    data_source s = {.path = path, .content = *content};
    *content = (bytes){0};
    int status = check_format(&s);
    if (status != LT_OK) {
        bytes_clear(&s.content);
        return status;
    }
    const reader *r = find_reader(&s);
    return data_run(r ? r : &unknown_reader, &s, out, labels);
}

/* Limits the bytes to unpack, since a compressed megabyte may unpack to a gigabyte: the size declared by the header
   plus a little, so that the reader can report trailing bytes. */
static int find_limit(const char *path, size_t *limit)
{
    enum { HEAD = 1024, SLACK = 1 << 16, MOST = 1032 }; /* deflate packs no better */
    unsigned char first[HEAD + 1];
    size_t packed;
    data_source head = {.path = path, .content = {first, 0}};
    *limit = DATA_LIMIT;
    head.content.size = file_peek_inflated(path, first, HEAD, &packed);
    if (packed == 0) /* not packed, or not to be read: file_read_inflated tells */
        return LT_OK;
    LT_TRY(check_format(&head));
    const reader *r = find_reader(&head);
    size_t whole = r && r->whole ? r->whole(&head) : 0;
    if (whole == 0)
        return LT_OK;
    LT_TRY(limit_check(LIMIT_DATA_BYTES, path, whole));
    if (whole / MOST > packed)
        return data_malformed(&head, 0,
                              "expected the %zu bytes declared by its header, found %zu packed "
                              "bytes, which cannot hold them",
                              whole, packed);
    *limit = whole + SLACK < DATA_LIMIT ? whole + SLACK : DATA_LIMIT;
    return LT_OK;
}

int data_read(const char *path, data_array *out, data_array *labels)
{
    *out = *labels = (data_array){0};
    bytes content;
    size_t limit;
    LT_TRY(find_limit(path, &limit));
    int status = file_read_inflated(path, limit, &content);
    if (status == LT_FORMAT && limit < DATA_LIMIT && strstr(lt_last_error(), "larger than"))
        return data_malformed(&(data_source){.path = path}, limit,
                              "expected the end of the data, as declared by its header, found more");
    if (status != LT_OK)
        return limit_named(LIMIT_DATA_BYTES, status);
    return data_parse(path, &content, out, labels);
}
