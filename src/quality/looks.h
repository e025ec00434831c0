/* SPDX-License-Identifier: MIT */
/* What two images are compared by when one may be a copy of the other, in two bands that know little
   of each other: `coarse`, the image after a Gaussian of 1 pixel, and `detail`, what of that a
   Gaussian of 2.5 pixels takes away. A blurred image is near to many others in the first and has
   nothing of the second. Each is a vector of length 1 without its mean, so that brightness and
   contrast do not matter; the scalar product of two tells how alike they are. */
#ifndef LATENT_LOOKS_H
#define LATENT_LOOKS_H

#include <latent/base.h>

enum { LOOKS_SHIFTS = 9 }; /* none, and one pixel in each direction */

typedef struct looks {
    int h, w, c;      /* of the images */
    int part, rh, rw; /* they are reduced to rh x rw means of part x part pixels: sides of 32 to 63
                         at most */
    int cell, sh, sw; /* and for the search to sh x sw means of cell x cell of these */
    int margin;       /* that shifts need: 1; 0 where images are too small for any */
    int shifts;       /* how many there are: 9 or 1 */
} looks;

looks looks_of(int h, int w, int c);

int looks_reduced_size(const looks *l); /* numbers in a reduced image */
int looks_search_size(const looks *l);  /* in what is searched by */
int looks_scratch_size(const looks *l); /* to work in */
int looks_size(const looks *l);         /* in a vector: the reduced image without its margin */

void looks_reduce(const looks *l, const float *image, float *reduced);

/* What is searched by: means of large cells, without their mean, of length 1. */
void looks_search(const looks *l, const float *reduced, float *vector);

/* Both bands of a reduced image, each of its size. `scratch` has looks_scratch_size numbers. */
void looks_bands(const looks *l, const float *reduced, float *coarse, float *detail,
                 float *scratch);

/* A band as a vector, shifted by shift k of 0 ... l->shifts - 1, 0 being none; returns the length
   that it had. A vector of length 0 stays one. */
float looks_vector(const looks *l, const float *band, int k, float *vector);

/* The scalar product of n floats, with a fixed order of additions. */
float looks_product(int n, const float *x, const float *y);

#endif
