/* SPDX-License-Identifier: MIT */
/* A chart: its layout, then titles, grid, tick labels, marks, names. */
#include "plot/view.h"

#include "base/status.h"

#include <math.h>

/* In em */
static const double number_size = 0.9, number_line = 1.5, label_line = 1.5;
static const double title_size = 1.3, title_line = 1.75;

enum { MAX_LABELS = 256, MAX_BINS = 1000 };

/* ---- Checking ---- */

static const char *title_of(const lt_chart *c) { return c->title ? c->title : "a chart"; }

/* Whether labels determine the colors of a series. */
static bool is_plane(const lt_series *s) { return s->kind == LT_SCATTER || s->kind == LT_ELLIPSES; }

static int check_series(const lt_chart *c, int i)
{
    const lt_series *s = &c->series[i];
    if ((int)s->kind < 0 || s->kind >= LT_SERIES_KINDS)
        return status_fail(LT_VALUE, "%s: series %d: expected a kind of series, found %d", title_of(c),
                           i + 1, (int)s->kind);
    if (s->n < 0 || (s->n > 0 && !s->y && s->kind != LT_BAND))
        return status_fail(LT_VALUE, "%s: series %d: expected y of 0 or more values, found %d and %s", title_of(c),
                           i + 1, s->n, s->y ? "y" : "no y");
    if (s->n > 0 && s->kind == LT_ELLIPSES && (!s->xx || !s->xy || !s->yy))
        return status_fail(LT_VALUE, "%s: series %d: expected xx, xy and yy of %d ellipses",
                           title_of(c), i + 1, s->n);
    if (s->n > 0 && (!s->low != !s->high || (s->kind == LT_BAND && !s->low)))
        return status_fail(LT_VALUE, "%s: series %d: expected low and high, found %s", title_of(c),
                           i + 1, s->low ? "low alone" : s->high ? "high alone" : "neither");
    if (is_plane(s) && (s->n_labels < 0 || s->n_labels > MAX_LABELS))
        return status_fail(LT_VALUE, "%s: series %d: %d labels, expected 0 to %d", title_of(c),
                           i + 1, s->n_labels, MAX_LABELS);
    for (int k = 0; is_plane(s) && s->labels && k < s->n; k++)
        if (s->labels[k] < 0 || s->labels[k] >= s->n_labels)
            return status_fail(LT_VALUE, "%s: series %d: label %d at %d, expected 0 to %d",
                               title_of(c), i + 1, (int)s->labels[k], k, s->n_labels - 1);
    if (s->kind == LT_HIST2D && (s->bins < 0 || s->bins > MAX_BINS))
        return status_fail(LT_VALUE, "%s: series %d: %d bins, expected 1 to %d, or 0 for 50",
                           title_of(c), i + 1, s->bins, MAX_BINS);
    if (!(s->sigmas >= 0 && s->sigmas <= 1e9))
        return status_fail(LT_VALUE, "%s: series %d: sigmas is %g, expected 0 to 1e9", title_of(c),
                           i + 1, s->sigmas);
    if (!(s->smooth >= 0 && s->smooth <= 1e9))
        return status_fail(LT_VALUE, "%s: series %d: smooth is %g, expected 0 to 1e9", title_of(c),
                           i + 1, s->smooth);
    return LT_OK;
}

/* Checks bins, ellipses and the normal distribution they are compared with. */
static int check_plane(const lt_chart *c)
{
    bool is_linear = !c->x.is_log && !c->y.is_log;
    int histograms = 0, ellipses = 0;
    for (int i = 0; i < c->n_series; i++) {
        histograms += c->series[i].kind == LT_HIST2D;
        ellipses += c->series[i].kind == LT_ELLIPSES;
    }
    if (histograms > 1)
        return status_fail(LT_VALUE, "%s: %d series of bins, expected one", title_of(c), histograms);
    if (!is_linear && (histograms || ellipses || c->has_normal))
        return status_fail(LT_VALUE, "%s: bins, ellipses and N(0, I) need linear axes",
                           title_of(c));
    if (c->has_marginals && histograms == 0)
        return status_fail(LT_VALUE, "%s: marginals need a series of bins, found none", title_of(c));
    return LT_OK;
}

