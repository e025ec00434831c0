/* SPDX-License-Identifier: MIT */
/* A model in closed form: z ~ N(0, I), x = W z + b + s e with orthogonal columns of W,
   so p(x) = N(b, W W' + s^2 I) and the posterior is a diagonal Gaussian with a linear mean. The
   encoder's two heads are that posterior, its variance r times too large. With z = mean + sqrt(r)
   deviation eps, for every x

       w / p(x) = p(z|x) / q(z|x) = r^(latents / 2) exp(-(r - 1) |eps|^2 / 2),    w = p(x, z) / q(z|x)

   so every bound has the same gap above -log p(x) for all images. */
#ifndef LATENT_LINEAR_GAUSSIAN_H
#define LATENT_LINEAR_GAUSSIAN_H

#include <latent/model.h>

typedef struct linear_gaussian {
    lt_model *model;
    lt_dataset *data;
    double nll;      /* mean of -log p(x) over the images */
    double *nll_of;  /* of each image */
} linear_gaussian;

/* Opens the model with r = `wider` and that many images, in the train split. Close it in any case. */
int linear_gaussian_open(linear_gaussian *m, double wider, int images);
void linear_gaussian_close(linear_gaussian *m);

/* Returns the gap E[-log 1/k sum w] + log p(x) of the bound of k samples, -ELBO for k = 1. r >= 1. */
double linear_gaussian_gap(double wider, int k);

#endif
