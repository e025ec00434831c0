/* SPDX-License-Identifier: MIT */
/* Codes of images in files: npz, csv and npy. */
#include <latent/eval.h>

#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Writing ---- */

/* Writes one of the three arrays. */
static int write_one(const lt_codes *c, const char *path, const char *name)
{
    const char *const names[] = {"mean", "logvar", "z"};
    const float *const values[] = {c->mean, c->logvar, c->z};
    for (int i = 0; i < COUNT_OF(names); i++)
        if (strcmp(names[i], name) == 0)
            return lt_npy_write(path, values[i], 2, (const int64_t[]){c->n, c->latent});
    return status_fail(LT_VALUE, "%s: expected the array mean, logvar or z, found '%s'", path, name);
}

int lt_codes_write(const lt_codes *c, const char *path, const char *array)
{
    LT_TRY(lt_arrays_check_name(path));
    if (!c->mean || !c->logvar || !c->origin)
        return status_fail(LT_VALUE, "%s: expected codes of images, found codes without mean and logvar", path);
    if (text_ends_in(path, ".npy"))
        return write_one(c, path, array ? array : "mean");
    if (array)
        return status_fail(LT_VALUE, "%s holds mean, logvar and z; for '%s' alone, expected a name that ends in "
                           ".npy", path, array);
    int32_t *labels = must_alloc(sizeof *labels * ((size_t)c->n + 1));
    for (int i = 0; i < c->n; i++)
        labels[i] = c->labels ? c->labels[i] : -1;
    const lt_array arrays[] = {{"index", LT_INT32, c->origin, 1, {c->n}},
                               {"label", LT_INT32, labels, 1, {c->n}},
                               {"mean", LT_FLOAT32, c->mean, 2, {c->n, c->latent}},
                               {"logvar", LT_FLOAT32, c->logvar, 2, {c->n, c->latent}},
                               {"z", LT_FLOAT32, c->z, 2, {c->n, c->latent}}};
    int status = lt_columns_write(path, arrays, COUNT_OF(arrays));
    free(labels);
    return status;
}

/* ---- Reading ---- */

/* The arrays of a file. */
typedef struct found {
    const char *path;
    lt_number_array *all;
    int n;
} found;

/* Whether an array has rows of `latent` numbers; the only array of a file may also be a single code of rank 1. */
static bool has_rows(const found *f, const lt_number_array *a, int latent)
{
    if (a->rank == 2)
        return a->shape[1] == latent;
    return a->rank == 1 && (latent == 1 || (f->n == 1 && a->shape[0] == latent));
}

static int64_t rows_of(const lt_number_array *a, int latent)
{
    return a->rank == 1 && latent > 1 ? 1 : a->shape[0];
}

static const lt_number_array *find_named(const found *f, const char *name)
{
    for (int i = 0; i < f->n; i++)
        if (strcmp(f->all[i].name, name) == 0)
            return &f->all[i];
    return NULL;
}

/* "mean (100 x 20), label (100)" */
static void list_arrays(const found *f, text *t)
{
    for (int i = 0; i < f->n; i++) {
        const lt_number_array *a = &f->all[i];
        text_format(t, "%s%s%s", i ? ", " : "", a->name, a->name[0] ? " (" : "");
        for (int k = 0; k < a->rank; k++)
            text_format(t, "%s%jd", k ? " x " : "", (intmax_t)a->shape[k]);
        text_append(t, a->rank == 0 ? "one number" : "");
        text_append(t, a->name[0] ? ")" : "");
    }
}

static const char *array_name(const void *list, int i) { return ((const found *)list)->all[i].name; }

static int fail_array(const found *f, const char *array, int latent)
{
    text list = {0};
    list_arrays(f, &list);
    bool is_there = array && find_named(f, array);
    const char *near = array && !is_there ? text_nearest(array, array_name, f, f->n) : NULL;
    status_fail(LT_VALUE, "%s: expected %s%s%s of N x %d, as the model has %d latent%s, found %s%s%s%s",
                f->path, array ? "an array '" : "codes", array ? array : "", array ? "'" : "", latent, latent,
                latent == 1 ? "" : "s", f->n ? text_get(&list) : "nothing", near ? "; did you mean '" : "",
                near ? near : "", near ? "'?" : "");
    text_clear(&list);
    return LT_VALUE;
}

/* Returns the array of codes, or NULL. */
static const lt_number_array *choose_array(const found *f, const char *array, int latent)
{
    static const char *const names[] = {"mean", "z"};
    const lt_number_array *only = NULL;
    if (array) {
        const lt_number_array *a = find_named(f, array);
        return a && has_rows(f, a, latent) ? a : NULL;
    }
    for (int i = 0; i < COUNT_OF(names); i++) {
        const lt_number_array *a = find_named(f, names[i]);
        if (a)
            return has_rows(f, a, latent) ? a : NULL;
    }
    for (int i = 0; i < f->n; i++) {
        if (!has_rows(f, &f->all[i], latent))
            continue;
        if (only)
            return NULL;
        only = &f->all[i];
    }
    return only;
}

static int take_rows(const found *f, const lt_number_array *a, lt_codes *c)
{
    int64_t rows = rows_of(a, c->latent), n = rows * c->latent;
    if (rows < 1 || rows > INT_MAX)
        return status_fail(LT_VALUE, "%s: expected codes, found %jd of them", f->path, (intmax_t)rows);
    c->n = (int)rows;
    c->z = tensor_alloc(sizeof *c->z * (size_t)n, "codes");
    if (!c->z)
        return LT_NO_MEMORY;
    for (int64_t i = 0; i < n; i++) {
        c->z[i] = (float)a->values[i];
        if (!isfinite(c->z[i]))
            return status_fail(LT_VALUE, "%s: %s%scode %jd, latent %jd: expected a finite number, found %g",
                               f->path, a->name, a->name[0] ? ", " : "", (intmax_t)(i / c->latent),
                               (intmax_t)(i % c->latent), a->values[i]);
    }
    return LT_OK;
}

/* Reads the labels of the codes, whole numbers; negative: no label. */
static int take_labels(const found *f, lt_codes *c)
{
    const lt_number_array *a = find_named(f, "label");
    if (!a || a->rank != 1 || a->shape[0] != c->n)
        return LT_OK;
    for (int i = 0; i < c->n; i++)
        if (a->values[i] < 0)
            return LT_OK;
    c->labels = must_alloc(sizeof *c->labels * (size_t)c->n);
    for (int i = 0; i < c->n; i++) {
        if (!(a->values[i] <= INT32_MAX) || a->values[i] != floor(a->values[i]))
            return status_fail(LT_VALUE, "%s: label %d: expected a whole number, found %g", f->path, i,
                               a->values[i]);
        c->labels[i] = (int32_t)a->values[i];
    }
    return LT_OK;
}

int lt_codes_read(const char *path, const char *array, int latent, lt_codes *c)
{
    found f = {.path = path};
    *c = (lt_codes){.latent = latent};
    LT_TRY(lt_arrays_read(path, &f.all, &f.n));
    const lt_number_array *a = choose_array(&f, array, latent);
    int status = a ? take_rows(&f, a, c) : fail_array(&f, array, latent);
    if (status == LT_OK)
        status = take_labels(&f, c);
    lt_arrays_free(f.all, f.n);
    return status;
}
