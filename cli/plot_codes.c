/* SPDX-License-Identifier: MIT */
/* latent plot latents: posterior means as a map, the first two principal components where there are
   more than two latents. latent plot activity: what each latent says. One chart for each run. */
#include "figure_command.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_IMAGES = 10000 };

static void clear_picture(picture *p)
{
    free(p->name);
    free(p->x);
    free(p->y);
    for (int k = 0; k < 5; k++)
        free(p->ellipses[k]);
    free(p->labels);
    free(p->ellipse_labels);
    for (int k = 0; k < p->n_labels && p->label_names; k++)
        free(p->label_names[k]);
    free(p->label_names);
    for (int k = 0; k < p->n_bar_names; k++)
        free(p->bar_names[k]);
    free(p->bar_names);
}

int plot_encode(const plot_request *q, const trained *t, lt_codes *c)
{
    lt_split split = lt_dataset_split(t->data, (lt_split)q->split);
    int all = lt_dataset_describe(t->data)->n[split];
    lt_codes_options o = {.images = q->images < all ? (int)q->images : 0,
                          .run.threads = (int)q->threads};
    return lt_encode_split(t->model, t->data, split, &o, c);
}

int plot_check_codes(const plot_request *q, const trained *t, const lt_codes *c,
                     const float *values)
{
    for (int64_t i = 0; i < (int64_t)c->n * c->latent; i++)
        if (!isfinite(values[i]))
            return complain(q->command, CODE_FAILED,
                            "%s: expected finite codes, found %g in that of %s image %d",
                            t->checkpoint, (double)values[i], lt_split_name(c->split),
                            (int)c->index[i / c->latent]);
    return CODE_DONE;
}

/* ---- latents ---- */

static char *copy_text(const char *words)
{
    return strcpy(plot_room(strlen(words) + 1, 1), words);
}

/* Labels and their names, which outlive the data. */
static void take_labels(const trained *t, const lt_codes *c, picture *p)
{
    const lt_dataset_info *data = lt_dataset_describe(t->data);
    if (!c->labels)
        return;
    p->n_labels = data->classes;
    p->labels = plot_room((size_t)c->n, sizeof *p->labels);
    memcpy(p->labels, c->labels, sizeof *p->labels * (size_t)c->n);
    if (!data->class_names)
        return;
    p->label_names = plot_room((size_t)p->n_labels, sizeof *p->label_names);
    for (int k = 0; k < p->n_labels; k++)
        p->label_names[k] = copy_text(data->class_names[k]);
}

/* The axes of two latents are their own. */
static int find_axes(const lt_codes *c, picture *p, lt_axes *a)
{
    LT_TRY(lt_principal_axes(c->n, c->latent, c->mean, 2, a));
    if (c->latent == 2) {
        memset(a->centre, 0, 2 * sizeof *a->centre);
        memcpy(a->axis, (const double[]){1, 0, 0, 1}, 4 * sizeof *a->axis);
        strcpy(p->x_label, latent_caption(0).text);
        strcpy(p->y_label, latent_caption(1).text);
        return LT_OK;
    }
    double all = a->total > 0 ? a->total : 1;
    snprintf(p->x_label, PICTURE_TEXT, "first principal component, %.0f %% of the variance",
             100 * a->variance[0] / all);
    snprintf(p->y_label, PICTURE_TEXT, "second principal component, %.0f %%",
             100 * a->variance[1] / all);
    return LT_OK;
}

/* Of n of the points, spread over them. */
static void make_ellipses(const lt_codes *c, const lt_axes *a, int n, picture *p)
{
    for (int k = 0; k < 5; k++)
        p->ellipses[k] = plot_room((size_t)n, sizeof *p->ellipses[k]);
    p->ellipse_labels = plot_room((size_t)n, sizeof *p->ellipse_labels);
    for (int i = 0; i < n; i++) {
        int64_t of = lt_spread_place(i, n, c->n);
        const float *logvar = c->logvar + of * c->latent;
        p->ellipses[0][i] = p->x[of];
        p->ellipses[1][i] = p->y[of];
        p->ellipses[2][i] = lt_axes_covariance(a, 0, 0, logvar);
        p->ellipses[3][i] = lt_axes_covariance(a, 0, 1, logvar);
        p->ellipses[4][i] = lt_axes_covariance(a, 1, 1, logvar);
        p->ellipse_labels[i] = p->labels ? p->labels[of] : 0;
    }
    p->series[1] = (lt_series){.kind = LT_ELLIPSES, .name = "1σ of q(z|x)", .n = n,
                               .x = p->ellipses[0], .y = p->ellipses[1], .xx = p->ellipses[2],
                               .xy = p->ellipses[3], .yy = p->ellipses[4],
                               .labels = p->labels ? p->ellipse_labels : NULL,
                               .n_labels = p->n_labels, .colour = 1};
}

