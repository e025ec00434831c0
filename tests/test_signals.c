/* SPDX-License-Identifier: MIT */
/* A host program with handlers of its own, on the stack where they interrupt, in a storm of signals:
   kernels that use the stack pointer as a data pointer must never see one. Weights after some steps are
   those without the storm, bit for bit. */
#define _GNU_SOURCE
#include "base/file.h"
#include "base/signals.h"
#include "base/threads.h"

#include <latent/latent.h>

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <pthread.h>

#include <cmocka.h>

enum { MICROSECONDS = 200, SCRIBBLE = 4096 };

static volatile sig_atomic_t handled;

/* Uses some of the stack that it runs on, as handlers do. */
static void on_signal(int number)
{
    volatile char local[SCRIBBLE];
    for (int i = 0; i < SCRIBBLE; i++)
        local[i] = (char)(number + i);
    handled += local[SCRIBBLE - 1] == (char)(number + SCRIBBLE - 1);
}

/* ---- The storm: a timer of the process, and a thread that aims at the one that computes ---- */

typedef struct storm {
    pthread_t target, thread;
    atomic_bool is_over;
} storm;

static void *send_signals(void *context)
{
    storm *s = context;
    const struct timespec pause = {0, 1000 * MICROSECONDS};
    while (!atomic_load(&s->is_over)) {
        pthread_kill(s->target, SIGUSR1);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static void set_timer(long microseconds)
{
    struct itimerval t = {{0, microseconds}, {0, microseconds}};
    setitimer(ITIMER_REAL, &t, NULL);
}

/* Neither on a stack of its own nor restarting what it interrupts: a host may have such handlers. */
static void begin_storm(storm *s)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    handled = 0;
    s->target = pthread_self();
    atomic_store(&s->is_over, false);
    assert_int_equal(pthread_create(&s->thread, NULL, send_signals, s), 0);
    set_timer(MICROSECONDS);
}

static void end_storm(storm *s)
{
    set_timer(0);
    atomic_store(&s->is_over, true);
    pthread_join(s->thread, NULL);
}

/* ---- Training ---- */

/* Weights after `steps` steps; the caller frees them. */
static float *train(const char *preset, int threads, int steps, size_t *size)
{
    const char *sets[] = {"train.batch=16"};
    lt_dataset *data;
    lt_recipe *r;
    lt_recipe_open(preset, sets, 1, &r);
    assert_non_null(r);
    assert_int_equal(lt_dataset_synthetic(64, 28, 28, 1, NULL, &data), LT_OK);
    lt_model *m = lt_model_create(r, (lt_image_size){28, 28, 1});
    assert_non_null(m);
    lt_trainer *t = lt_trainer_create(m, data, &(lt_trainer_options){.run.threads = threads});
    assert_non_null(t);
    for (int i = 0; i < steps; i++)
        assert_int_equal(lt_trainer_step(t, NULL), LT_OK);

    lt_params *p = lt_model_params(m);
    *size = sizeof(float) * (size_t)lt_params_extent(p);
    float *weights = malloc(*size);
    memcpy(weights, lt_params_block(p), *size);
    lt_trainer_free(t);
    lt_model_free(m);
    lt_dataset_free(data);
    lt_recipe_free(r);
    return weights;
}

static void trains_to_the_same_bits(const char *preset, int threads, int steps)
{
    size_t n, n_quiet;
    storm s;
    float *quiet = train(preset, threads, steps, &n_quiet);
    begin_storm(&s);
    float *stormy = train(preset, threads, steps, &n);
    end_storm(&s);
    assert_int_equal(n, n_quiet);
    assert_memory_equal(stormy, quiet, n);
    assert_true(handled > steps / 4); /* it did blow */
    free(quiet);
    free(stormy);
}

static void a_storm_leaves_matmuls_alone(void **state)
{
    (void)state;
    trains_to_the_same_bits("i2dl-mlp-vae", 1, 120);
    trains_to_the_same_bits("i2dl-mlp-vae", 2, 120);
}

static void a_storm_leaves_convolutions_alone(void **state)
{
    (void)state;
    trains_to_the_same_bits("csci4968-conv-vae", 2, 6);
}

static void a_storm_leaves_adversaries_alone(void **state)
{
    (void)state;
    trains_to_the_same_bits("cs446-gan", 2, 20);
}

/* ---- Interrupted system calls ---- */

static atomic_int interruptions, calls[3];

/* Every first of two calls of ours is interrupted, as by a handler without SA_RESTART. */
static bool is_interrupted(int which)
{
    if (!interruptions || atomic_fetch_add(&calls[which], 1) % 2)
        return false;
    atomic_fetch_add(&interruptions, 1);
    errno = EINTR;
    return true;
}

/* Of this program, before the C library's. */
int fsync(int fd) { return is_interrupted(0) ? -1 : (int)syscall(SYS_fsync, fd); }

int flock(int fd, int operation)
{
    return is_interrupted(1) ? -1 : (int)syscall(SYS_flock, fd, operation);
}

ssize_t write(int fd, const void *data, size_t size)
{
    return is_interrupted(2) ? -1 : (ssize_t)syscall(SYS_write, fd, data, size);
}

static void interrupted_calls_are_made_again(void **state)
{
    (void)state;
    char dir[] = "/tmp/latent-signals-XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/file", dir);
    atomic_store(&interruptions, 1);
    int written = file_write(path, "one\n", 4), appended = file_append(path, "two");
    int made = atomic_exchange(&interruptions, 0);
    assert_int_equal(written, LT_OK);
    assert_int_equal(appended, LT_OK);
    assert_true(made > 4); /* fsync of the file and its directory, flock, write */
    bytes b;
    assert_int_equal(file_read(path, 100, &b), LT_OK);
    assert_string_equal((char *)b.data, "one\ntwo\n");
    bytes_clear(&b);
    unlink(path);
    rmdir(dir);
}

