/* SPDX-License-Identifier: MIT */
/* Figures of new images, and of images that are given. */
#include "figures/figure.h"

#include <stdio.h>
#include <string.h>

enum { DEFAULT_SAMPLES = 64, DEFAULT_IN_A_ROW = 10 };

/* As many columns as rows, or one more. */
static int square_side(int n)
{
    int side = 1;
    while (side * side < n)
        side++;
    return side;
}

/* A grid of n images, the last row of which may have fewer. */
static int open_square(lt_figure *f, lt_image_size size, int n, int columns)
{
    if (n < 1 || n > MAX_FIGURE_IMAGES || columns < 0)
        return status_fail(LT_VALUE, "a figure of %d images in %d columns: expected 1 to %d images", n, columns,
                           MAX_FIGURE_IMAGES);
    columns = columns ? columns : square_side(n);
    columns = columns < n ? columns : n;
    LT_TRY(figure_grid_open(f, size, (n + columns - 1) / columns, columns));
    f->info.n = f->info.n_images = n;
    return LT_OK;
}

static int draw_images(lt_figure *f, const float *images, int n, lt_image_size size, const lt_images_options *o)
{
    LT_TRY(open_square(f, size, n, o->columns));
    memcpy(f->images, images, sizeof *images * (size_t)n * (size_t)image_numbers(size));
    f->zoom = o->zoom;
    f->is_bare = !o->title;
    f->info.title = o->title ? arena_copy_text(&f->memory, o->title) : NULL;
    f->info.subtitle = o->subtitle ? arena_copy_text(&f->memory, o->subtitle) : NULL;
    return LT_OK;
}

int lt_figure_images(const float *images, int n, lt_image_size size, const lt_images_options *options,
                     lt_figure **out)
{
    lt_images_options o = OPTIONS(lt_images_options, options);
    lt_figure *f = figure_create(LT_FIGURE_GRID);
    return figure_finish(f, draw_images(f, images, n, size, &o), out);
}

/* ---- Samples ---- */

/* Images alone, unless they are given a title. */
static int draw_samples(lt_figure *f, lt_model *m, const lt_dataset *data, const lt_samples_options *o)
{
    int n = o->n ? o->n : DEFAULT_SAMPLES;
    char subtitle[256];
    if (o->of_class)
        LT_TRY(check_class(m, *o->of_class));
    LT_TRY(open_square(f, lt_model_image_size(m), n, o->columns));
    LT_TRY(o->of_class ? lt_sample_class(m, *o->of_class, n, o->seed, o->threads, f->images)
                       : lt_sample(m, n, o->seed, o->threads, f->images));
    snprintf(subtitle, sizeof subtitle, "%d sample%s%s%s, seed %jd", n, n == 1 ? "" : "s", o->of_class ? " of " : "",
             o->of_class ? class_caption(m, data, *o->of_class).text : "", (intmax_t)o->seed);
    f->is_bare = !o->title;
    figure_set_titles(f, m, o->title, subtitle);
    return LT_OK;
}

/* A row for each class, of the same codes. */
static int draw_classes(lt_figure *f, lt_model *m, const lt_dataset *data, const lt_samples_options *o)
{
    int classes = lt_model_classes(m), n = o->n ? o->n : DEFAULT_IN_A_ROW;
    char subtitle[256];
    if (classes == 0)
        return lt_sample_class(m, 0, 0, o->seed, o->threads, NULL); /* says why */
    LT_TRY(figure_check_count(classes, n));
    LT_TRY(figure_grid_open(f, lt_model_image_size(m), classes, n));
    for (int k = 0; k < classes; k++) {
        figure_name_row(f, k, "%s", class_caption(m, data, k).text);
        LT_TRY(lt_sample_class(m, k, n, o->seed, o->threads, figure_image(f, k, 0)));
    }
    snprintf(subtitle, sizeof subtitle, "Each class, the same codes in each column, seed %jd", (intmax_t)o->seed);
    figure_set_titles(f, m, o->title, subtitle);
    return LT_OK;
}

/* Codes, E[x|z] and draws of p(x|z), which the caller frees in any case. */
typedef struct draws {
    float *z, *mean, *draw;
} draws;

static int make_draws(lt_model *m, int n, const lt_samples_options *o, draws *d)
{
    lt_image_size s = lt_model_image_size(m);
    d->z = tensor_alloc((size_t)n * (size_t)lt_model_latent(m) * sizeof *d->z, "codes of a figure");
    d->mean = images_alloc(s, n);
    d->draw = images_alloc(s, n);
    if (!d->z || !d->mean || !d->draw)
        return LT_NO_MEMORY;
    LT_TRY(lt_sample_codes(m, n, o->seed, o->threads, d->z));
    LT_TRY(lt_decode_sample(m, n, d->z, o->seed, o->threads, d->draw));
    return lt_decode(m, n, d->z, o->threads, d->mean);
}

/* Beside each mean of p(x|z) a draw from it. */
static int draw_draws(lt_figure *f, lt_model *m, const lt_samples_options *o)
{
    int n = o->n ? o->n : DEFAULT_IN_A_ROW;
    char subtitle[256];
    draws d = {.mean = NULL};
    LT_TRY(figure_check_count(n, 1));
    LT_TRY(figure_grid_open(f, lt_model_image_size(m), n, 2));
    int status = make_draws(m, n, o, &d);
    int64_t size = image_numbers(f->size);
    for (int i = 0; i < n && status == LT_OK; i++) {
        memcpy(figure_image(f, i, 0), d.mean + i * size, sizeof *d.mean * (size_t)size);
        memcpy(figure_image(f, i, 1), d.draw + i * size, sizeof *d.draw * (size_t)size);
    }
    tensor_free(d.z);
    tensor_free(d.mean);
    tensor_free(d.draw);
    figure_name_column(f, 0, "mean");
    figure_name_column(f, 1, "a draw");
    snprintf(subtitle, sizeof subtitle, "p(x|z) at codes drawn from the prior, seed %jd", (intmax_t)o->seed);
    figure_set_titles(f, m, o->title, subtitle);
    return status;
}

static int check_samples(const lt_samples_options *o)
{
    if ((o->with_draws && (o->each_class || o->of_class)) || (o->each_class && o->of_class))
        return status_fail(LT_VALUE, "with_draws, each_class and of_class: expected one of them");
    if ((o->with_draws || o->each_class) && o->columns)
        return status_fail(LT_VALUE, "columns: has no effect with draws and with a row for each class");
    return LT_OK;
}

static int choose_samples(lt_figure *f, lt_model *m, lt_dataset *data, const lt_samples_options *o)
{
    LT_TRY(check_samples(o));
    f->zoom = o->zoom;
    return o->with_draws   ? draw_draws(f, m, o)
           : o->each_class ? draw_classes(f, m, data, o)
                           : draw_samples(f, m, data, o);
}

int lt_figure_samples(lt_model *m, lt_dataset *data, const lt_samples_options *options, lt_figure **out)
{
    lt_samples_options o = OPTIONS(lt_samples_options, options);
    lt_figure *f = figure_create(LT_FIGURE_GRID);
    return figure_finish(f, choose_samples(f, m, data, &o), out);
}
