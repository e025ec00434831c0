/* SPDX-License-Identifier: MIT */
/* The bound of K samples against K, with its standard error; all runs in one chart. */
#include "figures/run_charts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_IMAGES = 300, N_DRAWS = 9 };

static const int draws[N_DRAWS] = {1, 2, 5, 10, 20, 50, 100, 200, 500};

/* The bounds of one run. */
typedef struct run_bounds {
    const char *name;
    double x[N_DRAWS], y[N_DRAWS], low[N_DRAWS], high[N_DRAWS];
    lt_evaluation found;
    lt_split split;
    char set[LT_TEXT_SIZE];
} run_bounds;

static int evaluate(lt_model *m, lt_dataset *data, const lt_chart_data *o, run_bounds *b)
{
    int images = o->images ? o->images : DEFAULT_IMAGES;
    b->split = lt_dataset_split(data, b->split);
    int all = lt_dataset_describe(data)->n[b->split];
    lt_eval_options e = {.iwae = draws, .n_iwae = N_DRAWS, .images = images < all ? images : 0,
                         .run = o->run};
    LT_TRY(lt_evaluate(m, data, b->split, &e, &b->found));
    for (int i = 0; i < N_DRAWS; i++) {
        const lt_bound *of = &b->found.bounds[i];
        double se = isfinite(of->value.se) ? of->value.se : 0;
        b->x[i] = of->k;
        b->y[i] = of->value.value;
        b->low[i] = of->value.value - se;
        b->high[i] = of->value.value + se;
    }
    snprintf(b->set, sizeof b->set, "%s", lt_dataset_describe(data)->name);
    return LT_OK;
}

static int find_bounds(lt_figure *f, const char *run, const lt_chart_data *o, run_bounds *b)
{
    lt_dataset *data = NULL;
    char *name = lt_run_name(run);
    b->name = arena_copy_text(&f->memory, name);
    free(name);
    lt_model *m;
    LT_TRY(lt_model_open(run, &m));
    int status = lt_model_open_data(m, o->data, NULL, 0, &data);
    if (status == LT_OK)
        status = lt_model_check_data(m, data);
    if (status == LT_OK && lt_model_can(m, LT_CAN_LIKELIHOOD))
        status = lt_recipe_require(lt_model_recipe(m), LT_CAN_BOUND);
    else if (status == LT_OK)
        status = status_fail(LT_VALUE, "%s: a model without a likelihood has no bounds", run);
    if (status == LT_OK)
        status = evaluate(m, data, o, b);
    lt_dataset_free(data);
    lt_model_free(m);
    return status;
}

/* Describes the chart; for a single run with the ESS of the largest K: near 1, one sample dominates. */
static const char *describe(lt_figure *f, const run_bounds *b, int n)
{
    const lt_evaluation *e = &b->found;
    char text[160];
    snprintf(text, sizeof text, "%lld %s images, the same for each K; bars: standard errors", (long long)e->images,
             lt_split_name(b->split));
    if (n == 1)
        add_text(text, sizeof text, "; at K = %d the weight is that of %.1f", draws[N_DRAWS - 1],
                 e->bounds[N_DRAWS - 1].ess);
    return arena_copy_text(&f->memory, text);
}

static void draw_chart(lt_figure *f, const run_bounds *all, int n, const char *title)
{
    lt_series *series = FIGURE_ARRAY(f, lt_series, n);
    lt_chart *chart = FIGURE_ARRAY(f, lt_chart, 1);
    title = title ? title : n == 1 ? all[0].name : "Bounds of K draws";
    for (int i = 0; i < n; i++)
        series[i] = (lt_series){.name = n > 1 ? all[i].name : NULL, .data_name = all[i].name, .kind = LT_LINES_POINTS,
                                .n = N_DRAWS, .x = all[i].x, .y = all[i].y, .low = all[i].low, .high = all[i].high};
    *chart = (lt_chart){.title = arena_copy_text(&f->memory, title), .subtitle = describe(f, &all[0], n),
                        .series = series, .n_series = n,
                        .x = {.label = "K, draws from q(z|x) for each image", .is_log = true},
                        .y.label = "−L(K), nats per image: above −log p(x), nearer with K",
                        .legend = n == 1 ? LT_LEGEND_NONE : LT_LEGEND_AUTO};
    figure_set_page(f, chart, 1, NULL, 0);
}

/* Refuses bounds of different images, or in different units. */
static int check_alike(const run_bounds *all, int n, const char *const *runs)
{
    for (int i = 1; i < n; i++) {
        if (strcmp(all[0].set, all[i].set) != 0)
            return status_fail(LT_VALUE, "%s and %s: bounds on %s and on %s are not comparable", runs[0], runs[i],
                               all[0].set, all[i].set);
        if (all[0].found.unit != all[i].found.unit)
            return status_fail(LT_VALUE, "%s and %s: bounds of a %s and of a %s are not comparable", runs[0], runs[i],
                               lt_unit_name(all[0].found.unit), lt_unit_name(all[i].found.unit));
    }
    return LT_OK;
}

static int draw_bounds(lt_figure *f, const char *const *runs, int n, lt_split split, const lt_chart_data *o)
{
    LT_TRY(check_run_count(n));
    run_bounds *all = FIGURE_ARRAY(f, run_bounds, n);
    for (int i = 0; i < n; i++) {
        all[i].split = split;
        LT_TRY(find_bounds(f, runs[i], o, &all[i]));
    }
    LT_TRY(check_alike(all, n, runs));
    draw_chart(f, all, n, o->title);
    return LT_OK;
}

int lt_figure_bounds(const char *const *runs, int n, lt_split split, const lt_chart_data *options,
                     lt_figure **out)
{
    lt_chart_data o = OPTIONS(lt_chart_data, options);
    lt_figure *f = figure_create(LT_FIGURE_CHARTS);
    return figure_finish(f, draw_bounds(f, runs, n, split, &o), out);
}
