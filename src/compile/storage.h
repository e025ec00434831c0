/* SPDX-License-Identifier: MIT */
/* The values of a session in memory of the host, laid out by the plan: one block, the constants, variables. For
   executors that compute there. */
#ifndef LATENT_STORAGE_H
#define LATENT_STORAGE_H

#include "base/buffer.h"
#include "compile/program.h"

typedef struct storage {
    const lt_program *program;
    plan *plan;
    float **memory; /* by id of a storage node; NULL: a variable that has none yet */
    float *block, *constants;
    float **own; /* by id: memory of a variable that nobody has bound */
} storage;

/* With no_reuse no two values share memory. Clear it in any case. */
int storage_open(storage *s, const lt_program *p, bool no_reuse);
void storage_clear(storage *s);

/* Gives every variable memory that has none; before a run. */
int storage_own_variables(storage *s);

/* Where the values of a node of the rewritten graph are; NULL: they are not computed, or tile by tile. */
float *storage_values(storage *s, const lt_node *x);

/* The same of a node of the graph as written, for callers of a session: NULL where the values are not kept. */
int storage_kept_values(storage *s, const lt_node *x, void **values);

/* The variable of the graph as written lives in `buffer` from number `first` on. */
int storage_bind(storage *s, const lt_node *variable, lt_buffer *buffer, int64_t first);

/* Debug builds fill memory that nothing may read any more with NaN, so that a mistake of the planner shows in the
   first loss. */
void storage_poison_released(storage *s, int unit_done);

#endif
