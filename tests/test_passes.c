/* SPDX-License-Identifier: MIT */
/* Passes on convolutions and normalization: which operators remain, how often arrays pass through memory, and that
   the values equal those of the graph as written. */
#include "check.h"

#include "compile/program.h"

#include <latent/ops.h>

/* A graph with a list of inputs, which are drawn, and of targets. */
typedef struct given {
    lt_graph *g;
    lt_node *inputs[8], *targets[8];
    int n_inputs, n_targets;
    lt_program *p;
} given;

static given begin(void) { return (given){.g = lt_graph_create()}; }

static lt_node *input(given *t, lt_shape shape)
{
    return t->inputs[t->n_inputs++] = lt_input(t->g, "x", shape);
}

static void add_target(given *t, lt_node *y) { t->targets[t->n_targets++] = y; }

static void end(given *t)
{
    lt_program_free(t->p);
    lt_graph_free(t->g);
}

static int count_op(const given *t, const lt_op *op)
{
    int n = 0;
    for (int u = 0; u < t->p->n_groups; u++)
        for (int k = 0; k < t->p->groups[u].n; k++)
            n += t->p->groups[u].nodes[k]->op == op;
    return n;
}

static double *run_on(const given *t, lt_executor executor, int threads, int i)
{
    lt_session *s =
        must_create(t->p, &(lt_session_options){.executor = executor, .threads = threads});
    draws d = draws_from(3);
    for (int k = 0; k < t->n_inputs; k++) {
        int64_t n = lt_shape_size(lt_node_shape(t->inputs[k]));
        double *values = must_alloc(sizeof *values * (size_t)n);
        for (int64_t j = 0; j < n; j++)
            values[j] = draw(&d, -1, 1);
        feed(s, executor, t->inputs[k], values);
        free(values);
    }
    must_run(s, NULL);
    double *found = fetch(s, executor, t->targets[i]);
    lt_session_free(s);
    return found;
}

/* Compiles; the cpu must give what the reference gives for the graph as written, at any number of
   threads the same bits. */
static void compile_and_compare(given *t)
{
    t->p = must_compile(t->g, t->targets, t->n_targets);
    for (int i = 0; i < t->n_targets; i++) {
        int64_t n = lt_shape_size(lt_node_shape(t->targets[i]));
        double *want = run_on(t, LT_REFERENCE, 1, i), *found = run_on(t, LT_CPU, 1, i);
        double *again = run_on(t, LT_CPU, 3, i);
        assert_array_close("cpu", found, want, n, 1e-5, 3e-6 * (1 + largest(want, n)));
        assert_array_close("3 threads", again, found, n, 0, 0);
        free(want);
        free(found);
        free(again);
    }
}

/* Targets: y, and the gradients of <y, t> by all inputs before t. */
static void differentiate(given *t, lt_node *y)
{
    lt_node *d[8];
    int n = t->n_inputs;
    lt_grads(lt_sum(lt_mul(y, input(t, lt_node_shape(y)))), n, t->inputs, d);
    add_target(t, y);
    for (int i = 0; i < n; i++)
        add_target(t, d[i]);
    compile_and_compare(t);
}

static void assert_no_convolutions(const given *t)
{
    assert_int_equal(count_op(t, &lt_op_conv2d) + count_op(t, &lt_op_conv2d_dx) +
                         count_op(t, &lt_op_conv2d_dw), 0);
    assert_int_equal(count_op(t, &lt_op_matmul), 3);
}

/* ---- Convolutions as matmuls ---- */

static void convolution_of_pixels_is_a_product(void **state)
{
    (void)state;
    given t = begin();
    lt_node *x = input(&t, lt_shape_4d(3, 5, 4, 7)), *w = input(&t, lt_shape_4d(1, 1, 7, 6));
    differentiate(&t, lt_conv2d(x, w, (lt_window){0}));
    assert_no_convolutions(&t);
    end(&t);
}

static void convolution_over_the_whole_image_is_a_product(void **state)
{
    (void)state;
    given t = begin();
    lt_node *x = input(&t, lt_shape_4d(3, 2, 5, 7)), *w = input(&t, lt_shape_4d(2, 5, 7, 6));
    differentiate(&t, lt_conv2d(x, w, (lt_window){.stride = 2}));
    assert_no_convolutions(&t);
    end(&t);
}

