/* SPDX-License-Identifier: MIT */
/* What `latent eval` finds for each image by itself, as columns of a file. */
#ifndef LATENT_PER_IMAGE_H
#define LATENT_PER_IMAGE_H

#include "eval_report.h"

/* Columns of `n` numbers each. */
typedef struct per_image {
    double *neg_elbo, *rate, *distortion, *squared_error, *nll, *ess, *pareto_k, *ais, *ais_ess;
    double *iwae[LT_MAX_BOUNDS];
    double *block; /* all of them */
} per_image;

/* Room for n images; leaves the program when there is none. */
void per_image_open(per_image *p, int64_t n);
void per_image_close(per_image *p);

/* Asks for all of them. */
void per_image_ask(const per_image *p, lt_eval_options *o);
void per_image_ask_ais(const per_image *p, lt_ais_options *o);

/* Writes what was found to FILE.csv or FILE.npz, or as csv to stdout: "-". */
int per_image_write(const char *path, const per_image *p, const eval_findings *f);

#endif
