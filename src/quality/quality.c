/* SPDX-License-Identifier: MIT */
/* Scores of samples: features of three sets of images (held-out ones, train ones as their floor,
   samples), the same scores of the last two against the first, and a search for copies. */
#include <latent/quality.h>
#include <latent/train.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/philox.h"
#include "base/status.h"
#include "base/text.h"
#include "exec/run_options.h"
#include "quality/memorization.h"
#include "quality/features.h"
#include "quality/moments.h"
#include "quality/scores.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    VERSION = 2, /* of all code that affects a score, besides the features */
    SAMPLES = 10000,
    LEAST = 20,          /* minimum number of images: 10 subsets of two */
    NEIGHBORS = 5,      /* of precision, recall, density, coverage */
    BLOCK_FLOATS = 1 << 24,
    MAX_IN_BLOCK = 2048, /* samples generated at a time, a multiple of LT_GENERATOR_BATCH */
    STREAM_BITS = 0x9ea702,
    STREAM_ORDER = 0x9ea703,
    ORDER_SCORED = 0, /* seeds of the orders */
    ORDER_HELD = 1,
};

/* Images by their features. */
typedef struct cloud {
    int n;
    float *values, *probabilities; /* n x FEATURES, n x classes */
    points points;
    float *radius;
    moments moments;
} cloud;

/* Writes images first ... first + n - 1. */
typedef int image_source(void *context, int first, int n, float *images);

typedef struct measuring {
    lt_quality_options o;
    lt_dataset *data;
    int64_t pixels;
    reference_set learn, held_out, floor; /* train images; held-out images; the train images of the floor */
    features *features;
    cloud samples, of_held, of_floor;
    reference_set all_held; /* all held-out images; `held_out` has as many as samples */
    memorization *memorization;
    int n, block;     /* samples; in a block */
    float *images;    /* of all samples, if wanted */
    double from, to; /* progress of the current part */
} measuring;

/* ---- Progress: each part has about its share of the time ---- */

static bool pass_on(void *user, double done)
{
    const measuring *m = user;
    return run_continues(&m->o.run, m->from + (m->to - m->from) * (done < 1 ? done : 1));
}

static int begin_part(measuring *m, double from, double to)
{
    m->from = from;
    m->to = to;
    return pass_on(m, 0) ? LT_OK : status_fail(LT_INTERRUPTED, "the evaluation was stopped");
}

/* ---- Clouds ---- */

static int cloud_init(cloud *c, int n, int classes)
{
    c->n = n;
    c->values = tensor_alloc(sizeof *c->values * (size_t)n * FEATURES, "features");
    c->probabilities = tensor_alloc(sizeof(float) * (size_t)n * (size_t)classes, "classes");
    c->radius = must_alloc(sizeof *c->radius * (size_t)n);
    return c->values && c->probabilities ? points_init(&c->points, n, FEATURES) : LT_NO_MEMORY;
}

static void cloud_clear(cloud *c)
{
    tensor_free(c->values);
    tensor_free(c->probabilities);
    free(c->radius);
    points_clear(&c->points);
    moments_clear(&c->moments);
}

/* Stores samples, and searches them for copies. */
static void take_sample_block(measuring *m, int at, int n, const float *images)
{
    if (m->memorization)
        memorization_take(m->memorization, false, at, n, images, m->samples.values + (size_t)at * FEATURES);
    if (m->images)
        memcpy(m->images + at * m->pixels, images, sizeof *images * (size_t)(n * m->pixels));
}

/* Computes the features of images block by block; `are_samples`: also searches them for copies. */
static int fill_cloud(measuring *m, cloud *c, image_source *source, void *context, bool are_samples)
{
    int classes = features_describe(m->features)->classes, status = LT_OK;
    float *images = tensor_alloc(sizeof *images * (size_t)(m->block * m->pixels), "images");
    if (!images)
        return LT_NO_MEMORY;
    for (int at = 0, n; status == LT_OK && at < c->n; at += n) {
        n = c->n - at < m->block ? c->n - at : m->block;
        status = pass_on(m, (double)at / c->n)
                     ? source(context, at, n, images)
                     : status_fail(LT_INTERRUPTED, "the evaluation was stopped");
        if (status == LT_OK)
            status = features_find(m->features, n, images, c->values + (size_t)at * FEATURES,
                                   c->probabilities + (int64_t)at * classes);
        if (status == LT_OK && are_samples)
            take_sample_block(m, at, n, images);
    }
    tensor_free(images);
    if (status == LT_OK) {
        points_set(&c->points, 0, c->n, c->values);
        moments_find(&c->moments, c->n, FEATURES, c->values);
        radii_find(&c->points, NEIGHBORS, m->o.run.threads, c->radius);
    }
    return status;
}

