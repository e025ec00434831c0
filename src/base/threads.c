/* SPDX-License-Identifier: MIT */
/* One pool for the process. A loop ends when all its pieces are done, without waiting for threads that a busy
   machine does not run at the moment. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "base/threads.h"

#include "base/signals.h"
#include "base/status.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

/* Each thread gets a range of the pieces, so that in consecutive loops it works on the same part of the data, which
   is in its caches. A thread that is done with its range takes pieces of other ranges. */

/* The rest of a range in one word, so that one compare-and-swap claims a piece, and only of the running loop:
   number of the loop, next piece, end. */
enum { PIECE_BITS = 20, LOOP_BITS = 64 - 2 * PIECE_BITS };

typedef struct range {
    int64_t next, end;
    unsigned loop;
} range;

static uint64_t pack(range r)
{
    return (uint64_t)r.next | (uint64_t)r.end << PIECE_BITS | (uint64_t)r.loop << (2 * PIECE_BITS);
}

static range unpack(uint64_t word)
{
    const uint64_t piece = (1 << PIECE_BITS) - 1;
    return (range){.next = (int64_t)(word & piece),
                   .end = (int64_t)(word >> PIECE_BITS & piece),
                   .loop = (unsigned)(word >> (2 * PIECE_BITS))};
}

/* A word with a cache line of its own. */
typedef struct shared_word {
    _Alignas(64) _Atomic uint64_t word;
} shared_word;

/* The running loop: its number, and the threads that may help. */
enum { THREAD_BITS = 16 };

static uint64_t pack_ticket(unsigned loop, int threads)
{
    return (uint64_t)loop << THREAD_BITS | (uint64_t)threads;
}

static unsigned loop_of(uint64_t ticket) { return (unsigned)(ticket >> THREAD_BITS); }
static int threads_of(uint64_t ticket) { return (int)(ticket & ((1 << THREAD_BITS) - 1)); }

static struct pool {
    pthread_mutex_t owner; /* held by the thread whose loop runs */
    pthread_mutex_t mutex; /* of the condition */
    pthread_cond_t work;
    int n_workers; /* threads beside the caller's; changed by the owner alone */
    unsigned loop;
    /* of the running loop: written before its ranges, read after a piece of it was claimed */
    threads_function *f;
    void *context;
    shared_word ticket, ranges[THREADS_MAX];
    _Alignas(64) atomic_int_fast64_t left; /* pieces not done */
    _Alignas(64) atomic_int sleepers;
} pool = {.owner = PTHREAD_MUTEX_INITIALIZER,
          .mutex = PTHREAD_MUTEX_INITIALIZER,
          .work = PTHREAD_COND_INITIALIZER};

/* About 20 us of spinning: longer than what lies between the loops of a training step, shorter than
   anybody notices. */
enum { SPINS = 500 };

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Claims a piece of the loop from what is left of a range. */
static bool claim(int of, unsigned loop, int64_t *piece)
{
    _Atomic uint64_t *at = &pool.ranges[of].word;
    uint64_t word = atomic_load(at);
    for (range r = unpack(word); r.loop == loop && r.next < r.end; r = unpack(word))
        if (atomic_compare_exchange_weak(at, &word, word + 1)) {
            *piece = r.next;
            return true;
        }
    return false;
}

/* Runs pieces of the loop until none is left to claim, its own first. */
static void work(int worker, uint64_t ticket)
{
    int threads = threads_of(ticket);
    for (int i = 0; worker < threads && i < threads; i++) {
        int64_t piece;
        while (claim((worker + i) % threads, loop_of(ticket), &piece)) {
            pool.f(pool.context, piece, worker);
            atomic_fetch_sub(&pool.left, 1);
        }
    }
}

/* The ticket of a loop after the one numbered `seen`. */
static uint64_t wait_for_loop(unsigned seen)
{
    uint64_t ticket;
    for (int i = 0; i < SPINS; i++) {
        ticket = atomic_load_explicit(&pool.ticket.word, memory_order_acquire);
        if (loop_of(ticket) != seen)
            return ticket;
        relax();
    }
    pthread_mutex_lock(&pool.mutex);
    atomic_fetch_add(&pool.sleepers, 1);
    while (loop_of(ticket = atomic_load(&pool.ticket.word)) == seen)
        pthread_cond_wait(&pool.work, &pool.mutex);
    atomic_fetch_sub(&pool.sleepers, 1);
    pthread_mutex_unlock(&pool.mutex);
    return ticket;
}

static void *run_worker(void *argument)
{
    int worker = (int)(intptr_t)argument;
    for (uint64_t ticket = 0;;) { /* loops are numbered from 1, but for one in 16 million: it may miss that */
        ticket = wait_for_loop(loop_of(ticket));
        work(worker, ticket);
    }
    return NULL;
}

/* Fewer than asked for is no error: the caller does what they would have done. Workers never take a
   signal: they are the host's business, and kernels must not be interrupted by a handler. */
static void grow_pool(int workers)
{
    if (pool.n_workers >= workers)
        return;
    pthread_attr_t attr;
    sigset_t before;
    signals_block(&before);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    while (pool.n_workers < workers) {
        pthread_t thread;
        void *argument = (void *)(intptr_t)(pool.n_workers + 1);
        if (pthread_create(&thread, &attr, run_worker, argument) != 0)
            break;
        pool.n_workers++;
    }
    pthread_attr_destroy(&attr);
    signals_restore(&before);
}

static void start_loop(int threads, int64_t n, threads_function *f, void *context)
{
    pool.f = f;
    pool.context = context;
    atomic_store(&pool.left, n);
    pool.loop = (pool.loop + 1) % (1u << LOOP_BITS);
    for (int i = 0; i < threads; i++)
        atomic_store(&pool.ranges[i].word,
                     pack((range){n * i / threads, n * (i + 1) / threads, pool.loop}));
    atomic_store(&pool.ticket.word, pack_ticket(pool.loop, threads));
    if (atomic_load(&pool.sleepers) > 0) {
        pthread_mutex_lock(&pool.mutex);
        pthread_cond_broadcast(&pool.work);
        pthread_mutex_unlock(&pool.mutex);
    }
}

static void finish_loop(void)
{
    for (int i = 0; atomic_load_explicit(&pool.left, memory_order_acquire) > 0; i++)
        if (i < SPINS)
            relax();
        else
            sched_yield(); /* whoever has the last piece may be waiting for this core */
}

void threads_run(int threads, int64_t n, threads_function *f, void *context)
{
    LT_ASSERT(n < THREADS_MAX_PIECES && threads <= THREADS_MAX);
    if (threads > n)
        threads = (int)n;
    if (threads <= 1 || pthread_mutex_trylock(&pool.owner) != 0) {
        for (int64_t i = 0; i < n; i++)
            f(context, i, 0);
        return;
    }
    grow_pool(threads - 1);
    start_loop(threads, n, f, context);
    work(0, atomic_load(&pool.ticket.word));
    finish_loop();
    pthread_mutex_unlock(&pool.owner);
}

int lt_cores(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);
#ifdef CPU_COUNT
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        n = CPU_COUNT(&set);
#endif
    return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : (int)n;
}
