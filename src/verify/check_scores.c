/* SPDX-License-Identifier: MIT */
/* Checks of evaluation on plain numbers: means and weights, tails of weights, bounds of groups, distances between
   sets of points, shares, points in the space of codes; with known values, or by definitions in plain C. */
#include "verify/checks.h"

#include "base/memory.h"
#include "base/status.h"
#include "eval/bounds.h"
#include "quality/counts.h"
#include "eval/mixture.h"
#include "quality/moments.h"
#include "quality/scores.h"
#include "verify/draws.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Means, weights, bounds ---- */

static int run_means(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    static const double x[] = {1, 4, 2, 7, -3}; /* mean 2.2, squares 54.8 */
    tally t = {0};
    (void)r, (void)about;
    for (int i = 0; i < COUNT_OF(x); i++)
        tally_add(&t, x[i]);
    lt_estimate e = tally_estimate(&t, -2);
    snprintf(told, CHECK_TEXT_SIZE, "mean and standard error of %d numbers", COUNT_OF(x));
    LT_TRY(check_near("mean", e.value, -4.4, 1e-12));
    return check_near("standard error", e.se, 2 * sqrt(54.8 / 4 / 5), 1e-12);
}

/* 1/k sum w and (sum w)^2 / sum w^2 of weights in any order, and far below where e^l is a number. */
static int run_weights(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    static const double w[] = {0.5, 3, 0.02, 1, 2.5};
    double sum = 0, squares = 0;
    weight_sum s = WEIGHT_SUM_ZERO;
    (void)r, (void)about;
    for (int i = 0; i < COUNT_OF(w); i++) {
        weight_sum_add(&s, log(w[i]) - 2000);
        sum += w[i];
        squares += w[i] * w[i];
    }
    snprintf(told, CHECK_TEXT_SIZE, "log mean weight and effective sample size");
    LT_TRY(check_near("log mean weight", weight_sum_log_mean(&s, COUNT_OF(w)),
                      log(sum / COUNT_OF(w)) - 2000, 1e-9));
    return check_near("effective sample size", weight_sum_ess(&s), sum * sum / squares, 1e-9);
}

/* Bounds of 2 and 3 samples from 7 weights in consecutive groups; an incomplete group does not count. */
static int run_groups(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    static const double w[] = {0.5, 3, 0.02, 1, 2.5, 0.7, 1.9};
    static const int k[] = {2, 3};
    double room[64];
    bounds_plan p = bounds_make_plan(&(lt_eval_options){.iwae = k, .n_iwae = 2, .nll_samples = 7});
    image_bounds b;
    (void)r, (void)about;
    LT_ASSERT(p.tail <= COUNT_OF(room));
    bounds_begin(&b, &p, room);
    for (int i = 0; i < COUNT_OF(w); i++)
        bounds_add(&b, &p, log(w[i]));
    const double want[] = {(log(3.5 / 2) + log(1.02 / 2) + log(3.2 / 2)) / 3,
                           (log(3.52 / 3) + log(4.2 / 3)) / 2, log(9.62 / 7)};
    for (int i = 0; i < 3; i++)
        LT_TRY(check_near("bound", b.of[i].log_mean / b.of[i].groups, want[i], 1e-12));
    snprintf(told, CHECK_TEXT_SIZE, "log mean weights in groups of 2, 3 and 7");
    return LT_OK;
}

/* Weights that are the quantiles of a Pareto distribution of shape k. The prior adds 10
   observations of 1/2; what is left is the error of the fit. */
static int run_tail(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    enum { N = 20000 };
    static const double shapes[] = {0.2, 0.5, 0.9};
    double worst = 0, *heap = must_alloc(sizeof *heap * N);
    int status = LT_OK;
    (void)r, (void)about;
    for (int i = 0; status == LT_OK && i < COUNT_OF(shapes); i++) {
        tail t = {.size = tail_size(N), .heap = heap};
        int n = t.size - 1;
        for (int k = 0; k < N; k++)
            tail_add(&t, -shapes[i] * log((k * 7919 % N + 0.5) / N)); /* in no order */
        double want = (n * shapes[i] + 5) / (n + 10), found = tail_shape(&t);
        worst = fmax(worst, fabs(found - want));
        status = check_near("shape", found, want, 0.006);
    }
    free(heap);
    if (status == LT_OK) /* min(n / 5, 3 sqrt n), and one */
        status = check_near("size of the tail", tail_size(100) * 1000 + tail_size(10000), 21301, 0);
    snprintf(told, CHECK_TEXT_SIZE, "shapes 0.2, 0.5, 0.9 of %d weights to %.3f", N, worst);
    return status;
}

