/* SPDX-License-Identifier: MIT */
/* The record that describes an operator, and the nodes that use it. Adding an operator is one line
   in ops/eltwise.def, or one block in an ops/ file, its name in ops/ops.def, its prototype in ops.h. */
#ifndef LATENT_OP_H
#define LATENT_OP_H

#include "base/memory.h"
#include "base/status.h"

#include <latent/graph.h>

typedef struct lt_op lt_op;

struct lt_node {
    const lt_op *op;
    lt_graph *graph;
    const char *name; /* "" if it has none */
    void *attr;       /* op->attr_size bytes */
    lt_node **in;
    int n_in;
    int id; /* position in graph->nodes: inputs come before their users */
    bool is_rematerialized; /* a copy computed for the one fusion group that reads it */
    lt_shape shape;
};

/* One run of one node in double precision, for the reference executor. Each device has its own table of kernels:
   cpu/kernels.def. */
typedef struct lt_reference_call {
    const lt_node *y;
    const double *const *in;
    double *out;
    const lt_run_key *key;
} lt_reference_call;

/* Arguments and results of a gradient rule: it sets d[i] to the cotangent of in[i]; NULL: no gradient. */
typedef struct lt_vjp {
    lt_node *y, *g;
    lt_node *const *in;
    lt_node **d;
} lt_vjp;

enum { LT_MANY = -1, LT_CASE_INPUTS = 3 };

enum op_flags {
    OP_ELEMENTWISE = 1, /* has `scalar`; all inputs have the output's shape */
    OP_REDUCTION = 2,   /* sum or max over axes; may end a fused group */
    OP_VIEW = 4,        /* output shares the input's memory under another shape */
    OP_RANDOM = 8,      /* depends on the run's key */
    OP_EFFECT = 16,     /* has a side effect: never dead code */
    OP_SOURCE = 32,     /* input, variable, constant: holds values, never runs */
    OP_INTERNAL = 64,   /* made by compile only: no reference, no gradient, no cases */
};

/* Activations that matmul and convolution kernels can apply. The second operand, if any, is the parameter. */
typedef enum activation_kind {
    NO_ACTIVATION,
    RELU,
    LEAKY_RELU, /* parameter: the slope */
    ELU,        /* parameter: alpha */
    TANH,
    SIGMOID,
} activation_kind;

/* A test case. Inputs are sampled from [lo, hi], away from 0; index inputs from 0 ... rows - 1. */
typedef struct lt_op_case {
    const char *name;
    lt_shape in[LT_CASE_INPUTS];
    const void *attr;   /* attr_size bytes, or NULL */
    double lo, hi;      /* 0, 0: [-2, 2] */
    int index_input;    /* which input holds indices, 1-based; 0: none */
    int64_t index_rows; /* indices are below this */
} lt_op_case;

struct lt_op {
    const char *name;
    int n_in; /* or LT_MANY */
    unsigned flags;
    size_t attr_size;
    /* Sets the output shape from inputs and attributes. Returns NULL, or the reason they do not fit (static or in
       the graph's arena). */
    const char *(*shape)(const lt_node *y, lt_shape *s);
    void (*reference)(const lt_reference_call *c);
    void (*grad)(lt_vjp *r); /* NULL: not differentiable */
    /* Multiplications plus additions per run; NULL: not counted. */
    int64_t (*flops)(const lt_node *y);
    /* Sizes and options as text, for profiles; NULL: its name and shape. */
    const char *(*describe)(const lt_node *y, arena *a);
    const lt_op_case *cases; /* ends with a case without a name */
    /* Elementwise operators only. */
    double (*scalar)(double a, double b, double c);
    bool is_cheap;              /* recomputing it costs less than reading its result */
    activation_kind activation; /* the epilogue that matmul and convolution kernels know it as */
};

/* ---- Nodes ---- */

/* Makes a node of `op`; attr (attr_size bytes, NULL if 0) is copied. Returns the bad node if any input is bad. */
lt_node *node_make(const lt_op *op, const void *attr, int n_in, lt_node *const *in);
lt_node *node_make1(const lt_op *op, const void *attr, lt_node *x);
lt_node *node_make2(const lt_op *op, const void *attr, lt_node *a, lt_node *b);
lt_node *node_make3(const lt_op *op, const void *attr, lt_node *a, lt_node *b, lt_node *c);

/* A node without inputs. */
lt_node *node_source(lt_graph *g, const lt_op *op, const void *attr);

bool node_is_bad(const lt_node *x);

/* Returns why no node can have this shape (rank, a negative dimension, too large), or NULL. Check shapes from outside
   with it before computing with them. */
const char *shape_problem(lt_shape s);

/* Formats a reason for shape() to return, in the graph's arena. */
const char *node_reason(const lt_node *y, const char *format, ...) LT_PRINTF(2, 3);

/* ---- The graph ---- */

struct lt_graph {
    arena memory;
    lt_node **nodes;
    int n, capacity;
    lt_node *bad;
    char *error;
    const char *place;
    uint32_t streams; /* random streams handed out */
};

/* ---- The table ---- */

/* Every operator, elementwise ones first; NULL ends it. For tests, documentation and checks. */
extern const lt_op *const op_table[];

#endif
