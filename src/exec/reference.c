/* SPDX-License-Identifier: MIT */
/* The reference executor: runs every node of the graph as written, in f64, one plain loop after another, without
   rewriting, fusion or plan. The CPU executor is compared with it. */
#include "compile/executor.h"

#include <stdlib.h>
#include <string.h>

typedef struct reference {
    const lt_program *program;
    double **values; /* by source id */
    bool *live;
    float **bound;   /* by source id: the caller's memory of a variable, or NULL */
    int n;
} reference;

static void free_reference(void *state)
{
    reference *s = state;
    for (int i = 0; i < s->n; i++)
        tensor_free(s->values[i]);
    free(s->values);
    free(s->live);
    free(s->bound);
    free(s);
}

static void *create_reference(const lt_program *p, const lt_session_options *o)
{
    (void)o;
    reference *s = must_alloc(sizeof *s);
    s->program = p;
    s->n = p->n_image;
    s->values = must_alloc(sizeof *s->values * (size_t)(s->n + 1));
    s->bound = must_alloc(sizeof *s->bound * (size_t)(s->n + 1));
    s->live = find_live(p->source, s->n, p->targets, p->n_targets);
    for (int i = 0; i < s->n; i++) {
        const lt_node *x = p->source->nodes[i];
        size_t size = (size_t)lt_shape_size(x->shape);
        if (!s->live[i])
            continue;
        s->values[i] = tensor_alloc(sizeof(double) * size, *x->name ? x->name : x->op->name);
        if (!s->values[i]) {
            free_reference(s);
            return NULL;
        }
        if (x->op == &lt_op_constant)
            memcpy(s->values[i], ((const constant_attr *)x->attr)->values, sizeof(double) * size);
    }
    return s;
}

static void run_node(reference *s, const lt_node *x, const lt_run_key *key)
{
    const double **in = must_alloc(sizeof *in * (size_t)(x->n_in + 1));
    for (int i = 0; i < x->n_in; i++)
        in[i] = s->values[x->in[i]->id];
    x->op->reference(&(lt_reference_call){.y = x, .in = in, .out = s->values[x->id], .key = key});
    free(in);
}

/* Bound variables are floats outside and doubles here. */
static void load_bound(reference *s, int i)
{
    int64_t n = lt_shape_size(s->program->source->nodes[i]->shape);
    for (int64_t k = 0; k < n; k++)
        s->values[i][k] = (double)s->bound[i][k];
}

/* Stores the values of assigns in their variables, after all of them are computed. */
static void store_assigned(reference *s, const lt_node *x)
{
    int64_t n = lt_shape_size(x->shape);
    int id = x->in[0]->id;
    memcpy(s->values[id], s->values[x->id], sizeof(double) * (size_t)n);
    for (int64_t k = 0; s->bound[id] && k < n; k++)
        s->bound[id][k] = (float)s->values[id][k];
}

static int run_reference(void *state, const lt_run_key *key)
{
    reference *s = state;
    lt_node **nodes = s->program->source->nodes;
    for (int i = 0; i < s->n; i++)
        if (s->bound[i] && s->live[i])
            load_bound(s, i);
    for (int i = 0; i < s->n; i++)
        if (s->live[i] && !(nodes[i]->op->flags & OP_SOURCE))
            run_node(s, nodes[i], key);
    for (int i = 0; i < s->n; i++)
        if (s->live[i] && nodes[i]->op == &lt_op_assign)
            store_assigned(s, nodes[i]);
    return LT_OK;
}

static int reference_values(void *state, const lt_node *x, void **values)
{
    reference *s = state;
    *values = x->id < s->n ? s->values[x->id] : NULL;
    return LT_OK;
}

static int reference_bind(void *state, const lt_node *variable, lt_buffer *buffer, int64_t first)
{
    reference *s = state;
    if (variable->id < s->n)
        s->bound[variable->id] = buffer->floats + first;
    return LT_OK;
}

static int reference_profile(void *state, lt_profile_line *lines, int n)
{
    (void)state, (void)lines, (void)n;
    return 0;
}

const executor executor_reference = {.name = "reference",
                                     .create = create_reference,
                                     .free = free_reference,
                                     .run = run_reference,
                                     .values = reference_values,
                                     .bind = reference_bind,
                                     .profile = reference_profile,
                                     .is_double = true};
