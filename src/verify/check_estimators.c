/* SPDX-License-Identifier: MIT */
/* Checks of bounds and likelihoods on a model where all are known: z ~ N(0, I), x = W z + b + s e
   with orthogonal columns of W, so p(x) = N(b, W W' + s^2 I) and the posterior is a diagonal
   Gaussian with a linear mean. The encoder's two heads are that posterior, its variance r times too
   large. Then

       -ELBO - (-log p(x)) = KL(q || posterior) = latents (r - 1 - log r) / 2
       var(w) / E[w]^2 = (r^2 / (2 r - 1))^(latents / 2) - 1 =: V,  w = p(x, z) / q(z|x)
       E[-log 1/K sum w] - (-log p(x)) = V / (2 K) + O(1 / K^2) */
#include "verify/checks.h"

#include "base/status.h"

#include <latent/eval.h>

#include <math.h>
#include <stdio.h>

enum { HEIGHT = 4, WIDTH = 2, PIXELS = HEIGHT * WIDTH, LATENT = 2, IMAGES = 1000, REPEATS = 20 };

static const char area[] = "linear Gaussian model";
static const double pi = 3.14159265358979323846;
static const double sigma = 0.5, shift = 0.2;
static const double size[LATENT] = {1.5, 0.7}; /* of the columns of W, whose entries are +-equal */

static const char recipe_text[] = "data: {set: synthetic}\n"
                                  "model:\n"
                                  "  latent: 2\n"
                                  "  likelihood: gaussian sigma=0.5\n"
                                  "  encoder: []\n"
                                  "  decoder: [linear image]\n";

typedef struct known_model {
    lt_model *model;
    lt_dataset *data;
    double nll; /* mean of -log p(x) over the images */
} known_model;

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

static int known_open(known_model *m, double wider, int images)
{
    *m = (known_model){0};
    lt_recipe *r = lt_recipe_parse("linear", recipe_text, NULL, 0);
    m->model = r ? lt_model_create(r, (lt_image_size){HEIGHT, WIDTH, 1}) : NULL;
    lt_recipe_free(r);
    if (!m->model)
        return LT_FORMAT;
    LT_TRY(set_params(m->model, wider));
    LT_TRY(lt_dataset_synthetic(&m->data, images, HEIGHT, WIDTH, 1, NULL));
    for (int32_t i = 0; i < images; i++) {
        float x[PIXELS];
        LT_TRY(lt_dataset_gather(m->data, LT_TRAIN, &i, 1, 0, 1, x));
        m->nll += exact_nll(x) / images;
    }
    return LT_OK;
}

static void known_close(known_model *m)
{
    lt_model_free(m->model);
    lt_dataset_free(m->data);
}

/* How far estimates are above -log p(x). */
enum { ELBO, IWAE_5, IWAE_50, NLL, ESTIMATES };

/* Means and standard errors over repeats with other draws. */
static int find_gaps(const known_model *m, int k, lt_estimate gap[ESTIMATES])
{
    static const int iwae[] = {5, 50};
    double sum[ESTIMATES] = {0}, squares[ESTIMATES] = {0};
    for (int i = 0; i < REPEATS; i++) {
        lt_evaluation e;
        lt_eval_options o = {.nll_samples = k, .iwae = iwae, .n_iwae = 2, .seed = (uint64_t)i};
        LT_TRY(lt_evaluate(m->model, m->data, LT_TRAIN, &o, &e));
        double found[] = {-e.elbo.value, e.bounds[0].value.value, e.bounds[1].value.value,
                          e.nll.value};
        for (int j = 0; j < ESTIMATES; j++) {
            sum[j] += found[j] - m->nll;
            squares[j] += (found[j] - m->nll) * (found[j] - m->nll);
        }
    }
    for (int j = 0; j < ESTIMATES; j++) {
        double variance = (squares[j] - sum[j] * sum[j] / REPEATS) / (REPEATS - 1);
        gap[j] = (lt_estimate){sum[j] / REPEATS, sqrt(fmax(variance, 0) / REPEATS)};
    }
    return LT_OK;
}

/* ---- The checks ---- */

static const double wider = 2.25;

static double elbo_gap(void) { return LATENT * (wider - 1 - log(wider)) / 2; }

static double nll_gap(int k)
{
    return (pow(wider * wider / (2 * wider - 1), LATENT / 2.) - 1) / (2 * k);
}

