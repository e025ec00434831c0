/* SPDX-License-Identifier: MIT */
/* Operators on images beyond their cases in the table: random shapes of the convolutions and the pools,
   the identities that make them derivatives of each other, what compile makes of weights, ties and NaN,
   messages, and PyTorch's values (tools/golden_ops.py). */
#include "check.h"
#include "golden/golden.h"

#include "cpu/conv.h"
#include "ops/attributes.h"

#include <latent/ops.h>

#include <limits.h>
#include <stdio.h>

static int64_t size_of(const lt_node *x) { return lt_shape_size(lt_node_shape(x)); }

static lt_node *image(lt_graph *g, int64_t n, int64_t h, int64_t w, int64_t c)
{
    return lt_input(g, "x", lt_shape_4d(n, h, w, c));
}

/* ---- Random shapes ---- */

enum { N_SHAPES = 192, MAX_TERMS = 40000, MAX_NODES = 8 };

typedef struct convolution {
    int64_t n, h, w, i, kh, kw, oh, ow, o;
    lt_window window;
} convolution;

static int64_t common_divisor(int64_t a, int64_t b) { return b ? common_divisor(b, a % b) : a; }

static int64_t places(int64_t size, int64_t k, lt_window o)
{
    int64_t reach = o.dilation * (k - 1) + 1, room = size + 2 * o.pad - reach;
    return room < 0 ? 0 : room / o.stride + 1;
}

/* One that has a result and is cheap. */
static convolution draw_convolution(draws *d)
{
    static const int channels[] = {1, 2, 3, 15, 16, 17, 64};
    for (;;) {
        convolution c = {.n = 1 + draw_below(d, 3), .h = 1 + draw_below(d, 12),
                         .w = 1 + draw_below(d, 12), .i = channels[draw_below(d, 7)],
                         .o = channels[draw_below(d, 7)], .kh = 1 + draw_below(d, 5),
                         .kw = 1 + draw_below(d, 5)};
        c.window = (lt_window){.stride = 1 + draw_below(d, 3), .pad = draw_below(d, 4),
                               .dilation = 1 + draw_below(d, 3), .groups = 1};
        if (draw_one_in(d, 2))
            c.window.groups = (int)common_divisor(c.i, c.o);
        c.oh = places(c.h, c.kh, c.window);
        c.ow = places(c.w, c.kw, c.window);
        int64_t terms = c.n * c.oh * c.ow * c.kh * c.kw * c.i / c.window.groups * c.o;
        if (terms > 0 && terms <= MAX_TERMS)
            return c;
    }
}

/* ---- A graph, its inputs' values, and the values of some nodes by both executors ---- */

typedef struct trial {
    char name[160];
    lt_graph *graph;
    lt_node *x[MAX_NODES]; /* inputs */
    double *values[MAX_NODES];
    int n;
} trial;

static lt_node *add_input(trial *t, draws *d, lt_shape shape)
{
    lt_node *x = lt_input(t->graph, "x", shape);
    assert_true(t->n < MAX_NODES);
    double *values = must_alloc(sizeof *values * (size_t)size_of(x));
    for (int64_t i = 0; i < size_of(x); i++)
        values[i] = draw(d, -1, 1);
    t->values[t->n] = values;
    return t->x[t->n++] = x;
}

static void clear(trial *t)
{
    for (int i = 0; i < t->n; i++)
        free(t->values[i]);
    lt_graph_free(t->graph);
}

static void check_graph(const trial *t)
{
    if (lt_graph_error(t->graph))
        fail_msg("%s: %s", t->name, lt_graph_error(t->graph));
}

/* Runs with the inputs moved by `step` times the inputs `half` further on; the caller frees what it
   fetches. */
static lt_session *run_moved(const trial *t, const lt_program *p, lt_session_options o, double step,
                             int half)
{
    lt_session *s = must_create(p, &o);
    for (int i = 0; i < t->n; i++) {
        int64_t n = size_of(t->x[i]);
        double *moved = must_alloc(sizeof *moved * (size_t)n);
        for (int64_t k = 0; k < n; k++)
            moved[k] = t->values[i][k] + (i < half ? step * t->values[i + half][k] : 0);
        feed(s, o.executor, t->x[i], moved);
        free(moved);
    }
    must_run(s, NULL);
    return s;
}

static lt_session *run(const trial *t, const lt_program *p, lt_session_options o)
{
    return run_moved(t, p, o, 0, 0);
}

