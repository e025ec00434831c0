/* SPDX-License-Identifier: MIT */
/* Layers of images against PyTorch (tools/golden_layers.py): outputs, gradients, running numbers;
   and what they keep by themselves. */
#include "check.h"

#include "golden/golden.h"
#include "recipe/network.h"
#include "nn/init.h"

#include <stdio.h>

/* ---- A line of a recipe with golden values ---- */

enum { MAX_TENSOR = 4096 };

/* Floats: sums of squares of numbers around 3, over at most 120 of them. */
static const double layer_rtol[] = {[LT_CPU] = 3e-5, [LT_REFERENCE] = 1e-10};
static const double layer_atol[] = {[LT_CPU] = 3e-5, [LT_REFERENCE] = 1e-11};

typedef struct layer_case {
    const safetensors *file;
    const char *line;
    network net;
    lt_params *params;
    lt_shape shape; /* of x, outside */
} layer_case;

static const char *tensor_name(const layer_case *c, const char *part, const char *name)
{
    static char full[256];
    snprintf(full, sizeof full, "%s.%s%s", c->line, part, name);
    return full;
}

static lt_shape tensor_shape(const safetensors *file, const char *name)
{
    const safetensors_entry *e = safetensors_find(file, name);
    if (!e)
        fail_msg("%s", lt_last_error());
    lt_shape s = {.rank = e->rank};
    memcpy(s.d, e->dims, sizeof *s.d * (size_t)e->rank);
    return s;
}

static network network_of(const char *line)
{
    char *words = must_format("- %s", line);
    arena a = {0};
    yaml_node *root;
    network net = {0};
    if (yaml_parse("case", words, strlen(words), &a, &root) != LT_OK ||
        network_read(&net, root) != LT_OK)
        fail_msg("%s", lt_last_error());
    arena_clear(&a);
    free(words);
    return net;
}

/* n x c x h x w to n x h x w x c and back; rows stay. */
static lt_node *inwards(lt_node *x)
{
    return lt_node_shape(x).rank == 4 ? lt_permute(x, (int[]){0, 2, 3, 1}) : x;
}

static lt_node *outwards(lt_node *y)
{
    return lt_node_shape(y).rank == 4 ? lt_permute(y, (int[]){0, 3, 1, 2}) : y;
}

/* On an image as it is inside, and as it is outside. */
static lt_node *build_inside(const layer_case *c, lt_graph *g, lt_node *x, bool is_training)
{
    network_context context = {.is_training = is_training};
    lt_scope *s = lt_scope_enter(lt_params_visit(c->params, g), "net");
    lt_node *y = network_build(&c->net, &context, s, x);
    if (lt_graph_error(g))
        fail_msg("%s: %s", c->line, lt_graph_error(g));
    return y;
}

static lt_node *build(const layer_case *c, lt_graph *g, lt_node *x, bool is_training)
{
    return outwards(build_inside(c, g, inwards(x), is_training));
}

static layer_case open_case(const safetensors *file, const char *line)
{
    layer_case c = {.file = file, .line = line, .net = network_of(line)};
    c.params = lt_params_create();
    c.shape = tensor_shape(file, tensor_name(&c, "x", ""));
    lt_graph *g = lt_graph_create();
    build(&c, g, lt_input(g, "x", c.shape), true);
    lt_graph_free(g);
    assert_int_equal(lt_params_allocate(c.params, 1), LT_OK);
    return c;
}

static void close_case(layer_case *c)
{
    network_clear(&c->net);
    lt_params_free(c->params);
}

/* "weight" of "net.0.weight". */
static const char *own_name(lt_param_info info)
{
    assert_memory_equal(info.name, "net.0.", 6);
    return info.name + 6;
}

static void import_all(const layer_case *c, const char *states)
{
    for (int i = 0; i < lt_params_count(c->params); i++) {
        lt_param_info info = lt_params_info(c->params, i);
        const char *part = info.is_state ? states : "p.";
        golden_import(c->file, tensor_name(c, part, own_name(info)), c->params, i);
    }
}

static void expect(const layer_case *c, const char *part, const char *name, lt_executor e,
                   const double *found, int64_t n)
{
    const char *what = tensor_name(c, part, name);
    double *want = golden_doubles(c->file, what, n);
    assert_array_close(what, found, want, n, layer_rtol[e], layer_atol[e]);
    free(want);
}

