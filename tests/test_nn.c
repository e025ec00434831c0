/* SPDX-License-Identifier: MIT */
/* Parameters, layers, distributions and likelihoods: against PyTorch
   (tools/golden.py), closed forms, and their own contracts. */
#include "golden/golden.h"
#include "nn/init.h"
#include "nn/layers.h"
#include "nn/likelihoods.h"
#include "nn/params.h"

#include <stdio.h>

static const double pi = 3.14159265358979323846;

static void assert_close(double found, double want, double tolerance)
{
    if (!(fabs(found - want) <= tolerance))
        fail_msg("expected %.17g, found %.17g", want, found);
}

static void assert_has(const char *all, const char *part)
{
    if (!all || !strstr(all, part))
        fail_msg("expected \"%s\" in: %s", part, all ? all : "(nothing)");
}

static lt_node *constant_1d(lt_graph *g, int64_t n, const double *values)
{
    return lt_constant(g, lt_shape_2d(1, n), values);
}

/* The one number of a node, by the reference executor. */
static double value_of(lt_node *x)
{
    lt_program *p = lt_compile(lt_node_graph(x), &x, 1);
    if (!p)
        fail_msg("%s", lt_last_error());
    lt_session *s = lt_session_create(p, &(lt_session_options){.executor = LT_REFERENCE});
    assert_int_equal(lt_session_run(s, NULL), LT_OK);
    double value = lt_session_doubles(s, x)[0];
    lt_session_free(s);
    lt_program_free(p);
    return value;
}

/* ---- Layers against PyTorch ---- */

/* "elu 0.7" builds the layer of that line on the tensor "elu 0.7.x"; y and d.x must be golden. */
static void check_activation(const safetensors *file, const char *line)
{
    spec layer;
    if (spec_parse(&layer_table, line, &layer) != LT_OK)
        fail_msg("%s", lt_last_error());
    lt_graph *graph = lt_graph_create();
    lt_node *x = lt_input(graph, "x", lt_shape_2d(2, 7));
    lt_node *g = lt_input(graph, "g", lt_shape_2d(2, 7));
    lt_node *y = layer_build(&layer, &(layer_context){.name = "0"}, x);
    char names[4][64];
    static const char *const parts[] = {"x", "g", "y", "d.x"};
    for (int i = 0; i < COUNT_OF(names); i++)
        snprintf(names[i], sizeof names[i], "%s.%s", line, parts[i]);
    golden_run(file, graph, NULL, (golden_value[]){{x, names[0]}, {g, names[1]}}, 2,
               (golden_value[]){{y, names[2]}, {lt_grad(lt_mul(g, y), x), names[3]}}, 2);
    lt_graph_free(graph);
    spec_clear(&layer);
}

static void activations_equal_pytorch(void **state)
{
    (void)state;
    safetensors *file = golden_open("layers");
    static const char *const lines[] = {
        "relu", "leaky_relu", "leaky_relu 0.2", "elu", "elu 0.7", "gelu", "silu", "tanh",
        "sigmoid", "softplus", "shift -5",
    };
    for (int i = 0; i < COUNT_OF(lines); i++)
        check_activation(file, lines[i]);
    safetensors_free(file);
}

static lt_node *linear_7_to_4(lt_params *p, lt_node *x)
{
    return lt_linear(lt_params_visit(p, lt_node_graph(x)), "fc", x, 4, .no_bias = false);
}

/* A set with the parameters of `network`, initialized from seed 1. */
static lt_params *params_of(lt_node *(*network)(lt_params *, lt_node *), int64_t inputs)
{
    lt_params *p = lt_params_create();
    lt_graph *scratch = lt_graph_create();
    network(p, lt_input(scratch, "x", lt_shape_2d(1, inputs)));
    if (lt_graph_error(scratch))
        fail_msg("%s", lt_graph_error(scratch));
    lt_graph_free(scratch);
    assert_int_equal(lt_params_allocate(p, 1), LT_OK);
    return p;
}

/* The part of a block-shaped gradient that belongs to a parameter, as stored outside. */
static lt_node *outside_part(const lt_params *p, const char *name, lt_node *block)
{
    lt_param_info info = lt_params_info(p, lt_params_find(p, name));
    lt_node *part = lt_slice(block, 0, info.offset, info.offset + lt_shape_size(info.shape));
    if (info.layout == LT_LAYOUT_PLAIN)
        return lt_reshape(part, info.shape);
    return lt_transpose(lt_reshape(part, lt_shape_2d(info.shape.d[1], info.shape.d[0])));
}

