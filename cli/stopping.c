/* SPDX-License-Identifier: MIT */
/* How the tool is stopped. A handler runs on a stack of its own: kernels of oneDNN use the stack pointer
   as a data pointer, and what a handler wrote there would be lost weights. The library keeps signals away
   from its kernels as well; either would do. */
#define _GNU_SOURCE /* sigaltstack */
#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

enum {
    STACK_SIZE = 64 * 1024, /* more than a frame with the state of AVX-512 and AMX takes: 12 kB */
    ONE_WISH = 500          /* milliseconds */
};

static volatile sig_atomic_t stopped; /* the first signal; 0: none yet */
static struct timespec first;         /* when it came; handlers alone use it, one at a time */

static int64_t milliseconds_since(struct timespec t)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - t.tv_sec) * (int64_t)1000 + (now.tv_nsec - t.tv_nsec) / 1000000;
}

/* A later one ends the program at once. But timeout(1) signals the process and its group, a session that
   closes sends a hangup and a SIGTERM: two at a time are one wish, and there is something to save. A broken
   pipe stays broken, and ends nothing. */
static void on_signal(int number)
{
    int error = errno;
    if (!stopped) {
        clock_gettime(CLOCK_MONOTONIC, &first);
        stopped = number;
    } else if (number != SIGPIPE && milliseconds_since(first) > ONE_WISH) {
        signal(number, SIG_DFL);
        raise(number); /* it comes when the handler returns */
    }
    errno = error;
}

bool is_stopped(void) { return stopped != 0; }

int stop_code(void) { return 128 + (stopped ? (int)stopped : SIGINT); }

static void watch(int number)
{
    static const int watched[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    struct sigaction before, action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK | SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof watched / sizeof watched[0]; i++)
        sigaddset(&action.sa_mask, watched[i]);
    bool may_be_ignored = number == SIGHUP || number == SIGPIPE; /* by nohup, by who made the pipe */
    sigaction(number, NULL, &before);
    if (!may_be_ignored || before.sa_handler != SIG_IGN)
        sigaction(number, &action, NULL);
}

/* Unless there is one: a sanitizer's. */
static void use_own_stack(void)
{
    static _Alignas(64) char stack[STACK_SIZE];
    stack_t s = {.ss_sp = stack, .ss_size = sizeof stack}, now;
    if (sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_DISABLE))
        sigaltstack(&s, NULL);
}

void watch_signals(void)
{
    use_own_stack();
    watch(SIGINT);
    watch(SIGTERM);
    watch(SIGHUP);
}

void watch_training_signals(void)
{
    watch_signals();
    watch(SIGPIPE);
}
