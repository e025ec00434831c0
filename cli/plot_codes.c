/* SPDX-License-Identifier: MIT */
/* latent plot latents: posterior means as a map, the first two principal components where there are
   more than two latents. latent plot activity: what each latent says. One chart for each run. */
#include "plot_kinds.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_IMAGES = 10000, CHUNK = 500, MAX_ITERATIONS = 500, TEXT = 96 };

/* One chart, and what it borrows. */
typedef struct picture {
    char *name;
    char subtitle[160], x_label[TEXT], y_label[TEXT];
    double *x, *y;
    int32_t *labels;
    lt_series series;
    lt_chart chart;
} picture;

static void clear_picture(picture *p)
{
    free(p->name);
    free(p->x);
    free(p->y);
    free(p->labels);
}

/* ---- Codes ---- */

typedef struct codes {
    int n, latent;
    int32_t *index; /* of the images, spread over the split */
    float *mean;    /* n x latent */
} codes;

static void clear_codes(codes *c)
{
    free(c->index);
    free(c->mean);
}

static int encode(const plot_request *q, const trained *t, lt_split split, codes *c)
{
    int all = lt_dataset_describe(t->data)->n[split];
    c->n = q->images < all ? (int)q->images : all;
    c->latent = lt_model_latent(t->model);
    c->index = plot_room((size_t)c->n, sizeof *c->index);
    c->mean = plot_room((size_t)c->n * (size_t)c->latent, sizeof *c->mean);
    for (int i = 0; i < c->n; i++)
        c->index[i] = (int32_t)((int64_t)i * all / c->n);
    float *images = image_room(t->model, CHUNK);
    int status = LT_OK;
    for (int i = 0; i < c->n && status == LT_OK; i += CHUNK) {
        int size = c->n - i < CHUNK ? c->n - i : CHUNK;
        status = lt_dataset_gather(t->data, split, c->index + i, size, 0, 1, images);
        if (status == LT_OK)
            status = lt_encode(t->model, size, images, (int)q->threads,
                               c->mean + (size_t)i * (size_t)c->latent, NULL);
    }
    free(images);
    return status;
}

/* ---- Principal components ---- */

static void centre(codes *c)
{
    for (int k = 0; k < c->latent; k++) {
        double sum = 0;
        for (int i = 0; i < c->n; i++)
            sum += (double)c->mean[(size_t)i * (size_t)c->latent + (size_t)k];
        for (int i = 0; i < c->n; i++)
            c->mean[(size_t)i * (size_t)c->latent + (size_t)k] -= (float)(sum / c->n);
    }
}

/* The part of each code along `axis`. */
static void project(const codes *c, const double *axis, double *out)
{
    for (int i = 0; i < c->n; i++) {
        const float *z = c->mean + (size_t)i * (size_t)c->latent;
        out[i] = 0;
        for (int k = 0; k < c->latent; k++)
            out[i] += (double)z[k] * axis[k];
    }
}

static double normalise(double *v, int n)
{
    double sum = 0;
    for (int k = 0; k < n; k++)
        sum += v[k] * v[k];
    for (int k = 0; k < n && sum > 0; k++)
        v[k] /= sqrt(sum);
    return sqrt(sum);
}

/* axis <- (covariance) axis, without its part along `other`; normalised. Nullable: other. */
static double multiply(const codes *c, double *axis, const double *other, double *along)
{
    double overlap = 0;
    project(c, axis, along);
    memset(axis, 0, sizeof *axis * (size_t)c->latent);
    for (int i = 0; i < c->n; i++)
        for (int k = 0; k < c->latent; k++)
            axis[k] += along[i] * (double)c->mean[(size_t)i * (size_t)c->latent + (size_t)k] / c->n;
    for (int k = 0; other && k < c->latent; k++)
        overlap += axis[k] * other[k];
    for (int k = 0; other && k < c->latent; k++)
        axis[k] -= overlap * other[k];
    return normalise(axis, c->latent);
}

/* By power iteration; gives the variance along the axis, whose largest part is positive. */
static double principal_axis(const codes *c, double *axis, const double *other, double *along)
{
    double variance = 0, last = -1;
    for (int k = 0; k < c->latent; k++)
        axis[k] = 1 + (double)k / c->latent;
    for (int i = 0; i < MAX_ITERATIONS && fabs(variance - last) > 1e-10 * variance; i++) {
        last = variance;
        variance = multiply(c, axis, other, along);
    }
    int most = 0;
    for (int k = 0; k < c->latent; k++)
        most = fabs(axis[k]) > fabs(axis[most]) ? k : most;
    for (int k = c->latent; k-- > 0;)
        axis[k] *= axis[most] < 0 && k != most ? -1 : 1;
    axis[most] = fabs(axis[most]);
    project(c, axis, along);
    return variance;
}

