/* SPDX-License-Identifier: MIT */
/* What the last error says. Behind cmocka.h. */
#ifndef LATENT_TEST_SAYS_H
#define LATENT_TEST_SAYS_H

#include <latent/base.h>

#include <string.h>

static inline void assert_says(const char *words)
{
    if (!strstr(lt_last_error(), words))
        fail_msg("expected '%s' in the message: %s", words, lt_last_error());
}

#endif
