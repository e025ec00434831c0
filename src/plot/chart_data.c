/* SPDX-License-Identifier: MIT */
/* The data of charts as comma-separated text: one table for all kinds of series, a line for each point. */
#include "plot/view.h"

#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Columns ---- */

typedef enum column {
    CHART, SERIES, X, Y, LOW, HIGH, LABEL, SMOOTH, XX, XY, YY, X_LOW, X_HIGH, Y_LOW, Y_HIGH, COUNT, COLUMNS
} column;

static const char *const column_names[COLUMNS] = {
    "chart", "series", "x",  "y",  "low",   "high",   "label", "smooth",
    "xx",    "xy",     "yy", "x_low", "x_high", "y_low", "y_high", "count"};

/* A table under construction: its columns, and the current line. */
typedef struct table {
    text out;
    bool has[COLUMNS];
    const char *strings[COLUMNS]; /* of the current line; NULL: the number instead, empty if NaN */
    double numbers[COLUMNS];
} table;

static void begin_row(table *t, const char *chart, const char *series)
{
    for (int k = 0; k < COLUMNS; k++) {
        t->strings[k] = NULL;
        t->numbers[k] = (double)NAN;
    }
    t->strings[CHART] = chart ? chart : "";
    t->strings[SERIES] = series ? series : "";
}

static void append_string(text *out, const char *string)
{
    if (!strpbrk(string, ",\"\r\n")) {
        text_append(out, string);
        return;
    }
    text_append(out, "\"");
    for (const char *c = string; *c; c++) {
        text_append(out, *c == '"' ? "\"" : "");
        text_append_bytes(out, c, 1);
    }
    text_append(out, "\"");
}

static void append_number(text *out, double value)
{
    if (isinf(value))
        text_append(out, value < 0 ? "-inf" : "inf");
    else if (!isnan(value))
        text_append_real(out, value);
}

static void end_row(table *t)
{
    bool is_first = true;
    for (int k = 0; k < COLUMNS; k++) {
        if (!t->has[k])
            continue;
        text_append(&t->out, is_first ? "" : ",");
        if (t->strings[k])
            append_string(&t->out, t->strings[k]);
        else
            append_number(&t->out, t->numbers[k]);
        is_first = false;
    }
    text_append(&t->out, "\n");
}

static void put_head(table *t)
{
    begin_row(t, NULL, NULL);
    for (int k = 0; k < COLUMNS; k++)
        t->strings[k] = column_names[k];
    end_row(t);
}

/* ---- Choice of columns ---- */

static void note_series(table *t, const lt_series *s)
{
    static const column bins[] = {X_LOW, X_HIGH, Y_LOW, Y_HIGH, COUNT};
    t->has[Y] |= s->kind != LT_BAND;
    t->has[LOW] |= s->low != NULL;
    t->has[HIGH] |= s->high != NULL;
    t->has[LABEL] |= s->labels != NULL;
    t->has[SMOOTH] |= s->smooth > 0;
    for (int k = XX; k <= YY && s->kind == LT_ELLIPSES; k++)
        t->has[k] = true;
    for (int k = 0; k < COUNT_OF(bins) && s->kind == LT_HIST2D; k++)
        t->has[bins[k]] = true;
}

static void note_columns(table *t, const lt_chart_page *f)
{
    t->has[CHART] = t->has[SERIES] = t->has[X] = true;
    for (int i = 0; i < f->n_charts; i++) {
        for (int k = 0; k < f->charts[i].n_series; k++)
            note_series(t, &f->charts[i].series[k]);
        t->has[Y] |= f->charts[i].n_references > 0;
    }
}

/* ---- Lines ---- */

static const char *name_of(const lt_series *s) { return s->data_name ? s->data_name : s->name; }

/* Writes each bin, row by row from the smallest y; also empty ones. */
static int put_bins(table *t, const lt_chart *chart, const lt_series *s)
{
    hist2d h;
    int status = hist2d_count(&h, chart);
    for (int i = 0; i < h.bins * h.bins && status == LT_OK; i++) {
        double dx = (h.x_high - h.x_low) / h.bins, dy = (h.y_high - h.y_low) / h.bins;
        int row = i / h.bins, at = i % h.bins;
        begin_row(t, chart->title, name_of(s));
        t->numbers[X_LOW] = h.x_low + at * dx;
        t->numbers[X_HIGH] = h.x_low + (at + 1) * dx;
        t->numbers[Y_LOW] = h.y_low + row * dy;
        t->numbers[Y_HIGH] = h.y_low + (row + 1) * dy;
        t->numbers[X] = h.x_low + (at + 0.5) * dx;
        t->numbers[Y] = h.y_low + (row + 0.5) * dy;
        t->numbers[COUNT] = h.count[i];
        end_row(t);
    }
    hist2d_clear(&h);
    return status;
}

static void put_point(table *t, const lt_series *s, int i, const double *smooth)
{
    char label[16];
    t->numbers[X] = series_x(s, i);
    t->numbers[Y] = s->y ? s->y[i] : (double)NAN;
    t->numbers[LOW] = s->low ? s->low[i] : (double)NAN;
    t->numbers[HIGH] = s->high ? s->high[i] : (double)NAN;
    t->numbers[SMOOTH] = smooth ? smooth[i] : (double)NAN;
    if (s->labels) {
        snprintf(label, sizeof label, "%d", (int)s->labels[i]);
        bool has_name = s->label_names && s->labels[i] >= 0 && s->labels[i] < s->n_labels;
        t->strings[LABEL] = has_name ? s->label_names[s->labels[i]] : label;
    }
    if (s->kind == LT_ELLIPSES) {
        t->numbers[XX] = s->xx[i];
        t->numbers[XY] = s->xy[i];
        t->numbers[YY] = s->yy[i];
    }
    end_row(t);
}

static bool is_gap(const lt_series *s, int i)
{
    if (isnan(series_x(s, i)))
        return true;
    return s->kind == LT_BAND ? isnan(s->low[i]) || isnan(s->high[i]) : isnan(s->y[i]);
}

static void put_points(table *t, const lt_chart *chart, const lt_series *s)
{
    view v = {.chart = chart};
    double *smooth = NULL;
    if (s->smooth > 0) {
        smooth = must_alloc(sizeof *smooth * ((size_t)s->n + 1));
        series_smooth(&v, s, smooth);
    }
    for (int i = 0; i < s->n; i++)
        if (!is_gap(s, i)) {
            begin_row(t, chart->title, name_of(s));
            put_point(t, s, i, smooth);
        }
    free(smooth);
}

static int put_chart(table *t, const lt_chart *chart)
{
    for (int k = 0; k < chart->n_series; k++) {
        const lt_series *s = &chart->series[k];
        if (s->kind == LT_HIST2D)
            LT_TRY(put_bins(t, chart, s));
        else
            put_points(t, chart, s);
    }
    for (int k = 0; k < chart->n_references; k++) {
        const lt_reference *r = &chart->references[k];
        begin_row(t, chart->title, r->label);
        t->numbers[r->is_vertical ? X : Y] = r->value;
        end_row(t);
    }
    return LT_OK;
}

char *lt_chart_page_csv(const lt_chart_page *f)
{
    table t = {.out = {0}};
    if (chart_page_check(f) != LT_OK)
        return NULL;
    note_columns(&t, f);
    put_head(&t);
    int status = LT_OK;
    for (int i = 0; i < f->n_charts && status == LT_OK; i++)
        status = put_chart(&t, &f->charts[i]);
    if (status == LT_OK)
        return text_take(&t.out);
    text_clear(&t.out);
    return NULL;
}
