/* SPDX-License-Identifier: MIT */
/* Builders shared by operator families. */
#ifndef LATENT_ELTWISE_H
#define LATENT_ELTWISE_H

#include "ops/attributes.h"

/* Lines of eltwise.def that are not public operators. */
lt_node *lt_leaky_by(lt_node *x, lt_node *slope);
lt_node *lt_elu_by(lt_node *x, lt_node *alpha);
lt_node *lt_copy(lt_node *x);
lt_node *lt_mul_add(lt_node *a, lt_node *b, lt_node *c); /* a b + c */
lt_node *lt_sub_mul(lt_node *a, lt_node *b, lt_node *c); /* c - a b */

/* Expands the n inputs to their common shape as NumPy does. Shapes that do not broadcast are a graph error naming
   `op`. */
void broadcast_together(int n, lt_node **in, const char *op);

#endif
