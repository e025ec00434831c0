/* SPDX-License-Identifier: MIT */
/* How good samples are, as tables, as JSON, and as a picture of the nearest pairs. */
#ifndef LATENT_QUALITY_REPORT_H
#define LATENT_QUALITY_REPORT_H

#include "cli.h"

json_t *quality_json(const lt_quality *q);

/* Each score beside its floor. */
void quality_print(const char *data, lt_split split, const lt_quality *q);

/* Several runs, one row each, and their floor; all have one digest. */
void quality_print_runs(const char *data, lt_split split, int n, const char *const *runs,
                        const lt_quality *q);

/* Writes the samples that are nearest to train images over those images. */
int quality_write_pairs(const char *path, const trained *t, const lt_quality *q, uint64_t seed,
                        int threads);

#endif
