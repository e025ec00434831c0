/* SPDX-License-Identifier: MIT */
/* Sessions: values in and out, variables and assigns, randomness, threads, memory that cannot be
   had, profiles; and operators against golden values from PyTorch (tools/golden_ops.py). */
#include "check.h"

#include "golden/golden.h"
#include "graph/op.h"
#include "cpu/tiles.h"

#include <latent/ops.h>

#include <pthread.h>
#include <stdio.h>

static const lt_session_options with_reference = {.executor = LT_REFERENCE};

static lt_shape vector(int64_t n) { return lt_shape_1d(n); }
static lt_shape matrix(int64_t n, int64_t m) { return lt_shape_2d(n, m); }

/* ---- Values in and out ---- */

static void values_go_in_and_out(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", matrix(2, 2)), *w = lt_variable(g, "w", vector(2));
    lt_node *y = lt_mul(lt_shift(x, 1), w);
    lt_program *p = must_compile(g, &y, 1);
    for (lt_executor e = LT_CPU; e <= LT_REFERENCE; e++) {
        lt_session *s = must_create(p, &(lt_session_options){.executor = e});
        float out[4] = {9, 9, 9, 9}, w_out[2];
        assert_int_equal(lt_session_write(s, x, (float[]){1, 2, 3, 4}, 4), LT_OK);
        must_run(s, NULL);
        assert_int_equal(lt_session_read(s, y, out, 4), LT_OK);
        for (int i = 0; i < 4; i++)
            assert_near((double)out[i], 0, 0); /* variables of a fresh session are zero */
        assert_int_equal(lt_session_write(s, w, (float[]){10, 100}, 2), LT_OK);
        must_run(s, NULL); /* the input is still there */
        assert_int_equal(lt_session_read(s, y, out, 4), LT_OK);
        assert_int_equal(lt_session_read(s, w, w_out, 2), LT_OK);
        const double want[] = {20, 300, 40, 500};
        for (int i = 0; i < 4; i++)
            assert_near((double)out[i], want[i], 0);
        assert_near((double)w_out[1], 100, 0);
        lt_session_free(s);
    }
    lt_program_free(p);
    lt_graph_free(g);
}

static void wrong_requests_are_told(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create(), *other = lt_graph_create();
    lt_node *x = lt_input(g, "x", matrix(2, 3)), *h = lt_name(lt_exp(x), "hidden");
    lt_node *y = lt_sum(h), *foreign = lt_input(other, "foreign", vector(6));
    lt_program *p = must_compile(g, &y, 1);
    lt_session *s = must_create(p, NULL), *r = must_create(p, &with_reference);
    float values[6] = {0};
    assert_int_equal(lt_session_write(s, x, values, 5), LT_VALUE);
    assert_string_equal(lt_last_error(), "session: \"x\" is 2 x 3, found 5 values");
    assert_int_equal(lt_session_read(s, y, values, 2), LT_VALUE);
    assert_string_equal(lt_last_error(), "session: \"\" is scalar, found 2 values");
    static const char not_kept[] = "session: the values of exp \"hidden\" are not kept; only those "
                                   "of inputs, variables and targets are";
    assert_int_equal(lt_session_read(s, h, values, 6), LT_VALUE);
    assert_string_equal(lt_last_error(), not_kept);
    assert_null(lt_session_floats(s, h));
    assert_null(lt_session_floats(s, foreign));
    assert_text_has(lt_last_error(), "input \"foreign\" are not kept");
    assert_null(lt_session_floats(s, lt_neg(x))); /* made after the program */
    assert_null(lt_session_doubles(s, x));
    assert_string_equal(lt_last_error(),
                        "session: the cpu executor has floats; use lt_session_floats");
    assert_null(lt_session_floats(r, x));
    assert_string_equal(lt_last_error(),
                        "session: the reference executor has doubles; use lt_session_doubles");
    assert_null(lt_session_create(p, &(lt_session_options){.threads = -1}));
    assert_text_has(lt_last_error(), "threads must be between 1 and ");
    assert_text_has(lt_last_error(), " (0: all), found -1");
    assert_null(lt_session_create(p, &(lt_session_options){.threads = 1025}));
    lt_session_free(s);
    lt_session_free(r);
    lt_session_free(NULL);
    lt_program_free(p);
    lt_program_free(NULL);
    lt_graph_free(g);
    lt_graph_free(other);
}

