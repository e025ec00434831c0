/* SPDX-License-Identifier: MIT */
/* A compiled graph: the rewritten nodes, the schedule of groups, the memory plan. */
#ifndef LATENT_PROGRAM_H
#define LATENT_PROGRAM_H

#include "compile/target.h"

enum { MAX_BOUNDS = LT_MAX_RANK - 1, MAX_DIMS = LT_MAX_RANK };

/* Index of a broadcast operand, or of a reduction's result, as a function of element i of a fused domain. `bound`
   (element counts, ascending, each a multiple of the one before) cuts the domain into segments: segment k goes from
   bound[k-1] to bound[k]; the index advances along active segments only. */
typedef struct pattern {
    int n; /* bounds, so n + 1 segments; 0: one segment */
    int64_t bound[MAX_BOUNDS];
    bool active[MAX_DIMS];
} pattern;

/* Sets the pattern of an array of shape `small` broadcast to `large` (same rank). False: too many bounds. */
bool pattern_make(pattern *p, lt_shape small, lt_shape large);

/* Merges the bounds of `p` into `bound`; false if they do not divide each other or are too many. */
bool pattern_merge(int *n, int64_t bound[MAX_BOUNDS], const pattern *p);

/* Strips reshapes and contiguous slices: returns the node that owns x's memory, and x's offset in it. Nullable:
   offset. */
lt_node *node_storage(lt_node *x, int64_t *offset);

/* One kernel launch: a single node, or fused elementwise nodes, expands, reductions and assigns. */
typedef struct fusion_group {
    lt_node **nodes; /* in order of computation */
    int n;
    bool fused;
    int64_t size;             /* elements of the fused domain */
    int n_bounds;             /* where it is cut, as in pattern */
    int64_t bound[MAX_BOUNDS];
} fusion_group;

struct lt_program {
    const target *target;
    lt_graph *source;  /* as written; borrowed */
    lt_node **targets; /* of source */
    int n_targets;
    lt_graph *graph; /* as rewritten; owned */
    lt_node **image; /* by source id: the node of `graph` with its value, or NULL */
    int n_image;
    fusion_group *groups; /* in order of execution */
    int n_groups;
    int *group_of; /* by id in `graph`: the group that computes it, or -1 */
    lt_program_info info;
};

/* Compiles for a device. Returns NULL when the graph holds an error. */
lt_program *program_compile(lt_graph *g, lt_node *const *targets, int n, const target *t);

/* Compiles in the same way, and calls `observe` before the passes, with "as written", and after each with its name.
   Nullable: observe. */
typedef void pass_observer(const char *pass, const lt_program *p, void *user);
lt_program *program_compile_observed(lt_graph *g, lt_node *const *targets, int n, const target *t,
                                     pass_observer *observe, void *user);

/* Returns the nodes that the targets need, numbered in their order, a line each: "%4 = add(%2, %3) : 8 x 4  name",
   and [what the operator's record says of it]. Works between passes, too. The caller frees it. */
char *program_dump_nodes(const lt_program *p);

/* ---- Passes ---- */

/* Removes dead code and common subexpressions; folds constants and identities. */
void simplify_graph(lt_program *p);

/* Fuses upsampling into convolutions and turns convolutions into matmuls where they are; simplify again afterwards.
   */
void lower_convolutions(lt_program *p);

/* Moves transposes, biases and activations into matmuls and convolutions; makes a b + c one operator. */
void fuse_epilogues(lt_program *p);

/* Copies variables where an assign would be visible too early; materializes expanded constants for operators that
   read arrays. */
void legalize(lt_program *p);

/* Packs the weights of convolutions. */
void pack_weights(lt_program *p);

/* Recomputes cheap values in the groups that read them, instead of storing them. */
void rematerialize(lt_program *p);

/* Partitions the nodes into groups and orders them: fills groups and group_of. */
void fuse_groups(lt_program *p);

/* Returns how often each node of p->graph is read, by nodes and (targets, inputs) by the caller of the session. The
   caller frees it. */
int *count_uses(const lt_program *p);

/* Returns live[i] for the first n_nodes of g: node i is a target, an input (callers write inputs even if unused), or
   read by a live node. The caller frees it. */
bool *find_live(const lt_graph *g, int n_nodes, lt_node *const *targets, int n_targets);

/* The first input that y reads; input 0 of an assign is what it writes. */
static inline int first_read(const lt_node *y) { return y->op == &lt_op_assign; }

/* The node that owns the memory of input i of y, through views and through an expand that is read as a broadcast
   (*broadcast is that expand, else NULL). */
lt_node *node_reads(const lt_program *p, const lt_node *y, int i, lt_node **broadcast,
                    int64_t *offset);

/* ---- Memory plan ---- */

typedef enum location_kind {
    LOCATION_NONE,  /* not computed, or only tile by tile inside its group */
    LOCATION_BLOCK, /* in the session's block */
    LOCATION_CONSTANT, /* in the session's constants */
    LOCATION_VARIABLE, /* in the variable's own memory */
} location_kind;

/* Where a node's values are. */
typedef struct location {
    location_kind kind;
    int64_t offset; /* floats from the start of the block, the constants, the variable */
    int storage;    /* id of the node that owns the memory */
} location;

/* A range of the block that is dead after group `after`. */
typedef struct release {
    int after;
    int64_t offset, size;
} release;

typedef struct plan {
    location *locations; /* by id in p->graph */
    release *releases; /* debug builds fill them with NaN */
    int n_releases;
    int64_t block_size, unplanned_size, constants_size; /* floats */
} plan;

/* With no_memory_reuse, no two values share memory. */
plan *plan_make(const lt_program *p, bool no_memory_reuse);
void plan_free(plan *m);

#endif
