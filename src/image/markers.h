/* SPDX-License-Identifier: MIT */
/* What stands beside the pixels of a picture file and changes what they mean: how the camera was held,
   whether it moves, what an old program wrote about its colors. */
#ifndef LATENT_MARKERS_H
#define LATENT_MARKERS_H

#include "base/file.h"

typedef struct picture_markers {
    int orientation;     /* of EXIF: 1 ... 8; 1: upright, or nothing is said */
    bool is_animated;    /* more than one frame: APNG, WebP */
    bool has_adobe;      /* JPEG: Adobe's marker, which means that CMYK is stored inverted */
    bool has_short_adobe; /* that marker is shorter than its format says */
} picture_markers;

/* Looks through the parts of a JPEG, PNG or WebP file. Damage is the decoder's to tell: what cannot be
   followed is not there. */
picture_markers markers_find(const bytes *content);

/* The scans of a JPEG. */
uint64_t markers_count_scans(const bytes *content);

#endif
