/* SPDX-License-Identifier: MIT */
/* The activity of each latent, as bars. */
#include "figures/run_charts.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_NAMED = 16 }; /* maximum number of bars with names below; with more, the subtitle names the first ones */

/* The activity of a latent. */
typedef struct said {
    double height;
    int latent; /* from 0 */
} said;

static int by_height(const void *a, const void *b)
{
    const said *p = a, *q = b;
    return p->height < q->height ? 1 : p->height > q->height ? -1 : p->latent - q->latent;
}

/* Ranks latents, the most active first. */
static void rank_latents(const lt_diagnosis *d, lt_figure *f, lt_series *out)
{
    int n = d->latent;
    said *all = must_alloc(sizeof *all * (size_t)n);
    double *x = FIGURE_ARRAY(f, double, n), *y = FIGURE_ARRAY(f, double, n);
    int32_t *labels = FIGURE_ARRAY(f, int32_t, n);
    for (int k = 0; k < n; k++)
        all[k] = (said){d->has_parts ? d->units[k].kl : d->units[k].mean_variance, k};
    qsort(all, (size_t)n, sizeof *all, by_height);
    for (int k = 0; k < n; k++) {
        x[k] = k;
        y[k] = all[k].height;
        labels[k] = all[k].latent;
    }
    free(all);
    *out = (lt_series){.data_name = "latents", .kind = LT_BARS, .n = n, .x = x, .y = y, .labels = labels};
}

/* Returns the names of the bars' latents; NULL for ranks, if there are too many. */
static const char **name_bars(code_chart *c, const lt_series *bars)
{
    enum { FIRST = 3 };
    const char **names = bars->n <= MAX_NAMED ? FIGURE_ARRAY(c->f, const char *, bars->n) : NULL;
    for (int i = 0; i < bars->n; i++) {
        caption name = latent_caption(bars->labels[i]);
        if (names)
            names[i] = arena_copy_text(&c->f->memory, name.text);
        else if (i < FIRST)
            add_text(c->subtitle, sizeof c->subtitle, "%s%s", i ? ", " : "; most: ", name.text);
    }
    return names;
}

static void draw_bars(code_chart *c, const lt_diagnosis *d)
{
    lt_series *bars = FIGURE_ARRAY(c->f, lt_series, 1);
    rank_latents(d, c->f, bars);
    snprintf(c->subtitle, sizeof c->subtitle, "%d of %d latents active; rate %.2f ± %.2f nats per image (%s)",
             d->active, d->latent, d->rate.value, d->rate.se, lt_split_name(c->split));
    const char **names = name_bars(c, bars);
    c->chart = (lt_chart){
        .series = bars,
        .n_series = 1,
        .x = {.label = names ? "latents, those that say most first"
                             : "rank of the latent, from 0: those that say most first",
              .is_whole = true, .names = names, .n_names = names ? bars->n : 0},
        .y.label = d->has_parts ? "KL(q(z|x) ‖ p(z)), nats per image" : "variance of the mean of q(z|x) over images"};
}

static int draw_activity(code_chart *c)
{
    lt_diagnosis d = {0};
    int all = lt_dataset_describe(c->data)->n[c->split];
    lt_diagnosis_options o = {.images = c->of->images < all ? c->of->images : 0, .run = c->of->run};
    int status = lt_diagnose(c->m, c->data, c->split, &o, &d);
    if (status == LT_OK)
        draw_bars(c, &d);
    lt_diagnosis_clear(&d);
    return status;
}

int lt_figure_activity(const char *const *runs, int n, lt_split split, const lt_chart_data *options, lt_figure **out)
{
    lt_chart_data o = OPTIONS(lt_chart_data, options);
    return draw_code_charts(runs, n, split, &o, NULL, 1, draw_activity, 0, out);
}
