/* SPDX-License-Identifier: MIT */
/* Matmul on the CPU: oneDNN. */
#include "cpu/kernel.h"
#include "cpu/onednn.h"

static void *matmul_plan(const lt_node *y, int threads)
{
    const matmul_attr *m = y->attr;
    return onednn_matmul_create(&(onednn_matmul_spec){
        .n = y->shape.d[0], .k = matmul_depth(y), .m = y->shape.d[1], .threads = threads,
        .transpose_a = m->transpose_a, .transpose_b = m->transpose_b, .has_bias = m->has_bias,
        .activation = m->activation, .parameter = m->parameter});
}

static void matmul_release(void *kernel) { onednn_matmul_free(kernel); }

static void matmul_eval(const cpu_call *c)
{
    bool has_bias = ((const matmul_attr *)c->y->attr)->has_bias;
    onednn_matmul_run(c->kernel, c->in[0], c->in[1], has_bias ? c->in[2] : NULL, c->out,
                      c->threads);
}

const cpu_kernel cpu_kernel_matmul = {
    .op = &lt_op_matmul, .plan = matmul_plan, .release = matmul_release, .run = matmul_eval};
