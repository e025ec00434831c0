/* SPDX-License-Identifier: MIT */
/* Files that are no safetensors, called by their names. */
#ifndef LATENT_FOREIGN_H
#define LATENT_FOREIGN_H

#include <stddef.h>

/* What a file is that begins and ends so, and what to do with it: "it is ...; ...". NULL: not known. */
const char *foreign_kind(const unsigned char *data, size_t size);

#endif
