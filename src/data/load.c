/* SPDX-License-Identifier: MIT */
#include "data/load.h"

#include "base/memory.h"
#include "base/status.h"
#include "data/catalog.h"
#include "data/tar.h"

#include <stdlib.h>
#include <string.h>

/* ---- Layouts of directories beside those of the catalog ---- */

#define IMAGES(split, name)                                                                        \
    {                                                                                              \
        split, false, name, name, 0, NULL, false                                                   \
    }
#define LABELS(split, name)                                                                        \
    {                                                                                              \
        split, true, name, name, 0, NULL, false                                                    \
    }

static const lt_catalog_file npy_files[] = {
    IMAGES(LT_TRAIN, "train.npy"), LABELS(LT_TRAIN, "train-labels.npy"),
    IMAGES(LT_VALID, "valid.npy"), LABELS(LT_VALID, "valid-labels.npy"),
    IMAGES(LT_TEST, "test.npy"),   LABELS(LT_TEST, "test-labels.npy"),
};

static const lt_catalog_file cifar10_files[] = {
    IMAGES(LT_TRAIN, "data_batch_1.bin"), IMAGES(LT_TRAIN, "data_batch_2.bin"),
    IMAGES(LT_TRAIN, "data_batch_3.bin"), IMAGES(LT_TRAIN, "data_batch_4.bin"),
    IMAGES(LT_TRAIN, "data_batch_5.bin"), IMAGES(LT_TEST, "test_batch.bin"),
};

static const lt_catalog_file cifar100_files[] = {
    IMAGES(LT_TRAIN, "train.bin"),
    IMAGES(LT_TEST, "test.bin"),
};

/* A directory has a layout if it has its first file. */
static const struct layout {
    const lt_catalog_file *files;
    int n;
    bool is_whole; /* the others must be there */
} layouts[] = {
    {npy_files, COUNT_OF(npy_files), false},
    {cifar10_files, COUNT_OF(cifar10_files), true},
    {cifar100_files, COUNT_OF(cifar100_files), true},
};

/* ---- One split ---- */

enum { MAX_PARTS = 8 };

typedef struct split_files {
    char *images[MAX_PARTS], *labels; /* paths, or for parts of an archive "PATH: NAME" */
    int n;
    const data_source *tar; /* NULL: files of their own */
    size_t at[MAX_PARTS], size[MAX_PARTS];
} split_files;

static size_t item_size(const data_array *a)
{
    return a->is_labels ? 1 : (size_t)a->h * (size_t)a->w * (size_t)a->c;
}

static int check_parts(const data_array *parts, int n, char *const *paths)
{
    int64_t total = 0;
    for (int i = 0; i < n; i++) {
        const data_array *a = &parts[i], *b = &parts[0];
        if (a->is_labels != b->is_labels || !a->u8 || a->h != b->h || a->w != b->w || a->c != b->c)
            return status_fail(LT_FORMAT,
                               "%s: expected bytes of %d x %d x %d as in %s, found %s of %d x %d x "
                               "%d",
                               paths[i], b->h, b->w, b->c, paths[0],
                               a->is_labels ? "labels"
                               : a->u8      ? "bytes"
                                            : "floats",
                               a->h, a->w, a->c);
        total += a->n;
    }
    return total <= INT32_MAX ? LT_OK
                              : status_fail(LT_FORMAT, "%s: expected at most %d images, found %jd",
                                            paths[0], INT32_MAX, (intmax_t)total);
}

/* Part after part in one array; the parts are empty afterwards if that went well. */
static int join(data_array *parts, int n, char *const *paths, data_array *out)
{
    if (n == 1) {
        *out = parts[0];
        parts[0] = (data_array){0};
        return LT_OK;
    }
    LT_TRY(check_parts(parts, n, paths));
    size_t item = item_size(&parts[0]), size;
    *out = (data_array){.is_labels = parts[0].is_labels,
                        .is_binary = true,
                        .h = parts[0].h,
                        .w = parts[0].w,
                        .c = parts[0].c};
    for (int i = 0; i < n; i++) {
        out->is_binary &= parts[i].is_binary;
        out->n += parts[i].n;
    }
    unsigned char *to = size_mul((size_t)out->n, item, &size) ? tensor_alloc(size, paths[0]) : NULL;
    out->u8 = out->block = to;
    if (!to)
        return LT_NO_MEMORY;
    for (int i = 0; i < n; i++) {
        memcpy(to, parts[i].u8, (size_t)parts[i].n * item);
        to += (size_t)parts[i].n * item;
        data_array_clear(&parts[i]);
    }
    return LT_OK;
}

/* Reads labels from a separate file. */
static int read_labels(const split_files *f, data_array *labels)
{
    data_array none;
    if (!f->labels)
        return LT_OK;
    if (labels->n)
        return status_fail(LT_FORMAT, "%s: expected no labels beside those in %s, found a file",
                           f->labels, f->images[0]);
    LT_TRY(data_read(f->labels, labels, &none));
    if (none.n == 0)
        return LT_OK;
    data_array_clear(labels);
    data_array_clear(&none);
    return status_fail(LT_FORMAT, "%s: expected labels, found images with labels", f->labels);
}

static int read_part(const split_files *f, int i, data_array *images, data_array *labels)
{
    if (!f->tar)
        return data_read(f->images[i], images, labels);
    bytes part = {malloc(f->size[i] + 1), f->size[i]};
    if (!part.data)
        return status_fail(LT_NO_MEMORY, "no memory for %s: %zu bytes", f->images[i], part.size);
    memcpy(part.data, f->tar->content.data + f->at[i], part.size);
    part.data[part.size] = 0;
    return data_parse(f->images[i], &part, images, labels);
}

