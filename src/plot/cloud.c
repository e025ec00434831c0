/* SPDX-License-Identifier: MIT */
/* Clouds: points stamped into a bitmap, which is one picture in an SVG or a PDF. They are drawn in
   a random order, so that no label lies on top of all others because its images came last. */
#include "plot/view.h"

#include "base/memory.h"
#include "base/philox.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

static const double vector_scale = 2; /* pixels per unit of an SVG or a PDF */
static const double opacity = 0.8;

typedef struct stamp_pad {
    uint32_t *pixels; /* cairo's: alpha, red, green, blue, the colours times alpha */
    int width, height;
    double radius; /* pixels */
} stamp_pad;

/* Over what is there. */
static void blend(uint32_t *pixel, rgb colour, double alpha)
{
    uint32_t out = 0, a = (uint32_t)(alpha * 255 + 0.5), all = colour | 0xff000000u;
    for (int shift = 0; shift < 32; shift += 8) {
        uint32_t from = all >> shift & 255, to = *pixel >> shift & 255;
        out |= (from * a + to * (255 - a) + 127) / 255 << shift;
    }
    *pixel = out;
}

/* A disc whose edge is as soft as a pixel is wide. */
static void stamp(const stamp_pad *p, double x, double y, rgb colour)
{
    int left = (int)floor(x - p->radius - 1), right = (int)ceil(x + p->radius + 1);
    int top = (int)floor(y - p->radius - 1), bottom = (int)ceil(y + p->radius + 1);
    for (int v = top < 0 ? 0 : top; v < bottom && v < p->height; v++)
        for (int u = left < 0 ? 0 : left; u < right && u < p->width; u++) {
            double dx = u + 0.5 - x, dy = v + 0.5 - y;
            double cover = fmin(fmax(p->radius + 0.5 - sqrt(dx * dx + dy * dy), 0), 1);
            if (cover > 0)
                blend(p->pixels + (size_t)v * (size_t)p->width + u, colour, cover * opacity);
        }
}

/* Discs that fill about a third of the plot together, if they lay side by side. */
static double choose_radius(const view *v, int n, double zoom)
{
    double area = (v->plot.right - v->plot.left) * (v->plot.bottom - v->plot.top);
    return zoom * fmin(fmax(0.3 * sqrt(area / n), 0.06 * v->em), 0.25 * v->em);
}

/* Points are stamped at their places from the corner (left, top) on; `zoom` pixels are a unit. */
static void stamp_points(const view *v, const lt_series *s, rgb colour, const stamp_pad *p,
                         double left, double top, double zoom)
{
    int32_t *order = must_alloc(sizeof *order * (size_t)s->n);
    philox_shuffle(&(philox_key){.seed = 1}, s->n, order);
    for (int i = 0; i < s->n; i++) {
        int k = order[i];
        if (!series_has(v, s, k))
            continue;
        double x = (scale_at(&v->x, series_x(s, k)) - left) * zoom;
        double y = (scale_at(&v->y, s->y[k]) - top) * zoom;
        if (x > -p->radius && x < p->width + p->radius && y > -p->radius &&
            y < p->height + p->radius)
            stamp(p, x, y, s->labels ? label_colour(s->labels[k], s->n_labels) : colour);
    }
    free(order);
}

static void paint(const view *v, const stamp_pad *p, double left, double top, double zoom)
{
    cairo_t *cr = v->c->cr;
    cairo_surface_t *s = cairo_image_surface_create_for_data(
        (unsigned char *)p->pixels, CAIRO_FORMAT_ARGB32, p->width, p->height, 4 * p->width);
    cairo_save(cr);
    cairo_translate(cr, left, top);
    cairo_scale(cr, 1 / zoom, 1 / zoom);
    cairo_set_source_surface(cr, s, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cr),
                             v->c->is_raster ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_GOOD);
    cairo_paint(cr);
    cairo_restore(cr);
    cairo_surface_flush(cairo_get_target(cr)); /* nothing refers to the pixels afterwards */
    cairo_surface_finish(s);
    cairo_surface_destroy(s);
}

int draw_cloud(const view *v, const lt_series *s, rgb colour)
{
    if (s->n == 0)
        return LT_OK;
    double zoom = v->c->is_raster ? v->c->scale : vector_scale, rim = 0.3 * v->em;
    /* On whole pixels of the page, so that nothing is blurred */
    double left = floor((v->plot.left - rim) * zoom) / zoom;
    double top = floor((v->plot.top - rim) * zoom) / zoom;
    stamp_pad p = {.width = (int)ceil((v->plot.right + rim - left) * zoom),
                   .height = (int)ceil((v->plot.bottom + rim - top) * zoom),
                   .radius = choose_radius(v, s->n, zoom)};
    p.pixels = tensor_alloc((size_t)p.width * (size_t)p.height * sizeof *p.pixels,
                            "the points of a chart");
    if (!p.pixels)
        return LT_NO_MEMORY;
    stamp_points(v, s, colour, &p, left, top, zoom);
    paint(v, &p, left, top, zoom);
    tensor_free(p.pixels);
    return LT_OK;
}