static void expect_node(const layer_case *c, const char *part, lt_session *s, lt_executor e,
                        const lt_node *x)
{
    double *found = fetch(s, e, x);
    expect(c, part, "", e, found, lt_shape_size(lt_node_shape(x)));
    free(found);
}

/* Every parameter (or state) of a block that starts at `start` in the whole one. */
static void expect_block(const layer_case *c, const char *part, bool is_state, lt_session *s,
                         lt_executor e, const lt_node *block)
{
    double *inside = fetch(s, e, block), outside[MAX_TENSOR];
    int64_t start = is_state ? lt_params_extent(c->params) : 0;
    for (int i = 0; i < lt_params_count(c->params); i++) {
        lt_param_info info = lt_params_info(c->params, i);
        int64_t n = lt_shape_size(info.shape);
        if (info.is_state != is_state)
            continue;
        assert_true(n <= MAX_TENSOR);
        for (int64_t k = 0; k < n; k++)
            outside[k] = inside[info.offset - start + golden_place(&info, k)];
        expect(c, part, own_name(info), e, outside, n);
    }
    free(inside);
}

static void feed_golden(const layer_case *c, lt_session *s, lt_executor e, const lt_node *x,
                        const char *part)
{
    golden_feed(c->file, s, e, &(golden_value){(lt_node *)x, tensor_name(c, part, "")});
}

static void check_training(const layer_case *c)
{
    const lt_params *p = c->params;
    lt_graph *graph = lt_graph_create();
    lt_node *x = lt_input(graph, "x", c->shape), *y = build(c, graph, x, true);
    lt_node *g = lt_input(graph, "g", lt_node_shape(y)), *loss = lt_sum(lt_mul(g, y));
    lt_node *targets[4] = {y, lt_grad(loss, x)};
    int n = 2;
    lt_node *gradient = lt_params_extent(p) ? lt_params_gradient(p, loss) : NULL;
    if (gradient)
        targets[n++] = gradient;
    lt_node *assign = lt_params_state_assign(p, graph);
    if (assign)
        targets[n++] = assign;
    lt_program *program = must_compile(graph, targets, n);
    for (lt_executor e = LT_CPU; e <= LT_REFERENCE; e++) {
        import_all(c, "s.");
        lt_session *s = must_create(program, &(lt_session_options){.executor = e});
        assert_int_equal(lt_params_bind(c->params, graph, s), LT_OK);
        feed_golden(c, s, e, x, "x");
        feed_golden(c, s, e, g, "g");
        must_run(s, NULL);
        expect_node(c, "y", s, e, y);
        expect_node(c, "d.x", s, e, targets[1]);
        if (gradient)
            expect_block(c, "d.", false, s, e, gradient);
        if (assign)
            expect_block(c, "after.", true, s, e, lt_params_state_variable(p, graph));
        lt_session_free(s);
    }
    lt_program_free(program);
    lt_graph_free(graph);
}

/* Only of layers that keep something. */
static void check_evaluation(const layer_case *c)
{
    if (!lt_params_state_extent(c->params))
        return;
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", c->shape), *y = build(c, g, x, false);
    assert_null(lt_params_state_assign(c->params, g));
    lt_program *program = must_compile(g, &y, 1);
    import_all(c, "after.");
    for (lt_executor e = LT_CPU; e <= LT_REFERENCE; e++) {
        lt_session *s = must_create(program, &(lt_session_options){.executor = e});
        assert_int_equal(lt_params_bind(c->params, g, s), LT_OK);
        feed_golden(c, s, e, x, "x");
        must_run(s, NULL);
        expect_node(c, "eval", s, e, y);
        lt_session_free(s);
    }
    lt_program_free(program);
    lt_graph_free(g);
}

