/* SPDX-License-Identifier: MIT */
/* Random operators: functions of (seed, stream, step, element) alone. */
#include "ops/random.h"

#include "ops/eltwise.h"

#include <latent/ops.h>

#include <math.h>

static const char *random_shape(const lt_node *y, lt_shape *s)
{
    *s = ((const random_attr *)y->attr)->shape;
    return NULL;
}

/* ---- uniform ---- */

static void uniform_reference(const lt_reference_call *c)
{
    philox_key key = random_key(c->y, c->key);
    int64_t n = lt_shape_size(c->y->shape);
    for (int64_t i = 0; i < n; i++)
        c->out[i] = ((philox_word(&key, i) >> 9) + .5) * 0x1p-23;
}

const lt_op lt_op_uniform = {
    .name = "uniform", .flags = OP_RANDOM, .attr_size = sizeof(random_attr), .shape = random_shape,
    .reference = uniform_reference,
    .cases = (const lt_op_case[]){
        {"matrix", .attr = &(random_attr){{2, {5, 7}}, 3}},
        {"tiles", .attr = &(random_attr){{1, {5003}}, 4}},
        {"one", .attr = &(random_attr){{2, {1, 1}}, 14}},
        {"empty", .attr = &(random_attr){{2, {0, 3}}, 24}},
        {0}}};

lt_node *lt_uniform(lt_graph *g, lt_shape shape)
{
    return node_source(g, &lt_op_uniform, &(random_attr){shape, g->streams++});
}

/* ---- normal ---- */

static void normal_reference(const lt_reference_call *c)
{
    philox_key key = random_key(c->y, c->key);
    int64_t n = lt_shape_size(c->y->shape);
    for (int64_t i = 0; i < n; i++) {
        double u = ((philox_word(&key, i & ~1) >> 8) + 1.) * 0x1p-24;
        double angle = 2 * M_PI * (philox_word(&key, i | 1) >> 8) * 0x1p-24;
        c->out[i] = sqrt(-2 * log(u)) * (i % 2 ? sin(angle) : cos(angle));
    }
}

const lt_op lt_op_normal = {
    .name = "normal", .flags = OP_RANDOM, .attr_size = sizeof(random_attr), .shape = random_shape,
    .reference = normal_reference,
    .cases = (const lt_op_case[]){
        {"matrix", .attr = &(random_attr){{2, {5, 7}}, 5}},
        {"tiles", .attr = &(random_attr){{1, {5003}}, 6}},
        {"one", .attr = &(random_attr){{2, {1, 1}}, 16}},
        {"empty", .attr = &(random_attr){{2, {0, 3}}, 26}},
        {0}}};

lt_node *lt_normal(lt_graph *g, lt_shape shape)
{
    return node_source(g, &lt_op_normal, &(random_attr){shape, g->streams++});
}

lt_node *lt_bernoulli(lt_node *p)
{
    return node_is_bad(p) ? p : lt_less(lt_uniform(p->graph, p->shape), p);
}
