/* SPDX-License-Identifier: MIT */
/* From stored images to batches of floats: order, scaling, binarization, means. */
#include "data/dataset.h"

#include "base/clones.h"
#include "base/memory.h"
#include "base/philox.h"
#include "base/threads.h"
#include "base/status.h"

#include <string.h>

void lt_dataset_order(const lt_dataset *d, lt_split split, uint64_t seed, uint64_t epoch,
                      int32_t *order)
{
    philox_key key = {.seed = seed, .stream = STREAM_SHUFFLE + split, .step = epoch};
    philox_shuffle(&key, d->splits[split].n, order);
}

/* ---- One image ---- */

/* b / 255, correctly rounded, without a division: 1/255 is split into a part of 16 bits, whose
   product with a byte is exact, and the rest. (One product with the nearest float to 1/255 is off
   by one bit for many bytes, and then differs from everybody else's b / 255.) */
LT_CLONES static void scale_bytes(size_t n, float *x, const unsigned char *b)
{
    const float high = 0x1.01p-8f, low = 0x1.01010102p-24f;
    for (size_t i = 0; i < n; i++) {
        float byte = b[i];
        x[i] = byte * high + byte * low;
    }
}

LT_CLONES static void copy_bits(size_t n, float *x, const unsigned char *b)
{
    for (size_t i = 0; i < n; i++)
        x[i] = b[i];
}

LT_CLONES static void threshold_bytes(size_t n, float *x, const unsigned char *b)
{
    for (size_t i = 0; i < n; i++)
        x[i] = b[i] >> 7; /* 128 / 255 > 1/2 > 127 / 255 */
}

LT_CLONES static void threshold_floats(size_t n, float *x, const float *p)
{
    for (size_t i = 0; i < n; i++)
        x[i] = p[i] > 0.5f ? 1.0f : 0.0f;
}

/* Samples a gray byte with 16 random bits: 1 if they are below 65536 b / 255, rounded. So 0 stays 0, 255 becomes
   1, and the error of each probability is at most 2^-17. */
static inline float draw_byte(uint32_t bits, uint32_t byte)
{
    return bits < byte * 257 + (byte >> 7) ? 1.0f : 0.0f;
}

/* The low halves of the words decide the first pixels, the high halves the others. */
LT_CLONES static void draw_low(size_t n, float *x, const unsigned char *b, const uint32_t *word)
{
    for (size_t i = 0; i < n; i++)
        x[i] = draw_byte(word[i] & 0xffff, b[i]);
}

LT_CLONES static void draw_high(size_t n, float *x, const unsigned char *b, const uint32_t *word)
{
    for (size_t i = 0; i < n; i++)
        x[i] = draw_byte(word[i] >> 16, b[i]);
}

LT_CLONES static void draw_floats(size_t n, float *x, const float *p, const uint32_t *word)
{
    for (size_t i = 0; i < n; i++)
        x[i] = philox_uniform(word[i]) < p[i] ? 1.0f : 0.0f;
}

/* The index that the random numbers of an image depend on: its index in the split before options.classes. */
static size_t number_of(const image_split *s, int32_t index)
{
    return (size_t)(s->origin ? s->origin[index] : index);
}

/* Samples a whole image in runs of pixels, each with its own random words. Image `index` starts at word
   number_of * stride of the sequence, whatever batch it is in. */
static void draw_image(const lt_dataset *d, const image_split *s, const philox_key *key,
                       int32_t index, float *x)
{
    enum { WORDS = 1024 };
    uint32_t words[WORDS];
    size_t per_word = s->u8 ? 2 : 1, at = (size_t)index * d->pixels;
    size_t stride = (d->pixels + 3) / 4 * 4;
    for (size_t first = 0; first < d->pixels; first += WORDS * per_word) {
        size_t left = d->pixels - first;
        size_t n = left < WORDS * per_word ? left : WORDS * per_word;
        size_t half = (n + per_word - 1) / per_word;
        philox_words(key, (int64_t)(number_of(s, index) * stride + first / per_word),
                     (int64_t)half, words);
        if (s->f32) {
            draw_floats(n, x + first, s->f32 + at + first, words);
            continue;
        }
        draw_low(half, x + first, s->u8 + at + first, words);
        draw_high(n - half, x + first + half, s->u8 + at + first + half, words);
    }
}

