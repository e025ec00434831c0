/* SPDX-License-Identifier: MIT */
/* Drives the lt_option tables of base.h: defaults, values from text, printing, help.
   `what` names the owner of the table in messages: "layer linear", "optimizer adam".
   A row with min == max has no range. Tables have at most 64 rows. */
#ifndef LATENT_OPTIONS_H
#define LATENT_OPTIONS_H

#include "base/text.h"

void options_defaults(const lt_option *table, void *options);

/* Sets one field from text. LT_NOT_FOUND if there is no such option (the message lists them and
   the nearest), LT_VALUE if the value does not fit; the field is then unchanged. */
int options_set(const char *what, const lt_option *table, void *options, const char *key,
                const char *value);

/* Defaults, then words: the values of positional rows in table order, then key=value. Values with
   spaces are written in double quotes, with \" and \\ inside. Each option once; required ones
   must be there. */
int options_parse_words(const char *what, const lt_option *table, void *options,
                        const char *words);

/* Writes every value as words that options_parse_words reads back exactly: `256 bias=yes`. */
void options_print(const lt_option *table, const void *options, text *out);

/* Writes the values without optional defaults. */
void options_print_short(const lt_option *table, const void *options, text *out);

/* One line for each option: name, default, range, help. */
void options_help(const lt_option *table, text *out);

#endif
