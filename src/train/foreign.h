/* SPDX-License-Identifier: MIT */
/* Recognizes files of other formats. */
#ifndef LATENT_FOREIGN_H
#define LATENT_FOREIGN_H

#include <stddef.h>

/* Describes a file by its first and last bytes, with what to do about it: "it is ...; ...". NULL: unknown. */
const char *foreign_kind(const unsigned char *data, size_t size);

#endif
