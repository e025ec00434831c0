/* SPDX-License-Identifier: MIT */
/* Counts the colors of images, and reduces them to a palette. */
#ifndef LATENT_MEDIAN_CUT_H
#define LATENT_MEDIAN_CUT_H

#include <latent/plot.h>

/* A color, or several that are equal in their higher bits. */
typedef struct color {
    uint32_t key; /* red, green, blue without the lower bits, and 1 above them; 0: a free slot */
    int place;    /* index in the palette */
    uint64_t n;   /* pixels */
    uint64_t sum[3];
} color;

/* A hash table. Zero-initialize. */
typedef struct colors {
    int n, most, shift; /* shift: number of dropped low bits of a channel */
    int n_slots;        /* a power of two */
    color *slots;
} colors;

enum { MAX_COLORS = 256 };

typedef struct palette {
    int n;
    unsigned char rgb[3 * MAX_COLORS];
} palette;

void colors_clear(colors *c);

/* Counts the colors of n images; false if there are more than `most`. */
bool colors_count(colors *c, const lt_image *images, int n, int most, int shift);

/* Gives each color its own palette index, in the order of keys. At most 256 colors, counted with shift 0. */
void colors_keep(colors *c, palette *p);

/* Counts the colors, dropping low bits until at most 65536 differ (at most 3 bits), and reduces them to a palette of
   at most `most`: similar colors share one, their mean. */
void colors_reduce(colors *c, const lt_image *images, int n, int most, palette *p);

/* Writes the palette index of each pixel, whose color must have been counted. */
void colors_places(const colors *c, const lt_image *image, unsigned char *places);

#endif
