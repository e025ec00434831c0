/* SPDX-License-Identifier: MIT */
/* Makes text from outside safe for a terminal: no file name moves the cursor, breaks a line or changes the direction
   of writing. */
#ifndef LATENT_PRINTABLE_H
#define LATENT_PRINTABLE_H

#include <latent/base.h>

/* Decodes the character at `s`, with `n` > 0 available bytes. Returns its length; 0 for invalid UTF-8. */
int printable_decode(const char *s, size_t n, uint32_t *code);

#endif
