/* SPDX-License-Identifier: MIT */
/* Checks of VAE objectives. The networks are linear, so a page of plain C can compute the loss and its parts
   from the noise that the graph has sampled, for every option of the objective, every prior, and one or two
   layers of codes; and the gradient by differences of that loss. The gradient of dreg, which has less noise
   than that of the loss, is compared on average. */
#include "verify/checks.h"

#include "base/memory.h"
#include "base/status.h"
#include "models/kind.h"
#include "models/priors.h"
#include "verify/draws.h"
#include "verify/plain_math.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 3, PIXELS = 4, LATENT = 2, LATENT2 = 1, PARTS = 3, MAX_DRAWS = 5, MAX_PARAMS = 256 };

static const double pi = 3.14159265358979323846, sigma = 0.6;

/* ---- Parameters, as PyTorch stores them ---- */

enum {
    MEAN_W, MEAN_B, LOGVAR_W, LOGVAR_B, DECODER_W, DECODER_B, /* one layer, the prior normal */
    MEAN2_W, MEAN2_B, LOGVAR2_W, LOGVAR2_B, PRIOR_MEAN_W, PRIOR_MEAN_B, PRIOR_LOGVAR_W, PRIOR_LOGVAR_B,
    MIXTURE_MEAN, MIXTURE_LOGVAR, MIXTURE_LOGITS, VAMP_IMAGES, NAMES
};

static const char *const names[NAMES] = {
    "posterior.mean.weight", "posterior.mean.bias", "posterior.logvar.weight",
    "posterior.logvar.bias", "decoder.0.weight", "decoder.0.bias", "posterior2.mean.weight",
    "posterior2.mean.bias", "posterior2.logvar.weight", "posterior2.logvar.bias", "prior.mean.weight",
    "prior.mean.bias", "prior.logvar.weight", "prior.logvar.bias", "mixture.mean", "mixture.logvar",
    "mixture.logits", "vamp.images"};

typedef struct subject {
    lt_recipe *recipe;
    lt_model *model;
    int64_t extent;            /* floats of the trained block */
    double *w;                 /* them */
    int *place[NAMES];         /* of each number of a parameter in the block; NULL: none */
    double x[N][PIXELS];
    double beta, capacity;
    int k;
} subject;

static double param(const subject *c, int name, int i) { return c->w[c->place[name][i]]; }

/* Finds the offsets of a parameter's numbers: exports a block of its own indices. */
static void find_places(subject *c)
{
    lt_params *p = lt_model_params(c->model);
    int64_t all = c->extent + lt_params_state_extent(p);
    float *index = must_alloc(sizeof *index * (size_t)all), *outside = must_alloc(sizeof *index * (size_t)all);
    for (int64_t i = 0; i < all; i++)
        index[i] = (float)i;
    for (int k = 0; k < NAMES; k++) {
        int at = lt_params_find(p, names[k]);
        if (at < 0)
            continue;
        int64_t n = lt_shape_size(lt_params_info(p, at).shape);
        c->place[k] = must_alloc(sizeof(int) * (size_t)n);
        lt_params_export(p, at, index, outside);
        for (int64_t i = 0; i < n; i++)
            c->place[k][i] = (int)outside[i];
    }
    free(index);
    free(outside);
}

