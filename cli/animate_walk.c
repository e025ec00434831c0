/* SPDX-License-Identifier: MIT */
/* A walk through the codes of a model: closed ways from stop to stop, several beside each other. */
#include "animate.h"
#include "class_names.h"
#include "image_pile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WAYS = 16, STOPS = 4, STEPS = 15, MOST_STOPS = 1000 };

typedef struct walk {
    const animate_request *q;
    trained *t;
    lt_split split;
    int ways, stops, steps, latent;
    int frames;             /* of one round: the last one leads to the first */
    float *codes;           /* ways x stops x latent */
    int32_t *images;        /* of the stops, indices in the split */
    int classes[MOST_STOPS]; /* of each stop, as asked for */
    bool has_classes;
    int label;              /* of a model with classes; -1: they take turns */
} walk;

/* ---- Stops that are images ---- */

/* Different classes on each way as far as there are some. Gives the exit code. */
static int choose_images(walk *w, image_pile *p)
{
    const command *c = w->q->all.command;
    piled_image way[MOST_STOPS];
    if (w->has_classes && !p->labels)
        return complain(c, CODE_FAILED, "--class: the %s images of %s have no labels",
                        lt_split_name(w->split), lt_dataset_describe(w->t->data)->name);
    for (int i = 0; i < w->ways * w->stops; i++) {
        int k = i % w->stops;
        bool is_there = image_pile_take(p, w->has_classes ? w->classes[k] : -1, way, k, &way[k]) ||
                        (!w->has_classes && image_pile_take(p, -1, NULL, 0, &way[k]));
        if (!is_there && w->has_classes)
            return complain(c, CODE_FAILED, "the %s split has %d of the %d images of class %d that "
                                            "%d ways take", lt_split_name(w->split), i / w->stops,
                            w->ways, w->classes[k], w->ways);
        if (!is_there)
            return complain(c, CODE_FAILED, "the %s split has %d of the %d images that %d ways of "
                                            "%d stops take", lt_split_name(w->split), p->n,
                            w->ways * w->stops, w->ways, w->stops);
        w->images[i] = way[k].index;
    }
    return CODE_DONE;
}

/* ---- Stops; exit codes ---- */

/* "cat,dog,7" are as many stops. */
static int read_stops(walk *w)
{
    const char *words = w->q->classes;
    int n = 1;
    for (const char *at = words; *at; at++)
        n += *at == ',';
    if (n < 2 || n > MOST_STOPS || (w->q->stops && w->q->stops != n))
        return complain(w->q->all.command, CODE_USAGE,
                        "--class: expected 2 to %d classes, as many as --stops if that is given, found "
                        "'%s'", MOST_STOPS, words);
    w->stops = n;
    w->has_classes = true;
    return CODE_DONE;
}

static int stop_at_images(walk *w)
{
    const command *c = w->q->all.command;
    image_pile p = {0};
    int status = figure_find_data(w->t, &w->q->all, &w->split);
    if (status == LT_OK)
        status = image_pile_open(w->t, w->split, (uint64_t)w->q->all.seed, &p);
    int code = status == LT_OK ? CODE_DONE : complain_library(c, status);
    if (code == CODE_DONE && w->has_classes && p.labels &&
        !read_data_classes(&w->q->all, w->t, w->q->classes, w->stops, MOST_STOPS, w->classes))
        code = CODE_USAGE;
    if (code == CODE_DONE)
        code = choose_images(w, &p);
    image_pile_close(&p);
    if (code != CODE_DONE)
        return code;
    int n = w->ways * w->stops;
    float *images = image_room(w->t->model, n);
    status = encode_images(w->t, w->split, w->images, n, w->q->all.threads, images, w->codes);
    free(images);
    return status == LT_OK ? CODE_DONE : complain_library(c, status);
}

