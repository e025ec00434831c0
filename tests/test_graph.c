/* SPDX-License-Identifier: MIT */
/* Building graphs and error messages; gradients of any order; results of compiling. */
#include "check.h"

#include "compile/program.h"

#include <latent/ops.h>

#include <stdio.h>

static lt_shape vector(int64_t n) { return lt_shape_1d(n); }
static lt_shape matrix(int64_t n, int64_t m) { return lt_shape_2d(n, m); }

/* ---- Mistakes ---- */

/* Inputs that the mistakes below are made with. */
typedef struct given {
    lt_graph *g;
    lt_node *x, *v, *w, *s, *empty; /* 2 x 3 "x", 3 "v", variable 2 x 3 "w", scalar, 0 x 3 */
} given;

static lt_node *bad_matmul(given *t) { return lt_matmul(t->x, t->w); }
static lt_node *bad_repeat(given *t) { return lt_repeat_rows(t->x, 0); }
static lt_node *bad_matmul_rank(given *t) { return lt_matmul(t->x, t->v); }
static lt_node *bad_add(given *t) { return lt_add(t->x, lt_input(t->g, "u", vector(4))); }
static lt_node *bad_select(given *t)
{
    return lt_select(t->x, t->v, lt_input(t->g, "u", matrix(4, 1)));
}
static lt_node *bad_reshape(given *t) { return lt_reshape(t->x, vector(5)); }
static lt_node *bad_reshape_rank(given *t) { return lt_reshape(t->x, (lt_shape){.rank = 9}); }
static lt_node *bad_expand(given *t) { return lt_expand(t->x, matrix(4, 3)); }
static lt_node *bad_expand_rank(given *t) { return lt_expand(t->x, (lt_shape){.rank = 40}); }
static lt_node *bad_broadcast(given *t) { return lt_broadcast(t->x, vector(3)); }
static lt_node *bad_broadcast_rank(given *t) { return lt_broadcast(t->x, (lt_shape){.rank = 9}); }
static lt_node *bad_transpose(given *t) { return lt_transpose(t->v); }
static lt_node *bad_permute(given *t) { return lt_permute(t->x, (int[]){1, 1}); }
static lt_node *bad_slice(given *t) { return lt_slice(t->x, 1, 2, 4); }
static lt_node *bad_slice_order(given *t) { return lt_slice(t->x, 1, 2, 1); }
static lt_node *bad_slice_axis(given *t) { return lt_slice(t->x, 2, 0, 1); }
static lt_node *bad_slice_scalar(given *t) { return lt_slice(t->s, 0, 0, 1); }
static lt_node *bad_pad(given *t) { return lt_pad(t->x, 0, -1, 0); }
static lt_node *bad_pad_size(given *t) { return lt_pad(t->x, 0, INT64_MAX, INT64_MAX); }
static lt_node *bad_concat(given *t) { return lt_concat(0, 2, (lt_node *[]){t->x, t->v}); }
static lt_node *bad_concat_axis(given *t) { return lt_concat(-1, 2, (lt_node *[]){t->x, t->x}); }
static lt_node *bad_concat_one(given *t) { return lt_concat(2, 1, (lt_node *[]){t->x}); }
static lt_node *bad_sum(given *t) { return lt_sum_over(t->x, LT_AXIS(2)); }
static lt_node *bad_max(given *t) { return lt_max_over(t->empty, LT_AXIS(0)); }
static lt_node *bad_lse(given *t) { return lt_log_sum_exp(t->empty, LT_ALL_AXES); }
static lt_node *bad_gather(given *t) { return lt_gather_rows(t->x, t->x); }
static lt_node *bad_scatter(given *t) { return lt_scatter_rows(t->x, t->v, 5); }
static lt_node *bad_scatter_rows(given *t) { return lt_scatter_rows(t->v, t->v, -2); }
static lt_node *bad_one_hot(given *t) { return lt_one_hot(t->x, 3); }
static lt_node *bad_one_hot_size(given *t) { return lt_one_hot(t->v, INT64_MAX / 4); }
static lt_node *bad_slope(given *t) { return lt_leaky_relu(t->x, -.5); }
static lt_node *bad_slope_nan(given *t) { return lt_leaky_relu(t->x, (double)NAN); }
static lt_node *bad_alpha(given *t) { return lt_elu(t->x, 0); }
static lt_node *bad_assign(given *t) { return lt_assign(t->x, t->x); }
static lt_node *bad_assign_shape(given *t) { return lt_assign(t->w, t->v); }
static lt_node *bad_read(given *t) { return lt_neg(lt_assign(t->w, t->x)); }
static lt_node *bad_gradient(given *t) { return lt_grad(lt_assign(t->w, t->x), t->x); }
static lt_node *bad_input_rank(given *t) { return lt_input(t->g, "u", (lt_shape){.rank = 9}); }
static lt_node *bad_variable(given *t) { return lt_variable(t->g, "u", matrix(3, -1)); }
static lt_node *bad_size(given *t) { return lt_input(t->g, "u", matrix(1ll << 40, 1ll << 40)); }
static lt_node *bad_normal(given *t) { return lt_normal(t->g, matrix(1ll << 31, 1ll << 31)); }
static lt_node *bad_constant(given *t)
{
    return lt_constant(t->g, (lt_shape){.rank = 9}, (double[]){1});
}
static lt_node *bad_constant_size(given *t)
{
    return lt_constant(t->g, matrix(1ll << 40, 1ll << 40), (double[]){1});
}
static lt_node *bad_product(given *t)
{
    lt_node *a = lt_input(t->g, "a", matrix(1ll << 31, 1));
    return lt_matmul(a, lt_input(t->g, "b", matrix(1, 1ll << 31)));
}

