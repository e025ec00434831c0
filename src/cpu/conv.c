/* SPDX-License-Identifier: MIT */
#include "cpu/conv.h"

#include "base/memory.h"
#include "base/status.h"
#include "base/threads.h"
#include "cpu/planes.h"
#include "cpu/onednn.h"
#include "cpu/im2col.h"
#include "cpu/tiles.h"

#include <stdlib.h>
#include <string.h>

/* How a convolution is computed; a function of its shape and pass alone. */
typedef struct method {
    conv_spec spec; /* the caller's, or its mirror image */
    bool is_mirrored;
    enum { DIRECT, PATCHES, TAPS, PLANES } way;
    int64_t images; /* per piece */
} method;

/* Some images, computed by one thread with one of three implementations. */
typedef struct piece {
    onednn_conv *direct;
    im2col *im2col;
    planes *planes;
} piece;

/* The batch is cut into pieces of equally many images; the last may be smaller. DW: each piece computes its part of
   the gradient, or the weight is cut instead. */
struct conv_kernel {
    conv_spec spec;
    bool is_mirrored;
    int64_t images, n_pieces;
    piece whole, last;
    kernel_taps *kernel_taps; /* instead of pieces */
    tile_function *activation; /* or NULL */
    float *finish_bias; /* has_bias: the bias repeated, finish_length floats */
    int finish_length;
    float *parts; /* DW: one weight gradient per piece */
    size_t part_size;
};

static bool is_empty(const conv_spec *s)
{
    return s->n == 0 || s->h == 0 || s->w == 0 || s->i == 0 || s->oh == 0 || s->ow == 0 || s->o == 0 ||
           s->kh == 0 || s->kw == 0;
}

/* Floats of an image of x, of one of y, of a plain weight. */
static int64_t x_size(const conv_spec *s) { return s->h * s->w * s->i; }
static int64_t y_size(const conv_spec *s) { return s->oh * s->ow * s->o; }
static int64_t w_size(const conv_spec *s) { return s->kh * s->kw * (s->i / s->groups) * s->o; }

/* ---- Method ---- */

/* With stride 1, FORWARD and DX are each other's mirror image: w is rotated by half a turn, inputs and outputs are
   exchanged. */
static conv_spec mirror(const conv_spec *s)
{
    conv_spec m = *s;
    m.pass = s->pass == CONV_FORWARD ? CONV_DX : s->pass == CONV_DX ? CONV_FORWARD : CONV_DW;
    m.h = s->oh;
    m.w = s->ow;
    m.i = s->o;
    m.oh = s->h;
    m.ow = s->w;
    m.o = s->i;
    m.pad = s->dilation * (s->kh - 1) - s->pad;
    return m;
}

/* w (k x k x i x o) of `s` as the weight of its mirror image, or back. */
static void mirror_weight(const conv_spec *s, const float *w, float *mirrored)
{
    int64_t n = s->kh * s->kw, matrix = s->i * s->o;
    for (int64_t t = 0; t < n; t++)
        for (int64_t i = 0; i < s->i; i++)
            for (int64_t o = 0; o < s->o; o++)
                mirrored[(n - 1 - t) * matrix + o * s->i + i] = w[t * matrix + i * s->o + o];
}

/* oneDNN fills vectors of 16 channels, so its time does not fall with the channels of x in DX, and of y in the other
   passes. GFLOP/s of oneDNN and of im2col, on one Zen 4 core with a peak of 117:
       DX       k4 s2, x has 1, 3, 8 channels, y 64    7, 20, 55    61, 65, 65
       DX       k3 s1, 1, 3 and 16                     7, 21        55, 38
       FORWARD  k3 s1, 64 and 1, 3                     6, 19        29, 49
       DW       k3 s1, 64 and 1, 3                     6, 19        76, 67
   but DX of 8 and 16 channels 55 and 37. */
static bool is_narrow(int64_t few, int64_t many) { return few <= 8 && many >= 4 * few; }

