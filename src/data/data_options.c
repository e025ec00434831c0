/* SPDX-License-Identifier: MIT */
/* The options of a data set: their table, their checks, and the image size that follows from them. */
#include "data/dataset.h"

#include "base/memory.h"
#include "base/options.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

const lt_option data_options[] = {
    {"validation", LT_KIND_INT, offsetof(lt_data_options, validation), 0, 0, INT32_MAX, NULL, false,
     false, "images cut from the end of train where a set has no validation split; 0: none"},
    {"resize", LT_KIND_TEXT, offsetof(lt_data_options, resize), 0, 0, 0, NULL, false, false,
     "pixels: 32 for 32 x 32, 48x64 for height x width; empty: as they are"},
    {"crop", LT_KIND_CHOICE, offsetof(lt_data_options, crop), LT_CROP_CENTER, 0, 0,
     "center|none|fit", false, false,
     "with resize: cut in the middle to its shape, stretch, or add black bars"},
    {"orient", LT_KIND_CHOICE, offsetof(lt_data_options, orient), LT_ORIENT_EXIF, 0, 0, "exif|no",
     false, false,
     "turn pictures upright as the camera noted (EXIF), or leave pixels as they are stored"},
    {"channels", LT_KIND_INT, offsetof(lt_data_options, channels), 0, 0, 3, NULL, false, false,
     "1: gray, 3: color; 0: as they are"},
    {"flip", LT_KIND_BOOL, offsetof(lt_data_options, flip), 0, 0, 0, NULL, false, false,
     "mirror training images left to right, half of the time"},
    {"binarize", LT_KIND_CHOICE, offsetof(lt_data_options, binarize), LT_BINARIZE_NONE, 0, 0,
     "none|fixed|dynamic|threshold", false, false,
     "gray to black and white: drawn once, drawn in every epoch, or cut at 1/2"},
    {"seed", LT_KIND_INT, offsetof(lt_data_options, seed), 0, 0, 0, NULL, false, false,
     "of the random numbers of binarize and flip"},
    {"limit", LT_KIND_INT, offsetof(lt_data_options, limit), 0, 0, INT32_MAX, NULL, false, false,
     "keep only the first so many images of each split; 0: all"},
    {"classes", LT_KIND_TEXT, offsetof(lt_data_options, classes), 0, 0, 0, NULL, false, false,
     "keep only images of these, by number or name, as in \"3, 7\"; empty: all"},
    {"strict", LT_KIND_BOOL, offsetof(lt_data_options, strict), 0, 0, 0, NULL, false, false,
     "reject a set with a picture that is unreadable or not quite right"},
    {"path", LT_KIND_PATH, offsetof(lt_data_options, path), 0, 0, 0, NULL, false, false,
     "directory that holds the set's files; empty: search"},
    {0}};

static const lt_data_options defaults;

/* ---- Checks ---- */

/* "32" or "48x64", sides of 1 ... MAX_SIDE; "" is 0 x 0. */
static bool read_size(const char *words, int *h, int *w)
{
    char side[2][8] = {""};
    *h = *w = 0;
    if (!*words)
        return true;
    size_t n = strcspn(words, "x"), m = words[n] ? strlen(words + n + 1) : 0;
    if (n >= sizeof side[0] || m >= sizeof side[1])
        return false;
    memcpy(side[0], words, n);
    memcpy(side[1], words[n] ? words + n + 1 : "", m);
    int64_t height, width;
    if (!text_to_int64(side[0], &height) || !text_to_int64(words[n] ? side[1] : side[0], &width) ||
        height < 1 || height > MAX_SIDE || width < 1 || width > MAX_SIDE)
        return false;
    *h = (int)height;
    *w = (int)width;
    return true;
}

static int check_number(const char *name, int64_t value)
{
    return value >= 0 ? LT_OK
                      : status_fail(LT_VALUE, "data option %s: expected 0 or more, found %jd", name,
                                    (intmax_t)value);
}

