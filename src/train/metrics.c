/* SPDX-License-Identifier: MIT */
/* Lines of metrics.jsonl: written in full after each epoch, cut back when a run is resumed. */
#include "train/metrics.h"
#include "train/trainer.h"

#include "base/file.h"
#include "base/text.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

/* Nothing that is not finite gets into the file: it would not be JSON. */
static void add_real(text *line, const char *name, double value)
{
    if (!isfinite(value))
        return;
    text_format(line, ",\"%s\":", name);
    text_append_real(line, value);
}

int metrics_append(const char *path, const lt_train_report *r, const lt_validation *v)
{
    text line = {0};
    lt_train_report copy = *r;
    text_format(&line, "{\"step\":%lld,\"epoch\":%lld,\"images\":%lld", (long long)r->step,
                (long long)r->epoch, (long long)r->images);
    for (int i = 0; i < MEASURES; i++)
        add_real(&line, measure_name(i), *measure_of(&copy, i));
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

/* The step of a line; -1 if it is not a line of ours. */
static int64_t line_step(const char *line, size_t size)
{
    json_t *object = json_loadb(line, size, 0, NULL);
    const json_t *step = json_object_get(object, "step");
    int64_t value = json_is_integer(step) ? json_integer_value(step) : -1;
    json_decref(object);
    return value;
}

int metrics_cut(const char *path, int64_t step)
{
    static const size_t limit = (size_t)1 << 30;
    bytes file;
    text kept = {0};
    if (!file_exists(path))
        return LT_OK;
    LT_TRY(file_read(path, limit, &file));
    const char *at = (const char *)file.data, *end = at + file.size, *newline;
    for (; (newline = memchr(at, '\n', (size_t)(end - at))) != NULL; at = newline + 1) {
        int64_t its = line_step(at, (size_t)(newline - at));
        if (its >= 0 && its <= step)
            text_append_bytes(&kept, at, (size_t)(newline + 1 - at));
    }
    int status = LT_OK;
    if (kept.size != file.size)
        status = file_write(path, text_get(&kept), kept.size);
    text_clear(&kept);
    bytes_clear(&file);
    return status;
}
