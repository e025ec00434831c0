/* SPDX-License-Identifier: MIT */
/* Kullback-Leibler divergences: supports, formulas between families, and Monte Carlo for the rest. Formulas within
   one family are in its file. */
#include "nn/family.h"

#include "base/constants.h"
#include "graph/op.h"

#include <math.h>

typedef lt_node *divergence_function(const lt_distribution *q, const lt_distribution *p);

static lt_node *infinity(lt_graph *g) { return lt_scalar(g, (double)INFINITY); }

/* ---- Normal with full normal ---- */

static lt_node *normal_to_full(const lt_distribution *q, const lt_distribution *p)
{
    lt_distribution full = full_from_diagonal(q);
    return family_full_normal.divergence(&full, p);
}

static lt_node *full_to_normal(const lt_distribution *q, const lt_distribution *p)
{
    lt_distribution full = full_from_diagonal(p);
    return family_full_normal.divergence(q, &full);
}

/* ---- Between densities: the cross-entropy -E_q[log p], minus q's entropy ---- */

/* Terms of E_q (x - m)^2 e^-lv, for q of this mean and standard deviation and a normal p. */
static lt_node *to_normal(const lt_distribution *q, lt_node *mean, lt_node *deviation,
                          const lt_distribution *p)
{
    lt_node *inverse = lt_exp(lt_scale(p->p[1], -0.5));
    lt_node *square = lt_add(lt_square(lt_mul(deviation, inverse)),
                             lt_square(lt_mul(lt_sub(mean, p->p[0]), inverse)));
    lt_node *cross = lt_scale(lt_shift(lt_add(square, p->p[1]), LOG_2_PI), 0.5);
    return lt_sub(lt_sum_rows(cross), q->family->entropy(q));
}

static lt_node *laplace_to_normal(const lt_distribution *q, const lt_distribution *p)
{
    return to_normal(q, q->p[0], lt_scale(lt_exp(q->p[1]), sqrt(2)), p);
}

static lt_node *uniform_to_normal(const lt_distribution *q, const lt_distribution *p)
{
    lt_node *width = lt_sub(q->p[1], q->p[0]);
    return to_normal(q, lt_add(q->p[0], lt_scale(width, 0.5)), lt_scale(width, sqrt(1. / 12)), p);
}

/* E |x - y| = sigma sqrt(2 / pi) e^(-t^2) + d erf(t) for a normal x, d = mean - y,
   t = d / (sigma sqrt 2): mean of the folded normal (Leone, Nelson and Nottingham 1961). */
static lt_node *normal_to_laplace(const lt_distribution *q, const lt_distribution *p)
{
    lt_node *d = lt_sub(q->p[0], p->p[0]), *sigma = lt_exp(lt_scale(q->p[1], 0.5));
    lt_node *t = lt_scale(lt_mul(d, lt_exp(lt_scale(q->p[1], -0.5))), sqrt(0.5));
    lt_node *within = lt_scale(lt_mul(sigma, lt_exp(lt_neg(lt_square(t)))), sqrt(2 / M_PI));
    lt_node *error = lt_add(within, lt_mul(d, lt_erf(t)));
    lt_node *cross = lt_add(lt_mul(error, lt_exp(lt_neg(p->p[1]))), lt_shift(p->p[1], log(2)));
    return lt_sub(lt_sum_rows(cross), q->family->entropy(q));
}

/* ---- Between densities on [0, 1] and on an interval ---- */

/* y for rows whose elements are all within, else +infinity; is_within: 1 or 0. */
static lt_node *where_all(lt_node *is_within, lt_node *y)
{
    lt_graph *g = lt_node_graph(y);
    lt_node *outside = lt_sum_rows(lt_sub(lt_scalar(g, 1), is_within));
    return lt_select(lt_less(outside, lt_scalar(g, 0.5)), y, infinity(g));
}

