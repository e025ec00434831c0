/* SPDX-License-Identifier: MIT */
/* The table of toy distributions, and the formulas of divergences between two of one kind. */
#include "models/toys.h"

#include "base/memory.h"
#include "base/status.h"

#include <latent/ops.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What has a formula: boxes, and normal distributions with one deviation in all directions. */
typedef struct toy_shape {
    enum { SHAPE_BOX, SHAPE_NORMAL } kind;
    double lo, hi;        /* of a box: along the first axis; lo == hi has no density */
    double mean[2], sigma;
} toy_shape;

typedef struct toy_row {
    spec_row spec;
    int dims;
    lt_node *(*draw)(lt_graph *g, const void *options, int64_t n);
    toy_shape (*shape)(const void *options); /* Nullable */
} toy_row;

static const toy_row *row_of(const spec *toy) { return (const toy_row *)toy->row; }

#define REAL(OPTIONS, FIELD, FALLBACK, MIN, MAX, HELP)                                             \
    {.name = #FIELD, .kind = LT_KIND_REAL, .offset = offsetof(OPTIONS, FIELD),                     \
     .fallback = FALLBACK, .min = MIN, .max = MAX, .positional = true, .help = HELP}
#define COUNT(OPTIONS, FIELD, FALLBACK, MIN, MAX, HELP)                                            \
    {.name = #FIELD, .kind = LT_KIND_INT, .offset = offsetof(OPTIONS, FIELD),                      \
     .fallback = FALLBACK, .min = MIN, .max = MAX, .positional = true, .help = HELP}

enum { FAR = 1000 }; /* largest coordinate */
static const double least = 1e-3; /* smallest width */
static const double no_formula = (double)NAN;

/* ---- segment: (x, U[0, 1]) ---- */

typedef struct segment_options {
    double x;
} segment_options;

static const lt_option segment_table[] = {
    REAL(segment_options, x, 0, -FAR, FAR, "where it stands"), {0}};

static lt_node *segment_draw(lt_graph *g, const void *options, int64_t n)
{
    double x = ((const segment_options *)options)->x;
    lt_shape column = lt_shape_2d(n, 1);
    lt_node *parts[] = {lt_broadcast(lt_scalar(g, x), column), lt_uniform(g, column)};
    return lt_concat(1, 2, parts);
}

static toy_shape segment_shape(const void *options)
{
    double x = ((const segment_options *)options)->x;
    return (toy_shape){.kind = SHAPE_BOX, .lo = x, .hi = x};
}

/* ---- uniform: U[lo, hi] ---- */

typedef struct uniform_options {
    double lo, hi;
} uniform_options;

static const lt_option uniform_table[] = {
    REAL(uniform_options, lo, 0, -FAR, FAR, "lower end"),
    REAL(uniform_options, hi, 1, -FAR, FAR, "upper end"), {0}};

static int uniform_check(const void *options)
{
    const uniform_options *o = options;
    return o->hi - o->lo >= least ? LT_OK
                                  : status_fail(LT_VALUE, "uniform: hi must be at least %g above "
                                                "lo, found lo %.17g, hi %.17g", least, o->lo, o->hi);
}

static lt_node *uniform_draw(lt_graph *g, const void *options, int64_t n)
{
    const uniform_options *o = options;
    return lt_shift(lt_scale(lt_uniform(g, lt_shape_2d(n, 1)), o->hi - o->lo), o->lo);
}

static toy_shape uniform_shape(const void *options)
{
    const uniform_options *o = options;
    return (toy_shape){.kind = SHAPE_BOX, .lo = o->lo, .hi = o->hi};
}

/* ---- normal, gaussian: N(mean, sigma^2), N((x, y), sigma^2 I) ---- */

typedef struct normal_options {
    double mean, sigma;
} normal_options;

static const lt_option normal_table[] = {
    REAL(normal_options, mean, 0, -FAR, FAR, "mean"),
    REAL(normal_options, sigma, 1, least, FAR, "standard deviation"), {0}};

typedef struct gaussian_options {
    double x, y, sigma;
} gaussian_options;

static const lt_option gaussian_table[] = {
    REAL(gaussian_options, x, 0, -FAR, FAR, "mean, first coordinate"),
    REAL(gaussian_options, y, 0, -FAR, FAR, "mean, second coordinate"),
    REAL(gaussian_options, sigma, 1, least, FAR, "standard deviation, in every direction"), {0}};

static lt_node *draw_around(lt_graph *g, const double *mean, int dims, double sigma, int64_t n)
{
    lt_node *noise = lt_scale(lt_normal(g, lt_shape_2d(n, dims)), sigma);
    return lt_add(noise, lt_constant(g, lt_shape_2d(1, dims), mean));
}

static lt_node *normal_draw(lt_graph *g, const void *options, int64_t n)
{
    const normal_options *o = options;
    return draw_around(g, &o->mean, 1, o->sigma, n);
}

static lt_node *gaussian_draw(lt_graph *g, const void *options, int64_t n)
{
    const gaussian_options *o = options;
    return draw_around(g, (const double[]){o->x, o->y}, 2, o->sigma, n);
}

