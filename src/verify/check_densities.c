/* SPDX-License-Identifier: MIT */
/* Checks every family of distributions against definitions in plain C, without the library's formulas: log densities
   point by point, which must integrate or sum to 1; entropies, means and KLs against integrals and sums;
   samples against their noise through the distribution function. */
#include "verify/checks.h"

#include "base/status.h"
#include "verify/draws.h"
#include "verify/plain_math.h"

#include <latent/distributions.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 8, DIMS = 3, ALL = ROWS * DIMS };

static const double pi = 3.14159265358979323846;

/* ---- Families whose numbers are independent of each other ---- */

/* A distribution of one number with parameters p. */
typedef struct truth {
    const char *name;
    int levels;            /* values i / (levels - 1); 0: a density */
    double range[2][2];    /* that parameters are drawn from */
    double (*log_density)(double x, const double *p);
    double (*below)(double x, const double *p); /* the distribution function */
    double (*end)(int which, const double *p);  /* 0: the lowest value, 1: the highest */
    bool has_kink;         /* at p[0] */
    lt_distribution (*make)(lt_node *a, lt_node *b);
} truth;

static double line_end(int which, const double *p) { return (void)p, which ? HUGE_VAL : -HUGE_VAL; }
static double unit_end(int which, const double *p) { return (void)p, which; }
static double own_end(int which, const double *p) { return p[which]; }

/* p: mean, log of the variance */
static double normal_log(double x, const double *p)
{
    double sigma = sqrt(exp(p[1])), d = (x - p[0]) / sigma;
    return -d * d / 2 - log(sigma * sqrt(2 * pi));
}
static double normal_below(double x, const double *p)
{
    return erfc((p[0] - x) / sqrt(2 * exp(p[1]))) / 2;
}
static lt_distribution normal_make(lt_node *a, lt_node *b)
{
    return lt_normal_distribution((lt_gauss){a, b});
}

/* p: location, log of the scale */
static double laplace_log(double x, const double *p)
{
    double s = exp(p[1]);
    return log(exp(-fabs(x - p[0]) / s) / (2 * s));
}
static double laplace_below(double x, const double *p)
{
    double tail = exp(-fabs(x - p[0]) / exp(p[1])) / 2;
    return x < p[0] ? tail : 1 - tail;
}

/* p: low, high */
static double uniform_log(double x, const double *p)
{
    return x >= p[0] && x <= p[1] ? log(1 / (p[1] - p[0])) : -HUGE_VAL;
}
static double uniform_below(double x, const double *p) { return (x - p[0]) / (p[1] - p[0]); }

/* p: logit */
static double bernoulli_log(double x, const double *p)
{
    double one = 1 / (1 + exp(-p[0]));
    return log(x > 0.5 ? one : 1 - one);
}
static double bernoulli_below(double x, const double *p)
{
    return x > 0.5 ? 1 : 1 - 1 / (1 + exp(-p[0]));
}
static lt_distribution bernoulli_make(lt_node *a, lt_node *b)
{
    (void)b;
    return lt_bernoulli_distribution(a);
}

/* p: logit; l e^(l x) / (e^l - 1), where for small l (e^l - 1) / l = 1 + l/2 + l^2/6 + ... */
static double grown(double l)
{
    double sum = 1, term = 1;
    if (fabs(l) > 1)
        return (exp(l) - 1) / l;
    for (int k = 2; k < 25; k++)
        sum += term *= l / k;
    return sum;
}
static double continuous_log(double x, const double *p)
{
    return x >= 0 && x <= 1 ? p[0] * x - log(grown(p[0])) : -HUGE_VAL;
}
static double continuous_below(double x, const double *p)
{
    return x * grown(p[0] * x) / grown(p[0]);
}
static lt_distribution continuous_make(lt_node *a, lt_node *b)
{
    (void)b;
    return lt_continuous_bernoulli_distribution(a);
}

/* p: location, log of the scale; level k has what a logistic variable has within half a level of
   it, the ends what is beyond */