static void linear_equals_pytorch(void **state)
{
    (void)state;
    safetensors *file = golden_open("layers");
    lt_params *p = params_of(linear_7_to_4, 7);
    golden_import(file, "linear.weight", p, lt_params_find(p, "fc.weight"));
    golden_import(file, "linear.bias", p, lt_params_find(p, "fc.bias"));
    lt_graph *graph = lt_graph_create();
    lt_node *x = lt_input(graph, "x", lt_shape_2d(5, 7));
    lt_node *g = lt_input(graph, "g", lt_shape_2d(5, 4));
    lt_node *y = linear_7_to_4(p, x), *loss = lt_sum(lt_mul(g, y));
    lt_node *block = lt_params_gradient(p, loss);
    golden_value out[] = {{y, "linear.y"},
                          {lt_grad(loss, x), "linear.d.x"},
                          {outside_part(p, "fc.weight", block), "linear.d.weight"},
                          {outside_part(p, "fc.bias", block), "linear.d.bias"}};
    golden_run(file, graph, p, (golden_value[]){{x, "linear.x"}, {g, "linear.g"}}, 2, out,
               COUNT_OF(out));
    lt_graph_free(graph);
    lt_params_free(p);
    safetensors_free(file);
}

static void linear_flattens_images(void **state)
{
    (void)state;
    spec layer;
    assert_int_equal(spec_parse(&layer_table, "linear image", &layer), LT_OK);
    lt_params *p = lt_params_create();
    lt_graph *g = lt_graph_create();
    layer_context c = {.scope = lt_params_visit(p, g), .name = "0", .image_size = 12};
    lt_node *y = layer_build(&layer, &c, lt_input(g, "x", lt_shape_4d(2, 4, 3, 1)));
    assert_true(lt_shape_equal(lt_node_shape(y), lt_shape_2d(2, 12)));
    assert_int_equal(lt_params_info(p, lt_params_find(p, "0.weight")).shape.d[1], 12);
    lt_graph_free(g);
    lt_params_free(p);
    spec_clear(&layer);
}

static void reshape_and_flatten_undo_each_other(void **state)
{
    (void)state;
    spec reshape, flatten;
    assert_int_equal(spec_parse(&layer_table, "reshape 2 3 4", &reshape), LT_OK);
    assert_int_equal(spec_parse(&layer_table, "flatten", &flatten), LT_OK);
    lt_graph *g = lt_graph_create();
    layer_context c = {.name = "0"};
    lt_node *x = lt_input(g, "x", lt_shape_2d(5, 24));
    lt_node *image = layer_build(&reshape, &c, x);
    assert_true(lt_shape_equal(lt_node_shape(image), lt_shape_4d(5, 2, 3, 4)));
    lt_node *y = layer_build(&flatten, &c, image);
    assert_true(lt_shape_equal(lt_node_shape(y), lt_shape_2d(5, 24)));
    lt_graph_free(g);
    spec_clear(&reshape);
    spec_clear(&flatten);
}

static void dropout_keeps_the_mean(void **state)
{
    (void)state;
    enum { N = 40000 };
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_broadcast(lt_scalar(g, 3), lt_shape_2d(4, N / 4));
    assert_ptr_equal(lt_dropout(x, .25, false), x);
    lt_node *y = lt_dropout(x, .25, true);
    double mean = value_of(lt_mean(y)), kept = value_of(lt_mean(lt_step(y)));
    assert_close(kept, .75, 4 * sqrt(.75 * .25 / N));
    assert_close(mean, kept * 4, 1e-9);
    lt_dropout(x, 1, true);
    assert_has(lt_graph_error(g), "dropout: p must be at least 0 and below 1");
    lt_graph_free(g);
}

/* ---- Distributions against PyTorch ---- */

enum { ROWS = 4, COLUMNS = 6 };

