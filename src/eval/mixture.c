/* SPDX-License-Identifier: MIT */
/* Densities of a large mixture of diagonal Gaussians at many points: each Gaussian is read once for
   a block of points, which stay in cache. */
#include "eval/mixture.h"

#include "base/clones.h"
#include "base/constants.h"
#include "base/memory.h"
#include "base/threads.h"
#include "base/estimate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 16 };

int mixture_init(mixture *m, int n, int64_t latent)
{
    int64_t stride = (latent + MIXTURE_LANES - 1) / MIXTURE_LANES * MIXTURE_LANES;
    size_t bytes = sizeof(float) * (size_t)n * (size_t)stride;
    *m = (mixture){.n = n, .latent = latent, .stride = stride};
    m->mean = tensor_alloc(bytes, "the posteriors of a split");
    m->precision = m->mean ? tensor_alloc(bytes, "the posteriors of a split") : NULL;
    m->constant = must_alloc(sizeof *m->constant * (size_t)n);
    return m->precision ? LT_OK : LT_NO_MEMORY;
}

void mixture_clear(mixture *m)
{
    tensor_free(m->mean);
    tensor_free(m->precision);
    free(m->constant);
    *m = (mixture){0};
}

void mixture_set(mixture *m, int i, const float *mean, const float *logvar)
{
    double sum = 0;
    memcpy(m->mean + i * m->stride, mean, sizeof *mean * (size_t)m->latent);
    for (int64_t k = 0; k < m->latent; k++) {
        m->precision[i * m->stride + k] = expf(-logvar[k]);
        sum += (double)logvar[k] + LOG_2_PI;
    }
    m->constant[i] = -0.5 * sum;
}

/* Sum of (z - mean)^2 precision over a row, whose width is a multiple of MIXTURE_LANES. */
LT_CLONES
static float distance(int64_t n, const float *z, const float *mean, const float *precision)
{
    float lane[MIXTURE_LANES] = {0};
    for (int64_t k = 0; k < n; k += MIXTURE_LANES)
        for (int j = 0; j < MIXTURE_LANES; j++) {
            float d = z[k + j] - mean[k + j];
            lane[j] += d * d * precision[k + j];
        }
    for (int half = MIXTURE_LANES / 2; half > 0; half /= 2)
        for (int j = 0; j < half; j++)
            lane[j] += lane[j + half];
    return lane[0];
}

static double log_prob(const mixture *m, int i, const float *z)
{
    int64_t row = i * m->stride;
    return m->constant[i] -
           0.5 * (double)distance(m->stride, z, m->mean + row, m->precision + row);
}

typedef struct log_probs_call {
    const mixture *m;
    int count;
    const float *z;
    const int *of;
    double *own, *all;
} log_probs_call;

static void find_block(void *context, int64_t block, int worker)
{
    (void)worker;
    const log_probs_call *c = context;
    const mixture *m = c->m;
    int first = (int)block * BLOCK, n = c->count - first < BLOCK ? c->count - first : BLOCK;
    const float *z = c->z + first * m->stride;
    weight_sum sums[BLOCK];
    for (int k = 0; k < n; k++) {
        sums[k] = WEIGHT_SUM_ZERO;
        c->own[first + k] = log_prob(m, c->of[first + k], z + k * m->stride);
    }
    for (int i = 0; i < m->n; i++)
        for (int k = 0; k < n; k++)
            weight_sum_add(&sums[k], log_prob(m, i, z + k * m->stride));
    for (int k = 0; k < n; k++)
        c->all[first + k] = weight_sum_log_mean(&sums[k], m->n);
}

void mixture_log_probs(const mixture *m, int count, const float *z, const int *of, int threads,
                       double *own, double *all)
{
    log_probs_call c = {m, count, z, of, own, all};
    threads_run(threads, (count + BLOCK - 1) / BLOCK, find_block, &c);
}
