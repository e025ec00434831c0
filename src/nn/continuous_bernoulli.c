/* SPDX-License-Identifier: MIT */
/* The continuous Bernoulli (Loaiza-Ganem and Cunningham 2019).
   p(x) = l e^(l x) / (e^l - 1) on [0, 1], which is the Bernoulli's e^(l x) / (1 + e^l) times
   C = l / tanh(l/2). So log p = x l - A(l) with A(l) = log((e^l - 1) / l), and E[x] = A'(l).
   Far from 0    A = max(l, 0) + log((1 - e^-|l|) / |l|).
   Near 0        A = l/2 + sum over k of B_2k l^2k / (2k (2k)!), B_2k Bernoulli's numbers. */
#include <latent/distributions.h>

static const double NEAR = 0.5; /* |l| below: six terms leave 1e-16, of derivatives 2e-15 and 4e-14 */
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

/* Each form gets an l of its own side, so that the one not taken has finite gradients. */
typedef struct logit_sides {
    lt_node *is_near, *near, *size; /* l in [-NEAR, NEAR]; |l| from NEAR on */
} logit_sides;

static logit_sides sides_of(lt_node *l)
{
    lt_node *size = lt_abs(l), *edge = lt_scalar(lt_node_graph(l), NEAR);
    return (logit_sides){.is_near = lt_less(size, edge),
                         .near = lt_clamp(l, -NEAR, NEAR),
                         .size = lt_max(size, edge)};
}

lt_node *lt_continuous_bernoulli_log_prob(lt_node *logits, lt_node *x)
{
    lt_node *l = logits, *half = lt_scalar(lt_node_graph(l), 0.5);
    logit_sides s = sides_of(l);
    lt_node *square = lt_square(s.near);
    lt_node *near = lt_mul(polynomial(square, series_of_a), square);
    lt_node *far = lt_log(lt_div(lt_neg(lt_expm1(lt_neg(s.size))), s.size));
    /* the part of A that is linear in l goes to x first: x - 1 is exact */
    lt_node *linear = lt_mul(l, lt_sub(x, lt_select(s.is_near, half, lt_step(l))));
    return lt_sum_rows(lt_sub(linear, lt_select(s.is_near, near, far)));
}

/* Near 0 1/2 + l/12 - ..., else m = 1/|l| - 1/(e^|l| - 1) for l < 0 and 1 - m for l > 0. */
lt_node *lt_continuous_bernoulli_mean(lt_node *logits)
{
    lt_node *l = logits, *one = lt_scalar(lt_node_graph(l), 1);
    logit_sides s = sides_of(l);
    lt_node *near = lt_mul(polynomial(lt_square(s.near), series_of_mean), s.near);
    lt_node *decay = lt_neg(s.size); /* e^|l| itself might overflow */
    lt_node *m = lt_add(lt_div(one, s.size), lt_div(lt_exp(decay), lt_expm1(decay)));
    lt_node *far = lt_select(lt_step(l), lt_sub(one, m), m);
    return lt_select(s.is_near, lt_shift(near, 0.5), far);
}