/* Checks y (n) and the gradients of sum(g y) by the inputs, named NAME.y, NAME.X, NAME.d.X. */
static void check_loss(const safetensors *file, const char *name, lt_graph *graph, lt_node *y,
                       int n, const golden_value *inputs)
{
    lt_node *g = lt_input(graph, "g", lt_shape_1d(ROWS)), *loss = lt_sum(lt_mul(g, y));
    char names[16][64];
    golden_value in[8] = {{g, "g"}}, out[8] = {{y, names[0]}};
    snprintf(names[0], sizeof names[0], "%s.y", name);
    for (int i = 0; i < n; i++) {
        char *value = names[1 + 2 * i], *gradient = names[2 + 2 * i];
        snprintf(value, sizeof names[0], "%s.%s", name, inputs[i].name);
        snprintf(gradient, sizeof names[0], "%s.d.%s", name, inputs[i].name);
        in[1 + i] = (golden_value){inputs[i].node, value};
        out[1 + i] = (golden_value){lt_grad(loss, inputs[i].node), gradient};
    }
    golden_run(file, graph, NULL, in, n + 1, out, n + 1);
}

static lt_node *matrix(lt_graph *g, const char *name)
{
    return lt_input(g, name, lt_shape_2d(ROWS, COLUMNS));
}

static void kl_equals_pytorch(void **state)
{
    (void)state;
    safetensors *file = golden_open("losses");
    lt_graph *g = lt_graph_create();
    lt_gauss q = {matrix(g, "mean"), matrix(g, "logvar")};
    lt_gauss p = {matrix(g, "mean_p"), matrix(g, "logvar_p")};
    check_loss(file, "kl", g, lt_gauss_kl(q), 2,
               (golden_value[]){{q.mean, "mean"}, {q.logvar, "logvar"}});
    check_loss(file, "kl_between", g, lt_gauss_kl_between(q, p), 4,
               (golden_value[]){{q.mean, "mean"}, {q.logvar, "logvar"},
                                {p.mean, "mean_p"}, {p.logvar, "logvar_p"}});
    lt_graph_free(g);
    safetensors_free(file);
}

static void log_densities_equal_pytorch(void **state)
{
    (void)state;
    safetensors *file = golden_open("losses");
    lt_graph *g = lt_graph_create();
    lt_gauss q = {matrix(g, "mean"), matrix(g, "logvar")};
    lt_node *z = matrix(g, "z");
    check_loss(file, "log_prob", g, lt_gauss_log_prob(q, z), 3,
               (golden_value[]){{z, "z"}, {q.mean, "mean"}, {q.logvar, "logvar"}});
    check_loss(file, "standard", g, lt_standard_log_prob(z), 1, (golden_value[]){{z, "z"}});
    check_loss(file, "entropy", g, lt_gauss_entropy(q), 1, (golden_value[]){{q.logvar, "logvar"}});
    lt_graph_free(g);
    safetensors_free(file);
}

/* ---- Distributions in closed form (document 000 and 001, with their slips put right) ---- */

static void kl_of_the_prior_is_zero(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create();
    lt_node *zero = constant_1d(g, 3, (double[]){0, 0, 0});
    assert_close(value_of(lt_gauss_kl((lt_gauss){zero, zero})), 0, 0);
    lt_graph_free(g);
}

/* KL(N(m, s^2) || N(0, 1)) = (m^2 + s^2 - 1) / 2 - log s: with the half that the document lacks.
   Without it the minimum would be (1 + log 2) / 2 - 1/2 = 0.3466 at s = 1 / sqrt 2. */
static void kl_has_its_half(void **state)
{
    (void)state;
    double m = .7, s = sqrt(.5), lv = 2 * log(s);
    lt_graph *g = lt_graph_create();
    lt_gauss q = {constant_1d(g, 1, &m), constant_1d(g, 1, &lv)};
    assert_close(value_of(lt_gauss_kl(q)), (m * m + s * s - 1) / 2 - log(s), 1e-15);
    lt_graph_free(g);
}

/* KL(q || p) = log s1/s2 + (s2^2 + (m1 - m2)^2) / (2 s1^2) - 1/2 for p = N(m1, s1^2), q = N(m2,
   s2^2). */
static void kl_between_gaussians_is_that_of_the_formula(void **state)
{
    (void)state;
    double m1 = .4, s1 = 1.7, m2 = -1.1, s2 = .3, lv1 = 2 * log(s1), lv2 = 2 * log(s2);
    lt_graph *g = lt_graph_create();
    lt_gauss q = {constant_1d(g, 1, &m2), constant_1d(g, 1, &lv2)};
    lt_gauss p = {constant_1d(g, 1, &m1), constant_1d(g, 1, &lv1)};
    double want = log(s1 / s2) + (s2 * s2 + (m1 - m2) * (m1 - m2)) / (2 * s1 * s1) - .5;
    assert_close(value_of(lt_gauss_kl_between(q, p)), want, 1e-14);
    lt_graph_free(g);
}

