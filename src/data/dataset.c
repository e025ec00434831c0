/* SPDX-License-Identifier: MIT */
/* Opening: from a name or a path to the images and labels of each split. */
#include "data/dataset.h"

#include "base/memory.h"
#include "base/status.h"
#include "data/cache.h"
#include "data/catalog.h"
#include "data/folder.h"
#include "data/listing.h"
#include "data/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *lt_split_name(lt_split split)
{
    static const char *const names[LT_SPLITS] = {"train", "valid", "test"};
    return names[split];
}

/* ---- Life ---- */

lt_dataset *dataset_create(const char *name, const char *place, const lt_data_options *options)
{
    if (data_options_check(options) != LT_OK)
        return NULL;
    lt_dataset *d = must_alloc(sizeof *d);
    d->name = must_copy_text(name);
    d->place = must_copy_text(place);
    d->info.name = d->name;
    d->info.place = d->place;
    d->info.options = options ? *options : (lt_data_options){0};
    for (int i = 0; i < LT_SPLITS; i++)
        atomic_flag_clear(&d->told_fallback[i]);
    return d;
}

void lt_dataset_free(lt_dataset *d)
{
    if (!d)
        return;
    for (int i = 0; i < LT_SPLITS; i++) {
        data_array_clear(&d->images[i]);
        data_array_clear(&d->labels[i]);
        free(d->splits[i].origin);
    }
    for (int i = 0; i < d->n_class_names; i++)
        free(d->class_names[i]);
    free(d->class_names);
    free(d->name);
    free(d->place);
    free(d);
}

/* ---- Images of the wanted size and color ---- */

/* Converts black-and-white bytes to gray ones, in place: the array owns them. */
static void make_gray(data_array *a, size_t pixels)
{
    unsigned char *b = (unsigned char *)a->u8;
    for (size_t i = 0; i < pixels; i++)
        b[i] = (unsigned char)(255 * b[i]);
    a->is_binary = false;
}

/* Transforms every image into a new block of `size` bytes, which replaces the block of the array. */
static int replace(data_array *a, const transform *t, const picture *like, size_t size,
                   const char *path)
{
    data_array old = *a;
    void *block = tensor_alloc(size, path);
    if (!block)
        return LT_NO_MEMORY;
    int status = a->u8 ? transform_bytes(t, a->n, like, a->u8, block)
                       : transform_floats(t, a->n, like, a->f32, block);
    *a = (data_array){.is_binary = old.is_binary, .n = old.n, .block = block};
    a->u8 = old.u8 ? block : NULL;
    a->f32 = old.u8 ? NULL : block;
    transform_size(t, like, &a->h, &a->w, &a->c);
    data_array_clear(&old);
    return status;
}

/* The last of 2 or 4 channels is alpha. */
static void drop_alpha(data_array *a)
{
    size_t pixels = (size_t)a->n * (size_t)a->h * (size_t)a->w;
    if (a->is_binary)
        make_gray(a, pixels * (size_t)a->c);
    a->c--;
    if (a->u8)
        lay_bytes_on_white((unsigned char *)a->u8, pixels, a->c);
    else
        lay_floats_on_white((float *)a->f32, pixels, a->c);
}

/* Models and figures need images with 1 or 3 channels. */
static int check_channels(const data_array *a, const char *path)
{
    if (a->c == 1 || a->c == 3)
        return LT_OK;
    return status_fail(LT_VALUE,
                       "%s: expected images of 1 channel (gray) or 3 (color), found %d; if the last one is "
                       "alpha: --set data.channels=%d puts the others on white; else save the one or three "
                       "that are meant",
                       path, a->c, a->c > 3 ? 3 : 1);
}

static int prepare_images(const lt_data_options *o, data_array *a, const char *path)
{
    transform t = data_options_transform(o);
    if (t.c && (a->c == 2 || a->c == 4))
        drop_alpha(a);
    LT_TRY(check_channels(a, path));
    picture like = {.h = a->h, .w = a->w, .c = a->c};
    int h, w, c;
    transform_size(&t, &like, &h, &w, &c);
    bool is_resized = h != a->h || w != a->w, is_recolored = c != a->c;
    if (!is_resized && !is_recolored)
        return LT_OK;
    size_t pixels = (size_t)a->n * (size_t)a->h * (size_t)a->w * (size_t)a->c, size;
    if (!size_mul((size_t)a->n, (size_t)h * (size_t)w * (size_t)c, &size) ||
        !size_mul(size, a->u8 ? 1 : sizeof(float), &size))
        return status_fail(LT_VALUE, "%s: %d images of %d x %d x %d do not fit in memory", path,
                           a->n, h, w, c);
    if (a->is_binary && (is_resized || a->c != 1))
        make_gray(a, pixels);
    return replace(a, &t, &like, size, path);
}