static double logistic(double x, const double *p) { return 1 / (1 + exp((p[0] - x) / exp(p[1]))); }
static double logistic_below(double x, const double *p)
{
    return x > 254.5 / 255 ? 1 : logistic(x + 0.5 / 255, p);
}
static double logistic_log(double x, const double *p)
{
    double above = logistic_below(x, p), below = x < 0.5 / 255 ? 0 : logistic(x - 0.5 / 255, p);
    return log(above - below);
}

static const truth truths[] = {
    {"normal", 0, {{-2, 2}, {-2, 1.5}}, normal_log, normal_below, line_end, false, normal_make},
    {"laplace", 0, {{-2, 2}, {-1, 1}}, laplace_log, laplace_below, line_end, true,
     lt_laplace_distribution},
    {"uniform", 0, {{-1, 0}, {0.5, 2}}, uniform_log, uniform_below, own_end, false,
     lt_uniform_distribution},
    {"bernoulli", 2, {{-4, 4}, {0, 1}}, bernoulli_log, bernoulli_below, unit_end, false,
     bernoulli_make},
    {"continuous bernoulli", 0, {{-3, 3}, {0, 1}}, continuous_log, continuous_below, unit_end, false,
     continuous_make},
    {"discretized logistic", 256, {{0.1, 0.9}, {-3, -1.5}}, logistic_log, logistic_below, unit_end,
     false, lt_discretized_logistic_distribution},
};
enum { TRUTHS = COUNT_OF(truths) };

/* ROWS x DIMS parameters; for a continuous Bernoulli on both sides of the switch to its series. */
typedef struct parameters {
    double p[2][ALL];
} parameters;

static parameters draw_parameters(const truth *t, uint64_t seed)
{
    static const double logits[] = {1e-4, -0.05, 0.06, -0.07, 0.3, -0.49, 0.51, -9, 12};
    parameters a;
    draws d = draws_from(seed);
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < ALL; i++)
            a.p[k][i] = draw(&d, t->range[k][0], t->range[k][1]);
    if (t->make == continuous_make)
        for (int i = 0; i < COUNT_OF(logits); i++)
            a.p[0][i] = (double)(float)logits[i];
    return a;
}

/* Parameters of number i. */
static const double *at(const parameters *a, int i, double p[2])
{
    p[0] = a->p[0][i];
    p[1] = a->p[1][i];
    return p;
}

static lt_distribution make(lt_graph *g, const truth *t, const parameters *a)
{
    lt_shape s = lt_shape_2d(ROWS, DIMS);
    return t->make(lt_constant(g, s, a->p[0]), lt_constant(g, s, a->p[1]));
}

/* ---- Integrals and sums over one number's values ---- */

typedef double expectation(double x, double log_q, const void *about);

typedef struct mean_call {
    const truth *q;
    const double *p;
    expectation *f;
    const void *about;
} mean_call;

static double weighed(double x, const void *about)
{
    const mean_call *c = about;
    double log_q = c->q->log_density(x, c->p);
    return log_q > -700 ? exp(log_q) * c->f(x, log_q, c->about) : 0;
}

/* E_q of f, whose derivative may jump at `kink` as q's may at its own. */
static double mean_of(const truth *q, const double *p, expectation *f, const void *about,
                      double kink)
{
    mean_call c = {q, p, f, about};
    double cut[4] = {q->end(0, p), q->end(1, p)}, sum = 0;
    if (q->levels) {
        for (int i = 0; i < q->levels; i++)
            sum += weighed(i / (q->levels - 1.), &c);
        return sum;
    }
    int n = 1;
    double places[2] = {q->has_kink ? p[0] : (double)NAN, kink};
    if (places[0] > places[1]) { /* in order */
        places[0] = kink;
        places[1] = p[0];
    }
    cut[3] = cut[1];
    for (int i = 0; i < 2; i++)
        if (places[i] > cut[n - 1] && places[i] < cut[3])
            cut[n++] = places[i];
    cut[n] = cut[3];
    for (int i = 0; i < n; i++)
        sum += numbers_integrate(weighed, &c, cut[i], cut[i + 1]);
    return sum;
}

