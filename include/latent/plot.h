/* SPDX-License-Identifier: MIT */
/* plot.h: figures: grids of images, and charts, written as PNG, JPEG, WebP, SVG or PDF.
 * The caller owns rasters and clears them with lt_image_clear. Charts own nothing.
 *
 *     lt_series loss = {.name = "training", .n = 3, .y = (double[]){120, 104, 101}};
 *     lt_chart chart = {.title = "Loss", .y.label = "nats", .series = &loss, .n_series = 1};
 *     lt_chart_write("loss.svg", &chart, NULL);
 */
#ifndef LATENT_PLOT_H
#define LATENT_PLOT_H

#include <latent/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A raster of 8 bits per channel: height x width x channels, row by row from the top, without
   padding. One channel is gray, three are red, green, blue (sRGB). */
typedef struct lt_image {
    int width, height, channels;
    unsigned char *pixels;
} lt_image;

/* How lt_image_grid lays out its tiles. */
typedef struct lt_image_grid_options {
    int columns;                 /* default 0: about as many as rows */
    int zoom;                    /* pixels per image pixel; default 0: tiles of about 84 pixels */
    int gap;                     /* pixels between tiles and around them; default 0: none */
    unsigned char background[3]; /* of gaps and empty cells: red, green, blue; default black */
} lt_image_grid_options;

/* Lays out `n` images, n x h x w x c floats with c = 1 or 3, as tiles in rows from the top left.
   0 is black and 1 is white; values outside are clamped, and NaN is magenta (255, 0, 255).
   The result is gray if all of it is gray (c = 1, no NaN, gray background), otherwise RGB; the
   caller clears it with lt_image_clear. LT_VALUE for invalid sizes, and for more than 65535 pixels per side
   or 1 GiB; LT_NO_MEMORY; `out` is then empty. Nullable: options (defaults). */
LT_API int lt_image_grid(const float *images, int n, int h, int w, int c, const lt_image_grid_options *options,
                         lt_image *out);

/* Writes an image atomically in the format of its extension, .png and .webp (both lossless) or .jpg (.jpeg);
   replaces an existing file. LT_VALUE if the raster is empty, has neither 1 nor 3
   channels, or more than 16383 (WebP) or 65500 (JPEG) pixels per side; LT_IO, LT_NOT_FOUND,
   LT_NO_MEMORY. */
LT_API int lt_image_write(const char *path, const lt_image *image);

/* Encodes an image in memory; `format`: "png", or a file name, "grid.png". The caller frees *bytes with free(); NULL
   after an error. Errors as lt_image_write. */
LT_API int lt_image_encode(const lt_image *image, const char *format, unsigned char **bytes, size_t *n);

/* Checks the extension before the work: LT_VALUE if it is none of those. */
LT_API int lt_image_check_name(const char *path);

/* Reads a PNG, JPEG, WebP, PBM, PGM or PPM, recognized by its first bytes, as 8 bits of gray or RGB;
   composes transparent pixels over white. LT_NOT_FOUND, LT_IO, LT_FORMAT if it is damaged, LT_UNSUPPORTED,
   LT_NO_MEMORY; `out` is then empty. The caller clears it with lt_image_clear. */
LT_API int lt_image_read(const char *path, lt_image *out);

/* Frees the pixels and leaves the raster empty. Nullable: image. */
LT_API void lt_image_clear(lt_image *image);

/* ---- Grids with captions ---- */

/* Images, row by row, and their captions. Arrays are borrowed; zero is the default. */
typedef struct lt_grid {
    const char *title, *subtitle;    /* Nullable */
    const float *images;             /* n x h x w x c, as in lt_image_grid */
    int n, h, w, c;
    lt_image_grid_options layout;    /* of the tiles; pixels are those of a raster, half a unit */
    const char *const *row_names;    /* left of each row. Nullable, and each of them */
    const char *const *column_names; /* above each column. Nullable, and each of them */
    const char *widest_subtitle;     /* of a series of pages, so that all have one size; default: `subtitle` */
    int rows_in_group;               /* a wider gap follows this many rows; default 0: equal gaps */
} lt_grid;

/* Checks the extension before the work: LT_VALUE if it is not one of a grid's formats. */
LT_API int lt_grid_check_name(const char *path);

