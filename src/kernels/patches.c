/* SPDX-License-Identifier: MIT */
#include "kernels/patches.h"

#include "base/clones.h"
#include "base/memory.h"
#include "base/threads.h"
#include "kernels/onednn.h"

#include <stdlib.h>
#include <string.h>

/* One matrix product per worker, to be used by that worker alone; NULL with an error message. */
static onednn_matmul **make_products(onednn_matmul_spec s, int workers)
{
    onednn_matmul **list = must_alloc(sizeof(onednn_matmul *) * (size_t)workers);
    s.threads = 1;
    s.whole = true;
    for (int i = 0; i < workers; i++) {
        list[i] = onednn_matmul_create(&s);
        if (list[i])
            continue;
        while (i > 0)
            onednn_matmul_free(list[--i]);
        free(list);
        return NULL;
    }
    return list;
}

static void free_products(onednn_matmul **list, int workers)
{
    for (int i = 0; i < workers && list; i++)
        onednn_matmul_free(list[i]);
    free(list);
}

/* Floats for each worker, in cache lines of its own. */
static size_t whole_lines(int64_t floats) { return (size_t)(floats + 15) / 16 * 16; }

/* ---- Patches ---- */

struct patches {
    conv_spec spec;
    onednn_matmul **products; /* per worker */
    float *rows;              /* kh kw i x n oh ow, per worker */
    size_t rows_size;
};

patches *patches_create(const conv_spec *s)
{
    patches *k = must_alloc(sizeof *k);
    k->spec = *s;
    int64_t pixels = s->n * s->oh * s->ow, weights = s->kh * s->kw * s->i;
    k->products = make_products(
        s->pass == CONV_DX
            ? (onednn_matmul_spec){.n = weights, .k = s->o, .m = pixels, .transpose_b = true}
            : (onednn_matmul_spec){.n = weights, .k = pixels, .m = s->o},
        s->threads);
    k->rows_size = whole_lines(pixels * weights);
    k->rows = tensor_alloc(sizeof *k->rows * k->rows_size * (size_t)s->threads, "patches of images");
    if (k->products && k->rows)
        return k;
    patches_free(k);
    return NULL;
}

void patches_free(patches *k)
{
    if (!k)
        return;
    free_products(k->products, k->spec.threads);
    tensor_free(k->rows);
    free(k);
}

/* Pixels first ... end - 1 of y, of 0 ... n_out - 1, are those whose tap, at from + stride p, is one
   of the pixels 0 ... n - 1 of x. */
typedef struct reach {
    int64_t first, end;
} reach;

static reach find_reach(int64_t from, int64_t stride, int64_t n, int64_t n_out)
{
    reach r = {.first = from < 0 ? (-from + stride - 1) / stride : 0,
               .end = n > from ? (n - from + stride - 1) / stride : 0};
    r.first = r.first < n_out ? r.first : n_out;
    r.end = r.end > n_out ? n_out : r.end < r.first ? r.first : r.end;
    return r;
}

/* x[i step] += row[i], i < n. */
LT_CLONES static void add_row(int64_t n, float *x, int64_t step, const float *row)
{
    if (step == 1)
        for (int64_t i = 0; i < n; i++)
            x[i] += row[i];
    else
        for (int64_t i = 0; i < n; i++)
            x[i * step] += row[i];
}

LT_CLONES static void copy_row(int64_t n, const float *x, int64_t step, float *row)
{
    if (step == 1)
        for (int64_t i = 0; i < n; i++)
            row[i] = x[i];
    else
        for (int64_t i = 0; i < n; i++)
            row[i] = x[i * step];
}

/* Between one channel of an image (x points to its first float) and the row of patches that belongs
   to it and to a tap. */
static void add_tap(const conv_spec *s, int64_t ky, int64_t kx, const float *row, float *x)
{
    int64_t top = ky * s->dilation - s->pad, left = kx * s->dilation - s->pad;
    reach v = find_reach(top, s->stride, s->h, s->oh), u = find_reach(left, s->stride, s->w, s->ow);
    for (int64_t oy = v.first; oy < v.end; oy++)
        add_row(u.end - u.first,
                x + ((oy * s->stride + top) * s->w + u.first * s->stride + left) * s->i,
                s->stride * s->i, row + oy * s->ow + u.first);
}

static void copy_tap(const conv_spec *s, int64_t ky, int64_t kx, const float *x, float *row)
{
    int64_t top = ky * s->dilation - s->pad, left = kx * s->dilation - s->pad;
    reach v = find_reach(top, s->stride, s->h, s->oh), u = find_reach(left, s->stride, s->w, s->ow);
    memset(row, 0, sizeof *row * (size_t)(s->oh * s->ow));
    for (int64_t oy = v.first; oy < v.end; oy++)
        copy_row(u.end - u.first,
                 x + ((oy * s->stride + top) * s->w + u.first * s->stride + left) * s->i,
                 s->stride * s->i, row + oy * s->ow + u.first);
}

static void add_image(const conv_spec *s, const float *row, float *x)
{
    memset(x, 0, sizeof *x * (size_t)(s->h * s->w * s->i));
    for (int64_t ky = 0; ky < s->kh; ky++)
        for (int64_t kx = 0; kx < s->kw; kx++)
            for (int64_t c = 0; c < s->i; c++, row += s->n * s->oh * s->ow)
                add_tap(s, ky, kx, row, x + c);
}

static void copy_image(const conv_spec *s, const float *x, float *row)
{
    for (int64_t ky = 0; ky < s->kh; ky++)
        for (int64_t kx = 0; kx < s->kw; kx++)
            for (int64_t c = 0; c < s->i; c++, row += s->n * s->oh * s->ow)
                copy_tap(s, ky, kx, x + c, row);
}