/* The order in which n rows are put into subsets. The caller frees it. */
static int32_t *order_of(int n, uint64_t seed)
{
    int32_t *order = must_alloc(sizeof *order * ((size_t)n + 1));
    philox_shuffle(&(philox_key){seed, STREAM_ORDER, 0}, n, order);
    return order;
}

/* Copies n rows of d numbers in a random order: subsets take about every tenth row, which would alias with interleaved
   classes. The caller frees the copy. */
static float *shuffled(const float *rows, int n, int d, uint64_t seed)
{
    int32_t *order = order_of(n, seed);
    float *copy = must_alloc(sizeof *copy * (size_t)n * (size_t)d);
    for (int i = 0; i < n; i++)
        memcpy(copy + (size_t)i * (size_t)d, rows + (size_t)order[i] * (size_t)d,
               sizeof *copy * (size_t)d);
    free(order);
    return copy;
}

/* Minimum number of images per score: with fewer, real images and noise score nearly the same, or the error exceeds
   the effect. Measured by `make few`; docs/quality.md has the table. */
static const struct {
    const char *name;
    int least;
} needs[] = {
    {"fid", 200},     {"kid", 200},      {"precision", 200}, {"recall", 200},
    {"density", 200}, {"coverage", 200}, {"inception", 500},
};

int lt_quality_min_images(const char *score)
{
    for (size_t i = 0; i < sizeof needs / sizeof *needs; i++)
        if (strcmp(score, needs[i].name) == 0)
            return needs[i].least;
    return 0;
}

/* Whether n images are too few for a score. */
static bool are_few(const measuring *m, const char *score, int n)
{
    return !m->o.with_all_scores && n < lt_quality_min_images(score);
}

/* Sets scores with too few images to NaN. */
static void refuse_scores(const measuring *m, const lt_quality *q, int n, lt_sample_scores *s)
{
    const lt_estimate none = {(double)NAN, (double)NAN};
    n = n < m->held_out.n ? n : m->held_out.n;
    if (are_few(m, "fid", n))
        s->fid = none.value;
    if (are_few(m, "kid", n))
        s->kid = none;
    if (are_few(m, "precision", n) || q->is_alike)
        s->precision = none;
    if (are_few(m, "recall", n) || q->is_alike)
        s->recall = none;
    if (are_few(m, "density", n) || q->is_alike)
        s->density = none;
    if (are_few(m, "coverage", n) || q->is_alike)
        s->coverage = none;
    if (are_few(m, "inception", n) || q->is_guessing)
        s->inception = none;
}

/* Whether most held-out images equal all of their nearest neighbors. */
static bool are_alike(const cloud *held_out)
{
    int equal = 0;
    for (int i = 0; i < held_out->n; i++)
        equal += held_out->radius[i] == 0;
    return 2 * equal > held_out->n;
}

static lt_sample_scores score(const measuring *m, const cloud *c)
{
    const features_info *info = features_describe(m->features);
    const cloud *held_out = &m->of_held;
    float *rows = shuffled(c->values, c->n, FEATURES, ORDER_SCORED),
          *held_out_rows = shuffled(held_out->values, held_out->n, FEATURES, ORDER_HELD),
          *probabilities = shuffled(c->probabilities, c->n, info->classes, ORDER_SCORED);
    lt_sample_scores s = {.inception = {(double)NAN, (double)NAN}};
    s.fid = moments_distance(&c->moments, &held_out->moments);
    s.kid = kernel_distance(FEATURES, c->n, rows, held_out->n, held_out_rows, m->o.run.threads);
    overlap_find(&c->points, c->radius, &held_out->points, held_out->radius, NEIGHBORS, m->o.run.threads, &s);
    if (!info->is_rotation)
        s.inception = inception_find(c->n, info->classes, probabilities);
    free(rows);
    free(held_out_rows);
    free(probabilities);
    return s;
}

/* ---- Sources of images ---- */

typedef struct reference_set_source {
    const reference_set *g;
    int threads;
} reference_set_source;

static int take_gallery(void *context, int first, int n, float *images)
{
    const reference_set_source *s = context;
    return reference_set_run(s->g, first, n, s->threads, images);
}

typedef struct sample_source {
    lt_generator *generator; /* NULL: */
    const float *images;     /* given images */
    int64_t pixels;
    bool is_drawn;
    uint64_t seed;
} sample_source;

