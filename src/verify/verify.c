/* SPDX-License-Identifier: MIT */
/* The list of checks, and their reports. */
#include "verify/checks.h"

#include "base/clock.h"
#include "base/status.h"
#include "base/spec.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_SIZE = 1024 };

bool check_report(check_run *r, const char *area, const char *name, int status, const char *format,
                  ...)
{
    char told[TEXT_SIZE];
    if (status == LT_OK) {
        va_list values;
        va_start(values, format);
        vsnprintf(told, sizeof told, format, values);
        va_end(values);
    } else {
        const char *error = lt_last_error();
        snprintf(told, sizeof told, "%s", error[0] ? error : lt_status_text(status));
    }
    double now = seconds_now();
    lt_check c = {.area = area,
                  .name = name,
                  .is_ok = status == LT_OK,
                  .text = told,
                  .seconds = now - r->began};
    r->began = now;
    r->result->checks++;
    r->result->failed += status != LT_OK;
    if (r->o.on_check && !r->o.on_check(r->o.user, &c))
        r->is_stopped = true;
    return !r->is_stopped;
}

static bool is_named(const char *word, const char *area, const char *name)
{
    size_t n = strlen(area);
    return strcmp(word, area) == 0 || strcmp(word, name) == 0 ||
           (strncmp(word, area, n) == 0 && word[n] == ':' &&
            strcmp(word + n + 1 + strspn(word + n + 1, " "), name) == 0);
}

bool check_is_wanted(check_run *r, const char *area, const char *name)
{
    bool is_wanted = r->o.n_only == 0;
    for (int i = 0; i < r->o.n_only; i++)
        if (is_named(r->o.only[i], area, name))
            is_wanted = r->is_matched[i] = true;
    return is_wanted;
}

bool checks_report(check_run *r, const char *area, const check_row *rows, int n)
{
    for (int i = 0; i < n && !r->is_stopped; i++) {
        char told[CHECK_TEXT_SIZE] = "";
        if (check_is_wanted(r, area, rows[i].name))
            check_report(r, area, rows[i].name, rows[i].run(r, rows[i].about, told), "%s", told);
    }
    return !r->is_stopped;
}

bool checks_report_table(check_run *r, const char *area, const spec_table *table,
                         check_function *run)
{
    for (const spec_row *const *row = table->rows; *row; row++)
        if (!checks_report(r, area, &(check_row){(*row)->name, run, (*row)->name}, 1))
            return false;
    return true;
}

int check_fail_unknown(const char *row)
{
    return status_fail(LT_VALUE, "no known answer: %s is in the table, but the checks have no "
                                 "definition to compare it with", row);
}

const char *check_error_text(double error, char told[CHECK_ERROR_SIZE])
{
    snprintf(told, CHECK_ERROR_SIZE, "%.0e", error);
    char *e = strchr(told, 'e');
    if (error == 0)
        strcpy(told, "0");
    else if (e && e[2] == '0') /* e-09 */
        memmove(e + 2, e + 3, strlen(e + 3) + 1);
    return told;
}

int check_near(const char *what, double found, double want, double tolerance)
{
    if (found == want || fabs(found - want) <= tolerance)
        return LT_OK;
    return status_fail(LT_VALUE, "%s: expected %.9g +- %.1e, found %.9g", what, want, tolerance,
                       found);
}

int check_all_near(const char *what, int64_t n, const double *found, const double *want,
                   double tolerance, double *worst)
{
    for (int64_t i = 0; i < n; i++) {
        double off = fabs(found[i] - want[i]) / (1 + fabs(want[i]));
        if (found[i] == want[i]) /* infinity too */
            off = 0;
        if (worst)
            *worst = fmax(*worst, off);
        if (!(off <= tolerance))
            return status_fail(LT_VALUE, "%s, number %jd: expected %.9g +- %.1e, found %.9g", what,
                               (intmax_t)i, want[i], tolerance * (1 + fabs(want[i])), found[i]);
    }
    return LT_OK;
}

static int check_names(const lt_verify_options *o)
{
    if (o->n_only <= CHECKS_MAX_ONLY)
        return LT_OK;
    return status_fail(LT_VALUE, "verify: expected at most %d names of checks, found %d",
                       CHECKS_MAX_ONLY, o->n_only);
}

/* A name that matches no check is an error. */
static int find_unmatched(const check_run *r)
{
    for (int i = 0; i < r->o.n_only; i++)
        if (!r->is_matched[i])
            return status_fail(LT_NOT_FOUND,
                               "no check is called \"%s\": expected an area such as densities, a "
                               "name such as laplace, or both, \"densities: laplace\"",
                               r->o.only[i]);
    return LT_OK;
}

int checks_run(check_family *const *families, const lt_verify_options *o, lt_verification *v)
{
    *v = (lt_verification){0};
    double began = seconds_now();
    check_run r = {.result = v, .began = began};
    if (o)
        r.o = *o;
    LT_TRY(check_names(&r.o));
    for (int i = 0; families[i] && !r.is_stopped; i++)
        families[i](&r);
    v->seconds = seconds_now() - began;
    if (r.is_stopped)
        return status_fail(LT_INTERRUPTED, "verification was stopped");
    return find_unmatched(&r);
}

int lt_verify(const lt_verify_options *o, lt_verification *v)
{
    static check_family *const families[] = {check_random,
                                             check_gradients,
                                             check_executors,
                                             check_distributions,
                                             check_densities,
                                             check_likelihoods,
                                             check_bounds,
                                             check_losses,
                                             check_penalties,
                                             check_optimizers,
                                             check_schedules,
                                             check_initializers,
                                             check_layers,
                                             check_scores,
                                             check_estimators,
                                             check_critics,
                                             check_training,
                                             NULL};
    return checks_run(families, o, v);
}
