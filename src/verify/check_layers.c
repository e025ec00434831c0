/* SPDX-License-Identifier: MIT */
/* Checks every layer of recipes: its output and its running statistics against loops in plain C that read the
   parameters in PyTorch's layout. */
#include "verify/checks.h"

#include "base/memory.h"
#include "base/status.h"
#include "nn/layers.h"
#include "verify/draws.h"
#include "verify/plain_math.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 3, H = 5, W = 6, C = 4, SIZE = H * W * C, MOST = 4096, MAX_PARAMS = 6 };

/* ---- A layer with its numbers ---- */

typedef struct subject {
    spec line;
    lt_params *params;
    lt_shape in, out;
    double x[N * SIZE];
    double *p[MAX_PARAMS]; /* parameters and states before the run, outside form */
} subject;

static lt_node *build(subject *c, lt_graph *g, bool is_training, lt_node **x)
{
    layer_context context = {.scope = lt_params_visit(c->params, g), .name = "0",
                             .is_training = is_training, .image_size = SIZE, .image_channels = C};
    *x = lt_constant(g, c->in, c->x);
    if (c->line.row->has_list) { /* the list makes twice the input */
        context.own = lt_scope_enter(context.scope, "0");
        context.branch = lt_scale(*x, 2);
    }
    return layer_build(&c->line, &context, *x);
}

/* Fills parameters from 0.2 to 1.2; half of a weight is negative. */
static void fill_params(subject *c)
{
    draws d = draws_from(8);
    for (int i = 0; i < lt_params_count(c->params); i++) {
        lt_param_info info = lt_params_info(c->params, i);
        int64_t n = lt_shape_size(info.shape);
        float *outside = must_alloc(sizeof *outside * (size_t)n);
        c->p[i] = must_alloc(sizeof(double) * (size_t)n);
        for (int64_t k = 0; k < n; k++) {
            bool is_negative = !info.is_state && draw_one_in(&d, 2);
            c->p[i][k] = draw(&d, 0.2, 1.2) * (is_negative ? -1 : 1);
            outside[k] = (float)c->p[i][k];
        }
        lt_params_import(c->params, i, lt_params_block(c->params), outside);
        free(outside);
    }
}

static int open_subject(subject *c, const char *line, bool is_image)
{
    draws d = draws_from(9);
    *c = (subject){.params = lt_params_create(),
                   .in = is_image ? lt_shape_4d(N, H, W, C) : lt_shape_2d(N, SIZE)};
    LT_TRY(spec_parse(&layer_table, line, &c->line));
    for (int i = 0; i < N * SIZE; i++)
        c->x[i] = draw(&d, -2, 2);
    lt_node *x;
    lt_graph *g = lt_graph_create();
    build(c, g, true, &x);
    lt_graph_free(g);
    LT_TRY(lt_params_allocate(c->params, 1));
    LT_ASSERT(lt_params_count(c->params) <= MAX_PARAMS);
    fill_params(c);
    return LT_OK;
}

static void close_subject(subject *c)
{
    for (int i = 0; i < MAX_PARAMS; i++)
        free(c->p[i]);
    lt_params_free(c->params);
    spec_clear(&c->line);
}

/* Finds a parameter by the end of its name. */
static const double *param(const subject *c, const char *name)
{
    char full[64];
    snprintf(full, sizeof full, "0.%s", name);
    int i = lt_params_find(c->params, full);
    LT_ASSERT(i >= 0);
    return c->p[i];
}

/* Reads an option of the layer's line. */
static double option(const subject *c, const char *name)
{
    for (const lt_option *o = c->line.row->options; o->name; o++) {
        const char *field = (const char *)c->line.options + o->offset;
        if (strcmp(o->name, name) == 0)
            return o->kind == LT_KIND_INT ? (double)*(const int64_t *)field : *(const double *)field;
    }
    return 0;
}

static double pixel(const subject *c, int64_t n, int64_t i, int64_t j, int64_t k)
{
    return i < 0 || i >= H || j < 0 || j >= W ? 0 : c->x[((n * H + i) * W + j) * C + k];
}

/* ---- Definitions of layers ---- */

typedef void truth(const subject *c, double *y);

