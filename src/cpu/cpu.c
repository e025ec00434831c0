/* SPDX-License-Identifier: MIT */
/* The CPU as a target and an executor: values laid out by the plan, and one kernel per group. */
#include "base/clock.h"
#include "base/signals.h"
#include "compile/executor.h"
#include "compile/storage.h"
#include "cpu/conv.h"
#include "cpu/group.h"
#include "cpu/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Runs one fusion group: fused tiles, or a single node's kernel with the result of its plan(). */
typedef struct kernel {
    const fusion_group *fusion_group;
    group *group;
    const cpu_kernel *of; /* single node: its kernel */
    void *planned;        /* single node: what plan() returned */
    const char *name;
    int64_t flops, bytes, calls;
    double seconds;
} kernel;

typedef struct cpu {
    const lt_program *program;
    storage values;
    float *scratch, *partials;
    int64_t scratch_stride;
    kernel *kernels;
    arena names;
    int threads;
    bool profile;
} cpu;

static void free_cpu(void *state)
{
    cpu *s = state;
    for (int u = 0; u < s->program->n_groups; u++)
        if (s->kernels[u].planned)
            s->kernels[u].of->release(s->kernels[u].planned);
    storage_clear(&s->values);
    tensor_free(s->scratch);
    tensor_free(s->partials);
    arena_clear(&s->names);
    free(s->kernels);
    free(s);
}

/* ---- Kernels ---- */

static const char *kernel_name(cpu *s, const fusion_group *u)
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
    const fusion_group *of = &s->program->groups[u];
    const lt_node *y = of->nodes[0];
    kernel *k = &s->kernels[u];
    k->fusion_group = of;
    k->name = kernel_name(s, of);
    if (of->fused) {
        k->group = group_make(&s->names, s->program, of, s->values.plan);
        k->bytes = group_bytes(k->group);
        return LT_OK;
    }
    k->flops = y->op->flops ? y->op->flops(y) : 0;
    k->bytes = node_bytes(y);
    k->of = cpu_find_kernel(y->op);
    LT_ASSERT(k->of);
    if (k->of->plan && !(k->planned = k->of->plan(y, s->threads)))
        return LT_UNSUPPORTED;
    return LT_OK;
}

static int make_kernels(cpu *s)
{
    int64_t partials = 0;
    for (int u = 0; u < s->program->n_groups; u++) {
        LT_TRY(make_kernel(s, u));
        const group *g = s->kernels[u].group;
        if (g && group_scratch_size(g) > s->scratch_stride)
            s->scratch_stride = group_scratch_size(g);
        if (g && group_partials_size(g) > partials)
            partials = group_partials_size(g);
    }
    s->scratch = tensor_alloc(sizeof(float) * (size_t)(s->scratch_stride * s->threads), "the tiles of a session");
    s->partials = tensor_alloc(sizeof(float) * (size_t)partials, "the partial sums of a session");
    return s->scratch && s->partials ? LT_OK : LT_NO_MEMORY;
}

static void *create_cpu(const lt_program *p, const lt_session_options *o)
{
    cpu *s = must_alloc(sizeof *s);
    *s = (cpu){.program = p, .threads = o->threads, .profile = o->profile};
    s->kernels = must_alloc(sizeof *s->kernels * (size_t)(p->n_groups + 1));
    if (storage_open(&s->values, p, o->no_memory_reuse) == LT_OK && make_kernels(s) == LT_OK)
        return s;
    free_cpu(s);
    return NULL;
}

/* ---- Run ---- */

enum { MAX_INPUTS = 64 };

static void run_node(cpu *s, const kernel *k, const lt_run_key *key)
{
    const lt_node *y = k->fusion_group->nodes[0];
    const float *few[MAX_INPUTS], **in = few;
    if (y->n_in > MAX_INPUTS)
        in = must_alloc(sizeof *in * (size_t)y->n_in);
    for (int i = 0; i < y->n_in; i++)
        in[i] = storage_values(&s->values, y->in[i]);
    k->of->run(&(cpu_call){.y = y, .in = in, .out = storage_values(&s->values, y), .kernel = k->planned,
                           .key = key, .threads = s->threads});
    if (in != few)
        free(in);
}

static void run_kernel(cpu *s, const kernel *k, const lt_run_key *key)
{
    if (k->group)
        group_run(k->group, s->values.memory, s->threads, s->scratch, s->scratch_stride, s->partials);
    else
        run_node(s, k, key);
}

/* Runs with signals blocked, see base/signals.h: they wait at most for one step. */
static int run_cpu(void *state, const lt_run_key *key)
{
    cpu *s = state;
    LT_TRY(storage_own_variables(&s->values));
    sigset_t before;
    signals_block(&before);
    for (int u = 0; u < s->program->n_groups; u++) {
        kernel *k = &s->kernels[u];
        double begin = s->profile ? seconds_now() : 0;
        run_kernel(s, k, key);
        storage_poison_released(&s->values, u);
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
    return storage_kept_values(&s->values, x, values);
}

static int cpu_bind(void *state, const lt_node *variable, lt_buffer *buffer, int64_t first)
{
    cpu *s = state;
    return storage_bind(&s->values, variable, buffer, first);
}

static int cpu_profile(void *state, lt_profile_line *lines, int n)
{
    cpu *s = state;
    for (int u = 0; u < s->program->n_groups && u < n; u++) {
        const kernel *k = &s->kernels[u];
        lines[u] = (lt_profile_line){k->name, k->calls, k->seconds, k->flops, k->bytes};
    }
    return s->program->n_groups;
}

/* ---- Records ---- */

static bool takes_activation(const lt_op *op) { return op->activation != NO_ACTIVATION; }

static const target target_cpu = {.name = "cpu",
                                  .max_group = 96,
                                  .takes_transposes = true,
                                  .takes_bias = true,
                                  .takes_activation = takes_activation,
                                  .packed_size = conv_packed_size};

const executor executor_cpu = {.name = "cpu",
                               .target = &target_cpu,
                               .create = create_cpu,
                               .free = free_cpu,
                               .run = run_cpu,
                               .values = cpu_values,
                               .bind = cpu_bind,
                               .profile = cpu_profile};
