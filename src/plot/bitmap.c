/* SPDX-License-Identifier: MIT */
/* Bitmaps on a page: pixels of a raster, one embedded image in an SVG or a PDF. */
#include "plot/view.h"

#include "base/memory.h"

#include <math.h>

int bitmap_begin(bitmap *b, const canvas *c, box area, double rim, double zoom)
{
    zoom = c->is_raster ? c->scale : zoom;
    *b = (bitmap){.zoom = zoom,
                  .left = floor((area.left - rim) * zoom) / zoom,
                  .top = floor((area.top - rim) * zoom) / zoom};
    b->width = (int)ceil((area.right + rim - b->left) * zoom);
    b->height = (int)ceil((area.bottom + rim - b->top) * zoom);
    b->pixels = tensor_alloc((size_t)b->width * (size_t)b->height * sizeof *b->pixels,
                             "the points of a chart");
    return b->pixels ? LT_OK : LT_NO_MEMORY;
}

/* A PDF stores colors and opacity separately, and readers downsample them separately: black transparent pixels would
   give dark rims. White of opacity 1/255 is invisible. */
static void whiten(bitmap *b)
{
    for (size_t i = 0; i < (size_t)b->width * (size_t)b->height; i++)
        b->pixels[i] = b->pixels[i] ? b->pixels[i] : 0x01010101;
}

void bitmap_paint(bitmap *b, const canvas *c)
{
    cairo_t *cr = c->cr;
    if (cairo_surface_get_type(cairo_get_target(cr)) == CAIRO_SURFACE_TYPE_PDF)
        whiten(b);
    cairo_surface_t *s = cairo_image_surface_create_for_data(
        (unsigned char *)b->pixels, CAIRO_FORMAT_ARGB32, b->width, b->height, 4 * b->width);
    cairo_save(cr);
    cairo_translate(cr, b->left, b->top);
    cairo_scale(cr, 1 / b->zoom, 1 / b->zoom);
    cairo_set_source_surface(cr, s, 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cr),
                             c->is_raster ? CAIRO_FILTER_NEAREST : CAIRO_FILTER_GOOD);
    cairo_paint(cr);
    cairo_restore(cr);
    cairo_surface_flush(cairo_get_target(cr)); /* the pixels are unused afterwards */
    cairo_surface_finish(s);
    cairo_surface_destroy(s);
    tensor_free(b->pixels);
    b->pixels = NULL;
}
