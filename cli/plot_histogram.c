/* SPDX-License-Identifier: MIT */
/* latent plot histogram: draws of two latents in bins, which the prior N(0, I) should look like. */
#include "figure_command.h"

#include <math.h>
#include <stdlib.h>

/* ---- Which two ---- */

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

/* Those whose means vary most over the images, in their order. */
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

/* False after a complaint. */
static bool choose(const plot_request *q, const lt_codes *c, int two[2])
{
    two[0] = two[1] = 0;
    if (!q->latents) {
        find_active(c, two);
        return true;
    }
    if (!read_numbers(q->command, "latents", q->latents, 2, 0, c->latent - 1, two))
        return false;
    if (two[0] != two[1])
        return true;
    complain(q->command, CODE_USAGE, "--latents: expected two that differ, found '%s'", q->latents);
    return false;
}

/* ---- Words ---- */

enum { DEFAULT_BINS = 50 };

typedef struct moments {
    double mean[2], deviation[2], correlation;
} moments;

static moments find_moments(const picture *p, int n)
{
    const double *values[2] = {p->x, p->y};
    moments m = {{0}, {0}, 0};
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < n; i++)
            m.mean[k] += values[k][i] / n;
        for (int i = 0; i < n; i++)
            m.deviation[k] += (values[k][i] - m.mean[k]) * (values[k][i] - m.mean[k]) / n;
        m.deviation[k] = sqrt(m.deviation[k]);
    }
    for (int i = 0; i < n; i++)
        m.correlation += (p->x[i] - m.mean[0]) * (p->y[i] - m.mean[1]) / n;
    double scale = m.deviation[0] * m.deviation[1];
    m.correlation = scale > 0 ? m.correlation / scale : (double)NAN;
    return m;
}

static void write_subtitle(const lt_codes *c, int bins, picture *p)
{
    moments m = find_moments(p, c->n);
    size_t size = sizeof p->subtitle;
    snprintf(p->subtitle, size, "Draws z ~ q(z|x), one of each of %d %s images", c->n,
             split_names[c->split]);
    if (bins != DEFAULT_BINS)
        add_words(p->subtitle, size, ", in %d × %d bins", bins, bins);
    for (int k = 0; k < 2; k++)
        add_words(p->subtitle, size, "; %s: mean %s, sd %.2f",
                       k ? p->y_label : p->x_label, number_caption(m.mean[k], 2).text,
                       m.deviation[k]);
    if (!isnan(m.correlation))
        add_words(p->subtitle, size, "; correlation %s",
                       number_caption(m.correlation, 2).text);
    if (!c->has_normal_prior)
        add_words(p->subtitle, size, "; the prior is not N(0, I)");
}

/* ---- The picture ---- */

static int draw_histogram(const plot_request *q, const trained *t, picture *p)
{
    lt_codes c;
    int two[2], bins = q->bins ? (int)q->bins : DEFAULT_BINS, status = plot_encode(q, t, &c);
    if (status == LT_OK)
        status = plot_check_codes(q, t, &c, c.z);
    if (status == LT_OK && !choose(q, &c, two))
        status = CODE_USAGE;
    if (status == LT_OK) {
        p->x = plot_room((size_t)c.n, sizeof *p->x);
        p->y = plot_room((size_t)c.n, sizeof *p->y);
        for (int64_t i = 0; i < c.n; i++) {
            p->x[i] = (double)c.z[i * c.latent + two[0]];
            p->y[i] = (double)c.z[i * c.latent + two[1]];
        }
        snprintf(p->x_label, sizeof p->x_label, "%s", latent_caption(two[0]).text);
        snprintf(p->y_label, sizeof p->y_label, "%s", latent_caption(two[1]).text);
        write_subtitle(&c, bins, p);
        p->series[0] = (lt_series){.kind = LT_HEAT, .name = "draws in a bin", .n = c.n, .x = p->x,
                                   .y = p->y, .bins = bins};
        p->chart = (lt_chart){.x.label = p->x_label, .y.label = p->y_label, .n_series = 1,
                              .has_equal_units = true, .has_marginals = true,
                              .has_normal = c.has_normal_prior};
    }
    lt_codes_clear(&c);
    return status;
}

int plot_histogram(const plot_request *q, int n, const char *const *runs)
{
    return plot_pictures(q, n, runs, 2, draw_histogram, 0.9);
}
