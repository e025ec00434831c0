/* SPDX-License-Identifier: MIT */
/* The samples that training drew, of the same codes after one epoch and another. */
#ifndef LATENT_ALBUM_H
#define LATENT_ALBUM_H

#include "cli.h"

typedef struct album {
    char *run; /* its directory */
    int64_t *epochs;
    int n;
} album;

/* Finds the samples of a run, given by its directory or a checkpoint. A status. Close it in any case. */
int album_open(album *a, const char *run);
void album_close(album *a);

/* Leaves n epochs, at least two, the first and the last among them. */
void album_thin_out(album *a, int n);

#endif
