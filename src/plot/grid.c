/* SPDX-License-Identifier: MIT */
/* Grids of images with captions: the tiles are those of lt_image_grid, bitmaps in every format;
   their captions look like those of charts. */
#include "plot/view.h"

#include "base/memory.h"
#include "base/status.h"
#include "image/raster.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double density = 2; /* pixels per unit of a raster, so that pixels of tiles stay whole */
static const double caption_size = 0.9; /* of an em */

/* The layout, in units. */
typedef struct sheet {
    const lt_grid *grid;
    int columns, rows, group, groups; /* group: rows per group */
    lt_image *tiles;                  /* one raster per group */
    double tile_width, tile_height, gap;
    double em, pad;
    double left, top, group_gap; /* of the images */
    double width, height;        /* of the page */
} sheet;

static bool has_names(const char *const *names, int n)
{
    for (int i = 0; names && i < n; i++)
        if (names[i])
            return true;
    return false;
}

static bool has_text(const sheet *s)
{
    const lt_grid *g = s->grid;
    return g->title || g->subtitle || has_names(g->row_names, s->rows) ||
           has_names(g->column_names, s->columns);
}

/* ---- Tiles ---- */

static int check_grid(const lt_grid *g)
{
    if (g->n < 1 || !g->images)
        return status_fail(LT_VALUE, "a grid without images");
    if (g->layout.columns < 0 || g->rows_in_group < 0)
        return status_fail(LT_VALUE, "a grid of %d columns, %d rows in a group: expected 0 or more", g->layout.columns,
                           g->rows_in_group);
    return LT_OK;
}

/* Renders one raster per group; tile size and gap are computed from the first one. */
static int make_tiles(sheet *s)
{
    const lt_grid *g = s->grid;
    int in_group = s->group * s->columns;
    s->tiles = must_alloc(sizeof *s->tiles * (size_t)s->groups);
    lt_image_grid_options o = g->layout;
    o.columns = s->columns;
    for (int i = 0; i < s->groups; i++) {
        int first = i * in_group, n = g->n - first < in_group ? g->n - first : in_group;
        size_t at = (size_t)first * (size_t)g->h * (size_t)g->w * (size_t)g->c;
        LT_TRY(lt_image_grid(g->images + at, n, g->h, g->w, g->c, &o, &s->tiles[i]));
    }
    const lt_image *t = &s->tiles[0];
    int gap = g->layout.gap;
    s->tile_width = (t->width - (s->columns + 1) * gap) / s->columns / density;
    s->tile_height = (t->height - (s->group + 1) * gap) / s->group / density;
    s->gap = gap / density;
    return LT_OK;
}

static int sheet_open(sheet *s, const lt_grid *g)
{
    *s = (sheet){.grid = g};
    LT_TRY(check_grid(g));
    s->columns = g->layout.columns ? g->layout.columns : (int)ceil(sqrt(g->n));
    s->rows = g->n / s->columns + (g->n % s->columns != 0);
    s->group = g->rows_in_group && g->rows_in_group < s->rows ? g->rows_in_group : s->rows;
    s->groups = (s->rows + s->group - 1) / s->group;
    return make_tiles(s);
}

static void sheet_close(sheet *s)
{
    for (int i = 0; s->tiles && i < s->groups; i++)
        lt_image_clear(&s->tiles[i]);
    free(s->tiles);
}

/* ---- Layout ---- */

static type_style caption_style(const sheet *s)
{
    return (type_style){.size = caption_size * s->em, .color = SOFT_INK, .is_number = true};
}

static double widest(canvas *c, const sheet *s, const char *const *names, int n)
{
    type_style style = caption_style(s);
    double most = 0;
    for (int i = 0; names && i < n; i++)
        if (names[i])
            most = fmax(most, text_measure(c, &style, names[i]).width);
    return most;
}

/* Rounds up to a whole pixel. */
static double settle(double units) { return ceil(units * density) / density; }

static double images_width(const sheet *s) { return s->tiles[0].width / density; }

static double images_height(const sheet *s)
{
    double height = (s->groups - 1) * s->group_gap;
    for (int i = 0; i < s->groups; i++)
        height += s->tiles[i].height / density;
    return height;
}

/* Returns the subtitle that determines the width of the page. */
static const char *spaced_subtitle(const lt_grid *g)
{
    return g->widest_subtitle ? g->widest_subtitle : g->subtitle;
}