/* oneDNN's DW passes over all of w for each image, which costs as much as about 16 pixels. On small images most taps also
   meet padding, which the method by kernel taps skips. GFLOP/s of oneDNN and by taps, multiplications with padding
   included:
       k4 s2  4 x 4 x 128 -> 2 x 2 x 256    57, 192
       k4 s2  8 x 8 x 128 -> 4 x 4 x 256    90, 130
       k3 s1  4 x 4 x 128 -> 4 x 4 x 128   105, 141
       k3 s1  8 x 8 x 128 -> 8 x 8 x 128   117, 100
   For a w of several MB, its parts also need too much memory. */
static bool is_small(const conv_spec *s)
{
    int64_t weights = w_size(s);
    return weights >= 2048 * 1024 || (s->oh * s->ow <= 16 && weights >= 32 * 1024);
}

/* With few channels, channels-last leaves vectors half empty; planes of one channel fill them. GFLOP/s of the other
   methods and by planes, 64 images of 28 x 28 pixels, k3 s1 p1:
       1 -> 2     11, 27       gradient of x   7, 30
       2 -> 2      8, 35
       4 -> 4     22, 55
       4 -> 8     43, 71
       16 -> 4    39, 53
       16 -> 8    54, 72
   but 16 -> 1 44 and 29, 32 -> 8 58 and 43, because images must be split into planes first. DW, whose sums over one plane
   are short: 1 -> 2 13, 22; 4 -> 4 30, 49; 4 -> 8 60, 50. */
static bool has_few(const conv_spec *s)
{
    if (s->stride != 1 || s->kh != s->kw || s->kh == 1)
        return false;
    if (s->pass == CONV_DW)
        return s->i <= 8 && (s->o == 2 || s->o == 4) && s->oh * s->ow >= 196;
    int64_t from = s->pass == CONV_DX ? s->o : s->i, to = s->pass == CONV_DX ? s->i : s->o;
    return to <= 8 && from <= 16 && from <= 8 * to;
}

/* Images per piece. Speed depends little on it, but each part of a large gradient costs time (16 instead of 8: up to
   10 %), and the im2col matrix should stay in L2. */
static int64_t choose_images(const conv_spec *s, bool by_im2col)
{
    const int64_t most_floats = 64 * 1024;
    int64_t pieces = s->pass == CONV_DW && w_size(s) > 16 * 1024 ? 8 : 16;
    int64_t most_pieces = s->pass == CONV_DW ? 64 : 1 << 16;
    int64_t images = (s->n + pieces - 1) / pieces;
    int64_t least = (s->n + most_pieces - 1) / most_pieces;
    int64_t most = most_floats / (s->oh * s->ow * s->kh * s->kw * s->i);
    if (by_im2col && images > most)
        images = most;
    return images < least ? least : images;
}

static method choose_method(const conv_spec *s)
{
    method m = {.spec = *s, .way = DIRECT};
    if (s->groups == 1) {
        if (has_few(s)) {
            m.way = PLANES;
            m.is_mirrored = s->pass == CONV_DX;
            m.spec = m.is_mirrored ? mirror(s) : *s;
        } else if (s->pass == CONV_DX && is_narrow(s->i, s->o)) {
            m.way = PATCHES;
        } else if (s->pass != CONV_DX && is_narrow(s->o, s->i) && s->stride == 1 && s->kh == s->kw) {
            m.way = PATCHES;
            m.is_mirrored = true;
            m.spec = mirror(s);
        } else if (s->pass == CONV_DW && is_small(s)) {
            m.way = TAPS;
        }
    }
    m.images = choose_images(&m.spec, m.way == PATCHES);
    return m;
}

/* ---- Bias and activation ---- */

/* Channels of the result. */
static int64_t out_channels(const conv_spec *s) { return s->pass == CONV_FORWARD ? s->o : s->i; }

/* Chooses a length of whole pixels, about a tile, and repeats the bias over it. */
static void make_finish(conv_kernel *k)
{
    int64_t channels = out_channels(&k->spec);
    int64_t pixels = channels > 0 && channels < TILE_SIZE ? TILE_SIZE / channels : 1;
    k->activation = k->spec.activation ? cpu_find_tile(k->spec.activation) : NULL;
    k->finish_length = (int)(pixels * channels);
    k->finish_bias = must_alloc(sizeof *k->finish_bias * (size_t)k->finish_length + 1);
}

