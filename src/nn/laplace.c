/* SPDX-License-Identifier: MIT */
/* Laplace and uniform distributions. */
#include "nn/family.h"

#include <math.h>

/* ---- Laplace: p[0] location, p[1] log s ---- */

static lt_node *laplace_log_prob(const lt_distribution *d, lt_node *x)
{
    lt_node *error = lt_mul(lt_abs(lt_sub(x, d->p[0])), lt_exp(lt_neg(d->p[1])));
    return lt_neg(lt_sum_rows(lt_add(error, lt_shift(d->p[1], log(2)))));
}

/* -s sign(v) log(1 - |v|) for v = 2 u - 1, uniform in (-1, 1): the inverse of the CDF. */
static lt_node *laplace_draw(const lt_distribution *d, lt_shape shape)
{
    lt_node *v = lt_shift(lt_scale(lt_uniform(lt_node_graph(d->p[0]), shape), 2), -1);
    lt_node *unit = lt_neg(lt_mul(lt_sign(v), lt_log1p(lt_neg(lt_abs(v)))));
    return lt_add(d->p[0], lt_mul(lt_exp(d->p[1]), unit));
}

/* sum 1 + log 2 s */
static lt_node *laplace_entropy(const lt_distribution *d)
{
    return lt_shift(lt_sum_rows(d->p[1]), (1 + log(2)) * row_size(d->p[1]));
}

/* sum e^D - 1 - D + s_q/s_p (e^-t - 1) + |d| / s_p for D = log s_q/s_p, d the distance of the locations, t = |d| /
   s_q. At d = 0 the second derivative with respect to the locations is wrong, because |d| has none. */
static lt_node *laplace_divergence(const lt_distribution *q, const lt_distribution *p)
{
    lt_node *ratio = lt_sub(q->p[1], p->p[1]), *d = lt_abs(lt_sub(q->p[0], p->p[0]));
    lt_node *t = lt_mul(d, lt_exp(lt_neg(q->p[1])));
    lt_node *near = lt_mul(lt_exp(ratio), lt_expm1(lt_neg(t)));
    lt_node *far = lt_mul(d, lt_exp(lt_neg(p->p[1])));
    return lt_sum_rows(lt_add(lt_sub(lt_expm1(ratio), ratio), lt_add(near, far)));
}

const lt_family family_laplace = {
    .name = "laplace", .support = ON_LINE, .holds = ON_LINE | ON_UNIT | ON_INTERVAL,
    .is_reparameterized = true, .log_prob = laplace_log_prob, .draw = laplace_draw,
    .entropy = laplace_entropy, .divergence = laplace_divergence};

lt_distribution lt_laplace_distribution(lt_node *location, lt_node *log_scale)
{
    return distribution_make(&family_laplace, 2, (lt_node *[]){location, log_scale});
}

/* ---- Uniform: p[0] low, p[1] high ---- */

static lt_node *log_width(const lt_distribution *d) { return lt_log(lt_sub(d->p[1], d->p[0])); }

/* y where a <= b and c <= d, else `otherwise`. */
static lt_node *where_within(lt_node *a, lt_node *b, lt_node *c, lt_node *d, lt_node *y,
                             double otherwise)
{
    lt_node *is_within = lt_mul(lt_less_equal(a, b), lt_less_equal(c, d));
    return lt_select(is_within, y, lt_scalar(lt_node_graph(y), otherwise));
}

static lt_node *uniform_log_prob(const lt_distribution *d, lt_node *x)
{
    return lt_sum_rows(
        where_within(d->p[0], x, x, d->p[1], lt_neg(log_width(d)), (double)-INFINITY));
}

static lt_node *uniform_draw(const lt_distribution *d, lt_shape shape)
{
    return lt_lerp(d->p[0], d->p[1], lt_uniform(lt_node_graph(d->p[0]), shape));
}

static lt_node *uniform_entropy(const lt_distribution *d) { return lt_sum_rows(log_width(d)); }

/* The log of the ratio of the widths, if q is within p. */
static lt_node *uniform_divergence(const lt_distribution *q, const lt_distribution *p)
{
    lt_node *ratio = lt_sub(log_width(p), log_width(q));
    return lt_sum_rows(where_within(p->p[0], q->p[0], q->p[1], p->p[1], ratio, (double)INFINITY));
}

const lt_family family_uniform = {
    .name = "uniform", .support = ON_INTERVAL, .holds = ON_UNIT | ON_INTERVAL,
    .is_reparameterized = true, .log_prob = uniform_log_prob, .draw = uniform_draw,
    .entropy = uniform_entropy, .divergence = uniform_divergence};

lt_distribution lt_uniform_distribution(lt_node *low, lt_node *high)
{
    return distribution_make(&family_uniform, 2, (lt_node *[]){low, high});
}
