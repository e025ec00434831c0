/* SPDX-License-Identifier: MIT */
/* A session's values in host memory, laid out by the plan: one block, the constants, the variables. For executors
   that compute there. */
#ifndef LATENT_STORAGE_H
#define LATENT_STORAGE_H

#include "base/buffer.h"
#include "compile/program.h"

typedef struct storage {
    const lt_program *program;
    plan *plan;
    float **memory; /* by id of a storage node; NULL: a variable not allocated yet */
    float *block, *constants;
    float **own; /* by id: memory of an unbound variable */
} storage;

/* With no_reuse, no two values share memory. Clear it also after a failure. */
int storage_open(storage *s, const lt_program *p, bool no_reuse);
void storage_clear(storage *s);

/* Allocates the variables that have no memory yet; call before a run. */
int storage_own_variables(storage *s);

/* Returns the values of a node of the rewritten graph; NULL: not computed, or only tile by tile. */
float *storage_values(storage *s, const lt_node *x);

/* The same for a node of the graph as written, for callers of a session: NULL if the values are not kept. */
int storage_kept_values(storage *s, const lt_node *x, void **values);

/* Stores a variable of the graph as written in `buffer` from element `first` on. */
int storage_bind(storage *s, const lt_node *variable, lt_buffer *buffer, int64_t first);

/* Fills memory that is dead after this group with NaN, in debug builds, so that a planner mistake shows in the first
   loss. */
void storage_poison_released(storage *s, int group_done);

#endif