static const struct mistake {
    lt_node *(*make)(given *t);
    const char *message;
} mistakes[] = {
    {bad_matmul, "matmul: inner dimensions differ (3 and 2); inputs: 2 x 3 \"x\", 2 x 3 \"w\""},
    {bad_repeat, "repeat_rows: expected rows of rank 1 to 7, and 1 or more times; found rank 2, 0 "
                 "times"},
    {bad_matmul_rank, "matmul: expected two matrices; inputs: 2 x 3 \"x\", 3 \"v\""},
    {bad_add, "add: shapes do not fit: 2 x 3 and 4"},
    {bad_select, "select: shapes do not fit: 2 x 3 and 4 x 1"},
    {bad_reshape, "reshape: 5 has a different number of elements; inputs: 2 x 3 \"x\""},
    {bad_reshape_rank, "reshape: the rank of the result is outside 0 ... 8; inputs: 2 x 3 \"x\""},
    {bad_expand, "expand: cannot become 4 x 3; inputs: 2 x 3 \"x\""},
    {bad_expand_rank, "expand: the rank of the result is outside 0 ... 8; inputs: 2 x 3 \"x\""},
    {bad_broadcast, "expand: cannot become 3; inputs: 2 x 3 \"x\""},
    {bad_broadcast_rank, "expand: the rank of the result is outside 0 ... 8; inputs: 2 x 3 \"x\""},
    {bad_transpose, "transpose: expected a matrix, found rank 1"},
    {bad_permute, "permute: axes are not a permutation; inputs: 2 x 3 \"x\""},
    {bad_slice, "slice: [2, 4) is not inside axis 1 of size 3; inputs: 2 x 3 \"x\""},
    {bad_slice_order, "slice: [2, 1) is not inside axis 1 of size 3; inputs: 2 x 3 \"x\""},
    {bad_slice_axis, "slice: axis must be in 0 ... 1, found 2; inputs: 2 x 3 \"x\""},
    {bad_slice_scalar, "slice: a scalar has no axes; inputs: scalar \"s\""},
    {bad_pad, "pad: padding must not be negative; inputs: 2 x 3 \"x\""},
    {bad_pad_size, "pad: the padding is too large; inputs: 2 x 3 \"x\""},
    {bad_concat, "concat: input 1 does not fit the first along axis 0; inputs: 2 x 3 \"x\", 3 \"v\""},
    {bad_concat_axis, "concat: axis must be in 0 ... 1, found -1; inputs: 2 x 3 \"x\", 2 x 3 \"x\""},
    {bad_concat_one, "concat: axis must be in 0 ... 1, found 2; inputs: 2 x 3 \"x\""},
    {bad_sum, "sum: axes 0x4 are beyond rank 2; inputs: 2 x 3 \"x\""},
    {bad_max, "max_reduce: the maximum of no elements is not defined; inputs: 0 x 3 \"empty\""},
    {bad_lse, "max_reduce: the maximum of no elements is not defined; inputs: 0 x 3 \"empty\""},
    {bad_gather,
     "gather_rows: expected rows and a vector of indices; inputs: 2 x 3 \"x\", 2 x 3 \"x\""},
    {bad_scatter, "scatter_rows: expected one index per row; inputs: 2 x 3 \"x\", 3 \"v\""},
    {bad_scatter_rows,
     "scatter_rows: the result is too large for memory, or has a negative dimension; "
     "inputs: 3 \"v\", 3 \"v\""},
    {bad_one_hot, "one_hot: expected a vector, found rank 2"},
    {bad_one_hot_size, "one_hot: expected 1 to 16777216 classes, found 2305843009213693951"},
    {bad_slope, "leaky_relu: slope must be at least 0, found -0.5"},
    {bad_slope_nan, "leaky_relu: slope must be at least 0, found nan"},
    {bad_alpha, "elu: alpha must be above 0, found 0"},
    {bad_assign, "assign: the target is not a variable; inputs: 2 x 3 \"x\", 2 x 3 \"x\""},
    {bad_assign_shape,
     "assign: variable and value have different shapes; inputs: 2 x 3 \"w\", 3 \"v\""},
    {bad_read, "neg: input 0 is an assign, whose value cannot be read"},
    {bad_gradient, "gradient: operator assign is not differentiable"},
    {bad_input_rank, "input \"u\": the rank of the result is outside 0 ... 8"},
    {bad_variable, "variable \"u\": the result is too large for memory, or has a negative dimension"},
    {bad_size, "input \"u\": the result is too large for memory, or has a negative dimension"},
    {bad_normal, "normal: the result is too large for memory, or has a negative dimension"},
    {bad_constant, "constant: the rank of the result is outside 0 ... 8"},
    {bad_constant_size,
     "constant: the result is too large for memory, or has a negative dimension"},
    {bad_product,
     "matmul: the result is too large for memory, or has a negative dimension; inputs: "
     "2147483648 x 1 \"a\", 1 x 2147483648 \"b\""},
};

