/* SPDX-License-Identifier: MIT */
/* Image files: the table of formats, the encoders of PNG and JPEG, and reading. */
#include "image/raster.h"

#include "base/file.h"
#include "base/loaded_jpeg.h"
#include "base/loaded_png.h"
#include "base/memory.h"
#include "base/status.h"
#include "image/picture.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_SIDE = 65535,
    MAX_BYTES = 1 << 30, /* libpng counts in 32 bits */
};

bool raster_is_whole(const lt_image *i)
{
    return i->pixels && i->width > 0 && i->height > 0 && i->width <= MAX_SIDE &&
           i->height <= MAX_SIDE && (i->channels == 1 || i->channels == 3) &&
           (int64_t)i->width * i->height * i->channels <= MAX_BYTES;
}

int raster_color(const lt_image *image, lt_image *out)
{
    size_t n = (size_t)image->width * (size_t)image->height, c = (size_t)image->channels;
    unsigned char *to = tensor_alloc(3 * n, "a picture in color");
    if (!to)
        return LT_NO_MEMORY;
    *out = (lt_image){image->width, image->height, 3, to};
    if (c == 3)
        memcpy(to, image->pixels, 3 * n);
    for (size_t i = 0; c == 1 && i < n; i++, to += 3)
        memset(to, image->pixels[i], 3);
    return LT_OK;
}

/* ---- Encoders ---- */

int encode_png(const lt_image *image, text *file)
{
    LT_TRY(library_load(&png_library));
    png_image png = {.version = PNG_IMAGE_VERSION,
                     .width = (png_uint_32)image->width,
                     .height = (png_uint_32)image->height,
                     .format = image->channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB};
    png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(png);
    void *data = malloc(size);
    int status = LT_OK;
    if (!data || !png_image_write_to_memory(&png, data, &size, 0, image->pixels, 0, NULL))
        status = status_fail(LT_NO_MEMORY, "cannot make the PNG: %s",
                             png.message[0] ? png.message : "no memory");
    else
        text_append_bytes(file, data, size);
    png_image_free(&png);
    free(data);
    return status;
}

/* No chroma subsampling (4:4:4), and a quality with little ringing around the edges of digits. */
static int encode_jpeg(const lt_image *image, text *file)
{
    enum { QUALITY = 95 };
    LT_TRY(library_load(&jpeg_library));
    bool is_gray = image->channels == 1;
    unsigned char *data = NULL;
    unsigned long size = 0;
    tjhandle jpeg = tjInitCompress();
    if (!jpeg)
        return status_fail(LT_NO_MEMORY, "cannot make the JPEG: no memory");
    int status = LT_OK;
    if (tjCompress2(jpeg, image->pixels, image->width, 0, image->height,
                    is_gray ? TJPF_GRAY : TJPF_RGB, &data, &size,
                    is_gray ? TJSAMP_GRAY : TJSAMP_444, QUALITY, TJFLAG_ACCURATEDCT) == 0)
        text_append_bytes(file, (const char *)data, size);
    else
        status = status_fail(LT_VALUE, "cannot make the JPEG: %s", tjGetErrorStr2(jpeg));
    tjFree(data);
    tjDestroy(jpeg);
    return status;
}

/* ---- Files ---- */

static const raster_format formats[] = {
    {".png", encode_png, encode_apng},
    {".apng", NULL, encode_apng},
    {".gif", NULL, encode_gif},
    {".jpeg", encode_jpeg, NULL},
    {".jpg", encode_jpeg, NULL},
    {".webp", encode_webp, encode_webp_animation},
};

const raster_format *raster_format_of(const char *path)
{
    for (int i = 0; i < COUNT_OF(formats); i++)
        if (text_ends_in(path, formats[i].end))
            return &formats[i];
    return NULL;
}

int encoded_write(const char *path, text *file, int status)
{
    if (status == LT_OK)
        status = file_write(path, text_get(file), file->size);
    else
        status_prefix(status, "%s", path);
    text_clear(file);
    return status;
}

int encoded_give(text *file, int status, unsigned char **data, size_t *n)
{
    *n = status == LT_OK ? file->size : 0;
    *data = status == LT_OK ? (unsigned char *)text_take(file) : NULL;
    text_clear(file);
    return status;
}

char *encoded_name(const char *format)
{
    const char *end = strrchr(format, '.');
    return must_format("picture.%s", end ? end + 1 : format);
}

int lt_image_check_name(const char *path)
{
    const raster_format *f = raster_format_of(path);
    return f && f->still ? LT_OK
                         : status_fail(LT_VALUE, "%s: rasters are written as .png, .jpg or .webp", path);
}

int image_encode(const char *path, const lt_image *image, text *file)
{
    if (!raster_is_whole(image))
        return status_fail(LT_VALUE, "no picture of %d x %d pixels with %d channels", image->width,
                           image->height, image->channels);
    return raster_format_of(path)->still(image, file);
}

int lt_image_encode(const lt_image *image, const char *format, unsigned char **data, size_t *n)
{
    text file = {0};
    char *name = encoded_name(format);
    int status = lt_image_check_name(name);
    if (status == LT_OK)
        status = image_encode(name, image, &file);
    free(name);
    return encoded_give(&file, status, data, n);
}

int lt_image_write(const char *path, const lt_image *image)
{
    text file = {0};
    LT_TRY(lt_image_check_name(path));
    return encoded_write(path, &file, image_encode(path, image, &file));
}

int lt_image_read(const char *path, lt_image *out)
{
    picture_file s = {.path = path};
    picture p = {0};
    *out = (lt_image){0};
    LT_TRY(file_read(path, MAX_PICTURE_FILE, &s.content));
    int status = picture_decode(&s, &p);
    if (status == LT_OK && (status = picture_turn(&p)) != LT_OK)
        picture_clear(&p);
    bytes_clear(&s.content);
    *out = (lt_image){p.w, p.h, p.c, p.pixels};
    return status;
}

void lt_image_clear(lt_image *image)
{
    if (!image)
        return;
    tensor_free(image->pixels);
    *image = (lt_image){0};
}
