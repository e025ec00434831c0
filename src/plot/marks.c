/* SPDX-License-Identifier: MIT */
/* Renders series: lines, points, steps, bands, bars, error bars. */
#include "plot/view.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Clamps positions that would overflow cairo's 24.8 fixed-point numbers: lines to them leave the plot at a slightly
   different angle. */
enum { FAR = 100000 };

static double place_x(const view *v, const lt_series *s, int i)
{
    return fmin(fmax(scale_at(&v->x, series_x(s, i)), -FAR), FAR);
}

static double place_y(const view *v, double y)
{
    return fmin(fmax(scale_at(&v->y, y), -FAR), FAR);
}

/* ---- Lines ---- */

/* Returns the end of the segment without gaps that begins at i; i if point i is a gap. */
static int piece_end(const view *v, const lt_series *s, int i)
{
    while (i < s->n && series_has(v, s, i))
        i++;
    return i;
}

static void set_pen(const view *v, double width, bool is_dashed)
{
    cairo_t *cr = v->c->cr;
    const double dashes[2] = {3 * width, 2 * width};
    cairo_set_line_width(cr, width);
    cairo_set_line_cap(cr, is_dashed ? CAIRO_LINE_CAP_BUTT : CAIRO_LINE_CAP_ROUND);
    cairo_set_line_join(cr, CAIRO_LINE_JOIN_ROUND);
    cairo_set_dash(cr, dashes, is_dashed ? 2 : 0, 0);
}

/* Adds the line through points first ... end - 1. Of many points within one column only the first,
   lowest, highest and last are drawn: the picture is the same. */
static void add_line(const view *v, const lt_series *s, const double *y, int first, int end)
{
    cairo_t *cr = v->c->cr;
    for (int i = first; i < end;) {
        double column = floor(4 * place_x(v, s, i));
        int low = i, high = i, next = i + 1;
        for (; next < end && floor(4 * place_x(v, s, next)) == column; next++) {
            low = y[next] < y[low] ? next : low;
            high = y[next] > y[high] ? next : high;
        }
        int keep[4] = {i, low < high ? low : high, low < high ? high : low, next - 1};
        for (int k = 0; k < 4; k++)
            if (k == 0 || keep[k] > keep[k - 1]) {
                if (s->kind == LT_STEPS && keep[k] > first)
                    cairo_line_to(cr, place_x(v, s, keep[k]), place_y(v, y[keep[k] - 1]));
                cairo_line_to(cr, place_x(v, s, keep[k]), place_y(v, y[keep[k]]));
            }
        i = next;
    }
}

/* Draws the segments between gaps; a segment of one point is a dot. */
static void draw_lines(const view *v, const lt_series *s, const double *y, rgb color,
                       double alpha, double width)
{
    cairo_t *cr = v->c->cr;
    set_pen(v, width, s->is_dashed);
    for (int i = 0; i < s->n;) {
        int end = piece_end(v, s, i);
        if (end == i) {
            i++;
            continue;
        }
        if (end == i + 1 && s->kind != LT_LINES_POINTS) {
            cairo_new_sub_path(cr);
            cairo_arc(cr, place_x(v, s, i), place_y(v, y[i]), width * 1.25, 0, 2 * M_PI);
            canvas_color(v->c, color, alpha);
            cairo_fill(cr);
        } else {
            add_line(v, s, y, i, end);
            canvas_color(v->c, color, alpha);
            cairo_stroke(cr);
        }
        i = end;
    }
}

static void draw_curve(const view *v, const lt_series *s, rgb color)
{
    double width = 0.16 * v->em;
    if (s->smooth <= 0) {
        draw_lines(v, s, s->y, color, 1, width);
        return;
    }
    double *y = must_alloc(sizeof *y * (size_t)s->n);
    series_smooth(v, s, y);
    draw_lines(v, s, s->y, color, 0.3, 0.6 * width);
    draw_lines(v, s, y, color, 1, width);
    free(y);
}

/* ---- Points ---- */

static bool is_inside(const view *v, double x, double y)
{
    const box *b = &v->plot;
    return x > b->left - 1 && x < b->right + 1 && y > b->top - 1 && y < b->bottom + 1;
}

static void draw_points(const view *v, const lt_series *s, rgb color)
{
    cairo_t *cr = v->c->cr;
    double each = (v->plot.right - v->plot.left) / (s->n + 1); /* width per point, if evenly spaced */
    double radius = fmin(fmax(0.35 * each, 0.16 * v->em), 0.32 * v->em);
    bool has_rim = radius > 0.25 * v->em;
    for (int i = 0; i < s->n; i++) {
        if (!series_has(v, s, i))
            continue;
        double x = place_x(v, s, i), y = place_y(v, s->y[i]);
        if (!is_inside(v, x, y))
            continue;
        cairo_new_sub_path(cr);
        cairo_arc(cr, x, y, radius, 0, 2 * M_PI);
        canvas_color(v->c, color, s->n > 400 ? 0.6 : 1);
        if (!has_rim) {
            cairo_fill(cr);
            continue;
        }
        cairo_fill_preserve(cr); /* a white rim separates points from lines and from each other */
        canvas_color(v->c, 0xffffff, 1);
        cairo_set_dash(cr, NULL, 0, 0);
        cairo_set_line_width(cr, 0.08 * v->em);
        cairo_stroke(cr);
    }
}