/* Writes a grid atomically in the format of its extension: those of lt_image_write, .svg or .pdf;
   replaces an existing file. The page is as large as tiles and captions need; tiles are bitmaps without
   smoothing in every format; without text the page has only the tiles. LT_VALUE as for
   lt_image_grid, and for more than 32767 pixels per side if there is text; LT_NOT_FOUND also if no
   font is installed; LT_IO, LT_NO_MEMORY. */
LT_API int lt_grid_write(const char *path, const lt_grid *grid);

/* Encodes a grid in memory, as lt_image_encode. */
LT_API int lt_grid_encode(const lt_grid *grid, const char *format, unsigned char **bytes, size_t *n);

/* Renders a grid into a raster, which the caller clears; it is empty after an error. */
LT_API int lt_grid_render(const lt_grid *grid, lt_image *out);

/* ---- One file for each image ----
   A numbered name such as "img-%04d.png" stands for one file per image: img-0000.png, img-0001.png, ... It has one
   %d in the name of the file, optionally with a width and a leading zero, and %% for a percent sign. It is never
   passed to printf. */

/* Whether a name has a percent sign, and so stands for one file per image. */
LT_API bool lt_is_numbered(const char *path);

/* Checks a numbered name before the work: LT_VALUE for a percent sign that is neither %d nor %%, if there is not
   exactly one %d, if it is in the name of a directory, and for an extension that is neither an image's nor .npy. */
LT_API int lt_numbered_check_name(const char *path);

/* Returns the name of file i, which the caller frees; NULL (LT_VALUE) as above and for i < 0. */
LT_API char *lt_numbered_name(const char *path, int64_t i);

/* Writes images, n x h x w x c as in lt_image_grid, each into its own file, with `zoom` pixels per image
   pixel (default 0: 1); .npy: h x w x c floats. Replaces existing files, each atomically. Errors as
   lt_numbered_check_name and lt_grid_write; files written before an error stay. */
LT_API int lt_numbered_write(const char *path, const float *images, int n, int h, int w, int c, int zoom);

/* ---- Charts: plain descriptions; zero is the default everywhere ----
   Equal charts give equal bytes, in every format, on every run of one machine. Text is UTF-8, and is shortened
   if it does not fit on the page. Values that are not finite, exceed 1e100, or are not positive on a logarithmic
   axis are gaps. */

typedef enum lt_series_kind {
    LT_LINES,        /* a line through (x, y), interrupted by gaps */
    LT_POINTS,       /* a disc at each point */
    LT_LINES_POINTS, /* both */
    LT_STEPS,        /* a line that keeps y from each x to the next */
    LT_BAND,         /* the area between low and high */
    LT_BARS,         /* a bar from 0 to y at each x */
    LT_SCATTER,      /* many points, colored by label, in an order in which no label hides
                        another; one bitmap in every format */
    LT_HIST2D,       /* the number of points in each bin, darker for more, with a color bar;
                        at most one in a chart, on linear axes; one bitmap */
    LT_ELLIPSES,     /* around each point the ellipse of its covariance, colored by label; on
                        linear axes */
    LT_SERIES_KINDS
} lt_series_kind;

/* One series of a chart, with one name and one color. Arrays have n values and are borrowed. */
typedef struct lt_series {
    const char *name; /* beside it or in the legend. Nullable: none */
    const char *data_name; /* in csv, which has no colors. Nullable: name */
    lt_series_kind kind;
    int n;
    const double *x;          /* Nullable: 0, 1, 2, ... */
    const double *y;          /* Nullable in a band */
    const double *low, *high; /* of a band; elsewhere ends of error bars. Nullable, both or none */
    const int32_t *labels;          /* of scatter points and ellipses, from 0; of other kinds only written to csv.
                                       Nullable */
    const char *const *label_names; /* n_labels of them. Nullable: the numbers */
    int n_labels;                   /* at most 256 */
    int color;      /* 1, 2, ...: of the palette; default 0: the next unused one; -1: gray */
    bool is_dashed;  /* lines */
    double smooth;   /* lines: standard deviation, in points, of the Gaussian mean that is drawn over
                        the faint raw values; default 0: only raw values */
    int bins;        /* LT_HIST2D: bins in each direction, from the smallest value to the largest, which
                        belongs to the last bin; up to 1000; default 0: 50 */
    const double *xx, *xy, *yy; /* ellipses: variances xx, yy and covariance xy. An invalid
                                   covariance matrix, xx yy < xy^2, is a gap */
    double sigmas;   /* ellipses: length of a semi-axis in standard deviations; default 0: 1, which
                        contains 39 % of a normal distribution */
} lt_series;