static double one(double x, double log_q, const void *about) { return (void)x, (void)log_q, (void)about, 1; }
static double itself(double x, double log_q, const void *about) { return (void)log_q, (void)about, x; }
static double surprise(double x, double log_q, const void *about) { return (void)x, (void)about, -log_q; }

typedef struct other {
    const truth *t;
    double p[2];
} other;

static double log_ratio(double x, double log_q, const void *about)
{
    const other *o = about;
    return log_q - o->t->log_density(x, o->p);
}

/* ---- One family ---- */

/* A value of number i at fraction u of the family's range. */
static double value_of(const truth *t, const double *p, double u)
{
    double lo = t->end(0, p), hi = t->end(1, p);
    if (t->levels)
        return fmin(floor(u * t->levels), t->levels - 1) / (t->levels - 1.);
    return isinf(lo) ? p[0] + 6 * (u - 0.5) * exp(p[1]) : lo + (hi - lo) * u;
}

static int check_density(const truth *t, const parameters *a, double *worst)
{
    double x[ALL], found[ROWS], want[ROWS] = {0}, p[2], total[ALL], ones[ALL];
    draws d = draws_from(5);
    for (int i = 0; i < ALL; i++) {
        double u = i == 0 ? 0 : i == 4 ? 1 : draw(&d, 0, 1); /* both ends */
        x[i] = value_of(t, at(a, i, p), u);
        want[i / DIMS] += t->log_density(x[i], p);
        total[i] = mean_of(t, p, one, NULL, (double)NAN);
        ones[i] = 1;
    }
    lt_graph *g = lt_graph_create();
    lt_node *y = lt_log_prob(make(g, t, a), lt_constant(g, lt_shape_2d(ROWS, DIMS), x));
    LT_TRY(numbers_read(g, y, found, ROWS));
    LT_TRY(check_all_near("integral of the density", ALL, total, ones, 1e-10, worst));
    return check_all_near("log density", ROWS, found, want, 1e-10, worst);
}

static int check_family_entropy(const truth *t, const parameters *a, double *worst)
{
    double found[ROWS], want[ROWS] = {0}, p[2];
    lt_graph *g = lt_graph_create();
    lt_distribution d = make(g, t, a);
    if (!lt_distribution_describe(d).has_entropy) {
        lt_graph_free(g);
        return LT_OK;
    }
    for (int i = 0; i < ALL; i++)
        want[i / DIMS] += mean_of(t, at(a, i, p), surprise, NULL, (double)NAN);
    LT_TRY(numbers_read(g, lt_entropy(d), found, ROWS));
    return check_all_near("entropy", ROWS, found, want, 1e-9, worst);
}

/* A sample x of a density made from the uniform u has probability u (or 1 - u) below it. A sample of levels is the
   first with more than u below or at it, or the one with less than 1 - u above it. A normal sample has the
   probability of its own noise. */
static int check_sample(const truth *t, const parameters *a, double *worst)
{
    double x[ALL], u[ALL], p[2];
    lt_graph *g = lt_graph_create();
    lt_node *z = lt_sample_from(make(g, t, a), ROWS), *noise = NULL;
    bool is_normal = numbers_find_noise(z, "normal", 1, &noise) == 1;
    if (!is_normal && numbers_find_noise(z, "uniform", 1, &noise) != 1) {
        lt_graph_free(g);
        return status_fail(LT_VALUE, "sample: expected noise in the graph, found none");
    }
    LT_TRY(numbers_read_all(g, NULL, (numbers_target[]){{z, x}, {noise, u}}, 2));
    for (int i = 0; i < ALL; i++) {
        const double standard[] = {0, 0};
        double share = is_normal ? normal_below(u[i], standard) : u[i];
        double to = t->below(x[i], at(a, i, p)), from = to;
        if (t->levels)
            from = x[i] > 0 ? t->below(x[i] - 1 / (t->levels - 1.), p) : 0;
        double off = fmin(fmax(fmax(from - share, share - to), 0),
                          fmax(fmax(from - (1 - share), 1 - share - to), 0));
        *worst = fmax(*worst, off);
        if (!(off <= 1e-9))
            return status_fail(LT_VALUE, "sample %d: %.9g of the distribution is below %.9g, but it "
                                         "is of the noise %.9g", i, to, x[i], share);
    }
    return LT_OK;
}

