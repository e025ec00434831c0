/* SPDX-License-Identifier: MIT */
/* Broadcasts and reductions as index patterns over a one-dimensional domain; views as offsets. */
#include "compile/program.h"

#include <string.h>

bool pattern_make(pattern *p, lt_shape small, lt_shape large)
{
    LT_ASSERT(small.rank == large.rank);
    *p = (pattern){.active = {lt_shape_size(large) <= 1}};
    int64_t size = 1;
    bool begun = false;
    for (int k = large.rank - 1; k >= 0 && lt_shape_size(large) > 0; k--) {
        if (large.d[k] == 1)
            continue;
        bool active = small.d[k] == large.d[k];
        if (!begun)
            p->active[0] = active;
        else if (active != p->active[p->n]) {
            if (p->n == MAX_BOUNDS)
                return false;
            p->bound[p->n++] = size;
            p->active[p->n] = active;
        }
        begun = true;
        size *= large.d[k];
    }
    return true;
}

bool pattern_merge(int *n, int64_t bound[MAX_BOUNDS], const pattern *p)
{
    int64_t merged[2 * MAX_BOUNDS];
    int m = 0, i = 0, k = 0;
    while (i < *n || k < p->n) {
        bool ours = k == p->n || (i < *n && bound[i] <= p->bound[k]);
        int64_t next = ours ? bound[i++] : p->bound[k++];
        if (m && merged[m - 1] == next)
            continue;
        if (m && next % merged[m - 1])
            return false;
        merged[m++] = next;
    }
    if (m > MAX_BOUNDS)
        return false;
    memcpy(bound, merged, sizeof *bound * (size_t)m);
    *n = m;
    return true;
}

/* Elements before the slice, or -1 if the slice is not contiguous. */
static int64_t slice_offset(const lt_node *x)
{
    const slice_attr *a = x->attr;
    lt_shape s = x->in[0]->shape;
    int64_t inner = 1;
    for (int i = 0; i < s.rank; i++) {
        if (i < a->axis && s.d[i] != 1)
            return -1;
        if (i > a->axis)
            inner *= s.d[i];
    }
    return a->start * inner;
}

lt_node *node_storage(lt_node *x, int64_t *offset)
{
    int64_t at = 0, step;
    for (;; x = x->in[0]) {
        if (x->op == &lt_op_slice && (step = slice_offset(x)) >= 0)
            at += step;
        else if (!(x->op->flags & OP_VIEW))
            break;
    }
    if (offset)
        *offset = at;
    return x;
}
