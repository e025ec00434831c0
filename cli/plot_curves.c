/* SPDX-License-Identifier: MIT */
/* latent plot curves: what training wrote into metrics.jsonl, one chart for each quantity that is
   there, all runs in each. */
#include "plot_kinds.h"

#include <latent/ledger.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CURVES = 3, SMOOTH_FROM = 200, SMOOTH_PARTS = 100 };

/* A number of metrics.jsonl, with another one added where `plus` names it, and what it is called
   beside other curves of its chart. */
typedef struct curve {
    const char *column, *name, *plus;
} curve;

/* -ELBO and the loss are one chart where all runs minimize -ELBO. What a critic says of images is a
   probability in some runs and a score in others, which are two charts; where there is no recipe to
   tell, it is not known. */
typedef enum panel_when {
    ALWAYS,
    IF_ELBO,
    IF_OTHER,
    OF_PROBABILITIES, /* the runs whose critic gives them, and no others */
    OF_SCORES,
    OF_UNKNOWN,
} panel_when;

/* What two runs must have in common for a chart of them to compare. */
typedef enum panel_of { OF_ANYTHING, OF_NATS, OF_LOSS } panel_of;

/* One chart. The first curve that a run has is drawn solid, the others dashed where runs have the
   colours. */
typedef struct panel {
    const char *title, *unit;
    panel_when when;
    panel_of of;
    bool must_vary; /* settings: drawn only if they change */
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
    {"Divergence, the critic's estimate", NULL, ALWAYS, OF_LOSS, false,
     {{.column = "estimate", .name = "estimate"}}},
    {"Losses", NULL, ALWAYS, OF_LOSS, false,
     {{.column = "critic_loss", .name = "critic"},
      {.column = "generator_loss", .name = "generator"}}},
    {"D(x), mean", "probability of being real", OF_PROBABILITIES, OF_NATS, false,
     {{.column = "d_real", .name = "real"}, {.column = "d_fake", .name = "generated"}}},
    {"critic(x), mean", "score, not a probability", OF_SCORES, OF_LOSS, false,
     {{.column = "d_real", .name = "real"}, {.column = "d_fake", .name = "generated"}}},
    {"What the critic says, mean", "D(x) or score: no recipe beside the log", OF_UNKNOWN, OF_LOSS,
     false,
     {{.column = "d_real", .name = "real"}, {.column = "d_fake", .name = "generated"}}},
    {"Spread of pixels", "generated over real images", ALWAYS, OF_NATS, false,
     {{.column = "spread", .name = "spread"}}},
    {"Penalty", NULL, ALWAYS, OF_LOSS, false, {{.column = "penalty", .name = "penalty"}}},
    {"Norm of the critic's gradient", NULL, ALWAYS, OF_LOSS, false,
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

/* Everything that one figure borrows. */
typedef struct curves {
    const plot_request *q;
    metrics *runs;
    int n_runs;
    double *x[MAX_PLOT_RUNS];
    int by;
    lt_chart charts[N_PANELS];
    char *notes[N_PANELS];
    int n_charts;
    const char *warned; /* the last difference that was warned of */
} curves;

/* ---- The x axis ---- */

static bool is_growing(const metrics *m, const char *column)
{
    double last = -1;
    for (int i = 0; i < m->n; i++) {
        double v = metrics_value(m, i, column);
        if (!(v > last))
            return false;
        last = v;
    }
    return true;
}

/* Epochs, unless several lines are of one epoch. */
static int choose_by(const curves *c)
{
    if (c->q->by != BY_AUTO)
        return c->q->by;
    for (int r = 0; r < c->n_runs; r++)
        if (!is_growing(&c->runs[r], "epoch"))
            return BY_STEP;
    return BY_EPOCH;
}

/* `seconds` are those since the line before. */
static double *read_x(const metrics *m, int by, double from)
{
    double *x = plot_room((size_t)m->n, sizeof *x), seconds = 0;
    for (int i = 0; i < m->n; i++) {
        double spent = metrics_value(m, i, "seconds");
        seconds += isnan(spent) ? 0 : spent;
        x[i] = by == BY_SECONDS ? seconds : metrics_value(m, i, by == BY_EPOCH ? "epoch" : "step");
        if (x[i] < from)
            x[i] = (double)NAN; /* left out */
    }
    return x;
}

/* ---- Charts ---- */

static double curve_value(const metrics *m, int i, const curve *k)
{
    double value = metrics_value(m, i, k->column);
    return k->plus ? value + metrics_value(m, i, k->plus) : value;
}

static double *read_y(const metrics *m, const curve *k, const double *x)
{
    double *y = plot_room((size_t)m->n, sizeof *y);
    for (int i = 0; i < m->n; i++)
        y[i] = isnan(x[i]) ? (double)NAN : curve_value(m, i, k);
    return y;
}

static double smoothing(const plot_request *q, int n)
{
    if (q->smooth >= 0)
        return (double)q->smooth;
    return n >= SMOOTH_FROM ? (double)n / SMOOTH_PARTS : 0;
}

static bool has_curve(const metrics *m, const curve *k)
{
    return metrics_has(m, k->column) && (!k->plus || metrics_has(m, k->plus));
}

/* What the critic of a run says of images. */
static panel_when score_kind(const metrics *m)
{
    lt_score score;
    if (!m->recipe || !lt_recipe_score(m->recipe, &score))
        return OF_UNKNOWN;
    return score.is_probability ? OF_PROBABILITIES : OF_SCORES;
}

/* "RUN: validation": what tells the curves of several runs apart where there is no color. */
static char *data_name(const metrics *m, const curve *k)
{
    size_t size = strlen(m->name) + strlen(k->name) + sizeof ": ";
    char *name = plot_room(size, 1);
    snprintf(name, size, "%s: %s", m->name, k->name);
    return name;
}

/* The curves of one run; gives how many there are. */
static int add_run(const curves *c, const panel *p, int r, lt_series *out)
{
    const metrics *m = &c->runs[r];
    bool is_alone = c->n_runs == 1;
    int n = 0;
    if (p->when >= OF_PROBABILITIES && p->when != score_kind(m))
        return 0;
    for (int k = 0; k < MAX_CURVES && p->curves[k].column; k++) {
        if (!has_curve(m, &p->curves[k]))
            continue;
        out[n] = (lt_series){.name = is_alone ? p->curves[k].name : n == 0 ? m->name : NULL,
                             .data_name = is_alone ? NULL : data_name(m, &p->curves[k]),
                             .n = m->n, .x = c->x[r], .y = read_y(m, &p->curves[k], c->x[r]),
                             .colour = is_alone ? k + 1 : r + 1,
                             .is_dashed = !is_alone && n > 0, .smooth = smoothing(c->q, m->n)};
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

/* What is 0 throughout, such as a penalty that a loss does not have, says nothing. */
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

/* Why runs of a chart do not compare, of the first pair that does not; NULL if they do. */
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
                                            p->of == OF_LOSS ? LT_OF_OBJECTIVE : LT_OF_LIKELIHOOD);
        *other = r;
        if (why)
            return why;
    }
    return NULL;
}

/* "do not compare: the data sets differ. validation; dashed: training", where runs have the colours.
   Freed by the caller; may be NULL. */
static char *explain_chart(curves *c, const panel *p)
{
    enum { SIZE = 256 };
    int found = 0, first, other;
    if (c->n_runs == 1)
        return NULL;
    char *note = plot_room(SIZE, 1);
    const char *why = find_difference(c, p, &first, &other);
    if (why) {
        add_words(note, SIZE, "do not compare: %s", why);
        if (why != c->warned)
            say("warning: %s and %s do not compare: %s", c->runs[first].name, c->runs[other].name,
                why);
        c->warned = why;
    }
    for (int k = 0; k < MAX_CURVES && p->curves[k].column && p->curves[1].column; k++) {
        bool is_there = false;
        for (int r = 0; r < c->n_runs; r++)
            is_there |= has_curve(&c->runs[r], &p->curves[k]);
        if (is_there && found++ < 2)
            add_words(note, SIZE, "%s%s", found == 2 ? "; dashed: " : why ? "; " : "",
                      p->curves[k].name);
    }
    if (note[0])
        return note;
    free(note);
    return NULL;
}

static void clear_chart(lt_chart *chart)
{
    for (int s = 0; s < chart->n_series; s++) {
        free((void *)(uintptr_t)chart->series[s].y);
        free((void *)(uintptr_t)chart->series[s].data_name);
    }
    free((void *)(uintptr_t)chart->series);
}

/* Adds the chart of a panel if the runs have something for it. */
static void add_panel(curves *c, const panel *p)
{
    static const char *const labels[] = {[BY_EPOCH] = "epoch", [BY_STEP] = "step",
                                         [BY_SECONDS] = "seconds of training"};
    lt_series *series = plot_room((size_t)c->n_runs * MAX_CURVES, sizeof *series);
    lt_chart chart = {.title = p->title, .series = series,
                      .x = {.label = labels[c->by], .is_whole = true, .is_log = c->q->log_x}};
    for (int r = 0; r < c->n_runs; r++)
        chart.n_series += add_run(c, p, r, series + chart.n_series);
    if (!has_values(&chart) || (p->must_vary && !varies(&chart))) {
        clear_chart(&chart);
        return;
    }
    chart.y.label = p->unit;
    chart.y.is_log = c->q->log_y && is_positive(&chart);
    if (c->q->log_y && !chart.y.is_log)
        say("%s: not all values are positive, so this axis is not logarithmic", p->title);
    chart.legend = c->n_runs == 1 && chart.n_series == 1 ? LT_LEGEND_NONE : LT_LEGEND_AUTO;
    chart.subtitle = c->notes[c->n_charts] = explain_chart(c, p);
    c->charts[c->n_charts++] = chart;
}

/* Whether two numbers of single precision are one. */
static bool is_same(double a, double b) { return !(fabs(a - b) > 1e-5 * fabs(a) + 1e-3); }

/* Whether each line says that the loss is -ELBO: of training, and of validation where it was logged. */
static bool is_elbo(const metrics *m)
{
    for (int i = 0; i < m->n; i++) {
        double loss = metrics_value(m, i, "loss"), valid = metrics_value(m, i, "valid.loss");
        double sum = metrics_value(m, i, "distortion") + metrics_value(m, i, "rate");
        if (!is_same(loss, sum) || !is_same(valid, metrics_value(m, i, "valid.neg_elbo")))
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

/* ---- The figure ---- */

/* "20 epochs; at the end -ELBO 101.11 +- 0.25 nats per image (10000 validation images)". */
static void describe(const curves *c, char *text, size_t size)
{
    const metrics *m = &c->runs[0];
    int last = m->n - 1;
    double epoch = metrics_value(m, last, "epoch"), elbo = metrics_value(m, last, "valid.neg_elbo"),
           se = metrics_value(m, last, "valid.neg_elbo_se"), loss = metrics_value(m, last, "loss");
    if (isnan(epoch))
        snprintf(text, size, "%d lines", m->n);
    else
        snprintf(text, size, fabs(epoch) < 1e9 ? "%.0f epoch%s" : "%g epoch%s", epoch,
                 epoch == 1 ? "" : "s");
    if (!isnan(elbo))
        add_words(text, size, "; at the end −ELBO %.2f ± %.2f nats per image, %.0f images of validation",
                  elbo, isnan(se) ? 0 : se, metrics_value(m, last, "valid.images"));
    else if (!isnan(loss))
        add_words(text, size, "; at the end loss %.4g", loss);
}

static int write_figure(const curves *c)
{
    char about[160] = "", title[64];
    if (c->n_runs == 1)
        describe(c, about, sizeof about);
    snprintf(title, sizeof title, "%d runs", c->n_runs);
    lt_chart_page f = {.title = c->q->title ? c->q->title : c->n_runs == 1 ? c->runs[0].name : title,
                   .subtitle = about[0] ? about : NULL, .charts = c->charts,
                   .n_charts = c->n_charts};
    return plot_write(c->q, &f, 0);
}

static int draw(curves *c)
{
    c->by = choose_by(c);
    for (int r = 0; r < c->n_runs; r++)
        c->x[r] = read_x(&c->runs[r], c->by, (double)c->q->from);
    for (int p = 0; p < N_PANELS; p++)
        if (is_wanted(c, &panels[p]))
            add_panel(c, &panels[p]);
    int code = c->n_charts > 0 ? write_figure(c)
                               : complain(c->q->command, CODE_FAILED,
                                          "%s: no numbers to draw%s", c->runs[0].name,
                                          c->q->from > 0 ? " from there on" : "");
    for (int i = 0; i < c->n_charts; i++) {
        clear_chart(&c->charts[i]);
        free(c->notes[i]);
    }
    for (int r = 0; r < c->n_runs; r++)
        free(c->x[r]);
    return code;
}

int plot_curves(const plot_request *q, int n, const char *const *paths)
{
    metrics runs[MAX_PLOT_RUNS];
    int read = 0;
    bool is_read = true;
    while (is_read && read < n) {
        is_read = metrics_read(q->command, &runs[read], paths[read]);
        read++;
    }
    int code = CODE_FAILED;
    if (is_read) {
        char **names[MAX_PLOT_RUNS];
        for (int i = 0; i < n; i++)
            names[i] = &runs[i].name;
        tell_apart(names, n, paths);
        curves c = {.q = q, .runs = runs, .n_runs = n};
        code = draw(&c);
    }
    for (int i = 0; i < read; i++)
        metrics_clear(&runs[i]);
    return code;
}
