/* SPDX-License-Identifier: MIT */
/* An executor: what a session does with a program. Rows of exec/executors.def. */
#ifndef LATENT_EXECUTOR_H
#define LATENT_EXECUTOR_H

#include "base/buffer.h"
#include "compile/program.h"

/* `state` is the executor's own. */
typedef struct executor {
    const char *name;
    const target *target; /* programs must be compiled for it; NULL: it runs the graph as written, of any program */
    void *(*create)(const lt_program *p, const lt_session_options *o);
    void (*free)(void *state);
    int (*run)(void *state, const lt_run_key *key);
    /* Sets where the values of node x of the source graph are; NULL: they are not kept. Fails when there
       is no memory for a variable. NULL for an executor whose values are not in memory of the host ... */
    int (*values)(void *state, const lt_node *x, void **values);
    bool is_double; /* what `values` gives: doubles, else floats */
    /* ... which copies them: all values of x; LT_NOT_FOUND, without a message, if they are not kept. */
    int (*write)(void *state, const lt_node *x, const float *values);
    int (*read)(void *state, const lt_node *x, float *values);
    /* The variable lives in this buffer from number `first` on. */
    int (*bind)(void *state, const lt_node *variable, lt_buffer *buffer, int64_t first);
    int (*profile)(void *state, lt_profile_line *lines, int n);
} executor;

#endif
