/* SPDX-License-Identifier: MIT */
/* Marginal histograms of x and y beside a 2-D histogram, as densities on one scale, and its color bar. */
#include "plot/view.h"

#include <math.h>

/* In em */
static const double gap = 0.5, bar_gap = 1, bar_width = 0.9, number_gap = 0.4, min_plot = 9;

static const double normal_top = 0.3989422804014327; /* 1 / sqrt(2 pi) */

static rgb marginal_color(void) { return hist2d_color(0.45); }

/* ---- Layout ---- */

static double thickness(const view *v)
{
    double side = fmin(v->outer.right - v->outer.left, v->outer.bottom - v->outer.top);
    return fmin(fmax(0.13 * side, 2 * v->em), 6 * v->em);
}

static bool fits_marginals(const view *v)
{
    double width = v->outer.right - v->outer.left, height = v->outer.bottom - v->outer.top;
    return fmin(width, height) - thickness(v) > (min_plot + 6) * v->em;
}

double strips_height(const view *v)
{
    return v->chart->has_marginals && v->hist2d.series && fits_marginals(v) ? thickness(v) + gap * v->em
                                                                    : 0;
}

static type_style number_style(const view *v)
{
    return (type_style){.size = 0.9 * v->em, .color = SOFT_INK, .is_number = true,
                        .room = 6 * v->em};
}

static void make_bar_ticks(view *v)
{
    scale s = {.low = 0, .high = v->hist2d.most, .from = v->plot.bottom, .to = v->plot.top};
    int most = (int)fmin(fmax((v->plot.bottom - v->plot.top) / (3 * v->em), 2), 7);
    ticks_make(&v->bar_ticks, &s, most, true);
}

/* An unnamed series has no color bar. */
double strips_width(view *v)
{
    type_style s = number_style(v);
    double strip = strips_height(v), numbers = 0;
    v->has_marginals = strip > 0;
    v->has_bar = v->hist2d.n > 0 && v->hist2d.series->name && v->has_labels &&
                 v->outer.right - v->outer.left > (min_plot + 7) * v->em;
    if (!v->has_bar)
        return strip;
    make_bar_ticks(v);
    for (int i = 0; i < v->bar_ticks.n; i++)
        numbers = fmax(numbers, text_measure(v->c, &s, v->bar_ticks.text[i]).width);
    return strip + (bar_gap + bar_width + number_gap) * v->em + numbers;
}

void strips_place(view *v)
{
    const box *p = &v->plot;
    double size = thickness(v), from = gap * v->em, strip = v->has_marginals ? from + size : 0;
    v->above = (box){p->left, p->top - from - size, p->right, p->top - from};
    v->beside = (box){p->right + from, p->top, p->right + from + size, p->bottom};
    v->bar.left = p->right + strip + bar_gap * v->em;
    v->bar = (box){v->bar.left, p->top, v->bar.left + bar_width * v->em, p->bottom};
}

/* ---- Histograms ---- */

/* Returns the fraction of the points per unit of the axis. */
static double density(const hist2d *h, int count, bool is_x)
{
    double width = (is_x ? h->x_high - h->x_low : h->y_high - h->y_low) / h->bins;
    return count / (width * h->n);
}

/* Returns the density as high as a marginal: the largest of both histograms and N(0, 1). */
static double highest(const view *v)
{
    const hist2d *h = &v->hist2d;
    double most = v->chart->has_normal ? normal_top : 0;
    for (int i = 0; i < h->bins; i++)
        most = fmax(most, fmax(density(h, h->x_count[i], true), density(h, h->y_count[i], false)));
    return most;
}

