/* SPDX-License-Identifier: MIT */
#include "kernels/conv.h"

#include "base/memory.h"
#include "base/status.h"
#include "base/threads.h"
#include "kernels/onednn.h"
#include "kernels/tiles.h"

#include <stdlib.h>
#include <string.h>

/* The batch is cut into pieces of equally many images, the last of which may be smaller. DW: each
   piece computes its own part of the gradient, in the format of its primitive. */
struct conv_kernel {
    conv_spec spec;
    int64_t images, n_pieces; /* images per piece */
    onednn_conv *whole, *last;
    float *finish_bias; /* has_bias: the bias repeated, for runs of finish_length floats */
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

/* ---- Bias and activation ---- */

typedef void tile_function(int n, float *y, const float *a, const float *b, const float *c,
                           unsigned scalars);

/* The activations of onednn_has_activation as tile kernels. */
static void activate(const conv_spec *s, int n, float *y)
{
    static const struct {
        const char *name;
        tile_function *f;
        unsigned scalars;
    } kernels[] = {{"relu", tile_relu, 0},
                   {"leaky_by", tile_leaky_by, 2},
                   {"elu_by", tile_elu_by, 2},
                   {"tanh", tile_tanh, 0},
                   {"sigmoid", tile_sigmoid, 0}};
    for (int i = 0; i < COUNT_OF(kernels); i++)
        if (strcmp(kernels[i].name, s->activation) == 0)
            kernels[i].f(n, y, y, &s->parameter, NULL, kernels[i].scalars);
}

/* Channels of the result. */
static int64_t out_channels(const conv_spec *s) { return s->pass == CONV_FORWARD ? s->o : s->i; }

/* A run of a whole number of pixels, about a tile. */
static void make_finish(conv_kernel *k)
{
    int64_t channels = out_channels(&k->spec);
    int64_t pixels = channels > 0 && channels < TILE_SIZE ? TILE_SIZE / channels : 1;
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
    if (n == 0 || (!s->has_bias && !s->activation))
        return;
    for (int64_t at = 0; at < n; at += k->finish_length) {
        int length = (int)(n - at < k->finish_length ? n - at : k->finish_length);
        if (s->has_bias)
            tile_add(length, y + at, y + at, k->finish_bias, NULL, 0);
        if (s->activation)
            activate(s, length, y + at);
    }
}

/* ---- Pieces ---- */

/* Images per piece. */
static int64_t choose_images(const conv_spec *s)
{
    int64_t pieces = 16;
    int64_t images = (s->n + pieces - 1) / pieces;
    return images < 1 ? 1 : images;
}

/* Of `images` images. DX finishes outside of the primitive. */
static onednn_conv *make_piece(const conv_spec *spec, int64_t images, const onednn_conv *like)
{
    conv_spec s = *spec;
    s.n = images;
    if (s.pass != CONV_FORWARD) {
        s.has_bias = false;
        s.activation = NULL;
    }
    return onednn_conv_create(&s, like);
}

int64_t conv_packed_size(const conv_spec *spec)
{
    if (spec->pass == CONV_DW || is_empty(spec))
        return 0;
    conv_spec s = *spec;
    s.has_bias = false;
    s.activation = NULL;
    s.threads = 1;
    onednn_conv *k = make_piece(&s, choose_images(&s), NULL);
    if (!k)
        return -1;
    int64_t size = onednn_conv_is_plain(k) ? 0 : (int64_t)onednn_conv_packed_size(k);
    onednn_conv_free(k);
    return size;
}

static bool make_pieces(conv_kernel *k)
{
    const conv_spec *s = &k->spec;
    k->images = choose_images(s);
    k->n_pieces = (s->n + k->images - 1) / k->images;
    k->whole = make_piece(s, k->images, NULL);
    if (!k->whole)
        return false;
    if (s->n % k->images != 0) {
        k->last = make_piece(s, s->n % k->images, k->whole);
        if (!k->last)
            return false;
    }
    if (s->pass != CONV_DW)
        return true;
    k->part_size = (onednn_conv_packed_size(k->whole) + 15) / 16 * 16;
    k->parts = tensor_alloc(sizeof *k->parts * k->part_size * (size_t)k->n_pieces,
                            "partial weight gradients of a convolution");
    return k->parts != NULL;
}

conv_kernel *conv_create(const conv_spec *spec)
{
    conv_kernel *k = must_alloc(sizeof *k);
    k->spec = *spec;
    make_finish(k);
    if (is_empty(spec) || make_pieces(k))
        return k;
    conv_free(k);
    return NULL;
}

void conv_free(conv_kernel *k)
{
    if (!k)
        return;
    onednn_conv_free(k->whole);
    onednn_conv_free(k->last);
    tensor_free(k->parts);
    free(k->finish_bias);
    free(k);
}

void conv_pack(conv_kernel *k, const float *w, float *packed, int threads)
{
    (void)threads;
    if (k->whole)
        onednn_conv_reorder(k->whole, w, packed);
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
    bool is_last = k->last && i == k->n_pieces - 1;
    onednn_conv *piece = is_last ? k->last : k->whole;
    int64_t images = is_last ? s->n - first : k->images;
    switch (s->pass) {
    case CONV_FORWARD:
        onednn_conv_run(piece, c->a + x_at, c->b, c->bias, c->out + y_at, worker);
        break;
    case CONV_DX:
        onednn_conv_run(piece, c->a + y_at, c->b, NULL, c->out + x_at, worker);
        finish(k, images * x_size(s), c->out + x_at);
        break;
    case CONV_DW:
        onednn_conv_run(piece, c->a + x_at, c->b + y_at, NULL, k->parts + (size_t)i * k->part_size,
                        worker);
        break;
    }
}

/* Parts are added in pairs, pairs of pairs, ... into part 0, a range of floats at a time. */
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

void conv_run(conv_kernel *k, const float *a, const float *b, const float *bias, float *out,
              int threads)
{
    LT_ASSERT(threads <= k->spec.threads);
    repeat_bias(k, bias);
    if (!k->whole) {
        run_empty(k, out);
        return;
    }
    threads_run(threads, k->n_pieces, run_piece, &(conv_call){k, a, b, bias, out});
    if (k->spec.pass == CONV_DW) {
        threads_run(threads, (int64_t)((k->part_size + SUM_RANGE - 1) / SUM_RANGE), add_range, k);
        onednn_conv_reorder(k->whole, k->parts, out);
    }
}
