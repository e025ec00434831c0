/* SPDX-License-Identifier: MIT */
/* Estimates of critics as JSON. */
#include "report/json.h"

#include <latent/report.h>

#include <math.h>

static json_t *row_json(const lt_divergence_row *row)
{
    json_t *exact = isinf(row->exact) ? json_string("infinite") : json_number(row->exact);
    json_t *o = json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "theta", json_number(row->theta),
                          "measure", row->measure, "exact", exact, "estimate",
                          json_estimate(row->found), "pareto_k", json_number(row->tail), "slope",
                          json_number(row->slope));
    if (isfinite(row->low))
        json_object_set_new(o, "critics", json_pack("{s:i, s:o, s:o}", "count", LT_DIVERGENCE_CRITICS, "lowest",
                                                    json_number(row->low), "highest", json_number(row->high)));
    return o;
}

char *lt_divergence_json(const lt_divergence_study *s)
{
    json_t *rows = json_array();
    for (int i = 0; i < s->n; i++)
        json_array_append_new(rows, row_json(&s->rows[i]));
    return json_take(json_pack("{s:o, s:o, s:o, s:o}", "p", json_text(s->p), "q", json_text(s->q), "seconds",
                               json_number(s->seconds), "rows", rows));
}
