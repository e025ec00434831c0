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

lt_session *lt_session_create(const lt_program *p, const lt_session_options *o)
{
    lt_session_options options = o ? *o : (lt_session_options){0};
    if (options.threads < 0 || options.threads > THREADS_MAX) {
        status_fail(LT_VALUE, "threads must be between 1 and %d (0: all), found %d",
                    THREADS_MAX, options.threads);
        return NULL;
    }
    if (options.threads == 0)
        options.threads = lt_cores();
    const executor *e = options.executor == LT_REFERENCE ? &executor_reference : &executor_cpu;
    void *state = e->create(p, &options);
    if (!state)
        return NULL;
    lt_session *s = must_alloc(sizeof *s);
    *s = (lt_session){.program = p, .executor = e, .state = state};
    return s;
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
    lt_program *p = lt_compile(g, targets, n);
    if (!p)
        return LT_GRAPH;
    *out = lt_session_create(p, o);
    if (*out)
        (*out)->owned = p;
    else
        lt_program_free(p);
    return *out ? LT_OK : LT_NO_MEMORY;
}

const lt_program *lt_session_program(const lt_session *s) { return s->program; }

int lt_session_run(lt_session *s, const lt_run_key *key)
{
    return s->executor->run(s->state, key ? key : &(lt_run_key){0});
}

/* ---- Values ---- */

static int find_values(lt_session *s, const lt_node *x, void **values)
{
    *values = NULL;
    if (x->graph == s->program->source && x->id >= 0)
        LT_TRY(s->executor->values(s->state, x, values));
    if (!*values)
        return status_fail(LT_VALUE,
                           "session: the values of %s \"%s\" are not kept; only those of inputs, "
                           "variables and targets are",
                           x->op->name, x->name);
    return LT_OK;
}

static void *find_typed(lt_session *s, const lt_node *x, bool is_double)
{
    void *values;
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
    LT_TRY(find_values(s, x, &from));
    for (int64_t i = 0; i < n; i++)
        values[i] = s->executor->is_double ? (float)((const double *)from)[i]
                                           : ((const float *)from)[i];
    return LT_OK;
}

int lt_session_bind(lt_session *s, const lt_node *variable, float *memory)
{
    if (variable->graph != s->program->source || variable->op != &lt_op_variable)
        return status_fail(LT_VALUE, "session: only a variable of this graph can be bound, found %s",
                           variable->op->name);
    if ((uintptr_t)memory % TENSOR_ALIGN)
        return status_fail(LT_VALUE, "session: memory for \"%s\" is not aligned to %d bytes",
                           variable->name, TENSOR_ALIGN);
    return s->executor->bind(s->state, variable, memory);
}

int lt_session_profile(const lt_session *s, lt_profile_line *lines, int n)
{
    return s->executor->profile(s->state, lines, n);
}