static given begin(void)
{
    given t = {.g = lt_graph_create()};
    t.x = lt_input(t.g, "x", matrix(2, 3));
    t.v = lt_input(t.g, "v", vector(3));
    t.w = lt_variable(t.g, "w", matrix(2, 3));
    t.s = lt_input(t.g, "s", lt_shape_0d());
    t.empty = lt_input(t.g, "empty", matrix(0, 3));
    return t;
}

static void mistakes_are_told(void **state)
{
    (void)state;
    for (int i = 0; i < COUNT_OF(mistakes); i++) {
        given t = begin();
        lt_node *y = mistakes[i].make(&t);
        assert_non_null(lt_graph_error(t.g));
        assert_string_equal(lt_graph_error(t.g), mistakes[i].message);
        assert_true(node_is_bad(y));
        assert_null(lt_compile(t.g, &t.x, 1));
        assert_string_equal(lt_last_error(), mistakes[i].message);
        lt_graph_free(t.g);
    }
}

static void mistakes_name_their_place(void **state)
{
    (void)state;
    given t = begin();
    lt_graph_set_location(t.g, "vae.yaml:14: encoder, layer 3");
    bad_transpose(&t);
    assert_string_equal(lt_graph_error(t.g), "vae.yaml:14: encoder, layer 3: transpose: expected a "
                                             "matrix, found rank 1");
    lt_graph_free(t.g);
}

