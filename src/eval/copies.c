/* SPDX-License-Identifier: MIT */
/* The train images go by in blocks, twice: for the nearest one of each sample and held image, and
   for the nearest one of each of those. */
#include "eval/copies.h"

#include "base/memory.h"
#include "base/status.h"
#include "eval/estimate.h"
#include "eval/scores.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST = 500,
    LEAST = 100,
    MOST_FLOATS = 1 << 24,  /* of images that are looked at */
    BLOCK_FLOATS = 1 << 21, /* of train images that go by */
};

int copies_count(int64_t pixels)
{
    int64_t n = MOST_FLOATS / pixels;
    return n > MOST ? MOST : n < LEAST ? LEAST : (int)n;
}

/* The images that are looked at, by one kind of distance. */
typedef struct searching {
    points from;
    float *nearest;  /* to the nearest train image, squared */
    int *place;      /* of that */
    points hits;     /* those train images themselves */
    float *further;  /* from that to the nearest other one */
} searching;

typedef struct copying {
    const copies_question *q;
    int n;          /* samples and held images */
    int block;      /* train images at a time */
    int64_t pixels; /* numbers in an image */
    int done, todo; /* blocks */
    float *images, *values;
    searching by_pixels, by_values;
    points all; /* features of all train images */
} copying;

/* ---- Room ---- */

static int open_search(searching *s, int n, int d)
{
    s->nearest = must_alloc(sizeof *s->nearest * (size_t)n);
    s->further = must_alloc(sizeof *s->further * (size_t)n);
    s->place = must_alloc(sizeof *s->place * (size_t)n);
    for (int i = 0; i < n; i++)
        s->nearest[i] = s->further[i] = INFINITY;
    LT_TRY(points_init(&s->from, n, d));
    return points_init(&s->hits, n, d);
}

static void close_search(searching *s)
{
    points_clear(&s->from);
    points_clear(&s->hits);
    free(s->nearest);
    free(s->further);
    free(s->place);
}

static int open_copying(copying *c, const copies_question *q)
{
    const lt_dataset_info *info = lt_dataset_describe(q->learn->data);
    c->q = q;
    c->n = q->n + q->m;
    c->pixels = (int64_t)info->h * info->w * info->c;
    c->block = (int)(BLOCK_FLOATS / c->pixels) + 1;
    c->todo = 2 * ((q->learn->n + c->block - 1) / c->block);
    size_t block = (size_t)c->block;
    c->images = tensor_alloc(sizeof *c->images * block * (size_t)c->pixels, "train images");
    c->values = must_alloc(sizeof *c->values * block * FEATURES);
    if (!c->images)
        return LT_NO_MEMORY;
    LT_TRY(points_init(&c->all, q->learn->n, FEATURES));
    LT_TRY(open_search(&c->by_pixels, c->n, (int)c->pixels));
    LT_TRY(open_search(&c->by_values, c->n, FEATURES));
    points_set(&c->by_pixels.from, 0, q->n, q->samples);
    points_set(&c->by_pixels.from, q->n, q->m, q->held);
    points_set(&c->by_values.from, 0, q->n, q->sample_values);
    points_set(&c->by_values.from, q->n, q->m, q->held_values);
    return LT_OK;
}

static void close_copying(copying *c)
{
    tensor_free(c->images);
    free(c->values);
    points_clear(&c->all);
    close_search(&c->by_pixels);
    close_search(&c->by_values);
}

/* ---- Searches ---- */

/* Among points that are train images base, base + 1, ... */
static void search_nearest(const copying *c, searching *s, const points *among, int base)
{
    neighbours_search(&(neighbour_query){.from = &s->from, .among = among, .base = base, .k = 1,
                                         .nearest = s->nearest, .place = s->place},
                      c->q->threads);
}

static void search_further(const copying *c, searching *s, const points *among, int base)
{
    neighbours_search(&(neighbour_query){.from = &s->hits, .among = among, .base = base, .k = 1,
                                         .self = s->place, .nearest = s->further}, c->q->threads);
}