static int run_family(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    const truth *t = about;
    char error[CHECK_ERROR_SIZE];
    double worst = 0;
    (void)r;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        parameters a = draw_parameters(t, seed);
        LT_TRY(check_density(t, &a, &worst));
        LT_TRY(check_family_entropy(t, &a, &worst));
        LT_TRY(check_sample(t, &a, &worst));
    }
    snprintf(told, CHECK_TEXT_SIZE, "log density adds up to 1, entropy and samples, to %s",
             check_error_text(worst, error));
    return LT_OK;
}

/* ---- KL of every pair of families with a formula ---- */

static int check_divergence(const truth *q, const truth *p, double *worst, int *n)
{
    parameters a = draw_parameters(q, 1), b = draw_parameters(p, 2);
    double found[ROWS], want[ROWS] = {0}, own[2];
    other o = {.t = p};
    lt_graph *g = lt_graph_create();
    if (q->end == own_end && p->end == unit_end) /* within it */
        for (int i = 0; i < ALL; i++) {
            a.p[0][i] = fabs(a.p[0][i]) / 4;
            a.p[1][i] = a.p[1][i] / 2;
        }
    if (p->end == own_end) /* around the other */
        for (int i = 0; i < ALL; i++) {
            b.p[0][i] -= q->end == own_end ? 1.25 : 0.05; /* of [0, 1] not by much */
            b.p[1][i] += q->end == own_end ? 1.75 : 0.55;
        }
    lt_distribution of = make(g, q, &a), from = make(g, p, &b);
    bool is_finite = (q->end != line_end || p->end == line_end) && q->levels == p->levels;
    bool is_known = is_finite && lt_has_kl(of, from);
    if (!is_known) {
        lt_graph_free(g);
        return LT_OK;
    }
    for (int i = 0; i < ALL; i++) {
        at(&b, i, o.p);
        want[i / DIMS] += mean_of(q, at(&a, i, own), log_ratio, &o,
                                  p->has_kink ? o.p[0] : (double)NAN);
    }
    (*n)++;
    LT_TRY(numbers_read(g, lt_kl(of, from), found, ROWS));
    char what[96];
    snprintf(what, sizeof what, "KL of %s from %s", q->name, p->name);
    return check_all_near(what, ROWS, found, want, 1e-9, worst);
}

static int run_divergences(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    char error[CHECK_ERROR_SIZE];
    double worst = 0;
    int n = 0;
    (void)r, (void)about;
    for (int i = 0; i < TRUTHS; i++)
        for (int k = 0; k < TRUTHS; k++)
            LT_TRY(check_divergence(&truths[i], &truths[k], &worst, &n));
    snprintf(told, CHECK_TEXT_SIZE, "%d pairs of families against integrals, to %s", n,
             check_error_text(worst, error));
    return LT_OK;
}

static int run_mean(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    const truth *t = about;
    parameters a = draw_parameters(t, 1);
    char error[CHECK_ERROR_SIZE];
    double found[ALL], want[ALL], p[2], worst = 0;
    lt_graph *g = lt_graph_create();
    lt_node *logits = lt_constant(g, lt_shape_1d(ALL), a.p[0]);
    (void)r;
    for (int i = 0; i < ALL; i++)
        want[i] = mean_of(t, at(&a, i, p), itself, NULL, (double)NAN);
    LT_TRY(numbers_read(g, lt_continuous_bernoulli_mean(logits), found, ALL));
    snprintf(told, CHECK_TEXT_SIZE, "%d logits against integrals", ALL);
    int status = check_all_near("mean", ALL, found, want, 1e-10, &worst);
    snprintf(told, CHECK_TEXT_SIZE, "%d logits against integrals, to %s", ALL,
             check_error_text(worst, error));
    return status;
}

