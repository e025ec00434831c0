/* SPDX-License-Identifier: MIT */
/* Runs the passes; dumps and counts the result. */
#include "compile/program.h"

#include <latent/ops.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static lt_program *fail(const lt_graph *g)
{
    status_fail(LT_GRAPH, "%s", g->error);
    return NULL;
}

/* Targets must be nodes of g; a variable may be assigned once. */
static bool check_targets(lt_graph *g, lt_node *const *targets, int n)
{
    for (int i = 0; i < n; i++) {
        if (targets[i]->graph != g) {
            lt_graph_fail(g, "compile: target %d belongs to another graph", i);
            return false;
        }
        for (int k = 0; k < i && targets[i]->op == &lt_op_assign; k++)
            if (targets[k]->op == &lt_op_assign && targets[k] != targets[i] &&
                targets[k]->in[0] == targets[i]->in[0]) {
                lt_graph_fail(g, "compile: variable \"%s\" is assigned twice",
                              targets[i]->in[0]->name);
                return false;
            }
    }
    return true;
}

/* The rewritten graph starts as the graph as written. */
static lt_program *begin(lt_graph *g, lt_node *const *targets, int n, const target *t)
{
    lt_program *p = must_alloc(sizeof *p);
    p->target = t;
    p->source = p->graph = g;
    p->n_targets = n;
    p->targets = must_alloc(sizeof *targets * (size_t)(n + 1));
    memcpy(p->targets, targets, sizeof *targets * (size_t)n);
    p->n_image = g->n;
    p->image = must_alloc(sizeof *p->image * (size_t)(g->n + 1));
    memcpy(p->image, g->nodes, sizeof *g->nodes * (size_t)g->n);
    int *uses = count_uses(p);
    for (int i = 0; i < g->n; i++) {
        p->image[i] = uses[i] ? p->image[i] : NULL;
        p->info.nodes += uses[i] > 0;
    }
    free(uses);
    return p;
}

static void describe(lt_program *p)
{
    plan *m = plan_make(p, false);
    p->info.bytes = (size_t)m->block_size * sizeof(float);
    p->info.bytes_unplanned = (size_t)m->unplanned_size * sizeof(float);
    plan_free(m);
    p->info.kernels = p->n_groups;
    for (int u = 0; u < p->n_groups; u++) {
        const lt_node *y = p->groups[u].nodes[0];
        p->info.fused += p->groups[u].fused ? p->groups[u].n : 0;
        if (y->op->flops && __builtin_add_overflow(p->info.flops, y->op->flops(y), &p->info.flops))
            p->info.flops = INT64_MAX;
    }
}

lt_program *program_compile(lt_graph *g, lt_node *const *targets, int n, const target *t)
{
    if (g->error || !check_targets(g, targets, n))
        return fail(g);
    lt_program *p = begin(g, targets, n, t);
    simplify_graph(p);
    lower_convolutions(p);
    simplify_graph(p);
    fuse_epilogues(p);
    legalize(p);
    pack_weights(p);
    rematerialize(p);
    fuse_groups(p);
    describe(p);
    return p;
}

void lt_program_free(lt_program *p)
{
    if (!p)
        return;
    if (p->graph != p->source)
        lt_graph_free(p->graph);
    free(p->targets);
    free(p->image);
    free(p->groups);
    free(p->group_of);
    free(p);
}

lt_program_info lt_program_describe(const lt_program *p) { return p->info; }

/* ---- Dump ---- */

/* Appends a line to a growing text. */
static void append(char **dump, const char *line)
{
    char *longer = must_format("%s%s", *dump, line);
    free(*dump);
    *dump = longer;
}

static void append_node(char **dump, const lt_program *p, const plan *m, const lt_node *y)
{
    char shape[LT_SHAPE_TEXT_SIZE], line[1024];
    size_t n = (size_t)snprintf(line, sizeof line, "    %%%d = %s(", y->id, y->op->name);
    for (int i = 0; i < y->n_in && n < sizeof line; i++) {
        lt_node *broadcast;
        int64_t offset;
        const lt_node *s = node_reads(p, y, i, &broadcast, &offset);
        n += (size_t)snprintf(line + n, sizeof line - n, "%s%%%d%s%s", i ? ", " : "", s->id,
                              broadcast ? "*" : "", offset ? "+" : "");
    }
    if (n < sizeof line)
        n += (size_t)snprintf(line + n, sizeof line - n, ") : %s",
                              lt_shape_text(y->shape, shape));
    if (m->locations[y->id].kind == LOCATION_BLOCK && n < sizeof line)
        n += (size_t)snprintf(line + n, sizeof line - n, " @ %lld",
                              (long long)m->locations[y->id].offset);
    snprintf(line + (n < sizeof line ? n : sizeof line - 1), n < sizeof line ? sizeof line - n : 1,
             "%s%s\n", *y->name ? "  " : "", y->name);
    append(dump, line);
}

char *lt_program_dump(const lt_program *p)
{
    char *dump = must_copy_text("");
    plan *m = plan_make(p, false);
    for (int u = 0; u < p->n_groups; u++) {
        char line[128];
        snprintf(line, sizeof line, "group %d%s, %lld elements, %d bounds\n", u,
                 p->groups[u].fused ? " (fused)" : "", (long long)p->groups[u].size,
                 p->groups[u].n_bounds);
        append(&dump, line);
        for (int k = 0; k < p->groups[u].n; k++)
            append_node(&dump, p, m, p->groups[u].nodes[k]);
    }
    plan_free(m);
    return dump;
}
