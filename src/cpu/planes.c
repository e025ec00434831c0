/* SPDX-License-Identifier: MIT */
/* An image of one channel is a plane: its rows, padded, one after the other. Pixel t of y then meets pixel t + (ky
   width + kx) dilation of x for every t, so one long loop covers all rows. Its results between the end of a row of y
   and the next row are not used. */
#include "cpu/planes.h"

#include "base/clones.h"
#include "base/memory.h"
#include "cpu/channels.h"

#include <stdlib.h>
#include <string.h>

enum { LANES = 16, GROUP = 8, SLACK = GROUP * LANES };

/* With the alignment of floats. */
typedef float lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));

struct planes {
    conv_spec spec;
    int64_t width, length;    /* of a row; of the pixels of y, gaps included */
    int64_t x_plane, y_plane; /* floats */
    float *memory;            /* i planes of x, o of y; per worker */
    int64_t size;
    float *sums; /* DW: LANES partial sums of each number of w; per worker */
    int64_t sums_size;
};

planes *planes_create(const conv_spec *s)
{
    planes *k = must_alloc(sizeof *k);
    k->spec = *s;
    k->width = s->ow + s->dilation * (s->kw - 1);
    k->length = s->oh * k->width;
    k->y_plane = (k->length + SLACK - 1) / SLACK * SLACK;
    k->x_plane = k->y_plane + s->dilation * ((s->kh - 1) * k->width + s->kw - 1) + SLACK;
    k->size = k->x_plane * s->i + k->y_plane * s->o;
    k->memory = tensor_alloc(sizeof *k->memory * (size_t)(k->size * s->threads),
                             "planes of a convolution");
    k->sums_size = s->pass == CONV_DW ? s->kh * s->kw * s->i * s->o * LANES : 0;
    k->sums = tensor_alloc(sizeof *k->sums * (size_t)(k->sums_size * s->threads),
                           "sums of a convolution");
    if (k->memory && k->sums)
        return k;
    planes_free(k);
    return NULL;
}

void planes_free(planes *k)
{
    if (!k)
        return;
    tensor_free(k->memory);
    tensor_free(k->sums);
    free(k);
}

/* ---- Images to planes and back ---- */

/* Splits h x w pixels, padded by `pad` or cropped by -pad, into planes of rows x width; the rest stays zero. */
LT_CLONES static void split_image(int64_t h, int64_t w, int64_t c, int64_t pad,
                                  const float *restrict x, int64_t rows, int64_t width,
                                  int64_t plane, float *restrict all)
{
    int64_t left = pad < 0 ? -pad : 0, most = width - pad;
    int64_t n = (w < most ? w : most) - left;
    for (int64_t r = pad < 0 ? 0 : pad; r < rows && r - pad < h; r++) {
        const float *from = x + ((r - pad) * w + left) * c;
        float *to = all + r * width + pad + left;
#define SPLIT(C)                                                                                   \
    for (int64_t i = 0; i < n; i++)                                                                \
        for (int64_t k = 0; k < (C); k++)                                                          \
    to[k * plane + i] = from[i * (C) + k]
        FOR_CHANNELS(c, SPLIT)
#undef SPLIT
    }
}

LT_CLONES static void join_image(int64_t h, int64_t w, int64_t c, const float *restrict all,
                                 int64_t width, int64_t plane, float *restrict y)
{
    for (int64_t r = 0; r < h; r++, all += width, y += w * c) {
#define JOIN(C)                                                                                    \
    for (int64_t i = 0; i < w; i++)                                                                \
        for (int64_t k = 0; k < (C); k++)                                                          \
    y[i * (C) + k] = all[k * plane + i]
        FOR_CHANNELS(c, JOIN)
#undef JOIN
    }
}

/* ---- Inner loops ---- */

/* G channels of y, V vectors of pixels from t on. */
static inline __attribute__((always_inline)) void forward_block(const planes *k, int G, int V,
                                                                const float *x, const float *w,
                                                                float *y)
{
    const conv_spec *s = &k->spec;
    lanes sum[GROUP];
    for (int j = 0; j < G * V; j++)
        sum[j] = (lanes){0};
    for (int64_t ky = 0; ky < s->kh; ky++)
        for (int64_t kx = 0; kx < s->kw; kx++) {
            const float *from = x + (ky * k->width + kx) * s->dilation;
            for (int64_t i = 0; i < s->i; i++, from += k->x_plane, w += s->o)
                for (int v = 0; v < V; v++) {
                    lanes pixels = *(const lanes *)(from + v * LANES);
                    for (int g = 0; g < G; g++)
                        sum[v * G + g] += pixels * w[g];
                }
        }
    for (int g = 0; g < G; g++)
        for (int v = 0; v < V; v++)
            *(lanes *)(y + g * k->y_plane + v * LANES) = sum[v * G + g];
}

