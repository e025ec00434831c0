/* SPDX-License-Identifier: MIT */
/* Training curves from metrics.jsonl: a chart per quantity, with all runs. */
#include "figures/run_charts.h"

#include <latent/ledger.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_CURVES = 3, SMOOTH_FROM = 200, SMOOTH_PARTS = 100 };

/* A number of metrics.jsonl, plus the one that `plus` names, and its name in the legend. */
typedef struct curve {
    const char *column, *name, *plus;
} curve;

/* -ELBO and the loss share a chart if all runs minimize -ELBO. The output of a discriminator is a probability in some
   runs and a score in others: two charts. Without a recipe it is unknown which. */
typedef enum panel_when {
    ALWAYS,
    IF_ELBO,
    IF_OTHER,
    OF_PROBABILITIES, /* only runs whose discriminator outputs probabilities */
    OF_SCORES,
    OF_UNKNOWN,
} panel_when;

/* What two runs must share to be comparable in a chart. */
typedef enum panel_of { OF_ANYTHING, OF_NATS, OF_LOSS } panel_of;

/* A chart. The first curve of a run is solid, the others are dashed if colors stand for runs. */
typedef struct panel {
    const char *title, *unit;
    panel_when when;
    panel_of of;
    bool must_vary; /* settings: plotted only if they change */
    curve curves[MAX_CURVES];
} panel;

static const char NATS[] = "nats per image";

static const panel panels[] = {
    {"−ELBO, the loss", NATS, IF_ELBO, OF_NATS, false,
     {{.column = "valid.neg_elbo", .name = "validation"}, {.column = "loss", .name = "training"}}},
    {"Loss, as training has it", NATS, IF_OTHER, OF_LOSS, false,
     {{.column = "valid.loss", .name = "validation"}, {.column = "loss", .name = "training"}}},
    {"−ELBO: distortion + rate", NATS, IF_OTHER, OF_NATS, false,
     {{.column = "valid.neg_elbo", .name = "validation"},
      {.column = "distortion", .plus = "rate", .name = "training"}}},
    {"Distortion", NATS, ALWAYS, OF_NATS, false,
     {{.column = "valid.distortion", .name = "validation"},
      {.column = "distortion", .name = "training"}}},
    {"Rate", NATS, ALWAYS, OF_NATS, false,
     {{.column = "valid.rate", .name = "validation"}, {.column = "rate", .name = "training"}}},
    {"Divergence, the discriminator's estimate", NULL, ALWAYS, OF_LOSS, false,
     {{.column = "estimate", .name = "estimate"}}},
    {"Losses", NULL, ALWAYS, OF_LOSS, false,
     {{.column = "discriminator_loss", .name = "discriminator"},
      {.column = "generator_loss", .name = "generator"}}},
    {"D(x), mean", "probability of being real", OF_PROBABILITIES, OF_NATS, false,
     {{.column = "d_real", .name = "real"}, {.column = "d_fake", .name = "generated"}}},
    {"critic(x), mean", "score, not a probability", OF_SCORES, OF_LOSS, false,
     {{.column = "d_real", .name = "real"}, {.column = "d_fake", .name = "generated"}}},
    {"What the discriminator says, mean", "D(x) or score: no recipe beside the log", OF_UNKNOWN, OF_LOSS,
     false,
     {{.column = "d_real", .name = "real"}, {.column = "d_fake", .name = "generated"}}},
    {"Pixel std ratio", "generated over real images", ALWAYS, OF_NATS, false,
     {{.column = "pixel_std_ratio", .name = "pixel_std_ratio"}}},
    {"Penalty", NULL, ALWAYS, OF_LOSS, false, {{.column = "penalty", .name = "penalty"}}},
    {"Norm of the discriminator's gradient", NULL, ALWAYS, OF_LOSS, false,
     {{.column = "gradient_norm", .name = "norm"}}},
    {"Capacity of the rate", NATS, ALWAYS, OF_ANYTHING, true,
     {{.column = "capacity", .name = "capacity"}}},
    {"Beta, the weight of the rate", NULL, ALWAYS, OF_ANYTHING, true,
     {{.column = "beta", .name = "beta"}}},
    {"Sigma of the likelihood", NULL, ALWAYS, OF_ANYTHING, true,
     {{.column = "sigma", .name = "sigma"}}},
    {"Learning rate", NULL, ALWAYS, OF_ANYTHING, true,
     {{.column = "learning_rate", .name = "learning rate"}}},
};
enum { N_PANELS = sizeof panels / sizeof panels[0] };

