/* SPDX-License-Identifier: MIT */
/* limits.h: ceilings that readers hold to, whatever a file says; `latent limits` prints them. */
#ifndef LATENT_LIMITS_H
#define LATENT_LIMITS_H

#include <latent/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lt_limit {
    const char *name; /* as messages have it: "picture.pixels" */
    uint64_t value;
    const char *unit, *meaning;
} lt_limit;

/* 0 <= i < lt_limit_count(), NULL for others. Static. */
LT_API int lt_limit_count(void);
LT_API const lt_limit *lt_limit_get(int i);

#ifdef __cplusplus
}
#endif
#endif