static void layers_equal_pytorch(void **state)
{
    (void)state;
    safetensors *file = golden_open("image_layers");
    char *lines = must_copy_text(safetensors_metadata(file, "cases")), *next = NULL;
    int n = 0;
    for (char *line = strtok_r(lines, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
        layer_case c = open_case(file, line);
        check_training(&c);
        check_evaluation(&c);
        close_case(&c);
        n++;
    }
    assert_true(n >= 35);
    free(lines);
    safetensors_free(file);
}

/* ---- Contracts ---- */

/* PyTorch counts fans from the stored shape: nn.Conv2d(8, 6, 3, groups=2) has 36 and 54,
   nn.ConvTranspose2d(8, 6, 3, groups=2) 27 and 72 (torch.nn.init._calculate_fan_in_and_fan_out). */
static void initial_weights_have_pytorchs_bounds(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        double fan_in;
    } cases[] = {{"conv 6 groups=2", 36}, {"conv_transpose 6 groups=2", 27}, {"linear 90", 288}};
    for (int i = 0; i < COUNT_OF(cases); i++) {
        layer_case c = {.line = cases[i].line, .net = network_of(cases[i].line),
                        .params = lt_params_create()};
        lt_graph *g = lt_graph_create();
        build(&c, g, lt_input(g, "x", lt_shape_4d(1, 8, 6, 6)), true);
        lt_graph_free(g);
        assert_int_equal(lt_params_allocate(c.params, 3), LT_OK);
        for (int k = 0; k < lt_params_count(c.params); k++) {
            lt_param_info info = lt_params_info(c.params, k);
            const float *from = lt_params_block(c.params) + info.offset;
            double most = 0, bound = 1 / sqrt(cases[i].fan_in);
            for (int64_t j = 0; j < lt_shape_size(info.shape); j++)
                most = fmax(most, fabs((double)from[j]));
            assert_true(most <= bound && most > .6 * bound);
        }
        close_case(&c);
    }
}

/* y and its standard deviation by the definition, in f64, against the one-pass form in floats. */
static void norms_do_not_mind_offsets(void **state)
{
    (void)state;
    enum { N = 64, C = 2 };
    double x[N * C], mean[C] = {0}, variance[C] = {0};
    draws d = draws_from(5);
    for (int i = 0; i < N * C; i++)
        x[i] = draw(&d, 4000, 4001);
    for (int i = 0; i < N * C; i++)
        mean[i % C] += x[i] / N;
    for (int i = 0; i < N * C; i++)
        variance[i % C] += (x[i] - mean[i % C]) * (x[i] - mean[i % C]) / N;
    double want[N * C];
    for (int i = 0; i < N * C; i++)
        want[i] = (x[i] - mean[i % C]) / sqrt(variance[i % C] + 1e-5);
    lt_graph *g = lt_graph_create();
    lt_params *p = lt_params_create();
    lt_node *in = lt_input(g, "x", lt_shape_2d(N, C));
    lt_batch_norm(lt_params_visit(p, g), "norm", in, true, .no_affine = true);
    assert_int_equal(lt_params_allocate(p, 1), LT_OK);
    lt_node *y = lt_batch_norm(lt_params_visit(p, g), "norm", in, true, .no_affine = true);
    lt_program *program = must_compile(g, &y, 1);
    lt_session *s = must_create(program, NULL);
    feed(s, LT_CPU, in, x);
    must_run(s, NULL);
    double *found = fetch(s, LT_CPU, y);
    assert_array_close("y", found, want, N * C, 0, 3e-6);
    free(found);
    lt_session_free(s);
    lt_program_free(program);
    lt_graph_free(g);
    lt_params_free(p);
}

/* One number a channel has no variance: as in evaluation, and nothing moves. */
static void batch_norm_of_one_number_uses_what_it_has(void **state)
{
    (void)state;
    layer_case c = {.line = "batch_norm", .net = network_of("batch_norm"),
                    .params = lt_params_create()};
    lt_graph *g = lt_graph_create();
    lt_node *x = lt_input(g, "x", lt_shape_2d(1, 3));
    build(&c, g, x, true);
    assert_int_equal(lt_params_allocate(c.params, 1), LT_OK);
    lt_node *y = build(&c, g, x, true);
    assert_null(lt_params_state_assign(c.params, g));
    lt_program *program = must_compile(g, &y, 1);
    lt_session *s = must_create(program, NULL);
    assert_int_equal(lt_params_bind(c.params, g, s), LT_OK);
    feed(s, LT_CPU, x, (double[]){1, -2, 3});
    must_run(s, NULL);
    double *found = fetch(s, LT_CPU, y), scale = 1 / sqrt(1 + 1e-5);
    assert_array_close("y", found, ((double[]){scale, -2 * scale, 3 * scale}), 3, 1e-6, 0);
    free(found);
    lt_session_free(s);
    lt_program_free(program);
    lt_graph_free(g);
    close_case(&c);
}