/* ---- Distances between sets of points ---- */

enum { POINTS = 24, OTHERS = 20, WIDTH = 11 };

static void draw_points(uint64_t seed, int n, int d, double shift, float *x)
{
    draws of = draws_from(seed);
    for (int i = 0; i < n * d; i++)
        x[i] = (float)draw(&of, -1 + shift, 1 + shift);
}

static double cubic(const float *x, const float *y)
{
    double sum = 0;
    for (int k = 0; k < WIDTH; k++)
        sum += (double)x[k] * (double)y[k];
    return pow(sum / WIDTH + 1, 3);
}

/* Mean of the kernel over pairs of rows first, first + 10, ... of two sets; of one set without a row
   and itself. */
static double mean_kernel(const float *a, const float *b, int subset)
{
    double sum = 0;
    int n = 0;
    for (int i = subset; i < subset + 20; i += 10) /* both sets have two rows for each subset */
        for (int j = subset; j < subset + 20; j += 10)
            if (a != b || i != j) {
                sum += cubic(a + i * WIDTH, b + j * WIDTH);
                n++;
            }
    return sum / n;
}

static int run_kid(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    float a[POINTS * WIDTH], b[OTHERS * WIDTH];
    double sum = 0, squares = 0;
    (void)r, (void)about;
    draw_points(1, POINTS, WIDTH, 0, a);
    draw_points(2, OTHERS, WIDTH, 0.5, b);
    for (int s = 0; s < 10; s++) {
        double d = mean_kernel(a, a, s) + mean_kernel(b, b, s) - 2 * mean_kernel(a, b, s);
        sum += d / 10;
        squares += d * d;
    }
    lt_estimate found = kernel_distance(WIDTH, POINTS, a, OTHERS, b, 1);
    snprintf(told, CHECK_TEXT_SIZE, "10 subsets of %d and %d points", POINTS, OTHERS);
    LT_TRY(check_near("KID", found.value, sum, 1e-9));
    double se = sqrt((squares - 10 * sum * sum) / 9 / 10);
    return check_near("standard error", found.se, se, 0.5 * se);
}

/* Points at the center plus and minus a along (c, s), b along (-s, c): a covariance of 2 a^2 / 3 and
   2 b^2 / 3 along these. */
static void cross(double x, double y, double a, double b, double angle, float *p)
{
    double c = cos(angle), s = sin(angle), at[4][2] = {{a, 0}, {-a, 0}, {0, b}, {0, -b}};
    for (int i = 0; i < 4; i++) {
        p[2 * i] = (float)(x + c * at[i][0] - s * at[i][1]);
        p[2 * i + 1] = (float)(y + s * at[i][0] + c * at[i][1]);
    }
}

static double fid_of(const float *a, const float *b)
{
    moments m, k;
    moments_find(&m, 4, 2, a);
    moments_find(&k, 4, 2, b);
    double d = moments_distance(&m, &k);
    moments_clear(&m);
    moments_clear(&k);
    return d;
}

/* Along the same axes |m1 - m2|^2 + sum (sigma1 - sigma2)^2; turned by an angle the trace of the root
   is sqrt(tr S1 S2 + 2 sqrt(det S1 S2)) in the plane. */
