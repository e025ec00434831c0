/* SPDX-License-Identifier: MIT */
#include "base/philox.h"

enum { ROUNDS = 10 };
static const uint32_t M0 = 0xD2511F53, M1 = 0xCD9E8D57; /* multipliers */
static const uint32_t W0 = 0x9E3779B9, W1 = 0xBB67AE85; /* key increments (Weyl) */

static inline void bump(uint32_t c[4], uint32_t k0, uint32_t k1)
{
    for (int r = 0; r < ROUNDS; r++) {
        uint64_t p0 = (uint64_t)M0 * c[0], p1 = (uint64_t)M1 * c[2];
        uint32_t c0 = (uint32_t)(p1 >> 32) ^ c[1] ^ k0, c2 = (uint32_t)(p0 >> 32) ^ c[3] ^ k1;
        c[1] = (uint32_t)p1;
        c[3] = (uint32_t)p0;
        c[0] = c0;
        c[2] = c2;
        k0 += W0;
        k1 += W1;
    }
}

void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    for (int i = 0; i < 4; i++)
        out[i] = counter[i];
    bump(out, key[0], key[1]);
}

/* One counter per lane, so that the compiler runs sixteen of them at once. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
__attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#endif
static void blocks(const philox_key *key, int64_t first, int64_t n, uint32_t *words)
{
    uint32_t stream = key->stream, s0 = (uint32_t)key->step, s1 = (uint32_t)(key->step >> 32);
    uint32_t k0 = (uint32_t)key->seed, k1 = (uint32_t)(key->seed >> 32);
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        /* the block number has 40 bits: 32 in the first word, 8 beside the stream's 24 */
        uint64_t block = (uint64_t)(first + i);
        uint32_t c[4] = {(uint32_t)block, stream ^ (uint32_t)(block >> 32) << 24, s0, s1};
        bump(c, k0, k1);
        words[4 * i] = c[0];
        words[4 * i + 1] = c[1];
        words[4 * i + 2] = c[2];
        words[4 * i + 3] = c[3];
    }
}

void philox_words(const philox_key *key, int64_t first, int64_t n, uint32_t *words)
{
    blocks(key, first / 4, (n + 3) / 4, words);
}

uint32_t philox_word(const philox_key *key, int64_t index)
{
    uint32_t words[4];
    blocks(key, index / 4, 1, words);
    return words[index % 4];
}

void philox_shuffle(const philox_key *key, int n, int32_t *order)
{
    for (int i = 0; i < n; i++)
        order[i] = i;
    for (int i = n - 1; i > 0; i--) { /* Fisher and Yates; the bias of one in 2^32 / n is none */
        int j = (int)((uint64_t)philox_word(key, i) * (uint64_t)(i + 1) >> 32);
        int32_t swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
}
