/* SPDX-License-Identifier: MIT */
/* tar: for each file a block of 512 bytes with name, size in octal, checksum and kind, then its
   content filled up to whole blocks. A block of zeros is the end. */
#include "data/tar.h"

#include "base/status.h"

#include <string.h>

enum { BLOCK = 512, NAME_SIZE = 100, SIZE_AT = 124, SUM_AT = 148, KIND_AT = 156 };

/* An octal number of up to `n` digits, between spaces; false if it is not a number. */
static bool read_octal(const unsigned char *p, int n, uint64_t *value)
{
    int i = 0, digits = 0;
    *value = 0;
    while (i < n && p[i] == ' ')
        i++;
    for (; i < n && p[i] >= '0' && p[i] <= '7'; i++, digits++)
        *value = *value * 8 + (unsigned)(p[i] - '0');
    return digits > 0 && (i == n || p[i] == ' ' || p[i] == 0);
}

/* The sum of all bytes, with those of the checksum as spaces. */
static uint64_t checksum(const unsigned char *p)
{
    uint64_t sum = 0;
    for (int i = 0; i < BLOCK; i++)
        sum += i >= SUM_AT && i < SUM_AT + 8 ? ' ' : p[i];
    return sum;
}

static int read_header(const data_source *tar, size_t at, uint64_t *size)
{
    const unsigned char *p = tar->content.data + at;
    uint64_t sum;
    if (tar->content.size - at < BLOCK)
        return data_malformed(tar, at, "expected a tar header of %d bytes, found %zu", BLOCK,
                              tar->content.size - at);
    if (!read_octal(p + SUM_AT, 8, &sum) || sum != checksum(p))
        return data_malformed(tar, at + SUM_AT,
                              "expected the checksum %ju of a tar header, found "
                              "another",
                              (uintmax_t)checksum(p));
    if (!read_octal(p + SIZE_AT, 12, size))
        return data_malformed(tar, at + SIZE_AT, "expected a size in octal, found another");
    if (*size > tar->content.size - at - BLOCK)
        return data_malformed(tar, at + SIZE_AT,
                              "expected a file of %ju bytes, found %zu to the end",
                              (uintmax_t)*size, tar->content.size - at - BLOCK);
    return LT_OK;
}

static bool is_named(const unsigned char *header, const char *name)
{
    size_t n = strnlen((const char *)header, NAME_SIZE), m = strlen(name);
    bool is_file = header[KIND_AT] == '0' || header[KIND_AT] == 0;
    return is_file && n >= m && memcmp(header + n - m, name, m) == 0 &&
           (n == m || header[n - m - 1] == '/');
}

int tar_find(const data_source *tar, const char *name, size_t *at, size_t *size)
{
    uint64_t bytes_in = 0;
    for (size_t i = 0; i < tar->content.size && tar->content.data[i];) {
        LT_TRY(read_header(tar, i, &bytes_in));
        *at = i + BLOCK;
        *size = (size_t)bytes_in;
        if (is_named(tar->content.data + i, name))
            return LT_OK;
        size_t filled = (*size + BLOCK - 1) / BLOCK * BLOCK, left = tar->content.size - *at;
        i = filled < left ? *at + filled : tar->content.size;
    }
    return status_fail(LT_NOT_FOUND, "%s: expected a tar file with %s, found none of that name",
                       tar->path, name);
}
