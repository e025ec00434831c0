/* SPDX-License-Identifier: MIT */
/* Optimisers as graph: what a step makes of a block of parameters and of the optimiser's own
   blocks. Every node is elementwise on the block or a scalar, so compiling fuses a step to one
   pass. */
#ifndef LATENT_OPTIMISERS_H
#define LATENT_OPTIMISERS_H

#include "nn/optimiser_options.h"

#include <latent/ops.h>

enum { OPTIMISER_STATES = 2 };

/* What a step starts from. */
typedef struct optimiser_input {
    lt_node *w, *g;                   /* the parameters; d loss / d w: one shape */
    lt_node *state[OPTIMISER_STATES]; /* of that shape; zero before the first step */
    lt_node *lr;                      /* scalar: learning rate */
    lt_node *t;                       /* scalar: number of this step, from 1 */
    const void *options;              /* of the optimiser's row in optimiser_table */
} optimiser_input;

/* What it makes of them. */
typedef struct optimiser_output {
    lt_node *w;
    lt_node *state[OPTIMISER_STATES];
} optimiser_output;

typedef struct optimiser {
    const char *name;                    /* as in optimiser_table */
    const char *state[OPTIMISER_STATES]; /* names, for checkpoints: "m" */
    int (*states)(const void *options);  /* how many of them it keeps */
    void (*step)(const optimiser_input *in, optimiser_output *out);
} optimiser;

/* The optimiser that a row of optimiser_table stands for; every row has one. */
const optimiser *optimiser_find(const char *name);

/* g scaled down to a Euclidean norm of at most `norm`, like clip_grad_norm_ of PyTorch. */
lt_node *gradient_clip(lt_node *g, double norm);

#endif