LT_CLONES static void forward_planes(const planes *k, const float *x, const float *w, float *y)
{
    int64_t o = k->spec.o, first = 0;
#define CHANNELS(G)                                                                                \
    for (; first + (G) <= o; first += (G))                                                         \
        for (int64_t t = 0; t < k->length; t += GROUP / (G) * LANES)                               \
    forward_block(k, G, GROUP / (G), x + t, w + first, y + first * k->y_plane + t)
    CHANNELS(8);
    CHANNELS(4);
    CHANNELS(2);
    CHANNELS(1);
#undef CHANNELS
}

/* sums[g] += x y[g], G channels of y, over all pixels, with V vectors at a time. */
static inline __attribute__((always_inline)) void dw_block(const planes *k, int G, int V,
                                                           const float *x, const float *y,
                                                           float *sums)
{
    lanes sum[GROUP];
    for (int j = 0; j < G * V; j++)
        sum[j] = (lanes){0};
    for (int64_t t = 0; t < k->length; t += V * LANES)
        for (int v = 0; v < V; v++) {
            lanes pixels = *(const lanes *)(x + t + v * LANES);
            for (int g = 0; g < G; g++)
                sum[v * G + g] += pixels * *(const lanes *)(y + g * k->y_plane + t + v * LANES);
        }
    for (int width = V / 2; width > 0; width /= 2)
        for (int j = 0; j < width * G; j++)
            sum[j] += sum[width * G + j];
    for (int g = 0; g < G; g++)
        *(lanes *)(sums + g * LANES) += sum[g];
}

LT_CLONES static void dw_planes(const planes *k, const float *x, const float *y, float *sums)
{
    const conv_spec *s = &k->spec;
    for (int64_t ky = 0; ky < s->kh; ky++)
        for (int64_t kx = 0; kx < s->kw; kx++)
            for (int64_t i = 0; i < s->i; i++, sums += s->o * LANES) {
                const float *from = x + (ky * k->width + kx) * s->dilation + i * k->x_plane;
                int64_t first = 0;
#define CHANNELS(G)                                                                                \
    for (; first + (G) <= s->o; first += (G))                                                      \
    dw_block(k, G, GROUP / (G), from, y + first * k->y_plane, sums + first * LANES)
                CHANNELS(8);
                CHANNELS(4);
                CHANNELS(2);
                CHANNELS(1);
#undef CHANNELS
            }
}

/* ---- Running ---- */

static void add_lanes(int64_t n, float *sums, float *out)
{
    for (int64_t j = 0; j < n; j++, sums += LANES) {
        for (int width = LANES / 2; width > 0; width /= 2)
            for (int l = 0; l < width; l++)
                sums[l] += sums[width + l];
        out[j] = sums[0];
    }
}

void planes_run(planes *k, const float *a, const float *b, float *out, int worker)
{
    const conv_spec *s = &k->spec;
    int64_t rows = s->oh + s->dilation * (s->kh - 1), y_size = s->oh * s->ow * s->o;
    float *x = k->memory + worker * k->size, *y = x + k->x_plane * s->i;
    float *sums = k->sums + worker * k->sums_size;
    if (s->pass == CONV_DW)
        memset(sums, 0, sizeof *sums * (size_t)k->sums_size);
    for (int64_t n = 0; n < s->n; n++, a += s->h * s->w * s->i) {
        split_image(s->h, s->w, s->i, s->pad, a, rows, k->width, k->x_plane, x);
        if (s->pass == CONV_DW) {
            split_image(s->oh, s->ow, s->o, 0, b + n * y_size, s->oh, k->width, k->y_plane, y);
            dw_planes(k, x, y, sums);
            continue;
        }
        forward_planes(k, x, b, y);
        join_image(s->oh, s->ow, s->o, y, k->width, k->y_plane, out + n * y_size);
    }
    if (s->pass == CONV_DW)
        add_lanes(s->kh * s->kw * s->i * s->o, sums, out);
}