static void empty_programs_run(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", matrix(0, 3)), *c = lt_constant(g, vector(2), (double[]){5, 6});
    lt_node *y = lt_exp(x), *z = lt_sum(x), *all[] = {y, z, x, c};
    for (int n = 0; n <= 4; n++) {
        lt_program *p = must_compile(g, all, n);
        for (lt_executor e = LT_CPU; e <= LT_REFERENCE; e++) {
            lt_session *s = must_create(p, &(lt_session_options){.executor = e});
            must_run(s, NULL);
            float sum = 7, two[2];
            if (n >= 2) {
                assert_int_equal(lt_session_read(s, y, &sum, 0), LT_OK);
                assert_int_equal(lt_session_read(s, z, &sum, 1), LT_OK);
                assert_near((double)sum, 0, 0);
            }
            if (n == 4) {
                assert_int_equal(lt_session_read(s, c, two, 2), LT_OK);
                assert_near((double)two[1], 6, 0);
            }
            lt_session_free(s);
        }
        lt_program_free(p);
    }
    lt_graph_free(g);
}

/* ---- Variables ---- */

/* All reads in a run see the values from before it, whatever the order of assigns. */
static void assigns_take_effect_at_the_end(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create();
    lt_node *a = lt_variable(g, "a", vector(3)), *b = lt_variable(g, "b", vector(3));
    lt_node *t = lt_variable(g, "t", lt_shape_0d()), *row = lt_variable(g, "row", matrix(1, 3));
    lt_node *tall = lt_variable(g, "tall", matrix(2, 3));
    lt_node *targets[] = {
        lt_assign(t, lt_shift(t, 1)), lt_assign(a, b), lt_assign(row, lt_shift(row, 100)),
        lt_assign(tall, lt_broadcast(row, matrix(2, 3))), lt_assign(b, a),
        lt_name(lt_add(a, t), "a + t"), lt_name(lt_reshape(a, matrix(3, 1)), "a before")};
    lt_program *p = must_compile(g, targets, COUNT_OF(targets));
    for (lt_executor e = LT_CPU; e <= LT_REFERENCE; e++) {
        lt_session *s = must_create(p, &(lt_session_options){.executor = e});
        lt_session_write(s, a, (float[]){1, 2, 3}, 3);
        lt_session_write(s, b, (float[]){10, 20, 30}, 3);
        for (int run = 0; run < 4; run++) {
            must_run(s, NULL);
            const lt_node *nodes[] = {t, a, b, tall, targets[5], targets[6], targets[1]};
            double *now[COUNT_OF(nodes)];
            for (int i = 0; i < COUNT_OF(nodes); i++)
                now[i] = fetch(s, e, nodes[i]);
            double ones[] = {1, 2, 3}, tens[] = {10, 20, 30};
            const double *before = run % 2 ? tens : ones, *after = run % 2 ? ones : tens;
            assert_near(now[0][0], run + 1, 0);
            for (int i = 0; i < 3; i++) {
                assert_near(now[1][i], after[i], 0);
                assert_near(now[2][i], before[i], 0);
                assert_near(now[3][3 + i], 100 * run, 0);
                assert_near(now[4][i], before[i] + run, 0);
                assert_near(now[5][i], before[i], 0); /* a target is what the run computed */
                assert_near(now[6][i], after[i], 0);  /* an assign is its variable */
            }
            for (int i = 0; i < COUNT_OF(now); i++)
                free(now[i]);
        }
        lt_session_free(s);
    }
    lt_program_free(p);
    lt_graph_free(g);
}

