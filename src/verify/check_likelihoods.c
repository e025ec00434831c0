/* SPDX-License-Identifier: MIT */
/* Checks of the pixel likelihoods of recipes: log p(x|z), the reported standard deviation and the mean image
   against definitions in plain C; and the optimal width of a batch. */
#include "verify/checks.h"

#include "base/status.h"
#include "nn/likelihoods.h"
#include "verify/draws.h"
#include "verify/plain_math.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 3, PIXELS = 4, CHANNELS = 2, ALL = ROWS * PIXELS };

static const double pi = 3.14159265358979323846;

/* ---- Definitions: log p of one pixel x by the decoder's output y and the width s ---- */

static double bernoulli(double x, double y, double s)
{
    (void)s;
    return x * log(1 / (1 + exp(-y))) + (1 - x) * log(1 / (1 + exp(y)));
}

static double continuous_bernoulli(double x, double y, double s)
{
    return bernoulli(x, y, s) + log(y / tanh(y / 2));
}

static double gaussian(double x, double y, double s)
{
    return -(x - y) * (x - y) / (2 * s * s) - log(s) - log(2 * pi) / 2;
}

static double laplace(double x, double y, double s) { return -fabs(x - y) / s - log(2 * s); }

static double discretized_logistic(double x, double y, double s)
{
    double above = x > 0.999 ? 1 : 1 / (1 + exp((y - x - 0.5 / 255) / s));
    double below = x < 0.001 ? 0 : 1 / (1 + exp((y - x + 0.5 / 255) / s));
    return log(above - below);
}

static double sigmoid(double y) { return 1 / (1 + exp(-y)); }
static double continuous_mean(double y) { return 1 / (1 - exp(-y)) - 1 / y; }
static double identity(double y) { return y; }
static double within(double y) { return fmin(fmax(y, 0), 1); }

/* A line of a recipe and its definition. s of the two channels: `learned` starts with a standard deviation of a
   quarter of the range per pixel. */
typedef struct truth {
    const char *line;
    double (*log_p)(double x, double y, double s);
    double (*mean)(double y);
    double s[CHANNELS], deviation; /* of a pixel by s; 0: no width */
} truth;

static const truth truths[] = {
    {"bernoulli", bernoulli, sigmoid, {0}, 0},
    {"continuous_bernoulli", continuous_bernoulli, continuous_mean, {0}, 0},
    {"gaussian 0.4", gaussian, identity, {0.4, 0.4}, 1},
    {"gaussian learned", gaussian, identity, {0.25, 0.25}, 1},
    {"gaussian per_channel", gaussian, identity, {0.25, 0.25}, 1},
    {"laplace 0.4", laplace, identity, {0.4, 0.4}, 1.41421356237309504880},
    {"laplace learned", laplace, identity, {0.17677669529663688, 0.17677669529663688},
     1.41421356237309504880},
    {"laplace per_channel", laplace, identity, {0.17677669529663688, 0.17677669529663688},
     1.41421356237309504880},
    {"discretized_logistic 0.05", discretized_logistic, within, {0.05, 0.05}, 1.8137993642342178506},
    {"discretized_logistic learned", discretized_logistic, within,
     {0.13783222385544802, 0.13783222385544802}, 1.8137993642342178506},
    {"discretized_logistic per_channel", discretized_logistic, within,
     {0.13783222385544802, 0.13783222385544802}, 1.8137993642342178506},
};

/* ---- Building ---- */

typedef struct subject {
    spec line;
    lt_params *params;
    lt_graph *graph;
    likelihood_context context;
    lt_node *y;
    likelihood_terms terms;
} subject;

static void visit(subject *c, lt_graph *g, const double *x, const double *y, bool is_training)
{
    lt_shape s = lt_shape_2d(ROWS, PIXELS);
    c->context = (likelihood_context){.scope = lt_scope_enter(lt_params_visit(c->params, g), "p"),
                                      .is_training = is_training, .channels = CHANNELS};
    c->y = lt_constant(g, s, y);
    c->terms = likelihood_build(&c->line, &c->context, c->y, lt_constant(g, s, x));
}