static int open_subject(subject *c, const char *objective, const char *prior, bool is_deep)
{
    char words[640];
    draws d = draws_from(11);
    *c = (subject){.k = 1};
    snprintf(words, sizeof words,
             "data: {set: synthetic}\n"
             "model:\n  latent: %d\n  likelihood: gaussian sigma=%g\n  prior: %s\n"
             "  encoder: []\n  decoder: [linear image]\n%s"
             "objective: {%s}\n", LATENT, sigma, prior,
             is_deep ? "  latent2: 1\n  encoder2: []\n  decoder2: []\n" : "", objective);
    c->recipe = lt_recipe_parse("bounds", words, NULL, 0);
    c->model = c->recipe ? lt_model_create(c->recipe, (lt_image_size){2, 2, 1}) : NULL;
    if (!c->model)
        return LT_FORMAT;
    lt_params *p = lt_model_params(c->model);
    c->extent = lt_params_extent(p);
    c->w = must_alloc(sizeof *c->w * (size_t)c->extent);
    for (int64_t i = 0; i < c->extent; i++) {
        lt_params_block(p)[i] = (float)draw(&d, -0.7, 0.7);
        c->w[i] = (double)lt_params_block(p)[i];
    }
    for (int i = 0; i < N * PIXELS; i++)
        c->x[i / PIXELS][i % PIXELS] = draw(&d, 0, 1);
    find_places(c);
    return LT_OK;
}

static void close_subject(subject *c)
{
    for (int k = 0; k < NAMES; k++)
        free(c->place[k]);
    free(c->w);
    lt_model_free(c->model);
    lt_recipe_free(c->recipe);
}

/* ---- The objective in plain C ---- */

static void linear(const subject *c, int w, int b, int from, const double *x, int to, double *y)
{
    for (int i = 0; i < to; i++) {
        y[i] = param(c, b, i);
        for (int k = 0; k < from; k++)
            y[i] += param(c, w, i * from + k) * x[k];
    }
}

static double log_normal(int n, const double *x, const double *mean, const double *logvar)
{
    double sum = 0;
    for (int i = 0; i < n; i++) {
        double variance = logvar ? exp(logvar[i]) : 1, d = x[i] - (mean ? mean[i] : 0);
        sum += log(exp(-d * d / (2 * variance)) / sqrt(2 * pi * variance));
    }
    return sum;
}

static double squashed(double u) { return 1 / (1 + exp(-u)); }

static double log_prior(const subject *c, const double *z)
{
    double sum = 0, total = 0;
    if (!c->place[MIXTURE_MEAN] && !c->place[VAMP_IMAGES])
        return log_normal(LATENT, z, NULL, NULL);
    for (int k = 0; k < PARTS; k++) {
        double mean[LATENT], logvar[LATENT], image[PIXELS], part = 1;
        if (c->place[VAMP_IMAGES]) {
            for (int i = 0; i < PIXELS; i++)
                image[i] = squashed(param(c, VAMP_IMAGES, k * PIXELS + i));
            linear(c, MEAN_W, MEAN_B, PIXELS, image, LATENT, mean);
            linear(c, LOGVAR_W, LOGVAR_B, PIXELS, image, LATENT, logvar);
        } else {
            part = exp(param(c, MIXTURE_LOGITS, k));
            for (int i = 0; i < LATENT; i++) {
                mean[i] = param(c, MIXTURE_MEAN, k * LATENT + i);
                logvar[i] = param(c, MIXTURE_LOGVAR, k * LATENT + i);
            }
        }
        total += part;
        sum += part * exp(log_normal(LATENT, z, mean, logvar));
    }
    return log(sum / total);
}

/* One sample of an image: log p(x|z), log p(z), log q(z|x), each over all codes; and per latent the difference of the
   last two, for one layer and a normal prior. */
typedef struct sampled {
    double pixels, prior, posterior, error, by_latent[LATENT], z[LATENT];
} sampled;

