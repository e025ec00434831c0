/* SPDX-License-Identifier: MIT */
/* One chart on its part of a page: the layout shared by frame, legend and marks. */
#ifndef LATENT_VIEW_H
#define LATENT_VIEW_H

#include "plot/canvas.h"
#include "plot/scale.h"

/* Grays of text and lines */
enum {
    INK = 0x1f2328,      /* titles */
    SOFT_INK = 0x59636e, /* other text */
    RULE = 0x8c959f,     /* the line at zero, references */
    GRID = 0xe4e7eb,
};

enum { MAX_ENTRIES = 64 };

/* Counts of points in bins x bins, row by row from the smallest y. */
typedef struct hist2d {
    const lt_series *series; /* NULL: the chart has none */
    int bins, n, most;       /* counted points; count of the fullest bin */
    int *count;
    int *x_count, *y_count;  /* of each x bin over all y, of each y bin over all x */
    double x_low, x_high, y_low, y_high;
} hist2d;

/* One line of the legend: a name and how its series looks. */
typedef struct entry {
    const char *name;
    char number[16]; /* the name of an unnamed label */
    rgb color;
    const lt_series *series;
    bool is_label;   /* of one label of the series, not of all of it */
    double y, wanted; /* beside the end of a line: position of the name, position of the end */
} entry;

typedef struct view {
    canvas *c;
    const lt_chart *chart;
    double em;  /* size of the text, in units; all distances are multiples of it */
    box outer, plot;
    scale x, y;
    ticks x_ticks, y_ticks;
    entry entries[MAX_ENTRIES];
    int n_entries;
    bool is_direct;             /* names are beside the ends of their lines */
    bool is_column;             /* names are in a column at the right side */
    bool has_rows, has_labels;  /* names in rows above; labels of the axes */
    const char *title, *subtitle;
    int title_lines;            /* at most */
    double rows_top, label_top; /* where they begin */
    hist2d hist2d;
    bool has_bar, has_marginals; /* color bar, histograms of x and y */
    box above, beside, bar;     /* histograms and bar */
    ticks bar_ticks;
    double spare;               /* left free at the right side */
} view;

/* ---- Colors (palette.c) ---- */

/* Returns the k-th color, from 0; colors repeat. */
rgb palette_color(int k);

/* Returns the color of the i-th series. */
rgb series_color(const lt_chart *chart, int i);

/* Returns the color of label k of n; the fewer labels, the more distinct the colors. */
rgb label_color(int k, int n);

/* Returns the color, darkened until text in it is readable on white. */
rgb readable(rgb color);

/* Returns the color of a bin: from light, t = 0, to dark, t = 1, in perceptually equal steps. */
rgb hist2d_color(double t);

/* ---- Values (series.c) ---- */

double series_x(const lt_series *s, int i);
bool series_has(const view *v, const lt_series *s, int i);

/* Computes the smoothed y of all s->n points. series_drawn_y returns the y at which point i is drawn: smoothed if the
   series is. */
void series_smooth(const view *v, const lt_series *s, double *out);
double series_drawn_y(const view *v, const lt_series *s, int i);

/* Whether ellipse i is valid, and its extent from the center. */
bool ellipse_reach(const lt_series *s, int i, double *x, double *y);

/* Factors the covariance as L L', L = (a 0; b c); the points of the ellipse are x = a cos t, y = b cos t + c sin t.
   False if it is invalid. */
bool ellipse_root(const lt_series *s, int i, double *a, double *b, double *c);

/* ---- Marks (marks.c, scatter.c, ellipses.c) ---- */

int draw_marks(const view *v);
int draw_scatter(const view *v, const lt_series *s, rgb color);
void draw_ellipses(const view *v, const lt_series *s, rgb color);

/* Draw the circles of N(0, I) at 1, 2, 3 standard deviations, and their labels. */
void draw_normal(const view *v);
void draw_normal_names(const view *v);

/* ---- Bitmaps (bitmap.c) ---- */

/* Aligned with the pixels of the page, so that nothing is blurred; `zoom` pixels per unit. */
typedef struct bitmap {
    uint32_t *pixels; /* of cairo: alpha, red, green, blue, premultiplied */
    int width, height;
    double left, top, zoom; /* units */
} bitmap;

/* Allocates transparent pixels for a box and `rim` units around it. Raster pages use their scale instead of
   `zoom`. */
int bitmap_begin(bitmap *b, const canvas *c, box area, double rim, double zoom);

/* Paints the bitmap and frees it. */
void bitmap_paint(bitmap *b, const canvas *c);

/* ---- 2-D histograms (hist2d.c), their marginals and color bar (marginals.c) ---- */

/* Counts the points of the chart's LT_HIST2D series, if it has one; freed by hist2d_clear. */
int hist2d_count(hist2d *h, const lt_chart *chart);
void hist2d_clear(hist2d *h);
int draw_hist2d(const view *v);

/* Compute the space for histograms and color bar above and to the right of a plot, in units. */
double strips_height(const view *v);
double strips_width(view *v);
void strips_place(view *v); /* call when v->plot is set */
void draw_marginals(const view *v);
void draw_bar(const view *v);

/* ---- Names (legend.c) ---- */

void legend_collect(view *v);

/* Whether all names fit beside the ends of their lines, with v->y and the plot's sides given. */
bool legend_is_direct(view *v);
bool legend_is_column(const view *v); /* the chart has a scatter, and names fit */
double legend_direct_width(const view *v);
double legend_column_width(const view *v);
double legend_rows_height(const view *v); /* of the legend above the chart */
void legend_draw_rows(const view *v, double top);
void legend_draw_direct(view *v);
void legend_draw_column(const view *v);

/* Whether two legends look the same. */
bool legend_is_same(const view *a, const view *b);

/* ---- The whole chart (chart.c) ---- */

int chart_check(const lt_chart *chart);
int chart_draw(canvas *c, const lt_chart *chart, double em, box outer, bool with_names);

/* Computes the legend of a chart and its position in `outer`, without drawing it. */
int chart_names(canvas *c, const lt_chart *chart, double em, box outer, view *v);

/* Returns the width of title and subtitle on one line each. Nullable: title, subtitle. */
double titles_width(canvas *c, const char *title, const char *subtitle, double em);

/* Title, of at most `lines` lines, and subtitle at the top of a box. Nullable: title, subtitle. */
double titles_height(canvas *c, const char *title, const char *subtitle, double em, box b,
                     int lines);
void draw_titles(canvas *c, const char *title, const char *subtitle, double em, box b, int lines);

/* ---- Pages (chart_page.c) ---- */

/* LT_VALUE if one of the charts has nothing to draw, or contradicting options. */
int chart_page_check(const lt_chart_page *page);

/* Draws the chart on a begun page, which tests inspect afterwards. */
int chart_page_draw(canvas *c, const lt_chart_page *page);

/* Returns the page_kind of the extension; -1 after a message. */
int page_kind_of(const char *path);

/* Encodes the raster in the format of the extension, or moves the bytes of a vector format out of c->file. */
int page_encode(const char *path, canvas *c, const lt_image *raster, text *file);

/* Encode in the format of the extension, which must be valid; messages do not contain `path`. */
int chart_page_encode(const char *path, const lt_chart_page *page, const lt_render_options *options, text *file);
int grid_encode(const char *path, const lt_grid *grid, text *file);

/* ---- Grids of images (grid.c) ---- */

/* Draws the grid; the caller clears the page in any case. out: as in canvas_finish. */
int grid_draw(canvas *c, page_kind kind, const lt_grid *grid, lt_image *out);

#endif
