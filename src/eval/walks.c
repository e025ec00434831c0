/* SPDX-License-Identifier: MIT */
/* Points in the space of codes: quantiles of the prior, interpolation between codes. */
#include <latent/eval.h>

#include <math.h>

/* log of the standard normal distribution function at x <= 0, and its derivative. */
static double log_normal_below(double x, double *slope)
{
    const double sqrt_2 = 1.41421356237309504880, sqrt_2_pi = 2.50662827463100050242;
    double below = 0.5 * erfc(-x / sqrt_2);
    *slope = exp(-0.5 * x * x) / sqrt_2_pi / below;
    return log(below);
}

/* Newton's method on log P(z < x) = log p. The left side is concave in x, so steps from below the root increase toward
   it and never pass it. The start is below the root, as P(z < x) <= 1/2 e^(-x^2/2) for x <= 0. */
double lt_normal_quantile(double p)
{
    enum { MAX_STEPS = 60 };
    if (!(p >= 0 && p <= 1))
        return NAN;
    if (p > 0.5)
        return -lt_normal_quantile(1 - p);
    if (p == 0)
        return -INFINITY;
    double x = -sqrt(fmax(-2 * log(2 * p), 0)), step = 1;
    for (int i = 0; i < MAX_STEPS && step > 1e-15 * -x; i++) {
        double slope, at = log_normal_below(x, &slope);
        step = (log(p) - at) / slope;
        x += step;
    }
    return x;
}

/* Weights of a and b on the great circle; linear ones if the circle is undefined. */
static void spherical_weights(int n, const float *a, const float *b, double t, double w[2])
{
    double aa = 0, bb = 0, ab = 0;
    for (int i = 0; i < n; i++) {
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
        ab += (double)a[i] * (double)b[i];
    }
    double cosine = aa > 0 && bb > 0 ? fmin(fmax(ab / sqrt(aa * bb), -1), 1) : 1;
    double angle = acos(cosine);
    if (sin(angle) < 1e-6)
        return;
    w[0] = sin((1 - t) * angle) / sin(angle);
    w[1] = sin(t * angle) / sin(angle);
}

void lt_interpolate(int n, const float *a, const float *b, double t, bool is_spherical, float *out)
{
    double w[2] = {1 - t, t};
    if (is_spherical)
        spherical_weights(n, a, b, t, w);
    for (int i = 0; i < n; i++)
        out[i] = (float)(w[0] * (double)a[i] + w[1] * (double)b[i]);
}