static void linear(const subject *c, double *y)
{
    int64_t units = c->out.d[1];
    for (int64_t n = 0; n < N; n++)
        for (int64_t u = 0; u < units; u++) {
            y[n * units + u] = param(c, "bias")[u];
            for (int64_t k = 0; k < SIZE; k++)
                y[n * units + u] += param(c, "weight")[u * SIZE + k] * c->x[n * SIZE + k];
        }
}

static void conv(const subject *c, double *y)
{
    int64_t kernel = (int64_t)option(c, "kernel"), stride = (int64_t)option(c, "stride"),
            pad = (int64_t)option(c, "pad"), dilation = (int64_t)option(c, "dilation"),
            groups = (int64_t)option(c, "groups"), channels = c->out.d[3];
    int64_t in = C / groups, each = channels / groups;
    const double *w = param(c, "weight");
    for (int64_t n = 0; n < N; n++)
        for (int64_t i = 0; i < c->out.d[1]; i++)
            for (int64_t j = 0; j < c->out.d[2]; j++)
                for (int64_t o = 0; o < channels; o++) {
                    double sum = param(c, "bias")[o];
                    for (int64_t k = 0; k < in; k++)
                        for (int64_t a = 0; a < kernel; a++)
                            for (int64_t b = 0; b < kernel; b++)
                                sum += w[((o * in + k) * kernel + a) * kernel + b] *
                                       pixel(c, n, i * stride - pad + a * dilation,
                                             j * stride - pad + b * dilation, o / each * in + k);
                    *y++ = sum;
                }
}

/* Adds each pixel to the window that a convolution of the result would read. */
static void conv_transpose(const subject *c, double *y)
{
    int64_t kernel = (int64_t)option(c, "kernel"), stride = (int64_t)option(c, "stride"),
            pad = (int64_t)option(c, "pad"), dilation = (int64_t)option(c, "dilation"),
            groups = (int64_t)option(c, "groups"), h = c->out.d[1], w = c->out.d[2],
            channels = c->out.d[3], each = channels / groups, in = C / groups;
    for (int64_t i = 0; i < N * h * w * channels; i++)
        y[i] = param(c, "bias")[i % channels];
    for (int64_t at = 0; at < N * H * W * C; at++) {
        int64_t k = at % C, j = at / C % W, i = at / C / W % H, n = at / SIZE;
        for (int64_t a = 0; a < kernel; a++)
            for (int64_t b = 0; b < kernel; b++)
                for (int64_t o = 0; o < each; o++) {
                    int64_t row = i * stride - pad + a * dilation, column = j * stride - pad + b * dilation;
                    if (row >= 0 && row < h && column >= 0 && column < w)
                        y[((n * h + row) * w + column) * channels + k / in * each + o] +=
                            param(c, "weight")[((k * each + o) * kernel + a) * kernel + b] * c->x[at];
                }
    }
}

/* ---- Norms: moments over the numbers of a group; `group_of` returns its index ---- */

typedef int64_t group_function(const subject *c, int64_t at);

static int64_t by_channel(const subject *c, int64_t at) { return (void)c, at % C; }
static int64_t by_image(const subject *c, int64_t at) { return (void)c, at / SIZE; }
static int64_t by_both(const subject *c, int64_t at) { return (void)c, at / SIZE * C + at % C; }
static int64_t by_group(const subject *c, int64_t at)
{
    int64_t groups = (int64_t)option(c, "groups");
    return at / SIZE * groups + at % C / (C / groups);
}

static void find_moments(const subject *c, group_function *group_of, int64_t group, double *mean,
                         double *squares, double *count)
{
    double sum = 0;
    *count = *squares = 0;
    for (int64_t i = 0; i < N * SIZE; i++)
        if (group_of(c, i) == group) {
            sum += c->x[i];
            ++*count;
        }
    *mean = sum / *count;
    for (int64_t i = 0; i < N * SIZE; i++)
        if (group_of(c, i) == group)
            *squares += (c->x[i] - *mean) * (c->x[i] - *mean);
}

static void normalize(const subject *c, group_function *group_of, double *y)
{
    double mean = 0, squares = 0, count = 0, eps = option(c, "eps");
    int64_t last = -1;
    for (int64_t k = 0; k < N * SIZE; k++)
        y[k] = (double)NAN;
    for (int64_t i = 0; i < N * SIZE; i++) {
        int64_t group = group_of(c, i);
        if (group != last)
            find_moments(c, group_of, group, &mean, &squares, &count);
        last = group;
        y[i] = (c->x[i] - mean) / sqrt(squares / count + eps);
    }
}

