/* SPDX-License-Identifier: MIT */
/* Scores of samples as tables, and a figure of the nearest pairs. */
#ifndef LATENT_QUALITY_REPORT_H
#define LATENT_QUALITY_REPORT_H

#include "cli.h"

/* Prints each score beside its floor. */
void quality_print(const char *data, lt_split split, const lt_quality *q);

/* Prints one row per run, and their floor; all have the same digest. */
void quality_print_runs(const char *data, lt_split split, int n, const char *const *runs,
                        const lt_quality *q);

/* Writes the samples nearest to train images of `d` above those images. `samples` are the scored ones, at least the
   first quality_pair_samples(q). */
int quality_write_pairs(const char *path, const lt_dataset *d, const lt_quality *q,
                        const float *samples);
int quality_pair_samples(const lt_quality *q);

/* Files for --features and --samples-out. NULL: not wanted. */
typedef struct quality_files {
    const char *features, *samples;
    lt_quality_arrays arrays;
} quality_files;

/* Request the arrays that are wanted, and write them. Clear f->arrays with lt_quality_arrays_clear. */
void quality_ask(quality_files *f, lt_quality_options *o);
int quality_write_files(const quality_files *f);

#endif
