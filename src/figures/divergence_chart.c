/* SPDX-License-Identifier: MIT */
/* Estimates of critics beside the truth: one chart per measure, the truth as a curve, estimates as points. */
#include "figures/run_charts.h"

#include <math.h>
#include <stdio.h>

enum { CURVE = 401 }; /* theta = 0 in the middle of a symmetric range: some truths jump there */

typedef struct study_chart {
    lt_figure *f;
    const lt_divergence_options *o;
    const lt_divergence_study *s;
} study_chart;

static int plot_truth(const study_chart *c, int measure, lt_series *series)
{
    double *theta = FIGURE_ARRAY(c->f, double, CURVE), *truth = FIGURE_ARRAY(c->f, double, CURVE);
    for (int i = 0; i < CURVE; i++) {
        theta[i] = (c->s->from * (CURVE - 1 - i) + c->s->to * i) / (CURVE - 1);
        LT_TRY(lt_divergence_exact(c->o, measure, theta[i], &truth[i]));
    }
    *series = (lt_series){.name = "truth", .n = CURVE, .x = theta, .y = truth, .color = -1};
    return LT_OK;
}

/* Bars are the range of several critics where the bound of one has no error. */
static void plot_estimates(const study_chart *c, int measure, lt_series *series)
{
    int points = c->s->n / c->s->n_measures, ranges = 0;
    double *theta = FIGURE_ARRAY(c->f, double, points), *found = FIGURE_ARRAY(c->f, double, points),
           *low = FIGURE_ARRAY(c->f, double, points), *high = FIGURE_ARRAY(c->f, double, points);
    for (int i = 0; i < points; i++) {
        const lt_divergence_row *row = &c->s->rows[i * c->s->n_measures + measure];
        bool is_range = isfinite(row->low);
        theta[i] = row->theta;
        found[i] = row->found.value;
        low[i] = is_range ? row->low : row->found.value - 2 * row->found.se;
        high[i] = is_range ? row->high : row->found.value + 2 * row->found.se;
        ranges += is_range;
    }
    *series = (lt_series){.name = ranges == 0        ? "the critic, 2 standard errors"
                                  : ranges == points ? "the critic, lowest to highest of 5"
                                                     : "the critic, 2 standard errors or lowest to highest of 5",
                          .kind = LT_POINTS, .n = points, .x = theta, .y = found, .low = low, .high = high,
                          .color = 1};
}

static int plot_study(const study_chart *c)
{
    int n = c->s->n_measures;
    lt_chart *charts = FIGURE_ARRAY(c->f, lt_chart, n);
    for (int i = 0; i < n; i++) {
        lt_series *series = FIGURE_ARRAY(c->f, lt_series, 2);
        LT_TRY(plot_truth(c, i, &series[0]));
        plot_estimates(c, i, &series[1]);
        charts[i] = (lt_chart){.title = c->s->rows[i].measure, .x = {.label = "theta"}, .series = series,
                               .n_series = 2, .legend = LT_LEGEND_ABOVE};
    }
    char title[512];
    snprintf(title, sizeof title, "%s against %s, theta apart", c->s->p, c->s->q);
    figure_set_page(c->f, charts, n, title, 0);
    return LT_OK;
}

int lt_figure_divergence(const lt_divergence_options *o, const lt_divergence_study *s, lt_figure **out)
{
    lt_figure *f = figure_create(LT_FIGURE_CHARTS);
    int status = s->n > 0 ? plot_study(&(study_chart){f, o, s})
                          : status_fail(LT_VALUE, "the study has no rows to plot");
    return figure_finish(f, status, out);
}
