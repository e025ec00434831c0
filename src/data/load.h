/* SPDX-License-Identifier: MIT */
/* From files on disk to the splits of a set. */
#ifndef LATENT_LOAD_H
#define LATENT_LOAD_H

#include "data/dataset.h"

/* Reads those of the files that are in `dir`. Several files of images of one split are joined. */
int load_files(lt_dataset *d, const char *dir, const lt_catalog_file *files, int n);

/* Reads the files of d->place, a directory, if it has those of the catalog's sets or of another
   layout we know; else *is_known is false. */
int load_known_files(lt_dataset *d, bool *is_known);

/* Reads d->place, a file: CIFAR-10's tar file, or images that become the train split. */
int load_file(lt_dataset *d);

/* Reads d->place as npz, NumPy's archive of arrays: which is what is told by their names, "train_images"
   or "x_train". In npz.c. */
int load_npz(lt_dataset *d);

#endif
