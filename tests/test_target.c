/* SPDX-License-Identifier: MIT */
/* Executors and targets as records: a third one, which is not part of the library, runs every case of every operator
   and a training step; programs and sessions that do not belong together are refused. */
#include "check.h"
#include "plain_executor.h"

#include "exec/session.h"
#include "verify/trial.h"

#include <latent/ops.h>

static const lt_run_key key = {.seed = 5, .step = 7};

/* A program for the plain target must ask nothing of it that it cannot do. */
static void check_program(const lt_program *p)
{
    for (int u = 0; u < p->n_groups; u++) {
        const lt_node *y = p->groups[u].nodes[0];
        assert_int_equal(p->groups[u].n, 1);
        assert_true(y->op->reference != NULL);
        if (y->op == &lt_op_matmul) {
            const matmul_attr *m = y->attr;
            assert_false(m->transpose_a || m->transpose_b || m->has_bias || m->activation);
        }
        if (y->op == &lt_op_conv2d || y->op == &lt_op_conv2d_dx) {
            const conv_attr *c = y->attr;
            assert_false(c->is_packed || c->has_bias || c->activation);
        }
    }
}

static lt_session *must_open(const executor *e, lt_program *p)
{
    lt_session *s = p ? session_create_on(e, p, NULL) : NULL;
    if (!s)
        fail_msg("%s", lt_last_error());
    return s;
}

static float *read_all(lt_session *s, const lt_node *x)
{
    int64_t n = lt_shape_size(x->shape);
    float *values = must_alloc(sizeof *values * (size_t)n);
    if (lt_session_read(s, x, values, n) != LT_OK)
        fail_msg("%s", lt_last_error());
    return values;
}

static void write_doubles(lt_session *s, const lt_node *x, const double *from)
{
    int64_t n = lt_shape_size(x->shape);
    float *values = must_alloc(sizeof *values * (size_t)n);
    for (int64_t i = 0; i < n; i++)
        values[i] = (float)from[i];
    assert_int_equal(lt_session_write(s, x, values, n), LT_OK);
    free(values);
}

static void compare(const char *op, const char *name, const float *found, const float *want, int64_t n)
{
    double largest = 1;
    for (int64_t i = 0; i < n; i++)
        largest = fabs((double)want[i]) > largest ? fabs((double)want[i]) : largest;
    for (int64_t i = 0; i < n; i++)
        if (!(fabs((double)found[i] - (double)want[i]) <= 2e-5 * largest) && !(isnan(found[i]) && isnan(want[i])))
            fail_msg("%s, %s: number %lld: expected %.9g, found %.9g", op, name, (long long)i, (double)want[i],
                     (double)found[i]);
}

/* y and its first gradients, by the plain executor and by the reference. */
static void check_case(const lt_op *op, const lt_op_case *c)
{
    trial t;
    if (trial_of_case(&t, op, c) != LT_OK)
        fail_msg("%s: %s", op->name, lt_last_error());
    lt_node *targets[1 + LT_CASE_INPUTS] = {t.y};
    int n = 1;
    if (op->grad && t.n) {
        lt_grads(lt_sum(lt_square(t.y)), t.n, t.x, targets + 1);
        n += t.n;
    }
    lt_program *plain = program_compile(t.graph, targets, n, &target_plain);
    lt_session *s[] = {must_open(&executor_plain, plain), NULL};
    check_program(plain);
    if (lt_session_open(t.graph, targets, n, &(lt_session_options){.executor = LT_REFERENCE}, &s[1]) != LT_OK)
        fail_msg("%s", lt_last_error());
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < t.n; i++)
            write_doubles(s[k], t.x[i], t.values[i]);
        assert_int_equal(lt_session_run(s[k], &key), LT_OK);
    }
    for (int i = 0; i < n; i++) {
        float *found = read_all(s[0], targets[i]), *want = read_all(s[1], targets[i]);
        compare(op->name, c->name, found, want, lt_shape_size(targets[i]->shape));
        free(found);
        free(want);
    }
    lt_session_free(s[0]);
    lt_session_free(s[1]);
    lt_program_free(plain);
    trial_clear(&t);
}

static void every_operator_runs_on_another_device(void **state)
{
    (void)state;
    int cases = 0;
    for (const lt_op *const *op = op_table; *op; op++)
        for (const lt_op_case *c = (*op)->cases; !((*op)->flags & TRIAL_NOT_OF) && c->name; c++, cases++)
            check_case(*op, c);
    assert_true(cases > 200);
}

