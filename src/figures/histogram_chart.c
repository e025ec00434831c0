/* SPDX-License-Identifier: MIT */
/* A 2-D histogram of samples of two latents, which should look like the prior N(0, I). */
#include "figures/run_charts.h"

#include <math.h>
#include <stdio.h>

enum { DEFAULT_BINS = 50, LABEL_SIZE = 96 };

/* ---- Choosing latents ---- */

static double variance_of_mean(const lt_codes *c, int k)
{
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < c->n; i++)
        sum += (double)c->mean[i * c->latent + k];
    for (int64_t i = 0; i < c->n; i++) {
        double d = (double)c->mean[i * c->latent + k] - sum / c->n;
        squares += d * d;
    }
    return squares / c->n;
}

/* Finds the two latents whose means vary most over the images, in ascending order. */
static void find_active(const lt_codes *c, int two[2])
{
    double most[2] = {-1, -1};
    for (int k = 0; k < c->latent; k++) {
        double v = variance_of_mean(c, k);
        if (v > most[0]) {
            most[1] = most[0];
            two[1] = two[0];
            most[0] = v;
            two[0] = k;
        } else if (v > most[1]) {
            most[1] = v;
            two[1] = k;
        }
    }
    if (two[0] > two[1]) {
        int first = two[1];
        two[1] = two[0];
        two[0] = first;
    }
}

static int choose_latents(const int *given, const lt_codes *c, int two[2])
{
    two[0] = two[1] = 0;
    if (!given) {
        find_active(c, two);
        return LT_OK;
    }
    for (int k = 0; k < 2; k++)
        two[k] = given[k];
    if (two[0] >= 0 && two[1] >= 0 && two[0] < c->latent && two[1] < c->latent && two[0] != two[1])
        return LT_OK;
    return status_fail(LT_VALUE, "latents: expected two that differ, from 0 to %d, found %d,%d", c->latent - 1, two[0],
                       two[1]);
}

/* ---- Subtitle ---- */

typedef struct moments {
    double mean[2], deviation[2], correlation;
} moments;

static moments find_moments(const double *x, const double *y, int n)
{
    const double *values[2] = {x, y};
    moments m = {{0}, {0}, 0};
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < n; i++)
            m.mean[k] += values[k][i] / n;
        for (int i = 0; i < n; i++)
            m.deviation[k] += (values[k][i] - m.mean[k]) * (values[k][i] - m.mean[k]) / n;
        m.deviation[k] = sqrt(m.deviation[k]);
    }
    for (int i = 0; i < n; i++)
        m.correlation += (x[i] - m.mean[0]) * (y[i] - m.mean[1]) / n;
    double scale = m.deviation[0] * m.deviation[1];
    m.correlation = scale > 0 ? m.correlation / scale : (double)NAN;
    return m;
}

static void describe(code_chart *c, const lt_codes *codes, const lt_series *bins)
{
    moments m = find_moments(bins->x, bins->y, codes->n);
    size_t size = sizeof c->subtitle;
    bool has_posterior = lt_model_can(c->m, LT_CAN_POSTERIOR);
    snprintf(c->subtitle, size, "%s %d %s images",
             has_posterior ? "Draws z ~ q(z|x), one of each of" : "Codes of", codes->n, lt_split_name(codes->split));
    if (bins->bins != DEFAULT_BINS)
        add_text(c->subtitle, size, ", in %d × %d bins", bins->bins, bins->bins);
    for (int k = 0; k < 2; k++)
        add_text(c->subtitle, size, "; %s: mean\u00a0%s, sd\u00a0%.2f", k ? c->chart.y.label : c->chart.x.label,
                 number_caption(m.mean[k], 2).text, m.deviation[k]);
    if (!isnan(m.correlation))
        add_text(c->subtitle, size, "; correlation\u00a0%s", number_caption(m.correlation, 2).text);
    if (has_posterior && !codes->has_normal_prior)
        add_text(c->subtitle, size, "; the prior is not N(0,\u00a0I)");
}

/* ---- The chart ---- */

static int draw_bins(code_chart *c, const lt_codes *codes)
{
    const lt_histogram_options *o = c->options;
    lt_series *bins = FIGURE_ARRAY(c->f, lt_series, 1);
    double *x = FIGURE_ARRAY(c->f, double, codes->n), *y = FIGURE_ARRAY(c->f, double, codes->n);
    int two[2];
    LT_TRY(code_chart_check(c, codes, codes->z));
    LT_TRY(choose_latents(o->latents, codes, two));
    for (int64_t i = 0; i < codes->n; i++) {
        x[i] = (double)codes->z[i * codes->latent + two[0]];
        y[i] = (double)codes->z[i * codes->latent + two[1]];
    }
    bool has_posterior = lt_model_can(c->m, LT_CAN_POSTERIOR);
    *bins = (lt_series){.kind = LT_HIST2D, .name = has_posterior ? "draws in a bin" : "codes in a bin", .n = codes->n,
                        .x = x, .y = y,
                        .bins = o->bins ? o->bins : DEFAULT_BINS};
    c->chart = (lt_chart){.x.label = arena_copy_text(&c->f->memory, latent_caption(two[0]).text),
                          .y.label = arena_copy_text(&c->f->memory, latent_caption(two[1]).text), .series = bins,
                          .n_series = 1, .has_equal_units = true, .has_marginals = true,
                          .has_normal = codes->has_normal_prior};
    describe(c, codes, bins);
    return LT_OK;
}

static int draw_histogram(code_chart *c)
{
    lt_codes codes;
    int status = code_chart_encode(c, &codes);
    if (status == LT_OK)
        status = draw_bins(c, &codes);
    lt_codes_clear(&codes);
    return status;
}

int lt_figure_histogram(const char *const *runs, int n, lt_split split, const lt_histogram_options *options,
                        lt_figure **out)
{
    lt_histogram_options o = OPTIONS(lt_histogram_options, options);
    return draw_code_charts(runs, n, split, &o.of, &o, 2, draw_histogram, 0.9, out);
}
