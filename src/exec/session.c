/* SPDX-License-Identifier: MIT */
/* Sessions: the public face of the executors. */
#include "exec/session.h"

#include "base/threads.h"

#include <stdlib.h>
#include <string.h>

struct lt_session {
    const lt_program *program;
    lt_program *owned; /* the same, of lt_session_open; else NULL */
    const executor *executor;
    void *state;
};

/* ---- Executors ---- */

/* EXECUTOR(LT_CPU, cpu) becomes extern const executor executor_cpu; */
#define EXECUTOR(CHOICE, NAME) extern const executor executor_##NAME;
#include "exec/executors.def"
#undef EXECUTOR

static const executor *const executors[] = {
#define EXECUTOR(CHOICE, NAME) [CHOICE] = &executor_##NAME,
#include "exec/executors.def"
#undef EXECUTOR
};

const char *const *lt_executor_names(void)
{
    static const char *const names[] = {
#define EXECUTOR(CHOICE, NAME) [CHOICE] = #NAME,
#include "exec/executors.def"
#undef EXECUTOR
        NULL};
    return names;
}

/* NULL with an error for a number that names none. */
static const executor *find_executor(lt_executor choice)
{
    int i = (int)choice;
    if (i >= 0 && i < COUNT_OF(executors))
        return executors[i];
    status_fail(LT_VALUE, "executor: expected 0 to %d, found %d", COUNT_OF(executors) - 1, i);
    return NULL;
}

lt_program *lt_compile_with(lt_graph *g, lt_node *const *targets, int n, const lt_compile_options *o)
{
    const executor *e = find_executor(o ? o->executor : LT_CPU);
    if (!e)
        return NULL;
    return program_compile(g, targets, n, e->target ? e->target : executors[0]->target);
}

lt_program *lt_compile(lt_graph *g, lt_node *const *targets, int n)
{
    return lt_compile_with(g, targets, n, NULL);
}

/* ---- Life ---- */

/* An executor cannot create a session for lack of memory alone. */
static int create_session(const executor *e, const lt_program *p, const lt_session_options *o, lt_session **out)
{
    lt_session_options options = o ? *o : (lt_session_options){0};
    *out = NULL;
    if (options.threads < 0 || options.threads > THREADS_MAX)
        return status_fail(LT_VALUE, "threads must be between 1 and %d (0: all), found %d",
                           THREADS_MAX, options.threads);
    if (e->target && e->target != p->target)
        return status_fail(LT_VALUE, "session: the %s executor runs programs compiled for %s, found one for %s", e->name,
                           e->target->name, p->target->name);
    if (options.threads == 0)
        options.threads = lt_cores();
    void *state = e->create(p, &options);
    if (!state)
        return LT_NO_MEMORY;
    *out = must_alloc(sizeof **out);
    **out = (lt_session){.program = p, .executor = e, .state = state};
    return LT_OK;
}

lt_session *session_create_on(const executor *e, const lt_program *p, const lt_session_options *o)
{
    lt_session *s;
    create_session(e, p, o, &s);
    return s;
}

lt_session *lt_session_create(const lt_program *p, const lt_session_options *o)
{
    const executor *e = find_executor(o ? o->executor : LT_CPU);
    return e ? session_create_on(e, p, o) : NULL;
}

void lt_session_free(lt_session *s)
{
    if (!s)
        return;
    s->executor->free(s->state);
    lt_program_free(s->owned);
    free(s);
}

int lt_session_open(lt_graph *g, lt_node *const *targets, int n, const lt_session_options *o, lt_session **out)
{
    *out = NULL;
    lt_program *p = lt_compile_with(g, targets, n, &(lt_compile_options){.executor = o ? o->executor : LT_CPU});
    if (!p)
        return lt_graph_error(g) ? LT_GRAPH : LT_VALUE;
    int status = create_session(find_executor(o ? o->executor : LT_CPU), p, o, out);
    if (status == LT_OK)
        (*out)->owned = p;
    else
        lt_program_free(p);
    return status;
}

const lt_program *lt_session_program(const lt_session *s) { return s->program; }

int lt_session_run(lt_session *s, const lt_run_key *key)
{
    return s->executor->run(s->state, key ? key : &(lt_run_key){0});
}

/* ---- Values ---- */

static int fail_not_kept(const lt_node *x)
{
    return status_fail(LT_VALUE,
                       "session: the values of %s \"%s\" are not kept; only those of inputs, "
                       "variables and targets are",
                       x->op->name, x->name);
}

