/* SPDX-License-Identifier: MIT */
/* Objectives: weights and bounds against their definitions put together from densities, in the
   double precision of the reference executor. */
#include "models/objective.h"

#include "check.h"

static const lt_image_size tiny = {4, 3, 1};

#define DATA "data: {set: synthetic}\n"
#define TINY                                                                                       \
    DATA "model:\n  latent: 2\n  likelihood: bernoulli\n"                                          \
         "  encoder: [linear 6, tanh]\n  decoder: [linear 6, tanh, linear image]\n"

enum { BATCH = 4, PIXELS = 12 };

/* A model and a graph of it on BATCH images, run by the reference executor. */
typedef struct subject {
    lt_model *model;
    lt_graph *graph;
    lt_node *x;
} subject;

static subject open_subject(const char *words, const char *const *sets, int n)
{
    lt_recipe *r = lt_recipe_parse("tiny.yaml", words, sets, n);
    if (!r)
        fail_msg("%s", lt_last_error());
    subject c = {.model = lt_model_create(r, tiny), .graph = lt_graph_create()};
    if (!c.model)
        fail_msg("%s", lt_last_error());
    lt_recipe_free(r);
    c.x = lt_input(c.graph, "x", lt_shape_4d(BATCH, tiny.h, tiny.w, tiny.c));
    return c;
}

static void close_subject(subject *c)
{
    lt_graph_free(c->graph);
    lt_model_free(c->model);
}

/* The values of n nodes in one run with this step of the noise; the caller frees each. */
static void values_of(const subject *c, lt_node *const *nodes, int n, uint64_t step, double **values)
{
    double x[BATCH * PIXELS];
    for (int i = 0; i < BATCH * PIXELS; i++)
        x[i] = i % 5 < 2 || i % 7 == 3;
    lt_program *p = must_compile(c->graph, nodes, n);
    lt_session *s = must_create(p, &(lt_session_options){.executor = LT_REFERENCE});
    assert_int_equal(lt_params_bind(lt_model_params(c->model), c->graph, s), LT_OK);
    feed(s, LT_REFERENCE, c->x, x);
    must_run(s, &(lt_run_key){1, step});
    for (int i = 0; i < n; i++)
        values[i] = fetch(s, LT_REFERENCE, nodes[i]);
    lt_session_free(s);
    lt_program_free(p);
}

/* The values of one node of a graph of its own. */
typedef lt_node *node_maker(const subject *c, int64_t k);

static double *value_of(const char *words, node_maker *make, int64_t k, int64_t n)
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

static lt_node *weights(const subject *c, int64_t k)
{
    lt_gauss q = lt_model_encode(c->model, c->graph, c->x);
    return lt_model_log_weights(c->model, c->graph, c->x, q, k);
}

/* Image i of the batch alone, and the rows i k ... i k + k - 1 of the noise. */
static lt_node *weights_by_densities(const subject *c, int64_t k)
{
    lt_graph *g = c->graph;
    lt_node *eps = lt_normal(g, lt_shape_2d(BATCH * k, lt_model_latent(c->model)));
    lt_node *parts[BATCH * 8];
    int n = 0;
    for (int i = 0; i < BATCH; i++)
        for (int j = 0; j < k; j++, n++) {
            lt_node *x = lt_slice(c->x, 0, i, i + 1);
            lt_gauss q = lt_model_encode(c->model, g, x);
            lt_node *z = lt_add(q.mean, lt_mul(lt_exp(lt_scale(q.logvar, .5)),
                                               lt_slice(eps, 0, n, n + 1)));
            lt_node *joint = lt_add(lt_model_log_prob(c->model, g, z, x),
                                    lt_model_log_prior(c->model, g, z));
            parts[n] = lt_sub(joint, lt_gauss_log_prob(q, z));
        }
    return lt_concat(0, n, parts);
}

static void weights_are_joint_less_posterior_image_by_image(void **state)
{
    (void)state;
    enum { DRAWS = 3 };
    double *found = value_of(TINY, weights, DRAWS, BATCH * DRAWS);
    double *want = value_of(TINY, weights_by_densities, DRAWS, BATCH * DRAWS);
    assert_array_close("weight", found, want, BATCH * DRAWS, 1e-12, 0);
    assert_true(fabs(found[0] - found[1]) > 1e-6);
    free(found);
    free(want);
}

static void weights_refuse_other_shapes(void **state)
{
    (void)state;
    subject c = open_subject(TINY, NULL, 0);
    lt_graph *g = c.graph;
    lt_node *two = lt_input(g, "two", lt_shape_2d(2, 2));
    lt_model_log_weights(c.model, g, c.x, (lt_gauss){two, two}, 1);
    assert_text_has(lt_graph_error(g), "the posterior of 2 images, and 4 images");
    close_subject(&c);
    c = open_subject(TINY, NULL, 0);
    lt_model_log_weights(c.model, c.graph, c.x, lt_model_encode(c.model, c.graph, c.x), 0);
    assert_text_has(lt_graph_error(c.graph), "cannot draw 0 codes");
    close_subject(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_joint_less_posterior_image_by_image),
        cmocka_unit_test(weights_refuse_other_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
