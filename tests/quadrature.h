/* SPDX-License-Identifier: MIT */
/* Numerical integration, for tests of densities. */
#ifndef LATENT_QUADRATURE_H
#define LATENT_QUADRATURE_H

#include <math.h>

/* Gauss's five points on each of `cells` cells of [lo, hi]: places and weights. */
static inline void quadrature(double lo, double hi, int cells, double *x, double *w)
{
    const double a = sqrt(5 - 2 * sqrt(10. / 7)) / 3, b = sqrt(5 + 2 * sqrt(10. / 7)) / 3;
    const double at[] = {-b, -a, 0, a, b};
    const double near = (322 + 13 * sqrt(70)) / 900, far = (322 - 13 * sqrt(70)) / 900;
    const double weight[] = {far, near, 128. / 225, near, far};
    double half = (hi - lo) / cells / 2;
    for (int i = 0; i < 5 * cells; i++) {
        x[i] = lo + half * (2 * (i / 5) + 1 + at[i % 5]);
        w[i] = half * weight[i % 5];
    }
}

#endif
