/* SPDX-License-Identifier: MIT */
/* What the parts of `latent report` share: what was asked for, and what is known of a run. */
#ifndef LATENT_REPORT_H
#define LATENT_REPORT_H

#include "explanation.h"
#include "plot_kinds.h"
#include "report_page.h"

typedef struct report_request {
    const command *command;
    const char *out, *data, *title;
    int64_t images, draws, quality_samples, seed, threads;
    bool with_quality;
} report_request;

typedef struct report_run {
    const char *path;
    char *name;             /* "a/b/" is called "b" */
    explanation e;          /* has the model, and the data where they could be opened */
    bool has_log;           /* metrics.jsonl */
    char no_data[512];      /* why there are no data; "" if there are */
    char digest[80];        /* of the checkpoint; "" if it has none */
    lt_split split;         /* that the numbers below are of */
    bool has_numbers, has_quality;
    lt_evaluation numbers;
    lt_diagnosis codes;
    lt_quality quality;
} report_run;

/* ---- What is known (report_facts.c) ---- */

/* Opens a run and measures what is asked for; the exit code. Close it in any case. */
int report_open(report_run *r, const report_request *q, const char *path);
void report_close(report_run *r);

const char *report_kind(const report_run *r); /* "VAE" or "GAN" */

/* The command that trains the same again, without "latent "; it needs recipe.yaml unless it is about
   a preset. */
void report_put_training(page *p, const report_run *r, bool *needs_recipe);

/* ---- Pictures (report_pictures.c); exit codes ---- */

int report_put_charts(page *p, const report_request *q, plot_function *draw, const char *title,
                      int n, const char *const *paths);
int report_put_samples(page *p, const report_request *q, const report_run *r, int columns,
                       int rows);
int report_put_reconstructions(page *p, const report_request *q, const report_run *r,
                               int columns, int rows);
int report_put_traversals(page *p, const report_request *q, const report_run *r);

/* ---- Pages (report_run.c, report_runs.c) ---- */

void report_begin_section(page *p, const char *id, const char *title);
void report_end_section(page *p);

int report_write_run(page *p, const report_request *q, const report_run *r);
int report_write_runs(page *p, const report_request *q, const report_run *runs, int n);

#endif