/* Returns a page width at which titles beside narrow images take two lines: 17 to 26 em, less for short titles. */
static double room_for_titles(canvas *c, const sheet *s)
{
    const lt_grid *g = s->grid;
    double width = titles_width(c, g->title, spaced_subtitle(g), s->em);
    double two_lines = fmin(fmax(0.6 * width, 17 * s->em), 26 * s->em);
    return width > 0 ? 2 * s->pad + settle(fmin(width + s->em, two_lines)) : 0;
}

/* As in charts, but 8 to 13: readable also when a wide page is scaled down to a phone. */
static double choose_em(double images)
{
    double least = fmin(fmax(images / 16, 8), 12);
    return fmin(fmax(12 * sqrt(images / 640), least), 13);
}

/* Row captions get at most half of the images' width. */
static void lay_out_grid(canvas *c, sheet *s)
{
    const lt_grid *g = s->grid;
    double images = images_width(s);
    s->em = choose_em(images);
    s->pad = has_text(s) ? settle(1.1 * s->em) : 0;
    s->group_gap = s->groups > 1 ? settle(0.8 * s->em) : 0;
    double names = widest(c, s, g->row_names, s->rows);
    names = fmin(names, fmax(images / 2, 8 * s->em));
    s->left = s->pad + settle(names > 0 ? names + 0.6 * s->em : 0);
    s->width = s->left + settle(images) + s->pad;
    s->width = fmax(s->width, room_for_titles(c, s));
    box page = {s->pad, s->pad, s->width - s->pad, 0};
    double top = s->pad + titles_height(c, g->title, spaced_subtitle(g), s->em, page, 2);
    if (has_names(g->column_names, s->columns))
        top += 1.5 * s->em;
    s->top = settle(top);
    s->height = settle(s->top + images_height(s) + s->pad);
}

/* ---- Drawing ---- */

/* Returns k, to draw every k-th caption: more than 1 if captions do not fit side by side and five remain, or two if
   hardly a letter fits. With k = 1 captions are shortened. */
static int choose_step(const sheet *s, double wanted, double pitch, int n)
{
    int k = (int)ceil(wanted / pitch);
    return k > 1 && (n / k >= 5 || (pitch < 2 * s->em && n > k)) ? k : 1;
}

static void draw_column_names(canvas *c, const sheet *s)
{
    const char *const *names = s->grid->column_names;
    double pitch = s->tile_width + s->gap;
    int step = choose_step(s, widest(c, s, names, s->columns) + 0.4 * s->em, pitch,
                           s->columns);
    type_style style = caption_style(s);
    style.room = step * pitch;
    for (int i = 0; i < s->columns && names; i += step)
        if (names[i])
            text_draw(c, &style, names[i], s->left + s->gap + i * pitch + s->tile_width / 2,
                      s->top - 0.5 * s->em, ALIGN_CENTER);
}

static void draw_row_names(canvas *c, const sheet *s)
{
    const char *const *names = s->grid->row_names;
    double pitch = s->tile_height + s->gap;
    int step = choose_step(s, 1.1 * s->em, pitch, s->rows);
    type_style style = caption_style(s);
    style.room = s->left - s->pad - 0.5 * s->em;
    for (int i = 0; i < s->rows && names; i += step)
        if (names[i])
            text_draw(c, &style, names[i], s->left - 0.6 * s->em,
                      s->top + i / s->group * (s->group_gap + s->gap) + s->gap + i * pitch +
                          s->tile_height / 2 + 0.35 * style.size,
                      ALIGN_RIGHT);
}

static int paint(canvas *c, const lt_image *image, double left, double top)
{
    cairo_surface_t *s =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, image->width, image->height);
    if (cairo_surface_status(s) != CAIRO_STATUS_SUCCESS) {
        cairo_surface_destroy(s);
        return status_fail(LT_NO_MEMORY, "a grid of %d x %d pixels", image->width, image->height);
    }
    unsigned char *to = cairo_image_surface_get_data(s);
    const unsigned char *from = image->pixels;
    for (int y = 0; y < image->height; y++, to += cairo_image_surface_get_stride(s))
        for (int x = 0; x < image->width; x++, from += image->channels) {
            bool is_gray = image->channels == 1;
            uint32_t p = (uint32_t)from[0] << 16 | (uint32_t)from[is_gray ? 0 : 1] << 8 |
                         from[is_gray ? 0 : 2];
            memcpy(to + (size_t)x * 4, &p, sizeof p);
        }
    cairo_surface_mark_dirty(s);
    cairo_save(c->cr);
    cairo_translate(c->cr, left, top);
    cairo_scale(c->cr, 1 / density, 1 / density);
    cairo_set_source_surface(c->cr, s, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(c->cr), CAIRO_FILTER_NEAREST);
    cairo_paint(c->cr);
    cairo_restore(c->cr);
    cairo_surface_destroy(s);
    return LT_OK;
}

