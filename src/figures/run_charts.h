/* SPDX-License-Identifier: MIT */
/* Shared by charts of runs: one chart per run, and logs of runs with their names in charts. */
#ifndef LATENT_RUN_CHARTS_H
#define LATENT_RUN_CHARTS_H

#include "figures/figure.h"

#include <latent/runs.h>

/* A zeroed array that the figure owns. */
#define FIGURE_ARRAY(f, type, n) ((type *)arena_alloc(&(f)->memory, sizeof(type) * (size_t)(n)))

/* Returns LT_VALUE unless there are 1 to LT_MAX_FIGURE_RUNS runs. */
int check_run_count(int n);

/* Fills in the page and the result of lt_figure_describe. Charts belong to the figure. Nullable: title. */
void figure_set_page(lt_figure *f, const lt_chart *charts, int n, const char *title, double shape);

/* ---- A chart for each run, of a model that has an encoder (code_charts.c) ---- */

/* The chart of one run under construction. */
typedef struct code_chart {
    lt_figure *f; /* owns everything that the chart borrows */
    lt_model *m;
    lt_dataset *data;
    lt_split split;
    char *checkpoint; /* path */
    const lt_chart_data *of; /* images: with the figure's default filled in */
    const void *options;
    char subtitle[320];
    lt_chart chart; /* without title and subtitle */
} code_chart;

/* Fills in the chart, and the subtitle. */
typedef int code_chart_function(code_chart *c);

/* Makes a chart per run, of models with at least `min_latents`. For `shape` see lt_chart_page. */
int draw_code_charts(const char *const *runs, int n, lt_split split, const lt_chart_data *of, const void *options,
                     int min_latents, code_chart_function *draw, double shape, lt_figure **out);

/* Encodes the requested number of images; clear *codes in any case. */
int code_chart_encode(const code_chart *c, lt_codes *codes);

/* Returns LT_VALUE if one of these numbers, means or samples of codes, is not finite. */
int code_chart_check(const code_chart *c, const lt_codes *codes, const float *values);

/* ---- metrics.jsonl (run_logs.c) ---- */

typedef struct run_log {
    const char *name; /* of the run: the last part of its path, or the path if several are equal */
    lt_run_metrics *metrics;
    int n;                   /* lines, at least one */
    const lt_recipe *recipe; /* beside the log; NULL: none that can be read */
} run_log;

/* Reads the logs of n runs; names belong to the figure. Clear them in any case. */
int run_logs_open(lt_figure *f, const char *const *runs, int n, run_log *logs);
void run_logs_clear(run_log *logs, int n);

#endif
