/* SPDX-License-Identifier: MIT */
/* A model's graph made ready to run: compiled, with the model's own parameters. */
#ifndef LATENT_VISIT_H
#define LATENT_VISIT_H

#include <latent/model.h>

typedef struct visit {
    lt_graph *graph;
    lt_program *program;
    lt_session *session;
} visit;

/* Compiles `targets` of v->graph and opens a session on them. */
int visit_open(visit *v, lt_model *m, lt_node *const *targets, int n, const lt_session_options *o);

/* How many images of the split to look at, the first ones: `wanted`, or all of them where that is 0
   or more than there are. Fails for data that is not the model's, and for an empty split. */
int visit_images(const lt_model *m, const lt_dataset *d, lt_split split, int wanted, int *images);

/* n x ... -> (n times) x ...: each row so many times, without being written. */
lt_node *visit_repeat_rows(lt_node *x, int64_t times);

void visit_close(visit *v);

#endif
