/* SPDX-License-Identifier: MIT */
/* Pictures of images above what a model makes of them. */
#ifndef LATENT_RECONSTRUCT_H
#define LATENT_RECONSTRUCT_H

#include "cli.h"

typedef struct reconstruct_request {
    int64_t n, columns, seed, threads;
    const char *out, *data;
    int split;
} reconstruct_request;

/* Writes q->out: a picture, or the numbers; q->n and q->columns become those that there are. */
int reconstruct(const trained *t, reconstruct_request *q);

#endif
