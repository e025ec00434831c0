/* SPDX-License-Identifier: MIT */
/* Pages of one chart or several, and their files. */
#include "plot/view.h"

#include "base/status.h"
#include "image/raster.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CHARTS = 100 };

static const double chart_width = 640, chart_height = 400; /* of a single chart */
static const double panel_width = 400, panel_height = 260; /* of one of several charts */
static const double narrow_width = 140; /* least width of a column by default */
static const double min_width = 100, min_height = 70, max_side = 8000, max_scale = 16;
static const double min_text = 4, max_text = 100;

/* ---- Layout ---- */

/* Returns the requested number of columns, or a default by the number of charts, lowered on a narrow page that is high
   enough. width, height: 0 for any. */
static int count_columns(const lt_chart_page *f, double width, double height)
{
    int n = f->columns ? f->columns : f->n_charts < 4 ? f->n_charts : f->n_charts == 4 ? 2 : 3;
    int most = width > 0 && !f->columns ? (int)fmax(width / narrow_width, 1) : n;
    int rows = (f->n_charts + most - 1) / most;
    if (most < n && (height == 0 || height / rows >= min_height))
        n = most;
    return n < f->n_charts ? n : f->n_charts;
}

/* Text grows with the square root of the page's sides: larger pages show more, not only larger letters. */
static double choose_em(const canvas *c, double width, double height)
{
    if (c->em > 0)
        return c->em;
    double em = 12 * sqrt(fmin(width / chart_width, height / chart_height));
    return fmax(em, 8);
}

int chart_page_check(const lt_chart_page *f)
{
    if (f->n_charts < 1 || f->n_charts > MAX_CHARTS || f->columns < 0)
        return status_fail(LT_VALUE, "a figure of %d charts in %d columns: expected 1 to %d charts",
                           f->n_charts, f->columns, MAX_CHARTS);
    for (int i = 0; i < f->n_charts; i++)
        LT_TRY(chart_check(&f->charts[i]));
    return LT_OK;
}

/* Places charts in rows of `columns`, from `top` on. */
typedef struct layout {
    int columns;
    double left, top, width, height, gap;
} layout;

static layout lay_out_charts(const lt_chart_page *f, int columns, box page, double top, double gap)
{
    int rows = (f->n_charts + columns - 1) / columns;
    return (layout){columns, page.left, top,
                    (page.right - page.left - (columns - 1) * gap) / columns,
                    (page.bottom - top - (rows - 1) * gap) / rows, gap};
}

static box chart_box(const layout *l, int i)
{
    double left = l->left + i % l->columns * (l->width + l->gap);
    double top = l->top + i / l->columns * (l->height + l->gap);
    return (box){left, top, left + l->width, top + l->height};
}

/* Charts with equal legends share one, unless names are beside the ends of lines. */
static int share_names(canvas *c, const lt_chart_page *f, double em, const layout *l, view *names,
                       bool *is_shared)
{
    view other;
    *is_shared = false;
    if (f->n_charts < 2)
        return LT_OK;
    LT_TRY(chart_names(c, &f->charts[0], em, chart_box(l, 0), names));
    *is_shared = names->n_entries > 0 && !names->is_direct;
    for (int i = 1; i < f->n_charts && *is_shared; i++) {
        LT_TRY(chart_names(c, &f->charts[i], em, chart_box(l, i), &other));
        *is_shared = legend_is_same(names, &other) && !other.is_direct;
    }
    return LT_OK;
}

int chart_page_draw(canvas *c, const lt_chart_page *f)
{
    int columns = count_columns(f, c->width, c->height), rows = (f->n_charts + columns - 1) / columns;
    double em = choose_em(c, c->width / columns, c->height / rows), pad = 1.1 * em, gap = 2.2 * em;
    box page = {pad, pad, c->width - pad, c->height - pad};
    double top = page.top + titles_height(c, f->title, f->subtitle, 1.15 * em, page, 2);
    if (top > page.top && c->height - top < rows * 6 * em)
        top = page.top; /* titles and charts do not fit together */
    else
        draw_titles(c, f->title, f->subtitle, 1.15 * em, page, 2);
    if (top > page.top)
        top += 0.6 * em;
    layout l = lay_out_charts(f, columns, page, top, gap);
    if (l.width < 8 * em || l.height < 4 * em)
        return status_fail(LT_VALUE, "%d charts in %d column%s do not fit on %g x %g: expected at least %.0f x "
                           "%.0f", f->n_charts, columns, columns > 1 ? "s" : "", c->width, c->height,
                           fmax(c->width, c->width + columns * ceil(8 * em - l.width)),
                           fmax(c->height, c->height + rows * ceil(4 * em - l.height)));
    view names;
    bool is_shared;
    LT_TRY(share_names(c, f, em, &l, &names, &is_shared));
    if (is_shared) {
        names.outer = page;
        double legend_height = legend_rows_height(&names) + em;
        is_shared = legend_height < 0.2 * (page.bottom - top); /* else each chart draws its own if it fits */
        if (is_shared) {
            legend_draw_rows(&names, top);
            l = lay_out_charts(f, columns, page, top + legend_height, gap);
        }
    }
    for (int i = 0; i < f->n_charts; i++)
        LT_TRY(chart_draw(c, &f->charts[i], em, chart_box(&l, i), !is_shared));
    return LT_OK;
}

