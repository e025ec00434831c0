/* SPDX-License-Identifier: MIT */
/* Normal distributions as compositions of operators. lv is the log variance; sums are over everything except the
   batch. */
#include "nn/family.h"

#include "base/constants.h"

/* ---- Diagonal, by formula ---- */

lt_node *lt_gauss_sample(lt_gauss q)
{
    lt_node *sigma = lt_exp(lt_scale(q.logvar, 0.5));
    lt_node *eps = lt_normal(lt_node_graph(q.mean), lt_node_shape(q.mean));
    return lt_add(q.mean, lt_mul(sigma, eps));
}

/* (x - mu)^2 e^-lv, as the square of (x - mu) e^(-lv/2), which is in range for twice as many lv. */
static lt_node *squared_distance(lt_node *x, lt_gauss q)
{
    return lt_square(lt_mul(lt_sub(x, q.mean), lt_exp(lt_scale(q.logvar, -0.5))));
}

/* -1/2 sum (lv + (z - mu)^2 e^-lv + log 2 pi). */
lt_node *lt_gauss_log_prob(lt_gauss q, lt_node *z)
{
    lt_node *sum = lt_sum_rows(lt_add(q.logvar, squared_distance(z, q)));
    return lt_shift(lt_scale(sum, -0.5), -0.5 * LOG_2_PI * row_size(z));
}

/* 1/2 sum (mu^2 + e^lv - 1 - lv), with e^lv - 1 exact for small lv. */
lt_node *lt_gauss_kl(lt_gauss q)
{
    lt_node *terms = lt_add(lt_square(q.mean), lt_sub(lt_expm1(q.logvar), q.logvar));
    return lt_scale(lt_sum_rows(terms), 0.5);
}

/* 1/2 sum (e^d - 1 - d + (mu_q - mu_p)^2 e^-lv_p), d = lv_q - lv_p. */
lt_node *lt_gauss_kl_between(lt_gauss q, lt_gauss p)
{
    lt_node *d = lt_sub(q.logvar, p.logvar);
    lt_node *terms = lt_add(lt_sub(lt_expm1(d), d), squared_distance(q.mean, p));
    return lt_scale(lt_sum_rows(terms), 0.5);
}

lt_node *lt_gauss_entropy(lt_gauss q)
{
    double constant = 0.5 * (LOG_2_PI + 1) * row_size(q.logvar);
    return lt_shift(lt_scale(lt_sum_rows(q.logvar), 0.5), constant);
}

lt_node *lt_standard_log_prob(lt_node *z)
{
    lt_node *sum = lt_sum_rows(lt_square(z));
    return lt_shift(lt_scale(sum, -0.5), -0.5 * LOG_2_PI * row_size(z));
}

/* ---- Diagonal, as a family ---- */

static lt_gauss gauss_of(const lt_distribution *d) { return (lt_gauss){d->p[0], d->p[1]}; }

static lt_node *normal_log_prob(const lt_distribution *d, lt_node *x)
{
    return lt_gauss_log_prob(gauss_of(d), x);
}

static lt_node *normal_draw(const lt_distribution *d, lt_shape shape)
{
    lt_node *eps = lt_normal(lt_node_graph(d->p[0]), shape);
    return lt_add(d->p[0], lt_mul(lt_exp(lt_scale(d->p[1], 0.5)), eps));
}

static lt_node *normal_entropy(const lt_distribution *d) { return lt_gauss_entropy(gauss_of(d)); }

static lt_node *normal_divergence(const lt_distribution *q, const lt_distribution *p)
{
    return lt_gauss_kl_between(gauss_of(q), gauss_of(p));
}

const lt_family family_normal = {
    .name = "normal", .support = ON_LINE, .holds = ON_LINE | ON_UNIT | ON_INTERVAL,
    .is_reparameterized = true, .log_prob = normal_log_prob, .draw = normal_draw,
    .entropy = normal_entropy, .divergence = normal_divergence};

lt_distribution lt_normal_distribution(lt_gauss q)
{
    return distribution_make(&family_normal, 2, (lt_node *[]){q.mean, q.logvar});
}

lt_distribution lt_standard_normal(lt_graph *g, int64_t d)
{
    lt_node *zero = lt_broadcast(lt_scalar(g, 0), lt_shape_2d(1, d));
    return lt_normal_distribution((lt_gauss){zero, zero});
}
