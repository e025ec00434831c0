/* SPDX-License-Identifier: MIT */
/* Two-dimensional histograms: points counted in bins, bins painted into a bitmap. */
#include "plot/view.h"

#include "base/memory.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

enum { DEFAULT_BINS = 50 };

static const double vector_scale = 4; /* pixels per unit of an SVG or a PDF: edges are sharp */

static bool has_point(const lt_series *s, int i)
{
    return scale_has(false, series_x(s, i)) && scale_has(false, s->y[i]);
}

/* The range of the values; a single value gets a margin, as on an axis. */
static void find_range(const range *r, double *low, double *high)
{
    scale s;
    scale_fit(&s, r, &(lt_axis){0}, 0, -1);
    *low = s.low;
    *high = s.high;
}

static int bin_of(const hist2d *h, double low, double high, double value)
{
    int bin = (int)((value - low) / (high - low) * h->bins);
    return bin < h->bins ? bin : h->bins - 1;
}

static void count_points(hist2d *h)
{
    const lt_series *s = h->series;
    for (int i = 0; i < s->n; i++) {
        if (!has_point(s, i))
            continue;
        int column = bin_of(h, h->x_low, h->x_high, series_x(s, i));
        int row = bin_of(h, h->y_low, h->y_high, s->y[i]);
        int in_bin = ++h->count[row * h->bins + column];
        h->most = in_bin > h->most ? in_bin : h->most;
        h->x_count[column]++;
        h->y_count[row]++;
        h->n++;
    }
}

int hist2d_count(hist2d *h, const lt_chart *chart)
{
    range x = {0}, y = {0};
    *h = (hist2d){0};
    for (int i = 0; i < chart->n_series; i++)
        if (chart->series[i].kind == LT_HIST2D)
            h->series = &chart->series[i];
    if (!h->series)
        return LT_OK;
    size_t bins = (size_t)(h->bins = h->series->bins ? h->series->bins : DEFAULT_BINS);
    h->count = tensor_alloc(sizeof *h->count * (bins * bins + 2 * bins), "the bins of a chart");
    if (!h->count)
        return LT_NO_MEMORY;
    h->x_count = h->count + bins * bins;
    h->y_count = h->x_count + bins;
    for (int i = 0; i < h->series->n; i++)
        if (has_point(h->series, i)) {
            range_add(&x, false, series_x(h->series, i));
            range_add(&y, false, h->series->y[i]);
        }
    find_range(&x, &h->x_low, &h->x_high);
    find_range(&y, &h->y_low, &h->y_high);
    count_points(h);
    return LT_OK;
}

void hist2d_clear(hist2d *h)
{
    tensor_free(h->count);
    *h = (hist2d){0};
}

/* Pixels of one bin along an axis: from ... to - 1. */
typedef struct span {
    int from, to;
} span;

/* Returns the pixels whose center is in each bin; if there is none, the pixel at the center of the bin, so that every
   count is visible. The first of n pixels begins at position `start`. Freed by the caller. */
static span *spans_along(const hist2d *h, const scale *s, double low, double high, double start,
                         double zoom, int n)
{
    span *spans = must_alloc(sizeof *spans * (size_t)h->bins);
    double begin = scale_at(s, low), end = scale_at(s, high);
    for (int k = 0; k < h->bins; k++)
        spans[k] = (span){n, 0};
    for (int i = 0; i < n; i++) {
        double part = (start + (i + 0.5) / zoom - begin) / (end - begin);
        if (part >= 0 && part < 1) {
            span *p = &spans[(int)(part * h->bins)];
            *p = (span){i < p->from ? i : p->from, i + 1};
        }
    }
    for (int k = 0; k < h->bins; k++)
        if (spans[k].to == 0) {
            double middle = begin + (k + 0.5) / h->bins * (end - begin);
            int i = (int)fmin(fmax((middle - start) * zoom, 0), n - 1);
            spans[k] = (span){i, i + 1};
        }
    return spans;
}

/* A pixel shared by bins shows the fullest one. */
static void fill_bin(bitmap *b, span row, span column, uint32_t n)
{
    for (int y = row.from; y < row.to; y++)
        for (int x = column.from; x < column.to; x++) {
            uint32_t *p = &b->pixels[(size_t)y * (size_t)b->width + (size_t)x];
            *p = *p > n ? *p : n;
        }
}

/* Empty bins are transparent and show the page's grid. */
int draw_hist2d(const view *v)
{
    const hist2d *h = &v->hist2d;
    bitmap b;
    if (h->n == 0)
        return LT_OK;
    LT_TRY(bitmap_begin(&b, v->c, v->plot, 0, vector_scale));
    span *column = spans_along(h, &v->x, h->x_low, h->x_high, b.left, b.zoom, b.width);
    span *row = spans_along(h, &v->y, h->y_low, h->y_high, b.top, b.zoom, b.height);
    for (int r = 0; r < h->bins; r++)
        for (int c = 0; c < h->bins; c++)
            if (h->count[r * h->bins + c] > 0)
                fill_bin(&b, row[r], column[c], (uint32_t)h->count[r * h->bins + c]);
    for (size_t i = 0; i < (size_t)b.width * (size_t)b.height; i++)
        if (b.pixels[i])
            b.pixels[i] = 0xff000000u | hist2d_color((double)b.pixels[i] / h->most);
    bitmap_paint(&b, v->c);
    free(column);
    free(row);
    return LT_OK;
}
