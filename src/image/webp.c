/* SPDX-License-Identifier: MIT */
/* Lossless WebP, pictures and animations. */
#include "image/raster.h"

#include "base/status.h"
#include "image/webp.h"

#include <stdlib.h>

static int check_size(const lt_image *image)
{
    if (image->width <= WEBP_MAX_DIMENSION && image->height <= WEBP_MAX_DIMENSION)
        return LT_OK;
    return status_fail(LT_VALUE, "a WebP has at most %d pixels a side, found %d x %d",
                       WEBP_MAX_DIMENSION, image->width, image->height);
}

int encode_webp(const lt_image *image, text *file)
{
    lt_image color = {0};
    uint8_t *data = NULL;
    LT_TRY(check_size(image));
    LT_TRY(library_load(&webp_library));
    LT_TRY(raster_color(image, &color));
    size_t size = WebPEncodeLosslessRGB(color.pixels, color.width, color.height,
                                        3 * color.width, &data);
    lt_image_clear(&color);
    if (size == 0)
        return status_fail(LT_NO_MEMORY, "cannot make the WebP: no memory");
    text_append_bytes(file, (const char *)data, size);
    WebPFree(data);
    return LT_OK;
}

/* ---- Animations ---- */

static int fail_encoder(WebPAnimEncoder *e)
{
    return status_fail(LT_NO_MEMORY, "cannot make the WebP: %s", WebPAnimEncoderGetError(e));
}

static int add_frame(WebPAnimEncoder *e, const WebPConfig *c, const lt_image *f, int time)
{
    WebPPicture p;
    lt_image color = {0};
    LT_TRY(raster_color(f, &color));
    if (!WebPPictureInit(&p))
        return status_fail(LT_UNSUPPORTED, "libwebp has an incompatible version");
    p.use_argb = 1;
    p.width = color.width;
    p.height = color.height;
    int status = LT_OK;
    if (!WebPPictureImportRGB(&p, color.pixels, 3 * color.width))
        status = status_fail(LT_NO_MEMORY, "cannot make the WebP: no memory");
    else if (!WebPAnimEncoderAdd(e, &p, time, c))
        status = fail_encoder(e);
    WebPPictureFree(&p);
    lt_image_clear(&color);
    return status;
}

static int add_frames(WebPAnimEncoder *e, const WebPConfig *c, const lt_animation *a,
                      const int *ticks, text *file)
{
    WebPData data;
    for (int i = 0; i < a->n; i++)
        LT_TRY(add_frame(e, c, &a->frames[i], ticks[i]));
    if (!WebPAnimEncoderAdd(e, NULL, ticks[a->n], NULL))
        return fail_encoder(e);
    WebPDataInit(&data);
    if (!WebPAnimEncoderAssemble(e, &data))
        return fail_encoder(e);
    text_append_bytes(file, (const char *)data.bytes, data.size);
    WebPDataClear(&data);
    return LT_OK;
}

/* Makes only the first frame a key frame: seeking is not needed. */
int encode_webp_animation(const lt_animation *a, text *file)
{
    enum { MILLISECONDS = 1000, EFFORT = 3 }; /* 0 to 9; at 2 files are half as large again, at 4 no
                                                 smaller */
    WebPAnimEncoderOptions o;
    WebPConfig c;
    LT_TRY(check_size(&a->frames[0]));
    LT_TRY(library_load(&webp_library));
    if (!WebPAnimEncoderOptionsInit(&o) || !WebPConfigInit(&c) ||
        !WebPConfigLosslessPreset(&c, EFFORT))
        return status_fail(LT_UNSUPPORTED, "libwebp has an incompatible version");
    o.anim_params.loop_count = a->loops;
    o.kmin = 0;
    o.kmax = 0;
    WebPAnimEncoder *e = WebPAnimEncoderNew(a->frames[0].width, a->frames[0].height, &o);
    if (!e)
        return status_fail(LT_NO_MEMORY, "cannot make the WebP: no memory");
    int *ticks = animation_ticks(a, MILLISECONDS);
    int status = add_frames(e, &c, a, ticks, file);
    free(ticks);
    WebPAnimEncoderDelete(e);
    return status;
}
