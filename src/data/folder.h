/* SPDX-License-Identifier: MIT */
/* Sets of pictures: a folder, or a zip file, whose pictures become images of one size. */
#ifndef LATENT_FOLDER_H
#define LATENT_FOLDER_H

#include "data/dataset.h"
#include "image/transform.h"

/* Whether `path` is a directory with pictures at any depth, or a zip file (but not .npz). */
bool folder_is_pictures(const char *path);

/* "3 files: notes.txt ...": the content of a directory without pictures; freed by the caller. */
char *folder_describe(const char *path);

/* Decodes the pictures of all splits on `threads` threads (the result does not depend on them), or reads them
   from the cache. Unreadable pictures are reported in the log and skipped; with `strict` the first one is an
   error. LT_NOT_FOUND if there are none, LT_FORMAT if their sizes or
   channels differ and the transform does not make them equal; LT_INTERRUPTED, LT_IO,
   LT_NO_MEMORY. */
int folder_open(lt_dataset *d, const char *path, const transform *t, bool strict, int threads);

#endif