/* Given the bad node, every builder returns it, and the first message stays. */
static void bad_node_is_inert(void **state)
{
    (void)state;
    given t = begin();
    lt_node *b = lt_graph_fail(t.g, "first of %d", 2), *x = t.x;
    lt_node *all[] = {
        lt_add(b, x), lt_sub(x, b), lt_mul(b, b), lt_div(b, x), lt_min(x, b), lt_max(b, x),
        lt_scale(b, 2), lt_shift(b, 2), lt_neg(b), lt_abs(b), lt_sign(b), lt_round(b),
        lt_square(b), lt_sqrt(b), lt_rsqrt(b), lt_exp(b), lt_expm1(b), lt_log(b), lt_log1p(b),
        lt_erf(b), lt_clamp(b, 0, 1), lt_lerp(x, b, x), lt_step(b), lt_less(b, x), lt_less_equal(b, x), lt_equal(x, b),
        lt_select(x, b, x), lt_relu(b), lt_leaky_relu(b, -1), lt_elu(b, -1), lt_gelu(b), lt_silu(b),
        lt_tanh(b), lt_sigmoid(b), lt_softplus(b), lt_reshape(b, vector(3)), lt_flatten(b),
        lt_expand(b, vector(3)), lt_broadcast(b, matrix(3, 4)), lt_transpose(b),
        lt_permute(b, (int[]){0, 1}), lt_slice(b, 0, 0, 1), lt_pad(b, 0, 1, 1),
        lt_concat(0, 2, (lt_node *[]){x, b}), lt_concat(0, 1, (lt_node *[]){b}), lt_sum(b),
        lt_sum_over(b, 2), lt_sum_keep(b, 2), lt_sum_rows(b), lt_mean(b), lt_mean_over(b, 1),
        lt_max_keep(b, 1), lt_max_over(b, 1), lt_log_sum_exp(b, 1), lt_matmul(x, b),
        lt_gather_rows(x, b), lt_scatter_rows(b, x, 3), lt_one_hot(b, 3), lt_bernoulli(b),
        lt_detach(b), lt_assign(t.w, b), lt_grad(b, x), lt_grad(x, b), lt_name(b, "renamed"),
        lt_input(t.g, "y", vector(3)), lt_variable(t.g, "y", vector(3)), lt_scalar(t.g, 1),
        lt_normal(t.g, vector(3)), lt_uniform(t.g, vector(3)), bad_matmul(&t)};
    for (int i = 0; i < COUNT_OF(all); i++)
        if (all[i] != b)
            fail_msg("builder %d made a node of the bad one", i);
    assert_string_equal(lt_graph_error(t.g), "first of 2");
    assert_string_equal(lt_node_name(b), "bad");
    assert_null(lt_compile(t.g, all, 1));
    assert_string_equal(lt_last_error(), "first of 2");
    lt_graph_free(t.g);
}

static void nodes_of_two_graphs_do_not_mix(void **state)
{
    (void)state;
    given other = begin();
    for (int i = 0; i < 100; i++) /* ids that the other graph does not have */
        other.x = lt_neg(other.x);
    given t = begin();
    assert_true(node_is_bad(lt_add(t.x, other.x)));
    assert_string_equal(lt_graph_error(t.g), "add: input 1 belongs to another graph");
    lt_graph_free(t.g);
    t = begin();
    assert_true(node_is_bad(lt_grad(lt_sum(t.x), other.x)));
    assert_string_equal(lt_graph_error(t.g), "gradient: input 0 belongs to another graph");
    lt_graph_free(t.g);
    t = begin();
    assert_null(lt_compile(t.g, (lt_node *[]){t.x, other.x}, 2));
    assert_string_equal(lt_last_error(), "compile: target 1 belongs to another graph");
    lt_graph_free(t.g);
    lt_graph_free(other.g);
}

static void variables_are_assigned_once(void **state)
{
    (void)state;
    given t = begin();
    lt_node *a = lt_assign(t.w, t.x), *b = lt_assign(t.w, lt_neg(t.x));
    lt_program *p = must_compile(t.g, (lt_node *[]){a, a}, 2);
    lt_program_free(p);
    p = must_compile(t.g, &b, 1); /* the other assign is not among the targets */
    lt_program_free(p);
    assert_null(lt_compile(t.g, (lt_node *[]){a, b}, 2));
    assert_string_equal(lt_last_error(), "compile: variable \"w\" is assigned twice");
    lt_graph_free(t.g);
}

/* ---- Gradients ---- */

/* The values of y by the reference, given those of x; the caller frees them. */
static double *evaluate(lt_graph *g, lt_node *y, int n, lt_node *const *x,
                        const double *const *values)
{
    lt_program *p = must_compile(g, &y, 1);
    lt_session *s = must_create(p, &(lt_session_options){.executor = LT_REFERENCE});
    for (int i = 0; i < n; i++)
        feed(s, LT_REFERENCE, x[i], values[i]);
    must_run(s, NULL);
    double *found = fetch(s, LT_REFERENCE, y);
    lt_session_free(s);
    lt_program_free(p);
    return found;
}

