/* SPDX-License-Identifier: MIT */
/* Compiles a graph of a model and binds the model's parameters to it. */
#include "eval/visit.h"

#include <latent/train.h>

#include "base/memory.h"
#include "base/philox.h"
#include "base/status.h"

#include <stdlib.h>

enum { STREAM_SPREAD = 0x59ead };

int visit_open(visit *v, lt_model *m, lt_node *const *targets, int n, const lt_session_options *o)
{
    LT_TRY(lt_session_open(v->graph, targets, n, o, &v->session));
    return lt_model_bind(m, v->graph, v->session, LT_EVALUATION);
}

int visited_init(visited *v, const lt_model *m, lt_dataset *d, lt_split split, int wanted)
{
    const lt_dataset_info *info = lt_dataset_describe(d);
    LT_TRY(lt_model_check_data(m, d));
    int of = info->n[split];
    if (of == 0)
        return status_fail(LT_VALUE, "%s has no %s split", info->name, lt_split_name(split));
    *v = (visited){d, split, wanted > 0 && wanted < of ? wanted : of, of};
    return LT_OK;
}

int64_t stratified_index(int64_t i, int64_t n, int64_t all)
{
    static const philox_key key = {.stream = STREAM_SPREAD};
    int64_t from = i * all / n, to = (i + 1) * all / n;
    return to - from < 2 ? from : from + philox_word(&key, i) % (to - from);
}

int visited_place(const visited *v, int i) { return (int)stratified_index(i, v->n, v->of); }

int visited_gather(const visited *v, int first, int batch, float *images)
{
    int32_t *index = must_alloc(sizeof *index * (size_t)batch);
    for (int i = 0; i < batch; i++)
        index[i] = visited_place(v, first + i < v->n ? first + i : v->n - 1);
    int status = lt_dataset_gather(v->data, v->split, index, batch, 0, 1, images);
    free(index);
    return status;
}

void visit_close(visit *v)
{
    lt_session_free(v->session);
    lt_graph_free(v->graph);
    *v = (visit){.graph = NULL};
}
