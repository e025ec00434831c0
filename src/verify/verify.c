/* SPDX-License-Identifier: MIT */
/* The list of checks, and how they are told of. */
#include "verify/checks.h"

#include "base/clock.h"
#include "base/status.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_SIZE = 1024 };

bool check_report(check_run *r, const char *area, const char *name, int status, const char *format,
                  ...)
{
    char text[TEXT_SIZE];
    if (status == LT_OK) {
        va_list values;
        va_start(values, format);
        vsnprintf(text, sizeof text, format, values);
        va_end(values);
    } else {
        const char *error = lt_last_error();
        snprintf(text, sizeof text, "%s", error[0] ? error : lt_status_text(status));
    }
    double now = seconds_now();
    lt_check c = {.area = area,
                  .name = name,
                  .is_ok = status == LT_OK,
                  .text = text,
                  .seconds = now - r->began};
    r->began = now;
    r->result->checks++;
    r->result->failed += status != LT_OK;
    if (r->o.on_check && !r->o.on_check(r->o.user, &c))
        r->is_stopped = true;
    return !r->is_stopped;
}

const char *check_error_text(double error, char text[CHECK_ERROR_SIZE])
{
    snprintf(text, CHECK_ERROR_SIZE, "%.0e", error);
    char *e = strchr(text, 'e');
    if (error == 0)
        strcpy(text, "0");
    else if (e && e[2] == '0') /* e-09 */
        memmove(e + 2, e + 3, strlen(e + 3) + 1);
    return text;
}

int check_near(const char *what, double found, double want, double tolerance)
{
    if (found == want || fabs(found - want) <= tolerance)
        return LT_OK;
    return status_fail(LT_VALUE, "%s: expected %.9g +- %.1e, found %.9g", what, want, tolerance,
                       found);
}

int checks_run(check_family *const *families, const lt_verify_options *o, lt_verification *v)
{
    *v = (lt_verification){0};
    double began = seconds_now();
    check_run r = {.result = v, .began = began};
    if (o)
        r.o = *o;
    for (int i = 0; families[i] && !r.is_stopped; i++)
        families[i](&r);
    v->seconds = seconds_now() - began;
    return r.is_stopped ? status_fail(LT_INTERRUPTED, "verification was stopped") : LT_OK;
}

int lt_verify(const lt_verify_options *o, lt_verification *v)
{
    static check_family *const families[] = {check_random,
                                             check_gradients,
                                             check_executors,
                                             check_distributions,
                                             check_estimators,
                                             check_critics,
                                             check_training,
                                             NULL};
    return checks_run(families, o, v);
}
