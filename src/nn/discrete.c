/* SPDX-License-Identifier: MIT */
/* Discrete distributions: bits, classes, bytes. Their samples have no derivative. */
#include "nn/family.h"

#include "graph/op.h"

#include <stdlib.h>

lt_node *lt_bernoulli_log_prob(lt_node *logits, lt_node *x)
{
    return lt_sum_rows(lt_sub(lt_mul(x, logits), lt_softplus(logits)));
}

/* ---- Bernoulli: p[0] logits; log P(1) = -softplus(-l), log P(0) = -softplus(l) ---- */

static lt_node *bernoulli_log_prob(const lt_distribution *d, lt_node *x)
{
    return lt_bernoulli_log_prob(d->p[0], x);
}

static lt_node *bernoulli_draw(const lt_distribution *d, lt_shape shape)
{
    return lt_detach(lt_bernoulli(lt_broadcast(lt_sigmoid(d->p[0]), shape)));
}

/* sum P(1) a + P(0) b */
static lt_node *expected(lt_node *logits, lt_node *a, lt_node *b)
{
    return lt_sum_rows(
        lt_add(lt_mul(lt_sigmoid(logits), a), lt_mul(lt_sigmoid(lt_neg(logits)), b)));
}

static lt_node *bernoulli_entropy(const lt_distribution *d)
{
    lt_node *l = d->p[0];
    return expected(l, lt_softplus(lt_neg(l)), lt_softplus(l));
}

static lt_node *bernoulli_divergence(const lt_distribution *q, const lt_distribution *p)
{
    lt_node *l = q->p[0], *m = p->p[0];
    return expected(l, lt_sub(lt_softplus(lt_neg(m)), lt_softplus(lt_neg(l))),
                    lt_sub(lt_softplus(m), lt_softplus(l)));
}

const lt_family family_bernoulli = {
    .name = "bernoulli", .support = ON_BITS, .holds = ON_BITS,
    .log_prob = bernoulli_log_prob, .draw = bernoulli_draw,
    .entropy = bernoulli_entropy, .divergence = bernoulli_divergence};

lt_distribution lt_bernoulli_distribution(lt_node *logits)
{
    return distribution_make(&family_bernoulli, 1, &logits);
}

/* ---- Categorical: p[0] logits, classes along the last axis ---- */

lt_node *log_softmax(lt_node *x)
{
    lt_shape s = lt_node_shape(x);
    if (node_is_bad(x))
        return x;
    lt_node *sum = lt_log_sum_exp(x, LT_AXIS(s.rank - 1));
    s.d[s.rank - 1] = 1;
    return lt_sub(x, lt_reshape(sum, s));
}

/* k x k: 1 on and above the diagonal; a row times it is the row's cumulative sum. */
static lt_node *running_sum(lt_graph *g, int64_t k)
{
    double *values = must_alloc(sizeof *values * (size_t)(k * k));
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = i; j < k; j++)
            values[i * k + j] = 1;
    lt_node *y = lt_constant(g, lt_shape_2d(k, k), values);
    free(values);
    return y;
}

/* Class i with P(0) + ... + P(i-1) <= u < P(0) + ... + P(i), counted as the number of sums that are at most u:
   exactly one element is 1, however the sums are rounded. */
lt_node *draw_one_hot(lt_node *logits, int64_t n)
{
    if (node_is_bad(logits))
        return logits;
    lt_graph *g = logits->graph;
    int64_t k = logits->shape.d[1];
    lt_node *u = lt_uniform(g, lt_shape_2d(n, 1));
    lt_node *sums = lt_matmul(lt_exp(log_softmax(logits)), running_sum(g, k));
    lt_node *class = lt_sum_over(lt_less_equal(sums, u), LT_AXIS(1));
    return lt_detach(lt_one_hot(lt_min(class, lt_scalar(g, (double)(k - 1))), k));
}

static lt_node *categorical_log_prob(const lt_distribution *d, lt_node *x)
{
    return lt_sum_rows(lt_mul(x, log_softmax(d->p[0])));
}

static lt_node *categorical_draw(const lt_distribution *d, lt_shape shape)
{
    int64_t k = shape.d[shape.rank - 1], n = k ? lt_shape_size(shape) / k : 0;
    lt_node *logits = lt_reshape(lt_broadcast(d->p[0], shape), lt_shape_2d(n, k));
    return lt_reshape(draw_one_hot(logits, n), shape);
}

