/* SPDX-License-Identifier: MIT */
/* What initializers and tests need to know of parameters beyond nn.h. */
#ifndef LATENT_PARAMS_H
#define LATENT_PARAMS_H

#include <latent/nn.h>

/* Every parameter starts at a multiple of this many floats: 64 bytes. */
enum { PARAM_ALIGN = 16 };

/* "encoder.0": the scope's own name, "" for the root. */
const char *scope_name(const lt_scope *s);

#endif