static void scale_channels(const subject *c, double *y)
{
    for (int64_t i = 0; i < N * SIZE; i++)
        y[i] = y[i] * param(c, "weight")[i % C] + param(c, "bias")[i % C];
}

static void batch_norm(const subject *c, double *y)
{
    normalize(c, by_channel, y);
    scale_channels(c, y);
}

static void batch_norm_later(const subject *c, double *y)
{
    for (int64_t i = 0; i < N * SIZE; i++)
        y[i] = (c->x[i] - param(c, "running_mean")[i % C]) /
               sqrt(param(c, "running_var")[i % C] + option(c, "eps"));
    scale_channels(c, y);
}

static void group_norm(const subject *c, double *y)
{
    normalize(c, by_group, y);
    scale_channels(c, y);
}

static void instance_norm(const subject *c, double *y)
{
    normalize(c, by_both, y);
    if (lt_params_count(c->params) > 0)
        scale_channels(c, y);
}

static void layer_norm(const subject *c, double *y)
{
    normalize(c, by_image, y);
    for (int64_t i = 0; i < N * SIZE; i++) {
        int64_t place = (i % C) * H * W + i / C % (H * W); /* c x h x w outside */
        y[i] = y[i] * param(c, "weight")[place] + param(c, "bias")[place];
    }
}

/* ---- Pooling and rearranging ---- */

static void pool(const subject *c, bool is_max, double *y)
{
    int64_t kernel = (int64_t)option(c, "kernel"), stride = (int64_t)option(c, "stride"),
            pad = (int64_t)option(c, "pad");
    stride = stride ? stride : kernel;
    for (int64_t n = 0; n < N; n++)
        for (int64_t i = 0; i < c->out.d[1]; i++)
            for (int64_t j = 0; j < c->out.d[2]; j++)
                for (int64_t k = 0; k < C; k++) {
                    double sum = 0, most = -HUGE_VAL;
                    for (int64_t a = 0; a < kernel * kernel; a++) {
                        int64_t row = i * stride - pad + a / kernel, column = j * stride - pad + a % kernel;
                        bool is_inside = row >= 0 && row < H && column >= 0 && column < W;
                        sum += pixel(c, n, row, column, k) / (double)(kernel * kernel);
                        most = is_inside ? fmax(most, pixel(c, n, row, column, k)) : most;
                    }
                    *y++ = is_max ? most : sum;
                }
}

static void max_pool(const subject *c, double *y) { pool(c, true, y); }
static void avg_pool(const subject *c, double *y) { pool(c, false, y); }

static void global_pool(const subject *c, double *y)
{
    memset(y, 0, sizeof *y * N * C);
    for (int64_t i = 0; i < N * SIZE; i++)
        y[i / SIZE * C + i % C] += c->x[i] / (H * W);
}

static void upsample(const subject *c, double *y)
{
    int64_t f = (int64_t)option(c, "factor");
    for (int64_t n = 0; n < N; n++)
        for (int64_t i = 0; i < H * f; i++)
            for (int64_t j = 0; j < W * f; j++)
                for (int64_t k = 0; k < C; k++)
                    *y++ = pixel(c, n, i / f, j / f, k);
}

/* Channel k f^2 + a f + b becomes pixel (a, b) of the f x f that stand for one (Shi et al. 2016). */
static void pixel_shuffle(const subject *c, double *y)
{
    int64_t f = (int64_t)option(c, "factor"), channels = C / (f * f);
    for (int64_t n = 0; n < N; n++)
        for (int64_t i = 0; i < H * f; i++)
            for (int64_t j = 0; j < W * f; j++)
                for (int64_t k = 0; k < channels; k++)
                    *y++ = pixel(c, n, i / f, j / f, k * f * f + i % f * f + j % f);
}

static void same(const subject *c, double *y) { memcpy(y, c->x, sizeof c->x); }

static void three_times(const subject *c, double *y)
{
    for (int64_t i = 0; i < N * SIZE; i++)
        y[i] = 3 * c->x[i];
}

/* ---- Functions of one number, and the layer's number a ---- */

