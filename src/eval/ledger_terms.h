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

/* What the rate is, from `draws` draws of each image; in training it may have no formula. */
enum { RATE_TEXT = 160 };
void ledger_rate_text(const lt_recipe *r, bool is_training, char words[RATE_TEXT]);

/* What critic and generator minimised, what is reported of them, and what it means. Nullable: t. */
void ledger_add_gan(lt_ledger *l, const lt_recipe *r, const lt_train_report *t);

/* The loss of a VAE, from its means over an epoch. Nullable: t. */
void ledger_add_vae_loss(lt_ledger *l, const lt_recipe *r, const lt_train_report *t);

#endif
