/* SPDX-License-Identifier: MIT */
/* Color quantization (Heckbert 1982, with variances in place of ranges): repeatedly cuts the box of colors with the
   largest sum of squared distances from its mean, at that mean, across its largest variance; then moves colors to
   the nearest mean a few times, which lowers that sum further. No randomness and no dithering: still
   parts of an animation keep their colors. */
#include "image/median_cut.h"

#include "base/memory.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_COUNTED = 65536, LAST_SHIFT = 3, ROUNDS = 4 };

/* ---- Counting ---- */

void colors_clear(colors *c)
{
    free(c->slots);
    *c = (colors){0};
}

static uint32_t key_of(const colors *c, const unsigned char *pixel, int channels)
{
    uint32_t key = 1;
    for (int k = 0; k < 3; k++)
        key = key << 8 | (uint32_t)(pixel[channels == 1 ? 0 : k] >> c->shift);
    return key;
}

static color *slot_of(const colors *c, uint32_t key)
{
    uint32_t mask = (uint32_t)c->n_slots - 1, at = key * 2654435769u >> 8;
    while (c->slots[at & mask].key && c->slots[at & mask].key != key)
        at++;
    return &c->slots[at & mask];
}

static bool count_image(colors *c, const lt_image *image)
{
    size_t n = (size_t)image->width * (size_t)image->height;
    const unsigned char *pixel = image->pixels;
    color *slot = NULL;
    for (size_t i = 0; i < n; i++, pixel += image->channels) {
        uint32_t key = key_of(c, pixel, image->channels);
        if (!slot || slot->key != key)
            slot = slot_of(c, key);
        if (!slot->key && c->n++ == c->most)
            return false;
        slot->key = key;
        slot->n++;
        for (int k = 0; k < 3; k++)
            slot->sum[k] += pixel[image->channels == 1 ? 0 : k];
    }
    return true;
}

bool colors_count(colors *c, const lt_image *images, int n, int most, int shift)
{
    colors_clear(c);
    c->most = most;
    c->shift = shift;
    for (c->n_slots = 2; c->n_slots <= 2 * most;)
        c->n_slots *= 2;
    c->slots = must_alloc(sizeof *c->slots * (size_t)c->n_slots);
    for (int i = 0; i < n; i++)
        if (!count_image(c, &images[i]))
            return false;
    return true;
}

void colors_places(const colors *c, const lt_image *image, unsigned char *places)
{
    size_t n = (size_t)image->width * (size_t)image->height;
    const unsigned char *pixel = image->pixels;
    const color *slot = NULL;
    for (size_t i = 0; i < n; i++, pixel += image->channels) {
        uint32_t key = key_of(c, pixel, image->channels);
        if (!slot || slot->key != key)
            slot = slot_of(c, key);
        places[i] = (unsigned char)slot->place;
    }
}

static int compare_keys(const void *a, const void *b)
{
    uint32_t x = (*(color *const *)a)->key, y = (*(color *const *)b)->key;
    return (x > y) - (x < y);
}

/* Returns all colors, sorted by key. Freed by the caller. */
static color **list_colors(const colors *c)
{
    color **list = must_alloc(sizeof *list * ((size_t)c->n + 1));
    int n = 0;
    for (int i = 0; i < c->n_slots; i++)
        if (c->slots[i].key)
            list[n++] = &c->slots[i];
    qsort(list, (size_t)n, sizeof *list, compare_keys);
    return list;
}

void colors_keep(colors *c, palette *p)
{
    color **list = list_colors(c);
    LT_ASSERT(c->n <= MAX_COLORS && c->shift == 0);
    *p = (palette){.n = c->n};
    for (int i = 0; i < c->n; i++) {
        list[i]->place = i;
        for (int k = 0; k < 3; k++)
            p->rgb[3 * i + k] = (unsigned char)(list[i]->key >> (16 - 8 * k));
    }
    free(list);
}

/* ---- Cutting ---- */

/* Colors begin ... end - 1 of the list, and their statistics. */
typedef struct block {
    int begin, end, longest; /* longest: the channel of the largest variance */
    double mean[3], error;   /* error: sum of squared distances from the mean, over pixels */
} block;

static double mean_of(const color *c, int k) { return (double)c->sum[k] / (double)c->n; }

