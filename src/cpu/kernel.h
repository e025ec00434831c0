/* SPDX-License-Identifier: MIT */
/* CPU kernels of operators that are not elementwise: f32, in host memory. Adding one is a record in a file of cpu/
   and its line in kernels.def. */
#ifndef LATENT_KERNEL_H
#define LATENT_KERNEL_H

#include "ops/attributes.h"

/* One run of one node. */
typedef struct cpu_call {
    const lt_node *y;
    const float *const *in;
    float *out;
    void *kernel; /* what plan() returned, or NULL */
    const lt_run_key *key;
    int threads;
} cpu_call;

typedef struct cpu_kernel {
    const lt_op *op;
    /* Optional; called once per session. Returns the `kernel` passed to run, or NULL with an error. */
    void *(*plan)(const lt_node *y, int threads);
    void (*release)(void *kernel);
    void (*run)(const cpu_call *c); /* floats in, floats out; no allocation */
} cpu_kernel;

/* Returns the operator's kernel, or NULL: it is fused or a view. */
const cpu_kernel *cpu_find_kernel(const lt_op *op);

#endif