static double evaluate_at(lt_node *y, lt_node *x, double value)
{
    double *found = evaluate(lt_node_graph(y), y, 1, &x, (const double *[]){&value});
    double first = found[0];
    free(found);
    return first;
}

static void derivatives_of_tanh(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", lt_shape_0d()), *d[5] = {lt_tanh(x)};
    for (int i = 1; i < 5; i++)
        d[i] = lt_grad(d[i - 1], x);
    double t = tanh(.3), u = 1 - t * t;
    double want[] = {t, u, -2 * t * u, u * (6 * t * t - 2), 8 * t * u * (2 - 3 * t * t)};
    for (int i = 0; i < 5; i++)
        assert_near(evaluate_at(d[i], x, .3), want[i], 1e-13);
    lt_graph_free(g);
}

/* f = x' A x / 2 with A symmetric: the gradient of <gradient, v> is A v. */
static void hessian_times_vector(void **state)
{
    (void)state;
    enum { N = 3 };
    const double a[N * N] = {2, -1, .5, -1, 3, 0, .5, 0, 1}, v[N] = {1, -2, 4}, at[N] = {7, 8, 9};
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", matrix(1, N));
    lt_node *ax = lt_matmul(x, lt_constant(g, matrix(N, N), a));
    lt_node *f = lt_scale(lt_sum(lt_mul(x, ax)), .5);
    lt_node *along = lt_sum(lt_mul(lt_grad(f, x), lt_constant(g, matrix(1, N), v)));
    double *found = evaluate(g, lt_grad(along, x), 0, &x, NULL);
    double want[N] = {2 + 2 + 2, -1 - 6, .5 + 4};
    assert_array_close("A v", found, want, N, 1e-14, 0);
    free(found);
    (void)at;
    lt_graph_free(g);
}

static void gradient_adds_up_over_uses(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", lt_shape_0d()), *h = lt_square(x);
    lt_node *y = lt_add(lt_mul(h, x), lt_add(h, x)); /* x^3 + x^2 + x */
    assert_near(evaluate_at(lt_grad(y, x), x, 2), 3 * 4 + 2 * 2 + 1, 1e-14);
    lt_node *both[] = {h, x}, *d[2]; /* by a node on the way as well */
    lt_grads(y, 2, both, d);
    assert_near(evaluate_at(d[0], x, 2), 2 + 1, 1e-14);
    assert_near(evaluate_at(d[1], x, 2), 3 * 4 + 2 * 2 + 1, 1e-14);
    lt_grads(y, 2, (lt_node *[]){x, x}, d);
    assert_near(evaluate_at(d[1], x, 2), 17, 1e-14);
    assert_near(evaluate_at(lt_grad(y, y), x, 2), 1, 0);
    lt_graph_free(g);
}

static void gradient_stops_where_it_should(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", lt_shape_0d()), *other = lt_input(g, "other", vector(3));
    assert_near(evaluate_at(lt_grad(lt_mul(x, lt_detach(x)), x), x, 5), 5, 0);
    assert_near(evaluate_at(lt_grad(lt_detach(lt_square(x)), x), x, 5), 0, 0);
    assert_near(evaluate_at(lt_grad(lt_mul(lt_step(x), x), x), x, 5), 1, 0);
    lt_node *fixed = lt_detach(lt_square(x)), *d[2]; /* by x, and by a detached function of it */
    lt_grads(lt_mul(x, fixed), 2, (lt_node *[]){x, fixed}, d);
    assert_near(evaluate_at(d[0], x, 5), 25, 0);
    assert_near(evaluate_at(d[1], x, 5), 5, 0);
    lt_node *zeros = lt_grad(x, other);
    assert_true(lt_shape_equal(lt_node_shape(zeros), vector(3)));
    double *found = evaluate(g, zeros, 0, NULL, NULL);
    for (int i = 0; i < 3; i++)
        assert_near(found[i], 0, 0);
    free(found);
    lt_graph_free(g);
}

/* y need not be a scalar: the gradient is that of the sum of its elements. */
static void gradient_of_many_is_of_their_sum(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", matrix(1, 3));
    lt_node *y = lt_mul(lt_broadcast(x, matrix(4, 3)), lt_broadcast(x, matrix(4, 3)));
    const double values[] = {1, -2, 3}, want[] = {8, -16, 24};
    double *found = evaluate(g, lt_grad(y, x), 1, &x, (const double *[]){values});
    assert_array_close("dx", found, want, 3, 1e-14, 0);
    free(found);
    lt_graph_free(g);
}

