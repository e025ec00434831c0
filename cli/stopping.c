/* SPDX-License-Identifier: MIT */
/* Stopping the tool. Handlers run on their own stack: kernels of oneDNN use the stack pointer as a data pointer, so a
   handler on the normal stack would overwrite weights. The library also blocks signals in its kernels; either
   would suffice. */
#define _GNU_SOURCE /* sigaltstack */
#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

enum {
    STACK_SIZE = 64 * 1024, /* more than a frame with the state of AVX-512 and AMX, 12 kB */
    ONE_WISH = 500          /* milliseconds */
};

static volatile sig_atomic_t stopped; /* the first signal; 0: none yet */
static struct timespec first;         /* its time; used only by handlers, one at a time */

static int64_t milliseconds_since(struct timespec t)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - t.tv_sec) * (int64_t)1000 + (now.tv_nsec - t.tv_nsec) / 1000000;
}

/* A later signal ends the program at once. But timeout(1) signals the process and its group, and a closing session
   sends SIGHUP and SIGTERM: two signals within ONE_WISH count as one, since there is something to save. A second
   SIGPIPE does not end the program. */
static void on_signal(int number)
{
    int error = errno;
    if (!stopped) {
        clock_gettime(CLOCK_MONOTONIC, &first);
        stopped = number;
    } else if (number != SIGPIPE && milliseconds_since(first) > ONE_WISH) {
        signal(number, SIG_DFL);
        raise(number); /* delivered when the handler returns */
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

/* Keeps an existing one: a sanitizer's. */
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