static int stop_at_draws(walk *w)
{
    int status = lt_sample_codes(w->t->model, w->ways * w->stops, (uint64_t)w->q->all.seed,
                                 (int)w->q->all.threads, w->codes);
    return status == LT_OK ? CODE_DONE : complain_library(w->q->all.command, status);
}

/* ---- Frames ---- */

/* Codes of all ways in frame i. */
static void fill_codes(const walk *w, int i, float *z)
{
    int from = i / w->steps, to = (from + 1) % w->stops;
    double t = (double)(i % w->steps) / w->steps;
    for (int k = 0; k < w->ways; k++) {
        const float *stops = w->codes + (size_t)k * (size_t)w->stops * (size_t)w->latent;
        lt_interpolate(w->latent, stops + (size_t)from * (size_t)w->latent,
                       stops + (size_t)to * (size_t)w->latent, t, !w->q->is_straight,
                       z + (size_t)k * (size_t)w->latent);
    }
}

/* frames x ways images. */
static int decode_walk(const walk *w, float *images)
{
    int n = w->frames * w->ways, threads = (int)w->q->all.threads;
    int classes = lt_model_classes(w->t->model);
    float *z = plot_room((size_t)n * (size_t)w->latent, sizeof *z);
    int32_t *labels = plot_room((size_t)n, sizeof *labels);
    for (int i = 0; i < w->frames; i++)
        fill_codes(w, i, z + (size_t)i * (size_t)w->ways * (size_t)w->latent);
    for (int i = 0; i < n && classes; i++)
        labels[i] = w->label >= 0 ? w->label : i % w->ways % classes;
    int status = classes ? lt_decode_class(w->t->model, n, z, labels, threads, images)
                         : lt_decode(w->t->model, n, z, threads, images);
    free(labels);
    free(z);
    return status;
}

/* "cat → dog → ape", as many as `size` has room for. */
static int list_classes(const walk *w, char *to, int size)
{
    int at = 0;
    caption room;
    for (int k = 0; k < w->stops && at < size; k++) {
        const char *one = class_words(w->t, w->classes[k], &room);
        bool fits = at + (int)strlen(one) + 8 < size;
        at += snprintf(to + at, (size_t)(size - at), "%s%s", k ? " → " : "", fits ? one : "…");
        if (!fits)
            break;
    }
    return at;
}

static void write_subtitle(const walk *w, char to[256])
{
    enum { SIZE = 256, LINES = 32 }; /* LINES: room for what follows the classes */
    caption room;
    int at;
    if (w->images)
        at = snprintf(to, SIZE, "Through codes of %s images%s", lt_split_name(w->split),
                      w->has_classes ? ": " : "");
    else
        at = snprintf(to, SIZE, "Through codes%s%s drawn from the prior, seed %jd",
                      w->label >= 0 ? " of " : "",
                      w->label >= 0 ? class_words(w->t, w->label, &room) : "",
                      (intmax_t)w->q->all.seed);
    if (w->has_classes)
        at += list_classes(w, to + at, SIZE - LINES - at);
    if (w->q->is_straight)
        snprintf(to + at, (size_t)(SIZE - at), ", in straight lines");
}

/* Few ways fill a page of about 560 pixels; many have images of about 84. */
static int choose_zoom(const walk *w, lt_image_size s)
{
    enum { PAGE = 560, IMAGE = 84, MOST_ZOOM = 16 };
    int columns = (int)ceil(sqrt(w->ways)), side = s.h > s.w ? s.h : s.w;
    int pixels = PAGE / columns > IMAGE ? PAGE / columns : IMAGE;
    int zoom = pixels / side > 1 ? pixels / side : 1;
    return w->q->all.zoom ? (int)w->q->all.zoom : zoom < MOST_ZOOM ? zoom : MOST_ZOOM;
}

