/* SPDX-License-Identifier: MIT */
/* Cutting, resizing and recoloring. A plan is computed once for pictures of one size: the box of the
   picture that is used, the filters of rows and columns, and the position of the result in the image. */
#include "image/transform.h"

#include "base/clones.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/threads.h"

#include <math.h>
#include <string.h>

enum { FIXED_BITS = 22, TILE = 512, MAX_PIECES = 1024 };

void picture_clear(picture *p)
{
    tensor_free(p->pixels);
    *p = (picture){0};
}

/* Returns the index of pixel (y, x) of the upright picture in the stored one, of h rows and w columns (EXIF 2.3,
   tag 0x0112). */
static size_t stored_at(int orientation, int h, int w, int y, int x)
{
    bool is_transposed = orientation >= 5;
    int row = is_transposed ? x : y, column = is_transposed ? y : x;
    if (orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7)
        row = h - 1 - row;
    if (orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8)
        column = w - 1 - column;
    return (size_t)row * (size_t)w + (size_t)column;
}

int picture_turn(picture *p)
{
    if (p->orientation <= 1)
        return LT_OK;
    size_t c = (size_t)p->c;
    unsigned char *to = tensor_alloc((size_t)p->h * (size_t)p->w * c, "a turned picture");
    if (!to)
        return LT_NO_MEMORY;
    int h = p->orientation >= 5 ? p->w : p->h, w = p->orientation >= 5 ? p->h : p->w;
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            memcpy(to + ((size_t)y * (size_t)w + (size_t)x) * c,
                   p->pixels + stored_at(p->orientation, p->h, p->w, y, x) * c, c);
    tensor_free(p->pixels);
    p->pixels = to;
    p->h = h;
    p->w = w;
    p->orientation = 1;
    return LT_OK;
}

/* ---- Triangle filters ---- */

/* A filter along one side: output i is the weighted sum of the inputs first[i] ... first[i] + n[i] - 1. */
typedef struct filter {
    int from, to; /* pixels in and out */
    int most;     /* maximal number of weights of an output */
    int *first, *n;
    double *real;   /* weights; their sum is 1 */
    int32_t *fixed; /* the same in 2^-22 */
} filter;

static size_t filter_bytes(const filter *f)
{
    return (size_t)f->to * ((size_t)f->most * (sizeof *f->real + sizeof *f->fixed) +
                            sizeof *f->first + sizeof *f->n);
}

/* Computes the weights of output i: a triangle around its center, on each side as wide as an input pixel or an output
   pixel, whichever is wider; truncated at the border and normalized. */
static void weigh(filter *f, int i)
{
    double scale = (double)f->from / f->to, wide = scale < 1 ? 1 : scale;
    double center = (i + 0.5) * scale, sum = 0, *real = f->real + (size_t)i * (size_t)f->most;
    int first = (int)(center - wide + 0.5), end = (int)(center + wide + 0.5);
    first = first < 0 ? 0 : first;
    end = end > f->from ? f->from : end;
    f->first[i] = first;
    f->n[i] = end - first;
    for (int k = 0; k < f->n[i]; k++) {
        double distance = fabs((k + first - center + 0.5) * (1 / wide));
        real[k] = distance < 1 ? 1 - distance : 0;
        sum += real[k];
    }
    for (int k = 0; k < f->n[i]; k++) {
        real[k] /= sum;
        f->fixed[(size_t)i * (size_t)f->most + (size_t)k] =
            (int32_t)(0.5 + real[k] * (1 << FIXED_BITS));
    }
}

static filter filter_sized(int from, int to)
{
    double scale = (double)from / to;
    return (filter){.from = from, .to = to, .most = (int)ceil(scale < 1 ? 1 : scale) * 2 + 1};
}

/* Fills in the weights, in filter_bytes of memory. */
static void filter_make(filter *f, char *memory)
{
    size_t all = (size_t)f->to * (size_t)f->most;
    f->real = (double *)memory;
    f->fixed = (int32_t *)(f->real + all);
    f->first = f->fixed + all;
    f->n = f->first + f->to;
    for (int i = 0; i < f->to; i++)
        weigh(f, i);
}

/* ---- Bytes: sums of 22-bit weights, rounded after each direction ---- */

static inline unsigned char rounded(int32_t sum)
{
    int32_t byte = sum >> FIXED_BITS;
    return (unsigned char)(byte > 255 ? 255 : byte);
}

