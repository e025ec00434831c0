/* SPDX-License-Identifier: MIT */
/* Distortion against rate over the epochs of each run, with a dot at the end. Their sum is -ELBO, so runs of equal
   -ELBO lie on a falling line. */
#include "figures/run_charts.h"

#include <latent/ledger.h>

#include <math.h>
#include <stdio.h>

enum { LINE_POINTS = 2 };

/* A run: validation, or training if there is no validation. */
typedef struct way {
    double *rate, *distortion;
    int n, last; /* last: line with both */
} way;

static int read_way(lt_figure *f, const run_log *log, const char *run, double from, way *w)
{
    const lt_run_metrics *m = log->metrics;
    bool is_valid = lt_run_metrics_has(m, "valid.rate");
    *w = (way){FIGURE_ARRAY(f, double, log->n), FIGURE_ARRAY(f, double, log->n), log->n, -1};
    for (int i = 0; i < w->n; i++) {
        bool is_before = lt_run_metrics_value(m, i, "epoch") < from;
        w->rate[i] = is_before ? (double)NAN : lt_run_metrics_value(m, i, is_valid ? "valid.rate" : "rate");
        w->distortion[i] = lt_run_metrics_value(m, i, is_valid ? "valid.distortion" : "distortion");
        if (isfinite(w->rate[i]) && isfinite(w->distortion[i]))
            w->last = i;
    }
    return w->last >= 0 ? LT_OK
                        : status_fail(LT_VALUE, "%s: no rate and distortion to draw (not a VAE?)", run);
}

/* Finds the line of equal -ELBO through the best end, over the plotted rates. */
static void find_best(const way *ways, int n, double x[LINE_POINTS], double y[LINE_POINTS])
{
    double best = INFINITY;
    x[0] = INFINITY;
    x[1] = -INFINITY;
    for (int r = 0; r < n; r++) {
        best = fmin(best, ways[r].rate[ways[r].last] + ways[r].distortion[ways[r].last]);
        for (int i = 0; i < ways[r].n; i++) {
            x[0] = fmin(x[0], ways[r].rate[i]); /* fmin and fmax ignore NaN */
            x[1] = fmax(x[1], ways[r].rate[i]);
        }
    }
    for (int k = 0; k < LINE_POINTS; k++)
        y[k] = best - x[k];
}

/* Describes the chart, and notes runs that are not comparable. */
static const char *describe(lt_figure *f, const run_log *logs, int n)
{
    char text[256] = "Each run from epoch to epoch, to the dot at its end";
    for (int r = 1; r < n; r++) {
        const lt_recipe *a = logs[0].recipe, *b = logs[r].recipe;
        const char *why = a && b ? lt_recipes_differ(a, b, LT_NUMBERS_LIKELIHOOD) : NULL;
        if (!why)
            continue;
        add_text(text, sizeof text, "; they are not comparable: %s", why);
        figure_note(f, "warning: %s and %s are not comparable: %s", logs[0].name, logs[r].name, why);
        break;
    }
    return arena_copy_text(&f->memory, text);
}

static void add_run(lt_figure *f, const run_log *log, const way *w, int r, lt_series *line, lt_series *end)
{
    *line = (lt_series){.data_name = log->name, .n = w->n, .x = w->rate, .y = w->distortion, .color = r + 1};
    *end = (lt_series){.name = log->name,
                       .data_name = arena_format(&f->memory, "%s: its end", log->name),
                       .kind = LT_POINTS, .n = 1, .x = w->rate + w->last, .y = w->distortion + w->last,
                       .color = r + 1};
}

static void draw_ways(lt_figure *f, const run_log *logs, const way *ways, int n, const char *title)
{
    double *x = FIGURE_ARRAY(f, double, LINE_POINTS), *y = FIGURE_ARRAY(f, double, LINE_POINTS);
    lt_series *series = FIGURE_ARRAY(f, lt_series, 2 * n + 1);
    lt_chart *chart = FIGURE_ARRAY(f, lt_chart, 1);
    find_best(ways, n, x, y);
    series[0] = (lt_series){.name = arena_format(&f->memory, "−ELBO = %s", number_caption(x[0] + y[0], 2).text),
                            .n = LINE_POINTS, .x = x, .y = y, .color = -1, .is_dashed = true};
    for (int r = 0; r < n; r++)
        add_run(f, &logs[r], &ways[r], r, &series[1 + r], &series[1 + n + r]);
    *chart = (lt_chart){.title = arena_copy_text(&f->memory, title ? title : "Rate and distortion"),
                        .subtitle = describe(f, logs, n), .x.label = "rate, nats per image",
                        .y.label = "distortion, nats per image", .series = series, .n_series = 2 * n + 1,
                        .legend = LT_LEGEND_ABOVE};
    figure_set_page(f, chart, 1, NULL, 1.25);
}

int lt_figure_rate_distortion(const char *const *runs, int n, const lt_rate_distortion_options *options,
                              lt_figure **out)
{
    lt_rate_distortion_options o = OPTIONS(lt_rate_distortion_options, options);
    run_log logs[LT_MAX_FIGURE_RUNS] = {{.name = NULL}};
    way ways[LT_MAX_FIGURE_RUNS];
    lt_figure *f = figure_create(LT_FIGURE_CHARTS);
    int status = check_run_count(n);
    if (status == LT_OK)
        status = run_logs_open(f, runs, n, logs);
    for (int r = 0; r < n && status == LT_OK; r++)
        status = read_way(f, &logs[r], runs[r], o.from, &ways[r]);
    if (status == LT_OK)
        draw_ways(f, logs, ways, n, o.title);
    run_logs_clear(logs, LT_MAX_FIGURE_RUNS);
    return figure_finish(f, status, out);
}
