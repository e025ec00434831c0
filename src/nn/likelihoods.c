/* SPDX-License-Identifier: MIT */
/* The table of pixel likelihoods, and those of logits. All constants are kept: values are log densities or log
   probabilities in nats, comparable between models of the same kind of data. */
#include "nn/likelihoods.h"

/* ---- bernoulli: the decoder's output is logits ---- */

static void bernoulli_build(const likelihood_context *c, lt_node *y, lt_node *x,
                            const void *options, likelihood_terms *t)
{
    (void)c, (void)options;
    t->log_prob = lt_bernoulli_log_prob(y, x);
}

static lt_node *bernoulli_draw(const likelihood_context *c, lt_node *y, const void *options)
{
    (void)c, (void)options;
    return lt_sample_from(lt_bernoulli_distribution(y), lt_node_shape(y).d[0]);
}

const likelihood_row likelihood_bernoulli = {
    .spec = {.name = "bernoulli",
             .summary = "pixels that are 0 or 1; the decoder's output is logits. "
                        "On gray pixels this is a cross-entropy, not a likelihood",
             .options = no_options},
    .is_binary = true, .is_discrete = true, .output = "logits", .unwanted = "sigmoid",
    .mean = lt_sigmoid, .build = bernoulli_build, .draw = bernoulli_draw};

/* ---- continuous_bernoulli: the same with the constant that makes it a density on [0, 1] ---- */

static void continuous_bernoulli_build(const likelihood_context *c, lt_node *y, lt_node *x,
                                       const void *options, likelihood_terms *t)
{
    (void)c, (void)options;
    t->log_prob = lt_continuous_bernoulli_log_prob(y, x);
}

static lt_node *continuous_bernoulli_draw(const likelihood_context *c, lt_node *y,
                                          const void *options)
{
    (void)c, (void)options;
    return lt_sample_from(lt_continuous_bernoulli_distribution(y), lt_node_shape(y).d[0]);
}

const likelihood_row likelihood_continuous_bernoulli = {
    .spec = {.name = "continuous_bernoulli",
             .summary = "gray or color pixels in [0, 1], mostly near 0 or 1; the decoder's output "
                        "is logits",
             .options = no_options},
    .output = "logits", .unwanted = "sigmoid", .mean = lt_continuous_bernoulli_mean,
    .build = continuous_bernoulli_build, .draw = continuous_bernoulli_draw};

/* ---- The table ---- */

static const spec_row *const rows[] = {
#define LIKELIHOOD(NAME) &likelihood_##NAME.spec,
#include "nn/likelihoods.def"
#undef LIKELIHOOD
    NULL};

const spec_table likelihood_table = {"likelihood", rows};

const likelihood_row *likelihood_facts(const spec *likelihood)
{
    return (const likelihood_row *)likelihood->row;
}

bool likelihood_is_of_batch(const spec *likelihood)
{
    const likelihood_row *row = likelihood_facts(likelihood);
    return row->is_of_batch && row->is_of_batch(likelihood->options);
}

lt_node *likelihood_mean(const spec *likelihood, lt_node *y)
{
    return likelihood_facts(likelihood)->mean(y);
}

likelihood_terms likelihood_build(const spec *likelihood, const likelihood_context *c, lt_node *y,
                                  lt_node *x)
{
    likelihood_terms t = {0};
    likelihood_facts(likelihood)->build(c, y, x, likelihood->options, &t);
    return t;
}

lt_node *likelihood_draw(const spec *likelihood, const likelihood_context *c, lt_node *y)
{
    return likelihood_facts(likelihood)->draw(c, y, likelihood->options);
}
