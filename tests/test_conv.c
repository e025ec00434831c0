/* SPDX-License-Identifier: MIT */
/* Convolution kernels against the sums they are defined by, in f64; same bits for any number of
   threads; bias and activation; nothing to do. */
#include "cpu/conv.h"

#include "check.h"
#include "cpu/onednn.h"

#include <stdio.h>

static const char *const pass_names[] = {"forward", "dx", "dw"};

/* ---- The definition ---- */

/* The three arrays, and for the one that is computed the sum of absolute values of the terms. */
typedef struct problem {
    conv_spec spec;
    int64_t nx, ny, nw;
    float *x, *y, *w, *bias;
    double *want, *size;
} problem;

static int64_t out_size(const problem *p)
{
    return p->spec.pass == CONV_FORWARD ? p->ny : p->spec.pass == CONV_DX ? p->nx : p->nw;
}

static int64_t out_channels(const conv_spec *s) { return s->pass == CONV_DX ? s->i : s->o; }

/* One term x[at_x] w[at_w] y[at_y] of the trilinear form whose derivatives the passes are. */
static void add_term(problem *p, int64_t at_x, int64_t at_w, int64_t at_y)
{
    double x = (double)p->x[at_x], w = (double)p->w[at_w], y = (double)p->y[at_y];
    int64_t at = p->spec.pass == CONV_FORWARD ? at_y : p->spec.pass == CONV_DX ? at_x : at_w;
    double term = p->spec.pass == CONV_FORWARD ? x * w : p->spec.pass == CONV_DX ? y * w : x * y;
    p->want[at] += term;
    p->size[at] += fabs(term);
}

/* All terms of one output pixel. */
static void add_pixel(problem *p, int64_t n, int64_t oy, int64_t ox)
{
    const conv_spec *s = &p->spec;
    int64_t ci = s->i / s->groups, co = s->o / s->groups;
    for (int64_t ky = 0; ky < s->kh; ky++)
        for (int64_t kx = 0; kx < s->kw; kx++) {
            int64_t iy = oy * s->stride + ky * s->dilation - s->pad;
            int64_t ix = ox * s->stride + kx * s->dilation - s->pad;
            if (iy < 0 || ix < 0 || iy >= s->h || ix >= s->w)
                continue;
            for (int64_t c = 0; c < ci; c++)
                for (int64_t o = 0; o < s->o; o++)
                    add_term(p, ((n * s->h + iy) * s->w + ix) * s->i + o / co * ci + c,
                             ((ky * s->kw + kx) * ci + c) * s->o + o,
                             ((n * s->oh + oy) * s->ow + ox) * s->o + o);
        }
}

static double activated(const conv_spec *s, double v)
{
    double a = (double)s->parameter;
    if (!s->activation)
        return v;
    if (s->activation == &lt_op_relu)
        return v < 0 ? 0 : v;
    if (s->activation == &lt_op_leaky_by)
        return v > 0 ? v : a * v;
    if (s->activation == &lt_op_elu_by)
        return v > 0 ? v : a * expm1(v);
    if (s->activation == &lt_op_tanh)
        return tanh(v);
    assert_ptr_equal(s->activation, &lt_op_sigmoid);
    return 1 / (1 + exp(-v));
}

static void define(problem *p)
{
    const conv_spec *s = &p->spec;
    for (int64_t n = 0; n < s->n; n++)
        for (int64_t oy = 0; oy < s->oh; oy++)
            for (int64_t ox = 0; ox < s->ow; ox++)
                add_pixel(p, n, oy, ox);
    for (int64_t i = 0; i < out_size(p) && s->pass != CONV_DW; i++) {
        double bias = s->has_bias ? (double)p->bias[i % out_channels(s)] : 0;
        p->size[i] += fabs(bias);
        p->want[i] = activated(s, p->want[i] + bias);
    }
}

static float *draw_array(draws *d, int64_t n)
{
    float *a = must_alloc(sizeof *a * (size_t)(n + 1));
    for (int64_t i = 0; i < n; i++)
        a[i] = (float)draw(d, -1, 1);
    return a;
}

