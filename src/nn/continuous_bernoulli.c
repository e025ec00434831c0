/* SPDX-License-Identifier: MIT */
/* The continuous Bernoulli (Loaiza-Ganem and Cunningham 2019).
   p(x) = l e^(l x) / (e^l - 1) on [0, 1], which is the Bernoulli's e^(l x) / (1 + e^l) times
   C = l / tanh(l/2). So log p = x l - A(l) with A(l) = log((e^l - 1) / l), and E[x] = A'(l).
   Far from 0    A = max(l, 0) + log((1 - e^-|l|) / |l|).
   Near 0        A = l/2 + sum over k of B_2k l^2k / (2k (2k)!), B_2k Bernoulli's numbers. */
#include "nn/family.h"

#include <math.h>

static const double NEAR = 0.5; /* |l| below: error of six terms 1e-16, of derivatives 2e-15 and 4e-14 */
static const double series_of_a[] = {1. / 24,      -1. / 2880,      1. / 181440,
                                     -1. / 9676800, 1. / 479001600, -691. / 15692092416000.};
static const double series_of_mean[] = {1. / 12,      -1. / 720,      1. / 30240,
                                        -1. / 1209600, 1. / 47900160, -691. / 1307674368000.};
enum { TERMS = 6 };

/* c_0 + c_1 t + c_2 t^2 + ... */
static lt_node *polynomial(lt_node *t, const double *c)
{
    lt_node *y = lt_shift(lt_scale(t, c[TERMS - 1]), c[TERMS - 2]);
    for (int i = TERMS - 3; i >= 0; i--)
        y = lt_shift(lt_mul(y, t), c[i]);
    return y;
}

/* Each form gets an l from its own range, so that the form not selected has finite gradients. */
typedef struct logit_sides {
    lt_node *is_near, *near, *size; /* l within [-edge, edge]; |l| >= edge */
} logit_sides;

static logit_sides sides_at(lt_node *l, double edge)
{
    lt_node *size = lt_abs(l), *least = lt_scalar(lt_node_graph(l), edge);
    return (logit_sides){.is_near = lt_less(size, least),
                         .near = lt_clamp(l, -edge, edge),
                         .size = lt_max(size, least)};
}

static logit_sides sides_of(lt_node *l) { return sides_at(l, NEAR); }

/* A is linear in l plus an even remainder: A(l) = l slope(l) + rest(|l|). */
static lt_node *rest_of(const logit_sides *s)
{
    lt_node *square = lt_square(s->near);
    lt_node *near = lt_mul(polynomial(square, series_of_a), square);
    lt_node *far = lt_log(lt_div(lt_neg(lt_expm1(lt_neg(s->size))), s->size));
    return lt_select(s->is_near, near, far);
}

static lt_node *slope_of(const logit_sides *s, lt_node *l)
{
    return lt_select(s->is_near, lt_scalar(lt_node_graph(l), 0.5), lt_step(l));
}

lt_node *lt_continuous_bernoulli_log_prob(lt_node *logits, lt_node *x)
{
    logit_sides s = sides_of(logits);
    /* the linear part is subtracted from x first: x - 1 is exact */
    lt_node *linear = lt_mul(logits, lt_sub(x, slope_of(&s, logits)));
    return lt_sum_rows(lt_sub(linear, rest_of(&s)));
}

lt_node *continuous_bernoulli_normalizer(lt_node *l)
{
    logit_sides s = sides_of(l);
    return lt_add(lt_mul(l, slope_of(&s, l)), rest_of(&s));
}

/* Near 0 1/2 + l/12 - ..., else m = 1/|l| - 1/(e^|l| - 1) for l < 0 and 1 - m for l > 0. */
lt_node *lt_continuous_bernoulli_mean(lt_node *logits)
{
    lt_node *l = logits, *one = lt_scalar(lt_node_graph(l), 1);
    logit_sides s = sides_of(l);
    lt_node *near = lt_mul(polynomial(lt_square(s.near), series_of_mean), s.near);
    lt_node *decay = lt_neg(s.size); /* e^|l| might overflow */
    lt_node *m = lt_add(lt_div(one, s.size), lt_div(lt_exp(decay), lt_expm1(decay)));
    lt_node *far = lt_select(lt_step(l), lt_sub(one, m), m);
    return lt_select(s.is_near, lt_shift(near, 0.5), far);
}

/* ---- As a family: p[0] logits ---- */

