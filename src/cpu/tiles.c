/* SPDX-License-Identifier: MIT */
/* eltwise.def as loops over floats. Compiled with -fno-math-errno -fno-trapping-math, without which
   a compiler cannot vectorize a conditional or a call of exp; neither changes a result. */
#include "cpu/tiles.h"

#include "cpu/simd.h"

/* Forward expressions are written for reals, which are floats here. */
#define exp(x) expf(x)
#define expm1(x) expm1f(x)
#define log(x) logf(x)
#define log1p(x) log1pf(x)
#define tanh(x) tanhf(x)
#define erf(x) erff(x)
#define sqrt(x) sqrtf(x)
#define fabs(x) fabsf(x)
#define rint(x) rintf(x)
#define fmax(x, y) ((x) > (y) ? (x) : (y))

/* E2(mul, a * b, ...) becomes
 *     void tile_mul(int n, float *y, const float *p, const float *q, const float *r, unsigned scalars)
 *     { ... for (int i = 0; i < n; i++) { const float a = p[i], b = q[i], c = r[i]; y[i] = a * b; } }
 * with one loop per choice of scalar operands. Unused operands read like scalars, from `none`. */
#define LOOP(SA, SB, SC, BODY)                                                                     \
    {                                                                                              \
        const float a0 = *p, b0 = *q, c0 = *r;                                                     \
        _Pragma("omp simd") for (int i = 0; i < n; i++)                                            \
        {                                                                                          \
            const float a = SA ? a0 : p[i], b = SB ? b0 : q[i], c = SC ? c0 : r[i];                \
            (void)a, (void)b, (void)c;                                                             \
            y[i] = (float)(BODY);                                                                  \
        }                                                                                          \
    }                                                                                              \
    break;
#define KERNEL(NAME, N_IN, FORWARD, CHOICES)                                                       \
    LT_CLONES void tile_##NAME(int n, float *y, const float *p, const float *q, const float *r,    \
                               unsigned scalars)                                                   \
    {                                                                                              \
        q = N_IN > 1 ? q : none;                                                                   \
        r = N_IN > 2 ? r : none;                                                                   \
        if (n > 0)                                                                                 \
            switch (scalars) {                                                                     \
                CHOICES(FORWARD)                                                                   \
            default:                                                                               \
                y[0] = NAN; /* all operands scalar: never requested */                          \
            }                                                                                      \
    }
static const float none[1];
#define CHOICES1(BODY)                                                                             \
    case 0:                                                                                        \
        LOOP(0, 1, 1, BODY)
#define CHOICES2(BODY)                                                                             \
    case 0:                                                                                        \
        LOOP(0, 0, 1, BODY)                                                                        \
    case 1:                                                                                        \
        LOOP(1, 0, 1, BODY)                                                                        \
    case 2:                                                                                        \
        LOOP(0, 1, 1, BODY)
#define CHOICES3(BODY)                                                                             \
    case 0:                                                                                        \
        LOOP(0, 0, 0, BODY)                                                                        \
    case 1:                                                                                        \
        LOOP(1, 0, 0, BODY)                                                                        \
    case 2:                                                                                        \
        LOOP(0, 1, 0, BODY)                                                                        \
    case 3:                                                                                        \
        LOOP(1, 1, 0, BODY)                                                                        \
    case 4:                                                                                        \
        LOOP(0, 0, 1, BODY)                                                                        \
    case 5:                                                                                        \
        LOOP(1, 0, 1, BODY)                                                                        \
    case 6:                                                                                        \
        LOOP(0, 1, 1, BODY)
#define x a /* its name in lines with one operand */
#define E1(NAME, FORWARD, ...) KERNEL(NAME, 1, FORWARD, CHOICES1)
#define E2(NAME, FORWARD, ...) KERNEL(NAME, 2, FORWARD, CHOICES2)
#define E3(NAME, FORWARD, ...) KERNEL(NAME, 3, FORWARD, CHOICES3)
#include "ops/eltwise.def"
#undef x

#undef exp
#undef log
#undef sqrt

enum { LANES = 32 }; /* independent partial results, so that additions overlap */

