/* SPDX-License-Identifier: MIT */
/* Measures the convolution kernels: every pass of layers of real models, with one thread and more.
   Usage: conv_bench [images] [threads] [seconds per line] [part of a layer's name] */
#include "base/clock.h"
#include "base/memory.h"
#include "base/status.h"
#include "cpu/conv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const pass_names[] = {"forward", "dx", "dw"};

/* x, y, kernel, stride, pad. For a layer of a decoder, those of its transposed convolution. */
typedef struct layer {
    const char *model;
    int64_t side, i, out_side, o, k, stride, pad;
} layer;

static const layer layers[] = {
    {"k4s2", 32, 1, 16, 16, 4, 2, 1},    {"k4s2", 16, 16, 8, 32, 4, 2, 1},
    {"k4s2", 16, 32, 8, 64, 4, 2, 1},    {"k4s2", 8, 64, 4, 128, 4, 2, 1},
    {"k4s2", 4, 128, 2, 256, 4, 2, 1},   {"k4s2", 8, 128, 4, 256, 4, 2, 1},
    {"k4s2", 16, 64, 8, 128, 4, 2, 1},   {"k4s2", 32, 32, 16, 64, 4, 2, 1},
    {"k3s1", 28, 1, 26, 16, 3, 1, 0},    {"k3s1", 26, 16, 24, 32, 3, 1, 0},
    {"k3s1", 32, 3, 32, 64, 3, 1, 1},    {"k4s2", 32, 64, 16, 128, 4, 2, 1},
    {"k3s1", 16, 128, 16, 128, 3, 1, 1}, {"k3s1", 8, 256, 8, 256, 3, 1, 1},
    {"k4s2", 28, 8, 14, 16, 4, 2, 1},    {"k4s2", 14, 16, 7, 32, 4, 2, 1},
    {"k4s2", 32, 3, 16, 64, 4, 2, 1},    {"k3s1", 28, 8, 28, 1, 3, 1, 1},
    {"k3s1", 28, 1, 28, 2, 3, 1, 1},     {"k3s1", 14, 2, 14, 4, 3, 1, 1},
    {"k3s1", 7, 4, 5, 8, 3, 1, 0},       {"k3s1", 28, 16, 28, 8, 3, 1, 1},
};

static float *draw(int64_t n)
{
    float *a = tensor_alloc(sizeof *a * (size_t)n, "an array");
    for (int64_t i = 0; i < n; i++)
        a[i] = (float)(i * 7919 % 1021) / 1021 - 0.5f;
    return a;
}

/* Arrays of one layer, large enough for every pass. */
typedef struct arrays {
    float *x, *y, *w, *packed, *bias;
} arrays;

/* Returns the shortest of many runs, in seconds. */
static double shortest(conv_kernel *k, const conv_spec *s, const arrays *a, double seconds)
{
    const float *first = s->pass == CONV_DX ? a->y : a->x;
    const float *second = s->pass == CONV_DW ? a->y : a->packed ? a->packed : a->w;
    float *out = s->pass == CONV_FORWARD ? a->y : s->pass == CONV_DX ? a->x : a->w;
    double best = INFINITY, start = seconds_now(), now = start;
    for (int i = 0; i < 3 || now - start < seconds; i++) {
        double before = seconds_now();
        conv_run(k, first, second, a->bias, out, s->threads);
        now = seconds_now();
        best = now - before < best ? now - before : best;
    }
    return best;
}

/* Returns a negative number if the kernel cannot be created. */
static double measure(conv_spec s, arrays *a, double seconds)
{
    int64_t packed_size = conv_packed_size(&s);
    conv_kernel *k = conv_create(&s);
    if (!k || packed_size < 0)
        return -1;
    a->packed = packed_size > 0 ? tensor_alloc(sizeof(float) * (size_t)packed_size, "w") : NULL;
    if (a->packed)
        conv_pack(k, a->w, a->packed, s.threads);
    double best = shortest(k, &s, a, seconds);
    tensor_free(a->packed);
    conv_free(k);
    return best;
}

static void print_layer(const layer *l, int64_t n, int threads, double seconds)
{
    arrays a = {.x = draw(n * l->side * l->side * l->i),
                .y = draw(n * l->out_side * l->out_side * l->o),
                .w = draw(l->k * l->k * l->i * l->o),
                .bias = draw(l->i + l->o)};
    double flops = 2.0 * (double)(n * l->out_side * l->out_side * l->o * l->k * l->k * l->i);
    for (int pass = CONV_FORWARD; pass <= CONV_DW; pass++) {
        conv_spec s = {.pass = (conv_pass)pass, .n = n, .h = l->side, .w = l->side, .i = l->i,
                       .oh = l->out_side, .ow = l->out_side, .o = l->o, .kh = l->k, .kw = l->k,
                       .stride = l->stride, .pad = l->pad, .dilation = 1, .groups = 1,
                       .has_bias = pass != CONV_DW,
                       .activation = pass != CONV_DW ? &lt_op_relu : NULL};
        s.threads = 1;
        double one = measure(s, &a, seconds);
        s.threads = threads;
        double more = measure(s, &a, seconds);
        printf("%-8s %2jd x %2jd x %3jd -> %2jd x %2jd x %3jd  k%jd s%jd p%jd  %8.3f %7.1f  %8.3f %7.1f\n",
               pass_names[pass], (intmax_t)l->side, (intmax_t)l->side, (intmax_t)l->i,
               (intmax_t)l->out_side, (intmax_t)l->out_side, (intmax_t)l->o, (intmax_t)l->k,
               (intmax_t)l->stride, (intmax_t)l->pad, one * 1e3, flops / one * 1e-9, more * 1e3,
               flops / more * 1e-9);
        fflush(stdout);
    }
    tensor_free(a.x);
    tensor_free(a.y);
    tensor_free(a.w);
    tensor_free(a.bias);
}

int main(int argc, char **argv)
{
    int64_t n = argc > 1 ? atoi(argv[1]) : 128;
    int threads = argc > 2 ? atoi(argv[2]) : 2;
    double seconds = argc > 3 ? atof(argv[3]) : 0.2;
    printf("%jd images, with bias and relu; 1 thread, %d threads\n", (intmax_t)n, threads);
    printf("%-50s %8s %7s  %8s %7s\n", "pass", "ms", "GFLOP/s", "ms", "GFLOP/s");
    for (int i = 0; i < COUNT_OF(layers); i++) {
        char name[64];
        snprintf(name, sizeof name, "%jdx%jd", (intmax_t)layers[i].side, (intmax_t)layers[i].i);
        if (argc <= 4 || strcmp(argv[4], name) == 0)
            print_layer(&layers[i], n, threads, seconds);
    }
    return 0;
}
