/* SPDX-License-Identifier: MIT */
/* Growing text, strict numbers that ignore the locale, and the nearest name to a misspelled one. */
#ifndef LATENT_TEXT_H
#define LATENT_TEXT_H

#include <latent/base.h>

/* Zero-initialize; `data` is NULL or ends with a zero byte after `size` bytes. */
typedef struct text {
    char *data;
    size_t size, capacity;
} text;

void text_append(text *t, const char *more);
void text_append_bytes(text *t, const char *more, size_t size);
void text_format(text *t, const char *format, ...) LT_PRINTF(2, 3); /* appends */
void text_append_real(text *t, double value); /* the shortest form that reads back exactly */
void text_append_single(text *t, float value); /* the same, read back as a float, or as a double made one */

const char *text_get(const text *t); /* never NULL */
char *text_take(text *t);            /* never NULL; freed by the caller; t is empty afterwards */
void text_clear(text *t);

/* Parse a number; the whole word must be a number, otherwise nothing is stored: no spaces, nan, inf, hex or overflow.
   Reals may be fractions: "1/784". Bools: yes, no, true, false, on, off. */
bool text_to_int64(const char *word, int64_t *value);
bool text_to_real(const char *word, double *value);
bool text_to_bool(const char *word, bool *value);

/* Whether a string is valid UTF-8, as YAML and JSON require. */
bool text_is_utf8(const char *s);

/* The name of a list of `n` that `word` probably meant, or NULL if none is near enough. */
typedef const char *text_name_function(const void *list, int i);
const char *text_nearest(const char *word, text_name_function *name, const void *list, int n);

/* The text_name_function of an array of `const char *`. */
const char *text_item(const void *list, int i);

/* Whether a name ends in `end` such as ".png", ignoring case, after at least one other byte. */
bool text_ends_in(const char *name, const char *end);

#endif
