/* SPDX-License-Identifier: MIT */
/* Grids of images, as rasters. */
#include <latent/plot.h>

#include "base/memory.h"
#include "base/status.h"

#include <math.h>
#include <string.h>

enum {
    MAX_SIDE = 65535,
    MAX_BYTES = 1 << 30,
    TILE_SIDE = 84,
    MAX_ZOOM = 16,
};

static const unsigned char magenta[3] = {255, 0, 255};

/* The layout: tiles of width x height pixels and a gap before, between and after them. */
typedef struct layout {
    int columns, rows, zoom, gap;
    int tile_width, tile_height; /* without the gap */
} layout;

static int min_int(int a, int b) { return a < b ? a : b; }
static int max_int(int a, int b) { return a > b ? a : b; }

/* Returns the size of `count` tiles and the gaps around them, in pixels. */
static int64_t side(const layout *l, int count, int tile)
{
    return (int64_t)count * tile + ((int64_t)count + 1) * l->gap;
}

static int plan_layout(layout *l, int n, int h, int w, const lt_image_grid_options *o)
{
    *l = (layout){.columns = o->columns, .zoom = o->zoom, .gap = o->gap};
    if (!l->columns)
        l->columns = (int)ceil(sqrt(n));
    if (!l->zoom)
        l->zoom = min_int(max_int(TILE_SIDE / max_int(h, w), 1), MAX_ZOOM);
    l->rows = n / l->columns + (n % l->columns != 0);
    bool fits = l->zoom <= MAX_SIDE / max_int(h, w) && l->gap <= MAX_SIDE;
    l->tile_width = fits ? w * l->zoom : 0;
    l->tile_height = fits ? h * l->zoom : 0;
    if (fits && side(l, l->columns, l->tile_width) <= MAX_SIDE &&
        side(l, l->rows, l->tile_height) <= MAX_SIDE)
        return LT_OK;
    return status_fail(LT_VALUE,
                       "image grid: %d images of %d x %d in %d columns, zoom %d, gap %d are more "
                       "than %d pixels a side",
                       n, h, w, l->columns, l->zoom, l->gap, MAX_SIDE);
}

static bool has_nan(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isnan(x[i]))
            return true;
    return false;
}

static void fill(lt_image *image, const unsigned char color[3])
{
    size_t n = (size_t)image->width * (size_t)image->height, c = (size_t)image->channels;
    for (size_t i = 0; i < n; i++)
        memcpy(image->pixels + i * c, color, c);
}

static unsigned char to_byte(float x) { return (unsigned char)(fminf(fmaxf(x, 0), 1) * 255 + .5f); }

/* Converts one pixel of c floats to `channels` bytes; magenta if one is NaN. */
static void shade(const float *x, int c, int channels, unsigned char *to)
{
    for (int k = 0; k < c; k++)
        if (isnan(x[k])) {
            memcpy(to, magenta, sizeof magenta);
            return;
        }
    for (int k = 0; k < channels; k++)
        to[k] = to_byte(x[c == 1 ? 0 : k]);
}

/* Draws one image with its top left corner at (left, top). */
static void draw_tile(lt_image *out, const layout *l, const float *image, int w, int c, int left,
                      int top)
{
    size_t channels = (size_t)out->channels;
    for (int y = 0; y < l->tile_height; y++) {
        const float *from = image + (size_t)(y / l->zoom) * (size_t)w * (size_t)c;
        size_t at = (size_t)(top + y) * (size_t)out->width + (size_t)left;
        unsigned char *to = out->pixels + at * channels;
        for (int x = 0; x < l->tile_width; x++, to += channels)
            shade(from + (x / l->zoom) * c, c, out->channels, to);
    }
}

static int check_request(int n, int h, int w, int c, const lt_image_grid_options *o)
{
    if (n < 1 || h < 1 || w < 1 || (c != 1 && c != 3))
        return status_fail(LT_VALUE,
                           "image grid: expected images of 1 or 3 channels, found "
                           "%d of %d x %d x %d",
                           n, h, w, c);
    if (o->columns < 0 || o->zoom < 0 || o->gap < 0)
        return status_fail(LT_VALUE, "image grid: negative columns (%d), zoom (%d) or gap (%d)",
                           o->columns, o->zoom, o->gap);
    return LT_OK;
}

static int make_canvas(lt_image *out, const layout *l, int channels)
{
    int64_t width = side(l, l->columns, l->tile_width), height = side(l, l->rows, l->tile_height);
    if (width * height * channels > MAX_BYTES)
        return status_fail(LT_VALUE, "image grid: %lld x %lld pixels are more than 1 GiB",
                           (long long)width, (long long)height);
    unsigned char *pixels = tensor_alloc((size_t)(width * height * channels), "an image grid");
    if (!pixels)
        return LT_NO_MEMORY;
    *out = (lt_image){(int)width, (int)height, channels, pixels};
    return LT_OK;
}

int lt_image_grid(const float *images, int n, int h, int w, int c, const lt_image_grid_options *options,
                  lt_image *out)
{
    static const lt_image_grid_options defaults = {0};
    const lt_image_grid_options *o = options ? options : &defaults;
    *out = (lt_image){0};
    LT_TRY(check_request(n, h, w, c, o));
    layout l;
    LT_TRY(plan_layout(&l, n, h, w, o));
    size_t size = (size_t)h * (size_t)w * (size_t)c; /* of one image; h, w <= 65535 */
    const unsigned char *b = o->background;
    bool is_gray = c == 1 && b[0] == b[1] && b[1] == b[2] && !has_nan(images, (size_t)n * size);
    LT_TRY(make_canvas(out, &l, is_gray ? 1 : 3));
    fill(out, b);
    for (int i = 0; i < n; i++)
        draw_tile(out, &l, images + (size_t)i * size, w, c,
                  l.gap + i % l.columns * (l.tile_width + l.gap),
                  l.gap + i / l.columns * (l.tile_height + l.gap));
    return LT_OK;
}
