/* SPDX-License-Identifier: MIT */
/* Pictures of new images. */
#ifndef LATENT_SAMPLE_H
#define LATENT_SAMPLE_H

#include "figure_command.h"

typedef struct sample_request {
    figure_request all;
    int64_t n, columns; /* 0: default */
    const char *class;  /* of latent sample; NULL: any */
    bool with_draws, is_history;
} sample_request;

/* Draws and writes samples of any class, or, if q->class is "all", a row of each; a status. */
int sample(const trained *t, sample_request *q);

#endif
