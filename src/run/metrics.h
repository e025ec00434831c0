/* SPDX-License-Identifier: MIT */
/* metrics.jsonl: one JSON object a line. */
#ifndef LATENT_METRICS_H
#define LATENT_METRICS_H

#include <latent/runs.h>

#include <jansson.h>

/* Appends one line: the metrics of the recipe, and of the validation. Nullable: v. */
int metrics_append(const char *path, const lt_recipe *recipe, const lt_train_report *r, const lt_validation *v);

/* Takes off what is not of the first `lines` lines (-1: any number) of steps up to `step`, and whatever
   is not a line of ours. Says through the log what is damaged and what is missing. *left: how many lines
   there are now, or should be. */
int metrics_cut(const char *path, int64_t step, int64_t lines, int64_t *left);

/* Given each whole line and the object that it is; a status. */
typedef int metrics_line(void *user, const json_t *object, const char *line, size_t size);

/* Hands over the lines of a file of JSON objects. What follows the last newline is being written, and is left out.
   `is_strict`: any other line is LT_FORMAT, with file and number; else it is left out, too. LT_NOT_FOUND, LT_IO,
   LT_NO_MEMORY. */
int metrics_lines(const char *path, bool is_strict, metrics_line *take, void *user);

#endif
