/* SPDX-License-Identifier: MIT */
/* Compiles a graph of a model and binds the model's parameters to it. */
#include "eval/visit.h"

int visit_open(visit *v, lt_model *m, lt_node *const *targets, int n, const lt_session_options *o)
{
    v->program = lt_compile(v->graph, targets, n);
    if (!v->program)
        return LT_GRAPH;
    v->session = lt_session_create(v->program, o);
    if (!v->session)
        return LT_NO_MEMORY;
    return lt_params_bind(lt_model_params(m), v->graph, v->session);
}

void visit_close(visit *v)
{
    lt_session_free(v->session);
    lt_program_free(v->program);
    lt_graph_free(v->graph);
    *v = (visit){.graph = NULL};
}
