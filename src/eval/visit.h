/* SPDX-License-Identifier: MIT */
/* A model's graph made ready to run: compiled, with the model's own parameters. */
#ifndef LATENT_VISIT_H
#define LATENT_VISIT_H

#include <latent/model.h>

typedef struct visit {
    lt_graph *graph;
    lt_session *session;
} visit;

/* Compiles `targets` of v->graph and opens a session on them. */
int visit_open(visit *v, lt_model *m, lt_node *const *targets, int n, const lt_session_options *o);

/* The place of image i of n that are spread over `all`, because the first ones of a file are often not
   like the rest: one of each n-th part, at a random place in it, the same each time. (Not every
   k-th: classes may take turns, and every tenth image of CIFAR-10 in folders is an airplane.) */
int64_t stratified_index(int64_t i, int64_t n, int64_t all);

/* Which images of a split are looked at: n, spread over all of it. */
typedef struct visited {
    lt_dataset *data;
    lt_split split;
    int n, of;
} visited;

/* `wanted` images, or all of them where that is 0 or more than there are. Fails for data that is not
   the model's, and for an empty split. */
int visited_init(visited *v, const lt_model *m, lt_dataset *d, lt_split split, int wanted);

/* The place in the split of image i, 0 <= i < n. */
int visited_place(const visited *v, int i);

/* Gathers images first ... first + batch - 1; what is beyond the last one repeats it. */
int visited_gather(const visited *v, int first, int batch, float *images);

void visit_close(visit *v);

#endif
