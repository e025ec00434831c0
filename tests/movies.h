/* SPDX-License-Identifier: MIT */
/* Animations as a viewer would see them: WebP by libwebpdemux, GIF by giflib, animated PNG by its
   chunks and libpng. Behind cmocka.h. */
#ifndef LATENT_TEST_MOVIES_H
#define LATENT_TEST_MOVIES_H

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <gif_lib.h>
#include <png.h>
#include <webp/demux.h>
#include <zlib.h>

enum { MAX_SHOWN = 256 };

/* Frames in RGB as they stand on the screen. */
typedef struct movie {
    int n, width, height;
    int loops;                 /* as lt_animation says it */
    int ends[MAX_SHOWN];       /* when each leaves, in milliseconds */
    unsigned char *frames[MAX_SHOWN];
} movie;

static inline void movie_clear(movie *m)
{
    for (int i = 0; i < m->n; i++)
        free(m->frames[i]);
    *m = (movie){0};
}

static inline size_t movie_bytes(const movie *m)
{
    return 3 * (size_t)m->width * (size_t)m->height;
}

/* A frame to draw on, which begins as the one before it. */
static inline unsigned char *movie_add(movie *m, int milliseconds)
{
    assert_true(m->n < MAX_SHOWN);
    unsigned char *f = must_alloc(movie_bytes(m));
    if (m->n > 0)
        memcpy(f, m->frames[m->n - 1], movie_bytes(m));
    m->ends[m->n] = (m->n > 0 ? m->ends[m->n - 1] : 0) + milliseconds;
    return m->frames[m->n++] = f;
}

/* What is shown at a time. */
static inline const unsigned char *movie_at(const movie *m, double milliseconds)
{
    int i = 0;
    while (i < m->n && m->ends[i] <= milliseconds)
        i++;
    assert_true(i < m->n);
    return m->frames[i];
}

/* ---- WebP ---- */

static inline movie decode_webp_movie(const bytes *file)
{
    WebPAnimDecoder *d = WebPAnimDecoderNew(&(WebPData){file->data, file->size}, NULL);
    WebPAnimInfo info;
    assert_non_null(d);
    assert_true(WebPAnimDecoderGetInfo(d, &info));
    movie m = {.width = (int)info.canvas_width, .height = (int)info.canvas_height,
               .loops = (int)info.loop_count};
    while (WebPAnimDecoderHasMoreFrames(d)) {
        uint8_t *rgba;
        int end;
        assert_true(WebPAnimDecoderGetNext(d, &rgba, &end));
        unsigned char *f = movie_add(&m, 0);
        m.ends[m.n - 1] = end;
        for (size_t i = 0; i < movie_bytes(&m); i++)
            f[i] = rgba[i / 3 * 4 + i % 3];
        for (size_t i = 0; i < movie_bytes(&m) / 3; i++)
            assert_int_equal(rgba[4 * i + 3], 255);
    }
    assert_int_equal(m.n, info.frame_count);
    WebPAnimDecoderDelete(d);
    return m;
}

/* ---- GIF ---- */

static inline int read_gif_bytes(GifFileType *gif, GifByteType *to, int n)
{
    bytes *left = gif->UserData;
    size_t given = (size_t)n < left->size ? (size_t)n : left->size;
    memcpy(to, left->data, given);
    left->data += given;
    left->size -= given;
    return (int)given;
}

/* Repetitions; without the block of Netscape there are none. */
static inline int gif_loops(const SavedImage *first)
{
    for (int i = 0; i + 1 < first->ExtensionBlockCount; i++) {
        const ExtensionBlock *b = &first->ExtensionBlocks[i];
        if (b->Function == APPLICATION_EXT_FUNC_CODE && memcmp(b->Bytes, "NETSCAPE2.0", 11) == 0) {
            int repetitions = b[1].Bytes[1] | b[1].Bytes[2] << 8;
            return repetitions ? repetitions + 1 : 0;
        }
    }
    return 1;
}

static inline movie decode_gif_movie(const bytes *file)
{
    int error;
    bytes left = *file;
    GifFileType *gif = DGifOpen(&left, read_gif_bytes, &error);
    assert_non_null(gif);
    assert_int_equal(DGifSlurp(gif), GIF_OK);
    movie m = {.width = gif->SWidth, .height = gif->SHeight,
               .loops = gif_loops(&gif->SavedImages[0])};
    for (int i = 0; i < gif->ImageCount; i++) {
        const SavedImage *s = &gif->SavedImages[i];
        const GifImageDesc *d = &s->ImageDesc;
        const ColorMapObject *map = d->ColorMap ? d->ColorMap : gif->SColorMap;
        GraphicsControlBlock c;
        assert_int_equal(DGifSavedExtensionToGCB(gif, i, &c), GIF_OK);
        assert_true(c.DisposalMode == DISPOSE_DO_NOT || c.DisposalMode == DISPOSAL_UNSPECIFIED);
        unsigned char *f = movie_add(&m, 10 * c.DelayTime);
        for (int k = 0; k < d->Width * d->Height; k++) {
            int color = s->RasterBits[k], x = d->Left + k % d->Width, y = d->Top + k / d->Width;
            if (color == c.TransparentColor) {
                assert_true(i > 0);
                continue;
            }
            assert_true(color < map->ColorCount && x < m.width && y < m.height);
            const GifColorType *v = &map->Colors[color];
            memcpy(f + 3 * (y * m.width + x), (unsigned char[]){v->Red, v->Green, v->Blue}, 3);
        }
    }
    DGifCloseFile(gif, &error);
    return m;
}

