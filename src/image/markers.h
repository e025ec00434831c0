/* SPDX-License-Identifier: MIT */
/* Metadata of a picture file that changes the meaning of its pixels: orientation, animation, and Adobe's color
   marker. */
#ifndef LATENT_MARKERS_H
#define LATENT_MARKERS_H

#include "base/file.h"

typedef struct picture_markers {
    int orientation;     /* of EXIF: 1 ... 8; 1: upright, or not given */
    bool is_animated;    /* more than one frame: APNG, WebP */
    bool has_adobe;      /* JPEG: Adobe's marker, which means that CMYK is stored inverted */
    bool has_short_adobe; /* that marker is shorter than its format says */
} picture_markers;

/* Scans the segments of a JPEG, PNG or WebP file. Ignores damaged parts, which the decoder reports. */
picture_markers markers_find(const bytes *content);

/* The scans of a JPEG. */
uint64_t markers_count_scans(const bytes *content);

#endif
