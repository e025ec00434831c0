/* SPDX-License-Identifier: MIT */
/* Reduced images, their bands, and these as vectors. */
#include "quality/looks.h"

#include "base/clones.h"

#include <math.h>
#include <string.h>

enum {
    SIDE = 32,           /* images are reduced until the longer side is less than twice this */
    SEARCHED = 256,      /* maximum size of a search vector */
    MIN_TO_SHIFT = 8,    /* minimum side for shifts, pixels */
    MAX_TAPS = 8,        /* of a Gaussian, on either side */
    PRODUCT_LANES = 16,
};

static const double fine = 1, broad = 2.2912878474779200; /* 1^2 + 2.29^2 = 2.5^2 */

static int max_int(int a, int b) { return a > b ? a : b; }
static int parts(int n, int part) { return (n + part - 1) / part; }

looks looks_of(int h, int w, int c)
{
    looks l = {.h = h, .w = w, .c = c};
    int grid = (int)sqrt(SEARCHED / (double)c), longer;
    l.part = max_int(1, max_int(h, w) / SIDE);
    l.rh = parts(h, l.part);
    l.rw = parts(w, l.part);
    longer = max_int(l.rh, l.rw);
    l.cell = parts(longer, max_int(1, grid));
    l.sh = parts(l.rh, l.cell);
    l.sw = parts(l.rw, l.cell);
    l.margin = l.rh >= MIN_TO_SHIFT && l.rw >= MIN_TO_SHIFT;
    l.shifts = l.margin ? LOOKS_SHIFTS : 1;
    return l;
}

int looks_reduced_size(const looks *l) { return l->rh * l->rw * l->c; }
int looks_search_size(const looks *l) { return l->sh * l->sw * l->c; }
int looks_size(const looks *l) { return (l->rh - 2 * l->margin) * (l->rw - 2 * l->margin) * l->c; }

/* Means of part x part pixels of an h x w x c image; fewer at its lower and right border. */
static void find_means(int h, int w, int c, int part, const float *x, float *means)
{
    int columns = parts(w, part);
    for (int i = 0; i < h; i += part)
        for (int j = 0; j < w; j += part) {
            int rows = h - i < part ? h - i : part, cols = w - j < part ? w - j : part;
            float *mean = means + ((i / part) * columns + j / part) * c;
            for (int k = 0; k < c; k++) {
                float sum = 0;
                for (int p = 0; p < rows * cols; p++)
                    sum += x[((i + p / cols) * w + j + p % cols) * c + k];
                mean[k] = sum / (float)(rows * cols);
            }
        }
}

void looks_reduce(const looks *l, const float *image, float *reduced)
{
    if (l->part == 1)
        memcpy(reduced, image, sizeof *reduced * (size_t)looks_reduced_size(l));
    else
        find_means(l->h, l->w, l->c, l->part, image, reduced);
}

/* Sum of x y with a fixed order of additions; y NULL: of x. */
LT_CLONES
static float sum_products(int n, const float *x, const float *y)
{
    float sum[PRODUCT_LANES] = {0};
    int i = 0;
    for (; y && i + PRODUCT_LANES <= n; i += PRODUCT_LANES)
        for (int j = 0; j < PRODUCT_LANES; j++)
            sum[j] += x[i + j] * y[i + j];
    for (; !y && i + PRODUCT_LANES <= n; i += PRODUCT_LANES)
        for (int j = 0; j < PRODUCT_LANES; j++)
            sum[j] += x[i + j];
    for (; i < n; i++)
        sum[0] += y ? x[i] * y[i] : x[i];
    for (int half = PRODUCT_LANES / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++)
            sum[j] += sum[j + half];
    return sum[0];
}

float looks_product(int n, const float *x, const float *y) { return sum_products(n, x, y); }

/* Subtracts the mean, divides by the norm and returns the norm. */
static float make_unit(int n, float *x)
{
    float mean = sum_products(n, x, NULL) / (float)n;
    for (int i = 0; i < n; i++)
        x[i] -= mean;
    float length = sqrtf(sum_products(n, x, x)), by = length > 0 ? 1 / length : 0;
    for (int i = 0; i < n; i++)
        x[i] *= by;
    return length;
}

void looks_search(const looks *l, const float *reduced, float *vector)
{
    find_means(l->rh, l->rw, l->c, l->cell, reduced, vector);
    make_unit(looks_search_size(l), vector);
}

/* ---- Bands ---- */

/* Writes the weights of a Gaussian at 0 ... MAX_TAPS; returns how many besides the first are not 0. */
static int find_weights(double sigma, float *weight)
{
    int taps = (int)ceil(3 * sigma);
    double sum = 0;
    taps = taps < MAX_TAPS ? taps : MAX_TAPS;
    for (int k = 0; k <= taps; k++)
        sum += (k ? 2 : 1) * exp(-k * k / (2 * sigma * sigma));
    for (int k = 0; k <= taps; k++)
        weight[k] = (float)(exp(-k * k / (2 * sigma * sigma)) / sum);
    return taps;
}

static int inside(int i, int n) { return i < 0 ? 0 : i < n ? i : n - 1; }

/* y[i] is the sum of weight[|k|] x[i + (k + taps) step] over k = -taps ... taps. */
LT_CLONES
static void blur_line(int n, int step, int taps, const float *weight, const float *x, float *y)
{
    for (int i = 0; i < n; i++)
        y[i] = weight[0] * x[i + taps * step];
    for (int k = 1; k <= taps; k++) {
        const float *before = x + (taps - k) * step, *after = x + (taps + k) * step;
        for (int i = 0; i < n; i++)
            y[i] += weight[k] * (before[i] + after[i]);
    }
}

/* Pads n lines of `step` floats by repeating the first and the last one `taps` times. */
static void pad(int n, int step, int taps, const float *x, float *padded)
{
    for (int i = -taps; i < n + taps; i++)
        memcpy(padded + (i + taps) * step, x + inside(i, n) * step, sizeof *x * (size_t)step);
}

/* `scratch` has looks_scratch_size numbers. */
static void blur(const looks *l, double sigma, const float *x, float *y, float *scratch)
{
    float weight[MAX_TAPS + 1];
    int taps = find_weights(sigma, weight), row = l->rw * l->c;
    for (int i = 0; i < l->rh; i++) {
        pad(l->rw, l->c, taps, x + i * row, scratch);
        blur_line(row, l->c, taps, weight, scratch, y + i * row);
    }
    pad(l->rh, row, taps, y, scratch);
    blur_line(l->rh * row, row, taps, weight, scratch, y);
}

int looks_scratch_size(const looks *l)
{
    return (l->rh + 2 * MAX_TAPS) * (l->rw + 2 * MAX_TAPS) * l->c;
}

void looks_bands(const looks *l, const float *reduced, float *coarse, float *detail, float *scratch)
{
    int n = looks_reduced_size(l);
    blur(l, fine, reduced, coarse, scratch);
    blur(l, broad, coarse, detail, scratch);
    for (int i = 0; i < n; i++)
        detail[i] = coarse[i] - detail[i];
}

/* ---- Vectors ---- */

float looks_vector(const looks *l, const float *band, int k, float *vector)
{
    int position = (k + 4) % LOOKS_SHIFTS; /* the middle one first */
    int down = l->margin * (position / 3), right = l->margin * (position % 3);
    int rows = l->rh - 2 * l->margin, row = (l->rw - 2 * l->margin) * l->c;
    for (int i = 0; i < rows; i++)
        memcpy(vector + i * row, band + ((i + down) * l->rw + right) * l->c,
               sizeof *vector * (size_t)row);
    return make_unit(rows * row, vector);
}
