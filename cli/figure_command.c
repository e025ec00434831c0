/* SPDX-License-Identifier: MIT */
/* Figures of one model, from the command line to the message about the file. */
#include "figure_command.h"

#include <stdlib.h>
#include <string.h>

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
    return lt_model_can(t->model, LT_CAN_ENCODE)
               ? CODE_DONE
               : refuse_flags(q->command, q->line, "split data",
                              "needs codes of images, and %s has no encoder", q->run);
}

int figure_refuse_class(const trained *t, const figure_request *q)
{
    return lt_model_classes(t->model) > 0
               ? CODE_DONE
               : refuse_flags(q->command, q->line, "class", "goes with models that have classes; "
                                                            "%s has none", q->run);
}

int figure_open_data(trained *t, const figure_request *q)
{
    return t->data ? LT_OK : lt_model_open_data(t->model, q->data, NULL, 0, &t->data);
}

bool figure_fits(const command *c, int64_t rows, int64_t columns)
{
    enum { MAX_IMAGES = 65536 };
    if (rows <= MAX_IMAGES / columns)
        return true;
    complain(c, CODE_USAGE, "%jd x %jd images are more than %d", (intmax_t)rows, (intmax_t)columns, MAX_IMAGES);
    return false;
}

char *figure_title(const figure_request *q)
{
    return q->title ? strcpy(plot_room(strlen(q->title) + 1, 1), q->title) : lt_run_name(q->run);
}

/* ---- Writing ---- */

void say_notes(const lt_figure *f)
{
    for (int i = 0; lt_figure_note(f, i); i++)
        say("%s", lt_figure_note(f, i));
}

static void say_animation(const char *out, const lt_figure_info *info)
{
    char *names = written_name(out, info->n);
    if (is_npy(out))
        say("%s: %d x %d images", names, info->rows, info->columns);
    else if (lt_is_numbered(out))
        say("%s: %d frames", names, info->n);
    else
        say("%s: %d frames, %.4g s", names, info->n, info->seconds);
    free(names);
}

static void say_grid(const figure_request *q, const lt_figure_info *info, const char *alone)
{
    const char *of = q->checkpoint ? " of " : "", *what = q->checkpoint ? q->checkpoint : "";
    char *names = written_name(q->out, info->n_images);
    if (alone && is_images_alone(q->out))
        say("%s: %d %s%s%s", names, info->n_images, alone, of, what);
    else if (info->n < info->rows * info->columns || lt_is_numbered(q->out))
        say("%s: %d image%s%s%s", names, info->n, info->n == 1 ? "" : "s", of, what);
    else
        say("%s: %d x %d images%s%s", names, info->rows, info->columns, of, what);
    free(names);
}

int figure_put(const figure_request *q, int status, lt_figure *f, const char *alone)
{
    const lt_figure_info *info = f ? lt_figure_describe(f) : NULL;
    if (status == LT_OK)
        status = lt_figure_write(f, q->out, NULL);
    if (status == LT_OK && info->kind == LT_FIGURE_GRID && lt_is_numbered(q->out))
        warn_of_more(q->out, info->n_images);
    if (status == LT_OK && info->kind == LT_FIGURE_GRID)
        say_grid(q, info, alone);
    else if (status == LT_OK)
        say_animation(q->out, info);
    lt_figure_free(f);
    return status == LT_OK ? CODE_DONE : complain_library(q->command, status);
}

bool read_numbers(const command *c, const char *flag_name, const char *words, int n, int64_t min,
                  int64_t max, int *to)
{
    enum { MAX_NUMBERS = 8 };
    int64_t values[MAX_NUMBERS];
    bool is_good = n <= MAX_NUMBERS && lt_read_integers(words, n, values);
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
