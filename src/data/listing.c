/* SPDX-License-Identifier: MIT */
/* Two steps: collects names from directories and archives, then finds splits and classes in them. */
#include "data/listing.h"

#include "base/ceilings.h"
#include "base/file.h"
#include "base/shell.h"
#include "base/status.h"
#include "data/archive.h"
#include "image/picture.h"
#include "data/entries.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

void listing_clear(listing *l)
{
    for (int i = 0; i < l->n_archives; i++)
        archive_close(l->opened[i]);
    free(l->pictures);
    free(l->classes);
    free(l->folders);
    arena_clear(&l->texts);
    *l = (listing){0};
}

char *listing_path(const listing *l, const listed *p) { return file_join(l->root, p->name); }

/* ---- Collecting ---- */

static void note_folder(listing *l, const char *place)
{
    const char *name = entry_name(place);
    if (entry_split(name, strlen(name)) == LT_SPLITS)
        return;
    l->folders = must_grow(l->folders, l->n_folders, &l->folder_capacity);
    l->folders[l->n_folders++] = place;
}

static void note_ignored(listing *l, const char *name)
{
    if (l->n_ignored++ == 0)
        l->ignored = name;
}

static int add(listing *l, listed p)
{
    if (l->n == INT32_MAX)
        return status_fail(LT_UNSUPPORTED, "%s: more than %d pictures", l->root, INT32_MAX);
    l->pictures = must_grow(l->pictures, l->n, &l->capacity);
    l->pictures[l->n++] = p;
    return l->is_probe ? LT_INTERRUPTED : LT_OK;
}

/* ---- Runs inside the data: samples of a model are not data ---- */

static void note_run(listing *l, const char *name)
{
    if (l->n_runs++ == 0)
        l->run = name;
}

/* Folders of an archive with either file of a run. */
typedef struct marks {
    const char **recipes, **others;
    int n_recipes, n_others, recipe_capacity, other_capacity;
    bool has_backslash;
} marks;

static void marks_clear(marks *m)
{
    free(m->recipes);
    free(m->others);
}

static bool ends_in(const char *place, const char *name, size_t *folder)
{
    const char *last = entry_name(place);
    *folder = (size_t)(last - place);
    return strcmp(last, name) == 0;
}

/* "run/checkpoints/step-1.safetensors" */
static bool lies_in_checkpoints(const char *place, size_t *folder)
{
    static const char inner[] = "checkpoints/";
    const char *found = strstr(place, inner);
    while (found && found > place && found[-1] != '/')
        found = strstr(found + 1, inner);
    *folder = found ? (size_t)(found - place) : 0;
    return found != NULL;
}

