/* SPDX-License-Identifier: MIT */
/* Adversarial losses and penalties: against PyTorch (tools/golden_adversarial.py), at the best of
   all critics against the divergences of known distributions, against closed forms and
   differences. */
#include "models/adversarial.h"
#include "models/penalties.h"

#include "check.h"
#include "golden/golden.h"

#include <stdio.h>

static spec parse(const spec_table *table, const char *words)
{
    spec s;
    if (spec_parse(table, words, &s) != LT_OK)
        fail_msg("%s", lt_last_error());
    return s;
}

static const char *loss_name(int i)
{
    const spec_row *row = adversarial_loss_table.rows[i];
    return row ? row->name : NULL;
}

/* One number of a graph whose inputs are constants, in doubles. */
static double number_of(lt_node *x)
{
    lt_program *p = must_compile(lt_node_graph(x), &x, 1);
    lt_session *s = must_create(p, &(lt_session_options){.executor = LT_REFERENCE});
    must_run(s, &(lt_run_key){3, 0});
    double value = lt_session_doubles(s, x)[0];
    lt_session_free(s);
    lt_program_free(p);
    return value;
}

static lt_node *vector(lt_graph *g, int n, const double *values)
{
    return lt_constant(g, lt_shape_1d(n), values);
}

/* ---- Losses ---- */

static void losses_equal_their_definitions(void **state)
{
    (void)state;
    enum { MOST = 10 };
    safetensors *file = golden_open("adversarial");
    for (int i = 0; loss_name(i); i++) {
        char names[MOST][64];
        const char *name = loss_name(i);
        spec loss = parse(&adversarial_loss_table, name);
        lt_graph *g = lt_graph_create();
        lt_node *real = lt_input(g, "real", lt_shape_1d(6));
        lt_node *fake = lt_input(g, "fake", lt_shape_1d(9));
        lt_node *discriminator = adversarial_discriminator_loss(&loss, real, fake, 0);
        lt_node *generator = adversarial_generator_loss(&loss, fake);
        golden_value in[] = {{real, "real"}, {fake, "fake"}};
        golden_value out[MOST] = {
            {discriminator, "discriminator"}, {generator, "generator"},
            {adversarial_estimate(&loss, real, fake), "estimate"},
            {adversarial_score(&loss, fake), "score"}, {lt_grad(discriminator, real), "d.real"},
            {lt_grad(discriminator, fake), "d.fake"}, {lt_grad(generator, fake), "d.generator"}};
        int n = 7;
        if (adversarial_can_smooth(&loss)) {
            lt_node *smooth = adversarial_discriminator_loss(&loss, real, fake, .1);
            out[n++] = (golden_value){smooth, "smooth"};
            out[n++] = (golden_value){lt_grad(smooth, real), "smooth.d.real"};
        }
        for (int k = 0; k < n; k++) {
            snprintf(names[k], sizeof names[k], "%s.%s", name, out[k].name);
            out[k].name = names[k];
        }
        golden_run(file, g, NULL, in, COUNT_OF(in), out, n);
        lt_graph_free(g);
        spec_clear(&loss);
    }
    safetensors_free(file);
}

/* Three places, p = 1/8 2/8 5/8 and q = 4/8 2/8 2/8: samples that have just these frequencies. */
enum { PLACES = 3, SAMPLES = 8 };
static const int in_p[PLACES] = {1, 2, 5}, in_q[PLACES] = {4, 2, 2};
static const double places[PLACES] = {0, .25, 1.5};

static double at(int place, const int *count) { return (double)count[place] / SAMPLES; }

static double estimate(const spec *loss, const double *v)
{
    lt_graph *g = lt_graph_create();
    double sides[2][SAMPLES];
    for (int side = 0; side < 2; side++)
        for (int i = 0, k = 0; i < PLACES; i++)
            for (int j = 0; j < (side ? in_q : in_p)[i]; j++)
                sides[side][k++] = v[i];
    lt_node *real = vector(g, SAMPLES, sides[0]), *fake = vector(g, SAMPLES, sides[1]);
    lt_node *y = adversarial_estimate(loss, real, fake);
    double value = number_of(y);
    lt_graph_free(g);
    return value;
}

