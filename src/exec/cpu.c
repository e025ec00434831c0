/* SPDX-License-Identifier: MIT */
/* The CPU executor: a block of floats laid out by the plan, and one kernel per unit. */
#include "base/clock.h"
#include "base/signals.h"
#include "exec/group.h"
#include "exec/session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What runs a unit: a fused group, or one node with what its operator's plan() made. */
typedef struct kernel {
    const unit *unit;
    group *group;
    void *planned;
    const char *name;
    int64_t flops, bytes, calls;
    double seconds;
} kernel;

typedef struct cpu {
    const lt_program *program;
    plan *plan;
    float **memory; /* by id of a storage node */
    float *block, *constants, *scratch, *partials;
    float **own; /* by id: memory of a variable that nobody has bound */
    int64_t scratch_stride;
    kernel *kernels;
    arena names;
    int threads;
    bool profile;
} cpu;

static void free_cpu(void *state)
{
    cpu *s = state;
    for (int u = 0; u < s->program->n_units; u++)
        if (s->kernels[u].planned)
            s->kernels[u].unit->nodes[0]->op->release(s->kernels[u].planned);
    for (int i = 0; i < s->program->graph->n; i++)
        tensor_free(s->own[i]);
    plan_free(s->plan);
    tensor_free(s->block);
    tensor_free(s->constants);
    tensor_free(s->scratch);
    tensor_free(s->partials);
    arena_clear(&s->names);
    free(s->memory);
    free(s->own);
    free(s->kernels);
    free(s);
}

/* ---- Memory ---- */

/* Debug builds fill memory that nothing should read with NaN, so that a mistake of the planner shows
   in the first loss. */
static void poison(cpu *s, int64_t offset, int64_t size)
{
#ifdef LATENT_POISON
    for (int64_t i = 0; i < size; i++)
        s->block[offset + i] = NAN;
#else
    (void)s, (void)offset, (void)size;
#endif
}

static void poison_released(cpu *s, int unit_done)
{
    for (int i = 0; i < s->plan->n_releases; i++)
        if (s->plan->releases[i].after == unit_done)
            poison(s, s->plan->releases[i].offset, s->plan->releases[i].size);
}

static float *allocate(int64_t n, const char *what)
{
    return tensor_alloc(sizeof(float) * (size_t)n, what);
}

static void place_constants(cpu *s)
{
    const lt_graph *g = s->program->graph;
    for (int i = 0; i < g->n; i++) {
        const place *at = &s->plan->places[i];
        if (at->kind != PLACE_CONSTANT || at->storage != i)
            continue;
        const double *values = ((const constant_attr *)g->nodes[i]->attr)->values;
        int64_t n = lt_shape_size(g->nodes[i]->shape);
        for (int64_t k = 0; k < n; k++)
            s->constants[at->offset + k] = (float)values[k];
        s->memory[i] = s->constants + at->offset;
    }
}

static int allocate_values(cpu *s)
{
    const lt_graph *g = s->program->graph;
    s->block = allocate(s->plan->block_size, "the activations of a session");
    s->constants = allocate(s->plan->constants_size, "the constants of a session");
    if (!s->block || !s->constants)
        return LT_NO_MEMORY;
    for (int i = 0; i < g->n; i++)
        if (s->plan->places[i].kind == PLACE_BLOCK && s->plan->places[i].storage == i)
            s->memory[i] = s->block + s->plan->places[i].offset;
    place_constants(s);
    for (int i = 0; i < s->plan->n_releases; i++)
        poison(s, s->plan->releases[i].offset, s->plan->releases[i].size);
    return LT_OK;
}

/* Variables nobody has bound get memory of their own when it is first asked for. */
static int own_variable(cpu *s, int id)
{
    if (s->memory[id])
        return LT_OK;
    const lt_node *x = s->program->graph->nodes[id];
    s->own[id] = s->memory[id] = allocate(lt_shape_size(x->shape), x->name);
    return s->own[id] ? LT_OK : LT_NO_MEMORY;
}

static int own_variables(cpu *s)
{
    for (int i = 0; i < s->program->graph->n; i++)
        if (s->plan->places[i].kind == PLACE_VARIABLE && s->plan->places[i].storage == i)
            LT_TRY(own_variable(s, i));
    return LT_OK;
}

static float *values_at(cpu *s, const lt_node *x)
{
    const place *at = &s->plan->places[x->id];
    if (at->kind == PLACE_NONE)
        return NULL;
    int64_t inside = at->offset - s->plan->places[at->storage].offset;
    return s->memory[at->storage] + inside;
}

/* ---- Kernels ---- */

static const char *kernel_name(cpu *s, const unit *u)
{
    const lt_node *y = u->nodes[0];
    char shape[LT_SHAPE_TEXT_SIZE];
    if (u->fused)
        return arena_format(&s->names, "fused %lld elements, %d nodes, last %s",
                            (long long)u->size, u->n, u->nodes[u->n - 1]->op->name);
    return y->op->describe ? y->op->describe(y, &s->names)
                           : arena_format(&s->names, "%s %s", y->op->name,
                                          lt_shape_text(y->shape, shape));
}

static int64_t node_bytes(const lt_node *y)
{
    int64_t n = lt_shape_size(y->shape);
    for (int i = 0; i < y->n_in; i++)
        n += lt_shape_size(y->in[i]->shape);
    return n * (int64_t)sizeof(float);
}

