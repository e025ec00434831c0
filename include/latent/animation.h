/* SPDX-License-Identifier: MIT */
/* animation.h: animations, written as WebP, GIF or animated PNG.
 * Frames are rasters of plot.h, borrowed during the call.
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
    const lt_image *frames;   /* of equal size; gray and RGB may be mixed */
    int n;                    /* 1 to 10000 */
    double seconds;           /* duration of each frame, 0.02 to 60; default 0: 0.1 */
    const double *seconds_of; /* duration of each frame, n values. Nullable: `seconds` for all */
    int loops;                /* number of repetitions, up to 65535; default 0: forever */
} lt_animation;

/* Writes an animation atomically in the format of its extension, .webp, .gif, .apng or .png (the same); replaces
   an existing file; equal frames give equal bytes. Rounds times to 1/1000 s, in a GIF to 1/100 s, and preserves
   their sum; rejects times below 0.02 s, which browsers play as 0.1 s. A WebP of equal frames is a still image.
   Colors are exact, except in a GIF if a frame has more than 256: its frames then use the nearest of 255.
   LT_VALUE for no frames or too many, for unequal sizes, for times out of range, and for more than 16383 pixels
   per side in a WebP; LT_IO, LT_NOT_FOUND, LT_NO_MEMORY. */
LT_API int lt_animation_write(const char *path, const lt_animation *animation);

/* Encodes an animation in memory; `format`: "webp", or a file name. As lt_image_encode and lt_animation_write. */
LT_API int lt_animation_encode(const lt_animation *animation, const char *format, unsigned char **bytes, size_t *n);

/* Checks the extension: LT_VALUE, with a message that lists the extensions of animations. */
LT_API int lt_animation_check_name(const char *path);

#ifdef __cplusplus
}
#endif
#endif
