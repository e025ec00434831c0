/* SPDX-License-Identifier: MIT */
/* latent plot rate-distortion: the way of each run through the plane of rate and distortion, and
   where it ended. Their sum is -ELBO, so runs that are equally good by it lie on a falling line. */
#include "figure_command.h"

#include <math.h>
#include <stdlib.h>

enum { LINE_POINTS = 2 };

/* One run: validation, or training where there is none. */
typedef struct way {
    metrics log;
    double *rate, *distortion;
    int last; /* line with both; -1: none */
} way;

static bool read_way(const plot_request *q, way *w, const char *run)
{
    if (!metrics_read(q->command, &w->log, run))
        return false;
    bool is_valid = metrics_has(&w->log, "valid.rate");
    w->rate = plot_room((size_t)w->log.n, sizeof *w->rate);
    w->distortion = plot_room((size_t)w->log.n, sizeof *w->distortion);
    w->last = -1;
    for (int i = 0; i < w->log.n; i++) {
        bool is_before = metrics_value(&w->log, i, "epoch") < (double)q->from;
        w->rate[i] = is_before ? (double)NAN
                               : metrics_value(&w->log, i, is_valid ? "valid.rate" : "rate");
        w->distortion[i] = metrics_value(&w->log, i, is_valid ? "valid.distortion" : "distortion");
        if (isfinite(w->rate[i]) && isfinite(w->distortion[i]))
            w->last = i;
    }
    if (w->last < 0)
        complain(q->command, CODE_FAILED, "%s: no rate and distortion to draw (not a VAE?)", run);
    return w->last >= 0;
}

static void clear_way(way *w)
{
    metrics_clear(&w->log);
    free(w->rate);
    free(w->distortion);
}

/* The line of equal -ELBO through the best end, over the rates that occur. */
static void find_best(const way *ways, int n, double x[LINE_POINTS], double y[LINE_POINTS])
{
    double best = INFINITY;
    x[0] = INFINITY;
    x[1] = -INFINITY;
    for (int r = 0; r < n; r++) {
        best = fmin(best, ways[r].rate[ways[r].last] + ways[r].distortion[ways[r].last]);
        for (int i = 0; i < ways[r].log.n; i++) {
            x[0] = fmin(x[0], ways[r].rate[i]); /* fmin and fmax pass NaN over */
            x[1] = fmax(x[1], ways[r].rate[i]);
        }
    }
    for (int k = 0; k < LINE_POINTS; k++)
        y[k] = best - x[k];
}

/* What is said under the title: that runs of different things do not compare, if they are such. */
static void describe(const way *ways, int n, char *text, size_t size)
{
    add_words(text, size, "Each run from epoch to epoch, to the dot at its end");
    for (int r = 1; r < n; r++) {
        const lt_recipe *a = ways[0].log.recipe, *b = ways[r].log.recipe;
        const char *why = a && b ? lt_recipes_differ(a, b, LT_OF_LIKELIHOOD) : NULL;
        if (!why)
            continue;
        add_words(text, size, "; they do not compare: %s", why);
        say("warning: %s and %s do not compare: %s", ways[0].log.name, ways[r].log.name, why);
        return;
    }
}

static int draw(const plot_request *q, const way *ways, int n)
{
    double x[LINE_POINTS], y[LINE_POINTS];
    char name[96], about[256] = "";
    describe(ways, n, about, sizeof about);
    char ends[MAX_PLOT_RUNS][LT_TEXT_SIZE];
    lt_series series[2 * MAX_PLOT_RUNS + 1];
    int count = 0;
    find_best(ways, n, x, y);
    snprintf(name, sizeof name, "−ELBO = %s", number_caption(x[0] + y[0], 2).text);
    series[count++] = (lt_series){.name = name, .n = LINE_POINTS, .x = x, .y = y, .colour = -1,
                                  .is_dashed = true};
    for (int r = 0; r < n; r++)
        series[count++] = (lt_series){.data_name = ways[r].log.name, .n = ways[r].log.n,
                                      .x = ways[r].rate, .y = ways[r].distortion,
                                      .colour = r + 1};
    for (int r = 0; r < n; r++) {
        snprintf(ends[r], sizeof ends[r], "%s: its end", ways[r].log.name);
        series[count++] = (lt_series){.name = ways[r].log.name, .data_name = ends[r],
                                      .kind = LT_POINTS, .n = 1,
                                      .x = ways[r].rate + ways[r].last,
                                      .y = ways[r].distortion + ways[r].last, .colour = r + 1};
    }
    lt_chart chart = {.title = q->title ? q->title : "Rate and distortion",
                      .subtitle = about,
                      .x.label = "rate, nats per image", .y.label = "distortion, nats per image",
                      .series = series, .n_series = count, .legend = LT_LEGEND_ABOVE};
    return plot_write(q, &(lt_chart_page){.charts = &chart, .n_charts = 1}, 1.25);
}

int plot_tradeoff(const plot_request *q, int n, const char *const *runs)
{
    way ways[MAX_PLOT_RUNS] = {{.last = -1}};
    int read = 0;
    bool is_read = true;
    for (; is_read && read < n; read++)
        is_read = read_way(q, &ways[read], runs[read]);
    int code = is_read ? draw(q, ways, n) : CODE_FAILED;
    for (int i = 0; i < read; i++)
        clear_way(&ways[i]);
    return code;
}
