/* SPDX-License-Identifier: MIT */
/* Comma-separated numbers. */
#ifndef LATENT_CSV_H
#define LATENT_CSV_H

#include <latent/data.h>

#include "base/file.h"

/* Columns of a csv file: with a line of names, columns NAME_1, NAME_2, ... become one array of rank 2;
   without names all columns become one array without a name. LT_FORMAT names line and column. The caller frees
   the arrays also after an error (lt_arrays_free). */
int csv_parse(const char *path, const bytes *content, lt_number_array **all, int *n);

#endif
