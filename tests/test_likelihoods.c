/* SPDX-License-Identifier: MIT */
/* Pixel likelihoods: against the definitions in decimal arithmetic (tools/golden_likelihoods.py),
   against their own integrals and sums, against differences, and in the corners. */
#include "nn/likelihoods.h"

#include "check.h"
#include "golden/golden.h"
#include "quadrature.h"

#include <stdio.h>

/* ---- A likelihood of a recipe's line on inputs x and y, with its parameters ---- */

typedef struct subject {
    spec likelihood;
    lt_params *params;
    lt_graph *graph;
    lt_node *x, *y; /* n x d */
    likelihood_terms terms;
} subject;

static void visit(subject *c, lt_graph *g, int n, int d, int channels, bool is_training)
{
    c->x = lt_input(g, "x", lt_shape_2d(n, d));
    c->y = lt_input(g, "y", lt_shape_2d(n, d));
    likelihood_context context = {.scope = lt_scope_enter(lt_params_visit(c->params, g), "p"),
                                  .is_training = is_training, .channels = channels};
    c->terms = likelihood_build(&c->likelihood, &context, c->y, c->x);
}

static subject open_subject(const char *line, int n, int d, int channels, bool is_training)
{
    subject c = {.params = lt_params_create(), .graph = lt_graph_create()};
    if (spec_parse(&likelihood_table, line, &c.likelihood) != LT_OK)
        fail_msg("%s", lt_last_error());
    lt_graph *scratch = lt_graph_create();
    visit(&c, scratch, n, d, channels, true);
    if (lt_graph_error(scratch))
        fail_msg("%s", lt_graph_error(scratch));
    lt_graph_free(scratch);
    assert_int_equal(lt_params_allocate(c.params, 1), LT_OK);
    visit(&c, c.graph, n, d, channels, is_training);
    return c;
}

static void close_subject(subject *c)
{
    lt_graph_free(c->graph);
    lt_params_free(c->params);
    spec_clear(&c->likelihood);
}

/* Runs with these x and y; the caller frees the values of `target`. */
static double *run(const subject *c, lt_executor e, const double *x, const double *y,
                   lt_node *target)
{
    lt_program *p = must_compile(c->graph, &target, 1);
    lt_session *s = must_create(p, &(lt_session_options){.executor = e});
    assert_int_equal(lt_params_bind(c->params, c->graph, s), LT_OK);
    feed(s, e, c->x, x);
    feed(s, e, c->y, y);
    must_run(s, NULL);
    double *values = fetch(s, e, target);
    lt_session_free(s);
    lt_program_free(p);
    return values;
}

static void fill(double *x, int n, double value)
{
    for (int i = 0; i < n; i++)
        x[i] = value;
}

/* ---- Points: values and derivatives from decimal arithmetic ---- */

/* |found - want| <= rtol |want| + atol. */
typedef struct bound {
    double rtol, atol;
} bound;

/* How many numbers a tensor has. */
static int count(const safetensors *file, const char *name)
{
    const safetensors_entry *e = safetensors_find(file, name);
    if (!e)
        fail_msg("%s", lt_last_error());
    return (int)e->dims[0];
}

static double *golden(const safetensors *file, const char *line, const char *key, int n)
{
    char name[80];
    snprintf(name, sizeof name, "%s.%s", line, key);
    return golden_doubles(file, name, n);
}

static void expect(const safetensors *file, const subject *c, const char *line, const char *key,
                   lt_node *node, const bound of[2])
{
    int n = (int)lt_shape_size(lt_node_shape(node));
    bool has_logits = strcmp(line, "continuous_bernoulli") == 0;
    double *x = golden(file, line, "x", n), *y = golden(file, line, has_logits ? "logit" : "y", n),
           *want = golden(file, line, key, n);
    for (lt_executor e = LT_CPU; e <= LT_REFERENCE; e++) {
        double *found = run(c, e, x, y, node);
        int64_t at = find_difference(found, want, n, of[e].rtol, of[e].atol);
        if (at >= 0)
            fail_msg("%s of %s at y = %.9g, x = %.9g by the %s executor: expected %.17g, found %.17g",
                     key, line, y[at], x[at], e == LT_CPU ? "cpu" : "reference", want[at],
                     found[at]);
        free(found);
    }
    free(x);
    free(y);
    free(want);
}

/* In single precision the second derivative loses what 1/l^2 - 1/(4 sinh^2 l/2) cancels at
   |l| = 1/2. */
