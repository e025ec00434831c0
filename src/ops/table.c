/* SPDX-License-Identifier: MIT */
/* The list of all operators. An explicit list, not linker sections: the order is visible and static
   linking cannot drop an entry. */
#include "ops/attributes.h"

const lt_op *const op_table[] = {
#define E1(NAME, ...) &lt_op_##NAME,
#define E2 E1
#define E3 E1
#include "ops/eltwise.def"
#undef E1
#undef E2
#undef E3
#define OP(NAME) &lt_op_##NAME,
#include "ops/ops.def"
#undef OP
    NULL};
