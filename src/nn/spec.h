/* SPDX-License-Identifier: MIT */
/* Lines such as `leaky_relu 0.2` or `gaussian sigma=optimal`: a row of a table by its name, and the
   row's options. Layers, initialisers, likelihoods, objectives, schedules and optimisers are all
   tables of this kind, which is what the parser, --set, help pages and tests walk. */
#ifndef LATENT_SPEC_H
#define LATENT_SPEC_H

#include "base/options.h"

/* The first member of every table's own row type. */
typedef struct spec_row {
    const char *name, *summary;
    const lt_option *options;          /* ends with a row without a name */
    size_t size;                       /* of the options struct; 0: no options */
    int (*check)(const void *options); /* what ranges cannot say. Nullable */
} spec_row;

/* Tables are arrays of pointers to rows; NULL ends them. */
typedef struct spec_table {
    const char *kind; /* "layer", for messages */
    const spec_row *const *rows;
} spec_table;

typedef struct spec {
    const spec_row *row;
    void *options; /* row->size bytes, owned */
} spec;

extern const lt_option no_options[]; /* a table without rows */

/* Parses `words`. LT_NOT_FOUND with the nearest name, LT_VALUE; *s is then empty. */
int spec_parse(const spec_table *table, const char *words, spec *s);

/* Changes one option; the spec is unchanged on failure. */
int spec_set(const spec_table *table, spec *s, const char *option, const char *value);

/* Writes words that spec_parse reads back exactly, every default written out. */
void spec_print(const spec *s, text *out);

void spec_clear(spec *s);

/* Whether `words` parse: for options that hold a line of another table. */
int spec_check(const spec_table *table, const char *words);

#endif
