/* SPDX-License-Identifier: MIT */
/* Searches train images in blocks. Keeps candidates for each queried image: the nearest train images by a small
   copy, and by features. Then compares each image closely with its candidates. Samples and held-out images are
   treated equally, so held-out images show how close images are by chance or by duplicates in the data. */
#include "quality/memorization.h"

#include "base/clones.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/threads.h"
#include "quality/counts.h"
#include "quality/looks.h"
#include "quality/scores.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_SAMPLES = 2000,
    MAX_HELD = 5000,
    LEAST = 100,
    MAX_FLOATS = 1 << 24,   /* in the queried images, of either kind */
    BLOCK_FLOATS = 1 << 21, /* in a block of train images */
    NEAR = 8,               /* candidates by each of the two searches */
    CANDIDATES = 2 * NEAR,
    MIDDLE = NEAR / 2, /* distances are relative to that of this one of the first NEAR */
    REFERENCES = 400,  /* train images for the ranks in features */
    BATCH = 64,        /* images compared at a time */
};

static const double faint = 0.02; /* a band below this share of its candidates' norm counts as empty */
static const double near_enough = 0.05; /* share of train images that may be nearer in features */
static const double steps[] = {0.2, 0.3, 0.4, 0.5}; /* limits of closeness, each tested */
static const double significant = 0.001;

enum { STEPS = sizeof steps / sizeof *steps };

/* The train image nearest to an image in detail. */
typedef struct match {
    int place;             /* its index in `learn` */
    double pixels, detail; /* distances relative to those of the candidates; 1: equal */
    double features;       /* share of train images that are nearer in features */
    double distance;       /* root mean square */
} match;

struct memorization {
    const reference_set *learn;
    features *features;
    memorization_options o;
    looks looks;
    int n, m, all;     /* samples, held-out images, both: samples first */
    int block;         /* train images at a time */
    int64_t done, todo; /* of the search */
    float *reduced;    /* all x reduced image */
    points small, values;
    float *near_small, *near_values; /* all x NEAR distances, squared */
    int *by_small, *by_values;       /* indices of these train images */
    points train_values;
    float *references; /* features of REFERENCES train images, or of all */
    match *matches;
};

/* ---- Buffers ---- */

static int min_int(int a, int b) { return a < b ? a : b; }
static int max_int(int a, int b) { return a > b ? a : b; }

static void count_images(memorization *c)
{
    int most = max_int(LEAST, MAX_FLOATS / looks_reduced_size(&c->looks));
    c->n = min_int(min_int(c->o.samples, MAX_SAMPLES), most);
    c->m = min_int(min_int(c->o.held_out, MAX_HELD), most);
    c->all = c->n + c->m;
}

static int make_room(memorization *c)
{
    size_t near = (size_t)c->all * NEAR;
    c->near_small = must_alloc(sizeof *c->near_small * near);
    c->near_values = must_alloc(sizeof *c->near_values * near);
    c->by_small = must_alloc(sizeof *c->by_small * near);
    c->by_values = must_alloc(sizeof *c->by_values * near);
    c->matches = must_alloc(sizeof *c->matches * (size_t)c->all);
    c->references = must_alloc(sizeof *c->references * REFERENCES * FEATURES);
    for (size_t i = 0; i < near; i++)
        c->near_small[i] = c->near_values[i] = INFINITY;
    c->reduced = tensor_alloc(sizeof *c->reduced * (size_t)c->all *
                                  (size_t)looks_reduced_size(&c->looks), "images");
    if (!c->reduced)
        return LT_NO_MEMORY;
    LT_TRY(points_init(&c->small, c->all, looks_search_size(&c->looks)));
    LT_TRY(points_init(&c->values, c->all, FEATURES));
    return points_init(&c->train_values, c->learn->n, FEATURES);
}

int memorization_open(const reference_set *learn, features *f, const memorization_options *o, memorization **out)
{
    const lt_dataset_info *info = lt_dataset_describe(learn->data);
    memorization *c = *out = must_alloc(sizeof *c);
    *c = (memorization){.learn = learn, .features = f, .o = *o};
    c->looks = looks_of(info->h, info->w, info->c);
    c->block = (int)(BLOCK_FLOATS / ((int64_t)info->h * info->w * info->c)) + 1;
    count_images(c);
    c->todo = learn->n + c->all;
    int status = make_room(c);
    if (status != LT_OK) {
        memorization_free(c);
        *out = NULL;
    }
    return status;
}

void memorization_free(memorization *c)
{
    if (!c)
        return;
    points_clear(&c->small);
    points_clear(&c->values);
    points_clear(&c->train_values);
    free(c->references);
    tensor_free(c->reduced);
    free(c->near_small);
    free(c->near_values);
    free(c->by_small);
    free(c->by_values);
    free(c->matches);
    free(c);
}