/* A reference value: a dashed line across the chart. */
typedef struct lt_reference {
    double value;
    bool is_vertical;  /* at x = value; default: at y = value */
    const char *label; /* Nullable */
} lt_reference;

typedef struct lt_axis {
    const char *label; /* quantity and unit. Nullable */
    bool is_log;
    bool is_whole;     /* counts: no ticks between whole numbers */
    double min, max;   /* default, both 0: the range of the data, extended to 0 if that widens it little */
    const char *const *names; /* tick labels at 0, 1, ..., n_names - 1, instead of numbers */
    int n_names;
} lt_axis;

typedef enum lt_legend {
    LT_LEGEND_AUTO,  /* beside the ends of lines if they end at the right side, beside scatters, else
                        above */
    LT_LEGEND_ABOVE, /* between title and chart */
    LT_LEGEND_NONE,
    LT_LEGENDS
} lt_legend;

typedef struct lt_chart {
    const char *title, *subtitle; /* Nullable */
    lt_axis x, y;
    const lt_series *series;
    int n_series;
    const lt_reference *references;
    int n_references;
    lt_legend legend;
    bool has_equal_units; /* one unit of x is as long as one of y; axes without min and max */
    bool has_marginals;   /* histograms of x and y of the LT_HIST2D series, above and beside the chart, in its bins */
    bool has_normal;      /* N(0, I) as a reference: dashed at 1, 2, 3 standard deviations, and its
                             density over the marginals; on linear axes */
} lt_chart;

/* Charts side by side under one title. */
typedef struct lt_chart_page {
    const char *title, *subtitle; /* Nullable */
    const lt_chart *charts;
    int n_charts;
    int columns;  /* default 0: 1, 2 or 3, by their number */
    double shape; /* width over height of each chart if options give neither; default 0: see lt_render_options */
} lt_chart_page;

typedef struct lt_render_options {
    double width, height; /* in units, 1/72 inch in a PDF, from 100 x 70 to 8000 x 8000; default 0:
                             640 x 400 for one chart, about 400 x 260 for each of several */
    double scale;         /* pixels per unit in a raster, up to 16; default 0: 2 */
    double text;          /* font size (em) in units, from 4 to 100; default 0: 12 at 640 x 400, growing
                             with the square root of the page's sides */
} lt_render_options;

/* Returns the data of the charts as comma-separated text: a line of names, then a line for each point; gaps are
   omitted. Columns are chart, series (data_name), x, y, and those of low, high, label, xx, xy, yy, smooth (the
   curve drawn over y) that a series has. Each bin has a line with its center as x and y, x_low, x_high, y_low,
   y_high and count; each reference one with x or y. Texts with commas are quoted (RFC 4180). NULL for the errors
   of lt_chart_page_write. The caller frees it. */
LT_API char *lt_chart_page_csv(const lt_chart_page *page);

/* Checks the extension before the work: LT_VALUE if it is not one of a chart's formats: those of a grid, or .csv. */
LT_API int lt_chart_check_name(const char *path);

/* Writes a chart atomically in the format of its extension: those of lt_image_write, .svg or .pdf; or .csv, the
   text of lt_chart_page_csv; replaces an existing file. LT_VALUE if there is nothing to draw, or for
   contradictions (a band without bounds); LT_NOT_FOUND also if no font is installed; LT_IO, LT_NO_MEMORY.
   Nullable: options. */
LT_API int lt_chart_write(const char *path, const lt_chart *chart,
                          const lt_render_options *options);
LT_API int lt_chart_page_write(const char *path, const lt_chart_page *page, const lt_render_options *options);

/* Encodes a page of charts in memory, as lt_image_encode. Nullable: options. */
LT_API int lt_chart_page_encode(const lt_chart_page *page, const char *format, const lt_render_options *options,
                                unsigned char **bytes, size_t *n);

/* Renders a page into a raster, which the caller clears; it is empty after an error.
   Nullable: options. */
LT_API int lt_chart_page_render(const lt_chart_page *page, const lt_render_options *options, lt_image *out);

#ifdef __cplusplus
}
#endif
#endif
