/* SPDX-License-Identifier: MIT */
/* Text from outside as a terminal may be given it: no name of a file steers the cursor, ends a line or turns
   the direction of writing. */
#ifndef LATENT_PRINTABLE_H
#define LATENT_PRINTABLE_H

#include <latent/base.h>

/* Length of the character at `s`, of which `n` > 0 bytes are there, and its code; 0: no valid UTF-8. */
int printable_decode(const char *s, size_t n, uint32_t *code);

#endif
