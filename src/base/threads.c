/* SPDX-License-Identifier: MIT */
/* One pool for the process. A loop ends when all its pieces are done, not when all threads have come
   by: on a busy machine a thread that is not running at the moment is not waited for. */
#define _GNU_SOURCE /* sched_getaffinity */
#include "base/threads.h"

#include "base/status.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

/* The running loop in one word, so that a piece is claimed by one compare-and-swap, and only of the
   loop that is running: number of the loop, threads that may help, pieces, next piece. */
enum { PIECE_BITS = 20, THREAD_BITS = 10, LOOP_BITS = 64 - 2 * PIECE_BITS - THREAD_BITS };

typedef struct ticket {
    int64_t next, n;
    int threads;
    unsigned loop;
} ticket;

static uint64_t pack(ticket t)
{
    return (uint64_t)t.next | (uint64_t)t.n << PIECE_BITS |
           (uint64_t)t.threads << (2 * PIECE_BITS) |
           (uint64_t)t.loop << (2 * PIECE_BITS + THREAD_BITS);
}

static ticket unpack(uint64_t word)
{
    const uint64_t piece = (1 << PIECE_BITS) - 1, thread = (1 << THREAD_BITS) - 1;
    return (ticket){.next = (int64_t)(word & piece),
                    .n = (int64_t)(word >> PIECE_BITS & piece),
                    .threads = (int)(word >> (2 * PIECE_BITS) & thread),
                    .loop = (unsigned)(word >> (2 * PIECE_BITS + THREAD_BITS))};
}

static struct pool {
    pthread_mutex_t owner; /* held by the thread whose loop runs */
    pthread_mutex_t mutex; /* of the condition */
    pthread_cond_t work;
    int n_workers; /* threads beside the caller's; changed by the owner alone */
    unsigned loop;
    /* of the running loop: written before its ticket, read after a piece of it was claimed */
    threads_function *f;
    void *context;
    _Alignas(64) _Atomic uint64_t ticket;
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

static bool has_work(uint64_t word, int worker)
{
    ticket t = unpack(word);
    return t.next < t.n && worker < t.threads;
}

/* Runs pieces of the loop until none is left to claim. */
static void work(int worker)
{
    uint64_t word = atomic_load(&pool.ticket);
    while (has_work(word, worker)) {
        if (!atomic_compare_exchange_weak(&pool.ticket, &word, word + 1))
            continue;
        pool.f(pool.context, unpack(word).next, worker);
        atomic_fetch_sub(&pool.left, 1);
        word = atomic_load(&pool.ticket);
    }
}

static void wait_for_work(int worker)
{
    for (int i = 0; i < SPINS; i++) {
        if (has_work(atomic_load_explicit(&pool.ticket, memory_order_acquire), worker))
            return;
        relax();
    }
    pthread_mutex_lock(&pool.mutex);
    atomic_fetch_add(&pool.sleepers, 1);
    while (!has_work(atomic_load(&pool.ticket), worker))
        pthread_cond_wait(&pool.work, &pool.mutex);
    atomic_fetch_sub(&pool.sleepers, 1);
    pthread_mutex_unlock(&pool.mutex);
}

static void *run_worker(void *argument)
{
    int worker = (int)(intptr_t)argument;
    for (;;) {
        wait_for_work(worker);
        work(worker);
    }
    return NULL;
}

/* Fewer than asked for is no error: the caller does what they would have done. */
static void grow_pool(int workers)
{
    pthread_attr_t attr;
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
}

static void start_loop(int threads, int64_t n, threads_function *f, void *context)
{
    pool.f = f;
    pool.context = context;
    atomic_store(&pool.left, n);
    pool.loop = (pool.loop + 1) % (1u << LOOP_BITS);
    atomic_store(&pool.ticket, pack((ticket){.n = n, .threads = threads, .loop = pool.loop}));
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
    work(0);
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
