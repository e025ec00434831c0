/* SPDX-License-Identifier: MIT */
/* Who is working on a run. */
#ifndef LATENT_RUN_LOCK_H
#define LATENT_RUN_LOCK_H

#include <latent/base.h>

/* Whether a process is working on the run: it holds the lock of the directory. False where that cannot be
   told. */
bool run_is_locked(const char *dir);

#endif