static bool has_values(const lt_chart *c)
{
    view v = {.chart = c};
    for (int i = 0; i < c->n_series; i++)
        for (int k = 0; k < c->series[i].n; k++)
            if (series_has(&v, &c->series[i], k))
                return true;
    return false;
}

int chart_check(const lt_chart *c)
{
    if (c->n_series < 0 || c->n_references < 0 || c->x.n_names < 0 || c->y.n_names < 0 ||
        (int)c->legend < 0 || c->legend >= LT_LEGENDS)
        return status_fail(LT_VALUE, "%s: found a negative number of parts, or an unknown legend",
                           title_of(c));
    if (c->has_equal_units && (c->x.is_log || c->y.is_log || c->x.max || c->x.min || c->y.max ||
                               c->y.min))
        return status_fail(LT_VALUE, "%s: axes of equal units are linear and have no min and max",
                           title_of(c));
    for (int i = 0; i < c->n_series; i++)
        LT_TRY(check_series(c, i));
    LT_TRY(check_plane(c));
    if (!has_values(c))
        return status_fail(LT_VALUE, "%s: nothing to draw: no finite point%s in %d series",
                           title_of(c), c->x.is_log || c->y.is_log
                               ? " that fits a logarithmic axis" : "", c->n_series);
    scale s;
    range none = {0};
    const lt_axis *axes[2] = {&c->x, &c->y};
    for (int i = 0; i < 2; i++)
        if (!scale_fit(&s, &none, axes[i], 0, 0))
            return status_fail(LT_VALUE, "%s: %s axis: expected min below max%s, found %g to %g", title_of(c),
                               i == 0 ? "x" : "y",
                               axes[i]->is_log ? ", both positive on a logarithmic axis" : "",
                               axes[i]->min, axes[i]->max);
    return LT_OK;
}

/* ---- Scales ---- */

static void add_series(const view *v, const lt_series *s, range *x, range *y)
{
    bool x_log = v->chart->x.is_log, y_log = v->chart->y.is_log;
    for (int i = 0; i < s->n; i++) {
        if (!series_has(v, s, i))
            continue;
        double reach_x = 0, reach_y = 0;
        if (s->kind == LT_ELLIPSES)
            ellipse_reach(s, i, &reach_x, &reach_y);
        range_add(x, x_log, series_x(s, i) - reach_x);
        range_add(x, x_log, series_x(s, i) + reach_x);
        if (s->kind != LT_BAND) {
            range_add(y, y_log, s->y[i] - reach_y);
            range_add(y, y_log, s->y[i] + reach_y);
        }
        if (s->low) {
            range_add(y, y_log, s->low[i]);
            range_add(y, y_log, s->high[i]);
        }
    }
    if (s->kind == LT_BARS)
        range_add(y, y_log, 0);
}

static void fit_scales(view *v)
{
    const lt_chart *c = v->chart;
    range x = {0}, y = {0};
    bool has_points = false, has_map = false;
    for (int i = 0; i < c->n_series; i++) {
        lt_series_kind kind = c->series[i].kind;
        add_series(v, &c->series[i], &x, &y);
        has_points |= kind == LT_POINTS || kind == LT_LINES_POINTS || kind == LT_SCATTER ||
                      kind == LT_HIST2D || kind == LT_ELLIPSES;
        has_map |= kind == LT_SCATTER || kind == LT_HIST2D || kind == LT_ELLIPSES;
    }
    for (int side = -1; side < 2 && c->has_normal; side += 2) { /* circles of 3 sigma, with a margin */
        range_add(&x, false, 3.1 * side);
        range_add(&y, false, 3.1 * side);
    }
    for (int i = 0; i < c->n_references; i++)
        range_add(c->references[i].is_vertical ? &x : &y,
                  c->references[i].is_vertical ? c->x.is_log : c->y.is_log,
                  c->references[i].value);
    for (int i = 0; i < c->n_series; i++)
        if (c->series[i].kind == LT_BARS && x.is_any && !c->x.is_log) { /* half a bar on each side */
            double half = c->series[i].n > 1 ? 0.5 * (x.high - x.low) / (c->series[i].n - 1) : 0.5;
            double low = x.low - half, high = x.high + half;
            range_add(&x, false, low);
            range_add(&x, false, high);
            break;
        }
    scale_fit(&v->x, &x, &c->x, has_points ? 0.02 : 0, -1);
    scale_fit(&v->y, &y, &c->y, has_map ? 0.02 : 0.06, has_map ? -1 : 0.3);
}