/* The best output where the densities are p and q, and the divergence's part. tanh gets to 1 only
   at infinity. */
typedef struct divergence {
    const char *loss;
    double (*best)(double p, double q);
    double (*part)(double p, double q);
} divergence;

static double log_ratio(double p, double q) { return log(p / q); }
static double half_log_ratio(double p, double q) { return log(p / q) / 2; }
static double shifted_log_ratio(double p, double q) { return 1 + log(p / q); }
static double share(double p, double q) { return p / (p + q); }
static double sign(double p, double q) { return (p > q) - (p < q); }
static double far_sign(double p, double q) { return 30 * sign(p, q); }
static double excess(double p, double q) { return 2 * (p / q - 1); }

static double js(double p, double q)
{
    return (p * log(2 * p / (p + q)) + q * log(2 * q / (p + q))) / 2;
}
static double triangular(double p, double q) { return (p - q) * (p - q) / (p + q); }
static double tv(double p, double q) { return fabs(p - q) / 2; }
static double hellinger(double p, double q) { return pow(sqrt(p) - sqrt(q), 2); }
static double kl(double p, double q) { return p * log(p / q); }
static double reverse(double p, double q) { return kl(q, p); }
static double chi_square(double p, double q) { return (p - q) * (p - q) / q; }

static const divergence divergences[] = {
    {"minimax", log_ratio, js},
    {"non_saturating", log_ratio, js},
    {"least_squares", share, triangular},
    {"hinge", sign, tv},
    {"squared_hellinger", half_log_ratio, hellinger},
    {"kl", shifted_log_ratio, kl},
    {"reverse_kl", log_ratio, reverse},
    {"jensen_shannon", log_ratio, js},
    {"pearson", excess, chi_square},
    {"total_variation", far_sign, tv}};

/* And no other discriminator gets there. */
static void the_best_critic_reaches_the_divergence(void **state)
{
    (void)state;
    draws d = draws_from(11);
    for (int i = 0; i < COUNT_OF(divergences); i++) {
        const divergence *c = &divergences[i];
        spec loss = parse(&adversarial_loss_table, c->loss);
        double best[PLACES], want = 0;
        for (int k = 0; k < PLACES; k++) {
            best[k] = c->best(at(k, in_p), at(k, in_q));
            want += c->part(at(k, in_p), at(k, in_q));
        }
        if (!(fabs(estimate(&loss, best) - want) <= 1e-14))
            fail_msg("%s: expected %.17g, found %.17g", c->loss, want, estimate(&loss, best));
        for (int trial = 0; trial < 20; trial++) {
            double v[PLACES];
            for (int k = 0; k < PLACES; k++)
                v[k] = best[k] + draw(&d, -1, 1);
            assert_true(estimate(&loss, v) <= want + 1e-12);
        }
        assert_true(estimate(&loss, (double[]){30, 0, -30}) < want - .1);
        spec_clear(&loss);
    }
}

/* The best function with slopes up to 1 rises where more of q lies below, and falls elsewhere. */
static void the_steepest_critic_reaches_the_wasserstein_distance(void **state)
{
    (void)state;
    spec loss = parse(&adversarial_loss_table, "wasserstein");
    double v[PLACES] = {0}, below_p = 0, below_q = 0, want = 0;
    for (int k = 1; k < PLACES; k++) {
        double gap = places[k] - places[k - 1];
        below_p += at(k - 1, in_p);
        below_q += at(k - 1, in_q);
        want += gap * fabs(below_p - below_q);
        v[k] = v[k - 1] + gap * sign(below_q, below_p);
    }
    assert_near(estimate(&loss, v), want, 1e-15);
    spec_clear(&loss);
}