/* All runs, and the charts made so far. */
typedef struct curves {
    const lt_curves_options *o;
    lt_figure *f; /* owns everything except the logs */
    const run_log *runs;
    int n_runs;
    double *x[LT_MAX_FIGURE_RUNS];
    lt_curves_by by;
    lt_chart *charts; /* N_PANELS + LT_METRICS at most */
    int n_charts;
    const char *noted; /* the last difference that has a note */
} curves;

static double value_of(const run_log *m, int line, const char *name)
{
    return lt_run_metrics_value(m->metrics, line, name);
}

/* ---- The x axis ---- */

static bool is_growing(const run_log *m, const char *column)
{
    double last = -1;
    for (int i = 0; i < m->n; i++) {
        double v = value_of(m, i, column);
        if (!(v > last))
            return false;
        last = v;
    }
    return true;
}

/* Epochs, unless an epoch has several lines. */
static lt_curves_by choose_by(const curves *c)
{
    if (c->o->by != LT_BY_AUTO)
        return c->o->by;
    for (int r = 0; r < c->n_runs; r++)
        if (!is_growing(&c->runs[r], "epoch"))
            return LT_BY_STEP;
    return LT_BY_EPOCH;
}

/* `seconds` counts from the previous line. */
static double *read_x(lt_figure *f, const run_log *m, lt_curves_by by, double from)
{
    double *x = FIGURE_ARRAY(f, double, m->n), seconds = 0;
    for (int i = 0; i < m->n; i++) {
        double spent = value_of(m, i, "seconds");
        seconds += isnan(spent) ? 0 : spent;
        x[i] = by == LT_BY_SECONDS ? seconds : value_of(m, i, by == LT_BY_EPOCH ? "epoch" : "step");
        if (x[i] < from)
            x[i] = (double)NAN; /* not plotted */
    }
    return x;
}

/* ---- Charts ---- */

static double curve_value(const run_log *m, int i, const curve *k)
{
    double value = value_of(m, i, k->column);
    return k->plus ? value + value_of(m, i, k->plus) : value;
}

static double *read_y(lt_figure *f, const run_log *m, const curve *k, const double *x)
{
    double *y = FIGURE_ARRAY(f, double, m->n);
    for (int i = 0; i < m->n; i++)
        y[i] = isnan(x[i]) ? (double)NAN : curve_value(m, i, k);
    return y;
}

static double smoothing(const lt_curves_options *o, int n)
{
    if (o->smooth)
        return o->smooth > 0 ? o->smooth : 0;
    return n >= SMOOTH_FROM ? (double)n / SMOOTH_PARTS : 0;
}

static bool has_curve(const run_log *m, const curve *k)
{
    return lt_run_metrics_has(m->metrics, k->column) && (!k->plus || lt_run_metrics_has(m->metrics, k->plus));
}

/* What the output of a run's discriminator is. */
static panel_when score_kind(const run_log *m)
{
    lt_score score;
    if (!m->recipe || !lt_recipe_score(m->recipe, &score))
        return OF_UNKNOWN;
    return score.is_probability ? OF_PROBABILITIES : OF_SCORES;
}

/* "RUN: validation": tells curves of several runs apart in csv. */
static const char *data_name(lt_figure *f, const run_log *m, const curve *k)
{
    return arena_format(&f->memory, "%s: %s", m->name, k->name);
}

