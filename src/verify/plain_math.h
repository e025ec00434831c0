/* SPDX-License-Identifier: MIT */
/* Numbers of a graph in double precision, and integrals, differences and sampled noise to compare them with. */
#ifndef LATENT_PLAIN_MATH_H
#define LATENT_PLAIN_MATH_H

#include <latent/nn.h>

/* Runs a graph on the reference executor, seed 3, and reads `n` numbers of y. Frees the graph. */
int numbers_read(lt_graph *g, lt_node *y, double *out, int64_t n);

/* The same for several nodes at once, all numbers of each, with the parameters p; assignments of the run change their
   block. Nullable: p, to. */
typedef struct numbers_target {
    lt_node *node;
    double *to;
} numbers_target;
int numbers_read_all(lt_graph *g, lt_params *p, const numbers_target *targets, int n);

/* The same with values for scalar inputs, and any seed. */
typedef struct numbers_input {
    lt_node *node; /* NULL: none */
    double value;
} numbers_input;
int numbers_run(lt_graph *g, lt_params *p, uint64_t seed, const numbers_input *inputs, int n_inputs,
                const numbers_target *targets, int n);

/* Finds the nodes called `op` ("normal", "uniform") that y depends on, in the order of their creation. Returns how
   many, at most `most`. */
int numbers_find_noise(lt_node *y, const char *op, int most, lt_node **found);

/* The integral of f from lo to hi, either of which may be infinite: trapezoids in a variable in which
   the integrand falls off doubly exponentially at both ends (Takahasi and Mori 1974). f must be smooth
   between lo and hi. About 1e-12. */
typedef double integrand(double x, const void *about);
double numbers_integrate(integrand *f, const void *about, double lo, double hi);

#endif
