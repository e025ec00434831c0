/* SPDX-License-Identifier: MIT */
/* Checks of operators: the cases of the table, which the tests run too. */
#include "verify/checks.h"
#include "verify/trial.h"

#include <stdio.h>

static bool is_tried(const lt_op *op) { return !(op->flags & TRIAL_NOT_OF); }

static int count_cases(const lt_op *op)
{
    int n = 0;
    while (op->cases[n].name)
        n++;
    return n;
}

/* "12 cases" */
static const char *cases_text(const lt_op *op, char text[32])
{
    int n = count_cases(op);
    snprintf(text, 32, "%d case%s", n, n == 1 ? "" : "s");
    return text;
}

/* ---- Gradients ---- */

static int differentiate_case(const lt_op *op, const lt_op_case *c, trial_errors *worst)
{
    trial t;
    int status = trial_of_case(&t, op, c);
    trial_targets out = {.n = 0};
    if (status == LT_OK)
        status = trial_differentiate(&t, true, &out, worst);
    trial_clear(&t);
    return status;
}

/* Those that have none are refused when a graph is built, which needs no numbers. */
void check_gradients(check_run *r)
{
    for (const lt_op *const *op = op_table; *op; op++) {
        if (!is_tried(*op) || !(*op)->grad || trial_count_inputs(*op, (*op)->cases) == 0 ||
            !check_is_wanted(r, "gradients", (*op)->name))
            continue;
        trial_errors worst = {0};
        int status = LT_OK;
        for (const lt_op_case *c = (*op)->cases; c->name && status == LT_OK; c++)
            status = differentiate_case(*op, c, &worst);
        char cases[32], first[CHECK_ERROR_SIZE], second[CHECK_ERROR_SIZE];
        if (!check_report(r, "gradients", (*op)->name, status,
                          "%s, relative errors up to %s (first), %s (second)",
                          cases_text(*op, cases), check_error_text(worst.first, first),
                          check_error_text(worst.second, second)))
            return;
    }
}

/* ---- The cpu executor against the reference ---- */

static int compare_case(const lt_op *op, const lt_op_case *c, trial_errors *worst)
{
    trial t;
    int status = trial_of_case(&t, op, c);
    trial_targets out = {.node = {t.y}, .n = 1};
    if (status == LT_OK && op->grad && t.n > 0) {
        lt_node *dx[LT_CASE_INPUTS];
        lt_grads(t.y, t.n, t.x, dx);
        for (int i = 0; i < t.n; i++)
            out.node[out.n++] = dx[i];
    }
    lt_program *p = status == LT_OK ? lt_compile(t.graph, out.node, out.n) : NULL;
    if (status == LT_OK)
        status = p ? trial_compare(&t, p, &out, worst) : LT_GRAPH;
    lt_program_free(p);
    trial_clear(&t);
    return status;
}

void check_executors(check_run *r)
{
    for (const lt_op *const *op = op_table; *op; op++) {
        if (!is_tried(*op) || !check_is_wanted(r, "cpu against reference", (*op)->name))
            continue;
        trial_errors worst = {0};
        int status = LT_OK;
        for (const lt_op_case *c = (*op)->cases; c->name && status == LT_OK; c++)
            status = compare_case(*op, c, &worst);
        char cases[32], error[CHECK_ERROR_SIZE];
        if (!check_report(r, "cpu against reference", (*op)->name, status,
                          "%s, differences up to %s", cases_text(*op, cases),
                          check_error_text(worst.cpu, error)))
            return;
    }
}
