/* SPDX-License-Identifier: MIT */
/* Decoded images on a grid over the plane of two latents. */
#include "figures/figure.h"

#include <stdio.h>
#include <stdlib.h>

enum { DEFAULT_SIDE = 20, MAX_PLACES = 100, PICTURE_SIDE = 1200, TILE_SIDE = 84 };

/* The center of part i of n equally probable parts of N(0, 1). */
static double middle_of(int i, int n) { return lt_normal_quantile((i + 0.5) / n); }

/* Fills in a code per image: z0 grows to the right, z1 upward. */
static void fill_codes(const lt_figure *f, int latent, float *z)
{
    for (int i = 0; i < f->info.rows; i++)
        for (int j = 0; j < f->info.columns; j++) {
            *z++ = (float)middle_of(j, f->info.columns);
            if (latent > 1)
                *z++ = (float)middle_of(f->info.rows - 1 - i, f->info.rows);
        }
}

static void write_names(lt_figure *f, int latent, char *subtitle, size_t size)
{
    for (int j = 0; j < f->info.columns; j++)
        figure_name_column(f, j, "%s", number_caption(middle_of(j, f->info.columns), 2).text);
    for (int i = 0; i < f->info.rows && latent > 1; i++)
        figure_name_row(f, i, "%s", number_caption(middle_of(f->info.rows - 1 - i, f->info.rows), 2).text);
    snprintf(subtitle, size, "E[x|z] at %d x %d quantiles of N(0,\u00a01), z₀ to the right%s", f->info.columns,
             f->info.rows, latent > 1 ? ", z₁ upwards" : "");
}

/* Chooses the zoom for a figure of PICTURE_SIDE, but not more than other figures use. */
static int choose_zoom(lt_image_size s, int n)
{
    int longest = s.h > s.w ? s.h : s.w, zoom = PICTURE_SIDE / (longest * n);
    return zoom >= TILE_SIDE / longest ? 0 : zoom > 1 ? zoom : 1;
}

static int draw_plane(lt_figure *f, lt_model *m, const lt_dataset *data, const lt_manifold_options *o)
{
    int latent = lt_model_latent(m), n = o->side ? o->side : DEFAULT_SIDE;
    char subtitle[256];
    LT_TRY(lt_recipe_require(lt_model_recipe(m), LT_CAN_DECODE | LT_CAN_SAMPLE)); /* quantiles of the prior */
    if (latent > 2)
        return status_fail(LT_VALUE, "%s: expected 1 or 2 latents, found %d", lt_recipe_name(lt_model_recipe(m)),
                           latent);
    if (n < 1 || n > MAX_PLACES)
        return status_fail(LT_VALUE, "side: expected 1 to %d, found %d", MAX_PLACES, n);
    LT_TRY(check_class(m, o->of_class));
    LT_TRY(figure_grid_open(f, lt_model_image_size(m), latent > 1 ? n : 1, n));
    f->zoom = o->zoom ? o->zoom : choose_zoom(f->size, n);
    f->is_seamless = true;
    float *z = must_alloc((size_t)f->info.n * (size_t)latent * sizeof *z);
    fill_codes(f, latent, z);
    write_names(f, latent, subtitle, sizeof subtitle);
    int status = figure_decode(f, m, data, z, o->of_class, o->threads, o->title, subtitle, sizeof subtitle);
    free(z);
    return status;
}

int lt_figure_manifold(lt_model *m, lt_dataset *data, const lt_manifold_options *options, lt_figure **out)
{
    lt_manifold_options o = OPTIONS(lt_manifold_options, options);
    lt_figure *f = figure_create(LT_FIGURE_GRID);
    return figure_finish(f, draw_plane(f, m, data, &o), out);
}