/* ---- Files ---- */

static int settle_options(const lt_render_options *given, const lt_chart_page *f,
                          lt_render_options *o)
{
    static const lt_render_options defaults = {0};
    *o = given ? *given : defaults;
    int columns = count_columns(f, o->width, o->height), rows = (f->n_charts + columns - 1) / columns;
    bool is_alone = f->n_charts == 1, has_shape = f->shape > 0 && o->width == 0;
    if (o->height == 0 && has_shape)
        o->height = fmin(rows * (is_alone ? chart_width : panel_width) / f->shape, max_side);
    if (o->width == 0)
        o->width = is_alone ? chart_width : fmin(columns * panel_width, max_side);
    if (o->height == 0)
        o->height = is_alone ? chart_height : fmin(rows * panel_height + 40, max_side);
    if (o->scale == 0)
        o->scale = 2;
    if (!(o->width >= min_width && o->width <= max_side && o->height >= min_height &&
          o->height <= max_side && o->scale > 0 && o->scale <= max_scale))
        return status_fail(LT_VALUE, "a picture of %g x %g at a scale of %g: expected %g x %g to "
                                     "%g x %g, a scale up to %g",
                           o->width, o->height, o->scale, min_width, min_height, max_side,
                           max_side, max_scale);
    if (o->text != 0 && !(o->text >= min_text && o->text <= max_text))
        return status_fail(LT_VALUE, "text of %g units: expected %g to %g", o->text, min_text, max_text);
    return LT_OK;
}

/* Draws a whole page; the caller clears it in any case. Nullable: out unless it is a raster. */
static int draw_page(canvas *c, page_kind kind, const lt_chart_page *f, const lt_render_options *given,
                     lt_image *out)
{
    lt_render_options o;
    LT_TRY(chart_page_check(f));
    LT_TRY(settle_options(given, f, &o));
    LT_TRY(canvas_begin(c, kind, o.width, o.height, o.scale));
    c->em = o.text;
    LT_TRY(chart_page_draw(c, f));
    return canvas_finish(c, out);
}

int lt_chart_page_render(const lt_chart_page *page, const lt_render_options *options, lt_image *out)
{
    canvas c = {0};
    *out = (lt_image){0};
    int status = draw_page(&c, PAGE_RASTER, page, options, out);
    canvas_clear(&c);
    return status;
}

int page_kind_of(const char *path)
{
    if (text_ends_in(path, ".svg"))
        return PAGE_SVG;
    if (text_ends_in(path, ".pdf"))
        return PAGE_PDF;
    const raster_format *f = raster_format_of(path);
    if (f && f->still)
        return PAGE_RASTER;
    status_fail(LT_VALUE, "%s: pictures are written as .png, .jpg, .webp, .svg or .pdf", path);
    return -1;
}

int lt_grid_check_name(const char *path)
{
    return page_kind_of(path) < 0 ? LT_VALUE : LT_OK;
}

int lt_chart_check_name(const char *path)
{
    if (text_ends_in(path, ".csv") || page_kind_of(path) >= 0)
        return LT_OK;
    status_append("; the numbers behind charts as .csv");
    return LT_VALUE;
}

int page_encode(const char *path, canvas *c, const lt_image *raster, text *file)
{
    if (c->is_raster || !c->cr)
        return image_encode(path, raster, file);
    *file = c->file;
    c->file = (text){0};
    return LT_OK;
}

static int encode_numbers(const lt_chart_page *page, text *file)
{
    char *csv = lt_chart_page_csv(page);
    if (!csv)
        return LT_VALUE;
    text_append(file, csv);
    free(csv);
    return LT_OK;
}

int chart_page_encode(const char *path, const lt_chart_page *page, const lt_render_options *options, text *file)
{
    canvas c = {0};
    lt_image raster = {0};
    if (text_ends_in(path, ".csv"))
        return encode_numbers(page, file);
    int status = draw_page(&c, (page_kind)page_kind_of(path), page, options, &raster);
    if (status == LT_OK)
        status = page_encode(path, &c, &raster, file);
    lt_image_clear(&raster);
    canvas_clear(&c);
    return status;
}

int lt_chart_page_encode(const lt_chart_page *page, const char *format, const lt_render_options *options,
                         unsigned char **data, size_t *n)
{
    text file = {0};
    char *name = encoded_name(format);
    int status = lt_chart_check_name(name);
    if (status == LT_OK)
        status = chart_page_encode(name, page, options, &file);
    free(name);
    return encoded_give(&file, status, data, n);
}

int lt_chart_page_write(const char *path, const lt_chart_page *page, const lt_render_options *options)
{
    text file = {0};
    LT_TRY(lt_chart_check_name(path));
    return encoded_write(path, &file, chart_page_encode(path, page, options, &file));
}

int lt_chart_write(const char *path, const lt_chart *chart, const lt_render_options *options)
{
    return lt_chart_page_write(path, &(lt_chart_page){.charts = chart, .n_charts = 1}, options);
}