/* The one-sided penalty of WGAN-LP, mean max(0, |df/dx| - 1)^2, differentiated by the weights of a
   discriminator f with one hidden layer, against differences. */
static void penalty_on_gradients_is_differentiable(void **state)
{
    (void)state;
    enum { N = 5, D = 4, H = 7 };
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", matrix(N, D)), *w = lt_input(g, "w", matrix(D, H));
    lt_node *v = lt_input(g, "v", matrix(H, 1));
    lt_node *f = lt_matmul(lt_tanh(lt_matmul(x, w)), v);
    lt_node *slope = lt_grad(f, x); /* n x d */
    lt_node *norm = lt_sqrt(lt_shift(lt_sum_over(lt_square(slope), LT_AXIS(1)), 1e-12));
    lt_node *penalty = lt_mean(lt_square(lt_relu(lt_shift(norm, -1))));
    lt_node *in[] = {x, w, v}, *dw = lt_grad(penalty, w);
    double values[3][N * D + D * H + H];
    draws d = draws_from(3);
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < N * D + D * H + H; k++)
            values[i][k] = draw(&d, -1.5, 1.5);
    const double *at[] = {values[0], values[1], values[2]};
    double *found = evaluate(g, dw, 3, in, at);
    double *value = evaluate(g, penalty, 3, in, at);
    assert_true(value[0] > .01);
    free(value);
    for (int k = 0; k < D * H; k++) {
        double f_at[4], was = values[1][k], h = 1e-3;
        for (int i = 0; i < 4; i++) {
            values[1][k] = was + (const double[]){-2, -1, 1, 2}[i] * h;
            value = evaluate(g, penalty, 3, in, at);
            f_at[i] = value[0];
            free(value);
        }
        values[1][k] = was;
        double want = (f_at[0] - 8 * f_at[1] + 8 * f_at[2] - f_at[3]) / (12 * h);
        assert_near(found[k], want, 1e-9);
    }
    free(found);
    lt_graph_free(g);
}

/* ---- Compiling ---- */

static lt_program_info describe(lt_graph *g, lt_node *const *targets, int n)
{
    lt_program *p = must_compile(g, targets, n);
    lt_program_info info = lt_program_describe(p);
    lt_program_free(p);
    return info;
}

static void what_is_there_twice_is_computed_once(void **state)
{
    (void)state;
    given t = begin();
    lt_node *y = lt_add(lt_tanh(lt_scale(t.x, 2)), lt_tanh(lt_scale(t.x, 2)));
    lt_program_info info = describe(t.g, &y, 1);
    assert_int_equal(info.kernels, 1);
    assert_int_equal(info.fused, 3);
    y = lt_add(lt_uniform(t.g, vector(3)), lt_uniform(t.g, vector(3))); /* two draws stay two */
    assert_int_equal(describe(t.g, &y, 1).kernels, 3);
    lt_graph_free(t.g);
}

static void what_nothing_needs_is_left_out(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", matrix(2, 3)), *y = lt_tanh(x);
    for (int i = 0; i < 10; i++)
        lt_exp(lt_matmul(x, lt_transpose(x)));
    lt_program_info info = describe(g, &y, 1);
    assert_int_equal(info.nodes, 2);
    assert_int_equal(info.kernels, 1);
    assert_int_equal(info.flops, 0);
    assert_int_equal(describe(g, &y, 0).kernels, 0);
    lt_graph_free(g);
}

static void constants_are_computed_before(void **state)
{
    (void)state;
    given t = begin();
    lt_node *a = lt_exp(lt_scalar(t.g, 2)), *b = lt_constant(t.g, vector(3), (double[]){1, 2, 3});
    lt_node *c = lt_sum(lt_mul(lt_square(b), a));
    lt_node *y = lt_mul(t.x, lt_broadcast(c, matrix(2, 3)));
    lt_program_info info = describe(t.g, &y, 1);
    assert_int_equal(info.fused, 1);
    assert_int_equal(describe(t.g, &c, 1).kernels, 0);
    double *found = evaluate(t.g, c, 0, NULL, NULL);
    assert_near(found[0], 14 * exp(2), 1e-12);
    free(found);
    lt_node *same = lt_detach(lt_scale(lt_shift(lt_reshape(t.x, vector(6)), 0), 1));
    assert_int_equal(describe(t.g, &same, 1).kernels, 0);
    lt_graph_free(t.g);
}