/* ---- Gaussian functions that take no family ---- */

static int run_gauss(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    const truth *t = about;
    const double standard[] = {0, 0};
    parameters a = draw_parameters(t, 4);
    double z[ALL], eps[ALL], log_q[ROWS], log_p[ROWS], want[2][ROWS] = {{0}}, made[ALL], p[2];
    lt_graph *g = lt_graph_create();
    lt_shape s = lt_shape_2d(ROWS, DIMS);
    lt_gauss q = {lt_constant(g, s, a.p[0]), lt_constant(g, s, a.p[1])};
    lt_node *node = lt_gauss_sample(q), *noise = NULL;
    (void)r;
    numbers_find_noise(node, "normal", 1, &noise);
    if (!noise)
        return status_fail(LT_VALUE, "lt_gauss_sample without noise");
    numbers_target all[] = {{node, z}, {noise, eps}, {lt_gauss_log_prob(q, node), log_q},
                            {lt_standard_log_prob(node), log_p}};
    LT_TRY(numbers_read_all(g, NULL, all, COUNT_OF(all)));
    for (int i = 0; i < ALL; i++) {
        made[i] = a.p[0][i] + sqrt(exp(a.p[1][i])) * eps[i];
        want[0][i / DIMS] += normal_log(z[i], at(&a, i, p));
        want[1][i / DIMS] += normal_log(z[i], standard);
    }
    snprintf(told, CHECK_TEXT_SIZE, "samples and log densities of %d rows", ROWS);
    LT_TRY(check_all_near("sample", ALL, z, made, 1e-12, NULL));
    LT_TRY(check_all_near("log q(z)", ROWS, log_q, want[0], 1e-12, NULL));
    return check_all_near("log N(z; 0, I)", ROWS, log_p, want[1], 1e-12, NULL);
}

/* The standard error of n samples of -log q of DIMS normal numbers is sqrt(DIMS / 2 / n). */
static int run_errors(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    enum { N = 20000 };
    double found, want = sqrt(DIMS / 2. / N);
    lt_graph *g = lt_graph_create();
    (void)r, (void)about;
    LT_TRY(numbers_read(g, lt_estimate_entropy(lt_standard_normal(g, DIMS), N).se, &found, 1));
    snprintf(told, CHECK_TEXT_SIZE, "standard error of %d samples within 5 %%", N);
    return check_near("standard error", found, want, 0.05 * want);
}

/* ---- Classes ---- */

enum { CLASSES = 4 };

static int run_categorical(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    enum { N = 400 };
    static const double logits[2][CLASSES] = {{0.5, -1, 2, 0}, {-0.3, 0.4, 1, -2}};
    double p[2][CLASSES], entropy = 0, kl = 0, found[2 + CLASSES], each[CLASSES][CLASSES] = {{0}};
    (void)r, (void)about;
    for (int k = 0; k < 2; k++) {
        double sum = 0;
        for (int i = 0; i < CLASSES; i++)
            sum += p[k][i] = exp(logits[k][i]);
        for (int i = 0; i < CLASSES; i++)
            p[k][i] /= sum;
    }
    double want[2 + CLASSES];
    for (int i = 0; i < CLASSES; i++) {
        entropy -= p[0][i] * log(p[0][i]);
        kl += p[0][i] * log(p[0][i] / p[1][i]);
        want[2 + i] = log(p[0][i]);
        each[i][i] = 1;
    }
    want[0] = entropy;
    want[1] = kl;
    lt_graph *g = lt_graph_create();
    lt_shape s = lt_shape_2d(1, CLASSES);
    lt_distribution q = lt_categorical_distribution(lt_constant(g, s, logits[0])),
                    o = lt_categorical_distribution(lt_constant(g, s, logits[1]));
    lt_node *x = lt_constant(g, lt_shape_2d(CLASSES, CLASSES), each[0]);
    lt_node *z = lt_sample_from(q, N), *noise = NULL;
    if (numbers_find_noise(z, "uniform", 1, &noise) != 1)
        return status_fail(LT_VALUE, "sample: expected noise in the graph, found none");
    double one_hot[N][CLASSES], u[N];
    numbers_target all[] = {{lt_entropy(q), &found[0]}, {lt_kl(q, o), &found[1]},
                            {lt_log_prob(q, x), &found[2]}, {z, one_hot[0]}, {noise, u}};
    LT_TRY(numbers_read_all(g, NULL, all, COUNT_OF(all)));
    LT_TRY(check_all_near("entropy, KL, log probabilities", 2 + CLASSES, found, want, 1e-12, NULL));
    for (int i = 0; i < N; i++) {
        double below = 0;
        int class = 0;
        while (class < CLASSES - 1 && below + p[0][class] <= u[i])
            below += p[0][class++];
        LT_TRY(check_near("sampled class", one_hot[i][class], 1, 0));
    }
    snprintf(told, CHECK_TEXT_SIZE, "entropy, KL and probabilities of %d classes, %d samples",
             CLASSES, N);
    return LT_OK;
}

