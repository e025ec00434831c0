/* SPDX-License-Identifier: MIT */
/* A model whose likelihood is known: z ~ N(0, I), x = W z + b + sigma e with orthogonal columns of
   W. Then p(x) = N(b, W W' + sigma^2 I), and the posterior is a diagonal Gaussian with a linear
   mean, which the encoder's two heads can be. */
#ifndef LATENT_LINEAR_MODEL_H
#define LATENT_LINEAR_MODEL_H

#include <latent/eval.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { HEIGHT = 3, WIDTH = 2, PIXELS = HEIGHT * WIDTH, LATENT = 2, IMAGES = 53 };

static const double SIGMA = 0.5;
static const char recipe_text[] = "name: linear\n"
                                  "data: {set: synthetic}\n"
                                  "model:\n"
                                  "  latent: 2\n"
                                  "  likelihood: gaussian sigma=0.5\n"
                                  "  encoder: []\n"
                                  "  decoder: [linear image]\n";

/* W by columns, orthogonal; b. */
static const double W[LATENT][PIXELS] = {{1, 0, 0.5, 0, -1, 0}, {0, 0.8, 0, -0.6, 0, 0.3}};
static const double B[PIXELS] = {0.1, 0.2, 0.3, 0.1, 0, 0.2};

typedef struct fixture {
    lt_model *model;
    lt_dataset *data;
} fixture;

static inline void set_param(lt_model *m, const char *name, const float *values)
{
    lt_params *p = lt_model_params(m);
    int i = lt_params_find(p, name);
    assert_true(i >= 0);
    lt_params_import(p, i, lt_params_block(p), values);
}

static inline double dot(const double *a, const double *b)
{
    double sum = 0;
    for (int i = 0; i < PIXELS; i++)
        sum += a[i] * b[i];
    return sum;
}

/* The encoder is the true posterior, its log variance off by `error`. */
static inline void fixture_open(fixture *f, double error)
{
    float decoder[PIXELS][LATENT], b[PIXELS], mean[LATENT][PIXELS], shift[LATENT] = {0},
        zero[LATENT][PIXELS] = {{0}}, logvar[LATENT];
    lt_recipe *r = lt_recipe_parse("linear", recipe_text, NULL, 0);
    if (!r)
        fail_msg("%s", lt_last_error());
    f->model = lt_model_create(r, (lt_image_size){HEIGHT, WIDTH, 1});
    if (!f->model)
        fail_msg("%s", lt_last_error());
    lt_recipe_free(r);
    assert_int_equal(lt_dataset_synthetic(IMAGES, HEIGHT, WIDTH, 1, NULL, &f->data), LT_OK);
    for (int k = 0; k < LATENT; k++) {
        double precision = 1 + dot(W[k], W[k]) / (SIGMA * SIGMA);
        logvar[k] = (float)(-log(precision) + error);
        for (int i = 0; i < PIXELS; i++) {
            decoder[i][k] = (float)W[k][i];
            mean[k][i] = (float)(W[k][i] / (SIGMA * SIGMA) / precision);
            b[i] = (float)B[i];
        }
        shift[k] = (float)(-dot(W[k], B) / (SIGMA * SIGMA) / precision);
    }
    set_param(f->model, "decoder.0.weight", decoder[0]);
    set_param(f->model, "decoder.0.bias", b);
    set_param(f->model, "posterior.mean.weight", mean[0]);
    set_param(f->model, "posterior.mean.bias", shift);
    set_param(f->model, "posterior.logvar.weight", zero[0]);
    set_param(f->model, "posterior.logvar.bias", logvar);
}

static inline void fixture_close(fixture *f)
{
    lt_model_free(f->model);
    lt_dataset_free(f->data);
}

static inline void read_image(const fixture *f, int i, double *x)
{
    float floats[PIXELS];
    assert_int_equal(lt_dataset_gather(f->data, LT_TRAIN, &(int32_t){i}, 1, 0, 1, floats), LT_OK);
    for (int k = 0; k < PIXELS; k++)
        x[k] = (double)floats[k];
}

/* -log N(x; b, W W' + sigma^2 I): along each column of W the variance is |w|^2 + sigma^2, across it
   sigma^2. */
static inline double exact_nll(const double *x)
{
    const double log_2pi = log(2 * 3.14159265358979323846);
    double d[PIXELS], rest, sum = 0;
    for (int i = 0; i < PIXELS; i++)
        d[i] = x[i] - B[i];
    rest = dot(d, d);
    for (int k = 0; k < LATENT; k++) {
        double square = dot(W[k], W[k]), along = dot(W[k], d) * dot(W[k], d) / square;
        double variance = square + SIGMA * SIGMA;
        sum += 0.5 * (log_2pi + log(variance) + along / variance);
        rest -= along;
    }
    return sum + 0.5 * ((PIXELS - LATENT) * (log_2pi + log(SIGMA * SIGMA)) +
                        rest / (SIGMA * SIGMA));
}

/* Mean and standard error over the images. */
static inline lt_estimate exact_nlls(const fixture *f)
{
    double values[IMAGES], sum = 0, squares = 0, x[PIXELS];
    for (int i = 0; i < IMAGES; i++) {
        read_image(f, i, x);
        values[i] = exact_nll(x);
        sum += values[i] / IMAGES;
    }
    for (int i = 0; i < IMAGES; i++)
        squares += (values[i] - sum) * (values[i] - sum);
    return (lt_estimate){sum, sqrt(squares / (IMAGES - 1) / IMAGES)};
}

static inline lt_evaluation evaluate(const fixture *f, const lt_eval_options *o)
{
    lt_evaluation e;
    if (lt_evaluate(f->model, f->data, LT_TRAIN, o, &e) != LT_OK)
        fail_msg("%s", lt_last_error());
    return e;
}

static inline void assert_near(double found, double expected, double tolerance)
{
    if (!(fabs(found - expected) <= tolerance))
        fail_msg("expected %.9g +- %.3g, found %.9g", expected, tolerance, found);
}

/* ---- Progress: rises to 1, and stops at a call that the test chose ---- */

typedef struct progress {
    int calls, stop_at;
    double last;
} progress;

static inline bool count_progress(void *user, double done)
{
    progress *p = user;
    assert_true(done > p->last && done <= 1);
    p->last = done;
    return ++p->calls != p->stop_at;
}

#endif
