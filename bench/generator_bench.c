/* SPDX-License-Identifier: MIT */
/* Measures decoding one code: microseconds of a call of lt_generator_decode, whose program is compiled, and of
   lt_decode, which compiles one. Weights are fresh from the initializer; the time does not depend on them.
   Usage: generator_bench RECIPE [threads] [height width channels] */
#include "base/clock.h"

#include <latent/latent.h>

#include <stdio.h>
#include <stdlib.h>

typedef int decode_function(void *context, const float *z, float *image);

typedef struct subject {
    lt_generator *generator;
    lt_model *model;
    int threads;
} subject;

static int decode_open(void *context, const float *z, float *image)
{
    return lt_generator_decode(((subject *)context)->generator, 1, z, image);
}

static int decode_once(void *context, const float *z, float *image)
{
    const subject *s = context;
    return lt_decode(s->model, 1, z, s->threads, image);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Prints the median and the fastest of n calls. */
static void measure(const char *name, decode_function *f, subject *s, int n, float *z, float *image)
{
    double *seconds = malloc(sizeof *seconds * (size_t)n);
    for (int i = 0; seconds && i < n; i++) {
        z[0] = (float)i / (float)n;
        double begin = seconds_now();
        if (f(s, z, image) != LT_OK)
            fprintf(stderr, "%s\n", lt_last_error());
        seconds[i] = seconds_now() - begin;
    }
    qsort(seconds, (size_t)n, sizeof *seconds, compare_doubles);
    printf("%-32s median %9.1f us, fastest %9.1f us\n", name, 1e6 * seconds[n / 2], 1e6 * seconds[0]);
    free(seconds);
}

int main(int argc, char **argv)
{
    lt_recipe *r = NULL;
    if (argc > 1)
        lt_recipe_open(argv[1], NULL, 0, &r);
    lt_image_size size = argc > 5 ? (lt_image_size){atoi(argv[3]), atoi(argv[4]), atoi(argv[5])}
                                  : (lt_image_size){28, 28, 1};
    subject s = {.model = r ? lt_model_create(r, size) : NULL, .threads = argc > 2 ? atoi(argv[2]) : 1};
    if (!s.model) {
        fprintf(stderr, "%s\n", argc > 1 ? lt_last_error() : "usage: generator_bench RECIPE [threads] [height width channels]");
        return 1;
    }
    float *z = calloc((size_t)lt_model_latent(s.model), sizeof *z);
    float *image = calloc((size_t)size.h * (size_t)size.w * (size_t)size.c, sizeof *image);
    const int batches[] = {1, LT_GENERATOR_BATCH};
    for (int i = 0; i < 2 && z && image; i++) {
        char name[64];
        snprintf(name, sizeof name, "lt_generator_decode, batch %d", batches[i]);
        const lt_generator_options o = {.run.threads = s.threads};
        if (lt_generator_open(s.model, batches[i], &o, &s.generator) != LT_OK)
            return 1;
        measure(name, decode_open, &s, i ? 100 : 2000, z, image);
        lt_generator_free(s.generator);
    }
    measure("lt_decode", decode_once, &s, 30, z, image);
    free(z);
    free(image);
    lt_model_free(s.model);
    lt_recipe_free(r);
}
