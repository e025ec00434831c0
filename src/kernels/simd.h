/* SPDX-License-Identifier: MIT */
/* Vector forms of the C library's functions, and several instruction sets in one binary. */
#ifndef LATENT_SIMD_H
#define LATENT_SIMD_H

#include <math.h>

/* gcc compiles a function once per instruction set and picks at load time; contraction is off, so
   all of them compute the same bits but for the vector exp, log, tanh ... of the C library. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define LT_CLONES __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#else
#define LT_CLONES
#endif

/* glibc 2.35 has vector variants of these on x86-64, but declares them under -ffast-math only. */
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
