/* SPDX-License-Identifier: MIT */
/* Cyclic Jacobi (Golub and Van Loan, 8.5): every pair of rows in turn is rotated so that its
   off-diagonal number vanishes, until all of them are nothing next to the diagonal. */
#include "eval/symmetric.h"

#include "base/memory.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SWEEPS = 60 }; /* about 10 are needed */

/* Rows p and q of m become c p - s q, s p + c q. */
static void rotate_rows(int n, double *m, int p, int q, double c, double s)
{
    double *a = m + (size_t)p * (size_t)n, *b = m + (size_t)q * (size_t)n;
    for (int k = 0; k < n; k++) {
        double x = a[k], y = b[k];
        a[k] = c * x - s * y;
        b[k] = s * x + c * y;
    }
}

static void rotate_columns(int n, double *m, int p, int q, double c, double s)
{
    for (int k = 0; k < n; k++) {
        double *row = m + (size_t)k * (size_t)n, x = row[p], y = row[q];
        row[p] = c * x - s * y;
        row[q] = s * x + c * y;
    }
}

/* The rotation that makes a[p][q] zero, the smaller of the two. */
static void annihilate(int n, double *a, int p, int q, double *vectors)
{
    double off = a[p * n + q];
    if (off == 0)
        return;
    double theta = (a[q * n + q] - a[p * n + p]) / (2 * off);
    double t = 1 / (fabs(theta) + sqrt(theta * theta + 1));
    if (theta < 0)
        t = -t;
    double c = 1 / sqrt(t * t + 1), s = t * c;
    rotate_rows(n, a, p, q, c, s);
    rotate_columns(n, a, p, q, c, s);
    a[p * n + q] = a[q * n + p] = 0;
    if (vectors)
        rotate_columns(n, vectors, p, q, c, s);
}

/* Sums of squares on and off the diagonal. */
static void measure(int n, const double *a, double *on, double *off)
{
    *on = *off = 0;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            *(i == j ? on : off) += a[i * n + j] * a[i * n + j];
}

void symmetric_eigen(int n, double *a, double *values, double *vectors)
{
    double on, off;
    for (int i = 0; vectors && i < n * n; i++)
        vectors[i] = i % (n + 1) == 0;
    for (int sweep = 0; sweep < MOST_SWEEPS; sweep++) {
        measure(n, a, &on, &off);
        if (!(off > DBL_EPSILON * DBL_EPSILON * on))
            break;
        for (int p = 0; p < n; p++)
            for (int q = p + 1; q < n; q++)
                annihilate(n, a, p, q, vectors);
    }
    for (int i = 0; i < n; i++)
        values[i] = a[i * n + i];
}

/* y = a b, all n x n. */
static void multiply(int n, const double *a, const double *b, double *y)
{
    memset(y, 0, sizeof *y * (size_t)n * (size_t)n);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++)
            for (int j = 0; j < n; j++)
                y[i * n + j] += a[i * n + k] * b[k * n + j];
}

/* a^(1/2) = V diag(sqrt values) V'; eigenvalues below zero are rounding. */
static void find_root(int n, const double *a, double *root)
{
    size_t size = (size_t)n * (size_t)n;
    double *work = must_alloc(sizeof *work * (2 * size + (size_t)n));
    double *vectors = work + size, *values = vectors + size;
    memcpy(work, a, sizeof *a * size);
    symmetric_eigen(n, work, values, vectors);
    for (int i = 0; i < n; i++) /* work = diag(sqrt values) V' */
        for (int j = 0; j < n; j++)
            work[i * n + j] = sqrt(fmax(values[i], 0)) * vectors[j * n + i];
    multiply(n, vectors, work, root);
    free(work);
}

double symmetric_root_trace(int n, const double *a, const double *b)
{
    size_t size = (size_t)n * (size_t)n;
    double *root = must_alloc(sizeof *root * (3 * size + (size_t)n));
    double *half = root + size, *whole = half + size, *values = whole + size, trace = 0;
    find_root(n, a, root);
    multiply(n, root, b, half);
    multiply(n, half, root, whole);
    for (int i = 0; i < n; i++) /* symmetric but for rounding */
        for (int j = 0; j < i; j++)
            whole[i * n + j] = whole[j * n + i] = (whole[i * n + j] + whole[j * n + i]) / 2;
    symmetric_eigen(n, whole, values, NULL);
    for (int i = 0; i < n; i++)
        trace += sqrt(fmax(values[i], 0));
    free(root);
    return trace;
}
