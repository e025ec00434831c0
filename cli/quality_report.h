/* SPDX-License-Identifier: MIT */
/* How good samples are, as tables, and as a picture of the nearest pairs. */
#ifndef LATENT_QUALITY_REPORT_H
#define LATENT_QUALITY_REPORT_H

#include "cli.h"

/* Each score beside its floor. */
void quality_print(const char *data, lt_split split, const lt_quality *q);

/* Several runs, one row each, and their floor; all have one digest. */
void quality_print_runs(const char *data, lt_split split, int n, const char *const *runs,
                        const lt_quality *q);

/* Writes the samples that are nearest to train images of `d` over those images. `samples` are those that
   were scored, or the first of them, as far as pairs go: quality_pair_samples(q). */
int quality_write_pairs(const char *path, const lt_dataset *d, const lt_quality *q,
                        const float *samples);
int quality_pair_samples(const lt_quality *q);

/* Files of what was scored, asked for by --features and --samples-out. NULL: not wanted. */
typedef struct quality_files {
    const char *features, *samples;
    lt_quality_arrays arrays;
} quality_files;

/* Asks for what is wanted; and writes it. Clear f->arrays by lt_quality_arrays_clear. */
void quality_ask(quality_files *f, lt_quality_options *o);
int quality_write_files(const quality_files *f);

#endif