static void note_mark(listing *l, marks *m, const char *place)
{
    size_t n;
    if (ends_in(place, "recipe.yaml", &n)) {
        m->recipes = must_grow(m->recipes, m->n_recipes, &m->recipe_capacity);
        m->recipes[m->n_recipes++] = arena_format(&l->texts, "%.*s", (int)n, place);
    } else if (ends_in(place, "metrics.jsonl", &n) || lies_in_checkpoints(place, &n)) {
        m->others = must_grow(m->others, m->n_others, &m->other_capacity);
        m->others[m->n_others++] = arena_format(&l->texts, "%.*s", (int)n, place);
    }
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_among(const char *const *sorted, int n, const char *word)
{
    return n && bsearch(&word, sorted, (size_t)n, sizeof *sorted, by_text);
}

/* Keeps only the runs among the folders with recipes, sorted. */
static void find_runs(listing *l, marks *m)
{
    int kept = 0;
    if (m->n_others)
        qsort(m->others, (size_t)m->n_others, sizeof *m->others, by_text);
    for (int i = 0; i < m->n_recipes; i++)
        if (is_among(m->others, m->n_others, m->recipes[i])) {
            size_t n = strlen(m->recipes[i]); /* it ends in '/' */
            note_run(l, n ? arena_format(&l->texts, "%.*s", (int)n - 1, m->recipes[i]) : ".");
            m->recipes[kept++] = m->recipes[i];
        }
    m->n_recipes = kept;
    if (kept)
        qsort(m->recipes, (size_t)kept, sizeof *m->recipes, by_text);
}

static bool lies_in_run(const marks *m, const char *place)
{
    bool is_in = is_among(m->recipes, m->n_recipes, "");
    for (const char *slash = place; !is_in && (slash = strchr(slash, '/')) != NULL; slash++) {
        char *folder = must_format("%.*s", (int)(slash - place) + 1, place);
        is_in = is_among(m->recipes, m->n_recipes, folder);
        free(folder);
    }
    return is_in;
}

/* Drops the pictures from the `from`-th on that lie in runs. */
static void drop_runs(listing *l, marks *m, int from)
{
    int kept = from;
    find_runs(l, m);
    for (int i = from; i < l->n && m->n_recipes; i++)
        if (!lies_in_run(m, l->pictures[i].place))
            l->pictures[kept++] = l->pictures[i];
    l->n = m->n_recipes ? kept : l->n;
}

/* ---- Archives ---- */

/* Removes enclosing folders in the archive of a split, repeatedly: a folder with the name of the split, or one
   with folders but no pictures. */
static void unwrap(listing *l, int from, int split)
{
    while (l->n > from) {
        const char *place = l->pictures[from].place;
        size_t n = entry_folder(place);
        bool is_shared = n > 0, is_split = entry_split(place, n) == split;
        for (int i = from; i < l->n && is_shared; i++) {
            const char *other = l->pictures[i].place;
            is_shared =
                strncmp(other, place, n + 1) == 0 && (is_split || entry_folder(other + n + 1) > 0);
        }
        if (!is_shared)
            return;
        for (int i = from; i < l->n; i++)
            l->pictures[i].place += n + 1;
    }
}

/* Lists one entry of an archive. */
static int list_archived(listing *l, const archive_entry *e, uint64_t index, const char *name,
                         marks *m)
{
    char *inner = arena_copy_text(&l->texts, e->name);
    m->has_backslash |= entry_clean(inner);
    size_t n = strlen(inner);
    if (!n || entry_holds_litter(inner))
        return LT_OK;
    char *shown = name ? arena_format(&l->texts, "%s/%s", name, inner) : inner;
    if (inner[n - 1] == '/') {
        inner[n - 1] = 0;
        if (!name) /* names in a split's archive are relative to the split */
            note_folder(l, inner);
        return LT_OK;
    }
    note_mark(l, m, inner);
    if (picture_is_named(inner))
        return add(l, (listed){.name = shown,
                               .place = inner,
                               .archive = l->n_archives,
                               .index = index,
                               .size = e->size,
                               .stamp = {l->archive_stamp[0], l->archive_stamp[1], e->crc}});
    note_ignored(l, shown);
    return LT_OK;
}

static uint64_t nanoseconds(struct timespec t)
{
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Call it before opening the archive: a file that replaces it later has another stamp. */
static void stamp_archive(listing *l, const char *path)
{
    struct stat s = {0};
    if (stat(path, &s) != 0)
        return; /* opening it reports the error */
    l->archive_stamp[0] = nanoseconds(s.st_mtim);
    l->archive_stamp[1] = nanoseconds(s.st_ctim);
    l->newest = l->archive_stamp[1] > l->newest ? l->archive_stamp[1] : l->newest;
}

/* Lists the pictures of a zip file; with `split`, the file stands for the folder of that split, and its pictures
   have names below `name`. */
static int list_archive(listing *l, const char *path, const char *name, int split)
{
    archive *a;
    stamp_archive(l, path);
    LT_TRY(archive_open(path, &a));
    marks m = {.n_recipes = 0};
    int status = LT_OK, from = l->n;
    for (uint64_t i = 0; i < archive_count(a) && status == LT_OK; i++) {
        archive_entry e;
        if (archive_stat(a, i, &e))
            status = list_archived(l, &e, i, name, &m);
    }
    l->opened[l->n_archives] = a;
    l->archives[l->n_archives++] = arena_copy_text(&l->texts, path);
    drop_runs(l, &m, from);
    if (m.has_backslash && !l->is_probe)
        log_info("%s: '\\' in its names is read as '/'", path);
    marks_clear(&m);
    if (!name)
        return status;
    unwrap(l, from, split);
    for (int i = from; i < l->n; i++)
        l->pictures[i].place =
            arena_format(&l->texts, "%s/%s", lt_split_name((lt_split)split), l->pictures[i].place);
    note_folder(l, lt_split_name((lt_split)split));
    return status;
}

/* A directory on the path from the root, to detect links that lead back. */
typedef struct step {
    const struct step *above;
    dev_t device;
    ino_t inode;
    int depth;
} step;

static bool leads_back(const step *s, const struct stat *to)
{
    for (; s; s = s->above)
        if (s->device == to->st_dev && s->inode == to->st_ino)
            return true;
    return false;
}

static int list_directory(listing *l, const char *path, const char *place, const step *above);

/* "train.zip" stands for the folder "train", unless that folder exists. LT_SPLITS if not. */
static int split_of_archive(const char *dir, const char *name)
{
    size_t n = strlen(name);
    if (n < 5 || strcasecmp(name + n - 4, ".zip") != 0)
        return LT_SPLITS;
    int split = entry_split(name, n - 4);
    char *folder = must_format("%s/%.*s", dir, (int)n - 4, name);
    if (file_is_directory(folder))
        split = LT_SPLITS;
    free(folder);
    return split;
}

static int list_file(listing *l, const char *dir, const char *path, const char *place,
                     const struct stat *s, const step *above)
{
    int split = above->above ? LT_SPLITS : split_of_archive(dir, place);
    if (split < LT_SPLITS && l->n_archives < MAX_ARCHIVES)
        return list_archive(l, path, place, split);
    if (!picture_is_named(place)) {
        note_ignored(l, place);
        return LT_OK;
    }
    listed p = {.name = place,
                .place = place,
                .archive = NO_ARCHIVE,
                .size = (uint64_t)s->st_size,
                .stamp = {nanoseconds(s->st_mtim), nanoseconds(s->st_ctim)}};
    l->newest = p.stamp[1] > l->newest ? p.stamp[1] : l->newest;
    return add(l, p);
}

static int list_entry(listing *l, const char *dir, const char *path, const char *place,
                      const step *above)
{
    struct stat s = {0};
    if (stat(path, &s) != 0 || !S_ISDIR(s.st_mode)) /* a broken link counts as an unreadable picture */
        return list_file(l, dir, path, place, &s, above);
    if (leads_back(above, &s)) {
        log_warning("%s: a link to a folder above it; skipped", path);
        return LT_OK;
    }
    LT_TRY(limit_check(LIMIT_FOLDER_DEPTH, path, (uint64_t)above->depth + 1));
    if (entry_is_run(path)) {
        note_run(l, place);
        return LT_OK;
    }
    note_folder(l, place);
    return list_directory(l, path, place, &(step){above, s.st_dev, s.st_ino, above->depth + 1});
}

static int list_directory(listing *l, const char *path, const char *place, const step *above)
{
    char **names;
    int n, status = LT_OK;
    LT_TRY(file_list(path, NULL, &names, &n));
    for (int i = 0; i < n && status == LT_OK; i++) {
        if (entry_is_litter(names[i], strlen(names[i])))
            continue;
        char *inner = file_join(path, names[i]);
        const char *name = *place ? arena_format(&l->texts, "%s/%s", place, names[i])
                                  : arena_copy_text(&l->texts, names[i]);
        status = list_entry(l, path, inner, name, above);
        free(inner);
    }
    file_list_free(names, n);
    return status;
}

/* Whether `place` is root, or lies below it with no run between the two. */
static bool lies_below(const char *root, char *place)
{
    size_t n = strlen(root);
    while (strlen(place) > n && place[n] == '/' && strncmp(place, root, n) == 0) {
        if (entry_is_run(place))
            return false;
        *strrchr(place, '/') = 0;
    }
    return strcmp(place, root) == 0;
}

bool lt_data_would_include(const char *data, const char *file)
{
    const char *name = entry_name(file);
    if (!picture_is_named(file) || entry_is_litter(name, strlen(name)) || !file_is_directory(data))
        return false;
    char *folder = name > file ? must_format("%.*s", (int)(name - file), file) : must_copy_text(".");
    char *root = realpath(data, NULL), *place = realpath(folder, NULL);
    bool is_held = root && place && lies_below(root, place);
    free(folder);
    free(root);
    free(place);
    return is_held;
}

static int fail_run(const char *root, const char *run)
{
    char *word = shell_word(run);
    status_fail(LT_VALUE,
                       "%s: %s is a run of latent train, and its pictures are samples of a model, not "
                       "data; the recipe of the run says what it was trained on; to look at it: latent "
                       "report %s",
                       root, strcmp(root, run) == 0 ? "this" : run, word);
    free(word);
    return LT_VALUE;
}

int listing_check_run(const char *root)
{
    char *run = entry_run_of(root);
    int status = run ? fail_run(root, run) : LT_OK;
    free(run);
    return status;
}

static int collect(listing *l, const char *root)
{
    l->root = arena_copy_text(&l->texts, root);
    struct stat s;
    l->is_archive = !file_is_directory(root);
    if (l->is_archive)
        return list_archive(l, root, NULL, LT_SPLITS);
    LT_TRY(listing_check_run(root));
    if (stat(root, &s) != 0)
        return status_fail(LT_IO, "cannot read %s", root);
    return list_directory(l, root, "", &(step){NULL, s.st_dev, s.st_ino, 0});
}

/* ---- Splits ---- */

/* The splits of the folders at one level, which starts at byte `at` of each place. */
typedef struct level {
    bool is_named[LT_SPLITS]; /* there is a folder with this name */
    bool is_shared;           /* one folder holds all pictures */
} level;

static void look_at_name(level *v, const char *place, size_t n)
{
    int split = entry_split(place, n);
    if (split < LT_SPLITS)
        v->is_named[split] = true;
}

static level look(const listing *l, size_t at)
{
    const char *first = l->pictures[0].place;
    size_t n = entry_folder(first + at);
    level v = {.is_shared = n > 0};
    for (int i = 0; i < l->n; i++) {
        const char *place = l->pictures[i].place;
        v.is_shared &= strncmp(place + at, first + at, n + 1) == 0;
        look_at_name(&v, place + at, entry_folder(place + at));
    }
    for (int i = 0; i < l->n_folders; i++) /* an empty folder has no picture */
        if (strlen(l->folders[i]) > at && strncmp(l->folders[i], first, at) == 0 &&
            !strchr(l->folders[i] + at, '/'))
            look_at_name(&v, l->folders[i] + at, strlen(l->folders[i] + at));
    return v;
}

/* Finds the level whose folders are train and valid or test. Without one returns false, and *at is after the
   folders that contain all pictures. */
static bool find_splits(const listing *l, size_t *at)
{
    for (*at = 0;;) {
        level v = look(l, *at);
        if (v.is_named[LT_TRAIN] && (v.is_named[LT_VALID] || v.is_named[LT_TEST]))
            return true;
        if (!v.is_shared)
            return false;
        *at += entry_folder(l->pictures[0].place + *at) + 1;
    }
}

/* Assigns pictures to splits, and drops pictures outside of them. Removes the first `at` bytes of each place; the
   rest begins with the class. */
static void part_splits(listing *l, size_t at, bool has_splits)
{
    int kept = 0, beside = 0;
    const char *first_beside = NULL;
    for (int i = 0; i < l->n; i++) {
        listed p = l->pictures[i];
        size_t n = entry_folder(p.place += at);
        int split = has_splits ? entry_split(p.place, n) : LT_TRAIN;
        if (split == LT_SPLITS) {
            first_beside = beside++ ? first_beside : p.name;
            continue;
        }
        p.split = (lt_split)split;
        p.place += has_splits ? n + 1 : 0;
        l->pictures[kept++] = p;
    }
    l->n = kept;
    if (beside)
        log_warning("%s: %d pictures outside the folders of the splits are skipped: %s ...",
                    l->root, beside, first_beside);
}

static int check_not_empty(const listing *l, const level *v)
{
    for (int s = 0; s < LT_SPLITS; s++)
        if (v->is_named[s] && l->first[s] == l->first[s + 1])
            return status_fail(LT_NOT_FOUND, "%s: expected pictures in its folder '%s', found none",
                               l->root, lt_split_name((lt_split)s));
    return LT_OK;
}

static int by_place(const void *a, const void *b)
{
    const listed *p = a, *q = b;
    int c = (int)p->split - (int)q->split;
    c = c ? c : strcmp(p->place, q->place);
    c = c ? c : strcmp(p->name, q->name); /* "val/1.png" and "valid/1.png" */
    return c ? c : (p->index > q->index) - (p->index < q->index);
}

/* Two entries of an archive may have one name: as when unpacking, the last one stays. */
static void drop_doubles(listing *l)
{
    int kept = 0, doubles = 0;
    const char *name = NULL;
    for (int i = 0; i < l->n; i++) {
        const listed *p = &l->pictures[i], *next = p + 1;
        bool is_double = i + 1 < l->n && p->archive != NO_ARCHIVE && p->archive == next->archive &&
                         strcmp(p->name, next->name) == 0;
        if (is_double)
            name = doubles++ ? name : p->name;
        else
            l->pictures[kept++] = *p;
    }
    l->n = kept;
    if (doubles)
        log_warning("%s: %d pictures are there twice under one name; the last ones are used: %s%s",
                    l->root, doubles, name, doubles > 1 ? " ..." : "");
}

static void sort_places(listing *l)
{
    if (l->n)
        qsort(l->pictures, (size_t)l->n, sizeof *l->pictures, by_place);
    drop_doubles(l);
    for (int s = 0, i = 0; s <= LT_SPLITS; s++) {
        while (i < l->n && (int)l->pictures[i].split < s)
            i++;
        l->first[s] = i;
    }
}

/* Warns if no splits were found but folders look like them: test pictures would be trained on. */
static void warn_of_splits(const listing *l)
{
    const char *seen[LT_SPLITS] = {NULL};
    int length[LT_SPLITS] = {0};
    for (int i = 0; i < l->n; i++)
        for (const char *at = l->pictures[i].place, *slash; (slash = strchr(at, '/')); at = slash + 1) {
            int split = entry_split_like(at, (size_t)(slash - at));
            if (split == LT_SPLITS || seen[split])
                continue;
            seen[split] = l->pictures[i].place;
            length[split] = (int)(slash - seen[split]);
        }
    int other = seen[LT_TEST] ? LT_TEST : LT_VALID;
    if (seen[LT_TRAIN] && seen[other])
        log_warning("%s: no splits are found, so all pictures are for training, also those in %.*s; "
                    "splits are folders called train, valid (or val) and test, side by side, where "
                    "this has %.*s",
                    l->root, length[other], seen[other], length[LT_TRAIN], seen[LT_TRAIN]);
}

static int divide(listing *l)
{
    size_t at;
    bool has_splits = find_splits(l, &at);
    level v = has_splits ? look(l, at) : (level){0};
    if (!has_splits)
        warn_of_splits(l);
    part_splits(l, at, has_splits);
    sort_places(l);
    return check_not_empty(l, &v);
}

/* ---- Classes ---- */

/* The classes of the train split, in the order of its pictures, which is that of their names. */
static void collect_classes(listing *l)
{
    int capacity = 0;
    for (int i = l->first[LT_TRAIN]; i < l->first[LT_TRAIN + 1]; i++) {
        const char *place = l->pictures[i].place;
        size_t n = entry_folder(place);
        const char *last = l->n_classes ? l->classes[l->n_classes - 1] : "";
        if (!n || (strncmp(place, last, n) == 0 && last[n] == 0))
            continue;
        l->classes = must_grow(l->classes, l->n_classes, &capacity);
        l->classes[l->n_classes++] = arena_format(&l->texts, "%.*s", (int)n, place);
    }
}

static int find_class(const listing *l, const char *place)
{
    size_t n = entry_folder(place);
    char *name = must_format("%.*s", (int)n, place);
    const char **found = n && l->n_classes ? bsearch(&name, l->classes, (size_t)l->n_classes,
                                                     sizeof *l->classes, by_text)
                                           : NULL;
    free(name);
    return found ? (int)(found - l->classes) : NO_CLASS;
}

/* Labels all pictures of a split with their classes, or none of them. */
static void label_split(listing *l, lt_split split)
{
    int n = l->first[split + 1] - l->first[split];
    listed *p = l->pictures + l->first[split];
    const listed *without = NULL;
    for (int i = 0; i < n; i++) {
        p[i].class = find_class(l, p[i].place);
        if (p[i].class == NO_CLASS && !without)
            without = &p[i];
    }
    l->has_labels[split] = n && !without && l->n_classes > 1 && l->n_classes <= MAX_LABELS;
    if (without && l->n_classes > 1)
        log_warning("%s: the %s split has no labels: %s lies in no folder of a class", l->root,
                    lt_split_name(split), without->name);
    if (n && !without)
        return;
    for (int i = 0; i < n; i++)
        p[i].class = NO_CLASS;
}

static void rank_split(listing *l, lt_split split)
{
    listed *p = l->pictures + l->first[split];
    int n = l->first[split + 1] - l->first[split];
    for (int i = 0, end; i < n; i = end) { /* runs of one class */
        for (end = i; end < n && p[end].class == p[i].class; end++)
            p[end].rank = end - i;
        for (int k = i; k < end; k++)
            p[k].of = end - i;
    }
}

/* By (rank + 1/2) / of: every stretch of the split then has the classes in their proportions. */
static int by_share(const void *a, const void *b)
{
    const listed *p = a, *q = b;
    int64_t x = (2 * (int64_t)p->rank + 1) * q->of, y = (2 * (int64_t)q->rank + 1) * p->of;
    return x != y ? (x > y) - (x < y) : (p->class > q->class) - (p->class < q->class);
}

static void classify(listing *l)
{
    collect_classes(l);
    if (l->n_classes)
        qsort(l->classes, (size_t)l->n_classes, sizeof *l->classes, by_text);
    if (l->n_classes > MAX_LABELS)
        log_warning("%s: %d folders of classes, expected at most %d: there are no labels", l->root,
                    l->n_classes, MAX_LABELS);
    for (int s = 0; s < LT_SPLITS; s++) {
        label_split(l, (lt_split)s);
        rank_split(l, (lt_split)s);
        if (l->first[s + 1] > l->first[s])
            qsort(l->pictures + l->first[s], (size_t)(l->first[s + 1] - l->first[s]),
                  sizeof *l->pictures, by_share);
    }
}

/* ---- Listing ---- */

static int fail_empty(const listing *l)
{
    if (l->n_runs)
        return l->is_archive && strcmp(l->run, ".") == 0
                   ? fail_run(l->root, l->root)
                   : status_fail(LT_NOT_FOUND,
                                 "%s: expected pictures, found only those of %d run%s of latent "
                                 "train: %s%s",
                                 l->root, l->n_runs, l->n_runs > 1 ? "s" : "", l->run,
                                 l->n_runs > 1 ? " ..." : "");
    if (!l->n_ignored)
        return status_fail(LT_NOT_FOUND, "%s: expected pictures, found an empty %s", l->root,
                           l->is_archive ? "zip file" : "folder");
    return status_fail(
        LT_NOT_FOUND,
        "%s: expected pictures (.png, .jpg, .webp, .ppm, .pgm, .pbm), found %d other "
        "files: %s%s",
        l->root, l->n_ignored, l->ignored, l->n_ignored > 1 ? " ..." : "");
}

int listing_make(listing *l, const char *root)
{
    *l = (listing){0};
    LT_TRY(collect(l, root));
    if (l->n == 0)
        return fail_empty(l);
    if (l->n_ignored)
        log_info("%s: %d files without an image extension are skipped: %s%s", root,
                 l->n_ignored, l->ignored, l->n_ignored > 1 ? " ..." : "");
    if (l->n_runs)
        log_info("%s: %d run%s of latent train inside it %s skipped: %s%s", root, l->n_runs,
                 l->n_runs > 1 ? "s" : "", l->n_runs > 1 ? "are" : "is", l->run,
                 l->n_runs > 1 ? " ..." : "");
    LT_TRY(divide(l));
    classify(l);
    return LT_OK;
}

bool listing_has_pictures(const char *root)
{
    listing l = {.is_probe = true};
    bool found = collect(&l, root) != LT_OK || l.n > 0; /* reading it reports the error */
    listing_clear(&l);
    return found;
}
