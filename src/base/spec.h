/* SPDX-License-Identifier: MIT */
/* Lines such as `leaky_relu 0.2` or `gaussian sigma=optimal`: the name of a table's row, and its options. Layers,
   initializers, likelihoods, objectives, schedules and optimizers are such tables, which the parser, --set, help
   pages and tests walk. */
#ifndef LATENT_SPEC_H
#define LATENT_SPEC_H

#include "base/options.h"

typedef struct spec spec;

/* The first member of every table's row type. */
typedef struct spec_row {
    const char *name, *summary;
    const lt_option *options;          /* ends with a row without a name */
    size_t size;                       /* of the options struct; 0: no options */
    int (*check)(const void *options); /* checks beyond ranges. Nullable */
    /* Wrappers only, `spectral_norm conv 64`: checks whether it may precede that line. NULL for other rows. */
    int (*check_inner)(const spec *inner);
    bool has_list; /* takes a list of lines: `residual:` */
} spec_row;

/* Tables are arrays of pointers to rows, ended by NULL. */
typedef struct spec_table {
    const char *kind; /* "layer", for messages */
    const spec_row *const *rows;
} spec_table;

struct spec {
    const spec_row *row;
    void *options; /* row->size bytes, owned */
    spec *inner;   /* wrapper: the line after its name, owned; else NULL */
};

extern const lt_option no_options[]; /* a table without rows */

/* Parses `words`. On LT_NOT_FOUND (with the nearest name) and LT_VALUE, *s is empty. */
int spec_parse(const spec_table *table, const char *words, spec *s);

/* Changes one option (of the wrapped line, if any); the spec is unchanged on failure. */
int spec_set(const spec_table *table, spec *s, const char *option, const char *value);

/* Prints the line so that spec_parse reads it back exactly, with every default. */
void spec_print(const spec *s, text *out);

/* Prints the line without defaults, for people. */
void spec_print_short(const spec *s, text *out);

/* Whether both print the same. */
bool spec_is_equal(const spec *a, const spec *b);

void spec_clear(spec *s);

/* LT_OK if `words` parse: for options that hold a line of another table. */
int spec_check(const spec_table *table, const char *words);

#endif
