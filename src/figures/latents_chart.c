/* SPDX-License-Identifier: MIT */
/* A scatter plot of posterior means; of the first two principal components if there are more than two latents. */
#include "figures/run_charts.h"

#include <stdio.h>
#include <string.h>

/* Data that the chart of one run borrows. */
typedef struct code_map {
    double *x, *y;
    int32_t *labels;
    const char **label_names;
    int n_labels;
    char *x_label, *y_label;
} code_map;

enum { LABEL_SIZE = 96 };

/* Copies labels and their names, since the chart outlives the data. */
static void take_labels(const code_chart *c, const lt_codes *codes, code_map *p)
{
    const lt_dataset_info *data = lt_dataset_describe(c->data);
    if (!codes->labels)
        return;
    p->n_labels = data->classes;
    p->labels = arena_copy(&c->f->memory, codes->labels, sizeof *p->labels * (size_t)codes->n);
    if (!data->class_names)
        return;
    p->label_names = FIGURE_ARRAY(c->f, const char *, p->n_labels);
    for (int k = 0; k < p->n_labels; k++)
        p->label_names[k] = arena_copy_text(&c->f->memory, data->class_names[k]);
}

/* Two latents are plotted directly. */
static int find_axes(const lt_codes *c, code_map *p, lt_pca *a)
{
    LT_TRY(lt_pca_fit(c->n, c->latent, c->mean, 2, a));
    if (c->latent == 2) {
        memset(a->center, 0, 2 * sizeof *a->center);
        memcpy(a->axis, (const double[]){1, 0, 0, 1}, 4 * sizeof *a->axis);
        strcpy(p->x_label, latent_caption(0).text);
        strcpy(p->y_label, latent_caption(1).text);
        return LT_OK;
    }
    double all = a->total > 0 ? a->total : 1;
    snprintf(p->x_label, LABEL_SIZE, "first principal component, %.0f %% of the variance", 100 * a->variance[0] / all);
    snprintf(p->y_label, LABEL_SIZE, "second principal component, %.0f %%", 100 * a->variance[1] / all);
    return LT_OK;
}

/* Makes ellipses at n of the points, a stratified sample. */
static void make_ellipses(const code_chart *c, const lt_codes *codes, const lt_pca *a, int n, const code_map *p,
                          lt_series *out)
{
    double *values[5]; /* x, y, xx, xy, yy */
    int32_t *labels = FIGURE_ARRAY(c->f, int32_t, n);
    for (int k = 0; k < 5; k++)
        values[k] = FIGURE_ARRAY(c->f, double, n);
    for (int i = 0; i < n; i++) {
        int64_t of = lt_stratified_index(i, n, codes->n);
        const float *logvar = codes->logvar + of * codes->latent;
        values[0][i] = p->x[of];
        values[1][i] = p->y[of];
        values[2][i] = lt_pca_covariance(a, 0, 0, logvar);
        values[3][i] = lt_pca_covariance(a, 0, 1, logvar);
        values[4][i] = lt_pca_covariance(a, 1, 1, logvar);
        labels[i] = p->labels ? p->labels[of] : 0;
    }
    *out = (lt_series){.kind = LT_ELLIPSES, .name = "1σ of q(z|x)", .n = n, .x = values[0], .y = values[1],
                       .xx = values[2], .xy = values[3], .yy = values[4], .labels = p->labels ? labels : NULL,
                       .n_labels = p->n_labels, .color = 1};
}

static int map_codes(const code_chart *c, const lt_codes *codes, int ellipses, code_map *p, lt_series *series)
{
    lt_pca a;
    int status = find_axes(codes, p, &a);
    p->x = FIGURE_ARRAY(c->f, double, codes->n);
    p->y = FIGURE_ARRAY(c->f, double, codes->n);
    for (int64_t i = 0; i < codes->n && status == LT_OK; i++) {
        p->x[i] = lt_pca_project(&a, 0, codes->mean + i * codes->latent);
        p->y[i] = lt_pca_project(&a, 1, codes->mean + i * codes->latent);
    }
    if (status == LT_OK && ellipses > 0)
        make_ellipses(c, codes, &a, ellipses < codes->n ? ellipses : codes->n, p, &series[1]);
    lt_pca_clear(&a);
    return status;
}

static int draw_codes(code_chart *c, const lt_codes *codes)
{
    const lt_latents_options *o = c->options;
    lt_series *series = FIGURE_ARRAY(c->f, lt_series, 2);
    code_map p = {.x_label = FIGURE_ARRAY(c->f, char, LABEL_SIZE), .y_label = FIGURE_ARRAY(c->f, char, LABEL_SIZE)};
    if (o->ellipses > 0)
        LT_TRY(lt_recipe_require(lt_model_recipe(c->m), LT_CAN_POSTERIOR));
    LT_TRY(code_chart_check(c, codes, codes->mean));
    take_labels(c, codes, &p);
    LT_TRY(map_codes(c, codes, o->ellipses, &p, series));
    bool has_posterior = lt_model_can(c->m, LT_CAN_POSTERIOR);
    snprintf(c->subtitle, sizeof c->subtitle, "%s of %d %s images, %d latents%s",
             has_posterior ? "Means of q(z|x)" : "Codes", codes->n, lt_split_name(codes->split), codes->latent,
             p.labels ? "; colored by label" : "; the images have no labels");
    series[0] = (lt_series){.data_name = has_posterior ? "means" : "codes", .kind = LT_SCATTER, .n = codes->n,
                            .x = p.x, .y = p.y, .labels = p.labels, .n_labels = p.n_labels, .label_names = p.label_names};
    c->chart = (lt_chart){.x.label = p.x_label, .y.label = p.y_label, .series = series,
                          .n_series = o->ellipses > 0 ? 2 : 1, .has_equal_units = true};
    return LT_OK;
}

static int draw_map(code_chart *c)
{
    lt_codes codes;
    int status = code_chart_encode(c, &codes);
    if (status == LT_OK)
        status = draw_codes(c, &codes);
    lt_codes_clear(&codes);
    return status;
}

int lt_figure_latents(const char *const *runs, int n, lt_split split, const lt_latents_options *options,
                      lt_figure **out)
{
    lt_latents_options o = OPTIONS(lt_latents_options, options);
    return draw_code_charts(runs, n, split, &o.of, &o, 2, draw_map, 1.2, out);
}