/* ---- Titles ---- */

static type_style title_style(double em, double room, int lines)
{
    return (type_style){.size = title_size * em, .color = INK, .is_bold = true, .room = room,
                        .lines = lines};
}

static type_style subtitle_style(double em, double room)
{
    return (type_style){.size = em, .color = SOFT_INK, .room = room, .lines = 2};
}

/* title_line is the height of one line; adds that of further lines. Nullable: title. */
static double title_height(canvas *c, const char *title, double em, box b, int lines)
{
    type_style all = title_style(em, b.right - b.left, lines);
    type_style one = title_style(em, b.right - b.left, 1);
    return title ? title_line * em + text_measure(c, &all, title).height -
                       text_measure(c, &one, title).height
                 : 0;
}

double titles_width(canvas *c, const char *title, const char *subtitle, double em)
{
    type_style large = title_style(em, 0, 1), small = subtitle_style(em, 0);
    small.lines = 1;
    double width = title ? text_measure(c, &large, title).width : 0;
    return fmax(width, subtitle ? text_measure(c, &small, subtitle).width : 0);
}

double titles_height(canvas *c, const char *title, const char *subtitle, double em, box b,
                     int lines)
{
    type_style s = subtitle_style(em, b.right - b.left);
    double height = title_height(c, title, em, b, lines);
    if (subtitle)
        height += text_measure(c, &s, subtitle).height;
    return height > 0 ? height + 0.7 * em : 0;
}

void draw_titles(canvas *c, const char *title, const char *subtitle, double em, box b, int lines)
{
    type_style large = title_style(em, b.right - b.left, lines);
    type_style small = subtitle_style(em, b.right - b.left);
    if (title)
        text_draw(c, &large, title, b.left, b.top + 1.15 * em, ALIGN_LEFT);
    if (subtitle)
        text_draw(c, &small, subtitle, b.left, b.top + title_height(c, title, em, b, lines) + em,
                  ALIGN_LEFT);
}

/* ---- Numbers beside the axes ---- */

static type_style number_style(const view *v)
{
    return (type_style){.size = number_size * v->em, .color = SOFT_INK, .is_number = true,
                        .room = 0.4 * (v->outer.right - v->outer.left)};
}

static double widest(const view *v, const ticks *t)
{
    type_style s = number_style(v);
    double most = 0;
    for (int i = 0; i < t->n; i++)
        most = fmax(most, text_measure(v->c, &s, t->text[i]).width);
    return most;
}

/* Returns the least distance between adjacent ticks, in units. */
static double least_step(const ticks *t, const scale *s)
{
    double least = INFINITY;
    for (int i = 1; i < t->n; i++)
        least = fmin(least, fabs(scale_at(s, t->value[i]) - scale_at(s, t->value[i - 1])));
    return least;
}

/* Chooses as many ticks as have labels that fit side by side; one if two do not fit. */
static void choose_x_ticks(view *v)
{
    ticks *t = &v->x_ticks;
    int most = (int)fmin(fmax((v->plot.right - v->plot.left) / (3 * v->em), 2), 12);
    do
        ticks_make(t, &v->x, most, v->chart->x.is_whole);
    while (least_step(t, &v->x) < widest(v, t) + v->em && --most >= 2);
    if (most < 2)
        t->n = 1;
}

static void choose_y_ticks(view *v)
{
    ticks *t = &v->y_ticks;
    int most = (int)fmin(fmax((v->plot.bottom - v->plot.top) / (2.2 * v->em), 2), 9);
    do
        ticks_make(t, &v->y, most, v->chart->y.is_whole);
    while (least_step(t, &v->y) < 1.3 * v->em && --most >= 2);
    if (most < 2)
        t->n = 1;
}