/* One session trains what another one reads. */
static void sessions_share_bound_variables(void **state)
{
    (void)state;
    _Alignas(64) float memory[16] = {1, 2, 3};
    lt_buffer *shared = lt_buffer_borrow(memory, 16);
    lt_graph *g = lt_graph_create();
    lt_node *w = lt_variable(g, "w", vector(3)), *x = lt_input(g, "x", vector(3));
    lt_node *unused = lt_variable(g, "unused", vector(3));
    lt_node *update = lt_assign(w, lt_add(w, x)), *y = lt_sum(w);
    lt_program *train = must_compile(g, &update, 1), *eval = must_compile(g, &y, 1);
    for (lt_executor e = LT_CPU; e <= LT_REFERENCE; e++) {
        lt_session *a = must_create(train, &(lt_session_options){.executor = e});
        lt_session *b = must_create(eval, &(lt_session_options){.executor = e});
        assert_int_equal(lt_session_bind(a, w, shared, 0), LT_OK);
        assert_int_equal(lt_session_bind(b, w, shared, 0), LT_OK);
        assert_int_equal(lt_session_bind(b, unused, shared, 0), LT_OK);
        lt_session_write(a, x, (float[]){1, 1, 1}, 3);
        float sum, start = memory[0] + memory[1] + memory[2];
        for (int i = 1; i < 4; i++) {
            must_run(a, NULL);
            must_run(b, NULL);
            lt_session_read(b, y, &sum, 1);
            assert_near((double)sum, (double)(start + 3 * (float)i), 0);
        }
        assert_near((double)memory[0], e == LT_CPU ? 4 : 7, 0);
        assert_int_equal(lt_session_bind(a, w, shared, 1), LT_VALUE);
        assert_string_equal(lt_last_error(),
                            "session: memory for \"w\" is not aligned to 64 bytes");
        assert_int_equal(lt_session_bind(a, x, shared, 0), LT_VALUE);
        assert_string_equal(lt_last_error(),
                            "session: only a variable of this graph can be bound, found input");
        assert_int_equal(lt_session_bind(a, w, shared, 16), LT_VALUE);
        assert_string_equal(lt_last_error(),
                            "session: \"w\" needs 3 floats from element 16 on, but the buffer has 16");
        lt_session_free(a);
        lt_session_free(b);
    }
    lt_buffer_free(shared);
    lt_program_free(train);
    lt_program_free(eval);
    lt_graph_free(g);
}

/* ---- Broadcasts and reductions ---- */

/* Shape s where the axes are 1. */
static lt_shape without(lt_shape s, unsigned axes)
{
    for (int i = 0; i < s.rank; i++)
        s.d[i] = axes & LT_AXIS(i) ? 1 : s.d[i];
    return s;
}

static lt_node *input_of(lt_graph *g, const char *name, lt_shape s, double *values)
{
    draws d = draws_from((uint64_t)name[0]);
    for (int64_t i = 0; i < lt_shape_size(s); i++)
        values[i] = draw(&d, -1, 1);
    return lt_input(g, name, s);
}

/* x a + b with a repeated over some axes and b over others, its sums and maxima over yet others. */
static void check_pattern(lt_shape s, unsigned repeat_a, unsigned repeat_b, unsigned reduce)
{
    enum { N = 3 };
    lt_graph *g = lt_graph_create();
    int64_t n = lt_shape_size(s);
    double *values[N];
    for (int i = 0; i < N; i++)
        values[i] = must_alloc(sizeof **values * (size_t)n);
    lt_node *x[N] = {input_of(g, "x", s, values[0]),
                     input_of(g, "a", without(s, repeat_a), values[1]),
                     input_of(g, "b", without(s, repeat_b), values[2])};
    lt_node *y = lt_add(lt_mul(x[0], x[1]), x[2]);
    lt_node *targets[] = {y, lt_sum_keep(y, reduce), lt_max_keep(y, reduce)};
    lt_program *p = must_compile(g, targets, 3);
    lt_session *reference = must_create(p, &with_reference);
    lt_session *cpu[] = {must_create(p, &(lt_session_options){.threads = 1}),
                         must_create(p, &(lt_session_options){.threads = 3})};
    for (int i = 0; i < N; i++) {
        feed(reference, LT_REFERENCE, x[i], values[i]);
        feed(cpu[0], LT_CPU, x[i], values[i]);
        feed(cpu[1], LT_CPU, x[i], values[i]);
    }
    must_run(reference, NULL);
    must_run(cpu[0], NULL);
    must_run(cpu[1], NULL);
    for (int i = 0; i < 3; i++) {
        int64_t size = lt_shape_size(lt_node_shape(targets[i]));
        double *want = fetch(reference, LT_REFERENCE, targets[i]);
        double *found = fetch(cpu[0], LT_CPU, targets[i]);
        double *other = fetch(cpu[1], LT_CPU, targets[i]);
        char what[LT_SHAPE_TEXT_SIZE], name[LT_SHAPE_TEXT_SIZE + 64];
        snprintf(name, sizeof name, "%s, repeat %#x, %#x, reduce %#x", lt_shape_text(s, what),
                 repeat_a, repeat_b, reduce);
        assert_array_close(name, found, want, size, 1e-5, 1e-5 * sqrt((double)n));
        assert_array_close(name, other, found, size, 0, 0);
        free(want);
        free(found);
        free(other);
    }
    lt_session_free(reference);
    lt_session_free(cpu[0]);
    lt_session_free(cpu[1]);
    for (int i = 0; i < N; i++)
        free(values[i]);
    lt_program_free(p);
    lt_graph_free(g);
}

