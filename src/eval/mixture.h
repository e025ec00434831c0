/* SPDX-License-Identifier: MIT */
/* The aggregate posterior of a split, q(z) = 1/n sum over its images of q(z|x): a mixture of
   diagonal Gaussians, stored as rows padded with zeros to a multiple of MIXTURE_LANES floats. */
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

/* LT_OK or LT_NO_MEMORY; clear *m in any case. */
int mixture_init(mixture *m, int n, int64_t latent);
void mixture_clear(mixture *m);

/* Sets mean and log variance of Gaussian i. */
void mixture_set(mixture *m, int i, const float *mean, const float *logvar);

/* For `count` samples z[k] of Gaussians of[k], rows of m->stride floats, computes own[k] = log q(z|x) and
   all[k] = log q(z). */
void mixture_log_probs(const mixture *m, int count, const float *z, const int *of, int threads,
                       double *own, double *all);

#endif