static sampled sample(const subject *c, const double *x, const double *eps, const double *eps2)
{
    double mean[LATENT], logvar[LATENT], y[PIXELS], d[PIXELS];
    sampled s = {.pixels = 0};
    linear(c, MEAN_W, MEAN_B, PIXELS, x, LATENT, mean);
    linear(c, LOGVAR_W, LOGVAR_B, PIXELS, x, LATENT, logvar);
    for (int i = 0; i < LATENT; i++)
        s.z[i] = mean[i] + exp(logvar[i] / 2) * eps[i];
    linear(c, DECODER_W, DECODER_B, LATENT, s.z, PIXELS, y);
    for (int i = 0; i < PIXELS; i++) {
        d[i] = 2 * log(sigma);
        s.error += (x[i] - y[i]) * (x[i] - y[i]);
    }
    s.pixels = log_normal(PIXELS, x, y, d);
    s.posterior = log_normal(LATENT, s.z, mean, logvar);
    for (int i = 0; i < LATENT; i++)
        s.by_latent[i] = log_normal(1, &s.z[i], &mean[i], &logvar[i]) - log_normal(1, &s.z[i], NULL, NULL);
    if (c->place[MEAN2_W]) {
        double z2[LATENT2], mean2[LATENT2], logvar2[LATENT2];
        linear(c, MEAN2_W, MEAN2_B, LATENT, s.z, LATENT2, mean2);
        linear(c, LOGVAR2_W, LOGVAR2_B, LATENT, s.z, LATENT2, logvar2);
        for (int i = 0; i < LATENT2; i++)
            z2[i] = mean2[i] + exp(logvar2[i] / 2) * eps2[i];
        linear(c, PRIOR_MEAN_W, PRIOR_MEAN_B, LATENT2, z2, LATENT, mean);
        linear(c, PRIOR_LOGVAR_W, PRIOR_LOGVAR_B, LATENT2, z2, LATENT, logvar);
        s.posterior += log_normal(LATENT2, z2, mean2, logvar2);
        s.prior = log_normal(LATENT2, z2, NULL, NULL) + log_normal(LATENT, s.z, mean, logvar);
    } else {
        s.prior = log_prior(c, s.z);
    }
    return s;
}

/* KL(q(z_i|x) || N(0, 1)) of each latent. */
static void formula(const subject *c, const double *x, double kl[LATENT])
{
    double mean[LATENT], logvar[LATENT];
    linear(c, MEAN_W, MEAN_B, PIXELS, x, LATENT, mean);
    linear(c, LOGVAR_W, LOGVAR_B, PIXELS, x, LATENT, logvar);
    for (int i = 0; i < LATENT; i++)
        kl[i] = (mean[i] * mean[i] + exp(logvar[i]) - 1 - logvar[i]) / 2;
}

enum { MEAN_WEIGHT, LOG_MEAN_WEIGHT };

/* The loss from its definition. */
typedef struct objective {
    const char *line, *prior;
    bool is_deep, is_drawn; /* two layers; the rate is that of the samples */
    int bound;
    int k;
    double beta, free_bits, capacity;
    bool is_dreg, is_evaluation;
} objective;

typedef struct outcome {
    double loss, rate[N], distortion[N], error[N], log_weight[N];
} outcome;

static outcome minimized(const subject *c, const objective *o, const double *eps, const double *eps2)
{
    outcome all = {.loss = 0};
    double by_latent[LATENT] = {0}, rate = 0, distortion = 0, bound = 0;
    for (int i = 0; i < N; i++) {
        double kl[LATENT], weights = 0, weighed = 0;
        formula(c, c->x[i], kl);
        for (int k = 0; k < o->k; k++) {
            int row = i * o->k + k;
            sampled s = sample(c, c->x[i], eps + row * LATENT, eps2 ? eps2 + row * LATENT2 : NULL);
            double ratio = s.posterior - s.prior;
            all.distortion[i] -= s.pixels / o->k;
            all.error[i] += s.error / o->k;
            all.rate[i] += o->is_drawn ? ratio / o->k : 0;
            weights += exp(s.pixels - ratio) / o->k;
            weighed += exp(s.pixels - o->beta * ratio) / o->k;
            for (int l = 0; l < LATENT; l++)
                by_latent[l] += o->is_drawn ? s.by_latent[l] / o->k / N : 0;
        }
        for (int l = 0; l < LATENT && !o->is_drawn; l++) {
            all.rate[i] += kl[l];
            by_latent[l] += kl[l] / N;
        }
        all.log_weight[i] = log(weights);
        bound += log(weighed) / N;
        rate += all.rate[i] / N;
        distortion += all.distortion[i] / N;
    }
    all.loss = distortion + o->beta * rate;
    if (o->bound == LOG_MEAN_WEIGHT)
        all.loss = -bound;
    if (o->capacity > 0)
        all.loss = distortion + o->beta * fabs(rate - o->capacity);
    if (o->free_bits > 0) {
        all.loss = distortion;
        for (int l = 0; l < LATENT; l++)
            all.loss += o->beta * fmax(o->free_bits, by_latent[l]);
    }
    return all;
}

