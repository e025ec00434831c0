/* SPDX-License-Identifier: MIT */
/* Several instruction sets in one binary: gcc compiles a function once for each and picks at load
   time. Contraction is off, so all of them compute the same bits. Other compilers: only the baseline. */
#ifndef LATENT_CLONES_H
#define LATENT_CLONES_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define LT_CLONES __attribute__((target_clones("default", "avx2", "arch=x86-64-v4")))
#else
#define LT_CLONES
#endif

#endif
