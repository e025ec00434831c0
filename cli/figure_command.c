/* SPDX-License-Identifier: MIT */
/* Grids of images with captions, for the commands that draw them. */
#include "figure_command.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- Commands ---- */

int figure_run(const command *c, const flag *flags, int argc, const char **argv,
               figure_drawer *draw, void *request)
{
    figure_request *q = request;
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    trained t;
    q->command = c;
    q->run = line.operand[0];
    q->line = &line;
    int status = trained_open(&t, q->run, false, NULL);
    q->checkpoint = t.checkpoint;
    int code = status == LT_OK ? draw(&t, request) : complain_library(c, status);
    if (code == CODE_DONE && q->out)
        warn_of_data(lt_recipe_dataset(lt_model_recipe(t.model)), q->out);
    trained_close(&t);
    command_line_clear(&line);
    return code;
}

int figure_refuse_images(const trained *t, const figure_request *q)
{
    return lt_model_has_encoder(t->model)
               ? CODE_DONE
               : refuse_flags(q->command, q->line, "split data",
                              "is about images, and %s has no encoder, so no codes of them", q->run);
}

int figure_refuse_class(const trained *t, const figure_request *q)
{
    return lt_model_classes(t->model) > 0
               ? CODE_DONE
               : refuse_flags(q->command, q->line, "class", "goes with models that have classes; "
                                                            "%s has none", q->run);
}