static void gather_image(const lt_dataset *d, const image_split *s, const philox_key *key,
                         int32_t index, float *x)
{
    int binarize = d->info.options.binarize;
    size_t n = d->pixels, at = (size_t)index * n;
    if (s->is_binary)
        copy_bits(n, x, s->u8 + at);
    else if (binarize == LT_BINARIZE_FIXED || binarize == LT_BINARIZE_DYNAMIC)
        draw_image(d, s, key, index, x);
    else if (binarize == LT_BINARIZE_THRESHOLD && s->u8)
        threshold_bytes(n, x, s->u8 + at);
    else if (binarize == LT_BINARIZE_THRESHOLD)
        threshold_floats(n, x, s->f32 + at);
    else if (s->u8)
        scale_bytes(n, x, s->u8 + at);
    else
        memcpy(x, s->f32 + at, n * sizeof *x);
}

/* ---- Mirrors ---- */

static inline void mirror_rows(int h, int w, int c, float *x)
{
    for (int row = 0; row < h; row++, x += (size_t)w * (size_t)c)
        for (float *a = x, *b = x + (size_t)(w - 1) * (size_t)c; a < b; a += c, b -= c)
            for (int k = 0; k < c; k++) {
                float other = a[k];
                a[k] = b[k];
                b[k] = other;
            }
}

/* Mirrors left to right, in place. The compiler sees the usual channels as constants. */
static void mirror_image(const lt_dataset *d, float *x)
{
    int h = d->info.h, w = d->info.w;
    if (d->info.c == 1)
        mirror_rows(h, w, 1, x);
    else if (d->info.c == 3)
        mirror_rows(h, w, 3, x);
    else
        mirror_rows(h, w, d->info.c, x);
}

/* ---- Batches ---- */

static int check_indices(const lt_dataset *d, lt_split split, const int32_t *index, int n)
{
    for (int i = 0; i < n; i++)
        if (index[i] < 0 || index[i] >= d->splits[split].n)
            return status_fail(LT_VALUE, "%s: expected the index of one of %d %s images, found %d",
                               d->name, d->splits[split].n, lt_split_name(split), (int)index[i]);
    return LT_OK;
}

/* Prefetches an image ahead of time, since shuffled images are far apart in memory. */
static void prefetch_image(const lt_dataset *d, const image_split *s, int32_t index)
{
    size_t size = s->u8 ? 1 : sizeof(float), at = (size_t)index * d->pixels * size;
    const char *p = s->u8 ? (const char *)s->u8 + at : (const char *)s->f32 + at;
    size_t end = d->pixels * size < 4096 ? d->pixels * size : 4096;
    for (size_t i = 0; i < end; i += 64)
        __builtin_prefetch(p + i);
}

enum { GATHER_PIECE = 16, GATHER_PIECES = 64, GATHER_AHEAD = 4 };

typedef struct gather_call {
    const lt_dataset *d;
    lt_split split;
    const int32_t *index;
    int n, pieces;
    philox_key key;
    bool with_flips;
    philox_key flips;
    float *x;
} gather_call;

static void gather_piece(void *context, int64_t piece, int thread)
{
    (void)thread;
    const gather_call *c = context;
    const image_split *s = &c->d->splits[c->split];
    int64_t first = c->n * piece / c->pieces, stop = c->n * (piece + 1) / c->pieces;
    for (int64_t i = first; i < stop; i++) {
        if (i + GATHER_AHEAD < stop)
            prefetch_image(c->d, s, c->index[i + GATHER_AHEAD]);
        float *x = c->x + (size_t)i * c->d->pixels;
        gather_image(c->d, s, &c->key, c->index[i], x);
        if (c->with_flips && philox_word(&c->flips, (int64_t)number_of(s, c->index[i])) >> 31)
            mirror_image(c->d, x);
    }
}

