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

void visit_close(visit *v);

#endif
