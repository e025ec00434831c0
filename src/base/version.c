/* SPDX-License-Identifier: MIT */
#include <latent/base.h>

#define WORD_(x) #x
#define WORD(x) WORD_(x)

const char *lt_version(void)
{
    return WORD(LT_VERSION_MAJOR) "." WORD(LT_VERSION_MINOR) "." WORD(LT_VERSION_PATCH);
}
