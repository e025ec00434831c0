/* SPDX-License-Identifier: MIT */
/* Pages by cairo, text by pango. Equal charts give equal bytes: hinting and the system's font options are off; dates
   and counters are removed. */
#include "plot/canvas.h"

#include "base/memory.h"
#include "base/status.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_SIDE = 32767, /* of cairo's rasters */
    MAX_TEXT = 4096,  /* bytes; longer text does not fit on any page */
};

/* Uses the first installed family; fontconfig finds a substitute for the last one. */
static const char families[] = "Inter, DejaVu Sans, sans-serif";

static cairo_status_t keep_bytes(void *file, const unsigned char *data, unsigned size)
{
    text_append_bytes(file, (const char *)data, size);
    return CAIRO_STATUS_SUCCESS;
}

/* ---- Pages ---- */

static cairo_surface_t *make_surface(canvas *c, page_kind kind)
{
    if (kind == PAGE_RASTER)
        return cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)lround(c->width * c->scale),
                                          (int)lround(c->height * c->scale));
    if (kind == PAGE_SVG)
        return cairo_svg_surface_create_for_stream(keep_bytes, &c->file, c->width, c->height);
    cairo_surface_t *pdf =
        cairo_pdf_surface_create_for_stream(keep_bytes, &c->file, c->width, c->height);
    /* Later versions compress the objects, the date included, and no search finds it then. */
    cairo_pdf_surface_restrict_to_version(pdf, CAIRO_PDF_VERSION_1_4);
    /* Otherwise the file contains the current time. */
    cairo_pdf_surface_set_metadata(pdf, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z");
    return pdf;
}

static int check_font(canvas *c)
{
    PangoLayout *l = pango_layout_new(c->context);
    pango_layout_set_text(l, "0", -1);
    int unknown = pango_layout_get_unknown_glyphs_count(l);
    g_object_unref(l);
    if (unknown == 0)
        return LT_OK;
    return status_fail(LT_NOT_FOUND, "charts need a font, found none: install Debian's package "
                                     "fonts-inter, or any other font");
}

static int set_up_text(canvas *c)
{
    /* The font map of the thread, shared by all its charts. Sizes are absolute, so its resolution, which others may
       have set, does not matter. */
    c->context = pango_font_map_create_context(pango_cairo_font_map_get_default());
    cairo_font_options_t *o = cairo_font_options_create();
    cairo_font_options_set_antialias(o, CAIRO_ANTIALIAS_GRAY);
    cairo_font_options_set_hint_style(o, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(o, CAIRO_HINT_METRICS_OFF);
    pango_cairo_context_set_font_options(c->context, o);
    cairo_font_options_destroy(o);
    pango_context_set_round_glyph_positions(c->context, FALSE);
    pango_context_set_language(c->context, pango_language_from_string("en"));
    pango_cairo_update_context(c->cr, c->context);
    return check_font(c);
}

int canvas_begin(canvas *c, page_kind kind, double width, double height, double scale)
{
    *c = (canvas){.width = width, .height = height, .scale = scale,
                  .is_raster = kind == PAGE_RASTER};
    if (kind == PAGE_RASTER && fmax(width, height) * scale > MAX_SIDE)
        return status_fail(LT_VALUE, "a picture of %g x %g at %g pixels each is more than %d "
                                     "pixels a side", width, height, scale, MAX_SIDE);
    LT_TRY(library_load(&drawing_library));
    cairo_surface_t *surface = make_surface(c, kind);
    c->cr = cairo_create(surface);
    cairo_surface_destroy(surface); /* c->cr has a reference */
    if (cairo_status(c->cr) != CAIRO_STATUS_SUCCESS)
        return status_fail(LT_NO_MEMORY, "a picture of %g x %g: %s", width, height,
                           cairo_status_to_string(cairo_status(c->cr)));
    if (kind == PAGE_RASTER)
        cairo_scale(c->cr, scale, scale);
    LT_TRY(set_up_text(c));
    canvas_color(c, 0xffffff, 1);
    cairo_paint(c->cr);
    return LT_OK;
}

void canvas_clear(canvas *c)
{
    if (c->context)
        g_object_unref(c->context);
    if (c->cr)
        cairo_destroy(c->cr);
    for (int i = 0; i < c->n_texts; i++)
        free(c->texts[i].text);
    free(c->texts);
    text_clear(&c->file);
    *c = (canvas){0};
}

/* Converts 32-bit pixels of cairo to red, green, blue. */
static int take_pixels(cairo_surface_t *s, lt_image *out)
{
    int w = cairo_image_surface_get_width(s), h = cairo_image_surface_get_height(s);
    int stride = cairo_image_surface_get_stride(s);
    const unsigned char *data = cairo_image_surface_get_data(s);
    unsigned char *to = tensor_alloc((size_t)w * (size_t)h * 3, "a picture");
    if (!to)
        return LT_NO_MEMORY;
    *out = (lt_image){w, h, 3, to};
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++, to += 3) {
            uint32_t p;
            memcpy(&p, data + (size_t)y * (size_t)stride + (size_t)x * 4, sizeof p);
            to[0] = (unsigned char)(p >> 16);
            to[1] = (unsigned char)(p >> 8);
            to[2] = (unsigned char)p;
        }
    return LT_OK;
}