/* n/2 log 2 pi + 1/2 log det Sigma + n/2. */
static void entropy_has_two_pi_and_log_det(void **state)
{
    (void)state;
    double lv[] = {-1, .5, 2}, det = exp(-1 + .5 + 2);
    lt_graph *g = lt_graph_create();
    lt_node *logvar = constant_1d(g, 3, lv);
    double want = 1.5 * log(2 * pi) + .5 * log(det) + 1.5;
    assert_close(value_of(lt_gauss_entropy((lt_gauss){logvar, logvar})), want, 1e-14);
    lt_graph_free(g);
}

/* The mean of log q - log p over draws is the KL divergence; of - log q the entropy. */
static void draws_agree_with_the_formulas(void **state)
{
    (void)state;
    enum { N = 200000 };
    double m[] = {.5, -1}, lv[] = {-.6, .3};
    lt_graph *g = lt_graph_create();
    lt_node *one_mean = constant_1d(g, 2, m), *one_logvar = constant_1d(g, 2, lv);
    lt_shape rows = lt_shape_2d(N, 2);
    lt_gauss q = {lt_broadcast(one_mean, rows), lt_broadcast(one_logvar, rows)};
    lt_node *z = lt_gauss_sample(q), *log_q = lt_gauss_log_prob(q, z);
    lt_gauss one = {one_mean, one_logvar};
    lt_node *kl = lt_mean(lt_sub(log_q, lt_standard_log_prob(z)));
    assert_close(value_of(kl), value_of(lt_gauss_kl(one)), 5 / sqrt(N) * 2);
    assert_close(-value_of(lt_mean(log_q)), value_of(lt_gauss_entropy(one)), 5 / sqrt(N));
    lt_graph_free(g);
}

static void bernoulli_is_exact_at_the_ends(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create();
    lt_node *logits = constant_1d(g, 3, (double[]){800, -800, 0});
    lt_node *right = constant_1d(g, 3, (double[]){1, 0, 1});
    lt_node *wrong = constant_1d(g, 3, (double[]){0, 1, 1});
    assert_close(value_of(lt_bernoulli_log_prob(logits, right)), -log(2), 1e-15);
    assert_close(value_of(lt_bernoulli_log_prob(logits, wrong)), -1600 - log(2), 1e-12);
    lt_graph_free(g);
}

/* ---- Likelihoods ---- */

/* A likelihood on an output y and images x, with its parameters allocated. */
typedef struct likelihood_case {
    spec likelihood;
    lt_params *params;
    lt_graph *graph;
    lt_node *x, *y;
    likelihood_terms terms;
} likelihood_case;

static void visit_case(likelihood_case *c, lt_graph *g, bool is_training)
{
    c->x = matrix(g, "x");
    c->y = matrix(g, "y");
    lt_scope *s = lt_scope_enter(lt_params_visit(c->params, g), "likelihood");
    likelihood_context context = {.scope = s, .is_training = is_training, .channels = 1};
    c->terms = likelihood_build(&c->likelihood, &context, c->y, c->x);
}

static likelihood_case open_case(const char *line, bool is_training)
{
    likelihood_case c = {.params = lt_params_create(), .graph = lt_graph_create()};
    if (spec_parse(&likelihood_table, line, &c.likelihood) != LT_OK)
        fail_msg("%s", lt_last_error());
    lt_graph *scratch = lt_graph_create();
    visit_case(&c, scratch, true);
    lt_graph_free(scratch);
    assert_int_equal(lt_params_allocate(c.params, 1), LT_OK);
    visit_case(&c, c.graph, is_training);
    return c;
}

static void close_case(likelihood_case *c)
{
    lt_graph_free(c->graph);
    lt_params_free(c->params);
    spec_clear(&c->likelihood);
}