/* Filters one row of f->from pixels of c channels. */
static void across_bytes(const filter *f, int c, const void *in, void *out)
{
    const unsigned char *from = in;
    unsigned char *to = out;
    for (int i = 0; i < f->to; i++)
        for (int channel = 0; channel < c; channel++) {
            const unsigned char *p = from + (size_t)f->first[i] * (size_t)c + channel;
            const int32_t *weight = f->fixed + (size_t)i * (size_t)f->most;
            int32_t sum = 1 << (FIXED_BITS - 1);
            for (int k = 0; k < f->n[i]; k++)
                sum += weight[k] * p[(size_t)k * (size_t)c];
            *to++ = rounded(sum);
        }
}

LT_CLONES static void add_bytes(size_t n, int32_t *sum, const unsigned char *b, int32_t weight)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += weight * b[i];
}

LT_CLONES static void round_bytes(size_t n, unsigned char *to, const int32_t *sum)
{
    for (size_t i = 0; i < n; i++)
        to[i] = rounded(sum[i]);
}

/* Computes row i of the result from f->from rows of n bytes. */
static void down_bytes(const filter *f, int i, size_t n, const void *in, size_t stride, void *out)
{
    int32_t sum[TILE];
    for (size_t at = 0; at < n; at += TILE) {
        size_t m = n - at < TILE ? n - at : TILE;
        for (size_t k = 0; k < m; k++)
            sum[k] = 1 << (FIXED_BITS - 1);
        for (int k = 0; k < f->n[i]; k++)
            add_bytes(m, sum, (const unsigned char *)in + (size_t)(f->first[i] + k) * stride + at,
                      f->fixed[(size_t)i * (size_t)f->most + (size_t)k]);
        round_bytes(m, (unsigned char *)out + at, sum);
    }
}

/* Repeats each pixel c times. */
static void color_bytes(size_t n, int c, const void *gray, void *out)
{
    const unsigned char *from = gray;
    unsigned char *to = out;
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < c; k++)
            *to++ = from[i];
}

static void gray_bytes(size_t n, const void *rgb, void *out)
{
    const unsigned char *p = rgb;
    for (size_t i = 0; i < n; i++, p += 3)
        ((unsigned char *)out)[i] =
            (unsigned char)((19595u * p[0] + 38470u * p[1] + 7471u * p[2] + 32768) >> 16);
}

/* ---- Floats in [0, 1]: sums in double, which rounding may leave slightly above 1 ---- */

static inline float at_most_one(double sum) { return (float)(sum < 1 ? sum : 1); }

static void across_floats(const filter *f, int c, const void *in, void *out)
{
    const float *from = in;
    float *to = out;
    for (int i = 0; i < f->to; i++)
        for (int channel = 0; channel < c; channel++) {
            const float *p = from + (size_t)f->first[i] * (size_t)c + channel;
            double sum = 0;
            for (int k = 0; k < f->n[i]; k++)
                sum += (double)p[(size_t)k * (size_t)c] *
                       f->real[(size_t)i * (size_t)f->most + (size_t)k];
            *to++ = at_most_one(sum);
        }
}

static void down_floats(const filter *f, int i, size_t n, const void *in, size_t stride, void *out)
{
    const float *from = (const float *)in + (size_t)f->first[i] * stride;
    for (size_t at = 0; at < n; at++) {
        double sum = 0;
        for (int k = 0; k < f->n[i]; k++)
            sum += (double)from[(size_t)k * stride + at] *
                   f->real[(size_t)i * (size_t)f->most + (size_t)k];
        ((float *)out)[at] = at_most_one(sum);
    }
}

static void color_floats(size_t n, int c, const void *gray, void *out)
{
    const float *from = gray;
    float *to = out;
    for (size_t i = 0; i < n; i++)
        for (int k = 0; k < c; k++)
            *to++ = from[i];
}

static void gray_floats(size_t n, const void *rgb, void *out)
{
    const float *p = rgb;
    for (size_t i = 0; i < n; i++, p += 3)
        ((float *)out)[i] = at_most_one(
            (19595 * (double)p[0] + 38470 * (double)p[1] + 7471 * (double)p[2]) / 65536);
}

/* Strides and counts are in elements. */
typedef struct element {
    size_t size;
    void (*across)(const filter *f, int c, const void *in, void *out);
    void (*down)(const filter *f, int i, size_t n, const void *in, size_t stride, void *out);
    void (*gray)(size_t n, const void *rgb, void *out);
    void (*color)(size_t n, int c, const void *gray, void *out);
} element;

