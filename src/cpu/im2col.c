/* SPDX-License-Identifier: MIT */
#include "cpu/im2col.h"

#include "base/clones.h"
#include "base/memory.h"
#include "base/threads.h"
#include "cpu/onednn.h"

#include <stdlib.h>
#include <string.h>

/* Makes one matmul per worker, used by that worker alone; NULL with an error on failure. */
static onednn_matmul **make_matmuls(onednn_matmul_spec s, int workers)
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

static void free_matmuls(onednn_matmul **list, int workers)
{
    for (int i = 0; i < workers && list; i++)
        onednn_matmul_free(list[i]);
    free(list);
}

/* Floats per worker, rounded up to whole cache lines. */
static size_t whole_lines(int64_t floats) { return (size_t)(floats + 15) / 16 * 16; }

/* ---- im2col ---- */

struct im2col {
    conv_spec spec;
    onednn_matmul **matmuls;  /* per worker */
    float *rows;              /* kh kw i x n oh ow, per worker */
    size_t rows_size;
};

im2col *im2col_create(const conv_spec *s)
{
    im2col *k = must_alloc(sizeof *k);
    k->spec = *s;
    int64_t pixels = s->n * s->oh * s->ow, weights = s->kh * s->kw * s->i;
    k->matmuls = make_matmuls(
        s->pass == CONV_DX
            ? (onednn_matmul_spec){.n = weights, .k = s->o, .m = pixels, .transpose_b = true}
            : (onednn_matmul_spec){.n = weights, .k = pixels, .m = s->o},
        s->threads);
    k->rows_size = whole_lines(pixels * weights);
    k->rows = tensor_alloc(sizeof *k->rows * k->rows_size * (size_t)s->threads, "im2col matrix of a convolution");
    if (k->matmuls && k->rows)
        return k;
    im2col_free(k);
    return NULL;
}

void im2col_free(im2col *k)
{
    if (!k)
        return;
    free_matmuls(k->matmuls, k->spec.threads);
    tensor_free(k->rows);
    free(k);
}

/* Pixels p = first ... end - 1 of y, of n_out, whose tap at from + stride p is inside the n pixels of x. */
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

/* Copy or add between one channel of an image (x points to its first float) and the im2col row of that channel and
   tap. */
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

void im2col_run(im2col *k, const float *a, const float *b, float *out, int worker)
{
    const conv_spec *s = &k->spec;
    float *rows = k->rows + (size_t)worker * k->rows_size;
    int64_t x_size = s->h * s->w * s->i, pixels = s->oh * s->ow;
    if (s->pass == CONV_DX) {
        onednn_matmul_run(k->matmuls[worker], b, a, NULL, rows, 1);
        for (int64_t n = 0; n < s->n; n++)
            add_image(s, rows + n * pixels, out + n * x_size);
    } else {
        for (int64_t n = 0; n < s->n; n++)
            copy_image(s, a + n * x_size, rows + n * pixels);
        onednn_matmul_run(k->matmuls[worker], rows, b, NULL, out, 1);
    }
}

/* ---- By kernel taps ---- */

/* Matmuls over equally many pixels per image, one of each per worker. */
typedef struct tap_matmuls {
    int64_t pixels;
    onednn_matmul **first;  /* for the first images: w = */
    onednn_matmul **others; /* w += */
    onednn_matmul **last;   /* for a smaller number of last images, if any */
} tap_matmuls;

/* A piece is a range of rows of one w[ky][kx] over the whole batch, so pieces need no summation. The pixels of x
   under the tap, and those of y where the tap is inside x, are gathered, some images at a time. */
struct kernel_taps {
    conv_spec spec;
    int64_t rows;   /* of w in a piece */
    int64_t images; /* gathered at a time */
    tap_matmuls *matmuls;
    int n_matmuls;
    float *gathered; /* images oh ow x (rows, o), per worker */
    size_t gathered_size;
};

/* The pixels of y at which a tap is inside x. */
typedef struct region {
    reach y, x;
    int64_t pixels;
} region;

static region find_region(const conv_spec *s, int64_t tap)
{
    int64_t top = tap / s->kw * s->dilation - s->pad, left = tap % s->kw * s->dilation - s->pad;
    region r = {.y = find_reach(top, s->stride, s->h, s->oh),
                .x = find_reach(left, s->stride, s->w, s->ow)};
    r.pixels = (r.y.end - r.y.first) * (r.x.end - r.x.first);
    return r;
}

/* Rows per piece: enough pieces for several threads, enough rows for a matmul. */
static int64_t choose_rows(const conv_spec *s)
{
    int64_t rows = s->i;
    while (s->kh * s->kw * (s->i / rows) < 16 && rows % 32 == 0 && rows > 64)
        rows /= 2;
    return rows;
}

/* Images gathered at a time, so that the gathered pixels stay in L2. */
static int64_t choose_gathered(const conv_spec *s, int64_t rows)
{
    const int64_t most = 64 * 1024;
    int64_t images = most / (rows * s->oh * s->ow);
    return images < 1 ? 1 : images > s->n ? s->n : images;
}

static tap_matmuls *find_matmuls(const kernel_taps *k, int64_t pixels)
{
    for (int i = 0; i < k->n_matmuls; i++)
        if (k->matmuls[i].pixels == pixels)
            return &k->matmuls[i];
    return NULL;
}

