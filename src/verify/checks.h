/* SPDX-License-Identifier: MIT */
/* What the families of checks share: how one is reported. */
#ifndef LATENT_CHECKS_H
#define LATENT_CHECKS_H

#include <latent/verify.h>

typedef struct check_run {
    lt_verify_options o;
    lt_verification *result;
    double began; /* the check that runs now */
    bool is_stopped;
} check_run;

/* Tells of a check that has ended: of what `format` says if `status` is LT_OK, else of the thread's
   last error. False: stop. */
bool check_report(check_run *r, const char *area, const char *name, int status, const char *format,
                  ...) LT_PRINTF(5, 6);

/* An error with one digit: "3e-9", "0". Returns text. */
enum { CHECK_ERROR_SIZE = 16 };
const char *check_error_text(double error, char text[CHECK_ERROR_SIZE]);

/* LT_VALUE with a message unless |found - want| <= tolerance. */
int check_near(const char *what, double found, double want, double tolerance);

/* Fills in what follows from the estimate, its error, the truth and what is expected. */
void known_estimate_judge(lt_known_estimate *e);

/* A family: reports its checks one by one, and ends early when told to. */
typedef void check_family(check_run *r);

check_family check_random, check_gradients, check_executors, check_distributions, check_estimators,
    check_critics, check_training;

/* Runs families up to a NULL, as lt_verify does. */
int checks_run(check_family *const *families, const lt_verify_options *o, lt_verification *v);

#endif
