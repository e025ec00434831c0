/* SPDX-License-Identifier: MIT */
/* Files within a tar file in memory. */
#ifndef LATENT_TAR_H
#define LATENT_TAR_H

#include "data/reader.h"

/* Finds the first regular file whose name is, or ends in, '/' and `name`: `size` bytes from `at`.
   LT_NOT_FOUND if there is none, LT_FORMAT if the tar file is damaged up to it. */
int tar_find(const data_source *tar, const char *name, size_t *at, size_t *size);

#endif
