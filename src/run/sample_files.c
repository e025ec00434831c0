/* SPDX-License-Identifier: MIT */
/* RUN/samples/epoch-0012.png: what training drew after an epoch, of the same codes each time. */
#include <latent/runs.h>

#include <latent/plot.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *lt_run_sample_path(const char *dir, int64_t epoch)
{
    return must_format("%s/samples/epoch-%04lld.png", dir, (long long)epoch);
}

/* ---- Which there are ---- */

/* epoch-0012.png is of epoch 12; -1: another file. */
static int64_t epoch_of(const char *name)
{
    char again[64];
    long long epoch = 0;
    if (sscanf(name, "epoch-%12lld.png", &epoch) != 1 || epoch < 0)
        return -1;
    snprintf(again, sizeof again, "epoch-%04lld.png", epoch);
    return strcmp(name, again) == 0 ? epoch : -1;
}

static int compare_epochs(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

int lt_run_sample_epochs(const char *dir, int64_t **epochs, int *n)
{
    char *samples = file_join(dir, "samples"), **names = NULL;
    int files = 0, status = LT_OK;
    *epochs = NULL;
    *n = 0;
    if (!file_exists(dir))
        status = status_fail(LT_NOT_FOUND, "%s does not exist", dir);
    else if (!file_is_directory(dir))
        status = status_fail(LT_VALUE, "%s is a file that lies in no run, and pictures of training are in the "
                                       "directory of a run", dir);
    else if (file_exists(samples))
        status = file_list(samples, ".png", &names, &files);
    if (status == LT_OK && files > 0)
        *epochs = must_alloc(sizeof **epochs * (size_t)files);
    for (int i = 0; status == LT_OK && i < files; i++)
        if (epoch_of(names[i]) >= 0)
            (*epochs)[(*n)++] = epoch_of(names[i]);
    if (*n > 0)
        qsort(*epochs, (size_t)*n, sizeof **epochs, compare_epochs);
    file_list_free(names, files);
    free(samples);
    return status;
}

/* ---- The images on one ---- */

/* Pixels of the file per pixel of an image; 0 if it is laid out in another way. Between images and around them there
   is a line of one pixel. */
static int find_zoom(const lt_image *p, lt_image_size s)
{
    const int columns = LT_RUN_SAMPLE_COLUMNS, rows = LT_RUN_SAMPLES / columns;
    int zoom = (p->width - columns - 1) / (columns * s.w);
    bool fits = zoom > 0 && p->width == columns * (zoom * s.w + 1) + 1 &&
                p->height == rows * (zoom * s.h + 1) + 1 && (p->channels == s.c || p->channels == 3);
    return fits ? zoom : 0;
}

/* One pixel; magenta on gray is what was not a number. */
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
    int status = lt_image_read(&p, path), zoom = status == LT_OK ? find_zoom(&p, s) : 0;
    for (int k = 0; k < n && zoom; k++)
        cut_tile(&p, zoom, s, k, images + (int64_t)k * s.h * s.w * s.c);
    if (status == LT_OK && !zoom)
        status = status_fail(LT_VALUE, "%s: expected %d images of %d x %d in rows of %d, as training draws them, "
                                       "found %d x %d pixels",
                             path, (int)LT_RUN_SAMPLES, s.h, s.w, (int)LT_RUN_SAMPLE_COLUMNS, p.width, p.height);
    lt_image_free(&p);
    free(path);
    return status;
}
