/* SPDX-License-Identifier: MIT */
/* A trial: a function of a few inputs, with values. Compares its derivatives with differences, its values with another
   executor, its bits between numbers of threads. `latent verify` and the tests of operators run trials; a failure is
   LT_VALUE with a message that names the trial. */
#ifndef LATENT_TRIAL_H
#define LATENT_TRIAL_H

#include "graph/op.h"

/* Operators that trials skip: tested in test_exec.c and test_images.c. */
enum { TRIAL_NOT_OF = OP_SOURCE | OP_EFFECT | OP_INTERNAL };

typedef struct trial {
    const char *name; /* borrowed */
    lt_graph *graph;
    lt_node *x[LT_CASE_INPUTS], *y;
    int n;
    int index_input; /* 1-based; 0: none */
    int64_t index_rows;
    double lo, hi;
    double *values[LT_CASE_INPUTS];
    bool *frozen[LT_CASE_INPUTS]; /* at kinks, where differences are invalid */
} trial;

/* Outputs: y, then the requested gradients of both orders. */
enum { TRIAL_TARGETS = 1 + 2 * LT_CASE_INPUTS };
typedef struct trial_targets {
    lt_node *node[TRIAL_TARGETS];
    int n;
} trial_targets;

/* Largest errors so far. */
typedef struct trial_errors {
    double first, second; /* derivatives: relative */
    double cpu;           /* numbers: relative to the largest of an array, if that is above 1 */
} trial_errors;

/* Returns the number of inputs of a case; for variadic operators, those before the first scalar. */
int trial_count_inputs(const lt_op *op, const lt_op_case *c);

/* The operator at one of its cases, with values. Clear it in any case. */
int trial_of_case(trial *t, const lt_op *op, const lt_op_case *c);

/* Values for the inputs of a trial whose graph the caller has built. */
int trial_draw(trial *t);

void trial_clear(trial *t);

/* First and, if wanted, second derivatives by random projection against extrapolated differences,
   in double precision; adds the gradients to `out`. */
int trial_differentiate(trial *t, bool with_second, trial_targets *out, trial_errors *worst);

/* All of `out` in the cpu executor against the reference. */
int trial_compare(const trial *t, const lt_program *p, const trial_targets *out,
                  trial_errors *worst);

/* Checks that all of `out` has the same bits with 1, 2, 3, 4 and 8 threads, with and without memory reuse. */
int trial_check_bits(const trial *t, const lt_program *p, const trial_targets *out);

#endif