/* Adds the curves of one run; returns how many. */
static int add_run(const curves *c, const panel *p, int r, lt_series *out)
{
    const run_log *m = &c->runs[r];
    bool is_alone = c->n_runs == 1;
    int n = 0;
    if (p->when >= OF_PROBABILITIES && p->when != score_kind(m))
        return 0;
    for (int k = 0; k < MAX_CURVES && p->curves[k].column; k++) {
        if (!has_curve(m, &p->curves[k]))
            continue;
        out[n] = (lt_series){.name = is_alone ? p->curves[k].name : n == 0 ? m->name : NULL,
                             .data_name = is_alone ? NULL : data_name(c->f, m, &p->curves[k]),
                             .n = m->n, .x = c->x[r], .y = read_y(c->f, m, &p->curves[k], c->x[r]),
                             .color = is_alone ? k + 1 : r + 1,
                             .is_dashed = !is_alone && n > 0, .smooth = smoothing(c->o, m->n)};
        n++;
    }
    return n;
}

static bool varies(const lt_chart *chart)
{
    for (int s = 0; s < chart->n_series; s++) {
        double low = INFINITY, high = -INFINITY;
        for (int i = 0; i < chart->series[s].n; i++) {
            low = fmin(low, chart->series[s].y[i]);
            high = fmax(high, chart->series[s].y[i]);
        }
        if (high > low)
            return true;
    }
    return false;
}

/* Whether a chart has values other than 0: a penalty that the loss does not use is always 0. */
static bool has_values(const lt_chart *chart)
{
    for (int s = 0; s < chart->n_series; s++)
        for (int i = 0; i < chart->series[s].n; i++)
            if (isfinite(chart->series[s].y[i]) && chart->series[s].y[i] != 0)
                return true;
    return false;
}

static bool is_positive(const lt_chart *chart)
{
    for (int s = 0; s < chart->n_series; s++)
        for (int i = 0; i < chart->series[s].n; i++)
            if (chart->series[s].y[i] <= 0)
                return false;
    return true;
}

/* Whether a run has a curve in the chart. */
static bool is_drawn(const curves *c, const panel *p, int r)
{
    bool is_there = false;
    for (int k = 0; k < MAX_CURVES && p->curves[k].column; k++)
        is_there |= has_curve(&c->runs[r], &p->curves[k]);
    return is_there && (p->when < OF_PROBABILITIES || p->when == score_kind(&c->runs[r]));
}

/* Why two runs of a chart are not comparable, for the first such pair; NULL if all are. */
static const char *find_difference(const curves *c, const panel *p, int *first, int *other)
{
    *first = -1;
    for (int r = 0; r < c->n_runs && p->of != OF_ANYTHING; r++) {
        const lt_recipe *recipe = c->runs[r].recipe;
        if (!recipe || !is_drawn(c, p, r))
            continue;
        if (*first < 0) {
            *first = r;
            continue;
        }
        const char *why = lt_recipes_differ(c->runs[*first].recipe, recipe,
                                            p->of == OF_LOSS ? LT_NUMBERS_OBJECTIVE : LT_NUMBERS_LIKELIHOOD);
        *other = r;
        if (why)
            return why;
    }
    return NULL;
}

/* "are not comparable: the data sets differ. validation; dashed: training", where runs have the colors.
   NULL: nothing. */
static const char *explain_chart(curves *c, const panel *p)
{
    enum { SIZE = 256 };
    int found = 0, first, other;
    if (c->n_runs == 1)
        return NULL;
    char *note = FIGURE_ARRAY(c->f, char, SIZE);
    const char *why = find_difference(c, p, &first, &other);
    if (why) {
        add_text(note, SIZE, "are not comparable: %s", why);
        if (why != c->noted)
            figure_note(c->f, "warning: %s and %s are not comparable: %s", c->runs[first].name, c->runs[other].name, why);
        c->noted = why;
    }
    for (int k = 0; k < MAX_CURVES && p->curves[k].column && p->curves[1].column; k++) {
        bool is_there = false;
        for (int r = 0; r < c->n_runs; r++)
            is_there |= has_curve(&c->runs[r], &p->curves[k]);
        if (is_there && found++ < 2)
            add_text(note, SIZE, "%s%s", found == 2 ? "; dashed: " : why ? "; " : "",
                      p->curves[k].name);
    }
    return note[0] ? note : NULL;
}

