/* SPDX-License-Identifier: MIT */
/* metrics.jsonl: one JSON object a line. */
#ifndef LATENT_METRICS_H
#define LATENT_METRICS_H

#include <latent/train.h>

/* Appends one line. Nullable: v. */
int metrics_append(const char *path, const lt_train_report *r, const lt_validation *v);

/* Takes off what is not of the first `lines` lines (-1: any number) of steps up to `step`, and whatever
   is not a line of ours. Says through the log what is damaged and what is missing. *left: how many lines
   there are now, or should be. */
int metrics_cut(const char *path, int64_t step, int64_t lines, int64_t *left);

#endif
