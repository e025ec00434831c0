/* SPDX-License-Identifier: MIT */
/* Optimizers as graphs: a step from a block of parameters and the optimizer's state blocks to their new values. Every
   node is elementwise on the block or a scalar, so a step compiles to one pass. An optimizer is one record: name,
   options, step. */
#ifndef LATENT_OPTIMIZERS_H
#define LATENT_OPTIMIZERS_H

#include "base/spec.h"

#include <latent/nn.h>

enum { OPTIMIZER_STATES = LT_OPTIMIZER_TARGETS - 2 };

/* Every optimizer's options start with these. */
typedef struct optimizer_options {
    double lr; /* learning rate, before its schedule */
} optimizer_options;

/* Inputs of a step. */
typedef struct optimizer_input {
    lt_node *w, *g;                   /* the parameters; d loss / d w: one shape */
    lt_node *state[OPTIMIZER_STATES]; /* of that shape; zero before the first step */
    lt_node *lr;                      /* scalar: learning rate */
    lt_node *t;                       /* scalar: index of this step, from 1 */
    const void *options;              /* of the optimizer's row */
} optimizer_input;

/* Results of a step. */
typedef struct optimizer_output {
    lt_node *w;
    lt_node *state[OPTIMIZER_STATES];
} optimizer_output;

typedef struct optimizer {
    spec_row spec;
    const char *state[OPTIMIZER_STATES]; /* names, for checkpoints: "m" */
    int (*states)(const void *options);  /* number of states in use */
    void (*step)(const optimizer_input *in, optimizer_output *out);
} optimizer;

extern const spec_table optimizer_table;

/* The optimizer of a line of optimizer_table. */
static inline const optimizer *optimizer_of(const spec *line) { return (const optimizer *)line->row; }

/* Scales g down to a Euclidean norm of at most `norm`, like PyTorch's clip_grad_norm_. */
lt_node *gradient_clip(lt_node *g, double norm);

#endif
