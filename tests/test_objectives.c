/* SPDX-License-Identifier: MIT */
/* Objectives: weights and bounds against their definitions put together from densities, in the
   double precision of the reference executor, and against PyTorch. */
#include "models/objective.h"

#include "check.h"
#include "golden/golden.h"
#include "scratch.h"

#include <latent/train.h>

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

static subject open_subject(const char *words, const char *const *sets, int n)
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
static subject build_subject(const char *words, const char *const *sets, int n)
{
    subject c = open_subject(words, sets, n);
    if (lt_model_build(c.model, c.graph, c.x, LT_TRAINING, &c.t) != LT_OK)
        fail_msg("%s", lt_last_error());
    c.gradient = lt_params_gradient(lt_model_params(c.model), c.t.loss);
    return c;
}

static void close_subject(subject *c)
{
    lt_graph_free(c->graph);
    lt_model_free(c->model);
}

typedef struct subject_run {
    lt_program *program;
    lt_session *session;
    lt_executor executor;
} subject_run;

static void fill_images(double *x)
{
    for (int i = 0; i < BATCH * PIXELS; i++)
        x[i] = i % 5 < 2 || i % 7 == 3;
}

static subject_run open_run(const subject *c, lt_node *const *nodes, int n, lt_executor executor,
                            int threads)
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

static void close_run(subject_run *r)
{
    lt_session_free(r->session);
    lt_program_free(r->program);
}

/* The values of n nodes in one run of the reference executor with this step of the noise; the
   caller frees each. */
static void values_of(const subject *c, lt_node *const *nodes, int n, uint64_t step,
                      double **values)
{
    subject_run r = open_run(c, nodes, n, LT_REFERENCE, 1);
    must_run(r.session, &(lt_run_key){1, step});
    for (int i = 0; i < n; i++)
        values[i] = fetch(r.session, LT_REFERENCE, nodes[i]);
    close_run(&r);
}