int memorization_samples(const memorization *c) { return c->n; }
int memorization_held(const memorization *c) { return c->m; }

/* ---- Images ---- */

static int64_t pixel_count(const memorization *c) { return (int64_t)c->looks.h * c->looks.w * c->looks.c; }

static float *reduced_image(const memorization *c, int i)
{
    return c->reduced + (int64_t)i * looks_reduced_size(&c->looks);
}

void memorization_take(memorization *c, bool is_held, int first, int n, const float *images, const float *values)
{
    int base = is_held ? c->n : 0, most = is_held ? c->m : c->n;
    float *vector = must_alloc(sizeof *vector * (size_t)looks_search_size(&c->looks));
    for (int k = 0; k < n && first + k < most; k++) {
        int i = base + first + k;
        looks_reduce(&c->looks, images + k * pixel_count(c), reduced_image(c, i));
        looks_search(&c->looks, reduced_image(c, i), vector);
        points_set(&c->small, i, 1, vector);
        points_set(&c->values, i, 1, values + (int64_t)k * FEATURES);
    }
    free(vector);
}

/* ---- Candidates ---- */

static int go_on(memorization *c, int more)
{
    if (c->o.progress && !c->o.progress(c->o.user, (double)c->done / (double)c->todo))
        return status_fail(LT_INTERRUPTED, "the search for copies was stopped");
    c->done += more;
    return LT_OK;
}

/* Searches the next block of train images. `images` and `values` are buffers. */
static int search_block(memorization *c, int first, int n, float *images, float *values, points *block)
{
    int size = looks_search_size(&c->looks);
    float *reduced = must_alloc(sizeof *reduced * (size_t)looks_reduced_size(&c->looks));
    float *vector = must_alloc(sizeof *vector * (size_t)size);
    int status = reference_set_run(c->learn, first, n, c->o.threads, images);
    if (status == LT_OK)
        status = features_find(c->features, n, images, values, NULL);
    if (status == LT_OK)
        status = points_init(block, n, size);
    for (int i = 0; status == LT_OK && i < n; i++) {
        looks_reduce(&c->looks, images + i * pixel_count(c), reduced);
        looks_search(&c->looks, reduced, vector);
        points_set(block, i, 1, vector);
    }
    if (status == LT_OK) {
        points_set(&c->train_values, first, n, values);
        neighbors_search(&(neighbor_query){.from = &c->small, .among = block, .base = first,
                                             .k = NEAR, .nearest = c->near_small,
                                             .place = c->by_small}, c->o.threads);
    }
    free(reduced);
    free(vector);
    return status;
}

static int find_candidates(memorization *c)
{
    float *values = must_alloc(sizeof *values * (size_t)c->block * FEATURES);
    float *images = tensor_alloc(sizeof *images * (size_t)(c->block * pixel_count(c)),
                                 "train images");
    int status = images ? LT_OK : LT_NO_MEMORY;
    for (int first = 0, n; status == LT_OK && first < c->learn->n; first += n) {
        points block = {0};
        n = min_int(c->block, c->learn->n - first);
        status = go_on(c, n);
        if (status == LT_OK)
            status = search_block(c, first, n, images, values, &block);
        points_clear(&block);
    }
    free(values);
    tensor_free(images);
    LT_TRY(status);
    neighbors_search(&(neighbor_query){.from = &c->values, .among = &c->train_values, .k = NEAR,
                                         .nearest = c->near_values, .place = c->by_values},
                      c->o.threads);
    return LT_OK;
}

static void take_references(memorization *c)
{
    int n = min_int(REFERENCES, c->learn->n);
    for (int i = 0; i < n; i++)
        points_get(&c->train_values, (int)((int64_t)i * c->learn->n / n),
                   c->references + (int64_t)i * FEATURES);
}

/* ---- Close comparison ---- */

/* A band of an image, and that of a candidate. */
typedef struct band {
    float *shifted;  /* LOOKS_SHIFTS vectors of the image */
    float length;    /* norm of the first of them before normalization */
    float *vector;   /* of a candidate */
    float apart[CANDIDATES], lengths[CANDIDATES];
} band;

static void band_init(const looks *l, band *b)
{
    size_t size = sizeof(float) * (size_t)looks_size(l);
    b->shifted = must_alloc(size * LOOKS_SHIFTS);
    b->vector = must_alloc(size);
}

static void band_clear(band *b)
{
    free(b->shifted);
    free(b->vector);
}

static void shift_band(const looks *l, const float *whole, band *b)
{
    for (int k = 0; k < l->shifts; k++) {
        float length = looks_vector(l, whole, k, b->shifted + (int64_t)k * looks_size(l));
        b->length = k == 0 ? length : b->length;
    }
}

