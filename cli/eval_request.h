/* SPDX-License-Identifier: MIT */
/* The options of latent eval, for one run or several. */
#ifndef LATENT_EVAL_REQUEST_H
#define LATENT_EVAL_REQUEST_H

#include "eval_report.h"
#include "quality_report.h"

enum { EVAL_MAX_RUNS = 16 };

typedef struct eval_request {
    const char *run, *data, *iwae_text, *ais_text;
    int split, executor, ais_from;
    int64_t samples, images, seed, threads;
    int iwae[LT_MAX_BOUNDS], n_iwae;
    int ais[2]; /* chains, steps; 0 chains: none */
    bool with_quality, is_of_several;
    int64_t quality_samples;
    const char *pairs, *per_image;
    quality_files *scored;
    text_list sets;
    bool as_json;
} eval_request;

/* Evaluates a run whose data is open; returns a status. Clear f->card in any case. */
int eval_find(const eval_request *q, eval_findings *f);

/* Evaluates several runs in one table (eval_runs.c); returns the exit code. */
int eval_compare_runs(const command *c, const eval_request *q, int n, const char *const *runs);

#endif
