/* SPDX-License-Identifier: MIT */
/* Tiny models of a recipe's words and what the tests of their losses do with them. Included by test
   programs, not all of which use all of it. */
#ifndef LATENT_TEST_SUBJECT_H
#define LATENT_TEST_SUBJECT_H

#include "check.h"
#include "models/kind.h"
#include "scratch.h"

#include <latent/runs.h>

static const lt_image_size tiny = {4, 3, 1};

#define DATA "data: {set: synthetic}\n"
#define TINY                                                                                       \
    DATA "model:\n  latent: 2\n  likelihood: bernoulli\n"                                          \
         "  encoder: [linear 6, tanh]\n  decoder: [linear 6, tanh, linear image]\n"

enum { BATCH = 4, PIXELS = 12 };

/* A model and a graph of it on BATCH images. */
typedef struct subject {
    lt_model *model;
    lt_graph *graph;
    lt_node *x;
    lt_model_terms t; /* of training, once built */
    lt_node *gradient;
    double beta, capacity;
} subject;

static inline subject open_subject(const char *words, const char *const *sets, int n)
{
    lt_recipe *r = lt_recipe_parse("tiny.yaml", words, sets, n);
    if (!r)
        fail_msg("%s", lt_last_error());
    subject c = {.model = lt_model_create(r, tiny), .graph = lt_graph_create(), .beta = 1};
    if (!c.model)
        fail_msg("%s", lt_last_error());
    lt_recipe_free(r);
    c.x = lt_input(c.graph, "x", lt_shape_4d(BATCH, tiny.h, tiny.w, tiny.c));
    return c;
}

/* Its terms in training, and the gradient of the loss. */
static inline subject build_subject(const char *words, const char *const *sets, int n)
{
    subject c = open_subject(words, sets, n);
    if (lt_model_build(c.model, c.graph, c.x, LT_TRAINING, &c.t) != LT_OK)
        fail_msg("%s", lt_last_error());
    c.gradient = lt_params_gradient(lt_model_params(c.model), c.t.loss);
    return c;
}

static inline void close_subject(subject *c)
{
    lt_graph_free(c->graph);
    lt_model_free(c->model);
}

typedef struct subject_run {
    lt_program *program;
    lt_session *session;
    lt_executor executor;
} subject_run;

static inline void fill_images(double *x)
{
    for (int i = 0; i < BATCH * PIXELS; i++)
        x[i] = i % 5 < 2 || i % 7 == 3;
}

static inline subject_run open_run(const subject *c, lt_node *const *nodes, int n,
                                   lt_executor executor, int threads)
{
    double x[BATCH * PIXELS];
    fill_images(x);
    subject_run r = {.program = must_compile(c->graph, nodes, n), .executor = executor};
    r.session = must_create(r.program, &(lt_session_options){executor, .threads = threads});
    assert_int_equal(lt_params_bind(lt_model_params(c->model), c->graph, r.session), LT_OK);
    feed(r.session, executor, c->x, x);
    if (c->t.beta)
        feed(r.session, executor, c->t.beta, &c->beta);
    if (c->t.capacity)
        feed(r.session, executor, c->t.capacity, &c->capacity);
    return r;
}

static inline void close_run(subject_run *r)
{
    lt_session_free(r->session);
    lt_program_free(r->program);
}

/* The values of n nodes in one run of the reference executor with this step of the noise; the
   caller frees each. */
static inline void values_of(const subject *c, lt_node *const *nodes, int n, uint64_t step,
                             double **values)
{
    subject_run r = open_run(c, nodes, n, LT_REFERENCE, 1);
    must_run(r.session, &(lt_run_key){1, step});
    for (int i = 0; i < n; i++)
        values[i] = fetch(r.session, LT_REFERENCE, nodes[i]);
    close_run(&r);
}

static inline double number_of(const subject *c, lt_node *x, uint64_t step)
{
    double *value;
    values_of(c, &x, 1, step, &value);
    double first = value[0];
    free(value);
    return first;
}

