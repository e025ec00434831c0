/* SPDX-License-Identifier: MIT */
/* How the tool is stopped. A handler runs on a stack of its own: kernels of oneDNN use the stack pointer
   as a data pointer, and what a handler wrote there would be lost weights. The library keeps signals away
   from its kernels as well; either would do. */
#define _GNU_SOURCE /* sigaltstack */
#include "cli.h"

#include <signal.h>

enum { STACK_SIZE = 64 * 1024 }; /* more than a frame with the state of AVX-512 and AMX takes: 12 kB */

static volatile sig_atomic_t stopped; /* the first signal; 0: none yet */

static void on_signal(int number)
{
    if (!stopped)
        stopped = number;
}

bool is_stopped(void) { return stopped != 0; }

int stop_code(void) { return 128 + (stopped ? (int)stopped : SIGINT); }

/* The second one of a kind ends the program at once; but a broken pipe stays broken, and ends nothing
   that has something to save. */
static void watch(int number)
{
    struct sigaction before, action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK | SA_RESTART};
    if (number != SIGPIPE)
        action.sa_flags |= (int)SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    sigaction(number, NULL, &before);
    if (number == SIGHUP && before.sa_handler == SIG_IGN) /* nohup */
        return;
    sigaction(number, &action, NULL);
}

static void use_own_stack(void)
{
    static _Alignas(64) char stack[STACK_SIZE];
    stack_t s = {.ss_sp = stack, .ss_size = sizeof stack};
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
