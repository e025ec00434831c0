/* SPDX-License-Identifier: MIT */
/* Files of a run that are called by a number: RUN/samples/epoch-0012.png, RUN/checkpoints/step-00000012.safetensors. */
#ifndef RUN_RUN_FILES_H
#define RUN_RUN_FILES_H

#include <stdint.h>

typedef struct run_files {
    const char *folder, *prefix, *suffix;
    int digits;       /* at least so many */
    const char *what; /* in messages */
} run_files;

extern const run_files run_samples, run_checkpoints;

/* The caller frees it. */
char *run_files_path(const run_files *f, const char *dir, int64_t number);

/* The numbers of the files that there are, ascending; other files are ignored. The caller frees *numbers. */
int run_files_list(const run_files *f, const char *dir, int64_t **numbers, int *n);

#endif
