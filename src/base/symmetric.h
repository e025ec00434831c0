/* SPDX-License-Identifier: MIT */
/* Symmetric matrices of moderate size, n x n row by row. */
#ifndef LATENT_SYMMETRIC_H
#define LATENT_SYMMETRIC_H

/* Computes the eigenvalues of `a`, unsorted, and their orthonormal eigenvectors as the columns of
   `vectors`: a = V diag(values) V'. Nullable: vectors. */
void symmetric_eigen(int n, const double *a, double *values, double *vectors);

/* tr (a b)^(1/2) for positive semidefinite a and b: the sum of the roots of the eigenvalues of
   a^(1/2) b a^(1/2), which are those of a b. */
double symmetric_root_trace(int n, const double *a, const double *b);

#endif
