/* SPDX-License-Identifier: MIT */
/* Distributions on a line or in a plane, for studies of divergences: draws as graph, and how far
   two of them are apart where that has a formula. */
#ifndef LATENT_TOYS_H
#define LATENT_TOYS_H

#include "models/adversarial.h"

extern const spec_table toy_table; /* segment, uniform, normal, gaussian, ring, grid */

int toy_dims(const spec *toy); /* 1 or 2 */

/* n draws, n x dims. */
lt_node *toy_draw(const spec *toy, lt_graph *g, int64_t n);

/* The divergence of p from q, once q has moved by theta along the first axis; both have the same
   dimensions. May be infinite; NaN where there is no formula. */
double toy_divergence(divergence_kind kind, const spec *p, const spec *q, double theta);

#endif
