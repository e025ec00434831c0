/* SPDX-License-Identifier: MIT */
/* Means, sums of weights, and the tail of the weights. */
#include "base/estimate.h"

#include <math.h>
#include <stdlib.h>

/* ---- Means ---- */

void tally_add(tally *t, double value)
{
    double before = value - t->mean;
    t->n++;
    t->mean += before / (double)t->n;
    t->squares += before * (value - t->mean);
}

lt_estimate tally_estimate(const tally *t, double scale)
{
    double n = (double)t->n;
    return (lt_estimate){.value = scale * t->mean,
                         .se = fabs(scale) * sqrt(t->squares / (n - 1) / n)};
}

/* Nullable: y (all 0). */
static double difference(const double *x, const double *y, int64_t i) { return y ? x[i] - y[i] : x[i]; }

lt_estimate lt_estimate_mean_difference(const double *x, const double *y, int64_t n)
{
    double mean = 0, squares = 0, count = (double)n;
    for (int64_t i = 0; i < n; i++)
        mean += difference(x, y, i) / count;
    for (int64_t i = 0; i < n; i++)
        squares += (difference(x, y, i) - mean) * (difference(x, y, i) - mean);
    return (lt_estimate){.value = mean, .se = sqrt(squares / (count - 1) / count)};
}

lt_estimate lt_estimate_mean(const double *x, int64_t n) { return lt_estimate_mean_difference(x, NULL, n); }

/* ---- Sums of weights ---- */

void weight_sum_add(weight_sum *s, double l)
{
    const double nothing = 45; /* e^-45 next to 1, which s1 and s2 have at least, is nothing */
    if (l == -HUGE_VAL || l < s->top - nothing)
        return;
    if (l > s->top) {
        double shrink = exp(s->top - l); /* 0 the first time */
        s->s1 = s->s1 * shrink + 1;
        s->s2 = s->s2 * shrink * shrink + 1;
        s->top = l;
        return;
    }
    double w = exp(l - s->top);
    s->s1 += w;
    s->s2 += w * w;
}

double weight_sum_log_mean(const weight_sum *s, int64_t n)
{
    return s->top + log(s->s1 / (double)n);
}

double weight_sum_ess(const weight_sum *s) { return s->s1 * s->s1 / s->s2; }

/* ---- The tail ---- */

enum { MIN_TAIL = 5 };

int tail_size(int64_t n)
{
    double part = fmin(0.2 * (double)n, 3 * sqrt((double)n));
    return part < MIN_TAIL ? 0 : (int)ceil(part) + 1;
}

static void sift_up(double *heap, int i)
{
    for (int parent; i > 0 && heap[parent = (i - 1) / 2] > heap[i]; i = parent) {
        double other = heap[parent];
        heap[parent] = heap[i];
        heap[i] = other;
    }
}

/* Replaces the top of the heap by l and restores the heap. */
static void replace_top(double *heap, int n, double l)
{
    int i = 0;
    for (int child; (child = 2 * i + 1) < n; i = child) {
        child += child + 1 < n && heap[child + 1] < heap[child];
        if (!(heap[child] < l))
            break;
        heap[i] = heap[child];
    }
    heap[i] = l;
}

void tail_add(tail *t, double l)
{
    if (t->n < t->size) {
        t->heap[t->n] = l;
        sift_up(t->heap, t->n++);
    } else if (t->size > 0 && l > t->heap[0]) {
        replace_top(t->heap, t->n, l);
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The k that goes with theta in the density (1 - theta x)^(-1/k - 1): its maximum-likelihood
   value. */
static double shape_at(double theta, const double *x, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += log1p(-theta * x[i]);
    return sum / n;
}

/* Zhang and Stephens: theta's posterior mean over a grid of quantiles of a prior that the data
   scale; the profile likelihood of theta is n (log(-theta / k) - k - 1). x ascends. */
static double fit_theta(const double *x, int n)
{
    enum { MIN_GRID = 30 };
    int grid = MIN_GRID + (int)sqrt(n);
    double quartile = x[(int)(n / 4. + 0.5) - 1], top = -HUGE_VAL, weights = 0, sum = 0;
    for (int j = 0; j < grid; j++) {
        double theta = 1 / x[n - 1] + (1 - sqrt(grid / (j + 0.5))) / (3 * quartile);
        double k = shape_at(theta, x, n), l = n * (log(-theta / k) - k - 1);
        if (!isfinite(l))
            continue;
        double shrink = l > top ? exp(top - l) : 1;
        top = fmax(l, top);
        weights = weights * shrink + exp(l - top);
        sum = sum * shrink + exp(l - top) * theta;
    }
    return sum / weights;
}

double tail_shape(tail *t)
{
    enum { PRIOR_COUNT = 10 }; /* as many observations of k = 0.5 */
    const double same = 1e-4;  /* log weights of f32 that are one number */
    int n = t->n - 1;
    if (n < MIN_TAIL)
        return (double)NAN;
    double *x = t->heap;
    qsort(x, (size_t)t->n, sizeof *x, by_value);
    double top = x[n], cut = exp(x[0] - top);
    if (!(top - x[0] > same))
        return isnan(top - x[0]) ? (double)NAN : 0;
    for (int i = 1; i <= n; i++)
        x[i] = exp(x[i] - top) - cut;
    if (!(x[(int)(n / 4. + 0.5)] > 0)) /* next to the largest, nothing */
        return HUGE_VAL;
    double k = shape_at(fit_theta(x + 1, n), x + 1, n);
    return (n * k + PRIOR_COUNT * 0.5) / (n + PRIOR_COUNT);
}