/* log(1 + e^100) is 100, in both executors; a sigmoid of -100 is 0 and its logarithm none. */
static void large_outputs_stay_finite(void **state)
{
    (void)state;
    static const char *const names[] = {"minimax", "non_saturating", "least_squares", "hinge",
                                        "wasserstein", "jensen_shannon", "total_variation"};
    const double large[] = {-100, 100};
    for (int i = 0; i < COUNT_OF(names); i++)
        for (lt_executor e = LT_CPU; e <= LT_REFERENCE; e++) {
            spec loss = parse(&adversarial_loss_table, names[i]);
            lt_graph *g = lt_graph_create();
            lt_node *v = vector(g, 2, large), *discriminator = adversarial_discriminator_loss(&loss, v, v, 0);
            lt_node *targets[] = {discriminator, lt_grad(discriminator, v), adversarial_generator_loss(&loss, v)};
            lt_program *p = must_compile(g, targets, COUNT_OF(targets));
            lt_session *s = must_create(p, &(lt_session_options){.executor = e});
            must_run(s, NULL);
            for (int k = 0; k < COUNT_OF(targets); k++) {
                double *found = fetch(s, e, targets[k]);
                for (int64_t j = 0; j < lt_shape_size(lt_node_shape(targets[k])); j++)
                    assert_true(isfinite(found[j]));
                if (k == 0 && i < 2) /* (0 + 100) / 2 on each side */
                    assert_near(found[0], 100, 1e-4);
                free(found);
            }
            lt_session_free(s);
            lt_program_free(p);
            lt_graph_free(g);
            spec_clear(&loss);
        }
}

static void smoothing_needs_a_target(void **state)
{
    (void)state;
    for (int i = 0; loss_name(i); i++) {
        spec loss = parse(&adversarial_loss_table, loss_name(i));
        lt_graph *g = lt_graph_create();
        lt_node *v = lt_input(g, "v", lt_shape_1d(2));
        adversarial_discriminator_loss(&loss, v, v, .1);
        bool has_target = i < 3; /* minimax, non_saturating, least_squares */
        assert_int_equal(adversarial_can_smooth(&loss), has_target);
        if (has_target)
            assert_null(lt_graph_error(g));
        else
            assert_text_has(lt_graph_error(g), "no target to smooth, found");
        lt_graph_free(g);
        spec_clear(&loss);
    }
}

/* ---- Penalties ---- */

enum { N = 4, H = 2, W = 3, PIXELS = H * W };

static lt_node *images(lt_graph *g, draws *d)
{
    double x[N * PIXELS];
    for (int i = 0; i < N * PIXELS; i++)
        x[i] = draw(d, 0, 1);
    return lt_constant(g, lt_shape_4d(N, H, W, 1), x);
}

static lt_node *linear_critic(void *user, lt_node *x)
{
    return lt_matmul(lt_flatten(x), lt_reshape(user, lt_shape_2d(PIXELS, 1)));
}

typedef struct penalty_found {
    double value, norm, d[PIXELS]; /* and the derivative by w */
} penalty_found;

static penalty_found of_linear(const char *words, const double *values)
{
    spec penalty = parse(&penalty_table, words);
    draws d = draws_from(21);
    lt_graph *g = lt_graph_create();
    lt_node *w = vector(g, PIXELS, values), *norm, *x = images(g, &d), *y = images(g, &d);
    lt_node *loss = penalty_build(&penalty, x, y, NULL, linear_critic, w, &norm);
    lt_node *targets[] = {loss, norm, lt_grad(loss, w)};
    lt_program *p = must_compile(g, targets, COUNT_OF(targets));
    lt_session *s = must_create(p, &(lt_session_options){.executor = LT_REFERENCE});
    must_run(s, NULL);
    penalty_found found = {lt_session_doubles(s, loss)[0], lt_session_doubles(s, norm)[0], {0}};
    memcpy(found.d, lt_session_doubles(s, targets[2]), sizeof found.d);
    lt_session_free(s);
    lt_program_free(p);
    lt_graph_free(g);
    spec_clear(&penalty);
    return found;
}

/* The gradient is w everywhere: lambda (|w| - 1)^2 and 2 lambda (|w| - 1) w / |w|; the one-sided
   penalty only where |w| > 1; gamma/2 |w|^2 and gamma w. */
