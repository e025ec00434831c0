/* SPDX-License-Identifier: MIT */
/* Decode, encode, sample. Each function of a generator is a compiled program for a fixed number of rows; the last
   block of a call is padded with zeros, so that row i has the same bits for every n. */
#include <latent/generator.h>

#include "base/memory.h"
#include "base/status.h"
#include "base/threads.h"
#include "eval/visit.h"
#include "exec/run_options.h"
#include "graph/op.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* Noise of rows 64 b ... 64 b + 63 comes from step b of the run key. */
enum { NOISE_ROWS = LT_GENERATOR_BATCH };

/* A program from rows to rows. */
typedef struct mapping {
    visit v;          /* no session: not open */
    int rows;         /* at a time */
    lt_node *in;      /* NULL: rows are sampled from noise */
    lt_node *classes; /* rows; NULL: not an input */
    lt_node *out[2];
    int n_out;
    int64_t in_size, out_size; /* floats in a row */
    float *block;              /* rows of the larger of both sizes */
    float *labels;             /* rows */
} mapping;

typedef enum function {
    ENCODE,
    DECODE,
    DECODE_CLASS,
    RECONSTRUCT,
    SAMPLE,
    SAMPLE_CLASS,
    SAMPLE_CODES,
    DRAW,
    FUNCTIONS
} function;

struct lt_generator {
    lt_model *model;
    int batch;
    lt_run_options run;
    mapping functions[FUNCTIONS];
};

/* ---- The graph of each function ---- */

static int64_t image_floats(const lt_model *m)
{
    lt_image_size s = lt_model_image_size(m);
    return (int64_t)s.h * s.w * s.c;
}

static void take_images(mapping *p, const lt_model *m)
{
    lt_image_size s = lt_model_image_size(m);
    p->in = lt_input(p->v.graph, "x", lt_shape_4d(p->rows, s.h, s.w, s.c));
    p->in_size = image_floats(m);
}

static void take_codes(mapping *p, const lt_model *m)
{
    p->in = lt_input(p->v.graph, "z", lt_shape_2d(p->rows, lt_model_latent(m)));
    p->in_size = lt_model_latent(m);
}

static void take_classes(mapping *p)
{
    p->classes = lt_input(p->v.graph, "labels", lt_shape_1d(p->rows));
}

static void give(mapping *p, lt_node *out, int64_t size)
{
    p->out[p->n_out++] = out;
    p->out_size = size;
}

static void build_encode(mapping *p, lt_model *m)
{
    take_images(p, m);
    lt_gauss q = lt_model_encode(m, p->v.graph, p->in);
    give(p, q.mean, lt_model_latent(m));
    give(p, q.logvar, lt_model_latent(m));
}

static void build_decode(mapping *p, lt_model *m)
{
    take_codes(p, m);
    give(p, lt_model_decode(m, p->v.graph, p->in), image_floats(m));
}

static void build_decode_class(mapping *p, lt_model *m)
{
    take_codes(p, m);
    take_classes(p);
    give(p, lt_model_decode_class(m, p->v.graph, p->in, p->classes), image_floats(m));
}

static void build_reconstruct(mapping *p, lt_model *m)
{
    take_images(p, m);
    lt_node *mean = lt_model_encode(m, p->v.graph, p->in).mean;
    give(p, lt_model_decode(m, p->v.graph, mean), image_floats(m));
}

static void build_sample(mapping *p, lt_model *m)
{
    lt_node *z = lt_model_prior_sample(m, p->v.graph, p->rows);
    give(p, lt_model_decode(m, p->v.graph, z), image_floats(m));
}

static void build_sample_class(mapping *p, lt_model *m)
{
    lt_node *z = lt_model_prior_sample(m, p->v.graph, p->rows);
    take_classes(p);
    give(p, lt_model_decode_class(m, p->v.graph, z, p->classes), image_floats(m));
}

static void build_sample_codes(mapping *p, lt_model *m)
{
    give(p, lt_model_prior_sample(m, p->v.graph, p->rows), lt_model_latent(m));
}

static void build_draw(mapping *p, lt_model *m)
{
    take_codes(p, m);
    give(p, lt_model_decode_sample(m, p->v.graph, p->in), image_floats(m));
}

static void (*const builders[FUNCTIONS])(mapping *p, lt_model *m) = {
    [ENCODE] = build_encode,
    [DECODE] = build_decode,
    [DECODE_CLASS] = build_decode_class,
    [RECONSTRUCT] = build_reconstruct,
    [SAMPLE] = build_sample,
    [SAMPLE_CLASS] = build_sample_class,
    [SAMPLE_CODES] = build_sample_codes,
    [DRAW] = build_draw,
};

/* ---- Opening ---- */

static void close_mapping(mapping *p)
{
    visit_close(&p->v);
    tensor_free(p->block);
    tensor_free(p->labels);
    *p = (mapping){.rows = 0};
}

static void build(mapping *p, lt_model *m, function f, int rows)
{
    *p = (mapping){.v.graph = lt_graph_create(), .rows = rows};
    builders[f](p, m);
}