/* The log density and its gradients by the decoder's output and, if there is one, a parameter. */
static void check_likelihood(const char *line, const char *x, const char *parameter)
{
    safetensors *file = golden_open("losses");
    likelihood_case c = open_case(line, true);
    lt_node *g = lt_input(c.graph, "g", lt_shape_1d(ROWS));
    lt_node *loss = lt_sum(lt_mul(g, c.terms.log_prob));
    char output[64], y[64], d_output[64], value[64], gradient[64];
    snprintf(output, sizeof output, "%s.output", line);
    snprintf(y, sizeof y, "%s.y", line);
    snprintf(d_output, sizeof d_output, "%s.d.output", line);
    golden_value out[3] = {{c.terms.log_prob, y}, {lt_grad(loss, c.y), d_output}};
    if (parameter) {
        char *name = must_format("likelihood.%s", parameter);
        snprintf(value, sizeof value, "%s.%s", line, parameter);
        snprintf(gradient, sizeof gradient, "%s.d.%s", line, parameter);
        golden_import(file, value, c.params, lt_params_find(c.params, name));
        lt_node *block = lt_params_gradient(c.params, loss);
        out[2] = (golden_value){outside_part(c.params, name, block), gradient};
        free(name);
    }
    golden_run(file, c.graph, c.params, (golden_value[]){{c.x, x}, {c.y, output}, {g, "g"}}, 3,
               out, parameter ? 3 : 2);
    close_case(&c);
    safetensors_free(file);
}

static void likelihoods_equal_pytorch(void **state)
{
    (void)state;
    check_likelihood("bernoulli", "bits", NULL);
    check_likelihood("gaussian 0.3", "x", NULL);
    check_likelihood("gaussian learned", "x", "log_sigma");
    check_likelihood("gaussian optimal", "x", NULL);
}

/* Sets x to `a`, y to 0 and runs one training step; the batch's mean squared error is a^2. */
static void run_with_error(lt_session *s, const likelihood_case *c, double a)
{
    for (int i = 0; i < ROWS * COLUMNS; i++)
        lt_session_doubles(s, c->x)[i] = a;
    assert_int_equal(lt_session_run(s, NULL), LT_OK);
}

/* Evaluation uses the mean of the variances seen in training, all alike at first. */
static void optimal_sigma_is_remembered(void **state)
{
    (void)state;
    likelihood_case c = open_case("gaussian optimal", true);
    assert_int_equal(lt_params_size(c.params), 0);
    lt_node *targets[] = {lt_params_state_assign(c.params, c.graph), c.terms.sigma};
    lt_program *p = lt_compile(c.graph, targets, 2);
    lt_session *s = lt_session_create(p, &(lt_session_options){.executor = LT_REFERENCE});
    assert_int_equal(lt_params_bind(c.params, c.graph, s), LT_OK);
    const float *block = lt_params_block(c.params);
    int index = lt_params_find(c.params, "likelihood.variance");
    int64_t variance = lt_params_info(c.params, index).offset;
    assert_close((double)block[variance], 1, 0); /* before any training sigma is 1 */
    run_with_error(s, &c, .5);
    assert_close(lt_session_doubles(s, c.terms.sigma)[0], .5, 1e-12);
    assert_close((double)block[variance], .25, 1e-6);
    run_with_error(s, &c, .1);
    assert_close((double)block[variance], (.25 + .01) / 2, 1e-6);
    for (int i = 0; i < 2000; i++)
        run_with_error(s, &c, .2);
    assert_close((double)block[variance], .04, 1e-6);
    run_with_error(s, &c, 0); /* no error at all: not less than the least */
    assert_close(lt_session_doubles(s, c.terms.sigma)[0], 1e-3, 1e-12);
    lt_session_free(s);
    lt_program_free(p);

    lt_graph *g = lt_graph_create();
    likelihood_case evaluation = c;
    visit_case(&evaluation, g, false);
    assert_null(lt_params_state_assign(c.params, g));
    p = lt_compile(g, &evaluation.terms.sigma, 1);
    s = lt_session_create(p, NULL);
    assert_int_equal(lt_params_bind(c.params, g, s), LT_OK);
    assert_int_equal(lt_session_run(s, NULL), LT_OK);
    double sigma = (double)lt_session_floats(s, evaluation.terms.sigma)[0];
    assert_close(sigma, sqrt(.99 * .04 + .01 * 1e-6), 1e-5);
    lt_session_free(s);
    lt_program_free(p);
    lt_graph_free(g);
    close_case(&c);
}

/* ---- Parameters ---- */

static lt_node *two_layers(lt_params *p, lt_node *x)
{
    lt_scope *s = lt_params_visit(p, lt_node_graph(x));
    lt_scope *inner = lt_scope_enter(s, "body");
    x = lt_relu(lt_linear(inner, "a", x, 5, .no_bias = true));
    x = lt_linear(inner, "b", x, 3, .bias_init = {.kind = LT_INIT_ONES});
    return lt_mul(x, lt_param(s, "scale", lt_shape_0d(), LT_LAYOUT_PLAIN,
                              (lt_init){.kind = LT_INIT_CONSTANT, .value = 2}));
}

