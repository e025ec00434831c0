/* SPDX-License-Identifier: MIT */
/* A walk through the codes of a model: closed ways from stop to stop, several beside each other. */
#include "figures/figure.h"
#include "figures/image_queue.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_WALKS = 16, DEFAULT_STOPS = 4, DEFAULT_STEPS = 15, MAX_STOPS = 1000 };

static const double default_seconds = 0.08;

typedef struct walk {
    lt_model *m;
    lt_dataset *data;
    lt_split split;
    const lt_walk_options *o;
    lt_figure *f;
    int walks, stops, steps, latent;
    bool has_images;  /* stops are codes of images */
    float *codes;     /* walks x stops x latent */
    int32_t *images;  /* of the stops, indices in the split */
} walk;

/* ---- Stops ---- */

/* Different classes on each way as far as there are some. */
static int choose_images(walk *w, image_queue *q)
{
    const int *classes = w->o->classes;
    queued_image way[MAX_STOPS];
    if (classes && !q->labels)
        return status_fail(LT_VALUE, "classes: the %s images of %s have no labels", lt_split_name(w->split),
                           lt_dataset_describe(w->data)->name);
    for (int i = 0; i < w->walks * w->stops; i++) {
        int k = i % w->stops;
        bool is_there = image_queue_take(q, classes ? classes[k] : -1, way, k, &way[k]) ||
                        (!classes && image_queue_take(q, -1, NULL, 0, &way[k]));
        if (!is_there && classes)
            return status_fail(LT_VALUE, "the %s split has %d of the %d images of class %d that %d ways take",
                               lt_split_name(w->split), i / w->stops, w->walks, classes[k], w->walks);
        if (!is_there)
            return status_fail(LT_VALUE, "the %s split has %d of the %d images that %d ways of %d stops take",
                               lt_split_name(w->split), q->n, w->walks * w->stops, w->walks, w->stops);
        w->images[i] = way[k].index;
    }
    return LT_OK;
}

static int stop_at_images(walk *w)
{
    image_queue q = {.n = 0};
    int n = w->walks * w->stops;
    LT_TRY(find_split(w->m, w->data, &w->split));
    int status = image_queue_open(w->data, w->split, w->o->seed, &q);
    if (status == LT_OK)
        status = choose_images(w, &q);
    image_queue_clear(&q);
    LT_TRY(status);
    float *images = images_alloc(lt_model_image_size(w->m), n);
    if (!images)
        return LT_NO_MEMORY;
    status = encode_images(w->m, w->data, w->split, w->images, n, w->o->threads, images, w->codes);
    tensor_free(images);
    return status;
}

static int find_stops(walk *w)
{
    size_t n = (size_t)w->walks * (size_t)w->stops;
    w->images = must_alloc(sizeof *w->images * n);
    w->codes = tensor_alloc(sizeof *w->codes * n * (size_t)w->latent, "codes of a figure");
    if (!w->codes)
        return LT_NO_MEMORY;
    return w->has_images ? stop_at_images(w)
                         : lt_sample_codes(w->m, (int)n, w->o->seed, w->o->threads, w->codes);
}

/* ---- Frames ---- */

/* Codes of all ways in frame i. */
static void fill_codes(const walk *w, int i, float *z)
{
    int from = i / w->steps, to = (from + 1) % w->stops;
    double t = (double)(i % w->steps) / w->steps;
    for (int k = 0; k < w->walks; k++) {
        const float *stops = w->codes + (size_t)k * (size_t)w->stops * (size_t)w->latent;
        lt_interpolate(w->latent, stops + (size_t)from * (size_t)w->latent, stops + (size_t)to * (size_t)w->latent, t,
                       !w->o->is_linear, z + (size_t)k * (size_t)w->latent);
    }
}

/* Frames x walks images. */
static int decode_walk(const walk *w)
{
    int n = w->f->info.n_images, classes = lt_model_classes(w->m);
    float *z = must_alloc((size_t)n * (size_t)w->latent * sizeof *z);
    int32_t *labels = must_alloc((size_t)n * sizeof *labels);
    for (int i = 0; i < w->f->info.n; i++)
        fill_codes(w, i, z + (size_t)i * (size_t)w->walks * (size_t)w->latent);
    for (int i = 0; i < n && classes; i++)
        labels[i] = w->o->of_class ? *w->o->of_class : i % w->walks % classes;
    int status = classes ? lt_decode_class(w->m, n, z, labels, w->o->threads, w->f->images)
                         : lt_decode(w->m, n, z, w->o->threads, w->f->images);
    free(labels);
    free(z);
    return status;
}