/* ---- Full normal: log density, entropy and KL by determinants and cofactors of Sigma ---- */

typedef struct full {
    double mean[DIMS], sigma[DIMS][DIMS], inverse[DIMS][DIMS], determinant;
} full;

static full full_of(const double *mean, const double l[DIMS][DIMS])
{
    full f = {.determinant = 0};
    memcpy(f.mean, mean, sizeof f.mean);
    for (int i = 0; i < DIMS; i++)
        for (int j = 0; j < DIMS; j++)
            for (int k = 0; k < DIMS; k++)
                f.sigma[i][j] += l[i][k] * l[j][k];
    double(*s)[DIMS] = f.sigma;
    for (int i = 0; i < DIMS; i++)
        for (int j = 0; j < DIMS; j++) {
            int a = (i + 1) % 3, b = (i + 2) % 3, c = (j + 1) % 3, d = (j + 2) % 3;
            f.inverse[j][i] = s[a][c] * s[b][d] - s[a][d] * s[b][c];
        }
    for (int k = 0; k < DIMS; k++)
        f.determinant += s[0][k] * f.inverse[k][0];
    for (int i = 0; i < DIMS * DIMS; i++)
        f.inverse[i / DIMS][i % DIMS] /= f.determinant;
    return f;
}

/* d' Sigma^-1 d */
static double distance_of(const full *f, const double *x)
{
    double sum = 0;
    for (int i = 0; i < DIMS; i++)
        for (int j = 0; j < DIMS; j++)
            sum += (x[i] - f->mean[i]) * f->inverse[i][j] * (x[j] - f->mean[j]);
    return sum;
}

static double full_log(const full *f, const double *x)
{
    return -0.5 * (distance_of(f, x) + log(f->determinant) + DIMS * log(2 * pi));
}

static double full_kl(const full *q, const full *p)
{
    double sum = distance_of(p, q->mean) - DIMS + log(p->determinant / q->determinant);
    for (int i = 0; i < DIMS; i++)
        for (int j = 0; j < DIMS; j++)
            sum += p->inverse[i][j] * q->sigma[j][i];
    return sum / 2;
}

