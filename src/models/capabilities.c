/* SPDX-License-Identifier: MIT */
/* What a kind of model can do and what its training reports, by its record. */
#include "models/objective.h"

#include "base/status.h"

#include <string.h>

/* ---- Capabilities ---- */

const char *lt_capability_name(unsigned one)
{
    static const struct {
        unsigned what;
        const char *name;
    } names[] = {{LT_CAN_ENCODE, "encode"},         {LT_CAN_POSTERIOR, "posterior"},
                 {LT_CAN_DECODE, "decode"},         {LT_CAN_SAMPLE, "sample"},
                 {LT_CAN_LIKELIHOOD, "likelihood"}, {LT_CAN_LOG_PRIOR, "log prior"},
                 {LT_CAN_BOUND, "bound"},           {LT_CAN_CLASSES, "classes"},
                 {LT_CAN_ADVERSARY, "adversary"}};
    for (int i = 0; i < COUNT_OF(names); i++)
        if (names[i].what == one)
            return names[i].name;
    return NULL;
}

unsigned lt_recipe_capabilities(const lt_recipe *r) { return objective_of(r)->can(r); }

bool lt_recipe_can(const lt_recipe *r, unsigned what)
{
    return (lt_recipe_capabilities(r) & what) == what;
}

bool lt_model_can(const lt_model *m, unsigned what)
{
    return lt_recipe_can(lt_model_recipe(m), what);
}

/* The first reason that the record has for something that is missing; NULL: none. */
static const char *reason_for(const objective_row *kind, unsigned missing)
{
    for (const kind_lack *l = kind->lacks; l->why; l++)
        if (l->what & missing)
            return l->why;
    return NULL;
}

int lt_recipe_require(const lt_recipe *r, unsigned what)
{
    const objective_row *kind = objective_of(r);
    unsigned missing = what & ~kind->can(r), one = 1;
    if (!missing)
        return LT_OK;
    while (!(missing & one))
        one <<= 1;
    const char *why = reason_for(kind, one), *name = lt_capability_name(one);
    return status_fail(LT_VALUE, "%s is %s, %s%s", lt_recipe_name(r), kind->phrase,
                       why ? why : "which has no ", why ? "" : name ? name : "such thing");
}

const char *lt_recipe_kind_title(const lt_recipe *r) { return objective_of(r)->title; }

const char *lt_recipe_kind_phrase(const lt_recipe *r) { return objective_of(r)->phrase; }

/* ---- Metrics ---- */

void kind_list_metrics(lt_recipe *r)
{
    const objective_row *kind = objective_of(r);
    for (const lt_metric *m = kind->metrics; m->name; m++) {
        LT_ASSERT(r->n_metrics < RECIPE_METRICS);
        lt_metric *own = &r->metrics[r->n_metrics];
        *own = *m;
        own->index = r->n_metrics++;
        if (kind->describe)
            kind->describe(r, own);
    }
}

const lt_metric *lt_recipe_metrics(const lt_recipe *r, int *n)
{
    *n = r->n_metrics;
    return r->metrics;
}

const lt_metric *lt_recipe_metric(const lt_recipe *r, const char *name)
{
    for (int i = 0; i < r->n_metrics; i++)
        if (strcmp(r->metrics[i].name, name) == 0)
            return &r->metrics[i];
    return NULL;
}

const lt_metric *lt_recipe_loss(const lt_recipe *r) { return &r->metrics[0]; }
