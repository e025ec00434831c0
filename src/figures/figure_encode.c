/* SPDX-License-Identifier: MIT */
/* Encodes figures to memory and to files: as a grid, a page of charts or an animation (plot), or as an array
   (data). */
#include "figures/figure.h"

#include "data/npy_write.h"
#include "image/raster.h"
#include "plot/view.h"

#include <stdlib.h>
#include <string.h>

/* ---- Frames ---- */

int frames_check_size(const lt_image *first, int n)
{
    const double max_bytes = 2e9;
    double bytes = (double)n * first->width * first->height * first->channels;
    if (bytes <= max_bytes)
        return LT_OK;
    return status_fail(LT_VALUE, "%d frames of %d x %d pixels are %.1f GB, more than %.0f; a smaller zoom, or fewer of "
                       "them, may help", n, first->width, first->height, 1e-9 * bytes, 1e-9 * max_bytes);
}

/* Draws the i-th frame of a walk: its images as a grid. */
static int draw_frame(const lt_figure *f, int i, lt_image *out)
{
    lt_grid grid = {.title = f->info.title, .subtitle = f->info.subtitle,
                    .images = f->images + (int64_t)i * f->info.columns * image_numbers(f->size),
                    .n = f->info.columns, .h = f->size.h, .w = f->size.w, .c = f->size.c,
                    .layout = {.zoom = f->zoom, .gap = 2, .background = {255, 255, 255}}};
    LT_TRY(lt_grid_render(&grid, out));
    return i == 0 ? frames_check_size(out, f->info.n) : LT_OK;
}

static void frames_free(lt_image *frames, int n)
{
    for (int i = 0; i < n && frames; i++)
        lt_image_clear(&frames[i]);
    free(frames);
}

/* Returns the figure's frames, or draws them from its images; *owned is then set, too. */
static int frames_open(const lt_figure *f, const lt_image **frames, lt_image **owned)
{
    int status = LT_OK;
    *frames = f->frames;
    *owned = NULL;
    if (f->frames)
        return LT_OK;
    *frames = *owned = must_alloc(sizeof **owned * (size_t)f->info.n);
    for (int i = 0; i < f->info.n && status == LT_OK; i++)
        status = draw_frame(f, i, &(*owned)[i]);
    return status;
}

static int encode_frames(const lt_figure *f, const char *path, const lt_image *frames, text *file)
{
    double *seconds = must_alloc(sizeof *seconds * (size_t)f->info.n);
    for (int i = 0; i < f->info.n; i++)
        seconds[i] = i + 1 < f->info.n ? f->seconds : f->hold;
    lt_animation a = {.frames = frames, .n = f->info.n, .seconds_of = seconds, .loops = f->loops};
    int status = animation_encode(path, &a, file);
    free(seconds);
    return status;
}

/* Writes each frame to its own file. */
static int write_frames(const lt_figure *f, const char *path, const lt_image *frames)
{
    int status = LT_OK;
    for (int i = 0; i < f->info.n && status == LT_OK; i++) {
        char *name = lt_numbered_name(path, i);
        status = name ? lt_image_write(name, &frames[i]) : LT_VALUE;
        free(name);
    }
    return status;
}

/* ---- Grids ---- */

static lt_grid grid_of(const lt_figure *f)
{
    lt_grid grid = {.images = f->images, .n = f->info.n, .h = f->size.h, .w = f->size.w, .c = f->size.c,
                    .layout = {.columns = f->info.columns, .zoom = f->zoom, .gap = 1,
                               .background = {255, 255, 255}}};
    if (f->is_bare)
        return grid;
    grid.title = f->info.title;
    grid.subtitle = f->info.subtitle;
    grid.row_names = f->row_names;
    grid.column_names = f->column_names;
    grid.rows_in_group = f->group;
    grid.layout.gap = f->is_seamless ? 0 : 2;
    return grid;
}

/* ---- Images alone ---- */

