/* SPDX-License-Identifier: MIT */
/* Error handling: thread-local message, status code, log lines, assertions. */
#ifndef LATENT_STATUS_H
#define LATENT_STATUS_H

#include <latent/base.h>

#include <stdarg.h>

/* Formats the thread's error message and returns `status`. Makes arguments of %s printable, on one line,
   since they may be names from outside; only the format may break lines. */
int status_fail(int status, const char *format, ...) LT_PRINTF(2, 3);
int status_fail_list(int status, const char *format, va_list args) LT_PRINTF(2, 0);

/* Prepends "prefix: ", the place of the error, to the thread's error message and returns `status`. */
int status_prefix(int status, const char *format, ...) LT_PRINTF(2, 3);

/* Appends to the thread's error message. */
void status_append(const char *format, ...) LT_PRINTF(1, 2);

void log_info(const char *format, ...) LT_PRINTF(1, 2);
void log_pause(bool is_paused); /* drops the log lines of this thread while paused */
void log_warning(const char *format, ...) LT_PRINTF(1, 2);

_Noreturn void assert_fail(const char *file, int line, const char *what);

/* For bugs of the program, never for input. Enabled in every build, so keep it out of inner loops. */
#define LT_ASSERT(condition) ((condition) ? (void)0 : assert_fail(__FILE__, __LINE__, #condition))

#define COUNT_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

#endif
