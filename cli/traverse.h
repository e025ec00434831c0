/* SPDX-License-Identifier: MIT */
/* Pictures of what each latent does. */
#ifndef LATENT_TRAVERSE_H
#define LATENT_TRAVERSE_H

#include "figure_command.h"

enum { TRAVERSE_NONE = -1 };

typedef struct traverse_request {
    figure_request all;
    int64_t rows;  /* 0: default */
    int64_t image; /* of the split, to begin at; TRAVERSE_NONE: not at one. So is all.seed */
    int64_t label, every;
    const char *grid, *shift;
    const char *image_text, *class; /* as they are typed; NULL: not at all */
} traverse_request;

/* Draws and writes it, with the data that are open or q->all.data; the exit code. */
int traverse(trained *t, traverse_request *q);

#endif
