/* SPDX-License-Identifier: MIT */
/* Checks of distributions: KLs and entropies against closed forms written with sigma instead of log
   variance, against integrals, and against means of samples; densities against their integrals. */
#include "verify/checks.h"

#include "base/memory.h"
#include "base/status.h"
#include "verify/draws.h"
#include "verify/plain_math.h"

#include <latent/distributions.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PAIRS = 64, DIMS = 3, GRID = 4000 };

static const double pi = 3.14159265358979323846;

/* ---- Pairs of Gaussians ---- */

typedef struct gaussian {
    double mean[PAIRS][DIMS], sigma[PAIRS][DIMS];
} gaussian;

static gaussian draw_gaussian(uint64_t seed)
{
    gaussian a;
    draws d = draws_from(seed);
    for (int i = 0; i < PAIRS; i++)
        for (int k = 0; k < DIMS; k++) {
            a.mean[i][k] = draw(&d, -2, 2);
            a.sigma[i][k] = exp(draw(&d, -1.2, 1));
        }
    return a;
}

static gaussian standard(void)
{
    gaussian a = {0};
    for (int i = 0; i < PAIRS * DIMS; i++)
        a.sigma[i / DIMS][i % DIMS] = 1;
    return a;
}

static lt_gauss node_of(lt_graph *g, const gaussian *a)
{
    double logvar[PAIRS * DIMS];
    for (int i = 0; i < PAIRS * DIMS; i++)
        logvar[i] = 2 * log(a->sigma[i / DIMS][i % DIMS]);
    lt_shape s = lt_shape_2d(PAIRS, DIMS);
    return (lt_gauss){lt_constant(g, s, a->mean[0]), lt_constant(g, s, logvar)};
}

static double log_normal(double x, double mean, double sigma)
{
    double d = (x - mean) / sigma;
    return -0.5 * log(2 * pi * sigma * sigma) - 0.5 * d * d;
}

/* The integral of q (log q - log p), or of -q log q without p: trapezoids over 12 sigma each way,
   exact to 1e-14 for such an integrand. */
static double integrate(double mean, double sigma, const double *p_mean, const double *p_sigma)
{
    double sum = 0, step = 24 * sigma / GRID;
    for (int i = 0; i <= GRID; i++) {
        double x = mean - 12 * sigma + step * i, log_q = log_normal(x, mean, sigma);
        sum += step * exp(log_q) * (p_mean ? log_q - log_normal(x, *p_mean, *p_sigma) : -log_q);
    }
    return sum;
}

/* Compares row i with the formula and the integral, summed over dimensions. */
static int compare_row(const gaussian *q, const gaussian *p, int i, double found, double *worst)
{
    double formula = 0, integral = 0;
    for (int k = 0; k < DIMS; k++) {
        double s = q->sigma[i][k], m = q->mean[i][k];
        if (p) {
            double r = p->sigma[i][k], d = m - p->mean[i][k];
            formula += log(r / s) + (s * s + d * d) / (2 * r * r) - 0.5;
            integral += integrate(m, s, &p->mean[i][k], &p->sigma[i][k]);
        } else {
            formula += 0.5 * log(2 * pi) + log(s) + 0.5;
            integral += integrate(m, s, NULL, NULL);
        }
    }
    *worst = fmax(*worst, fmax(fabs(found - formula), fabs(found - integral)));
    LT_TRY(check_near("formula", found, formula, 1e-11 * (1 + fabs(formula))));
    return check_near("integral", found, integral, 1e-9 * (1 + fabs(integral)));
}

enum { BETWEEN, FROM_PRIOR, ENTROPY };

static int check_pairs(int which, double *worst)
{
    lt_graph *g = lt_graph_create();
    gaussian q = draw_gaussian(1), p = which == FROM_PRIOR ? standard() : draw_gaussian(2);
    lt_gauss a = node_of(g, &q), b = node_of(g, &p);
    double rows[PAIRS];
    lt_node *y = which == BETWEEN      ? lt_gauss_kl_between(a, b)
                 : which == FROM_PRIOR ? lt_gauss_kl(a)
                                       : lt_gauss_entropy(a);
    LT_TRY(numbers_read(g, y, rows, PAIRS));
    for (int i = 0; i < PAIRS; i++)
        LT_TRY(compare_row(&q, which == ENTROPY ? NULL : &p, i, rows[i], worst));
    return LT_OK;
}

/* ---- Means of draws ---- */

/* n draws of one Gaussian: the mean of log q - log p, and of -log q, within 4 standard errors of
   what they estimate; how many it was. */
