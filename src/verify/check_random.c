/* SPDX-License-Identifier: MIT */
/* Checks of random numbers: published test vectors of the generator, and moments of samples. */
#include "verify/checks.h"

#include "base/philox.h"
#include "base/status.h"

#include <latent/ops.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Random123 1.x, kat_vectors, philox4x32 with 10 rounds. */
static const struct {
    uint32_t counter[4], key[2], want[4];
} known[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

static int check_philox(void)
{
    for (int i = 0; i < COUNT_OF(known); i++) {
        uint32_t out[4];
        philox4x32(known[i].counter, known[i].key, out);
        if (memcmp(out, known[i].want, sizeof out))
            return status_fail(LT_VALUE, "vector %d: expected %08x ..., found %08x ...", i,
                               known[i].want[0], out[0]);
    }
    return LT_OK;
}

/* The first four moments of the draws. */
typedef struct moments {
    double found[4];
} moments;

static int find_moments(lt_graph *g, lt_node *x, moments *m)
{
    lt_node *power[4] = {x};
    for (int i = 1; i < 4; i++)
        power[i] = lt_mul(power[i - 1], x);
    for (int i = 0; i < 4; i++)
        power[i] = lt_mean(power[i]);
    lt_session *s;
    int status = lt_session_open(g, power, 4, NULL, &s);
    if (status == LT_OK)
        status = lt_session_run(s, &(lt_run_key){.seed = 1});
    for (int i = 0; status == LT_OK && i < 4; i++)
        m->found[i] = (double)*lt_session_floats(s, power[i]);
    lt_session_free(s);
    lt_graph_free(g);
    return status;
}

/* The standard error of moment k of n samples is sqrt((m_2k - m_k^2) / n); four of them are rarely exceeded. */
static int check_moments(const moments *m, const double want[8], double n, double *worst)
{
    for (int i = 0; i < 4; i++) {
        double se = sqrt((want[2 * i + 1] - want[i] * want[i]) / n);
        double off = fabs(m->found[i] - want[i]) / se;
        *worst = off > *worst ? off : *worst;
        if (!(off < 4))
            return status_fail(LT_VALUE, "moment %d: expected %g +- %.1e, found %g", i + 1, want[i],
                               se, m->found[i]);
    }
    return LT_OK;
}

void check_random(check_run *r)
{
    static const double normal[] = {0, 1, 0, 3, 0, 15, 0, 105};
    static const double uniform[] = {1 / 2., 1 / 3., 1 / 4., 1 / 5.,
                                     1 / 6., 1 / 7., 1 / 8., 1 / 9.};
    const int64_t n = r->o.is_quick ? 100000 : 2000000;
    if (check_is_wanted(r, "random numbers", "philox4x32-10") &&
        !check_report(r, "random numbers", "philox4x32-10", check_philox(), "%d published vectors",
                      COUNT_OF(known)))
        return;
    for (int which = 0; which < 2; which++) {
        if (!check_is_wanted(r, "random numbers", which ? "uniform" : "normal"))
            continue;
        lt_graph *g = lt_graph_create();
        moments m;
        double worst = 0;
        lt_node *x = (which ? lt_uniform : lt_normal)(g, lt_shape_1d(n));
        int status = find_moments(g, x, &m);
        if (status == LT_OK)
            status = check_moments(&m, which ? uniform : normal, (double)n, &worst);
        if (!check_report(r, "random numbers", which ? "uniform" : "normal", status,
                          "four moments of %jd draws within %.1f standard errors", (intmax_t)n,
                          worst))
            return;
    }
}
