/* SPDX-License-Identifier: MIT */
/* Images from codes, codes from images, images from nothing. Work goes through in blocks of a fixed
   number of rows, the last filled up with zeros, so that row i has the same bits whatever n is. */
#include <latent/eval.h>

#include "base/memory.h"
#include "base/status.h"
#include "eval/generate.h"
#include "eval/visit.h"

#include <string.h>

enum { BLOCK = SAMPLES_AT_A_TIME };

/* A graph from rows to rows. */
typedef struct mapping {
    visit v;
    lt_node *in;        /* NULL: the rows come from noise */
    lt_node *classes;   /* n; NULL: none are given */
    const int32_t *labels;
    lt_node *out[2];
    int n_out;
    int64_t in_size;    /* floats in a row */
    int64_t out_size;
    int64_t first_block; /* of noise */
} mapping;

static lt_node *image_input(lt_graph *g, const lt_model *m)
{
    lt_image_size s = lt_model_image_size(m);
    return lt_input(g, "x", lt_shape_4d(BLOCK, s.h, s.w, s.c));
}

static int64_t image_floats(const lt_model *m)
{
    lt_image_size s = lt_model_image_size(m);
    return (int64_t)s.h * s.w * s.c;
}

/* Maps n rows; `rows` is NULL where the mapping has no input. */
static int map_block(mapping *p, uint64_t seed, int64_t block, int64_t n, const float *rows,
                     float *const *results, float *scratch)
{
    if (p->in) {
        memset(scratch, 0, sizeof(float) * (size_t)(BLOCK * p->in_size));
        memcpy(scratch, rows, sizeof(float) * (size_t)(n * p->in_size));
        LT_TRY(lt_session_write(p->v.session, p->in, scratch, BLOCK * p->in_size));
    }
    if (p->classes) {
        float labels[BLOCK] = {0};
        for (int64_t i = 0; i < n; i++)
            labels[i] = (float)p->labels[block * BLOCK + i];
        LT_TRY(lt_session_write(p->v.session, p->classes, labels, BLOCK));
    }
    LT_TRY(lt_session_run(p->v.session, &(lt_run_key){.seed = seed, .step = (uint64_t)(p->first_block + block)}));
    for (int k = 0; k < p->n_out; k++) {
        LT_TRY(lt_session_read(p->v.session, p->out[k], scratch, BLOCK * p->out_size));
        memcpy(results[k], scratch, sizeof(float) * (size_t)(n * p->out_size));
    }
    return LT_OK;
}

static int map_blocks(mapping *p, uint64_t seed, int n, const float *rows, float *const *results)
{
    int64_t widest = p->in_size > p->out_size ? p->in_size : p->out_size;
    float *scratch = tensor_alloc(sizeof(float) * (size_t)(BLOCK * widest), "a block of rows");
    int status = scratch ? LT_OK : LT_NO_MEMORY;
    for (int64_t at = 0; status == LT_OK && at < n; at += BLOCK) {
        int64_t count = n - at < BLOCK ? n - at : BLOCK;
        float *to[2];
        for (int k = 0; k < p->n_out; k++)
            to[k] = results[k] + at * p->out_size;
        status = map_block(p, seed, at / BLOCK, count, rows ? rows + at * p->in_size : NULL, to,
                           scratch);
    }
    tensor_free(scratch);
    return status;
}

/* Runs the mapping and takes it apart. */
static int map_rows(mapping *p, lt_model *m, uint64_t seed, int n, const float *rows, int threads,
                    float *const *results)
{
    int status = n < 0 ? status_fail(LT_VALUE, "cannot make %d images", n) : LT_OK;
    if (status == LT_OK)
        status = visit_open(&p->v, m, p->out, p->n_out, &(lt_session_options){.threads = threads});
    if (status == LT_OK)
        status = map_blocks(p, seed, n, rows, results);
    visit_close(&p->v);
    return status;
}

int sample_from(lt_model *m, int first, int n, uint64_t seed, int threads, float *images)
{
    LT_ASSERT(first % BLOCK == 0);
    lt_graph *g = lt_graph_create();
    lt_node *z = lt_model_prior_sample(m, g, BLOCK);
    mapping p = {.v = {.graph = g}, .out = {lt_model_decode(m, g, z)}, .n_out = 1,
                 .out_size = image_floats(m), .first_block = first / BLOCK};
    return map_rows(&p, m, seed, n, NULL, threads, &images);
}

