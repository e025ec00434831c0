/* SPDX-License-Identifier: MIT */
/* Lines such as `leaky_relu 0.2` or `gaussian sigma=optimal`: a row of a table by its name, and the
   row's options. Layers, initializers, likelihoods, objectives, schedules and optimizers are all
   tables of this kind, which is what the parser, --set, help pages and tests walk. */
#ifndef LATENT_SPEC_H
#define LATENT_SPEC_H

#include "base/options.h"

typedef struct spec spec;

/* The first member of every table's own row type. */
typedef struct spec_row {
    const char *name, *summary;
    const lt_option *options;          /* ends with a row without a name */
    size_t size;                       /* of the options struct; 0: no options */
    int (*check)(const void *options); /* what ranges cannot say. Nullable */
    /* Of a wrapper, `spectral_norm conv 64`: whether it may stand before that line of its table.
       NULL in rows that are none. */
    int (*check_inner)(const spec *inner);
    bool has_list; /* a list of lines belongs to it: `residual:` */
} spec_row;

/* Tables are arrays of pointers to rows; NULL ends them. */
typedef struct spec_table {
    const char *kind; /* "layer", for messages */
    const spec_row *const *rows;
} spec_table;

struct spec {
    const spec_row *row;
    void *options; /* row->size bytes, owned */
    spec *inner;   /* of a wrapper: the line behind its name, owned; else NULL */
};

extern const lt_option no_options[]; /* a table without rows */

/* Parses `words`. LT_NOT_FOUND with the nearest name, LT_VALUE; *s is then empty. */
int spec_parse(const spec_table *table, const char *words, spec *s);

/* Changes one option (of the line that is wrapped, if one is); the spec is unchanged on failure. */
int spec_set(const spec_table *table, spec *s, const char *option, const char *value);

/* Writes words that spec_parse reads back exactly, every default written out. */
void spec_print(const spec *s, text *out);

/* The same for people to read, without defaults. */
void spec_print_short(const spec *s, text *out);

/* Whether both print the same. */
bool spec_is_equal(const spec *a, const spec *b);

void spec_clear(spec *s);

/* Whether `words` parse: for options that hold a line of another table. */
int spec_check(const spec_table *table, const char *words);

#endif
