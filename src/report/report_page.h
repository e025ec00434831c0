/* SPDX-License-Identifier: MIT */
/* One page of HTML that needs nothing else: text is escaped, pictures are inside. */
#ifndef LATENT_REPORT_PAGE_H
#define LATENT_REPORT_PAGE_H

#include <latent/base.h>

#include <stdio.h>

typedef struct page {
    FILE *to;
    char *text;
    size_t size;
    char *picture; /* the file of the last one that was drawn; NULL: there is none */
    size_t picture_size;
} page;

/* Begins a page, up to its body. LT_NO_MEMORY. Nullable: summary. */
int page_begin(page *p, const char *title, const char *summary);

/* HTML as it is: values must be numbers or words of our own. */
void page_html(page *p, const char *format, ...) LT_PRINTF(2, 3);

/* Text from anywhere: &, <, >, quotes are escaped; what is no UTF-8 or no character becomes U+FFFD. */
void page_text(page *p, const char *format, ...) LT_PRINTF(2, 3);

/* A sentence of the library's: `code` is code, and formulas are set as such ("beta x |rate - C|",
   "-log p(x|z)"). report_prose.c */
void page_prose(page *p, const char *text);

/* A word of a shell command, quoted where it must be. */
void page_word(page *p, const char *word);

/* "−12.34", or a dash where there is no number. */
void page_number(page *p, double value, int digits);

/* "−12.34 ± 0.05" in a cell of a table. */
void page_estimate(page *p, lt_estimate e, int digits);

/* Takes the bytes of a picture, which page_image puts on the page; the page frees them. */
void page_take_picture(page *p, unsigned char *bytes, size_t n);

/* <img> with the picture inside that was taken last, a "png" or an "svg"; so many pixels of the page to a pixel
   of a PNG where there is room; 0: as the style has it. LT_OK or LT_IO. */
int page_image(page *p, const char *kind, const char *format, double scale, const char *alt);

/* A link that saves `text` as a file. */
void page_download(page *p, const char *name, const char *text);

/* Ends the page and hands over its bytes, which the caller frees. LT_NO_MEMORY. */
int page_end(page *p, unsigned char **bytes, size_t *n);

/* Frees it. */
void page_clear(page *p);

#endif
