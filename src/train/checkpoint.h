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

/* Reads a file and verifies its digest, if it has one. LT_FORMAT: the file is damaged. LT_UNSUPPORTED: it
   has the format of a later version of latent. */
int checkpoint_read(const char *path, safetensors **file);

/* lt_trainer_save and lt_trainer_load with the number of lines in the run's log; -1: unknown. */
int checkpoint_save(const lt_trainer *t, const char *path, int64_t log_lines);
int checkpoint_load(lt_trainer *t, const char *path, int64_t *log_lines);

/* lt_model_load and lt_model_open of a file, and its digest or "". A run may offer other files instead, so the status
   tells a bad file (LT_NOT_FOUND, LT_IO, LT_FORMAT) from one of another model (LT_VALUE). */
int checkpoint_load_weights(const char *path, lt_model *m, bool is_of_run);
int checkpoint_open(const char *path, lt_model **m, char digest[LT_DIGEST_SIZE]);

/* lt_checkpoint_info of a file, with the statuses above. */
int checkpoint_describe(const char *path, lt_checkpoint *out);

/* ---- counters.c ---- */

enum { MAX_COUNTERS = 3 + LT_METRICS + MAX_PHASES };

/* Writes the counters as metadata; returns how many. */
int counters_list(const lt_trainer *t, safetensors_pair *pairs, arena *a);
const char *counters_integer_text(arena *a, int64_t value);

/* Reads the counters from a file. LT_FORMAT: a number is missing, or contradicts the others or the recipe. */
int counters_read(const lt_trainer *t, const safetensors *file, const char *path,
                  train_counters *c);

/* Reads step, epoch and images only, without a trainer to compare them with; -1: the file does not have them. */
int counters_read_position(const safetensors *file, const char *path, int64_t *step, int64_t *epoch, int64_t *images);

/* Reads the number of log lines; -1: the file does not have it. */
int counters_read_lines(const safetensors *file, const char *path, int64_t *lines);

/* ---- identity.c ---- */

/* Writes the identity of the data as metadata; returns how many. */
int identity_list(const lt_trainer *t, safetensors_pair pairs[LT_SPLITS]);

/* Returns LT_VALUE if the file names other training images. */
int identity_check(const lt_trainer *t, const safetensors *file, const char *path);

/* Stores the identity of its training data in a model. */
void identity_give(const safetensors *file, lt_model *m);

/* Reads the identities from a file. LT_FORMAT: one of them is malformed. */
int identity_read(const safetensors *file, const char *path, lt_data_identity out[LT_SPLITS]);

#endif