static int open_subject(subject *c, const char *line, const double *x, const double *y)
{
    *c = (subject){.params = lt_params_create()};
    LT_TRY(spec_parse(&likelihood_table, line, &c->line));
    lt_graph *first = lt_graph_create();
    visit(c, first, x, y, true);
    lt_graph_free(first);
    return lt_params_allocate(c->params, 1);
}

static void close_subject(subject *c)
{
    lt_params_free(c->params);
    spec_clear(&c->line);
}

/* ---- Log p(x|z), sigma, the mean image ---- */

typedef struct pixels {
    double x[ALL], y[ALL];
} pixels;

/* Levels of a byte, including 0 and 255; bits for Bernoulli. */
static pixels draw_pixels(const truth *t)
{
    pixels p;
    draws d = draws_from(7);
    for (int i = 0; i < ALL; i++) {
        int level = i < 2 ? 255 * i : draw_below(&d, 256);
        p.x[i] = t->log_p == bernoulli ? level > 127 : level / 255.;
        p.y[i] = t->mean == sigmoid || t->mean == continuous_mean ? draw(&d, 0.6, 3) * (i % 2 ? -1 : 1)
                                                                  : draw(&d, -0.1, 1.1);
    }
    return p;
}

static int check_terms(const truth *t, subject *c, const double s[CHANNELS], const pixels *p)
{
    double log_p[ROWS], mean[ALL], want[ROWS] = {0}, want_mean[ALL], sigma = 0, want_sigma;
    lt_graph *g = lt_graph_create();
    visit(c, g, p->x, p->y, false);
    numbers_target all[] = {{c->terms.log_prob, log_p}, {likelihood_mean(&c->line, c->y), mean},
                            {c->terms.sigma, &sigma}};
    int n = c->terms.sigma ? 3 : 2;
    for (int i = 0; i < ALL; i++) {
        want[i / PIXELS] += t->log_p(p->x[i], p->y[i], s[i % CHANNELS]);
        want_mean[i] = t->mean(p->y[i]);
    }
    want_sigma = t->deviation * sqrt((s[0] * s[0] + s[1] * s[1]) / 2);
    LT_TRY(numbers_read_all(g, c->params, all, n));
    LT_TRY(check_all_near("log p(x|z)", ROWS, log_p, want, 1e-6, NULL)); /* parameters are floats */
    LT_TRY(check_all_near("mean image", ALL, mean, want_mean, 1e-9, NULL));
    return check_near("sigma", sigma, want_sigma, 1e-6);
}

/* Checks the initial widths; then, if they are parameters, a different width per channel. */
static int check_line(const truth *t, subject *c, const pixels *p)
{
    LT_TRY(check_terms(t, c, t->s, p));
    int64_t n = 0;
    float *block = lt_params_block(c->params);
    double s[CHANNELS];
    if (lt_params_count(c->params) == 1)
        n = lt_shape_size(lt_params_info(c->params, 0).shape);
    for (int k = 0; n > 0 && k < CHANNELS; k++) {
        s[k] = 0.1 + 0.15 * (double)(k % n);
        block[k % n] = (float)log(s[k]);
    }
    return n > 0 ? check_terms(t, c, s, p) : LT_OK;
}

/* Samples around y must have the reported deviation; for continuous Bernoulli and bits, the mean of the mean image. */
static int check_samples(const truth *t, subject *c)
{
    enum { N = 4000 };
    double mean, square, want = t->mean(0.7), sigma = t->deviation * t->s[0];
    lt_graph *g = lt_graph_create();
    c->context = (likelihood_context){.scope = lt_scope_enter(lt_params_visit(c->params, g), "p"),
                                      .is_training = false, .channels = CHANNELS};
    lt_node *y = lt_broadcast(lt_scalar(g, 0.7), lt_shape_2d(N, PIXELS));
    lt_node *x = likelihood_draw(&c->line, &c->context, y);
    numbers_target all[] = {{lt_mean(x), &mean}, {lt_mean(lt_square(lt_shift(x, -want))), &square}};
    LT_TRY(numbers_read_all(g, c->params, all, 2));
    LT_TRY(check_near("mean of samples", mean, want, 0.02));
    bool is_free = t->deviation > 0 && t->log_p != discretized_logistic; /* that one ends at 0, 1 */
    return is_free ? check_near("deviation of samples", sqrt(square), sigma, 0.04 * sigma) : LT_OK;
}