static double relu(double x, double a) { return (void)a, x > 0 ? x : 0; }
static double leaky_relu(double x, double a) { return x > 0 ? x : a * x; }
static double elu(double x, double a) { return x > 0 ? x : a * (exp(x) - 1); }
static double gelu(double x, double a) { return (void)a, x * erfc(-x / sqrt(2)) / 2; }
static double silu(double x, double a) { return (void)a, x / (1 + exp(-x)); }
static double hyperbolic(double x, double a) { return (void)a, 1 - 2 / (exp(2 * x) + 1); }
static double sigmoid(double x, double a) { return (void)a, 1 / (1 + exp(-x)); }
static double softplus(double x, double a) { return (void)a, log(1 + exp(x)); }
static double shift(double x, double a) { return x + a; }
static double scale(double x, double a) { return x * a; }

typedef struct layer_truth {
    const char *line;
    bool is_row, is_later; /* of rows, not images; evaluation, not training */
    truth *y;
    double (*f)(double x, double a); /* instead of y */
    double a;
} layer_truth;

static const layer_truth truths[] = {
    {.line = "linear 7", .is_row = true, .y = linear},
    {.line = "conv 6 kernel=3 stride=2 pad=1", .y = conv},
    {.line = "conv 2 kernel=2 dilation=2 groups=2", .y = conv},
    {.line = "conv_transpose 3 kernel=3 stride=2 pad=1 output_pad=1", .y = conv_transpose},
    {.line = "conv_transpose 2 kernel=2 dilation=2 groups=2", .y = conv_transpose},
    {.line = "batch_norm", .y = batch_norm},
    {.line = "batch_norm eps=0.1 momentum=0.3", .y = batch_norm},
    {.line = "batch_norm eps=0.1", .is_later = true, .y = batch_norm_later},
    {.line = "layer_norm eps=0.1", .y = layer_norm},
    {.line = "group_norm 2 eps=0.1", .y = group_norm},
    {.line = "instance_norm eps=0.1", .y = instance_norm},
    {.line = "residual", .y = three_times},
    {.line = "max_pool 2", .y = max_pool},
    {.line = "max_pool 3 stride=2 pad=1", .y = max_pool},
    {.line = "avg_pool 2", .y = avg_pool},
    {.line = "avg_pool 3 stride=2 pad=1", .y = avg_pool},
    {.line = "global_pool", .y = global_pool},
    {.line = "upsample 3", .y = upsample},
    {.line = "pixel_shuffle 2", .y = pixel_shuffle},
    {.line = "flatten", .y = same},
    {.line = "reshape 4 6 5", .is_row = true, .y = same},
    {.line = "dropout 0.3", .is_later = true, .y = same},
    {.line = "relu", .f = relu},
    {.line = "leaky_relu 0.3", .f = leaky_relu, .a = 0.3},
    {.line = "leaky_relu", .f = leaky_relu, .a = 0.01},
    {.line = "elu", .f = elu, .a = 1},
    {.line = "elu 0.6", .f = elu, .a = 0.6},
    {.line = "gelu", .f = gelu},
    {.line = "silu", .f = silu},
    {.line = "tanh", .f = hyperbolic},
    {.line = "sigmoid", .f = sigmoid},
    {.line = "softplus", .f = softplus},
    {.line = "shift 0.4", .f = shift, .a = 0.4},
    {.line = "scale 0.4", .f = scale, .a = 0.4},
};

static int check_output(const layer_truth *t, subject *c)
{
    double *found = must_alloc(sizeof *found * MOST), *want = must_alloc(sizeof *want * MOST);
    lt_node *x;
    lt_graph *g = lt_graph_create();
    lt_node *y = build(c, g, !t->is_later, &x);
    c->out = lt_node_shape(y);
    int64_t n = lt_shape_size(c->out);
    LT_ASSERT(n <= MOST);
    int status = numbers_read_all(g, c->params, &(numbers_target){y, found}, 1);
    for (int64_t i = 0; t->f && i < n; i++)
        want[i] = t->f(c->x[i], t->a);
    if (t->y && status == LT_OK)
        t->y(c, want);
    if (status == LT_OK)
        status = check_all_near(t->line, n, found, want, 1e-6, NULL); /* parameters are floats */
    free(found);
    free(want);
    return status;
}

/* ---- Running statistics ---- */

