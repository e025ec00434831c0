/* SPDX-License-Identifier: MIT */
#include "base/signals.h"

#include <stddef.h>

/* A blocked fault kills the process without its handler: a debugger's, a sanitizer's. */
static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};

void signals_block(sigset_t *before)
{
    sigset_t outside;
    sigfillset(&outside);
    for (unsigned i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigdelset(&outside, faults[i]);
    pthread_sigmask(SIG_BLOCK, &outside, before);
}

void signals_restore(const sigset_t *before) { pthread_sigmask(SIG_SETMASK, before, NULL); }
