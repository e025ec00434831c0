/* SPDX-License-Identifier: MIT */
/* Writes the head of an npy file, alone or in an archive. */
#ifndef LATENT_NPY_WRITE_H
#define LATENT_NPY_WRITE_H

#include <latent/data.h>

#include "base/text.h"

/* Numbers in an array; false where they, or their bytes, do not fit. */
bool npy_count(const lt_array *a, size_t *n, size_t *room);

/* Appends the head of version 1.0: it is followed by the numbers, little-endian in C order. */
void npy_append_head(text *t, const lt_array *a);

#endif