static toy_shape normal_shape(const void *options)
{
    const normal_options *o = options;
    return (toy_shape){.kind = SHAPE_NORMAL, .mean = {o->mean, 0}, .sigma = o->sigma};
}

static toy_shape gaussian_shape(const void *options)
{
    const gaussian_options *o = options;
    return (toy_shape){.kind = SHAPE_NORMAL, .mean = {o->x, o->y}, .sigma = o->sigma};
}

/* ---- ring, grid: equal parts of normals around points ---- */

typedef struct ring_options {
    int64_t modes;
    double radius, sigma;
} ring_options;

static const lt_option ring_table[] = {
    COUNT(ring_options, modes, 8, 1, 1000, "normals on the circle"),
    REAL(ring_options, radius, 1, 0, FAR, "of the circle"),
    REAL(ring_options, sigma, 0.1, least, FAR, "standard deviation of each"), {0}};

typedef struct grid_options {
    int64_t side;
    double gap, sigma;
} grid_options;

static const lt_option grid_table[] = {
    COUNT(grid_options, side, 5, 1, 32, "normals in a row, and rows"),
    REAL(grid_options, gap, 0.5, 0, FAR, "between neighbors"),
    REAL(grid_options, sigma, 0.05, least, FAR, "standard deviation of each"), {0}};

static lt_node *draw_around_any(lt_graph *g, const double *points, int64_t k, double sigma,
                                int64_t n)
{
    lt_node *centers = lt_constant(g, lt_shape_2d(k, 2), points);
    /* U (0, k) to the middle of its unit: 0 ... k - 1, ties at the end included */
    lt_node *u = lt_scale(lt_uniform(g, lt_shape_1d(n)), (double)k);
    lt_node *index = lt_clamp(lt_round(lt_shift(u, -.5)), 0, (double)(k - 1));
    lt_node *noise = lt_scale(lt_normal(g, lt_shape_2d(n, 2)), sigma);
    return lt_add(lt_gather_rows(centers, index), noise);
}

static lt_node *ring_draw(lt_graph *g, const void *options, int64_t n)
{
    const ring_options *o = options;
    const double turn = 6.283185307179586 / (double)o->modes;
    double *points = must_alloc(sizeof *points * 2 * (size_t)o->modes);
    for (int64_t i = 0; i < o->modes; i++) {
        points[2 * i] = o->radius * cos(turn * (double)i);
        points[2 * i + 1] = o->radius * sin(turn * (double)i);
    }
    lt_node *x = draw_around_any(g, points, o->modes, o->sigma, n);
    free(points);
    return x;
}

static lt_node *grid_draw(lt_graph *g, const void *options, int64_t n)
{
    const grid_options *o = options;
    int64_t k = o->side * o->side;
    double middle = (double)(o->side - 1) / 2;
    double *points = must_alloc(sizeof *points * 2 * (size_t)k);
    for (int64_t i = 0; i < k; i++) {
        points[2 * i] = o->gap * ((double)(i % o->side) - middle);
        points[2 * i + 1] = o->gap * ((double)(i / o->side) - middle);
    }
    lt_node *x = draw_around_any(g, points, k, o->sigma, n);
    free(points);
    return x;
}

/* ---- The table ---- */

