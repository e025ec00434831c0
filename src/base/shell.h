/* SPDX-License-Identifier: MIT */
/* Words of commands that messages give to be copied. */
#ifndef LATENT_SHELL_H
#define LATENT_SHELL_H

#include <latent/base.h>

/* lt_shell_word, freed by the caller. */
char *shell_word(const char *word);

#endif