static problem make_problem(const conv_spec *s, draws *d)
{
    problem p = {.spec = *s,
                 .nx = s->n * s->h * s->w * s->i,
                 .ny = s->n * s->oh * s->ow * s->o,
                 .nw = s->kh * s->kw * (s->i / s->groups) * s->o};
    p.x = draw_array(d, p.nx);
    p.y = draw_array(d, p.ny);
    p.w = draw_array(d, p.nw);
    p.bias = draw_array(d, s->i > s->o ? s->i : s->o);
    p.want = must_alloc(sizeof *p.want * (size_t)(out_size(&p) + 1));
    p.size = must_alloc(sizeof *p.size * (size_t)(out_size(&p) + 1));
    define(&p);
    return p;
}

static void clear_problem(problem *p)
{
    free(p->x);
    free(p->y);
    free(p->w);
    free(p->bias);
    free(p->want);
    free(p->size);
}

/* ---- The kernel ---- */

static const char *describe(const conv_spec *s)
{
    static char text[300];
    snprintf(text, sizeof text,
             "%s, %jd images %jd x %jd x %jd -> %jd x %jd x %jd, kernel %jd x %jd, stride %jd, pad %jd, "
             "dilation %jd, groups %jd, bias %d, %s",
             pass_names[s->pass], (intmax_t)s->n, (intmax_t)s->h, (intmax_t)s->w, (intmax_t)s->i,
             (intmax_t)s->oh, (intmax_t)s->ow, (intmax_t)s->o, (intmax_t)s->kh, (intmax_t)s->kw,
             (intmax_t)s->stride, (intmax_t)s->pad, (intmax_t)s->dilation, (intmax_t)s->groups,
             s->has_bias, s->activation ? s->activation->name : "no activation");
    return text;
}

/* The caller frees the result. It starts as NaN, and has NaN behind its end that must stay. */
static float *compute(const problem *p, int most_threads, int threads)
{
    conv_spec s = p->spec;
    s.threads = most_threads;
    conv_kernel *k = conv_create(&s);
    int64_t packed_size = conv_packed_size(&s), n = out_size(p);
    if (!k || packed_size < 0)
        fail_msg("%s: %s", describe(&s), lt_last_error());
    float *packed = NULL;
    if (packed_size > 0) {
        packed = tensor_alloc(sizeof *packed * (size_t)packed_size, "a packed weight");
        conv_pack(k, p->w, packed, threads);
    }
    float *out = tensor_alloc(sizeof *out * (size_t)(n + 1), "a result");
    for (int64_t i = 0; i <= n; i++)
        out[i] = NAN;
    const float *a = s.pass == CONV_DX ? p->y : p->x;
    const float *b = s.pass == CONV_DW ? p->y : packed ? packed : p->w;
    conv_run(k, a, b, s.has_bias ? p->bias : NULL, out, threads);
    if (!isnan(out[n]))
        fail_msg("%s: written behind the end", describe(&s));
    tensor_free(packed);
    conv_free(k);
    return out;
}

/* Rounding: each of at most some thousand additions of a pass adds its part of the sum of terms, in
   practice far less; activations have slopes of at most 1 here. */
static void check_values(const problem *p, const float *found)
{
    for (int64_t i = 0; i < out_size(p); i++)
        if (!(fabs((double)found[i] - p->want[i]) <= 2e-6 * p->size[i] + 1e-6))
            fail_msg("%s: [%jd] is %.9g, expected %.9g", describe(&p->spec), (intmax_t)i,
                     (double)found[i], p->want[i]);
}

static void check_spec(const conv_spec *s, draws *d)
{
    problem p = make_problem(s, d);
    float *one = compute(&p, 1, 1);
    check_values(&p, one);
    static const int threads[] = {2, 3, 4, 8};
    for (int t = 0; t < COUNT_OF(threads); t++) {
        float *more = compute(&p, 8, threads[t]);
        if (memcmp(one, more, sizeof *one * (size_t)out_size(&p)) != 0)
            fail_msg("%s: other bits with %d threads", describe(s), threads[t]);
        tensor_free(more);
    }
    tensor_free(one);
    clear_problem(&p);
}

/* ---- Shapes ---- */

/* Pixels of y; 0 if the kernel does not fit. */
static int64_t out_pixels(int64_t in, int64_t k, const conv_spec *s)
{
    int64_t room = in + 2 * s->pad - s->dilation * (k - 1) - 1;
    return room < 0 ? 0 : room / s->stride + 1;
}