/* A constant row stays a row: neither broadcast in memory nor in the way of a product's bias. */
static void constant_rows_stay_rows(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", matrix(64, 100)), *w = lt_input(g, "w", matrix(100, 3));
    lt_node *row = lt_constant(g, vector(3), (double[]){1, 2, 3});
    lt_node *y = lt_add(lt_matmul(x, w), row);
    lt_program *p = must_compile(g, &y, 1);
    assert_int_equal(lt_program_describe(p).kernels, 1);
    plan *m = plan_make(p, false);
    assert_true(m->constants_size <= 16);
    plan_free(m);
    lt_program_free(p);
    lt_graph_free(g);
}

static lt_node *layer(lt_node *x, lt_node *w, lt_node *b) { return lt_add(lt_matmul(x, w), b); }

static void bias_and_activation_cost_no_kernel(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", matrix(8, 5)), *w = lt_variable(g, "w", matrix(5, 7));
    lt_node *b = lt_variable(g, "b", vector(7)), *row = lt_variable(g, "row", matrix(1, 7));
    lt_node *h = layer(x, w, b);
    lt_node *all[] = {
        h, lt_add(row, lt_matmul(x, w)), lt_relu(h), lt_leaky_relu(h, .1), lt_elu(h, 1), lt_tanh(h),
        lt_sigmoid(h), lt_tanh(lt_matmul(x, w)), lt_matmul(lt_transpose(x), x),
        lt_matmul(x, lt_transpose(x)), lt_transpose(lt_transpose(lt_matmul(x, w)))};
    for (int i = 0; i < COUNT_OF(all); i++) {
        lt_program_info info = describe(g, &all[i], 1);
        if (info.kernels != 1 || info.fused != 0)
            fail_msg("product %d takes %d kernels", i, info.kernels);
    }
    lt_node *twice[] = {lt_tanh(h), h}; /* what is read before the activation must be there */
    assert_int_equal(describe(g, twice, 2).kernels, 2);
    lt_graph_free(g);
}

static int count_units_of_size(const lt_program *p, int64_t size)
{
    int n = 0;
    for (int u = 0; u < p->n_groups; u++)
        n += p->groups[u].size == size;
    return n;
}

/* Adam on one block of parameters is one pass over memory, and what is scalar. */
static void adam_is_one_pass(void **state)
{
    (void)state;
    enum { N = 10000 };
    lt_graph *g = lt_graph_create();
    lt_node *w = lt_variable(g, "w", vector(N)), *m = lt_variable(g, "m", vector(N));
    lt_node *v = lt_variable(g, "v", vector(N)), *t = lt_variable(g, "t", lt_shape_0d());
    lt_node *d = lt_input(g, "g", vector(N)), *t1 = lt_shift(t, 1);
    lt_node *m1 = lt_add(lt_scale(m, .9), lt_scale(d, .1));
    lt_node *v1 = lt_add(lt_scale(v, .999), lt_scale(lt_square(d), .001));
    lt_node *rate = lt_div(lt_scalar(g, 1e-3), lt_neg(lt_expm1(lt_scale(t1, log(.9)))));
    lt_node *size = lt_rsqrt(lt_neg(lt_expm1(lt_scale(t1, log(.999)))));
    lt_node *w1 = lt_sub(w, lt_div(lt_mul(m1, rate), lt_shift(lt_mul(lt_sqrt(v1), size), 1e-8)));
    lt_node *targets[] = {lt_assign(w, w1), lt_assign(m, m1), lt_assign(v, v1), lt_assign(t, t1)};
    lt_program *p = must_compile(g, targets, 4);
    assert_int_equal(count_units_of_size(p, N), 1);
    assert_int_equal(p->n_groups, 2);
    assert_true(lt_program_describe(p).bytes < N * sizeof(float) + 4096); /* the input alone */
    lt_program_free(p);
    lt_graph_free(g);
}