/* Clamps numbers to [0, 1]; refuses NaN and infinity. */
static int clamp_images(int64_t n, int64_t pixels, int first, float *images)
{
    for (int64_t i = 0; i < n * pixels; i++) {
        float v = images[i];
        if (!isfinite(v))
            return status_fail(LT_VALUE, "sample %jd: number %jd of %jd is %s",
                               (intmax_t)(first + i / pixels), (intmax_t)(i % pixels),
                               (intmax_t)pixels, isnan(v) ? "not a number" : "infinite");
        images[i] = v < 0 ? 0 : v > 1 ? 1 : v;
    }
    return LT_OK;
}

/* Samples bits with these probabilities, n pixels from pixel `first` of all images on, a multiple of 4. */
static void draw_bits(int64_t first, int64_t n, const philox_key *key, float *images)
{
    enum { WORDS = 256 };
    uint32_t word[WORDS + 4];
    for (int64_t at = 0; at < n; at += WORDS) {
        int64_t count = n - at < WORDS ? n - at : WORDS;
        philox_words(key, first + at, count, word);
        for (int64_t i = 0; i < count; i++)
            images[at + i] = philox_uniform(word[i]) < images[at + i];
    }
}

static int take_samples(void *context, int first, int n, float *images)
{
    const sample_source *s = context;
    if (s->generator)
        LT_TRY(lt_generator_sample(s->generator, first, n, s->seed, images));
    else
        memcpy(images, s->images + first * s->pixels, sizeof *images * (size_t)(n * s->pixels));
    LT_TRY(clamp_images(n, s->pixels, first, images));
    if (s->is_drawn)
        draw_bits(first * s->pixels, n * s->pixels, &(philox_key){s->seed, STREAM_BITS, 0}, images);
    return LT_OK;
}

/* ---- Measuring ---- */

static int check(measuring *m, lt_split split, int images)
{
    const lt_dataset_info *info = lt_dataset_describe(m->data);
    if (m->o.run.executor != LT_CPU)
        return status_fail(LT_UNSUPPORTED, "quality: expected the executor cpu, which defines the features");
    LT_TRY(reference_set_divide(m->data, split, &m->learn, &m->held_out));
    m->o.run.threads = m->o.run.threads > 0 ? m->o.run.threads : lt_cores();
    int most = m->held_out.n < SAMPLES ? m->held_out.n : SAMPLES;
    m->n = images > 0 ? images : m->o.samples > 0 ? m->o.samples : most;
    m->all_held = m->held_out;
    m->held_out = reference_set_part(&m->held_out, m->n);
    m->floor = reference_set_part(&m->learn, m->n);
    if (m->n < LEAST || m->held_out.n < LEAST || m->floor.n < LEAST)
        return status_fail(LT_VALUE,
                           "%s: expected at least %d samples, held-out and train images, found %d, %d "
                           "and %d", info->name, LEAST, m->n, m->held_out.n, m->floor.n);
    m->pixels = (int64_t)info->h * info->w * info->c;
    int64_t block = BLOCK_FLOATS / m->pixels / LT_GENERATOR_BATCH * LT_GENERATOR_BATCH;
    m->block = block > MAX_IN_BLOCK ? MAX_IN_BLOCK : block > 0 ? (int)block : LT_GENERATOR_BATCH;
    return LT_OK;
}

static int open_features(measuring *m)
{
    LT_TRY(begin_part(m, 0, 0.6));
    features_options o = {.steps = m->o.feature_steps, .threads = m->o.run.threads,
                          .progress = pass_on, .user = m};
    LT_TRY(features_open(&m->learn, &o, &m->features));
    int varying = features_describe(m->features)->varying;
    if (varying >= FEATURES / 2)
        return LT_OK;
    return status_fail(LT_VALUE,
                       "%s: no score can be told: %d of %d features are the same for all %d train "
                       "images, so other images could look equal to these; expected images that "
                       "differ", lt_dataset_describe(m->data)->name, FEATURES - varying, FEATURES,
                       m->learn.n);
}

static int min_int(int a, int b) { return a < b ? a : b; }