/* ---- A set, split by split ---- */

static int check_images(const data_array *images, const char *path)
{
    return images->is_labels
               ? status_fail(LT_FORMAT, "%s: expected images, found %d labels", path, images->n)
               : LT_OK;
}

static int check_shape(const lt_dataset *d, const data_array *images, const char *path)
{
    const lt_dataset_info *info = &d->info;
    if (info->h && (info->h != images->h || info->w != images->w || info->c != images->c))
        return status_fail(LT_FORMAT, "%s: expected images of %d x %d x %d, found %d x %d x %d",
                           path, info->h, info->w, info->c, images->h, images->w, images->c);
    return LT_OK;
}

static int check_labels(const data_array *images, const data_array *labels,
                        const char *const paths[2])
{
    if (labels->n == 0)
        return LT_OK;
    if (!labels->is_labels)
        return status_fail(LT_FORMAT, "%s: expected labels, found %d images of %d x %d x %d",
                           paths[1], labels->n, labels->h, labels->w, labels->c);
    if (labels->n != images->n)
        return status_fail(LT_FORMAT, "%s: expected %d labels, one for each image of %s, found %d",
                           paths[1], images->n, paths[0], labels->n);
    return LT_OK;
}

int dataset_take(lt_dataset *d, lt_split split, data_array *images, data_array *labels,
                 const char *const paths[2])
{
    LT_ASSERT(d->splits[split].n == 0);
    int file_h = images->h, file_w = images->w, file_c = images->c;
    int status = check_images(images, paths[0]);
    if (status == LT_OK)
        status = check_labels(images, labels, paths);
    if (status == LT_OK)
        status = prepare_images(&d->info.options, images, paths[0]);
    if (status == LT_OK)
        status = check_shape(d, images, paths[0]);
    if (status != LT_OK) {
        data_array_clear(images);
        data_array_clear(labels);
        return status;
    }
    if (!d->info.h) {
        d->info.file_h = file_h;
        d->info.file_w = file_w;
        d->info.file_c = file_c;
    }
    d->info.h = images->h;
    d->info.w = images->w;
    d->info.c = images->c;
    d->pixels = (size_t)images->h * (size_t)images->w * (size_t)images->c;
    d->splits[split] = (image_split){.n = images->n, .is_binary = images->is_binary,
                                     .u8 = images->u8, .f32 = images->f32,
                                     .labels = labels->n ? labels->u8 : NULL};
    d->images[split] = *images;
    d->labels[split] = *labels;
    *images = *labels = (data_array){0};
    return LT_OK;
}

static int cut_validation(lt_dataset *d)
{
    image_split *train = &d->splits[LT_TRAIN], *valid = &d->splits[LT_VALID];
    int64_t n = d->info.options.validation;
    if (n == 0)
        return LT_OK;
    if (valid->n)
        return status_fail(LT_VALUE,
                           "%s: has a validation split of its own, of %d images: expected "
                           "validation=0, found %jd",
                           d->name, valid->n, (intmax_t)n);
    if (n >= train->n)
        return status_fail(LT_VALUE,
                           "%s: validation: expected fewer than the %d training images, found %jd",
                           d->name, train->n, (intmax_t)n);
    train->n -= (int)n;
    size_t first = (size_t)train->n;
    *valid = *train;
    valid->n = (int)n;
    if (train->u8)
        valid->u8 = train->u8 + first * d->pixels;
    if (train->f32)
        valid->f32 = train->f32 + first * d->pixels;
    if (train->labels)
        valid->labels = train->labels + first;
    return LT_OK;
}

static int largest(const unsigned char *labels, int n)
{
    int max = 0;
    for (int i = 0; i < n; i++)
        max = labels[i] > max ? labels[i] : max;
    return max;
}

void dataset_name_classes(lt_dataset *d, const char *const *names, int n)
{
    LT_ASSERT(!d->class_names);
    d->class_names = must_alloc(sizeof *d->class_names * (size_t)n);
    d->n_class_names = n;
    for (int i = 0; i < n; i++)
        d->class_names[i] = must_copy_text(names[i]);
}

