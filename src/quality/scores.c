/* SPDX-License-Identifier: MIT */
/* Scores of points. Each is computed in chunks whose number does not depend on the number of threads. */
#include "quality/scores.h"

#include "base/clones.h"
#include "base/memory.h"
#include "base/threads.h"
#include "quality/counts.h"
#include "base/estimate.h"

#include <math.h>
#include <stdlib.h>

enum { SUBSETS = 10, MAX_IN_SUBSET = 1000 };

/* ---- KID ---- */

enum { SUMS = 8 };

/* Dot product with a fixed order of additions. */
LT_CLONES
static double product(int d, const float *x, const float *y)
{
    double sum[SUMS] = {0};
    int k = 0;
    for (; k + SUMS <= d; k += SUMS)
        for (int j = 0; j < SUMS; j++)
            sum[j] += (double)x[k + j] * (double)y[k + j];
    for (; k < d; k++)
        sum[0] += (double)x[k] * (double)y[k];
    for (int half = SUMS / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++)
            sum[j] += sum[j + half];
    return sum[0];
}

static double kernel(int d, const float *x, const float *y)
{
    double base = product(d, x, y) / d + 1;
    return base * base * base;
}

typedef struct kernel_call {
    int d, subsets, n[2];
    const float *rows[2];
    double *distance; /* of each subset */
} kernel_call;

/* Row i of a subset: subsets are interleaved, so that each covers all rows. */
static const float *subset_row(const kernel_call *c, int side, int subset, int i)
{
    return c->rows[side] + ((int64_t)i * c->subsets + subset) * c->d;
}

/* The mean of the kernel over pairs of different rows of one side. */
static double mean_within(const kernel_call *c, int side, int subset)
{
    int n = c->n[side] / c->subsets;
    double sum = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < i; j++)
            sum += kernel(c->d, subset_row(c, side, subset, i), subset_row(c, side, subset, j));
    return 2 * sum / ((double)n * (n - 1));
}

static double mean_between(const kernel_call *c, int subset)
{
    int n = c->n[0] / c->subsets, m = c->n[1] / c->subsets;
    double sum = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++)
            sum += kernel(c->d, subset_row(c, 0, subset, i), subset_row(c, 1, subset, j));
    return sum / ((double)n * m);
}

static void find_subset(void *context, int64_t i, int worker)
{
    (void)worker;
    const kernel_call *c = context;
    int subset = (int)i;
    c->distance[i] = mean_within(c, 0, subset) + mean_within(c, 1, subset) -
                     2 * mean_between(c, subset);
}

lt_estimate kernel_distance(int d, int n, const float *a, int m, const float *b, int threads)
{
    int most = n > m ? n : m, subsets = (most + MAX_IN_SUBSET - 1) / MAX_IN_SUBSET;
    int least = (n < m ? n : m) / 2; /* a subset needs two rows for a pair */
    subsets = subsets < SUBSETS ? SUBSETS : subsets > least ? least : subsets;
    kernel_call c = {d, subsets, {n, m}, {a, b}, must_alloc(sizeof(double) * (size_t)subsets)};
    tally all = {0};
    threads_run(threads, subsets, find_subset, &c);
    for (int i = 0; i < subsets; i++)
        tally_add(&all, c.distance[i]);
    free(c.distance);
    return tally_estimate(&all, 1);
}

/* ---- Precision, recall, density, coverage ---- */

void radii_find(const points *p, int k, int threads, float *radius)
{
    size_t n = (size_t)p->n;
    int *self = must_alloc(sizeof *self * n);
    float *nearest = must_alloc(sizeof *nearest * n * (size_t)k);
    for (int i = 0; i < p->n; i++)
        self[i] = i;
    for (size_t i = 0; i < n * (size_t)k; i++)
        nearest[i] = INFINITY;
    neighbors_search(&(neighbor_query){.from = p, .among = p, .self = self, .k = k,
                                         .nearest = nearest}, threads);
    for (size_t i = 0; i < n; i++)
        radius[i] = nearest[i * (size_t)k + (size_t)k - 1];
    free(self);
    free(nearest);
}

