/* SPDX-License-Identifier: MIT */
#include "ops/window.h"

const char *check_images(const lt_node *y, const char *what, lt_shape x)
{
    if (x.rank != 4)
        return node_reason(y, "expected %s of n x height x width x channels", what);
    for (int i = 1; i < 4; i++)
        if (x.d[i] < 1 || x.d[i] > WINDOW_MAX)
            return node_reason(y, "expected %s of 1 to %d rows, columns and channels", what,
                               WINDOW_MAX);
    return NULL;
}

static bool is_between(int64_t x, int64_t least) { return x >= least && x <= WINDOW_MAX; }

const char *window_places(const lt_node *y, const char *axis, int64_t size, window o,
                          int64_t *places)
{
    if (!is_between(o.k, 1))
        return node_reason(y, "expected a window of 1 to %d %s, found %lld", WINDOW_MAX, axis,
                           (long long)o.k);
    if (!is_between(o.stride, 1))
        return node_reason(y, "stride must be at least 1, found %lld", (long long)o.stride);
    if (!is_between(o.dilation, 1))
        return node_reason(y, "dilation must be at least 1, found %lld", (long long)o.dilation);
    if (!is_between(o.pad, 0))
        return node_reason(y, "pad must be at least 0, found %lld", (long long)o.pad);
    int64_t padded = size + 2 * o.pad, reach = o.dilation * (o.k - 1) + 1;
    if (reach > padded)
        return node_reason(y, "a window of %lld %s does not fit into %lld%s", (long long)reach,
                           axis, (long long)padded, o.pad ? " (with padding)" : "");
    *places = (padded - reach) / o.stride + 1;
    return NULL;
}

lt_window window_defaults(lt_window o)
{
    o.stride = o.stride ? o.stride : 1;
    o.dilation = o.dilation ? o.dilation : 1;
    o.groups = o.groups ? o.groups : 1;
    return o;
}