/* From the posterior itself every draw has the same weight: exact for any K. */
static int check_exact(double *worst)
{
    known_model m;
    int status = known_open(&m, 1, IMAGES);
    const int samples[] = {1, 7, 50};
    for (int i = 0; status == LT_OK && i < COUNT_OF(samples); i++) {
        lt_evaluation e;
        lt_eval_options o = {.nll_samples = samples[i]};
        status = lt_evaluate(m.model, m.data, LT_TRAIN, &o, &e);
        if (status == LT_OK) {
            *worst = fmax(*worst, fabs(e.nll.value - m.nll));
            status = check_near("-log p(x)", e.nll.value, m.nll, 1e-5);
        }
    }
    known_close(&m);
    return status;
}

/* Chains from N(0, I), which know of q only for their steps. The mean over images of the
   differences has an error of its own; of C chains with C / ESS - 1 = V it is V / (2 C) too high.
 */
static int check_annealing(int steps, lt_estimate *gap, double *ess)
{
    enum { FEW = 200 };
    known_model m;
    double found[FEW], squares = 0, bias = 0;
    lt_ais_result r;
    lt_ais_options o = {.steps = steps, .nll_of = found};
    int status = known_open(&m, wider, FEW);
    if (status == LT_OK)
        status = lt_anneal(m.model, m.data, LT_TRAIN, &o, &r);
    for (int32_t i = 0; i < FEW && status == LT_OK; i++) {
        float x[PIXELS];
        status = lt_dataset_gather(m.data, LT_TRAIN, &i, 1, 0, 1, x);
        double off = found[i] - exact_nll(x);
        gap->value += off / FEW;
        squares += off * off;
    }
    if (status == LT_OK) {
        gap->se = sqrt((squares / FEW - gap->value * gap->value) / (FEW - 1));
        *ess = r.ess / r.chains;
        bias = (1 / *ess - 1) / (2 * r.chains);
        status = check_near("-log p(x) by annealing, less the exact one", gap->value, bias,
                            4 * gap->se + bias);
    }
    known_close(&m);
    return status;
}

/* Each above the next by more than their errors, and above the truth but for its error. */
static int check_order(const lt_estimate gap[ESTIMATES])
{
    for (int j = IWAE_5; j <= NLL; j++) {
        double errors = 4 * (gap[j - 1].se + gap[j].se);
        if (!(gap[j - 1].value - gap[j].value > errors))
            return status_fail(LT_VALUE,
                               "expected -ELBO > IWAE(5) > IWAE(50) > NLL, found %.4f, %.4f, %.4f, "
                               "%.4f above -log p(x)",
                               gap[ELBO].value, gap[IWAE_5].value, gap[IWAE_50].value,
                               gap[NLL].value);
    }
    return LT_OK;
}

/* Reports one bound that has been found, if `status` says that it has. */
static bool report_gap(check_run *r, const char *name, int status, lt_estimate gap, double want,
                       double slack)
{
    if (status == LT_OK)
        status = check_near("-log p(x) by this estimate, less the exact one", gap.value, want,
                            4 * gap.se + slack);
    return check_report(r, area, name, status, "%.5f +- %.5f above -log p(x), expected %.5f",
                        gap.value, gap.se, want);
}

void check_estimators(check_run *r)
{
    double worst = 0;
    char text[CHECK_ERROR_SIZE], name[48];
    int status = check_exact(&worst);
    if (!check_report(r, area, "true posterior", status,
                      "-log p(x) exact with 1, 7 and 50 draws, to %s",
                      check_error_text(worst, text)))
        return;

    const int k = r->o.is_quick ? 200 : 1000;
    known_model m;
    lt_estimate gap[ESTIMATES] = {{0}};
    status = known_open(&m, wider, IMAGES);
    if (status == LT_OK)
        status = find_gaps(&m, k, gap);
    known_close(&m);
    if (!report_gap(r, "-ELBO", status, gap[ELBO], elbo_gap(), 0))
        return;
    if (!check_report(r, area, "bounds of k draws", status == LT_OK ? check_order(gap) : status,
                      "k = 5 is %.4f +- %.4f above -log p(x), k = 50 %.4f +- %.4f",
                      gap[IWAE_5].value, gap[IWAE_5].se, gap[IWAE_50].value, gap[IWAE_50].se))
        return;
    snprintf(name, sizeof name, "importance sampling, K = %d", k);
    if (!report_gap(r, name, status, gap[NLL], nll_gap(k), 2 * nll_gap(k) / k))
        return;
    lt_estimate annealed = {0};
    double ess = 0;
    status = check_annealing(r->o.is_quick ? 50 : 200, &annealed, &ess);
    check_report(r, area, "annealed importance sampling", status,
                 "%.4f +- %.4f above -log p(x), effective part of the chains %.2f", annealed.value,
                 annealed.se, ess);
}
