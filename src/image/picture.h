/* SPDX-License-Identifier: MIT */
/* Pictures out of files: PNG, JPEG, WebP and the portable maps (PBM, PGM, PPM), told apart by their
   first bytes. What comes out is 8 bits deep, gray or RGB. */
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

/* Decodes the content of a picture file, of which all pixels must be there; anything else that is
   wrong with it is out->oddity. Colors are taken as they are written, without profiles or gamma, and
   CMYK is converted without one; a palette is RGB; depths other than 8 are scaled, rounded to nearest;
   what is transparent lies on white. Pixels lie as they are stored, and out->orientation says how: see
   picture_turn. Of an animated PNG the first frame, and out->is_animated says so. LT_FORMAT,
   LT_UNSUPPORTED (animated WebP, other formats) or LT_NO_MEMORY; *out is then empty. */
int picture_decode(const picture_file *s, picture *out);

/* What is said of an animation where pictures stand still: LT_UNSUPPORTED. */
int picture_fail_animated(const char *path);

/* Does the name end as those of pictures do? */
bool picture_is_named(const char *name);

#endif
