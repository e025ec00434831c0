/* SPDX-License-Identifier: MIT */
/* RUN/samples/epoch-0012.png: samples after an epoch, always from the same codes. */
#include <latent/runs.h>

#include <latent/plot.h>

#include "base/status.h"
#include "run/run_files.h"

#include <math.h>
#include <stdlib.h>

char *lt_run_sample_path(const char *dir, int64_t epoch) { return run_files_path(&run_samples, dir, epoch); }

int lt_run_sample_epochs(const char *dir, int64_t **epochs, int *n)
{
    return run_files_list(&run_samples, dir, epochs, n);
}

/* ---- The images in a file ---- */

/* Returns the number of file pixels per image pixel; 0 if the file has another layout. A line of one pixel separates
   and surrounds the images. */
static int find_zoom(const lt_image *p, lt_image_size s)
{
    const int columns = LT_RUN_SAMPLE_COLUMNS, rows = LT_RUN_SAMPLES / columns;
    int zoom = (p->width - columns - 1) / (columns * s.w);
    bool fits = zoom > 0 && p->width == columns * (zoom * s.w + 1) + 1 &&
                p->height == rows * (zoom * s.h + 1) + 1 && (p->channels == s.c || p->channels == 3);
    return fits ? zoom : 0;
}

/* Reads a pixel; in gray images magenta stands for NaN. */
static void read_pixel(const unsigned char *from, int channels, int c, float *to)
{
    bool is_gray = channels == 1 || (from[0] == from[1] && from[1] == from[2]);
    for (int k = 0; k < c; k++)
        to[k] = c == 1 && !is_gray ? NAN : (float)from[k] / 255;
}

static void cut_tile(const lt_image *p, int zoom, lt_image_size s, int k, float *image)
{
    int left = 1 + k % LT_RUN_SAMPLE_COLUMNS * (zoom * s.w + 1);
    int top = 1 + k / LT_RUN_SAMPLE_COLUMNS * (zoom * s.h + 1);
    for (int y = 0; y < s.h; y++)
        for (int x = 0; x < s.w; x++, image += s.c) {
            size_t at = (size_t)(top + y * zoom) * (size_t)p->width + (size_t)(left + x * zoom);
            read_pixel(p->pixels + at * (size_t)p->channels, p->channels, s.c, image);
        }
}

int lt_run_sample_images(const char *dir, int64_t epoch, lt_image_size s, int n, float *images)
{
    if (n < 0 || n > LT_RUN_SAMPLES)
        return status_fail(LT_VALUE, "expected 0 to %d images of samples, found %d", (int)LT_RUN_SAMPLES, n);
    lt_image p = {.pixels = NULL};
    char *path = lt_run_sample_path(dir, epoch);
    int status = lt_image_read(path, &p), zoom = status == LT_OK ? find_zoom(&p, s) : 0;
    for (int k = 0; k < n && zoom; k++)
        cut_tile(&p, zoom, s, k, images + (int64_t)k * s.h * s.w * s.c);
    if (status == LT_OK && !zoom)
        status = status_fail(LT_VALUE, "%s: expected %d images of %d x %d in rows of %d, as training writes them, "
                                       "found %d x %d pixels",
                             path, (int)LT_RUN_SAMPLES, s.h, s.w, (int)LT_RUN_SAMPLE_COLUMNS, p.width, p.height);
    lt_image_clear(&p);
    free(path);
    return status;
}
