/* SPDX-License-Identifier: MIT */
/* Signals are kept away from threads that compute: kernels of oneDNN 2.6 use the stack pointer as a data
   pointer, so a handler that the kernel runs on that stack writes into whatever it points at. */
#ifndef LATENT_SIGNALS_H
#define LATENT_SIGNALS_H

#include <signal.h>

/* Blocks on the calling thread every signal that comes from outside; those of its own faults (SIGSEGV,
   SIGFPE, abort ...) stay. What arrives meanwhile is delivered by signals_restore, or at once to
   another thread of the host that takes it. Threads inherit the mask of the one that makes them. */
void signals_block(sigset_t *before);
void signals_restore(const sigset_t *before);

#endif
