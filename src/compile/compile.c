/* SPDX-License-Identifier: MIT */
/* Runs the passes and counts the result. */
#include "compile/program.h"

#include <latent/ops.h>

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

/* The passes in their order. */
static const struct {
    const char *name;
    void (*run)(lt_program *p);
} passes[] = {
    {"simplify_graph", simplify_graph}, {"lower_convolutions", lower_convolutions},
    {"simplify_graph", simplify_graph}, {"fuse_epilogues", fuse_epilogues},
    {"legalize", legalize},             {"pack_weights", pack_weights},
    {"rematerialize", rematerialize},   {"fuse_groups", fuse_groups},
};

lt_program *program_compile_observed(lt_graph *g, lt_node *const *targets, int n, const target *t,
                                     pass_observer *observe, void *user)
{
    if (g->error || !check_targets(g, targets, n))
        return fail(g);
    lt_program *p = begin(g, targets, n, t);
    if (observe)
        observe("as written", p, user);
    for (size_t i = 0; i < sizeof passes / sizeof passes[0]; i++) {
        passes[i].run(p);
        if (observe)
            observe(passes[i].name, p, user);
    }
    describe(p);
    return p;
}

lt_program *program_compile(lt_graph *g, lt_node *const *targets, int n, const target *t)
{
    return program_compile_observed(g, targets, n, t, NULL, NULL);
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
