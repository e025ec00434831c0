/* SPDX-License-Identifier: MIT */
/* plot.h: pictures: grids of images, written as PNG.
 * A raster belongs to its caller, who clears it with lt_image_free.
 *
 *     lt_image grid;
 *     if (lt_image_grid(&grid, samples, 64, 28, 28, 1, NULL) == LT_OK)
 *         lt_image_write_png("samples.png", &grid);
 *     lt_image_free(&grid);
 */
#ifndef LATENT_PLOT_H
#define LATENT_PLOT_H

#include <latent/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A raster of 8 bits per channel: height x width x channels, row by row from the top, without
   padding. One channel is grey, three are red, green, blue (sRGB). */
typedef struct lt_image {
    int width, height, channels;
    unsigned char *pixels;
} lt_image;

/* How lt_image_grid lays out its tiles. */
typedef struct lt_image_grid_options {
    int columns;                 /* default 0: about as many as rows */
    int zoom;                    /* pixels per image pixel; default 0: tiles of about 84 pixels */
    int gap;                     /* pixels between tiles and around them; default 0: none */
    unsigned char background[3]; /* of gaps and empty places: red, green, blue; default black */
} lt_image_grid_options;

/* Lays out `n` images, n x h x w x c floats with c = 1 or 3, as tiles in rows from the top left.
   0 is black and 1 is white; values outside are clamped, and NaN is drawn magenta (255, 0, 255).
   The result is grey if all of it is grey (c = 1, no NaN, grey background), otherwise RGB; the
   caller frees it with lt_image_free. LT_VALUE for sizes that make no picture or one of more than
   65535 pixels a side or 1 GiB; LT_NO_MEMORY; `out` is then empty. Nullable: options (defaults). */
LT_API int lt_image_grid(lt_image *out, const float *images, int n, int h, int w, int c,
                         const lt_image_grid_options *options);

/* Writes a PNG of 8 bits per channel, whole or not at all; replaces an existing file. LT_VALUE if
   the raster is empty or has neither 1 nor 3 channels; LT_IO, LT_NOT_FOUND, LT_NO_MEMORY. */
LT_API int lt_image_write_png(const char *path, const lt_image *image);

/* Frees the pixels and leaves the raster empty. Nullable: image. */
LT_API void lt_image_free(lt_image *image);

#ifdef __cplusplus
}
#endif
#endif
