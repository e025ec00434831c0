/* SPDX-License-Identifier: MIT */
/* A story to learn the library from, in nine short chapters: graphs, gradients, mistakes, noise, parameters,
   optimizers, distributions, experiments. It uses public headers alone, and every number is checked by hand. */
#include <latent/latent.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_near(double found, double expected, double tolerance)
{
    if (!(fabs(found - expected) <= tolerance))
        fail_msg("expected %.17g, found %.17g", expected, found);
}

static void assert_error_has(const char *words)
{
    if (!strstr(lt_last_error(), words))
        fail_msg("expected \"%s\" in \"%s\"", words, lt_last_error());
}

/* 1. A node is an operator, its inputs and a shape. Nothing is computed until a session runs. */
static void a_graph_computes(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", lt_shape_1d(3));
    lt_node *y = lt_shift(lt_scale(x, 2), 1); /* 2 x + 1 */
    lt_session *s;
    assert_int_equal(lt_session_open(g, &y, 1, NULL, &s), LT_OK);
    assert_int_equal(lt_session_write(s, x, (const float[]){1, 2, 3}, 3), LT_OK);
    assert_int_equal(lt_session_run(s, NULL), LT_OK);
    const float *values = lt_session_floats(s, y);
    assert_true(values[0] == 3 && values[1] == 5 && values[2] == 7);
    lt_session_free(s);
    lt_graph_free(g);
}

/* 2. A gradient is more graph, so it has a gradient, too: of sum x^4 it is 4 x^3, and of that 12 x^2. */
static void a_gradient_is_more_graph(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", lt_shape_1d(2));
    lt_node *y = lt_sum(lt_square(lt_square(x)));
    lt_node *dx = lt_grad(y, x), *d2x = lt_grad(lt_sum(dx), x);
    lt_session *s;
    assert_int_equal(lt_session_open(g, (lt_node *[]){dx, d2x}, 2, NULL, &s), LT_OK);
    assert_int_equal(lt_session_write(s, x, (const float[]){1, -2}, 2), LT_OK);
    assert_int_equal(lt_session_run(s, NULL), LT_OK);
    float first[2], second[2];
    assert_int_equal(lt_session_read(s, dx, first, 2), LT_OK);
    assert_int_equal(lt_session_read(s, d2x, second, 2), LT_OK);
    assert_true(first[0] == 4 && first[1] == -32);
    assert_true(second[0] == 12 && second[1] == 48);
    lt_session_free(s);
    lt_graph_free(g);
}

/* 3. Building never fails half way. The first mistake is kept, and reported once, with names and shapes. */
static void a_mistake_is_kept(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create();
    lt_node *a = lt_input(g, "a", lt_shape_2d(2, 3)), *b = lt_input(g, "b", lt_shape_2d(2, 3));
    lt_node *y = lt_tanh(lt_shift(lt_matmul(a, b), 1)); /* 2 x 3 by 2 x 3 */
    lt_session *s;
    assert_int_equal(lt_session_open(g, &y, 1, NULL, &s), LT_GRAPH);
    assert_null(s);
    assert_error_has("matmul");
    assert_error_has("2 x 3");
    assert_string_equal(lt_graph_error(g), lt_last_error());
    lt_graph_free(g);
}

/* 4. Noise is a function of (seed, step): nothing draws from hidden state. */
static void noise_is_keyed(void **state)
{
    (void)state;
    enum { N = 1000 };
    lt_graph *g = lt_graph_create();
    lt_node *eps = lt_normal(g, lt_shape_1d(N));
    lt_session *s;
    float first[N], again[N], other[N];
    const lt_run_key step1 = {.seed = 7, .step = 1}, step2 = {.seed = 7, .step = 2};
    assert_int_equal(lt_session_open(g, &eps, 1, NULL, &s), LT_OK);
    assert_int_equal(lt_session_run(s, &step1), LT_OK);
    assert_int_equal(lt_session_read(s, eps, first, N), LT_OK);
    assert_int_equal(lt_session_run(s, &step2), LT_OK);
    assert_int_equal(lt_session_read(s, eps, other, N), LT_OK);
    assert_int_equal(lt_session_run(s, &step1), LT_OK);
    assert_int_equal(lt_session_read(s, eps, again, N), LT_OK);
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first, other, sizeof first);
    lt_session_free(s);
    lt_graph_free(g);
}

