/* SPDX-License-Identifier: MIT */
#include "base/ceilings.h"

#include "base/memory.h"
#include "base/status.h"

#include <stdlib.h>
#include <string.h>

static const lt_limit rows[LIMITS] = {
#define X(identifier, name, value, unit, meaning) {name, value, unit, meaning},
#include "base/ceilings.def"
#undef X
};

static uint64_t changed[LIMITS]; /* by tests */

uint64_t limit_of(limit_row which) { return changed[which] ? changed[which] : rows[which].value; }

void limit_change(limit_row which, uint64_t value) { changed[which] = value; }

int limit_check(limit_row which, const char *place, uint64_t found)
{
    if (found <= limit_of(which))
        return LT_OK;
    return status_fail(LT_FORMAT, "%s: expected at most %ju %s (the limit %s), found %ju", place,
                       (uintmax_t)limit_of(which), rows[which].unit, rows[which].name,
                       (uintmax_t)found);
}

int limit_named(limit_row which, int status)
{
    if (status != LT_FORMAT || !strstr(lt_last_error(), "larger than the limit"))
        return status;
    char *message = must_copy_text(lt_last_error());
    status_fail(status, "%s (%s)", message, rows[which].name);
    free(message);
    return status;
}

int lt_limit_count(void) { return LIMITS; }

const lt_limit *lt_limit_get(int i) { return i >= 0 && i < LIMITS ? &rows[i] : NULL; }
