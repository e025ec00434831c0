/* SPDX-License-Identifier: MIT */
/* IDX, the format of MNIST: 0, 0, type, rank, then rank big-endian sizes, then the numbers.
   Bytes (type 8) of rank 3 are images, of rank 1 labels. */
#include "data/reader.h"

#include "base/memory.h"

enum { TYPE_U8 = 8, RANK_LABELS = 1, RANK_IMAGES = 3 };

static uint32_t big_endian(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Two zeros are sufficient: text has none, and npy starts with \x93. */
static bool idx_sniff(const data_source *s)
{
    return s->content.size >= 2 && s->content.data[0] == 0 && s->content.data[1] == 0;
}

static int check_signature(const data_source *s)
{
    const unsigned char *p = s->content.data;
    if (s->content.size < 4)
        return data_malformed(s, s->content.size,
                              "expected an IDX header of 4 bytes, found only %zu", s->content.size);
    if (p[0] || p[1])
        return data_malformed(s, 0, "expected 00 00 before an IDX type, found %02x %02x", p[0],
                              p[1]);
    if (p[2] != TYPE_U8)
        return data_malformed(s, 2, "expected IDX type 08 (bytes), found %02x", p[2]);
    if (p[3] != RANK_LABELS && p[3] != RANK_IMAGES)
        return data_malformed(s, 3, "expected IDX rank 3 (images) or 1 (labels), found %d", p[3]);
    return LT_OK;
}

static int idx_read(data_source *s, data_array *out, data_array *labels)
{
    (void)labels;
    LT_TRY(check_signature(s));
    int rank = s->content.data[3];
    size_t header = 4 + 4 * (size_t)rank, size = s->content.size;
    if (size < header)
        return data_malformed(s, size, "expected an IDX header of %zu bytes, found only %zu",
                              header, size);
    uint64_t shape[4] = {big_endian(s->content.data + 4), 0, 0, 1};
    for (int i = 1; i < rank; i++) {
        shape[i] = big_endian(s->content.data + 4 + 4 * i);
        if (shape[i] == 0) /* 0 means labels to data_set_shape */
            return data_malformed(s, 4 + 4 * (size_t)i, "expected a size of at least 1, found 0");
    }
    size_t pixels;
    LT_TRY(data_set_shape(s, 4, 4, out, shape, &pixels));
    if (size - header != pixels)
        return data_malformed(s, pixels < size - header ? header + pixels : size,
                              "expected %zu bytes after the header, found %zu", pixels,
                              size - header);
    out->file = s->content;
    s->content = (bytes){0};
    out->u8 = out->file.data + header;
    return LT_OK;
}

static size_t idx_whole(const data_source *head)
{
    size_t rank = head->content.size >= 4 ? head->content.data[3] : 0, size = 1;
    if ((rank != RANK_LABELS && rank != RANK_IMAGES) || head->content.size < 4 + 4 * rank)
        return 0;
    for (size_t i = 0; i < rank; i++)
        if (!size_mul(size, big_endian(head->content.data + 4 + 4 * i), &size))
            return SIZE_MAX;
    return size_add(size, 4 + 4 * rank, &size) ? size : SIZE_MAX;
}

const reader idx_reader = {
    .name = "IDX", .extension = "ubyte", .sniff = idx_sniff, .read = idx_read, .whole = idx_whole};
