/* SPDX-License-Identifier: MIT */
/* Failures that travel: thread-local message, status code, log lines, assertions. */
#ifndef LATENT_STATUS_H
#define LATENT_STATUS_H

#include <latent/base.h>

#include <stdarg.h>

/* Formats the thread's error message and returns `status`. What a %s stands for is made printable, on one
   line: it may be a name from outside. Lines are the format's own. */
int status_fail(int status, const char *format, ...) LT_PRINTF(2, 3);
int status_fail_list(int status, const char *format, va_list args) LT_PRINTF(2, 0);

/* Puts "prefix: " before the thread's error message and returns `status`: says where from. */
int status_prefix(int status, const char *format, ...) LT_PRINTF(2, 3);

/* Adds to the thread's error message. */
void status_append(const char *format, ...) LT_PRINTF(1, 2);

void log_info(const char *format, ...) LT_PRINTF(1, 2);
void log_pause(bool is_paused); /* of this thread: lines of the log are dropped */
void log_warning(const char *format, ...) LT_PRINTF(1, 2);

_Noreturn void assert_fail(const char *file, int line, const char *what);

/* Our own bugs only; never for input. Stays in every build: none of them is in an inner loop. */
#define LT_ASSERT(condition) ((condition) ? (void)0 : assert_fail(__FILE__, __LINE__, #condition))

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

#endif