/* ---- Training ---- */

enum { BATCH = 4, SIDE = 6, CHANNELS = 3, WEIGHTS = 3 * 3 * 2 * CHANNELS, OUT = 2, DENSE = 4 * 4 * CHANNELS * OUT };

/* A convolution, bias, activation, a product, batch statistics, a step of gradient descent with momentum. */
typedef struct network {
    lt_graph *g;
    lt_node *x, *w[4], *targets[9];
    int n;
} network;

static network make_network(void)
{
    network t = {.g = lt_graph_create()};
    t.x = lt_input(t.g, "x", lt_shape_4d(BATCH, SIDE, SIDE, 2));
    t.w[0] = lt_variable(t.g, "conv", lt_shape_4d(3, 3, 2, CHANNELS));
    t.w[1] = lt_variable(t.g, "bias", lt_shape_1d(CHANNELS));
    t.w[2] = lt_variable(t.g, "dense", lt_shape_2d(DENSE / OUT, OUT));
    t.w[3] = lt_variable(t.g, "steps", lt_shape_1d(1));
    lt_node *h = lt_leaky_relu(lt_add(lt_conv2d(t.x, t.w[0], (lt_window){0}), t.w[1]), .1);
    h = lt_sub(h, lt_broadcast(lt_mean_over(h, LT_AXIS(0) | LT_AXIS(1) | LT_AXIS(2)), lt_node_shape(h)));
    lt_node *y = lt_tanh(lt_matmul(lt_flatten(h), t.w[2]));
    lt_node *loss = lt_mean(lt_square(lt_add(lt_shift(y, .3), lt_scale(lt_normal(t.g, lt_node_shape(y)), .1))));
    lt_node *dw[3];
    lt_grads(loss, 3, t.w, dw);
    t.targets[t.n++] = loss;
    for (int i = 0; i < 3; i++)
        t.targets[t.n++] = lt_assign(t.w[i], lt_sub(t.w[i], lt_scale(dw[i], .2)));
    t.targets[t.n++] = lt_assign(t.w[3], lt_shift(t.w[3], 1));
    return t;
}

static void train(const network *t, lt_session *s, lt_buffer *weights, float losses[5])
{
    int64_t at = 0;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(lt_session_bind(s, t->w[i], weights, at), LT_OK);
        at += (lt_shape_size(t->w[i]->shape) + 15) / 16 * 16;
    }
    float x[BATCH * SIDE * SIDE * 2], *w = lt_buffer_floats(weights);
    for (int i = 0; i < COUNT_OF(x); i++)
        x[i] = (float)sin(i * .37);
    for (int64_t i = 0; i < lt_buffer_size(weights); i++)
        w[i] = (float)cos((double)i * .71) * .3f;
    assert_int_equal(lt_session_write(s, t->x, x, COUNT_OF(x)), LT_OK);
    for (int k = 0; k < 5; k++) {
        assert_int_equal(lt_session_run(s, &(lt_run_key){.seed = 3, .step = (uint64_t)k}), LT_OK);
        assert_int_equal(lt_session_read(s, t->targets[0], &losses[k], 1), LT_OK);
    }
}

static void another_device_trains_the_same(void **state)
{
    (void)state;
    network t = make_network();
    lt_program *p[] = {program_compile(t.g, t.targets, t.n, &target_plain), lt_compile(t.g, t.targets, t.n)};
    lt_session *s[] = {must_open(&executor_plain, p[0]), lt_session_create(p[1], NULL)};
    assert_true(lt_program_describe(p[0]).kernels > 2 * lt_program_describe(p[1]).kernels);
    lt_buffer *weights[2];
    float losses[2][5];
    for (int k = 0; k < 2; k++) {
        assert_int_equal(lt_buffer_create(256, "weights", &weights[k]), LT_OK);
        train(&t, s[k], weights[k], losses[k]);
    }
    compare("training", "losses", losses[0], losses[1], 5);
    compare("training", "weights", lt_buffer_floats(weights[0]), lt_buffer_floats(weights[1]), 256);
    assert_true((double)losses[0][4] < .9 * (double)losses[0][0]);
    for (int k = 0; k < 2; k++) {
        lt_session_free(s[k]);
        lt_program_free(p[k]);
        lt_buffer_free(weights[k]);
    }
    lt_graph_free(t.g);
}

/* ---- What does not belong together ---- */