static void parameters_lie_in_one_aligned_block(void **state)
{
    (void)state;
    lt_params *p = params_of(two_layers, 7);
    static const struct {
        const char *name;
        int rank;
        int64_t d[2], offset;
    } want[] = {{"body.a.weight", 2, {5, 7}, 0},
                {"body.b.weight", 2, {3, 5}, 48},
                {"body.b.bias", 1, {3}, 64},
                {"scale", 0, {0}, 80}};
    assert_int_equal(lt_params_count(p), COUNT_OF(want));
    for (int i = 0; i < COUNT_OF(want); i++) {
        lt_param_info info = lt_params_info(p, i);
        assert_string_equal(info.name, want[i].name);
        assert_int_equal(info.offset, want[i].offset);
        assert_int_equal(info.shape.rank, want[i].rank);
        for (int k = 0; k < want[i].rank; k++)
            assert_int_equal(info.shape.d[k], want[i].d[k]);
        assert_int_equal(lt_params_find(p, want[i].name), i);
    }
    assert_int_equal(lt_params_find(p, "body"), -1);
    assert_int_equal(lt_params_size(p), 35 + 15 + 3 + 1);
    assert_int_equal(lt_params_extent(p), 96);
    assert_int_equal(lt_params_state_extent(p), 0);
    const float *block = lt_params_block(p);
    assert_int_equal((uintptr_t)block % 64, 0);
    for (int i = 35; i < 48; i++)
        assert_true(block[i] == 0); /* a gap */
    assert_true(block[64] == 1 && block[80] == 2);
    lt_params_free(p);
}

static void outside_is_the_transpose_and_back(void **state)
{
    (void)state;
    lt_params *p = params_of(two_layers, 7);
    float outside[35], again[35];
    const float *block = lt_params_block(p);
    lt_params_export(p, 0, block, outside);
    for (int out = 0; out < 5; out++)
        for (int in = 0; in < 7; in++)
            assert_true(outside[out * 7 + in] == block[in * 5 + out]);
    float copy[96] = {0};
    lt_params_import(p, 0, copy, outside);
    assert_memory_equal(copy, block, sizeof outside);
    lt_params_export(p, 0, copy, again);
    assert_memory_equal(again, outside, sizeof outside);
    lt_params_free(p);
}

static void gradient_is_zero_in_gaps_and_unused_parameters(void **state)
{
    (void)state;
    lt_params *p = params_of(two_layers, 7);
    lt_graph *g = lt_graph_create();
    lt_scope *s = lt_params_visit(p, g);
    lt_node *scale = lt_param(s, "scale", lt_shape_0d(), LT_LAYOUT_PLAIN,
                              (lt_init){.kind = LT_INIT_CONSTANT});
    lt_node *gradient = lt_params_gradient(p, lt_square(scale));
    lt_program *program = lt_compile(g, &gradient, 1);
    assert_non_null(program);
    lt_session *session = lt_session_create(program, NULL);
    assert_int_equal(lt_params_bind(p, g, session), LT_OK);
    assert_int_equal(lt_session_run(session, NULL), LT_OK);
    const float *d = lt_session_floats(session, gradient);
    for (int i = 0; i < 96; i++)
        assert_true(d[i] == (i == 80 ? 4 : 0));
    lt_session_free(session);
    lt_program_free(program);
    lt_graph_free(g);
    lt_params_free(p);
}

static void visits_of_one_graph_share_their_parameters(void **state)
{
    (void)state;
    lt_params *p = params_of(two_layers, 7);
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", lt_shape_2d(2, 7)), *a = two_layers(p, x);
    lt_node *variable = lt_params_variable(p, g);
    lt_node *difference = lt_sum(lt_square(lt_sub(a, two_layers(p, x))));
    assert_ptr_equal(lt_params_variable(p, g), variable);
    assert_close(value_of(difference), 0, 0);
    lt_graph *other = lt_graph_create();
    assert_null(lt_params_variable(p, other));
    assert_null(lt_params_state_variable(p, g));
    lt_graph_free(other);
    lt_graph_free(g);
    lt_params_free(p);
}