/* ---- Animated PNG ---- */

typedef struct png_chunk {
    char name[5];
    uint32_t size;
    const unsigned char *data;
} png_chunk;

static inline uint32_t big_endian(const unsigned char *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Checks its CRC and moves on. */
static inline png_chunk next_chunk(const bytes *file, size_t *at)
{
    assert_true(*at + 12 <= file->size);
    const unsigned char *b = file->data + *at;
    png_chunk c = {.size = big_endian(b), .data = b + 8};
    memcpy(c.name, b + 4, 4);
    assert_true(c.size <= file->size - *at - 12);
    assert_int_equal(crc32(0, b + 4, c.size + 4), big_endian(c.data + c.size));
    *at += c.size + 12;
    return c;
}

static inline void put_chunk(text *t, const char *name, const unsigned char *data, size_t size)
{
    unsigned char whole[4];
    uLong crc = size ? crc32(crc32(0, (const Bytef *)name, 4), data, (uInt)size)
                     : crc32(0, (const Bytef *)name, 4);
    for (int k = 0; k < 4; k++)
        whole[k] = (unsigned char)(size >> (24 - 8 * k));
    text_append_bytes(t, (const char *)whole, 4);
    text_append(t, name);
    text_append_bytes(t, (const char *)data, size);
    for (int k = 0; k < 4; k++)
        whole[k] = (unsigned char)(crc >> (24 - 8 * k));
    text_append_bytes(t, (const char *)whole, 4);
}

/* A still PNG of one frame's chunks. */
static inline void show_png(movie *m, const png_chunk *header, const png_chunk *control,
                            text *pixels)
{
    static const unsigned char signature[] = "\x89PNG\r\n\x1a\n";
    unsigned char size[13];
    text file = {0};
    memcpy(size, header->data, sizeof size);
    memcpy(size, control->data + 4, 8);
    text_append_bytes(&file, (const char *)signature, 8);
    put_chunk(&file, "IHDR", size, sizeof size);
    put_chunk(&file, "IDAT", (const unsigned char *)text_get(pixels), pixels->size);
    put_chunk(&file, "IEND", NULL, 0);
    png_image png = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_memory(&png, text_get(&file), file.size));
    png.format = PNG_FORMAT_RGB;
    unsigned char *rgb = must_alloc(PNG_IMAGE_SIZE(png));
    assert_true(png_image_finish_read(&png, NULL, rgb, 0, NULL));
    const unsigned char *c = control->data;
    int left = (int)big_endian(c + 12), top = (int)big_endian(c + 16);
    int w = (int)png.width, h = (int)png.height;
    assert_true(left + w <= m->width && top + h <= m->height);
    assert_int_equal(c[24] | c[25], 0); /* leave it there, replace what was there */
    unsigned char *f = movie_add(m, 1000 * (c[20] << 8 | c[21]) / (c[22] << 8 | c[23]));
    for (int y = 0; y < h; y++)
        memcpy(f + 3 * ((top + y) * m->width + left), rgb + 3 * y * w, 3 * (size_t)w);
    free(rgb);
    text_clear(&file);
    text_clear(pixels);
}

static inline movie decode_apng_movie(const bytes *file)
{
    movie m = {0};
    png_chunk header = {0}, control = {0}, c;
    text pixels = {0};
    uint32_t sequence = 0, frames = 0;
    size_t at = 8;
    do {
        c = next_chunk(file, &at);
        bool is_control = strcmp(c.name, "fcTL") == 0, is_end = strcmp(c.name, "IEND") == 0;
        if (at == 8 + 12 + 13)
            header = c;
        if (strcmp(c.name, "acTL") == 0) {
            assert_int_equal(control.size, 0); /* before all frames */
            frames = big_endian(c.data);
            m.loops = (int)big_endian(c.data + 4);
        }
        if (is_control || strcmp(c.name, "fdAT") == 0)
            assert_int_equal(big_endian(c.data), sequence++);
        if ((is_control || is_end) && control.size)
            show_png(&m, &header, &control, &pixels);
        if (is_control)
            control = c;
        if (strcmp(c.name, "IDAT") == 0) {
            assert_true(control.size == 26 && m.n == 0); /* the first frame is the still picture */
            m.width = (int)big_endian(header.data);
            m.height = (int)big_endian(header.data + 4);
            text_append_bytes(&pixels, (const char *)c.data, c.size);
        } else if (strcmp(c.name, "fdAT") == 0) {
            text_append_bytes(&pixels, (const char *)c.data + 4, c.size - 4);
        }
    } while (strcmp(c.name, "IEND") != 0);
    assert_int_equal(at, file->size);
    assert_int_equal(frames, m.n);
    return m;
}

static inline movie read_movie(const char *path)
{
    bytes file;
    assert_int_equal(file_read(path, (size_t)1 << 28, &file), LT_OK);
    movie m = memcmp(file.data, "GIF8", 4) == 0   ? decode_gif_movie(&file)
              : memcmp(file.data, "RIFF", 4) == 0 ? decode_webp_movie(&file)
                                                  : decode_apng_movie(&file);
    bytes_clear(&file);
    return m;
}

#endif
