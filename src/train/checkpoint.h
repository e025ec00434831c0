/* SPDX-License-Identifier: MIT */
/* Checkpoint files as a whole: safetensors with a digest in the metadata. */
#ifndef LATENT_CHECKPOINT_H
#define LATENT_CHECKPOINT_H

#include "base/memory.h"
#include "train/safetensors.h"
#include "train/trainer.h"

/* Writes tensors and metadata, and adds the digest of all of them. */
int checkpoint_write(const char *path, const safetensors_entry *tensors, int n,
                     const safetensors_pair *metadata, int n_metadata);

/* Reads a file and compares its digest, if it has one. LT_FORMAT: it is not whole. LT_UNSUPPORTED: a
   later version of latent has written it in a format of its own. */
int checkpoint_read(const char *path, safetensors **file);

/* lt_trainer_save and lt_trainer_load with the number of lines that the log of the run has; -1: it is
   not known. */
int checkpoint_save(const lt_trainer *t, const char *path, int64_t log_lines);
int checkpoint_load(lt_trainer *t, const char *path, int64_t *log_lines);

/* lt_model_load and lt_model_open of a file. In a run there may be others in its place, so their statuses tell a
   file from what is in it: LT_NOT_FOUND, LT_IO and LT_FORMAT are of the file, LT_VALUE is of another model.
   And the digest, or "". */
int checkpoint_load_weights(const char *path, lt_model *m, bool is_of_run);
int checkpoint_open(const char *path, lt_model **m, char digest[LT_DIGEST_SIZE]);

/* lt_checkpoint_info of a file, with the statuses above. */
int checkpoint_describe(const char *path, lt_checkpoint *out);

/* ---- counters.c ---- */

enum { MAX_COUNTERS = 3 + LT_METRICS + MAX_PHASES };

/* Where training is, as metadata; how many. */
int counters_list(const lt_trainer *t, safetensors_pair *pairs, arena *a);
const char *counters_integer_text(arena *a, int64_t value);

/* The same from a file. LT_FORMAT: a number is missing, or contradicts the others or the recipe. */
int counters_read(const lt_trainer *t, const safetensors *file, const char *path,
                  train_counters *c);

/* Step, epoch and images alone, without a trainer to compare them with; -1: the file does not say. */
int counters_read_place(const safetensors *file, const char *path, int64_t *step, int64_t *epoch, int64_t *images);

/* *lines is -1 if the file does not say. */
int counters_read_lines(const safetensors *file, const char *path, int64_t *lines);

/* ---- identity.c ---- */

/* What the data are, as metadata; how many. */
int identity_list(const lt_trainer *t, safetensors_pair pairs[LT_SPLITS]);

/* LT_VALUE unless the training images are those that the file knows, if it knows them. */
int identity_check(const lt_trainer *t, const safetensors *file, const char *path);

/* Tells a model what it was trained on. */
void identity_give(const safetensors *file, lt_model *m);

/* The same as numbers. LT_FORMAT: one of them is no identity. */
int identity_read(const safetensors *file, const char *path, lt_data_identity out[LT_SPLITS]);

#endif