static int run_fid(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    float a[8], b[8], turned[8];
    double scale = sqrt(2. / 3), angle = 0.7;
    (void)r, (void)about;
    cross(1, 2, 3, 0.5, 0, a);
    cross(-1, 2.5, 1, 2, 0, b);
    cross(-1, 2.5, 1, 2, angle, turned);
    double want = 4 + 0.25 + pow(scale * (3 - 1), 2) + pow(scale * (0.5 - 2), 2);
    LT_TRY(check_near("FID", fid_of(a, b), want, 1e-5));
    double s1[2] = {6, 1 / 6.}, s2[2] = {2 / 3., 8 / 3.}, c2 = pow(cos(angle), 2), q2 = 1 - c2;
    double trace = s1[0] * (c2 * s2[0] + q2 * s2[1]) + s1[1] * (q2 * s2[0] + c2 * s2[1]);
    double root = sqrt(trace + 2 * sqrt(s1[0] * s1[1] * s2[0] * s2[1]));
    want = 4 + 0.25 + s1[0] + s1[1] + s2[0] + s2[1] - 2 * root;
    LT_TRY(check_near("FID, turned", fid_of(a, turned), want, 1e-5));
    snprintf(told, CHECK_TEXT_SIZE, "Gaussians along the same axes, and turned");
    return check_near("FID of itself", fid_of(a, a), 0, 1e-6);
}

/* ---- Precision, recall, density, coverage by their definitions ---- */

enum { REACH = 3, SPACE = 2 };