static void continuous_bernoulli_is_exact(void **state)
{
    (void)state;
    static const char line[] = "continuous_bernoulli";
    const bound value[] = {[LT_CPU] = {1e-6, 1e-7}, [LT_REFERENCE] = {1e-14, 1e-15}},
                slope[] = {[LT_CPU] = {1e-6, 5e-7}, [LT_REFERENCE] = {1e-14, 4e-15}},
                curvature[] = {[LT_CPU] = {3e-6, 2e-6}, [LT_REFERENCE] = {1e-12, 0}};
    safetensors *file = golden_open("likelihoods");
    int n = count(file, "continuous_bernoulli.x");
    subject c = open_subject(line, n, 1, 1, true);
    lt_node *d1 = lt_grad(lt_sum(c.terms.log_prob), c.y), *d2 = lt_grad(lt_sum(d1), c.y);
    lt_node *mean = likelihood_mean(&c.likelihood, c.y);
    assert_null(c.terms.sigma);
    expect(file, &c, line, "log_prob", c.terms.log_prob, value);
    expect(file, &c, line, "d1", d1, slope);
    expect(file, &c, line, "d2", d2, curvature);
    expect(file, &c, line, "mean", mean, value);
    /* the mean is the first derivative of log C, so its own is the variance */
    expect(file, &c, line, "d2", lt_neg(lt_grad(lt_sum(mean), c.y)), curvature);
    close_subject(&c);
    safetensors_free(file);
}

/* The width multiplies the half unit in the last place that y may be off in single precision:
   `inputs` x unit / s is what that alone does. */
static void check_points(const char *family, const char *scale, double inputs)
{
    char line[64];
    double s, unit = 0x1p-24;
    snprintf(line, sizeof line, "%s %s", family, scale);
    assert_true(text_to_real(scale, &s));
    double atol = 2e-7 + inputs * unit / s;
    const bound value[] = {[LT_CPU] = {1e-6, atol}, [LT_REFERENCE] = {1e-13, 1e-13}},
                slope[] = {[LT_CPU] = {1e-6, atol / s}, [LT_REFERENCE] = {1e-12, 1e-12 / s}};
    safetensors *file = golden_open("likelihoods");
    char name[80];
    snprintf(name, sizeof name, "%s.x", line);
    subject c = open_subject(line, count(file, name), 1, 1, false);
    expect(file, &c, line, "log_prob", c.terms.log_prob, value);
    expect(file, &c, line, "d.y", lt_grad(lt_sum(c.terms.log_prob), c.y), slope);
    close_subject(&c);
    safetensors_free(file);
}

static void laplace_is_exact(void **state)
{
    (void)state;
    const char *const scales[] = {".001", ".05", "1", "1000"};
    for (int i = 0; i < COUNT_OF(scales); i++)
        check_points("laplace", scales[i], 2);
}

static void discretized_logistic_is_exact(void **state)
{
    (void)state;
    const char *const scales[] = {".001", ".004", ".03", ".3", "3", "1000"};
    for (int i = 0; i < COUNT_OF(scales); i++)
        check_points("discretized_logistic", scales[i], 2);
}

/* ---- Images of three channels: parameters and their gradients ---- */

enum { ROWS = 4, SIZE = 12, CHANNELS = 3 };

/* The gradient of parameter 0 out of that of the block, as outside. */
static lt_node *parameter_gradient(const subject *c, lt_node *loss)
{
    lt_param_info info = lt_params_info(c->params, 0);
    int64_t n = lt_shape_size(info.shape);
    return lt_reshape(lt_slice(lt_params_gradient(c->params, loss), 0, info.offset, info.offset + n),
                      info.shape);
}

static void check_images(const char *line, const char *parameter)
{
    safetensors *file = golden_open("likelihoods");
    subject c = open_subject(line, ROWS, SIZE, CHANNELS, true);
    lt_node *g = lt_input(c.graph, "g", lt_shape_1d(ROWS));
    lt_node *loss = lt_sum(lt_mul(g, c.terms.log_prob));
    assert_string_equal(lt_params_info(c.params, 0).name, parameter);
    assert_int_equal(lt_params_size(c.params), strstr(line, "per_channel") ? CHANNELS : 1);
    char names[4][80];
    const char *const keys[] = {"log_scale", "log_prob", "d.y", "d.log_scale"};
    for (int i = 0; i < 4; i++)
        snprintf(names[i], sizeof names[i], "%s.%s", line, keys[i]);
    golden_import(file, names[0], c.params, 0);
    golden_run(file, c.graph, c.params,
               (golden_value[]){{c.x, "x"}, {c.y, "y"}, {g, "g"}}, 3,
               (golden_value[]){{c.terms.log_prob, names[1]},
                                {lt_grad(loss, c.y), names[2]},
                                {parameter_gradient(&c, loss), names[3]}},
               3);
    close_subject(&c);
    safetensors_free(file);
}