static int fill_clouds(measuring *m, sample_source *s)
{
    reference_set_source held_out = {&m->held_out, m->o.run.threads}, floor = {&m->floor, m->o.run.threads};
    int classes = features_describe(m->features)->classes;
    if (m->o.arrays && m->o.with_images) {
        m->images = tensor_alloc(sizeof(float) * (size_t)(m->n * m->pixels), "samples");
        if (!m->images)
            return LT_NO_MEMORY;
    }
    LT_TRY(cloud_init(&m->of_held, m->held_out.n, classes));
    LT_TRY(cloud_init(&m->of_floor, m->floor.n, classes));
    LT_TRY(cloud_init(&m->samples, m->n, classes));
    LT_TRY(begin_part(m, 0.6, 0.65));
    LT_TRY(fill_cloud(m, &m->of_held, take_gallery, &held_out, false));
    LT_TRY(begin_part(m, 0.65, 0.7));
    LT_TRY(fill_cloud(m, &m->of_floor, take_gallery, &floor, false));
    LT_TRY(begin_part(m, 0.7, 0.8));
    return fill_cloud(m, &m->samples, take_samples, s, true);
}

/* Adds held-out images, the baseline of the search for copies, in blocks. */
static int take_held(measuring *m, float *images, float *values)
{
    reference_set held_out = reference_set_part(&m->all_held, memorization_held(m->memorization));
    for (int at = 0, n; at < held_out.n; at += n) {
        n = min_int(m->block, held_out.n - at);
        LT_TRY(reference_set_run(&held_out, at, n, m->o.run.threads, images));
        LT_TRY(features_find(m->features, n, images, values, NULL));
        memorization_take(m->memorization, true, at, n, images, values);
    }
    return LT_OK;
}

static int look_for_copies(measuring *m, lt_quality *q)
{
    float *values = must_alloc(sizeof *values * (size_t)m->block * FEATURES);
    float *images = tensor_alloc(sizeof *images * (size_t)(m->block * m->pixels), "images");
    int status = images ? take_held(m, images, values) : LT_NO_MEMORY;
    tensor_free(images);
    free(values);
    return status == LT_OK ? memorization_find(m->memorization, q) : status;
}

static int open_copies(measuring *m)
{
    memorization_options o = {.samples = m->n, .held_out = m->all_held.n, .threads = m->o.run.threads,
                        .progress = pass_on, .user = m};
    return memorization_open(&m->learn, m->features, &o, &m->memorization);
}

/* Computes the digest of everything that scores depend on besides the samples. */
static int name_scores(const measuring *m, lt_quality *q)
{
    text t = {0};
    LT_TRY(reference_set_digest(&m->held_out, false, m->o.run.threads, q->held_out_digest));
    text_format(&t, "latent quality %d: %d samples%s, %d train images, %d neighbors\n%s\n%s\n",
                VERSION, m->n, q->is_drawn ? " drawn" : "", m->floor.n, NEIGHBORS,
                q->features_digest, q->held_out_digest);
    sha256_text(text_get(&t), t.size, q->digest);
    text_clear(&t);
    return LT_OK;
}

static int conclude(measuring *m, lt_quality *q)
{
    const features_info *info = features_describe(m->features);
    memcpy(q->features_digest, info->digest, sizeof info->digest);
    q->images = m->n;
    q->held_out = m->held_out.n;
    q->floor_images = m->floor.n;
    q->train = m->learn.n;
    q->is_rotation = info->is_rotation;
    q->classes = info->classes;
    q->was_cached = info->was_cached;
    LT_TRY(name_scores(m, q));
    LT_TRY(features_accuracy(m->features, &m->held_out, &q->accuracy, &q->guess));
    q->is_guessing = q->accuracy <= q->guess + 3 * sqrt(q->guess * (1 - q->guess) / m->held_out.n);
    q->is_alike = are_alike(&m->of_held);
    q->floor = score(m, &m->of_floor);
    q->samples = score(m, &m->samples);
    q->is_by_outliers = q->samples.precision.value > 0.1 &&
                        q->samples.density.value < 0.5 * q->samples.precision.value;
    refuse_scores(m, q, m->floor.n, &q->floor);
    refuse_scores(m, q, m->n, &q->samples);
    LT_TRY(begin_part(m, 0.85, 1));
    return m->memorization ? look_for_copies(m, q) : LT_OK;
}

/* ---- Arrays for the caller ---- */

static float *move_floats(float **from)
{
    float *moved = *from;
    *from = NULL;
    return moved;
}

/* Lists the index, split and label of each image. */
static int list_images(const reference_set *g, int32_t **index, int32_t **splits, int32_t **labels)
{
    size_t room = sizeof **index * ((size_t)g->n + 1);
    *index = must_alloc(room);
    *splits = must_alloc(room);
    for (int i = 0; i < g->n; i++)
        (*index)[i] = i;
    if (g->has_labels) {
        *labels = must_alloc(room);
        LT_TRY(reference_set_labels(g, *index, g->n, *labels));
    }
    for (int i = 0; i < g->n; i++) {
        lt_split split;
        int place = reference_set_place(g, i, &split);
        (*index)[i] = (int32_t)lt_dataset_origin(g->data, split, place);
        (*splits)[i] = (int32_t)split;
    }
    return LT_OK;
}