/* ---- The graph against it ---- */

enum { MAX_EPS = N * MAX_DRAWS * LATENT };

typedef struct ran {
    double loss, rate[N], distortion[N], error[N], log_weight[N], eps[MAX_EPS], eps2[MAX_EPS];
    double *gradient;
} ran;

static int run_graph(const subject *c, const objective *o, ran *r)
{
    lt_graph *g = lt_graph_create();
    lt_model_terms t;
    lt_node *noise[2] = {NULL}, *x = lt_constant(g, lt_shape_4d(N, 2, 2, 1), c->x[0]);
    LT_TRY(lt_model_build(c->model, g, x, o->is_evaluation ? LT_EVALUATION : LT_TRAINING, &t));
    if (numbers_find_noise(lt_add(t.loss, lt_mean(t.log_weight)), "normal", 2, noise) != 1 + o->is_deep)
        return status_fail(LT_VALUE, "expected %d nodes of noise", 1 + o->is_deep);
    lt_params *p = lt_model_params(c->model);
    const numbers_input inputs[] = {{t.beta, o->beta}, {t.capacity, o->capacity}};
    const numbers_target all[] = {{t.loss, &r->loss},
                                  {t.rate, r->rate},
                                  {t.distortion, r->distortion},
                                  {t.squared_error, r->error},
                                  {t.log_weight, r->log_weight},
                                  {noise[0], r->eps},
                                  {lt_params_gradient(p, t.loss), r->gradient},
                                  {noise[1], r->eps2}}; /* last: there only with two layers */
    return numbers_run(g, p, 3, inputs, 2, all, COUNT_OF(all) - !o->is_deep);
}

static int check_values(const ran *r, const outcome *want)
{
    LT_TRY(check_near("loss", r->loss, want->loss, 1e-10 * (1 + fabs(want->loss))));
    LT_TRY(check_all_near("rate", N, r->rate, want->rate, 1e-10, NULL));
    LT_TRY(check_all_near("distortion", N, r->distortion, want->distortion, 1e-10, NULL));
    LT_TRY(check_all_near("squared error", N, r->error, want->error, 1e-10, NULL));
    return check_all_near("log weight", N, r->log_weight, want->log_weight, 1e-10, NULL);
}

/* Checks the gradient by each parameter, except those of the encoder if dreg has other noise than the loss. */
static int check_gradient(subject *c, const objective *o, const ran *r)
{
    const double *eps2 = o->is_deep ? r->eps2 : NULL;
    for (int name = 0; name < NAMES; name++) {
        int at = lt_params_find(lt_model_params(c->model), names[name]);
        bool is_left_out = o->is_dreg && name != DECODER_W && name != DECODER_B;
        if (at < 0 || is_left_out)
            continue;
        int n = (int)lt_shape_size(lt_params_info(lt_model_params(c->model), at).shape);
        for (int i = 0; i < n; i++) {
            double *w = &c->w[c->place[name][i]], before = *w, h = 1e-4, slope = 0;
            *w = before + h;
            slope += minimized(c, o, r->eps, eps2).loss / (2 * h);
            *w = before - h;
            slope -= minimized(c, o, r->eps, eps2).loss / (2 * h);
            *w = before;
            char what[96];
            snprintf(what, sizeof what, "gradient by %s", names[name]);
            double found = r->gradient[c->place[name][i]];
            LT_TRY(check_near(what, found, slope, 1e-5 * (1 + fabs(slope))));
        }
    }
    return LT_OK;
}

