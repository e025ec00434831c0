/* SPDX-License-Identifier: MIT */
/* Indices in a reference set, and in its splits. */
#include "quality/reference_set.h"

#include "base/memory.h"
#include "base/status.h"
#include "base/threads.h"
#include "eval/visit.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { HELD_PART = 6 };

static reference_set make_gallery(lt_dataset *d, lt_split split, int first, int count)
{
    return (reference_set){.data = d,
                     .n = count,
                     .first = {first, 0},
                     .count = {count, 0},
                     .split = {split, split},
                     .has_labels = lt_dataset_describe(d)->has_labels[split]};
}

int reference_set_divide(lt_dataset *d, lt_split split, reference_set *learn, reference_set *held_out)
{
    const lt_dataset_info *info = lt_dataset_describe(d);
    int train = info->n[LT_TRAIN], valid = info->n[LT_VALID];
    if (split == LT_TRAIN) {
        int kept = train - train / HELD_PART;
        *learn = make_gallery(d, LT_TRAIN, 0, kept);
        *held_out = make_gallery(d, LT_TRAIN, kept, train - kept);
    } else {
        *learn = make_gallery(d, LT_TRAIN, 0, train);
        *held_out = make_gallery(d, split, 0, info->n[split]);
        if (info->options.validation > 0 && split != LT_VALID) {
            learn->split[1] = LT_VALID;
            learn->count[1] = valid;
            learn->n += valid;
        }
    }
    if (learn->n == 0 || held_out->n == 0)
        return status_fail(LT_VALUE, "%s has too few images to compare with: %d of train, %d of %s",
                           info->name, learn->n, held_out->n, lt_split_name(split));
    return LT_OK;
}

reference_set reference_set_part(const reference_set *g, int64_t n)
{
    reference_set part = *g;
    if (n < g->n)
        part.n = (int)n;
    return part;
}

/* Returns which part image i is in, 0 or 1, and its index there. */
static int find_place(const reference_set *g, int i, int32_t *place)
{
    int64_t at = stratified_index(i, g->n, (int64_t)g->count[0] + g->count[1]);
    int side = at >= g->count[0];
    *place = (int32_t)(side ? at - g->count[0] + g->first[1] : at + g->first[0]);
    return side;
}

int reference_set_place(const reference_set *g, int i, lt_split *split)
{
    int32_t place;
    *split = g->split[find_place(g, i, &place)];
    return place;
}

/* Gathers runs of consecutive images of one split together. */
static int gather_places(const reference_set *g, const int32_t *index, int n, int32_t *place, int threads,
                         float *x, int32_t *labels)
{
    const lt_dataset_info *info = lt_dataset_describe(g->data);
    int64_t pixels = (int64_t)info->h * info->w * info->c;
    for (int at = 0, end; at < n; at = end) {
        int side = find_place(g, index[at], &place[at]);
        for (end = at + 1; end < n && find_place(g, index[end], &place[end]) == side;)
            end++;
        if (x)
            LT_TRY(lt_dataset_gather(g->data, g->split[side], place + at, end - at, 0, threads,
                                     x + at * pixels));
        if (labels)
            LT_TRY(lt_dataset_labels(g->data, g->split[side], place + at, end - at, labels + at));
    }
    return LT_OK;
}

static int gather(const reference_set *g, const int32_t *index, int n, int threads, float *x,
                  int32_t *labels)
{
    int32_t *place = must_alloc(sizeof *place * ((size_t)n + 1));
    int status = gather_places(g, index, n, place, threads, x, labels);
    free(place);
    return status;
}

int reference_set_gather(const reference_set *g, const int32_t *index, int n, int threads, float *x)
{
    return gather(g, index, n, threads, x, NULL);
}

int reference_set_labels(const reference_set *g, const int32_t *index, int n, int32_t *labels)
{
    return gather(g, index, n, 1, NULL, labels);
}

int reference_set_run(const reference_set *g, int first, int n, int threads, float *x)
{
    int32_t *index = must_alloc(sizeof *index * ((size_t)n + 1));
    for (int i = 0; i < n; i++)
        index[i] = first + i;
    int status = reference_set_gather(g, index, n, threads, x);
    free(index);
    return status;
}

/* ---- Content ---- */

typedef struct digest_call {
    const reference_set *g;
    bool with_labels;
    int block; /* images at a time */
    int64_t pixels;
    char (*digests)[SHA256_TEXT];
    atomic_int status;
} digest_call;

/* The digest of a block: of its pixels, followed by the labels as floats. */
static int digest_images(const digest_call *c, int first, int n, char hex[SHA256_TEXT])
{
    size_t floats = (size_t)n * (size_t)(c->pixels + 1);
    float *x = tensor_alloc(sizeof *x * floats, "images to digest");
    int32_t *labels = must_alloc(sizeof *labels * 2 * (size_t)n);
    int status = x ? reference_set_run(c->g, first, n, 1, x) : LT_NO_MEMORY;
    for (int i = 0; i < n; i++)
        labels[n + i] = first + i;
    if (status == LT_OK && c->with_labels)
        status = reference_set_labels(c->g, labels + n, n, labels);
    for (int i = 0; status == LT_OK && i < n; i++)
        x[n * c->pixels + i] = (float)labels[i];
    if (status == LT_OK)
        sha256_text(x, sizeof *x * floats, hex);
    free(labels);
    tensor_free(x);
    return status;
}

static void digest_block(void *context, int64_t i, int worker)
{
    (void)worker;
    digest_call *c = context;
    int first = (int)i * c->block, left = c->g->n - first;
    int status = digest_images(c, first, left < c->block ? left : c->block, c->digests[i]);
    if (status != LT_OK)
        atomic_store(&c->status, status);
}

int reference_set_digest(const reference_set *g, bool with_labels, int threads, char hex[SHA256_TEXT])
{
    enum { BLOCK_FLOATS = 1 << 19 };
    const lt_dataset_info *info = lt_dataset_describe(g->data);
    digest_call c = {.g = g, .with_labels = with_labels, .status = LT_OK,
                     .pixels = (int64_t)info->h * info->w * info->c};
    c.block = (int)(BLOCK_FLOATS / c.pixels) + 1;
    size_t blocks = (size_t)((g->n + c.block - 1) / c.block);
    c.digests = must_alloc(sizeof *c.digests * blocks);
    threads_run(threads, (int64_t)blocks, digest_block, &c);
    sha256_text(c.digests, sizeof *c.digests * blocks, hex);
    free(c.digests);
    return c.status == LT_OK ? LT_OK : status_fail(c.status, "the images of %s: %s", info->name,
                                                   lt_status_text(c.status));
}