/* Two sets of one shape whose graphs come and go at the same addresses. */
static void sets_do_not_mix_up_their_graphs(void **state)
{
    (void)state;
    lt_params *p = params_of(two_layers, 7), *q = params_of(two_layers, 7);
    for (int i = 0; i < 20; i++) {
        lt_graph *g = lt_graph_create();
        lt_params *first = i % 2 ? p : q, *second = i % 2 ? q : p;
        lt_node *x = lt_input(g, "x", lt_shape_2d(2, 7));
        two_layers(first, x);
        assert_null(lt_params_variable(second, g));
        two_layers(second, x);
        assert_ptr_not_equal(lt_params_variable(p, g), lt_params_variable(q, g));
        lt_graph_free(g);
    }
    lt_params_free(p);
    lt_params_free(q);
}

static lt_init zeros(void) { return (lt_init){.kind = LT_INIT_ZEROS}; }

static lt_node *plain(lt_scope *s, const char *name, int64_t n)
{
    return lt_param(s, name, lt_shape_1d(n), LT_LAYOUT_PLAIN, zeros());
}

static void names_collide_only_within_a_visit(void **state)
{
    (void)state;
    lt_params *p = lt_params_create();
    lt_graph *g = lt_graph_create();
    lt_scope *s = lt_params_visit(p, g);
    plain(s, "w", 3);
    plain(lt_params_visit(p, g), "w", 3);
    assert_null(lt_graph_error(g));
    plain(s, "w", 3);
    assert_string_equal(lt_graph_error(g), "name \"w\" is used twice in one visit");
    lt_graph_free(g);
    g = lt_graph_create();
    s = lt_params_visit(p, g);
    lt_scope_enter(s, "layer");
    lt_scope_enter(s, "layer");
    assert_string_equal(lt_graph_error(g), "name \"layer\" is used twice in one visit");
    lt_graph_free(g);
    lt_params_free(p);
}

static void parameters_are_asked_for_as_declared(void **state)
{
    (void)state;
    lt_params *p = params_of(two_layers, 7);
    static const struct {
        const char *name;
        int64_t n;
        const char *message;
    } cases[] = {
        {"scale", 3, "parameter \"scale\": declared as scalar, requested as 3"},
        {"shift", 3, "unknown parameter \"shift\""},
        {"none", 0, "parameter \"none\" has no elements"},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        lt_graph *g = lt_graph_create();
        plain(lt_params_visit(p, g), cases[i].name, cases[i].n);
        assert_string_equal(lt_graph_error(g), cases[i].message);
        lt_graph_free(g);
    }
    lt_graph *g = lt_graph_create();
    lt_state(lt_params_visit(p, g), "scale", lt_shape_0d(), zeros());
    assert_has(lt_graph_error(g), "another layout or role than declared");
    lt_graph_free(g);
    lt_params_free(p);
}

static void initializers_without_fans_are_errors(void **state)
{
    (void)state;
    lt_params *p = lt_params_create();
    lt_graph *g = lt_graph_create();
    lt_param(lt_params_visit(p, g), "w", lt_shape_1d(3), LT_LAYOUT_PLAIN, (lt_init){0});
    assert_string_equal(lt_graph_error(g), "parameter \"w\": its initializer needs fans");
    lt_graph_free(g);
    lt_params_free(p);
}

/* ---- State ---- */

static lt_node *with_state(lt_params *p, lt_node *x)
{
    lt_scope *s = lt_params_visit(p, lt_node_graph(x));
    lt_node *mean = lt_state(s, "mean", lt_shape_1d(2), zeros());
    lt_node *count = lt_state(s, "count", lt_shape_0d(), zeros());
    lt_state(s, "rest", lt_shape_1d(3), (lt_init){.kind = LT_INIT_ONES});
    lt_state_update(s, "count", lt_shift(count, 1));
    lt_state_update(s, "mean", lt_shift(mean, .5));
    return lt_mul(x, plain(s, "w", 4));
}