static int make_kernel(cpu *s, int u)
{
    const unit *of = &s->program->units[u];
    const lt_node *y = of->nodes[0];
    kernel *k = &s->kernels[u];
    k->unit = of;
    k->name = kernel_name(s, of);
    if (of->fused) {
        k->group = group_make(&s->names, s->program, of, s->plan);
        k->bytes = group_bytes(k->group);
        return LT_OK;
    }
    k->flops = y->op->flops ? y->op->flops(y) : 0;
    k->bytes = node_bytes(y);
    LT_ASSERT(y->op->eval);
    if (y->op->plan && !(k->planned = y->op->plan(y, s->threads)))
        return LT_UNSUPPORTED;
    return LT_OK;
}

static int make_kernels(cpu *s)
{
    int64_t partials = 0;
    for (int u = 0; u < s->program->n_units; u++) {
        LT_TRY(make_kernel(s, u));
        const group *g = s->kernels[u].group;
        if (g && group_scratch_size(g) > s->scratch_stride)
            s->scratch_stride = group_scratch_size(g);
        if (g && group_partials_size(g) > partials)
            partials = group_partials_size(g);
    }
    s->scratch = allocate(s->scratch_stride * s->threads, "the tiles of a session");
    s->partials = allocate(partials, "the partial sums of a session");
    return s->scratch && s->partials ? LT_OK : LT_NO_MEMORY;
}

static void *create_cpu(const lt_program *p, const lt_session_options *o)
{
    cpu *s = must_alloc(sizeof *s);
    *s = (cpu){.program = p, .threads = o->threads, .profile = o->profile};
    s->plan = plan_make(p, o->own_places);
    s->memory = must_alloc(sizeof *s->memory * (size_t)(p->graph->n + 1));
    s->own = must_alloc(sizeof *s->own * (size_t)(p->graph->n + 1));
    s->kernels = must_alloc(sizeof *s->kernels * (size_t)(p->n_units + 1));
    if (allocate_values(s) == LT_OK && make_kernels(s) == LT_OK)
        return s;
    free_cpu(s);
    return NULL;
}

/* ---- Run ---- */

enum { MAX_INPUTS = 64 };

static void run_node(cpu *s, const kernel *k, const lt_run_key *key)
{
    const lt_node *y = k->unit->nodes[0];
    const float *few[MAX_INPUTS], **in = few;
    if (y->n_in > MAX_INPUTS)
        in = must_alloc(sizeof *in * (size_t)y->n_in);
    for (int i = 0; i < y->n_in; i++)
        in[i] = values_at(s, y->in[i]);
    y->op->eval(&(lt_call){.y = y, .in = in, .out = values_at(s, y), .kernel = k->planned,
                           .key = key, .threads = s->threads});
    if (in != few)
        free(in);
}

static void run_kernel(cpu *s, const kernel *k, const lt_run_key *key)
{
    if (k->group)
        group_run(k->group, s->memory, s->threads, s->scratch, s->scratch_stride, s->partials);
    else
        run_node(s, k, key);
}

/* Without signals: see base/signals.h. A step waits for no longer than it takes. */
static int run_cpu(void *state, const lt_run_key *key)
{
    cpu *s = state;
    LT_TRY(own_variables(s));
    sigset_t before;
    signals_block(&before);
    for (int u = 0; u < s->program->n_units; u++) {
        kernel *k = &s->kernels[u];
        double begin = s->profile ? seconds_now() : 0;
        run_kernel(s, k, key);
        poison_released(s, u);
        if (s->profile) {
            k->seconds += seconds_now() - begin;
            k->calls++;
        }
    }
    signals_restore(&before);
    return LT_OK;
}

static int cpu_values(void *state, const lt_node *x, void **values)
{
    cpu *s = state;
    const lt_node *y = x->id < s->program->n_image ? s->program->image[x->id] : NULL;
    *values = NULL;
    if (!y)
        return LT_OK;
    const lt_node *storage = node_storage((lt_node *)y, NULL);
    bool kept = storage->op == &lt_op_input || storage->op == &lt_op_variable;
    for (int i = 0; !kept && i < s->program->n_targets; i++)
        kept = s->program->image[s->program->targets[i]->id] == y;
    if (!kept)
        return LT_OK;
    const place *at = &s->plan->places[y->id];
    if (at->kind == PLACE_VARIABLE)
        LT_TRY(own_variable(s, at->storage));
    *values = values_at(s, y);
    return LT_OK;
}

static int cpu_bind(void *state, const lt_node *variable, float *memory)
{
    cpu *s = state;
    const lt_node *y =
        variable->id < s->program->n_image ? s->program->image[variable->id] : NULL;
    if (!y)
        return LT_OK; /* the program does not use it */
    tensor_free(s->own[y->id]);
    s->own[y->id] = NULL;
    s->memory[y->id] = memory;
    return LT_OK;
}

static int cpu_profile(void *state, lt_profile_line *lines, int n)
{
    cpu *s = state;
    for (int u = 0; u < s->program->n_units && u < n; u++) {
        const kernel *k = &s->kernels[u];
        lines[u] = (lt_profile_line){k->name, k->calls, k->seconds, k->flops, k->bytes};
    }
    return s->program->n_units;
}

const executor executor_cpu = {.name = "cpu",
                               .create = create_cpu,
                               .free = free_cpu,
                               .run = run_cpu,
                               .values = cpu_values,
                               .bind = cpu_bind,
                               .profile = cpu_profile};