static int read_split(const split_files *f, data_array *images, data_array *labels)
{
    data_array image_parts[MAX_PARTS] = {{0}}, label_parts[MAX_PARTS] = {{0}};
    int status = LT_OK, labeled = 0;
    for (int i = 0; i < f->n && status == LT_OK; i++) {
        status = read_part(f, i, &image_parts[i], &label_parts[i]);
        labeled += label_parts[i].n > 0;
    }
    if (status == LT_OK)
        status = join(image_parts, f->n, f->images, images);
    if (status == LT_OK && labeled == f->n)
        status = join(label_parts, f->n, f->images, labels);
    for (int i = 0; i < f->n; i++) {
        data_array_clear(&image_parts[i]);
        data_array_clear(&label_parts[i]);
    }
    return status == LT_OK ? read_labels(f, labels) : status;
}

static int load_split(lt_dataset *d, lt_split split, const split_files *f)
{
    if (f->n == 0 && f->labels)
        return status_fail(LT_NOT_FOUND,
                           "%s: labels without images: no file of %s images beside it", f->labels,
                           lt_split_name(split));
    if (f->n == 0)
        return LT_OK;
    data_array images = {0}, labels = {0};
    int status = read_split(f, &images, &labels);
    if (status == LT_OK)
        return dataset_take(
            d, split, &images, &labels,
            (const char *const[2]){f->images[0], f->labels ? f->labels : f->images[0]});
    data_array_clear(&images);
    data_array_clear(&labels);
    return status;
}

/* ---- All of them ---- */

/* Loads them unless `status` is a failure, and frees the paths in any case. */
static int load_splits(lt_dataset *d, split_files splits[LT_SPLITS], int status)
{
    for (int i = 0; i < LT_SPLITS; i++) {
        if (status == LT_OK)
            status = load_split(d, (lt_split)i, &splits[i]);
        for (int k = 0; k < splits[i].n; k++)
            free(splits[i].images[k]);
        free(splits[i].labels);
    }
    return status;
}

/* Adds advice to the error about a tar file that lacks the expected files. */
static int fail_archive(const data_source *tar, int status)
{
    size_t at, size;
    char *why = must_copy_text(lt_last_error());
    if (tar_find(tar, "data_batch_1", &at, &size) == LT_OK)
        status = status_fail(LT_UNSUPPORTED,
                             "%s: expected CIFAR-10's binary version, found the one for Python, whose "
                             "files are pickles; get the binary one: latent data fetch cifar10",
                             tar->path);
    else
        status = status_fail(status, "%s; unpack other archives, or make them zip files", why);
    free(why);
    return status;
}

/* The files of CIFAR-10 in a tar file, whatever their folder is called. */
static int list_archive(const data_source *tar, split_files splits[LT_SPLITS])
{
    for (int i = 0; i < COUNT_OF(cifar10_files); i++) {
        split_files *f = &splits[cifar10_files[i].split];
        int status = tar_find(tar, cifar10_files[i].name, &f->at[f->n], &f->size[f->n]);
        if (status == LT_NOT_FOUND)
            return fail_archive(tar, status);
        LT_TRY(status);
        f->tar = tar;
        f->images[f->n++] = must_format("%s: %s", tar->path, cifar10_files[i].name);
    }
    return LT_OK;
}

static int load_archive(lt_dataset *d, const char *path)
{
    data_source tar = {.path = path};
    LT_TRY(limit_named(LIMIT_DATA_BYTES, file_read_inflated(path, DATA_LIMIT, &tar.content)));
    split_files splits[LT_SPLITS] = {{.n = 0}};
    int status = load_splits(d, splits, list_archive(&tar, splits));
    bytes_clear(&tar.content);
    return status;
}

int load_files(lt_dataset *d, const char *dir, const lt_catalog_file *files, int n)
{
    split_files splits[LT_SPLITS] = {{.n = 0}};
    int status = LT_OK;
    for (int i = 0; i < n; i++) {
        split_files *f = &splits[files[i].split];
        char *path = catalog_file_path(dir, &files[i]);
        if (path && files[i].is_archive) {
            status = load_archive(d, path);
            free(path);
        } else if (files[i].is_labels) {
            f->labels = path;
        } else if (path) {
            f->images[f->n++] = path;
        }
    }
    return load_splits(d, splits, status);
}

static bool has_file(const char *dir, const lt_catalog_file *file)
{
    char *path = catalog_file_path(dir, file);
    free(path);
    return path != NULL;
}

static int load_layout(lt_dataset *d, const struct layout *l)
{
    for (int i = 0; i < l->n && l->is_whole; i++)
        if (!has_file(d->place, &l->files[i]))
            return status_fail(LT_NOT_FOUND, "%s: lacks %s, which belongs to %s", d->place,
                               l->files[i].name, l->files[0].name);
    return load_files(d, d->place, l->files, l->n);
}

int load_known_files(lt_dataset *d, bool *is_known)
{
    *is_known = true;
    for (int i = 0; i < lt_data_count(); i++) {
        const lt_catalog_entry *set = lt_data_entry(i);
        if (catalog_is_in(set, d->place, NULL))
            return load_files(d, d->place, set->files, set->n_files);
    }
    for (int i = 0; i < COUNT_OF(layouts); i++)
        if (has_file(d->place, &layouts[i].files[0]))
            return load_layout(d, &layouts[i]);
    *is_known = false;
    return LT_OK;
}

int load_file(lt_dataset *d)
{
    if (data_has_extension(d->place, ".tar"))
        return load_archive(d, d->place);
    return load_split(d, LT_TRAIN, &(split_files){.images = {d->place}, .n = 1});
}
