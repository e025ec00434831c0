/* SPDX-License-Identifier: MIT */
/* Scores of samples as a part of other JSON. */
#ifndef LATENT_QUALITY_JSON_H
#define LATENT_QUALITY_JSON_H

#include "report/json.h"

#include <latent/report.h>

json_t *quality_json(const lt_quality *q);

#endif
