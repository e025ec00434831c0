/* SPDX-License-Identifier: MIT */
#include "base/buffer.h"

#include "base/memory.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

int lt_buffer_create(int64_t n, const char *what, lt_buffer **out)
{
    size_t bytes;
    *out = NULL;
    if (n < 0 || !size_mul((size_t)n, sizeof(float), &bytes))
        return status_fail(LT_VALUE, "cannot make a buffer of %lld numbers", (long long)n);
    float *floats = tensor_alloc(bytes, what);
    if (!floats)
        return LT_NO_MEMORY;
    *out = must_alloc(sizeof **out);
    **out = (lt_buffer){.floats = floats, .n = n, .is_owned = true};
    return LT_OK;
}

lt_buffer *lt_buffer_borrow(float *memory, int64_t n)
{
    lt_buffer *b = must_alloc(sizeof *b);
    *b = (lt_buffer){.floats = memory, .n = n};
    return b;
}

void lt_buffer_free(lt_buffer *b)
{
    if (b && b->is_owned)
        tensor_free(b->floats);
    free(b);
}

int64_t lt_buffer_size(const lt_buffer *b) { return b->n; }

float *lt_buffer_floats(lt_buffer *b) { return b->floats; }

static int check_range(const lt_buffer *b, int64_t first, int64_t n)
{
    if (n >= 0 && first >= 0 && first <= b->n && n <= b->n - first)
        return LT_OK;
    return status_fail(LT_VALUE, "numbers %lld ... %lld are not in a buffer of %lld", (long long)first,
                       (long long)(first + n - 1), (long long)b->n);
}

int lt_buffer_write(lt_buffer *b, int64_t first, const float *values, int64_t n)
{
    LT_TRY(check_range(b, first, n));
    memcpy(b->floats + first, values, sizeof *values * (size_t)n);
    return LT_OK;
}

int lt_buffer_read(const lt_buffer *b, int64_t first, float *values, int64_t n)
{
    LT_TRY(check_range(b, first, n));
    memcpy(values, b->floats + first, sizeof *values * (size_t)n);
    return LT_OK;
}