static int check_means(int64_t n, double *errors)
{
    lt_graph *g = lt_graph_create();
    const double mean[] = {0.5, -1, 2}, logvar[] = {0.3, -1.2, 0};
    lt_shape wide = lt_shape_2d(n, DIMS), one = lt_shape_1d(DIMS);
    lt_gauss q = {lt_broadcast(lt_constant(g, one, mean), wide),
                  lt_broadcast(lt_constant(g, one, logvar), wide)};
    lt_node *z = lt_gauss_sample(q), *log_q = lt_gauss_log_prob(q, z);
    lt_node *kl = lt_sub(log_q, lt_standard_log_prob(z)), *entropy = lt_neg(log_q);
    lt_node *both[] = {lt_reshape(kl, lt_shape_2d(1, n)), lt_reshape(entropy, lt_shape_2d(1, n))};
    double *rows = must_alloc(sizeof *rows * 2 * (size_t)n), want[2] = {0, 0};
    int status = numbers_read(g, lt_concat(0, 2, both), rows, 2 * n);
    for (int k = 0; k < DIMS; k++) {
        want[0] += 0.5 * (mean[k] * mean[k] + exp(logvar[k]) - 1 - logvar[k]);
        want[1] += 0.5 * (log(2 * pi) + 1 + logvar[k]);
    }
    for (int i = 0; status == LT_OK && i < 2; i++) {
        double sum = 0, squares = 0;
        for (int64_t k = 0; k < n; k++) {
            double d = rows[i * n + k] - want[i];
            sum += d;
            squares += d * d;
        }
        double se = sqrt(squares) / (double)n;
        *errors = fmax(*errors, fabs(sum / (double)n) / se);
        status = check_near(i ? "entropy" : "KL", want[i] + sum / (double)n, want[i], 4 * se);
    }
    free(rows);
    return status;
}

/* ---- Every family: formulas against means of draws ---- */

enum { FAMILIES = 11 };

static lt_node *row(lt_graph *g, double a, double b, double c)
{
    return lt_constant(g, lt_shape_2d(1, DIMS), (double[]){a, b, c});
}

/* Two components of DIMS numbers. */
static lt_gauss components(lt_graph *g, double shift)
{
    lt_shape s = {.rank = 3, .d = {1, 2, DIMS}};
    const double mean[] = {-1 + shift, 0, 1, 1, shift, -0.5}, logvar[] = {0, -1, 0.5, 0.2, 0, -0.3};
    return (lt_gauss){lt_constant(g, s, mean), lt_constant(g, s, logvar)};
}

static lt_distribution full_normal(lt_graph *g, double t)
{
    const double l[] = {1 + t, 0, 0, 0.3, 0.8, 0, -t, 0.2, 1.1};
    return lt_full_normal_distribution(row(g, t, 0, 1), lt_constant(g, lt_shape_2d(DIMS, DIMS), l));
}

/* A distribution of family i over rows of DIMS numbers; t tells two of one family apart. */
static lt_distribution member(lt_graph *g, int i, double t)
{
    lt_gauss pseudo = components(g, t);
    lt_shape two = lt_shape_2d(2, DIMS);
    switch (i) {
    case 0:
        return lt_normal_distribution((lt_gauss){row(g, t, -1, 0.5), row(g, 0, t, -1)});
    case 1:
        return lt_standard_normal(g, DIMS);
    case 2:
        return full_normal(g, t);
    case 3:
        return lt_laplace_distribution(row(g, 0, t, 1), row(g, t, -0.5, 0));
    case 4:
        return lt_uniform_distribution(row(g, -t, 0.1, 0), row(g, 0.5 + t, 0.9, 1));
    case 5:
        return lt_bernoulli_distribution(row(g, t, -1, 2));
    case 6:
        return lt_categorical_distribution(row(g, t, -1, 1));
    case 7:
        return lt_continuous_bernoulli_distribution(row(g, t, -1, 2));
    case 8:
        return lt_discretized_logistic_distribution(row(g, 0.5, t, 0.2), row(g, -3, -2, -2.5));
    case 9:
        return lt_mixture_distribution(lt_constant(g, lt_shape_2d(1, 2), (double[]){t, 0.5}),
                                       pseudo);
    default:
        return lt_vamp_prior(
            (lt_gauss){lt_reshape(pseudo.mean, two), lt_reshape(pseudo.logvar, two)});
    }
}

typedef struct tried {
    int formulas, infinite;
    double errors; /* the largest difference in standard errors */
} tried;

/* Compares a formula's value with the mean of samples and its standard error. */
static int check_formula(lt_graph *g, lt_node *formula, lt_monte_carlo drawn, const char *what,
                         const char *q, const char *p, tried *t)
{
    double found[3];
    lt_node *all[] = {formula, drawn.value, drawn.se};
    LT_TRY(numbers_read(g, lt_concat(0, 3, all), found, 3));
    t->formulas++;
    t->infinite += isinf(found[0]);
    if (found[0] == found[1]) /* infinity too */
        return LT_OK;
    double off = fabs(found[0] - found[1]), rounding = 1e-9 * fabs(found[0]);
    if (found[2] > rounding)
        t->errors = fmax(t->errors, off / found[2]);
    if (off <= 4.5 * found[2] + rounding)
        return LT_OK;
    return status_fail(LT_VALUE, "%s of %s%s%s: formula %.6g, mean of draws %.6g +- %.1e", what, q,
                       p[0] ? " and " : "", p, found[0], found[1], found[2]);
}

