/* SPDX-License-Identifier: MIT */
/* Synthetic images: a few soft blobs on black. Uses only sums, products and comparisons, so that all machines
   generate the same bytes. */
#include "data/dataset.h"

#include "base/memory.h"
#include "base/philox.h"
#include "base/status.h"

enum { MAX_BLOBS = 4, WORDS_PER_IMAGE = 32, WORDS_PER_BLOB = 7 };

typedef struct blob {
    float x, y, radius;         /* in pixels */
    float color[MAX_CHANNELS]; /* brightness at the center, 0 ... 1 */
} blob;

/* Image `index` of the set: how many blobs, and which. */
static int draw_blobs(const philox_key *key, int64_t index, int h, int w, blob blobs[MAX_BLOBS])
{
    uint32_t word[WORDS_PER_IMAGE];
    philox_words(key, index * WORDS_PER_IMAGE, WORDS_PER_IMAGE, word);
    int n = 1 + (int)(word[WORDS_PER_IMAGE - 1] % MAX_BLOBS);
    float side = (float)(h < w ? h : w);
    for (int i = 0; i < n; i++) {
        const uint32_t *u = word + i * WORDS_PER_BLOB;
        blobs[i].x = (0.1f + 0.8f * philox_uniform(u[0])) * (float)w;
        blobs[i].y = (0.1f + 0.8f * philox_uniform(u[1])) * (float)h;
        blobs[i].radius = 1 + (0.15f + 0.25f * philox_uniform(u[2])) * side;
        for (int k = 0; k < MAX_CHANNELS; k++)
            blobs[i].color[k] = 0.4f + 0.6f * philox_uniform(u[3 + k]);
    }
    return n;
}

/* (1 - r^2)^2 inside the radius: a bell that reaches zero smoothly. */
static float height(const blob *b, int row, int column)
{
    float dx = ((float)column + 0.5f - b->x) / b->radius;
    float dy = ((float)row + 0.5f - b->y) / b->radius;
    float rest = 1 - (dx * dx + dy * dy);
    return rest > 0 ? rest * rest : 0;
}

static void paint(const blob *blobs, int n, const lt_dataset_info *info, unsigned char *pixel)
{
    for (int row = 0; row < info->h; row++)
        for (int column = 0; column < info->w; column++) {
            float value[MAX_CHANNELS] = {0};
            for (int i = 0; i < n; i++) {
                float bell = height(&blobs[i], row, column);
                for (int k = 0; k < info->c; k++)
                    value[k] += bell * blobs[i].color[k];
            }
            for (int k = 0; k < info->c; k++)
                *pixel++ = (unsigned char)((value[k] < 1 ? value[k] : 1) * 255 + 0.5f);
        }
}

static int make_split(lt_dataset *d, lt_split split, int n, const lt_dataset_info *shape)
{
    size_t pixels = (size_t)shape->h * (size_t)shape->w * (size_t)shape->c, size;
    if (!size_mul((size_t)n, pixels, &size))
        return status_fail(LT_VALUE,
                           "synthetic: expected sizes that fit in memory, found %d images "
                           "of %zu pixels",
                           n, pixels);
    data_array images = {.n = n, .h = shape->h, .w = shape->w, .c = shape->c};
    data_array labels = {.is_labels = true, .n = n};
    images.u8 = images.block = tensor_alloc(size, "synthetic images");
    labels.u8 = labels.block = tensor_alloc((size_t)n, "synthetic labels");
    if (!images.block || !labels.block) {
        data_array_clear(&images);
        data_array_clear(&labels);
        return LT_NO_MEMORY;
    }
    philox_key key = {.seed = (uint64_t)d->info.options.seed, .stream = STREAM_SYNTHETIC + split};
    for (int i = 0; i < n; i++) {
        blob blobs[MAX_BLOBS];
        int count = draw_blobs(&key, i, shape->h, shape->w, blobs);
        paint(blobs, count, shape, (unsigned char *)images.block + (size_t)i * pixels);
        ((unsigned char *)labels.block)[i] = (unsigned char)(count - 1);
    }
    return dataset_take(d, split, &images, &labels,
                        (const char *const[2]){"synthetic", "synthetic"});
}

static int make_splits(lt_dataset *d, int n, const lt_dataset_info *shape)
{
    LT_TRY(make_split(d, LT_TRAIN, n, shape));
    LT_TRY(make_split(d, LT_TEST, n / 5 ? n / 5 : 1, shape));
    return dataset_finish(d);
}

int lt_dataset_synthetic(int n, int h, int w, int c, const lt_data_options *options, lt_dataset **out)
{
    *out = NULL;
    if (n < 1 || h < 1 || h > MAX_SIDE || w < 1 || w > MAX_SIDE || c < 1 || c > MAX_CHANNELS)
        return status_fail(LT_VALUE,
                           "synthetic: expected 1 or more images of at most %d x %d x %d, found %d "
                           "of %d x %d x %d",
                           MAX_SIDE, MAX_SIDE, MAX_CHANNELS, n, h, w, c);
    if (options && options->path[0])
        return status_fail(LT_VALUE, "synthetic: is made, not read: expected no path, found '%s'",
                           options->path);
    lt_dataset *d = dataset_create("synthetic", "", options);
    if (!d)
        return LT_VALUE;
    int status = make_splits(d, n, &(lt_dataset_info){.h = h, .w = w, .c = c});
    if (status == LT_OK)
        *out = d;
    else
        lt_dataset_free(d);
    return status;
}