static void a_linear_critic_has_a_closed_form(void **state)
{
    (void)state;
    for (double size = .25; size < 4; size *= 2) {
        double w[PIXELS], square = 0;
        for (int i = 0; i < PIXELS; i++) {
            w[i] = size * (i - 1.5);
            square += w[i] * w[i];
        }
        double norm = sqrt(square), over = norm - 1, side = over > 0;
        penalty_found two = of_linear("gradient 7", w), one = of_linear("lipschitz 7", w),
                      r1 = of_linear("r1 7", w);
        assert_near(two.value, 7 * over * over, 1e-12);
        assert_near(one.value, side * 7 * over * over, 1e-12);
        assert_near(r1.value, 3.5 * square, 1e-12);
        for (int i = 0; i < PIXELS; i++) {
            assert_near(two.d[i], 14 * over * w[i] / norm, 1e-12);
            assert_near(one.d[i], side * 14 * over * w[i] / norm, 1e-12);
            assert_near(r1.d[i], 7 * w[i], 1e-12);
        }
        assert_near(two.norm, norm, 1e-14);
        assert_near(r1.norm, norm, 1e-14);
    }
}

/* Lines without a number: lambda = 10 (Gulrajani et al. 2017; Petzka et al. 2018), gamma = 10
   (Mescheder et al. 2018). */
static void default_weights_are_those_of_the_papers(void **state)
{
    (void)state;
    const double w[PIXELS] = {3}; /* of norm 3 */
    assert_near(of_linear("gradient", w).value, 10 * 4, 1e-12);
    assert_near(of_linear("lipschitz", w).value, 10 * 4, 1e-12);
    assert_near(of_linear("r1", w).value, 10. / 2 * 9, 1e-12);
}

/* sqrt has no derivative at 0; a discriminator that starts at 0 must still be able to leave it. */
static void a_flat_critic_has_finite_derivatives(void **state)
{
    (void)state;
    static const char *const words[] = {"gradient", "lipschitz", "r1"};
    for (int i = 0; i < COUNT_OF(words); i++)
        for (lt_executor e = LT_CPU; e <= LT_REFERENCE; e++) {
            spec penalty = parse(&penalty_table, words[i]);
            draws d = draws_from(21);
            lt_graph *g = lt_graph_create();
            lt_node *w = lt_input(g, "w", lt_shape_1d(PIXELS)), *norm, *x = images(g, &d);
            lt_node *loss = penalty_build(&penalty, x, images(g, &d), NULL, linear_critic, w,
                                          &norm);
            lt_node *first = lt_grad(loss, w), *second = lt_grad(lt_sum(first), w);
            lt_node *targets[] = {loss, norm, first, second, lt_grad(lt_sum(second), w)};
            lt_program *p = must_compile(g, targets, COUNT_OF(targets));
            lt_session *s = must_create(p, &(lt_session_options){.executor = e});
            must_run(s, NULL); /* w is 0 */
            for (int k = 0; k < COUNT_OF(targets); k++) {
                double *found = fetch(s, e, targets[k]);
                for (int64_t j = 0; j < lt_shape_size(lt_node_shape(targets[k])); j++) {
                    assert_true(isfinite(found[j]));
                    if (k == 1 || k == 2)
                        assert_near(found[j], 0, 1e-11);
                }
                free(found);
            }
            lt_session_free(s);
            lt_program_free(p);
            lt_graph_free(g);
            spec_clear(&penalty);
        }
}

/* f(x) = |x|^2 / 2 shows where it is asked: the gradient is x itself. */
typedef struct seen {
    lt_node *x;
} seen;

static lt_node *square_critic(void *user, lt_node *x)
{
    ((seen *)user)->x = x;
    return lt_scale(lt_sum_rows(lt_square(x)), .5);
}

/* Between images of zeros and of ones every pixel is the image's factor. */
static void one_factor_is_drawn_for_each_image(void **state)
{
    (void)state;
    enum { MANY = 4000 };
    spec penalty = parse(&penalty_table, "gradient 1");
    seen c;
    lt_graph *g = lt_graph_create();
    lt_shape shape = lt_shape_4d(MANY, H, W, 1);
    lt_node *norm, *zeros = lt_broadcast(lt_scalar(g, 0), shape),
            *ones = lt_broadcast(lt_scalar(g, 1), shape);
    lt_node *loss = penalty_build(&penalty, zeros, ones, NULL, square_critic, &c, &norm);
    lt_node *targets[] = {loss, norm, c.x};
    lt_program *p = must_compile(g, targets, COUNT_OF(targets));
    lt_session *s = must_create(p, &(lt_session_options){.executor = LT_REFERENCE});
    must_run(s, &(lt_run_key){5, 6});
    const double *x = lt_session_doubles(s, c.x);
    double sum = 0, squares = 0, want = 0, norms = 0;
    for (int i = 0; i < MANY; i++) {
        double a = x[i * PIXELS], of_gradient = a * sqrt(PIXELS);
        for (int k = 0; k < PIXELS; k++)
            assert_true(x[i * PIXELS + k] == a && a > 0 && a < 1);
        sum += a / MANY;
        squares += a * a / MANY;
        want += (of_gradient - 1) * (of_gradient - 1) / MANY;
        norms += of_gradient / MANY;
    }
    assert_near(sum, .5, 4 * sqrt(1. / 12 / MANY));
    assert_near(squares - sum * sum, 1. / 12, 4 * sqrt(1. / 180 / MANY));
    assert_near(lt_session_doubles(s, loss)[0], want, 1e-12);
    assert_near(lt_session_doubles(s, norm)[0], norms, 1e-12);
    lt_session_free(s);
    lt_program_free(p);
    lt_graph_free(g);
    spec_clear(&penalty);
}

