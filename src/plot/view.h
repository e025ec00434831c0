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
    int bins, n, most;       /* number of counted points; maximal count of a bin */
    int *count;
    int *x_count, *y_count;  /* bins: of all y, of all x */
    double x_low, x_high, y_low, y_high;
} hist2d;

/* One line of the legend: a name and how its series looks. */
typedef struct entry {
    const char *name;
    char number[16]; /* the name of an unnamed label */
    rgb color;
    const lt_series *series;
    bool is_label;   /* of its points, one of several */
    double y, wanted; /* beside the end of a line: where it is written, where the line ends */
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
    bool is_direct;             /* names stand beside the ends of their lines */
    bool is_column;             /* names stand in a column at the right side */
    bool has_rows, has_labels;  /* names in rows above; labels of the axes */
    const char *title, *subtitle;
    int title_lines;            /* at most */
    double rows_top, label_top; /* where they begin */
    hist2d hist2d;
    bool has_bar, has_marginals; /* the bar of its colors, the histograms of its x and y */
    box above, beside, bar;     /* histograms and bar */
    ticks bar_ticks;
    double spare;               /* left free at the right side */
} view;

/* ---- Colors (palette.c) ---- */

/* Returns the k-th color, from 0; colors repeat. */
rgb palette_color(int k);

/* Of the i-th series. */
rgb series_color(const lt_chart *chart, int i);

/* Of label k of n: colors as far apart as there are. */
rgb label_color(int k, int n);

/* Dark enough to be read on white. */
rgb readable(rgb color);

/* From light, t = 0, to dark, t = 1, in equal steps for the eye. */
rgb hist2d_color(double t);

/* ---- Values (series.c) ---- */

double series_x(const lt_series *s, int i);
bool series_has(const view *v, const lt_series *s, int i);

/* The smoothed curve at all places, n of them; and at one place the curve that is seen, which is
   smoothed if it is. */
void series_smooth(const view *v, const lt_series *s, double *out);
double series_drawn_y(const view *v, const lt_series *s, int i);

/* Whether ellipse i is valid, and its extent from the center. */
bool ellipse_reach(const lt_series *s, int i, double *x, double *y);

/* Its points are x = a cos t, y = b cos t + c sin t: the covariance is L L', L = (a 0; b c). */
bool ellipse_root(const lt_series *s, int i, double *a, double *b, double *c);

/* ---- Marks (marks.c, cloud.c, ellipses.c) ---- */

int draw_marks(const view *v);
int draw_scatter(const view *v, const lt_series *s, rgb color);
void draw_ellipses(const view *v, const lt_series *s, rgb color);

/* N(0, I) at 1, 2, 3 standard deviations, and their labels. */
void draw_normal(const view *v);
void draw_normal_names(const view *v);

/* ---- Bitmaps (bitmap.c) ---- */

/* On whole pixels of the page, so that nothing is blurred: `zoom` of them are a unit. */
typedef struct bitmap {
    uint32_t *pixels; /* cairo's: alpha, red, green, blue, the colors times alpha */
    int width, height;
    double left, top, zoom; /* units */
} bitmap;

/* Transparent pixels for a box and `rim` units around it; `zoom` counts in vector formats. */
int bitmap_begin(bitmap *b, const canvas *c, box place, double rim, double zoom);

/* Paints the bitmap and frees it. */
void bitmap_paint(bitmap *b, const canvas *c);

/* ---- Heat (heat.c) and what stands beside it (strips.c) ---- */

/* Counts the points of the chart's heat, if it has one; freed by heat_clear. */
int hist2d_count(hist2d *h, const lt_chart *chart);
void hist2d_clear(hist2d *h);
int draw_hist2d(const view *v);

/* Computes the space for histograms and color bar above and at the right of a plot, in units. */
double strips_height(const view *v);
double strips_width(view *v);
void strips_place(view *v); /* after the plot is placed */
void draw_marginals(const view *v);
void draw_bar(const view *v);

/* ---- Names (legend.c) ---- */

void legend_collect(view *v);

/* Whether all names fit beside the ends of their lines, with v->y and the plot's sides given. */
bool legend_is_direct(view *v);
bool legend_is_column(const view *v); /* there is a scatter, and names fit */
double legend_direct_width(const view *v);
double legend_column_width(const view *v);
double legend_rows_height(const view *v); /* of the legend above the chart */
void legend_draw_rows(const view *v, double top);
void legend_draw_direct(view *v);
void legend_draw_column(const view *v);

/* Whether two charts have the same names with the same looks. */
bool legend_is_same(const view *a, const view *b);

/* ---- The whole chart (chart.c) ---- */

int chart_check(const lt_chart *chart);
int chart_draw(canvas *c, const lt_chart *chart, double em, box outer, bool with_names);

/* The names of the chart, and their position if the legend is drawn there. */
int chart_names(canvas *c, const lt_chart *chart, double em, box outer, view *v);

/* What both need if neither takes a second line. Nullable: title, subtitle. */
double titles_width(canvas *c, const char *title, const char *subtitle, double em);

/* Title, of so many lines at most, and subtitle at the top of a box. Nullable: title, subtitle. */
double titles_height(canvas *c, const char *title, const char *subtitle, double em, box b,
                     int lines);
void draw_titles(canvas *c, const char *title, const char *subtitle, double em, box b, int lines);

/* ---- Pages (chart_page.c) ---- */

/* LT_VALUE if there is nothing to draw in one of its charts, or for contradictions. */
int chart_page_check(const lt_chart_page *page);

/* Draws the chart on a begun page, which tests inspect afterwards. */
int chart_page_draw(canvas *c, const lt_chart_page *page);

/* A page_kind by the end of the name; -1 after a message. */
int page_kind_of(const char *path);

/* Encodes what was drawn: the raster, by the end of `path`, or takes the bytes in c->file. */
int page_encode(const char *path, canvas *c, const lt_image *raster, text *file);

/* Encode by the end of `path`, which is one of their formats; messages do not name it. */
int chart_page_encode(const char *path, const lt_chart_page *page, const lt_render_options *options, text *file);
int grid_encode(const char *path, const lt_grid *grid, text *file);

/* ---- Grids of images (grid.c) ---- */

/* Draws all of it; the caller clears the page in any case. out: as in canvas_finish. */
int grid_draw(canvas *c, page_kind kind, const lt_grid *grid, lt_image *out);

#endif
