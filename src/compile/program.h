/* SPDX-License-Identifier: MIT */
/* A compiled graph: the rewritten nodes, the schedule of groups, the memory plan. */
#ifndef LATENT_PROGRAM_H
#define LATENT_PROGRAM_H

#include "compile/target.h"

enum { MAX_BOUNDS = LT_MAX_RANK - 1, MAX_DIMS = LT_MAX_RANK };

/* Where a broadcast operand or a reduction's result is, as a function of the element number i of a
   fused domain. The domain is cut at `bound` (element counts, ascending, each a multiple of the one
   before); segment k runs from bound[k-1] to bound[k]; where it is active the index moves on. */
typedef struct pattern {
    int n; /* bounds, so n + 1 segments; 0: one segment */
    int64_t bound[MAX_BOUNDS];
    bool active[MAX_DIMS];
} pattern;

/* The pattern of an array of shape `small` repeated to `large` (same rank). False: too many cuts. */
bool pattern_make(pattern *p, lt_shape small, lt_shape large);

/* Merges the cuts of `p` into `to`; false if they do not divide each other or are too many. */
bool pattern_merge(int *n, int64_t bound[MAX_BOUNDS], const pattern *p);

/* Strips reshapes and contiguous slices: the node whose memory x is, and where it begins there. */
lt_node *node_storage(lt_node *x, int64_t *offset);

/* One launch: a single node, or a fused group of elementwise nodes, expands, reductions, assigns. */
typedef struct fusion_group {
    lt_node **nodes; /* in order of computation */
    int n;
    bool fused;
    int64_t size;             /* elements of the fused domain */
    int n_bounds;             /* its cuts */
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
    int *group_of; /* by id in `graph`: which group computes it, or -1 */
    lt_program_info info;
};

/* Compiles for a device. NULL when the graph holds an error. */
lt_program *program_compile(lt_graph *g, lt_node *const *targets, int n, const target *t);

/* ---- Passes ---- */

/* Dead code, common subexpressions, constants, identities: makes graph and image better. */
void simplify_graph(lt_program *p);

/* Convolutions that are matrix products become them; simplify once more afterwards. */
void lower_convolutions(lt_program *p);

/* Transposes, biases and activations go into products, a b + c becomes one operator. */
void fuse_epilogues(lt_program *p);

/* Assigned variables get a copy, so that all reads see the old values; repeated constants that a
   group of its own reads are written out. */
void legalize(lt_program *p);

/* Convolutions read packed weights. */
void pack_weights(lt_program *p);

/* Cheap values are computed again in the groups that read them instead of being stored. */
void rematerialize(lt_program *p);

/* Groups nodes into groups and puts them in order: fills groups and unit_of. */
void fuse_groups(lt_program *p);

/* How often each node of p->graph is read, inside and (targets, inputs) from outside; the caller
   frees it. */
int *count_uses(const lt_program *p);

/* live[i]: of the first n_nodes of g, node i is a target, an input (which callers write whether it is
   used or not), or read by a live node. The caller frees it. */
bool *find_live(const lt_graph *g, int n_nodes, lt_node *const *targets, int n_targets);

/* The first input whose values y reads: an assign's input 0 is where it writes. */
static inline int first_read(const lt_node *y) { return y->op == &lt_op_assign; }

/* The node that input i of y reads in the end: through views, and through an expand that is not
   computed but read as a broadcast (then *broadcast is the expand, else NULL). */
lt_node *node_reads(const lt_program *p, const lt_node *y, int i, lt_node **broadcast,
                    int64_t *offset);

/* ---- Memory plan ---- */

typedef enum location_kind {
    LOCATION_NONE,  /* not computed, or only tile by tile inside its group */
    LOCATION_BLOCK, /* in the session's block */
    LOCATION_CONSTANT, /* in the session's constants */
    LOCATION_VARIABLE, /* where the variable lives */
} location_kind;

/* Where a node's values are, by its id. */
typedef struct location {
    location_kind kind;
    int64_t offset; /* floats from the start of the block, the constants, the variable */
    int storage;    /* id of the node whose memory it is */
} location;

/* Part of the block that nothing needs any more after group `after`. */
typedef struct release {
    int after;
    int64_t offset, size;
} release;

typedef struct plan {
    location *locations;
    release *releases; /* for debug builds, which fill them with NaN */
    int n_releases;
    int64_t block_size, unplanned_size, constants_size; /* floats */
} plan;

/* With no_memory_reuse no two values share memory. */
plan *plan_make(const lt_program *p, bool no_memory_reuse);
void plan_free(plan *m);

#endif
