/* SPDX-License-Identifier: MIT */
/* The codes of a split, and their principal axes. */
#include <latent/eval.h>

#include "base/memory.h"
#include "base/status.h"
#include "base/symmetric.h"
#include "eval/visit.h"
#include "exec/run_options.h"
#include "models/kind.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Codes ---- */

enum { BATCH = 200, MEAN = 0, LOGVAR, DRAW, PARTS };

typedef struct encoding {
    visited images;
    visit v;
    lt_node *input, *out[PARTS];
    int64_t pixels, latent;
    int batch;
    float *x, *row; /* a batch of images; a batch of one array of their codes */
} encoding;

static int open_program(encoding *e, lt_model *m, const lt_codes_options *o)
{
    lt_image_size s = lt_model_image_size(m);
    lt_graph *g = e->v.graph = lt_graph_create();
    e->pixels = (int64_t)s.h * s.w * s.c;
    e->latent = lt_model_latent(m);
    e->batch = e->images.n < BATCH ? e->images.n : BATCH;
    e->input = lt_input(g, "x", lt_shape_4d(e->batch, s.h, s.w, s.c));
    lt_gauss q = lt_model_encode(m, g, e->input);
    e->out[MEAN] = q.mean;
    e->out[LOGVAR] = q.logvar;
    e->out[DRAW] = lt_gauss_sample(q);
    const lt_session_options how = run_session_options(&o->run);
    return visit_open(&e->v, m, e->out, PARTS, &how);
}

static int make_room(encoding *e, bool is_normal, lt_codes *c)
{
    size_t n = (size_t)e->images.n, size = n * (size_t)e->latent * sizeof(float);
    *c = (lt_codes){.n = e->images.n, .latent = (int)e->latent, .split = e->images.split,
                    .has_normal_prior = is_normal};
    c->index = must_alloc(sizeof *c->index * n);
    c->origin = must_alloc(sizeof *c->origin * n);
    c->mean = tensor_alloc(size, "means of codes");
    c->logvar = tensor_alloc(size, "variances of codes");
    c->z = tensor_alloc(size, "draws of codes");
    e->x = tensor_alloc(sizeof *e->x * (size_t)(e->batch * e->pixels), "a batch of images");
    e->row = tensor_alloc(sizeof *e->row * (size_t)(e->batch * e->latent), "a batch of codes");
    return c->mean && c->logvar && c->z && e->x && e->row ? LT_OK : LT_NO_MEMORY;
}

/* Encodes images first ... first + batch - 1; skips those past the last image. */
static int encode_batch(encoding *e, uint64_t seed, int first, lt_codes *c)
{
    float *const to[PARTS] = {c->mean, c->logvar, c->z};
    int64_t n = c->n - first < e->batch ? c->n - first : e->batch;
    LT_TRY(visited_gather(&e->images, first, e->batch, e->x));
    LT_TRY(lt_session_write(e->v.session, e->input, e->x, e->batch * e->pixels));
    LT_TRY(lt_session_run(e->v.session, &(lt_run_key){seed, (uint64_t)(first / e->batch)}));
    for (int k = 0; k < PARTS; k++) {
        LT_TRY(lt_session_read(e->v.session, e->out[k], e->row, e->batch * e->latent));
        memcpy(to[k] + first * e->latent, e->row, sizeof(float) * (size_t)(n * e->latent));
    }
    return LT_OK;
}

static int encode_all(encoding *e, const lt_codes_options *o, lt_codes *c)
{
    for (int i = 0; i < c->n; i++) {
        c->index[i] = visited_place(&e->images, i);
        c->origin[i] = (int32_t)lt_dataset_origin(e->images.data, c->split, c->index[i]);
    }
    if (lt_dataset_describe(e->images.data)->has_labels[c->split]) {
        c->labels = must_alloc(sizeof *c->labels * (size_t)c->n);
        LT_TRY(lt_dataset_labels(e->images.data, c->split, c->index, c->n, c->labels));
    }
    for (int first = 0; first < c->n; first += e->batch) {
        LT_TRY(encode_batch(e, o->seed, first, c));
        double done = fmin((double)(first + e->batch) / c->n, 1);
        if (!run_continues(&o->run, done))
            return status_fail(LT_INTERRUPTED, "encoding was stopped");
    }
    return LT_OK;
}

int lt_encode_split(lt_model *m, lt_dataset *d, lt_split split, const lt_codes_options *options,
                    lt_codes *c)
{
    encoding e = {.batch = 0};
    lt_codes_options o = options ? *options : (lt_codes_options){0};
    *c = (lt_codes){0};
    if (!lt_model_can(m, LT_CAN_ENCODE))
        return status_fail(LT_VALUE, "%s has no encoder: its images have no codes",
                           lt_recipe_name(lt_model_recipe(m)));
    if (o.images < 0)
        return status_fail(LT_VALUE, "cannot encode %d images", o.images);
    LT_TRY(visited_init(&e.images, m, d, split, o.images));
    bool is_normal = recipe_has_normal_prior(lt_model_recipe(m));
    int status = open_program(&e, m, &o);
    if (status == LT_OK)
        status = make_room(&e, is_normal, c);
    if (status == LT_OK)
        status = encode_all(&e, &o, c);
    tensor_free(e.x);
    tensor_free(e.row);
    visit_close(&e.v);
    return status;
}

