/* SPDX-License-Identifier: MIT */
/* What the two executors share. */
#ifndef LATENT_SESSION_H
#define LATENT_SESSION_H

#include "compile/program.h"

/* An executor: what a session does with a program. `state` is the executor's own. */
typedef struct executor {
    const char *name;
    void *(*create)(const lt_program *p, const lt_session_options *o);
    void (*free)(void *state);
    int (*run)(void *state, const lt_run_key *key);
    /* Sets where the values of node x of the source graph are; NULL: they are not kept. Fails when there
       is no memory for a variable. */
    int (*values)(void *state, const lt_node *x, void **values);
    /* The variable lives in memory of the caller from now on. */
    int (*bind)(void *state, const lt_node *variable, float *memory);
    int (*profile)(void *state, lt_profile_line *lines, int n);
    bool is_double;
} executor;

extern const executor executor_cpu, executor_reference;

#endif
