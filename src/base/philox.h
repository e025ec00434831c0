/* SPDX-License-Identifier: MIT */
/* Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
   A pure function of key and counter: randomness without state. Latent keys every draw by
   (seed, stream, step, element): key = seed, counter = (element / 4, stream, step). */
#ifndef LATENT_PHILOX_H
#define LATENT_PHILOX_H

#include <stdint.h>

/* Four words for one counter and key; the published algorithm. */
void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* The key of a random sequence. */
typedef struct philox_key {
    uint64_t seed;
    uint32_t stream;
    uint64_t step;
} philox_key;

/* Words [first, first + n) of the sequence of `key`; `first` is a multiple of 4, and words up to
   the next multiple of 4 above n are written too. */
void philox_words(const philox_key *key, int64_t first, int64_t n, uint32_t *words);

/* Word `index` of the sequence: for few draws. */
uint32_t philox_word(const philox_key *key, int64_t index);

/* Uniform in (0, 1) with 23 random bits, exact in f32: never 0, never 1. */
static inline float philox_uniform(uint32_t word) { return ((float)(word >> 9) + 0.5f) * 0x1p-23f; }

/* A random permutation of 0 ... n - 1, n <= 2^31: the same for the same key on every machine. */
void philox_shuffle(const philox_key *key, int n, int32_t *order);

#endif
