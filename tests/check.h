/* SPDX-License-Identifier: MIT */
/* What the tests of numbers share: seeded draws, values in and out of sessions, arrays compared. */
#ifndef LATENT_CHECK_H
#define LATENT_CHECK_H

#include "base/memory.h"
#include "base/status.h"
#include "verify/draws.h"

#include <latent/graph.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- Values of sessions, as doubles whatever the executor ---- */

static inline void feed(lt_session *s, lt_executor executor, const lt_node *x, const double *values)
{
    int64_t n = lt_shape_size(lt_node_shape(x));
    double *doubles = executor == LT_REFERENCE ? lt_session_doubles(s, x) : NULL;
    float *floats = executor == LT_CPU ? lt_session_floats(s, x) : NULL;
    if (!doubles && !floats)
        fail_msg("%s", lt_last_error());
    for (int64_t i = 0; i < n; i++)
        if (doubles)
            doubles[i] = values[i];
        else
            floats[i] = (float)values[i];
}

/* The caller frees them. */
static inline double *fetch(lt_session *s, lt_executor executor, const lt_node *x)
{
    int64_t n = lt_shape_size(lt_node_shape(x));
    const double *doubles = executor == LT_REFERENCE ? lt_session_doubles(s, x) : NULL;
    const float *floats = executor == LT_CPU ? lt_session_floats(s, x) : NULL;
    if (!doubles && !floats)
        fail_msg("%s", lt_last_error());
    double *values = must_alloc(sizeof *values * (size_t)n);
    for (int64_t i = 0; i < n; i++)
        values[i] = doubles ? doubles[i] : (double)floats[i];
    return values;
}

/* Compiles or fails the test with the reason. */
static inline lt_program *must_compile(lt_graph *g, lt_node *const *targets, int n)
{
    lt_program *p = lt_compile(g, targets, n);
    if (!p)
        fail_msg("%s", lt_last_error());
    return p;
}

static inline lt_session *must_create(const lt_program *p, const lt_session_options *o)
{
    lt_session *s = lt_session_create(p, o);
    if (!s)
        fail_msg("%s", lt_last_error());
    return s;
}

static inline void must_run(lt_session *s, const lt_run_key *key)
{
    if (lt_session_run(s, key) != LT_OK)
        fail_msg("%s", lt_last_error());
}

/* ---- Comparing ---- */

/* The same number: equal, or both NaN. */
static inline bool same_number(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

/* The first i at which |found - want| > atol + rtol |want|, or -1. NaN and infinity only equal
   themselves. */
static inline int64_t find_difference(const double *found, const double *want, int64_t n,
                                      double rtol, double atol)
{
    for (int64_t i = 0; i < n; i++)
        if (!same_number(found[i], want[i]) &&
            !(isfinite(want[i]) && fabs(found[i] - want[i]) <= atol + rtol * fabs(want[i])))
            return i;
    return -1;
}

static inline double largest(const double *x, int64_t n)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++)
        most = fabs(x[i]) > most ? fabs(x[i]) : most;
    return most;
}

/* `what` names the array in the message. */
#define assert_array_close(what, found, want, n, rtol, atol)                                       \
    do {                                                                                           \
        int64_t differs_at = find_difference(found, want, n, rtol, atol);                          \
        if (differs_at >= 0)                                                                       \
            fail_msg("%s[%jd]: expected %.9g, found %.9g", what, (intmax_t)differs_at,             \
                     (want)[differs_at], (found)[differs_at]);                                     \
    } while (0)

#define assert_near(found, want, tolerance)                                                        \
    do {                                                                                           \
        double near_found = (found), near_want = (want);                                           \
        if (!(fabs(near_found - near_want) <= (tolerance)))                                        \
            fail_msg("expected %.17g, found %.17g", near_want, near_found);                        \
    } while (0)

static inline void assert_text_has(const char *found, const char *part)
{
    if (!found || !strstr(found, part))
        fail_msg("expected \"%s\" in \"%s\"", part, found ? found : "(null)");
}

#endif
