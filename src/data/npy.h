/* SPDX-License-Identifier: MIT */
/* The header of an npy file, for all that read one: images and labels (npy.c), numbers (numbers.c). */
#ifndef LATENT_NPY_H
#define LATENT_NPY_H

#include "data/reader.h"

enum { NPY_MAX_RANK = 4, NPY_DESCR_SIZE = 16 };

/* The fields, their offsets in the file, and the offset of the numbers. */
typedef struct npy_header {
    char descr[NPY_DESCR_SIZE]; /* "|u1" */
    bool fortran;
    int rank;
    uint64_t shape[NPY_MAX_RANK];
    bool has_descr, has_order, has_shape;
    size_t descr_at, order_at, shape_at, data_at;
} npy_header;

/* Reads a header. LT_FORMAT for invalid headers and for Fortran order. The caller zeroes `h`. */
int npy_read_header(const data_source *s, npy_header *h);

#endif