static lt_node *uniform_to_continuous_bernoulli(const lt_distribution *q, const lt_distribution *p)
{
    lt_node *low = q->p[0], *high = q->p[1], *l = p->p[0];
    lt_graph *g = lt_node_graph(low);
    lt_node *mean = lt_scale(lt_add(low, high), 0.5);
    lt_node *cross = lt_sub(continuous_bernoulli_normalizer(l), lt_mul(mean, l));
    lt_node *is_within =
        lt_mul(lt_less_equal(lt_scalar(g, 0), low), lt_less_equal(high, lt_scalar(g, 1)));
    return where_all(is_within, lt_sub(lt_sum_rows(cross), q->family->entropy(q)));
}

static lt_node *continuous_bernoulli_to_uniform(const lt_distribution *q, const lt_distribution *p)
{
    lt_node *low = p->p[0], *high = p->p[1];
    lt_graph *g = lt_node_graph(low);
    lt_node *cross = p->family->entropy(p); /* log (high - low), wherever q is */
    lt_node *is_within =
        lt_mul(lt_less_equal(low, lt_scalar(g, 0)), lt_less_equal(lt_scalar(g, 1), high));
    return where_all(is_within, lt_sub(cross, q->family->entropy(q)));
}

/* ---- The table ---- */

static const struct {
    const lt_family *q, *p;
    divergence_function *divergence;
} pairs[] = {
    {&family_normal, &family_full_normal, normal_to_full},
    {&family_full_normal, &family_normal, full_to_normal},
    {&family_laplace, &family_normal, laplace_to_normal},
    {&family_normal, &family_laplace, normal_to_laplace},
    {&family_uniform, &family_normal, uniform_to_normal},
    {&family_uniform, &family_continuous_bernoulli, uniform_to_continuous_bernoulli},
    {&family_continuous_bernoulli, &family_uniform, continuous_bernoulli_to_uniform},
};

/* Whether q's support is inside p's; if not, KL(q || p) is infinite for all parameters. */
static bool is_possible(const lt_family *q, const lt_family *p) { return q->support & p->holds; }

static lt_node *infinite(const lt_distribution *q, const lt_distribution *p)
{
    (void)p;
    return infinity(lt_node_graph(q->p[0]));
}

static divergence_function *find_divergence(const lt_family *q, const lt_family *p)
{
    if (!is_possible(q, p))
        return infinite;
    for (int i = 0; i < COUNT_OF(pairs); i++)
        if (pairs[i].q == q && pairs[i].p == p)
            return pairs[i].divergence;
    return q == p ? q->divergence : NULL;
}

bool lt_has_kl(lt_distribution q, lt_distribution p)
{
    return find_divergence(q.family, p.family) != NULL;
}

/* Returns NULL if both have values of the same shape (either may have 1 row), else the bad node. */
static lt_node *check_pair(const lt_distribution *q, const lt_distribution *p)
{
    lt_shape rows = p->shape;
    rows.d[0] = q->shape.d[0];
    if (node_is_bad(q->p[0]) || node_is_bad(p->p[0]))
        return node_is_bad(q->p[0]) ? q->p[0] : p->p[0];
    if (lt_shape_equal(q->shape, rows) &&
        (q->shape.d[0] == p->shape.d[0] || q->shape.d[0] == 1 || p->shape.d[0] == 1))
        return NULL;
    char a[LT_SHAPE_TEXT_SIZE], b[LT_SHAPE_TEXT_SIZE];
    return lt_graph_fail(q->p[0]->graph, "divergence: values are %s of %s, %s of %s",
                         lt_shape_text(q->shape, a), q->family->name, lt_shape_text(p->shape, b),
                         p->family->name);
}

static int64_t rows_of(const lt_distribution *q, const lt_distribution *p)
{
    return q->shape.d[0] == 1 ? p->shape.d[0] : q->shape.d[0];
}