static int check_objective(const objective *o)
{
    subject c;
    ran r = {.loss = 0};
    int status = open_subject(&c, o->line, o->prior, o->is_deep);
    if (status == LT_OK) {
        r.gradient = must_alloc(sizeof *r.gradient * (size_t)c.extent);
        status = run_graph(&c, o, &r);
    }
    if (status == LT_OK) {
        outcome want = minimized(&c, o, r.eps, o->is_deep ? r.eps2 : NULL);
        status = check_values(&r, &want);
    }
    if (status == LT_OK)
        status = check_gradient(&c, o, &r);
    free(r.gradient);
    close_subject(&c);
    return status;
}

static const objective objectives[] = {
    {.line = "beta: 1", .prior = "normal", .k = 1, .beta = 1},
    {.line = "beta: 2", .prior = "normal", .k = 1, .beta = 2},
    {.line = "beta: 0.5, kl: monte-carlo", .prior = "normal", .k = 1, .beta = 0.5, .is_drawn = true},
    {.line = "beta: 2, samples: 5", .prior = "normal", .k = 5, .beta = 2},
    {.line = "samples: 3, kl: monte-carlo, beta: 2", .prior = "normal", .k = 3, .beta = 2,
     .is_drawn = true},
    {.line = "bound: iwae", .prior = "normal", .k = 1, .beta = 1, .is_drawn = true,
     .bound = LOG_MEAN_WEIGHT},
    {.line = "bound: iwae, samples: 5", .prior = "normal", .k = 5, .beta = 1, .is_drawn = true,
     .bound = LOG_MEAN_WEIGHT},
    {.line = "bound: iwae, samples: 5, beta: 0.5", .prior = "normal", .k = 5, .beta = 0.5,
     .is_drawn = true, .bound = LOG_MEAN_WEIGHT},
    {.line = "bound: iwae, samples: 3, beta: 2", .prior = "mixture 3", .k = 3, .beta = 2,
     .is_drawn = true, .bound = LOG_MEAN_WEIGHT},
    {.line = "bound: dreg, samples: 5", .prior = "normal", .k = 5, .beta = 1, .is_drawn = true,
     .bound = LOG_MEAN_WEIGHT, .is_dreg = true},
    {.line = "bound: dreg, samples: 5, beta: 0.5", .prior = "normal", .k = 5, .beta = 0.5,
     .is_drawn = true, .bound = LOG_MEAN_WEIGHT, .is_dreg = true},
    {.line = "free_bits: 0.1, beta: 2", .prior = "normal", .k = 1, .beta = 2, .free_bits = 0.1},
    {.line = "free_bits: 0.4, beta: 0.5, samples: 3, kl: monte-carlo", .prior = "normal", .k = 3,
     .beta = 0.5, .free_bits = 0.4, .is_drawn = true},
    {.line = "free_bits: 5", .prior = "normal", .k = 1, .beta = 1, .free_bits = 5},
    {.line = "capacity: 3, beta: 2", .prior = "normal", .k = 1, .beta = 2, .capacity = 3},
    {.line = "capacity: 0.01, beta: 0.5", .prior = "normal", .k = 1, .beta = 0.5, .capacity = 0.01},
    {.line = "beta: 2, samples: 3", .prior = "mixture 3", .k = 3, .beta = 2, .is_drawn = true},
    {.line = "beta: 0.5", .prior = "vamp 3", .k = 1, .beta = 0.5, .is_drawn = true},
    {.line = "beta: 2, samples: 3", .prior = "normal", .is_deep = true, .k = 3, .beta = 2,
     .is_drawn = true},
    {.line = "bound: iwae, samples: 5, beta: 0.5", .prior = "normal", .is_deep = true, .k = 5,
     .beta = 0.5, .is_drawn = true, .bound = LOG_MEAN_WEIGHT},
    {.line = "bound: iwae, samples: 5, free_bits: 0", .prior = "normal", .k = 1, .beta = 0.5,
     .is_evaluation = true},
    {.line = "beta: 1", .prior = "mixture 3", .k = 1, .beta = 2, .is_drawn = true,
     .is_evaluation = true},
};

