/* SPDX-License-Identifier: MIT */
/* A page to draw on, which becomes a PNG, an SVG or a PDF: cairo for shapes, pango for text.
   Coordinates are units from the top left corner. */
#ifndef LATENT_CANVAS_H
#define LATENT_CANVAS_H

#include "base/loaded_drawing.h"
#include "base/text.h"

#include <latent/plot.h>

typedef enum page_kind { PAGE_RASTER, PAGE_SVG, PAGE_PDF } page_kind;

typedef struct box {
    double left, top, right, bottom;
} box;

/* A drawn text, for tests that check the position of its ink. */
typedef struct drawn_text {
    char *text; /* the whole text, also if it was shortened */
    box ink;
    bool is_shortened;
} drawn_text;

typedef struct canvas {
    cairo_t *cr;
    double width, height, scale;
    double em; /* text size of charts; 0: by the size of the page */
    PangoContext *context;
    bool is_raster;
    text file; /* bytes of a vector format */
    drawn_text *texts;
    int n_texts, capacity;
} canvas;

/* Red, green, blue, 0 to 255: 0xrrggbb. */
typedef unsigned rgb;

int canvas_begin(canvas *c, page_kind kind, double width, double height, double scale);

/* Finishes the page: a raster in `out`, or the bytes of a vector file in c->file. Nullable: out for vector formats. */
int canvas_finish(canvas *c, lt_image *out);
void canvas_clear(canvas *c);

void canvas_color(canvas *c, rgb color, double alpha);

/* ---- Text ---- */

typedef enum align { ALIGN_LEFT, ALIGN_CENTER, ALIGN_RIGHT } align;

typedef struct type_style {
    double size; /* of the font, in units */
    rgb color;
    bool is_bold;
    bool is_number;         /* digits are equally wide */
    bool has_halo;          /* a white rim, over lines */
    bool cut_middle;        /* shortens in the middle, for names with equal beginnings; else at the end */
    double room;            /* maximal width; 0: unlimited */
    int lines;              /* at most; 0: 1 */
} type_style;

typedef struct type_size {
    double width, height;
} type_size;

type_size text_measure(canvas *c, const type_style *s, const char *text);

/* Draws with the first baseline at y; x is the left end, the middle or the right end. */
void text_draw(canvas *c, const type_style *s, const char *text, double x, double y, align a);

#endif