/* Renumbers the parts of an SVG, which cairo names by a counter of the process ("surface17", since 1.18
   "source-17"). */
static void renumber(text *svg, const char *word)
{
    size_t size = strlen(word);
    text out = {0};
    long *seen = NULL;
    int n = 0, capacity = 0;
    const char *at = text_get(svg), *hit;
    for (const char *from = at; (hit = strstr(from, word)) != NULL; from = hit + size) {
        const char *digits = hit + size + (hit[size] == '-');
        if (hit == at || !isdigit((unsigned char)*digits) || (hit[-1] != '"' && hit[-1] != '#'))
            continue;
        char *end;
        long number = strtol(digits, &end, 10);
        int i = 0;
        while (i < n && seen[i] != number)
            i++;
        if (i == n) {
            seen = must_grow(seen, n, &capacity);
            seen[n++] = number;
        }
        text_append_bytes(&out, at, (size_t)(digits - at));
        text_format(&out, "%d", i);
        at = end;
    }
    text_append(&out, at);
    free(seen);
    text_clear(svg);
    *svg = out;
}

int canvas_finish(canvas *c, lt_image *out)
{
    cairo_surface_t *s = cairo_get_target(c->cr);
    cairo_surface_type_t type = cairo_surface_get_type(s);
    cairo_status_t status = cairo_status(c->cr);
    cairo_surface_flush(s);
    int result = LT_OK;
    if (type == CAIRO_SURFACE_TYPE_IMAGE && status == CAIRO_STATUS_SUCCESS)
        result = take_pixels(s, out);
    cairo_surface_finish(s); /* writes the end of a file */
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_status(s);
    static const char *const counted[] = {"surface", "image", "mask", "source"};
    for (int i = 0; i < COUNT_OF(counted) && type == CAIRO_SURFACE_TYPE_SVG; i++)
        renumber(&c->file, counted[i]);
    if (status != CAIRO_STATUS_SUCCESS)
        return status_fail(status == CAIRO_STATUS_NO_MEMORY ? LT_NO_MEMORY : LT_VALUE,
                           "drawing a picture: %s", cairo_status_to_string(status));
    return result;
}

void canvas_color(canvas *c, rgb color, double alpha)
{
    cairo_set_source_rgba(c->cr, (color >> 16 & 255) / 255.0, (color >> 8 & 255) / 255.0,
                          (color & 255) / 255.0, alpha);
}

/* ---- Text ---- */

