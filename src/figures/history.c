/* SPDX-License-Identifier: MIT */
/* The samples of training, one epoch after the other: as frames, and as rows. */
#include "figures/figure.h"

#include <latent/runs.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_FRAMES = 120, MAX_ROWS = 10, DEFAULT_IMAGES = 10 };

/* The sample files of a run, by epoch. */
typedef struct history {
    char *run; /* its directory */
    int64_t *epochs;
    int n;
} history;

/* Clear it in any case. */
static int history_open(history *h, const char *run)
{
    *h = (history){.run = lt_run_of_checkpoint(run)};
    if (!h->run)
        h->run = must_copy_text(run);
    return lt_run_sample_epochs(h->run, &h->epochs, &h->n);
}

static void history_clear(history *h)
{
    free(h->run);
    free(h->epochs);
}

/* Keeps n epochs, at least two, including the first and the last. */
static void thin_out(history *h, int n)
{
    for (int i = 0; i < n && n < h->n; i++)
        h->epochs[i] = h->epochs[(int64_t)i * (h->n - 1) / (n - 1)];
    h->n = n < h->n ? n : h->n;
}

/* ---- Frames ---- */

/* Draws a sample file on a page with captions, as large as that of the last epoch. */
static int draw_page(const lt_figure *f, int64_t epoch, int64_t last, const lt_image *drawn, lt_image *out)
{
    char subtitle[64], widest[64];
    size_t n = (size_t)drawn->width * (size_t)drawn->height * (size_t)drawn->channels;
    float *image = tensor_alloc(sizeof *image * n, "a file of samples");
    if (!image)
        return LT_NO_MEMORY;
    for (size_t i = 0; i < n; i++)
        image[i] = (float)drawn->pixels[i] / 255;
    snprintf(subtitle, sizeof subtitle, "Epoch %jd", (intmax_t)epoch);
    snprintf(widest, sizeof widest, "Epoch %jd", (intmax_t)last);
    for (char *digit = widest + 6; *digit; digit++)
        *digit = '8';
    lt_grid grid = {.title = f->info.title, .subtitle = subtitle, .widest_subtitle = widest, .images = image, .n = 1,
                    .h = drawn->height, .w = drawn->width, .c = drawn->channels,
                    .layout = {.zoom = f->zoom, .background = {255, 255, 255}}};
    int status = lt_grid_render(&grid, out);
    tensor_free(image);
    return status;
}

/* Draws the i-th frame; all have the size of the first. */
static int draw_frame(lt_figure *f, const history *h, int i, lt_image_size *size)
{
    lt_image drawn;
    char *path = lt_run_sample_path(h->run, h->epochs[i]);
    int status = lt_image_read(path, &drawn);
    free(path);
    LT_TRY(status);
    if (i == 0)
        *size = (lt_image_size){drawn.height, drawn.width, drawn.channels};
    if (drawn.width != size->w || drawn.height != size->h)
        status = status_fail(LT_VALUE, "%s/samples: expected %d x %d pixels, found in epoch %jd: "
                             "%d x %d", h->run, size->w, size->h, (intmax_t)h->epochs[i], drawn.width, drawn.height);
    else
        status = draw_page(f, h->epochs[i], h->epochs[h->n - 1], &drawn, &f->frames[i]);
    lt_image_clear(&drawn);
    return status == LT_OK && i == 0 ? frames_check_size(&f->frames[0], h->n) : status;
}

/* Draws the frames: by default about six seconds for all of training, and longer for the last frame. */
static int draw_frames(lt_figure *f, history *h, const lt_history_options *o)
{
    lt_image_size size = {0};
    if (o->frames < 0 || o->frames == 1)
        return status_fail(LT_VALUE, "frames: expected at least 2, found %d", o->frames);
    thin_out(h, o->frames ? o->frames : MAX_FRAMES);
    char *name = lt_run_name(h->run);
    f->info.title = arena_copy_text(&f->memory, o->title ? o->title : name);
    free(name);
    f->info.n = h->n;
    f->frames = must_alloc(sizeof *f->frames * (size_t)h->n);
    f->zoom = o->zoom ? o->zoom : 1;
    f->loops = o->loops;
    double seconds = o->seconds > 0 ? o->seconds : fmin(fmax(6. / h->n, 0.1), 0.5);
    figure_set_seconds(f, seconds, o->hold > 0 ? o->hold : fmax(seconds, 2));
    for (int i = 0; i < h->n; i++)
        LT_TRY(draw_frame(f, h, i, &size));
    return LT_OK;
}

int lt_figure_history(const char *run, const lt_history_options *options, lt_figure **out)
{
    lt_history_options o = OPTIONS(lt_history_options, options);
    history h;
    lt_figure *f = figure_create(LT_FIGURE_ANIMATION);
    int status = history_open(&h, run);
    if (status == LT_OK && h.n < 2)
        status = status_fail(LT_VALUE, "%s has %s of samples, and an animation takes two; training draws one after "
                             "every train.samples_every epochs of its recipe; a walk through codes needs none", run,
                             h.n ? "one picture" : "no picture");
    if (status == LT_OK)
        status = draw_frames(f, &h, &o);
    history_clear(&h);
    return figure_finish(f, status, out);
}

/* ---- Rows ---- */

/* Chooses at most MAX_ROWS of n files: evenly spaced ones, if at least half as many rows can be. */
static int choose_rows(int n)
{
    if (n <= MAX_ROWS)
        return n;
    for (int rows = MAX_ROWS; rows > MAX_ROWS / 2; rows--)
        if ((n - 1) % (rows - 1) == 0)
            return rows;
    return MAX_ROWS;
}

static int draw_rows(lt_figure *f, history *h, const lt_model *m, const lt_history_rows_options *o)
{
    int n = o->n ? o->n : DEFAULT_IMAGES;
    thin_out(h, choose_rows(h->n));
    if (n < 1 || n > LT_RUN_SAMPLES)
        return status_fail(LT_VALUE, "n: expected 1 to %d images, found %d", (int)LT_RUN_SAMPLES, n);
    LT_TRY(figure_grid_open(f, lt_model_image_size(m), h->n, n));
    for (int i = 0; i < h->n; i++) {
        figure_name_row(f, i, "epoch %jd", (intmax_t)h->epochs[i]);
        LT_TRY(lt_run_sample_images(h->run, h->epochs[i], f->size, n, figure_image(f, i, 0)));
    }
    f->zoom = o->zoom;
    figure_set_titles(f, m, o->title, "Samples as training drew them, the same codes in each column");
    return LT_OK;
}

int lt_figure_history_rows(const char *run, const lt_model *m, const lt_history_rows_options *options, lt_figure **out)
{
    lt_history_rows_options o = OPTIONS(lt_history_rows_options, options);
    history h;
    lt_figure *f = figure_create(LT_FIGURE_GRID);
    int status = history_open(&h, run);
    if (status == LT_OK && h.n == 0)
        status = status_fail(LT_VALUE, "%s has no picture of samples; training draws one after every "
                             "train.samples_every epochs of its recipe", run);
    if (status == LT_OK)
        status = draw_rows(f, &h, m, &o);
    history_clear(&h);
    return figure_finish(f, status, out);
}
