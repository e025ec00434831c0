/* SPDX-License-Identifier: MIT */
/* What this library was built with, and what it uses on this machine. */
#include "base/text.h"
#include "cpu/onednn.h"
#include "cpu/simd.h"

#include <stdio.h>

/* The instruction set of our own kernels: what gcc's clones resolve to. */
static const char *own_isa(void)
{
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq"))
        return "avx512";
    return __builtin_cpu_supports("avx2") ? "avx2" : "baseline x86-64";
#else
    return "baseline";
#endif
}

size_t lt_describe_build(char *words, size_t size)
{
    text t = {0};
    text_format(&t, "latent    %s\n", lt_version());
#if defined(__clang__)
    text_format(&t, "compiler  clang %s\n", __clang_version__);
#else
    text_format(&t, "compiler  gcc %s\n", __VERSION__);
#endif
    text_format(&t, "kernels   %s; exp, log, tanh, erf of %s\n", own_isa(),
                LT_VECTOR_MATH ? "the C library's vector forms"
                               : "the C library, one at a time (no vector forms here)");
    text_format(&t, "matmul    oneDNN %s, %s\n", onednn_version(), onednn_isa());
    text_format(&t, "threads   %d\n", lt_cores());
    snprintf(words, size, "%s", text_get(&t));
    size_t length = t.size;
    text_clear(&t);
    return length;
}