static void repeat_bias(conv_kernel *k, const float *bias)
{
    int64_t channels = out_channels(&k->spec);
    for (int64_t at = 0; bias && at < k->finish_length; at += channels)
        memcpy(k->finish_bias + at, bias, sizeof *bias * (size_t)channels);
}

/* y = activation(y + bias), n floats of whole pixels. */
static void finish(const conv_kernel *k, int64_t n, float *y)
{
    const conv_spec *s = &k->spec;
    if (n == 0 || (!s->has_bias && !k->activation))
        return;
    for (int64_t at = 0; at < n; at += k->finish_length) {
        int length = (int)(n - at < k->finish_length ? n - at : k->finish_length);
        if (s->has_bias)
            tile_add(length, y + at, y + at, k->finish_bias, NULL, 0);
        if (k->activation)
            k->activation(length, y + at, y + at, &s->parameter, NULL, s->activation->n_in == 2 ? 2 : 0);
    }
}

/* ---- Pieces ---- */

/* Makes a piece of `images` images. Only oneDNN's FORWARD applies bias and activation itself. */
static bool make_piece(piece *p, const method *m, int64_t images, const piece *like)
{
    conv_spec s = m->spec;
    s.n = images;
    if (s.pass != CONV_FORWARD) {
        s.has_bias = false;
        s.activation = NULL;
    }
    if (m->way == PATCHES)
        p->im2col = im2col_create(&s);
    else if (m->way == PLANES)
        p->planes = planes_create(&s);
    else
        p->direct = onednn_conv_create(&s, like ? like->direct : NULL);
    return p->im2col || p->planes || p->direct;
}

static void free_piece(piece *p)
{
    onednn_conv_free(p->direct);
    im2col_free(p->im2col);
    planes_free(p->planes);
}

int64_t conv_packed_size(const conv_spec *spec)
{
    if (spec->pass == CONV_DW || is_empty(spec))
        return 0;
    method m = choose_method(spec);
    if (m.way == PATCHES || m.way == PLANES)
        return m.is_mirrored ? w_size(spec) : 0;
    m.spec.has_bias = false;
    m.spec.activation = NULL;
    m.spec.threads = 1;
    piece p = {0};
    if (!make_piece(&p, &m, m.images, NULL))
        return -1;
    int64_t size = onednn_conv_is_plain(p.direct) ? 0 : (int64_t)onednn_conv_packed_size(p.direct);
    free_piece(&p);
    return size;
}

static bool make_pieces(conv_kernel *k, const method *m)
{
    const conv_spec *s = &k->spec;
    int64_t rest = s->n % m->images;
    k->images = m->images;
    k->n_pieces = (s->n + m->images - 1) / m->images;
    if (!make_piece(&k->whole, m, m->images, NULL) ||
        (rest > 0 && !make_piece(&k->last, m, rest, &k->whole)))
        return false;
    if (s->pass != CONV_DW)
        return true;
    size_t size = k->whole.direct ? onednn_conv_packed_size(k->whole.direct) : (size_t)w_size(s);
    k->part_size = (size + 15) / 16 * 16;
    k->parts = tensor_alloc(sizeof *k->parts * k->part_size * (size_t)k->n_pieces,
                            "partial weight gradients of a convolution");
    return k->parts;
}

static bool make_kernel(conv_kernel *k)
{
    if (is_empty(&k->spec))
        return true;
    method m = choose_method(&k->spec);
    k->spec = m.spec;
    k->is_mirrored = m.is_mirrored;
    if (m.way != TAPS)
        return make_pieces(k, &m);
    k->kernel_taps = kernel_taps_create(&k->spec);
    return k->kernel_taps;
}

conv_kernel *conv_create(const conv_spec *spec)
{
    conv_kernel *k = must_alloc(sizeof *k);
    k->spec = *spec;
    bool made = make_kernel(k);
    make_finish(k);
    if (made)
        return k;
    conv_free(k);
    return NULL;
}

void conv_free(conv_kernel *k)
{
    if (!k)
        return;
    free_piece(&k->whole);
    free_piece(&k->last);
    kernel_taps_free(k->kernel_taps);
    tensor_free(k->parts);
    free(k->finish_bias);
    free(k);
}