static void set_thin_pen(const view *v)
{
    cairo_set_dash(v->c->cr, NULL, 0, 0);
    cairo_set_line_width(v->c->cr, 0.08 * v->em);
    cairo_set_line_cap(v->c->cr, CAIRO_LINE_CAP_BUTT);
}

/* Draws names instead of numbers: smaller if they are long, every k-th of many. */
static void draw_x_names(const view *v)
{
    const lt_axis *x = &v->chart->x;
    type_style s = number_style(v);
    double most = 0;
    for (int i = 0; i < x->n_names; i++)
        most = fmax(most, x->names[i] ? text_measure(v->c, &s, x->names[i]).width : 0);
    double step = fabs(scale_at(&v->x, 1) - scale_at(&v->x, 0));
    double wanted = fmin(3 * v->em, 0.75 * most + 0.4 * v->em);
    double stride = fmax(ceil(wanted / fmax(step, 1e-3)), 1), room = stride * step - 0.4 * v->em;
    s.size *= fmax(fmin(room / fmax(most, 1), 1), 0.75);
    for (double i = 0; i < x->n_names; i += stride) {
        const char *name = x->names[(int)i];
        double at = scale_at(&v->x, i);
        double side = fmin(at - v->outer.left, v->outer.right - at);
        s.room = fmax(fmin(room, 2 * side), 0.1);
        if (name && at >= v->plot.left && at <= v->plot.right)
            text_draw(v->c, &s, name, at, v->plot.bottom + 1.25 * v->em, ALIGN_CENTER);
    }
}

static void draw_x_numbers(const view *v)
{
    cairo_t *cr = v->c->cr;
    type_style s = number_style(v);
    set_thin_pen(v);
    for (int i = 0; i < v->x_ticks.n; i++) {
        double x = scale_at(&v->x, v->x_ticks.value[i]);
        canvas_color(v->c, RULE, 1);
        cairo_move_to(cr, x, v->plot.bottom);
        cairo_line_to(cr, x, v->plot.bottom + 0.3 * v->em);
        cairo_stroke(cr);
        text_draw(v->c, &s, v->x_ticks.text[i], x, v->plot.bottom + 1.25 * v->em, ALIGN_CENTER);
    }
}

static void draw_y_numbers(const view *v)
{
    type_style s = number_style(v);
    for (int i = 0; i < v->y_ticks.n; i++)
        text_draw(v->c, &s, v->y_ticks.text[i], v->plot.left - 0.5 * v->em,
                  scale_at(&v->y, v->y_ticks.value[i]) + 0.33 * v->em, ALIGN_RIGHT);
}

/* ---- Grid and references ---- */

static void draw_across(const view *v, double y, rgb color)
{
    canvas_color(v->c, color, 1);
    cairo_move_to(v->c->cr, v->plot.left, y);
    cairo_line_to(v->c->cr, v->plot.right, y);
    cairo_stroke(v->c->cr);
}

static void draw_grid(const view *v)
{
    set_thin_pen(v);
    for (int i = 0; i < v->y_ticks.n; i++)
        draw_across(v, scale_at(&v->y, v->y_ticks.value[i]), GRID);
    canvas_color(v->c, GRID, 1);
    for (int i = 0; i < v->x_ticks.n && v->chart->has_equal_units; i++) { /* maps have vertical lines too */
        double x = scale_at(&v->x, v->x_ticks.value[i]);
        cairo_move_to(v->c->cr, x, v->plot.top);
        cairo_line_to(v->c->cr, x, v->plot.bottom);
    }
    cairo_stroke(v->c->cr);
    draw_across(v, v->plot.bottom, RULE);
    if (!v->y.is_log && v->y.low < 0 && v->y.high > 0)
        draw_across(v, scale_at(&v->y, 0), RULE);
}

static bool has_position(const view *v, const lt_reference *r)
{
    const scale *s = r->is_vertical ? &v->x : &v->y;
    return scale_has(s->is_log, r->value) && r->value >= s->low && r->value <= s->high;
}

