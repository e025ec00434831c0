/* SPDX-License-Identifier: MIT */
/* A compiled graph of a model that uses the model's own parameters. */
#ifndef LATENT_VISIT_H
#define LATENT_VISIT_H

#include <latent/model.h>

typedef struct visit {
    lt_graph *graph;
    lt_session *session;
} visit;

/* Compiles `targets` of v->graph and opens a session on them. */
int visit_open(visit *v, lt_model *m, lt_node *const *targets, int n, const lt_session_options *o);

/* Index i of a stratified sample of n out of `all`: one from each of n equal parts, at a fixed random offset. (The
   first images of a file are often unlike the rest; plain strides alias with interleaved classes: every tenth image
   of CIFAR-10 in folders is an airplane.) */
int64_t stratified_index(int64_t i, int64_t n, int64_t all);

/* The images of a split to evaluate: a stratified sample of n. */
typedef struct visited {
    lt_dataset *data;
    lt_split split;
    int n, of;
} visited;

/* Selects `wanted` images, or all if that is 0 or more than there are. Fails for images of the wrong size and for an
   empty split. */
int visited_init(visited *v, const lt_model *m, lt_dataset *d, lt_split split, int wanted);

/* Returns the index in the split of image i, 0 <= i < n. */
int visited_place(const visited *v, int i);

/* Gathers images first ... first + batch - 1; repeats the last image past the end. */
int visited_gather(const visited *v, int first, int batch, float *images);

void visit_close(visit *v);

#endif
