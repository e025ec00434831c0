/* SPDX-License-Identifier: MIT */
#include "image/markers.h"

#include <string.h>

/* Bytes of a file, or a part of it. */
typedef struct part {
    const unsigned char *data;
    size_t size;
} part;

static uint32_t big_32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t little_32(const unsigned char *p)
{
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static bool begins(part p, const char *with, size_t n)
{
    return p.size >= n && memcmp(p.data, with, n) == 0;
}

static part drop(part p, size_t n)
{
    return n <= p.size ? (part){p.data + n, p.size - n} : (part){p.data, 0};
}

static part first(part p, size_t n) { return (part){p.data, n < p.size ? n : p.size}; }

/* ---- EXIF: a TIFF file without an image (JEITA CP-3451) ---- */

enum { TAG_ORIENTATION = 0x0112, ENTRY_SIZE = 12, TYPE_SHORT = 3, TYPE_LONG = 4 };

typedef struct tiff {
    part all;
    bool is_big;
} tiff;

static uint32_t tiff_32(const tiff *t, size_t at)
{
    return t->is_big ? big_32(t->all.data + at) : little_32(t->all.data + at);
}

static uint32_t tiff_16(const tiff *t, size_t at)
{
    const unsigned char *p = t->all.data + at;
    return t->is_big ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

/* Returns the orientation in the first directory, which describes the picture. */
static int read_exif(part p)
{
    if (begins(p, "Exif\0\0", 6))
        p = drop(p, 6);
    tiff t = {p, begins(p, "MM\0*", 4)};
    if (p.size < 8 || (!t.is_big && !begins(p, "II*\0", 4)))
        return 1;
    size_t at = tiff_32(&t, 4);
    if (at > p.size || p.size - at < 2)
        return 1;
    size_t n = tiff_16(&t, at), fit = (p.size - at - 2) / ENTRY_SIZE;
    for (size_t i = 0; i < n && i < fit; i++) {
        size_t entry = at + 2 + i * ENTRY_SIZE;
        if (tiff_16(&t, entry) != TAG_ORIENTATION)
            continue;
        uint32_t type = tiff_16(&t, entry + 2), value = type == TYPE_SHORT ? tiff_16(&t, entry + 8)
                                                        : type == TYPE_LONG ? tiff_32(&t, entry + 8)
                                                                            : 0;
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}

/* ---- JPEG: markers of two bytes, most with a length, up to the first scan ---- */

enum { SOI = 0xd8, SOS = 0xda, EOI = 0xd9, APP1 = 0xe1, APP14 = 0xee, ADOBE_SIZE = 12 };

static void read_segment(int marker, part p, picture_markers *m)
{
    if (marker == APP1 && begins(p, "Exif\0\0", 6) && m->orientation == 1)
        m->orientation = read_exif(p);
    if (marker == APP14 && begins(p, "Adobe", 5)) {
        m->has_adobe = p.size >= ADOBE_SIZE;
        m->has_short_adobe = !m->has_adobe;
    }
}

static bool has_length(int marker)
{
    return marker != SOI && marker != 0x01 && !(marker >= 0xd0 && marker <= 0xd7);
}

/* Skips bytes before a marker, as libjpeg does. */
static void read_jpeg(part p, picture_markers *m)
{
    while (p.size >= 4) {
        if (p.data[0] != 0xff || p.data[1] == 0xff || p.data[1] == 0) {
            p = drop(p, 1);
            continue;
        }
        int marker = p.data[1];
        p = drop(p, 2);
        if (marker == SOS || marker == EOI)
            return;
        if (!has_length(marker) || p.size < 2)
            continue;
        size_t length = (size_t)p.data[0] << 8 | p.data[1];
        if (length < 2)
            return;
        read_segment(marker, drop(first(p, length), 2), m);
        p = drop(p, length);
    }
}

/* ---- PNG and WebP: chunks with a name and a length ---- */

static void read_png(part p, picture_markers *m)
{
    bool is_before_pixels = true;
    for (p = drop(p, 8); p.size >= 12;) {
        size_t length = big_32(p.data);
        part name = drop(p, 4), content = first(drop(p, 8), length);
        is_before_pixels &= !begins(name, "IDAT", 4);
        if (begins(name, "IEND", 4))
            return;
        if (begins(name, "acTL", 4) && is_before_pixels) /* elsewhere it has no meaning */
            m->is_animated = true;
        if (begins(name, "eXIf", 4))
            m->orientation = read_exif(content);
        if (length > p.size - 12)
            return;
        p = drop(p, length + 12);
    }
}

static void read_webp(part p, picture_markers *m)
{
    for (p = drop(p, 12); p.size >= 8;) {
        size_t length = little_32(p.data + 4);
        if (begins(p, "ANIM", 4))
            m->is_animated = true;
        if (begins(p, "EXIF", 4))
            m->orientation = read_exif(first(drop(p, 8), length));
        length += length & 1;
        if (length > p.size - 8)
            return;
        p = drop(p, length + 8);
    }
}

/* The data of a scan, where ff is followed by 0 or by a marker without a length, is skipped like other bytes before a
   marker. */
uint64_t markers_count_scans(const bytes *content)
{
    uint64_t n = 0;
    for (part p = {content->data, content->size}; p.size >= 4;) {
        const unsigned char *next = memchr(p.data, 0xff, p.size - 1);
        if (!next)
            return n;
        p = drop(p, (size_t)(next - p.data));
        int marker = p.data[1];
        p = drop(p, marker == 0xff ? 1 : 2);
        if (marker == EOI)
            return n;
        if (marker == 0 || marker == 0xff || !has_length(marker) || p.size < 2)
            continue;
        n += marker == SOS;
        p = drop(p, (size_t)p.data[0] << 8 | p.data[1]);
    }
    return n;
}

picture_markers markers_find(const bytes *content)
{
    picture_markers m = {.orientation = 1};
    part p = {content->data, content->size};
    if (begins(p, "\xff\xd8", 2))
        read_jpeg(p, &m);
    else if (begins(p, "\x89PNG\r\n\x1a\n", 8))
        read_png(p, &m);
    else if (begins(p, "RIFF", 4) && begins(drop(p, 8), "WEBP", 4))
        read_webp(p, &m);
    return m;
}