lt_node *lt_kl(lt_distribution q, lt_distribution p)
{
    lt_node *bad = check_pair(&q, &p);
    if (bad)
        return bad;
    divergence_function *divergence = find_divergence(q.family, p.family);
    if (!divergence)
        return lt_graph_fail(
            q.p[0]->graph,
            "divergence: %s from %s has no closed form; lt_estimate_kl draws",
            q.family->name, p.family->name);
    lt_node *y = divergence(&q, &p);
    return node_is_bad(y) ? y : lt_broadcast(y, lt_shape_1d(rows_of(&q, &p)));
}

/* ---- Monte Carlo ---- */

/* Each row k times, one after the other; the one row that serves all stays as it is. */
static lt_node *repeat_rows(lt_node *x, int64_t k)
{
    lt_shape s = x->shape, each = {.rank = s.rank + 1, .d = {s.d[0], 1}}, all = each;
    if (s.d[0] == 1)
        return x;
    for (int i = 1; i < s.rank; i++)
        each.d[i + 1] = all.d[i + 1] = s.d[i];
    all.d[1] = k;
    s.d[0] *= k;
    return lt_reshape(lt_expand(lt_reshape(x, each), all), s);
}

static lt_distribution repeated(lt_distribution d, int64_t k)
{
    for (int i = 0; i < LT_MAX_PARAMETERS && d.p[i]; i++)
        d.p[i] = repeat_rows(d.p[i], k);
    d.shape.d[0] *= d.shape.d[0] == 1 ? 1 : k;
    return d;
}

/* Mean and standard error along the k columns. An infinite mean has none: 0. */
static lt_monte_carlo estimate_of(lt_node *y, int64_t n, int64_t k)
{
    lt_graph *g = lt_node_graph(y);
    y = lt_reshape(y, lt_shape_2d(n, k));
    lt_node *mean = lt_mean_over(y, LT_AXIS(1));
    lt_node *is_finite = lt_less(lt_abs(mean), infinity(g));
    lt_node *centered = lt_sub(y, lt_reshape(mean, lt_shape_2d(n, 1)));
    lt_node *variance =
        lt_scale(lt_sum_over(lt_square(centered), LT_AXIS(1)), 1 / ((double)k * (double)(k - 1)));
    return (lt_monte_carlo){mean, lt_select(is_finite, lt_sqrt(variance), lt_scalar(g, 0))};
}

static lt_monte_carlo bad_estimate(lt_node *bad) { return (lt_monte_carlo){bad, bad}; }

static lt_monte_carlo too_few_draws(lt_graph *g, int draws)
{
    return bad_estimate(lt_graph_fail(g, "estimate: expected at least 2 draws, found %d", draws));
}

lt_monte_carlo lt_estimate_entropy(lt_distribution d, int draws)
{
    if (node_is_bad(d.p[0]))
        return bad_estimate(d.p[0]);
    if (draws < 2)
        return too_few_draws(d.p[0]->graph, draws);
    int64_t n = d.shape.d[0];
    d = repeated(d, draws);
    return estimate_of(lt_neg(lt_log_prob(d, lt_sample_from(d, n * draws))), n, draws);
}

lt_monte_carlo lt_estimate_kl(lt_distribution q, lt_distribution p, int draws)
{
    lt_node *bad = check_pair(&q, &p);
    if (bad)
        return bad_estimate(bad);
    lt_graph *g = q.p[0]->graph;
    int64_t n = rows_of(&q, &p);
    if (!is_possible(q.family, p.family))
        return (lt_monte_carlo){lt_broadcast(infinity(g), lt_shape_1d(n)),
                                lt_broadcast(lt_scalar(g, 0), lt_shape_1d(n))};
    if (draws < 2)
        return too_few_draws(g, draws);
    q = repeated(q, draws);
    p = repeated(p, draws);
    lt_node *x = lt_sample_from(q, n * draws);
    return estimate_of(lt_sub(lt_log_prob(q, x), lt_log_prob(p, x)), n, draws);
}