static void map_components(codes *c, picture *p)
{
    double *first = plot_room((size_t)c->latent, sizeof *first);
    double *second = plot_room((size_t)c->latent, sizeof *second), all = 0;
    centre(c);
    for (size_t i = 0; i < (size_t)c->n * (size_t)c->latent; i++)
        all += (double)c->mean[i] * (double)c->mean[i] / c->n;
    double x = principal_axis(c, first, NULL, p->x), y = principal_axis(c, second, first, p->y);
    all = all > 0 ? all : 1;
    snprintf(p->x_label, TEXT, "first principal component, %.0f %% of the variance", 100 * x / all);
    snprintf(p->y_label, TEXT, "second principal component, %.0f %%", 100 * y / all);
    free(first);
    free(second);
}

static void map_codes(codes *c, picture *p)
{
    p->x = plot_room((size_t)c->n, sizeof *p->x);
    p->y = plot_room((size_t)c->n, sizeof *p->y);
    if (c->latent > 2) {
        map_components(c, p);
        return;
    }
    for (int i = 0; i < c->n; i++) {
        p->x[i] = (double)c->mean[2 * i];
        p->y[i] = (double)c->mean[2 * i + 1];
    }
    strcpy(p->x_label, "z₁");
    strcpy(p->y_label, "z₂");
}

/* ---- latents ---- */

static int draw_map(const plot_request *q, const trained *t, picture *p)
{
    codes c = {0};
    lt_split split = lt_dataset_split(t->data, (lt_split)q->split);
    const lt_dataset_info *data = lt_dataset_describe(t->data);
    int status = encode(q, t, split, &c);
    if (status == LT_OK && data->has_labels[split]) {
        p->labels = plot_room((size_t)c.n, sizeof *p->labels);
        status = lt_dataset_labels(t->data, split, c.index, c.n, p->labels);
    }
    if (status == LT_OK) {
        map_codes(&c, p);
        snprintf(p->subtitle, sizeof p->subtitle, "Means of q(z|x) of %d %s images, %d latents%s",
                 c.n, split_names[split], c.latent,
                 p->labels ? "; coloured by label" : "; the images have no labels");
        p->series = (lt_series){.kind = LT_CLOUD, .n = c.n, .x = p->x, .y = p->y,
                                .labels = p->labels, .n_labels = p->labels ? data->classes : 0};
        p->chart = (lt_chart){.x.label = p->x_label, .y.label = p->y_label,
                              .has_equal_units = true};
    }
    clear_codes(&c);
    return status;
}

/* ---- activity ---- */

static int by_height(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;
    return p < q ? 1 : p > q ? -1 : 0;
}

static int draw_activity(const plot_request *q, const trained *t, picture *p)
{
    lt_diagnosis d = {0};
    lt_split split = lt_dataset_split(t->data, (lt_split)q->split);
    lt_diagnosis_options o = {.images = q->images > INT32_MAX ? 0 : (int)q->images,
                              .threads = (int)q->threads};
    int all = lt_dataset_describe(t->data)->n[split];
    o.images = o.images < all ? o.images : 0;
    int status = lt_diagnose(t->model, t->data, split, &o, &d);
    if (status == LT_OK) {
        p->x = plot_room((size_t)d.latent, sizeof *p->x);
        p->y = plot_room((size_t)d.latent, sizeof *p->y);
        for (int k = 0; k < d.latent; k++) {
            p->x[k] = k + 1;
            p->y[k] = d.has_parts ? d.units[k].kl : d.units[k].mean_variance;
        }
        qsort(p->y, (size_t)d.latent, sizeof *p->y, by_height);
        snprintf(p->subtitle, sizeof p->subtitle, "%d of %d latents active; rate %.2f ± %.2f nats "
                                                  "per image (%s)",
                 d.active, d.latent, d.rate.value, d.rate.se, split_names[split]);
        p->series = (lt_series){.kind = LT_BARS, .n = d.latent, .x = p->x, .y = p->y};
        p->chart = (lt_chart){
            .x = {.label = "latents, those that say most first", .is_whole = true},
            .y.label = d.has_parts ? "KL(q(z|x) || p(z)), nats per image"
                                   : "variance of the mean of q(z|x) over images"};
    }
    lt_diagnosis_clear(&d);
    return status;
}

/* ---- Both ---- */

typedef int picture_function(const plot_request *q, const trained *t, picture *p);

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
                                                 "by: latent plot activity", run);
    else if (status == LT_OK)
        status = draw(q, &t, p);
    trained_close(&t);
    return status == LT_OK ? code : complain_library(q->command, status);
}

static int draw_runs(const plot_request *q, int n, const char *const *runs, int least,
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
        charts[read].series = &p->series;
        charts[read].n_series = 1;
    }
    if (code == CODE_DONE)
        code = plot_write(q, &(lt_figure){.title = n > 1 ? q->title : NULL, .charts = charts,
                                          .n_charts = n}, shape);
    for (int i = 0; i < read; i++)
        clear_picture(&pictures[i]);
    return code;
}

int plot_latents(const plot_request *q, int n, const char *const *runs)
{
    return draw_runs(q, n, runs, 2, draw_map, 1.2);
}

int plot_activity(const plot_request *q, int n, const char *const *runs)
{
    return draw_runs(q, n, runs, 1, draw_activity, 0);
}