static void draw_reference(const view *v, const lt_reference *r)
{
    cairo_t *cr = v->c->cr;
    const double dashes[2] = {0.35 * v->em, 0.3 * v->em};
    double at = scale_at(r->is_vertical ? &v->x : &v->y, r->value);
    cairo_set_dash(cr, dashes, 2, 0);
    cairo_set_line_width(cr, 0.1 * v->em);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_BUTT);
    canvas_color(v->c, SOFT_INK, 1);
    cairo_move_to(cr, r->is_vertical ? at : v->plot.left, r->is_vertical ? v->plot.top : at);
    cairo_line_to(cr, r->is_vertical ? at : v->plot.right, r->is_vertical ? v->plot.bottom : at);
    cairo_stroke(cr);
}

/* Counts the points of all series in a box. */
static int count_points(const view *v, box b)
{
    int n = 0;
    for (int i = 0; i < v->chart->n_series; i++) {
        const lt_series *s = &v->chart->series[i];
        for (int k = 0; k < s->n; k++) {
            if (s->kind == LT_BAND || !series_has(v, s, k))
                continue;
            double x = scale_at(&v->x, series_x(s, k)), y = scale_at(&v->y, s->y[k]);
            n += x > b.left && x < b.right && y > b.top && y < b.bottom;
        }
    }
    return n;
}

/* Writes the name above the line, or below if it does not fit; at the end with fewer points. */
static void name_horizontal(const view *v, const lt_reference *r, type_style *s)
{
    const box *p = &v->plot;
    s->room = p->right - p->left - 0.6 * v->em;
    double width = text_measure(v->c, s, r->label).width + 0.3 * v->em;
    double y = scale_at(&v->y, r->value);
    double baseline = y - 1.4 * v->em > p->top ? y - 0.4 * v->em : y + 1.15 * v->em;
    box left = {p->left, baseline - 1.2 * v->em, p->left + width, baseline + 0.4 * v->em};
    box right = {p->right - width, left.top, p->right, left.bottom};
    bool is_right = count_points(v, right) < count_points(v, left);
    text_draw(v->c, s, r->label, is_right ? p->right - 0.3 * v->em : p->left + 0.3 * v->em,
              baseline, is_right ? ALIGN_RIGHT : ALIGN_LEFT);
}

/* Writes the name at the top, on the wider side of the line. */
static void name_vertical(const view *v, const lt_reference *r, type_style *s)
{
    const box *p = &v->plot;
    double x = scale_at(&v->x, r->value), gap = 0.4 * v->em;
    bool is_right = x < (p->left + p->right) / 2;
    s->room = fmax((is_right ? p->right - x : x - p->left) - gap, 0.1);
    text_draw(v->c, s, r->label, is_right ? x + gap : x - gap, p->top + v->em,
              is_right ? ALIGN_LEFT : ALIGN_RIGHT);
}

static void draw_reference_name(const view *v, const lt_reference *r)
{
    type_style s = {.size = number_size * v->em, .color = SOFT_INK, .has_halo = true,
                    .cut_middle = true};
    if (r->is_vertical)
        name_vertical(v, r, &s);
    else
        name_horizontal(v, r, &s);
}

/* ---- The whole ---- */

static void set_sides(view *v)
{
    v->x.from = v->plot.left;
    v->x.to = v->plot.right;
    v->y.from = v->plot.bottom;
    v->y.to = v->plot.top;
}

/* Widens the range of one axis, so that one unit is equally long on both. */
static void equal_units(view *v)
{
    double x_unit = fabs((v->x.to - v->x.from) / (v->x.high - v->x.low));
    double y_unit = fabs((v->y.to - v->y.from) / (v->y.high - v->y.low));
    scale *s = x_unit > y_unit ? &v->x : &v->y;
    double factor = x_unit > y_unit ? x_unit / y_unit : y_unit / x_unit;
    double middle = (s->low + s->high) / 2, half = factor * (s->high - s->low) / 2;
    s->low = middle - half;
    s->high = middle + half;
}

