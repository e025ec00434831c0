/* SPDX-License-Identifier: MIT */
/* Rebuilds a graph node by node, without dead nodes and common subexpressions. */
#include "compile/rebuild.h"

#include <latent/ops.h>

#include <stdlib.h>
#include <string.h>

/* Whether a node's only attribute is its shape. */
static bool is_shaped(const lt_node *x)
{
    return x->op->attr_size == sizeof(shape_attr) &&
           (x->op == &lt_op_reshape || x->op == &lt_op_expand);
}

static uint64_t hash_bytes(uint64_t h, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3u;
    return h;
}

static uint64_t hash_node(const lt_node *x)
{
    uint64_t h = hash_bytes(0xcbf29ce484222325u, &x->op, sizeof x->op);
    for (int i = 0; i < x->n_in; i++)
        h = hash_bytes(h, &x->in[i]->id, sizeof x->in[i]->id);
    return hash_bytes(h, x->shape.d, sizeof *x->shape.d * (size_t)x->shape.rank);
}

static bool same_constant(const lt_node *a, const lt_node *b)
{
    const constant_attr *p = a->attr, *q = b->attr;
    return memcmp(p->values, q->values, sizeof *p->values * (size_t)lt_shape_size(a->shape)) == 0;
}

static bool same_node(const lt_node *a, const lt_node *b)
{
    if (a->op != b->op || a->n_in != b->n_in || !lt_shape_equal(a->shape, b->shape))
        return false;
    for (int i = 0; i < a->n_in; i++)
        if (a->in[i] != b->in[i])
            return false;
    if (a->op == &lt_op_constant)
        return same_constant(a, b);
    return is_shaped(a) || memcmp(a->attr ? a->attr : "", b->attr ? b->attr : "",
                                  a->op->attr_size) == 0;
}

static void grow_found(rebuild *r)
{
    unsigned old = r->n_slots;
    lt_node **slots = r->found;
    r->n_slots = old ? 2 * old : 256;
    r->found = must_alloc(sizeof *r->found * r->n_slots);
    for (unsigned i = 0; i < old; i++)
        if (slots[i]) {
            unsigned at = (unsigned)hash_node(slots[i]) & (r->n_slots - 1);
            while (r->found[at])
                at = (at + 1) & (r->n_slots - 1);
            r->found[at] = slots[i];
        }
    free(slots);
}

lt_node *rebuild_common(rebuild *r, lt_node *x)
{
    if (node_is_bad(x) || (x->n_in == 0 && x->op != &lt_op_constant))
        return x;
    if (2 * r->n_found >= r->n_slots)
        grow_found(r);
    unsigned at = (unsigned)hash_node(x) & (r->n_slots - 1);
    for (; r->found[at]; at = (at + 1) & (r->n_slots - 1))
        if (same_node(r->found[at], x))
            return r->found[at];
    r->n_found++;
    return r->found[at] = x;
}

/* Copies a constant's values: they are in the arena of the old graph, which will be freed. */
static lt_node *copy_source(rebuild *r, const lt_node *x)
{
    return x->op == &lt_op_constant
               ? lt_constant(r->to, x->shape, ((const constant_attr *)x->attr)->values)
               : node_source(r->to, x->op, x->attr);
}

lt_node *rebuild_copy(rebuild *r, const lt_node *x, lt_node *const *in)
{
    lt_node *y = x->n_in ? node_make(x->op, x->attr, x->n_in, in) : copy_source(r, x);
    return *x->name ? lt_name(y, x->name) : y;
}

bool *find_live(const lt_graph *g, int n_nodes, lt_node *const *targets, int n_targets)
{
    bool *live = must_alloc((size_t)n_nodes + 1);
    for (int i = 0; i < n_targets; i++)
        live[targets[i]->id] = true;
    for (int i = n_nodes - 1; i >= 0; i--) {
        live[i] |= g->nodes[i]->op == &lt_op_input;
        for (int k = 0; live[i] && k < g->nodes[i]->n_in; k++)
            live[g->nodes[i]->in[k]->id] = true;
    }
    return live;
}

/* The targets as nodes of the current graph. */
static lt_node **current_targets(const lt_program *p)
{
    lt_node **t = must_alloc(sizeof *t * (size_t)(p->n_targets + 1));
    for (int i = 0; i < p->n_targets; i++)
        t[i] = p->image[p->targets[i]->id];
    return t;
}

int *count_uses(const lt_program *p)
{
    lt_node **targets = current_targets(p);
    bool *live = find_live(p->graph, p->graph->n, targets, p->n_targets);
    int *uses = must_alloc(sizeof *uses * (size_t)(p->graph->n + 1));
    for (int i = 0; i < p->n_targets; i++)
        uses[targets[i]->id]++;
    for (int i = 0; i < p->graph->n; i++) {
        uses[i] += p->graph->nodes[i]->op == &lt_op_input;
        for (int k = 0; live[i] && k < p->graph->nodes[i]->n_in; k++)
            uses[p->graph->nodes[i]->in[k]->id]++;
    }
    free(targets);
    free(live);
    return uses;
}

static bool *find_unfused(const lt_graph *g)
{
    bool *unfused = must_alloc((size_t)g->n + 1);
    for (int i = 0; i < g->n; i++) {
        const lt_node *y = g->nodes[i];
        bool fuses = y->op->flags & OP_ELEMENTWISE || y->op == &lt_op_assign;
        for (int k = 0; k < y->n_in && !fuses; k++)
            unfused[y->in[k]->id] = true;
    }
    return unfused;
}

void rebuild_graph(lt_program *p, rewrite_function *rewrite, void *context)
{
    lt_node **targets = current_targets(p);
    lt_graph *from = p->graph;
    rebuild r = {.program = p, .context = context, .to = lt_graph_create(), .uses = count_uses(p),
                 .unfused = find_unfused(from)};
    r.to->streams = from->streams;
    bool *live = find_live(from, from->n, targets, p->n_targets);
    lt_node **map = must_alloc(sizeof *map * (size_t)(from->n + 1));
    for (int i = 0; i < from->n; i++) {
        const lt_node *x = from->nodes[i];
        if (!live[i])
            continue;
        lt_node **in = must_alloc(sizeof *in * (size_t)(x->n_in + 1));
        for (int k = 0; k < x->n_in; k++)
            in[k] = map[x->in[k]->id];
        map[i] = rebuild_common(&r, rewrite(&r, x, in));
        free(in);
    }
    LT_ASSERT(!r.to->error);
    for (int i = 0; i < p->n_image; i++)
        p->image[i] = p->image[i] ? map[p->image[i]->id] : NULL;
    if (from != p->source)
        lt_graph_free(from);
    p->graph = r.to;
    free(targets);
    free(live);
    free(map);
    free(r.uses);
    free(r.unfused);
    free(r.found);
}

bool is_splat(const lt_node *x, double *value)
{
    while (x->op == &lt_op_expand || x->op == &lt_op_reshape)
        x = x->in[0];
    if (x->op != &lt_op_constant || lt_shape_size(x->shape) != 1)
        return false;
    *value = ((const constant_attr *)x->attr)->values[0];
    return true;
}
