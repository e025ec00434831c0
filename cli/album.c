/* SPDX-License-Identifier: MIT */
/* Pictures that lie in a run's directory. */
#include "album.h"

#include "plot_kinds.h"
#include "sample_writer.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- What there is ---- */

static int compare_epochs(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

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

static void add_epoch(album *a, int64_t epoch)
{
    if (a->n == a->room) {
        int64_t *more = plot_room((size_t)(2 * a->room + 64), sizeof *more);
        if (a->n)
            memcpy(more, a->epochs, sizeof *more * (size_t)a->n);
        free(a->epochs);
        a->epochs = more;
        a->room = 2 * a->room + 64;
    }
    a->epochs[a->n++] = epoch;
}

int album_open(album *a, const command *c, const char *run)
{
    struct stat s;
    *a = (album){.command = c, .run = lt_run_around(run)};
    if (!a->run)
        a->run = strcpy(plot_room(strlen(run) + 1, 1), run);
    if (stat(a->run, &s) != 0)
        return complain(c, CODE_FAILED, "%s does not exist", run);
    if (!S_ISDIR(s.st_mode))
        return complain(c, CODE_FAILED, "%s is a file that lies in no run, and pictures of training are in "
                                        "the directory of a run", run);
    char *path = path_in(a->run, "samples");
    DIR *d = opendir(path);
    int code = !d && errno != ENOENT
                   ? complain(c, CODE_FAILED, "cannot read %s: %s", path, strerror(errno))
                   : CODE_DONE;
    free(path);
    for (const struct dirent *e; d && (e = readdir(d));)
        if (epoch_of(e->d_name) >= 0)
            add_epoch(a, epoch_of(e->d_name));
    if (d)
        closedir(d);
    if (a->n)
        qsort(a->epochs, (size_t)a->n, sizeof *a->epochs, compare_epochs);
    return code;
}

void album_close(album *a)
{
    free(a->run);
    free(a->epochs);
}

void album_thin_out(album *a, int n)
{
    for (int i = 0; i < n && n < a->n; i++)
        a->epochs[i] = a->epochs[(int64_t)i * (a->n - 1) / (n - 1)];
    a->n = n < a->n ? n : a->n;
}

/* ---- What is on them ---- */

char *album_name(const char *run, int64_t epoch)
{
    char name[64];
    snprintf(name, sizeof name, "samples/epoch-%04jd.png", (intmax_t)epoch);
    return path_in(run, name);
}

int album_read(const album *a, int i, lt_image *out)
{
    char *path = album_name(a->run, a->epochs[i]);
    int status = lt_image_read(out, path);
    free(path);
    return status == LT_OK ? CODE_DONE : complain_library(a->command, status);
}

/* Pixels of the picture per pixel of an image; 0 if it is laid out in another way. Between images
   and around them there is a line of one pixel. */
static int find_zoom(const lt_image *p, lt_image_size s)
{
    const int columns = WRITTEN_COLUMNS, rows = WRITTEN_SAMPLES / WRITTEN_COLUMNS;
    int zoom = (p->width - columns - 1) / (columns * s.w);
    bool fits = zoom > 0 && p->width == columns * (zoom * s.w + 1) + 1 &&
                p->height == rows * (zoom * s.h + 1) + 1 &&
                (p->channels == s.c || p->channels == 3);
    return fits ? zoom : 0;
}

/* One pixel; what was drawn magenta on grey was no number. */
static void read_pixel(const unsigned char *from, int channels, int c, float *to)
{
    bool is_grey = channels == 1 || (from[0] == from[1] && from[1] == from[2]);
    for (int k = 0; k < c; k++)
        to[k] = c == 1 && !is_grey ? NAN : (float)from[k] / 255;
}

static void cut_tile(const lt_image *p, int zoom, lt_image_size s, int k, float *image)
{
    int left = 1 + k % WRITTEN_COLUMNS * (zoom * s.w + 1);
    int top = 1 + k / WRITTEN_COLUMNS * (zoom * s.h + 1);
    for (int y = 0; y < s.h; y++)
        for (int x = 0; x < s.w; x++, image += s.c) {
            size_t at = (size_t)(top + y * zoom) * (size_t)p->width + (size_t)(left + x * zoom);
            read_pixel(p->pixels + at * (size_t)p->channels, p->channels, s.c, image);
        }
}

int album_cut(const album *a, int i, lt_image_size s, int n, float *images)
{
    lt_image p;
    int code = album_read(a, i, &p);
    if (code != CODE_DONE)
        return code;
    int zoom = find_zoom(&p, s);
    for (int k = 0; k < n && zoom; k++)
        cut_tile(&p, zoom, s, k, images + (int64_t)k * s.h * s.w * s.c);
    if (!zoom) {
        char *path = album_name(a->run, a->epochs[i]);
        code = complain(a->command, CODE_FAILED,
                        "%s: expected %d images of %d x %d in rows of %d, as training draws them, "
                        "found %d x %d pixels",
                        path, (int)WRITTEN_SAMPLES, s.h, s.w, (int)WRITTEN_COLUMNS, p.width,
                        p.height);
        free(path);
    }
    lt_image_free(&p);
    return code;
}