/* Rows shorter and longer than a tile, tiles that end with a plane or in its middle, a thread that
   starts with the short last tile of a plane (the last shape). */
static void broadcasts_of_every_pattern(void **state)
{
    (void)state;
    static const lt_shape shapes[] = {{3, {3, 100, 7}}, {3, {9, 700, 3}}, {3, {4, 3, 1030}},
                                      {3, {40, 2, 513}}, {4, {2, 3, 100, 7}}, {4, {3, 5, 8, 100}}};
    for (int i = 0; i < COUNT_OF(shapes); i++)
        for (unsigned a = 0; a < 1u << shapes[i].rank; a++)
            for (unsigned b = 0; b < 1u << shapes[i].rank; b++)
                check_pattern(shapes[i], a, b, (a * 5 + b * 3 + 1) % (1u << shapes[i].rank));
}

/* ---- Randomness ---- */

/* The values of x after a run with the key; the caller frees them. */
static double *values_with(const lt_program *p, const lt_node *x, uint64_t seed, uint64_t step)
{
    lt_session *s = must_create(p, NULL);
    must_run(s, &(lt_run_key){.seed = seed, .step = step});
    double *values = fetch(s, LT_CPU, x);
    lt_session_free(s);
    return values;
}

static int count_equal(const double *a, const double *b, int n)
{
    int equal = 0;
    for (int i = 0; i < n; i++)
        equal += a[i] == b[i];
    return equal;
}

static void numbers_are_a_function_of_their_key(void **state)
{
    (void)state;
    enum { N = 5000 };
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_normal(g, vector(N)), *y = lt_normal(g, vector(N)), *both[] = {x, y};
    lt_program *p = must_compile(g, both, 2), *alone = must_compile(g, &y, 1);
    double *want = values_with(p, x, 1, 0);
    double *found[] = {values_with(p, x, 1, 0), values_with(p, x, 1, 1), values_with(p, x, 2, 0),
                       values_with(p, y, 1, 0), values_with(p, x, 1ull << 32, 0),
                       values_with(p, x, 1, 1ull << 32)};
    for (int i = 0; i < COUNT_OF(found); i++) {
        if (i == 0)
            assert_int_equal(count_equal(found[i], want, N), N);
        else
            assert_in_range(count_equal(found[i], want, N), 0, 2);
    }
    double *same = values_with(alone, y, 1, 0); /* whatever else the program draws */
    assert_int_equal(count_equal(same, found[3], N), N);
    for (int i = 0; i < COUNT_OF(found); i++)
        free(found[i]);
    free(same);
    free(want);
    lt_program_free(p);
    lt_program_free(alone);

    lt_session *s = NULL; /* a repeated run repeats them, and no key is the key of zeros */
    p = must_compile(g, &x, 1);
    s = must_create(p, NULL);
    want = values_with(p, x, 0, 0);
    for (int i = 0; i < 2; i++) {
        must_run(s, NULL);
        double *again = fetch(s, LT_CPU, x);
        assert_int_equal(count_equal(again, want, N), N);
        free(again);
    }
    free(want);
    lt_session_free(s);
    lt_program_free(p);
    lt_graph_free(g);
}

enum { DRAWS = 1000000 };

/* Share of draws for which |x| > limit. */
static double tail(const double *x, double limit)
{
    int n = 0;
    for (int i = 0; i < DRAWS; i++)
        n += fabs(x[i]) > limit;
    return n / (double)DRAWS;
}

static double mean_power(const double *x, double shift, int power, int lag)
{
    double sum = 0;
    for (int i = 0; i + lag < DRAWS; i++)
        sum += lag ? (x[i] + shift) * (x[i + lag] + shift) : pow(x[i] + shift, power);
    return sum / (DRAWS - lag);
}

/* Five standard errors: one failure in a million seeds, and the seed is fixed. */
static void assert_estimates(double found, double want, double variance)
{
    assert_near(found, want, 5 * sqrt(variance / DRAWS));
}

