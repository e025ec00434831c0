/* SPDX-License-Identifier: MIT */
/* Colours of pictures, and a few of them to stand for all. */
#ifndef LATENT_MEDIAN_CUT_H
#define LATENT_MEDIAN_CUT_H

#include <latent/plot.h>

/* A colour, or several that are equal in their higher bits. */
typedef struct colour {
    uint32_t key; /* red, green, blue without the lower bits, and 1 above them; 0: a free slot */
    int place;    /* in the palette */
    uint64_t n;   /* pixels */
    uint64_t sum[3];
} colour;

/* A hash table. Zero-initialise. */
typedef struct colours {
    int n, most, shift; /* shift: how many bits of a channel are left out */
    int n_slots;        /* a power of two */
    colour *slots;
} colours;

enum { MOST_COLOURS = 256 };

typedef struct palette {
    int n;
    unsigned char rgb[3 * MOST_COLOURS];
} palette;

void colours_clear(colours *c);

/* Counts those of n pictures; gives up at more than `most` of them: false. */
bool colours_count(colours *c, const lt_image *images, int n, int most, int shift);

/* Each its own place, in the order of their numbers; at most 256, none of them shifted. */
void colours_keep(colours *c, palette *p);

/* Counts, as exactly as 65536 different ones allow, and puts `most` colours for them into a
   palette: those near to each other share one, which is their mean. */
void colours_reduce(colours *c, const lt_image *images, int n, int most, palette *p);

/* Writes the place of each pixel's colour; they have been counted. */
void colours_places(const colours *c, const lt_image *image, unsigned char *places);

#endif
