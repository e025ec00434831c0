/* SPDX-License-Identifier: MIT */
/* Pictures of images above what a model makes of them. */
#ifndef LATENT_RECONSTRUCT_H
#define LATENT_RECONSTRUCT_H

#include "figure_command.h"

typedef struct reconstruct_request {
    figure_request all; /* seed 0: the first images of the split */
    int64_t n, columns;
} reconstruct_request;

/* Draws and writes it, with the data that are open or q->all.data; a status. q->n and q->columns become
   those that there are. */
int reconstruct(trained *t, reconstruct_request *q);

#endif
