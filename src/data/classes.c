/* SPDX-License-Identifier: MIT */
/* The data option `classes`: which labels are kept, and the images that have them. */
#include "data/dataset.h"

#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { LABELS = 256 };

/* ---- Parsing ---- */

static int fail_class(const char *word, const char *const *names, int n)
{
    const char *nearest = names ? text_nearest(word, text_item, names, n) : NULL;
    return status_fail(LT_VALUE, "expected a number from 0 to %d%s, found '%s'%s%s%s", n - 1,
                       names ? " or the name of a class" : "", word, nearest ? "; did you mean '" : "",
                       nearest ? nearest : "", nearest ? "'?" : "");
}

int lt_class_find(const char *word, const char *const *names, int n, int *class_index)
{
    int64_t label;
    for (int k = 0; names && k < n; k++)
        if (strcmp(names[k], word) == 0) {
            *class_index = k;
            return LT_OK;
        }
    if (!text_to_int64(word, &label) || label < 0 || label >= n)
        return fail_class(word, names, n);
    *class_index = (int)label;
    return LT_OK;
}

static int read_class(const lt_dataset *d, const char *word, bool wanted[LABELS])
{
    int k = 0, status = lt_class_find(word, d->info.class_names, d->info.classes, &k);
    if (status != LT_OK)
        return status_prefix(status, "%s: data option classes", d->name);
    wanted[k] = true;
    return LT_OK;
}

/* "3, 7", with spaces around each. */
static int read_classes(const lt_dataset *d, bool wanted[LABELS])
{
    char word[LT_TEXT_SIZE];
    for (const char *at = d->info.options.classes, *end;; at = end + 1) {
        at += strspn(at, " ");
        end = at + strcspn(at, ",");
        size_t n = (size_t)(end - at);
        while (n > 0 && at[n - 1] == ' ')
            n--;
        memcpy(word, at, n);
        word[n] = 0;
        LT_TRY(read_class(d, word, wanted));
        if (!*end)
            return LT_OK;
    }
}

/* ---- Selecting images ---- */

/* Moves the selected images to the front of the arrays, which the set owns; valid may be the end of train's
   array, after the images that train keeps. */
static void keep_images(image_split *s, size_t pixels, const bool wanted[LABELS])
{
    int kept = 0;
    s->origin = must_alloc(sizeof *s->origin * ((size_t)s->n + 1));
    for (int i = 0; i < s->n; i++) {
        if (!wanted[s->labels[i]])
            continue;
        size_t to = (size_t)kept * pixels, from = (size_t)i * pixels;
        if (s->u8)
            memmove((unsigned char *)s->u8 + to, s->u8 + from, pixels);
        if (s->f32)
            memmove((float *)s->f32 + to, s->f32 + from, pixels * sizeof *s->f32);
        ((unsigned char *)s->labels)[kept] = s->labels[i];
        s->origin[kept++] = i;
    }
    s->n = kept;
}

int dataset_keep_classes(lt_dataset *d)
{
    bool wanted[LABELS] = {false};
    for (int i = 0; i < LT_SPLITS; i++)
        if (d->splits[i].n && !d->splits[i].labels)
            return status_fail(LT_VALUE,
                               "%s: data option classes: expected labels, found none in the %s split",
                               d->name, lt_split_name((lt_split)i));
    LT_TRY(read_classes(d, wanted));
    for (int i = 0; i < LT_SPLITS; i++)
        if (d->splits[i].n)
            keep_images(&d->splits[i], d->pixels, wanted);
    if (d->splits[LT_TRAIN].n + d->splits[LT_VALID].n + d->splits[LT_TEST].n == 0)
        return status_fail(LT_VALUE, "%s: data option classes=%s: no image is in these classes", d->name,
                           d->info.options.classes);
    return LT_OK;
}

int64_t lt_dataset_origin(const lt_dataset *d, lt_split split, int64_t i)
{
    const image_split *s = &d->splits[split];
    if (i < 0 || i >= s->n)
        return -1;
    return s->origin ? s->origin[i] : i;
}