void patches_run(patches *k, const float *a, const float *b, float *out, int worker)
{
    const conv_spec *s = &k->spec;
    float *rows = k->rows + (size_t)worker * k->rows_size;
    int64_t x_size = s->h * s->w * s->i, pixels = s->oh * s->ow;
    if (s->pass == CONV_DX) {
        onednn_matmul_run(k->products[worker], b, a, NULL, rows, 1);
        for (int64_t n = 0; n < s->n; n++)
            add_image(s, rows + n * pixels, out + n * x_size);
    } else {
        for (int64_t n = 0; n < s->n; n++)
            copy_image(s, a + n * x_size, rows + n * pixels);
        onednn_matmul_run(k->products[worker], rows, b, NULL, out, 1);
    }
}

/* ---- Taps ---- */

/* A piece is some of the rows of a w[ky][kx] over the whole batch, so there is nothing to add up. The
   pixels of x are gathered, some images at a time. */
struct taps {
    conv_spec spec;
    int64_t rows;           /* of w in a piece */
    int64_t images;         /* gathered at a time */
    onednn_matmul **first;  /* of the first images, per worker: w = */
    onednn_matmul **others; /* w += */
    onednn_matmul **last;   /* of a smaller number of images, if any */
    float *gathered;        /* images oh ow x rows, per worker */
    size_t gathered_size;
};

/* Enough pieces for some threads, of enough rows for a product. */
static int64_t choose_rows(const conv_spec *s)
{
    int64_t rows = s->i;
    while (s->kh * s->kw * (s->i / rows) < 16 && rows % 32 == 0 && rows > 64)
        rows /= 2;
    return rows;
}

/* The part of `gathered` that a worker uses stays in its L2. */
static int64_t choose_gathered(const conv_spec *s, int64_t rows)
{
    const int64_t most = 64 * 1024;
    int64_t images = most / (rows * s->oh * s->ow);
    return images < 1 ? 1 : images > s->n ? s->n : images;
}

static onednn_matmul **make_tap_products(const taps *k, int64_t images, bool accumulate)
{
    const conv_spec *s = &k->spec;
    return make_products((onednn_matmul_spec){.n = k->rows,
                                              .k = images * s->oh * s->ow,
                                              .m = s->o,
                                              .transpose_a = true,
                                              .accumulate = accumulate},
                         s->threads);
}

taps *taps_create(const conv_spec *s)
{
    taps *k = must_alloc(sizeof *k);
    k->spec = *s;
    k->rows = choose_rows(s);
    k->images = choose_gathered(s, k->rows);
    int64_t rest = s->n % k->images;
    k->first = make_tap_products(k, k->images, false);
    k->others = make_tap_products(k, k->images, true);
    k->last = rest > 0 ? make_tap_products(k, rest, true) : NULL;
    k->gathered_size = whole_lines(k->images * s->oh * s->ow * k->rows);
    k->gathered = tensor_alloc(sizeof *k->gathered * k->gathered_size * (size_t)s->threads,
                               "gathered pixels of a convolution");
    if (k->first && k->others && (k->last || rest == 0) && k->gathered)
        return k;
    taps_free(k);
    return NULL;
}

void taps_free(taps *k)
{
    if (!k)
        return;
    free_products(k->first, k->spec.threads);
    free_products(k->others, k->spec.threads);
    free_products(k->last, k->spec.threads);
    tensor_free(k->gathered);
    free(k);
}

/* The channels of a piece, x pointing to the first, of the pixels under a tap; 0 outside of x. */
static void gather(const taps *k, const float *x, int64_t ky, int64_t kx, float *to)
{
    const conv_spec *s = &k->spec;
    size_t bytes = sizeof *to * (size_t)k->rows;
    for (int64_t oy = 0; oy < s->oh; oy++)
        for (int64_t ox = 0; ox < s->ow; ox++, to += k->rows) {
            int64_t iy = oy * s->stride + ky * s->dilation - s->pad;
            int64_t ix = ox * s->stride + kx * s->dilation - s->pad;
            if (iy < 0 || ix < 0 || iy >= s->h || ix >= s->w)
                memset(to, 0, bytes);
            else
                memcpy(to, x + (iy * s->w + ix) * s->i, bytes);
        }
}

typedef struct taps_call {
    taps *k;
    const float *x, *y;
    float *w;
} taps_call;

static void run_tap(void *context, int64_t piece, int worker)
{
    const taps_call *c = context;
    taps *k = c->k;
    const conv_spec *s = &k->spec;
    int64_t per_tap = s->i / k->rows, tap = piece / per_tap, channel = piece % per_tap * k->rows;
    float *gathered = k->gathered + (size_t)worker * k->gathered_size;
    for (int64_t n = 0; n < s->n; n += k->images) {
        int64_t images = s->n - n < k->images ? s->n - n : k->images;
        for (int64_t i = 0; i < images; i++)
            gather(k, c->x + (n + i) * s->h * s->w * s->i + channel, tap / s->kw, tap % s->kw,
                   gathered + i * s->oh * s->ow * k->rows);
        onednn_matmul **product = n == 0 ? k->first : images < k->images ? k->last : k->others;
        onednn_matmul_run(product[worker], gathered, c->y + n * s->oh * s->ow * s->o, NULL,
                          c->w + piece * k->rows * s->o, 1);
    }
}

void taps_run(taps *k, const float *x, const float *y, float *w, int threads)
{
    const conv_spec *s = &k->spec;
    threads_run(threads, s->kh * s->kw * (s->i / k->rows), run_tap, &(taps_call){k, x, y, w});
}
