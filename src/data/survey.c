/* SPDX-License-Identifier: MIT */
/* Surveys the pictures of a folder or zip file before options apply. */
#include "data/dataset.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"
#include "base/threads.h"
#include "data/archive.h"
#include "data/folder.h"
#include "data/listing.h"
#include "image/picture.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PIECES = 1 << 12, LARGEST_ADVICE = 64, NONE = -1 };

/* One picture: its size, or why it has none; what is odd about it. */
typedef struct seen {
    int h, w, c;
    bool is_turned;
    char *problem, *oddity; /* NULL: nothing */
} seen;

typedef struct looking {
    const listing *l;
    seen *pictures;
    atomic_int lacking; /* a picture whose format needs a missing library, or NONE */
    int64_t pieces;
} looking;

static void look_at(looking *k, int i)
{
    const listed *p = &k->l->pictures[i];
    char *path = listing_path(k->l, p);
    picture_file s = {.path = path};
    picture found = {0};
    int status = p->archive == NO_ARCHIVE
                     ? file_read(path, MAX_PICTURE_FILE, &s.content)
                     : archive_read(k->l->opened[p->archive], p->index, path, MAX_PICTURE_FILE,
                                    &s.content);
    if (status == LT_OK)
        status = picture_decode(&s, &found);
    if (status == LT_OK && found.is_animated)
        status = picture_fail_animated(path);
    bool is_on_its_side = found.orientation >= 5; /* as EXIF counts */
    if (status == LT_OK)
        k->pictures[i] = (seen){.h = is_on_its_side ? found.w : found.h,
                                .w = is_on_its_side ? found.h : found.w,
                                .c = found.c,
                                .is_turned = found.orientation > 1,
                                .oddity = found.oddity[0]
                                              ? must_format("%s: %s", path, found.oddity)
                                              : NULL};
    else
        k->pictures[i].problem = must_copy_text(lt_last_error());
    if (status == LT_LIBRARY)
        atomic_store(&k->lacking, i);
    picture_clear(&found);
    bytes_clear(&s.content);
    free(path);
}

static void look_at_piece(void *context, int64_t piece, int worker)
{
    looking *k = context;
    (void)worker;
    int64_t end = (piece + 1) * k->l->n / k->pieces;
    for (int64_t i = piece * k->l->n / k->pieces; i < end; i++)
        look_at(k, (int)i);
}

/* ---- Counts ---- */

static int by_size(const void *a, const void *b)
{
    const lt_survey_size *x = a, *y = b;
    if (x->h != y->h)
        return x->h - y->h;
    return x->w != y->w ? x->w - y->w : x->c - y->c;
}

static int by_images(const void *a, const void *b)
{
    const lt_survey_size *x = a, *y = b;
    return x->images != y->images ? (x->images < y->images) - (x->images > y->images)
                                  : by_size(a, b);
}

/* Sizes of the pictures that can be read, the most frequent first. */
static void count_sizes(lt_survey *v, const seen *pictures, int n)
{
    v->sizes = must_alloc(sizeof *v->sizes * ((size_t)n + 1));
    for (int i = 0; i < n; i++)
        if (!pictures[i].problem)
            v->sizes[v->images++] = (lt_survey_size){pictures[i].h, pictures[i].w, pictures[i].c, 1};
    if (v->images)
        qsort(v->sizes, (size_t)v->images, sizeof *v->sizes, by_size);
    for (int i = 0; i < v->images; i++) {
        if (v->n_sizes && by_size(&v->sizes[v->n_sizes - 1], &v->sizes[i]) == 0)
            v->sizes[v->n_sizes - 1].images++;
        else
            v->sizes[v->n_sizes++] = v->sizes[i];
    }
    if (v->n_sizes)
        qsort(v->sizes, (size_t)v->n_sizes, sizeof *v->sizes, by_images);
}

/* Counts them, and copies the first texts. */
static void take_problems(lt_survey *v, const seen *pictures, int n)
{
    for (int i = 0; i < n; i++) {
        const seen *p = &pictures[i];
        v->turned += p->is_turned;
        if (p->problem && v->unreadable++ < LT_SURVEY_PROBLEMS)
            v->problems[v->n_problems++] = must_copy_text(p->problem);
        if (p->oddity && v->odd++ < LT_SURVEY_PROBLEMS)
            v->oddities[v->n_oddities++] = must_copy_text(p->oddity);
    }
}