static block describe(color *const *list, int begin, int end)
{
    block b = {.begin = begin, .end = end};
    double n = 0, spread[3] = {0};
    for (int i = begin; i < end; i++) {
        n += (double)list[i]->n;
        for (int k = 0; k < 3; k++)
            b.mean[k] += (double)list[i]->sum[k];
    }
    for (int k = 0; k < 3; k++)
        b.mean[k] /= n;
    for (int i = begin; i < end; i++)
        for (int k = 0; k < 3; k++) {
            double d = mean_of(list[i], k) - b.mean[k];
            spread[k] += d * d * (double)list[i]->n;
        }
    for (int k = 0; k < 3; k++) {
        b.error += spread[k];
        if (spread[k] > spread[b.longest])
            b.longest = k;
    }
    return b;
}

/* Moves the colors below the mean to the front; returns where the others begin. */
static int divide(color **list, const block *b)
{
    int middle = b->begin;
    for (int i = b->begin; i < b->end; i++)
        if (mean_of(list[i], b->longest) < b->mean[b->longest]) {
            color *moved = list[i];
            list[i] = list[middle];
            list[middle++] = moved;
        }
    return middle;
}

static int cut_blocks(color **list, int n, int most, block *blocks)
{
    int n_blocks = 1;
    blocks[0] = describe(list, 0, n);
    while (n_blocks < most) {
        block *worst = &blocks[0];
        for (int i = 1; i < n_blocks; i++)
            if (blocks[i].error > worst->error)
                worst = &blocks[i];
        int middle = divide(list, worst), end = worst->end;
        if (worst->end - worst->begin < 2 || middle == worst->begin || middle == end)
            break; /* each color has its own block */
        *worst = describe(list, worst->begin, middle);
        blocks[n_blocks++] = describe(list, middle, end);
    }
    return n_blocks;
}

/* ---- Means ---- */

typedef struct mean {
    double at[3], sum[3], n;
    const color *main; /* the most frequent one */
} mean;

static int nearest(const mean *means, int n, const double x[3])
{
    int best = 0;
    double least = 1e9;
    for (int i = 0; i < n; i++) {
        double r = x[0] - means[i].at[0], g = x[1] - means[i].at[1], b = x[2] - means[i].at[2];
        double d = r * r + g * g + b * b;
        if (d < least) {
            least = d;
            best = i;
        }
    }
    return best;
}

/* Assigns each color to the nearest mean, and computes the sums of each mean. */
static void gather(mean *means, int n_means, color *const *list, int n)
{
    for (int i = 0; i < n_means; i++)
        means[i] = (mean){.at = {means[i].at[0], means[i].at[1], means[i].at[2]}};
    for (int i = 0; i < n; i++) {
        color *c = list[i];
        c->place = nearest(means, n_means, (double[]){mean_of(c, 0), mean_of(c, 1), mean_of(c, 2)});
        mean *m = &means[c->place];
        m->n += (double)c->n;
        for (int k = 0; k < 3; k++)
            m->sum[k] += (double)c->sum[k];
        if (!m->main || c->n > m->main->n)
            m->main = c;
    }
}

/* Keeps the color of more than half of the pixels of a mean exact: white paper stays white. */
static unsigned char settle(const mean *m, int k)
{
    bool has_main = m->main && 2 * (double)m->main->n > m->n;
    return (unsigned char)((has_main ? mean_of(m->main, k) : m->at[k]) + 0.5);
}

static void move_means(mean *means, int n_means)
{
    for (int i = 0; i < n_means; i++)
        for (int k = 0; k < 3 && means[i].n > 0; k++)
            means[i].at[k] = means[i].sum[k] / means[i].n;
}

void colors_reduce(colors *c, const lt_image *images, int n, int most, palette *p)
{
    int shift = 0;
    while (!colors_count(c, images, n, MAX_COUNTED, shift) && shift < LAST_SHIFT)
        shift++;
    color **list = list_colors(c);
    block blocks[MAX_COLORS];
    mean means[MAX_COLORS] = {0};
    *p = (palette){.n = cut_blocks(list, c->n, most, blocks)};
    for (int i = 0; i < p->n; i++)
        memcpy(means[i].at, blocks[i].mean, sizeof blocks[i].mean);
    for (int i = 0; i < ROUNDS; i++) {
        gather(means, p->n, list, c->n);
        move_means(means, p->n);
    }
    gather(means, p->n, list, c->n);
    for (int i = 0; i < 3 * p->n; i++)
        p->rgb[i] = settle(&means[i / 3], i % 3);
    free(list);
}
