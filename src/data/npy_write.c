/* SPDX-License-Identifier: MIT */
/* Numbers for NumPy: npy version 1.0, little-endian floats. */
#include <latent/data.h>

#include "base/file.h"
#include "base/text.h"

int lt_npy_write(const char *path, const float *values, int rank, const int64_t *shape)
{
    enum { ALIGN = 64, FIXED = 10 }; /* what comes before the dictionary */
    text t = {0};
    text_append(&t, "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    size_t n = 1;
    for (int i = 0; i < rank; i++) {
        text_format(&t, "%s%jd%s", i ? ", " : "", (intmax_t)shape[i], rank == 1 ? "," : "");
        n *= (size_t)shape[i];
    }
    text_append(&t, "), }");
    while ((FIXED + t.size + 1) % ALIGN)
        text_append(&t, " ");
    text_append(&t, "\n");
    unsigned char fixed[FIXED] = "\x93NUMPY\x01";
    fixed[8] = (unsigned char)(t.size & 0xff);
    fixed[9] = (unsigned char)(t.size >> 8);
    file_writer *w;
    int status = file_begin(&w, path);
    if (status == LT_OK) {
        file_put(w, fixed, FIXED);
        file_put(w, text_get(&t), t.size);
        file_put(w, values, sizeof *values * n);
        status = file_commit(w); /* fails if one of these did */
    }
    text_clear(&t);
    return status;
}
