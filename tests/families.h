/* SPDX-License-Identifier: MIT */
/* What the tests of distributions share: the families by name, graphs with the values of their
   inputs, and distributions with drawn parameters. */
#ifndef LATENT_FAMILIES_H
#define LATENT_FAMILIES_H

#include "check.h"

#include <latent/distributions.h>

#include <stdio.h>

/* ---- The families, made of nodes ---- */

static inline lt_distribution make_normal(lt_node **p)
{
    return lt_normal_distribution((lt_gauss){p[0], p[1]});
}
static inline lt_distribution make_full_normal(lt_node **p)
{
    return lt_full_normal_distribution(p[0], p[1]);
}
static inline lt_distribution make_laplace(lt_node **p)
{
    return lt_laplace_distribution(p[0], p[1]);
}
static inline lt_distribution make_uniform(lt_node **p)
{
    return lt_uniform_distribution(p[0], p[1]);
}
static inline lt_distribution make_bernoulli(lt_node **p)
{
    return lt_bernoulli_distribution(p[0]);
}
static inline lt_distribution make_categorical(lt_node **p)
{
    return lt_categorical_distribution(p[0]);
}
static inline lt_distribution make_continuous_bernoulli(lt_node **p)
{
    return lt_continuous_bernoulli_distribution(p[0]);
}
static inline lt_distribution make_logistic(lt_node **p)
{
    return lt_discretized_logistic_distribution(p[0], p[1]);
}
static inline lt_distribution make_mixture(lt_node **p)
{
    return lt_mixture_distribution(p[0], (lt_gauss){p[1], p[2]});
}

typedef struct family {
    const char *name;
    lt_distribution (*make)(lt_node **p);
} family;

static const family normal = {"normal", make_normal},
                    full_normal = {"full normal", make_full_normal},
                    laplace = {"laplace", make_laplace}, uniform = {"uniform", make_uniform},
                    bernoulli = {"bernoulli", make_bernoulli},
                    categorical = {"categorical", make_categorical},
                    continuous_bernoulli = {"continuous bernoulli", make_continuous_bernoulli},
                    logistic = {"discretized logistic", make_logistic},
                    mixture = {"mixture", make_mixture};

static const family *const families[] = {
    &normal,      &full_normal,          &laplace,  &uniform, &bernoulli,
    &categorical, &continuous_bernoulli, &logistic, &mixture};

/* Between two of a family, and between families: those that have a formula. */
static const struct {
    const family *q, *p;
} pairs[] = {{&normal, &normal},
             {&full_normal, &full_normal},
             {&laplace, &laplace},
             {&uniform, &uniform},
             {&bernoulli, &bernoulli},
             {&categorical, &categorical},
             {&continuous_bernoulli, &continuous_bernoulli},
             {&normal, &full_normal},
             {&full_normal, &normal},
             {&laplace, &normal},
             {&normal, &laplace},
             {&uniform, &normal},
             {&uniform, &continuous_bernoulli},
             {&continuous_bernoulli, &uniform}};

/* ---- Subjects: a graph, its inputs and their values ---- */

enum { MAX_INPUTS = 8 };

typedef struct subject {
    lt_graph *graph;
    int n;
    lt_node *inputs[MAX_INPUTS];
    double *values[MAX_INPUTS];
} subject;

static inline subject open_subject(void) { return (subject){.graph = lt_graph_create()}; }

static inline void close_subject(subject *c)
{
    for (int i = 0; i < c->n; i++)
        free(c->values[i]);
    lt_graph_free(c->graph);
}

/* An input that holds `values`, which it owns from now on. */
static inline lt_node *add_input(subject *c, lt_shape shape, double *values)
{
    char name[16];
    snprintf(name, sizeof name, "in%d", c->n);
    assert_true(c->n < MAX_INPUTS);
    c->values[c->n] = values;
    return c->inputs[c->n++] = lt_input(c->graph, name, shape);
}

static inline lt_node *add_values(subject *c, lt_shape shape, const double *values)
{
    int64_t n = lt_shape_size(shape);
    double *copy = must_alloc(sizeof *copy * (size_t)(n + 1));
    for (int64_t i = 0; i < n; i++)
        copy[i] = values[i];
    return add_input(c, shape, copy);
}

