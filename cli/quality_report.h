/* SPDX-License-Identifier: MIT */
/* How good samples are, as tables, as JSON, and as a picture of the nearest pairs. */
#ifndef LATENT_QUALITY_REPORT_H
#define LATENT_QUALITY_REPORT_H

#include "cli.h"

json_t *quality_json(const lt_quality *q);

/* Each score beside its floor. */
void quality_print(const char *data, lt_split split, const lt_quality *q);

enum { QUALITY_TEXT = 1024 };

/* Which scores are not told, and which not to rely on, and why; empty where all is well. */
void quality_limits_text(const lt_quality *q, char text[QUALITY_TEXT]);

/* What is known of copies, in sentences: the evidence, and the smallest share that would have been
   found. */
void quality_copies_text(const lt_quality *q, char text[QUALITY_TEXT]);

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
