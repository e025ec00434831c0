/* SPDX-License-Identifier: MIT */
/* Training counters in the metadata of a checkpoint. Each number is checked against the others and
   the recipe before it is used: training is deterministic, so most of them follow from each other. */
#include "train/checkpoint.h"

#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- Writing ---- */

const char *counters_integer_text(arena *a, int64_t value)
{
    return arena_format(a, "%lld", (long long)value);
}

/* Reads back exactly, also NaN and infinity: the sum of a metric may be infinite. */
static const char *real_text(arena *a, double value)
{
    text t = {0};
    if (isfinite(value))
        text_append_real(&t, value);
    else
        text_append(&t, isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
    const char *copy = arena_copy_text(a, text_get(&t));
    text_clear(&t);
    return copy;
}

static bool is_summed(const lt_trainer *t, int metric)
{
    return t->phase_of[metric] >= 0 && !t->recipe->metrics[metric].is_last;
}

int counters_list(const lt_trainer *t, safetensors_pair *pairs, arena *a)
{
    const train_counters *c = &t->done;
    int n = 0;
    pairs[n++] = (safetensors_pair){"step", counters_integer_text(a, c->step)};
    pairs[n++] = (safetensors_pair){"epoch", counters_integer_text(a, c->epoch)};
    pairs[n++] = (safetensors_pair){"images", counters_integer_text(a, c->images)};
    for (int k = 0; k < t->recipe->n_metrics; k++)
        if (is_summed(t, k))
            pairs[n++] = (safetensors_pair){arena_format(a, "sum_%s", t->recipe->metrics[k].name),
                                            real_text(a, c->sum[k])};
    for (int i = 1; i < t->n_phases; i++)
        pairs[n++] = (safetensors_pair){arena_format(a, "seen_%s", t->phases[i].row->name),
                                        counters_integer_text(a, c->seen[i])};
    LT_ASSERT(n <= MAX_COUNTERS);
    return n;
}

/* ---- Reading ---- */

/* A file whose metadata is read. */
typedef struct reading {
    const safetensors *file;
    const char *path;
} reading;

static int fail_counter(const reading *r, const char *key, const char *expected)
{
    const char *found = safetensors_metadata(r->file, key);
    return status_fail(LT_FORMAT, "%s is damaged: metadata \"%s\": expected %s, found %.40s",
                       r->path, key, expected, found ? found : "nothing");
}

static int read_integer(const reading *r, const char *key, int64_t *value)
{
    const char *word = safetensors_metadata(r->file, key);
    if (word && text_to_int64(word, value) && *value >= 0)
        return LT_OK;
    return fail_counter(r, key, "a whole number, not negative");
}

static int read_sum(const reading *r, const char *key, double *value)
{
    static const struct {
        const char *word;
        double value;
    } others[] = {{"nan", (double)NAN}, {"inf", (double)INFINITY}, {"-inf", -(double)INFINITY}};
    const char *word = safetensors_metadata(r->file, key);
    if (word && text_to_real(word, value))
        return LT_OK;
    for (int i = 0; word && i < COUNT_OF(others); i++)
        if (strcmp(word, others[i].word) == 0) {
            *value = others[i].value;
            return LT_OK;
        }
    return fail_counter(r, key, "a number");
}

/* A count that follows from the others. */
static int expect_count(const reading *r, const char *key, int64_t found, int64_t expected)
{
    char expected_text[96];
    if (found == expected)
        return LT_OK;
    snprintf(expected_text, sizeof expected_text, "%lld, by its epoch and images", (long long)expected);
    return fail_counter(r, key, expected_text);
}

/* Checks step, epoch and images: full epochs of steps, and full batches of the current epoch. Recipes limit
   the number of epochs, so nothing overflows. */
static int check_position(const reading *r, const lt_trainer *t, const train_counters *c)
{
    enum { MAX_EPOCHS = 1000000 };
    char expected_text[96];
    if (c->epoch > MAX_EPOCHS)
        return fail_counter(r, "epoch", "at most 1000000");
    if (c->images >= t->images || c->images % t->batch != 0) {
        snprintf(expected_text, sizeof expected_text, "whole batches of %d, fewer than the %d images of an epoch",
                 t->batch, t->images);
        return fail_counter(r, "images", expected_text);
    }
    return expect_count(r, "step", c->step, c->epoch * t->steps_per_epoch + c->images / t->batch);
}

/* Images of the current epoch that a phase has seen: those of each `every`-th step. */
static int64_t seen_by(const lt_trainer *t, int i, const train_counters *c)
{
    int64_t every = t->phases[i].every;
    return (c->step / every - c->epoch * t->steps_per_epoch / every) * t->batch;
}

static int read_seen(const reading *r, const lt_trainer *t, train_counters *c)
{
    char key[64];
    c->seen[0] = c->images;
    for (int i = 1; i < t->n_phases; i++) {
        snprintf(key, sizeof key, "seen_%s", t->phases[i].row->name);
        LT_TRY(read_integer(r, key, &c->seen[i]));
        LT_TRY(expect_count(r, key, c->seen[i], seen_by(t, i, c)));
    }
    return LT_OK;
}

static int read_sums(const reading *r, const lt_trainer *t, train_counters *c)
{
    char key[64];
    for (int k = 0; k < t->recipe->n_metrics; k++) {
        if (!is_summed(t, k))
            continue;
        snprintf(key, sizeof key, "sum_%s", t->recipe->metrics[k].name);
        LT_TRY(read_sum(r, key, &c->sum[k]));
        if (c->sum[k] != 0 && c->seen[t->phase_of[k]] == 0)
            return fail_counter(r, key, "0, as no image of the epoch has been seen");
    }
    return LT_OK;
}

int counters_read(const lt_trainer *t, const safetensors *file, const char *path,
                  train_counters *c)
{
    reading r = {file, path};
    *c = (train_counters){.step = 0};
    LT_TRY(read_integer(&r, "step", &c->step));
    LT_TRY(read_integer(&r, "epoch", &c->epoch));
    LT_TRY(read_integer(&r, "images", &c->images));
    LT_TRY(check_position(&r, t, c));
    LT_TRY(read_seen(&r, t, c));
    return read_sums(&r, t, c);
}

/* *value is -1 if the file does not have it. */
static int read_optional(const reading *r, const char *key, int64_t *value)
{
    *value = -1;
    return safetensors_metadata(r->file, key) ? read_integer(r, key, value) : LT_OK;
}

int counters_read_position(const safetensors *file, const char *path, int64_t *step, int64_t *epoch, int64_t *images)
{
    reading r = {file, path};
    LT_TRY(read_optional(&r, "step", step));
    LT_TRY(read_optional(&r, "epoch", epoch));
    return read_optional(&r, "images", images);
}

int counters_read_lines(const safetensors *file, const char *path, int64_t *lines)
{
    reading r = {file, path};
    return read_optional(&r, "log_lines", lines);
}
