/* SPDX-License-Identifier: MIT */
/* Comma-separated numbers. */
#ifndef LATENT_CSV_H
#define LATENT_CSV_H

#include <latent/data.h>

#include "base/file.h"

/* Columns of a csv file: under a line of names, those called NAME_1, NAME_2, ... are one array of as many
   columns; without such a line all of them are one, without a name. LT_FORMAT names line and cell. The
   caller frees what there is in any case (lt_arrays_free). */
int csv_parse(const char *path, const bytes *content, lt_number_array **all, int *n);

#endif