static double number_of(const subject *c, lt_node *x, uint64_t step)
{
    double *value;
    values_of(c, &x, 1, step, &value);
    double first = value[0];
    free(value);
    return first;
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
            lt_node *z =
                lt_add(q.mean, lt_mul(lt_exp(lt_scale(q.logvar, .5)), lt_slice(eps, 0, n, n + 1)));
            lt_node *joint =
                lt_add(lt_model_log_prob(c->model, g, z, x), lt_model_log_prior(c->model, g, z));
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

/* ---- Bounds ---- */

static double log_mean_exp(const double *x, int n)
{
    double top = -HUGE_VAL, sum = 0;
    for (int i = 0; i < n; i++)
        top = fmax(top, x[i]);
    for (int i = 0; i < n; i++)
        sum += exp(x[i] - top);
    return top + log(sum / n);
}

static double loss_with(const char *const *sets, int n, uint64_t step)
{
    subject c = build_subject(TINY, sets, n);
    double loss = number_of(&c, c.t.loss, step);
    close_subject(&c);
    return loss;
}

/* Training draws n k rows at once, as the densities above do. */
static void bounds_are_means_and_log_means_of_weights(void **state)
{
    (void)state;
    enum { K = 5 };
    double *w = value_of(TINY, weights_by_densities, K, BATCH * K), elbo = 0, iwae = 0;
    for (int i = 0; i < BATCH * K; i++)
        elbo += w[i] / (BATCH * K);
    for (int i = 0; i < BATCH; i++)
        iwae += log_mean_exp(w + i * K, K) / BATCH;
    static const char *const drawn[] = {"objective.samples=5", "objective.kl=monte-carlo"};
    static const char *const bound[] = {"objective.samples=5", "objective.bound=iwae"};
    static const char *const dreg[] = {"objective.samples=5", "objective.bound=dreg"};
    assert_near(loss_with(drawn, 2, 0), -elbo, 1e-11);
    assert_near(loss_with(bound, 2, 0), -iwae, 1e-11);
    assert_true(loss_with(dreg, 2, 0) == loss_with(bound, 2, 0));
    free(w);
}

static void formula_and_draws_share_the_distortion(void **state)
{
    (void)state;
    static const char *const drawn[] = {"objective.samples=3", "objective.kl=monte-carlo"};
    subject a = build_subject(TINY, drawn, 1), b = build_subject(TINY, drawn, 2);
    lt_node *nodes[][3] = {{a.t.distortion, lt_gauss_kl(a.t.posterior), a.t.rate},
                           {b.t.distortion, b.t.rate, b.t.log_weight}};
    double *va[3], *vb[3], sum = 0;
    values_of(&a, nodes[0], 3, 0, va);
    values_of(&b, nodes[1], 3, 0, vb);
    assert_array_close("distortion", vb[0], va[0], BATCH, 1e-14, 0);
    assert_array_close("rate", va[2], va[1], BATCH, 1e-14, 0);
    for (int i = 0; i < BATCH; i++) {
        sum += fabs(vb[1][i] - va[1][i]);
        assert_true(vb[2][i] > -vb[0][i] - vb[1][i]); /* log mean above mean log */
    }
    assert_true(sum > 1e-3);
    for (int i = 0; i < 3; i++) {
        free(va[i]);
        free(vb[i]);
    }
    close_subject(&a);
    close_subject(&b);
}

static void one_draw_makes_all_bounds_equal(void **state)
{
    (void)state;
    static const char *const drawn[] = {"objective.kl=monte-carlo"};
    static const char *const bound[] = {"objective.bound=iwae"};
    subject a = build_subject(TINY, drawn, 1), b = build_subject(TINY, bound, 1);
    double *va[2], *vb[2];
    values_of(&a, (lt_node *[]){a.t.loss, a.gradient}, 2, 3, va);
    values_of(&b, (lt_node *[]){b.t.loss, b.gradient}, 2, 3, vb);
    assert_near(vb[0][0], va[0][0], 1e-12);
    assert_array_close("gradient", vb[1], va[1], lt_params_extent(lt_model_params(a.model)), 1e-11,
                       1e-13);
    for (int i = 0; i < 2; i++) {
        free(va[i]);
        free(vb[i]);
    }
    close_subject(&a);
    close_subject(&b);
}

/* -log p(x) as a mean over the batch, by the trapezoid rule over one latent. */
static double exact_loss(const char *words)
{
    enum { POINTS = 2001 };
    subject c = open_subject(words, NULL, 0);
    double *z = must_alloc(sizeof *z * POINTS), *log_joint[BATCH], sum = 0;
    for (int i = 0; i < POINTS; i++)
        z[i] = -10 + 0.01 * i;
    lt_node *grid = lt_constant(c.graph, lt_shape_2d(POINTS, 1), z), *joint[BATCH];
    for (int i = 0; i < BATCH; i++) {
        lt_shape s = lt_shape_4d(POINTS, tiny.h, tiny.w, tiny.c);
        lt_node *x = lt_expand(lt_slice(c.x, 0, i, i + 1), s);
        joint[i] = lt_add(lt_model_log_prob(c.model, c.graph, grid, x),
                          lt_model_log_prior(c.model, c.graph, grid));
    }
    values_of(&c, joint, BATCH, 0, log_joint);
    for (int i = 0; i < BATCH; i++) {
        sum -= (log_mean_exp(log_joint[i], POINTS) + log(POINTS * 0.01)) / BATCH;
        free(log_joint[i]);
    }
    free(z);
    close_subject(&c);
    return sum;
}

#define NARROW                                                                                     \
    DATA "model:\n  latent: 1\n  likelihood: bernoulli\n  init: normal 0.7\n"                      \
         "  encoder: [linear 6, tanh]\n  decoder: [linear 6, tanh, linear image]\n"

/* Mean and its standard error over runs with other noise. */
typedef struct mean_of_runs {
    double mean, se;
} mean_of_runs;

static mean_of_runs mean_loss(const char *k, int runs)
{
    const char *const sets[] = {"objective.bound=iwae", k};
    subject c = build_subject(NARROW, sets, 2);
    subject_run r = open_run(&c, &c.t.loss, 1, LT_REFERENCE, 1);
    double sum = 0, squares = 0;
    for (int i = 0; i < runs; i++) {
        must_run(r.session, &(lt_run_key){1, (uint64_t)i});
        double loss = lt_session_doubles(r.session, c.t.loss)[0];
        sum += loss;
        squares += loss * loss;
    }
    close_run(&r);
    close_subject(&c);
    double mean = sum / runs;
    return (mean_of_runs){mean, sqrt((squares / runs - mean * mean) / (runs - 1))};
}

static void bounds_tighten_with_draws_to_the_integral(void **state)
{
    (void)state;
    mean_of_runs one = mean_loss("objective.samples=1", 400),
                 few = mean_loss("objective.samples=8", 400),
                 many = mean_loss("objective.samples=256", 100);
    double exact = exact_loss(NARROW);
    assert_true(one.mean - few.mean > 4 * (one.se + few.se));
    assert_true(few.mean - many.mean > 4 * (few.se + many.se));
    assert_true(many.mean > exact - 4 * many.se);
    assert_near(many.mean, exact, 0.02 + 4 * many.se);
}

/* ---- Gradients ---- */

/* Along a random direction, with the parameters as single precision holds them. */
static void check_gradient(const char *words, const char *const *sets, int n, double capacity)
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

static void gradients_of_losses_equal_differences(void **state)
{
    (void)state;
    check_gradient(TINY, (const char *[]){"objective.samples=3"}, 1, 0);
    check_gradient(TINY, (const char *[]){"objective.samples=3", "objective.kl=monte-carlo"}, 2, 0);
    check_gradient(TINY, (const char *[]){"objective.samples=3", "objective.bound=iwae"}, 2, 0);
    check_gradient(TINY, (const char *[]){"objective.free_bits=0.01"}, 1, 0);
    check_gradient(TINY,
                   (const char *[]){"objective.free_bits=0.01", "objective.kl=monte-carlo",
                                    "objective.samples=2"},
                   3, 0);
    check_gradient(TINY, (const char *[]){"objective.capacity=5"}, 1, 3.);
    check_gradient(TINY, (const char *[]){"objective.capacity=5"}, 1, 1e-3);
}

/* Where the parameters of the decoder are in a gradient: the rest is the encoder's. */
static bool is_decoders(const lt_params *p, int64_t place)
{
    for (int i = 0; i < lt_params_count(p); i++) {
        lt_param_info info = lt_params_info(p, i);
        if (place >= info.offset && place < info.offset + lt_shape_size(info.shape))
            return strncmp(info.name, "decoder", 7) == 0;
    }
    return false;
}

/* The loss whose gradient by q is the estimator as it is written: the squares of the shares and
   the densities of q are numbers. */
static lt_node *written_dreg(const subject *c, int k)
{
    lt_graph *g = c->graph;
    lt_shape wide = {.rank = 3, .d = {BATCH, k, 2}}, tall = lt_shape_2d(BATCH * k, 2);
    lt_node *eps = lt_normal(g, tall);
    lt_gauss q = lt_model_encode(c->model, g, c->x);
    lt_node **parts[] = {&q.mean, &q.logvar};
    for (int i = 0; i < 2; i++) {
        lt_shape one = {.rank = 3, .d = {BATCH, 1, 2}};
        *parts[i] = lt_reshape(lt_expand(lt_reshape(*parts[i], one), wide), tall);
    }
    lt_shape image = {.rank = 3, .d = {BATCH, 1, PIXELS}},
             images = {.rank = 3, .d = {BATCH, k, PIXELS}};
    lt_node *x = lt_reshape(lt_expand(lt_reshape(c->x, image), images),
                            lt_shape_4d(BATCH * k, tiny.h, tiny.w, tiny.c));
    lt_node *z = lt_add(q.mean, lt_mul(lt_exp(lt_scale(q.logvar, .5)), eps));
    lt_gauss fixed = {lt_detach(q.mean), lt_detach(q.logvar)};
    lt_node *w = lt_sub(lt_add(lt_model_log_prob(c->model, g, z, x), lt_standard_log_prob(z)),
                        lt_gauss_log_prob(fixed, z));
    lt_node *e = lt_reshape(lt_exp(lt_shift(w, 8)), lt_shape_2d(BATCH, k));
    lt_node *share = lt_reshape(lt_div(e, lt_sum_keep(e, LT_AXIS(1))), lt_shape_1d(BATCH * k));
    return lt_scale(lt_sum(lt_mul(lt_detach(lt_square(share)), w)), -1. / BATCH);
}

static void dreg_is_the_estimator_by_q_and_iwae_by_the_decoder(void **state)
{
    (void)state;
    static const char *const iwae[] = {"objective.samples=4", "objective.bound=iwae"};
    static const char *const dreg[] = {"objective.samples=4", "objective.bound=dreg"};
    subject a = build_subject(TINY, iwae, 2), b = build_subject(TINY, dreg, 2),
            c = open_subject(TINY, NULL, 0);
    c.gradient = lt_params_gradient(lt_model_params(c.model), written_dreg(&c, 4));
    double *of_iwae, *of_dreg, *written;
    values_of(&a, &a.gradient, 1, 0, &of_iwae);
    values_of(&b, &b.gradient, 1, 0, &of_dreg);
    values_of(&c, &c.gradient, 1, 0, &written);
    const lt_params *p = lt_model_params(a.model);
    double apart = 0;
    for (int64_t i = 0; i < lt_params_extent(p); i++) {
        bool is_model = is_decoders(p, i);
        assert_near(of_dreg[i], is_model ? of_iwae[i] : written[i], 1e-11);
        apart += is_model ? 0 : fabs(of_dreg[i] - of_iwae[i]);
    }
    assert_true(apart > 1e-3);
    free(of_iwae);
    free(of_dreg);
    free(written);
    close_subject(&a);
    close_subject(&b);
    close_subject(&c);
}

typedef struct moments {
    double *sum, *squares;
    int64_t size;
    int runs;
} moments;

static moments gradient_moments(const char *words, const char *const *sets, int n, int runs)
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

static double variance(const moments *m, int64_t i)
{
    double mean = m->sum[i] / m->runs;
    return m->squares[i] / m->runs - mean * mean;
}

static void check_dreg(const char *words)
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

static void dreg_is_iwae_in_expectation_with_less_noise(void **state)
{
    (void)state;
    check_dreg(TINY);
}

/* The way back through the decoder is computed once for both parts of the gradient. */
static void dreg_costs_no_second_way_back(void **state)
{
    (void)state;
    static const char *const iwae[] = {"objective.samples=6", "objective.bound=iwae"};
    static const char *const dreg[] = {"objective.samples=6", "objective.bound=dreg"};
    subject a = build_subject(TINY, iwae, 2), b = build_subject(TINY, dreg, 2);
    lt_program *pa = must_compile(a.graph, (lt_node *[]){a.t.loss, a.gradient}, 2);
    lt_program *pb = must_compile(b.graph, (lt_node *[]){b.t.loss, b.gradient}, 2);
    assert_int_equal(lt_program_describe(pa).flops, lt_program_describe(pb).flops);
    lt_program_free(pa);
    lt_program_free(pb);
    close_subject(&a);
    close_subject(&b);
}

/* ---- Free bits and capacity ---- */

static void free_bits_leave_each_latents_mean_rate_alone_below(void **state)
{
    (void)state;
    static const char *const sets[] = {"objective.free_bits=0.5"};
    subject c = build_subject(TINY, sets, 1);
    lt_gauss q = c.t.posterior;
    lt_node *nodes[] = {c.t.loss, c.t.distortion, q.mean, q.logvar, c.t.rate};
    double *v[5], want = 0, rate = 0;
    c.beta = 0.5;
    /* latent 0 costs more than half a nat, latent 1 less */
    lt_params *p = lt_model_params(c.model);
    lt_params_block(p)[lt_params_info(p, lt_params_find(p, "posterior.mean.bias")).offset] += 2;
    values_of(&c, nodes, 5, 0, v);
    for (int j = 0; j < 2; j++) {
        double mean = 0;
        for (int i = j; i < 2 * BATCH; i += 2)
            mean += (v[2][i] * v[2][i] + exp(v[3][i]) - 1 - v[3][i]) / 2 / BATCH;
        rate += mean;
        assert_true(j == 0 ? mean > 0.6 : mean < 0.4);
        want += 0.5 * fmax(mean, 0.5);
    }
    for (int i = 0; i < BATCH; i++) {
        want += v[1][i] / BATCH;
        rate -= v[4][i] / BATCH;
    }
    assert_near(v[0][0], want, 1e-12);
    assert_near(rate, 0, 1e-12); /* what is reported is the whole rate */
    for (int i = 0; i < 5; i++)
        free(v[i]);
    close_subject(&c);
}

static void capacity_is_what_the_mean_rate_is_kept_at(void **state)
{
    (void)state;
    static const char *const sets[] = {"objective.capacity=5", "objective.beta=30"};
    subject c = build_subject(TINY, sets, 2);
    lt_node *nodes[] = {c.t.loss, c.t.distortion, c.t.rate};
    for (int side = 0; side < 2; side++) {
        double *v[3], distortion = 0, rate = 0;
        c.beta = 30;
        c.capacity = side ? 4 : 1e-3;
        values_of(&c, nodes, 3, 0, v);
        for (int i = 0; i < BATCH; i++) {
            distortion += v[1][i] / BATCH;
            rate += v[2][i] / BATCH;
        }
        assert_true((rate < c.capacity) == side);
        assert_near(v[0][0], distortion + 30 * fabs(rate - c.capacity), 1e-10);
        for (int i = 0; i < 3; i++)
            free(v[i]);
    }
    close_subject(&c);
}

static void capacity_rises_by_its_schedule(void **state)
{
    (void)state;
    static const char *const sets[] = {"objective.capacity=25",
                                       "objective.capacity_schedule=linear epochs=10",
                                       "objective.capacity_schedule.per=step"};
    lt_recipe *r = lt_recipe_parse("tiny.yaml", TINY, sets, 3);
    assert_non_null(r);
    assert_near(recipe_capacity(r, 0, 100), 25. / 1000, 1e-12);
    assert_near(recipe_capacity(r, 499, 100), 12.5, 1e-12);
    assert_near(recipe_capacity(r, 5000, 100), 25, 0);
    assert_near(recipe_beta(r, 0, 100), 1, 0);
    lt_recipe_free(r);
}

typedef struct training {
    lt_dataset *data;
    lt_model *model;
    lt_trainer *trainer;
} training;

static training open_training(const char *words, const char *const *sets, int n)
{
    training t;
    lt_recipe *r = lt_recipe_parse("tiny.yaml", words, sets, n);
    if (!r)
        fail_msg("%s", lt_last_error());
    assert_int_equal(lt_recipe_open_data(r, NULL, &t.data), LT_OK);
    const lt_dataset_info *info = lt_dataset_describe(t.data);
    t.model = lt_model_create(r, (lt_image_size){info->h, info->w, info->c});
    assert_non_null(t.model);
    t.trainer = lt_trainer_create(t.model, t.data, &(lt_trainer_options){.threads = 1});
    assert_non_null(t.trainer);
    lt_recipe_free(r);
    return t;
}

static void close_training(training *t)
{
    lt_trainer_free(t->trainer);
    lt_model_free(t->model);
    lt_dataset_free(t->data);
}

/* The numbers of the schedules reach the step. */
static void training_steps_are_given_the_capacity(void **state)
{
    (void)state;
    static const char *const sets[] = {"objective.capacity=8", "objective.beta=3", "train.batch=50",
                                       "objective.capacity_schedule=linear epochs=2",
                                       "data.limit=100"};
    training t = open_training(TINY, sets, COUNT_OF(sets));
    lt_train_report report;
    assert_int_equal(lt_trainer_step(t.trainer, &report), LT_OK);
    assert_near(report.loss, report.distortion + 3 * fabs(report.rate - 4),
                1e-5 * fabs(report.loss));
    close_training(&t);
}

/* ---- What options exclude ---- */

static void check_refused(const char *words, const char *const *sets, int n, const char *message)
{
    lt_recipe *r = lt_recipe_parse("tiny.yaml", words, sets, n);
    if (r)
        fail_msg("no error, expected \"%s\"", message);
    assert_text_has(lt_last_error(), message);
}

static void options_that_exclude_each_other_are_told_so(void **state)
{
    (void)state;
    check_refused(TINY, (const char *[]){"objective.bound=iwae", "objective.kl=analytic"}, 2,
                  "bound iwae weighs draws of z: it needs kl: monte-carlo");
    check_refused(TINY, (const char *[]){"objective.bound=dreg", "objective.free_bits=1"}, 2,
                  "free_bits is for the bound elbo, not dreg");
    check_refused(TINY, (const char *[]){"objective.bound=iwae", "objective.capacity=1"}, 2,
                  "capacity is for the bound elbo, not iwae");
    check_refused(TINY, (const char *[]){"objective.free_bits=1", "objective.capacity=1"}, 2,
                  "free_bits and capacity exclude each other");
    check_refused(TINY, (const char *[]){"objective.samples=0"}, 1, "samples must be");
}

/* ---- Bits ---- */

/* Loss and gradient of the cpu executor with 1 and more threads. */
static void check_threads(const char *words, const char *const *sets, int n)
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

static void losses_have_the_same_bits_with_any_threads(void **state)
{
    (void)state;
    check_threads(TINY, (const char *[]){"objective.samples=50", "objective.bound=iwae"}, 2);
    check_threads(TINY, (const char *[]){"objective.samples=50", "objective.bound=dreg"}, 2);
    check_threads(TINY, (const char *[]){"objective.samples=50", "objective.free_bits=.1"}, 2);
}

/* ---- Priors ---- */

static int place_of(const subject *c, const char *name)
{
    lt_params *p = lt_model_params(c->model);
    int i = lt_params_find(p, name);
    if (i < 0)
        fail_msg("there is no %s", name);
    return (int)lt_params_info(p, i).offset;
}

static float *numbers(subject *c, const char *name)
{
    return lt_params_block(lt_model_params(c->model)) + place_of(c, name);
}

/* Two components by their densities, one after the other. */
static double mixture_by_hand(const float *mean, const float *logvar, const float *logits,
                              const double *z)
{
    double each[2], total = 0;
    for (int k = 0; k < 2; k++) {
        each[k] = (double)logits[k];
        total += exp((double)logits[k]);
        for (int j = 0; j < 2; j++) {
            double m = (double)mean[2 * k + j], l = (double)logvar[2 * k + j];
            each[k] -= 0.5 * (log(2 * acos(-1.)) + l + (z[j] - m) * (z[j] - m) * exp(-l));
        }
    }
    return log(exp(each[0]) + exp(each[1])) - log(total);
}

static void mixture_prior_is_the_sum_of_its_components(void **state)
{
    (void)state;
    subject c = open_subject(TINY, (const char *[]){"model.prior=mixture 2"}, 1);
    double points[] = {0, 0, 1, -2, .5, 3}, *found;
    float *mean = numbers(&c, "mixture.mean"), *logvar = numbers(&c, "mixture.logvar"),
          *logits = numbers(&c, "mixture.logits");
    for (int i = 0; i < 4; i++)
        logvar[i] = 0.3f * (float)(i - 1);
    logits[0] = 1.5f;
    lt_node *z = lt_constant(c.graph, lt_shape_2d(3, 2), points);
    lt_node *y = lt_model_log_prior(c.model, c.graph, z);
    values_of(&c, &y, 1, 0, &found);
    for (int i = 0; i < 3; i++)
        assert_near(found[i], mixture_by_hand(mean, logvar, logits, points + 2 * i), 1e-12);
    free(found);
    close_subject(&c);
}

/* A mixture of one standard component has the losses of the prior it is. */
static void one_standard_component_is_the_normal_prior(void **state)
{
    (void)state;
    static const char *const normal[] = {"objective.kl=monte-carlo"};
    static const char *const mixture[] = {"model.prior=mixture 1"};
    subject a = build_subject(TINY, normal, 1), b = build_subject(TINY, mixture, 1);
    memset(numbers(&b, "mixture.mean"), 0, 2 * sizeof(float));
    double *va[2], *vb[2];
    values_of(&a, (lt_node *[]){a.t.rate, a.t.log_weight}, 2, 0, va);
    values_of(&b, (lt_node *[]){b.t.rate, b.t.log_weight}, 2, 0, vb);
    for (int i = 0; i < 2; i++) {
        assert_array_close("term", vb[i], va[i], BATCH, 1e-12, 1e-12);
        free(va[i]);
        free(vb[i]);
    }
    close_subject(&a);
    close_subject(&b);
}

static lt_node *vamp_weights(const subject *c, int64_t k)
{
    (void)k;
    return lt_model_log_prior(c->model, c->graph, lt_model_encode(c->model, c->graph, c->x).mean);
}

/* 1/K sum of q(z|u), with the images u given to the encoder here. */
static lt_node *vamp_by_hand(const subject *c, int64_t k)
{
    lt_graph *g = c->graph;
    lt_params *p = lt_model_params(c->model);
    int i = lt_params_find(p, "vamp.images");
    assert_true(i >= 0);
    const float *u = lt_params_block(p) + lt_params_info(p, i).offset;
    double x[3 * PIXELS];
    assert_int_equal(lt_shape_size(lt_params_info(p, i).shape), k * PIXELS);
    for (int j = 0; j < 3 * PIXELS; j++)
        x[j] = 1 / (1 + exp(-(double)u[j]));
    lt_node *images = lt_constant(g, lt_shape_4d(3, tiny.h, tiny.w, tiny.c), x);
    lt_gauss q = lt_model_encode(c->model, g, images);
    lt_node *z = lt_model_encode(c->model, g, c->x).mean, *rows[BATCH * 3];
    for (int n = 0; n < BATCH * 3; n++) {
        lt_gauss one = {lt_slice(q.mean, 0, n % 3, n % 3 + 1),
                        lt_slice(q.logvar, 0, n % 3, n % 3 + 1)};
        rows[n] = lt_gauss_log_prob(one, lt_slice(z, 0, n / 3, n / 3 + 1));
    }
    lt_node *all = lt_reshape(lt_concat(0, BATCH * 3, rows), lt_shape_2d(BATCH, 3));
    return lt_shift(lt_log_sum_exp(all, LT_AXIS(1)), -log(3));
}

static void vamp_prior_is_the_mean_of_posteriors(void **state)
{
    (void)state;
#define VAMP                                                                                       \
    DATA "model:\n  latent: 2\n  likelihood: bernoulli\n  prior: vamp 3\n"                         \
         "  encoder: [linear 6, tanh]\n  decoder: [linear 6, tanh, linear image]\n"
    double *found = value_of(VAMP, vamp_weights, 3, BATCH);
    double *want = value_of(VAMP, vamp_by_hand, 3, BATCH);
    assert_array_close("log p(z)", found, want, BATCH, 1e-7, 1e-9); /* u to a float's digits */
    free(found);
    free(want);
}

static void gradients_reach_priors(void **state)
{
    (void)state;
    static const char *const priors[] = {"model.prior=mixture 3", "model.prior=vamp 3"};
    for (int i = 0; i < 2; i++) {
        check_gradient(TINY, (const char *[]){priors[i]}, 1, 0);
        check_gradient(TINY,
                       (const char *[]){priors[i], "objective.capacity=9", "objective.samples=2"},
                       3, 3.);
        check_gradient(
            TINY, (const char *[]){priors[i], "objective.samples=3", "objective.bound=iwae"}, 3, 0);
        check_threads(
            TINY, (const char *[]){priors[i], "objective.samples=50", "objective.bound=dreg"}, 3);
    }
}

/* What is drawn has the moments of the mixture, w_0 = 3/4. */
static void priors_are_drawn_from(void **state)
{
    (void)state;
    enum { N = 20000 };
    subject c = open_subject(TINY, (const char *[]){"model.prior=mixture 2"}, 1);
    float *mean = numbers(&c, "mixture.mean"), *logvar = numbers(&c, "mixture.logvar");
    numbers(&c, "mixture.logits")[0] = (float)log(3);
    for (int i = 0; i < 4; i++) {
        mean[i] = i < 2 ? -2 : 4;
        logvar[i] = i < 2 ? 0 : -1;
    }
    lt_node *z = lt_model_prior_sample(c.model, c.graph, N);
    double *found, sum = 0, squares = 0;
    values_of(&c, &z, 1, 0, &found);
    for (int i = 0; i < N; i++) {
        sum += found[2 * i];
        squares += found[2 * i] * found[2 * i];
    }
    double variance_of = .75 * (1 + 4) + .25 * (exp(-1) + 16) - .25;
    assert_near(sum / N, -.5, 4 * sqrt(variance_of / N));
    assert_near(squares / N - sum / N * sum / N, variance_of, .2);
    free(found);
    close_subject(&c);
}

/* Evaluation draws the rate where there is no formula, and weighs with the prior at hand. */
static void weights_know_the_prior(void **state)
{
    (void)state;
#define MIXED                                                                                      \
    DATA "model:\n  latent: 2\n  likelihood: bernoulli\n  prior: mixture 3\n"                      \
         "  encoder: [linear 6, tanh]\n  decoder: [linear 6, tanh, linear image]\n"
    static const char *const words[] = {MIXED, VAMP};
    for (int i = 0; i < 2; i++) {
        double *found = value_of(words[i], weights, 3, BATCH * 3);
        double *want = value_of(words[i], weights_by_densities, 3, BATCH * 3);
        assert_array_close("weight", found, want, BATCH * 3, 1e-12, 0);
        free(found);
        free(want);
    }
    subject c = open_subject(MIXED, NULL, 0);
    assert_int_equal(lt_model_build(c.model, c.graph, c.x, LT_EVALUATION, &c.t), LT_OK);
    double *v[3];
    values_of(&c, (lt_node *[]){c.t.rate, c.t.distortion, c.t.log_weight}, 3, 0, v);
    for (int i = 0; i < BATCH; i++)
        assert_near(v[2][i], -v[0][i] - v[1][i], 1e-12);
    for (int i = 0; i < 3; i++)
        free(v[i]);
    close_subject(&c);
}

static void priors_without_a_formula_are_told_so(void **state)
{
    (void)state;
    check_refused(TINY, (const char *[]){"model.prior=vamp 5", "objective.kl=analytic"}, 2,
                  "no formula with the prior vamp: it needs kl: monte-carlo");
    check_refused(TINY, (const char *[]){"model.prior=mixture 5", "objective.free_bits=1"}, 2,
                  "free_bits is for one layer of codes with the prior normal");
    check_refused(TINY, (const char *[]){"model.prior=mixtur 5"}, 1, "did you mean \"mixture\"?");
    check_refused(TINY, (const char *[]){"model.prior=mixture"}, 1, "k");
}

/* ---- Two stochastic layers ---- */

#define TWO                                                                                        \
    DATA "model:\n  latent: 3\n  latent2: 2\n  likelihood: bernoulli\n"                            \
         "  encoder: [linear 6, tanh]\n  encoder2: [linear 5, tanh]\n"                             \
         "  decoder2: [linear 4, tanh]\n  decoder: [linear 6, tanh, linear image]\n"

static void second_layers_are_named_like_the_first(void **state)
{
    (void)state;
    static const char *const names[] = {
        "encoder.0.weight",     "encoder.0.bias",           "posterior.mean.weight",
        "posterior.mean.bias",  "posterior.logvar.weight",  "posterior.logvar.bias",
        "encoder2.0.weight",    "encoder2.0.bias",          "posterior2.mean.weight",
        "posterior2.mean.bias", "posterior2.logvar.weight", "posterior2.logvar.bias",
        "decoder.0.weight",     "decoder.0.bias",           "decoder.2.weight",
        "decoder.2.bias",       "decoder2.0.weight",        "decoder2.0.bias",
        "prior.mean.weight",    "prior.mean.bias",          "prior.logvar.weight",
        "prior.logvar.bias"};
    subject c = open_subject(TWO, NULL, 0);
    const lt_params *p = lt_model_params(c.model);
    assert_int_equal(lt_params_count(p), COUNT_OF(names));
    for (int i = 0; i < COUNT_OF(names); i++)
        assert_string_equal(lt_params_info(p, i).name, names[i]);
    assert_int_equal(lt_model_latent(c.model), 3);
    assert_int_equal(lt_model_latent2(c.model), 2);
    char *summary = lt_model_summary(c.model);
    assert_text_has(summary, "latent 3 and 2, bernoulli");
    assert_text_has(summary, "posterior2.mean        linear latent2");
    assert_text_has(summary, "prior.logvar           linear latent ");
    assert_text_has(summary, "encoder2 20, posterior2 24, decoder 108, decoder2 12, prior 30");
    free(summary);
    close_subject(&c);
}

/* y = W x + b in double precision, W: out x in as it is outside; then tanh. */
static void dense(const subject *c, const char *layer, const double *x, double *y, bool is_tanh)
{
    lt_params *p = lt_model_params(c->model);
    char *w_name = must_format("%s.weight", layer), *b_name = must_format("%s.bias", layer);
    int w = lt_params_find(p, w_name), b = lt_params_find(p, b_name);
    assert_true(w >= 0 && b >= 0);
    int64_t out = lt_params_info(p, w).shape.d[0], in = lt_params_info(p, w).shape.d[1];
    float weight[PIXELS * PIXELS], bias[PIXELS];
    lt_params_export(p, w, lt_params_block(p), weight);
    lt_params_export(p, b, lt_params_block(p), bias);
    for (int64_t i = 0; i < out; i++) {
        y[i] = (double)bias[i];
        for (int64_t j = 0; j < in; j++)
            y[i] += (double)weight[i * in + j] * x[j];
        y[i] = is_tanh ? tanh(y[i]) : y[i];
    }
    free(w_name);
    free(b_name);
}

static void gauss_heads(const subject *c, const char *heads, const double *h, double *mean,
                        double *logvar)
{
    char *m = must_format("%s.mean", heads), *l = must_format("%s.logvar", heads);
    dense(c, m, h, mean, false);
    dense(c, l, h, logvar, false);
    free(m);
    free(l);
}

static double log_normal(const double *z, const double *mean, const double *logvar, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum -= 0.5 * (log(2 * acos(-1.)) + logvar[i] +
                      (z[i] - mean[i]) * (z[i] - mean[i]) * exp(-logvar[i]));
    return sum;
}

/* log p(z2) p(z|z2) p(x|z) / (q(z|x) q(z2|z)) of one image and its noise, in plain loops. */
static double two_layer_weight(const subject *c, const double *x, const double *eps,
                               const double *eps2)
{
    double h[6], mean[3], logvar[3], z[3], mean2[2], logvar2[2], z2[2], p_mean[3], p_logvar[3],
        y[PIXELS], log_w, zero[2] = {0};
    dense(c, "encoder.0", x, h, true);
    gauss_heads(c, "posterior", h, mean, logvar);
    for (int i = 0; i < 3; i++)
        z[i] = mean[i] + exp(logvar[i] / 2) * eps[i];
    dense(c, "encoder2.0", z, h, true);
    gauss_heads(c, "posterior2", h, mean2, logvar2);
    for (int i = 0; i < 2; i++)
        z2[i] = mean2[i] + exp(logvar2[i] / 2) * eps2[i];
    dense(c, "decoder2.0", z2, h, true);
    gauss_heads(c, "prior", h, p_mean, p_logvar);
    dense(c, "decoder.0", z, h, true);
    dense(c, "decoder.2", h, y, false);
    log_w = log_normal(z2, zero, zero, 2) + log_normal(z, p_mean, p_logvar, 3) -
            log_normal(z, mean, logvar, 3) - log_normal(z2, mean2, logvar2, 2);
    for (int i = 0; i < PIXELS; i++)
        log_w += x[i] * y[i] - log1p(exp(y[i]));
    return log_w;
}

/* Both kinds of weights draw z first and then z2. */
static void two_layer_weights_equal_plain_loops(void **state)
{
    (void)state;
    enum { K = 3, N = BATCH * K };
    subject c = open_subject(TWO, NULL, 0),
            d = build_subject(TWO, (const char *[]){"objective.samples=3"}, 1),
            e = open_subject(TWO, NULL, 0);
    lt_node *noise[] = {lt_normal(c.graph, lt_shape_2d(N, 3)),
                        lt_normal(c.graph, lt_shape_2d(N, 2))};
    double x[BATCH * PIXELS], *eps[2], *terms[2], *found, elbo = 0;
    fill_images(x);
    values_of(&c, noise, 2, 0, eps);
    lt_node *w = weights(&e, K);
    values_of(&e, &w, 1, 0, &found);
    values_of(&d, (lt_node *[]){d.t.loss, d.t.log_weight}, 2, 0, terms);
    for (int i = 0; i < BATCH; i++) {
        double want[K];
        for (int j = 0; j < K; j++) {
            int row = i * K + j;
            want[j] = two_layer_weight(&c, x + i * PIXELS, eps[0] + 3 * row, eps[1] + 2 * row);
            assert_near(found[row], want[j], 1e-12);
            elbo += want[j] / N;
        }
        assert_near(terms[1][i], log_mean_exp(want, K), 1e-12);
    }
    assert_near(terms[0][0], -elbo, 1e-12);
    free(found);
    for (int i = 0; i < 2; i++) {
        free(eps[i]);
        free(terms[i]);
    }
    close_subject(&c);
    close_subject(&d);
    close_subject(&e);
}

static void gradients_reach_both_layers(void **state)
{
    (void)state;
    check_gradient(TWO, (const char *[]){"objective.samples=2"}, 1, 0);
    check_gradient(TWO, (const char *[]){"objective.samples=3", "objective.bound=iwae"}, 2, 0);
    check_gradient(
        TWO,
        (const char *[]){"objective.samples=3", "objective.bound=iwae", "model.prior=mixture 3"}, 3,
        0);
    check_threads(TWO, (const char *[]){"objective.samples=50", "objective.bound=dreg"}, 2);
}

static void dreg_of_two_layers_is_iwae_in_expectation(void **state)
{
    (void)state;
    check_dreg(TWO);
}

/* With heads that only have biases, p(z|z2) is known. */
static void two_layers_are_drawn_from_the_top(void **state)
{
    (void)state;
    enum { N = 20000 };
    subject c = open_subject(TWO, NULL, 0);
    memset(numbers(&c, "prior.logvar.weight"), 0, 12 * sizeof(float));
    memset(numbers(&c, "prior.mean.weight"), 0, 12 * sizeof(float));
    for (int j = 0; j < 3; j++) {
        numbers(&c, "prior.mean.bias")[j] = (float)j;
        numbers(&c, "prior.logvar.bias")[j] = (float)-j;
    }
    lt_node *z = lt_model_prior_sample(c.model, c.graph, N);
    assert_true(lt_shape_equal(lt_node_shape(z), lt_shape_2d(N, 3)));
    double *found;
    values_of(&c, &z, 1, 0, &found);
    for (int j = 0; j < 3; j++) {
        double sum = 0, squares = 0;
        for (int i = 0; i < N; i++) {
            sum += found[3 * i + j] / N;
            squares += found[3 * i + j] * found[3 * i + j] / N;
        }
        assert_near(sum, j, 4 * sqrt(exp(-j) / N));
        assert_near(squares - sum * sum, exp(-j), 0.05 * exp(-j));
    }
    free(found);
    close_subject(&c);
}

static void what_two_layers_cannot_do_is_said(void **state)
{
    (void)state;
    check_refused(TWO, (const char *[]){"objective.kl=analytic"}, 1,
                  "no formula with two stochastic layers");
    check_refused(TWO, (const char *[]){"objective.free_bits=1"}, 1, "free_bits is for one layer");
    check_refused(TWO, (const char *[]){"model.prior=vamp 3"}, 1, "the prior vamp is of codes");
    check_refused(TWO, (const char *[]){"model.latent2=0"}, 1,
                  "encoder2 is for a second stochastic layer: latent2 is missing");
    check_refused(TINY, (const char *[]){"model.latent2=3"}, 1, "with latent2 goes \"encoder2\"");
    subject c = open_subject(TWO, NULL, 0);
    lt_model_log_prior(c.model, c.graph, lt_input(c.graph, "z", lt_shape_2d(5, 3)));
    assert_text_has(lt_graph_error(c.graph), "is an integral over the second");
    close_subject(&c);
}

static void two_layer_recipes_read_back(void **state)
{
    (void)state;
    lt_recipe *r = lt_recipe_parse(
        "tiny.yaml", TWO,
        (const char *[]){"model.encoder2.0.units=7", "model.prior=mixture 4", "model.prior.k=6"},
        3);
    if (!r)
        fail_msg("%s", lt_last_error());
    assert_text_has(lt_recipe_text(r), "  prior: mixture 6\n");
    assert_text_has(lt_recipe_text(r),
                    "  encoder2:\n    - linear 7 bias=yes init=model\n    - tanh\n"
                    "  decoder2:\n    - linear 4 ");
    lt_recipe *again = lt_recipe_parse("tiny.yaml", lt_recipe_text(r), NULL, 0);
    assert_string_equal(lt_recipe_text(again), lt_recipe_text(r));
    lt_recipe_free(again);
    lt_recipe_free(r);
}

/* ---- Training goes on where it was stopped ---- */

/* Stopped in the second of three epochs of three steps, where the schedules have moved. */
static void check_resume(const char *words, const char *const *sets, int n)
{
    enum { STEPS = 9, STOP = 4 };
    char *path = file_join(dir, "middle");
    training whole = open_training(words, sets, n), rest = open_training(words, sets, n);
    for (int i = 0; i < STEPS; i++) {
        if (i == STOP)
            assert_int_equal(lt_trainer_save(whole.trainer, path), LT_OK);
        assert_int_equal(lt_trainer_step(whole.trainer, NULL), LT_OK);
    }
    assert_int_equal(lt_trainer_load(rest.trainer, path), LT_OK);
    for (int i = STOP; i < STEPS; i++)
        assert_int_equal(lt_trainer_step(rest.trainer, NULL), LT_OK);
    lt_params *a = lt_model_params(whole.model), *b = lt_model_params(rest.model);
    assert_memory_equal(lt_params_block(a), lt_params_block(b),
                        sizeof(float) * (size_t)lt_params_extent(a));
    close_training(&whole);
    close_training(&rest);
    free(path);
}

static void resumed_training_has_the_same_bits(void **state)
{
    (void)state;
#define SHORT "data.limit=100", "train.batch=40", "train.epochs=3"
    check_resume(TWO,
                 (const char *[]){SHORT, "objective.samples=3", "objective.bound=dreg",
                                  "learning_rate_schedule=burda stages=2"},
                 6);
    check_resume(TINY, (const char *[]){SHORT, "model.prior=vamp 3", "objective.bound=iwae"}, 5);
    check_resume(TINY,
                 (const char *[]){SHORT, "objective.capacity=4", "objective.beta=10",
                                  "objective.capacity_schedule=linear epochs=3 per=step"},
                 6);
}

/* ---- PyTorch ---- */

/* Loss and gradients of one bound: tools/golden_objectives.py has our noise, and hooks for DReG. */
static void check_golden(const safetensors *file, const char *bound)
{
    enum { N = 3 };
    char *set = must_format("objective.bound=%s", bound);
    subject c = open_subject(safetensors_metadata(file, "recipe"), (const char *[]){set}, 1);
    lt_params *p = lt_model_params(c.model);
    for (int i = 0; i < lt_params_count(p); i++)
        golden_import(file, lt_params_info(p, i).name, p, i);
    lt_node *x = lt_input(c.graph, "x", lt_shape_4d(N, tiny.h, tiny.w, tiny.c));
    assert_int_equal(lt_model_build(c.model, c.graph, x, LT_TRAINING, &c.t), LT_OK);
    lt_node *gradient = lt_params_gradient(p, c.t.loss);
    char names[33][64];
    golden_value out[33];
    int n = lt_params_count(p);
    for (int i = 0; i < n; i++) {
        lt_param_info info = lt_params_info(p, i);
        lt_node *part = lt_slice(gradient, 0, info.offset, info.offset + lt_shape_size(info.shape));
        if (info.layout == LT_LAYOUT_LINEAR)
            part = lt_transpose(lt_reshape(part, lt_shape_2d(info.shape.d[1], info.shape.d[0])));
        snprintf(names[i], sizeof names[i], "%s.d.%s", bound, info.name);
        out[i] = (golden_value){part, names[i]};
    }
    snprintf(names[n], sizeof names[n], "%s.loss", bound);
    out[n] = (golden_value){c.t.loss, names[n]};
    golden_run(file, c.graph, p, (golden_value[]){{x, "x"}, {c.t.beta, "beta"}}, 2, out, n + 1);
    free(set);
    close_subject(&c);
}

static void bounds_and_their_gradients_equal_pytorchs(void **state)
{
    (void)state;
    static const char *const files[] = {"bounds_one", "bounds_two"};
    for (int i = 0; i < 2; i++) {
        safetensors *file = golden_open(files[i]);
        check_golden(file, "elbo");
        check_golden(file, "iwae");
        check_golden(file, "dreg");
        safetensors_free(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_joint_less_posterior_image_by_image),
        cmocka_unit_test(weights_refuse_other_shapes),
        cmocka_unit_test(bounds_are_means_and_log_means_of_weights),
        cmocka_unit_test(formula_and_draws_share_the_distortion),
        cmocka_unit_test(one_draw_makes_all_bounds_equal),
        cmocka_unit_test(bounds_tighten_with_draws_to_the_integral),
        cmocka_unit_test(gradients_of_losses_equal_differences),
        cmocka_unit_test(dreg_is_the_estimator_by_q_and_iwae_by_the_decoder),
        cmocka_unit_test(dreg_is_iwae_in_expectation_with_less_noise),
        cmocka_unit_test(dreg_costs_no_second_way_back),
        cmocka_unit_test(free_bits_leave_each_latents_mean_rate_alone_below),
        cmocka_unit_test(capacity_is_what_the_mean_rate_is_kept_at),
        cmocka_unit_test(capacity_rises_by_its_schedule),
        cmocka_unit_test(training_steps_are_given_the_capacity),
        cmocka_unit_test(options_that_exclude_each_other_are_told_so),
        cmocka_unit_test(losses_have_the_same_bits_with_any_threads),
        cmocka_unit_test(mixture_prior_is_the_sum_of_its_components),
        cmocka_unit_test(one_standard_component_is_the_normal_prior),
        cmocka_unit_test(vamp_prior_is_the_mean_of_posteriors),
        cmocka_unit_test(gradients_reach_priors),
        cmocka_unit_test(priors_are_drawn_from),
        cmocka_unit_test(weights_know_the_prior),
        cmocka_unit_test(priors_without_a_formula_are_told_so),
        cmocka_unit_test(second_layers_are_named_like_the_first),
        cmocka_unit_test(two_layer_weights_equal_plain_loops),
        cmocka_unit_test(gradients_reach_both_layers),
        cmocka_unit_test(dreg_of_two_layers_is_iwae_in_expectation),
        cmocka_unit_test(two_layers_are_drawn_from_the_top),
        cmocka_unit_test(what_two_layers_cannot_do_is_said),
        cmocka_unit_test(two_layer_recipes_read_back),
        cmocka_unit_test(resumed_training_has_the_same_bits),
        cmocka_unit_test(bounds_and_their_gradients_equal_pytorchs),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
