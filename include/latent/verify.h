/* SPDX-License-Identifier: MIT */
/* verify.h: is this build right on this machine? Checks with known answers, from the gradient of
 * each operator to the bits of a training.
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

/* One check that is done. The texts live until the function that gets it returns. */
typedef struct lt_check {
    const char *area; /* "gradients" */
    const char *name; /* what of it: "conv2d" */
    bool is_ok;
    const char *text; /* what was found, or what is wrong */
    double seconds;   /* that it took */
} lt_check;

/* Called after each check; false stops. */
typedef bool lt_check_function(void *user, const lt_check *c);

/* Zero means default. */
typedef struct lt_verify_options {
    bool is_quick; /* fewer cases and draws */
    lt_check_function *on_check;
    void *user;
    const char *const *only; /* n_only names: of areas, "densities", of checks in any area, "laplace",
                                or of both, "densities: laplace"; at most 64. NULL: every check */
    int n_only;
} lt_verify_options;

typedef struct lt_verification {
    int checks, failed;
    double seconds;
} lt_verification;

/* Runs every check, those after a failed one too: LT_OK also when some have failed, which *v says.
   LT_INTERRUPTED when on_check said so. LT_NOT_FOUND when no check has one of the names in
   `only` (what was found has run). The checks of checkpoints need a place for temporary files,
   $TMPDIR or /tmp. Nullable: o. */
LT_API int lt_verify(const lt_verify_options *o, lt_verification *v);

/* ---- Estimates of log p(x) where it is known ---- */

/* One way to estimate it, on a model whose likelihood has a formula. Nats per image, a mean over the
   same images for all. */
typedef struct lt_known_estimate {
    const char *name;   /* "IWAE", ... */
    int draws;          /* of an image: k, K, or chains */
    int steps;          /* of a chain; 0: there are no chains */
    double truth;       /* -log p(x) by its formula */
    lt_estimate found;  /* of -log p(x), from above; the error is that of found - truth */
    double above;       /* what such an estimate is above the truth in expectation; by its formula, or,
                           with chains, from how uneven their weights are */
    double off;         /* (found - truth - above) / error */
    bool is_right_side; /* not below the truth by more than 3 errors */
    bool is_ok;         /* that, and |off| <= 3 */
} lt_known_estimate;

/* Called after each; false stops. The estimate lives until it returns. */
typedef bool lt_known_estimate_function(void *user, const lt_known_estimate *e);

/* -ELBO, IWAE, importance sampling and annealing on a linear Gaussian model. LT_OK also when some are
   not as they should be, which *failed counts. LT_INTERRUPTED when on_estimate said so.
   Nullable: failed. */
LT_API int lt_verify_estimators(bool is_quick, lt_known_estimate_function *on_estimate, void *user,
                                int *failed);

#ifdef __cplusplus
}
#endif
#endif
