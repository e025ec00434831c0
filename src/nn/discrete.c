/* SPDX-License-Identifier: MIT */
/* Distributions of what can be counted: bits, classes, bytes. */
#include <latent/distributions.h>

lt_node *lt_bernoulli_log_prob(lt_node *logits, lt_node *x)
{
    return lt_sum_rows(lt_sub(lt_mul(x, logits), lt_softplus(logits)));
}