static inline lt_node *add_draws(subject *c, lt_shape shape, draws *d, double lo, double hi)
{
    int64_t n = lt_shape_size(shape);
    double *values = must_alloc(sizeof *values * (size_t)n);
    for (int64_t i = 0; i < n; i++)
        values[i] = draw(d, lo, hi);
    return add_input(c, shape, values);
}

/* The values of `targets`; the caller frees them. */
static inline void run_all(const subject *c, lt_executor e, int n, lt_node *const *targets,
                           double **out)
{
    lt_program *p = must_compile(c->graph, targets, n);
    lt_session *s = must_create(p, &(lt_session_options){.executor = e});
    for (int i = 0; i < c->n; i++)
        if (e == LT_REFERENCE ? lt_session_doubles(s, c->inputs[i]) != NULL
                              : lt_session_floats(s, c->inputs[i]) != NULL)
            feed(s, e, c->inputs[i], c->values[i]);
    must_run(s, &(lt_run_key){.seed = 7});
    for (int i = 0; i < n; i++)
        out[i] = fetch(s, e, targets[i]);
    lt_session_free(s);
    lt_program_free(p);
}

static inline double *run(const subject *c, lt_executor e, lt_node *target)
{
    double *values;
    run_all(c, e, 1, &target, &values);
    return values;
}

static inline double run_scalar(const subject *c, lt_executor e, lt_node *target)
{
    double *values = run(c, e, target), value = values[0];
    free(values);
    return value;
}

static inline lt_node *number(subject *c, double value)
{
    return add_values(c, lt_shape_2d(1, 1), &value);
}

/* ---- Moderate parameters, drawn ---- */

enum { ROWS = 3, WIDTH = 4, PARTS = 2 };

static inline lt_shape cube(int64_t a, int64_t b, int64_t c)
{
    return (lt_shape){.rank = 3, .d = {a, b, c}};
}

/* A distribution over ROWS x WIDTH numbers; for every family one that overlaps with any other. */
static inline lt_distribution drawn(subject *c, const family *f, draws *d)
{
    lt_shape s = lt_shape_2d(ROWS, WIDTH);
    lt_node *p[LT_MAX_PARAMETERS] = {NULL};
    if (f == &full_normal) {
        p[0] = add_draws(c, s, d, -1, 1);
        p[1] = lt_cholesky_factor(add_draws(c, cube(ROWS, WIDTH, WIDTH), d, -.8, .8));
    } else if (f == &mixture) {
        p[0] = add_draws(c, lt_shape_2d(ROWS, PARTS), d, -1, 1);
        p[1] = add_draws(c, cube(ROWS, PARTS, WIDTH), d, -2, 2);
        p[2] = add_draws(c, cube(ROWS, PARTS, WIDTH), d, -1, 1);
    } else if (f == &uniform) {
        p[0] = add_draws(c, s, d, .1, .4);
        p[1] = add_draws(c, s, d, .6, .9);
    } else {
        p[0] = add_draws(c, s, d, -1.5, 1.5);
        p[1] = add_draws(c, s, d, -1, 1);
    }
    return f->make(p);
}

/* Values that a distribution of this family may have. */
static inline lt_node *drawn_values(subject *c, const family *f, draws *d)
{
    lt_shape s = lt_shape_2d(ROWS, WIDTH);
    double x[ROWS * WIDTH];
    if (f == &uniform)
        return add_draws(c, s, d, .45, .55);
    if (f == &continuous_bernoulli)
        return add_draws(c, s, d, .05, .95);
    if (f == &normal || f == &full_normal || f == &laplace || f == &mixture)
        return add_draws(c, s, d, -2, 2);
    for (int i = 0; i < ROWS * WIDTH; i++)
        x[i] = f == &bernoulli     ? draw_below(d, 2)
               : f == &categorical ? i % WIDTH == i / WIDTH
                                   : draw_below(d, 256) / 255.;
    return add_values(c, s, x);
}

#endif
