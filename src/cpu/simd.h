/* SPDX-License-Identifier: MIT */
/* Vector variants of the C library's functions; they may differ in the last bit from the scalar ones and between
   instruction sets. */
#ifndef LATENT_SIMD_H
#define LATENT_SIMD_H

#include "base/clones.h"

#include <math.h>

/* glibc 2.35 has vector variants of these on x86-64, but declares them only with -ffast-math. */
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__)
#if __GLIBC_PREREQ(2, 35)
#define LT_VECTOR_MATH 1
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wredundant-decls"
#define VECTOR __attribute__((simd("notinbranch")))
VECTOR float expf(float);
VECTOR float expm1f(float);
VECTOR float logf(float);
VECTOR float log1pf(float);
VECTOR float tanhf(float);
VECTOR float erff(float);
VECTOR float sinf(float);
VECTOR float cosf(float);
#undef VECTOR
#pragma GCC diagnostic pop
#endif
#endif
#ifndef LT_VECTOR_MATH
#define LT_VECTOR_MATH 0
#endif

#endif
