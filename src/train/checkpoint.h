/* SPDX-License-Identifier: MIT */
/* Checkpoint files as a whole: safetensors with a digest in the metadata. */
#ifndef LATENT_CHECKPOINT_H
#define LATENT_CHECKPOINT_H

#include "train/safetensors.h"

/* Writes tensors and metadata, and adds the digest of all of them. */
int checkpoint_write(const char *path, const safetensors_entry *tensors, int n,
                     const safetensors_pair *metadata, int n_metadata);

/* Reads a file and compares its digest, if it has one. LT_FORMAT: it is not whole. */
int checkpoint_read(const char *path, safetensors **file);

#endif