/* Adds the chart of a panel if the runs have values for it. */
static void add_panel(curves *c, const panel *p)
{
    static const char *const labels[] = {[LT_BY_EPOCH] = "epoch", [LT_BY_STEP] = "step",
                                         [LT_BY_SECONDS] = "seconds of training"};
    lt_series *series = FIGURE_ARRAY(c->f, lt_series, c->n_runs * MAX_CURVES);
    lt_chart chart = {.title = p->title, .series = series,
                      .x = {.label = labels[c->by], .is_whole = true, .is_log = c->o->log_x}};
    for (int r = 0; r < c->n_runs; r++)
        chart.n_series += add_run(c, p, r, series + chart.n_series);
    if (!has_values(&chart) || (p->must_vary && !varies(&chart)))
        return;
    chart.y.label = p->unit;
    chart.y.is_log = c->o->log_y && is_positive(&chart);
    if (c->o->log_y && !chart.y.is_log)
        figure_note(c->f, "%s: not all values are positive, so this axis is not logarithmic", p->title);
    chart.legend = c->n_runs == 1 && chart.n_series == 1 ? LT_LEGEND_NONE : LT_LEGEND_AUTO;
    chart.subtitle = explain_chart(c, p);
    c->charts[c->n_charts++] = chart;
}

/* Whether two numbers are equal in single precision. */
static bool is_same(double a, double b) { return !(fabs(a - b) > 1e-5 * fabs(a) + 1e-3); }

/* Whether the loss is -ELBO in each line, in training and, if logged, in validation. */
static bool is_elbo(const run_log *m)
{
    for (int i = 0; i < m->n; i++) {
        double loss = value_of(m, i, "loss"), valid = value_of(m, i, "valid.loss");
        double sum = value_of(m, i, "distortion") + value_of(m, i, "rate");
        if (!is_same(loss, sum) || !is_same(valid, value_of(m, i, "valid.neg_elbo")))
            return false;
    }
    return true;
}

static bool is_wanted(const curves *c, const panel *p)
{
    bool all = true;
    for (int r = 0; r < c->n_runs; r++)
        all &= is_elbo(&c->runs[r]);
    return (p->when != IF_ELBO && p->when != IF_OTHER) || (p->when == IF_ELBO) == all;
}

static bool is_in_table(const char *column)
{
    for (int p = 0; p < N_PANELS; p++)
        for (int k = 0; k < MAX_CURVES && panels[p].curves[k].column; k++)
            if (strcmp(panels[p].curves[k].column, column) == 0)
                return true;
    return false;
}

/* Whether an earlier run also reports the metric. */
static bool is_of_earlier(const curves *c, int run, const char *name)
{
    for (int r = 0; r < run; r++) {
        const lt_recipe *recipe = lt_run_metrics_recipe(c->runs[r].metrics);
        if (recipe && lt_recipe_metric(recipe, name))
            return true;
    }
    return false;
}

/* Adds a chart for each metric of a kind of model that the table does not have. */
static void add_other_metrics(curves *c)
{
    for (int r = 0; r < c->n_runs; r++) {
        const lt_recipe *recipe = lt_run_metrics_recipe(c->runs[r].metrics);
        int n = 0;
        const lt_metric *m = recipe ? lt_recipe_metrics(recipe, &n) : NULL;
        for (int i = 0; i < n && c->n_charts < N_PANELS + LT_METRICS; i++)
            if (m[i].chart && !is_in_table(m[i].name) && !is_of_earlier(c, r, m[i].name))
                add_panel(c, &(panel){m[i].chart, m[i].unit, ALWAYS, OF_LOSS, false,
                                      {{.column = m[i].name, .name = m[i].label ? m[i].label : m[i].name}}});
    }
}

