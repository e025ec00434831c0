/* SPDX-License-Identifier: MIT */
/* A third executor and its target, known to tests alone: f32 values, one operator after another by its reference, no
   fusion, no epilogues, no packed weights, no pointers to its values. That it needs nothing but these records, and no
   operator knows of it, is what it is for. */
#ifndef LATENT_PLAIN_EXECUTOR_H
#define LATENT_PLAIN_EXECUTOR_H

#include "compile/executor.h"
#include "compile/storage.h"

#include <stdlib.h>
#include <string.h>

static const target target_plain = {.name = "plain", .max_group = 1};

static inline void plain_free(void *state)
{
    storage_clear(state);
    free(state);
}

static inline void *plain_create(const lt_program *p, const lt_session_options *o)
{
    storage *s = must_alloc(sizeof *s);
    if (storage_open(s, p, o->no_memory_reuse) == LT_OK)
        return s;
    plain_free(s);
    return NULL;
}

static inline double *plain_doubles(const float *x, int64_t n)
{
    double *values = must_alloc(sizeof *values * (size_t)n);
    for (int64_t i = 0; i < n; i++)
        values[i] = (double)x[i];
    return values;
}

static inline void plain_run_node(storage *s, const lt_node *y, const lt_run_key *key)
{
    int64_t n = lt_shape_size(y->shape);
    double **in = must_alloc(sizeof *in * (size_t)y->n_in), *out = must_alloc(sizeof *out * (size_t)n);
    for (int i = 0; i < y->n_in; i++)
        in[i] = plain_doubles(storage_values(s, y->in[i]), lt_shape_size(y->in[i]->shape));
    y->op->reference(
        &(lt_reference_call){.y = y, .in = (const double *const *)in, .out = out, .key = key});
    float *to = storage_values(s, y);
    for (int64_t i = 0; i < n; i++)
        to[i] = (float)out[i];
    for (int i = 0; i < y->n_in; i++)
        free(in[i]);
    free(in);
    free(out);
}

static inline int plain_run(void *state, const lt_run_key *key)
{
    storage *s = state;
    LT_TRY(storage_own_variables(s));
    for (int u = 0; u < s->program->n_groups; u++) {
        plain_run_node(s, s->program->groups[u].nodes[0], key);
        storage_poison_released(s, u);
    }
    return LT_OK;
}

static inline int plain_find(storage *s, const lt_node *x, float **values)
{
    void *found;
    LT_TRY(storage_kept_values(s, x, &found));
    *values = found;
    return found ? LT_OK : LT_NOT_FOUND;
}

static inline int plain_write(void *state, const lt_node *x, const float *values)
{
    float *to;
    LT_TRY(plain_find(state, x, &to));
    memcpy(to, values, sizeof *to * (size_t)lt_shape_size(x->shape));
    return LT_OK;
}

static inline int plain_read(void *state, const lt_node *x, float *values)
{
    float *from;
    LT_TRY(plain_find(state, x, &from));
    memcpy(values, from, sizeof *from * (size_t)lt_shape_size(x->shape));
    return LT_OK;
}

static inline int plain_bind(void *state, const lt_node *variable, lt_buffer *buffer, int64_t first)
{
    return storage_bind(state, variable, buffer, first);
}

static inline int plain_profile(void *state, lt_profile_line *lines, int n)
{
    (void)state, (void)lines, (void)n;
    return 0;
}

static const executor executor_plain = {.name = "plain",
                                        .target = &target_plain,
                                        .create = plain_create,
                                        .free = plain_free,
                                        .run = plain_run,
                                        .write = plain_write,
                                        .read = plain_read,
                                        .bind = plain_bind,
                                        .profile = plain_profile};

#endif
