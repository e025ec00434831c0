/* SPDX-License-Identifier: MIT */
/* Moments in two passes, in double precision. */
#include "quality/moments.h"

#include "base/memory.h"
#include "base/symmetric.h"

#include <stdlib.h>

/* c += u u' over the rows; only the lower triangle. */
static void add_products(int d, const double *u, double *c)
{
    for (int i = 0; i < d; i++)
        for (int j = 0; j <= i; j++)
            c[i * d + j] += u[i] * u[j];
}

void moments_find(moments *m, int n, int d, const float *x)
{
    size_t size = (size_t)d;
    *m = (moments){.n = n, .d = d};
    m->mean = must_alloc(sizeof *m->mean * size);
    m->covariance = must_alloc(sizeof *m->covariance * size * size);
    double *u = must_alloc(sizeof *u * size);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < d; k++)
            m->mean[k] += (double)x[(size_t)i * size + (size_t)k];
    for (int k = 0; k < d; k++)
        m->mean[k] /= n;
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < d; k++)
            u[k] = (double)x[(size_t)i * size + (size_t)k] - m->mean[k];
        add_products(d, u, m->covariance);
    }
    for (int i = 0; i < d; i++)
        for (int j = 0; j <= i; j++)
            m->covariance[i * d + j] = m->covariance[j * d + i] =
                m->covariance[i * d + j] / (n - 1);
    free(u);
}

void moments_clear(moments *m)
{
    free(m->mean);
    free(m->covariance);
    *m = (moments){0};
}

double moments_distance(const moments *a, const moments *b)
{
    int d = a->d;
    double distance = -2 * symmetric_root_trace(d, a->covariance, b->covariance);
    for (int k = 0; k < d; k++) {
        double apart = a->mean[k] - b->mean[k];
        distance += apart * apart + a->covariance[k * d + k] + b->covariance[k * d + k];
    }
    return distance > 0 ? distance : 0; /* rounding may make it negative */
}