static void parameters_have_their_gradients(void **state)
{
    (void)state;
    check_images("gaussian learned", "p.log_sigma");
    check_images("gaussian per_channel", "p.log_sigma");
    check_images("laplace learned", "p.log_scale");
    check_images("laplace per_channel", "p.log_scale");
    check_images("discretized_logistic learned", "p.log_scale");
    check_images("discretized_logistic per_channel", "p.log_scale");
}

static void import(const subject *c, int i, const float *values)
{
    lt_params_import(c->params, i, lt_params_block(c->params), values);
}

/* One standard deviation is reported: the root of the mean of the channels' variances. */
static void sigma_is_the_root_mean_square(void **state)
{
    (void)state;
    const struct {
        const char *line;
        double factor;
    } cases[] = {{"gaussian per_channel", 1},
                 {"laplace per_channel", sqrt(2)},
                 {"discretized_logistic per_channel", 3.14159265358979323846 / sqrt(3)}};
    double zeros[SIZE] = {0};
    for (int i = 0; i < COUNT_OF(cases); i++) {
        subject c = open_subject(cases[i].line, 1, SIZE, CHANNELS, false);
        double *sigma = run(&c, LT_REFERENCE, zeros, zeros, c.terms.sigma);
        assert_near(sigma[0], .25, 1e-7); /* at first: a quarter of the range */
        free(sigma);
        import(&c, 0, (float[]){-2, -1, .5f});
        sigma = run(&c, LT_REFERENCE, zeros, zeros, c.terms.sigma);
        assert_near(sigma[0], cases[i].factor * sqrt((exp(-4) + exp(-2) + exp(1)) / 3), 1e-14);
        free(sigma);
        close_subject(&c);
    }
}

/* With the best width of the batch the loss is the same function of y, constant or not: its
   gradient is that of differences in which the width follows. */
static void gradients_equal_differences(void **state)
{
    (void)state;
    const char *const lines[] = {"continuous_bernoulli", "gaussian per_channel", "gaussian optimal",
                                 "laplace learned", "laplace optimal", "discretized_logistic .02"};
    enum { N = ROWS * SIZE };
    double x[N], y[N];
    draws d = draws_from(3);
    for (int i = 0; i < N; i++) {
        x[i] = draw_below(&d, 256) / 255.;
        y[i] = x[i] + draw(&d, .02, .2) * (draw_one_in(&d, 2) ? 1 : -1); /* no kink within h */
    }
    for (int k = 0; k < COUNT_OF(lines); k++) {
        subject c = open_subject(lines[k], ROWS, SIZE, CHANNELS, true);
        lt_node *loss = lt_sum(c.terms.log_prob);
        double *gradient = run(&c, LT_REFERENCE, x, y, lt_grad(loss, c.y));
        for (int i = 0; i < N; i++) {
            const double h = 1e-5;
            double at[2], y_i = y[i];
            for (int side = 0; side < 2; side++) {
                y[i] = y_i + (side ? h : -h);
                double *value = run(&c, LT_REFERENCE, x, y, loss);
                at[side] = value[0];
                free(value);
            }
            y[i] = y_i;
            assert_near(gradient[i], (at[1] - at[0]) / (2 * h), 1e-5 * (1 + fabs(gradient[i])));
        }
        free(gradient);
        close_subject(&c);
    }
}

/* ---- What makes them distributions ---- */

/* Probabilities of the 256 bytes, wherever the decoder's output is and however wide. */
static void bytes_sum_to_one(void **state)
{
    (void)state;
    const char *const scales[] = {".001", ".01", ".1", "1", "30"};
    const double ys[] = {-2, -.01, 0, .3, .5, 127.5 / 255, 1, 3};
    double x[256], y[256];
    for (int k = 0; k < 256; k++)
        x[k] = k / 255.;
    for (int i = 0; i < COUNT_OF(scales); i++) {
        char line[64];
        snprintf(line, sizeof line, "discretized_logistic %s", scales[i]);
        subject c = open_subject(line, 256, 1, 1, false);
        for (int j = 0; j < COUNT_OF(ys); j++)
            for (lt_executor e = LT_CPU; e <= LT_REFERENCE; e++) {
                fill(y, 256, ys[j]);
                double sum = 0, *p = run(&c, e, x, y, c.terms.log_prob);
                for (int k = 0; k < 256; k++) {
                    assert_true(p[k] <= 0);
                    sum += exp(p[k]);
                }
                assert_near(sum, 1, e == LT_CPU ? 2e-5 : 1e-12);
                free(p);
            }
        close_subject(&c);
    }
}

