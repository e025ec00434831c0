/* SPDX-License-Identifier: MIT */
/* Index arithmetic for operators that move elements. */
#ifndef LATENT_MOVE_H
#define LATENT_MOVE_H

#include "ops/attributes.h"

/* Elements before and after an axis: x is outer x d[axis] x inner. */
static inline int64_t outer_size(lt_shape s, int64_t axis)
{
    s.rank = (int)axis;
    return lt_shape_size(s);
}

static inline int64_t inner_size(lt_shape s, int64_t axis)
{
    int64_t n = 1;
    for (int i = (int)axis + 1; i < s.rank; i++)
        n *= s.d[i];
    return n;
}

/* stride[i]: distance in x of neighbors along axis i of y, a permutation of x. */
void permute_strides(const lt_node *y, int64_t stride[LT_MAX_RANK]);

#endif