/* ---- The figure ---- */

/* "cat → dog → ape", as many as fit in `size`. */
static int list_classes(const walk *w, char *to, int size)
{
    int at = 0;
    for (int k = 0; k < w->stops && at < size; k++) {
        caption one = class_caption(w->m, w->data, w->o->classes[k]);
        bool fits = at + (int)strlen(one.text) + 8 < size;
        at += snprintf(to + at, (size_t)(size - at), "%s%s", k ? " → " : "", fits ? one.text : "…");
        if (!fits)
            break;
    }
    return at;
}

static void describe(const walk *w)
{
    enum { SIZE = 256, LINES = 32 }; /* LINES: for what follows the classes */
    char to[SIZE];
    const int *of = w->o->of_class;
    int at;
    if (w->has_images)
        at = snprintf(to, SIZE, "Through codes of %s images%s", lt_split_name(w->split), w->o->classes ? ": " : "");
    else
        at = snprintf(to, SIZE, "Through codes%s%s drawn from the prior, seed %jd", of ? " of " : "",
                      of ? class_caption(w->m, w->data, *of).text : "", (intmax_t)w->o->seed);
    if (w->has_images && w->o->classes)
        at += list_classes(w, to + at, SIZE - LINES - at);
    if (w->o->is_linear)
        snprintf(to + at, (size_t)(SIZE - at), ", in straight lines");
    figure_set_titles(w->f, w->m, w->o->title, to);
}

/* Few ways fill a page of about 560 pixels; many have images of about 84. */
static int choose_zoom(const walk *w)
{
    enum { PAGE = 560, IMAGE = 84, MAX_ZOOM = 16 };
    lt_image_size s = w->f->size;
    int columns = (int)ceil(sqrt(w->walks)), side = s.h > s.w ? s.h : s.w;
    int pixels = PAGE / columns > IMAGE ? PAGE / columns : IMAGE;
    int zoom = pixels / side > 1 ? pixels / side : 1;
    return w->o->zoom ? w->o->zoom : zoom < MAX_ZOOM ? zoom : MAX_ZOOM;
}

static int check_options(const walk *w)
{
    const lt_walk_options *o = w->o;
    LT_TRY(lt_recipe_require(lt_model_recipe(w->m), LT_CAN_INTERPOLATE));
    if (w->walks < 1 || w->steps < 1 || w->stops < 2 || w->stops > MAX_STOPS)
        return status_fail(LT_VALUE, "walks: expected at least 1, found %d; stops: 2 to %d, found %d; steps: at least "
                           "1, found %d", w->walks, MAX_STOPS, w->stops, w->steps);
    if (o->classes && (!w->has_images || o->n_classes != w->stops))
        return status_fail(LT_VALUE, w->has_images ? "classes: expected as many as stops"
                                                   : "classes: codes drawn from the prior have none");
    if (o->of_class && (w->has_images || lt_model_classes(w->m) == 0))
        return status_fail(LT_VALUE, "of_class: goes with sampled codes of a model that has classes");
    return o->of_class ? check_class(w->m, *o->of_class) : LT_OK;
}

static int draw_walk(walk *w)
{
    lt_figure *f = w->f;
    LT_TRY(check_options(w));
    LT_TRY(figure_check_count((int64_t)w->stops * w->steps, w->walks));
    LT_TRY(figure_grid_open(f, lt_model_image_size(w->m), (int64_t)w->stops * w->steps, w->walks));
    f->info.n = f->info.rows;
    LT_TRY(find_stops(w));
    LT_TRY(decode_walk(w));
    f->zoom = choose_zoom(w);
    f->loops = w->o->loops;
    figure_set_seconds(f, w->o->seconds > 0 ? w->o->seconds : default_seconds, 0);
    describe(w);
    return LT_OK;
}

int lt_figure_walk(lt_model *m, lt_dataset *data, lt_split split, const lt_walk_options *options, lt_figure **out)
{
    lt_walk_options o = OPTIONS(lt_walk_options, options);
    walk w = {.m = m, .data = data, .split = split, .o = &o, .f = figure_create(LT_FIGURE_ANIMATION),
              .walks = o.walks ? o.walks : DEFAULT_WALKS, .steps = o.steps ? o.steps : DEFAULT_STEPS,
              .stops = o.stops ? o.stops : o.classes ? o.n_classes : DEFAULT_STOPS, .latent = lt_model_latent(m),
              .has_images = lt_model_can(m, LT_CAN_ENCODE) && !o.from_prior};
    int status = draw_walk(&w);
    free(w.images);
    tensor_free(w.codes);
    return figure_finish(w.f, status, out);
}