/* 5. A network is a function that asks a scope for its parameters by name. */
static lt_node *linear_model(lt_scope *s, lt_node *x, const void *options)
{
    const lt_init *init = options;
    return lt_linear(s, "fc", x, 1, .weight_init = *init, .bias_init = *init);
}

static const lt_init all_ones = {.kind = LT_INIT_ONES};

static void a_network_declares_its_parameters(void **state)
{
    (void)state;
    lt_params *p = lt_params_create();
    assert_int_equal(lt_params_declare(p, linear_model, &all_ones, lt_shape_2d(1, 3), 1), LT_OK);
    assert_int_equal(lt_params_count(p), 2);
    assert_int_equal(lt_params_size(p), 4);
    int weight = lt_params_find(p, "fc.weight"), bias = lt_params_find(p, "fc.bias");
    assert_true(lt_shape_equal(lt_params_info(p, weight).shape, lt_shape_2d(1, 3))); /* as PyTorch has it */
    assert_true(lt_shape_equal(lt_params_info(p, bias).shape, lt_shape_1d(1)));
    assert_int_equal(lt_params_declare(p, linear_model, &all_ones, lt_shape_2d(1, 3), 1), LT_VALUE);
    lt_params_free(p);
}

/* What does not fit is found while it is declared. */
static lt_node *twice_the_same_name(lt_scope *s, lt_node *x, const void *options)
{
    return lt_add(linear_model(s, x, options), linear_model(s, x, options));
}

static void a_name_is_used_once(void **state)
{
    (void)state;
    lt_params *p = lt_params_create();
    assert_int_equal(lt_params_declare(p, twice_the_same_name, &all_ones, lt_shape_2d(1, 3), 1), LT_GRAPH);
    assert_error_has("fc");
    lt_params_free(p);
}

/* 6. An optimizer is graph as well. One step of gradient descent on (w x + b - t)^2 from w = b = 1, x = 2, t = 0:
   the error is 3, its slopes 12 and 6, so with a rate of 0.1 w = -0.2 and b = 0.4. */
static void an_optimizer_is_graph(void **state)
{
    (void)state;
    lt_params *p = lt_params_create();
    assert_int_equal(lt_params_declare(p, linear_model, &all_ones, lt_shape_2d(1, 1), 1), LT_OK);
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", lt_shape_2d(1, 1));
    lt_node *loss = lt_sum(lt_square(linear_model(lt_params_visit(p, g), x, &all_ones)));
    lt_node *targets[1 + LT_OPTIMIZER_TARGETS] = {loss};
    int n = lt_optimizer_build("sgd lr=0.1", p, loss, targets + 1);
    lt_session *s;
    assert_int_equal(lt_session_open(g, targets, 1 + n, NULL, &s), LT_OK);
    assert_int_equal(lt_params_bind(p, g, s), LT_OK);
    assert_int_equal(lt_session_write(s, x, &(float){2}, 1), LT_OK);
    assert_int_equal(lt_session_run(s, NULL), LT_OK);
    float w, b;
    lt_params_export(p, lt_params_find(p, "fc.weight"), lt_params_block(p), &w);
    lt_params_export(p, lt_params_find(p, "fc.bias"), lt_params_block(p), &b);
    assert_near(*lt_session_floats(s, loss), 9, 0);
    assert_near(w, -0.2, 1e-6);
    assert_near(b, 0.4, 1e-6);
    lt_session_free(s);
    lt_graph_free(g);
    lt_params_free(p);
}

/* 7. Densities have all their constants and are in nats. For q = N(1, e^0) in each of two dimensions
   KL(q || N(0, I)) = 1/2 sum mean^2 + e^lv - 1 - lv = 1; and log N(0; 0, I) = -log 2 pi. */
static void densities_are_in_nats(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create();
    lt_node *zero = lt_constant(g, lt_shape_2d(1, 2), (const double[]){0, 0});
    lt_gauss q = {lt_shift(zero, 1), zero};
    lt_node *kl = lt_gauss_kl(q), *density = lt_standard_log_prob(zero);
    lt_session *s;
    const lt_session_options exactly = {.executor = LT_REFERENCE}; /* the graph as written, in double precision */
    assert_int_equal(lt_session_open(g, (lt_node *[]){kl, density}, 2, &exactly, &s), LT_OK);
    assert_int_equal(lt_session_run(s, NULL), LT_OK);
    assert_near(*lt_session_doubles(s, kl), 1, 1e-15);
    assert_near(*lt_session_doubles(s, density), -log(2 * acos(-1)), 1e-15);
    lt_session_free(s);
    lt_graph_free(g);
}

