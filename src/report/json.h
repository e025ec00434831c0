/* SPDX-License-Identifier: MIT */
/* What the JSON of this library shares. */
#ifndef LATENT_REPORT_JSON_H
#define LATENT_REPORT_JSON_H

#include <latent/base.h>

#include <jansson.h>

/* A number, or null when it is not finite. */
json_t *json_number(double value);

/* A name from outside: as it is, or, where that is not UTF-8, as it is shown, "b\\xffd". */
json_t *json_text(const char *name);

/* {"value": ..., "se": ...} */
json_t *json_estimate(lt_estimate e);

/* The object on one line, with nine digits, and drops it. NULL with LT_VALUE's message where it could not be made. The
   caller frees it. */
char *json_take(json_t *object);

#endif
