/* SPDX-License-Identifier: MIT */
/* Grids of images with captions, for the commands that draw them. */
#include "figures.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- Grids ---- */

bool figure_fits(const command *c, int64_t rows, int64_t columns)
{
    enum { MOST_IMAGES = 65536 };
    if (rows <= MOST_IMAGES / columns)
        return true;
    complain(c, CODE_USAGE, "%jd x %jd images are more than %d", (intmax_t)rows, (intmax_t)columns,
             MOST_IMAGES);
    return false;
}

void figure_open(figure *f, const lt_model *m, int rows, int columns)
{
    lt_image_size s = lt_model_image_size(m);
    *f = (figure){.model = m, .rows = rows, .columns = columns,
                  .size = (int64_t)s.h * s.w * s.c};
    f->images = image_room(m, rows * columns);
    f->row_names = plot_room((size_t)rows, sizeof *f->row_names);
    f->column_names = plot_room((size_t)columns, sizeof *f->column_names);
}

void figure_close(figure *f)
{
    for (int i = 0; i < f->rows && f->row_names; i++)
        free(f->row_names[i]);
    for (int i = 0; i < f->columns && f->column_names; i++)
        free(f->column_names[i]);
    free(f->row_names);
    free(f->column_names);
    free(f->images);
    *f = (figure){.rows = 0};
}

float *figure_place(const figure *f, int row, int column)
{
    return f->images + ((int64_t)row * f->columns + column) * f->size;
}

static void name(char **to, const char *format, va_list values)
{
    char words[200];
    vsnprintf(words, sizeof words, format, values);
    *to = plot_room(strlen(words) + 1, 1);
    strcpy(*to, words);
}

void figure_name_row(figure *f, int row, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    name(&f->row_names[row], format, values);
    va_end(values);
}

void figure_name_column(figure *f, int column, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    name(&f->column_names[column], format, values);
    va_end(values);
}

int figure_write(const figure *f, const figure_request *q)
{
    lt_image_size s = lt_model_image_size(f->model);
    int n = f->rows * f->columns, status;
    char *own = plot_name(q->run);
    lt_grid grid = {.title = q->title ? q->title : own,
                    .subtitle = f->subtitle[0] ? f->subtitle : NULL,
                    .images = f->images, .n = n, .h = s.h, .w = s.w, .c = s.c,
                    .layout = {.columns = f->columns, .zoom = (int)q->zoom,
                               .gap = f->is_seamless ? 0 : 2, .background = {255, 255, 255}},
                    .row_names = (const char *const *)f->row_names,
                    .column_names = (const char *const *)f->column_names,
                    .rows_in_group = f->group};
    status = is_npy(q->out) ? write_numbers(q->out, f->model, f->images, n)
                            : lt_grid_write(q->out, &grid);
    free(own);
    if (status == LT_OK && !q->is_quiet)
        say("%s: %d x %d images", q->out, f->rows, f->columns);
    return status;
}

/* ---- Words ---- */

caption number_caption(double value, int decimals)
{
    caption c;
    char digits[48];
    snprintf(digits, sizeof digits, "%.*f", decimals, value);
    bool is_zero = strspn(digits, "-0.") == strlen(digits);
    const char *shown = digits[0] == '-' ? digits + 1 : digits;
    snprintf(c.text, sizeof c.text, "%s%s", digits[0] == '-' && !is_zero ? "−" : "",
             is_zero ? "0" : shown);
    return c;
}

caption latent_caption(int k)
{
    static const char *const low[] = {"₀", "₁", "₂", "₃", "₄", "₅", "₆", "₇", "₈", "₉"};
    caption c = {"z"};
    char digits[16];
    snprintf(digits, sizeof digits, "%d", k + 1);
    for (const char *d = digits; *d; d++)
        strcat(c.text, low[*d - '0']);
    return c;
}

bool read_numbers(const command *c, const char *flag_name, const char *words, int n, int64_t min,
                  int64_t max, int *to)
{
    const char *at = words;
    for (int i = 0; i < n; i++) {
        char *end;
        errno = 0;
        long value = strtol(at, &end, 10);
        bool is_whole = end > at && errno == 0 && *end == (i + 1 < n ? ',' : 0);
        if (!is_whole || value < min || value > max) {
            complain(c, CODE_USAGE, "--%s: expected %d number%s from %jd to %jd%s, found '%s'",
                     flag_name, n, n > 1 ? "s" : "", (intmax_t)min, (intmax_t)max,
                     n > 1 ? " with commas between them" : "", words);
            return false;
        }
        to[i] = (int)value;
        at = end + 1;
    }
    return true;
}

/* ---- Codes and images ---- */

int decode_codes(const trained *t, int n, const float *z, int label, int64_t threads,
                 float *images)
{
    if (lt_model_classes(t->model) == 0)
        return lt_decode(t->model, n, z, (int)threads, images);
    int32_t *labels = plot_room((size_t)n, sizeof *labels);
    for (int i = 0; i < n; i++)
        labels[i] = label;
    int status = lt_decode_class(t->model, n, z, labels, (int)threads, images);
    free(labels);
    return status;
}

int gather_image(const trained *t, lt_split split, int64_t index, float *image)
{
    int32_t place = (int32_t)index;
    return lt_dataset_gather(t->data, split, &place, 1, 0, 1, image);
}