static void set_out(conv_spec *s)
{
    s->oh = out_pixels(s->h, s->kh, s);
    s->ow = out_pixels(s->w, s->kw, s);
}

static void draw_activation(conv_spec *s, draws *d)
{
    static const lt_op *const ops[] = {NULL, &lt_op_relu, &lt_op_leaky_by, &lt_op_elu_by, &lt_op_tanh, &lt_op_sigmoid};
    s->has_bias = s->pass != CONV_DW && draw_one_in(d, 2);
    s->activation = s->pass != CONV_DW ? ops[draw_below(d, COUNT_OF(ops))] : NULL;
    s->parameter = draw_one_in(d, 3) ? 0 : 0.25f;
}

static conv_spec draw_spec(conv_pass pass, draws *d)
{
    static const int channels[] = {1, 2, 3, 4, 15, 16, 17, 64};
    conv_spec s = {.pass = pass,
                   .n = 1 + draw_below(d, 40),
                   .i = channels[draw_below(d, COUNT_OF(channels))],
                   .o = channels[draw_below(d, COUNT_OF(channels))],
                   .kh = 1 + draw_below(d, 5),
                   .stride = 1 + draw_below(d, 3),
                   .pad = draw_below(d, 3),
                   .dilation = 1 + draw_one_in(d, 4),
                   .groups = 1};
    s.kw = draw_one_in(d, 3) ? 1 + draw_below(d, 5) : s.kh;
    s.groups = s.i % 2 == 0 && s.o % 2 == 0 && draw_one_in(d, 3) ? 2 : 1;
    do {
        s.h = 1 + draw_below(d, 12);
        s.w = draw_one_in(d, 2) ? 1 + draw_below(d, 12) : s.h;
        set_out(&s);
    } while (s.oh == 0 || s.ow == 0);
    draw_activation(&s, d);
    return s;
}

static void passes_are_their_sums(void **state)
{
    (void)state;
    draws d = draws_from(20);
    for (int i = 0; i < 120; i++)
        for (int pass = CONV_FORWARD; pass <= CONV_DW; pass++) {
            conv_spec s = draw_spec((conv_pass)pass, &d);
            check_spec(&s, &d);
        }
}

/* Layers of real models, at few images. */
static void layers_are_their_sums(void **state)
{
    (void)state;
    static const conv_spec layers[] = {
        {.n = 5, .h = 32, .w = 32, .i = 1, .o = 16, .kh = 4, .kw = 4, .stride = 2, .pad = 1},
        {.n = 5, .h = 16, .w = 16, .i = 32, .o = 64, .kh = 4, .kw = 4, .stride = 2, .pad = 1},
        {.n = 17, .h = 4, .w = 4, .i = 128, .o = 256, .kh = 4, .kw = 4, .stride = 2, .pad = 1},
        {.n = 130, .h = 8, .w = 8, .i = 64, .o = 64, .kh = 4, .kw = 4, .stride = 2, .pad = 1},
        {.n = 3, .h = 28, .w = 28, .i = 1, .o = 16, .kh = 3, .kw = 3, .stride = 1},
        {.n = 20, .h = 14, .w = 13, .i = 16, .o = 3, .kh = 3, .kw = 3, .stride = 1, .pad = 1},
        {.n = 20, .h = 14, .w = 13, .i = 3, .o = 16, .kh = 5, .kw = 5, .stride = 1},
        {.n = 3, .h = 26, .w = 26, .i = 16, .o = 32, .kh = 3, .kw = 3, .stride = 1},
        {.n = 3, .h = 32, .w = 32, .i = 3, .o = 64, .kh = 3, .kw = 3, .stride = 1, .pad = 1},
        {.n = 2, .h = 8, .w = 8, .i = 64, .o = 64, .kh = 3, .kw = 3, .stride = 1, .pad = 1},
        {.n = 3, .h = 7, .w = 6, .i = 16, .o = 2, .kh = 1, .kw = 1, .stride = 1, .pad = 2},
        {.n = 3, .h = 2, .w = 2, .i = 64, .o = 64, .kh = 5, .kw = 5, .stride = 2, .pad = 2},
        {.n = 3, .h = 1, .w = 1, .i = 64, .o = 128, .kh = 3, .kw = 3, .stride = 1, .pad = 1},
        {.n = 19, .h = 28, .w = 28, .i = 1, .o = 2, .kh = 3, .kw = 3, .stride = 1, .pad = 1},
        {.n = 18, .h = 15, .w = 16, .i = 4, .o = 4, .kh = 3, .kw = 3, .stride = 1},
        {.n = 3, .h = 16, .w = 19, .i = 16, .o = 7, .kh = 3, .kw = 3, .stride = 1, .pad = 1},
        {.n = 3, .h = 9, .w = 40, .i = 3, .o = 4, .kh = 5, .kw = 5, .stride = 1, .pad = 6},
        {.n = 3, .h = 50, .w = 50, .i = 8, .o = 8, .kh = 2, .kw = 2, .stride = 1, .pad = 1},
    };
    draws d = draws_from(21);
    for (int i = 0; i < COUNT_OF(layers); i++)
        for (int pass = CONV_FORWARD; pass <= CONV_DW; pass++) {
            conv_spec s = layers[i];
            s.pass = (conv_pass)pass;
            s.dilation = s.groups = 1;
            set_out(&s);
            draw_activation(&s, &d);
            check_spec(&s, &d);
        }
}

