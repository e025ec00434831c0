/* SPDX-License-Identifier: MIT */
/* Meanings of names of folders and files in data sets, and which are not data. A place is a path relative to
   the root of a set, with '/' between its parts. */
#ifndef LATENT_ENTRIES_H
#define LATENT_ENTRIES_H

#include <latent/data.h>

/* Length of the first folder's name in a place; 0 if it is a file. */
size_t entry_folder(const char *place);

/* The last part of a place. */
const char *entry_name(const char *place);

/* The split that a folder of this name (n letters) is: train, training; valid, val, validation; test, testing,
   in any case. LT_SPLITS: none. */
int entry_split(const char *name, size_t n);

/* The split that a name with other words suggests: train_images, test2017, seg_val. LT_SPLITS:
   none. */
int entry_split_like(const char *name, size_t n);

/* Whether a part, or any part of a place, is a hidden file or a file of the system (__MACOSX, Thumbs.db). */
bool entry_is_litter(const char *part, size_t n);
bool entry_holds_litter(const char *place);

/* Normalizes a name in an archive to a place, in the same buffer: '\' of Windows becomes '/'; removes a drive,
   "/" or "./" at the start, and doubled '/'; ".." removes the folder before it. A folder's name ends in '/'.
   Returns whether there was a backslash. */
bool entry_clean(char *name);

/* Whether a directory is a run of `latent train`: it has recipe.yaml, and checkpoints or metrics.jsonl. */
bool entry_is_run(const char *directory);

/* Returns the run that a directory is, or whose samples or checkpoints it has; NULL if neither. Freed by the
   caller. */
char *entry_run_of(const char *directory);

#endif
