/* SPDX-License-Identifier: MIT */
/* An executor runs a program for a session. Its records are the rows of exec/executors.def. */
#ifndef LATENT_EXECUTOR_H
#define LATENT_EXECUTOR_H

#include "base/buffer.h"
#include "compile/program.h"

/* `state` is what create() returned. */
typedef struct executor {
    const char *name;
    const target *target; /* programs must be compiled for it; NULL: runs the graph as written, of any program */
    void *(*create)(const lt_program *p, const lt_session_options *o);
    void (*free)(void *state);
    int (*run)(void *state, const lt_run_key *key);
    /* Sets *values to those of node x of the source graph; NULL: not kept. Fails if there is no memory for a
       variable. NULL for an executor whose values are not in host memory, which has read and write instead. */
    int (*values)(void *state, const lt_node *x, void **values);
    bool is_double; /* `values` are doubles, else floats */
    /* Copy all values of x; return LT_NOT_FOUND without a message if they are not kept. */
    int (*write)(void *state, const lt_node *x, const float *values);
    int (*read)(void *state, const lt_node *x, float *values);
    /* Stores the variable in this buffer from element `first` on. */
    int (*bind)(void *state, const lt_node *variable, lt_buffer *buffer, int64_t first);
    int (*profile)(void *state, lt_profile_line *lines, int n);
} executor;

#endif
