/* SPDX-License-Identifier: MIT */
/* Scatters: points stamped into a bitmap, one embedded image in an SVG or a PDF. Points are drawn in random order, so
   that the last label does not cover all others. */
#include "plot/view.h"

#include "base/memory.h"
#include "base/convert.h"
#include "base/philox.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

static const double vector_scale = 2; /* pixels per unit of an SVG or a PDF */
static const double opacity = 0.8;

/* Composes a color over a pixel. */
static void blend(uint32_t *pixel, rgb color, double alpha)
{
    uint32_t out = 0, a = (uint32_t)(alpha * 255 + 0.5), all = color | 0xff000000u;
    for (int shift = 0; shift < 32; shift += 8) {
        uint32_t from = all >> shift & 255, to = *pixel >> shift & 255;
        out |= (from * a + to * (255 - a) + 127) / 255 << shift;
    }
    *pixel = out;
}

/* Draws an antialiased disc. */
static void stamp(const bitmap *p, double x, double y, double radius, rgb color)
{
    int left = real_to_int(floor(x - radius - 1), 0, p->width);
    int right = real_to_int(ceil(x + radius + 1), 0, p->width);
    int top = real_to_int(floor(y - radius - 1), 0, p->height);
    int bottom = real_to_int(ceil(y + radius + 1), 0, p->height);
    for (int v = top; v < bottom; v++)
        for (int u = left; u < right; u++) {
            double dx = u + 0.5 - x, dy = v + 0.5 - y;
            double cover = fmin(fmax(radius + 0.5 - sqrt(dx * dx + dy * dy), 0), 1);
            if (cover > 0)
                blend(p->pixels + (size_t)v * (size_t)p->width + u, color, cover * opacity);
        }
}

/* Returns the radius at which n separate discs would cover about a third of the plot. */
static double choose_radius(const view *v, int n)
{
    double area = (v->plot.right - v->plot.left) * (v->plot.bottom - v->plot.top);
    return fmin(fmax(0.3 * sqrt(area / n), 0.06 * v->em), 0.25 * v->em);
}

static void stamp_points(const view *v, const lt_series *s, rgb color, const bitmap *p)
{
    int32_t *order = must_alloc(sizeof *order * (size_t)s->n);
    double r = choose_radius(v, s->n) * p->zoom;
    philox_shuffle(&(philox_key){.seed = 1}, s->n, order);
    for (int i = 0; i < s->n; i++) {
        int k = order[i];
        if (!series_has(v, s, k))
            continue;
        double x = (scale_at(&v->x, series_x(s, k)) - p->left) * p->zoom;
        double y = (scale_at(&v->y, s->y[k]) - p->top) * p->zoom;
        if (x > -r && x < p->width + r && y > -r && y < p->height + r)
            stamp(p, x, y, r, s->labels ? label_color(s->labels[k], s->n_labels) : color);
    }
    free(order);
}

int draw_scatter(const view *v, const lt_series *s, rgb color)
{
    bitmap p;
    if (s->n == 0)
        return LT_OK;
    LT_TRY(bitmap_begin(&p, v->c, v->plot, 0.3 * v->em, vector_scale));
    stamp_points(v, s, color, &p);
    bitmap_paint(&p, v->c);
    return LT_OK;
}
