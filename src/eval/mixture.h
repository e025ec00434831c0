/* SPDX-License-Identifier: MIT */
/* The aggregate posterior of a split, q(z) = 1/n sum over its images of q(z|x): a mixture of
   diagonal Gaussians, kept as rows of floats that are a multiple of MIXTURE_LANES wide, zeros
   behind. */
#ifndef LATENT_MIXTURE_H
#define LATENT_MIXTURE_H

#include <stdint.h>

enum { MIXTURE_LANES = 16 };

typedef struct mixture {
    int n;                  /* Gaussians */
    int64_t latent, stride; /* numbers in a row; floats from one row to the next */
    float *mean, *precision;
    double *constant; /* of each: log of its density at its mean */
} mixture;

/* LT_OK or LT_NO_MEMORY; clear it in both cases. */
int mixture_init(mixture *m, int n, int64_t latent);
void mixture_clear(mixture *m);

/* Gaussian i by mean and log variance. */
void mixture_set(mixture *m, int i, const float *mean, const float *logvar);

/* For `count` draws, z[k] being from Gaussian of[k], rows of m->stride: own[k] = log q(z|x),
   all[k] = log q(z). */
void mixture_log_probs(const mixture *m, int count, const float *z, const int *of, int threads,
                       double *own, double *all);

#endif