static int map_codes(const plot_request *q, const lt_codes *c, picture *p)
{
    lt_axes a;
    int status = find_axes(c, p, &a);
    p->x = plot_room((size_t)c->n, sizeof *p->x);
    p->y = plot_room((size_t)c->n, sizeof *p->y);
    for (int64_t i = 0; i < c->n && status == LT_OK; i++) {
        p->x[i] = lt_axes_place(&a, 0, c->mean + i * c->latent);
        p->y[i] = lt_axes_place(&a, 1, c->mean + i * c->latent);
    }
    if (status == LT_OK && q->ellipses > 0)
        make_ellipses(c, &a, q->ellipses < c->n ? (int)q->ellipses : c->n, p);
    lt_axes_clear(&a);
    return status;
}

static int draw_map(const plot_request *q, const trained *t, picture *p)
{
    lt_codes c;
    int status = plot_encode(q, t, &c);
    if (status == LT_OK)
        status = plot_check_codes(q, t, &c, c.mean);
    if (status == LT_OK) {
        take_labels(t, &c, p);
        status = map_codes(q, &c, p);
    }
    if (status == LT_OK) {
        snprintf(p->subtitle, sizeof p->subtitle, "Means of q(z|x) of %d %s images, %d latents%s",
                 c.n, split_names[c.split], c.latent,
                 p->labels ? "; coloured by label" : "; the images have no labels");
        p->series[0] = (lt_series){.data_name = "means", .kind = LT_CLOUD, .n = c.n, .x = p->x, .y = p->y,
                                   .labels = p->labels, .n_labels = p->n_labels,
                                   .label_names = (const char *const *)p->label_names};
        p->chart = (lt_chart){.x.label = p->x_label, .y.label = p->y_label,
                              .n_series = q->ellipses > 0 ? 2 : 1, .has_equal_units = true};
    }
    lt_codes_clear(&c);
    return status;
}

/* ---- activity ---- */

/* What a latent says. */
typedef struct said {
    double height;
    int latent; /* from 0 */
} said;

static int by_height(const void *a, const void *b)
{
    const said *p = a, *q = b;
    return p->height < q->height ? 1 : p->height > q->height ? -1 : p->latent - q->latent;
}

/* Those that say most first. */
static void rank_latents(const lt_diagnosis *d, picture *p)
{
    size_t n = (size_t)d->latent;
    said *all = plot_room(n, sizeof *all);
    p->x = plot_room(n, sizeof *p->x);
    p->y = plot_room(n, sizeof *p->y);
    p->labels = plot_room(n, sizeof *p->labels);
    for (int k = 0; k < d->latent; k++)
        all[k] = (said){d->has_parts ? d->units[k].kl : d->units[k].mean_variance, k};
    qsort(all, n, sizeof *all, by_height);
    for (int k = 0; k < d->latent; k++) {
        p->x[k] = k;
        p->y[k] = all[k].height;
        p->labels[k] = all[k].latent;
    }
    free(all);
}

enum { MAX_NAMED = 16 }; /* bars that have room for their names; of more the first are named in words */

/* Bars bear the names of their latents, or their ranks where there are too many. */
static void name_bars(int n, picture *p)
{
    enum { FIRST = 3 };
    bool is_named = n <= MAX_NAMED;
    p->n_bar_names = is_named ? n : 0;
    p->bar_names = is_named ? plot_room((size_t)n, sizeof *p->bar_names) : NULL;
    for (int i = 0; i < n; i++) {
        caption name = latent_caption(p->labels[i]);
        if (is_named)
            p->bar_names[i] = copy_text(name.text);
        else if (i < FIRST)
            add_words(p->subtitle, sizeof p->subtitle, "%s%s", i ? ", " : "; most: ", name.text);
    }
}