int lt_sample(lt_model *m, int n, uint64_t seed, int threads, float *images)
{
    return sample_from(m, 0, n, seed, threads, images);
}

int lt_sample_codes(lt_model *m, int n, uint64_t seed, int threads, float *z)
{
    lt_graph *g = lt_graph_create();
    mapping p = {.v = {.graph = g}, .out = {lt_model_prior_sample(m, g, BLOCK)}, .n_out = 1,
                 .out_size = lt_model_latent(m)};
    return map_rows(&p, m, seed, n, NULL, threads, &z);
}

static int check_class(const lt_model *m, int label)
{
    int classes = lt_model_classes(m);
    if (classes == 0)
        return status_fail(LT_VALUE, "%s has no classes: it was trained without labels",
                           lt_recipe_name(lt_model_recipe(m)));
    if (label < 0 || label >= classes)
        return status_fail(LT_VALUE, "expected a class of 0 to %d, found %d", classes - 1, label);
    return LT_OK;
}

int lt_sample_class(lt_model *m, int label, int n, uint64_t seed, int threads, float *images)
{
    LT_TRY(check_class(m, label));
    lt_graph *g = lt_graph_create();
    lt_node *z = lt_model_prior_sample(m, g, BLOCK);
    lt_node *labels = lt_broadcast(lt_scalar(g, label), lt_shape_1d(BLOCK));
    mapping p = {.v = {.graph = g}, .out = {lt_model_decode_class(m, g, z, labels)}, .n_out = 1,
                 .out_size = image_floats(m)};
    return map_rows(&p, m, seed, n, NULL, threads, &images);
}

int lt_decode(lt_model *m, int n, const float *z, int threads, float *images)
{
    lt_graph *g = lt_graph_create();
    lt_node *in = lt_input(g, "z", lt_shape_2d(BLOCK, lt_model_latent(m)));
    mapping p = {.v = {.graph = g}, .in = in, .out = {lt_model_decode(m, g, in)}, .n_out = 1,
                 .in_size = lt_model_latent(m), .out_size = image_floats(m)};
    return map_rows(&p, m, 0, n, z, threads, &images);
}

int lt_decode_class(lt_model *m, int n, const float *z, const int32_t *labels, int threads,
                    float *images)
{
    for (int i = 0; i < n; i++)
        LT_TRY(check_class(m, labels[i]));
    lt_graph *g = lt_graph_create();
    lt_node *in = lt_input(g, "z", lt_shape_2d(BLOCK, lt_model_latent(m)));
    lt_node *classes = lt_input(g, "labels", lt_shape_1d(BLOCK));
    mapping p = {.v = {.graph = g}, .in = in, .classes = classes, .labels = labels,
                 .out = {lt_model_decode_class(m, g, in, classes)}, .n_out = 1,
                 .in_size = lt_model_latent(m), .out_size = image_floats(m)};
    return map_rows(&p, m, 0, n, z, threads, &images);
}

int lt_draw_images(lt_model *m, int n, const float *z, uint64_t seed, int threads, float *images)
{
    lt_graph *g = lt_graph_create();
    lt_node *in = lt_input(g, "z", lt_shape_2d(BLOCK, lt_model_latent(m)));
    mapping p = {.v = {.graph = g}, .in = in, .out = {lt_model_draw(m, g, in)}, .n_out = 1,
                 .in_size = lt_model_latent(m), .out_size = image_floats(m)};
    return map_rows(&p, m, seed, n, z, threads, &images);
}

int lt_encode(lt_model *m, int n, const float *images, int threads, float *mean, float *logvar)
{
    lt_graph *g = lt_graph_create();
    lt_node *x = image_input(g, m);
    lt_gauss q = lt_model_encode(m, g, x);
    mapping p = {.v = {.graph = g}, .in = x, .out = {q.mean, q.logvar}, .n_out = logvar ? 2 : 1,
                 .in_size = image_floats(m), .out_size = lt_model_latent(m)};
    return map_rows(&p, m, 0, n, images, threads, (float *[]){mean, logvar});
}

int lt_reconstruct(lt_model *m, int n, const float *images, int threads, float *reconstructions)
{
    lt_graph *g = lt_graph_create();
    lt_node *x = image_input(g, m);
    lt_node *y = lt_model_decode(m, g, lt_model_encode(m, g, x).mean);
    mapping p = {.v = {.graph = g}, .in = x, .out = {y}, .n_out = 1,
                 .in_size = image_floats(m), .out_size = image_floats(m)};
    return map_rows(&p, m, 0, n, images, threads, &reconstructions);
}
