/* SPDX-License-Identifier: MIT */
/* Computes the bounds of one image from its stream of log weights. */
#include "eval/bounds.h"

#include <math.h>

bounds_plan bounds_make_plan(const lt_eval_options *o)
{
    bounds_plan p = {.n = o->n_iwae, .draws = o->nll_samples};
    for (int i = 0; i < o->n_iwae; i++) {
        p.k[i] = o->iwae[i];
        p.draws = o->iwae[i] > p.draws ? o->iwae[i] : p.draws;
    }
    for (int i = 0; i < p.n; i++)
        p.most[i] = p.draws / p.k[i];
    if (o->nll_samples > 0) {
        p.k[p.n] = o->nll_samples;
        p.most[p.n++] = 1;
    }
    p.tail = tail_size(p.draws);
    return p;
}

void bounds_begin(image_bounds *b, const bounds_plan *p, double *heap)
{
    *b = (image_bounds){.tail = {.size = p->tail, .heap = heap}};
    for (int i = 0; i < p->n; i++)
        b->of[i].sum = WEIGHT_SUM_ZERO;
}

static void grouping_add(grouping *g, int k, double l)
{
    weight_sum_add(&g->sum, l);
    if (++g->drawn < k)
        return;
    g->log_mean += weight_sum_log_mean(&g->sum, k);
    g->ess += weight_sum_ess(&g->sum);
    g->groups++;
    g->drawn = 0;
    g->sum = WEIGHT_SUM_ZERO;
}

void bounds_add(image_bounds *b, const bounds_plan *p, double log_weight)
{
    for (int i = 0; i < p->n; i++)
        if (b->of[i].groups < p->most[i])
            grouping_add(&b->of[i], p->k[i], log_weight);
    tail_add(&b->tail, log_weight);
}
