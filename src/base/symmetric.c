/* SPDX-License-Identifier: MIT */
/* Cyclic Jacobi (Golub and Van Loan, 8.5): every pair of rows in turn is rotated so that its
   off-diagonal number vanishes, until all of them are nothing next to the diagonal. */
#include "base/symmetric.h"

#include "base/memory.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SWEEPS = 60 }; /* about 10 are needed */

/* A copy whose rows are `stride` apart: of a number that is no power of two, or all of a column would
   lie in one place of the cache. */
typedef struct matrix {
    int n;
    size_t stride;
    double *row;
} matrix;

static matrix make_matrix(int n)
{
    size_t stride = ((size_t)n + 15) / 8 * 8 + 8;
    return (matrix){n, stride, must_alloc(sizeof(double) * stride * (size_t)n)};
}

/* Rows p and q of m become c p - s q, s p + c q. */
static void rotate_rows(const matrix *m, int p, int q, double c, double s)
{
    double *a = m->row + (size_t)p * m->stride, *b = m->row + (size_t)q * m->stride;
    for (int k = 0; k < m->n; k++) {
        double x = a[k], y = b[k];
        a[k] = c * x - s * y;
        b[k] = s * x + c * y;
    }
}

/* The rotation that makes a[p][q] zero, the smaller of the two. Columns p and q of the result are its
   rows p and q, but for the four numbers where they cross. */
static void annihilate(const matrix *a, int p, int q, const matrix *vectors)
{
    double *row_p = a->row + (size_t)p * a->stride, *row_q = a->row + (size_t)q * a->stride;
    double off = row_p[q], on_p = row_p[p], on_q = row_q[q];
    if (off == 0)
        return;
    double theta = (on_q - on_p) / (2 * off);
    double t = 1 / (fabs(theta) + sqrt(theta * theta + 1));
    if (theta < 0)
        t = -t;
    double c = 1 / sqrt(t * t + 1), s = t * c;
    rotate_rows(a, p, q, c, s);
    for (int k = 0; k < a->n; k++) {
        a->row[(size_t)k * a->stride + (size_t)p] = row_p[k];
        a->row[(size_t)k * a->stride + (size_t)q] = row_q[k];
    }
    row_p[p] = on_p - t * off;
    row_q[q] = on_q + t * off;
    row_p[q] = row_q[p] = 0;
    if (vectors->row)
        rotate_rows(vectors, p, q, c, s);
}

/* Sums of squares on and off the diagonal. */
static void measure(const matrix *a, double *on, double *off)
{
    *on = *off = 0;
    for (int i = 0; i < a->n; i++)
        for (int j = 0; j < a->n; j++) {
            double x = a->row[(size_t)i * a->stride + (size_t)j];
            *(i == j ? on : off) += x * x;
        }
}

/* `vectors` has them as rows: those of the identity, if it is there. */
static void diagonalize(const matrix *a, const matrix *vectors)
{
    double on, off;
    for (int i = 0; i < a->n && vectors->row; i++)
        vectors->row[(size_t)i * vectors->stride + (size_t)i] = 1;
    for (int sweep = 0; sweep < MAX_SWEEPS; sweep++) {
        measure(a, &on, &off);
        if (!(off > DBL_EPSILON * DBL_EPSILON * on))
            break;
        for (int p = 0; p < a->n; p++)
            for (int q = p + 1; q < a->n; q++)
                annihilate(a, p, q, vectors);
    }
}

void symmetric_eigen(int n, const double *a, double *values, double *vectors)
{
    matrix m = make_matrix(n), v = {0, 0, NULL};
    if (vectors)
        v = make_matrix(n);
    for (int i = 0; i < n; i++)
        memcpy(m.row + (size_t)i * m.stride, a + (size_t)i * (size_t)n, sizeof *a * (size_t)n);
    diagonalize(&m, &v);
    for (int i = 0; i < n; i++)
        values[i] = m.row[(size_t)i * (m.stride + 1)];
    for (int i = 0; i < n && vectors; i++)
        for (int j = 0; j < n; j++)
            vectors[(size_t)j * (size_t)n + (size_t)i] = v.row[(size_t)i * v.stride + (size_t)j];
    free(v.row);
    free(m.row);
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
    symmetric_eigen(n, a, values, vectors);
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