static const element byte_element = {1, across_bytes, down_bytes, gray_bytes, color_bytes};
static const element float_element = {sizeof(float), across_floats, down_floats, gray_floats,
                                      color_floats};

/* ---- Plans ---- */

typedef struct plan {
    const element *e;
    int h, w, c;             /* of the picture */
    int top, left;           /* of the box that is used, of rows.from x columns.from pixels */
    int inner;               /* channels while filtering */
    int out_h, out_w, out_c; /* of the image */
    int out_top, out_left;   /* of the box in the image, of rows.to x columns.to pixels */
    filter rows, columns;
    size_t cut, half, scratch; /* elements of the gray box, the half-filtered box, and of both and
                                  the box to recolor */
    char *memory;
} plan;

/* Returns n * a / b, rounded, and at least 1. */
static int share(int n, int a, int b)
{
    int64_t m = ((int64_t)n * a * 2 + b) / (2 * (int64_t)b);
    return m < 1 ? 1 : (int)m;
}

static void place_boxes(plan *p, picture_crop crop)
{
    int box_h = p->h, box_w = p->w, to_h = p->out_h, to_w = p->out_w;
    int64_t excess = (int64_t)p->w * p->out_h - (int64_t)p->h * p->out_w; /* > 0: too wide */
    if (crop == CROP_CENTER && excess > 0)
        box_w = share(p->h, p->out_w, p->out_h);
    if (crop == CROP_CENTER && excess < 0)
        box_h = share(p->w, p->out_h, p->out_w);
    if (crop == CROP_FIT && excess > 0)
        to_h = share(p->out_w, p->h, p->w);
    if (crop == CROP_FIT && excess < 0)
        to_w = share(p->out_h, p->w, p->h);
    p->top = (p->h - box_h) / 2;
    p->left = (p->w - box_w) / 2;
    p->out_top = (p->out_h - to_h) / 2;
    p->out_left = (p->out_w - to_w) / 2;
    p->rows = filter_sized(box_h, to_h);
    p->columns = filter_sized(box_w, to_w);
}

static int plan_make(plan *p, const transform *t, const element *e, int h, int w, int c)
{
    *p = (plan){.e = e, .h = h, .w = w, .c = c};
    transform_size(t, &(picture){.h = h, .w = w, .c = c}, &p->out_h, &p->out_w, &p->out_c);
    place_boxes(p, t->crop);
    p->inner = c == 3 && p->out_c == 1 ? 1 : c;
    size_t inner = (size_t)p->inner;
    p->cut = p->inner == c ? 0 : (size_t)p->rows.from * (size_t)p->columns.from;
    p->half = (size_t)p->rows.from * (size_t)p->columns.to * inner;
    p->scratch = p->cut + p->half;
    if (p->inner != p->out_c)
        p->scratch += (size_t)p->rows.to * (size_t)p->columns.to;
    size_t rows = (filter_bytes(&p->rows) + 7) / 8 * 8;
    p->memory = tensor_alloc(rows + filter_bytes(&p->columns), "the filter of a transform");
    if (!p->memory)
        return LT_NO_MEMORY;
    filter_make(&p->rows, p->memory);
    filter_make(&p->columns, p->memory + rows);
    return LT_OK;
}

/* ---- One picture ---- */

/* Pixels, and the distance between rows in elements. */
typedef struct view {
    char *data;
    size_t stride;
} view;

static char *row_of(const plan *p, view v, int row)
{
    return v.data + (size_t)row * v.stride * p->e->size;
}

/* Returns the used box of the picture, converted to gray if requested. */
static view cut_box(const plan *p, const char *in, char *scratch)
{
    size_t width = (size_t)p->w * (size_t)p->c, columns = (size_t)p->columns.from;
    size_t at = (size_t)p->top * width + (size_t)p->left * (size_t)p->c;
    view box = {(char *)in + at * p->e->size, width};
    if (p->inner == p->c)
        return box;
    view gray = {scratch, columns};
    for (int row = 0; row < p->rows.from; row++)
        p->e->gray(columns, row_of(p, box, row), row_of(p, gray, row));
    return gray;
}

static view filter_rows(const plan *p, view in, char *scratch)
{
    if (p->columns.from == p->columns.to)
        return in;
    view half = {scratch, (size_t)p->columns.to * (size_t)p->inner};
    for (int row = 0; row < p->rows.from; row++)
        p->e->across(&p->columns, p->inner, row_of(p, in, row), row_of(p, half, row));
    return half;
}