enum { CELLS = 400, PLACES = 5 * CELLS };

/* Integrals of p and of x p, p = exp log_prob at y. */
static void integrate(const subject *c, double y, const double *x, const double *w, double *mass,
                      double *mean)
{
    double ys[PLACES];
    fill(ys, PLACES, y);
    double *p = run(c, LT_REFERENCE, x, ys, c->terms.log_prob);
    *mass = *mean = 0;
    for (int i = 0; i < PLACES; i++) {
        *mass += w[i] * exp(p[i]);
        *mean += w[i] * exp(p[i]) * x[i];
    }
    free(p);
}

static void continuous_bernoulli_integrates_to_one(void **state)
{
    (void)state;
    const double logits[] = {-100, -7, -.6, -.4, 0, 1e-6, .2, 3, 40};
    double x[PLACES], w[PLACES], mass, mean;
    quadrature(0, 1, CELLS, x, w);
    subject c = open_subject("continuous_bernoulli", PLACES, 1, 1, false);
    lt_node *formula = likelihood_mean(&c.likelihood, c.y);
    for (int i = 0; i < COUNT_OF(logits); i++) {
        double y[PLACES];
        fill(y, PLACES, logits[i]);
        integrate(&c, logits[i], x, w, &mass, &mean);
        double *found = run(&c, LT_REFERENCE, x, y, formula);
        assert_near(mass, 1, 1e-12);
        assert_near(found[0], mean, 1e-12);
        free(found);
    }
    close_subject(&c);
}

/* On both sides of the median, from there to 40 widths. */
static void laplace_integrates_to_one(void **state)
{
    (void)state;
    const double s = .07, y = .4;
    double x[PLACES], w[PLACES], mass, mean, total = 0, first = 0;
    subject c = open_subject("laplace .07", PLACES, 1, 1, false);
    for (int side = -1; side <= 1; side += 2) {
        quadrature(side < 0 ? y - 40 * s : y, side < 0 ? y : y + 40 * s, CELLS, x, w);
        integrate(&c, y, x, w, &mass, &mean);
        total += mass;
        first += mean;
    }
    assert_near(total, 1, 1e-12);
    assert_near(first, y, 1e-12);
    close_subject(&c);
}

/* ---- Corners ---- */

/* The form not taken must not put NaN into what is. */
static void derivatives_are_finite_everywhere(void **state)
{
    (void)state;
    const double logits[] = {0, 1e-38, -1e-38, 1e-20, 1e-4, -.5, .5, 90, -90, 1e5, -1e5, 1e30, -1e30};
    enum { N = COUNT_OF(logits) };
    subject c = open_subject("continuous_bernoulli", N, 1, 1, true);
    lt_node *d1 = lt_grad(lt_sum(c.terms.log_prob), c.y), *d2 = lt_grad(lt_sum(d1), c.y);
    lt_node *mean = likelihood_mean(&c.likelihood, c.y), *d_mean = lt_grad(lt_sum(mean), c.y);
    lt_node *all[] = {c.terms.log_prob, d1, d2, lt_grad(lt_sum(d2), c.y), mean, d_mean};
    double x[N];
    for (int k = 0; k < 3; k++) {
        fill(x, N, k / 2.);
        for (int i = 0; i < COUNT_OF(all); i++) {
            double *values = run(&c, LT_CPU, x, logits, all[i]);
            for (int j = 0; j < N; j++)
                if (!isfinite(values[j]))
                    fail_msg("derivative %d at logit %g, x = %g is %g", i, logits[j], x[j],
                             values[j]);
            free(values);
        }
    }
    close_subject(&c);
}

/* Numbers between levels have the probability of the nearest; beside one it makes no difference. */
static void numbers_are_rounded_to_bytes(void **state)
{
    (void)state;
    const double bytes[] = {0, 0, 1, 100, 100, 100, 254, 255, 255};
    const double levels[] = {0, .49, .6, 100, 99.51, 100.49, 254.4, 254.6, 255};
    enum { N = COUNT_OF(levels) };
    double x[N], exact[N], y[N];
    fill(y, N, .4);
    for (int i = 0; i < N; i++) {
        x[i] = levels[i] / 255;
        exact[i] = bytes[i] / 255;
    }
    subject c = open_subject("discretized_logistic .02", N, 1, 1, false);
    for (lt_executor e = LT_CPU; e <= LT_REFERENCE; e++) {
        double *found = run(&c, e, x, y, c.terms.log_prob),
               *want = run(&c, e, exact, y, c.terms.log_prob);
        assert_memory_equal(found, want, sizeof x);
        free(found);
        free(want);
    }
    close_subject(&c);
}

