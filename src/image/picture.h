/* SPDX-License-Identifier: MIT */
/* Decodes picture files: PNG, JPEG, WebP and the portable maps (PBM, PGM, PPM), recognized by their first bytes, to
   8 bits of gray or RGB. */
#ifndef LATENT_PICTURE_H
#define LATENT_PICTURE_H

#include "base/ceilings.h"
#include "base/file.h"
#include "image/transform.h"

/* Bytes of the file of a picture. */
#define MAX_PICTURE_FILE ((size_t)limit_of(LIMIT_PICTURE_BYTES))

typedef struct picture_file {
    const char *path; /* for messages */
    bytes content;
} picture_file;

/* Decodes the content of a picture file, whose pixels must be complete; other damage is reported in out->oddity.
   Ignores color profiles and gamma, also for CMYK; converts palettes to RGB, scales depths other than 8 with
   rounding to nearest, and composes transparent pixels over white. Pixels keep their stored order, with
   out->orientation: see picture_turn. Decodes the first frame of an animated PNG, and sets out->is_animated.
   LT_FORMAT, LT_UNSUPPORTED (animated WebP, other formats) or LT_NO_MEMORY; *out is then empty. */
int picture_decode(const picture_file *s, picture *out);

/* Fails with LT_UNSUPPORTED for an animation in place of a still picture. */
int picture_fail_animated(const char *path);

/* Whether a name has the extension of a picture. */
bool picture_is_named(const char *name);

#endif
