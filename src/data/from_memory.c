/* SPDX-License-Identifier: MIT */
/* Creates data sets from images in memory. */
#include "data/dataset.h"

#include "base/memory.h"
#include "base/status.h"

#include <float.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char *name_of(const lt_memory_images *m) { return m->name ? m->name : "memory"; }

/* ---- Checks ---- */

static int check_split(const lt_memory_images *m, int i)
{
    const lt_memory_split *s = &m->split[i];
    const char *name = name_of(m), *split = lt_split_name((lt_split)i);
    if (s->n < 0 || s->n > INT32_MAX)
        return status_fail(LT_VALUE, "%s: expected 0 to %d %s images, found %jd", name, INT32_MAX, split,
                           (intmax_t)s->n);
    if (s->n > 0 && !s->bytes == !s->floats)
        return status_fail(LT_VALUE, "%s: the %s split: expected bytes or floats, found %s", name, split,
                           s->bytes ? "both" : "neither");
    return LT_OK;
}

static int check_images(const lt_memory_images *m)
{
    int with_bytes = 0, with_floats = 0;
    if (m->h < 1 || m->h > MAX_SIDE || m->w < 1 || m->w > MAX_SIDE || m->c < 1 || m->c > MAX_CHANNELS)
        return status_fail(LT_VALUE, "%s: expected images of at most %d x %d x %d, found %d x %d x %d",
                           name_of(m), MAX_SIDE, MAX_SIDE, MAX_CHANNELS, m->h, m->w, m->c);
    for (int i = 0; i < LT_SPLITS; i++) {
        LT_TRY(check_split(m, i));
        with_bytes += m->split[i].n > 0 && m->split[i].bytes;
        with_floats += m->split[i].n > 0 && m->split[i].floats;
    }
    if (with_bytes + with_floats == 0)
        return status_fail(LT_VALUE, "%s: expected images, found none in any split", name_of(m));
    if (with_bytes && with_floats)
        return status_fail(LT_VALUE, "%s: expected one kind of pixels, found bytes in %d splits and floats in "
                           "%d", name_of(m), with_bytes, with_floats);
    if (m->n_classes < 0 || m->n_classes > UCHAR_MAX + 1)
        return status_fail(LT_VALUE, "%s: expected the names of 0 to %d classes, found %d", name_of(m),
                           UCHAR_MAX + 1, m->n_classes);
    return LT_OK;
}

static int check_floats(const lt_memory_images *m, lt_split split, size_t pixels)
{
    const float *x = m->split[split].floats;
    size_t size = pixels * (size_t)m->split[split].n;
    for (size_t i = 0; x && i < size; i++)
        if (!(x[i] >= 0 && x[i] <= 1)) /* NaN too */
            return status_fail(LT_VALUE, "%s: %s image %zu, number %zu: expected a value in [0, 1], found %.*g",
                               name_of(m), lt_split_name(split), i / pixels, i % pixels, FLT_DECIMAL_DIG,
                               (double)x[i]);
    return LT_OK;
}

/* ---- Arrays ---- */

/* Unchanged images can be borrowed; options that move or change images need a copy. */
static bool can_borrow(const lt_memory_images *m, const lt_data_options *o)
{
    return m->borrow && !o->classes[0] && (m->c == 1 || m->c == 3) && !o->resize[0] &&
           (!o->channels || o->channels == m->c);
}

static int take_images(const lt_memory_images *m, lt_split split, const lt_data_options *o, size_t pixels,
                       data_array *a)
{
    const lt_memory_split *s = &m->split[split];
    const void *from = s->bytes ? (const void *)s->bytes : (const void *)s->floats;
    size_t size;
    *a = (data_array){.n = (int)s->n, .h = m->h, .w = m->w, .c = m->c};
    if (!size_mul(pixels, (size_t)s->n, &size) || !size_mul(size, s->bytes ? 1 : sizeof *s->floats, &size))
        return status_fail(LT_VALUE, "%s: expected images that fit in memory, found %jd of %d x %d x %d",
                           name_of(m), (intmax_t)s->n, m->h, m->w, m->c);
    LT_TRY(check_floats(m, split, pixels));
    if (!can_borrow(m, o)) {
        a->block = tensor_alloc(size, "images in memory");
        if (!a->block)
            return LT_NO_MEMORY;
        memcpy(a->block, from, size);
        from = a->block;
    }
    a->u8 = s->bytes ? from : NULL;
    a->f32 = s->bytes ? NULL : from;
    data_notice_binary(name_of(m), a);
    return LT_OK;
}

static int take_labels(const lt_memory_images *m, lt_split split, data_array *a)
{
    const lt_memory_split *s = &m->split[split];
    *a = (data_array){0};
    if (!s->labels)
        return LT_OK;
    unsigned char *to = tensor_alloc((size_t)s->n, "labels in memory");
    if (!to)
        return LT_NO_MEMORY;
    *a = (data_array){.is_labels = true, .n = (int)s->n, .u8 = to, .block = to};
    for (int64_t i = 0; i < s->n; i++) {
        if (s->labels[i] < 0 || s->labels[i] > UCHAR_MAX)
            return status_fail(LT_VALUE, "%s: label %jd of the %s split: expected 0 to %d, found %d", name_of(m),
                               (intmax_t)i, lt_split_name(split), UCHAR_MAX, (int)s->labels[i]);
        to[i] = (unsigned char)s->labels[i];
    }
    return LT_OK;
}

static int take_split(lt_dataset *d, const lt_memory_images *m, lt_split split)
{
    size_t pixels = (size_t)m->h * (size_t)m->w * (size_t)m->c;
    data_array images = {0}, labels = {0};
    if (m->split[split].n == 0)
        return LT_OK;
    int status = take_images(m, split, &d->info.options, pixels, &images);
    if (status == LT_OK)
        status = take_labels(m, split, &labels);
    if (status == LT_OK)
        status = dataset_take(d, split, &images, &labels, (const char *const[2]){name_of(m), name_of(m)});
    data_array_clear(&images);
    data_array_clear(&labels);
    return status;
}

static int take_all(lt_dataset *d, const lt_memory_images *m)
{
    for (int i = 0; i < LT_SPLITS; i++)
        LT_TRY(take_split(d, m, (lt_split)i));
    if (m->class_names && m->n_classes > 0)
        dataset_name_classes(d, m->class_names, m->n_classes);
    return dataset_finish(d);
}

int lt_dataset_from_memory(const lt_memory_images *m, const lt_data_options *options, lt_dataset **out)
{
    *out = NULL;
    LT_TRY(check_images(m));
    if (options && options->path[0])
        return status_fail(LT_VALUE, "data option path: goes with a set of the catalog, found '%s'", name_of(m));
    lt_dataset *d = dataset_create(name_of(m), "", options);
    if (!d)
        return LT_VALUE;
    int status = take_all(d, m);
    if (status == LT_OK)
        *out = d;
    else
        lt_dataset_free(d);
    return status;
}
