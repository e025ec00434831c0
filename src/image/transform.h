/* SPDX-License-Identifier: MIT */
/* Transforms pictures of any size and color into images of a data set. Bytes in, bytes out; same arguments, same
   bits. */
#ifndef LATENT_TRANSFORM_H
#define LATENT_TRANSFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* h x w x c bytes, rows from the top, channels last: 1 gray, 3 RGB. Owns its pixels (tensor_alloc). */
typedef struct picture {
    int h, w, c;
    unsigned char *pixels;
    int orientation;   /* of the stored pixels, 1 ... 8 as in EXIF; picture_turn makes it 1 */
    bool is_animated;  /* the picture is the first of several frames */
    char oddity[160];  /* damage of its file that did not prevent decoding; "": none */
} picture;

void picture_clear(picture *p);

/* Rotates and mirrors the pixels so that the picture is upright. LT_NO_MEMORY. */
int picture_turn(picture *p);

typedef enum picture_crop {
    CROP_CENTER, /* cut in the middle to the wanted shape, then resize: nothing is distorted */
    CROP_NONE,   /* resize the whole picture: shapes are stretched */
    CROP_FIT,    /* resize the whole picture undistorted, black bars beside or above and below it */
} picture_crop;

typedef struct transform {
    int h, w; /* of the result; 0: as the picture is */
    int c;    /* 1 or 3; 0: as the picture is */
    picture_crop crop;
    bool as_stored; /* does not turn pictures upright */
} transform;

/* Writes the picture as h x w x c bytes of the transform. Gray from RGB: (19595 r + 38470 g + 7471 b +
   32768) / 65536 (ITU-R 601, as Pillow's "L"); RGB from gray: three times the same. Resizing is by a
   separable triangle filter whose support grows with the reduction (Pillow's BILINEAR, to the bit).
   LT_NO_MEMORY. */
int transform_picture(const transform *t, const picture *p, unsigned char *out);

/* Drops the alpha channel of n pixels of c channels and alpha: v alpha + white (1 - alpha), bytes rounded. In
   place. */
void lay_bytes_on_white(unsigned char *pixels, size_t n, int c);
void lay_floats_on_white(float *pixels, size_t n, int c);

/* The same for n consecutive pictures of the size of `like` (whose pixels are ignored), in parallel; and for floats in
   [0, 1], without rounding. Any number of channels is allowed if t->c keeps it. */
int transform_bytes(const transform *t, int n, const picture *like, const unsigned char *in,
                    unsigned char *out);
int transform_floats(const transform *t, int n, const picture *like, const float *in, float *out);

/* Computes the size of the output of transform_picture for this picture. */
void transform_size(const transform *t, const picture *p, int *h, int *w, int *c);

#endif