static void programs_and_sessions_must_fit(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", lt_shape_1d(3)), *inner = lt_square(x), *y = lt_exp(inner);
    lt_program *plain = program_compile(g, &y, 1, &target_plain), *cpu = lt_compile(g, &y, 1);
    assert_null(lt_session_create(plain, NULL));
    assert_string_equal(lt_last_error(),
                        "session: the cpu executor runs programs compiled for cpu, found one for plain");
    assert_null(session_create_on(&executor_plain, cpu, NULL));
    lt_session *s = lt_session_create(plain, &(lt_session_options){.executor = LT_REFERENCE});
    assert_non_null(s); /* as written: whatever it was compiled for */
    double exact[3];
    assert_int_equal(lt_session_write(s, x, (float[]){0, 1, -1}, 3), LT_OK);
    assert_int_equal(lt_session_run(s, NULL), LT_OK);
    assert_int_equal(lt_session_read_doubles(s, y, exact, 3), LT_OK);
    assert_true(exact[1] == exp(1));
    lt_session_free(s);
    s = must_open(&executor_plain, plain);
    float values[3];
    assert_null(lt_session_floats(s, x));
    assert_non_null(strstr(lt_last_error(), "not in memory of the host"));
    assert_null(lt_session_doubles(s, x));
    assert_int_equal(lt_session_read(s, inner, values, 3), LT_VALUE);
    assert_non_null(strstr(lt_last_error(), "are not kept"));
    assert_int_equal(lt_session_read(s, y, values, 2), LT_VALUE);
    double doubles[3];
    assert_int_equal(lt_session_write(s, x, (float[]){0, 1, -1}, 3), LT_OK);
    assert_int_equal(lt_session_run(s, NULL), LT_OK);
    assert_int_equal(lt_session_read_doubles(s, y, doubles, 3), LT_OK);
    assert_true(doubles[0] == 1 && doubles[1] == (double)expf(1) && doubles[2] == doubles[1]);
    assert_int_equal(lt_session_read_doubles(s, inner, doubles, 3), LT_VALUE);
    assert_int_equal(lt_session_read_doubles(s, y, doubles, 4), LT_VALUE);
    lt_session_free(s);
    lt_program_free(plain);
    lt_program_free(cpu);
    assert_null(lt_compile_with(g, &y, 1, &(lt_compile_options){.executor = (lt_executor)7}));
    assert_memory_equal(lt_last_error(), "executor: expected 0 to ", 24);
    assert_non_null(strstr(lt_last_error(), ", found 7"));
    assert_int_equal(lt_session_open(g, &y, 1, &(lt_session_options){.executor = (lt_executor)7}, &s), LT_VALUE);
    assert_int_equal(lt_session_open(g, &y, 1, &(lt_session_options){.threads = -1}, &s), LT_VALUE);
    assert_null(s);
    assert_null(s);
    lt_graph_free(g);
}

static void buffers_check_what_is_copied(void **state)
{
    (void)state;
    lt_buffer *b, *borrowed;
    float in[3] = {1, 2, 3}, out[3] = {0};
    assert_int_equal(lt_buffer_create(5, "five numbers", &b), LT_OK);
    assert_int_equal(lt_buffer_size(b), 5);
    assert_int_equal(lt_buffer_write(b, 2, in, 3), LT_OK);
    assert_int_equal(lt_buffer_read(b, 1, out, 3), LT_OK);
    assert_memory_equal(out, ((float[]){0, 1, 2}), sizeof out);
    assert_int_equal(lt_buffer_write(b, 3, in, 3), LT_VALUE);
    assert_string_equal(lt_last_error(), "numbers 3 ... 5 are not in a buffer of 5");
    assert_int_equal(lt_buffer_read(b, -1, out, 1), LT_VALUE);
    assert_int_equal(lt_buffer_read(b, 0, out, INT64_MAX), LT_VALUE);
    borrowed = lt_buffer_borrow(in, 3);
    assert_ptr_equal(lt_buffer_floats(borrowed), in);
    lt_buffer_free(borrowed);
    lt_buffer_free(b);
    lt_buffer_free(NULL);
    assert_int_equal(lt_buffer_create(-1, "less than nothing", &b), LT_VALUE);
    assert_null(b);
    assert_int_equal(lt_buffer_create(INT64_MAX, "too much", &b), LT_VALUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operator_runs_on_another_device),
        cmocka_unit_test(another_device_trains_the_same),
        cmocka_unit_test(programs_and_sessions_must_fit),
        cmocka_unit_test(buffers_check_what_is_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
