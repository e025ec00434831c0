/* SPDX-License-Identifier: MIT */
/* animation.h: pictures that move, written as WebP, GIF or animated PNG.
 * Frames are rasters of plot.h, borrowed while they are written.
 *
 *     lt_animation walk = {.frames = frames, .n = 60, .seconds = 0.08};
 *     lt_animation_write("walk.webp", &walk);
 */
#ifndef LATENT_ANIMATION_H
#define LATENT_ANIMATION_H

#include <latent/plot.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zero is the default. */
typedef struct lt_animation {
    const lt_image *frames;   /* of one size; some may be gray and others RGB */
    int n;                    /* 1 to 10000 */
    double seconds;           /* that each frame is shown, 0.02 to 60; default 0: 0.1 */
    const double *seconds_of; /* of each frame its own. Nullable: `seconds` for all */
    int loops;                /* how often all of it is shown, up to 65535; default 0: for ever */
} lt_animation;

/* Writes an animation by the end of its name, .webp, .gif, .apng or .png (the same), whole or not
   at all; replaces an existing file; the same bytes for the same frames. Times are rounded to
   1/1000 s, in a GIF to 1/100 s, so that their sum is right; shorter ones than 0.02 s are refused
   because browsers take them for 0.1 s. A WebP of equal frames is a still picture. Colors are
   exact, but in a GIF with a frame of more than 256: its frames have the nearest of 255. LT_VALUE
   if there are no frames or too many, of unequal sizes, for times out of range, and for more than
   16383 pixels a side in a WebP; LT_IO, LT_NOT_FOUND, LT_NO_MEMORY. */
LT_API int lt_animation_write(const char *path, const lt_animation *animation);

/* The bytes of such a file; `format`: "webp", or the end of a name. As lt_image_encode and lt_animation_write. */
LT_API int lt_animation_encode(const lt_animation *animation, const char *format, unsigned char **bytes, size_t *n);

/* LT_OK if the name ends as those of animations do; else LT_VALUE, and the message lists them. */
LT_API int lt_animation_check_name(const char *path);

#ifdef __cplusplus
}
#endif
#endif