/* The cpu against the reference; sums of up to a thousand terms. */
static void compare_executors(const trial *t, const lt_program *p, lt_node *const *y, int n)
{
    lt_session *cpu = run(t, p, (lt_session_options){0});
    lt_session *reference = run(t, p, (lt_session_options){.executor = LT_REFERENCE});
    for (int i = 0; i < n; i++) {
        double *found = fetch(cpu, LT_CPU, y[i]), *want = fetch(reference, LT_REFERENCE, y[i]);
        double most = fmax(1, largest(want, size_of(y[i])));
        assert_array_close(t->name, found, want, size_of(y[i]), 1e-5, 2e-6 * most);
        free(found);
        free(want);
    }
    lt_session_free(cpu);
    lt_session_free(reference);
}

/* The same bits with three threads and no memory shared. */
static void compare_bits(const trial *t, const lt_program *p, lt_node *const *y, int n)
{
    lt_session *one = run(t, p, (lt_session_options){.threads = 1});
    lt_session *three = run(t, p, (lt_session_options){.threads = 3, .no_memory_reuse = true});
    for (int i = 0; i < n; i++)
        if (memcmp(lt_session_floats(one, y[i]), lt_session_floats(three, y[i]),
                   sizeof(float) * (size_t)size_of(y[i])))
            fail_msg("%s: other bits with three threads", t->name);
    lt_session_free(one);
    lt_session_free(three);
}