static bool is_ours(const lt_session *s, const lt_node *x) { return x->graph == s->program->source && x->id >= 0; }

static int find_values(lt_session *s, const lt_node *x, void **values)
{
    *values = NULL;
    if (is_ours(s, x))
        LT_TRY(s->executor->values(s->state, x, values));
    return *values ? LT_OK : fail_not_kept(x);
}

/* The status of an executor's copy. */
static int copied(int status, const lt_node *x) { return status == LT_NOT_FOUND ? fail_not_kept(x) : status; }

static void *find_typed(lt_session *s, const lt_node *x, bool is_double)
{
    void *values;
    if (!s->executor->values) {
        status_fail(LT_VALUE, "session: values of the %s executor are not in memory of the host; use lt_session_read "
                    "and lt_session_write", s->executor->name);
        return NULL;
    }
    if (s->executor->is_double == is_double)
        return find_values(s, x, &values) == LT_OK ? values : NULL;
    status_fail(LT_VALUE, "session: the %s executor has %s", s->executor->name,
                is_double ? "floats; use lt_session_floats" : "doubles; use lt_session_doubles");
    return NULL;
}

float *lt_session_floats(lt_session *s, const lt_node *x) { return find_typed(s, x, false); }

double *lt_session_doubles(lt_session *s, const lt_node *x) { return find_typed(s, x, true); }

static int check_size(const lt_node *x, int64_t n)
{
    char text[LT_SHAPE_TEXT_SIZE];
    if (n == lt_shape_size(x->shape))
        return LT_OK;
    return status_fail(LT_VALUE, "session: \"%s\" is %s, found %lld values", x->name,
                       lt_shape_text(x->shape, text), (long long)n);
}

int lt_session_write(lt_session *s, const lt_node *x, const float *values, int64_t n)
{
    LT_TRY(check_size(x, n));
    void *to;
    if (s->executor->write)
        return is_ours(s, x) ? copied(s->executor->write(s->state, x, values), x) : fail_not_kept(x);
    LT_TRY(find_values(s, x, &to));
    for (int64_t i = 0; i < n; i++)
        if (s->executor->is_double)
            ((double *)to)[i] = (double)values[i];
        else
            ((float *)to)[i] = values[i];
    return LT_OK;
}

int lt_session_read(lt_session *s, const lt_node *x, float *values, int64_t n)
{
    LT_TRY(check_size(x, n));
    void *from;
    if (s->executor->read)
        return is_ours(s, x) ? copied(s->executor->read(s->state, x, values), x) : fail_not_kept(x);
    LT_TRY(find_values(s, x, &from));
    for (int64_t i = 0; i < n; i++)
        values[i] = s->executor->is_double ? (float)((const double *)from)[i]
                                           : ((const float *)from)[i];
    return LT_OK;
}

int lt_session_read_doubles(lt_session *s, const lt_node *x, double *values, int64_t n)
{
    LT_TRY(check_size(x, n));
    if (!s->executor->is_double) {
        float *floats = must_alloc(sizeof *floats * (size_t)n);
        int status = lt_session_read(s, x, floats, n);
        for (int64_t i = 0; status == LT_OK && i < n; i++)
            values[i] = (double)floats[i];
        free(floats);
        return status;
    }
    void *from;
    LT_TRY(find_values(s, x, &from));
    memcpy(values, from, sizeof *values * (size_t)n);
    return LT_OK;
}

int lt_session_bind(lt_session *s, const lt_node *variable, lt_buffer *buffer, int64_t first)
{
    if (variable->graph != s->program->source || variable->op != &lt_op_variable)
        return status_fail(LT_VALUE, "session: only a variable of this graph can be bound, found %s",
                           variable->op->name);
    int64_t n = lt_shape_size(variable->shape);
    if (first < 0 || first > buffer->n || n > buffer->n - first)
        return status_fail(LT_VALUE, "session: \"%s\" needs %lld floats from element %lld on, but the buffer has %lld",
                           variable->name, (long long)n, (long long)first, (long long)buffer->n);
    if ((uintptr_t)(buffer->floats + first) % TENSOR_ALIGN)
        return status_fail(LT_VALUE, "session: memory for \"%s\" is not aligned to %d bytes",
                           variable->name, TENSOR_ALIGN);
    return s->executor->bind(s->state, variable, buffer, first);
}

int lt_session_profile(const lt_session *s, lt_profile_line *lines, int n)
{
    return s->executor->profile(s->state, lines, n);
}
