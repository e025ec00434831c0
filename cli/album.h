/* SPDX-License-Identifier: MIT */
/* The pictures of samples that training drew, of the same codes after one epoch and another. */
#ifndef LATENT_ALBUM_H
#define LATENT_ALBUM_H

#include "cli.h"

/* RUN/samples/epoch-0012.png and so on, in order. */
typedef struct album {
    const command *command; /* that complains */
    char *run; /* its directory */
    int64_t *epochs;
    int n, room;
} album;

/* What the picture of an epoch is called; the caller frees it. */
char *album_name(const char *run, int64_t epoch);

/* Functions give the exit code, after a complaint if it is not CODE_DONE. */

/* Finds the pictures of a run, which may be given by its directory or by a checkpoint; there are none if the run has drawn nothing. Close it in any case. */
int album_open(album *a, const command *c, const char *run);
void album_close(album *a);

/* Leaves n of them, at least two, the first and the last among them. */
void album_thin_out(album *a, int n);

/* Reads the i-th picture, which the caller frees. */
int album_read(const album *a, int i, lt_image *out);

/* The first n (at most WRITTEN_SAMPLES) images on the i-th picture, n x h x w x c; it must be of such
   images, laid out as training does. */
int album_cut(const album *a, int i, lt_image_size s, int n, float *images);

#endif
