/* SPDX-License-Identifier: MIT */
/* Compares images to find copies, in two nearly independent frequency bands: `coarse`, the image blurred by a Gaussian
   of 1 pixel, and `detail`, `coarse` minus the image blurred by 2.5 pixels. A blurred image is near to many others
   in `coarse` and has nothing in `detail`. Each band is a vector of norm 1 and mean 0, so that brightness and
   contrast do not matter; the dot product of two vectors is their similarity. */
#ifndef LATENT_LOOKS_H
#define LATENT_LOOKS_H

#include <latent/base.h>

enum { LOOKS_SHIFTS = 9 }; /* no shift, and one pixel in each direction */

typedef struct looks {
    int h, w, c;      /* of the images */
    int part, rh, rw; /* reduced to rh x rw means of part x part pixels: sides of at most 63 */
    int cell, sh, sw; /* for the search, reduced again to sh x sw means of cell x cell of these */
    int margin;       /* needed by shifts: 1; 0 if images are too small for shifts */
    int shifts;       /* number of shifts: 9 or 1 */
} looks;

looks looks_of(int h, int w, int c);

int looks_reduced_size(const looks *l); /* numbers in a reduced image */
int looks_search_size(const looks *l);  /* in a search vector */
int looks_scratch_size(const looks *l); /* in the scratch buffer */
int looks_size(const looks *l);         /* in a band vector: the reduced image without its margin */

void looks_reduce(const looks *l, const float *image, float *reduced);

/* Computes the search vector: means of large cells, with mean 0 and norm 1. */
void looks_search(const looks *l, const float *reduced, float *vector);

/* Computes both bands of a reduced image, each of its size. `scratch` has looks_scratch_size numbers. */
void looks_bands(const looks *l, const float *reduced, float *coarse, float *detail,
                 float *scratch);

/* Writes a band as a vector, shifted by shift k of 0 ... l->shifts - 1 (0: no shift). Returns its norm before
   normalization; a zero vector stays zero. */
float looks_vector(const looks *l, const float *band, int k, float *vector);

/* Dot product of n floats, with a fixed order of additions. */
float looks_product(int n, const float *x, const float *y);

#endif