static int draw_activity(const plot_request *q, const trained *t, picture *p)
{
    lt_diagnosis d = {0};
    lt_split split = lt_dataset_split(t->data, (lt_split)q->split);
    lt_diagnosis_options o = {.images = q->images > INT32_MAX ? 0 : (int)q->images,
                              .run.threads = (int)q->threads};
    int all = lt_dataset_describe(t->data)->n[split];
    o.images = o.images < all ? o.images : 0;
    int status = lt_diagnose(t->model, t->data, split, &o, &d);
    if (status == LT_OK) {
        rank_latents(&d, p);
        snprintf(p->subtitle, sizeof p->subtitle, "%d of %d latents active; rate %.2f ± %.2f nats "
                                                  "per image (%s)",
                 d.active, d.latent, d.rate.value, d.rate.se, split_names[split]);
        name_bars(d.latent, p);
        p->series[0] = (lt_series){.data_name = "latents", .kind = LT_BARS, .n = d.latent, .x = p->x,
                                   .y = p->y, .labels = p->labels};
        p->chart = (lt_chart){
            .n_series = 1,
            .x = {.label = p->n_bar_names ? "latents, those that say most first"
                                          : "rank of the latent, from 0: those that say most first",
                  .is_whole = true,
                  .names = (const char *const *)p->bar_names, .n_names = p->n_bar_names},
            .y.label = d.has_parts ? "KL(q(z|x) ‖ p(z)), nats per image"
                                   : "variance of the mean of q(z|x) over images"};
    }
    lt_diagnosis_clear(&d);
    return status;
}

/* ---- Both ---- */

/* Gives the exit code. */
static int add_run(const plot_request *q, const char *run, int least, picture_function *draw,
                   picture *p)
{
    trained t;
    int code = CODE_DONE;
    int status = trained_open(&t, run, true, q->data);
    p->name = plot_name(run);
    if (status == LT_OK && !lt_model_has_encoder(t.model))
        code = complain(q->command, CODE_FAILED, "%s: a model without an encoder has no codes of "
                                                 "images", run);
    else if (status == LT_OK && lt_model_latent(t.model) < least)
        code = complain(q->command, CODE_FAILED, "%s: one latent alone has no map; its KL is drawn "
                                                 "by: latent plot activity %s", run, shell(run));
    else if (status == LT_OK)
        status = draw(q, &t, p);
    trained_close(&t);
    if (status > 0)
        return status;
    return status == LT_OK ? code : complain_library(q->command, status);
}

int plot_pictures(const plot_request *q, int n, const char *const *runs, int least,
                  picture_function *draw, double shape)
{
    picture pictures[MAX_PLOT_RUNS] = {{.name = NULL}};
    lt_chart charts[MAX_PLOT_RUNS];
    plot_request each = *q;
    int code = CODE_DONE, read = 0;
    each.images = q->images ? q->images : DEFAULT_IMAGES;
    for (; read < n && code == CODE_DONE; read++) {
        picture *p = &pictures[read];
        code = add_run(&each, runs[read], least, draw, p);
        charts[read] = p->chart;
        charts[read].title = n == 1 && q->title ? q->title : p->name;
        charts[read].subtitle = p->subtitle;
        charts[read].series = p->series;
    }
    if (code == CODE_DONE)
        code = plot_write(q, &(lt_chart_page){.title = n > 1 ? q->title : NULL, .charts = charts,
                                          .n_charts = n}, shape);
    for (int i = 0; i < read; i++)
        clear_picture(&pictures[i]);
    return code;
}

int plot_latents(const plot_request *q, int n, const char *const *runs)
{
    return plot_pictures(q, n, runs, 2, draw_map, 1.2);
}

int plot_activity(const plot_request *q, int n, const char *const *runs)
{
    return plot_pictures(q, n, runs, 1, draw_activity, 0);
}
