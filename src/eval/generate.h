/* SPDX-License-Identifier: MIT */
/* A part of the endless row of images that a model and a seed make. */
#ifndef LATENT_GENERATE_H
#define LATENT_GENERATE_H

#include <latent/eval.h>

/* Noise is drawn for so many at a time: block b of them from step b of the run key. */
enum { SAMPLES_AT_A_TIME = 64 };

/* Images first ... first + n - 1 of those that lt_sample writes; `first` is a multiple of
   SAMPLES_AT_A_TIME. */
int sample_from(lt_model *m, int first, int n, uint64_t seed, int threads, float *images);

#endif