static void transposed_convolution_of_one_pixel_is_a_product(void **state)
{
    (void)state;
    given t = begin();
    lt_node *z = input(&t, lt_shape_4d(3, 1, 1, 9)), *w = input(&t, lt_shape_4d(4, 4, 5, 9));
    differentiate(&t, lt_conv2d_dx(z, w, 4, 4, (lt_window){0}));
    assert_no_convolutions(&t);
    end(&t);
}

/* Each differs in one thing from those above. */
static void other_convolutions_stay(void **state)
{
    (void)state;
    static const struct {
        lt_shape x, w;
        lt_window o;
    } cases[] = {
        {{4, {2, 5, 4, 6}}, {4, {1, 1, 6, 4}}, {.stride = 2}},
        {{4, {2, 5, 4, 6}}, {4, {1, 1, 6, 4}}, {.pad = 1}},
        {{4, {2, 5, 4, 6}}, {4, {1, 1, 3, 4}}, {.groups = 2}},
        {{4, {2, 3, 3, 6}}, {4, {3, 3, 6, 4}}, {.pad = 1}},
        {{4, {2, 4, 3, 6}}, {4, {3, 3, 6, 4}}, {0}},
    };
    for (int i = 0; i < COUNT_OF(cases); i++) {
        given t = begin();
        lt_node *x = input(&t, cases[i].x), *w = input(&t, cases[i].w);
        differentiate(&t, lt_conv2d(x, w, cases[i].o));
        assert_int_equal(count_op(&t, &lt_op_conv2d), 1);
        assert_int_equal(count_op(&t, &lt_op_conv2d_dx), 1);
        assert_int_equal(count_op(&t, &lt_op_conv2d_dw), 1);
        end(&t);
    }
}

/* ---- Upsample-conv fusion ---- */

static int count_pools(const given *t)
{
    return count_op(t, &lt_op_avg_pool2d) + count_op(t, &lt_op_avg_pool2d_dx);
}

static void upsampling_goes_into_the_convolution_after_it(void **state)
{
    (void)state;
    static const struct {
        int factor, kernel, pad;
    } cases[] = {{2, 3, 1}, {2, 3, 0}, {2, 3, 2}, {2, 2, 0}, {2, 4, 1}, {2, 5, 2}, {3, 2, 1}, {3, 3, 1},
                 {4, 3, 1}};
    for (int i = 0; i < COUNT_OF(cases); i++) {
        given t = begin();
        int k = cases[i].kernel;
        lt_node *x = input(&t, lt_shape_4d(2, 5, 4, 3)), *w = input(&t, lt_shape_4d(k, k, 3, 7));
        lt_node *u = lt_upsample(x, cases[i].factor);
        differentiate(&t, lt_conv2d(u, w, (lt_window){.pad = cases[i].pad}));
        assert_int_equal(count_pools(&t), 0);
        assert_int_equal(count_op(&t, &lt_op_conv2d_dx), 1); /* y */
        assert_int_equal(count_op(&t, &lt_op_conv2d), 1);    /* x's gradient */
        assert_int_equal(count_op(&t, &lt_op_conv2d_dw), 1);
        end(&t);
    }
}

/* Each differs in one thing from those above: the pools stay. */
static void other_enlarged_images_are_computed(void **state)
{
    (void)state;
    static const struct {
        lt_shape w;
        lt_window o;
    } cases[] = {{{4, {3, 3, 4, 6}}, {.stride = 2}},
                 {{4, {3, 3, 2, 6}}, {.groups = 2}},
                 {{4, {3, 3, 4, 6}}, {.dilation = 2}},
                 {{4, {3, 3, 4, 6}}, {.pad = 3}},
                 {{4, {3, 2, 4, 6}}, {0}},
                 {{4, {1, 1, 4, 6}}, {0}}};
    for (int i = 0; i < COUNT_OF(cases); i++) {
        given t = begin();
        lt_node *x = input(&t, lt_shape_4d(2, 4, 5, 4)), *w = input(&t, cases[i].w);
        differentiate(&t, lt_conv2d(lt_upsample(x, 2), w, cases[i].o));
        assert_int_equal(count_pools(&t), 2);
        end(&t);
    }
}