/* Moves the arrays of `m` to the caller. */
static int keep_arrays(measuring *m)
{
    const lt_dataset_info *info = lt_dataset_describe(m->data);
    lt_quality_arrays *a = m->o.arrays;
    if (!a)
        return LT_OK;
    *a = (lt_quality_arrays){
        .width = FEATURES, .classes = features_describe(m->features)->classes,
        .samples = m->n, .held_out = m->held_out.n, .train = m->floor.n,
        .sample_features = move_floats(&m->samples.values),
        .held_out_features = move_floats(&m->of_held.values),
        .train_features = move_floats(&m->of_floor.values),
        .sample_classes = move_floats(&m->samples.probabilities),
        .train_classes = move_floats(&m->of_floor.probabilities),
        .sample_order = order_of(m->n, ORDER_SCORED), .held_out_order = order_of(m->held_out.n, ORDER_HELD),
        .train_order = order_of(m->floor.n, ORDER_SCORED),
        .h = info->h, .w = info->w, .c = info->c,
        .images = m->o.with_images ? move_floats(&m->images) : NULL};
    LT_TRY(list_images(&m->held_out, &a->held_out_index, &a->held_out_split, &a->held_out_labels));
    return list_images(&m->floor, &a->train_index, &a->train_split, &a->train_labels);
}

static void release(measuring *m)
{
    cloud_clear(&m->samples);
    cloud_clear(&m->of_held);
    cloud_clear(&m->of_floor);
    tensor_free(m->images);
    memorization_free(m->memorization);
    features_free(m->features);
}

static int measure(lt_dataset *d, lt_split split, sample_source *s, int images,
                   const lt_quality_options *o, lt_quality *q)
{
    measuring m = {.data = d};
    double began = seconds_now();
    *q = (lt_quality){.is_drawn = lt_dataset_describe(d)->is_binary};
    if (o)
        m.o = *o;
    if (m.o.arrays)
        *m.o.arrays = (lt_quality_arrays){.images = NULL};
    int status = check(&m, split, images);
    if (status == LT_OK)
        status = open_features(&m);
    if (status == LT_OK && !m.o.without_memorization)
        status = open_copies(&m);
    s->pixels = m.pixels;
    s->seed = m.o.seed;
    s->is_drawn = q->is_drawn;
    if (status == LT_OK)
        status = fill_clouds(&m, s);
    if (status == LT_OK)
        status = conclude(&m, q);
    if (status == LT_OK)
        status = keep_arrays(&m);
    release(&m);
    q->seconds = seconds_now() - began;
    return status;
}

int lt_quality_measure(lt_model *m, lt_dataset *d, lt_split split, const lt_quality_options *o,
                       lt_quality *q)
{
    LT_TRY(lt_model_check_data(m, d));
    sample_source s = {.images = NULL};
    LT_TRY(lt_generator_open(m, 0, &(lt_generator_options){.run.threads = o ? o->run.threads : 0}, &s.generator));
    int status = measure(d, split, &s, 0, o, q);
    lt_generator_free(s.generator);
    return status;
}

int lt_quality_of_images(lt_dataset *d, lt_split split, int n, const float *images,
                         const lt_quality_options *o, lt_quality *q)
{
    if (n < LEAST)
        return status_fail(LT_VALUE, "expected at least %d images, found %d", LEAST, n);
    return measure(d, split, &(sample_source){.images = images}, n, o, q);
}

int lt_quality_compare(const lt_quality *a, const lt_quality *b)
{
    if (strcmp(a->digest, b->digest) == 0)
        return LT_OK;
    if (strcmp(a->features_digest, b->features_digest) != 0)
        return status_fail(LT_VALUE,
                           "scores of different features are not comparable: digests %.12s and %.12s; "
                           "the classifier is trained on the data, so both need the same data",
                           a->features_digest, b->features_digest);
    if (strcmp(a->held_out_digest, b->held_out_digest) != 0)
        return status_fail(LT_VALUE,
                           "scores against different images are not comparable: digests %.12s, %.12s",
                           a->held_out_digest, b->held_out_digest);
    if (a->images != b->images)
        return status_fail(LT_VALUE,
                           "scores of %jd and of %jd samples are not comparable: they depend on the "
                           "number", (intmax_t)a->images, (intmax_t)b->images);
    return status_fail(LT_VALUE, "scores of different digests are not comparable: %.12s and %.12s",
                       a->digest, b->digest);
}