static void state_is_updated_and_not_trained(void **state)
{
    (void)state;
    lt_params *p = params_of(with_state, 4);
    assert_int_equal(lt_params_size(p), 4);
    assert_int_equal(lt_params_extent(p), 16);
    assert_int_equal(lt_params_state_extent(p), 48);
    assert_true(lt_params_info(p, lt_params_find(p, "count")).is_state);
    assert_false(lt_params_info(p, lt_params_find(p, "w")).is_state);
    assert_int_equal(lt_params_info(p, lt_params_find(p, "w")).offset, 0);
    for (lt_executor e = LT_CPU; e <= LT_REFERENCE; e++) {
        lt_graph *g = lt_graph_create();
        lt_node *y = with_state(p, lt_broadcast(lt_scalar(g, 1), lt_shape_2d(1, 4)));
        lt_node *targets[] = {lt_params_gradient(p, y), lt_params_state_assign(p, g)};
        lt_program *program = lt_compile(g, targets, 2);
        assert_non_null(program);
        lt_session *s = lt_session_create(program, &(lt_session_options){.executor = e});
        assert_int_equal(lt_params_bind(p, g, s), LT_OK);
        for (int i = 0; i < 3; i++)
            assert_int_equal(lt_session_run(s, NULL), LT_OK);
        lt_session_free(s);
        lt_program_free(program);
        lt_graph_free(g);
    }
    const float *block = lt_params_block(p) + 16;
    assert_true(block[0] == 3 && block[1] == 3 && block[2] == 0); /* mean, and its gap */
    assert_true(block[16] == 6 && block[32] == 1 && block[35] == 0);
    lt_params_free(p);
}

static void state_is_updated_once_and_by_name(void **state)
{
    (void)state;
    lt_params *p = params_of(with_state, 4);
    static const char *const messages[] = {"state \"count\" is updated twice",
                                           "unknown state \"w\"",
                                           "state \"mean\": the new value has a different shape"};
    static const char *const names[] = {"count", "w", "mean"};
    for (int i = 0; i < COUNT_OF(names); i++) {
        lt_graph *g = lt_graph_create();
        lt_scope *s = lt_params_visit(p, g);
        for (int k = 0; k < 2; k++)
            lt_state_update(s, names[i], lt_scalar(g, 1));
        assert_string_equal(lt_graph_error(g), messages[i]);
        lt_graph_free(g);
    }
    lt_params_free(p);
}

/* ---- Memory that cannot be had ---- */

typedef struct allowance {
    int left;
} allowance;

static bool allow_some(void *user, size_t bytes)
{
    (void)bytes;
    return ((allowance *)user)->left-- > 0;
}

static void failed_allocation_is_an_error(void **state)
{
    (void)state;
    for (int allowed = 0; allowed < 5; allowed++) {
        lt_params *p = lt_params_create();
        lt_graph *g = lt_graph_create();
        two_layers(p, lt_input(g, "x", lt_shape_2d(1, 7)));
        lt_graph_free(g);
        allowance a = {allowed};
        lt_set_allow_memory(allow_some, &a);
        int status = lt_params_allocate(p, 1);
        lt_set_allow_memory(NULL, NULL);
        assert_int_equal(status, LT_NO_MEMORY);
        lt_params_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activations_equal_pytorch),
        cmocka_unit_test(linear_equals_pytorch),
        cmocka_unit_test(linear_flattens_images),
        cmocka_unit_test(reshape_and_flatten_undo_each_other),
        cmocka_unit_test(dropout_keeps_the_mean),
        cmocka_unit_test(kl_equals_pytorch),
        cmocka_unit_test(log_densities_equal_pytorch),
        cmocka_unit_test(kl_of_the_prior_is_zero),
        cmocka_unit_test(kl_has_its_half),
        cmocka_unit_test(kl_between_gaussians_is_that_of_the_formula),
        cmocka_unit_test(entropy_has_two_pi_and_log_det),
        cmocka_unit_test(draws_agree_with_the_formulas),
        cmocka_unit_test(bernoulli_is_exact_at_the_ends),
        cmocka_unit_test(likelihoods_equal_pytorch),
        cmocka_unit_test(optimal_sigma_is_remembered),
        cmocka_unit_test(parameters_lie_in_one_aligned_block),
        cmocka_unit_test(outside_is_the_transpose_and_back),
        cmocka_unit_test(gradient_is_zero_in_gaps_and_unused_parameters),
        cmocka_unit_test(visits_of_one_graph_share_their_parameters),
        cmocka_unit_test(sets_do_not_mix_up_their_graphs),
        cmocka_unit_test(names_collide_only_within_a_visit),
        cmocka_unit_test(parameters_are_asked_for_as_declared),
        cmocka_unit_test(initializers_without_fans_are_errors),
        cmocka_unit_test(failed_allocation_is_an_error),
        cmocka_unit_test(state_is_updated_and_not_trained),
        cmocka_unit_test(state_is_updated_once_and_by_name),
    };
    return cmocka_run_group_tests_name("nn", tests, NULL, NULL);
}