/* running = (1 - momentum) running + momentum moment; the variance by n - 1, like PyTorch's. */
static int check_running(subject *c)
{
    double momentum = option(c, "momentum"), variance[C], found[2][C], want[2][C], count, batches;
    lt_node *x;
    lt_graph *g = lt_graph_create();
    build(c, g, true, &x);
    numbers_target all[] = {{lt_params_state_assign(c->params, g), NULL}};
    LT_TRY(numbers_read_all(g, c->params, all, 1));
    for (int k = 0; k < C; k++) {
        double mean, squares;
        find_moments(c, by_channel, k, &mean, &squares, &count);
        variance[k] = squares / (count - 1);
        want[0][k] = (1 - momentum) * param(c, "running_mean")[k] + momentum * mean;
        want[1][k] = (1 - momentum) * param(c, "running_var")[k] + momentum * variance[k];
    }
    for (int i = 0; i < lt_params_count(c->params); i++) {
        lt_param_info info = lt_params_info(c->params, i);
        const float *at = lt_params_block(c->params) + info.offset;
        int row = strcmp(info.name, "0.running_mean") == 0  ? 0
                  : strcmp(info.name, "0.running_var") == 0 ? 1
                                                            : -1;
        for (int k = 0; row >= 0 && k < C; k++)
            found[row][k] = (double)at[k];
        if (strcmp(info.name, "0.num_batches_tracked") == 0) {
            batches = (double)*at - c->p[i][0];
            LT_TRY(check_near("batches", batches, 1, 1e-6));
        }
    }
    LT_TRY(check_all_near("running mean", C, found[0], want[0], 1e-6, NULL));
    return check_all_near("running variance", C, found[1], want[1], 1e-6, NULL);
}

/* Kept numbers are x / (1 - p), a share 1 - p of them. */
static int check_dropout(subject *c)
{
    enum { MANY = N * SIZE };
    double found[MANY], p = option(c, "p");
    int kept = 0;
    lt_node *x;
    lt_graph *g = lt_graph_create();
    LT_TRY(numbers_read(g, build(c, g, true, &x), found, MANY));
    for (int i = 0; i < MANY; i++) {
        kept += found[i] != 0;
        if (found[i] != 0)
            LT_TRY(check_near("kept number", found[i], c->x[i] / (1 - p), 1e-6));
    }
    return check_near("share of kept numbers", (double)kept / MANY, 1 - p,
                      4 * sqrt(p * (1 - p) / MANY));
}

static bool is_of(const char *line, const char *name)
{
    size_t n = strlen(name);
    return strncmp(line, name, n) == 0 && (line[n] == ' ' || !line[n]);
}

static int check_layer(const layer_truth *t, const char *name)
{
    subject c;
    int status = open_subject(&c, t->line, !t->is_row);
    if (status == LT_OK)
        status = check_output(t, &c);
    if (status == LT_OK && strcmp(name, "batch_norm") == 0)
        status = check_running(&c);
    if (status == LT_OK && strcmp(name, "dropout") == 0)
        status = check_dropout(&c);
    close_subject(&c);
    return status;
}

/* ---- Spectral norm: of a matrix whose largest singular value is known ---- */

enum { ROWS = 3 };

/* a u v' + 0.4 e f' with orthonormal u, e and v, f: its largest singular value is a. */
static void set_matrix(subject *c, double a)
{
    static const double u[ROWS] = {0.6, 0.8, 0}, e[ROWS] = {0.8, -0.6, 0};
    float w[ROWS][SIZE];
    for (int i = 0; i < ROWS; i++)
        for (int k = 0; k < SIZE; k++) {
            double v = 1 / sqrt(SIZE), f = (k % 2 ? 1 : -1) / sqrt(SIZE);
            w[i][k] = (float)(a * u[i] * v + 0.4 * e[i] * f);
        }
    int at = lt_params_find(c->params, "0.weight_orig");
    lt_params_import(c->params, at, lt_params_block(c->params), w[0]);
    for (int i = 0; i < ROWS * SIZE; i++)
        c->p[at][i] = (double)w[i / SIZE][i % SIZE];
}