static bool is_of(const char *line, const char *name)
{
    size_t n = strlen(name);
    return strncmp(line, name, n) == 0 && (line[n] == ' ' || !line[n]);
}

static int run_row(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    int n = 0;
    (void)r;
    for (int i = 0; i < COUNT_OF(truths); i++) {
        const truth *t = &truths[i];
        if (!is_of(t->line, about))
            continue;
        subject c;
        pixels p = draw_pixels(t);
        int status = open_subject(&c, t->line, p.x, p.y);
        if (status == LT_OK)
            status = check_line(t, &c, &p);
        for (int k = 0; status == LT_OK && lt_params_count(c.params) && k < CHANNELS; k++)
            lt_params_block(c.params)[k] = (float)log(t->s[k]);
        if (status == LT_OK)
            status = check_samples(t, &c);
        close_subject(&c);
        LT_TRY(status);
        n++;
    }
    if (n == 0)
        return check_fail_unknown(about);
    snprintf(told, CHECK_TEXT_SIZE, "log p(x|z), sigma, mean image and samples of %d width%s", n,
             n == 1 ? "" : "s");
    return LT_OK;
}

/* ---- The optimal width: of the batch in training, its running mean in evaluation ---- */

/* The mean of |error|^power over the batch, as s or its square. */
static double best(const pixels *p, int power)
{
    double sum = 0;
    for (int i = 0; i < ALL; i++)
        sum += pow(fabs(p->x[i] - p->y[i]), power);
    return sum / ALL;
}

static const truth *truth_of(const char *line)
{
    const truth *t = truths;
    while (strcmp(t->line, line) != 0)
        t++;
    return t;
}

static int check_optimal(const truth *t, int power, const char *line)
{
    pixels p = draw_pixels(t), other = p;
    subject c;
    double log_p[ROWS], want[ROWS] = {0}, remembered;
    int status = open_subject(&c, line, p.x, p.y);
    for (int i = 0; i < ALL; i++)
        other.y[i] = p.x[i] + 1.5 * (p.y[i] - p.x[i]);
    /* two steps: the mean of both is remembered */
    for (int step = 0; status == LT_OK && step < 2; step++) {
        const pixels *now = step ? &other : &p;
        double v = best(now, power), s = power == 2 ? sqrt(v) : v;
        lt_graph *g = lt_graph_create();
        visit(&c, g, now->x, now->y, true);
        memset(want, 0, sizeof want);
        for (int i = 0; i < ALL; i++)
            want[i / PIXELS] += t->log_p(now->x[i], now->y[i], s);
        numbers_target all[] = {{c.terms.log_prob, log_p}, {lt_params_state_assign(c.params, g), NULL}};
        status = numbers_read_all(g, c.params, all, 2);
        if (status == LT_OK)
            status = check_all_near("log p(x|z) in training", ROWS, log_p, want, 1e-6, NULL);
    }
    remembered = (best(&p, power) + best(&other, power)) / 2;
    if (status == LT_OK) {
        double s = power == 2 ? sqrt(remembered) : remembered;
        status = check_terms(t, &c, (double[]){s, s}, &p);
    }
    close_subject(&c);
    return status;
}

static int run_optimal(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    (void)r, (void)about;
    snprintf(told, CHECK_TEXT_SIZE, "the error of a batch, and the mean of two in evaluation");
    LT_TRY(check_optimal(truth_of("gaussian 0.4"), 2, "gaussian optimal"));
    return check_optimal(truth_of("laplace 0.4"), 1, "laplace optimal");
}

bool check_likelihood_rows(check_run *r, const spec_table *table)
{
    return checks_report_table(r, "likelihoods", table, run_row);
}

void check_likelihoods(check_run *r)
{
    if (check_likelihood_rows(r, &likelihood_table))
        checks_report(r, "likelihoods", &(check_row){"optimal width", run_optimal, NULL}, 1);
}
