/* SPDX-License-Identifier: MIT */
/* verify.h: tests this build on this machine. Checks with known answers, from the gradient of
 * each operator to the bits of a training run.
 *
 *     lt_verification v;
 *     lt_verify(&(lt_verify_options){.on_check = print_it}, &v);
 *     printf("%d of %d checks failed\n", v.failed, v.checks);
 */
#ifndef LATENT_VERIFY_H
#define LATENT_VERIFY_H

#include <latent/eval.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A finished check. The strings are valid until the callback returns. */
typedef struct lt_check {
    const char *area; /* "gradients" */
    const char *name; /* within the area: "conv2d" */
    bool is_ok;
    const char *text; /* the result, or the reason for failure */
    double seconds;   /* duration */
} lt_check;

/* Called after each check; returning false stops. */
typedef bool lt_check_function(void *user, const lt_check *c);

/* Zero means default. */
typedef struct lt_verify_options {
    bool is_quick; /* fewer cases and draws */
    lt_check_function *on_check;
    void *user;
    const char *const *only; /* n_only names, at most 64: an area ("densities"), a check of any area ("laplace"), or
                                both ("densities: laplace"). NULL: every check */
    int n_only;
} lt_verify_options;

typedef struct lt_verification {
    int checks, failed;
    double seconds;
} lt_verification;

/* Runs all checks and counts failures in *v; a failed check is not an error. Returns LT_INTERRUPTED if on_check
   stopped it; LT_NOT_FOUND if a name in `only` matches no check (the others have run). The checks of checkpoints
   write temporary files to $TMPDIR or /tmp. Nullable: o. */
LT_API int lt_verify(const lt_verify_options *o, lt_verification *v);

/* ---- Estimates of log p(x) where it is known ---- */

/* An estimate on a model whose likelihood has a formula. Nats per image; all estimates are means over the same
   images. */
typedef struct lt_known_estimate {
    const char *name;   /* "IWAE", ... */
    int draws;          /* per image: k, K, or chains */
    int steps;          /* of a chain; 0: no chains */
    double truth;       /* -log p(x) by its formula */
    lt_estimate found;  /* of -log p(x), from above; its error is that of found - truth */
    double above;       /* expected excess of such an estimate over the truth: by its formula or, with chains, from
                           the variance of their weights */
    double off;         /* (found - truth - above) / error */
    bool is_right_side; /* found >= truth - 3 errors */
    bool is_ok;         /* is_right_side and |off| <= 3 */
} lt_known_estimate;

/* Called after each estimate; returning false stops. *e is valid until the callback returns. */
typedef bool lt_known_estimate_function(void *user, const lt_known_estimate *e);

/* Checks -ELBO, IWAE, importance sampling and AIS on a linear Gaussian model. *failed counts the estimates that are
   not ok; a failed one is not an error. Returns LT_INTERRUPTED if on_estimate stopped it. Nullable: failed. */
LT_API int lt_verify_estimators(bool is_quick, lt_known_estimate_function *on_estimate, void *user,
                                int *failed);

#ifdef __cplusplus
}
#endif
#endif
