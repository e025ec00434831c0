/* SPDX-License-Identifier: MIT */
/* Graphs and nodes: creation, shape inference, the sticky error. */
#include "graph/op.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Graph ---- */

static const lt_op op_bad = {.name = "bad"};

lt_graph *lt_graph_create(void)
{
    lt_graph *g = must_alloc(sizeof *g);
    g->bad = arena_alloc(&g->memory, sizeof *g->bad);
    *g->bad = (lt_node){.op = &op_bad, .graph = g, .name = "bad", .id = -1};
    return g;
}

void lt_graph_free(lt_graph *g)
{
    if (!g)
        return;
    arena_clear(&g->memory);
    free(g->nodes);
    free(g);
}

const char *lt_graph_error(const lt_graph *g) { return g->error; }

lt_node *lt_graph_fail(lt_graph *g, const char *format, ...)
{
    if (g->error)
        return g->bad;
    va_list args;
    va_start(args, format);
    char text[1024];
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    g->error = g->place ? arena_format(&g->memory, "%s: %s", g->place, text)
                        : arena_copy_text(&g->memory, text);
    return g->bad;
}

void lt_graph_set_location(lt_graph *g, const char *where)
{
    g->place = where ? arena_copy_text(&g->memory, where) : NULL;
}

/* ---- Nodes ---- */

bool node_is_bad(const lt_node *x) { return x->op == &op_bad; }

lt_shape lt_node_shape(const lt_node *x) { return x->shape; }

lt_graph *lt_node_graph(const lt_node *x) { return x->graph; }

const char *lt_node_name(const lt_node *x) { return x->name; }

lt_node *lt_name(lt_node *x, const char *name)
{
    if (!node_is_bad(x))
        x->name = arena_copy_text(&x->graph->memory, name);
    return x;
}

const char *node_reason(const lt_node *y, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return arena_copy_text(&y->graph->memory, text);
}

/* "matmul: inner dimensions differ (3 and 4); inputs: 2 x 3 "x", 4 x 5 "fc.weight"" */
static lt_node *fail_shape(const lt_node *y, const char *reason)
{
    char text[1024];
    size_t n = (size_t)snprintf(text, sizeof text, "%s: %s", y->op->name, reason);
    for (int i = 0; i < y->n_in && n < sizeof text; i++) {
        char shape[LT_SHAPE_TEXT_SIZE];
        const char *name = y->in[i]->name;
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%s%s%s%s", i ? ", " : "; inputs: ",
                              lt_shape_text(y->in[i]->shape, shape), *name ? " \"" : "", name,
                              *name ? "\"" : "");
    }
    return lt_graph_fail(y->graph, "%s", text);
}

const char *shape_problem(lt_shape s)
{
    if (s.rank < 0 || s.rank > LT_MAX_RANK)
        return "the rank of the result is outside 0 ... 8";
    size_t bytes = sizeof(double);
    bool fits = true;
    for (int i = 0; fits && i < s.rank; i++)
        fits = s.d[i] >= 0 && (s.d[i] == 0 || size_mul(bytes, (size_t)s.d[i], &bytes));
    return fits && bytes <= PTRDIFF_MAX
               ? NULL
               : "the result is too large for memory, or has a negative dimension";
}

static lt_node *add_node(lt_graph *g, const lt_op *op, const void *attr, int n_in,
                         lt_node *const *in)
{
    LT_ASSERT(op->n_in == LT_MANY || op->n_in == n_in);
    lt_node y = {.op = op, .graph = g, .name = "", .n_in = n_in};
    y.attr = op->attr_size ? arena_copy(&g->memory, attr, op->attr_size) : NULL;
    y.in = arena_copy(&g->memory, in, sizeof *in * (size_t)n_in);
    const char *reason = op->shape(&y, &y.shape);
    if (!reason)
        reason = shape_problem(y.shape);
    if (reason)
        return fail_shape(&y, reason);
    y.id = g->n;
    g->nodes = must_grow(g->nodes, g->n, &g->capacity);
    return g->nodes[g->n++] = arena_copy(&g->memory, &y, sizeof y);
}

lt_node *node_make(const lt_op *op, const void *attr, int n_in, lt_node *const *in)
{
    LT_ASSERT(n_in > 0);
    lt_graph *g = in[0]->graph;
    for (int i = 0; i < n_in; i++) {
        if (in[i]->graph != g)
            return lt_graph_fail(g, "%s: input %d belongs to another graph", op->name, i);
        if (node_is_bad(in[i]))
            return g->bad;
        if (in[i]->op->flags & OP_EFFECT)
            return lt_graph_fail(g, "%s: input %d is an %s, whose value cannot be read", op->name,
                                 i, in[i]->op->name);
    }
    return add_node(g, op, attr, n_in, in);
}

lt_node *node_make1(const lt_op *op, const void *attr, lt_node *x)
{
    return node_make(op, attr, 1, (lt_node *[]){x});
}

lt_node *node_make2(const lt_op *op, const void *attr, lt_node *a, lt_node *b)
{
    return node_make(op, attr, 2, (lt_node *[]){a, b});
}

lt_node *node_make3(const lt_op *op, const void *attr, lt_node *a, lt_node *b, lt_node *c)
{
    return node_make(op, attr, 3, (lt_node *[]){a, b, c});
}

lt_node *node_source(lt_graph *g, const lt_op *op, const void *attr)
{
    return g->error ? g->bad : add_node(g, op, attr, 0, NULL);
}
