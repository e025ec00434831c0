/* SPDX-License-Identifier: MIT */
/* metrics.jsonl: one JSON object a line. */
#ifndef LATENT_METRICS_H
#define LATENT_METRICS_H

#include <latent/train.h>

/* Appends one line. Nullable: v. */
int metrics_append(const char *path, const lt_train_report *r, const lt_validation *v);

/* Takes off lines of steps after `step`, and whatever is not a whole line. */
int metrics_cut(const char *path, int64_t step);

#endif
