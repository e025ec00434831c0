/* SPDX-License-Identifier: MIT */
/* N(mean, Sigma) with Sigma = L L^T given by its Cholesky factor L. Matrices are n x d x d, vectors
   n x d x 1; either may have 1 row for all. */
#include "nn/family.h"

#include "base/constants.h"
#include "graph/op.h"

#include <stdlib.h>

static lt_shape matrices(int64_t n, int64_t rows, int64_t columns)
{
    return (lt_shape){.rank = 3, .d = {n, rows, columns}};
}

/* 1 x d x d: 1 at row i and column j where i - j >= lowest and <= highest, else 0. */
static lt_node *band(lt_graph *g, int64_t d, int64_t lowest, int64_t highest)
{
    double *values = must_alloc(sizeof *values * (size_t)(d * d));
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < d; j++)
            values[i * d + j] = i - j >= lowest && i - j <= highest;
    lt_node *mask = lt_constant(g, matrices(1, d, d), values);
    free(values);
    return mask;
}

static lt_node *where(lt_node *mask, lt_node *x)
{
    return lt_select(mask, x, lt_scalar(lt_node_graph(x), 0));
}

static lt_node *lower_triangle(lt_node *l)
{
    int64_t d = lt_node_shape(l).d[1];
    return where(band(lt_node_graph(l), d, 0, d), l);
}

/* a b: n x i x k, n x k x j. */
static lt_node *product(lt_node *a, lt_node *b)
{
    lt_shape s = lt_node_shape(a), t = lt_node_shape(b);
    lt_node *left = lt_reshape(a, (lt_shape){.rank = 4, .d = {s.d[0], s.d[1], s.d[2], 1}});
    lt_node *right = lt_reshape(b, (lt_shape){.rank = 4, .d = {t.d[0], 1, t.d[1], t.d[2]}});
    return lt_sum_over(lt_mul(left, right), LT_AXIS(2));
}

/* Solves L y = b recursively; b: n x d x m. For L = [A 0; C D], y1 = A^-1 b1 and y2 = D^-1 (b2 - C y1). */
static lt_node *solve(lt_node *l, lt_node *b)
{
    int64_t d = lt_node_shape(l).d[1], half = d / 2;
    if (d <= 1)
        return lt_div(b, l);
    lt_node *above = lt_slice(l, 1, 0, half), *below = lt_slice(l, 1, half, d);
    lt_node *first = solve(lt_slice(above, 2, 0, half), lt_slice(b, 1, 0, half));
    lt_node *rest = lt_sub(lt_slice(b, 1, half, d), product(lt_slice(below, 2, 0, half), first));
    lt_node *second = solve(lt_slice(below, 2, half, d), rest);
    return lt_concat(1, 2, (lt_node *[]){first, second});
}

/* log det L, n. */
static lt_node *log_determinant(lt_node *l)
{
    lt_node *diagonal = where(band(lt_node_graph(l), lt_node_shape(l).d[1], 0, 0), l);
    return lt_sum_rows(lt_log(lt_sum_over(diagonal, LT_AXIS(2))));
}

static lt_node *as_columns(lt_node *x)
{
    lt_shape s = lt_node_shape(x);
    return lt_reshape(x, matrices(s.d[0], s.d[1], 1));
}

/* -1/2 |L^-1 (x - mean)|^2 - log det L - d/2 log 2 pi. */
static lt_node *full_normal_log_prob(const lt_distribution *d, lt_node *x)
{
    lt_node *y = solve(d->p[1], as_columns(lt_sub(x, d->p[0])));
    lt_node *distance = lt_scale(lt_sum_rows(lt_square(y)), -0.5);
    return lt_shift(lt_sub(distance, log_determinant(d->p[1])), -0.5 * LOG_2_PI * row_size(x));
}

static lt_node *full_normal_draw(const lt_distribution *d, lt_shape shape)
{
    lt_node *eps = lt_normal(lt_node_graph(d->p[0]), matrices(shape.d[0], shape.d[1], 1));
    return lt_add(d->p[0], lt_reshape(product(lower_triangle(d->p[1]), eps), shape));
}

