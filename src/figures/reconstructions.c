/* SPDX-License-Identifier: MIT */
/* Images of a data set above their reconstructions. */
#include "figures/figure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_IMAGES = 32, DEFAULT_COLUMNS = 16 };

/* Gathers the first n images of a split, or n in the order of a seed above 0. */
static int gather_first(const lt_dataset *d, lt_split split, uint64_t seed, int n, float *images)
{
    int all = lt_dataset_describe(d)->n[split];
    int32_t *order = must_alloc(sizeof *order * (size_t)all);
    for (int i = 0; i < all; i++)
        order[i] = i;
    if (seed > 0)
        lt_dataset_order(d, split, seed, 0, order);
    int status = lt_dataset_gather(d, split, order, n, 0, 1, images);
    free(order);
    return status;
}

/* Alternates rows of images and of reconstructions; empty cells at the end are white. */
static int lay_out(lt_figure *f, lt_image_size s, int n, int columns, const float *x, const float *y)
{
    int64_t rows = 2 * (((int64_t)n + columns - 1) / columns), size = image_numbers(s);
    LT_TRY(figure_grid_open(f, s, rows, columns));
    for (int64_t i = 0; i < f->info.n * size; i++)
        f->images[i] = 1;
    for (int i = 0; i < n; i++) {
        int row = i / columns * 2, column = i % columns;
        memcpy(figure_image(f, row, column), x + i * size, sizeof *x * (size_t)size);
        memcpy(figure_image(f, row + 1, column), y + i * size, sizeof *y * (size_t)size);
    }
    for (int i = 0; i < f->info.rows; i++)
        figure_name_row(f, i, i % 2 ? "reconstruction" : "image");
    return LT_OK;
}

static void describe(lt_figure *f, const lt_model *m, const lt_reconstructions_options *o, int n, lt_split split)
{
    char subtitle[256];
    if (o->seed > 0)
        snprintf(subtitle, sizeof subtitle, "%d %s image%s, chosen by seed %jd", n, lt_split_name(split),
                 n > 1 ? "s" : "", (intmax_t)o->seed);
    else if (n > 1)
        snprintf(subtitle, sizeof subtitle, "The first %d %s images", n, lt_split_name(split));
    else
        snprintf(subtitle, sizeof subtitle, "The first %s image", lt_split_name(split));
    figure_set_titles(f, m, o->title, subtitle);
}

/* The figure keeps the reconstructions separately; it makes a grid if that is not too large. */
static int draw_reconstructions(lt_figure *f, lt_model *m, lt_dataset *data, lt_split split,
                                const lt_reconstructions_options *o)
{
    LT_TRY(lt_recipe_require(lt_model_recipe(m), LT_CAN_RECONSTRUCT));
    LT_TRY(find_split(m, data, &split));
    int all = lt_dataset_describe(data)->n[split], n = o->n ? o->n : DEFAULT_IMAGES;
    int columns = o->columns ? o->columns : DEFAULT_COLUMNS;
    if (n < 1 || columns < 1)
        return status_fail(LT_VALUE, "cannot make a figure of %d images in %d columns", n, columns);
    n = n < all ? n : all;
    columns = columns < n ? columns : n;
    f->size = lt_model_image_size(m);
    f->alone = images_alloc(f->size, n);
    float *x = images_alloc(f->size, n);
    int status = x && f->alone ? gather_first(data, split, o->seed, n, x) : LT_NO_MEMORY;
    if (status == LT_OK)
        status = lt_reconstruct(m, n, x, o->threads, f->alone);
    if (status == LT_OK && 2 * (((int64_t)n + columns - 1) / columns) <= MAX_FIGURE_IMAGES / columns)
        status = lay_out(f, f->size, n, columns, x, f->alone);
    tensor_free(x);
    f->info.n_images = n;
    f->zoom = o->zoom;
    f->group = 2;
    describe(f, m, o, n, split);
    return status;
}

int lt_figure_reconstructions(lt_model *m, lt_dataset *data, lt_split split,
                              const lt_reconstructions_options *options, lt_figure **out)
{
    lt_reconstructions_options o = OPTIONS(lt_reconstructions_options, options);
    lt_figure *f = figure_create(LT_FIGURE_GRID);
    return figure_finish(f, draw_reconstructions(f, m, data, split, &o), out);
}
