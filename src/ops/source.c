/* SPDX-License-Identifier: MIT */
/* Nodes that hold values (input, variable, constant), assign, which acts at the end of a run, and detach, which acts
   on gradients. */
#include "ops/attributes.h"

#include <latent/ops.h>

#include <string.h>

static const char *given_shape(const lt_node *y, lt_shape *s)
{
    *s = ((const shape_attr *)y->attr)->shape;
    return NULL;
}

/* y = x for operators that the CPU executor aliases or fuses away. */
static void copy_reference(const lt_reference_call *c)
{
    memcpy(c->out, c->in[c->y->n_in - 1], sizeof *c->out * (size_t)lt_shape_size(c->y->shape));
}

const lt_op lt_op_input = {
    .name = "input", .flags = OP_SOURCE, .attr_size = sizeof(shape_attr), .shape = given_shape};

const lt_op lt_op_variable = {
    .name = "variable", .flags = OP_SOURCE, .attr_size = sizeof(shape_attr), .shape = given_shape};

static lt_node *named_source(lt_graph *g, const lt_op *op, const char *name, lt_shape shape)
{
    const char *problem = shape_problem(shape);
    if (problem)
        return lt_graph_fail(g, "%s \"%s\": %s", op->name, name, problem);
    return lt_name(node_source(g, op, &(shape_attr){shape}), name);
}

lt_node *lt_input(lt_graph *g, const char *name, lt_shape shape)
{
    return named_source(g, &lt_op_input, name, shape);
}

lt_node *lt_variable(lt_graph *g, const char *name, lt_shape shape)
{
    return named_source(g, &lt_op_variable, name, shape);
}

/* ---- constant ---- */

static const char *constant_shape(const lt_node *y, lt_shape *s)
{
    *s = ((const constant_attr *)y->attr)->shape;
    return NULL;
}

const lt_op lt_op_constant = {.name = "constant",
                              .flags = OP_SOURCE,
                              .attr_size = sizeof(constant_attr),
                              .shape = constant_shape};

lt_node *lt_constant(lt_graph *g, lt_shape shape, const double *values)
{
    int64_t n = shape_problem(shape) ? 0 : lt_shape_size(shape);
    constant_attr attr = {.values = arena_copy(&g->memory, values, sizeof *values * (size_t)n),
                          .shape = shape};
    return node_source(g, &lt_op_constant, &attr);
}

lt_node *lt_scalar(lt_graph *g, double value) { return lt_constant(g, lt_shape_0d(), &value); }

/* ---- assign: in[0] is written, in[1] is the value ---- */

static const char *assign_shape(const lt_node *y, lt_shape *s)
{
    *s = y->in[0]->shape;
    if (y->in[0]->op != &lt_op_variable)
        return "the target is not a variable";
    if (!lt_shape_equal(*s, y->in[1]->shape))
        return "variable and value have different shapes";
    return NULL;
}

const lt_op lt_op_assign = {.name = "assign",
                            .n_in = 2,
                            .flags = OP_EFFECT,
                            .shape = assign_shape,
                            .reference = copy_reference};

lt_node *lt_assign(lt_node *variable, lt_node *value)
{
    return node_make2(&lt_op_assign, NULL, variable, value);
}

/* ---- detach ---- */

static const char *detach_shape(const lt_node *y, lt_shape *s)
{
    *s = y->in[0]->shape;
    return NULL;
}

const lt_op lt_op_detach = {.name = "detach",
                            .n_in = 1,
                            .flags = OP_VIEW,
                            .shape = detach_shape,
                            .reference = copy_reference,
                            .cases = (const lt_op_case[]){{"matrix", .in = {{2, {3, 4}}}},
                                                          {"one", .in = {{1, {1}}}},
                                                          {"empty", .in = {{1, {0}}}},
                                                          {0}}};

lt_node *lt_detach(lt_node *x) { return node_make1(&lt_op_detach, NULL, x); }
