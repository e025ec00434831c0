/* SPDX-License-Identifier: MIT */
/* Ceilings of what files may cost, ceilings.def, and how readers refuse what is above one. */
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

/* LT_OK where `found` is within the limit, else LT_FORMAT "PLACE: expected at most 100 scans (the limit
   jpeg.scans), found 200". */
int limit_check(limit_row which, const char *place, uint64_t found);

/* Adds the limit's name to the message of file.h about a file that is too large; gives `status`. */
int limit_named(limit_row which, int status);

/* Another value, for tests, while no reader runs; 0: that of the table again. */
void limit_change(limit_row which, uint64_t value);

#endif