/* Computes the distance of two unit vectors at the best of all shifts. */
static void compare_band(const looks *l, const float *whole, int candidate, band *b)
{
    int n = looks_size(l);
    float best = -1;
    b->lengths[candidate] = looks_vector(l, whole, 0, b->vector);
    for (int k = 0; k < l->shifts; k++)
        best = fmaxf(best, looks_product(n, b->shifted + (int64_t)k * n, b->vector));
    b->apart[candidate] = sqrtf(fmaxf(0, 2 - 2 * best));
}

/* The median of the first NEAR numbers. */
static float middle_of(const float *x)
{
    float sorted[NEAR];
    for (int i = 0; i < NEAR; i++) {
        int at = i;
        for (; at > 0 && sorted[at - 1] > x[i]; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = x[i];
    }
    return sorted[MIDDLE];
}

/* The distance of candidate k relative to that of the candidates. Returns 1 if they are all equal, or if the image has
   almost nothing in this band. */
static double part_of_way(const band *b, int k)
{
    const float rounding = 1e-3f; /* of distances of equal vectors */
    float middle = middle_of(b->apart);
    if (!(middle > rounding) || !(b->length > (float)faint * middle_of(b->lengths)))
        return 1;
    return (double)b->apart[k] / (double)middle;
}

/* Root mean square difference. */
LT_CLONES
static double distance_of(int n, const float *x, const float *y)
{
    enum { LANES = 8 };
    double sum[LANES] = {0}, all = 0;
    for (int i = 0; i < n; i++) {
        double apart = (double)(x[i] - y[i]);
        sum[i % LANES] += apart * apart;
    }
    for (int j = 0; j < LANES; j++)
        all += sum[j];
    return sqrt(all / n);
}

/* Share of train images that are nearer to image i in features than train image `place`. */
static double share_nearer(const memorization *c, int i, int place)
{
    float x[FEATURES], y[FEATURES];
    int n = min_int(REFERENCES, c->learn->n), nearer = 0;
    points_get(&c->values, i, x);
    points_get(&c->train_values, place, y);
    double limit = distance_of(FEATURES, x, y);
    for (int r = 0; r < n; r++)
        nearer += distance_of(FEATURES, x, c->references + (int64_t)r * FEATURES) < limit;
    return (double)nearer / n;
}

typedef struct batch {
    memorization *c;
    int first;
    const int32_t *index; /* BATCH x CANDIDATES indices, and these images */
    const float *images;
} batch;

static void compare_image(const memorization *c, int i, const int32_t *places, const float *images)
{
    const looks *l = &c->looks;
    size_t size = (size_t)looks_reduced_size(l);
    float *room = must_alloc(sizeof *room * (size * (CANDIDATES + 2) +
                                             (size_t)looks_scratch_size(l)));
    float *coarse = room + size * CANDIDATES, *detail = coarse + size, *scratch = detail + size;
    band pixels = {0}, details = {0};
    int best = 0;
    band_init(l, &pixels);
    band_init(l, &details);
    looks_bands(l, reduced_image(c, i), coarse, detail, scratch);
    shift_band(l, coarse, &pixels);
    shift_band(l, detail, &details);
    for (int k = 0; k < CANDIDATES; k++) {
        looks_reduce(l, images + k * pixel_count(c), room + size * (size_t)k);
        looks_bands(l, room + size * (size_t)k, coarse, detail, scratch);
        compare_band(l, coarse, k, &pixels);
        compare_band(l, detail, k, &details);
        best = details.apart[k] < details.apart[best] ? k : best;
    }
    c->matches[i] = (match){
        .place = places[best],
        .pixels = part_of_way(&pixels, best),
        .detail = part_of_way(&details, best),
        .features = share_nearer(c, i, places[best]),
        .distance = distance_of((int)size, reduced_image(c, i), room + size * (size_t)best)};
    band_clear(&pixels);
    band_clear(&details);
    free(room);
}

static void compare_one(void *context, int64_t piece, int worker)
{
    (void)worker;
    const batch *b = context;
    int at = (int)piece * CANDIDATES;
    compare_image(b->c, b->first + (int)piece, b->index + at, b->images + at * pixel_count(b->c));
}

static int compare_batch(memorization *c, int first, int n, float *images)
{
    int32_t index[BATCH * CANDIDATES];
    for (int i = 0; i < n; i++)
        for (int k = 0; k < NEAR; k++) {
            index[i * CANDIDATES + k] = c->by_small[(first + i) * NEAR + k];
            index[i * CANDIDATES + NEAR + k] = c->by_values[(first + i) * NEAR + k];
        }
    LT_TRY(reference_set_gather(c->learn, index, n * CANDIDATES, c->o.threads, images));
    threads_run(c->o.threads, n, compare_one,
                &(batch){.c = c, .first = first, .index = index, .images = images});
    return LT_OK;
}

static int compare_all(memorization *c)
{
    float *images = tensor_alloc(sizeof *images * BATCH * CANDIDATES * (size_t)pixel_count(c),
                                 "train images");
    int status = images ? LT_OK : LT_NO_MEMORY;
    for (int first = 0; status == LT_OK && first < c->all; first += BATCH) {
        int n = min_int(BATCH, c->all - first);
        status = go_on(c, n);
        if (status == LT_OK)
            status = compare_batch(c, first, n, images);
    }
    tensor_free(images);
    return status;
}

/* ---- Conclusions ---- */

/* The larger value of both bands; 1 if features disagree. */
static double closeness(const match *m)
{
    return m->features > near_enough ? 1 : m->pixels > m->detail ? m->pixels : m->detail;
}

static int count_close(const memorization *c, int first, int n, double limit)
{
    int count = 0;
    for (int i = first; i < first + n; i++)
        count += closeness(&c->matches[i]) < limit;
    return count;
}

/* The smallest share of close samples that the test would find significant, given the close held-out images. */
static double find_least(const memorization *c, int held_out_close)
{
    int low = 1, high = c->n + 1;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (STEPS * count_excess(middle, c->n, held_out_close, c->m) < significant)
            high = middle;
        else
            low = middle + 1;
    }
    return low > c->n ? (double)NAN : (double)low / c->n;
}