/* R1 looks at real images, the others between; the points are constants to the generator. */
static void penalties_look_where_they_should(void **state)
{
    (void)state;
    static const char *const words[] = {"gradient 1", "lipschitz 1", "r1 2"};
    const double a[] = {3, 4}, b[] = {-6, 8}, factor[] = {.25};
    const double x[3][2] = {{.75, 5}, {.75, 5}, {3, 4}};
    for (int i = 0; i < COUNT_OF(words); i++) {
        spec penalty = parse(&penalty_table, words[i]);
        seen c;
        lt_graph *g = lt_graph_create();
        lt_shape one = lt_shape_2d(1, 2);
        lt_node *norm, *real = lt_constant(g, one, a), *fake = lt_constant(g, one, b);
        lt_node *loss = penalty_build(&penalty, real, fake, vector(g, 1, factor), square_critic,
                                      &c, &norm);
        double squared = x[i][0] * x[i][0] + x[i][1] * x[i][1], over = sqrt(squared) - 1;
        assert_near(number_of(loss), i == 2 ? squared : over * over, 1e-13);
        assert_near(number_of(norm), sqrt(squared), 1e-14);
        assert_true(number_of(lt_grad(loss, fake)) == 0 && number_of(lt_grad(loss, real)) == 0);
        lt_graph_free(g);
        spec_clear(&penalty);
    }
}

static void some_penalties_are_no_terms(void **state)
{
    (void)state;
    static const char *const words[] = {"none", "clip", "clip 0.5", "gradient"};
    const double limit[] = {0, .01, .5, 0};
    for (int i = 0; i < COUNT_OF(words); i++) {
        spec penalty = parse(&penalty_table, words[i]);
        draws d = draws_from(1);
        lt_graph *g = lt_graph_create();
        lt_node *norm, *x = images(g, &d), *w = lt_input(g, "w", lt_shape_1d(PIXELS));
        lt_node *loss = penalty_build(&penalty, x, x, NULL, linear_critic, w, &norm);
        assert_true(penalty_clip(&penalty) == limit[i]);
        assert_int_equal(loss == NULL, i < 3);
        assert_int_equal(norm == NULL, i < 3);
        lt_graph_free(g);
        spec_clear(&penalty);
    }
    spec s;
    assert_int_equal(spec_parse(&penalty_table, "clip 0", &s), LT_VALUE); /* not: no limit */
    assert_int_equal(spec_parse(&penalty_table, "lipshitz", &s), LT_NOT_FOUND);
    assert_text_has(lt_last_error(), "lipschitz");
}

static void unlike_images_are_an_error(void **state)
{
    (void)state;
    spec penalty = parse(&penalty_table, "gradient");
    draws d = draws_from(1);
    lt_graph *g = lt_graph_create();
    lt_node *norm, *x = images(g, &d), *w = lt_input(g, "w", lt_shape_1d(PIXELS));
    penalty_build(&penalty, x, lt_slice(x, 0, 0, 1), NULL, linear_critic, w, &norm);
    assert_text_has(lt_graph_error(g), "real images are 4 x 2 x 3 x 1, fake ones 1 x 2 x 3 x 1");
    lt_graph_free(g);
    spec_clear(&penalty);
}