static void normals_are_normal(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_normal(g, matrix(1000, DRAWS / 1000));
    lt_program *p = must_compile(g, &x, 1);
    double *v = values_with(p, x, 42, 3);
    assert_estimates(mean_power(v, 0, 1, 0), 0, 1);
    assert_estimates(mean_power(v, 0, 2, 0), 1, 2);
    assert_estimates(mean_power(v, 0, 3, 0), 0, 15);
    assert_estimates(mean_power(v, 0, 4, 0), 3, 96);
    for (int lag = 1; lag < 6; lag++) /* pairs are made of the same two words */
        assert_estimates(mean_power(v, 0, 2, lag), 0, 1);
    for (double limit = .5; limit < 5; limit += .5) {
        double share = erfc(limit * M_SQRT1_2);
        assert_estimates(tail(v, limit), share, share * (1 - share));
    }
    assert_true(largest(v, DRAWS) < 6); /* 24 bits reach 5.8 */
    free(v);
    lt_program_free(p);
    lt_graph_free(g);
}

static void uniforms_are_uniform(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_uniform(g, matrix(1000, DRAWS / 1000));
    lt_program *p = must_compile(g, &x, 1);
    double *v = values_with(p, x, 42, 3);
    int bins[100] = {0};
    for (int i = 0; i < DRAWS; i++) {
        assert_true(v[i] > 0 && v[i] < 1);
        bins[(int)(v[i] * 100)]++;
    }
    assert_estimates(mean_power(v, -.5, 1, 0), 0, 1 / 12.);
    assert_estimates(mean_power(v, -.5, 2, 0), 1 / 12., 1 / 180.);
    for (int lag = 1; lag < 6; lag++)
        assert_estimates(mean_power(v, -.5, 2, lag), 0, 1 / 144.);
    double chi = 0, expected = DRAWS / 100.;
    for (int i = 0; i < 100; i++)
        chi += (bins[i] - expected) * (bins[i] - expected) / expected;
    assert_near(chi, 99, 5 * sqrt(2 * 99.));
    free(v);
    lt_program_free(p);
    lt_graph_free(g);
}

/* The extreme words: never 0, never 1, never infinite. */
static void extreme_words_are_harmless(void **state)
{
    (void)state;
    unsigned words[8] = {0, 0, 0xffffffff, 0xffffffff, 0, 0xffffffff, 0xffffffff, 0};
    float u[8], z[8];
    tile_uniform(8, u, words);
    tile_normal(8, z, words);
    for (int i = 0; i < 8; i++) {
        assert_true(u[i] > 0 && u[i] < 1);
        assert_true(isfinite(z[i]) && fabsf(z[i]) < 6);
    }
}

static void bernoulli_has_its_probability(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create();
    lt_node *p = lt_input(g, "p", matrix(1, 5));
    lt_node *mean = lt_mean_over(lt_bernoulli(lt_broadcast(p, matrix(200000, 5))), LT_AXIS(0));
    lt_program *program = must_compile(g, &mean, 1);
    lt_session *s = must_create(program, NULL);
    const float probability[] = {0, 1, .25f, .5f, .01f};
    lt_session_write(s, p, probability, 5);
    must_run(s, &(lt_run_key){.seed = 9});
    double *found = fetch(s, LT_CPU, mean);
    for (int i = 0; i < 5; i++) {
        double q = (double)probability[i];
        assert_near(found[i], q, 5 * sqrt(q * (1 - q) / 200000) + 1e-6);
    }
    free(found);
    lt_session_free(s);
    lt_program_free(program);
    lt_graph_free(g);
}

/* ---- A small training step, for what follows ---- */

enum { BATCH = 32, WIDTH = 96, STEPS = 5 };

typedef struct training {
    lt_graph *g;
    lt_node *x, *w[2], *b[2], *loss;
    lt_program *p;
} training;