/* For each point of `from`: how many points of `among` reach it with their radius, and the nearest distance. */
static void find_reached(const points *from, const points *among, const float *radius, int threads,
                         int *inside, float *nearest)
{
    for (int i = 0; i < from->n; i++) {
        inside[i] = 0;
        nearest[i] = INFINITY;
    }
    neighbors_search(&(neighbor_query){.from = from, .among = among, .k = 1, .nearest = nearest,
                                         .radius = radius, .inside = inside}, threads);
}

void overlap_find(const points *images, const float *images_radius, const points *held_out,
                  const float *held_out_radius, int k, int threads, lt_sample_scores *s)
{
    int most = images->n > held_out->n ? images->n : held_out->n;
    int *inside = must_alloc(sizeof *inside * (size_t)most);
    float *nearest = must_alloc(sizeof *nearest * (size_t)most);
    int precise = 0, recalled = 0, covered = 0;
    tally density = {0};
    find_reached(images, held_out, held_out_radius, threads, inside, nearest);
    for (int i = 0; i < images->n; i++) {
        precise += inside[i] > 0;
        tally_add(&density, (double)inside[i] / k);
    }
    find_reached(held_out, images, images_radius, threads, inside, nearest);
    for (int i = 0; i < held_out->n; i++) {
        recalled += inside[i] > 0;
        covered += nearest[i] <= held_out_radius[i];
    }
    s->precision = count_share(precise, images->n);
    s->density = tally_estimate(&density, 1);
    s->recall = count_share(recalled, held_out->n);
    s->coverage = count_share(covered, held_out->n);
    /* equal terms still have an error, as in count_share */
    s->density.se = fmax(s->density.se, 1. / k / (images->n + 1));
    free(inside);
    free(nearest);
}

/* ---- Inception-style score ---- */

/* exp of the mean KL divergence of rows first, first + SUBSETS, ... from their mean. */
static double subset_inception(int n, int classes, const float *p, int first)
{
    double *mean = must_alloc(sizeof *mean * (size_t)classes), kl = 0;
    int count = 0;
    for (int i = first; i < n; i += SUBSETS, count++)
        for (int k = 0; k < classes; k++)
            mean[k] += (double)p[(int64_t)i * classes + k];
    for (int i = first; i < n; i += SUBSETS)
        for (int k = 0; k < classes; k++) {
            double q = (double)p[(int64_t)i * classes + k];
            if (q > 0)
                kl += q * log(q * count / mean[k]);
        }
    free(mean);
    return exp(kl / count);
}

lt_estimate inception_find(int n, int classes, const float *p)
{
    tally all = {0};
    for (int i = 0; i < SUBSETS; i++)
        tally_add(&all, subset_inception(n, classes, p, i));
    return tally_estimate(&all, 1);
}

/* ---- Ranks ---- */

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* How many of n sorted numbers are below x, or equal if `or_equal`. */
static int count_below(int n, const float *sorted, float x, bool or_equal)
{
    int low = 0, high = n;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (sorted[middle] < x || (or_equal && sorted[middle] == x))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* For each of n numbers, the share of m sorted ones below it; equal ones count half. */
static tally find_shares(int n, const float *x, int m, const float *sorted)
{
    tally t = {0};
    for (int i = 0; i < n; i++)
        tally_add(&t, (count_below(m, sorted, x[i], false) + count_below(m, sorted, x[i], true)) /
                          (2. * m));
    return t;
}

static float *sorted_copy(int n, const float *x)
{
    float *copy = must_alloc(sizeof *copy * (size_t)n);
    for (int i = 0; i < n; i++)
        copy[i] = x[i];
    qsort(copy, (size_t)n, sizeof *copy, by_size);
    return copy;
}

lt_estimate chance_below(int n, const float *x, int m, const float *y)
{
    float *xs = sorted_copy(n, x), *ys = sorted_copy(m, y);
    tally above = find_shares(n, x, m, ys), below = find_shares(m, y, n, xs);
    double a = tally_estimate(&above, 1).se, b = tally_estimate(&below, 1).se;
    free(xs);
    free(ys);
    return (lt_estimate){below.mean, sqrt(a * a + b * b)};
}
