/* SPDX-License-Identifier: MIT */
/* latent plot bounds: the bound of K draws against K, with its standard error; all runs in one
   chart. */
#include "plot_kinds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_IMAGES = 300, N_DRAWS = 9 };

static const int draws[N_DRAWS] = {1, 2, 5, 10, 20, 50, 100, 200, 500};

/* The bounds of one run. */
typedef struct bounds {
    char *name;
    double x[N_DRAWS], y[N_DRAWS], low[N_DRAWS], high[N_DRAWS];
    lt_evaluation found;
    lt_split split;
    char set[LT_TEXT_SIZE];
} bounds;

static bool show_progress(void *user, double done)
{
    meter *m = user;
    if (meter_is_due(m))
        meter_draw(m, done, "bounds %3.0f %%", 100 * done);
    return !is_stopped();
}

static int evaluate(const plot_request *q, const trained *t, bounds *b)
{
    meter m;
    int64_t images = q->images ? q->images : DEFAULT_IMAGES;
    b->split = lt_dataset_split(t->data, (lt_split)q->split);
    int all = lt_dataset_describe(t->data)->n[b->split];
    meter_begin(&m);
    lt_eval_options o = {.iwae = draws, .n_iwae = N_DRAWS, .images = images < all ? (int)images : 0,
                         .run = {.threads = (int)q->threads, .progress = show_progress, .user = &m}};
    int status = lt_evaluate(t->model, t->data, b->split, &o, &b->found);
    meter_clear(&m);
    LT_TRY(status);
    for (int i = 0; i < N_DRAWS; i++) {
        const lt_bound *of = &b->found.bounds[i];
        double se = isfinite(of->value.se) ? of->value.se : 0;
        b->x[i] = of->k;
        b->y[i] = of->value.value;
        b->low[i] = of->value.value - se;
        b->high[i] = of->value.value + se;
    }
    snprintf(b->set, sizeof b->set, "%s", lt_dataset_describe(t->data)->name);
    return LT_OK;
}

static int find_bounds(const plot_request *q, const char *run, bounds *b)
{
    trained t;
    int code = CODE_DONE, status = trained_open(&t, run, true, q->data);
    b->name = plot_name(run);
    if (status == LT_OK && !lt_model_has_likelihood(t.model))
        code = complain(q->command, CODE_FAILED, "%s: a model without a likelihood has no bounds",
                        run);
    else if (status == LT_OK)
        status = evaluate(q, &t, b);
    trained_close(&t);
    return status == LT_OK ? code : complain_library(q->command, status);
}

/* Of one run also how many of the most draws count: near 1, one decides. */
static void describe(const bounds *b, int n, char *text, size_t size)
{
    const lt_evaluation *e = &b->found;
    int used = snprintf(text, size, "%lld %s images, the same for each K; bars: standard errors",
                        (long long)e->images, split_names[b->split]);
    if (n == 1)
        snprintf(text + used, size - (size_t)used, "; at K = %d the weight is that of %.1f",
                 draws[N_DRAWS - 1], e->bounds[N_DRAWS - 1].ess);
}

static int draw_chart(const plot_request *q, bounds *all, int n)
{
    lt_series series[MAX_PLOT_RUNS];
    char about[160];
    describe(&all[0], n, about, sizeof about);
    for (int i = 0; i < n; i++)
        series[i] = (lt_series){.name = n > 1 ? all[i].name : NULL, .data_name = all[i].name, .kind = LT_LINES_POINTS,
                                .n = N_DRAWS, .x = all[i].x, .y = all[i].y, .low = all[i].low,
                                .high = all[i].high};
    lt_chart chart = {.title = q->title ? q->title : n == 1 ? all[0].name : "Bounds of K draws",
                      .subtitle = about, .series = series, .n_series = n,
                      .x = {.label = "K, draws from q(z|x) for each image", .is_log = true},
                      .y.label = "−L(K), nats per image: above −log p(x), nearer with K",
                      .legend = n == 1 ? LT_LEGEND_NONE : LT_LEGEND_AUTO};
    return plot_write(q, &(lt_chart_page){.charts = &chart, .n_charts = 1}, 0);
}

/* Bounds of different images, or of logarithms of different things, make no chart. */
static int check_alike(const plot_request *q, const bounds *all, int n, const char *const *runs)
{
    for (int i = 1; i < n; i++) {
        if (strcmp(all[0].set, all[i].set) != 0)
            return complain(q->command, CODE_FAILED, "%s and %s: bounds on %s and on %s do not "
                            "compare", runs[0], runs[i], all[0].set, all[i].set);
        if (all[0].found.unit != all[i].found.unit)
            return complain(q->command, CODE_FAILED, "%s and %s: bounds of a %s and of a %s do not "
                            "compare", runs[0], runs[i], lt_unit_name(all[0].found.unit),
                            lt_unit_name(all[i].found.unit));
    }
    return CODE_DONE;
}

int plot_bounds(const plot_request *q, int n, const char *const *runs)
{
    bounds *all = plot_room((size_t)n, sizeof *all);
    int code = CODE_DONE;
    watch_signals();
    for (int i = 0; i < n && code == CODE_DONE; i++)
        code = find_bounds(q, runs[i], &all[i]);
    if (code == CODE_DONE)
        code = check_alike(q, all, n, runs);
    if (code == CODE_DONE)
        code = draw_chart(q, all, n);
    for (int i = 0; i < n; i++)
        free(all[i].name);
    free(all);
    return code;
}
