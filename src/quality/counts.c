/* SPDX-License-Identifier: MIT */
/* Shares and their intervals, and tests on 2 x 2 tables. */
#include "quality/counts.h"

#include <math.h>

void count_interval(int64_t k, int64_t n, double z, double *low, double *high)
{
    double count = (double)n, p = (double)k / count, z2 = z * z;
    double middle = (p + z2 / (2 * count)) / (1 + z2 / count);
    double half = z / (1 + z2 / count) * sqrt(p * (1 - p) / count + z2 / (4 * count * count));
    *low = k == 0 ? 0 : middle - half;
    *high = k == n ? 1 : middle + half;
}

lt_estimate count_share(int64_t k, int64_t n)
{
    double low, high, p = (double)k / (double)n;
    if (n <= 0)
        return (lt_estimate){(double)NAN, (double)NAN};
    count_interval(k, n, 1, &low, &high);
    return (lt_estimate){p, fmax(high - p, p - low)};
}

/* log of the binomial coefficient n over k. */
static double log_choose(int64_t n, int64_t k)
{
    return lgamma((double)n + 1) - lgamma((double)k + 1) - lgamma((double)(n - k) + 1);
}

double count_excess(int64_t k, int64_t n, int64_t l, int64_t m)
{
    int64_t marked = k + l, most = marked < n ? marked : n;
    double all = log_choose(n + m, marked), sum = 0;
    if (marked - m >= k)
        return 1;
    for (int64_t j = most; j >= k; j--) /* adds small terms first */
        sum += exp(log_choose(n, j) + log_choose(m, marked - j) - all);
    return sum < 1 ? sum : 1;
}
