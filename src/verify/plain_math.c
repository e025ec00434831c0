/* SPDX-License-Identifier: MIT */
#include "verify/plain_math.h"

#include "base/status.h"
#include "graph/op.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TARGETS = 16 };

/* ---- Running ---- */

typedef struct run {
    lt_node *nodes[MAX_TARGETS];
    int n;
} run;

static void add_node(run *r, lt_node *node)
{
    LT_ASSERT(r->n < MAX_TARGETS);
    if (node)
        r->nodes[r->n++] = node;
}

static void copy_results(lt_session *s, const numbers_target *targets, int n)
{
    for (int i = 0; i < n; i++) {
        size_t size = (size_t)lt_shape_size(lt_node_shape(targets[i].node));
        if (targets[i].to)
            memcpy(targets[i].to, lt_session_doubles(s, targets[i].node), sizeof(double) * size);
    }
}

int numbers_run(lt_graph *g, lt_params *p, uint64_t seed, const numbers_input *inputs, int n_inputs,
                const numbers_target *targets, int n)
{
    run r = {.n = 0};
    for (int i = 0; i < n; i++)
        add_node(&r, targets[i].node);
    for (int i = 0; i < n_inputs; i++)
        add_node(&r, inputs[i].node);
    lt_session *s;
    int status = lt_session_open(g, r.nodes, r.n, &(lt_session_options){.executor = LT_REFERENCE}, &s);
    if (status == LT_OK && p)
        status = lt_params_bind(p, g, s);
    for (int i = 0; status == LT_OK && i < n_inputs; i++)
        if (inputs[i].node)
            *lt_session_doubles(s, inputs[i].node) = inputs[i].value;
    if (status == LT_OK)
        status = lt_session_run(s, &(lt_run_key){.seed = seed});
    if (status == LT_OK)
        copy_results(s, targets, n);
    lt_session_free(s);
    lt_graph_free(g);
    return status;
}

int numbers_read_all(lt_graph *g, lt_params *p, const numbers_target *targets, int n)
{
    return numbers_run(g, p, 3, NULL, 0, targets, n);
}

int numbers_read(lt_graph *g, lt_node *y, double *out, int64_t n)
{
    LT_ASSERT(node_is_bad(y) || lt_shape_size(lt_node_shape(y)) == n);
    (void)n;
    return numbers_read_all(g, NULL, &(numbers_target){y, out}, 1);
}

/* ---- Noise ---- */

static void mark_inputs(const lt_node *y, bool *is_needed)
{
    is_needed[y->id] = true;
    for (int i = y->id; i >= 0; i--)
        if (is_needed[i])
            for (int k = 0; k < y->graph->nodes[i]->n_in; k++)
                is_needed[y->graph->nodes[i]->in[k]->id] = true;
}

int numbers_find_noise(lt_node *y, const char *op, int most, lt_node **found)
{
    if (node_is_bad(y))
        return 0;
    int n = 0;
    bool *is_needed = must_alloc((size_t)y->graph->n * sizeof *is_needed);
    mark_inputs(y, is_needed);
    for (int i = 0; i < y->graph->n && n < most; i++)
        if (is_needed[i] && strcmp(y->graph->nodes[i]->op->name, op) == 0)
            found[n++] = y->graph->nodes[i];
    free(is_needed);
    return n;
}

/* ---- Integrals ---- */

/* x and dx/dt for a t on the real line. */
static double place_at(double t, double lo, double hi, double *slope)
{
    double s = M_PI_2 * sinh(t), ds = M_PI_2 * cosh(t);
    if (isinf(lo) && isinf(hi)) {
        *slope = cosh(s) * ds;
        return sinh(s);
    }
    if (isinf(hi)) {
        *slope = exp(s) * ds;
        return lo + exp(s);
    }
    if (isinf(lo)) {
        *slope = exp(s) * ds;
        return hi - exp(s);
    }
    double e = exp(-2 * fabs(s)), part = s < 0 ? e / (1 + e) : 1 / (1 + e);
    *slope = (hi - lo) * 2 * e / ((1 + e) * (1 + e)) * ds;
    return lo + (hi - lo) * part;
}

double numbers_integrate(integrand *f, const void *about, double lo, double hi)
{
    const double step = 1. / 64, end = 4;
    double sum = 0;
    for (double t = -end; t <= end; t += step) {
        double slope, x = place_at(t, lo, hi, &slope);
        double y = slope > 0 && isfinite(x) && isfinite(slope) ? f(x, about) * slope : 0;
        sum += isfinite(y) ? y * step : 0;
    }
    return sum;
}