static lt_node *categorical_entropy(const lt_distribution *d)
{
    lt_node *log_p = log_softmax(d->p[0]);
    return lt_neg(lt_sum_rows(lt_mul(lt_exp(log_p), log_p)));
}

static lt_node *categorical_divergence(const lt_distribution *q, const lt_distribution *p)
{
    lt_node *log_q = log_softmax(q->p[0]);
    return lt_sum_rows(lt_mul(lt_exp(log_q), lt_sub(log_q, log_softmax(p->p[0]))));
}

const lt_family family_categorical = {
    .name = "categorical", .support = ON_CLASSES, .holds = ON_CLASSES,
    .log_prob = categorical_log_prob, .draw = categorical_draw,
    .entropy = categorical_entropy, .divergence = categorical_divergence};

lt_distribution lt_categorical_distribution(lt_node *logits)
{
    lt_shape s = lt_node_shape(logits);
    if (!node_is_bad(logits) && (s.rank < 2 || s.d[s.rank - 1] == 0)) {
        char found[LT_SHAPE_TEXT_SIZE];
        logits = lt_graph_fail(logits->graph, "categorical: expected n x ... x k logits, found %s",
                               lt_shape_text(s, found));
    }
    return distribution_make(&family_categorical, 1, &logits);
}

/* ---- Discretized logistic (Salimans et al. 2017): p[0] location y, p[1] log s ----
   A logistic variable is rounded to the nearest of the levels k / 255, and to level 0 or 255 beyond them. With F the
   logistic function, a and b the ends of level k, ((k +- 1/2) / 255 - y) / s, and D = a - b = 1 / (255 s),
       P(k) = F(a) - F(b) = (1 - e^-D) F(a) F(-b),   P(0) = F(a),   P(255) = F(-b);
   whose logarithms have no cancellation: log F(a) = -softplus(-a). */

static const double levels = 255; /* above 0 */

lt_node *discretized_logistic_terms(lt_node *x, lt_node *y, lt_node *inverse)
{
    lt_graph *g = lt_node_graph(x);
    lt_node *zero = lt_scalar(g, 0), *k = lt_round(lt_scale(x, levels));
    lt_node *center = lt_mul(lt_sub(lt_div(k, lt_scalar(g, levels)), y), inverse);
    lt_node *step = lt_scale(inverse, 1 / levels), *half = lt_scale(step, 0.5);
    lt_node *has_below = lt_less(lt_scalar(g, 0.5), k);
    lt_node *has_above = lt_less(k, lt_scalar(g, levels - 0.5));
    lt_node *within = lt_log(lt_neg(lt_expm1(lt_neg(step))));
    lt_node *upper = lt_softplus(lt_neg(lt_add(center, half)));
    lt_node *lower = lt_softplus(lt_sub(center, half));
    lt_node *p = lt_select(lt_mul(has_below, has_above), within, zero);
    p = lt_sub(p, lt_select(has_above, upper, zero));
    return lt_sub(p, lt_select(has_below, lower, zero));
}

static lt_node *logistic_log_prob(const lt_distribution *d, lt_node *x)
{
    return lt_sum_rows(discretized_logistic_terms(x, d->p[0], lt_exp(lt_neg(d->p[1]))));
}

/* y + s log(u / (1 - u)), rounded to its level. */
static lt_node *logistic_draw(const lt_distribution *d, lt_shape shape)
{
    lt_graph *g = lt_node_graph(d->p[0]);
    lt_node *u = lt_uniform(g, shape);
    lt_node *unit = lt_sub(lt_log(u), lt_log1p(lt_neg(u)));
    lt_node *x = lt_clamp(lt_add(d->p[0], lt_mul(lt_exp(d->p[1]), unit)), 0, 1);
    return lt_detach(lt_div(lt_round(lt_scale(x, levels)), lt_scalar(g, levels)));
}

const lt_family family_discretized_logistic = {
    .name = "discretized logistic", .support = ON_LEVELS, .holds = ON_LEVELS | ON_BITS,
    .log_prob = logistic_log_prob, .draw = logistic_draw};

lt_distribution lt_discretized_logistic_distribution(lt_node *location, lt_node *log_scale)
{
    return distribution_make(&family_discretized_logistic, 2, (lt_node *[]){location, log_scale});
}
