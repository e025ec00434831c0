/* SPDX-License-Identifier: MIT */
/* Image and animation files: a format is a row of the table in raster.c. */
#ifndef LATENT_RASTER_H
#define LATENT_RASTER_H

#include "base/text.h"

#include <latent/animation.h>

/* A file format; messages of its functions do not name the file. */
typedef struct raster_format {
    const char *end; /* extension: ".png" */
    int (*still)(const lt_image *image, text *file);         /* NULL: unsupported */
    int (*animation)(const lt_animation *animation, text *file); /* NULL: unsupported */
} raster_format;

/* Returns the format by the extension of a name, ignoring case; NULL if unknown. */
const raster_format *raster_format_of(const char *path);

/* Checks that an image is not empty, and that files can have its size. */
bool raster_is_whole(const lt_image *image);

/* Encode in the format of the extension, which must be valid; messages do not contain `path`. */
int image_encode(const char *path, const lt_image *image, text *file);
int animation_encode(const char *path, const lt_animation *animation, text *file);

/* Pass on bytes that were encoded with `status`, to a file or to the caller's memory. Both clear `file`, and return
   `status` if it is an error. */
int encoded_write(const char *path, text *file, int status);
int encoded_give(text *file, int status, unsigned char **data, size_t *n);

/* Returns "picture.png" for "png" and ".png". Freed by the caller. */
char *encoded_name(const char *format);

/* Copies a gray or RGB image to RGB; cleared with lt_image_clear. */
int raster_color(const lt_image *image, lt_image *out);

int encode_png(const lt_image *image, text *file);
int encode_webp(const lt_image *image, text *file);

/* ---- Animations, all of whose frames are of one size ---- */

/* Returns the n + 1 times at which frames begin and the last one ends, from 0, in ticks of 1 / per_second seconds.
   Freed by the caller. Rounding times instead of durations does not accumulate errors. */
int *animation_ticks(const lt_animation *a, int per_second);

bool animation_is_gray(const lt_animation *a);

int encode_apng(const lt_animation *a, text *file);
int encode_gif(const lt_animation *a, text *file);
int encode_webp_animation(const lt_animation *a, text *file);

#endif