static int check_spectral(double a)
{
    subject c;
    double found[N * ROWS], want[N * ROWS];
    int status = open_subject(&c, "spectral_norm linear 3", false);
    if (status == LT_OK)
        set_matrix(&c, a);
    for (int i = 0; status == LT_OK && i < 30; i++) {
        lt_node *x;
        lt_graph *g = lt_graph_create();
        lt_node *y = build(&c, g, true, &x);
        numbers_target all[] = {{y, found}, {lt_params_state_assign(c.params, g), NULL}};
        status = numbers_read_all(g, c.params, all, 2);
    }
    for (int later = 0; status == LT_OK && later < 2; later++) {
        lt_node *x;
        lt_graph *g = lt_graph_create();
        for (int i = 0; i < N * ROWS; i++) {
            want[i] = param(&c, "bias")[i % ROWS];
            for (int k = 0; k < SIZE; k++)
                want[i] += param(&c, "weight_orig")[i % ROWS * SIZE + k] / a *
                           c.x[i / ROWS * SIZE + k];
        }
        status = numbers_read_all(g, c.params, &(numbers_target){build(&c, g, !later, &x), found}, 1);
        if (status == LT_OK)
            status = check_all_near(later ? "evaluation" : "training", N * ROWS, found, want, 1e-5,
                                    NULL);
    }
    close_subject(&c);
    return status;
}

/* ---- The family ---- */

static int run_layer(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    int n = 0;
    (void)r;
    if (strcmp(about, "spectral_norm") == 0) {
        LT_TRY(check_spectral(2.5));
        LT_TRY(check_spectral(0.7));
        snprintf(told, CHECK_TEXT_SIZE, "weights by singular values of 2.5 and 0.7");
        return LT_OK;
    }
    for (int i = 0; i < COUNT_OF(truths); i++)
        if (is_of(truths[i].line, about)) {
            LT_TRY(check_layer(&truths[i], about));
            n++;
        }
    if (n == 0)
        return check_fail_unknown(about);
    snprintf(told, CHECK_TEXT_SIZE, "output as by plain loops, %d line%s", n, n == 1 ? "" : "s");
    return LT_OK;
}

/* The shortcut between different shapes: a 1 x 1 convolution of every second pixel, without bias. */
static int run_shortcut(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    enum { TO = 2, ROWS_OUT = 3, COLUMNS_OUT = 3 };
    double x[H * W * C], found[ROWS_OUT * COLUMNS_OUT * TO], want[COUNT_OF(found)];
    float outside[TO * C];
    draws d = draws_from(3);
    lt_params *p = lt_params_create();
    int status = LT_OK;
    (void)r, (void)about;
    for (int i = 0; i < COUNT_OF(x); i++)
        x[i] = draw(&d, -1, 1);
    for (int pass = 0; status == LT_OK && pass < 2; pass++) {
        lt_graph *g = lt_graph_create();
        lt_node *f = lt_broadcast(lt_scalar(g, 0.5), lt_shape_4d(1, ROWS_OUT, COLUMNS_OUT, TO));
        lt_node *y = lt_shortcut(lt_params_visit(p, g), "s", lt_constant(g, lt_shape_4d(1, H, W, C), x),
                                 f, (lt_init){0});
        if (pass == 0) {
            lt_graph_free(g);
            status = lt_params_allocate(p, 1);
        } else {
            status = numbers_read_all(g, p, &(numbers_target){y, found}, 1);
        }
    }
    if (status == LT_OK)
        lt_params_export(p, lt_params_find(p, "s.weight"), lt_params_block(p), outside);
    for (int i = 0; status == LT_OK && i < COUNT_OF(found); i++) {
        int o = i % TO, column = i / TO % COLUMNS_OUT, row = i / TO / COLUMNS_OUT;
        want[i] = 0.5;
        for (int k = 0; k < C; k++)
            want[i] += (double)outside[o * C + k] * x[(2 * row * W + 2 * column) * C + k];
    }
    lt_params_free(p);
    snprintf(told, CHECK_TEXT_SIZE, "every second pixel through a matrix");
    return status == LT_OK ? check_all_near("x + f", COUNT_OF(found), found, want, 1e-6, NULL) : status;
}

bool check_layer_rows(check_run *r, const spec_table *table)
{
    return checks_report_table(r, "layers", table, run_layer);
}

void check_layers(check_run *r)
{
    if (check_layer_rows(r, &layer_table))
        checks_report(r, "layers", &(check_row){"shortcut", run_shortcut, NULL}, 1);
}
