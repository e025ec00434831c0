/* SPDX-License-Identifier: MIT */
#include "compile/storage.h"

#include <math.h>
#include <stdlib.h>

static void poison(storage *s, int64_t offset, int64_t size)
{
#ifdef LATENT_POISON
    for (int64_t i = 0; i < size; i++)
        s->block[offset + i] = NAN;
#else
    (void)s, (void)offset, (void)size;
#endif
}

void storage_poison_released(storage *s, int group_done)
{
    for (int i = 0; i < s->plan->n_releases; i++)
        if (s->plan->releases[i].after == group_done)
            poison(s, s->plan->releases[i].offset, s->plan->releases[i].size);
}

static float *allocate(int64_t n, const char *what)
{
    return tensor_alloc(sizeof(float) * (size_t)n, what);
}

static void place_constants(storage *s)
{
    const lt_graph *g = s->program->graph;
    for (int i = 0; i < g->n; i++) {
        const location *at = &s->plan->locations[i];
        if (at->kind != LOCATION_CONSTANT || at->storage != i)
            continue;
        const double *values = ((const constant_attr *)g->nodes[i]->attr)->values;
        int64_t n = lt_shape_size(g->nodes[i]->shape);
        for (int64_t k = 0; k < n; k++)
            s->constants[at->offset + k] = (float)values[k];
        s->memory[i] = s->constants + at->offset;
    }
}

static int allocate_values(storage *s)
{
    const lt_graph *g = s->program->graph;
    s->block = allocate(s->plan->block_size, "the activations of a session");
    s->constants = allocate(s->plan->constants_size, "the constants of a session");
    if (!s->block || !s->constants)
        return LT_NO_MEMORY;
    for (int i = 0; i < g->n; i++)
        if (s->plan->locations[i].kind == LOCATION_BLOCK && s->plan->locations[i].storage == i)
            s->memory[i] = s->block + s->plan->locations[i].offset;
    place_constants(s);
    for (int i = 0; i < s->plan->n_releases; i++)
        poison(s, s->plan->releases[i].offset, s->plan->releases[i].size);
    return LT_OK;
}

/* Allocates an unbound variable when it is first needed. */
static int own_variable(storage *s, int id)
{
    if (s->memory[id])
        return LT_OK;
    const lt_node *x = s->program->graph->nodes[id];
    s->own[id] = s->memory[id] = allocate(lt_shape_size(x->shape), x->name);
    return s->own[id] ? LT_OK : LT_NO_MEMORY;
}

int storage_own_variables(storage *s)
{
    for (int i = 0; i < s->program->graph->n; i++)
        if (s->plan->locations[i].kind == LOCATION_VARIABLE && s->plan->locations[i].storage == i)
            LT_TRY(own_variable(s, i));
    return LT_OK;
}

float *storage_values(storage *s, const lt_node *x)
{
    const location *at = &s->plan->locations[x->id];
    if (at->kind == LOCATION_NONE)
        return NULL;
    int64_t inside = at->offset - s->plan->locations[at->storage].offset;
    return s->memory[at->storage] + inside;
}

int storage_kept_values(storage *s, const lt_node *x, void **values)
{
    const lt_node *y = x->id < s->program->n_image ? s->program->image[x->id] : NULL;
    *values = NULL;
    if (!y)
        return LT_OK;
    const lt_node *home = node_storage((lt_node *)y, NULL);
    bool kept = home->op == &lt_op_input || home->op == &lt_op_variable;
    for (int i = 0; !kept && i < s->program->n_targets; i++)
        kept = s->program->image[s->program->targets[i]->id] == y;
    if (!kept)
        return LT_OK;
    const location *at = &s->plan->locations[y->id];
    if (at->kind == LOCATION_VARIABLE)
        LT_TRY(own_variable(s, at->storage));
    *values = storage_values(s, y);
    return LT_OK;
}

int storage_bind(storage *s, const lt_node *variable, lt_buffer *buffer, int64_t first)
{
    const lt_node *y =
        variable->id < s->program->n_image ? s->program->image[variable->id] : NULL;
    if (!y)
        return LT_OK; /* the program does not use it */
    tensor_free(s->own[y->id]);
    s->own[y->id] = NULL;
    s->memory[y->id] = buffer->floats + first;
    return LT_OK;
}

int storage_open(storage *s, const lt_program *p, bool no_reuse)
{
    *s = (storage){.program = p, .plan = plan_make(p, no_reuse)};
    s->memory = must_alloc(sizeof *s->memory * (size_t)(p->graph->n + 1));
    s->own = must_alloc(sizeof *s->own * (size_t)(p->graph->n + 1));
    return allocate_values(s);
}

void storage_clear(storage *s)
{
    for (int i = 0; s->own && i < s->program->graph->n; i++)
        tensor_free(s->own[i]);
    plan_free(s->plan);
    tensor_free(s->block);
    tensor_free(s->constants);
    free(s->memory);
    free(s->own);
    *s = (storage){.program = NULL};
}
