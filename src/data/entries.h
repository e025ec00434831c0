/* SPDX-License-Identifier: MIT */
/* Names of folders and files in data: what they stand for, and which are not data. A place is a path below
   the root of a set, with '/' between its parts. */
#ifndef LATENT_ENTRIES_H
#define LATENT_ENTRIES_H

#include <latent/data.h>

/* Letters of the first folder of a place; 0: it is a file. */
size_t entry_folder(const char *place);

/* The last part of a place. */
const char *entry_name(const char *place);

/* The split that a folder of this name (n letters) is: train, training; valid, val, validation; test, testing,
   in any case. LT_SPLITS: none. */
int entry_split(const char *name, size_t n);

/* The split that such a name seems to mean beside other words: train_images, test2017, seg_val. LT_SPLITS:
   none. */
int entry_split_like(const char *name, size_t n);

/* Is a part, or any part of a place, what systems leave beside files (hidden ones, __MACOSX, Thumbs.db)? */
bool entry_is_litter(const char *part, size_t n);
bool entry_holds_litter(const char *place);

/* A name in an archive as a place, in place: '\' is '/', as Windows writes it; no drive, no "/" or "./" at the
   start, no doubled '/'; ".." takes off the folder before it. A folder's ends in '/'. Whether there was a
   backslash. */
bool entry_clean(char *name);

/* Is this directory a run of `latent train`? It holds recipe.yaml, and checkpoints or metrics.jsonl. */
bool entry_is_run(const char *directory);

/* The run that a directory is, or whose samples or checkpoints it holds; NULL: neither. Freed by the
   caller. */
char *entry_run_of(const char *directory);

#endif