static double squared(const float *a, const float *b)
{
    double sum = 0;
    for (int k = 0; k < SPACE; k++)
        sum += pow((double)a[k] - (double)b[k], 2);
    return sum;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The squared distance of point i from its REACH-th nearest other one. */
static double reach_of(int n, const float *x, int i)
{
    double d[POINTS];
    int m = 0;
    for (int j = 0; j < n; j++)
        if (j != i)
            d[m++] = squared(x + i * SPACE, x + j * SPACE);
    qsort(d, (size_t)m, sizeof *d, by_size);
    return d[REACH - 1];
}

typedef struct overlap {
    double precision, recall, density, coverage;
} overlap;

static overlap overlap_of(int n, const float *images, int m, const float *held)
{
    overlap o = {0};
    for (int i = 0; i < n; i++) {
        int inside = 0;
        for (int j = 0; j < m; j++)
            inside += squared(images + i * SPACE, held + j * SPACE) <= reach_of(m, held, j);
        o.precision += (inside > 0) / (double)n;
        o.density += inside / (double)(REACH * n);
    }
    for (int j = 0; j < m; j++) {
        bool is_reached = false, reaches = false;
        for (int i = 0; i < n; i++) {
            double d = squared(images + i * SPACE, held + j * SPACE);
            is_reached |= d <= reach_of(n, images, i);
            reaches |= d <= reach_of(m, held, j);
        }
        o.recall += is_reached / (double)m;
        o.coverage += reaches / (double)m;
    }
    return o;
}

static int run_overlap(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    float a[POINTS * SPACE], b[OTHERS * SPACE], near_a[POINTS], near_b[OTHERS];
    points p, q;
    lt_sample_scores s = {0};
    (void)r, (void)about;
    draw_points(3, POINTS, SPACE, 0, a);
    draw_points(4, OTHERS, SPACE, 0.9, b);
    int status = points_init(&p, POINTS, SPACE), other = points_init(&q, OTHERS, SPACE);
    status = status == LT_OK ? other : status;
    if (status == LT_OK) {
        points_set(&p, 0, POINTS, a);
        points_set(&q, 0, OTHERS, b);
        radii_find(&p, REACH, 1, near_a);
        radii_find(&q, REACH, 1, near_b);
        overlap_find(&p, near_a, &q, near_b, REACH, 1, &s);
    }
    points_clear(&p);
    points_clear(&q);
    LT_TRY(status);
    overlap want = overlap_of(POINTS, a, OTHERS, b);
    LT_TRY(check_near("reach", (double)near_a[5], reach_of(POINTS, a, 5), 1e-5));
    LT_TRY(check_near("precision", s.precision.value, want.precision, 1e-9));
    LT_TRY(check_near("recall", s.recall.value, want.recall, 1e-9));
    LT_TRY(check_near("density", s.density.value, want.density, 1e-9));
    snprintf(told, CHECK_TEXT_SIZE, "precision, recall, density, coverage of %d and %d points", POINTS,
             OTHERS);
    return check_near("coverage", s.coverage.value, want.coverage, 1e-9);
}

/* ---- Inception-style score: 2 of two sure classes in turn, exp(KL) of two unsure ones ---- */

static int run_inception(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    enum { N = 40, CLASSES = 2 };
    static const double sure[] = {1, 0.9, 0.5};
    (void)r, (void)about;
    for (int k = 0; k < COUNT_OF(sure); k++) {
        float p[N * CLASSES];
        double q = sure[k], want = 0;
        for (int i = 0; i < N; i++) {
            p[2 * i] = (float)(i / 10 % 2 ? q : 1 - q);
            p[2 * i + 1] = (float)(i / 10 % 2 ? 1 - q : q);
        }
        for (int c = 0; c < CLASSES; c++) {
            double part = c ? 1 - q : q;
            want += part > 0 ? part * log(part / 0.5) : 0;
        }
        lt_estimate found = inception_find(N, CLASSES, p);
        LT_TRY(check_near("score", found.value, exp(want), 1e-6));
        LT_TRY(check_near("standard error", found.se, 0, 1e-6));
    }
    snprintf(told, CHECK_TEXT_SIZE, "two classes, sure and unsure");
    return LT_OK;
}

/* ---- Shares ---- */

static int run_shares(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    static const float x[] = {1, 3, 5, 7}, y[] = {2, 3, 8};
    double low, high, z = 2, n = 20, p = 0.25; /* 5 of 20 */
    (void)r, (void)about;
    /* pairs with x below y: 1 of 2; 1 and half of 3; all of 8 */
    LT_TRY(check_near("chance", chance_below(4, x, 3, y).value, (1 + 1.5 + 4) / 12, 1e-12));
    LT_TRY(check_near("share", count_share(5, 20).value, p, 1e-12));
    count_interval(5, 20, z, &low, &high);
    double center = (p + z * z / (2 * n)) / (1 + z * z / n);
    double half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    LT_TRY(check_near("low end", low, center - half, 1e-12));
    LT_TRY(check_near("high end", high, center + half, 1e-12));
    LT_TRY(check_near("error of 0 of 9", count_share(0, 9).se, 0.1, 1e-12));
    /* at least 2 of the 3 marked among 4 of 7: (C(3,2) C(4,2) + C(4,1)) / C(7,4) */
    LT_TRY(check_near("excess", count_excess(2, 4, 1, 3), 22. / 35, 1e-12));
    snprintf(told, CHECK_TEXT_SIZE, "ranks, Wilson's interval, Fisher's test");
    return LT_OK;
}

/* ---- Points in the space of codes ---- */

static int run_places(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    const double third = 4 * atan(1) / 3;
    const float a[] = {1, 0}, b[] = {0, 2}, c[] = {1.5F, (float)(3 * sin(third))};
    static const struct {
        double p, x;
    } known[] = {{0.5, 0}, {0.975, 1.95996398454005423552}, {0.1, -1.28155156554460046697},
                 {1e-6, -4.75342430882289896}, {0.8413447460685429, 1}};
    float out[2];
    (void)r, (void)about;
    for (int i = 0; i < COUNT_OF(known); i++)
        LT_TRY(check_near("quantile", lt_normal_quantile(known[i].p), known[i].x, 1e-9));
    for (int k = 0; k <= 4; k++) {
        double t = k / 4., angle = 2 * atan(1) * t;
        lt_interpolate(2, a, b, t, true, out);
        LT_TRY(check_near("on the sphere", (double)out[0], cos(angle), 1e-6));
        LT_TRY(check_near("on the sphere", (double)out[1], 2 * sin(angle), 1e-6));
        lt_interpolate(2, a, c, t, true, out); /* 60 degrees apart, at another length */
        double w[] = {sin((1 - t) * third) / sin(third), sin(t * third) / sin(third)};
        LT_TRY(check_near("on the sphere", (double)out[0], w[0] + 3 * w[1] * cos(third), 1e-6));
        LT_TRY(check_near("on the sphere", (double)out[1], 3 * w[1] * sin(third), 1e-6));
        lt_interpolate(2, a, b, t, false, out);
        LT_TRY(check_near("on the line", (double)out[0], 1 - t, 1e-6));
        LT_TRY(check_near("on the line", (double)out[1], 2 * t, 1e-6));
    }
    snprintf(told, CHECK_TEXT_SIZE, "quantiles, ways along the line and the sphere");
    return LT_OK;
}

/* The axes of a cross: variances 2 a^2 / 4 along (c, s) and 2 b^2 / 4 across. */
static int run_axes(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    float p[8], logvar[2] = {0.4F, -1.1F};
    double angle = 0.6, c = cos(angle), s = sin(angle), v[2] = {exp(0.4), exp(-1.1)};
    lt_pca axes;
    (void)r, (void)about;
    cross(1, -2, 3, 0.5, angle, p);
    LT_TRY(lt_pca_fit(4, 2, p, 2, &axes));
    const double found[] = {axes.variance[0], axes.variance[1], axes.total, axes.axis[0],
                            axes.axis[1], axes.center[0], axes.center[1],
                            fabs(lt_pca_project(&axes, 0, p)), lt_pca_covariance(&axes, 0, 0, logvar)},
                 want[] = {4.5, 0.125, 4.625, c, s, 1, -2, 3, c * c * v[0] + s * s * v[1]};
    double cross_term = fabs(lt_pca_covariance(&axes, 0, 1, logvar));
    lt_pca_clear(&axes);
    snprintf(told, CHECK_TEXT_SIZE, "variances, directions and places of a cross");
    LT_TRY(check_near("covariance", cross_term, fabs(c * s * (v[1] - v[0])), 1e-6));
    return check_all_near("axes", COUNT_OF(want), found, want, 1e-6, NULL);
}

/* The aggregate posterior: log of the mean of densities. */
static int run_mixture(const check_run *r, const void *about, char told[CHECK_TEXT_SIZE])
{
    enum { MOST = 3, LATENT = 2 };
    static const float mean[MOST][LATENT] = {{0, 1}, {-1, 0.5F}, {2, -1}},
                       logvar[MOST][LATENT] = {{0, -1}, {0.5F, 0.2F}, {-0.7F, 0.3F}};
    const double pi = 3.14159265358979323846;
    float z[MIXTURE_LANES] = {0.3F, -0.2F};
    double own, all, want = 0, each[MOST];
    int of = 1;
    mixture m;
    (void)r, (void)about;
    int status = mixture_init(&m, MOST, LATENT);
    for (int i = 0; status == LT_OK && i < MOST; i++) {
        mixture_set(&m, i, mean[i], logvar[i]);
        each[i] = 1;
        for (int k = 0; k < LATENT; k++) {
            double variance = exp((double)logvar[i][k]), d = (double)z[k] - (double)mean[i][k];
            each[i] *= exp(-d * d / (2 * variance)) / sqrt(2 * pi * variance);
        }
        want += each[i] / MOST;
    }
    if (status == LT_OK)
        mixture_log_probs(&m, 1, z, &of, 1, &own, &all);
    mixture_clear(&m);
    LT_TRY(status);
    snprintf(told, CHECK_TEXT_SIZE, "log density of %d posteriors", MOST);
    LT_TRY(check_near("log q(z|x)", own, log(each[1]), 1e-5));
    return check_near("log q(z)", all, log(want), 1e-5);
}

/* ---- The family ---- */

void check_scores(check_run *r)
{
    static const check_row rows[] = {{"means", run_means, NULL},
                                     {"weights", run_weights, NULL},
                                     {"groups of weights", run_groups, NULL},
                                     {"Pareto k", run_tail, NULL},
                                     {"KID", run_kid, NULL},
                                     {"FID", run_fid, NULL},
                                     {"overlap", run_overlap, NULL},
                                     {"inception", run_inception, NULL},
                                     {"shares", run_shares, NULL},
                                     {"places", run_places, NULL},
                                     {"principal axes", run_axes, NULL},
                                     {"aggregate posterior", run_mixture, NULL}};
    checks_report(r, "scores", rows, COUNT_OF(rows));
}