static lt_node *full_normal_entropy(const lt_distribution *d)
{
    return lt_shift(log_determinant(d->p[1]), 0.5 * (LOG_2_PI + 1) * row_size(d->p[0]));
}

/* 1/2 (|P^-1 Q|^2 + |P^-1 (mean_q - mean_p)|^2 - d) + log det P - log det Q for factors Q and P;
   |.|^2 is the sum of squares. */
static lt_node *full_normal_divergence(const lt_distribution *q, const lt_distribution *p)
{
    lt_node *spread = lt_sum_rows(lt_square(solve(p->p[1], lower_triangle(q->p[1]))));
    lt_node *apart = solve(p->p[1], as_columns(lt_sub(q->p[0], p->p[0])));
    lt_node *squares = lt_shift(lt_add(spread, lt_sum_rows(lt_square(apart))), -row_size(q->p[0]));
    return lt_add(lt_scale(squares, 0.5),
                  lt_sub(log_determinant(p->p[1]), log_determinant(q->p[1])));
}

const lt_family family_full_normal = {
    .name = "full normal", .support = ON_LINE, .holds = ON_LINE | ON_UNIT | ON_INTERVAL,
    .is_reparameterized = true, .log_prob = full_normal_log_prob, .draw = full_normal_draw,
    .entropy = full_normal_entropy, .divergence = full_normal_divergence};

/* x as n x d x d; NULL if its matrices are not square. */
static lt_node *square_matrices(lt_node *x)
{
    lt_shape s = lt_node_shape(x);
    if (s.rank == 2)
        s = matrices(1, s.d[0], s.d[1]);
    return s.rank == 3 && s.d[1] == s.d[2] && s.d[1] > 0 ? lt_reshape(x, s) : NULL;
}

lt_distribution lt_full_normal_distribution(lt_node *mean, lt_node *l)
{
    const lt_family *f = &family_full_normal;
    if (node_is_bad(mean) || node_is_bad(l))
        return distribution_bad(f, node_is_bad(mean) ? mean : l);
    lt_shape s = mean->shape;
    lt_node *factor = square_matrices(l);
    int64_t rows = factor ? factor->shape.d[0] : 0;
    if (!factor || s.rank != 2 || s.d[1] != factor->shape.d[1] ||
        (rows != s.d[0] && rows != 1 && s.d[0] != 1)) {
        char found[LT_SHAPE_TEXT_SIZE], other[LT_SHAPE_TEXT_SIZE];
        return distribution_bad(f, lt_graph_fail(mean->graph,
                                                 "full normal: expected n x d and n x d x d, found "
                                                 "%s and %s",
                                                 lt_shape_text(s, found),
                                                 lt_shape_text(l->shape, other)));
    }
    lt_shape values = lt_shape_2d(s.d[0] == 1 ? rows : s.d[0], s.d[1]);
    return (lt_distribution){.family = f, .p = {mean, factor}, .shape = values};
}

lt_node *lt_cholesky_factor(lt_node *x)
{
    if (node_is_bad(x))
        return x;
    char found[LT_SHAPE_TEXT_SIZE];
    lt_node *m = square_matrices(x);
    if (!m)
        return lt_graph_fail(x->graph, "cholesky factor: expected n x d x d, found %s",
                             lt_shape_text(x->shape, found));
    int64_t d = m->shape.d[1];
    lt_node *diagonal = band(m->graph, d, 0, 0);
    return lt_select(diagonal, lt_exp(where(diagonal, m)), where(band(m->graph, d, 1, d), m));
}

lt_distribution full_from_diagonal(const lt_distribution *d)
{
    lt_shape s = d->shape;
    lt_node *deviation = lt_exp(lt_scale(d->p[1], 0.5));
    lt_node *l = where(band(lt_node_graph(deviation), s.d[1], 0, 0), as_columns(deviation));
    return (lt_distribution){.family = &family_full_normal, .p = {d->p[0], l}, .shape = s};
}
