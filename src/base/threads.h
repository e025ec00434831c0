/* SPDX-License-Identifier: MIT */
/* Parallel loops. Each thread gets neighboring pieces, and idle threads take pieces of slower ones, so results must
   not depend on which thread runs a piece, nor the number of pieces on the number of threads. */
#ifndef LATENT_THREADS_H
#define LATENT_THREADS_H

#include <stdint.h>

enum { THREADS_MAX = 1023, THREADS_MAX_PIECES = 1 << 19 };

/* One piece of a loop: i in 0 ... n-1; worker in 0 ... threads-1. A worker runs one piece at a time. */
typedef void threads_function(void *context, int64_t i, int worker);

/* Calls f for each i < n, on the calling thread and up to threads - 1 others; returns when all are
   done. n < THREADS_MAX_PIECES. Inside f, and while another thread's loop runs, the loop is sequential. */
void threads_run(int threads, int64_t n, threads_function *f, void *context);

#endif