static int allocate(mapping *p)
{
    int64_t widest = p->in_size > p->out_size ? p->in_size : p->out_size;
    p->block = tensor_alloc(sizeof *p->block * (size_t)(p->rows * widest), "a block of rows");
    p->labels = tensor_alloc(sizeof *p->labels * (size_t)p->rows, "a block of labels");
    return p->block && p->labels ? LT_OK : LT_NO_MEMORY;
}

/* Opens a function at its first call. Functions that sample noise are built for NOISE_ROWS. */
static int open_mapping(lt_generator *g, function f, mapping **out)
{
    mapping *p = *out = &g->functions[f];
    if (p->v.session)
        return LT_OK;
    if (f == SAMPLE || f == SAMPLE_CLASS || f == SAMPLE_CODES)
        LT_TRY(lt_recipe_require(lt_model_recipe(g->model), LT_CAN_SAMPLE));
    build(p, g->model, f, g->batch);
    if (p->v.graph->streams && g->batch != NOISE_ROWS) {
        close_mapping(p);
        build(p, g->model, f, NOISE_ROWS);
    }
    const lt_session_options how = run_session_options(&g->run);
    int status = visit_open(&p->v, g->model, p->out, p->n_out, &how);
    if (status == LT_OK)
        status = allocate(p);
    if (status != LT_OK)
        close_mapping(p);
    return status;
}

int lt_generator_open(lt_model *m, int batch, const lt_generator_options *o, lt_generator **out)
{
    *out = NULL;
    if (batch < 0 || batch > LT_GENERATOR_MAX_BATCH)
        return status_fail(LT_VALUE, "generator: batch must be between 1 and %d (0: %d), found %d",
                           LT_GENERATOR_MAX_BATCH, LT_GENERATOR_BATCH, batch);
    if (o && (o->run.threads < 0 || o->run.threads > THREADS_MAX))
        return status_fail(LT_VALUE, "generator: threads must be between 1 and %d (0: all), found %d", THREADS_MAX,
                           o->run.threads);
    lt_generator *g = must_alloc(sizeof *g);
    *g = (lt_generator){.model = m, .batch = batch ? batch : LT_GENERATOR_BATCH};
    if (o)
        g->run = o->run;
    *out = g;
    return LT_OK;
}

void lt_generator_free(lt_generator *g)
{
    if (!g)
        return;
    for (int f = 0; f < FUNCTIONS; f++)
        close_mapping(&g->functions[f]);
    free(g);
}

lt_model *lt_generator_model(const lt_generator *g) { return g->model; }

/* ---- Running ---- */

/* One call: its inputs and its results. Pointers may be NULL: not read, not wanted. */
typedef struct request {
    int first, n; /* first: of the sampled rows */
    uint64_t seed;
    const float *rows;
    const int32_t *labels;
    int label; /* of all rows, if `labels` is NULL */
    float *results[2];
} request;

/* Writes `count` rows from row `at` of the request on to an input of the session; the rest of the block is zero. */
static int write_rows(mapping *p, const request *r, int at, int count)
{
    const float *rows = r->rows + (int64_t)at * p->in_size;
    if (count < p->rows) {
        memset(p->block, 0, sizeof *p->block * (size_t)(p->rows * p->in_size));
        memcpy(p->block, rows, sizeof *rows * (size_t)(count * p->in_size));
        rows = p->block;
    }
    return lt_session_write(p->v.session, p->in, rows, p->rows * p->in_size);
}

static int write_classes(mapping *p, const request *r, int at, int count)
{
    for (int i = 0; i < p->rows; i++)
        p->labels[i] = !r->labels ? (float)r->label : i < count ? (float)r->labels[at + i] : 0;
    return lt_session_write(p->v.session, p->classes, p->labels, p->rows);
}

/* Copies rows `skip` ... skip + count - 1 of the block to rows `at` ... of the results. */
static int read_rows(mapping *p, const request *r, int at, int skip, int count)
{
    for (int k = 0; k < p->n_out; k++) {
        float *to = r->results[k] ? r->results[k] + (int64_t)at * p->out_size : NULL;
        bool whole = count == p->rows;
        if (!to)
            continue;
        LT_TRY(lt_session_read(p->v.session, p->out[k], whole ? to : p->block, p->rows * p->out_size));
        if (!whole)
            memcpy(to, p->block + skip * p->out_size, sizeof *to * (size_t)(count * p->out_size));
    }
    return LT_OK;
}

static int run_mapping(const lt_generator *g, mapping *p, const request *r)
{
    for (int at = 0, count; at < r->n; at += count) {
        int block = (r->first + at) / p->rows, skip = (r->first + at) % p->rows;
        count = r->n - at < p->rows - skip ? r->n - at : p->rows - skip;
        if (p->in)
            LT_TRY(write_rows(p, r, at, count));
        if (p->classes)
            LT_TRY(write_classes(p, r, at, count));
        LT_TRY(lt_session_run(p->v.session, &(lt_run_key){.seed = r->seed, .step = (uint64_t)block}));
        LT_TRY(read_rows(p, r, at, skip, count));
        if (!run_continues(&g->run, (double)(at + count) / r->n))
            return status_fail(LT_INTERRUPTED, "the generator was stopped after row %d of %d", at + count, r->n);
    }
    return LT_OK;
}