static int run_full(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    static const double l[2][DIMS][DIMS] = {{{1.2, 0, 0}, {0.3, 0.8, 0}, {-0.4, 0.2, 1.1}},
                                            {{0.7, 0, 0}, {-0.5, 1.4, 0}, {0.1, 0.6, 0.9}}};
    static const double diagonal[DIMS][DIMS] = {{0.6, 0, 0}, {0, 1.5, 0}, {0, 0, 0.9}};
    static const double mean[3][DIMS] = {{0.5, 0, 1}, {-0.2, 0.7, 0.3}, {0.1, -0.4, 0.8}},
                        at_x[DIMS] = {0.9, -1.1, 0.4};
    double logvar[DIMS], found[5], z[DIMS], eps[DIMS], made[DIMS], worst = 0;
    char error[CHECK_ERROR_SIZE];
    (void)r, (void)about;
    full a = full_of(mean[0], l[0]), b = full_of(mean[1], l[1]), c = full_of(mean[2], diagonal);
    const double want[] = {full_log(&a, at_x), 0.5 * log(a.determinant) + DIMS * (log(2 * pi) + 1) / 2,
                           full_kl(&a, &b), full_kl(&a, &c), full_kl(&c, &a)};
    for (int i = 0; i < DIMS; i++)
        logvar[i] = 2 * log(diagonal[i][i]);
    lt_graph *g = lt_graph_create();
    lt_shape row = lt_shape_2d(1, DIMS), square = lt_shape_2d(DIMS, DIMS);
    lt_distribution q = lt_full_normal_distribution(lt_constant(g, row, mean[0]),
                                                    lt_constant(g, square, l[0][0])),
                    p = lt_full_normal_distribution(lt_constant(g, row, mean[1]),
                                                    lt_constant(g, square, l[1][0])),
                    d = lt_normal_distribution((lt_gauss){lt_constant(g, row, mean[2]),
                                                          lt_constant(g, row, logvar)});
    lt_node *sample = lt_sample_from(q, 1), *noise = NULL;
    if (numbers_find_noise(sample, "normal", 1, &noise) != 1)
        return status_fail(LT_VALUE, "sample: expected noise in the graph, found none");
    numbers_target all[] = {{lt_log_prob(q, lt_constant(g, row, at_x)), &found[0]},
                            {lt_entropy(q), &found[1]}, {lt_kl(q, p), &found[2]},
                            {lt_kl(q, d), &found[3]}, {lt_kl(d, q), &found[4]},
                            {sample, z}, {noise, eps}};
    LT_TRY(numbers_read_all(g, NULL, all, COUNT_OF(all)));
    for (int i = 0; i < DIMS; i++) {
        made[i] = mean[0][i];
        for (int k = 0; k < DIMS; k++)
            made[i] += l[0][i][k] * eps[k];
    }
    LT_TRY(check_all_near("log density, entropy, KL", COUNT_OF(want), found, want, 1e-12, &worst));
    LT_TRY(check_all_near("sample", DIMS, z, made, 1e-12, &worst));
    snprintf(told, CHECK_TEXT_SIZE, "log density, entropy, KL and samples by cofactors, to %s",
             check_error_text(worst, error));
    return LT_OK;
}

/* ---- Mixtures ---- */

enum { PARTS = 3, POINTS = 5 };

/* log sum of weight times density, straight. */
static int run_mixture(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    static const double mean[PARTS][DIMS] = {{-1, 0, 1}, {1, 0.4, -0.5}, {0.3, -2, 0}},
                        logvar[PARTS][DIMS] = {{0, -1, 0.5}, {0.2, 0, -0.3}, {1, -0.6, 0.1}},
                        logits[PARTS] = {0.4, -0.7, 1.1};
    const bool *is_vamp = about;
    double x[POINTS][DIMS], want[POINTS] = {0}, found[POINTS], total = 0;
    draws d = draws_from(6);
    (void)r;
    for (int k = 0; k < PARTS; k++)
        total += *is_vamp ? 1 : exp(logits[k]);
    for (int i = 0; i < POINTS; i++) {
        for (int j = 0; j < DIMS; j++)
            x[i][j] = draw(&d, -2, 2);
        for (int k = 0; k < PARTS; k++) {
            double part = (*is_vamp ? 1 : exp(logits[k])) / total;
            for (int j = 0; j < DIMS; j++)
                part *= exp(normal_log(x[i][j], (double[]){mean[k][j], logvar[k][j]}));
            want[i] += part;
        }
        want[i] = log(want[i]);
    }
    lt_graph *g = lt_graph_create();
    lt_shape parts = lt_shape_2d(PARTS, DIMS), row = {.rank = 3, .d = {1, PARTS, DIMS}};
    lt_gauss each = {lt_constant(g, parts, mean[0]), lt_constant(g, parts, logvar[0])};
    lt_gauss rows = {lt_reshape(each.mean, row), lt_reshape(each.logvar, row)};
    lt_distribution mixture =
        *is_vamp ? lt_vamp_prior(each)
                 : lt_mixture_distribution(lt_constant(g, lt_shape_2d(1, PARTS), logits), rows);
    lt_node *y = lt_log_prob(mixture, lt_constant(g, lt_shape_2d(POINTS, DIMS), x[0]));
    LT_TRY(numbers_read(g, y, found, POINTS));
    snprintf(told, CHECK_TEXT_SIZE, "log density of %d components at %d points", PARTS, POINTS);
    return check_all_near("log density", POINTS, found, want, 1e-12, NULL);
}

