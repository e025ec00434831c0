/* SPDX-License-Identifier: MIT */
/* Measures the current peak of this machine: f32 multiply-adds per second, all operands in registers.
   What a kernel reaches is a share of this number, measured beside it, as shared machines differ from
   minute to minute. Compiled for the processor at hand (CMakeLists.txt).
   Usage: peak [threads] [repeats] */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CHAINS = 12, LANES = 16, ROUNDS = 2000000, MAX_THREADS = 256, MAX_REPEATS = 99 };

/* One register of AVX-512, two of AVX2, four of NEON. */
typedef float vector __attribute__((vector_size(LANES * sizeof(float))));

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* 12 chains hide the latency of two units of 4 to 5 cycles. The sum keeps the compiler from removing them. */
static void *multiply_add(void *sum)
{
    vector x[CHAINS], a = {0}, b = {0};
    for (int i = 0; i < LANES; i++)
        a[i] = 0.999f, b[i] = 0.001f;
    for (int c = 0; c < CHAINS; c++)
        x[c] = b;
    for (int r = 0; r < ROUNDS; r++)
        for (int c = 0; c < CHAINS; c++)
            x[c] = x[c] * a + b;
    for (int c = 0; c < CHAINS; c++)
        *(float *)sum += x[c][0];
    return NULL;
}

static double gflops(int threads)
{
    pthread_t thread[MAX_THREADS];
    float sum[MAX_THREADS] = {0};
    double began = now();
    for (int i = 0; i < threads; i++)
        if (pthread_create(&thread[i], NULL, multiply_add, &sum[i]) != 0)
            exit(1);
    for (int i = 0; i < threads; i++)
        pthread_join(thread[i], NULL);
    return 1e-9 * 2 * CHAINS * LANES * ROUNDS * threads / (now() - began);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    int threads = argc > 1 ? atoi(argv[1]) : 1, repeats = argc > 2 ? atoi(argv[2]) : 9;
    double all[MAX_REPEATS];
    if (threads < 1 || threads > MAX_THREADS || repeats < 1 || repeats > MAX_REPEATS)
        return fprintf(stderr, "usage: peak [threads] [repeats]\n"), 2;
    for (int i = 0; i < repeats; i++)
        all[i] = gflops(threads);
    qsort(all, (size_t)repeats, sizeof *all, by_size);
    printf("{\"peak\": \"f32 multiply-add\", \"threads\": %d, \"gflops\": {\"min\": %.0f, "
           "\"median\": %.0f, \"max\": %.0f}}\n",
           threads, all[0], all[repeats / 2], all[repeats - 1]);
    return 0;
}