/* ---- Masks ---- */

static void note_mask(void *masks, int64_t i, int worker)
{
    (void)worker;
    pthread_sigmask(SIG_SETMASK, NULL, (sigset_t *)masks + i);
    nanosleep(&(struct timespec){0, 2000000}, NULL); /* lets the others take a piece */
}

static void workers_take_no_signals(void **state)
{
    (void)state;
    enum { PIECES = 64 };
    sigset_t masks[PIECES], mine;
    int blocked = 0;
    pthread_sigmask(SIG_SETMASK, NULL, &mine);
    threads_run(4, PIECES, note_mask, masks);
    for (int i = 0; i < PIECES; i++) {
        bool is_blocked = sigismember(&masks[i], SIGINT);
        assert_int_equal(sigismember(&masks[i], SIGALRM), is_blocked);
        assert_int_equal(sigismember(&masks[i], SIGPROF), is_blocked);
        assert_int_equal(sigismember(&masks[i], SIGSEGV), 0); /* a fault must be told */
        blocked += is_blocked;
    }
    assert_true(blocked > 0 && blocked < PIECES); /* the workers, and not the caller */
    assert_int_equal(sigismember(&mine, SIGINT), 0);
}

static void a_mask_is_put_back(void **state)
{
    (void)state;
    sigset_t mine, before, during, after;
    sigemptyset(&mine);
    sigaddset(&mine, SIGUSR2);
    pthread_sigmask(SIG_SETMASK, &mine, NULL);
    signals_block(&before);
    pthread_sigmask(SIG_SETMASK, NULL, &during);
    signals_restore(&before);
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    assert_true(sigismember(&during, SIGINT) && sigismember(&during, SIGUSR2));
    assert_false(sigismember(&during, SIGFPE));
    assert_true(sigismember(&after, SIGUSR2));
    assert_false(sigismember(&after, SIGINT));
    sigemptyset(&mine);
    pthread_sigmask(SIG_SETMASK, &mine, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_storm_leaves_matmuls_alone),
        cmocka_unit_test(a_storm_leaves_convolutions_alone),
        cmocka_unit_test(a_storm_leaves_adversaries_alone),
        cmocka_unit_test(interrupted_calls_are_made_again),
        cmocka_unit_test(workers_take_no_signals),
        cmocka_unit_test(a_mask_is_put_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