static int gather(const lt_dataset *d, lt_split split, const int32_t *index, int n, uint64_t epoch,
                  int threads, float *x, bool with_flips)
{
    LT_TRY(check_indices(d, split, index, n));
    uint64_t seed = (uint64_t)d->info.options.seed;
    bool is_dynamic = d->info.options.binarize == LT_BINARIZE_DYNAMIC;
    gather_call c = {.d = d, .split = split, .index = index, .n = n, .x = x,
                     .key = {.seed = seed,
                             .stream = (is_dynamic ? STREAM_DYNAMIC : STREAM_FIXED) + split,
                             .step = is_dynamic ? epoch : 0},
                     .with_flips = with_flips,
                     .flips = {.seed = seed, .stream = STREAM_FLIP + split, .step = epoch}};
    c.pieces = n / GATHER_PIECE < GATHER_PIECES ? n / GATHER_PIECE + 1 : GATHER_PIECES;
    threads_run(threads, c.pieces, gather_piece, &c);
    return LT_OK;
}

int lt_dataset_gather(const lt_dataset *d, lt_split split, const int32_t *index, int n,
                      uint64_t epoch, int threads, float *x)
{
    return gather(d, split, index, n, epoch, threads, x, false);
}

int lt_dataset_gather_augmented(const lt_dataset *d, lt_split split, const int32_t *index, int n,
                                uint64_t epoch, int threads, float *x)
{
    return gather(d, split, index, n, epoch, threads, x, d->info.options.flip);
}

int lt_dataset_labels(const lt_dataset *d, lt_split split, const int32_t *index, int n,
                      int32_t *labels)
{
    LT_TRY(check_indices(d, split, index, n));
    const image_split *s = &d->splits[split];
    if (!s->labels)
        return status_fail(LT_NOT_FOUND, "%s: its %s split has no labels", d->name,
                           lt_split_name(split));
    for (int i = 0; i < n; i++)
        labels[i] = s->labels[index[i]];
    return LT_OK;
}

int lt_dataset_count_labels(const lt_dataset *d, lt_split split, int64_t *counts)
{
    const image_split *s = &d->splits[split];
    if (!s->labels)
        return status_fail(LT_NOT_FOUND, "%s: its %s split has no labels", d->name,
                           lt_split_name(split));
    int classes = lt_dataset_describe(d)->classes;
    for (int k = 0; k < classes; k++)
        counts[k] = 0;
    for (int i = 0; i < s->n; i++)
        counts[s->labels[i]]++;
    return LT_OK;
}

/* ---- The mean image ---- */

/* Adds one image to integer sums, which are exact; counts the bright ones under a threshold. */
LT_CLONES static void sum_bytes(size_t n, uint64_t *sum, const unsigned char *b, int shift)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += b[i] >> shift;
}

static void sum_floats(size_t n, double *sum, const float *p, bool with_threshold)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += with_threshold ? p[i] > 0.5f : (double)p[i];
}

int lt_dataset_mean_image(const lt_dataset *d, lt_split split, float *mean)
{
    const image_split *s = &d->splits[split];
    if (s->n == 0)
        return status_fail(LT_VALUE, "%s: has no %s images to take the mean of", d->name,
                           lt_split_name(split));
    bool with_threshold = d->info.options.binarize == LT_BINARIZE_THRESHOLD && !s->is_binary;
    void *sums = tensor_alloc(d->pixels * sizeof(uint64_t), "the mean image");
    if (!sums)
        return LT_NO_MEMORY;
    for (int i = 0; i < s->n; i++) {
        size_t at = (size_t)i * d->pixels;
        if (s->u8)
            sum_bytes(d->pixels, sums, s->u8 + at, with_threshold ? 7 : 0);
        else
            sum_floats(d->pixels, sums, s->f32 + at, with_threshold);
    }
    double one = s->is_binary || with_threshold ? 1 : 255; /* the byte that means 1 */
    for (size_t i = 0; i < d->pixels; i++)
        mean[i] = (float)(s->u8 ? (double)((uint64_t *)sums)[i] / (one * s->n)
                                : ((double *)sums)[i] / s->n);
    tensor_free(sums);
    return LT_OK;
}
