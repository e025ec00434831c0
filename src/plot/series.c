/* SPDX-License-Identifier: MIT */
/* The data of a series before rendering: values with a position, ellipses, smoothed values. */
#include "plot/view.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

bool ellipse_root(const lt_series *s, int i, double *a, double *b, double *c)
{
    double sigmas = s->sigmas > 0 ? s->sigmas : 1, xx = s->xx[i], xy = s->xy[i], yy = s->yy[i];
    if (!scale_has(false, xx) || !scale_has(false, yy) || !(xx >= 0 && yy >= 0))
        return false;
    double rest = yy - (xx > 0 ? xy / xx * xy : 0);
    if (!(rest >= -1e-9 * yy) || (xx == 0 && xy != 0)) /* rounding may make `rest` slightly negative */
        return false;
    *a = sigmas * sqrt(xx);
    *b = xx > 0 ? sigmas * xy / sqrt(xx) : 0;
    *c = sigmas * sqrt(fmax(rest, 0));
    return true;
}

bool ellipse_reach(const lt_series *s, int i, double *x, double *y)
{
    double a, b, c;
    if (!ellipse_root(s, i, &a, &b, &c))
        return false;
    *x = a;
    *y = hypot(b, c);
    return true;
}

double series_x(const lt_series *s, int i) { return s->x ? s->x[i] : i; }

bool series_has(const view *v, const lt_series *s, int i)
{
    const lt_axis *x = &v->chart->x, *y = &v->chart->y;
    if (!scale_has(x->is_log, series_x(s, i)))
        return false;
    if (s->kind == LT_BAND)
        return scale_has(y->is_log, s->low[i]) && scale_has(y->is_log, s->high[i]);
    double reach[2];
    if (s->kind == LT_ELLIPSES && !ellipse_reach(s, i, &reach[0], &reach[1]))
        return false;
    return scale_has(y->is_log, s->y[i]);
}

/* ---- Smoothing ---- */

/* Returns the weights of neighbors at distances 0 ... reach: a Gaussian whose standard deviation is s->smooth
   points. Freed by the caller. */
static double *smoothing_weights(const lt_series *s, int *reach)
{
    *reach = (int)fmin(3 * s->smooth + 1, s->n);
    double *weight = must_alloc(sizeof *weight * ((size_t)*reach + 1));
    for (int d = 0; d <= *reach; d++)
        weight[d] = exp(-0.5 * d / s->smooth * d / s->smooth);
    return weight;
}

/* Returns the weighted mean of the valid y near i; on a logarithmic axis that of their logarithms. */
static double mean_near(const view *v, const lt_series *s, int i, const double *weight, int reach)
{
    double sum = 0, weights = 0;
    bool is_log = v->chart->y.is_log;
    for (int j = i > reach ? i - reach : 0; j < s->n && j - i <= reach; j++) {
        if (!series_has(v, s, j))
            continue;
        sum += weight[abs(j - i)] * (is_log ? log(s->y[j]) : s->y[j]);
        weights += weight[abs(j - i)];
    }
    if (weights == 0)
        return (double)NAN;
    return is_log ? exp(sum / weights) : sum / weights;
}

void series_smooth(const view *v, const lt_series *s, double *out)
{
    int reach;
    double *weight = smoothing_weights(s, &reach);
    for (int i = 0; i < s->n; i++)
        out[i] = mean_near(v, s, i, weight, reach);
    free(weight);
}

double series_drawn_y(const view *v, const lt_series *s, int i)
{
    if (s->smooth <= 0)
        return s->y[i];
    int reach;
    double *weight = smoothing_weights(s, &reach), y = mean_near(v, s, i, weight, reach);
    free(weight);
    return y;
}
