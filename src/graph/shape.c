/* SPDX-License-Identifier: MIT */
#include <latent/graph.h>

#include <stdio.h>

lt_shape lt_shape_0d(void) { return (lt_shape){.rank = 0}; }

lt_shape lt_shape_1d(int64_t n) { return (lt_shape){.rank = 1, .d = {n}}; }

lt_shape lt_shape_2d(int64_t n, int64_t m) { return (lt_shape){.rank = 2, .d = {n, m}}; }

lt_shape lt_shape_4d(int64_t n, int64_t h, int64_t w, int64_t c)
{
    return (lt_shape){.rank = 4, .d = {n, h, w, c}};
}

int64_t lt_shape_size(lt_shape s)
{
    int64_t size = 1;
    for (int i = 0; i < s.rank; i++)
        size *= s.d[i];
    return size;
}

bool lt_shape_equal(lt_shape a, lt_shape b)
{
    bool equal = a.rank == b.rank;
    for (int i = 0; equal && i < a.rank; i++)
        equal = a.d[i] == b.d[i];
    return equal;
}

const char *lt_shape_text(lt_shape s, char text[LT_SHAPE_TEXT_SIZE])
{
    size_t n = 0;
    snprintf(text, LT_SHAPE_TEXT_SIZE, "%s", s.rank == 0 ? "scalar" : "");
    for (int i = 0; i < s.rank && i < LT_MAX_RANK && n < LT_SHAPE_TEXT_SIZE; i++)
        n += (size_t)snprintf(text + n, LT_SHAPE_TEXT_SIZE - n, "%s%lld", i ? " x " : "",
                              (long long)s.d[i]);
    return text;
}