/* Inputs of a concatenation along the first axis are computed in place. */
static void concatenation_of_gradients_copies_nothing(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", matrix(8, 16)), *w = lt_variable(g, "w", matrix(16, 32));
    lt_node *b = lt_variable(g, "b", vector(32)), *h = lt_tanh(layer(x, w, b));
    lt_node *in[] = {w, b}, *d[2];
    lt_grads(lt_sum(lt_square(h)), 2, in, d);
    lt_node *flat[] = {lt_reshape(d[0], vector(512)), d[1]}, *all = lt_concat(0, 2, flat);
    lt_program *p = must_compile(g, &all, 1);
    plan *m = plan_make(p, false);
    int64_t at = 0;
    const lt_node *c = p->image[all->id];
    for (int i = 0; i < 2; i++) {
        const location *part = &m->locations[c->in[i]->id];
        assert_int_equal(part->offset, m->locations[c->id].offset + at);
        at += lt_shape_size(c->in[i]->shape);
    }
    plan_free(m);
    lt_program_free(p);
    lt_graph_free(g);
}

static void memory_is_reused(void **state)
{
    (void)state;
    enum { BATCH = 64, WIDTH = 256, LAYERS = 6 };
    lt_graph *g = lt_graph_create();
    lt_node *h = lt_input(g, "x", matrix(BATCH, WIDTH)), *w[LAYERS], *b;
    for (int i = 0; i < LAYERS; i++) {
        w[i] = lt_variable(g, "w", matrix(WIDTH, WIDTH));
        b = lt_variable(g, "b", vector(WIDTH));
        h = lt_softplus(layer(h, w[i], b));
    }
    size_t one = sizeof(float) * BATCH * WIDTH;
    lt_program_info forward = describe(g, &h, 1);
    assert_true(forward.bytes <= 4 * one); /* input, result, and two to compute with */
    assert_true(forward.bytes_unplanned >= (LAYERS + 1) * one);
    assert_int_equal(forward.flops, (int64_t)LAYERS * 2 * BATCH * WIDTH * WIDTH);

    lt_node *dw[LAYERS];
    lt_grads(lt_sum(h), LAYERS, w, dw);
    lt_program_info backward = describe(g, dw, LAYERS);
    assert_true(backward.bytes <= backward.bytes_unplanned);
    /* forward, weights' gradients, and inputs' gradients but the first */
    assert_int_equal(backward.flops, (int64_t)(3 * LAYERS - 1) * 2 * BATCH * WIDTH * WIDTH);
    lt_graph_free(g);
}

/* Units, members, shapes and offsets, one a line. */
static void dump_shows_the_schedule(void **state)
{
    (void)state;
    given t = begin();
    lt_node *y = lt_name(lt_mul(lt_add(t.x, t.v), t.s), "scaled");
    lt_program *p = must_compile(t.g, &y, 1);
    char *dump = lt_program_dump(p);
    assert_text_has(dump, "group 0 (fused), 6 elements, 1 bounds");
    assert_text_has(dump, "= add(%0, %1*) : 2 x 3\n");
    assert_text_has(dump, ") : 2 x 3 @ ");
    assert_text_has(dump, "  scaled\n");
    free(dump);
    lt_program_free(p);
    lt_graph_free(t.g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_told),
        cmocka_unit_test(mistakes_name_their_place),
        cmocka_unit_test(bad_node_is_inert),
        cmocka_unit_test(nodes_of_two_graphs_do_not_mix),
        cmocka_unit_test(variables_are_assigned_once),
        cmocka_unit_test(derivatives_of_tanh),
        cmocka_unit_test(hessian_times_vector),
        cmocka_unit_test(gradient_adds_up_over_uses),
        cmocka_unit_test(gradient_stops_where_it_should),
        cmocka_unit_test(gradient_of_many_is_of_their_sum),
        cmocka_unit_test(penalty_on_gradients_is_differentiable),
        cmocka_unit_test(what_is_there_twice_is_computed_once),
        cmocka_unit_test(what_nothing_needs_is_left_out),
        cmocka_unit_test(constants_are_computed_before),
        cmocka_unit_test(constant_rows_stay_rows),
        cmocka_unit_test(bias_and_activation_cost_no_kernel),
        cmocka_unit_test(adam_is_one_pass),
        cmocka_unit_test(concatenation_of_gradients_copies_nothing),
        cmocka_unit_test(memory_is_reused),
        cmocka_unit_test(dump_shows_the_schedule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