static int run_objective(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    (void)r;
    snprintf(told, CHECK_TEXT_SIZE, "loss, its parts and its gradient by hand");
    return check_objective(about);
}

/* ---- DReG: the gradient of iwae, on average ---- */

enum { RUNS = 24, REPEATED = 200 };

/* Means over RUNS of each parameter's gradient, and their variances. */
static int mean_gradient(const char *line, double beta, int64_t *extent, double **mean, double **variance)
{
    subject c;
    int status = open_subject(&c, line, "normal", false);
    *extent = status == LT_OK ? c.extent : 1;
    size_t n = (size_t)*extent;
    double *found = must_alloc(sizeof *found * n), *x = must_alloc(sizeof *x * N * PIXELS * REPEATED);
    *mean = must_alloc(sizeof **mean * n);
    *variance = must_alloc(sizeof **variance * n);
    for (int i = 0; status == LT_OK && i < N * PIXELS * REPEATED; i++)
        x[i] = c.x[i / PIXELS % N][i % PIXELS];
    for (int run = 0; status == LT_OK && run < RUNS; run++) {
        lt_graph *g = lt_graph_create();
        lt_model_terms t;
        status = lt_model_build(c.model, g, lt_constant(g, lt_shape_4d(N * REPEATED, 2, 2, 1), x),
                                LT_TRAINING, &t);
        if (status != LT_OK)
            break;
        lt_params *p = lt_model_params(c.model);
        status = numbers_run(g, p, (uint64_t)run, &(numbers_input){t.beta, beta}, 1,
                             &(numbers_target){lt_params_gradient(p, t.loss), found}, 1);
        for (size_t i = 0; status == LT_OK && i < n; i++) {
            (*mean)[i] += found[i] / RUNS;
            (*variance)[i] += found[i] * found[i] / RUNS;
        }
    }
    for (size_t i = 0; i < n; i++)
        (*variance)[i] = ((*variance)[i] - (*mean)[i] * (*mean)[i]) / (RUNS - 1);
    free(found);
    free(x);
    close_subject(&c);
    return status;
}

static int compare_gradients(double beta, double *worst)
{
    char iwae[64], dreg[64];
    int64_t n = 0, m = 0;
    double *mean[2] = {NULL}, *variance[2] = {NULL};
    snprintf(iwae, sizeof iwae, "bound: iwae, samples: 4, beta: %g", beta);
    snprintf(dreg, sizeof dreg, "bound: dreg, samples: 4, beta: %g", beta);
    int status = mean_gradient(iwae, beta, &n, &mean[0], &variance[0]);
    if (status == LT_OK)
        status = mean_gradient(dreg, beta, &m, &mean[1], &variance[1]);
    for (int64_t i = 0; status == LT_OK && i < n; i++) {
        double se = sqrt(fmax(variance[0][i] + variance[1][i], 1e-20));
        *worst = fmax(*worst, fabs(mean[1][i] - mean[0][i]) / se);
        status = check_near("mean gradient of dreg, against iwae", mean[1][i], mean[0][i], 5 * se);
    }
    for (int k = 0; k < 2; k++) {
        free(mean[k]);
        free(variance[k]);
    }
    return status;
}