static void count_classes(lt_survey *v, const listing *l, const seen *pictures)
{
    bool has_labels = l->has_labels[LT_TRAIN];
    v->n_classes = has_labels ? l->n_classes : 0;
    v->classes = must_alloc(sizeof *v->classes * ((size_t)v->n_classes + 1));
    for (int i = 0; i < v->n_classes; i++)
        v->classes[i].name = must_copy_text(l->classes[i]);
    for (int s = 0; s < LT_SPLITS; s++)
        for (int i = l->first[s]; i < l->first[s + 1]; i++) {
            if (pictures[i].problem)
                continue;
            v->n[s]++;
            if (l->has_labels[s] && has_labels)
                v->classes[l->pictures[i].class].images[s]++;
        }
}

static int by_number(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }

/* A side that the middle picture has without being enlarged: a power of two up to 64. */
static int advise_side(const lt_survey *v)
{
    int *sides = must_alloc(sizeof *sides * (size_t)v->images), n = 0, side = 8;
    for (int i = 0; i < v->n_sizes; i++)
        for (int64_t k = 0; k < v->sizes[i].images; k++)
            sides[n++] = v->sizes[i].h < v->sizes[i].w ? v->sizes[i].h : v->sizes[i].w;
    qsort(sides, (size_t)n, sizeof *sides, by_number);
    while (2 * side <= sides[n / 2] && side < LARGEST_ADVICE)
        side *= 2;
    free(sides);
    return side;
}

static void advise(lt_survey *v)
{
    bool has_sizes = false, has_channels = false, has_color = false;
    for (int i = 0; i < v->n_sizes; i++) {
        has_sizes |= v->sizes[i].h != v->sizes[0].h || v->sizes[i].w != v->sizes[0].w;
        has_channels |= v->sizes[i].c != v->sizes[0].c;
        has_color |= v->sizes[i].c == 3;
    }
    text t = {0};
    if (has_sizes)
        text_format(&t, " --set data.resize=%d", advise_side(v));
    if (has_channels)
        text_format(&t, " --set data.channels=%d", has_color ? 3 : 1);
    char *all = text_take(&t);
    v->sets = must_copy_text(all[0] ? all + 1 : all);
    free(all);
}

int lt_data_survey(const char *path, lt_survey *v)
{
    *v = (lt_survey){.images = 0};
    if (!folder_is_pictures(path))
        return status_fail(LT_NOT_FOUND, "%s: expected a folder or zip file of pictures", path);
    listing l;
    int status = listing_make(&l, path);
    if (status == LT_OK) {
        looking k = {.l = &l, .pictures = must_alloc(sizeof(seen) * (size_t)l.n), .lacking = NONE,
                     .pieces = l.n < MAX_PIECES ? l.n : MAX_PIECES};
        /* an archive belongs to one thread */
        threads_run(l.n_archives ? 1 : lt_cores(), k.pieces, look_at_piece, &k);
        int lacking = atomic_load(&k.lacking);
        if (lacking != NONE)
            status = status_fail(LT_LIBRARY, "%s", k.pictures[lacking].problem);
        count_sizes(v, k.pictures, l.n);
        take_problems(v, k.pictures, l.n);
        count_classes(v, &l, k.pictures);
        if (v->images)
            advise(v);
        for (int i = 0; i < l.n; i++) {
            free(k.pictures[i].problem);
            free(k.pictures[i].oddity);
        }
        free(k.pictures);
    }
    listing_clear(&l);
    return status;
}

void lt_survey_clear(lt_survey *v)
{
    for (int i = 0; i < v->n_problems; i++)
        free(v->problems[i]);
    for (int i = 0; i < v->n_oddities; i++)
        free(v->oddities[i]);
    for (int i = 0; i < v->n_classes; i++)
        free(v->classes[i].name);
    free(v->classes);
    free(v->sizes);
    free(v->sets);
    *v = (lt_survey){.images = 0};
}