/* Two visits in one graph, as of a discriminator that sees real and made images: running numbers move by one
   batch, then by the other. */
static void later_visits_move_running_numbers_on(void **state)
{
    (void)state;
    layer_case c = {.line = "batch_norm", .net = network_of("batch_norm"),
                    .params = lt_params_create()};
    lt_graph *g = lt_graph_create();
    build(&c, g, lt_input(g, "x", lt_shape_2d(2, 1)), true);
    lt_graph_free(g);
    assert_int_equal(lt_params_allocate(c.params, 1), LT_OK);
    g = lt_graph_create();
    lt_node *x = lt_input(g, "x", lt_shape_2d(2, 1)), *y = lt_input(g, "y", lt_shape_2d(2, 1));
    build(&c, g, x, true);
    build(&c, g, y, true);
    lt_node *assign = lt_params_state_assign(c.params, g);
    lt_program *program = must_compile(g, &assign, 1);
    lt_session *s = must_create(program, NULL);
    assert_int_equal(lt_params_bind(c.params, g, s), LT_OK);
    feed(s, LT_CPU, x, (double[]){1, 3});  /* mean 2, variance 2 */
    feed(s, LT_CPU, y, (double[]){0, -8}); /* mean -4, variance 32 */
    must_run(s, NULL);
    const double want[] = {.9 * .2 - .4, .9 * (.9 + .2) + 3.2, 2};
    static const char *const names[] = {"running_mean", "running_var", "num_batches_tracked"};
    for (int i = 0; i < COUNT_OF(names); i++) {
        char name[64];
        snprintf(name, sizeof name, "net.0.%s", names[i]);
        int64_t at = lt_params_info(c.params, lt_params_find(c.params, name)).offset;
        assert_near((double)lt_params_block(c.params)[at], want[i], 1e-6);
    }
    lt_session_free(s);
    lt_program_free(program);
    lt_graph_free(g);
    close_case(&c);
}

/* How often fused kernels walk over arrays of as many numbers as x has, forward and backward. */
static int count_passes(const char *line, lt_shape shape)
{
    layer_case c = {.line = line, .net = network_of(line), .params = lt_params_create()};
    lt_graph *g = lt_graph_create();
    build_inside(&c, g, lt_input(g, "x", shape), true);
    lt_graph_free(g);
    assert_int_equal(lt_params_allocate(c.params, 1), LT_OK);
    g = lt_graph_create();
    lt_node *x = lt_input(g, "x", shape), *w = lt_input(g, "w", lt_shape_4d(3, 3, 8, 5));
    lt_node *y = lt_leaky_relu(build_inside(&c, g, x, true), .2);
    /* what stands between forward and backward, of another size */
    lt_node *loss = lt_sum(lt_square(lt_conv2d(y, w, (lt_window){.pad = 1})));
    lt_node *targets[] = {lt_grad(loss, x), lt_params_gradient(c.params, loss),
                          lt_params_state_assign(c.params, g)};
    lt_program *program = must_compile(g, targets, targets[2] ? 3 : 2);
    char *dump = lt_program_dump(program), whole[64];
    int n = 0;
    snprintf(whole, sizeof whole, "(fused), %jd elements", (intmax_t)lt_shape_size(shape));
    for (const char *at = dump; (at = strstr(at, whole)); at++)
        n++;
    free(dump);
    lt_program_free(program);
    lt_graph_free(g);
    close_case(&c);
    return n;
}

static void norms_pass_over_memory_twice_each_way(void **state)
{
    (void)state;
    lt_shape shape = lt_shape_4d(4, 6, 5, 8);
    assert_int_equal(count_passes("batch_norm", shape), 4);
    assert_int_equal(count_passes("layer_norm", shape), 4);
    assert_int_equal(count_passes("group_norm 4", shape), 4);
    assert_int_equal(count_passes("instance_norm affine=yes", shape), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_equal_pytorch),
        cmocka_unit_test(initial_weights_have_pytorchs_bounds),
        cmocka_unit_test(norms_pass_over_memory_twice_each_way),
        cmocka_unit_test(norms_do_not_mind_offsets),
        cmocka_unit_test(batch_norm_of_one_number_uses_what_it_has),
        cmocka_unit_test(later_visits_move_running_numbers_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
