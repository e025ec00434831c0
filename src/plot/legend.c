/* SPDX-License-Identifier: MIT */
/* Names of series: beside the ends of their lines, or in rows above the chart. */
#include "plot/view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double row_height = 1.5, line_height = 1.3; /* in em */
static const double swatch = 1.5, swatch_gap = 0.45, entry_gap = 1.4;

static void collect_labels(view *v, const lt_series *s)
{
    for (int k = 0; k < s->n_labels && v->n_entries < MAX_ENTRIES; k++) {
        entry *e = &v->entries[v->n_entries++];
        *e = (entry){.color = label_color(k, s->n_labels), .series = s, .is_label = true};
        snprintf(e->number, sizeof e->number, "%d", k);
        e->name = s->label_names && s->label_names[k] ? s->label_names[k] : e->number;
    }
}

/* Whether a scatter names the labels: ellipses over it add no entries then. */
static bool has_scatter(const lt_chart *chart)
{
    for (int i = 0; i < chart->n_series; i++)
        if (chart->series[i].kind == LT_SCATTER && chart->series[i].labels)
            return true;
    return false;
}

static void collect_name(view *v, const char *name, rgb color, const lt_series *s)
{
    if (v->n_entries < MAX_ENTRIES)
        v->entries[v->n_entries++] = (entry){.name = name, .color = color, .series = s};
}

/* A band needs no entry if a named line has its color; the name of an LT_HIST2D series is at its color bar. */
void legend_collect(view *v)
{
    static const lt_series normal = {.kind = LT_LINES, .is_dashed = true};
    const lt_chart *chart = v->chart;
    bool is_covered = has_scatter(chart);
    if (chart->legend == LT_LEGEND_NONE)
        return;
    for (int i = 0; i < chart->n_series; i++) {
        const lt_series *s = &chart->series[i];
        if (s->labels && (s->kind == LT_SCATTER || (s->kind == LT_ELLIPSES && !is_covered)))
            collect_labels(v, s);
        if (s->name && s->kind != LT_HIST2D && !(s->kind == LT_SCATTER && s->labels))
            collect_name(v, s->name, s->labels ? SOFT_INK : series_color(chart, i), s);
    }
    if (chart->has_normal)
        collect_name(v, "N(0, 1)", INK, &normal);
}

bool legend_is_same(const view *a, const view *b)
{
    if (a->n_entries != b->n_entries)
        return false;
    for (int i = 0; i < a->n_entries; i++) {
        const entry *p = &a->entries[i], *q = &b->entries[i];
        if (strcmp(p->name, q->name) != 0 || p->color != q->color || p->is_label != q->is_label ||
            p->series->kind != q->series->kind || p->series->is_dashed != q->series->is_dashed)
            return false;
    }
    return true;
}

static type_style name_style(const view *v, const entry *e, double room)
{
    return (type_style){.size = 0.95 * v->em, .room = room, .cut_middle = true,
                        .color = e && v->is_direct ? readable(e->color) : SOFT_INK};
}

/* ---- Above ---- */

/* Returns the width of an entry in a row, with its swatch and the gap after it. */
static double entry_width(const view *v, const entry *e)
{
    double most = v->outer.right - v->outer.left - (swatch + swatch_gap) * v->em;
    type_style s = name_style(v, e, 0);
    return fmin(text_measure(v->c, &s, e->name).width, most) +
           (swatch + swatch_gap + entry_gap) * v->em;
}

/* Computes the row and the left end of each entry; returns the number of rows. Nullable: row, left. */
static int place_rows(const view *v, int *row, double *left)
{
    double x = v->outer.left, right = v->outer.right + entry_gap * v->em + 0.01;
    int rows = 1;
    for (int i = 0; i < v->n_entries; i++) {
        double width = entry_width(v, &v->entries[i]);
        if (x > v->outer.left && x + width > right) {
            x = v->outer.left;
            rows++;
        }
        if (row) {
            row[i] = rows - 1;
            left[i] = x;
        }
        x += width;
    }
    return rows;
}

