/* SPDX-License-Identifier: MIT */
/* Limits of the resources that a file may use, ceilings.def, and their error messages. */
#ifndef LATENT_CEILINGS_H
#define LATENT_CEILINGS_H

#include <latent/limits.h>

typedef enum limit_row {
#define X(identifier, name, value, unit, meaning) LIMIT_##identifier,
#include "base/ceilings.def"
#undef X
    LIMITS
} limit_row;

uint64_t limit_of(limit_row which);

/* Returns LT_OK if `found` is within the limit, else LT_FORMAT "PLACE: expected at most 100 scans (the limit
   jpeg.scans), found 200". */
int limit_check(limit_row which, const char *place, uint64_t found);

/* Adds the limit's name to the message of file.h about a file that is too large; gives `status`. */
int limit_named(limit_row which, int status);

/* Changes a limit, for tests, while no reader runs; 0 restores the value of the table. */
void limit_change(limit_row which, uint64_t value);

#endif