static int draw_sheet(canvas *c, const sheet *s)
{
    const lt_grid *g = s->grid;
    draw_titles(c, g->title, g->subtitle, s->em,
                (box){s->pad, s->pad, s->width - s->pad, s->height}, 2);
    draw_column_names(c, s);
    draw_row_names(c, s);
    double top = s->top;
    for (int i = 0; i < s->groups; i++) {
        LT_TRY(paint(c, &s->tiles[i], s->left, top));
        top += s->tiles[i].height / density + s->group_gap;
    }
    return LT_OK;
}

/* Creates a small page first, since text is measured on one. */
static int measure_sheet(sheet *s)
{
    canvas c = {0};
    int status = canvas_begin(&c, PAGE_RASTER, 8, 8, 1);
    if (status == LT_OK)
        lay_out_grid(&c, s);
    canvas_clear(&c);
    return status;
}

/* cairo 1.16 does not disable smoothing of images in an SVG. */
static void sharpen(text *svg)
{
    static const char word[] = "<image ";
    text out = {0};
    const char *from = text_get(svg);
    for (const char *hit; (hit = strstr(from, word)) != NULL;) {
        text_append_bytes(&out, from, (size_t)(hit - from) + strlen(word));
        text_append(&out, "style=\"image-rendering:pixelated\" ");
        from = hit + strlen(word);
    }
    text_append(&out, from);
    text_clear(svg);
    *svg = out;
}

int grid_draw(canvas *c, page_kind kind, const lt_grid *grid, lt_image *out)
{
    sheet s;
    int status = sheet_open(&s, grid);
    if (status == LT_OK)
        status = measure_sheet(&s);
    if (status == LT_OK)
        status = canvas_begin(c, kind, s.width, s.height, density);
    if (status == LT_OK)
        status = draw_sheet(c, &s);
    if (status == LT_OK)
        status = canvas_finish(c, out);
    if (status == LT_OK && kind == PAGE_SVG)
        sharpen(&c->file);
    sheet_close(&s);
    return status;
}

/* Without text the image has only the tiles, and may be gray. */
static bool is_bare(const lt_grid *g)
{
    return !g->title && !g->subtitle && !g->row_names && !g->column_names && !g->rows_in_group;
}

int lt_grid_render(const lt_grid *grid, lt_image *out)
{
    canvas c = {0};
    *out = (lt_image){0};
    if (is_bare(grid) && check_grid(grid) == LT_OK)
        return lt_image_grid(grid->images, grid->n, grid->h, grid->w, grid->c, &grid->layout, out);
    int status = grid_draw(&c, PAGE_RASTER, grid, out);
    canvas_clear(&c);
    return status;
}

int grid_encode(const char *path, const lt_grid *grid, text *file)
{
    canvas c = {0};
    lt_image raster = {0};
    int kind = page_kind_of(path);
    int status = kind == PAGE_RASTER ? lt_grid_render(grid, &raster)
                                     : grid_draw(&c, (page_kind)kind, grid, &raster);
    if (status == LT_OK)
        status = page_encode(path, &c, &raster, file);
    lt_image_clear(&raster);
    canvas_clear(&c);
    return status;
}

int lt_grid_encode(const lt_grid *grid, const char *format, unsigned char **data, size_t *n)
{
    text file = {0};
    char *name = encoded_name(format);
    int status = lt_grid_check_name(name);
    if (status == LT_OK)
        status = grid_encode(name, grid, &file);
    free(name);
    return encoded_give(&file, status, data, n);
}

int lt_grid_write(const char *path, const lt_grid *grid)
{
    text file = {0};
    LT_TRY(lt_grid_check_name(path));
    return encoded_write(path, &file, grid_encode(path, grid, &file));
}