static training make_training(void)
{
    training t = {.g = lt_graph_create()};
    t.x = lt_input(t.g, "x", matrix(BATCH, WIDTH));
    lt_node *h = lt_add(t.x, lt_scale(lt_normal(t.g, matrix(BATCH, WIDTH)), .1));
    lt_node *values[4], *d[4], *targets[5];
    for (int i = 0; i < 2; i++) {
        values[2 * i] = t.w[i] = lt_variable(t.g, "w", matrix(WIDTH, WIDTH));
        values[2 * i + 1] = t.b[i] = lt_variable(t.g, "b", vector(WIDTH));
        h = lt_add(lt_matmul(h, t.w[i]), t.b[i]);
        h = i == 0 ? lt_tanh(h) : h;
    }
    t.loss = lt_mean(lt_square(lt_sub(h, t.x)));
    lt_grads(t.loss, 4, values, d);
    targets[0] = t.loss;
    for (int i = 0; i < 4; i++)
        targets[1 + i] = lt_assign(values[i], lt_sub(values[i], lt_scale(d[i], 10)));
    t.p = must_compile(t.g, targets, 5);
    return t;
}

static void free_training(training *t)
{
    lt_program_free(t->p);
    lt_graph_free(t->g);
}

static int start_training(const training *t, lt_session *s, uint64_t seed)
{
    draws d = draws_from(seed);
    float x[BATCH * WIDTH], w[WIDTH * WIDTH];
    for (int i = 0; i < BATCH * WIDTH; i++)
        x[i] = (float)draw(&d, -1, 1);
    LT_TRY(lt_session_write(s, t->x, x, BATCH * WIDTH));
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < WIDTH * WIDTH; i++)
            w[i] = (float)draw(&d, -.1, .1);
        LT_TRY(lt_session_write(s, t->w[k], w, WIDTH * WIDTH));
    }
    return LT_OK;
}

/* ---- Threads of the caller ---- */

typedef struct trainee {
    const training *t;
    uint64_t seed;
    int threads, status;
    float losses[60];
} trainee;

static void *train(void *argument)
{
    trainee *a = argument;
    lt_session *s = lt_session_create(a->t->p, &(lt_session_options){.threads = a->threads});
    a->status = s ? start_training(a->t, s, a->seed) : LT_NO_MEMORY;
    for (int i = 0; i < COUNT_OF(a->losses) && a->status == LT_OK; i++) {
        a->status = lt_session_run(s, &(lt_run_key){.seed = a->seed, .step = (uint64_t)i});
        if (a->status == LT_OK)
            a->status = lt_session_read(s, a->t->loss, &a->losses[i], 1);
    }
    lt_session_free(s);
    return NULL;
}

/* Sessions of one program run in threads of their own as they do alone. */
static void sessions_run_side_by_side(void **state)
{
    (void)state;
    enum { N = 3 };
    training t = make_training();
    trainee alone[N], together[N];
    pthread_t threads[N];
    for (int i = 0; i < N; i++) {
        alone[i] = together[i] = (trainee){.t = &t, .seed = (uint64_t)i, .threads = 1 + i};
        train(&alone[i]);
        assert_int_equal(alone[i].status, LT_OK);
        assert_true(alone[i].losses[59] < alone[i].losses[0]);
    }
    for (int i = 0; i < N; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, train, &together[i]), 0);
    for (int i = 0; i < N; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(together[i].status, LT_OK);
        assert_memory_equal(together[i].losses, alone[i].losses, sizeof alone[i].losses);
    }
    assert_true(memcmp(alone[0].losses, alone[1].losses, sizeof alone[0].losses) != 0);
    free_training(&t);
}

/* ---- Memory that cannot be had ---- */

typedef struct budget {
    int asked, refuse;
    size_t refused;
} budget;

static bool allow(void *user, size_t bytes)
{
    budget *b = user;
    bool refuse = ++b->asked == b->refuse;
    b->refused = refuse ? bytes : b->refused;
    return !refuse;
}

/* Creates a session, writes, runs; returns the status. */
static int try_training(const training *t, lt_executor e)
{
    lt_session *s = lt_session_create(t->p, &(lt_session_options){.executor = e, .threads = 2});
    if (!s)
        return LT_NO_MEMORY;
    int status = start_training(t, s, 1);
    if (status == LT_OK)
        status = lt_session_run(s, NULL);
    if (status != LT_OK) { /* and may be tried again */
        start_training(t, s, 1);
        assert_int_equal(lt_session_run(s, NULL), LT_OK);
    }
    lt_session_free(s);
    return status;
}