static double inner_product(const double *a, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* <y, b> of the reference, where b is the k-th input's values. */
static double product_with(const trial *t, lt_session *s, const lt_node *y, int k)
{
    assert_true(lt_shape_equal(lt_node_shape(y), lt_node_shape(t->x[k])));
    return inner_product(lt_session_doubles(s, y), t->values[k], size_of(y));
}

/* ---- Convolutions ---- */

static trial begin_convolution(const convolution *c, draws *d)
{
    trial t = {.graph = lt_graph_create()};
    snprintf(t.name, sizeof t.name,
             "x %jd %jd %jd %jd, w %jd %jd, o %jd, stride %d pad %d dilation %d groups %d",
             (intmax_t)c->n, (intmax_t)c->h, (intmax_t)c->w, (intmax_t)c->i, (intmax_t)c->kh,
             (intmax_t)c->kw, (intmax_t)c->o, c->window.stride, c->window.pad, c->window.dilation,
             c->window.groups);
    add_input(&t, d, lt_shape_4d(c->n, c->h, c->w, c->i));
    add_input(&t, d, lt_shape_4d(c->kh, c->kw, c->i / c->window.groups, c->o));
    return t;
}

/* <conv2d(x, w), g> = <x, conv2d_dx(g, w)> = <w, conv2d_dw(x, g)>, in f64; and the cpu's values. */
static void check_adjoints(const convolution *c, draws *d)
{
    trial t = begin_convolution(c, d);
    lt_node *x = t.x[0], *w = t.x[1];
    lt_node *g = add_input(&t, d, lt_shape_4d(c->n, c->oh, c->ow, c->o));
    lt_node *y[] = {lt_conv2d(x, w, c->window), lt_conv2d_dx(g, w, c->h, c->w, c->window),
                    lt_conv2d_dw(x, g, c->kh, c->kw, c->window)};
    check_graph(&t);
    lt_program *p = must_compile(t.graph, y, 3);
    compare_executors(&t, p, y, 3);
    compare_bits(&t, p, y, 3);
    lt_session *s = run(&t, p, (lt_session_options){.executor = LT_REFERENCE});
    double want = product_with(&t, s, y[0], 2), rounding = 1e-11 * (1 + fabs(want));
    assert_near(product_with(&t, s, y[1], 0), want, rounding);
    assert_near(product_with(&t, s, y[2], 1), want, rounding);
    lt_session_free(s);
    lt_program_free(p);
    clear(&t);
}

/* f = sum(conv2d(x, w)^2), whose slopes along (u, v) are cubic in a step along (u, v): so two central
   differences of them give the second derivative without an error. lt_grad must agree. */
static void check_curvature(const convolution *c, draws *d)
{
    trial t = begin_convolution(c, d);
    lt_node *dx[2], *ddx[2], *x[2] = {t.x[0], t.x[1]};
    lt_node *u = add_input(&t, d, lt_node_shape(x[0])), *v = add_input(&t, d, lt_node_shape(x[1]));
    lt_grads(lt_sum(lt_square(lt_conv2d(x[0], x[1], c->window))), 2, x, dx);
    lt_node *slope = lt_add(lt_sum(lt_mul(dx[0], u)), lt_sum(lt_mul(dx[1], v)));
    lt_grads(slope, 2, x, ddx);
    check_graph(&t);
    lt_node *all[] = {slope, ddx[0], ddx[1]};
    lt_program *p = must_compile(t.graph, all, 3), *first = must_compile(t.graph, &slope, 1);
    compare_executors(&t, p, all + 1, 2);
    lt_session_options reference = {.executor = LT_REFERENCE};
    lt_session *s = run(&t, p, reference);
    double found = product_with(&t, s, ddx[0], 2) + product_with(&t, s, ddx[1], 3);
    lt_session_free(s);
    double difference[2], most = fabs(found);
    for (int i = 0; i < 2; i++) {
        double h = i ? .5 : 1;
        lt_session *after = run_moved(&t, first, reference, h, 2);
        lt_session *before = run_moved(&t, first, reference, -h, 2);
        double a = *lt_session_doubles(after, slope), b = *lt_session_doubles(before, slope);
        difference[i] = (a - b) / (2 * h);
        most = fmax(most, fmax(fabs(a), fabs(b)));
        lt_session_free(after);
        lt_session_free(before);
    }
    assert_near(found, (4 * difference[1] - difference[0]) / 3, 1e-11 * most);
    lt_program_free(p);
    lt_program_free(first);
    clear(&t);
}

static void convolutions_of_random_shapes(void **state)
{
    (void)state;
    draws d = draws_from(31);
    int strided = 0, padded = 0, dilated = 0, grouped = 0, oblong = 0, wide = 0;
    for (int i = 0; i < N_SHAPES; i++) {
        convolution c = draw_convolution(&d);
        strided += c.window.stride > 1;
        padded += c.window.pad > 0;
        dilated += c.window.dilation > 1;
        grouped += c.window.groups > 1;
        oblong += c.h != c.w && c.kh != c.kw;
        wide += c.i >= 15 && c.o >= 15;
        check_adjoints(&c, &d);
        check_curvature(&c, &d);
    }
    assert_true(strided > 30 && padded > 30 && dilated > 30 && grouped > 15 && oblong > 30);
    assert_true(wide > 15);
}

/* ---- What compile makes of convolutions ---- */

static int count(const char *text, const char *word)
{
    int n = 0;
    while ((text = strstr(text, word))) {
        text += strlen(word);
        n++;
    }
    return n;
}

/* The weight of two convolutions of one kind is packed once, whatever comes after them. */
static void weights_are_packed_once(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create();
    lt_node *x = image(g, 5, 8, 8, 16), *z = image(g, 5, 8, 8, 16), *w = image(g, 3, 3, 16, 16);
    lt_window o = {.pad = 1};
    lt_node *a = lt_conv2d(x, w, o), *b = lt_conv2d(z, w, o), *c = lt_conv2d_dx(x, w, 8, 8, o);
    lt_node *bias = lt_input(g, "bias", lt_shape_1d(16));
    lt_node *y[] = {a, lt_tanh(lt_add(b, bias)), c};
    lt_program *p = must_compile(g, y, 3);
    char *dump = lt_program_dump(p);
    int wanted = (conv_pack_weight(a, conv_packed_size) != NULL) + (conv_pack_weight(c, conv_packed_size) != NULL);
    assert_int_equal(count(dump, "= conv2d("), 2);
    assert_int_equal(count(dump, "= conv2d_dx("), 1);
    assert_int_equal(count(dump, "= conv2d_pack("), wanted);
    free(dump);
    lt_program_free(p);
    lt_graph_free(g);
}

/* Bias and activation, which compile puts into a convolution, against the same as written. */
static void epilogues_are_what_they_replace(void **state)
{
    (void)state;
    draws d = draws_from(41);
    for (int i = 0; i < 60; i++) {
        convolution c = draw_convolution(&d);
        trial t = begin_convolution(&c, &d);
        bool is_dx = i % 2;
        lt_node *g = add_input(&t, &d, lt_shape_4d(c.n, c.oh, c.ow, c.o));
        lt_node *bias = add_input(&t, &d, lt_shape_1d(is_dx ? c.i : c.o));
        lt_node *y = is_dx ? lt_conv2d_dx(g, t.x[1], c.h, c.w, c.window)
                           : lt_conv2d(t.x[0], t.x[1], c.window);
        y = i % 3 ? lt_add(y, bias) : y;
        lt_node *activated[] = {y, lt_relu(y), lt_tanh(y), lt_sigmoid(y), lt_leaky_relu(y, .2),
                                lt_elu(y, .7)};
        y = activated[i / 2 % COUNT_OF(activated)];
        check_graph(&t);
        lt_program *p = must_compile(t.graph, &y, 1);
        compare_executors(&t, p, &y, 1);
        compare_bits(&t, p, &y, 1);
        lt_program_free(p);
        clear(&t);
    }
}

/* Fixed weights, as of a blur, are packed like others; what is constant altogether is computed before
   the first run. */
static void constants_are_weights_too(void **state)
{
    (void)state;
    draws d = draws_from(47);
    trial t = {.name = "constant weights", .graph = lt_graph_create()};
    double values[3 * 3 * 16 * 16];
    for (int i = 0; i < COUNT_OF(values); i++)
        values[i] = draw(&d, -1, 1);
    lt_node *x = add_input(&t, &d, lt_shape_4d(5, 8, 8, 16));
    lt_node *w = lt_constant(t.graph, lt_shape_4d(3, 3, 16, 16), values);
    lt_node *fixed = lt_constant(t.graph, lt_shape_4d(1, 3, 3, 16), values);
    lt_window o = {.pad = 1};
    lt_node *y[] = {lt_conv2d(x, w, o), lt_conv2d_dx(x, w, 8, 8, o), lt_conv2d(fixed, w, o)};
    check_graph(&t);
    lt_program *p = must_compile(t.graph, y, 3);
    char *dump = lt_program_dump(p);
    assert_int_equal(count(dump, "= conv2d("), 1);
    free(dump);
    compare_executors(&t, p, y, 3);
    lt_program_free(p);
    clear(&t);
}

static void flops_are_counted(void **state)
{
    (void)state;
    lt_graph *g = lt_graph_create();
    lt_node *y = lt_conv2d(image(g, 2, 8, 8, 6), image(g, 3, 3, 2, 9),
                           (lt_window){.pad = 1, .stride = 2, .groups = 3});
    assert_int_equal(y->op->flops(y), 2 * 2 * 4 * 4 * 9 * 3 * 3 * 2);
    y = lt_conv2d(image(g, 0, 8, 8, 6), image(g, 3, 3, 6, 9), (lt_window){0});
    assert_int_equal(y->op->flops(y), 0);
    y = lt_conv2d(image(g, 1 << 12, 1 << 12, 1 << 12, 1 << 12), image(g, 9, 9, 1 << 12, 1 << 16),
                  (lt_window){.pad = 4});
    assert_true(y->op->flops(y) == INT64_MAX);
    lt_graph_free(g);
}

/* ---- Pools ---- */

/* Values, adjoints and threads of pools with random windows. */
static void pools_of_random_shapes(void **state)
{
    (void)state;
    draws d = draws_from(43);
    for (int i = 0; i < 96; i++) {
        static const int channels[] = {1, 3, 16, 65};
        int kernel = 1 + draw_below(&d, 4), stride = 1 + draw_below(&d, 4);
        lt_window o = {.stride = stride, .pad = draw_below(&d, kernel)};
        int64_t h = kernel + draw_below(&d, 9), w = kernel + draw_below(&d, 9);
        trial t = {.graph = lt_graph_create()};
        lt_shape shape = lt_shape_4d(1 + draw_below(&d, 5), h, w, channels[draw_below(&d, 4)]);
        snprintf(t.name, sizeof t.name, "x %jd %jd %jd %jd, kernel %d stride %d pad %d",
                 (intmax_t)shape.d[0], (intmax_t)h, (intmax_t)w, (intmax_t)shape.d[3], kernel,
                 stride, o.pad);
        lt_node *x = add_input(&t, &d, shape), *u = add_input(&t, &d, shape);
        lt_node *max = lt_max_pool2d(x, kernel, o), *avg = lt_avg_pool2d(u, kernel, o);
        check_graph(&t);
        lt_node *g = add_input(&t, &d, max->shape);
        lt_node *y[] = {max, lt_max_pool2d_scatter(x, g, kernel, o),
                        lt_max_pool2d_gather(x, u, kernel, o), avg,
                        lt_avg_pool2d_dx(g, h, w, kernel, o)};
        check_graph(&t);
        lt_program *p = must_compile(t.graph, y, COUNT_OF(y));
        compare_executors(&t, p, y, COUNT_OF(y));
        compare_bits(&t, p, y, COUNT_OF(y));
        lt_session *s = run(&t, p, (lt_session_options){.executor = LT_REFERENCE});
        assert_near(product_with(&t, s, y[1], 1), product_with(&t, s, y[2], 2), 1e-11);
        assert_near(product_with(&t, s, y[4], 1), product_with(&t, s, y[3], 2), 1e-11);
        lt_session_free(s);
        lt_program_free(p);
        clear(&t);
    }
}

/* One image of one channel: y and the pixels that take its gradient, in both executors. */
static void check_maxima(int side, const float *x, int kernel, lt_window o, const double *y,
                         const double *taken)
{
    lt_graph *graph = lt_graph_create();
    lt_node *in = image(graph, 1, side, side, 1), *max = lt_max_pool2d(in, kernel, o);
    lt_node *ones = lt_broadcast(lt_scalar(graph, 1), lt_node_shape(max));
    lt_node *out[] = {max, lt_max_pool2d_scatter(in, ones, kernel, o),
                      lt_max_pool2d_gather(in, in, kernel, o)};
    lt_program *p = must_compile(graph, out, 3);
    for (lt_executor e = LT_CPU; e <= LT_REFERENCE; e++) {
        lt_session *s = must_create(p, &(lt_session_options){.executor = e});
        lt_session_write(s, in, x, (size_t)(side * side));
        must_run(s, NULL);
        const double *want[] = {y, taken, y};
        for (int i = 0; i < 3; i++) {
            double *found = fetch(s, e, out[i]);
            assert_array_close("maxima", found, want[i], size_of(out[i]), 0, 0);
            free(found);
        }
        lt_session_free(s);
    }
    lt_program_free(p);
    lt_graph_free(graph);
}

static void maxima_of_equals_and_nan(void **state)
{
    (void)state;
    const double inf = HUGE_VAL, nan = (double)NAN;
    lt_window halves = {.stride = 2}, padded = {.stride = 2, .pad = 1};
    /* the first of equals; both zeros are equal */
    check_maxima(2, (float[]){3, 3, 3, 3}, 2, halves, (double[]){3}, (double[]){1, 0, 0, 0});
    check_maxima(2, (float[]){1, 3, 3, 2}, 2, halves, (double[]){3}, (double[]){0, 1, 0, 0});
    check_maxima(2, (float[]){-1, -0.f, 0, -2}, 2, halves, (double[]){0}, (double[]){0, 1, 0, 0});
    /* the first NaN, wherever the largest number is */
    check_maxima(2, (float[]){9, NAN, 5, NAN}, 2, halves, (double[]){nan}, (double[]){0, 1, 0, 0});
    check_maxima(2, (float[]){NAN, INFINITY, 5, 1}, 2, halves, (double[]){nan},
                 (double[]){1, 0, 0, 0});
    /* minus infinity is a number like others, and padding never wins */
    check_maxima(2, (float[]){-INFINITY, -INFINITY, -INFINITY, -INFINITY}, 2, halves,
                 (double[]){-inf}, (double[]){1, 0, 0, 0});
    check_maxima(2, (float[]){-4, -3, -2, -1}, 2, padded, (double[]){-4, -3, -2, -1},
                 (double[]){1, 1, 1, 1});
    /* the pixel that two windows share takes both gradients */
    check_maxima(3, (float[]){0, 1, 0, 2, 9, 3, 0, 1, 0}, 2, (lt_window){0}, (double[]){9, 9, 9, 9},
                 (double[]){0, 0, 0, 0, 4, 0, 0, 0, 0});
}

/* Nearest upsampling copies; its gradient adds. */
static void upsampling_copies(void **state)
{
    (void)state;
    static const float x[] = {.1f, -.7f, 1e-30f, 3e30f};
    lt_graph *g = lt_graph_create();
    lt_node *in = image(g, 1, 1, 4, 1), *y = lt_upsample(in, 3), *d = lt_grad(lt_sum(y), in);
    lt_program *p = must_compile(g, (lt_node *[]){y, d}, 2);
    lt_session *s = must_create(p, NULL);
    lt_session_write(s, in, x, 4);
    must_run(s, NULL);
    for (int i = 0; i < 36; i++)
        assert_true(lt_session_floats(s, y)[i] == x[i % 12 / 3]);
    for (int i = 0; i < 4; i++)
        assert_true(lt_session_floats(s, d)[i] == 9);
    lt_session_free(s);
    lt_program_free(p);
    lt_graph_free(g);
}

/* ---- Messages ---- */

/* The node cannot be built in an empty graph g, and the reason has the words. */
#define assert_refused(NODE, WORDS)                                                                \
    do {                                                                                           \
        lt_graph *g = lt_graph_create();                                                           \
        assert_true(node_is_bad(NODE));                                                            \
        assert_text_has(lt_graph_error(g), WORDS);                                                 \
        lt_graph_free(g);                                                                          \
    } while (0)

#define CONV(I, W, ...) lt_conv2d(image(g, 2, 8, 6, I), W, (lt_window){__VA_ARGS__})
#define WEIGHT(KH, KW, I, O) image(g, KH, KW, I, O)

static void misfits_of_convolutions_are_told(void **state)
{
    (void)state;
    assert_refused(CONV(64, WEIGHT(3, 3, 32, 16), .pad = 1),
                   "conv2d: input has 64 channels, weight expects 32; inputs: 2 x 8 x 6 x 64");
    assert_refused(CONV(64, WEIGHT(3, 3, 64, 16), .groups = 2), "weight expects 128");
    assert_refused(CONV(6, WEIGHT(3, 3, 2, 8), .groups = 3), "3 groups do not divide 8 output");
    assert_refused(CONV(3, WEIGHT(9, 3, 3, 4), .pad = 0),
                   "a window of 9 rows does not fit into 8;");
    assert_refused(CONV(3, WEIGHT(3, 5, 3, 4), .pad = 1, .dilation = 3),
                   "a window of 13 columns does not fit into 8 (with padding)");
    assert_refused(CONV(3, WEIGHT(3, 3, 3, 4), .stride = -1),
                   "stride must be at least 1, found -1");
    assert_refused(CONV(3, WEIGHT(3, 3, 3, 4), .dilation = -2), "dilation must be at least 1");
    assert_refused(CONV(3, WEIGHT(3, 3, 3, 4), .pad = -1), "pad must be at least 0, found -1");
    assert_refused(CONV(3, WEIGHT(3, 3, 3, 4), .groups = -1), "groups must be at least 1");
    assert_refused(CONV(3, WEIGHT(0, 3, 3, 4), .pad = 1), "expected a weight of");
    assert_refused(CONV(3, lt_input(g, "w", lt_shape_2d(3, 4)), .pad = 1), "expected a weight of");
    assert_refused(CONV(0, WEIGHT(3, 3, 0, 4), .pad = 1), "rows, columns and channels");
    assert_refused(lt_conv2d(lt_input(g, "x", lt_shape_2d(3, 4)), WEIGHT(1, 1, 4, 4),
                             (lt_window){0}), "expected images of n x height x width x channels");
    lt_window o = {.stride = 2, .pad = 1};
    assert_refused(lt_conv2d_dx(image(g, 2, 4, 4, 5), WEIGHT(4, 4, 3, 5), 8, 11, o),
                   "8 x 11 pixels become 4 x 5 under this window, not 4 x 4");
    assert_refused(lt_conv2d_dx(image(g, 2, 4, 4, 6), WEIGHT(4, 4, 3, 5), 8, 8, o),
                   "input has 6 channels, weight expects 5");
    assert_refused(lt_conv2d_dx(image(g, 2, 4, 4, 5), WEIGHT(4, 4, 3, 5), 0, 8, o),
                   "the result must have 1 to");
    assert_refused(lt_conv2d_dw(image(g, 2, 8, 8, 3), image(g, 3, 4, 4, 5), 4, 4, o),
                   "expected as many gradients as images (2), found 3");
    assert_refused(lt_conv2d_dw(image(g, 2, 8, 8, 3), image(g, 2, 4, 4, 5), 3, 5, o),
                   "8 x 8 pixels become 4 x 3 under this window, not 4 x 4");
    assert_refused(lt_conv2d_dw(image(g, 2, 8, 8, 3), image(g, 2, 4, 4, 4), 4, 4,
                                (lt_window){.stride = 2, .pad = 1, .groups = 2}),
                   "2 groups do not divide 3 input channels");
    assert_refused(lt_conv2d_dw(image(g, 2, 8, 8, 3), image(g, 2, 4, 4, 4), 0, 4, o),
                   "expected a window of 1 to");
}

/* Whatever a recipe says, nothing overflows (the tests run with -fsanitize=undefined, too). */
static void huge_sizes_are_refused(void **state)
{
    (void)state;
    const int64_t huge = INT64_MAX;
    assert_refused(CONV(3, WEIGHT(3, 3, 3, 4), .dilation = INT_MAX), "does not fit into 8");
    assert_refused(CONV(3, WEIGHT(3, 3, 3, 4), .groups = INT_MAX), "do not divide");
    assert_refused(CONV(1, WEIGHT(1, 1, 1, 1), .pad = INT_MAX), "too large");
    assert_refused(lt_conv2d_dx(image(g, 0, 1, 1, INT_MAX), image(g, 1, 1, INT_MAX, INT_MAX), 1, 1,
                                (lt_window){.groups = INT_MAX}), "too");
    assert_refused(lt_conv2d_dx(image(g, 1, 1, 1, 1), WEIGHT(1, 1, 1, 1), huge, huge,
                                (lt_window){0}), "the result must have");
    assert_refused(lt_conv2d_dw(image(g, 1, 1, 1, 1), image(g, 1, 1, 1, 1), huge, huge,
                                (lt_window){0}), "expected a window of");
    assert_refused(lt_conv2d(lt_input(g, "x", lt_shape_4d(0, (int64_t)1 << 33, 1, 1)),
                             WEIGHT(1, 1, 1, 1), (lt_window){0}), "rows, columns and channels");
    assert_refused(lt_max_pool2d(image(g, 1, 2, 2, 1), INT_MAX, (lt_window){.pad = INT_MAX - 1}),
                   "the result is too large");
    assert_refused(lt_avg_pool2d_dx(image(g, 1, 2, 2, 1), huge, huge, 2, (lt_window){0}),
                   "rows, columns and channels");
    assert_refused(lt_upsample(image(g, 1, 2, 2, 1), INT_MAX), "too large");
    assert_refused(lt_pixel_shuffle(image(g, 1, 2, 2, 1), INT_MAX), "not divisible by");
    assert_refused(lt_crop_image(image(g, 1, 2, 2, 1), 1, 1, huge, huge), "are not inside 2 x 2");
    assert_refused(lt_pad_image(image(g, 1, 2, 2, 1), huge, huge, 0, 0), "too large");
}

static void misfits_of_pools_are_told(void **state)
{
    (void)state;
    lt_window o = {.stride = 2};
    assert_refused(lt_max_pool2d(image(g, 2, 5, 5, 3), 6, o),
                   "a window of 6 rows does not fit into 5");
    assert_refused(lt_max_pool2d(image(g, 2, 5, 5, 3), 0, o), "expected a window of 1 to");
    assert_refused(lt_max_pool2d(image(g, 2, 5, 5, 3), 2, (lt_window){.pad = 2}),
                   "pad must be less than the window's 2 pixels, found 2");
    assert_refused(lt_max_pool2d(image(g, 2, 5, 5, 3), 2, (lt_window){.dilation = 2}),
                   "max_pool2d: dilation and groups apply to convolutions only");
    assert_refused(lt_avg_pool2d(image(g, 2, 5, 5, 3), 2, (lt_window){.groups = 3}),
                   "avg_pool2d: dilation and groups apply to convolutions only");
    assert_refused(lt_max_pool2d_scatter(image(g, 2, 4, 6, 3), image(g, 2, 2, 2, 3), 2, o),
                   "4 x 6 pixels under this window become 2 x 2 x 3 x 3, not 2 x 2 x 2 x 3");
    assert_refused(lt_max_pool2d_gather(image(g, 2, 4, 6, 3), image(g, 2, 4, 5, 3), 2, o),
                   "expected two inputs of the same shape");
    assert_refused(lt_avg_pool2d_dx(image(g, 2, 2, 2, 3), 6, 4, 2, o), "6 x 4 pixels under this");
    assert_refused(lt_avg_pool2d_dx(lt_input(g, "x", lt_shape_1d(3)), 6, 4, 2, o),
                   "expected images");
    assert_refused(lt_global_avg_pool(lt_input(g, "x", lt_shape_2d(3, 4))),
                   "global_avg_pool: expected n x height x width x channels, found 3 x 4");
    assert_refused(lt_upsample(image(g, 2, 5, 5, 3), 0), "upsample: the factor must be at least 1");
    assert_refused(lt_pixel_shuffle(image(g, 2, 5, 5, 6), 2),
                   "pixel_shuffle: 6 channels are not divisible by 2 x 2");
    assert_refused(lt_crop_image(image(g, 2, 5, 4, 6), 2, 0, 4, 4),
                   "crop_image: 4 x 4 pixels at row 2, column 0 are not inside 5 x 4");
    assert_refused(lt_pad_image(image(g, 2, 5, 4, 6), 0, -1, 0, 0), "must not be negative");
}

/* ---- Golden values: PyTorch's images are n x c x h x w, its weights o x i x h x w ---- */

static lt_node *from_torch(lt_node *x) { return lt_permute(x, (int[]){0, 2, 3, 1}); }
static lt_node *to_torch(lt_node *x) { return lt_permute(x, (int[]){0, 3, 1, 2}); }
static lt_node *weight_from_torch(lt_node *w) { return lt_permute(w, (int[]){2, 3, 1, 0}); }

static lt_node *torch_conv(lt_node **x, lt_window o)
{
    lt_node *y = lt_conv2d(from_torch(x[0]), weight_from_torch(x[1]), o);
    return to_torch(lt_add(y, x[2]));
}

/* Its transposed weights are i x o / groups, where a convolution from o to i channels has them so. */
static lt_node *torch_transposed(lt_node **x, int64_t height, int64_t width, lt_window o)
{
    lt_node *y = lt_conv2d_dx(from_torch(x[0]), weight_from_torch(x[1]), height, width, o);
    return to_torch(lt_add(y, x[2]));
}

static lt_node *slope(lt_node *y, lt_node *x) { return lt_grad(lt_sum(lt_square(y)), x); }

static lt_node *conv(lt_node **x) { return torch_conv(x, (lt_window){0}); }
static lt_node *conv_strided(lt_node **x)
{
    return torch_conv(x, (lt_window){.stride = 2, .pad = 1});
}
static lt_node *conv_dilated(lt_node **x)
{
    return torch_conv(x, (lt_window){.dilation = 2, .pad = 2});
}
static lt_node *conv_groups(lt_node **x)
{
    return torch_conv(x, (lt_window){.groups = 3, .pad = 1});
}
static lt_node *conv_all(lt_node **x)
{
    return torch_conv(x, (lt_window){.stride = 3, .pad = 2, .dilation = 2, .groups = 2});
}
static lt_node *conv_slope(lt_node **x)
{
    lt_window o = {.stride = 2, .pad = 1};
    return slope(lt_conv2d(from_torch(x[0]), weight_from_torch(x[1]), o), x[0]);
}
static lt_node *transposed(lt_node **x) { return torch_transposed(x, 5, 5, (lt_window){0}); }
static lt_node *transposed_strided(lt_node **x)
{
    return torch_transposed(x, 6, 8, (lt_window){.stride = 2, .pad = 1});
}
static lt_node *transposed_all(lt_node **x)
{
    lt_window o = {.stride = 2, .pad = 1, .dilation = 2, .groups = 2};
    return torch_transposed(x, 8, 8, o);
}

static const lt_window halves = {.stride = 2}, thirds = {.stride = 2, .pad = 1};

static lt_node *max_pool(lt_node **x)
{
    return to_torch(lt_max_pool2d(from_torch(x[0]), 2, halves));
}
static lt_node *max_overlap(lt_node **x)
{
    return to_torch(lt_max_pool2d(from_torch(x[0]), 3, thirds));
}
static lt_node *max_slope(lt_node **x)
{
    return slope(lt_max_pool2d(from_torch(x[0]), 3, thirds), x[0]);
}
static lt_node *avg_pool(lt_node **x)
{
    return to_torch(lt_avg_pool2d(from_torch(x[0]), 2, halves));
}
static lt_node *avg_overlap(lt_node **x)
{
    return to_torch(lt_avg_pool2d(from_torch(x[0]), 3, thirds));
}
static lt_node *global_mean(lt_node **x) { return lt_global_avg_pool(from_torch(x[0])); }
static lt_node *upsample(lt_node **x) { return to_torch(lt_upsample(from_torch(x[0]), 3)); }
static lt_node *shuffle(lt_node **x) { return to_torch(lt_pixel_shuffle(from_torch(x[0]), 2)); }
static lt_node *frame(lt_node **x) { return to_torch(lt_pad_image(from_torch(x[0]), 1, 2, 0, 3)); }
static lt_node *crop(lt_node **x) { return to_torch(lt_crop_image(from_torch(x[0]), 1, 2, 4, 3)); }

static const golden_function golden_functions[] = {
    {"conv2d", conv}, {"conv2d strided", conv_strided}, {"conv2d dilated", conv_dilated},
    {"conv2d groups", conv_groups}, {"conv2d all", conv_all}, {"conv2d slope", conv_slope},
    {"conv_transpose2d", transposed}, {"conv_transpose2d strided", transposed_strided},
    {"conv_transpose2d all", transposed_all}, {"max_pool2d", max_pool},
    {"max_pool2d overlapping", max_overlap}, {"max_pool2d slope", max_slope},
    {"avg_pool2d", avg_pool}, {"avg_pool2d overlapping", avg_overlap},
    {"global_avg_pool", global_mean}, {"upsample", upsample}, {"pixel_shuffle", shuffle},
    {"pad_image", frame}, {"crop_image", crop},
};

static void images_equal_pytorch(void **state)
{
    (void)state;
    (void)golden_import; /* for tests with parameters */
    safetensors *file = golden_open("images");
    for (int i = 0; i < COUNT_OF(golden_functions); i++)
        golden_check(file, &golden_functions[i]);
    safetensors_free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolutions_of_random_shapes),
        cmocka_unit_test(weights_are_packed_once),
        cmocka_unit_test(epilogues_are_what_they_replace),
        cmocka_unit_test(constants_are_weights_too),
        cmocka_unit_test(flops_are_counted),
        cmocka_unit_test(pools_of_random_shapes),
        cmocka_unit_test(maxima_of_equals_and_nan),
        cmocka_unit_test(upsampling_copies),
        cmocka_unit_test(misfits_of_convolutions_are_told),
        cmocka_unit_test(huge_sizes_are_refused),
        cmocka_unit_test(misfits_of_pools_are_told),
        cmocka_unit_test(images_equal_pytorch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
