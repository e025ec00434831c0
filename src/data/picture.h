/* SPDX-License-Identifier: MIT */
/* Pictures out of files: PNG, JPEG, WebP and the portable maps (PBM, PGM, PPM), told apart by their
   first bytes. What comes out is 8 bits deep, grey or RGB. */
#ifndef LATENT_PICTURE_H
#define LATENT_PICTURE_H

#include "data/reader.h"
#include "data/transform.h"

enum {
    MAX_PIXELS = 1 << 27, /* of one picture: 402 MB of RGB; more is a bomb or a damaged header */
    MAX_PICTURE_FILE = 1 << 29, /* bytes of its file */
};

/* Decodes the content of a picture file, which must be whole. Colours are taken as they are
   written, without profiles or gamma; a palette is RGB; depths other than 8 are scaled, rounded to
   nearest; what is transparent lies on white; turned photographs stay as they are stored.
   LT_FORMAT, LT_UNSUPPORTED (CMYK, animations) or LT_NO_MEMORY; *out is then empty. */
int picture_decode(const data_source *s, picture *out);

/* Does the name end as those of pictures do? */
bool picture_is_named(const char *name);

#endif