/* The values of one node of a graph of its own. */
typedef lt_node *node_maker(const subject *c, int64_t k);

static inline double *value_of(const char *words, node_maker *make, int64_t k, int64_t n)
{
    subject c = open_subject(words, NULL, 0);
    lt_node *y = make(&c, k);
    double *values = NULL;
    if (lt_graph_error(c.graph))
        fail_msg("%s", lt_graph_error(c.graph));
    assert_int_equal(lt_shape_size(lt_node_shape(y)), n);
    values_of(&c, &y, 1, 0, &values);
    close_subject(&c);
    return values;
}

/* ---- Weights ---- */

static inline lt_node *weights(const subject *c, int64_t k)
{
    lt_gauss q = lt_model_encode(c->model, c->graph, c->x);
    return lt_model_log_weights(c->model, c->graph, c->x, q, k);
}

/* Image i of the batch alone, and the rows i k ... i k + k - 1 of the noise. */
static inline lt_node *weights_by_densities(const subject *c, int64_t k)
{
    lt_graph *g = c->graph;
    lt_node *eps = lt_normal(g, lt_shape_2d(BATCH * k, lt_model_latent(c->model)));
    lt_node *parts[BATCH * 8];
    int n = 0;
    for (int i = 0; i < BATCH; i++)
        for (int j = 0; j < k; j++, n++) {
            lt_node *x = lt_slice(c->x, 0, i, i + 1);
            lt_gauss q = lt_model_encode(c->model, g, x);
            lt_node *z =
                lt_add(q.mean, lt_mul(lt_exp(lt_scale(q.logvar, .5)), lt_slice(eps, 0, n, n + 1)));
            lt_node *joint =
                lt_add(lt_model_log_prob(c->model, g, z, x), lt_model_log_prior(c->model, g, z));
            parts[n] = lt_sub(joint, lt_gauss_log_prob(q, z));
        }
    return lt_concat(0, n, parts);
}

static inline double log_mean_exp(const double *x, int n)
{
    double top = -HUGE_VAL, sum = 0;
    for (int i = 0; i < n; i++)
        top = fmax(top, x[i]);
    for (int i = 0; i < n; i++)
        sum += exp(x[i] - top);
    return top + log(sum / n);
}

/* ---- Gradients ---- */

/* Along a random direction, with the parameters as single precision holds them. */
static inline void check_gradient(const char *words, const char *const *sets, int n,
                                  double capacity)
{
    subject c = build_subject(words, sets, n);
    c.beta = 0.7;
    c.capacity = capacity;
    int64_t size = lt_params_extent(lt_model_params(c.model));
    float *w = lt_params_block(lt_model_params(c.model));
    double *gradient, want = 0, *step = must_alloc(sizeof *step * (size_t)size), loss[2];
    float *start = must_alloc(sizeof *start * (size_t)size);
    memcpy(start, w, sizeof *start * (size_t)size);
    values_of(&c, &c.gradient, 1, 2, &gradient);
    for (int side = 0; side < 2; side++) {
        draws d = draws_from(5);
        for (int64_t i = 0; i < size; i++) {
            w[i] = start[i] + (float)((side ? 1e-3 : -1e-3) * draw(&d, -1, 1));
            step[i] += side ? (double)w[i] : -(double)w[i];
        }
        loss[side] = number_of(&c, c.t.loss, 2);
    }
    for (int64_t i = 0; i < size; i++)
        want += gradient[i] * step[i];
    assert_true(fabs(want) > 1e-6);
    assert_near(loss[1] - loss[0], want, 2e-5 * fabs(want) + 5e-8);
    free(start);
    free(step);
    free(gradient);
    close_subject(&c);
}

typedef struct moments {
    double *sum, *squares;
    int64_t size;
    int runs;
} moments;

