/* SPDX-License-Identifier: MIT */
/* Shared by the passes that rebuild a graph: a pass is a function that makes the new form of one node, given those of
   its inputs. */
#ifndef LATENT_REBUILD_H
#define LATENT_REBUILD_H

#include "compile/program.h"

enum { FOLD_LIMIT = 1 << 16 }; /* largest constant that passes materialize, in elements */

typedef struct rebuild {
    lt_program *program;
    void *context; /* the pass's own */
    lt_graph *to;
    int *uses;       /* by id in the old graph: count_uses */
    bool *unfused;   /* by id in the old graph: read by an operator that cannot be fused */
    lt_node **found; /* hash table (open addressing) of the new graph's nodes, for common subexpressions */
    unsigned n_slots, n_found;
} rebuild;

/* Makes the new form of old node x, whose inputs have become `in`. */
typedef lt_node *rewrite_function(rebuild *r, const lt_node *x, lt_node *const *in);

/* Rebuilds what the targets need, each common subexpression once. */
void rebuild_graph(lt_program *p, rewrite_function *rewrite, void *context);

/* Copies x to the new graph, with its name. */
lt_node *rebuild_copy(rebuild *r, const lt_node *x, lt_node *const *in);

/* Returns the new graph's node that is equal to x, or x itself. Random nodes differ by their streams; inputs and
   variables are equal to themselves only. */
lt_node *rebuild_common(rebuild *r, lt_node *x);

/* Whether exactly one node (or target) reads old node x. */
static inline bool is_used_once(const rebuild *r, const lt_node *x) { return r->uses[x->id] == 1; }

/* Whether x is a matrix transpose: builders never make the identity permutation. */
static inline bool is_transpose(const lt_node *x)
{
    return x->op == &lt_op_permute && x->shape.rank == 2;
}

static inline int64_t last_dimension(const lt_node *x) { return x->shape.d[x->shape.rank - 1]; }

/* Whether every element of x is the same constant. */
bool is_splat(const lt_node *x, double *value);

#endif
