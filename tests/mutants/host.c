/* SPDX-License-Identifier: MIT */
/* What a mutant is linked into: runs the checks that are named, and tells which fail. Exits with 1 if
   one does, 0 if none does, 2 when they cannot be run. */
#include <latent/verify.h>

#include <stdio.h>

static bool tell(void *user, const lt_check *c)
{
    (void)user;
    if (!c->is_ok)
        printf("%s: %s, %s\n", c->area, c->name, c->text);
    return true;
}

int main(int argc, char **argv)
{
    const char *const *only = (const char *const *)argv + 1;
    lt_verification v;
    lt_verify_options o = {.is_quick = true, .on_check = tell, .only = only, .n_only = argc - 1};
    if (lt_verify(&o, &v) != LT_OK) {
        fprintf(stderr, "%s\n", lt_last_error());
        return 2;
    }
    return v.failed > 0;
}
