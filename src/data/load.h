/* SPDX-License-Identifier: MIT */
/* Loads the splits of a set from files. */
#ifndef LATENT_LOAD_H
#define LATENT_LOAD_H

#include "data/dataset.h"

/* Reads those `files` that exist in `dir`, and concatenates several image files of one split. */
int load_files(lt_dataset *d, const char *dir, const lt_catalog_file *files, int n);

/* Reads the files of d->place, a directory, if it has those of a set of the catalog or of another
   known layout; else *is_known is false. */
int load_known_files(lt_dataset *d, bool *is_known);

/* Reads d->place, a file: CIFAR-10's tar file, or images that become the train split. */
int load_file(lt_dataset *d);

/* Reads d->place as npz, NumPy's archive of arrays, whose names tell splits from images and labels: "train_images"
   or "x_train". In npz.c. */
int load_npz(lt_dataset *d);

#endif