/* Counts the classes of all images, including those that options drop. */
static void count_classes(lt_dataset *d)
{
    for (int i = 0; i < LT_SPLITS; i++) {
        const image_split *s = &d->splits[i];
        if (s->labels && largest(s->labels, s->n) >= d->info.classes)
            d->info.classes = largest(s->labels, s->n) + 1;
    }
    /* the last class may have no readable image */
    if (d->info.classes && d->info.classes < d->n_class_names)
        d->info.classes = d->n_class_names;
    if (d->info.classes && d->info.classes <= d->n_class_names)
        d->info.class_names = (const char *const *)d->class_names;
}

/* ---- Identity ---- */

static size_t image_bytes(const data_array *a)
{
    size_t item = (size_t)a->h * (size_t)a->w * (size_t)a->c;
    return (size_t)a->n * item * (a->u8 ? 1 : sizeof *a->f32);
}

/* Hashes type, shape, pixels and labels. */
static void identify(const lt_dataset *d, lt_split split, char identity[IDENTITY_TEXT])
{
    const data_array *a = &d->images[split], *b = &d->labels[split];
    char hex[3][SHA256_TEXT] = {""};
    identity[0] = 0;
    if (a->n == 0)
        return;
    const void *pixels = a->u8 ? (const void *)a->u8 : (const void *)a->f32;
    cache_digest(pixels, image_bytes(a), lt_cores(), hex[0]);
    if (b->n)
        cache_digest(b->u8, (size_t)b->n, lt_cores(), hex[1]);
    char *all = must_format("%s %d x %d x %d x %d\n%s\n%s\n",
                            a->is_binary ? "bits" : a->u8 ? "bytes" : "floats", a->n, a->h, a->w,
                            a->c, hex[0], hex[1]);
    sha256_text(all, strlen(all), hex[2]);
    free(all);
    snprintf(identity, IDENTITY_TEXT, "%d %s", a->n, hex[2]);
}

void dataset_identity(const lt_dataset *d, lt_split split, char identity[IDENTITY_TEXT])
{
    if (d->is_identified)
        memcpy(identity, d->identity[split], IDENTITY_TEXT);
    else
        identify(d, split, identity);
}

/* Call it before images are selected, which moves them. */
static void identify_all(lt_dataset *d)
{
    for (int i = 0; i < LT_SPLITS; i++)
        identify(d, (lt_split)i, d->identity[i]);
    d->is_identified = true;
}

int dataset_finish(lt_dataset *d)
{
    LT_TRY(cut_validation(d));
    d->info.is_binary = true;
    if (d->info.options.classes[0]) {
        count_classes(d);
        identify_all(d);
        LT_TRY(dataset_keep_classes(d));
    }
    for (int i = 0; i < LT_SPLITS; i++) {
        image_split *s = &d->splits[i];
        if (d->info.options.limit && s->n > d->info.options.limit)
            s->n = (int)d->info.options.limit;
        d->info.n[i] = s->n;
        d->info.has_labels[i] = s->labels != NULL;
        d->info.is_binary &= s->n == 0 || s->is_binary || d->info.options.binarize;
    }
    if (!d->info.options.classes[0])
        count_classes(d);
    return LT_OK;
}

/* ---- From files ---- */

/* Checks counts and sizes of a set that is opened by its name in the catalog. */
static int check_published(const lt_dataset *d, const lt_catalog_entry *set)
{
    for (int i = 0; i < LT_SPLITS; i++)
        if (d->splits[i].n != set->n[i])
            return status_fail(LT_FORMAT, "%s: expected %d %s images of %s, found %d", d->place,
                               set->n[i], lt_split_name((lt_split)i), set->name, d->splits[i].n);
    const lt_dataset_info *f = &d->info;
    if (f->file_h == set->h && f->file_w == set->w && f->file_c == set->c)
        return LT_OK;
    return status_fail(LT_FORMAT, "%s: expected %s with images of %d x %d x %d, found %d x %d x %d",
                       d->place, set->name, set->h, set->w, set->c, f->file_h, f->file_w,
                       f->file_c);
}

static void name_classes(lt_dataset *d, const lt_catalog_entry *set)
{
    int n = 0;
    while (set->class_names && set->class_names[n])
        n++;
    if (n)
        dataset_name_classes(d, set->class_names, n);
}

static int load_set(lt_dataset *d, const lt_catalog_entry *set)
{
    LT_TRY(load_files(d, d->place, set->files, set->n_files));
    name_classes(d, set);
    return check_published(d, set);
}

