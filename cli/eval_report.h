/* SPDX-License-Identifier: MIT */
/* What `latent eval` found, as a table and as JSON. */
#ifndef LATENT_EVAL_REPORT_H
#define LATENT_EVAL_REPORT_H

#include "cli.h"

typedef struct eval_findings {
    const char *run;
    const trained *trained;
    lt_split split;
    const char *data;         /* instead of the recipe's; NULL: those */
    const text_list *changed; /* options of the data that are not the recipe's */
    bool with_bounds; /* e, codes, ais and what follows are there */
    lt_evaluation e;
    lt_diagnosis codes;
    bool with_ais, from_posterior;
    lt_ais_result ais;
    lt_estimate gap;          /* -ELBO less the NLL, each image with itself; NaN without an NLL */
    lt_estimate ais_less_nll; /* over the images, each with itself; NaN without an NLL */
    bool with_quality;
    lt_quality quality;
} eval_findings;

json_t *eval_json(const eval_findings *f);
void eval_print_table(const eval_findings *f);

#endif