static const float *images_alone(const lt_figure *f) { return f->alone ? f->alone : f->images; }

static void encode_array(const lt_figure *f, text *file)
{
    lt_array a = {.kind = LT_FLOAT32, .rank = 4, .shape = {f->info.n_images, f->size.h, f->size.w, f->size.c}};
    npy_append_head(file, &a);
    text_append_bytes(file, (const char *)images_alone(f),
                      (size_t)f->info.n_images * (size_t)image_numbers(f->size) * sizeof(float));
}

static int write_array(const lt_figure *f, const char *path)
{
    return lt_npy_write(path, images_alone(f), 4,
                        (const int64_t[]){f->info.n_images, f->size.h, f->size.w, f->size.c});
}

/* ---- Any figure ---- */

static bool is_array(const lt_figure *f, const char *path)
{
    return f->info.n_images > 0 && text_ends_in(path, ".npy");
}

static int check_name(const lt_figure *f, const char *path)
{
    return is_array(f, path)                      ? LT_OK
           : f->info.kind == LT_FIGURE_CHARTS     ? lt_chart_check_name(path)
           : f->info.kind == LT_FIGURE_ANIMATION  ? lt_animation_check_name(path)
                                                  : lt_grid_check_name(path);
}

/* Encodes all formats except animations and arrays. */
static int encode_page(const lt_figure *f, const char *path, const lt_render_options *options, text *file)
{
    if (f->info.kind == LT_FIGURE_CHARTS)
        return chart_page_encode(path, &f->page, options, file);
    lt_grid grid = grid_of(f);
    if (!grid.images)
        return status_fail(LT_VALUE, "%jd images are more than a picture of %d", (intmax_t)f->info.n,
                           MAX_FIGURE_IMAGES);
    return grid_encode(path, &grid, file);
}

int lt_figure_encode(const lt_figure *f, const char *format, const lt_render_options *options,
                     unsigned char **data, size_t *n)
{
    text file = {0};
    const lt_image *frames = NULL;
    lt_image *owned = NULL;
    char *name = encoded_name(format);
    int status = check_name(f, name);
    if (status == LT_OK && is_array(f, name))
        encode_array(f, &file);
    else if (status == LT_OK && f->info.kind != LT_FIGURE_ANIMATION)
        status = encode_page(f, name, options, &file);
    else if (status == LT_OK && (status = frames_open(f, &frames, &owned)) == LT_OK)
        status = encode_frames(f, name, frames, &file);
    frames_free(owned, f->info.n);
    free(name);
    return encoded_give(&file, status, data, n);
}

static int write_animation(const lt_figure *f, const char *path)
{
    text file = {0};
    const lt_image *frames;
    lt_image *owned;
    int status = frames_open(f, &frames, &owned);
    if (status == LT_OK)
        status = lt_is_numbered(path) ? write_frames(f, path, frames)
                                      : encoded_write(path, &file, encode_frames(f, path, frames, &file));
    frames_free(owned, f->info.n);
    return status;
}

static int write_numbered(const lt_figure *f, const char *path)
{
    if (f->info.kind == LT_FIGURE_CHARTS)
        return status_fail(LT_VALUE, "%s: charts are written to one file; expected a name without a number",
                           path);
    return lt_numbered_write(path, images_alone(f), f->info.n_images, f->size.h, f->size.w, f->size.c, f->zoom);
}

int lt_figure_write(const lt_figure *f, const char *path, const lt_render_options *options)
{
    text file = {0};
    bool is_numbered = lt_is_numbered(path);
    if (!is_numbered)
        LT_TRY(check_name(f, path));
    if (!is_numbered && is_array(f, path))
        return write_array(f, path);
    if (f->info.kind == LT_FIGURE_ANIMATION)
        return write_animation(f, path);
    return is_numbered ? write_numbered(f, path)
                       : encoded_write(path, &file, encode_page(f, path, options, &file));
}