LT_CLONES float tile_sum_all(int n, const float *x)
{
    float part[LANES] = {0};
    int i = 0;
    for (; i + LANES <= n; i += LANES)
        for (int k = 0; k < LANES; k++)
            part[k] += x[i + k];
    for (int k = 0; i + k < n; k++)
        part[k] += x[i + k];
    for (int width = LANES / 2; width > 0; width /= 2)
        for (int k = 0; k < width; k++)
            part[k] += part[k + width];
    return part[0];
}

LT_CLONES float tile_max_all(int n, const float *x)
{
    float m = -INFINITY;
    for (int i = 0; i < n; i++)
        m = x[i] > m || x[i] != x[i] ? x[i] : m;
    return m;
}

LT_CLONES void tile_accumulate_sum(int n, float *y, const float *x)
{
#pragma omp simd
    for (int i = 0; i < n; i++)
        y[i] += x[i];
}

/* Sums a block of columns, kept in registers, over all rows. */
static inline __attribute__((always_inline)) void sum_block(int width, int rows, int columns,
                                                            float *y, const float *x)
{
    float sum[2 * LANES];
    for (int k = 0; k < width; k++)
        sum[k] = y[k];
    for (int r = 0; r < rows; r++, x += columns)
        for (int k = 0; k < width; k++)
            sum[k] += x[k];
    for (int k = 0; k < width; k++)
        y[k] = sum[k];
}

/* Few columns: several rows together fill a block, and are added at the end. */
LT_CLONES static void sum_narrow(int rows, int columns, float *y, const float *x)
{
    float sum[LANES] = {0};
    int together = LANES / columns, width = together * columns, n = rows * columns, i = 0;
    if (width == LANES)
        for (; i + LANES <= n; i += LANES)
            for (int k = 0; k < LANES; k++)
                sum[k] += x[i + k];
    else
        for (; i + width <= n; i += width)
            for (int k = 0; k < width; k++)
                sum[k] += x[i + k];
    for (int k = 0; i + k < n; k++)
        sum[k] += x[i + k];
    for (int c = 0; c < columns; c++)
        for (int k = c; k < width; k += columns)
            y[c] += sum[k];
}

LT_CLONES void tile_sum_rows(int rows, int columns, float *y, const float *x)
{
    int c = 0;
    if (columns < 16 && rows > 1) {
        sum_narrow(rows, columns, y, x);
        return;
    }
    for (; c + 64 <= columns; c += 64)
        sum_block(64, rows, columns, y + c, x + c);
    for (; c + 16 <= columns; c += 16)
        sum_block(16, rows, columns, y + c, x + c);
    for (int r = 0; r < rows; r++)
        for (int k = c; k < columns; k++)
            y[k] += x[r * columns + k];
}

LT_CLONES void tile_accumulate_max(int n, float *y, const float *x)
{
#pragma omp simd
    for (int i = 0; i < n; i++)
        y[i] = x[i] > y[i] || x[i] != x[i] ? x[i] : y[i];
}

LT_CLONES void tile_fill(int n, float *y, float value)
{
    for (int i = 0; i < n; i++)
        y[i] = value;
}

LT_CLONES void tile_uniform(int n, float *y, const unsigned *words)
{
#pragma omp simd
    for (int i = 0; i < n; i++)
        y[i] = ((float)(int)(words[i] >> 9) + .5f) * 0x1p-23f;
}

/* sqrt(-2 log u) (cos 2 pi v, sin 2 pi v); u in (0, 1] and v in [0, 1) have 24 bits, exact in f32.
   Three loops, because a compiler that sees sin and cos of one angle together calls scalar sincos. */
LT_CLONES void tile_normal(int n, float *y, const unsigned *words)
{
    float angle[TILE_SIZE / 2], radius[TILE_SIZE / 2];
    int pairs = n / 2;
#pragma omp simd
    for (int i = 0; i < pairs; i++) {
        float u = (float)(int)((words[2 * i] >> 8) + 1) * 0x1p-24f;
        radius[i] = sqrtf(-2 * logf(u));
        angle[i] = (float)(int)(words[2 * i + 1] >> 8) * (float)(2 * M_PI * 0x1p-24);
    }
#pragma omp simd
    for (int i = 0; i < pairs; i++)
        y[2 * i] = radius[i] * cosf(angle[i]);
#pragma omp simd
    for (int i = 0; i < pairs; i++)
        y[2 * i + 1] = radius[i] * sinf(angle[i]);
}
