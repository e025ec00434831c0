/* SPDX-License-Identifier: MIT */
/* Lines of text for terminals: widths, breaks, tables, colors. */
#ifndef LATENT_LAYOUT_H
#define LATENT_LAYOUT_H

#include "cli.h"

/* Maximum columns of lines written to `fd`: $COLUMNS, or the terminal's width; 0: unlimited, for a pipe or a file. */
int line_width(int fd);

/* The same for text that no program reads: 80, or fewer on a narrower terminal. */
int page_width(int fd);

/* Columns of n bytes of printable UTF-8 on a terminal; color sequences take none. */
int text_columns(const char *text, size_t n);

/* A growing text; freed by lines_clear. `text` is NULL while it is empty. */
typedef struct lines_buffer {
    char *text;
    size_t size, room;
} lines_buffer;
void lines_add(lines_buffer *t, const char *bytes, size_t n);
void lines_clear(lines_buffer *t);

/* Adds lines; a line wider than `width` (0: unlimited) is broken between words and continued below its last
   column, if it has columns. */
void lay_text(lines_buffer *to, const char *text, size_t n, int width);

#endif
