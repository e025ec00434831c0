/* SPDX-License-Identifier: MIT */
/* Legalization before fusion: copies and constants that kernels need as arrays. */
#include "compile/rebuild.h"

#include <latent/ops.h>

#include <stdlib.h>

static bool is_variable(lt_node *x)
{
    x = node_storage(x, NULL);
    return x->op == &lt_op_variable ||
           (x->op == &lt_op_expand && node_storage(x->in[0], NULL)->op == &lt_op_variable);
}

/* Copies a variable that is assigned to another, so that every read sees the old value. Materializes an expanded
   constant that an operator outside fused groups reads. */
static lt_node *legalize_node(rebuild *r, const lt_node *x, lt_node *const *in)
{
    if (x->op == &lt_op_assign && is_variable(in[1]))
        return lt_assign(in[0], node_make1(&lt_op_copy, NULL, in[1]));
    double value;
    bool repeats = x->op == &lt_op_expand && is_splat(x, &value) && r->unfused[x->id];
    if (!repeats || lt_shape_size(x->shape) > FOLD_LIMIT)
        return rebuild_copy(r, x, in);
    int64_t n = lt_shape_size(x->shape);
    double *values = must_alloc(sizeof *values * (size_t)n);
    for (int64_t i = 0; i < n; i++)
        values[i] = value;
    lt_node *y = lt_constant(r->to, x->shape, values);
    free(values);
    return y;
}

static bool is_assigned(const lt_program *p, const lt_node *variable)
{
    bool assigned = false;
    for (int i = 0; i < p->n_targets; i++) {
        const lt_node *y = p->image[p->targets[i]->id];
        assigned |= y->op == &lt_op_assign && y->in[0] == variable;
    }
    return assigned;
}

/* Copies targets that alias an assigned variable: after a run, only the variable itself has the new value. */
static void copy_targets(lt_program *p)
{
    for (int i = 0; i < p->n_targets; i++) {
        const lt_node *t = p->targets[i];
        lt_node *y = p->image[t->id];
        if (t->op != &lt_op_variable && is_assigned(p, node_storage(y, NULL)))
            p->image[t->id] = node_make1(&lt_op_copy, NULL, y);
    }
}

void legalize(lt_program *p)
{
    rebuild_graph(p, legalize_node, NULL);
    copy_targets(p);
}