static void pictures_stay_within_their_range(void **state)
{
    (void)state;
    const double y[] = {-3, 0, .25, 1, 7};
    subject c = open_subject("discretized_logistic", 5, 1, 1, false);
    double *median = run(&c, LT_CPU, y, y, likelihood_mean(&c.likelihood, c.y));
    assert_array_close("median", median, ((double[]){0, 0, .25, 1, 1}), 5, 0, 0);
    free(median);
    close_subject(&c);
}

/* Runs one training step with errors of `a`; gives the reported deviation. */
static double step_with_error(lt_session *s, const subject *c, double a)
{
    for (int i = 0; i < SIZE; i++)
        lt_session_doubles(s, c->x)[i] = i % 2 ? a : -a;
    must_run(s, NULL);
    return lt_session_doubles(s, c->terms.sigma)[0];
}

/* As the Gaussian's (test_nn), of the mean absolute error. */
static void optimal_scale_of_laplace_is_remembered(void **state)
{
    (void)state;
    subject c = open_subject("laplace", 1, SIZE, 1, true);
    assert_int_equal(lt_params_size(c.params), 0);
    lt_node *targets[] = {lt_params_state_assign(c.params, c.graph), c.terms.sigma,
                          c.terms.log_prob};
    lt_program *p = must_compile(c.graph, targets, 3);
    lt_session *s = must_create(p, &(lt_session_options){.executor = LT_REFERENCE});
    assert_int_equal(lt_params_bind(c.params, c.graph, s), LT_OK);
    int state_index = lt_params_find(c.params, "p.mean_error");
    const float *kept = lt_params_block(c.params) + lt_params_info(c.params, state_index).offset;
    assert_near((double)*kept, 1, 0);
    assert_near(step_with_error(s, &c, .5), .5 * sqrt(2), 1e-14);
    /* the best scale: one nat for the errors, log 2 s for each number */
    assert_near(lt_session_doubles(s, c.terms.log_prob)[0], -SIZE * (1 + log(2 * .5)), 1e-12);
    assert_near((double)*kept, .5, 1e-7);
    step_with_error(s, &c, .1);
    assert_near((double)*kept, .3, 1e-7);
    assert_near(step_with_error(s, &c, 0), 1e-3 * sqrt(2), 1e-15); /* never less */
    float after = *kept;
    lt_session_free(s);
    lt_program_free(p);

    subject evaluation = c; /* one batch must not choose for itself */
    evaluation.graph = lt_graph_create();
    visit(&evaluation, evaluation.graph, 1, SIZE, 1, false);
    double zeros[SIZE] = {0};
    double *sigma = run(&evaluation, LT_REFERENCE, zeros, zeros, evaluation.terms.sigma);
    assert_near(sigma[0], (double)after * sqrt(2), 1e-12);
    free(sigma);
    lt_graph_free(evaluation.graph);
    close_subject(&c);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"laplace scale=0", "likelihood laplace: scale must be learned, per_channel, optimal or a "
                            "number between 0.001 and 1000, found \"0\""},
        {"gaussian channel", "sigma must be learned, per_channel, optimal or a number"},
        {"discretized_logistic optimal", "scale must be learned, per_channel or a number"},
        {"discretized_logistic sigma=1", "scale"},
        {"continuous_bernoulli 3", "continuous_bernoulli"},
        {"laplas", "did you mean \"laplace\"?"},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        assert_int_not_equal(spec_check(&likelihood_table, cases[i].line), LT_OK);
        assert_text_has(lt_last_error(), cases[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(continuous_bernoulli_is_exact),
        cmocka_unit_test(laplace_is_exact),
        cmocka_unit_test(discretized_logistic_is_exact),
        cmocka_unit_test(parameters_have_their_gradients),
        cmocka_unit_test(sigma_is_the_root_mean_square),
        cmocka_unit_test(gradients_equal_differences),
        cmocka_unit_test(bytes_sum_to_one),
        cmocka_unit_test(continuous_bernoulli_integrates_to_one),
        cmocka_unit_test(laplace_integrates_to_one),
        cmocka_unit_test(derivatives_are_finite_everywhere),
        cmocka_unit_test(numbers_are_rounded_to_bytes),
        cmocka_unit_test(pictures_stay_within_their_range),
        cmocka_unit_test(optimal_scale_of_laplace_is_remembered),
        cmocka_unit_test(mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
