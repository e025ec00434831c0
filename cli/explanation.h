/* SPDX-License-Identifier: MIT */
/* What `latent explain` and `latent report` say about the numbers of a run. */
#ifndef LATENT_EXPLANATION_H
#define LATENT_EXPLANATION_H

#include "cli.h"

typedef struct explanation {
    trained t;
    const char *run;
    lt_validation found;
    lt_train_report report; /* of the last epoch that has a line; epoch 0: none */
    int64_t epoch;          /* of the validation; 0: evaluated now */
    lt_split split;
    bool has_data; /* else the split is that which training would take */
    lt_ledger ledger;
} explanation;

/* Opens the newest checkpoint of e->run, takes its last validation from metrics.jsonl or evaluates
   it on `data`, and makes the ledger. Close e->t in both cases. Nullable: data (the recipe's). */
int explanation_find(explanation *e, const char *data);

/* Puts what has just been evaluated in place of the validation, and makes the ledger of it: where both
   are at hand, one page has one number. */
int explanation_take(explanation *e, const lt_evaluation *found, lt_split split);

/* Rows that `why` keeps away, for the images that row `first` is of. */
typedef struct kept_away {
    int n, first;
    double low, high; /* nats */
} kept_away;

kept_away count_kept_away(const lt_ledger *l, const lt_published *p, const char *why);

/* What is shown of the terms, with two digits: the terms above a sum add up to it (round_parts). */
void explanation_round(const lt_ledger_term *terms, int n, double shown[LT_LEDGER_TERMS]);

#endif