/* A status, or an exit code after a complaint (which is above 0), as the next two. */
static int draw_frames(const walk *w, const float *images, reel *r)
{
    lt_image_size s = lt_model_image_size(w->t->model);
    char subtitle[256], *own = plot_name(w->q->all.run);
    int status = LT_OK;
    write_subtitle(w, subtitle);
    for (int i = 0; i < w->frames && status == LT_OK; i++) {
        size_t at = (size_t)i * (size_t)w->ways * (size_t)s.h * (size_t)s.w * (size_t)s.c;
        lt_grid grid = {.title = w->q->all.title ? w->q->all.title : own, .subtitle = subtitle,
                        .images = images + at, .n = w->ways, .h = s.h, .w = s.w, .c = s.c,
                        .layout = {.zoom = choose_zoom(w, s), .gap = 2,
                                   .background = {255, 255, 255}}};
        status = lt_grid_draw(&r->frames[i], &grid);
        if (status == LT_OK && i == 0)
            status = reel_check(r, w->q->all.command);
    }
    free(own);
    return status;
}

static int write_movie(const walk *w, const float *images)
{
    reel r;
    double seconds = w->q->seconds > 0 ? w->q->seconds : 0.08;
    reel_open(&r, w->frames);
    int status = draw_frames(w, images, &r);
    if (status == LT_OK)
        status = reel_write(&r, w->q, seconds, seconds);
    reel_close(&r);
    return status;
}

static int draw(const walk *w)
{
    const char *out = w->q->all.out;
    int n = w->frames * w->ways;
    float *images = image_room(w->t->model, n);
    int status = decode_walk(w, images);
    if (status == LT_OK)
        status = is_npy(out) ? write_images(out, lt_model_image_size(w->t->model), images, n, 0)
                             : write_movie(w, images);
    if (status == LT_OK && is_npy(out))
        say("%s: %d x %d images", out, w->frames, w->ways);
    free(images);
    return status;
}

/* ---- The whole; exit codes ---- */

/* What is asked of classes depends on who knows some: images, or the model. */
static int settle(walk *w, bool has_images)
{
    const animate_request *q = w->q;
    int classes = lt_model_classes(w->t->model);
    if (q->classes && has_images)
        return read_stops(w);
    if (q->classes && classes == 0)
        return complain(q->all.command, CODE_FAILED,
                        "--class: codes drawn from the prior of %s have no classes", q->all.run);
    if (q->classes && !read_model_class(&q->all, w->t, q->classes, &w->label))
        return CODE_USAGE;
    return CODE_DONE;
}

static int take_walk(walk *w)
{
    const animate_request *q = w->q;
    bool has_images = lt_model_has_encoder(w->t->model) && !q->from_prior;
    int code = figure_refuse_images(w->t, &q->all);
    if (code == CODE_DONE)
        code = settle(w, has_images);
    w->frames = w->stops * w->steps;
    if (code != CODE_DONE)
        return code;
    if (!figure_fits(q->all.command, w->frames, w->ways))
        return CODE_USAGE;
    size_t stops = (size_t)w->ways * (size_t)w->stops;
    w->codes = plot_room(stops * (size_t)w->latent, sizeof *w->codes);
    if (has_images)
        w->images = plot_room(stops, sizeof *w->images);
    code = has_images ? stop_at_images(w) : stop_at_draws(w);
    if (code != CODE_DONE)
        return code;
    int status = draw(w);
    return status >= 0 ? status : complain_library(q->all.command, status);
}

int animate_walk(animate_request *q)
{
    trained t;
    int code, status = trained_open(&t, q->all.run, false, NULL);
    if (status == LT_OK) {
        walk w = {.q = q, .t = &t, .label = -1, .latent = lt_model_latent(t.model),
                  .ways = q->walks ? (int)q->walks : WAYS, .stops = q->stops ? (int)q->stops : STOPS,
                  .steps = q->steps ? (int)q->steps : STEPS};
        code = take_walk(&w);
        free(w.codes);
        free(w.images);
    } else {
        code = complain_library(q->all.command, status);
    }
    trained_close(&t);
    return code;
}