static lt_estimate find_nearer(const memorization *c)
{
    float *x = must_alloc(sizeof *x * (size_t)c->all);
    for (int i = 0; i < c->all; i++)
        x[i] = c->near_values[(int64_t)i * NEAR];
    lt_estimate e = chance_below(c->n, x, c->m, x + c->n);
    free(x);
    return e;
}

/* If every held-out image is as far as its candidates, the test has no power. */
static bool can_be_told(const memorization *c)
{
    int told = 0;
    for (int i = c->n; i < c->all; i++)
        told += c->matches[i].pixels != 1 && c->matches[i].detail != 1;
    return 2 * told > c->m;
}

static lt_memorization conclude(const memorization *c)
{
    lt_memorization y = {.samples = c->n, .held_out = c->m, .train = c->learn->n, .p = HUGE_VAL,
                   .neighbor_test = find_nearer(c), .least = (double)NAN};
    for (int k = 0; k < STEPS; k++) {
        int close = count_close(c, 0, c->n, steps[k]), held_out = count_close(c, c->n, c->m, steps[k]);
        double p = STEPS * count_excess(close, c->n, held_out, c->m), least = find_least(c, held_out);
        y.least = least < y.least || isnan(y.least) ? least : y.least;
        if (p >= y.p)
            continue;
        y.closeness = steps[k];
        y.close = close;
        y.held_out_close = held_out;
        y.p = p;
    }
    y.p = y.p < 1 ? y.p : 1;
    y.share = count_share(y.close, y.samples);
    y.held_out_share = count_share(y.held_out_close, y.held_out);
    y.verdict = y.p < significant                    ? LT_MEMORIZATION_FOUND
                : isnan(y.least) || !can_be_told(c) ? LT_MEMORIZATION_UNKNOWN
                                                     : LT_MEMORIZATION_NONE;
    return y;
}

/* Finds the closest samples; of equal ones the first. */
static void find_pairs(const memorization *c, lt_quality *q)
{
    int best[LT_QUALITY_PAIRS], n = 0;
    for (int i = 0; i < c->n; i++) {
        int at = n < LT_QUALITY_PAIRS ? n++ : LT_QUALITY_PAIRS;
        double close = closeness(&c->matches[i]);
        for (; at > 0 && closeness(&c->matches[best[at - 1]]) > close; at--)
            if (at < LT_QUALITY_PAIRS)
                best[at] = best[at - 1];
        if (at < LT_QUALITY_PAIRS)
            best[at] = i;
    }
    q->n_pairs = n;
    for (int k = 0; k < n; k++) {
        const match *m = &c->matches[best[k]];
        q->pairs[k] = (lt_pair){.sample = best[k], .distance = m->distance, .pixels = m->pixels,
                                .detail = m->detail, .features = m->features};
        q->pairs[k].image = reference_set_place(c->learn, m->place, &q->pairs[k].split);
    }
}

int memorization_find(memorization *c, lt_quality *q)
{
    LT_TRY(find_candidates(c));
    take_references(c);
    LT_TRY(compare_all(c));
    q->memorization = conclude(c);
    find_pairs(c, q);
    return LT_OK;
}
