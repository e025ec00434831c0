/* SPDX-License-Identifier: MIT */
/* Programs and graphs as text: a line for each node. */
#include "base/text.h"
#include "compile/program.h"
#include "ops/attributes.h"

#include <latent/ops.h>

#include <stdlib.h>

/* ---- A program: groups, and where their values are ---- */

static void dump_member(text *t, const lt_program *p, const plan *m, const lt_node *y)
{
    char shape[LT_SHAPE_TEXT_SIZE];
    text_format(t, "    %%%d = %s(", y->id, y->op->name);
    for (int i = 0; i < y->n_in; i++) {
        lt_node *broadcast;
        int64_t offset;
        const lt_node *s = node_reads(p, y, i, &broadcast, &offset);
        text_format(t, "%s%%%d%s%s", i ? ", " : "", s->id, broadcast ? "*" : "", offset ? "+" : "");
    }
    text_format(t, ") : %s", lt_shape_text(y->shape, shape));
    if (m->locations[y->id].kind == LOCATION_BLOCK)
        text_format(t, " @ %lld", (long long)m->locations[y->id].offset);
    text_format(t, "%s%s\n", *y->name ? "  " : "", y->name);
}

char *lt_program_dump(const lt_program *p)
{
    text dump = {0};
    plan *m = plan_make(p, false);
    for (int u = 0; u < p->n_groups; u++) {
        const fusion_group *g = &p->groups[u];
        text_format(&dump, "group %d%s, %lld elements, %d bounds\n", u, g->fused ? " (fused)" : "",
                    (long long)g->size, g->n_bounds);
        for (int k = 0; k < g->n; k++)
            dump_member(&dump, p, m, g->nodes[k]);
    }
    plan_free(m);
    return text_take(&dump);
}

/* ---- A graph, between passes ---- */

/* "constant 0.5" if all elements are equal, else the name of the operator. */
static void dump_operator(text *t, const lt_node *y)
{
    text_append(t, y->op->name);
    if (y->op == &lt_op_constant) {
        const double *values = ((const constant_attr *)y->attr)->values;
        int64_t n = lt_shape_size(y->shape), same = 0;
        while (same < n && values[same] == values[0])
            same++;
        if (n && same == n)
            text_format(t, " %g", values[0]);
    }
}

/* number[id]: the node's number in the text. */
static void dump_node(text *t, const lt_node *y, const int *number)
{
    char shape[LT_SHAPE_TEXT_SIZE];
    text_format(t, "%%%d = ", number[y->id]);
    dump_operator(t, y);
    for (int i = 0; i < y->n_in; i++)
        text_format(t, "%s%%%d%s", i ? ", " : "(", number[y->in[i]->id], i == y->n_in - 1 ? ")" : "");
    text_format(t, " : %s%s%s", lt_shape_text(y->shape, shape), *y->name ? "  " : "", y->name);
    if (y->op->describe) {
        arena memory = {0};
        text_format(t, "  [%s]", y->op->describe(y, &memory));
        arena_clear(&memory);
    }
    text_append(t, "\n");
}

char *program_dump_nodes(const lt_program *p)
{
    text dump = {0};
    int *uses = count_uses(p), *number = must_alloc(sizeof *number * (size_t)(p->graph->n + 1)), n = 0;
    for (int i = 0; i < p->graph->n; i++)
        if (uses[i]) {
            number[i] = n++;
            dump_node(&dump, p->graph->nodes[i], number);
        }
    free(number);
    free(uses);
    return text_take(&dump);
}
