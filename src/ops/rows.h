/* SPDX-License-Identifier: MIT */
/* Rows of a table, by index. */
#ifndef LATENT_ROWS_H
#define LATENT_ROWS_H

#include "ops/attributes.h"

static inline int64_t row_size(const lt_node *x)
{
    int64_t n = 1;
    for (int i = 1; i < x->shape.rank; i++)
        n *= x->shape.d[i];
    return n;
}

/* Whether an index is inside the table; false for NaN. */
static inline bool is_inside(double at, int64_t rows) { return at >= 0 && at < (double)rows; }

#endif
