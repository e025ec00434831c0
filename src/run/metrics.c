/* SPDX-License-Identifier: MIT */
/* Lines of metrics.jsonl: appended after each epoch, truncated when a run is resumed. */
#include "run/metrics.h"
#include "train/trainer.h"

#include "base/ceilings.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Omits numbers that are not finite: JSON has none. */
static void add_real(text *line, const char *name, double value)
{
    if (!isfinite(value))
        return;
    text_format(line, ",\"%s\":", name);
    text_append_real(line, value);
}

/* Writes null for a metric of a phase that made no step in the epoch. */
static void add_awaited(text *line, const lt_recipe *recipe, const lt_train_report *r)
{
    int n;
    const lt_metric *m = lt_recipe_metrics(recipe, &n);
    bool has_first = isfinite(lt_metric_value(lt_recipe_loss(recipe), r));
    for (int i = 0; i < n; i++)
        if (has_first && isnan(lt_metric_value(&m[i], r)) && strcmp(m[i].phase, m[0].phase) != 0)
            text_format(line, ",\"%s\":null", m[i].name);
}

int metrics_append(const char *path, const lt_recipe *recipe, const lt_train_report *r, const lt_validation *v)
{
    text line = {0};
    int n;
    const lt_metric *metrics = lt_recipe_metrics(recipe, &n);
    text_format(&line, "{\"step\":%lld,\"epoch\":%lld,\"images\":%lld", (long long)r->step,
                (long long)r->epoch, (long long)r->images);
    for (int i = 0; i < n; i++)
        add_real(&line, metrics[i].name, lt_metric_value(&metrics[i], r));
    add_awaited(&line, recipe, r);
    add_real(&line, "beta", r->beta);
    add_real(&line, "beta_first", r->beta_first);
    add_real(&line, "capacity", r->capacity);
    add_real(&line, "learning_rate", r->learning_rate);
    add_real(&line, "seconds", r->seconds);
    add_real(&line, "images_per_second", (double)r->images_timed / r->seconds);
    if (v) {
        text_format(&line, ",\"valid\":{\"images\":%lld", (long long)v->images);
        add_real(&line, "loss", v->loss);
        add_real(&line, "neg_elbo", v->neg_elbo);
        add_real(&line, "neg_elbo_se", v->neg_elbo_se);
        add_real(&line, "rate", v->rate);
        add_real(&line, "distortion", v->distortion);
        add_real(&line, "squared_error", v->squared_error);
        text_append(&line, "}");
    }
    text_append(&line, "}");
    int status = file_append(path, text_get(&line));
    text_clear(&line);
    return status;
}

/* ---- Reading ---- */

static int read_file(const char *path, bytes *file)
{
    return limit_named(LIMIT_METRICS_BYTES, file_read(path, limit_of(LIMIT_METRICS_BYTES), file));
}

static int use_line(const char *path, int number, bool is_strict, const char *line, size_t size,
                    metrics_line *take, void *user)
{
    json_error_t error;
    json_t *row = json_loadb(line, size, 0, &error);
    int status = LT_OK;
    if (json_is_object(row))
        status = take(user, row);
    else if (!row && !error.text[0]) /* jansson ran out of memory */
        status = status_fail(LT_NO_MEMORY, "no memory for a line of %s", path);
    else if (is_strict)
        status = status_fail(LT_FORMAT, "%s:%d: expected a JSON object, found %s", path, number,
                             row ? "something else" : error.text);
    json_decref(row);
    return status;
}

int metrics_lines(const char *path, bool is_strict, metrics_line *take, void *user)
{
    bytes file;
    int status = read_file(path, &file);
    const char *at = (const char *)file.data, *end = at + file.size, *newline;
    for (int line = 1; status == LT_OK && at < end && (newline = memchr(at, '\n', (size_t)(end - at))) != NULL;
         line++, at = newline + 1)
        status = use_line(path, line, is_strict, at, (size_t)(newline - at), take, user);
    bytes_clear(&file);
    return status;
}

/* ---- Truncating ---- */

/* Reads the step of a line; -1 if it is not a line of this log. LT_NO_MEMORY is an error, not such a line. */
static int line_step(const char *path, const char *line, size_t size, int64_t *value)
{
    json_error_t error;
    json_t *object = json_loadb(line, size, 0, &error);
    if (!object && !error.text[0]) /* jansson ran out of memory */
        return status_fail(LT_NO_MEMORY, "no memory for a line of %s", path);
    const json_t *step = json_object_get(object, "step");
    *value = json_is_integer(step) ? json_integer_value(step) : -1;
    json_decref(object);
    return LT_OK;
}

/* The lines of a log to keep. */
typedef struct cutting {
    const char *path;
    int64_t step, lines; /* as in metrics_cut */
    text kept;
    int64_t found, number; /* lines kept; lines read */
} cutting;

static int take_line(cutting *c, const char *line, size_t size)
{
    int64_t step = -1;
    c->number++;
    LT_TRY(line_step(c->path, line, size, &step));
    if (step < 0)
        log_warning("%s:%lld: removed, because it is not a complete line of this log: %.*s%s", c->path,
                    (long long)c->number, (int)(size < 40 ? size : 40), line,
                    size > 40 ? "..." : "");
    if (step < 0 || step > c->step || (c->lines >= 0 && c->found == c->lines))
        return LT_OK;
    text_append_bytes(&c->kept, line, size);
    text_append(&c->kept, "\n");
    c->found++;
    return LT_OK;
}

/* Text after the last newline is incomplete; its step is repeated. */
static int take_lines(cutting *c, const bytes *file)
{
    const char *at = (const char *)file->data, *end = at + file->size, *newline;
    for (; (newline = memchr(at, '\n', (size_t)(end - at))) != NULL; at = newline + 1)
        LT_TRY(take_line(c, at, (size_t)(newline - at)));
    return c->kept.size == file->size ? LT_OK
                                      : file_write(c->path, text_get(&c->kept), c->kept.size);
}

int metrics_cut(const char *path, int64_t step, int64_t lines, int64_t *left)
{
    cutting c = {.path = path, .step = step, .lines = lines};
    bytes file = {0};
    int status = file_exists(path) ? read_file(path, &file) : LT_OK;
    if (status == LT_OK && file.size > 0)
        status = take_lines(&c, &file);
    if (status == LT_OK && c.found < lines)
        log_warning("%s has lost %lld of the %lld lines that were written before step %lld; charts "
                    "and tables of this run lack them, but training continues unchanged",
                    path, (long long)(lines - c.found), (long long)lines, (long long)step);
    *left = lines > c.found ? lines : c.found;
    text_clear(&c.kept);
    bytes_clear(&file);
    return status;
}