/* Converts any bytes to valid UTF-8 on one line. Freed with g_free. */
static char *clean_text(const char *string)
{
    char *valid = g_utf8_make_valid(string, (gssize)strnlen(string, MAX_TEXT));
    for (char *p = valid; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = ' ';
    return valid;
}

static PangoLayout *make_layout(canvas *c, const type_style *s)
{
    PangoLayout *l = pango_layout_new(c->context);
    PangoFontDescription *f = pango_font_description_from_string(families);
    pango_font_description_set_absolute_size(f, s->size * PANGO_SCALE);
    pango_font_description_set_weight(f, s->is_bold ? PANGO_WEIGHT_SEMIBOLD : PANGO_WEIGHT_NORMAL);
    pango_layout_set_font_description(l, f);
    pango_font_description_free(f);
    if (s->is_number) {
        PangoAttrList *attributes = pango_attr_list_new();
        pango_attr_list_insert(attributes, pango_attr_font_features_new("tnum=1"));
        pango_layout_set_attributes(l, attributes);
        pango_attr_list_unref(attributes);
    }
    pango_layout_set_single_paragraph_mode(l, TRUE);
    pango_layout_set_auto_dir(l, FALSE); /* aligns any script to the same side */
    return l;
}

static double width_of(PangoLayout *l)
{
    PangoRectangle ink, r;
    pango_layout_get_extents(l, &ink, &r);
    return (double)(r.width > ink.width ? r.width : ink.width) / PANGO_SCALE;
}

/* Returns the first characters, an ellipsis and the last ones, `keep` of n in all; if both ends matter, 3 of 5 are at
   the front. Freed with g_free. */
static char *cut_text(const char *string, long n, long keep, bool in_middle)
{
    long tail = in_middle ? keep * 2 / 5 : 0;
    char *head = g_utf8_substring(string, 0, keep - tail);
    char *out = g_strconcat(g_strchomp(head), "…", g_utf8_offset_to_pointer(string, n - tail), NULL);
    g_free(head);
    return out;
}

/* Keeps as many characters as fit. */
static void shorten_text(PangoLayout *l, const type_style *s, const char *string)
{
    long n = g_utf8_strlen(string, -1), low = 0, high = n;
    while (high - low > 1) { /* low characters fit, high do not */
        long keep = (low + high) / 2;
        char *shorter = cut_text(string, n, keep, s->cut_middle);
        pango_layout_set_text(l, shorter, -1);
        g_free(shorter);
        if (width_of(l) <= s->room)
            low = keep;
        else
            high = keep;
    }
    char *shorter = cut_text(string, n, low, s->cut_middle);
    pango_layout_set_text(l, shorter, -1);
    g_free(shorter);
}

/* The layout is empty if not even one letter fits. Nullable: is_shortened. */
static PangoLayout *lay_out_text(canvas *c, const type_style *s, const char *string, bool *is_shortened)
{
    PangoLayout *l = make_layout(c, s);
    char *clean = clean_text(string);
    bool is_cut = false;
    pango_layout_set_text(l, clean, -1);
    if (s->room > 0 && s->lines > 1) {
        pango_layout_set_width(l, (int)(s->room * PANGO_SCALE));
        pango_layout_set_height(l, -s->lines);
        pango_layout_set_wrap(l, PANGO_WRAP_WORD_CHAR);
        pango_layout_set_ellipsize(l, PANGO_ELLIPSIZE_END);
        is_cut = pango_layout_is_ellipsized(l);
    } else if (s->room > 0 && width_of(l) > s->room) {
        is_cut = true;
        if (s->room < s->size)
            pango_layout_set_text(l, "", -1);
        else
            shorten_text(l, s, clean);
    }
    g_free(clean);
    if (is_shortened)
        *is_shortened = is_cut;
    return l;
}

type_size text_measure(canvas *c, const type_style *s, const char *string)
{
    PangoLayout *l = lay_out_text(c, s, string, NULL);
    PangoRectangle r;
    pango_layout_get_extents(l, NULL, &r);
    g_object_unref(l);
    return (type_size){(double)r.width / PANGO_SCALE, (double)r.height / PANGO_SCALE};
}

static void record_text(canvas *c, PangoLayout *l, const char *string, bool is_shortened, double x,
                     double y)
{
    PangoRectangle ink;
    pango_layout_get_extents(l, &ink, NULL);
    c->texts = must_grow(c->texts, c->n_texts, &c->capacity);
    c->texts[c->n_texts++] = (drawn_text){
        .text = must_copy_text(string),
        .ink = {x + (double)ink.x / PANGO_SCALE, y + (double)ink.y / PANGO_SCALE,
                x + (double)(ink.x + ink.width) / PANGO_SCALE,
                y + (double)(ink.y + ink.height) / PANGO_SCALE},
        .is_shortened = is_shortened};
}

static void draw_halo(canvas *c, PangoLayout *l, double size, double x, double y)
{
    cairo_move_to(c->cr, x, y);
    pango_cairo_layout_path(c->cr, l);
    canvas_color(c, 0xffffff, 0.85);
    cairo_set_line_width(c->cr, size / 4);
    cairo_set_line_join(c->cr, CAIRO_LINE_JOIN_ROUND);
    cairo_set_dash(c->cr, NULL, 0, 0);
    cairo_stroke(c->cr);
}

void text_draw(canvas *c, const type_style *s, const char *string, double x, double y, align a)
{
    bool is_shortened;
    PangoLayout *l = lay_out_text(c, s, string, &is_shortened);
    PangoRectangle r;
    pango_layout_get_extents(l, NULL, &r);
    double width = (double)r.width / PANGO_SCALE, left = (double)r.x / PANGO_SCALE;
    x -= left + (a == ALIGN_CENTER ? width / 2 : a == ALIGN_RIGHT ? width : 0);
    y -= (double)pango_layout_get_baseline(l) / PANGO_SCALE;
    record_text(c, l, string, is_shortened, x, y);
    if (s->has_halo)
        draw_halo(c, l, s->size, x, y);
    canvas_color(c, s->color, 1);
    cairo_move_to(c->cr, x, y);
    if (c->is_raster) { /* cairo aligns glyphs with pixels in a raster, but not their outlines */
        pango_cairo_layout_path(c->cr, l);
        cairo_fill(c->cr);
    } else {
        pango_cairo_show_layout(c->cr, l);
    }
    g_object_unref(l);
}