/* ---- A convolutional discriminator: the penalty's derivative is one of second order ---- */

typedef struct conv_critic {
    lt_node *w1, *b1, *w2, *w3;
} conv_critic;

static lt_node *convolve(void *user, lt_node *x)
{
    const conv_critic *c = user;
    const lt_window half = {.stride = 2, .pad = 1}, whole = {0};
    x = lt_leaky_relu(lt_add(lt_conv2d(x, c->w1, half), c->b1), .2); /* n x 4 x 4 x 6 */
    x = lt_tanh(lt_conv2d(x, c->w2, half));                         /* n x 2 x 2 x 4 */
    return lt_reshape(lt_conv2d(x, c->w3, whole), lt_shape_1d(lt_node_shape(x).d[0]));
}

static conv_critic add_discriminator(lt_graph *g)
{
    return (conv_critic){
        .w1 = lt_input(g, "w1", lt_shape_4d(4, 4, 2, 6)), .b1 = lt_input(g, "b1", lt_shape_1d(6)),
        .w2 = lt_input(g, "w2", lt_shape_4d(4, 4, 6, 4)),
        .w3 = lt_input(g, "w3", lt_shape_4d(2, 2, 4, 1))};
}

static void penalties_equal_pytorch(void **state)
{
    (void)state;
    static const char *const names[] = {"gradient", "lipschitz", "r1"},
                      *const words[] = {"gradient 1", "lipschitz 1", "r1 1"};
    static const char *const ends[] = {"", ".norm", ".d.w1", ".d.b1", ".d.w2", ".d.w3"};
    safetensors *file = golden_open("adversarial");
    for (int i = 0; i < COUNT_OF(names); i++) {
        char labels[COUNT_OF(ends)][64];
        spec penalty = parse(&penalty_table, words[i]);
        lt_graph *g = lt_graph_create();
        conv_critic c = add_discriminator(g);
        lt_shape shape = lt_shape_4d(5, 8, 8, 2);
        lt_node *norm, *x = lt_input(g, "x", shape), *y = lt_input(g, "y", shape),
                *alpha = lt_input(g, "alpha", lt_shape_1d(5));
        lt_node *loss = penalty_build(&penalty, x, y, alpha, convolve, &c, &norm);
        lt_node *w[] = {c.w1, c.b1, c.w2, c.w3}, *d[4];
        lt_grads(loss, 4, w, d);
        golden_value in[] = {{x, "x"}, {y, "y"}, {alpha, "alpha"}, {c.w1, "w1"},
                             {c.b1, "b1"}, {c.w2, "w2"}, {c.w3, "w3"}};
        golden_value out[] = {{loss, NULL}, {norm, NULL}, {d[0], NULL},
                              {d[1], NULL}, {d[2], NULL}, {d[3], NULL}};
        for (int k = 0; k < COUNT_OF(ends); k++) {
            snprintf(labels[k], sizeof labels[k], "%s%s", names[i], ends[k]);
            out[k].name = labels[k];
        }
        golden_run(file, g, NULL, in, COUNT_OF(in), out,
                   COUNT_OF(out));
        lt_graph_free(g);
        spec_clear(&penalty);
    }
    safetensors_free(file);
}

/* The discriminator's whole loss along a random direction of all weights, in doubles: the derivative
   against differences of fourth order. */
typedef struct check_subject {
    lt_graph *graph;
    conv_critic discriminator;
    lt_node *loss;
} check_subject;

static check_subject whole_loss(const char *loss_words, const char *penalty_words, draws *d)
{
    check_subject c = {.graph = lt_graph_create()};
    spec loss = parse(&adversarial_loss_table, loss_words),
         penalty = parse(&penalty_table, penalty_words);
    lt_shape shape = lt_shape_4d(3, 8, 8, 2);
    double values[2][3 * 128];
    for (int i = 0; i < 3 * 128; i++)
        values[0][i] = draw(d, 0, 1), values[1][i] = draw(d, 0, 1);
    c.discriminator = add_discriminator(c.graph);
    lt_node *norm, *real = lt_constant(c.graph, shape, values[0]),
            *fake = lt_constant(c.graph, shape, values[1]);
    lt_node *term = penalty_build(&penalty, real, fake, NULL, convolve, &c.discriminator, &norm);
    c.loss = lt_add(adversarial_discriminator_loss(&loss, convolve(&c.discriminator, real),
                                            convolve(&c.discriminator, fake), 0), term);
    spec_clear(&loss);
    spec_clear(&penalty);
    return c;
}