#define TOY(NAME, DIMS, SHAPE, SUMMARY, ...)                                                       \
    static const toy_row row_##NAME = {.spec = {.name = #NAME, .summary = SUMMARY,                 \
                                                .options = NAME##_table,                           \
                                                .size = sizeof(NAME##_options), __VA_ARGS__},      \
                                       .dims = DIMS, .draw = NAME##_draw, .shape = SHAPE};
TOY(segment, 2, segment_shape, "(x, U[0, 1]): a segment of length 1 in the plane", .check = NULL)
TOY(uniform, 1, uniform_shape, "U[lo, hi] on the line", .check = uniform_check)
TOY(normal, 1, normal_shape, "N(mean, sigma^2) on the line", .check = NULL)
TOY(gaussian, 2, gaussian_shape, "N((x, y), sigma^2 I) in the plane", .check = NULL)
TOY(ring, 2, NULL, "normals around points of a circle, each as likely", .check = NULL)
TOY(grid, 2, NULL, "normals around points of a square grid, each as likely", .check = NULL)

static const spec_row *const rows[] = {&row_segment.spec,  &row_uniform.spec, &row_normal.spec,
                                       &row_gaussian.spec, &row_ring.spec,    &row_grid.spec, NULL};

const spec_table toy_table = {"distribution", rows};

int toy_dims(const spec *toy) { return row_of(toy)->dims; }

lt_node *toy_draw(const spec *toy, lt_graph *g, int64_t n)
{
    return row_of(toy)->draw(g, toy->options, n);
}

/* ---- Divergences of boxes: sums over the parts where both densities are constant ---- */

/* What a unit of x with densities p and q adds. */
static double part(divergence_kind kind, double p, double q)
{
    switch (kind) {
    case DIVERGENCE_JENSEN_SHANNON:
        return (part(DIVERGENCE_KL, p, (p + q) / 2) + part(DIVERGENCE_KL, q, (p + q) / 2)) / 2;
    case DIVERGENCE_TRIANGULAR: return (p - q) * (p - q) / (p + q);
    case DIVERGENCE_TOTAL_VARIATION: return fabs(p - q) / 2;
    case DIVERGENCE_SQUARED_HELLINGER: return p + q - 2 * sqrt(p * q);
    case DIVERGENCE_KL: return p > 0 ? p * log(p / q) : 0;
    case DIVERGENCE_REVERSE_KL: return part(DIVERGENCE_KL, q, p);
    case DIVERGENCE_PEARSON: return (p - q) * (p - q) / q;
    case DIVERGENCE_WASSERSTEIN: break; /* not a sum of such parts */
    }
    return no_formula;
}

/* W1 on the line: the integral of |a + b u| over (0, 1), the difference of the quantiles. */
static double mean_of_line(double a, double b)
{
    double end = a + b;
    if (a * end >= 0)
        return fabs(a + end) / 2;
    return (a * a + end * end) / (2 * fabs(b));
}

static double between_boxes(divergence_kind kind, const toy_shape *p, const toy_shape *q)
{
    double of_p = p->hi - p->lo, of_q = q->hi - q->lo;
    if (kind == DIVERGENCE_WASSERSTEIN)
        return mean_of_line(q->lo - p->lo, of_q - of_p);
    double both = fmax(0, fmin(p->hi, q->hi) - fmax(p->lo, q->lo));
    if (of_p == 0) /* segments: on one line, or nothing in common */
        return p->lo == q->lo ? 0 : part(kind, 1, 0) + part(kind, 0, 1);
    double sum = both > 0 ? both * part(kind, 1 / of_p, 1 / of_q) : 0;
    sum += of_p > both ? (of_p - both) * part(kind, 1 / of_p, 0) : 0;
    return sum + (of_q > both ? (of_q - both) * part(kind, 0, 1 / of_q) : 0);
}

/* ---- Divergences of normals, d dimensions, their means `apart` ---- */

static double kl_of_normals(double of_p, double of_q, double apart, int d)
{
    double ratio = of_p * of_p / (of_q * of_q);
    return (d * (ratio - 1 - log(ratio)) + apart * apart / (of_q * of_q)) / 2;
}

/* W1 on the line: E |apart + c Z|, Z normal: the mean of a folded normal. */
static double folded_mean(double apart, double c)
{
    if (c == 0)
        return apart;
    const double half_pi = 1.5707963267948966;
    double t = apart / (c * M_SQRT2);
    return c * exp(-t * t) / sqrt(half_pi) + apart * erf(t);
}

static double between_normals(divergence_kind kind, const toy_shape *p, const toy_shape *q, int d)
{
    double apart = hypot(p->mean[0] - q->mean[0], p->mean[1] - q->mean[1]);
    double a = p->sigma, b = q->sigma, sum = a * a + b * b, v = 2 * b * b - a * a;
    switch (kind) {
    case DIVERGENCE_SQUARED_HELLINGER:
        return 2 - 2 * pow(2 * a * b / sum, d / 2.) * exp(-apart * apart / (4 * sum));
    case DIVERGENCE_KL: return kl_of_normals(a, b, apart, d);
    case DIVERGENCE_REVERSE_KL: return kl_of_normals(b, a, apart, d);
    case DIVERGENCE_PEARSON:
        return v > 0 ? pow(b * b / (a * sqrt(v)), d) * exp(apart * apart / v) - 1 : HUGE_VAL;
    case DIVERGENCE_TOTAL_VARIATION: return a == b ? erf(apart / (2 * M_SQRT2 * a)) : no_formula;
    case DIVERGENCE_WASSERSTEIN:
        return d == 1 ? folded_mean(apart, fabs(a - b)) : a == b ? apart : no_formula;
    case DIVERGENCE_JENSEN_SHANNON:
    case DIVERGENCE_TRIANGULAR: break;
    }
    return a == b && apart == 0 ? 0 : no_formula;
}

/* ---- All ---- */

double toy_divergence(divergence_kind kind, const spec *p, const spec *q, double theta)
{
    const toy_row *r = row_of(p);
    if (r != row_of(q))
        return no_formula;
    if (memcmp(p->options, q->options, r->spec.size) == 0) { /* q is p moved */
        if (theta == 0)
            return 0;
        if (kind == DIVERGENCE_WASSERSTEIN) /* moving all as far is best, as the means show */
            return fabs(theta);
    }
    if (!r->shape)
        return no_formula;
    toy_shape a = r->shape(p->options), b = r->shape(q->options);
    b.lo += theta;
    b.hi += theta;
    b.mean[0] += theta;
    return a.kind == SHAPE_BOX ? between_boxes(kind, &a, &b)
                               : between_normals(kind, &a, &b, r->dims);
}
