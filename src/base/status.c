/* SPDX-License-Identifier: MIT */
/* Status names, the thread's last error, the log hook. */
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_SIZE = 3 * 4096 }; /* two paths and a description */

static _Thread_local char message[MESSAGE_SIZE];
static lt_log_function *log_hook;
static void *log_user;

const char *lt_status_name(int status)
{
    switch (status) {
#define X(name, value, text)                                                                       \
    case value:                                                                                    \
        return "LT_" #name;
        LT_STATUS_LIST(X)
#undef X
    }
    return "LT_UNKNOWN";
}

const char *lt_status_text(int status)
{
    switch (status) {
#define X(name, value, text)                                                                       \
    case value:                                                                                    \
        return text;
        LT_STATUS_LIST(X)
#undef X
    }
    return "unknown status";
}

const char *lt_last_error(void) { return message; }

int status_fail_list(int status, const char *format, va_list args)
{
    char text[MESSAGE_SIZE]; /* the arguments may point into `message` */
    vsnprintf(text, sizeof text, format, args);
    memcpy(message, text, sizeof text);
    return status;
}

int status_fail(int status, const char *format, ...)
{
    char text[MESSAGE_SIZE]; /* the arguments may point into `message` */
    va_list args;
    va_start(args, format);
    lt_printable_format(text, sizeof text, format, args);
    va_end(args);
    memcpy(message, text, sizeof text);
    return status;
}

int status_prefix(int status, const char *format, ...)
{
    char text[MESSAGE_SIZE];
    va_list args;
    va_start(args, format);
    size_t n = lt_printable_format(text, sizeof text, format, args);
    va_end(args);
    if (n < sizeof text)
        snprintf(text + n, sizeof text - n, ": %.*s", (int)(sizeof text - n) - 3, message);
    memcpy(message, text, sizeof text);
    return status;
}

void status_append(const char *format, ...)
{
    size_t n = strlen(message);
    va_list args;
    va_start(args, format);
    lt_printable_format(message + n, sizeof message - n, format, args);
    va_end(args);
}

void lt_set_log(lt_log_function *log, void *user)
{
    log_hook = log;
    log_user = user;
}

static _Thread_local bool is_paused;

void log_pause(bool paused) { is_paused = paused; }

static void log_line(lt_log_level level, const char *format, va_list args)
{
    if (!log_hook || is_paused)
        return;
    char text[MESSAGE_SIZE];
    lt_printable_format(text, sizeof text, format, args);
    log_hook(log_user, level, text);
}

void log_info(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_line(LT_LOG_INFO, format, args);
    va_end(args);
}

void log_warning(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    log_line(LT_LOG_WARNING, format, args);
    va_end(args);
}

void assert_fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "latent: bug at %s:%d: %s\n", file, line, what);
    abort();
}