static double loss_at(lt_session *s, const check_subject *c, lt_node *const *w,
                      double *const *value, double *const *direction, double h)
{
    for (int i = 0; i < 4; i++) {
        double *to = lt_session_doubles(s, w[i]);
        for (int64_t k = 0; k < lt_shape_size(lt_node_shape(w[i])); k++)
            to[k] = value[i][k] + h * direction[i][k];
    }
    must_run(s, &(lt_run_key){9, 2});
    return lt_session_doubles(s, c->loss)[0];
}

static void check_differences(const char *loss_words, const char *penalty_words)
{
    const double h = 2e-4;
    draws d = draws_from(41);
    check_subject c = whole_loss(loss_words, penalty_words, &d);
    lt_node *w[] = {c.discriminator.w1, c.discriminator.b1, c.discriminator.w2, c.discriminator.w3}, *dw[4], *slope = NULL;
    double *value[4], *direction[4];
    lt_grads(c.loss, 4, w, dw);
    for (int i = 0; i < 4; i++) {
        lt_shape shape = lt_node_shape(w[i]);
        size_t n = (size_t)lt_shape_size(shape);
        value[i] = must_alloc(sizeof(double) * n);
        direction[i] = must_alloc(sizeof(double) * n);
        for (size_t k = 0; k < n; k++) {
            value[i][k] = draw(&d, -.7, .7);
            direction[i][k] = draw(&d, -1, 1);
        }
        lt_node *part = lt_sum(lt_mul(dw[i], lt_constant(c.graph, shape, direction[i])));
        slope = slope ? lt_add(slope, part) : part;
    }
    lt_node *targets[] = {c.loss, slope};
    lt_program *p = must_compile(c.graph, targets, COUNT_OF(targets));
    lt_session *s = must_create(p, &(lt_session_options){.executor = LT_REFERENCE});
    double f[4];
    const double steps[] = {-2, -1, 1, 2};
    for (int i = 0; i < 4; i++)
        f[i] = loss_at(s, &c, w, value, direction, steps[i] * h);
    double want = (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h);
    loss_at(s, &c, w, value, direction, 0);
    double found = lt_session_doubles(s, slope)[0];
    assert_true(fabs(want) > 1e-3);
    if (!(fabs(found - want) <= 1e-8 * fabs(want)))
        fail_msg("%s, %s: derivative %.12g, by differences %.12g", loss_words, penalty_words, found,
                 want);
    lt_session_free(s);
    lt_program_free(p);
    lt_graph_free(c.graph);
    for (int i = 0; i < 4; i++) {
        free(value[i]);
        free(direction[i]);
    }
}

static void the_derivative_of_a_critics_loss_is_that_of_differences(void **state)
{
    (void)state;
    static const char *const penalties[] = {"gradient", "lipschitz", "r1"};
    for (int i = 0; loss_name(i); i++)
        check_differences(loss_name(i), penalties[i % COUNT_OF(penalties)]);
    check_differences("wasserstein", "lipschitz");
    check_differences("wasserstein", "gradient");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_equal_their_definitions),
        cmocka_unit_test(the_best_critic_reaches_the_divergence),
        cmocka_unit_test(the_steepest_critic_reaches_the_wasserstein_distance),
        cmocka_unit_test(large_outputs_stay_finite),
        cmocka_unit_test(smoothing_needs_a_target),
        cmocka_unit_test(a_linear_critic_has_a_closed_form),
        cmocka_unit_test(default_weights_are_those_of_the_papers),
        cmocka_unit_test(a_flat_critic_has_finite_derivatives),
        cmocka_unit_test(one_factor_is_drawn_for_each_image),
        cmocka_unit_test(penalties_look_where_they_should),
        cmocka_unit_test(some_penalties_are_no_terms),
        cmocka_unit_test(unlike_images_are_an_error),
        cmocka_unit_test(penalties_equal_pytorch),
        cmocka_unit_test(the_derivative_of_a_critics_loss_is_that_of_differences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