/* The next block of train images as points. */
static int take_block(copying *c, int first, points *block)
{
    int left = c->q->learn->n - first, n = left < c->block ? left : c->block;
    if (c->q->progress && !c->q->progress(c->q->user, (double)c->done++ / c->todo))
        return status_fail(LT_INTERRUPTED, "the search for copies was stopped");
    LT_TRY(gallery_run(c->q->learn, first, n, c->q->threads, c->images));
    LT_TRY(points_init(block, n, (int)c->pixels));
    points_set(block, 0, n, c->images);
    return LT_OK;
}

static int first_pass(copying *c)
{
    for (int first = 0; first < c->q->learn->n; first += c->block) {
        points block = {0};
        int status = take_block(c, first, &block);
        if (status == LT_OK)
            status = features_find(c->q->features, block.n, c->images, c->values, NULL);
        if (status == LT_OK) {
            points_set(&c->all, first, block.n, c->values);
            search_nearest(c, &c->by_pixels, &block, first);
        }
        points_clear(&block);
        LT_TRY(status);
    }
    search_nearest(c, &c->by_values, &c->all, 0);
    return LT_OK;
}

/* The nearest train images themselves, as points of either kind. */
static int find_hits(copying *c)
{
    for (int i = 0; i < c->n; i++) {
        LT_TRY(gallery_run(c->q->learn, c->by_pixels.place[i], 1, 1, c->images));
        points_set(&c->by_pixels.hits, i, 1, c->images);
        points_get(&c->all, c->by_values.place[i], c->values);
        points_set(&c->by_values.hits, i, 1, c->values);
    }
    return LT_OK;
}

static int second_pass(copying *c)
{
    for (int first = 0; first < c->q->learn->n; first += c->block) {
        points block = {0};
        int status = take_block(c, first, &block);
        if (status == LT_OK)
            search_further(c, &c->by_pixels, &block, first);
        points_clear(&block);
        LT_TRY(status);
    }
    search_further(c, &c->by_values, &c->all, 0);
    return LT_OK;
}

/* ---- Conclusions ---- */

static lt_estimate share_of_copies(const searching *s, int first, int n)
{
    tally t = {0};
    for (int i = first; i < first + n; i++)
        tally_add(&t, s->nearest[i] < s->further[i]);
    return tally_estimate(&t, 1);
}

static lt_copy_check conclude(const copying *c, const searching *s)
{
    int n = c->q->n, m = c->q->m;
    return (lt_copy_check){.nearer = chance_below(n, s->nearest, m, s->nearest + n),
                           .copies = share_of_copies(s, 0, n),
                           .floor = share_of_copies(s, n, m)};
}

/* How near sample i is to its train image, as a part of how near that is to another one. */
static double closeness(const searching *s, int i)
{
    return (double)s->nearest[i] / ((double)s->further[i] + 1e-12);
}

/* The samples that are nearest in this sense, the first of equals. */
static void find_pairs(const copying *c, lt_quality *q)
{
    const searching *s = &c->by_pixels;
    int best[LT_QUALITY_PAIRS], n = 0;
    for (int i = 0; i < c->q->n; i++) {
        int at = n < LT_QUALITY_PAIRS ? n++ : LT_QUALITY_PAIRS;
        for (; at > 0 && closeness(s, best[at - 1]) > closeness(s, i); at--)
            if (at < LT_QUALITY_PAIRS)
                best[at] = best[at - 1];
        if (at < LT_QUALITY_PAIRS)
            best[at] = i;
    }
    q->n_pairs = n;
    for (int k = 0; k < n; k++) {
        lt_pair *p = &q->pairs[k];
        *p = (lt_pair){.sample = best[k],
                       .distance = sqrt((double)s->nearest[best[k]] / (double)c->pixels)};
        p->image = gallery_place(c->q->learn, s->place[best[k]], &p->split);
    }
}

int copies_find(const copies_question *question, lt_quality *q)
{
    copying c = {.n = 0};
    int status = open_copying(&c, question);
    if (status == LT_OK)
        status = first_pass(&c);
    if (status == LT_OK)
        status = find_hits(&c);
    if (status == LT_OK)
        status = second_pass(&c);
    if (status == LT_OK) {
        q->pixels = conclude(&c, &c.by_pixels);
        q->features = conclude(&c, &c.by_values);
        find_pairs(&c, q);
    }
    close_copying(&c);
    return status;
}
