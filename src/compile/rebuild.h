/* SPDX-License-Identifier: MIT */
/* What the passes that rebuild a graph share: a pass is a function that says what becomes of one node,
   given the new forms of its inputs. */
#ifndef LATENT_REBUILD_H
#define LATENT_REBUILD_H

#include "compile/program.h"

enum { FOLD_LIMIT = 1 << 16 }; /* elements of a constant worth keeping */

typedef struct rebuild {
    lt_program *program;
    void *context; /* of the pass */
    lt_graph *to;
    int *uses;       /* of the nodes of the old graph */
    bool *unfused;   /* of them: read by an operator that no fused group takes */
    lt_node **found; /* open hashing of the new graph's nodes, for common subexpressions */
    unsigned n_slots, n_found;
} rebuild;

/* Makes the new form of old node x, whose inputs have become `in`. */
typedef lt_node *rewrite_function(rebuild *r, const lt_node *x, lt_node *const *in);

/* Rebuilds what the targets need; a node that is there already is found instead of made again. */
void rebuild_graph(lt_program *p, rewrite_function *rewrite, void *context);

/* x over, with its name. */
lt_node *rebuild_copy(rebuild *r, const lt_node *x, lt_node *const *in);

/* The node like x that is there already, else x itself. Random draws differ by their streams; inputs
   and variables are themselves. */
lt_node *rebuild_common(rebuild *r, lt_node *x);

/* Whether one node (or the outside) reads old node x. */
static inline bool is_used_once(const rebuild *r, const lt_node *x) { return r->uses[x->id] == 1; }

/* Whether x is a matrix's transpose; as a permutation that is the identity is never built. */
static inline bool is_transpose(const lt_node *x)
{
    return x->op == &lt_op_permute && x->shape.rank == 2;
}

static inline int64_t last_dimension(const lt_node *x) { return x->shape.d[x->shape.rank - 1]; }

/* Whether every element of x is the same constant. */
bool is_splat(const lt_node *x, double *value);

#endif