/* An end that is not positive on a logarithmic axis is drawn at the bottom of the chart. */
static void draw_error_bars(const view *v, const lt_series *s, rgb color)
{
    set_pen(v, 0.1 * v->em, false);
    canvas_color(v->c, color, 0.75);
    for (int i = 0; i < s->n; i++) {
        bool is_log = v->chart->y.is_log, has_low = scale_has(is_log, s->low[i]);
        if (!series_has(v, s, i) || !scale_has(is_log, s->high[i]) || (!has_low && !is_log))
            continue;
        double x = place_x(v, s, i);
        cairo_move_to(v->c->cr, x, has_low ? place_y(v, s->low[i]) : v->plot.bottom);
        cairo_line_to(v->c->cr, x, place_y(v, s->high[i]));
    }
    cairo_stroke(v->c->cr);
}

/* ---- Areas ---- */

static void draw_band(const view *v, const lt_series *s, rgb color)
{
    cairo_t *cr = v->c->cr;
    canvas_color(v->c, color, 0.18);
    for (int i = 0; i < s->n;) {
        int end = piece_end(v, s, i);
        if (end == i) {
            i++;
            continue;
        }
        for (int k = i; k < end; k++)
            cairo_line_to(cr, place_x(v, s, k), place_y(v, s->high[k]));
        for (int k = end; k-- > i;)
            cairo_line_to(cr, place_x(v, s, k), place_y(v, s->low[k]));
        cairo_close_path(cr);
        cairo_fill(cr);
        i = end;
    }
}

/* Returns the width of a bar: 0.7 of the least distance between consecutive points. */
static double bar_width(const view *v, const lt_series *s)
{
    double least = s->n > 1 ? (double)INFINITY : (v->plot.right - v->plot.left) / 3;
    for (int i = 1; i < s->n; i++)
        if (series_has(v, s, i) && series_has(v, s, i - 1))
            least = fmin(least, fabs(place_x(v, s, i) - place_x(v, s, i - 1)));
    double widest = (v->plot.right - v->plot.left) / 3;
    return 0.7 * fmin(least, widest);
}

/* Draws the bars of several series side by side. */
static void draw_bars(const view *v, const lt_series *s, rgb color)
{
    int n = 0, position = 0;
    for (int i = 0; i < v->chart->n_series; i++) {
        position = &v->chart->series[i] == s ? n : position;
        n += v->chart->series[i].kind == LT_BARS;
    }
    double all = bar_width(v, s), width = all / n;
    double foot = v->chart->y.is_log ? v->plot.bottom : place_y(v, 0);
    canvas_color(v->c, color, 1);
    for (int i = 0; i < s->n; i++) {
        if (!series_has(v, s, i))
            continue;
        double left = place_x(v, s, i) - all / 2 + position * width, top = place_y(v, s->y[i]);
        cairo_rectangle(v->c->cr, left, fmin(top, foot), width, fabs(foot - top));
    }
    cairo_fill(v->c->cr);
}

/* ---- All ---- */

/* Clips marks to the plot and a rim around it, so that lines and points on its sides stay whole. */
static void clip(const view *v, double rim)
{
    const box *b = &v->plot;
    cairo_t *cr = v->c->cr;
    cairo_reset_clip(cr);
    cairo_new_path(cr);
    cairo_rectangle(cr, b->left - rim, b->top - rim, b->right - b->left + 2 * rim,
                    b->bottom - b->top + 2 * rim);
    cairo_clip(cr);
}

static int draw_series(const view *v, const lt_series *s, rgb color)
{
    if (s->kind == LT_SCATTER)
        return draw_scatter(v, s, color);
    if (s->kind == LT_HIST2D)
        return draw_hist2d(v);
    clip(v, s->kind == LT_BAND || s->kind == LT_BARS ? 0 : 0.21 * v->em); /* a lone dot is whole */
    if (s->kind == LT_BAND)
        draw_band(v, s, color);
    if (s->kind == LT_BARS)
        draw_bars(v, s, color);
    if (s->kind == LT_ELLIPSES)
        draw_ellipses(v, s, color);
    if (s->kind != LT_BAND && s->low)
        draw_error_bars(v, s, s->kind == LT_BARS ? INK : color);
    if (s->kind == LT_LINES || s->kind == LT_STEPS || s->kind == LT_LINES_POINTS)
        draw_curve(v, s, color);
    clip(v, 0.5 * v->em);
    if (s->kind == LT_POINTS || s->kind == LT_LINES_POINTS)
        draw_points(v, s, color);
    cairo_reset_clip(v->c->cr);
    return LT_OK;
}

/* Bands first: they are the background of everything else. */
int draw_marks(const view *v)
{
    const lt_chart *chart = v->chart;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < chart->n_series; i++)
            if ((chart->series[i].kind == LT_BAND) == (pass == 0))
                LT_TRY(draw_series(v, &chart->series[i], series_color(chart, i)));
    if (chart->has_normal) {
        clip(v, 0);
        draw_normal(v);
        cairo_reset_clip(v->c->cr);
    }
    return LT_OK;
}
