/* SPDX-License-Identifier: MIT */
/* AMAT, the text format of binarized MNIST: one square image per line, numbers 0 and 1 separated by blanks. */
#include "data/reader.h"

#include "base/memory.h"

#include <ctype.h>
#include <string.h>

typedef struct text_line {
    const char *at, *end; /* without the newline */
    int number;           /* from 1 */
} text_line;

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/* The common line, "0 1 0 ... 1" with or without a blank at the end: no branch, so that it runs
   many characters at once. False for any other line, which is not yet an error. */
static bool read_plain(const text_line *line, size_t width, unsigned char *out)
{
    size_t length = (size_t)(line->end - line->at);
    if (length != 2 * width && length != 2 * width - 1)
        return false;
    const char *p = line->at;
    unsigned wrong = 0;
    for (size_t i = 0; i + 1 < width; i++) {
        out[i] = p[2 * i] & 1;
        wrong |= ((unsigned)(unsigned char)p[2 * i] & 0xfeu) ^ '0';
        wrong |= (unsigned)(unsigned char)p[2 * i + 1] ^ ' ';
    }
    const char *last = p + 2 * (width - 1);
    out[width - 1] = *last & 1;
    wrong |= ((unsigned)(unsigned char)*last & 0xfeu) ^ '0';
    return wrong == 0 && (length == 2 * width - 1 || is_blank(last[1]));
}

/* A 0 or 1, perhaps written as 1.000 or 0.0e+00, that starts at `p`. NULL if it is not. */
static const char *read_number(const char *p, const char *end, unsigned char *value)
{
    if (p == end || (*p != '0' && *p != '1'))
        return NULL;
    *value = *p++ == '1';
    if (p < end && *p == '.')
        for (p++; p < end && *p == '0';)
            p++;
    if (end - p >= 3 && (*p == 'e' || *p == 'E') && (p[1] == '+' || p[1] == '-'))
        for (p += 2; p < end && *p == '0';)
            p++;
    return p == end || is_blank(*p) ? p : NULL;
}

/* Reads any line of `width` numbers; if `out` is NULL, counts them into *count instead. */
static int read_line(const data_source *s, const text_line *line, size_t width, unsigned char *out,
                     size_t *count)
{
    const char *p = line->at, *end = line->end;
    size_t n = 0;
    for (;;) {
        while (p < end && is_blank(*p))
            p++;
        if (p == end)
            break;
        unsigned char value;
        const char *next = read_number(p, end, &value);
        size_t offset = (size_t)(p - (const char *)s->content.data);
        if (!next) {
            int shown = 0;
            while (shown < 16 && p + shown < end && isgraph((unsigned char)p[shown]))
                shown++;
            return data_malformed(s, offset, "line %d, number %zu: expected 0 or 1, found '%.*s'",
                                  line->number, n + 1, shown, p);
        }
        if (out && n < width)
            out[n] = value;
        n++;
        p = next;
    }
    *count = n;
    return LT_OK;
}

/* The next line after `at`; false at the end. */
static bool next_line(const data_source *s, text_line *line)
{
    const char *end = (const char *)s->content.data + s->content.size;
    const char *at = line->number ? line->end + 1 : (const char *)s->content.data;
    if (at >= end)
        return false;
    const char *newline = memchr(at, '\n', (size_t)(end - at));
    *line = (text_line){at, newline ? newline : end, line->number + 1};
    return true;
}

/* Numbers in the first line, checked to be a square. */
static int find_width(const data_source *s, size_t *width, int *side)
{
    text_line first = {0};
    next_line(s, &first);
    LT_TRY(read_line(s, &first, 0, NULL, width));
    *side = data_square_side(*width);
    if (*side)
        return LT_OK;
    return data_malformed(s, 0,
                          "line 1: expected as many numbers as a square image has pixels (784 is "
                          "28 x 28), found %zu",
                          *width);
}

static uint64_t count_lines(const data_source *s)
{
    uint64_t n = 0;
    for (text_line line = {0}; n <= INT32_MAX && next_line(s, &line);)
        n++;
    return n;
}

static int amat_read(data_source *s, data_array *out, data_array *labels)
{
    (void)labels;
    size_t width, pixels;
    int side;
    LT_TRY(find_width(s, &width, &side));
    uint64_t shape[4] = {count_lines(s), (uint64_t)side, (uint64_t)side, 1};
    LT_TRY(data_set_shape(s, 0, 0, out, shape, &pixels));
    if (pixels > s->content.size) /* lines too short for that: do not ask for the memory */
        return data_malformed(s, 0, "expected %d lines of %zu numbers, found %zu bytes of text",
                              out->n, width, s->content.size);
    unsigned char *row = tensor_alloc(pixels, s->path);
    if (!row)
        return LT_NO_MEMORY;
    out->block = row;
    out->u8 = row;
    out->is_binary = true;
    for (text_line line = {0}; next_line(s, &line); row += width) {
        if (read_plain(&line, width, row))
            continue;
        size_t n;
        LT_TRY(read_line(s, &line, width, row, &n));
        if (n != width)
            return data_malformed(s, (size_t)(line.at - (const char *)s->content.data),
                                  "line %d: expected %zu numbers, found %zu", line.number, width,
                                  n);
    }
    return LT_OK;
}

const reader amat_reader = {.name = "AMAT", .extension = ".amat", .read = amat_read};
