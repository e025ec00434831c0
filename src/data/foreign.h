/* SPDX-License-Identifier: MIT */
/* Formats that are not read, known well enough to be called by their names, with what to do. */
#ifndef LATENT_FOREIGN_H
#define LATENT_FOREIGN_H

#include "base/file.h"

/* "a GIF picture; convert it: ..." by the first bytes of a file, or NULL. Static string. */
const char *foreign_describe(const bytes *content);

/* The same by the end of a name: "x.bmp"; NULL if it says nothing. */
const char *foreign_describe_name(const char *name);

#endif
