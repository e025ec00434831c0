/* SPDX-License-Identifier: MIT */
/* Ellipses of covariances, and the circles of N(0, I): images of a circle under a linear map. Each is four cubic
   curves, whose relative error the map does not increase. */
#include "plot/view.h"

#include "base/memory.h"
#include "base/philox.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double max_distance = 20000; /* units; cairo's numbers are fixed points of 24.8 bits */

/* center + u cos t + v sin t, in units of the page. */
typedef struct ellipse {
    double x, y, u[2], v[2];
} ellipse;

static double unit_of(const scale *s) { return (s->to - s->from) / (s->high - s->low); }

/* False if it is far outside the page. */
static bool map_ellipse(const view *v, double x, double y, double a, double b, double c, ellipse *e)
{
    double x_unit = unit_of(&v->x), y_unit = unit_of(&v->y);
    *e = (ellipse){scale_at(&v->x, x), scale_at(&v->y, y),
                   {a * x_unit, b * y_unit}, {0, c * y_unit}};
    return fabs(e->x) + fabs(e->u[0]) < max_distance &&
           fabs(e->y) + fabs(e->u[1]) + fabs(e->v[1]) < max_distance;
}

static void add_ellipse(cairo_t *cr, const ellipse *e)
{
    static const double k = 0.5522847498307936; /* 4/3 (sqrt 2 - 1): within 0.03 % of the circle */
    const double *u = e->u, *v = e->v;
    cairo_new_sub_path(cr);
    cairo_move_to(cr, e->x + u[0], e->y + u[1]);
    for (int quarter = 0; quarter < 4; quarter++) {
        double cu = quarter % 2 ? 0 : quarter ? -1 : 1, su = quarter % 2 ? 2 - quarter : 0;
        /* The quarter goes from p = cu u + su v to q = -su u + cu v. */
        double p[2] = {cu * u[0] + su * v[0], cu * u[1] + su * v[1]};
        double q[2] = {-su * u[0] + cu * v[0], -su * u[1] + cu * v[1]};
        cairo_curve_to(cr, e->x + p[0] + k * q[0], e->y + p[1] + k * q[1], e->x + q[0] + k * p[0],
                       e->y + q[1] + k * p[1], e->x + q[0], e->y + q[1]);
    }
    cairo_close_path(cr);
}

static void set_pen(const view *v, double width)
{
    cairo_set_dash(v->c->cr, NULL, 0, 0);
    cairo_set_line_join(v->c->cr, CAIRO_LINE_JOIN_ROUND);
    cairo_set_line_width(v->c->cr, width * v->em);
}

/* Draws them in random order, as the points of a scatter; a white rim separates them from the points below. */
void draw_ellipses(const view *v, const lt_series *s, rgb color)
{
    int32_t *order = must_alloc(sizeof *order * (size_t)s->n);
    philox_shuffle(&(philox_key){.seed = 2}, s->n, order);
    for (int i = 0; i < s->n; i++) {
        int k = order[i];
        double a, b, c;
        ellipse e;
        if (!series_has(v, s, k) || !ellipse_root(s, k, &a, &b, &c) ||
            !map_ellipse(v, series_x(s, k), s->y[k], a, b, c, &e))
            continue;
        add_ellipse(v->c->cr, &e);
        set_pen(v, 0.2);
        canvas_color(v->c, 0xffffff, 0.7);
        cairo_stroke_preserve(v->c->cr);
        set_pen(v, 0.1);
        canvas_color(v->c, readable(s->labels ? label_color(s->labels[k], s->n_labels) : color),
                      1);
        cairo_stroke(v->c->cr);
    }
    free(order);
}

/* ---- N(0, I) ---- */

enum { CIRCLES = 3 };

void draw_normal(const view *v)
{
    const double dashes[2] = {0.35 * v->em, 0.25 * v->em};
    cairo_t *cr = v->c->cr;
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_BUTT);
    for (int k = 1; k <= CIRCLES; k++) {
        ellipse e;
        if (!map_ellipse(v, 0, 0, k, 0, k, &e))
            continue;
        add_ellipse(cr, &e);
        set_pen(v, 0.22);
        canvas_color(v->c, 0xffffff, 0.6);
        cairo_stroke_preserve(cr);
        set_pen(v, 0.12);
        cairo_set_dash(cr, dashes, 2, 0);
        canvas_color(v->c, INK, 1);
        cairo_stroke(cr);
    }
}

/* Labels the circles where they cross the diagonal to the upper right, if the labels fit between them. */
void draw_normal_names(const view *v)
{
    type_style s = {.size = 0.85 * v->em, .color = INK, .has_halo = true};
    double apart = sqrt(0.5) * fmin(fabs(unit_of(&v->x)), fabs(unit_of(&v->y)));
    for (int k = 1; k <= CIRCLES && apart > 1.2 * v->em; k++) {
        char label[16];
        double at = k * sqrt(0.5), x = scale_at(&v->x, at), y = scale_at(&v->y, at);
        snprintf(label, sizeof label, "%dσ", k);
        double half = text_measure(v->c, &s, label).width / 2 + 0.2 * v->em;
        if (x - half > v->plot.left && x + half < v->plot.right && y - v->em > v->plot.top &&
            y + v->em < v->plot.bottom)
            text_draw(v->c, &s, label, x, y + 0.3 * v->em, ALIGN_CENTER);
    }
}