static lt_node *log_prob(const lt_distribution *d, lt_node *x)
{
    lt_graph *g = lt_node_graph(x);
    lt_node *outside = lt_add(lt_less(x, lt_scalar(g, 0)), lt_less(lt_scalar(g, 1), x));
    return lt_select(lt_less(lt_sum_rows(outside), lt_scalar(g, 0.5)),
                     lt_continuous_bernoulli_log_prob(d->p[0], x),
                     lt_scalar(g, (double)-INFINITY));
}

/* The quantile function: x with P(X <= x) = u, log(1 + u (e^l - 1)) / l.
   Far from 0    w = -log(1 + v (e^-|l| - 1)) / |l|; x = w of v = u for l < 0, 1 - w of v = 1 - u
                 for l > 0.
   Near 0        with y = u (e^l - 1) = u l e^(l/2) sinhc(l/2) and r = y / (2 + y)
                 x = u e^(l/2) sinhc(l/2) 2 / (2 + y) atanhc(r);
                 sinhc(t) = sinh(t) / t and atanhc(t) = atanh(t) / t are series in t^2. */
static lt_node *quantile(lt_node *l, lt_node *u)
{
    const double edge = 1. / 16; /* r^2 < 1/1000, so six terms are enough */
    static const double sinhc[] = {1, 1. / 6, 1. / 120, 1. / 5040, 1. / 362880, 1. / 39916800};
    static const double atanhc[] = {1, 1. / 3, 1. / 5, 1. / 7, 1. / 9, 1. / 11};
    logit_sides s = sides_at(l, edge);
    lt_node *one = lt_scalar(lt_node_graph(l), 1), *half = lt_scale(s.near, 0.5);
    lt_node *growth = lt_mul(lt_exp(half), polynomial(lt_square(half), sinhc));
    lt_node *first = lt_mul(u, growth), *y = lt_mul(first, s.near), *sum = lt_shift(y, 2);
    lt_node *near = lt_mul(lt_div(lt_scale(first, 2), sum),
                           polynomial(lt_square(lt_div(y, sum)), atanhc));
    lt_node *is_above = lt_step(l), *v = lt_select(is_above, lt_sub(one, u), u);
    lt_node *w = lt_neg(lt_div(lt_log1p(lt_mul(v, lt_expm1(lt_neg(s.size)))), s.size));
    return lt_select(s.is_near, near, lt_select(is_above, lt_sub(one, w), w));
}

static lt_node *draw(const lt_distribution *d, lt_shape shape)
{
    return quantile(d->p[0], lt_uniform(lt_node_graph(d->p[0]), shape));
}

/* A(l) - l E[x]: near 0 by both series; else log((1 - e^-s) / s) + 1 - s / (e^s - 1), s = |l|. */
static lt_node *entropy_terms(lt_node *l)
{
    logit_sides s = sides_of(l);
    lt_node *square = lt_square(s.near);
    lt_node *near = lt_neg(lt_mul(polynomial(square, series_of_mean), square));
    lt_node *decay = lt_neg(s.size);
    lt_node *far = lt_shift(lt_div(lt_mul(s.size, lt_exp(decay)), lt_expm1(decay)), 1);
    return lt_add(rest_of(&s), lt_select(s.is_near, near, far));
}

static lt_node *entropy(const lt_distribution *d) { return lt_sum_rows(entropy_terms(d->p[0])); }

/* The cross-entropy A(p) - p E_q[x] = rest(p) + p (slope(p) - E_q[x]), minus q's entropy, for logits q and p. For p >
   0 the bracket is 1 - E_q[x], computed as the mean at -q without cancellation. */
static lt_node *divergence(const lt_distribution *of, const lt_distribution *from)
{
    lt_node *q = of->p[0], *p = from->p[0];
    logit_sides s = sides_of(p);
    lt_node *mean = lt_continuous_bernoulli_mean(q);
    lt_node *rest = lt_continuous_bernoulli_mean(lt_neg(q));
    lt_node *far = lt_select(lt_step(p), rest, lt_neg(mean));
    lt_node *bracket = lt_select(s.is_near, lt_scale(lt_sub(rest, mean), 0.5), far);
    lt_node *cross = lt_add(rest_of(&s), lt_mul(p, bracket));
    return lt_sum_rows(lt_sub(cross, entropy_terms(q)));
}

const lt_family family_continuous_bernoulli = {
    .name = "continuous bernoulli", .support = ON_UNIT, .holds = ON_UNIT | ON_INTERVAL,
    .is_reparameterized = true, .log_prob = log_prob, .draw = draw, .entropy = entropy,
    .divergence = divergence};

lt_distribution lt_continuous_bernoulli_distribution(lt_node *logits)
{
    return distribution_make(&family_continuous_bernoulli, 1, &logits);
}
