/* SPDX-License-Identifier: MIT */
/* Parameters, for initializers and tests: additions to nn.h. */
#ifndef LATENT_PARAMS_H
#define LATENT_PARAMS_H

#include <latent/nn.h>

/* Floats; every parameter starts at a multiple of it: 64 bytes. */
enum { PARAM_ALIGN = 16 };

/* Returns the scope's full name, "encoder.0"; "" for the root. */
const char *scope_name(const lt_scope *s);

#endif
