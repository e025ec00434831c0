/* SPDX-License-Identifier: MIT */
/* Reverse mode, graph to graph: walks the nodes between x and y once, in reverse order, and asks
   each operator's rule for the cotangents of its inputs as new nodes. */
#include "ops/attributes.h"

#include <latent/ops.h>

#include <stdlib.h>

/* A detached node depends on nothing, even if it reads one of x. */
static bool reads_dependent(const lt_node *y, const bool *depends)
{
    if (y->op == &lt_op_detach)
        return false;
    for (int i = 0; i < y->n_in; i++)
        if (depends[y->in[i]->id])
            return true;
    return false;
}

/* depends[i]: node i is one of x, or is reached from one by a differentiable path. */
static bool *find_dependents(const lt_graph *g, int n_nodes, int n, lt_node *const *x)
{
    bool *depends = must_alloc((size_t)n_nodes);
    for (int i = 0; i < n; i++)
        depends[x[i]->id] = true;
    for (int i = 0; i < n_nodes; i++)
        depends[i] |= reads_dependent(g->nodes[i], depends);
    return depends;
}

static lt_node *ones_like(lt_node *x) { return lt_broadcast(lt_scalar(x->graph, 1), x->shape); }

static lt_node *zeros_like(lt_node *x) { return lt_broadcast(lt_scalar(x->graph, 0), x->shape); }

/* Adds y's contributions to the cotangents of its inputs, given the cotangent g of y. */
static void pass_back(lt_node *y, lt_node *g, const bool *depends, lt_node **cotangent)
{
    if (!y->op->grad) {
        lt_graph_fail(y->graph, "gradient: operator %s%s%s is not differentiable", y->op->name,
                      *y->name ? " " : "", y->name);
        return;
    }
    lt_node **d = must_alloc(sizeof *d * (size_t)y->n_in);
    y->op->grad(&(lt_vjp){.y = y, .g = g, .in = y->in, .d = d});
    for (int i = 0; i < y->n_in; i++) {
        int id = y->in[i]->id;
        if (d[i] && depends[id])
            cotangent[id] = cotangent[id] ? lt_add(cotangent[id], d[i]) : d[i];
    }
    free(d);
}

void lt_grads(lt_node *y, int n, lt_node *const *x, lt_node **dx)
{
    lt_graph *g = y->graph;
    bool bad = node_is_bad(y);
    for (int i = 0; i < n; i++) {
        dx[i] = g->bad;
        bad |= node_is_bad(x[i]);
        if (x[i]->graph != g) {
            lt_graph_fail(g, "gradient: input %d belongs to another graph", i);
            bad = true;
        }
    }
    if (bad)
        return;
    int n_nodes = g->n; /* the rules append nodes after these */
    bool *depends = find_dependents(g, n_nodes, n, x);
    lt_node **cotangent = must_alloc(sizeof *cotangent * (size_t)n_nodes);
    cotangent[y->id] = ones_like(y);
    for (int i = y->id; i >= 0 && !g->error; i--)
        if (depends[i] && cotangent[i] && reads_dependent(g->nodes[i], depends))
            pass_back(g->nodes[i], cotangent[i], depends, cotangent);
    for (int i = 0; i < n; i++)
        dx[i] = g->error ? g->bad : cotangent[x[i]->id] ? cotangent[x[i]->id] : zeros_like(x[i]);
    free(depends);
    free(cotangent);
}

lt_node *lt_grad(lt_node *y, lt_node *x)
{
    lt_node *dx;
    lt_grads(y, 1, &x, &dx);
    return dx;
}
