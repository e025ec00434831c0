/* SPDX-License-Identifier: MIT */
/* Makers of small pictures and zip files, in memory, by the libraries that wrote the formats. What
   they return is freed with bytes_clear. */
#ifndef LATENT_TEST_PICTURE_FILES_H
#define LATENT_TEST_PICTURE_FILES_H

#include "base/file.h"
#include "base/memory.h"
#include "base/text.h"

#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <turbojpeg.h>
#include <webp/encode.h>
#include <zip.h>

/* ---- PNG ---- */

typedef struct png_kind {
    int type, depth; /* PNG_COLOR_TYPE_..., bits */
    bool interlaced;
    const png_color *palette;
    int n_palette;
    const unsigned char *alphas; /* of the palette; or one transparent gray value */
    int n_alphas;
} png_kind;

static inline void append_png_bytes(png_structp png, png_bytep data, size_t n)
{
    text_append_bytes(png_get_io_ptr(png), (const char *)data, n);
}

static inline void flush_png(png_structp png) { (void)png; }

/* `rows`: as libpng takes them, packed, big-endian. */
static inline bytes make_png(int w, int h, png_kind k, const unsigned char *rows, size_t row)
{
    text t = {0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    png_set_write_fn(png, &t, append_png_bytes, flush_png);
    png_set_IHDR(png, info, (png_uint_32)w, (png_uint_32)h, k.depth, k.type,
                 k.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (k.palette)
        png_set_PLTE(png, info, k.palette, k.n_palette);
    if (k.alphas && k.palette)
        png_set_tRNS(png, info, k.alphas, k.n_alphas, NULL);
    else if (k.alphas)
        png_set_tRNS(png, info, NULL, 1, &(png_color_16){.gray = k.alphas[0]});
    png_write_info(png, info);
    int passes = png_set_interlace_handling(png);
    for (int pass = 0; pass < passes; pass++)
        for (int y = 0; y < h; y++)
            png_write_row(png, rows + (size_t)y * row);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    size_t size = t.size;
    return (bytes){(unsigned char *)text_take(&t), size};
}

/* 8 bits: c = 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA. */
static inline bytes make_png8(int w, int h, int c, const unsigned char *pixels)
{
    static const int types[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                                PNG_COLOR_TYPE_RGB_ALPHA};
    return make_png(w, h, (png_kind){.type = types[c - 1], .depth = 8}, pixels, (size_t)(w * c));
}

/* ---- JPEG, WebP ---- */

static inline bytes make_jpeg(int w, int h, int format, int sampling, int flags,
                              const unsigned char *pixels)
{
    unsigned char *data = NULL;
    unsigned long size = 0;
    tjhandle jpeg = tjInitCompress();
    if (tjCompress2(jpeg, pixels, w, 0, h, format, &data, &size, sampling, 90, flags) != 0)
        fail_msg("%s", tjGetErrorStr2(jpeg));
    tjDestroy(jpeg);
    bytes b = {must_alloc(size + 1), size};
    memcpy(b.data, data, size);
    tjFree(data);
    return b;
}

/* c = 3 or 4; lossless, or lossy of quality 80. */
static inline bytes make_webp(int w, int h, int c, bool lossless, const unsigned char *pixels)
{
    uint8_t *data = NULL;
    size_t size;
    if (lossless)
        size = c == 3 ? WebPEncodeLosslessRGB(pixels, w, h, 3 * w, &data)
                      : WebPEncodeLosslessRGBA(pixels, w, h, 4 * w, &data);
    else
        size = c == 3 ? WebPEncodeRGB(pixels, w, h, 3 * w, 80, &data)
                      : WebPEncodeRGBA(pixels, w, h, 4 * w, 80, &data);
    assert_true(size > 0);
    bytes b = {must_alloc(size + 1), size};
    memcpy(b.data, data, size);
    WebPFree(data);
    return b;
}

/* ---- Zip ---- */

typedef struct zip_item {
    const char *name; /* one that ends in '/' is a folder */
    bytes content;
    bool deflated;
} zip_item;

/* Borrows the contents. */
static inline void put_zip(const char *path, const zip_item *items, int n)
{
    int code;
    zip_t *zip = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, &code);
    assert_non_null(zip);
    for (int i = 0; i < n; i++) {
        if (!items[i].content.data) {
            assert_true(zip_dir_add(zip, items[i].name, 0) >= 0);
            continue;
        }
        zip_source_t *s = zip_source_buffer(zip, items[i].content.data, items[i].content.size, 0);
        zip_int64_t index = zip_file_add(zip, items[i].name, s, 0);
        assert_true(index >= 0);
        zip_set_file_compression(zip, (zip_uint64_t)index,
                                 items[i].deflated ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
    }
    assert_int_equal(zip_close(zip), 0);
}

#endif