/* Computes left side, right side and x ticks from the height of the plot. */
static void plan_width(view *v)
{
    const box *o = &v->outer;
    set_sides(v);
    choose_y_ticks(v);
    v->plot.left = o->left + widest(v, &v->y_ticks) + (v->y_ticks.n ? 0.5 : 0) * v->em;
    v->plot.right = o->right;
    if (v->is_direct || v->is_column)
        v->plot.right -= (v->is_direct ? legend_direct_width(v) : legend_column_width(v)) +
                         0.9 * v->em;
    v->plot.right -= strips_width(v) + v->spare;
    set_sides(v);
    if (v->chart->x.names)
        return;
    choose_x_ticks(v);
    /* The first and last number may extend by half their width. */
    type_style s = number_style(v);
    const ticks *t = &v->x_ticks;
    if (t->n == 0)
        return;
    double first = text_measure(v->c, &s, t->text[0]).width / 2;
    double last = text_measure(v->c, &s, t->text[t->n - 1]).width / 2;
    v->plot.left = fmax(v->plot.left, o->left + first - (scale_at(&v->x, t->value[0]) - v->x.from));
    v->plot.right = fmin(v->plot.right,
                         o->right - last + (v->x.to - scale_at(&v->x, t->value[t->n - 1])));
    set_sides(v);
}

/* With marginals and equal units, the range of x determines the width of the plot: leaves the rest of the page free. */
static void leave_spare(view *v)
{
    double y_unit = (v->y.from - v->y.to) / (v->y.high - v->y.low);
    double wanted = fmax((v->x.high - v->x.low) * y_unit, 9 * v->em);
    if (v->has_marginals && v->chart->has_equal_units)
        v->spare = fmax(v->plot.right - v->plot.left - wanted, 0);
    if (v->spare > 0)
        plan_width(v);
}

/* The parts that a chart on a small page omits, in this order. */
enum { WITHOUT_SUBTITLE = 1, WITHOUT_LEGEND, WITHOUT_LABELS, WITHOUT_TITLE };

static type_style label_style(const view *v, double room)
{
    return (type_style){.size = number_size * v->em, .color = SOFT_INK, .room = room};
}

/* Whether the y label fits above the numbers, to the left of a marginal histogram. */
static bool is_short_label(const view *v)
{
    type_style s = label_style(v, 0);
    return strips_height(v) > 0 && text_measure(v->c, &s, v->chart->y.label).width < 2.2 * v->em;
}

/* Whether a line above the plot has the y label at its left or the name of the color bar at its right. */
static bool has_label_line(const view *v)
{
    if (v->chart->y.label)
        return !is_short_label(v);
    return v->hist2d.series && v->hist2d.series->name && strips_height(v) == 0;
}

/* Computes top and bottom of the plot, and the parts above it. */
static void plan_height(view *v, int frugality)
{
    const lt_chart *c = v->chart;
    double top = v->outer.top, bottom = v->outer.bottom;
    v->title = frugality < WITHOUT_TITLE ? c->title : NULL;
    v->title_lines = frugality == 0 ? 2 : 1;
    v->subtitle = frugality < WITHOUT_SUBTITLE ? c->subtitle : NULL;
    v->has_labels = frugality < WITHOUT_LABELS;
    v->has_rows = !v->is_direct && !v->is_column && v->n_entries > 0 &&
                  frugality < WITHOUT_LEGEND && legend_rows_height(v) < 0.5 * (bottom - top);
    top += titles_height(v->c, v->title, v->subtitle, v->em, v->outer, v->title_lines);
    v->rows_top = top;
    if (v->has_rows)
        top += legend_rows_height(v) + 0.4 * v->em;
    v->label_top = top;
    if (v->has_labels && has_label_line(v))
        top += label_line * v->em;
    bottom -= number_line * v->em;
    if (v->has_labels && c->x.label)
        bottom -= label_line * v->em;
    v->plot.top = top + 0.6 * v->em; /* half of the highest number is above its line */
    v->plot.top += strips_height(v);
    v->plot.bottom = bottom;
}

