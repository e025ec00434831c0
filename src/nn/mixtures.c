/* SPDX-License-Identifier: MIT */
/* Mixtures of K diagonal normals: p[0] logits of the weights, n x K; p[1] means and p[2] log
   variances, n x K x d. Any of them may have 1 row for all. */
#include "nn/family.h"

#include "base/constants.h"

#include "graph/op.h"

/* n x d as n x 1 x d, n x K as n x K x 1. */
static lt_node *with_axis(lt_node *x, int axis)
{
    lt_shape s = lt_node_shape(x), to = {.rank = 3, .d = {s.d[0], s.d[1], s.d[1]}};
    to.d[axis] = 1;
    return lt_reshape(x, to);
}

/* log sum over k of w_k N(x; mean_k, e^lv_k). */
static lt_node *mixture_log_prob(const lt_distribution *d, lt_node *x)
{
    lt_node *from_mean = lt_sub(with_axis(x, 1), d->p[1]);
    lt_node *distance = lt_square(lt_mul(from_mean, lt_exp(lt_scale(d->p[2], -0.5))));
    lt_node *sum = lt_sum_over(lt_add(d->p[2], distance), LT_AXIS(2));
    lt_node *each = lt_shift(lt_scale(sum, -0.5), -0.5 * LOG_2_PI * row_size(x));
    return lt_log_sum_exp(lt_add(log_softmax(d->p[0]), each), LT_AXIS(1));
}

static lt_node *chosen(lt_node *one_hot, lt_node *of)
{
    return lt_sum_over(lt_mul(one_hot, of), LT_AXIS(1));
}

static lt_node *mixture_draw(const lt_distribution *d, lt_shape shape)
{
    lt_node *one_hot = with_axis(draw_one_hot(d->p[0], shape.d[0]), 2);
    lt_node *sigma = lt_exp(lt_scale(chosen(one_hot, d->p[2]), 0.5));
    lt_node *eps = lt_normal(lt_node_graph(d->p[0]), shape);
    return lt_add(chosen(one_hot, d->p[1]), lt_mul(sigma, eps));
}

const lt_family family_mixture = {
    .name = "mixture", .support = ON_LINE, .holds = ON_LINE | ON_UNIT | ON_INTERVAL,
    .log_prob = mixture_log_prob, .draw = mixture_draw};

/* The common number of rows of n arrays, each n or 1; 0 if they do not broadcast. */
static int64_t common_rows(int n, const int64_t *rows)
{
    int64_t most = 1;
    for (int i = 0; i < n; i++) {
        if (rows[i] != 1 && most != 1 && rows[i] != most)
            return 0;
        most = rows[i] != 1 ? rows[i] : most;
    }
    return most;
}

lt_distribution lt_mixture_distribution(lt_node *logits, lt_gauss components)
{
    const lt_family *f = &family_mixture;
    lt_node *all = lt_add(components.mean, components.logvar);
    if (node_is_bad(logits) || node_is_bad(all))
        return distribution_bad(f, node_is_bad(logits) ? logits : all);
    lt_shape w = logits->shape, c = all->shape;
    int64_t n = common_rows(2, (int64_t[]){w.d[0], c.d[0]});
    if (w.rank != 2 || c.rank != 3 || w.d[1] != c.d[1] || w.d[1] == 0 || n == 0) {
        char found[LT_SHAPE_TEXT_SIZE], other[LT_SHAPE_TEXT_SIZE];
        return distribution_bad(f, lt_graph_fail(logits->graph,
                                                 "mixture: expected n x K logits and n x K x d "
                                                 "components, found %s and %s",
                                                 lt_shape_text(w, found), lt_shape_text(c, other)));
    }
    return (lt_distribution){
        .family = f,
        .p = {logits, lt_broadcast(components.mean, c), lt_broadcast(components.logvar, c)},
        .shape = lt_shape_2d(n, c.d[2])};
}

lt_distribution lt_vamp_prior(lt_gauss posteriors)
{
    lt_node *all = lt_add(posteriors.mean, posteriors.logvar);
    if (node_is_bad(all))
        return distribution_bad(&family_mixture, all);
    lt_shape s = all->shape, components = {.rank = 3, .d = {1, s.d[0], s.d[1]}};
    if (s.rank != 2) {
        char found[LT_SHAPE_TEXT_SIZE];
        return distribution_bad(&family_mixture,
                                lt_graph_fail(all->graph, "vamp prior: expected K x d, found %s",
                                              lt_shape_text(s, found)));
    }
    lt_node *equal = lt_broadcast(lt_scalar(all->graph, 0), lt_shape_2d(1, s.d[0]));
    return lt_mixture_distribution(
        equal, (lt_gauss){lt_reshape(lt_broadcast(posteriors.mean, s), components),
                          lt_reshape(lt_broadcast(posteriors.logvar, s), components)});
}