/* Adds the outline of all bars: separate bars would leave hairlines between them. */
static void add_bars(const view *v, bool is_x, double unit)
{
    const hist2d *h = &v->hist2d;
    const scale *axis = is_x ? &v->x : &v->y;
    double low = is_x ? h->x_low : h->y_low, high = is_x ? h->x_high : h->y_high;
    double foot = is_x ? v->above.bottom : v->beside.left;
    for (int i = 0; i <= 2 * h->bins + 1; i++) { /* up and down at every edge of a bin */
        int bin = (i + 1) / 2 - 1, edge = i / 2;
        int n = bin < 0 || bin == h->bins ? 0 : is_x ? h->x_count[bin] : h->y_count[bin];
        double size = unit * density(h, n, is_x);
        double at = scale_at(axis, low + (high - low) * edge / h->bins);
        cairo_line_to(v->c->cr, is_x ? at : foot + size, is_x ? foot - size : at);
    }
    cairo_close_path(v->c->cr);
}

static void add_normal(const view *v, bool is_x, double unit)
{
    const scale *s = is_x ? &v->x : &v->y;
    enum { STEPS = 100, END = 4 }; /* the density beyond is invisible */
    for (int i = -STEPS; i <= STEPS; i++) {
        double z = (double)END * i / STEPS;
        double size = unit * normal_top * exp(-0.5 * z * z), at = scale_at(s, z);
        cairo_line_to(v->c->cr, is_x ? at : v->beside.left + size,
                      is_x ? v->above.bottom - size : at);
    }
}

static void draw_marginal(const view *v, bool is_x)
{
    const double dashes[2] = {0.35 * v->em, 0.25 * v->em};
    const box *b = is_x ? &v->above : &v->beside;
    double size = is_x ? b->bottom - b->top : b->right - b->left, unit = size / highest(v);
    cairo_t *cr = v->c->cr;
    cairo_save(cr);
    cairo_rectangle(cr, b->left, b->top - 1, b->right - b->left + 1, b->bottom - b->top + 1);
    cairo_clip(cr);
    cairo_set_antialias(cr, v->c->is_raster ? CAIRO_ANTIALIAS_NONE : CAIRO_ANTIALIAS_DEFAULT);
    add_bars(v, is_x, unit);
    canvas_color(v->c, marginal_color(), 1);
    cairo_fill(cr);
    cairo_set_antialias(cr, CAIRO_ANTIALIAS_DEFAULT);
    if (v->chart->has_normal) {
        add_normal(v, is_x, unit);
        cairo_set_dash(cr, dashes, 2, 0);
        cairo_set_line_cap(cr, CAIRO_LINE_CAP_BUTT);
        cairo_set_line_width(cr, 0.12 * v->em);
        canvas_color(v->c, INK, 1);
        cairo_stroke(cr);
    }
    cairo_restore(cr);
}

void draw_marginals(const view *v)
{
    if (!v->has_marginals || v->hist2d.n == 0)
        return;
    draw_marginal(v, true);
    draw_marginal(v, false);
}

/* ---- Color bar ---- */

static void draw_colors(const view *v)
{
    const box *b = &v->bar;
    cairo_pattern_t *p = cairo_pattern_create_linear(0, b->bottom, 0, b->top);
    enum { STOPS = 16 };
    for (int i = 0; i <= STOPS; i++) {
        rgb c = hist2d_color((double)i / STOPS);
        cairo_pattern_add_color_stop_rgb(p, (double)i / STOPS, (c >> 16 & 255) / 255.0,
                                         (c >> 8 & 255) / 255.0, (c & 255) / 255.0);
    }
    cairo_rectangle(v->c->cr, b->left, b->top, b->right - b->left, b->bottom - b->top);
    cairo_set_source(v->c->cr, p);
    cairo_fill(v->c->cr);
    cairo_pattern_destroy(p);
}

void draw_bar(const view *v)
{
    if (!v->has_bar)
        return;
    type_style s = number_style(v);
    scale counts = {.low = 0, .high = v->hist2d.most, .from = v->bar.bottom, .to = v->bar.top};
    draw_colors(v);
    for (int i = 0; i < v->bar_ticks.n; i++)
        text_draw(v->c, &s, v->bar_ticks.text[i], v->bar.right + number_gap * v->em,
                  scale_at(&counts, v->bar_ticks.value[i]) + 0.33 * v->em, ALIGN_LEFT);
}
