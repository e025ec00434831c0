/* SPDX-License-Identifier: MIT */
#include "report/json.h"

#include "base/memory.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

json_t *json_number(double value) { return isfinite(value) ? json_real(value) : json_null(); }

json_t *json_text(const char *name)
{
    json_t *text = json_string(name);
    if (text)
        return text;
    size_t n = strlen(name), size = lt_printable(NULL, 0, name, n, false) + 1;
    char *shown = must_alloc(size);
    lt_printable(shown, size, name, n, false);
    text = json_string(shown);
    free(shown);
    return text;
}

json_t *json_estimate(lt_estimate e)
{
    return json_pack("{s:o, s:o}", "value", json_number(e.value), "se", json_number(e.se));
}

char *json_take(json_t *object)
{
    char *text = object ? json_dumps(object, JSON_REAL_PRECISION(9)) : NULL;
    json_decref(object);
    if (!text)
        status_fail(LT_VALUE, "a report cannot be written as JSON: one of its texts is not UTF-8");
    return text;
}
