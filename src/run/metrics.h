/* SPDX-License-Identifier: MIT */
/* metrics.jsonl: one JSON object a line. */
#ifndef LATENT_METRICS_H
#define LATENT_METRICS_H

#include <latent/runs.h>

#include <jansson.h>

/* Appends one line: the metrics of the recipe, and of the validation. Nullable: v. */
int metrics_append(const char *path, const lt_recipe *recipe, const lt_train_report *r, const lt_validation *v);

/* Keeps the first `lines` lines (-1: any number) of steps up to `step`; removes later lines and lines that are not of
   this log. Logs what is damaged and what is missing. *left: the number of lines that there are, or should be. */
int metrics_cut(const char *path, int64_t step, int64_t lines, int64_t *left);

/* Called with the object of each complete line; returns a status. Keep it with json_incref. */
typedef int metrics_line(void *user, json_t *object);

/* Calls `take` for each line of a file of JSON objects. Ignores text after the last newline: it is still being
   written. Other lines are LT_FORMAT, with file and line, if `is_strict`; else they are skipped. LT_NOT_FOUND, LT_IO,
   LT_NO_MEMORY. */
int metrics_lines(const char *path, bool is_strict, metrics_line *take, void *user);

#endif