static int check_choice(const char *name, int value, int last)
{
    return value >= 0 && value <= last
               ? LT_OK
               : status_fail(LT_VALUE, "data option %s: expected 0 to %d, found %d", name, last,
                             value);
}

static int check_text(const char *name, const char *value, size_t size)
{
    return memchr(value, 0, size)
               ? LT_OK
               : status_fail(LT_VALUE, "data option %s: expected text that ends with a zero byte",
                             name);
}

int data_options_check(const lt_data_options *o)
{
    int h, w;
    o = o ? o : &defaults;
    LT_TRY(check_number("validation", o->validation));
    LT_TRY(check_number("limit", o->limit));
    LT_TRY(check_choice("binarize", o->binarize, LT_BINARIZE_THRESHOLD));
    LT_TRY(check_choice("crop", o->crop, LT_CROP_FIT));
    LT_TRY(check_choice("orient", o->orient, LT_ORIENT_NO));
    LT_TRY(check_text("path", o->path, sizeof o->path));
    LT_TRY(check_text("resize", o->resize, sizeof o->resize));
    LT_TRY(check_text("classes", o->classes, sizeof o->classes));
    if (o->channels != 0 && o->channels != 1 && o->channels != 3)
        return status_fail(
            LT_VALUE,
            "data option channels: expected 1 (gray), 3 (color) or 0 (as they are), "
            "found %jd",
            (intmax_t)o->channels);
    if (!read_size(o->resize, &h, &w))
        return status_fail(
            LT_VALUE,
            "data option resize: expected pixels as in 32 or 48x64 (height x width), "
            "each 1 to %d, found '%s'",
            MAX_SIDE, o->resize);
    if (!h && o->crop != LT_CROP_CENTER)
        return status_fail(
            LT_VALUE,
            "data option crop: goes with resize, which says the shape; found crop=%s "
            "without it",
            o->crop == LT_CROP_FIT ? "fit" : "none");
    return LT_OK;
}

/* ---- Uses ---- */

transform data_options_transform(const lt_data_options *o)
{
    static const picture_crop crops[] = {
        [LT_CROP_CENTER] = CROP_CENTER, [LT_CROP_NONE] = CROP_NONE, [LT_CROP_FIT] = CROP_FIT};
    transform t = {.c = (int)o->channels,
                   .crop = crops[o->crop],
                   .as_stored = o->orient == LT_ORIENT_NO};
    bool is_size = read_size(o->resize, &t.h, &t.w);
    LT_ASSERT(is_size);
    return t;
}

int lt_data_options_set(lt_data_options *options, const char *set)
{
    const char *equals = strchr(set, '=');
    if (!equals || equals == set)
        return status_fail(LT_VALUE, "data option %s: expected NAME=VALUE, as in resize=32", set);
    lt_data_options changed = *options;
    char *name = must_format("%.*s", (int)(equals - set), set);
    int status = options_set("data", data_options, &changed, name, equals + 1);
    free(name);
    LT_TRY(status);
    *options = changed;
    return LT_OK;
}

int lt_data_image_size(const char *name, const lt_data_options *options, int *h, int *w, int *c)
{
    LT_TRY(data_options_check(options));
    transform t = data_options_transform(options ? options : &defaults);
    const lt_catalog_entry *set = lt_data_named(name);
    picture p = {0};
    if (set)
        p = (picture){.h = set->h, .w = set->w, .c = set->c};
    else if (strcmp(name, "synthetic") == 0)
        p = (picture){.h = SYNTHETIC_SIDE, .w = SYNTHETIC_SIDE, .c = 1};
    transform_size(&t, &p, h, w, c);
    if (*h && *w && *c)
        return LT_OK;
    return status_fail(LT_NOT_FOUND,
                       "%s: its images are of unknown size until it is opened; resize and channels "
                       "would say it",
                       name);
}
