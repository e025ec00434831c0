/* SPDX-License-Identifier: MIT */
/* Blocks signals on computing threads: kernels of oneDNN 2.6 use the stack pointer as a data pointer, so a signal
   handler on that stack would overwrite data. */
#ifndef LATENT_SIGNALS_H
#define LATENT_SIGNALS_H

#include <signal.h>

/* Blocks every signal from outside on the calling thread, but not those of its own faults (SIGSEGV, SIGFPE,
   abort ...). signals_restore delivers the pending ones, unless another thread of the host takes them. New threads
   inherit the mask. */
void signals_block(sigset_t *before);
void signals_restore(const sigset_t *before);

#endif
