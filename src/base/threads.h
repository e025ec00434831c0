/* SPDX-License-Identifier: MIT */
/* Loops shared out among threads: neighboring pieces to one thread, as far as all are equally fast.
   Which thread takes which piece is left to chance in the end, so a piece must not care; how many pieces there are must not depend on the number of threads. */
#ifndef LATENT_THREADS_H
#define LATENT_THREADS_H

#include <stdint.h>

enum { THREADS_MAX = 1023, THREADS_MAX_PIECES = 1 << 19 };

/* One piece of a loop: i in 0 ... n-1; worker in 0 ... threads-1, never two pieces of one worker at the
   same time. */
typedef void threads_function(void *context, int64_t i, int worker);

/* Calls f for each i < n, on the calling thread and up to threads - 1 others; returns when all are
   done. n < THREADS_MAX_PIECES. Inside f, and while another thread's loop runs, it is a plain loop. */
void threads_run(int threads, int64_t n, threads_function *f, void *context);

#endif
