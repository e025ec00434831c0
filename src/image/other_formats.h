/* SPDX-License-Identifier: MIT */
/* Formats that are not read, known well enough to be called by their names, with what to do. */
#ifndef LATENT_OTHER_FORMATS_H
#define LATENT_OTHER_FORMATS_H

#include "base/file.h"

/* "a GIF picture; convert it: ..." by the first bytes of a file, or NULL. Static string. */
const char *other_format(const bytes *content);

/* The same by the end of a name: "x.bmp"; NULL if it says nothing. */
const char *other_format_of_name(const char *name);

#endif