static bool make_tap_matmuls(kernel_taps *k, int64_t pixels)
{
    const conv_spec *s = &k->spec;
    if (pixels == 0 || find_matmuls(k, pixels))
        return true;
    int64_t rest = s->n % k->images;
    onednn_matmul_spec m = {
        .n = k->rows, .k = k->images * pixels, .m = s->o, .transpose_a = true};
    tap_matmuls *p = &k->matmuls[k->n_matmuls++];
    p->pixels = pixels;
    p->first = make_matmuls(m, s->threads);
    m.accumulate = true;
    p->others = make_matmuls(m, s->threads);
    m.k = rest * pixels;
    p->last = rest > 0 ? make_matmuls(m, s->threads) : NULL;
    return p->first && p->others && (p->last || rest == 0);
}

kernel_taps *kernel_taps_create(const conv_spec *s)
{
    kernel_taps *k = must_alloc(sizeof *k);
    k->spec = *s;
    k->rows = choose_rows(s);
    k->images = choose_gathered(s, k->rows);
    k->matmuls = must_alloc(sizeof *k->matmuls * (size_t)(s->kh * s->kw));
    bool made = true;
    for (int64_t t = 0; t < s->kh * s->kw && made; t++)
        made = make_tap_matmuls(k, find_region(s, t).pixels);
    k->gathered_size = whole_lines(k->images * s->oh * s->ow * (k->rows + s->o));
    k->gathered = tensor_alloc(sizeof *k->gathered * k->gathered_size * (size_t)s->threads,
                               "gathered pixels of a convolution");
    if (made && k->gathered)
        return k;
    kernel_taps_free(k);
    return NULL;
}

void kernel_taps_free(kernel_taps *k)
{
    if (!k)
        return;
    for (int i = 0; i < k->n_matmuls; i++) {
        free_matmuls(k->matmuls[i].first, k->spec.threads);
        free_matmuls(k->matmuls[i].others, k->spec.threads);
        free_matmuls(k->matmuls[i].last, k->spec.threads);
    }
    free(k->matmuls);
    tensor_free(k->gathered);
    free(k);
}

/* Gathers the channels of a piece (x points to the first) of the pixels under a tap. */
static void gather_x(const kernel_taps *k, const region *r, int64_t tap, const float *x, float *to)
{
    const conv_spec *s = &k->spec;
    int64_t top = tap / s->kw * s->dilation - s->pad, left = tap % s->kw * s->dilation - s->pad;
    for (int64_t oy = r->y.first; oy < r->y.end; oy++)
        for (int64_t ox = r->x.first; ox < r->x.end; ox++, to += k->rows)
            memcpy(to, x + ((oy * s->stride + top) * s->w + ox * s->stride + left) * s->i,
                   sizeof *to * (size_t)k->rows);
}

static void gather_y(const kernel_taps *k, const region *r, const float *y, float *to)
{
    const conv_spec *s = &k->spec;
    int64_t row = (r->x.end - r->x.first) * s->o;
    for (int64_t oy = r->y.first; oy < r->y.end; oy++, to += row)
        memcpy(to, y + (oy * s->ow + r->x.first) * s->o, sizeof *to * (size_t)row);
}

typedef struct kernel_taps_call {
    kernel_taps *k;
    const float *x, *y;
    float *w;
} kernel_taps_call;

static void run_tap(void *context, int64_t piece, int worker)
{
    const kernel_taps_call *c = context;
    kernel_taps *k = c->k;
    const conv_spec *s = &k->spec;
    int64_t per_tap = s->i / k->rows, tap = piece / per_tap, channel = piece % per_tap * k->rows;
    region r = find_region(s, tap);
    float *x = k->gathered + (size_t)worker * k->gathered_size;
    float *y = x + k->images * r.pixels * k->rows, *w = c->w + piece * k->rows * s->o;
    if (r.pixels == 0)
        memset(w, 0, sizeof *w * (size_t)(k->rows * s->o));
    for (int64_t n = 0; n < s->n && r.pixels > 0; n += k->images) {
        int64_t images = s->n - n < k->images ? s->n - n : k->images;
        bool all_y = r.pixels == s->oh * s->ow;
        const float *y_at = c->y + n * s->oh * s->ow * s->o;
        for (int64_t i = 0; i < images; i++) {
            gather_x(k, &r, tap, c->x + (n + i) * s->h * s->w * s->i + channel,
                     x + i * r.pixels * k->rows);
            if (!all_y)
                gather_y(k, &r, y_at + i * s->oh * s->ow * s->o, y + i * r.pixels * s->o);
        }
        const tap_matmuls *p = find_matmuls(k, r.pixels);
        onednn_matmul **matmul = n == 0 ? p->first : images < k->images ? p->last : p->others;
        onednn_matmul_run(matmul[worker], x, all_y ? y_at : y, NULL, w, 1);
    }
}

void kernel_taps_run(kernel_taps *k, const float *x, const float *y, float *w, int threads)
{
    const conv_spec *s = &k->spec;
    threads_run(threads, s->kh * s->kw * (s->i / k->rows), run_tap, &(kernel_taps_call){k, x, y, w});
}