void lt_codes_clear(lt_codes *c)
{
    free(c->index);
    free(c->origin);
    free(c->labels);
    tensor_free(c->mean);
    tensor_free(c->logvar);
    tensor_free(c->z);
    *c = (lt_codes){0};
}

int64_t lt_stratified_index(int64_t i, int64_t n, int64_t all) { return stratified_index(i, n, all); }

/* ---- Axes ---- */

/* Writes the mean of n rows to `center` and their covariance (divided by n) to `a`, width x width. */
static void find_moments(int n, int width, const float *rows, double *center, double *a)
{
    double *d = must_alloc(sizeof *d * (size_t)width);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < width; k++)
            center[k] += (double)rows[(int64_t)i * width + k] / n;
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < width; k++)
            d[k] = (double)rows[(int64_t)i * width + k] - center[k];
        for (int k = 0; k < width; k++)
            for (int j = 0; j <= k; j++)
                a[(int64_t)k * width + j] += d[k] * d[j] / n;
    }
    for (int k = 0; k < width; k++)
        for (int j = k + 1; j < width; j++)
            a[(int64_t)k * width + j] = a[(int64_t)j * width + k];
    free(d);
}

/* Copies column `from` of the eigenvectors, its component of largest magnitude positive. */
static void take_axis(int width, const double *vectors, int from, double *axis)
{
    int most = 0;
    for (int k = 0; k < width; k++) {
        axis[k] = vectors[(int64_t)k * width + from];
        most = fabs(axis[k]) > fabs(axis[most]) ? k : most;
    }
    for (int k = 0; k < width && axis[most] < 0; k++)
        if (k != most)
            axis[k] = -axis[k];
    axis[most] = fabs(axis[most]);
}

/* Takes the largest value that is left; of equal ones the first. */
static int take_largest(int width, const double *values, bool *is_taken)
{
    int best = -1;
    for (int k = 0; k < width; k++)
        if (!is_taken[k] && (best < 0 || values[k] > values[best]))
            best = k;
    is_taken[best] = true;
    return best;
}

int lt_pca_fit(int n, int width, const float *rows, int count, lt_pca *axes)
{
    *axes = (lt_pca){0};
    if (n < 1 || width < 1 || count < 1 || count > width || width > LT_MAX_PCA_WIDTH)
        return status_fail(LT_VALUE, "%d principal axes of %d rows of %d numbers: expected rows of "
                                     "at most %d numbers and no more axes", count, n, width,
                           LT_MAX_PCA_WIDTH);
    for (int64_t i = 0; i < (int64_t)n * width; i++)
        if (!isfinite(rows[i]))
            return status_fail(LT_VALUE, "principal axes: row %jd is not finite",
                               (intmax_t)(i / width));
    size_t w = (size_t)width;
    double *a = must_alloc(sizeof *a * (2 * w * w + w)), *vectors = a + w * w;
    double *values = vectors + w * w;
    bool *is_taken = must_alloc(sizeof *is_taken * w);
    *axes = (lt_pca){.count = count, .width = width,
                      .center = must_alloc(sizeof(double) * w),
                      .axis = must_alloc(sizeof(double) * w * (size_t)count),
                      .variance = must_alloc(sizeof(double) * (size_t)count)};
    find_moments(n, width, rows, axes->center, a);
    for (int k = 0; k < width; k++)
        axes->total += a[(int64_t)k * width + k];
    symmetric_eigen(width, a, values, vectors);
    for (int k = 0; k < count; k++) {
        int from = take_largest(width, values, is_taken);
        axes->variance[k] = fmax(values[from], 0); /* rounding may make it negative */
        take_axis(width, vectors, from, axes->axis + (int64_t)k * width);
    }
    free(is_taken);
    free(a);
    return LT_OK;
}

double lt_pca_project(const lt_pca *axes, int k, const float *row)
{
    const double *axis = axes->axis + (int64_t)k * axes->width;
    double sum = 0;
    for (int j = 0; j < axes->width; j++)
        sum += axis[j] * ((double)row[j] - axes->center[j]);
    return sum;
}

double lt_pca_covariance(const lt_pca *axes, int j, int k, const float *logvar)
{
    const double *a = axes->axis + (int64_t)j * axes->width;
    const double *b = axes->axis + (int64_t)k * axes->width;
    double sum = 0;
    for (int i = 0; i < axes->width; i++)
        sum += a[i] * b[i] * exp((double)logvar[i]);
    return sum;
}

void lt_pca_clear(lt_pca *axes)
{
    free(axes->center);
    free(axes->axis);
    free(axes->variance);
    *axes = (lt_pca){0};
}