static void each_failed_allocation_is_told(void **state)
{
    (void)state;
    training t = make_training();
    for (lt_executor e = LT_CPU; e <= LT_REFERENCE; e++) {
        budget b = {0};
        lt_set_allow_memory(allow, &b);
        assert_int_equal(try_training(&t, e), LT_OK);
        int n = b.asked;
        assert_in_range(n, 8, 500);
        for (int i = 1; i <= n; i++) {
            b = (budget){.refuse = i};
            status_fail(LT_VALUE, "nothing yet");
            assert_int_equal(try_training(&t, e), LT_NO_MEMORY);
            assert_text_has(lt_last_error(), "no memory for ");
            assert_text_has(lt_last_error(), " bytes (");
            assert_true(b.refused > 0);
        }
        lt_set_allow_memory(NULL, NULL);
    }
    free_training(&t);
}

/* ---- Profiles ---- */

static void profile_adds_up(void **state)
{
    (void)state;
    enum { MOST = 64 };
    training t = make_training();
    lt_program_info info = lt_program_describe(t.p);
    assert_int_equal(info.flops, 2ll * BATCH * WIDTH * WIDTH * 5); /* x needs no gradient */
    lt_profile_line lines[MOST], few[2] = {{.kernel = "untouched"}, {.kernel = "untouched"}};
    lt_session *s = must_create(t.p, &(lt_session_options){.profile = true});
    start_training(&t, s, 1);
    for (int i = 0; i < STEPS; i++)
        must_run(s, NULL);
    int n = lt_session_profile(s, lines, MOST);
    assert_int_equal(n, info.kernels);
    assert_in_range(n, 5, MOST);
    int64_t flops = 0;
    double seconds = 0;
    for (int i = 0; i < n; i++) {
        assert_int_equal(lines[i].calls, STEPS);
        assert_true(lines[i].kernel[0] && lines[i].seconds >= 0 && lines[i].bytes > 0);
        flops += lines[i].flops;
        seconds += lines[i].seconds;
    }
    assert_int_equal(flops, info.flops);
    assert_true(seconds > 0);
    assert_int_equal(lt_session_profile(s, few, 1), n);
    assert_string_equal(few[0].kernel, lines[0].kernel);
    assert_string_equal(few[1].kernel, "untouched");
    lt_session_free(s);

    s = must_create(t.p, NULL); /* unless asked for, nothing is timed */
    must_run(s, NULL);
    lt_session_profile(s, lines, MOST);
    assert_near(lines[0].seconds, 0, 0);
    lt_session_free(s);
    free_training(&t);
}

/* ---- Golden values ---- */

static lt_node *golden_leaky(lt_node **x) { return lt_leaky_relu(x[0], .2); }
static lt_node *golden_elu(lt_node **x) { return lt_elu(x[0], .7); }
static lt_node *golden_clamp(lt_node **x) { return lt_clamp(x[0], -1, .5); }
static lt_node *golden_select(lt_node **x)
{
    return lt_select(lt_less(x[1], x[0]), lt_square(x[0]), x[1]);
}
static lt_node *golden_sum(lt_node **x) { return lt_sum_over(x[0], LT_AXIS(1)); }
static lt_node *golden_sum_all(lt_node **x) { return lt_sum(lt_mul(x[0], x[0])); }
static lt_node *golden_mean(lt_node **x) { return lt_mean_over(x[0], LT_AXIS(0) | LT_AXIS(2)); }
static lt_node *golden_max_over(lt_node **x) { return lt_max_over(x[0], LT_AXIS(1)); }
static lt_node *golden_lse(lt_node **x) { return lt_log_sum_exp(x[0], LT_AXIS(0) | LT_AXIS(2)); }
static lt_node *golden_softmax(lt_node **x)
{
    lt_shape s = lt_node_shape(x[0]);
    s.d[2] = 1;
    return lt_sub(x[0], lt_reshape(lt_log_sum_exp(x[0], LT_AXIS(2)), s));
}
static lt_node *golden_variance(lt_node **x)
{
    lt_node *centered = lt_sub(x[0], lt_mean_over(x[0], 3));
    return lt_mean_over(lt_square(centered), 3);
}
static lt_node *golden_permute(lt_node **x) { return lt_permute(x[0], (int[]){2, 0, 1}); }
static lt_node *golden_slice(lt_node **x) { return lt_slice(x[0], 1, 1, 3); }
static lt_node *golden_pad(lt_node **x) { return lt_pad(x[0], 1, 2, 1); }
static lt_node *golden_concat(lt_node **x)
{
    return lt_concat(1, 3, (lt_node *[]){x[0], x[1], x[0]});
}
static lt_node *golden_gather(lt_node **x)
{
    return lt_gather_rows(x[0], lt_constant(lt_node_graph(x[0]), vector(3), (double[]){2, 0, 2}));
}
static lt_node *golden_layer(lt_node **x)
{
    return lt_tanh(lt_add(lt_matmul(x[0], lt_transpose(x[1])), x[2]));
}
static lt_node *golden_attention(lt_node **x)
{
    lt_node *score = lt_scale(lt_matmul(x[0], lt_transpose(x[1])), 1 / sqrt(7));
    lt_node *total = lt_reshape(lt_log_sum_exp(score, LT_AXIS(1)), matrix(6, 1));
    return lt_matmul(lt_exp(lt_sub(score, total)), x[1]);
}

