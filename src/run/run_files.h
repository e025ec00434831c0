/* SPDX-License-Identifier: MIT */
/* Numbered files of a run: RUN/samples/epoch-0012.png, RUN/checkpoints/step-00000012.safetensors. */
#ifndef LATENT_RUN_FILES_H
#define LATENT_RUN_FILES_H

#include <stdint.h>

typedef struct run_files {
    const char *folder, *prefix, *suffix;
    int digits;       /* minimum */
    const char *what; /* in messages */
} run_files;

extern const run_files run_samples, run_checkpoints;

/* Returns the path of file `number`. The caller frees it. */
char *run_files_path(const run_files *f, const char *dir, int64_t number);

/* Lists the numbers of the existing files, ascending; ignores other files. The caller frees *numbers. */
int run_files_list(const run_files *f, const char *dir, int64_t **numbers, int *n);

#endif
