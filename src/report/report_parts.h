/* SPDX-License-Identifier: MIT */
/* What the parts of a report share: what is known of a run, and the sections of a page. */
#ifndef LATENT_REPORT_PARTS_H
#define LATENT_REPORT_PARTS_H

#include "report/report_page.h"

#include <latent/report.h>

typedef struct report_run {
    const char *path;
    char *name;             /* "a/b/" is called "b" */
    lt_explanation e;          /* has the model, and the data where they could be opened */
    bool has_log;           /* metrics.jsonl */
    char no_data[512];      /* why there are no data; "" if there are */
    lt_split split;         /* that the numbers below are of */
    lt_evaluation whole;    /* -ELBO and its parts, over all images, or as many as are asked for */
    lt_scorecard card;      /* of `whole`'s images or some of them; without bounds if the model has none */
} report_run;

/* ---- What is known (report_facts.c) ---- */

/* Opens a run and measures what is asked for. Close it in any case. */
int report_open(report_run *r, const lt_report_options *q, const char *path);
void report_close(report_run *r);

const char *report_kind(const report_run *r); /* "VAE" or "GAN" */

/* The command that trains the same again, without "latent "; it needs recipe.yaml unless it is about
   a preset. */
void report_put_training(page *p, const report_run *r, bool *needs_recipe);

/* ---- Pictures (report_pictures.c); statuses ----
   Each is drawn by what its own command calls, with the options that stand below it: run as it stands there,
   it makes the same file. */

int report_put_charts(page *p, const lt_report_options *q, const char *kind, const char *title,
                      int n, const char *const *paths);
int report_put_samples(page *p, const lt_report_options *q, const report_run *r, int columns,
                       int rows);
int report_put_reconstructions(page *p, const lt_report_options *q, const report_run *r,
                               int columns, int rows);
int report_put_traversals(page *p, const lt_report_options *q, const report_run *r);
int report_put_manifold(page *p, const lt_report_options *q, const report_run *r, int n);

/* ---- Sections: what a page is made of ---- */

/* A page, what was asked of it, and the runs that it is about. */
typedef struct report_content {
    page *page;
    const lt_report_options *request;
    const report_run *runs;
    int n;
} report_content;

/* One section; tables of them end with one that writes nothing. */
typedef struct report_section {
    const char *id, *title; /* NULL: without a heading, and not among the contents */
    int (*write)(const report_content *c);     /* a status */
    bool (*is_there)(const report_content *c); /* NULL: always */
} report_section;

extern const report_section report_of_run[];  /* report_run.c */
extern const report_section report_of_runs[]; /* report_runs.c: of several */

/* Whether one of the runs has a log; an encoder, and images for it. */
bool report_has_log(const report_content *c);
bool report_has_codes(const report_content *c);

int report_write_numbers(const report_content *c);     /* of one run: report_numbers.c */
int report_write_ledger(const report_content *c);
int report_write_differences(const report_content *c); /* of recipes: report_differences.c */

/* What of the report's own options a command needs, to see what the report saw. */
enum { WITH_DATA = 1, WITH_SEED = 2 };

/* "latent VERB RUN... REST" with these options: what makes a picture, or a table, alone. Alone a paragraph; in
   a list of them a line. */
void report_put_command(page *p, const lt_report_options *q, const char *verb, int n,
                        const char *const *paths, int with, const char *rest);
void report_put_words(page *p, const lt_report_options *q, const char *verb, int n,
                      const char *const *paths, int with, const char *rest);

/* The head of a table with a column for each run. */
void report_put_head(page *p, const report_run *runs, int n, const char *first);

#endif
