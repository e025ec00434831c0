/* SPDX-License-Identifier: MIT */
/* Loops shared out among threads: every piece once, one piece of a worker at a time, whoever calls
   and however often. To be run under -fsanitize=thread now and then: needs status.c, threads.c. */
#define _GNU_SOURCE /* sched_setaffinity */
#include "base/threads.h"

#include <latent/base.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <cmocka.h>

enum { MAX_WORKERS = 64, CALLERS = 5 };

/* What a loop notes. cmocka knows only the thread that it runs tests on, so what is wrong is
   counted and asserted later. */
typedef struct notes {
    int threads;
    int64_t n;
    unsigned char *times;             /* of each piece; plain: a piece is one thread's at a time */
    atomic_bool is_busy[MAX_WORKERS]; /* a piece of that worker is running */
    int64_t done[MAX_WORKERS];        /* pieces of each worker; plain for the same reason */
    atomic_int wrong;
} notes;

static void note_piece(void *context, int64_t i, int worker)
{
    notes *a = context;
    if (i < 0 || i >= a->n || worker < 0 || worker >= a->threads ||
        atomic_exchange(&a->is_busy[worker], true)) {
        atomic_fetch_add(&a->wrong, 1);
        return;
    }
    a->times[i]++;
    a->done[worker]++;
    atomic_store(&a->is_busy[worker], false);
}

/* What is wrong with one loop of n pieces: 0 if nothing is. */
static int64_t count_wrong(int threads, int64_t n)
{
    notes a = {.threads = threads > 1 ? threads : 1, .n = n};
    a.times = calloc((size_t)n + 1, 1);
    threads_run(threads, n, note_piece, &a);
    int64_t wrong = atomic_load(&a.wrong), done = 0;
    for (int64_t i = 0; i < n; i++)
        wrong += a.times[i] != 1;
    for (int k = 0; k < MAX_WORKERS; k++)
        done += a.done[k];
    free(a.times);
    return wrong + (done != n);
}

/* ---- One loop ---- */

static void every_piece_runs_once(void **state)
{
    (void)state;
    static const int threads[] = {0, 1, 2, 3, 4, 7, 16, MAX_WORKERS};
    static const int64_t sizes[] = {0,  1,  2,   3,    4,     5,
                                    15, 63, 100, 1023, 20011, THREADS_MAX_PIECES - 1};
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
            if (count_wrong(threads[t], sizes[k]) != 0)
                fail_msg("%d threads, %jd pieces", threads[t], (intmax_t)sizes[k]);
}

static void pause_for(long milliseconds)
{
    nanosleep(&(struct timespec){0, milliseconds * 1000000}, NULL);
}

/* Pieces that give others the time to come. */
static void note_slow_piece(void *context, int64_t i, int worker)
{
    notes *a = context;
    int64_t before = worker < a->threads ? a->done[worker] : 0;
    note_piece(context, i, worker);
    pause_for(1);
    if (worker < a->threads && a->done[worker] != before + 1)
        atomic_fetch_add(&a->wrong, 1);
}

static void several_workers_take_part_also_after_sleep(void **state)
{
    (void)state;
    enum { N = 60 };
    for (int round = 0; round < 3; round++) {
        unsigned char times[N] = {0};
        notes a = {.threads = 4, .n = N, .times = times};
        threads_run(4, N, note_slow_piece, &a);
        int workers = 0;
        for (int k = 0; k < 4; k++)
            workers += a.done[k] > 0;
        assert_int_equal(atomic_load(&a.wrong), 0);
        assert_true(workers > 1);
        pause_for(20); /* they spin for much less */
    }
}

static void what_the_caller_wrote_is_seen_and_what_pieces_wrote_too(void **state)
{
    (void)state;
    enum { ROUNDS = 300, N = 64 };
    unsigned char times[N] = {0};
    for (int round = 1; round <= ROUNDS; round++) {
        notes a = {.threads = 4, .n = N, .times = times}; /* plain memory, written anew */
        threads_run(4, N, note_piece, &a);
        assert_int_equal(atomic_load(&a.wrong), 0);
        for (int i = 0; i < N; i++)
            assert_int_equal(times[i], round % 256);
    }
}

/* ---- Many loops ---- */

static void add_one(void *context, int64_t i, int worker)
{
    (void)worker;
    ((int *)context)[i * 16]++;
}

/* More than the 2^14 numbers that tell loops apart. */
static void short_loops_in_a_row(void **state)
{
    (void)state;
    enum { LOOPS = 200000 };
    int done[3 * 16] = {0};
    for (int k = 0; k < LOOPS; k++)
        threads_run(2 + k % 2, 2 + k % 2, add_one, done);
    assert_int_equal(done[0], LOOPS);
    assert_int_equal(done[16], LOOPS);
    assert_int_equal(done[32], LOOPS / 2);
}