double legend_rows_height(const view *v)
{
    return v->n_entries ? place_rows(v, NULL, NULL) * row_height * v->em : 0;
}

static void draw_oval(const view *v, double x, double y)
{
    cairo_t *cr = v->c->cr;
    cairo_save(cr);
    cairo_translate(cr, x + swatch / 2 * v->em, y);
    cairo_scale(cr, 1, 0.6);
    cairo_new_sub_path(cr);
    cairo_arc(cr, 0, 0, 0.6 * v->em, 0, 2 * M_PI);
    cairo_restore(cr);
    cairo_set_dash(cr, NULL, 0, 0);
    cairo_set_line_width(cr, 0.12 * v->em);
    cairo_stroke(cr);
}

static void draw_swatch(const view *v, const entry *e, double x, double y)
{
    cairo_t *cr = v->c->cr;
    double width = swatch * v->em, pen = 0.18 * v->em;
    lt_series_kind kind = e->is_label || e->series->kind == LT_SCATTER ? LT_POINTS : e->series->kind;
    bool is_dashed = e->series->is_dashed;
    const double dashes[2] = {2 * pen, 1.5 * pen};
    canvas_color(v->c, e->color, kind == LT_BAND ? 0.25 : 1);
    if (kind == LT_ELLIPSES && !e->is_label) {
        draw_oval(v, x, y);
        return;
    }
    if (kind == LT_BAND || kind == LT_BARS) {
        cairo_rectangle(cr, x + 0.3 * width, y - 0.4 * v->em, 0.7 * width, 0.8 * v->em);
        cairo_fill(cr);
        return;
    }
    if (kind != LT_POINTS) {
        cairo_set_line_width(cr, pen);
        cairo_set_line_cap(cr, CAIRO_LINE_CAP_BUTT);
        cairo_set_dash(cr, dashes, is_dashed ? 2 : 0, 0);
        cairo_move_to(cr, x, y);
        cairo_line_to(cr, x + width, y);
        cairo_stroke(cr);
    }
    if (kind == LT_POINTS || kind == LT_LINES_POINTS) {
        cairo_new_sub_path(cr);
        cairo_arc(cr, x + width / 2, y, 0.32 * v->em, 0, 2 * M_PI);
        cairo_fill(cr);
    }
}

void legend_draw_rows(const view *v, double top)
{
    int row[MAX_ENTRIES];
    double left[MAX_ENTRIES];
    place_rows(v, row, left);
    for (int i = 0; i < v->n_entries; i++) {
        double baseline = top + (row[i] + 0.72) * row_height * v->em;
        double text_left = left[i] + (swatch + swatch_gap) * v->em;
        type_style s = name_style(v, &v->entries[i], v->outer.right - text_left);
        draw_swatch(v, &v->entries[i], left[i], baseline - 0.35 * v->em);
        text_draw(v->c, &s, v->entries[i].name, text_left, baseline, ALIGN_LEFT);
    }
}

/* ---- Beside the ends ---- */

/* Finds where the line of an entry ends; false if that is not near the right side. */
static bool find_end(view *v, entry *e)
{
    const lt_series *s = e->series;
    int last = s->n - 1;
    if (s->kind != LT_LINES && s->kind != LT_STEPS && s->kind != LT_LINES_POINTS)
        return false;
    while (last >= 0 && !series_has(v, s, last))
        last--;
    if (last < 0)
        return false;
    double x = scale_at(&v->x, series_x(s, last)), left = v->x.from, right = v->x.to;
    double y = scale_at(&v->y, series_drawn_y(v, s, last));
    e->wanted = fmin(fmax(y, v->plot.top), v->plot.bottom);
    return x > right - 0.08 * (right - left) && x < right + 1;
}

static int by_wanted(const void *a, const void *b)
{
    const entry *p = a, *q = b;
    double d = p->wanted - q->wanted;
    return d < 0 ? -1 : d > 0 ? 1 : p->series < q->series ? -1 : 1;
}

