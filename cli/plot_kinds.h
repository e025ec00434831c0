/* SPDX-License-Identifier: MIT */
/* What the kinds of `latent plot` share: what was asked for, and the logs of runs. */
#ifndef LATENT_PLOT_KINDS_H
#define LATENT_PLOT_KINDS_H

#include "cli.h"

enum { MAX_PLOT_RUNS = 32 };

/* What the x axis of curves counts. */
typedef enum plot_by { BY_AUTO, BY_EPOCH, BY_STEP, BY_SECONDS } plot_by;

/* Gives the exit code; for `shape` see plot_write. */
typedef int plot_taker(void *user, const lt_chart_page *f, double shape);

typedef struct plot_request {
    const command *command;
    const char *out, *title;
    int64_t width, height, text; /* units; 0: default */
    int64_t chart;         /* only this one of the figure's, from 1; 0: all */
    int64_t from, smooth;  /* smooth: -1 is the default */
    bool log_x, log_y;
    int by; /* plot_by */
    int64_t images;   /* 0: as many as the kind takes */
    int64_t ellipses, bins;
    const char *latents; /* "3,7"; NULL: those that vary most */
    int64_t threads;
    int split;        /* lt_split */
    const char *data; /* NULL: the recipe's */
    plot_taker *take; /* takes the figure, and nothing is written to `out`. Nullable */
    void *user;       /* handed to take */
} plot_request;

/* One kind of picture; gives the exit code after it has said what there is to say. */
typedef int plot_function(const plot_request *q, int n, const char *const *runs);
plot_function plot_curves, plot_tradeoff, plot_latents, plot_histogram, plot_activity, plot_bounds;

/* "latents", "curves": what `latent plot` calls it. */
const char *plot_kind_name(plot_function *draw);

/* Writes the figure and says so, or why not. `shape` is width over height of one chart, if the user
   gave no size; 0: the library's default. */
int plot_write(const plot_request *q, const lt_chart_page *f, double shape);

/* "a/b/c/" is called "c". Freed by the caller. */
char *plot_name(const char *run);

/* Runs of one name are called by their paths instead. names[i]: where run i has its name. */
void tell_apart(char ***names, int n, const char *const *paths);

/* Memory, zeroed; leaves the program when there is none. */
void *plot_room(size_t n, size_t size);

/* ---- One chart for each run (plot_codes.c) ---- */

enum { PICTURE_SERIES = 2, PICTURE_TEXT = 96 };

/* One chart, and what it borrows. */
typedef struct picture {
    char *name;
    char subtitle[320], x_label[PICTURE_TEXT], y_label[PICTURE_TEXT];
    double *x, *y;
    double *ellipses[5]; /* x, y, xx, xy, yy */
    int32_t *labels, *ellipse_labels;
    char **label_names, **bar_names;
    int n_labels, n_bar_names;
    lt_series series[PICTURE_SERIES];
    lt_chart chart;
} picture;

/* Fills the picture of one run; a status, or an exit code after a complaint (which is above 0). */
typedef int picture_function(const plot_request *q, const trained *t, picture *p);

/* Draws and writes all of them, of models that have an encoder and at least `least` latents; gives
   the exit code. For `shape` see plot_write. */
int plot_pictures(const plot_request *q, int n, const char *const *runs, int least,
                  picture_function *draw, double shape);

/* The codes of as many images as are asked for. */
int plot_encode(const plot_request *q, const trained *t, lt_codes *c);

/* Whether these numbers, means or draws of codes, are finite: CODE_DONE, or CODE_FAILED after a
   complaint. */
int plot_check_codes(const plot_request *q, const trained *t, const lt_codes *c,
                     const float *values);

/* ---- metrics.jsonl (plot_metrics.c) ---- */

typedef struct metrics {
    char *name;   /* of the run: the last part of its path */
    lt_run_metrics *log;
    int n;                   /* lines */
    const lt_recipe *recipe; /* that lies beside the log; NULL: there is none that can be read */
} metrics;

/* Reads the log of a run directory, of the run around a checkpoint, or a file NAME.jsonl. A line that is being written just now, at
   the end, is left out. False after a complaint; clear it in both cases. */
bool metrics_read(const command *c, metrics *m, const char *given);
void metrics_clear(metrics *m);

/* The number called `path` ("valid.neg_elbo") in line i; NaN where there is none. */
double metrics_value(const metrics *m, int i, const char *path);

/* Whether a line has that number. */
bool metrics_has(const metrics *m, const char *path);

#endif