static inline moments gradient_moments(const char *words, const char *const *sets, int n, int runs)
{
    subject c = build_subject(words, sets, n);
    subject_run r = open_run(&c, &c.gradient, 1, LT_CPU, 1);
    moments m = {.size = lt_params_extent(lt_model_params(c.model)), .runs = runs};
    m.sum = must_alloc(sizeof *m.sum * (size_t)m.size);
    m.squares = must_alloc(sizeof *m.squares * (size_t)m.size);
    for (int k = 0; k < runs; k++) {
        must_run(r.session, &(lt_run_key){7, (uint64_t)k});
        const float *g = lt_session_floats(r.session, c.gradient);
        for (int64_t i = 0; i < m.size; i++) {
            m.sum[i] += (double)g[i];
            m.squares[i] += (double)g[i] * (double)g[i];
        }
    }
    close_run(&r);
    close_subject(&c);
    return m;
}

static inline double variance(const moments *m, int64_t i)
{
    double mean = m->sum[i] / m->runs;
    return m->squares[i] / m->runs - mean * mean;
}

static inline void check_dreg(const char *words)
{
    enum { RUNS = 20000 };
    static const char *const iwae[] = {"objective.samples=6", "objective.bound=iwae"};
    static const char *const dreg[] = {"objective.samples=6", "objective.bound=dreg"};
    moments a = gradient_moments(words, iwae, 2, RUNS), b = gradient_moments(words, dreg, 2, RUNS);
    double noise_a = 0, noise_b = 0;
    for (int64_t i = 0; i < a.size; i++) {
        double va = variance(&a, i), vb = variance(&b, i);
        assert_near(b.sum[i] / RUNS, a.sum[i] / RUNS, 4 * sqrt((va + vb) / RUNS) + 1e-7);
        noise_a += va;
        noise_b += vb;
    }
    assert_true(noise_b < noise_a);
    free(a.sum);
    free(a.squares);
    free(b.sum);
    free(b.squares);
}

/* ---- Training ---- */

typedef struct training {
    lt_dataset *data;
    lt_model *model;
    lt_trainer *trainer;
} training;

static inline training open_training(const char *words, const char *const *sets, int n)
{
    training t;
    lt_recipe *r = lt_recipe_parse("tiny.yaml", words, sets, n);
    if (!r)
        fail_msg("%s", lt_last_error());
    assert_int_equal(lt_recipe_open_data(r, NULL, &t.data), LT_OK);
    const lt_dataset_info *info = lt_dataset_describe(t.data);
    t.model = lt_model_create(r, (lt_image_size){info->h, info->w, info->c});
    assert_non_null(t.model);
    t.trainer = lt_trainer_create(t.model, t.data, &(lt_trainer_options){.run.threads = 1});
    assert_non_null(t.trainer);
    lt_recipe_free(r);
    return t;
}

static inline void close_training(training *t)
{
    lt_trainer_free(t->trainer);
    lt_model_free(t->model);
    lt_dataset_free(t->data);
}

/* ---- Refusals and bits ---- */

static inline void check_refused(const char *words, const char *const *sets, int n,
                                 const char *message)
{
    lt_recipe *r = lt_recipe_parse("tiny.yaml", words, sets, n);
    if (r)
        fail_msg("no error, expected \"%s\"", message);
    assert_text_has(lt_last_error(), message);
}

/* Loss and gradient of the cpu executor with 1 and more threads. */
static inline void check_threads(const char *words, const char *const *sets, int n)
{
    subject c = build_subject(words, sets, n);
    lt_node *nodes[] = {c.t.loss, c.gradient};
    double *first[2] = {NULL};
    for (int threads = 1; threads <= 4; threads++) {
        subject_run r = open_run(&c, nodes, 2, LT_CPU, threads);
        must_run(r.session, NULL);
        for (int i = 0; i < 2; i++) {
            double *found = fetch(r.session, LT_CPU, nodes[i]);
            size_t size = sizeof *found * (size_t)lt_shape_size(lt_node_shape(nodes[i]));
            if (first[i])
                assert_memory_equal(found, first[i], size);
            else
                first[i] = found;
            if (found != first[i])
                free(found);
        }
        close_run(&r);
    }
    free(first[0]);
    free(first[1]);
    close_subject(&c);
}

#endif