static void filter_columns(const plan *p, view in, view out)
{
    size_t n = (size_t)p->columns.to * (size_t)p->inner;
    for (int row = 0; row < p->rows.to; row++)
        if (p->rows.from == p->rows.to)
            memcpy(row_of(p, out, row), row_of(p, in, row), n * p->e->size);
        else
            p->e->down(&p->rows, row, n, in.data, in.stride, row_of(p, out, row));
}

static void transform_one(const plan *p, const char *in, char *out, char *scratch)
{
    size_t size = p->e->size, width = (size_t)p->out_w * (size_t)p->out_c;
    size_t at = (size_t)p->out_top * width + (size_t)p->out_left * (size_t)p->out_c;
    if (p->rows.to < p->out_h || p->columns.to < p->out_w)
        memset(out, 0, (size_t)p->out_h * width * size);
    view box = cut_box(p, in, scratch);
    view half = filter_rows(p, box, scratch + p->cut * size);
    view image = {out + at * size, width};
    view whole = {scratch + (p->cut + p->half) * size, (size_t)p->columns.to};
    bool is_colored = p->inner != p->out_c;
    filter_columns(p, half, is_colored ? whole : image);
    for (int row = 0; row < p->rows.to && is_colored; row++)
        p->e->color((size_t)p->columns.to, p->out_c, row_of(p, whole, row), row_of(p, image, row));
}

/* ---- Many ---- */

void transform_size(const transform *t, const picture *p, int *h, int *w, int *c)
{
    *h = t->h ? t->h : p->h;
    *w = t->w ? t->w : p->w;
    *c = t->c ? t->c : p->c;
}

typedef struct many {
    plan p;
    int64_t n, pieces;
    const char *in;
    char *out, *scratch;
} many;

static void transform_piece(void *context, int64_t piece, int worker)
{
    const many *m = context;
    const plan *p = &m->p;
    size_t from = (size_t)p->h * (size_t)p->w * (size_t)p->c * p->e->size;
    size_t to = (size_t)p->out_h * (size_t)p->out_w * (size_t)p->out_c * p->e->size;
    char *scratch = m->scratch + (size_t)worker * p->scratch * p->e->size;
    for (int64_t i = m->n * piece / m->pieces; i < m->n * (piece + 1) / m->pieces; i++)
        transform_one(p, m->in + (size_t)i * from, m->out + (size_t)i * to, scratch);
}

static int transform_many(const transform *t, const element *e, int n, const picture *like,
                          const void *in, void *out)
{
    many m = {.n = n, .pieces = n < MAX_PIECES ? n : MAX_PIECES, .in = in, .out = out};
    LT_TRY(plan_make(&m.p, t, e, like->h, like->w, like->c));
    int threads = n > 1 ? lt_cores() : 1;
    m.scratch = tensor_alloc((size_t)threads * m.p.scratch * e->size, "the rows of a transform");
    if (m.scratch)
        threads_run(threads, m.pieces, transform_piece, &m);
    tensor_free(m.p.memory);
    tensor_free(m.scratch);
    return m.scratch ? LT_OK : LT_NO_MEMORY;
}

int transform_bytes(const transform *t, int n, const picture *like, const unsigned char *in,
                    unsigned char *out)
{
    return transform_many(t, &byte_element, n, like, in, out);
}

int transform_floats(const transform *t, int n, const picture *like, const float *in, float *out)
{
    return transform_many(t, &float_element, n, like, in, out);
}

int transform_picture(const transform *t, const picture *p, unsigned char *out)
{
    return transform_many(t, &byte_element, 1, p, p->pixels, out);
}

/* ---- Alpha: writing never overtakes reading ---- */

void lay_bytes_on_white(unsigned char *pixels, size_t n, int c)
{
    const unsigned char *from = pixels;
    unsigned char *to = pixels;
    for (size_t i = 0; i < n; i++, from++) {
        int alpha = from[c];
        for (int k = 0; k < c; k++)
            *to++ = (unsigned char)((*from++ * alpha + 255 * (255 - alpha) + 127) / 255);
    }
}

void lay_floats_on_white(float *pixels, size_t n, int c)
{
    const float *from = pixels;
    float *to = pixels;
    for (size_t i = 0; i < n; i++, from++) {
        float alpha = from[c];
        for (int k = 0; k < c; k++)
            *to++ = *from++ * alpha + (1 - alpha);
    }
}
