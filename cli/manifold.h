/* SPDX-License-Identifier: MIT */
/* Pictures of the plane of two latents. */
#ifndef LATENT_MANIFOLD_H
#define LATENT_MANIFOLD_H

#include "figure_command.h"

typedef struct manifold_request {
    figure_request all;
    int64_t n, label;  /* places along each latent */
    const char *class; /* as it is typed; NULL: not at all */
} manifold_request;

/* Draws and writes it; the exit code. */
int manifold(trained *t, manifold_request *q);

#endif
