/* SPDX-License-Identifier: MIT */
/* Recognizes unsupported formats, to name them in messages with advice. */
#ifndef LATENT_OTHER_FORMATS_H
#define LATENT_OTHER_FORMATS_H

#include "base/file.h"

/* "a GIF picture; convert it: ..." by the first bytes of a file, or NULL. Static string. */
const char *other_format(const bytes *content);

/* The same by the extension of a name: "x.bmp"; NULL if it is unknown. */
const char *other_format_of_name(const char *name);

#endif
