/* SPDX-License-Identifier: MIT */
/* Filling a ledger: terms, notes, and the part of each kind of model. */
#ifndef LATENT_LEDGER_TERMS_H
#define LATENT_LEDGER_TERMS_H

#include "recipe/recipe.h"

#include <latent/ledger.h>

/* A growing list of at most LT_LEDGER_TERMS terms. */
typedef struct term_list {
    lt_ledger_term *terms;
    int *n;
} term_list;

void ledger_add_term(term_list list, const char *name, bool is_sum, double nats, const char *format,
                     ...) LT_PRINTF(5, 6);
void ledger_add_note(lt_ledger *l, const char *format, ...) LT_PRINTF(2, 3);

/* Copies a line as text, truncated to `size`. */
void ledger_copy_words(const spec *s, char *words, size_t size);

/* Adds the distortion, split into error and constant (l->constant) if all pixels share one width. `at`: which z it is
   taken at, as in "one sample of z per image". */
void ledger_add_distortion(lt_ledger *l, const spec *likelihood, double distortion, const char *at);

/* Adds a note on the unit of the likelihood's nats. */
void ledger_note_unit(lt_ledger *l);

#endif