int figure_find_data(trained *t, const figure_request *q, lt_split *split)
{
    if (!t->data)
        LT_TRY(lt_model_open_data(t->model, q->data, NULL, 0, &t->data));
    LT_TRY(lt_model_check_data(t->model, t->data));
    *split = lt_dataset_split(t->data, (lt_split)q->split);
    return LT_OK;
}

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
    *f = (figure){.model = m, .rows = rows, .columns = columns, .n = rows * columns,
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
    va_list again;
    va_copy(again, values);
    int n = vsnprintf(NULL, 0, format, again);
    va_end(again);
    *to = plot_room((size_t)(n > 0 ? n : 0) + 1, 1);
    vsnprintf(*to, (size_t)(n > 0 ? n : 0) + 1, format, values);
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

static void say_written(const figure *f, const figure_request *q)
{
    const char *of = q->checkpoint ? " of " : "", *what = q->checkpoint ? q->checkpoint : "";
    char *name = written_name(q->out, f->n);
    if (f->n < f->rows * f->columns || lt_is_numbered(q->out))
        say("%s: %d image%s%s%s", name, f->n, f->n == 1 ? "" : "s", of, what);
    else
        say("%s: %d x %d images%s%s", name, f->rows, f->columns, of, what);
    free(name);
}

static int write_picture(const figure *f, const figure_request *q)
{
    lt_image_size s = lt_model_image_size(f->model);
    lt_grid grid = {.images = f->images, .n = f->n, .h = s.h, .w = s.w, .c = s.c,
                    .layout = {.columns = f->columns, .zoom = (int)q->zoom, .gap = 1}};
    memset(grid.layout.background, 255, sizeof grid.layout.background);
    if (q->is_plain)
        return lt_grid_write(q->out, &grid);
    char *own = plot_name(q->run);
    grid.title = q->title ? q->title : own;
    grid.subtitle = f->subtitle[0] ? f->subtitle : NULL;
    grid.row_names = (const char *const *)f->row_names;
    grid.column_names = (const char *const *)f->column_names;
    grid.rows_in_group = f->group;
    grid.layout.gap = f->is_seamless ? 0 : 2;
    int status = lt_grid_write(q->out, &grid);
    free(own);
    return status;
}

int figure_write(const figure *f, const figure_request *q)
{
    LT_TRY(is_images_alone(q->out)
               ? write_images(q->out, lt_model_image_size(f->model), f->images, f->n, q->zoom)
               : write_picture(f, q));
    if (!q->is_quiet)
        say_written(f, q);
    return LT_OK;
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
    snprintf(digits, sizeof digits, "%d", k);
    for (const char *d = digits; *d; d++)
        strcat(c.text, low[*d - '0']);
    return c;
}

/* The names of the data that are open, or of the catalogue's set that the recipe names. */
static const char *class_name(const trained *t, int k)
{
    const lt_dataset_info *d = t->data ? lt_dataset_describe(t->data) : NULL;
    if (d)
        return d->class_names && k < d->classes ? d->class_names[k] : NULL;
    const char *set = lt_recipe_dataset(lt_model_recipe(t->model));
    for (int i = 0; i < lt_data_count(); i++) {
        const lt_catalogue_entry *e = lt_data_entry(i);
        if (strcmp(e->name, set) != 0 || !e->class_names)
            continue;
        for (int j = 0; e->class_names[j]; j++)
            if (j == k)
                return e->class_names[j];
    }
    return NULL;
}

static bool begins_character(char byte) { return (byte & 0xc0) != 0x80; }

/* A name of more than 30 characters, or too many bytes, ends in "…". */
static caption short_name(const char *words)
{
    enum { MOST = 30 };
    caption c;
    size_t size = strlen(words), last = sizeof c.text - sizeof "…";
    int n = 0, cut = 0;
    for (size_t i = 0; i < size; i++)
        n += begins_character(words[i]);
    bool fits = n <= MOST && size < sizeof c.text;
    n = 0;
    for (size_t i = 0; i <= last && n < MOST && !fits; i++)
        if (begins_character(words[i])) {
            cut = (int)i;
            n++;
        }
    snprintf(c.text, sizeof c.text, "%.*s%s", fits ? (int)size : cut, words, fits ? "" : "…");
    return c;
}

const char *class_words(const trained *t, int k, caption *room)
{
    const char *its = k >= 0 ? class_name(t, k) : NULL;
    if (its)
        *room = short_name(its);
    else
        snprintf(room->text, sizeof room->text, "class %d", k);
    return room->text;
}

bool read_numbers(const command *c, const char *flag_name, const char *words, int n, int64_t min,
                  int64_t max, int *to)
{
    enum { MOST = 8 };
    int64_t values[MOST];
    bool is_good = n <= MOST && lt_read_integers(words, n, values);
    for (int i = 0; i < n && is_good; i++) {
        is_good = values[i] >= min && values[i] <= max;
        to[i] = is_good ? (int)values[i] : to[i];
    }
    if (!is_good)
        complain(c, CODE_USAGE, "--%s: expected %d number%s from %jd to %jd%s, found '%s'", flag_name, n,
                 n > 1 ? "s" : "", (intmax_t)min, (intmax_t)max,
                 n > 1 ? " with commas between them" : "", words);
    return is_good;
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

int figure_write_codes(figure *f, const figure_request *q, const trained *t, const float *z,
                       int label)
{
    caption room;
    size_t used = strlen(f->subtitle);
    LT_TRY(decode_codes(t, f->n, z, label, q->threads, f->images));
    if (lt_model_classes(t->model) > 0)
        snprintf(f->subtitle + used, sizeof f->subtitle - used, "; %s",
                 class_words(t, label, &room));
    return figure_write(f, q);
}

int gather_first(const lt_dataset *d, lt_split split, int64_t seed, int n, float *images)
{
    int all = lt_dataset_describe(d)->n[split];
    int32_t *order = plot_room((size_t)all, sizeof *order);
    for (int i = 0; i < all; i++)
        order[i] = i;
    if (seed > 0)
        lt_dataset_order(d, split, (uint64_t)seed, 0, order);
    int status = lt_dataset_gather(d, split, order, n, 0, 1, images);
    free(order);
    return status;
}

int encode_images(const trained *t, lt_split split, const int32_t *index, int n, int64_t threads,
                  float *images, float *codes)
{
    LT_TRY(lt_dataset_gather(t->data, split, index, n, 0, 1, images));
    return lt_encode(t->model, n, images, (int)threads, codes, NULL);
}
