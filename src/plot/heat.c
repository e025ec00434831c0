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

/* The range of the values; around a single one some room, as on an axis. */
static void find_range(const range *r, double *low, double *high)
{
    scale s;
    scale_fit(&s, r, &(lt_axis){0}, 0, -1);
    *low = s.low;
    *high = s.high;
}

static int bin_of(const heat *h, double low, double high, double value)
{
    int bin = (int)((value - low) / (high - low) * h->bins);
    return bin < h->bins ? bin : h->bins - 1;
}

static void count_points(heat *h)
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

int heat_count(heat *h, const lt_chart *chart)
{
    range x = {0}, y = {0};
    *h = (heat){0};
    for (int i = 0; i < chart->n_series; i++)
        if (chart->series[i].kind == LT_HEAT)
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

void heat_clear(heat *h)
{
    tensor_free(h->count);
    *h = (heat){0};
}

/* The bin at each of n pixels along an axis, the first at place `from`; -1 outside. */
static int *bins_along(const heat *h, const scale *s, double low, double high, double from,
                       double zoom, int n)
{
    int *bins = must_alloc(sizeof *bins * (size_t)n);
    double begin = scale_at(s, low), end = scale_at(s, high);
    for (int i = 0; i < n; i++) {
        double part = (from + (i + 0.5) / zoom - begin) / (end - begin);
        bins[i] = part >= 0 && part < 1 ? (int)(part * h->bins) : -1;
    }
    return bins;
}

/* Bins without points are the page itself, with its grid. */
int draw_heat(const view *v)
{
    const heat *h = &v->heat;
    bitmap b;
    if (h->n == 0)
        return LT_OK;
    LT_TRY(bitmap_begin(&b, v->c, v->plot, 0, vector_scale));
    int *column = bins_along(h, &v->x, h->x_low, h->x_high, b.left, b.zoom, b.width);
    int *row = bins_along(h, &v->y, h->y_low, h->y_high, b.top, b.zoom, b.height);
    for (int y = 0; y < b.height; y++)
        for (int x = 0; x < b.width; x++) {
            int n = row[y] < 0 || column[x] < 0 ? 0 : h->count[row[y] * h->bins + column[x]];
            if (n > 0)
                b.pixels[(size_t)y * (size_t)b.width + (size_t)x] =
                    0xff000000u | heat_colour((double)n / h->most);
        }
    bitmap_paint(&b, v->c);
    free(column);
    free(row);
    return LT_OK;
}
