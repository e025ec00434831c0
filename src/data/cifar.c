/* SPDX-License-Identifier: MIT */
/* CIFAR's binary files: records of one label (CIFAR-10) or two (CIFAR-100: coarse and fine, of
   which the fine one is kept), then 32 x 32 bytes of red, of green, and of blue. No header: the
   name ends in
   ".bin", and the size is that of whole records. */
#include "data/reader.h"

#include "base/memory.h"

enum { SIDE = 32, PLANE = SIDE * SIDE, COLORS = 3, PIXELS = PLANE * COLORS };

/* The labels before the pixels of a record: their number, and the number of classes of each. */
static const struct kind {
    int labels;
    int classes[2];
    const char *names[2];
} kinds[] = {{1, {10}, {"label"}}, {2, {20, 100}, {"coarse label", "fine label"}}};

static const struct kind *find_kind(size_t size)
{
    for (int i = 0; i < (int)(sizeof kinds / sizeof *kinds); i++)
        if (size > 0 && size % (size_t)(kinds[i].labels + PIXELS) == 0)
            return &kinds[i];
    return NULL;
}

static bool cifar_sniff(const data_source *s)
{
    return data_has_extension(s->path, ".bin") && find_kind(s->content.size);
}

static int check_record(const data_source *s, const struct kind *k, size_t at)
{
    for (int i = 0; i < k->labels; i++)
        if (s->content.data[at + (size_t)i] >= k->classes[i])
            return data_malformed(s, at + (size_t)i, "expected a %s of CIFAR-%d, 0 to %d, found %d",
                                  k->names[i], k->classes[k->labels - 1], k->classes[i] - 1,
                                  s->content.data[at + (size_t)i]);
    return LT_OK;
}

/* Converts planar pixels to interleaved ones. */
static void interleave(const unsigned char *plane, unsigned char *pixel)
{
    for (int i = 0; i < PLANE; i++)
        for (int k = 0; k < COLORS; k++)
            *pixel++ = plane[k * PLANE + i];
}

static int copy_records(const data_source *s, const struct kind *k, unsigned char *pixels,
                        unsigned char *labels)
{
    size_t record = (size_t)(k->labels + PIXELS);
    for (size_t at = 0; at < s->content.size; at += record) {
        LT_TRY(check_record(s, k, at));
        *labels++ = s->content.data[at + (size_t)k->labels - 1];
        interleave(s->content.data + at + k->labels, pixels);
        pixels += PIXELS;
    }
    return LT_OK;
}

static int cifar_read(data_source *s, data_array *out, data_array *labels)
{
    const struct kind *k = find_kind(s->content.size);
    if (!k)
        return data_malformed(
            s, s->content.size,
            "expected records of %d bytes (CIFAR-10) or %d (CIFAR-100), found %zu "
            "bytes",
            kinds[0].labels + PIXELS, kinds[1].labels + PIXELS, s->content.size);
    uint64_t n = s->content.size / (size_t)(k->labels + PIXELS);
    size_t pixels;
    LT_TRY(data_set_shape(s, 0, 0, out, (uint64_t[]){n, SIDE, SIDE, COLORS}, &pixels));
    out->u8 = out->block = tensor_alloc(pixels, s->path);
    *labels = (data_array){.is_labels = true, .n = out->n};
    labels->u8 = labels->block = tensor_alloc((size_t)n, s->path);
    if (!out->block || !labels->block)
        return LT_NO_MEMORY;
    return copy_records(s, k, out->block, labels->block);
}

const reader cifar_reader = {
    .name = "CIFAR", .extension = ".bin", .sniff = cifar_sniff, .read = cifar_read};