/* Means of windows that overlap, and the gradient of an enlarged image that is a target itself. */
static void other_pools_stay(void **state)
{
    (void)state;
    for (int form = 0; form < 3; form++) {
        given t = begin();
        lt_node *x = input(&t, lt_shape_4d(2, 4, 4, 3)), *w = input(&t, lt_shape_4d(3, 3, 3, 5));
        const lt_window same = {.pad = 1};
        if (form == 0) {
            lt_node *u = lt_avg_pool2d_dx(x, 9, 9, 3, (lt_window){.stride = 2});
            add_target(&t, lt_conv2d(u, w, same));
        } else if (form == 1) {
            lt_node *u = lt_avg_pool2d_dx(x, 9, 9, 2, (lt_window){.stride = 2}); /* a row of zeros */
            add_target(&t, lt_conv2d(u, w, same));
        } else {
            lt_node *g = input(&t, lt_shape_4d(2, 4, 4, 5)), *u = lt_conv2d_dx(g, w, 4, 4, same);
            add_target(&t, u);
            add_target(&t, lt_avg_pool2d(u, 2, (lt_window){.stride = 2}));
        }
        compile_and_compare(&t);
        assert_int_equal(count_pools(&t), 1);
        end(&t);
    }
}

/* ---- Bias and activation ---- */

static lt_node *activate(int i, lt_node *x)
{
    return i == 0   ? lt_relu(x)
           : i == 1 ? lt_leaky_relu(x, 0.2)
           : i == 2 ? lt_elu(x, 1)
           : i == 3 ? lt_sigmoid(x)
                    : lt_tanh(x);
}

/* Nothing elementwise is left, in any of the forms that a product of images takes. */
static void bias_and_activation_go_into_the_product(void **state)
{
    (void)state;
    for (int form = 0; form < 4; form++)
        for (int i = 0; i < 5; i++) {
            given t = begin();
            lt_node *x = input(&t, lt_shape_4d(2, form == 3 ? 1 : 6, form == 3 ? 1 : 5, 3));
            lt_node *w = input(&t, form == 0   ? lt_shape_4d(3, 3, 3, 16)
                                   : form == 1 ? lt_shape_4d(3, 3, 16, 3)
                                   : form == 2 ? lt_shape_4d(1, 1, 3, 16)
                                               : lt_shape_4d(4, 4, 16, 3));
            lt_node *b = input(&t, lt_shape_1d(16));
            lt_node *y = form == 0   ? lt_conv2d(x, w, (lt_window){.pad = 1})
                         : form == 1 ? lt_conv2d_dx(x, w, 12, 10, (lt_window){.stride = 2, .pad = 1})
                         : form == 2 ? lt_conv2d(x, w, (lt_window){0})
                                     : lt_conv2d_dx(x, w, 4, 4, (lt_window){0});
            add_target(&t, activate(i, form == 3 ? y : lt_add(y, b))); /* there b is no row's bias */
            compile_and_compare(&t);
            for (int u = 0; u < t.p->n_groups; u++)
                assert_false(t.p->groups[u].fused);
            end(&t);
        }
}

static void a_product_that_others_read_keeps_its_values(void **state)
{
    (void)state;
    given t = begin();
    lt_node *x = input(&t, lt_shape_4d(2, 5, 4, 3)), *w = input(&t, lt_shape_4d(3, 3, 3, 8));
    lt_node *y = lt_conv2d(x, w, (lt_window){.pad = 1});
    add_target(&t, lt_relu(lt_add(y, input(&t, lt_shape_1d(8)))));
    add_target(&t, lt_square(y));
    compile_and_compare(&t);
    end(&t);
}

/* ---- Packed weights ---- */

static void weights_are_packed_once_for_equal_convolutions(void **state)
{
    (void)state;
    given t = begin();
    lt_node *a = input(&t, lt_shape_4d(2, 8, 8, 32)), *b = input(&t, lt_shape_4d(2, 8, 8, 32));
    lt_node *w = input(&t, lt_shape_4d(3, 3, 32, 32));
    add_target(&t, lt_conv2d(a, w, (lt_window){.pad = 1}));
    add_target(&t, lt_conv2d(b, w, (lt_window){.pad = 1}));
    compile_and_compare(&t);
    assert_int_equal(count_op(&t, &lt_op_conv2d), 2);
    assert_int_equal(count_op(&t, &lt_op_conv2d_pack), 1);
    end(&t);
}

/* ---- Normalization ---- */

