/* SPDX-License-Identifier: MIT */
/* Shared by all families of checks: reporting. */
#ifndef LATENT_CHECKS_H
#define LATENT_CHECKS_H

#include <latent/verify.h>

enum { CHECKS_MAX_ONLY = 64 };

typedef struct check_run {
    lt_verify_options o;
    lt_verification *result;
    double began; /* the current check */
    bool is_stopped;
    bool is_matched[CHECKS_MAX_ONLY]; /* of o.only: matched a check */
} check_run;

/* Returns whether the caller wants this check; call it before computing anything. */
bool check_is_wanted(check_run *r, const char *area, const char *name);

/* Reports a finished check: with `format` if `status` is LT_OK, else with the thread's last error. False: stop. */
bool check_report(check_run *r, const char *area, const char *name, int status, const char *format,
                  ...) LT_PRINTF(5, 6);

/* An error with one digit: "3e-9", "0". Returns text. */
enum { CHECK_ERROR_SIZE = 16 };
const char *check_error_text(double error, char text[CHECK_ERROR_SIZE]);

/* LT_VALUE with a message unless |found - want| <= tolerance. */
int check_near(const char *what, double found, double want, double tolerance);

/* Fills in the fields that follow from the estimate, its error, the truth and the expectation. */
void known_estimate_judge(lt_known_estimate *e);

/* A check in a list; `about` belongs to the caller. Writes its result to `told`, or its failure to the thread's last
   error. */
enum { CHECK_TEXT_SIZE = 160 };
typedef int check_function(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE]);
typedef struct check_row {
    const char *name;
    check_function *run;
    const void *about;
} check_row;

/* Runs and reports the wanted checks of a list. False: stop. */
bool checks_report(check_run *r, const char *area, const check_row *rows, int n);

/* Runs a check per row of a table, named like the row, which `run` gets as `about`. False: stop. */
struct spec_table;
bool checks_report_table(check_run *r, const char *area, const struct spec_table *table,
                         check_function *run);

/* Fails for a row that `run` does not know. */
int check_fail_unknown(const char *row);

/* LT_VALUE, with the first wrong number, unless |found - want| <= tolerance (1 + |want|) for all n numbers. *worst:
   the largest difference so far, divided by 1 + |want|. Nullable: worst. */
int check_all_near(const char *what, int64_t n, const double *found, const double *want,
                   double tolerance, double *worst);

/* A family: reports its checks one by one, and stops early if a report returns false. */
typedef void check_family(check_run *r);

check_family check_random, check_gradients, check_executors, check_distributions, check_densities,
    check_likelihoods, check_bounds, check_losses, check_penalties, check_optimizers,
    check_schedules, check_initializers, check_layers, check_scores, check_estimators,
    check_critics, check_training;

/* The parts of families that walk a table, for any table. */
typedef bool check_rows_function(check_run *r, const struct spec_table *table);
check_rows_function check_likelihood_rows, check_loss_rows, check_penalty_rows, check_optimizer_rows,
    check_schedule_rows, check_initializer_rows, check_layer_rows;

/* Runs families up to a NULL, as lt_verify does. */
int checks_run(check_family *const *families, const lt_verify_options *o, lt_verification *v);

#endif