/* Depthwise: as many groups as channels. */
static void groups_of_one_channel(void **state)
{
    (void)state;
    draws d = draws_from(22);
    for (int pass = CONV_FORWARD; pass <= CONV_DW; pass++) {
        conv_spec s = {.pass = (conv_pass)pass, .n = 3, .h = 7, .w = 6, .i = 16, .o = 16, .kh = 3,
                       .kw = 3, .stride = 2, .pad = 1, .dilation = 1, .groups = 16};
        set_out(&s);
        check_spec(&s, &d);
    }
}

/* ---- Nothing to do ---- */

/* A sum over nothing is 0, to which bias and activation still apply. */
static void sizes_of_zero(void **state)
{
    (void)state;
    const conv_spec whole = {.n = 3, .h = 5, .w = 4, .i = 3, .o = 2, .kh = 3, .kw = 3, .stride = 1,
                             .dilation = 1, .groups = 1, .has_bias = true, .activation = &lt_op_sigmoid};
    draws d = draws_from(23);
    for (int pass = CONV_FORWARD; pass <= CONV_DW; pass++)
        for (int which = 0; which < 4; which++) {
            conv_spec s = whole;
            s.pass = (conv_pass)pass;
            set_out(&s);
            *(int64_t *[]){&s.n, &s.i, &s.o, &s.oh}[which] = 0;
            if (s.pass == CONV_DW)
                s.has_bias = false, s.activation = NULL;
            assert_int_equal(conv_packed_size(&s), 0);
            check_spec(&s, &d);
        }
}

/* ---- Bad numbers ---- */

/* A layer that has diverged must show it, whatever the activation. */
static void nan_stays_nan(void **state)
{
    (void)state;
    static const lt_op *const ops[] = {&lt_op_relu, &lt_op_leaky_by, &lt_op_elu_by, &lt_op_tanh, &lt_op_sigmoid};
    draws d = draws_from(24);
    for (int pass = CONV_FORWARD; pass <= CONV_DX; pass++)
        for (int i = 0; i < 2 * COUNT_OF(ops); i++) {
            int channels = i % 2 ? 4 : 16;
            conv_spec s = {.pass = (conv_pass)pass, .n = 2, .h = 6, .w = 6, .i = channels,
                           .o = channels, .kh = 3, .kw = 3, .stride = 1, .pad = 1, .dilation = 1,
                           .groups = 1, .activation = ops[i / 2], .parameter = 0};
            set_out(&s);
            problem p = make_problem(&s, &d);
            p.x[7] = p.y[7] = NAN;
            float *out = compute(&p, 1, 1);
            assert_true(isnan(out[0]));
            assert_false(isnan(out[out_size(&p) - 1]));
            tensor_free(out);
            clear_problem(&p);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_are_their_sums), cmocka_unit_test(layers_are_their_sums),
        cmocka_unit_test(groups_of_one_channel), cmocka_unit_test(sizes_of_zero),
        cmocka_unit_test(nan_stays_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