static void plan_layout(view *v)
{
    for (int frugality = 0; frugality <= WITHOUT_TITLE; frugality++) {
        plan_height(v, frugality);
        if (v->plot.bottom - v->plot.top >= 4 * v->em)
            break;
    }
    v->spare = 0;
    fit_scales(v);
    plan_width(v);
    leave_spare(v);
    /* A wider range has other tick labels, maybe wider ones: repeats, which converges at once or nearly so. */
    for (int i = 0; i < 3 && v->chart->has_equal_units; i++) {
        equal_units(v);
        plan_width(v);
    }
    strips_place(v);
}

static void draw_y_label(const view *v)
{
    bool is_short = is_short_label(v);
    double width = v->outer.right - v->outer.left;
    type_style s = label_style(v, v->has_bar && !is_short ? 0.5 * width : width);
    text_draw(v->c, &s, v->chart->y.label, v->outer.left,
              is_short ? v->plot.top - 0.75 * v->em : v->label_top + v->em, ALIGN_LEFT);
}

static void draw_bar_name(const view *v)
{
    double width = v->outer.right - v->outer.left, right = v->outer.right - v->spare;
    type_style s = label_style(v, v->has_marginals ? right - v->above.right - 0.5 * v->em
                                                : 0.45 * width);
    text_draw(v->c, &s, v->hist2d.series->name, right,
              v->has_marginals ? v->plot.top - 0.75 * v->em : v->label_top + v->em, ALIGN_RIGHT);
}

static void draw_labels(const view *v)
{
    const lt_chart *c = v->chart;
    if (c->y.label)
        draw_y_label(v);
    if (v->has_bar)
        draw_bar_name(v);
    type_style s = label_style(v, v->plot.right - v->plot.left);
    if (c->x.label)
        text_draw(v->c, &s, c->x.label, (v->plot.left + v->plot.right) / 2,
                  v->outer.bottom - 0.2 * v->em, ALIGN_CENTER);
}

static int draw_all(view *v)
{
    const lt_chart *c = v->chart;
    draw_titles(v->c, v->title, v->subtitle, v->em, v->outer, v->title_lines);
    if (v->has_rows)
        legend_draw_rows(v, v->rows_top);
    if (v->has_labels)
        draw_labels(v);
    draw_grid(v);
    for (int i = 0; i < c->n_references; i++)
        if (has_position(v, &c->references[i]))
            draw_reference(v, &c->references[i]);
    LT_TRY(draw_marks(v));
    draw_marginals(v);
    draw_bar(v);
    if (c->has_normal)
        draw_normal_names(v);
    for (int i = 0; i < c->n_references; i++)
        if (v->has_labels && c->references[i].label && has_position(v, &c->references[i]))
            draw_reference_name(v, &c->references[i]);
    draw_y_numbers(v);
    if (c->x.names)
        draw_x_names(v);
    else
        draw_x_numbers(v);
    if (v->is_direct)
        legend_draw_direct(v);
    if (v->is_column)
        legend_draw_column(v);
    return LT_OK;
}

/* Computes the layout; call hist2d_clear(&v->hist2d) in any case. */
static int lay_out_chart(view *v)
{
    bool is_wide = v->outer.right - v->outer.left > 24 * v->em; /* for names beside the plot */
    LT_TRY(hist2d_count(&v->hist2d, v->chart));
    v->is_direct = v->chart->legend == LT_LEGEND_AUTO && v->n_entries > 0 && is_wide;
    plan_layout(v);
    if (v->is_direct && !legend_is_direct(v)) {
        v->is_direct = false;
        v->is_column = is_wide && legend_is_column(v);
        plan_layout(v);
    }
    return LT_OK;
}

int chart_draw(canvas *c, const lt_chart *chart, double em, box outer, bool with_names)
{
    view v = {.c = c, .chart = chart, .em = em, .outer = outer};
    if (with_names)
        legend_collect(&v);
    int status = lay_out_chart(&v);
    if (status == LT_OK)
        status = draw_all(&v);
    hist2d_clear(&v.hist2d);
    return status;
}

int chart_names(canvas *c, const lt_chart *chart, double em, box outer, view *v)
{
    *v = (view){.c = c, .chart = chart, .em = em, .outer = outer};
    legend_collect(v);
    int status = lay_out_chart(v);
    hist2d_clear(&v->hist2d);
    return status;
}
