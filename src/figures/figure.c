/* SPDX-License-Identifier: MIT */
/* The storage of figures of all kinds. */
#include "figures/figure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

lt_figure *figure_create(lt_figure_kind kind)
{
    lt_figure *f = must_alloc(sizeof *f);
    f->info.kind = kind;
    return f;
}

void lt_figure_free(lt_figure *f)
{
    if (!f)
        return;
    for (int i = 0; i < f->info.n && f->frames; i++)
        lt_image_clear(&f->frames[i]);
    free(f->frames);
    tensor_free(f->images);
    tensor_free(f->alone);
    free(f->notes);
    arena_clear(&f->memory);
    free(f);
}

int figure_finish(lt_figure *f, int status, lt_figure **out)
{
    *out = status == LT_OK ? f : NULL;
    if (status != LT_OK)
        lt_figure_free(f);
    return status;
}

const lt_figure_info *lt_figure_describe(const lt_figure *f) { return &f->info; }

const char *lt_figure_note(const lt_figure *f, int i) { return i >= 0 && i < f->n_notes ? f->notes[i] : NULL; }

const lt_chart_page *lt_figure_charts(const lt_figure *f)
{
    return f->info.kind == LT_FIGURE_CHARTS ? &f->page : NULL;
}

/* ---- Texts ---- */

static const char *keep_text(lt_figure *f, const char *format, va_list values)
{
    va_list again;
    va_copy(again, values);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    size_t size = (size_t)(n > 0 ? n : 0) + 1;
    char *kept = arena_alloc(&f->memory, size);
    vsnprintf(kept, size, format, values);
    return kept;
}

void figure_note(lt_figure *f, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    f->notes = must_grow(f->notes, f->n_notes, &f->capacity);
    f->notes[f->n_notes++] = keep_text(f, format, values);
    va_end(values);
}

void figure_name_row(lt_figure *f, int row, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    f->row_names[row] = keep_text(f, format, values);
    va_end(values);
}

void figure_name_column(lt_figure *f, int column, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    f->column_names[column] = keep_text(f, format, values);
    va_end(values);
}

void add_text(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list values;
    va_start(values, format);
    if (used + 1 < size)
        vsnprintf(text + used, size - used, format, values);
    va_end(values);
}

/* ---- Grids ---- */

int64_t image_numbers(lt_image_size size) { return (int64_t)size.h * size.w * size.c; }

float *images_alloc(lt_image_size size, int64_t n)
{
    return tensor_alloc((size_t)(n > 0 ? n : 1) * (size_t)image_numbers(size) * sizeof(float), "images of a figure");
}

int figure_check_count(int64_t rows, int64_t columns)
{
    if (rows > 0 && columns > 0 && rows <= MAX_FIGURE_IMAGES / columns)
        return LT_OK;
    return status_fail(LT_VALUE, "%jd x %jd images are more than %d", (intmax_t)rows, (intmax_t)columns,
                       MAX_FIGURE_IMAGES);
}

int figure_grid_open(lt_figure *f, lt_image_size size, int64_t rows, int64_t columns)
{
    LT_ASSERT(rows > 0 && columns > 0 && rows <= INT32_MAX / columns);
    f->size = size;
    f->info.rows = (int)rows;
    f->info.columns = (int)columns;
    f->info.n = f->info.n_images = (int)(rows * columns);
    f->row_names = arena_alloc(&f->memory, (size_t)rows * sizeof *f->row_names);
    f->column_names = arena_alloc(&f->memory, (size_t)columns * sizeof *f->column_names);
    f->images = images_alloc(size, rows * columns);
    return f->images ? LT_OK : LT_NO_MEMORY;
}

float *figure_image(const lt_figure *f, int row, int column)
{
    return f->images + ((int64_t)row * f->info.columns + column) * image_numbers(f->size);
}

void figure_set_titles(lt_figure *f, const lt_model *m, const char *title, const char *subtitle)
{
    f->info.title = arena_copy_text(&f->memory, title ? title : lt_recipe_name(lt_model_recipe(m)));
    f->info.subtitle = subtitle && subtitle[0] ? arena_copy_text(&f->memory, subtitle) : NULL;
}

/* ---- Animations ---- */

void figure_set_seconds(lt_figure *f, double seconds, double hold)
{
    f->seconds = seconds;
    f->hold = hold > 0 ? hold : seconds;
    f->info.seconds = 0;
    for (int i = 0; i < f->info.n; i++)
        f->info.seconds += i + 1 < f->info.n ? f->seconds : f->hold;
}
