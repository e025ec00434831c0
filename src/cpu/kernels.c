/* SPDX-License-Identifier: MIT */
/* The CPU's kernels and tiles, by operator. */
#include "cpu/kernel.h"
#include "cpu/tiles.h"

/* KERNEL(matmul) becomes extern const cpu_kernel cpu_kernel_matmul; */
#define KERNEL(NAME) extern const cpu_kernel cpu_kernel_##NAME;
#include "cpu/kernels.def"
#undef KERNEL

static const cpu_kernel *const kernels[] = {
#define KERNEL(NAME) &cpu_kernel_##NAME,
#include "cpu/kernels.def"
#undef KERNEL
};

const cpu_kernel *cpu_find_kernel(const lt_op *op)
{
    for (int i = 0; i < COUNT_OF(kernels); i++)
        if (kernels[i]->op == op)
            return kernels[i];
    return NULL;
}

/* E1(exp, ...) becomes {&lt_op_exp, tile_exp}, */
static const struct {
    const lt_op *op;
    tile_function *tile;
} tiles[] = {
#define E1(NAME, ...) {&lt_op_##NAME, tile_##NAME},
#define E2 E1
#define E3 E1
#include "ops/eltwise.def"
#undef E1
#undef E2
#undef E3
};

tile_function *cpu_find_tile(const lt_op *op)
{
    for (int i = 0; i < COUNT_OF(tiles); i++)
        if (tiles[i].op == op)
            return tiles[i].tile;
    return NULL;
}