static int check_divergence(int i, int k, int n, tried *t)
{
    lt_graph *g = lt_graph_create();
    lt_distribution q = member(g, i, 0), p = member(g, k, 0.4);
    if (lt_has_kl(q, p))
        return check_formula(g, lt_kl(q, p), lt_estimate_kl(q, p, n), "KL",
                             lt_distribution_describe(q).name, lt_distribution_describe(p).name, t);
    lt_graph_free(g);
    return LT_OK;
}

static int check_entropy(int i, int n, tried *t)
{
    lt_graph *g = lt_graph_create();
    lt_distribution q = member(g, i, 0.4);
    lt_family_info info = lt_distribution_describe(q);
    if (info.has_entropy)
        return check_formula(g, lt_entropy(q), lt_estimate_entropy(q, n), "entropy", info.name, "",
                             t);
    lt_graph_free(g);
    return LT_OK;
}

static int check_divergences(int n, tried *t)
{
    for (int i = 0; i < FAMILIES; i++)
        for (int k = 0; k < FAMILIES; k++)
            LT_TRY(check_divergence(i, k, n, t));
    return LT_OK;
}

static int check_entropies(int n, tried *t)
{
    for (int i = 0; i < FAMILIES; i++)
        LT_TRY(check_entropy(i, n, t));
    return LT_OK;
}

/* KL of U[0, 1] and U[low, low + 1]: 0 of itself, else infinite, either way round. */
static int check_supports(void)
{
    static const double lows[] = {0, 0.5, 1};
    for (int i = 0; i < 2 * COUNT_OF(lows); i++) {
        double low = lows[i / 2], found, want = low > 0 ? HUGE_VAL : 0;
        lt_graph *g = lt_graph_create();
        lt_shape s = lt_shape_2d(1, 1);
        lt_node *ends[] = {lt_constant(g, s, &low), lt_constant(g, s, (double[]){low + 1}),
                           lt_constant(g, s, (double[]){0}), lt_constant(g, s, (double[]){1})};
        lt_distribution a = lt_uniform_distribution(ends[0], ends[1]),
                        b = lt_uniform_distribution(ends[2], ends[3]);
        LT_TRY(numbers_read(g, i % 2 ? lt_kl(a, b) : lt_kl(b, a), &found, 1));
        LT_TRY(check_near("KL", found, want, 0));
    }
    return LT_OK;
}

/* ---- The family ---- */

static int run_pairs(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    char error[CHECK_ERROR_SIZE];
    double worst = 0;
    int status = check_pairs(*(const int *)about, &worst);
    (void)r;
    snprintf(told, CHECK_TEXT_SIZE,
             "%d in %d dimensions, formula and integral, differences up to %s", PAIRS, DIMS,
             check_error_text(worst, error));
    return status;
}

static int draws_of(const check_run *r) { return r->o.is_quick ? 20000 : 200000; }

static int run_means(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    double errors = 0;
    int status = check_means(draws_of(r), &errors);
    (void)about;
    snprintf(told, CHECK_TEXT_SIZE, "means of %d draws within %.1f standard errors", draws_of(r),
             errors);
    return status;
}

static int run_divergences(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    tried kl = {0};
    int few = draws_of(r) / 10, status = check_divergences(few, &kl);
    (void)about;
    snprintf(told, CHECK_TEXT_SIZE,
             "%d finite, %d infinite, means of %d draws within %.1f standard errors",
             kl.formulas - kl.infinite, kl.infinite, few, kl.errors);
    return status;
}

static int run_entropies(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    tried entropy = {0};
    int few = draws_of(r) / 10, status = check_entropies(few, &entropy);
    (void)about;
    snprintf(told, CHECK_TEXT_SIZE, "%d formulas, means of %d draws within %.1f standard errors",
             entropy.formulas, few, entropy.errors);
    return status;
}

static int run_supports(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    (void)r, (void)about;
    snprintf(told, CHECK_TEXT_SIZE, "KL of U[0, 1] and U[0.5, 1.5] or U[1, 2] is infinite, either way");
    return check_supports();
}

void check_distributions(check_run *r)
{
    static const int which[] = {BETWEEN, FROM_PRIOR, ENTROPY};
    static const check_row rows[] = {{"KL between Gaussians", run_pairs, &which[0]},
                                     {"KL from N(0, I)", run_pairs, &which[1]},
                                     {"entropy of a Gaussian", run_pairs, &which[2]},
                                     {"KL and entropy by Monte Carlo", run_means, NULL},
                                     {"KL of all families", run_divergences, NULL},
                                     {"entropy of all families", run_entropies, NULL},
                                     {"other supports", run_supports, NULL}};
    checks_report(r, "distributions", rows, COUNT_OF(rows));
}
