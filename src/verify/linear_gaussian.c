/* SPDX-License-Identifier: MIT */
/* The linear Gaussian model, its likelihood, and the gaps of its bounds. */
#include "verify/linear_gaussian.h"

#include "base/memory.h"
#include "base/status.h"

#include <math.h>
#include <stdlib.h>

enum { HEIGHT = 4, WIDTH = 2, PIXELS = HEIGHT * WIDTH, LATENT = 2 };

static const double pi = 3.14159265358979323846;
static const double sigma = 0.5, shift = 0.2;
static const double size[LATENT] = {1.5, 0.7}; /* of the columns of W, whose entries are +-equal */

static const char recipe_text[] = "data: {set: synthetic}\n"
                                  "model:\n"
                                  "  latent: 2\n"
                                  "  likelihood: gaussian sigma=0.5\n"
                                  "  encoder: []\n"
                                  "  decoder: [linear image]\n";

/* ---- The model ---- */

static double column(int k, int i) { return size[k] / sqrt(PIXELS) * (i >> k & 1 ? -1 : 1); }

static double precision(int k) { return 1 + size[k] * size[k] / (sigma * sigma); }

static int set_param(lt_model *m, const char *name, const float *values)
{
    lt_params *p = lt_model_params(m);
    int i = lt_params_find(p, name);
    if (i < 0)
        return status_fail(LT_NOT_FOUND, "the linear model has no %s", name);
    lt_params_import(p, i, lt_params_block(p), values);
    return LT_OK;
}

static int set_params(lt_model *m, double wider)
{
    float decoder[PIXELS][LATENT], b[PIXELS], mean[LATENT][PIXELS],
        mean_bias[LATENT] = {0}, zero[LATENT][PIXELS] = {{0}}, logvar[LATENT];
    for (int k = 0; k < LATENT; k++) {
        double offset = 0;
        for (int i = 0; i < PIXELS; i++) {
            double to_mean = column(k, i) / (sigma * sigma) / precision(k);
            decoder[i][k] = (float)column(k, i);
            mean[k][i] = (float)to_mean;
            b[i] = (float)shift;
            offset -= to_mean * shift;
        }
        mean_bias[k] = (float)offset;
        logvar[k] = (float)log(wider / precision(k));
    }
    LT_TRY(set_param(m, "decoder.0.weight", decoder[0]));
    LT_TRY(set_param(m, "decoder.0.bias", b));
    LT_TRY(set_param(m, "posterior.mean.weight", mean[0]));
    LT_TRY(set_param(m, "posterior.mean.bias", mean_bias));
    LT_TRY(set_param(m, "posterior.logvar.weight", zero[0]));
    return set_param(m, "posterior.logvar.bias", logvar);
}

/* -log N(x; b, W W' + s^2 I): along a column of W the variance is its square and s^2, else s^2. */
static double exact_nll(const float *x)
{
    double rest = 0, sum = 0;
    for (int i = 0; i < PIXELS; i++)
        rest += ((double)x[i] - shift) * ((double)x[i] - shift);
    for (int k = 0; k < LATENT; k++) {
        double along = 0, variance = size[k] * size[k] + sigma * sigma;
        for (int i = 0; i < PIXELS; i++)
            along += column(k, i) / size[k] * ((double)x[i] - shift);
        sum += 0.5 * (log(2 * pi * variance) + along * along / variance);
        rest -= along * along;
    }
    return sum + 0.5 * ((PIXELS - LATENT) * log(2 * pi * sigma * sigma) + rest / (sigma * sigma));
}

int linear_gaussian_open(linear_gaussian *m, double wider, int images)
{
    *m = (linear_gaussian){0};
    lt_recipe *r = lt_recipe_parse("linear", recipe_text, NULL, 0);
    m->model = r ? lt_model_create(r, (lt_image_size){HEIGHT, WIDTH, 1}) : NULL;
    lt_recipe_free(r);
    if (!m->model)
        return LT_FORMAT;
    LT_TRY(set_params(m->model, wider));
    LT_TRY(lt_dataset_synthetic(images, HEIGHT, WIDTH, 1, NULL, &m->data));
    m->nll_of = must_alloc(sizeof *m->nll_of * (size_t)images);
    for (int32_t i = 0; i < images; i++) {
        float x[PIXELS];
        LT_TRY(lt_dataset_gather(m->data, LT_TRAIN, &i, 1, 0, 1, x));
        m->nll_of[i] = exact_nll(x);
        m->nll += m->nll_of[i] / images;
    }
    return LT_OK;
}

void linear_gaussian_close(linear_gaussian *m)
{
    lt_model_free(m->model);
    lt_dataset_free(m->data);
    free(m->nll_of);
    *m = (linear_gaussian){0};
}

/* ---- Its bounds ----
   |eps|^2 / 2 of two latents is exponentially distributed, so w / p(x) = r u^(r - 1) with u uniform
   on (0, 1). Since log s is the integral over t > 0 of (e^-t - e^(-t s)) / t (Frullani), the mean S
   of k such numbers has

       -E log S = integral of ((1 - lost(t / k))^k - e^-t) / t,   lost(t) = 1 - E e^(-t r u^(r - 1)).

   Both integrals are taken over a variable in which the integrand falls off exponentially on either
   side, t = e^y and u = 1 / (1 + e^-y): there the sum over a grid is as good as any rule. */

static const double grid = 0.125;

static double lost(double wider, double t)
{
    double sum = 0;
    for (double y = -90; y < 45; y += grid) {
        double u = 1 / (1 + exp(-y)), slope = u / (1 + exp(y));
        sum -= slope * expm1(-t * wider * pow(u, wider - 1));
    }
    return sum * grid;
}

double linear_gaussian_gap(double wider, int k)
{
    double sum = 0;
    if (wider == 1)
        return 0;
    for (double y = -25; y < 60; y += grid) {
        double t = exp(y);
        sum += exp(k * log1p(-fmin(lost(wider, t / k), 1))) - exp(-t);
    }
    return sum * grid;
}
