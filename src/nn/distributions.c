/* SPDX-License-Identifier: MIT */
/* Shared by all families: checks shapes and calls the formulas in the family's record. */
#include "nn/family.h"

#include "graph/op.h"

double row_size(const lt_node *x)
{
    lt_shape s = lt_node_shape(x);
    return s.rank && s.d[0] ? (double)(lt_shape_size(s) / s.d[0]) : 0;
}

/* ---- Constructors ---- */

lt_distribution distribution_bad(const lt_family *f, lt_node *bad)
{
    return (lt_distribution){.family = f, .p = {bad, bad, bad}};
}

lt_distribution distribution_make(const lt_family *f, int n, lt_node *const *p)
{
    lt_node *all = p[0];
    for (int i = 1; i < n; i++)
        all = lt_add(all, p[i]);
    if (node_is_bad(all))
        return distribution_bad(f, all);
    lt_distribution d = {.family = f, .shape = all->shape};
    if (d.shape.rank == 0)
        return distribution_bad(f, lt_graph_fail(all->graph,
                                                 "%s: expected parameters with a batch axis, found "
                                                 "scalars",
                                                 f->name));
    for (int i = 0; i < n; i++)
        d.p[i] = lt_broadcast(p[i], d.shape);
    return d;
}

lt_family_info lt_distribution_describe(lt_distribution d)
{
    return (lt_family_info){.name = d.family->name,
                            .is_reparameterized = d.family->is_reparameterized,
                            .has_entropy = d.family->entropy != NULL};
}

/* ---- Functions ---- */

/* Broadcasts y, n or 1, to n rows. */
static lt_node *for_rows(lt_node *y, int64_t n)
{
    return node_is_bad(y) ? y : lt_broadcast(y, lt_shape_1d(n));
}

lt_node *lt_log_prob(lt_distribution d, lt_node *x)
{
    if (node_is_bad(x) || node_is_bad(d.p[0]))
        return node_is_bad(x) ? x : d.p[0];
    lt_shape s = x->shape, rows = d.shape;
    rows.d[0] = s.d[0];
    if (!lt_shape_equal(s, rows) || (s.d[0] != d.shape.d[0] && s.d[0] != 1 && d.shape.d[0] != 1)) {
        char found[LT_SHAPE_TEXT_SIZE], expected[LT_SHAPE_TEXT_SIZE];
        return lt_graph_fail(x->graph, "%s: expected values of %s, found %s", d.family->name,
                             lt_shape_text(d.shape, expected), lt_shape_text(s, found));
    }
    int64_t n = s.d[0] == 1 ? d.shape.d[0] : s.d[0];
    return for_rows(d.family->log_prob(&d, x), n);
}

lt_node *lt_sample_from(lt_distribution d, int64_t n)
{
    if (node_is_bad(d.p[0]))
        return d.p[0];
    if (n != d.shape.d[0] && (d.shape.d[0] != 1 || n < 0))
        return lt_graph_fail(d.p[0]->graph, "%s: %jd samples requested, but the parameters have %jd rows",
                             d.family->name, (intmax_t)n, (intmax_t)d.shape.d[0]);
    lt_shape shape = d.shape;
    shape.d[0] = n;
    return d.family->draw(&d, shape);
}

lt_node *lt_entropy(lt_distribution d)
{
    if (node_is_bad(d.p[0]))
        return d.p[0];
    if (!d.family->entropy)
        return lt_graph_fail(d.p[0]->graph,
                             "%s: the entropy has no closed form; use lt_estimate_entropy",
                             d.family->name);
    return for_rows(d.family->entropy(&d), d.shape.d[0]);
}