static int generate(lt_generator *g, function f, const request *r)
{
    mapping *p;
    if (r->n < 0)
        return status_fail(LT_VALUE, "generator: expected at least 0 images, found %d", r->n);
    if (r->first < 0 || r->first > INT_MAX - r->n)
        return status_fail(LT_VALUE, "generator: cannot make %d images from image %d on", r->n, r->first);
    LT_TRY(open_mapping(g, f, &p));
    return run_mapping(g, p, r);
}

static int check_class(const lt_model *m, int label)
{
    int classes = lt_model_classes(m);
    if (classes == 0)
        return status_fail(LT_VALUE, "%s has no classes: it was trained without labels",
                           lt_recipe_name(lt_model_recipe(m)));
    if (label < 0 || label >= classes)
        return status_fail(LT_VALUE, "expected a class from 0 to %d, found %d", classes - 1, label);
    return LT_OK;
}

/* ---- Functions of an open generator ---- */

int lt_generator_encode(lt_generator *g, int n, const float *images, float *mean, float *logvar)
{
    return generate(g, ENCODE, &(request){.n = n, .rows = images, .results = {mean, logvar}});
}

int lt_generator_decode(lt_generator *g, int n, const float *z, float *images)
{
    return generate(g, DECODE, &(request){.n = n, .rows = z, .results = {images}});
}

int lt_generator_decode_class(lt_generator *g, int n, const float *z, const int32_t *labels, float *images)
{
    for (int i = 0; i < n; i++)
        LT_TRY(check_class(g->model, labels[i]));
    return generate(g, DECODE_CLASS, &(request){.n = n, .rows = z, .labels = labels, .results = {images}});
}

int lt_generator_reconstruct(lt_generator *g, int n, const float *images, float *reconstructions)
{
    return generate(g, RECONSTRUCT, &(request){.n = n, .rows = images, .results = {reconstructions}});
}

int lt_generator_sample(lt_generator *g, int first, int n, uint64_t seed, float *images)
{
    return generate(g, SAMPLE, &(request){.first = first, .n = n, .seed = seed, .results = {images}});
}

int lt_generator_sample_class(lt_generator *g, int label, int first, int n, uint64_t seed, float *images)
{
    LT_TRY(check_class(g->model, label));
    return generate(g, SAMPLE_CLASS,
                    &(request){.first = first, .n = n, .seed = seed, .label = label, .results = {images}});
}

int lt_generator_sample_codes(lt_generator *g, int first, int n, uint64_t seed, float *z)
{
    return generate(g, SAMPLE_CODES, &(request){.first = first, .n = n, .seed = seed, .results = {z}});
}

int lt_generator_decode_sample(lt_generator *g, int n, const float *z, uint64_t seed, float *images)
{
    return generate(g, DRAW, &(request){.n = n, .seed = seed, .rows = z, .results = {images}});
}

/* ---- One call ---- */

/* Opens a generator G on M, returns what CALL returns. */
#define WITH_GENERATOR(M, THREADS, G, CALL)                                                                  \
    lt_generator *G;                                                                                         \
    LT_TRY(lt_generator_open(M, 0, &(lt_generator_options){.run.threads = THREADS}, &G));                    \
    int status = CALL;                                                                                       \
    lt_generator_free(G);                                                                                    \
    return status

int lt_encode(lt_model *m, int n, const float *images, int threads, float *mean, float *logvar)
{
    WITH_GENERATOR(m, threads, g, lt_generator_encode(g, n, images, mean, logvar));
}

int lt_decode(lt_model *m, int n, const float *z, int threads, float *images)
{
    WITH_GENERATOR(m, threads, g, lt_generator_decode(g, n, z, images));
}

int lt_decode_class(lt_model *m, int n, const float *z, const int32_t *labels, int threads, float *images)
{
    WITH_GENERATOR(m, threads, g, lt_generator_decode_class(g, n, z, labels, images));
}

int lt_reconstruct(lt_model *m, int n, const float *images, int threads, float *reconstructions)
{
    WITH_GENERATOR(m, threads, g, lt_generator_reconstruct(g, n, images, reconstructions));
}

int lt_sample(lt_model *m, int n, uint64_t seed, int threads, float *images)
{
    WITH_GENERATOR(m, threads, g, lt_generator_sample(g, 0, n, seed, images));
}

int lt_sample_class(lt_model *m, int label, int n, uint64_t seed, int threads, float *images)
{
    WITH_GENERATOR(m, threads, g, lt_generator_sample_class(g, label, 0, n, seed, images));
}

int lt_sample_codes(lt_model *m, int n, uint64_t seed, int threads, float *z)
{
    WITH_GENERATOR(m, threads, g, lt_generator_sample_codes(g, 0, n, seed, z));
}

int lt_decode_sample(lt_model *m, int n, const float *z, uint64_t seed, int threads, float *images)
{
    WITH_GENERATOR(m, threads, g, lt_generator_decode_sample(g, n, z, seed, images));
}