/* 8. A recipe is a whole experiment with every default written out; a trainer follows it. */
static const char recipe_text[] = "data: {set: synthetic, limit: 200, resize: 8}\n"
                                  "model:\n"
                                  "  latent: 2\n"
                                  "  likelihood: bernoulli\n"
                                  "  encoder: [linear 16, relu]\n"
                                  "  decoder: [linear 16, relu, linear image]\n"
                                  "train: {epochs: 5, batch: 50}\n";

typedef struct experiment {
    lt_recipe *recipe;
    lt_dataset *data;
    lt_model *model;
    lt_trainer *trainer;
} experiment;

static experiment open_experiment(void)
{
    experiment e = {.recipe = lt_recipe_parse("hello", recipe_text, NULL, 0)};
    assert_non_null(e.recipe);
    assert_int_equal(lt_recipe_open_data(e.recipe, NULL, &e.data), LT_OK);
    e.model = lt_model_create(e.recipe, (lt_image_size){8, 8, 1});
    assert_non_null(e.model);
    e.trainer = lt_trainer_create(e.model, e.data, NULL);
    assert_non_null(e.trainer);
    return e;
}

static void close_experiment(experiment *e)
{
    lt_trainer_free(e->trainer);
    lt_model_free(e->model);
    lt_dataset_free(e->data);
    lt_recipe_free(e->recipe);
}

static void a_recipe_is_an_experiment(void **state)
{
    (void)state;
    experiment e = open_experiment();
    lt_train_report first, last;
    assert_int_equal(lt_trainer_epoch(e.trainer, NULL, NULL, &first), LT_OK);
    for (int i = 1; i < 5; i++)
        assert_int_equal(lt_trainer_epoch(e.trainer, NULL, NULL, &last), LT_OK);
    assert_int_equal(last.step, 20);
    const lt_recipe *r = lt_model_recipe(e.model);
    double loss = lt_report_value(r, &last, "loss");
    assert_true(loss < lt_report_value(r, &first, "loss"));
    assert_near(loss, lt_report_value(r, &last, "distortion") + lt_report_value(r, &last, "rate"), 1e-4 * loss);
    lt_evaluation v;
    assert_int_equal(lt_evaluate(e.model, e.data, LT_TEST, NULL, &v), LT_OK);
    assert_near(v.neg_elbo.value, v.rate.value + v.distortion.value, 1e-9 * v.neg_elbo.value);
    close_experiment(&e);
}

/* 9. A checkpoint is the model: opened again it makes the same images, with any number of threads. */
static void a_checkpoint_is_the_model(void **state)
{
    (void)state;
    enum { N = 4, SIZE = N * 8 * 8 };
    float before[SIZE], after[SIZE];
    experiment e = open_experiment();
    char dir[] = "/tmp/latent-hello-XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/hello.safetensors", dir);
    assert_int_equal(lt_trainer_epoch(e.trainer, NULL, NULL, NULL), LT_OK);
    assert_int_equal(lt_trainer_save(e.trainer, path), LT_OK);
    assert_int_equal(lt_sample(e.model, N, 3, 1, before), LT_OK);
    lt_model *again;
    lt_model_open(path, &again);
    assert_non_null(again);
    assert_int_equal(lt_sample(again, N, 3, 2, after), LT_OK);
    assert_memory_equal(before, after, sizeof before);
    lt_model_free(again);
    close_experiment(&e);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_graph_computes),
        cmocka_unit_test(a_gradient_is_more_graph),
        cmocka_unit_test(a_mistake_is_kept),
        cmocka_unit_test(noise_is_keyed),
        cmocka_unit_test(a_network_declares_its_parameters),
        cmocka_unit_test(a_name_is_used_once),
        cmocka_unit_test(an_optimizer_is_graph),
        cmocka_unit_test(densities_are_in_nats),
        cmocka_unit_test(a_recipe_is_an_experiment),
        cmocka_unit_test(a_checkpoint_is_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
