/* SPDX-License-Identifier: MIT */
/* Gathering rows by index on the CPU, and its transpose. */
#include "cpu/kernel.h"
#include "ops/rows.h"

#include <string.h>

static void gather_eval(const cpu_call *c)
{
    int64_t n = c->y->shape.d[0], rows = c->y->in[0]->shape.d[0], size = row_size(c->y);
    for (int64_t i = 0; i < n; i++) {
        float at = c->in[1][i];
        if (is_inside((double)at, rows))
            memcpy(c->out + i * size, c->in[0] + (int64_t)at * size, sizeof *c->out * (size_t)size);
        else
            memset(c->out + i * size, 0, sizeof *c->out * (size_t)size);
    }
}

static void scatter_eval(const cpu_call *c)
{
    int64_t n = c->y->in[0]->shape.d[0], rows = c->y->shape.d[0], size = row_size(c->y);
    memset(c->out, 0, sizeof *c->out * (size_t)(rows * size));
    for (int64_t i = 0; i < n; i++) {
        float at = c->in[1][i];
        for (int64_t k = 0; k < size && is_inside((double)at, rows); k++)
            c->out[(int64_t)at * size + k] += c->in[0][i * size + k];
    }
}

const cpu_kernel cpu_kernel_gather_rows = {.op = &lt_op_gather_rows, .run = gather_eval};
const cpu_kernel cpu_kernel_scatter_rows = {.op = &lt_op_scatter_rows, .run = scatter_eval};