static int load_pictures(lt_dataset *d)
{
    transform t = data_options_transform(&d->info.options);
    return folder_open(d, d->place, &t, d->info.options.strict, lt_cores());
}

static int load_directory(lt_dataset *d)
{
    bool is_known;
    LT_TRY(load_known_files(d, &is_known));
    for (int i = 0; i < lt_data_count() && is_known; i++) /* files of several sets are alike */
        if (strcmp(lt_data_entry(i)->name, d->name) == 0)
            name_classes(d, lt_data_entry(i));
    if (is_known)
        return LT_OK;
    LT_TRY(listing_check_run(d->place));
    if (folder_is_pictures(d->place))
        return load_pictures(d);
    const char *idx = NULL, *amat = NULL;
    catalog_is_in(lt_data_named("mnist"), d->place, &idx);
    catalog_is_in(lt_data_named("binarized-mnist"), d->place, &amat);
    char *found = folder_describe(d->place);
    status_fail(LT_NOT_FOUND,
                "%s: expected pictures (.png, .jpg, .webp, .ppm, .pgm, .pbm), or the files of a data "
                "set, found %s; the directory lacks %s, %s, and train.npy",
                d->place, found, idx, amat);
    free(found);
    return LT_NOT_FOUND;
}

static int load_one(lt_dataset *d)
{
    if (data_has_extension(d->place, ".npz"))
        return load_npz(d);
    if (folder_is_pictures(d->place))
        return load_pictures(d);
    return load_file(d);
}

/* The last part of a path, without slashes at its end; freed by the caller. */
static char *last_part(const char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    size_t start = n;
    while (start > 0 && path[start - 1] != '/')
        start--;
    return must_format("%.*s", (int)(n - start), path + start);
}

static lt_dataset *create_at_path(const char *path, const lt_data_options *options)
{
    if (options && options->path[0]) {
        status_fail(LT_VALUE, "data option path: goes with a set of the catalog, found '%s'",
                    path);
        return NULL;
    }
    char *name = last_part(path);
    lt_dataset *d = dataset_create(name, path, options);
    free(name);
    return d;
}

/* Opens a file or directory that is not in the catalog. */
static int open_path(lt_dataset **out, const char *path, const lt_data_options *options)
{
    lt_dataset *d = create_at_path(path, options);
    if (!d)
        return LT_VALUE;
    int status = file_is_directory(path) ? load_directory(d) : load_one(d);
    *out = d;
    return status;
}

static int open_named(lt_dataset **out, const lt_catalog_entry *set,
                      const lt_data_options *options)
{
    char *place;
    LT_TRY(catalog_find(set, options ? options->path : NULL, &place));
    *out = dataset_create(set->name, place, options);
    free(place);
    return *out ? load_set(*out, set) : LT_VALUE;
}

/* After an error *out may be a partly opened set. */
static int open_any(lt_dataset **out, const char *name, const lt_data_options *options)
{
    LT_TRY(data_options_check(options));
    if (strcmp(name, "synthetic") == 0)
        return lt_dataset_synthetic(SYNTHETIC_IMAGES, SYNTHETIC_SIDE, SYNTHETIC_SIDE, 1, options, out);
    const lt_catalog_entry *set = lt_data_named(name);
    if (!set && !strchr(name, '/') && !file_exists(name))
        return status_fail(LT_NOT_FOUND, "%s; nor is there such a file or directory",
                           lt_last_error());
    LT_TRY(set ? open_named(out, set, options) : open_path(out, name, options));
    return dataset_finish(*out);
}

int lt_dataset_open(const char *name_or_path, const lt_data_options *options, lt_dataset **out)
{
    *out = NULL;
    int status = open_any(out, name_or_path, options);
    if (status != LT_OK) {
        lt_dataset_free(*out);
        *out = NULL;
    }
    return status;
}

/* ---- Facts ---- */

const lt_dataset_info *lt_dataset_describe(const lt_dataset *d) { return &d->info; }

lt_split lt_dataset_split(lt_dataset *d, lt_split wanted)
{
    if (d->splits[wanted].n || wanted == LT_TRAIN)
        return wanted;
    lt_split other = wanted == LT_VALID ? LT_TEST : LT_VALID;
    lt_split used = d->splits[other].n ? other : LT_TRAIN;
    if (!atomic_flag_test_and_set(&d->told_fallback[wanted]))
        log_warning("%s has no %s split: the %s split is used for it", d->name,
                    lt_split_name(wanted), lt_split_name(used));
    return used;
}
