/* SPDX-License-Identifier: MIT */
/* A fused group as a short program over tiles: load operands, run the operators one after another on about a thousand
   floats that stay in L1, store results, accumulate reductions. */
#ifndef LATENT_GROUP_H
#define LATENT_GROUP_H

#include "compile/program.h"

typedef struct group group;

/* Makes the program, in memory of `a`; never fails. */
group *group_make(arena *a, const lt_program *p, const fusion_group *u, const plan *m);

/* Floats that one thread needs to run it, and floats of the partial results of its chunks. */
int64_t group_scratch_size(const group *g);
int64_t group_partials_size(const group *g);

/* Bytes that one run reads and writes: operands and results once. */
int64_t group_bytes(const group *g);

/* Runs the group. memory[id]: values of storage node id; scratch: scratch_size floats per thread. The result does not
   depend on `threads`. */
void group_run(const group *g, float *const *memory, int threads, float *scratch,
               int64_t scratch_stride, float *partials);

/* Returns the program over one tile as text of three columns: what it reads from memory, what it computes in L1, what
   it writes to memory. %N are nodes as in lt_program_dump, vN values of a tile. The caller frees it. */
char *group_dump(const group *g, const fusion_group *u);

#endif
