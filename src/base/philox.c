/* SPDX-License-Identifier: MIT */
#include "base/philox.h"

#include "base/clones.h"

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

/* Counters side by side in 64-bit lanes, where a 32 x 32 bit product is one instruction. */
enum { LANES = 32 };

LT_CLONES static void bump_lanes(uint64_t c0[LANES], uint64_t c1[LANES], uint64_t c2[LANES],
                       uint64_t c3[LANES], uint32_t k0, uint32_t k1)
{
    for (int r = 0; r < ROUNDS; r++) {
        for (int i = 0; i < LANES; i++) {
            uint64_t p0 = (uint64_t)M0 * (c0[i] & 0xffffffff);
            uint64_t p1 = (uint64_t)M1 * (c2[i] & 0xffffffff);
            c0[i] = (p1 >> 32) ^ c1[i] ^ k0;
            c2[i] = (p0 >> 32) ^ c3[i] ^ k1;
            c1[i] = p1 & 0xffffffff;
            c3[i] = p0 & 0xffffffff;
        }
        k0 += W0;
        k1 += W1;
    }
}

/* Blocks [first, first + n) of four words. */
static void blocks(const philox_key *key, int64_t first, int64_t n, uint32_t *words)
{
    for (int64_t at = 0; at < n; at += LANES) {
        uint64_t c0[LANES], c1[LANES], c2[LANES], c3[LANES];
        for (int i = 0; i < LANES; i++) {
            /* the block number has 40 bits: 32 in the first word, 8 beside the stream's 24 */
            uint64_t block = (uint64_t)(first + at + i);
            c0[i] = block & 0xffffffff;
            c1[i] = key->stream ^ (uint32_t)(block >> 32) << 24;
            c2[i] = key->step & 0xffffffff;
            c3[i] = key->step >> 32;
        }
        bump_lanes(c0, c1, c2, c3, (uint32_t)key->seed, (uint32_t)(key->seed >> 32));
        for (int i = 0; i < LANES && at + i < n; i++) {
            uint32_t *w = words + 4 * (at + i);
            w[0] = (uint32_t)c0[i];
            w[1] = (uint32_t)c1[i];
            w[2] = (uint32_t)c2[i];
            w[3] = (uint32_t)c3[i];
        }
    }
}

void philox_words(const philox_key *key, int64_t first, int64_t n, uint32_t *words)
{
    blocks(key, first / 4, (n + 3) / 4, words);
}

uint32_t philox_word(const philox_key *key, int64_t index)
{
    uint64_t block = (uint64_t)index / 4;
    uint32_t counter[4] = {(uint32_t)block, key->stream ^ (uint32_t)(block >> 32) << 24,
                           (uint32_t)key->step, (uint32_t)(key->step >> 32)};
    uint32_t words[4];
    philox4x32(counter, (uint32_t[]){(uint32_t)key->seed, (uint32_t)(key->seed >> 32)}, words);
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
