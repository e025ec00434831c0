/* SPDX-License-Identifier: MIT */
/* Quotes words of shell commands in messages. */
#ifndef LATENT_SHELL_H
#define LATENT_SHELL_H

#include <latent/base.h>

/* lt_shell_word, freed by the caller. */
char *shell_word(const char *word);

#endif