bool legend_is_direct(view *v)
{
    double height = v->plot.bottom - v->plot.top;
    if (v->n_entries == 0 || v->n_entries * line_height * v->em > height)
        return false;
    for (int i = 0; i < v->n_entries; i++)
        if (!find_end(v, &v->entries[i]))
            return false;
    return true;
}

double legend_direct_width(const view *v)
{
    double most = 0, all = v->outer.right - v->outer.left;
    for (int i = 0; i < v->n_entries; i++) {
        type_style s = name_style(v, &v->entries[i], 0);
        most = fmax(most, text_measure(v->c, &s, v->entries[i].name).width);
    }
    return fmin(most, 0.3 * all) + 0.1;
}

/* Moves names at least a line apart, as near to the ends of their lines as that allows: neighbors that are too close
   become a block, centered on the mean of their ends; blocks that touch are merged. */
static void spread(view *v)
{
    double height = line_height * v->em, start[MAX_ENTRIES]; /* of each block: its first middle */
    int first[MAX_ENTRIES], n = 0;
    qsort(v->entries, (size_t)v->n_entries, sizeof *v->entries, by_wanted);
    for (int i = 0; i < v->n_entries; i++) {
        first[n++] = i;
        for (;;) {
            int from = first[n - 1], count = i + 1 - from;
            double sum = 0;
            for (int k = from; k <= i; k++)
                sum += v->entries[k].wanted - (k - from) * height;
            double low = v->plot.top, high = v->plot.bottom - (count - 1) * height;
            start[n - 1] = fmax(fmin(sum / count, high), low);
            if (n < 2 || start[n - 1] >= start[n - 2] + (from - first[n - 2]) * height)
                break;
            n--;
        }
    }
    for (int b = 0; b < n; b++)
        for (int k = first[b]; k < (b + 1 < n ? first[b + 1] : v->n_entries); k++)
            v->entries[k].y = start[b] + (k - first[b]) * height;
}

void legend_draw_direct(view *v)
{
    cairo_t *cr = v->c->cr;
    double left = v->plot.right + 0.9 * v->em;
    legend_is_direct(v); /* the ends, by the final scales */
    spread(v);
    for (int i = 0; i < v->n_entries; i++) {
        entry *e = &v->entries[i];
        type_style s = name_style(v, e, v->outer.right - left);
        if (fabs(e->y - e->wanted) > 0.5 * v->em) { /* far from its line: connects them */
            canvas_color(v->c, e->color, 0.6);
            cairo_set_dash(cr, NULL, 0, 0);
            cairo_set_line_width(cr, 0.07 * v->em);
            cairo_move_to(cr, v->plot.right + 0.15 * v->em, e->wanted);
            cairo_line_to(cr, left - 0.15 * v->em, e->y);
            cairo_stroke(cr);
        }
        text_draw(v->c, &s, e->name, left, e->y + 0.34 * v->em, ALIGN_LEFT);
    }
}

/* ---- A column at the right side ---- */

bool legend_is_column(const view *v)
{
    bool is_map = false;
    for (int i = 0; i < v->n_entries; i++)
        is_map |= v->entries[i].series->kind == LT_SCATTER || v->entries[i].is_label;
    return is_map && v->n_entries * line_height * v->em <= v->plot.bottom - v->plot.top;
}

double legend_column_width(const view *v)
{
    return legend_direct_width(v) + (swatch + swatch_gap) * v->em;
}

void legend_draw_column(const view *v)
{
    double left = v->plot.right + 0.6 * v->em, text_left = left + (swatch + swatch_gap) * v->em;
    for (int i = 0; i < v->n_entries; i++) {
        const entry *e = &v->entries[i];
        double y = v->plot.top + (i + 0.5) * line_height * v->em;
        type_style s = name_style(v, e, v->outer.right - text_left);
        draw_swatch(v, e, left, y);
        text_draw(v->c, &s, e->name, text_left, y + 0.34 * v->em, ALIGN_LEFT);
    }
}
