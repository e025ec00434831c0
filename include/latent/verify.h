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

#include <latent/base.h>

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
} lt_verify_options;

typedef struct lt_verification {
    int checks, failed;
    double seconds;
} lt_verification;

/* Runs every check, those after a failed one too: LT_OK also when some have failed, which *v says.
   LT_INTERRUPTED when on_check said so. The checks of checkpoints need a place for temporary files,
   $TMPDIR or /tmp. Nullable: o. */
LT_API int lt_verify(const lt_verify_options *o, lt_verification *v);

#ifdef __cplusplus
}
#endif
#endif