void conv_pack(conv_kernel *k, const float *w, float *packed, int threads)
{
    (void)threads;
    if (k->whole.direct) {
        onednn_conv_reorder(k->whole.direct, w, packed);
    } else {
        conv_spec caller = mirror(&k->spec);
        mirror_weight(&caller, w, packed);
    }
}

/* ---- Running ---- */

typedef struct conv_call {
    conv_kernel *k;
    const float *a, *b, *bias;
    float *out;
} conv_call;

static void run_piece(void *context, int64_t i, int worker)
{
    const conv_call *c = context;
    conv_kernel *k = c->k;
    const conv_spec *s = &k->spec;
    int64_t first = i * k->images, x_at = first * x_size(s), y_at = first * y_size(s);
    int64_t images = s->n - first < k->images ? s->n - first : k->images;
    const piece *p = images < k->images ? &k->last : &k->whole;
    const float *a = c->a + (s->pass == CONV_DX ? y_at : x_at);
    const float *b = c->b + (s->pass == CONV_DW ? y_at : 0);
    float *out = s->pass == CONV_FORWARD ? c->out + y_at
                 : s->pass == CONV_DX    ? c->out + x_at
                                         : k->parts + (size_t)i * k->part_size;
    if (p->im2col)
        im2col_run(p->im2col, a, b, out, worker);
    else if (p->planes)
        planes_run(p->planes, a, b, out, worker);
    else
        onednn_conv_run(p->direct, a, b, c->bias, out, worker);
    if (s->pass == CONV_DX)
        finish(k, images * x_size(s), out);
    else if (s->pass == CONV_FORWARD && p->planes)
        finish(k, images * y_size(s), out);
}

/* Parts are added as a binary tree into part 0, a range of floats at a time. */
enum { SUM_RANGE = 4096 };

static void add_range(void *context, int64_t i, int worker)
{
    (void)worker;
    conv_kernel *k = context;
    size_t from = (size_t)i * SUM_RANGE;
    int n = (int)(k->part_size - from < SUM_RANGE ? k->part_size - from : SUM_RANGE);
    for (int64_t step = 1; step < k->n_pieces; step *= 2)
        for (int64_t p = 0; p + step < k->n_pieces; p += 2 * step)
            tile_accumulate_sum(n, k->parts + (size_t)p * k->part_size + from,
                                k->parts + (size_t)(p + step) * k->part_size + from);
}

static void run_empty(conv_kernel *k, float *out)
{
    const conv_spec *s = &k->spec;
    int64_t n = s->pass == CONV_FORWARD ? s->n * y_size(s)
                : s->pass == CONV_DX    ? s->n * x_size(s)
                                        : w_size(s);
    memset(out, 0, sizeof *out * (size_t)n);
    finish(k, n, out);
}

/* Sums the parts into plain w. */
static void finish_dw(conv_kernel *k, float *out, int threads)
{
    threads_run(threads, (int64_t)((k->part_size + SUM_RANGE - 1) / SUM_RANGE), add_range, k);
    if (k->whole.direct)
        onednn_conv_reorder(k->whole.direct, k->parts, out);
    else if (k->is_mirrored)
        mirror_weight(&k->spec, k->parts, out);
    else
        memcpy(out, k->parts, sizeof *out * (size_t)w_size(&k->spec));
}

void conv_run(conv_kernel *k, const float *a, const float *b, const float *bias, float *out,
              int threads)
{
    LT_ASSERT(threads <= k->spec.threads);
    repeat_bias(k, bias);
    if (k->is_mirrored && k->spec.pass == CONV_DW) {
        const float *x = a;
        a = b;
        b = x;
    }
    if (k->kernel_taps) {
        kernel_taps_run(k->kernel_taps, a, b, out, threads);
    } else if (k->n_pieces == 0) {
        run_empty(k, out);
    } else {
        threads_run(threads, k->n_pieces, run_piece, &(conv_call){k, a, b, bias, out});
        if (k->spec.pass == CONV_DW)
            finish_dw(k, out, threads);
    }
}