static int run_dreg(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    static const double betas[] = {0.5, 1, 2};
    double worst = 0;
    (void)r, (void)about;
    for (int i = 0; i < COUNT_OF(betas); i++)
        LT_TRY(compare_gradients(betas[i], &worst));
    snprintf(told, CHECK_TEXT_SIZE, "means at beta 0.5, 1 and 2 within %.1f standard errors of iwae's",
             worst);
    return LT_OK;
}

/* ---- log p(x) weights of evaluation: the same log w, from its own noise ---- */

static int check_weights(const char *prior, bool is_deep)
{
    enum { K = 4 };
    subject c;
    double found[N * K], eps[MAX_EPS], eps2[MAX_EPS], want[N * K];
    int status = open_subject(&c, "beta: 1", prior, is_deep);
    if (status == LT_OK) {
        lt_graph *g = lt_graph_create();
        lt_node *noise[2] = {NULL}, *x = lt_constant(g, lt_shape_4d(N, 2, 2, 1), c.x[0]);
        lt_node *w = lt_model_log_weights(c.model, g, x, lt_model_encode(c.model, g, x), K);
        int layers = numbers_find_noise(w, "normal", 2, noise);
        numbers_target all[3] = {{w, found}, {noise[0], eps}, {noise[1], eps2}};
        status = layers == 1 + is_deep ? numbers_read_all(g, lt_model_params(c.model), all, 1 + layers)
                                       : status_fail(LT_VALUE, "expected noise, found none");
    }
    for (int i = 0; status == LT_OK && i < N * K; i++) {
        sampled s = sample(&c, c.x[i / K], eps + i * LATENT, eps2 + i * LATENT2);
        want[i] = s.pixels + s.prior - s.posterior;
    }
    close_subject(&c);
    return status == LT_OK ? check_all_near("log weight", N * K, found, want, 1e-10, NULL) : status;
}

static int run_weights(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    (void)r, (void)about;
    LT_TRY(check_weights("normal", false));
    LT_TRY(check_weights("mixture 3", false));
    LT_TRY(check_weights("vamp 3", false));
    LT_TRY(check_weights("normal", true));
    snprintf(told, CHECK_TEXT_SIZE, "log p(x, z) - log q(z|x) with every prior, and two layers");
    return LT_OK;
}

/* ---- The family ---- */

/* "beta 2 samples 5", and other options */
static const char *name_of(const objective *o, char name[160])
{
    snprintf(name, 160, "%s%s%s%s%s", o->line, strcmp(o->prior, "normal") ? " prior " : "",
             strcmp(o->prior, "normal") ? o->prior : "", o->is_deep ? " two layers" : "",
             o->is_evaluation ? " evaluated" : "");
    char *to = name;
    for (const char *c = name; *c; c++)
        if (*c != ':' && *c != ',')
            *to++ = *c;
    *to = 0;
    return name;
}

/* Fails for a prior of the table that no objective here uses. */
static int run_priors(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    (void)r, (void)about;
    for (const spec_row *const *row = prior_table.rows; *row; row++) {
        bool is_known = false;
        for (int i = 0; i < COUNT_OF(objectives); i++)
            is_known |= strncmp(objectives[i].prior, (*row)->name, strlen((*row)->name)) == 0;
        if (!is_known)
            return status_fail(LT_VALUE, "no known answer: the prior %s is in the table, but not in "
                                         "check_bounds.c", (*row)->name);
    }
    snprintf(told, CHECK_TEXT_SIZE, "all of the table are among the objectives");
    return LT_OK;
}

void check_bounds(check_run *r)
{
    static const check_row others[] = {{"dreg on average", run_dreg, NULL},
                                       {"weights of log p(x)", run_weights, NULL},
                                       {"priors", run_priors, NULL}};
    for (int i = 0; i < COUNT_OF(objectives); i++) {
        char name[160];
        if (!checks_report(r, "bounds",
                           &(check_row){name_of(&objectives[i], name), run_objective, &objectives[i]}, 1))
            return;
    }
    checks_report(r, "bounds", others, COUNT_OF(others));
}
