/* SPDX-License-Identifier: MIT */
/* How a ledger is filled: terms, sentences, and the loss of each kind of model. */
#ifndef LATENT_LEDGER_TERMS_H
#define LATENT_LEDGER_TERMS_H

#include "recipe/recipe.h"

#include <latent/ledger.h>

/* A list of terms that grows, up to LT_LEDGER_TERMS. */
typedef struct term_list {
    lt_ledger_term *terms;
    int *n;
} term_list;

void ledger_add_term(term_list list, const char *name, bool is_sum, double nats, const char *format,
                     ...) LT_PRINTF(5, 6);
void ledger_add_note(lt_ledger *l, const char *format, ...) LT_PRINTF(2, 3);

/* The words of a line, cut to what fits. */
void ledger_copy_words(const spec *s, char *words, size_t size);

/* The distortion, and what it splits into where one width serves all pixels: fills l->constant. `at`: at
   which z it is taken, as in "one draw of z per image". */
void ledger_add_distortion(lt_ledger *l, const spec *likelihood, double distortion, const char *at);

/* What nats of such a likelihood are, and are not. */
void ledger_note_unit(lt_ledger *l);

#endif
