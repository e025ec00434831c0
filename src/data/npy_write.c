/* SPDX-License-Identifier: MIT */
/* Numbers for NumPy: npy version 1.0, little-endian. */
#include "data/npy_write.h"

#include "base/file.h"
#include "base/memory.h"
#include "base/status.h"

static const struct {
    const char *descr;
    size_t size;
} kinds[] = {[LT_FLOAT32] = {"<f4", 4}, [LT_FLOAT64] = {"<f8", 8}, [LT_INT32] = {"<i4", 4}};

bool npy_count(const lt_array *a, size_t *n, size_t *room)
{
    *n = 1;
    for (int i = 0; i < a->rank; i++)
        if (a->shape[i] < 0 || !size_mul(*n, (size_t)a->shape[i], n))
            return false;
    return size_mul(*n, kinds[a->kind].size, room);
}

void npy_append_head(text *t, const lt_array *a)
{
    enum { ALIGN = 64, FIXED = 10 }; /* what comes before the dictionary */
    text words = {0};
    text_format(&words, "{'descr': '%s', 'fortran_order': False, 'shape': (", kinds[a->kind].descr);
    for (int i = 0; i < a->rank; i++)
        text_format(&words, "%s%jd%s", i ? ", " : "", (intmax_t)a->shape[i],
                    a->rank == 1 ? "," : "");
    text_append(&words, "), }");
    while ((FIXED + words.size + 1) % ALIGN)
        text_append(&words, " ");
    text_append(&words, "\n");
    char fixed[FIXED + 1] = "\x93NUMPY\x01";
    fixed[8] = (char)(words.size & 0xff);
    fixed[9] = (char)(words.size >> 8);
    text_append_bytes(t, fixed, FIXED);
    text_append_bytes(t, text_get(&words), words.size);
    text_clear(&words);
}

int lt_npy_write(const char *path, const float *values, int rank, const int64_t *shape)
{
    lt_array a = {.kind = LT_FLOAT32, .values = values, .rank = rank};
    for (int i = 0; i < rank && i < LT_MAX_ARRAY_RANK; i++)
        a.shape[i] = shape[i];
    size_t n, room;
    if (rank < 1 || rank > LT_MAX_ARRAY_RANK || !npy_count(&a, &n, &room))
        return status_fail(LT_VALUE, "%s: cannot write an array of rank %d and this size", path,
                           rank);
    text head = {0};
    npy_append_head(&head, &a);
    file_writer *w;
    int status = file_begin(&w, path);
    if (status == LT_OK) {
        file_put(w, text_get(&head), head.size);
        file_put(w, values, room);
        status = file_commit(w); /* fails if one of these did */
    }
    text_clear(&head);
    return status;
}