/* Means and variances of samples: sum w mean, sum w (variance + mean^2) minus the squared mean. */
static int run_mixture_samples(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    enum { N = 40000 };
    static const double mean[2] = {-1.5, 1}, logvar[2] = {-1.5, 1}, logits[2] = {0.8, 0};
    double w = 1 / (1 + exp(-logits[0])), first = w * mean[0] + (1 - w) * mean[1];
    double second = w * (mean[0] * mean[0] + exp(logvar[0])) +
                    (1 - w) * (mean[1] * mean[1] + exp(logvar[1]));
    double found[2], variance = second - first * first;
    lt_graph *g = lt_graph_create();
    lt_shape row = {.rank = 3, .d = {1, 2, 1}};
    (void)r, (void)about;
    lt_node *z = lt_sample_from(lt_mixture_distribution(
                             lt_constant(g, lt_shape_2d(1, 2), logits),
                             (lt_gauss){lt_constant(g, row, mean), lt_constant(g, row, logvar)}),
                         N);
    numbers_target all[] = {{lt_mean(z), &found[0]}, {lt_mean(lt_square(z)), &found[1]}};
    LT_TRY(numbers_read_all(g, NULL, all, 2));
    snprintf(told, CHECK_TEXT_SIZE, "two moments of %d samples", N);
    LT_TRY(check_near("mean", found[0], first, 4 * sqrt(variance / N)));
    return check_near("second moment", found[1], second, 0.03 * second);
}

/* ---- Cholesky factors from free numbers: e^ on the diagonal, what is below it as it is ---- */

static int run_cholesky(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    static const double x[DIMS * DIMS] = {0.3, 5, 6, -0.4, -0.2, 7, 0.8, 0.1, 0.5};
    double found[DIMS * DIMS],
        want[] = {exp(0.3), 0, 0, -0.4, exp(-0.2), 0, 0.8, 0.1, exp(0.5)};
    lt_graph *g = lt_graph_create();
    (void)r, (void)about;
    LT_TRY(numbers_read(g, lt_cholesky_factor(lt_constant(g, lt_shape_2d(DIMS, DIMS), x)), found,
                        DIMS * DIMS));
    snprintf(told, CHECK_TEXT_SIZE, "e^ of the diagonal, nothing above it");
    return check_all_near("factor", DIMS * DIMS, found, want, 1e-12, NULL);
}

/* ---- The family ---- */

void check_densities(check_run *r)
{
    static const char area[] = "densities";
    static const bool is_vamp[] = {false, true};
    static const check_row others[] = {{"KL of two families", run_divergences, NULL},
                                       {"mean of a continuous Bernoulli", run_mean, &truths[4]},
                                       {"Gaussian by formula", run_gauss, &truths[0]},
                                       {"errors of estimates", run_errors, NULL},
                                       {"categorical", run_categorical, NULL},
                                       {"full normal", run_full, NULL},
                                       {"Cholesky factor", run_cholesky, NULL},
                                       {"mixture", run_mixture, &is_vamp[0]},
                                       {"vamp prior", run_mixture, &is_vamp[1]},
                                       {"samples of a mixture", run_mixture_samples, NULL}};
    for (int i = 0; i < TRUTHS; i++)
        if (!checks_report(r, area, &(check_row){truths[i].name, run_family, &truths[i]}, 1))
            return;
    checks_report(r, area, others, COUNT_OF(others));
}
