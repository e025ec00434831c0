/* SPDX-License-Identifier: MIT */
/* Lines of text for terminals: widths, breaks, tables, colors. */
#ifndef LATENT_LAYOUT_H
#define LATENT_LAYOUT_H

#include "cli.h"

/* Columns that lines written to `fd` may have: $COLUMNS, or what the terminal has; 0: as many as they
   like, since it is a pipe or a file. */
int line_width(int fd);

/* The same for pages of text, which no program reads: 80, or fewer where the terminal is narrower. */
int page_width(int fd);

/* Columns that n bytes of printable UTF-8 take on a terminal; colors take none. */
int text_columns(const char *text, size_t n);

/* Text that grows; freed by lines_clear. `text` is NULL as long as it is empty. */
typedef struct lines_buffer {
    char *text;
    size_t size, room;
} lines_buffer;
void lines_add(lines_buffer *t, const char *bytes, size_t n);
void lines_clear(lines_buffer *t);

/* Adds lines, each broken between words where it is wider than `width` (0: never) and continued below its
   last column, as far as it has columns. */
void lay_text(lines_buffer *to, const char *text, size_t n, int width);

#endif
