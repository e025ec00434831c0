/* SPDX-License-Identifier: MIT */
/* The lock of a run directory. */
#ifndef LATENT_RUN_LOCK_H
#define LATENT_RUN_LOCK_H

#include <latent/base.h>

/* Returns whether a process works on the run, that is, holds the lock. False if that cannot be determined. */
bool run_is_locked(const char *dir);

#endif
