/* SPDX-License-Identifier: MIT */
/* npz: a zip file of npy files. Words in the name of an array tell its split and whether it has images or labels:
   "train_images", "y_test", "val_labels", "x"; without a split it belongs to train. */
#include "data/load.h"

#include "base/memory.h"
#include "base/status.h"
#include "base/text.h"
#include "data/archive.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char EXTENSION[] = ".npy";
enum { MAX_NAME = 64 };

/* The entries of an archive by meaning: index + 1, or 0 for none. */
typedef struct contents {
    const char *path;
    archive *zip;
    uint64_t images[LT_SPLITS], labels[LT_SPLITS];
    int n_arrays;
    text arrays, others; /* ", a, b": all, and those of unknown names */
} contents;

/* ---- Names ---- */

typedef struct role {
    bool is_known;
    lt_split split;
    bool is_labels;
} role;

enum { WORD_IMAGES = LT_SPLITS, WORD_LABELS };

static const struct known_word {
    const char *word;
    int meaning; /* a split, or images, or labels */
} words[] = {
    {"train", LT_TRAIN},      {"training", LT_TRAIN}, {"val", LT_VALID},        {"valid", LT_VALID},
    {"validation", LT_VALID}, {"test", LT_TEST},      {"testing", LT_TEST},     {"x", WORD_IMAGES},
    {"images", WORD_IMAGES},  {"image", WORD_IMAGES}, {"data", WORD_IMAGES},    {"y", WORD_LABELS},
    {"labels", WORD_LABELS},  {"label", WORD_LABELS}, {"targets", WORD_LABELS},
};

static int meaning_of(const char *word)
{
    for (int i = 0; i < COUNT_OF(words); i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].meaning;
    return -1;
}

/* A split, images or labels, or one of each kind, parted by anything but letters. */
static role role_of(const char *name, size_t n)
{
    char lower[MAX_NAME] = "", *rest = lower;
    role r = {n > 0 && n < MAX_NAME, LT_TRAIN, false};
    bool has_split = false, has_kind = false;
    for (size_t i = 0; i < n && r.is_known; i++)
        lower[i] = (char)(isalpha((unsigned char)name[i]) ? tolower((unsigned char)name[i]) : '_');
    for (char *word; (word = strtok_r(rest, "_", &rest)) && r.is_known;) {
        int meaning = meaning_of(word);
        bool is_split = meaning >= 0 && meaning < LT_SPLITS;
        r.is_known = meaning >= 0 && !(is_split ? has_split : has_kind);
        if (is_split)
            r.split = (lt_split)meaning;
        else
            r.is_labels = meaning == WORD_LABELS;
        has_split |= is_split;
        has_kind |= !is_split;
    }
    r.is_known &= has_split || has_kind;
    return r;
}

static int fail_twice(const contents *c, const role *r, const char *name)
{
    return status_fail(LT_FORMAT, "%s: expected one array of %s %s, found also %s", c->path,
                       lt_split_name(r->split), r->is_labels ? "labels" : "images", name);
}

static int list_entry(contents *c, uint64_t index, const char *name)
{
    size_t n = strlen(name), m = strlen(EXTENSION);
    if (n <= m || strcmp(name + n - m, EXTENSION) != 0)
        return LT_OK;
    role r = role_of(name, n - m);
    uint64_t *place = r.is_labels ? &c->labels[r.split] : &c->images[r.split];
    if (r.is_known && *place)
        return fail_twice(c, &r, name);
    if (r.is_known)
        *place = index + 1;
    else
        text_format(&c->others, ", %.*s", (int)(n - m), name);
    text_format(&c->arrays, ", %.*s", (int)(n - m), name);
    c->n_arrays++;
    return LT_OK;
}

static int list_entries(contents *c)
{
    uint64_t n = archive_count(c->zip);
    LT_TRY(limit_check(LIMIT_NPZ_ARRAYS, c->path, n));
    uint64_t last = 0;
    for (uint64_t i = 0; i < n; i++) {
        archive_entry e;
        int before = c->n_arrays;
        if (archive_stat(c->zip, i, &e))
            LT_TRY(list_entry(c, i, e.name));
        last = c->n_arrays > before ? i : last;
    }
    bool is_alone = c->n_arrays == 1 && c->others.size;
    if (is_alone) { /* whatever it is called */
        c->images[LT_TRAIN] = last + 1;
        text_clear(&c->others);
    }
    return LT_OK;
}

static int check_entries(const contents *c)
{
    bool has_images = false;
    for (int i = 0; i < LT_SPLITS; i++)
        has_images |= c->images[i] != 0;
    for (int i = 0; i < LT_SPLITS; i++)
        if (has_images && c->labels[i] && !c->images[i])
            return status_fail(LT_FORMAT, "%s: expected images of the labeled %s split, found %s",
                               c->path, lt_split_name((lt_split)i), c->arrays.data + 2);
    if (!has_images)
        return status_fail(LT_FORMAT,
                           "%s: expected arrays called like train_images, x_test, y_test or "
                           "val_labels, found %s",
                           c->path, c->arrays.size ? c->arrays.data + 2 : "none");
    if (c->others.size)
        log_warning("%s: arrays with unknown names are skipped: %s", c->path, c->others.data + 2);
    return LT_OK;
}

/* ---- Arrays ---- */

static int read_array(const contents *c, uint64_t number, bool is_labels, const char *name,
                      data_array *out)
{
    data_array none;
    data_source s = {.path = name, .is_for_labels = is_labels};
    LT_TRY(limit_named(LIMIT_DATA_BYTES,
                       archive_read(c->zip, number - 1, name, DATA_LIMIT, &s.content)));
    return data_run(&npy_reader, &s, out, &none);
}

/* "file.npz: x_train.npy"; freed by the caller. */
static char *entry_path(const contents *c, uint64_t number)
{
    archive_entry e;
    return number && archive_stat(c->zip, number - 1, &e) ? must_format("%s: %s", c->path, e.name)
                                                          : NULL;
}

static int load_npz_split(lt_dataset *d, const contents *c, lt_split split)
{
    if (!c->images[split])
        return LT_OK;
    data_array images = {0}, labels = {0};
    char *names[2] = {entry_path(c, c->images[split]), entry_path(c, c->labels[split])};
    int status = read_array(c, c->images[split], false, names[0], &images);
    if (status == LT_OK && names[1])
        status = read_array(c, c->labels[split], true, names[1], &labels);
    if (status == LT_OK)
        status =
            dataset_take(d, split, &images, &labels, (const char *const[2]){names[0], names[1]});
    data_array_clear(&images);
    data_array_clear(&labels);
    free(names[0]);
    free(names[1]);
    return status;
}

int load_npz(lt_dataset *d)
{
    contents c = {.path = d->place};
    LT_TRY(archive_open(d->place, &c.zip));
    int status = list_entries(&c);
    if (status == LT_OK)
        status = check_entries(&c);
    for (int i = 0; i < LT_SPLITS && status == LT_OK; i++)
        status = load_npz_split(d, &c, (lt_split)i);
    archive_close(c.zip);
    text_clear(&c.arrays);
    text_clear(&c.others);
    return status;
}
