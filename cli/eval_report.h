/* SPDX-License-Identifier: MIT */
/* The results of `latent eval`, as a table. */
#ifndef LATENT_EVAL_REPORT_H
#define LATENT_EVAL_REPORT_H

#include "cli.h"

typedef struct eval_findings {
    const char *run;
    trained *trained;
    lt_scorecard card;
} eval_findings;

void eval_print_table(const eval_findings *f);

#endif