/* Moments about the first pixel, over all but the channels. */
static lt_node *normalize(lt_node *x, lt_node *scale, lt_node *shift)
{
    lt_shape s = lt_node_shape(x);
    lt_node *first = x;
    for (int axis = 0; axis < 3; axis++)
        first = lt_slice(first, axis, 0, 1);
    lt_node *d = lt_sub(x, lt_detach(first));
    double n = (double)(s.d[0] * s.d[1] * s.d[2]);
    lt_node *m1 = lt_scale(lt_sum_keep(d, 7), 1 / n);
    lt_node *variance = lt_sub(lt_scale(lt_sum_keep(lt_square(d), 7), 1 / n), lt_square(m1));
    lt_node *a = lt_mul(lt_rsqrt(lt_shift(variance, 1e-5)), scale);
    return lt_add(lt_mul(lt_sub(d, m1), a), shift);
}

/* Units that work on arrays of the full size, and such arrays that they put into memory. */
static void count_passes(const given *t, int64_t size, int *passes, int *stored)
{
    plan *m = plan_make(t->p, true);
    *passes = *stored = 0;
    for (int u = 0; u < t->p->n_groups; u++) {
        const fusion_group *v = &t->p->groups[u];
        *passes += v->fused && v->size == size;
        for (int k = 0; v->fused && k < v->n; k++)
            *stored += v->size == size && !(v->nodes[k]->op->flags & OP_REDUCTION) &&
                       m->locations[v->nodes[k]->id].kind == LOCATION_BLOCK;
    }
    plan_free(m);
}

/* Two passes forward (moments; result) and two backward (sums; result), with the activation between
   them. What comes and goes through a convolution is not fused with it. Three arrays are written:
   the result, the gradient before the activation, and the gradient. */
static void batch_norm_is_two_passes_each_way(void **state)
{
    (void)state;
    given t = begin();
    lt_node *x = input(&t, lt_shape_4d(4, 6, 5, 16)), *w = input(&t, lt_shape_4d(3, 3, 16, 16));
    lt_node *v = input(&t, lt_shape_4d(3, 3, 16, 16));
    lt_node *scale = input(&t, lt_shape_1d(16)), *shift = input(&t, lt_shape_1d(16));
    lt_node *h = lt_conv2d(x, w, (lt_window){.pad = 1});
    h = lt_leaky_relu(normalize(h, scale, shift), 0.2);
    lt_node *y = lt_sum(lt_square(lt_conv2d(h, v, (lt_window){.pad = 1, .stride = 2}))), *d[5];
    lt_grads(y, 5, t.inputs, d);
    for (int i = 0; i < 5; i++)
        add_target(&t, d[i]);
    compile_and_compare(&t);
    int passes, stored;
    count_passes(&t, 4 * 6 * 5 * 16, &passes, &stored);
    assert_int_equal(passes, 4);
    assert_int_equal(stored, 3);
    end(&t);
}

/* A mean far from 0: the moments about the first pixel lose no digits, those about 0 would lose all. */
static void normalization_of_a_large_mean_is_exact(void **state)
{
    (void)state;
    given t = begin();
    lt_node *x = input(&t, lt_shape_4d(8, 4, 4, 5));
    lt_node *one = lt_scalar(t.g, 1), *zero = lt_scalar(t.g, 0);
    add_target(&t, normalize(lt_shift(lt_scale(x, 0x1p-10), 4096), one, zero));
    t.p = must_compile(t.g, t.targets, 1);
    double *want = run_on(&t, LT_REFERENCE, 1, 0), *found = run_on(&t, LT_CPU, 1, 0);
    int64_t n = 8 * 4 * 4 * 5;
    double step = 0x1p-11 / 0x1p-10; /* between floats near 4096, in units of the spread of x */
    assert_array_close("normalized", found, want, n, 0, 3 * step);
    free(want);
    free(found);
    end(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolution_of_pixels_is_a_product),
        cmocka_unit_test(convolution_over_the_whole_image_is_a_product),
        cmocka_unit_test(transposed_convolution_of_one_pixel_is_a_product),
        cmocka_unit_test(other_convolutions_stay),
        cmocka_unit_test(upsampling_goes_into_the_convolution_after_it),
        cmocka_unit_test(other_enlarged_images_are_computed),
        cmocka_unit_test(other_pools_stay),
        cmocka_unit_test(bias_and_activation_go_into_the_product),
        cmocka_unit_test(a_product_that_others_read_keeps_its_values),
        cmocka_unit_test(weights_are_packed_once_for_equal_convolutions),
        cmocka_unit_test(batch_norm_is_two_passes_each_way),
        cmocka_unit_test(normalization_of_a_large_mean_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