/* ---- The figure ---- */

/* "20 epochs; at the end -ELBO 101.11 +- 0.25 nats per image (10000 validation images)". */
static void describe(const curves *c, char *text, size_t size)
{
    const run_log *m = &c->runs[0];
    int last = m->n - 1;
    double epoch = value_of(m, last, "epoch"), elbo = value_of(m, last, "valid.neg_elbo"),
           se = value_of(m, last, "valid.neg_elbo_se"), loss = value_of(m, last, "loss");
    if (isnan(epoch))
        snprintf(text, size, "%d lines", m->n);
    else
        snprintf(text, size, fabs(epoch) < 1e9 ? "%.0f epoch%s" : "%g epoch%s", epoch,
                 epoch == 1 ? "" : "s");
    if (!isnan(elbo))
        add_text(text, size, "; at the end −ELBO %.2f ± %.2f nats per image, %.0f images of validation",
                  elbo, isnan(se) ? 0 : se, value_of(m, last, "valid.images"));
    else if (!isnan(loss))
        add_text(text, size, "; at the end loss %.4g", loss);
}

static int draw_charts(curves *c)
{
    char about[160] = "", title[64];
    c->by = choose_by(c);
    c->charts = FIGURE_ARRAY(c->f, lt_chart, N_PANELS + LT_METRICS);
    for (int r = 0; r < c->n_runs; r++)
        c->x[r] = read_x(c->f, &c->runs[r], c->by, c->o->from);
    for (int p = 0; p < N_PANELS; p++)
        if (is_wanted(c, &panels[p]))
            add_panel(c, &panels[p]);
    add_other_metrics(c);
    if (c->n_charts == 0)
        return status_fail(LT_VALUE, "%s: no numbers to draw%s", c->runs[0].name,
                           c->o->from > 0 ? " from there on" : "");
    if (c->n_runs == 1)
        describe(c, about, sizeof about);
    snprintf(title, sizeof title, "%d runs", c->n_runs);
    figure_set_page(c->f, c->charts, c->n_charts,
                    c->o->title ? c->o->title : c->n_runs == 1 ? c->runs[0].name : title, 0);
    c->f->page.subtitle = about[0] ? arena_copy_text(&c->f->memory, about) : NULL;
    c->f->info.subtitle = c->f->page.subtitle;
    return LT_OK;
}

/* Runs of the same name are named by their paths. Finds duplicates before it changes the first name. */
static void tell_apart(lt_figure *f, run_log *logs, int n, const char *const *paths)
{
    bool *is_double = FIGURE_ARRAY(f, bool, n);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < n; k++)
            is_double[i] |= i != k && strcmp(logs[i].name, logs[k].name) == 0;
    for (int i = 0; i < n; i++)
        if (is_double[i])
            logs[i].name = arena_copy_text(&f->memory, paths[i]);
}

int lt_figure_curves(const char *const *runs, int n, const lt_curves_options *options, lt_figure **out)
{
    lt_curves_options o = OPTIONS(lt_curves_options, options);
    run_log logs[LT_MAX_FIGURE_RUNS] = {{.name = NULL}};
    lt_figure *f = figure_create(LT_FIGURE_CHARTS);
    int status = check_run_count(n);
    if (status == LT_OK)
        status = run_logs_open(f, runs, n, logs);
    if (status == LT_OK) {
        tell_apart(f, logs, n, runs);
        curves c = {.o = &o, .f = f, .runs = logs, .n_runs = n};
        status = draw_charts(&c);
    }
    run_logs_clear(logs, LT_MAX_FIGURE_RUNS);
    return figure_finish(f, status, out);
}
