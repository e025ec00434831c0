/* SPDX-License-Identifier: MIT */
/* Animated PNG. libpng compresses each frame separately; its IDAT chunks become those of the animation, fdAT for all
   but the first frame, after a header fcTL. Later frames store only the rectangle that changes. */
#include "image/raster.h"

#include "base/memory.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { SIGNATURE = 8, CHUNK = 12, MILLISECONDS = 1000 }; /* CHUNK: bytes of a chunk besides its data */

typedef struct area {
    int left, top, width, height;
} area;

typedef struct apng {
    const lt_animation *animation;
    const int *ticks;
    bool is_gray;
    uint32_t sequence; /* number of the next fcTL or fdAT */
    text *file;
} apng;

/* ---- Chunks ---- */

static void put_32(unsigned char *to, uint32_t value)
{
    for (int k = 0; k < 4; k++)
        to[k] = (unsigned char)(value >> (24 - 8 * k));
}

static uint32_t get_32(const char *from)
{
    const unsigned char *b = (const unsigned char *)from;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Appends size, name, both parts of the data, and the CRC of all but the size. */
static void append_chunk(text *file, const char *name, const unsigned char *head, size_t head_size,
                         const char *data, size_t size)
{
    unsigned char word[4];
    uLong crc = crc32(0, (const Bytef *)name, 4);
    crc = head_size ? crc32(crc, head, (uInt)head_size) : crc;
    crc = size ? crc32(crc, (const Bytef *)data, (uInt)size) : crc;
    put_32(word, (uint32_t)(head_size + size));
    text_append_bytes(file, (const char *)word, sizeof word);
    text_append_bytes(file, name, 4);
    text_append_bytes(file, (const char *)head, head_size);
    text_append_bytes(file, data, size);
    put_32(word, (uint32_t)crc);
    text_append_bytes(file, (const char *)word, sizeof word);
}

static void append_control(apng *p, int i, area a)
{
    unsigned char data[26] = {0}; /* the last two: keep the frame, and overwrite the one before */
    put_32(data, p->sequence++);
    put_32(data + 4, (uint32_t)a.width);
    put_32(data + 8, (uint32_t)a.height);
    put_32(data + 12, (uint32_t)a.left);
    put_32(data + 16, (uint32_t)a.top);
    put_32(data + 20, (uint32_t)(p->ticks[i + 1] - p->ticks[i]) << 16 | MILLISECONDS);
    append_chunk(p->file, "fcTL", data, sizeof data, NULL, 0);
}

static void append_animation_control(apng *p)
{
    unsigned char data[8];
    put_32(data, (uint32_t)p->animation->n);
    put_32(data + 4, (uint32_t)p->animation->loops);
    append_chunk(p->file, "acTL", data, sizeof data, NULL, 0);
}

/* ---- Frames ---- */

static const unsigned char *row_of(const lt_image *f, int y)
{
    return f->pixels + (size_t)y * (size_t)f->width * (size_t)f->channels;
}

static int min_int(int a, int b) { return a < b ? a : b; }
static int max_int(int a, int b) { return a > b ? a : b; }

/* Returns the area that differs between two frames of equal channels; the first pixel if they are equal. */
static area find_change(const lt_image *before, const lt_image *f)
{
    int left = f->width, right = 0, top = f->height, bottom = 0, c = f->channels;
    for (int y = 0; y < f->height; y++) {
        const unsigned char *a = row_of(before, y), *b = row_of(f, y);
        int n = f->width * c, first = 0, last = n - 1;
        while (first < n && a[first] == b[first])
            first++;
        if (first == n)
            continue;
        while (a[last] == b[last])
            last--;
        left = min_int(left, first / c);
        right = max_int(right, last / c + 1);
        top = min_int(top, y);
        bottom = y + 1;
    }
    return bottom ? (area){left, top, right - left, bottom - top} : (area){0, 0, 1, 1};
}

static int cut_out(const lt_image *f, area a, lt_image *out)
{
    size_t c = (size_t)f->channels, row = (size_t)a.width * c;
    unsigned char *pixels = tensor_alloc(row * (size_t)a.height, "a part of a frame");
    if (!pixels)
        return LT_NO_MEMORY;
    for (int y = 0; y < a.height; y++)
        memcpy(pixels + (size_t)y * row, row_of(f, a.top + y) + (size_t)a.left * c, row);
    *out = (lt_image){a.width, a.height, f->channels, pixels};
    return LT_OK;
}

/* Appends the chunks of a still PNG: for the first frame also those before its pixels, for none the end chunk. */
static void append_frame(apng *p, int i, area a, const text *png)
{
    bool has_begun = false;
    for (size_t at = SIGNATURE; at + CHUNK <= png->size;) {
        const char *chunk = png->data + at, *name = chunk + 4;
        size_t size = get_32(chunk);
        bool is_data = memcmp(name, "IDAT", 4) == 0;
        at += size + CHUNK;
        if (is_data && !has_begun) {
            if (i == 0)
                append_animation_control(p);
            append_control(p, i, a);
            has_begun = true;
        }
        if (is_data && i > 0) {
            unsigned char number[4];
            put_32(number, p->sequence++);
            append_chunk(p->file, "fdAT", number, sizeof number, chunk + 8, size);
        } else if (is_data || (i == 0 && memcmp(name, "IEND", 4) != 0)) {
            append_chunk(p->file, name, NULL, 0, chunk + 8, size);
        }
    }
}

static int encode_frame(apng *p, int i, area a, const lt_image *f)
{
    lt_image part = {0};
    text png = {0};
    int status = cut_out(f, a, &part);
    if (status == LT_OK)
        status = encode_png(&part, &png);
    if (status == LT_OK)
        append_frame(p, i, a, &png);
    text_clear(&png);
    lt_image_clear(&part);
    return status;
}

/* Converts a gray frame among colored ones to RGB in `buffer`, which the caller clears. */
static int open_frame(const apng *p, int i, lt_image *buffer, const lt_image **f)
{
    *f = &p->animation->frames[i];
    if (p->is_gray || (*f)->channels == 3)
        return LT_OK;
    LT_TRY(raster_color(*f, buffer));
    *f = buffer;
    return LT_OK;
}

static int encode_frames(apng *p)
{
    lt_image buffers[2] = {0};
    const lt_image *before = NULL, *f;
    int status = LT_OK;
    for (int i = 0; i < p->animation->n && status == LT_OK; i++) {
        lt_image *buffer = &buffers[i % 2];
        lt_image_clear(buffer);
        status = open_frame(p, i, buffer, &f);
        if (status == LT_OK)
            status = encode_frame(p, i, before ? find_change(before, f)
                                               : (area){0, 0, f->width, f->height}, f);
        before = f;
    }
    lt_image_clear(&buffers[0]);
    lt_image_clear(&buffers[1]);
    return status;
}

int encode_apng(const lt_animation *a, text *file)
{
    int *ticks = animation_ticks(a, MILLISECONDS);
    apng p = {.animation = a, .ticks = ticks, .is_gray = animation_is_gray(a), .file = file};
    text_append_bytes(file, "\x89PNG\r\n\x1a\n", SIGNATURE);
    int status = encode_frames(&p);
    append_chunk(file, "IEND", NULL, 0, NULL, 0);
    free(ticks);
    return status;
}