/* UNARY(tanh) becomes static lt_node *golden_tanh(lt_node **x) { return lt_tanh(x[0]); } */
#define UNARY(NAME)                                                                                \
    static lt_node *golden_##NAME(lt_node **x) { return lt_##NAME(x[0]); }
#define BINARY(NAME)                                                                               \
    static lt_node *golden_##NAME(lt_node **x) { return lt_##NAME(x[0], x[1]); }
UNARY(relu) UNARY(gelu) UNARY(silu) UNARY(tanh) UNARY(sigmoid) UNARY(softplus) UNARY(erf) UNARY(exp)
UNARY(expm1) UNARY(log) UNARY(log1p) UNARY(sqrt) UNARY(rsqrt) UNARY(square) UNARY(abs)
BINARY(add) BINARY(sub) BINARY(mul) BINARY(div) BINARY(min) BINARY(max) BINARY(matmul)
static lt_node *golden_lerp(lt_node **x) { return lt_lerp(x[0], x[1], x[2]); }

static const golden_function golden_functions[] = {
    {"relu", golden_relu}, {"leaky_relu", golden_leaky}, {"elu", golden_elu}, {"gelu", golden_gelu},
    {"silu", golden_silu}, {"tanh", golden_tanh}, {"sigmoid", golden_sigmoid},
    {"softplus", golden_softplus}, {"erf", golden_erf}, {"exp", golden_exp},
    {"expm1", golden_expm1}, {"log", golden_log}, {"log1p", golden_log1p}, {"sqrt", golden_sqrt},
    {"rsqrt", golden_rsqrt}, {"square", golden_square}, {"abs", golden_abs},
    {"clamp", golden_clamp}, {"add", golden_add}, {"sub", golden_sub}, {"mul", golden_mul},
    {"div", golden_div}, {"min", golden_min}, {"max", golden_max}, {"lerp", golden_lerp},
    {"select", golden_select}, {"sum", golden_sum}, {"sum of all", golden_sum_all},
    {"mean", golden_mean}, {"max over", golden_max_over}, {"log_sum_exp", golden_lse},
    {"softmax", golden_softmax}, {"variance", golden_variance}, {"permute", golden_permute},
    {"slice", golden_slice}, {"pad", golden_pad}, {"concat", golden_concat},
    {"gather", golden_gather}, {"matmul", golden_matmul}, {"layer", golden_layer},
    {"attention", golden_attention},
};

static void operators_equal_pytorch(void **state)
{
    (void)state;
    (void)golden_import; /* for tests with parameters */
    safetensors *file = golden_open("ops");
    for (int i = 0; i < COUNT_OF(golden_functions); i++)
        golden_check(file, &golden_functions[i]);
    safetensors_free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_go_in_and_out),
        cmocka_unit_test(wrong_requests_are_told),
        cmocka_unit_test(empty_programs_run),
        cmocka_unit_test(assigns_take_effect_at_the_end),
        cmocka_unit_test(sessions_share_bound_variables),
        cmocka_unit_test(broadcasts_of_every_pattern),
        cmocka_unit_test(numbers_are_a_function_of_their_key),
        cmocka_unit_test(normals_are_normal),
        cmocka_unit_test(uniforms_are_uniform),
        cmocka_unit_test(extreme_words_are_harmless),
        cmocka_unit_test(bernoulli_has_its_probability),
        cmocka_unit_test(sessions_run_side_by_side),
        cmocka_unit_test(each_failed_allocation_is_told),
        cmocka_unit_test(profile_adds_up),
        cmocka_unit_test(operators_equal_pytorch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