static void loops_after_pauses(void **state)
{
    (void)state;
    for (int k = 0; k < 30; k++) {
        pause_for(k % 10); /* workers sleep, or are about to */
        assert_int_equal(count_wrong(2 + k % 3, 1 + 50 * (k % 4)), 0);
    }
}

/* ---- Loops in loops, loops beside loops ---- */

static void run_inner_loop(void *context, int64_t i, int worker)
{
    (void)worker;
    atomic_int *wrong = context;
    atomic_fetch_add(wrong, count_wrong(4, i) != 0);
}

static void loops_may_be_nested(void **state)
{
    (void)state;
    atomic_int wrong = 0;
    threads_run(4, 200, run_inner_loop, &wrong);
    assert_int_equal(atomic_load(&wrong), 0);
}

/* One of several threads that call at once; the number of their wrong loops. */
static void *call_many(void *argument)
{
    const int caller = (int)(intptr_t)argument;
    intptr_t wrong = 0;
    atomic_int wrong_inside = 0;
    for (int k = 0; k < 300; k++)
        wrong += count_wrong(1 + (caller + k) % 5, (caller * 37 + k) % 130) != 0;
    for (int k = 0; k < 10; k++)
        threads_run(3, 20, run_inner_loop, &wrong_inside);
    return (void *)(wrong + atomic_load(&wrong_inside));
}

static void several_threads_may_call_at_once(void **state)
{
    (void)state;
    pthread_t callers[CALLERS];
    for (int i = 0; i < CALLERS; i++)
        assert_int_equal(pthread_create(&callers[i], NULL, call_many, (void *)(intptr_t)i), 0);
    for (int i = 0; i < CALLERS; i++) {
        void *wrong;
        pthread_join(callers[i], &wrong);
        assert_null(wrong);
    }
}

/* A piece that lasts until it is let go, or for ten seconds. */
typedef struct gate {
    atomic_int waiting, open_at; /* it opens when as many wait */
    atomic_int given_up;
} gate;

static void wait_at_gate(void *context, int64_t i, int worker)
{
    (void)i, (void)worker;
    gate *g = context;
    atomic_fetch_add(&g->waiting, 1);
    for (int k = 0; atomic_load(&g->waiting) < atomic_load(&g->open_at); k++) {
        if (k == 10000) {
            atomic_fetch_add(&g->given_up, 1);
            return;
        }
        pause_for(1);
    }
}

static void *run_alone(void *g)
{
    threads_run(1, 1, wait_at_gate, g);
    return NULL;
}

/* What goes on in one thread of its own leaves the pool to others: two pieces meet meanwhile. */
static void a_loop_of_one_thread_takes_no_other(void **state)
{
    (void)state;
    gate beside = {.open_at = 2}, meeting = {.open_at = 2};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_alone, &beside), 0);
    for (int k = 0; atomic_load(&beside.waiting) == 0 && k < 10000; k++)
        pause_for(1);
    threads_run(2, 2, wait_at_gate, &meeting);
    atomic_fetch_add(&beside.waiting, 1);
    pthread_join(thread, NULL);
    assert_int_equal(atomic_load(&meeting.given_up), 0);
    assert_int_equal(atomic_load(&beside.given_up), 0);
}

/* ---- Cores ---- */

static void there_is_a_core_for_us(void **state)
{
    (void)state;
    assert_in_range(lt_cores(), 1, THREADS_MAX);
}

static void cores_are_those_we_may_use(void **state)
{
    (void)state;
#ifdef CPU_COUNT
    cpu_set_t before, one;
    assert_int_equal(sched_getaffinity(0, sizeof before, &before), 0);
    assert_int_equal(lt_cores(), CPU_COUNT(&before));
    int first = 0;
    while (!CPU_ISSET(first, &before))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    assert_int_equal(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(lt_cores(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof before, &before), 0);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_piece_runs_once),
        cmocka_unit_test(several_workers_take_part_also_after_sleep),
        cmocka_unit_test(what_the_caller_wrote_is_seen_and_what_pieces_wrote_too),
        cmocka_unit_test(short_loops_in_a_row),
        cmocka_unit_test(loops_after_pauses),
        cmocka_unit_test(loops_may_be_nested),
        cmocka_unit_test(several_threads_may_call_at_once),
        cmocka_unit_test(a_loop_of_one_thread_takes_no_other),
        cmocka_unit_test(there_is_a_core_for_us),
        cmocka_unit_test(cores_are_those_we_may_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
