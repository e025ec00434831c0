/* SPDX-License-Identifier: MIT */
/* The kinds of models, and queries of a recipe that their records answer. */
#include "models/kind.h"

#include "base/status.h"

#include <math.h>

/* ---- The list ---- */

static const spec_row *const kinds[] = {
#define KIND(NAME) &kind_##NAME.recipe.spec,
#include "models/models.def"
#undef KIND
    NULL};

const spec_table kind_table = {"kind of model", kinds};

const model_kind *kind_of(const lt_recipe *r) { return (const model_kind *)r->kind.row; }

/* ---- Capabilities ---- */

/* Name of each capability, and what it provides. */
static const struct {
    unsigned what;
    const char *name, *thing;
} capabilities[] = {{LT_CAN_ENCODE, "encode", "code of an image"},
                    {LT_CAN_POSTERIOR, "posterior", "posterior q(z|x)"},
                    {LT_CAN_DECODE, "decode", "image of a code"},
                    {LT_CAN_SAMPLE, "sample", "prior to sample from"},
                    {LT_CAN_LIKELIHOOD, "likelihood", "log p(x|z)"},
                    {LT_CAN_LOG_PRIOR, "log prior", "log p(z)"},
                    {LT_CAN_BOUND, "bound", "bound on log p(x)"},
                    {LT_CAN_CLASSES, "classes", "image of a class"},
                    {LT_CAN_ADVERSARY, "adversary", "score of an image"}};

const char *lt_capability_name(unsigned one)
{
    for (int i = 0; i < COUNT_OF(capabilities); i++)
        if (capabilities[i].what == one)
            return capabilities[i].name;
    return NULL;
}

unsigned lt_recipe_capabilities(const lt_recipe *r) { return kind_of(r)->can(r); }

bool lt_recipe_can(const lt_recipe *r, unsigned what)
{
    return (lt_recipe_capabilities(r) & what) == what;
}

bool lt_model_can(const lt_model *m, unsigned what)
{
    return lt_recipe_can(lt_model_recipe(m), what);
}

/* Index of the first missing capability. */
static int first_missing(unsigned missing)
{
    for (int i = 0; i < COUNT_OF(capabilities); i++)
        if (capabilities[i].what & missing)
            return i;
    LT_ASSERT(!"a capability of the table");
    return 0;
}

int kind_require(const lt_recipe *r, unsigned what, const char *thing)
{
    static const kind_lack no_reason = {.why = "which does not support this"};
    const model_kind *kind = kind_of(r);
    unsigned missing = what & ~kind->can(r);
    if (!missing)
        return LT_OK;
    int i = first_missing(missing);
    const kind_lack *l = kind->lacks;
    while (l->why && !(l->what & capabilities[i].what))
        l++;
    if (!l->why)
        l = &no_reason;
    return status_fail(LT_VALUE, "%s is %s, %s: there is no %s%s%s", lt_recipe_name(r), kind->recipe.phrase, l->why,
                       thing ? thing : capabilities[i].thing, l->instead ? ". " : "",
                       l->instead ? l->instead : "");
}

int lt_recipe_require(const lt_recipe *r, unsigned what) { return kind_require(r, what, NULL); }

const char *lt_recipe_kind_title(const lt_recipe *r) { return kind_of(r)->recipe.title; }

const char *lt_recipe_kind_phrase(const lt_recipe *r) { return kind_of(r)->recipe.phrase; }

/* ---- Properties of a recipe that depend on its kind ---- */

int kind_check_decoder(const yaml_node *model, const network *net, const spec *line)
{
    const likelihood_row *likelihood = likelihood_facts(line);
    if (!likelihood->unwanted || !net->n || !layer_is(&net->lines[net->n - 1].layer,
                                                      likelihood->unwanted))
        return LT_OK;
    return yaml_fail(yaml_get(model, "decoder")->last,
                     "the %s likelihood expects %s: remove this %s, it is applied when the mean "
                     "image is computed",
                     likelihood->spec.name, likelihood->output, likelihood->unwanted);
}

const spec *recipe_likelihood(const lt_recipe *r)
{
    return kind_of(r)->likelihood ? kind_of(r)->likelihood(r) : NULL;
}

bool recipe_has_normal_prior(const lt_recipe *r)
{
    return kind_of(r)->has_normal_prior && kind_of(r)->has_normal_prior(r);
}

static double number_at(const lt_recipe *r, const scheduled *number, int64_t step, int64_t steps_per_epoch)
{
    if (!number->value)
        return (double)NAN;
    return number->value(r->kind.options) *
           recipe_schedule_factor(r, recipe_line(r, number->schedule), step, steps_per_epoch);
}

double recipe_beta(const lt_recipe *r, int64_t step, int64_t steps_per_epoch)
{
    return number_at(r, &kind_of(r)->beta, step, steps_per_epoch);
}

double recipe_capacity(const lt_recipe *r, int64_t step, int64_t steps_per_epoch)
{
    return number_at(r, &kind_of(r)->capacity, step, steps_per_epoch);
}

/* ---- Reports ---- */

double lt_metric_value(const lt_metric *metric, const lt_train_report *r) { return r->values[metric->index]; }

double lt_report_value(const lt_recipe *recipe, const lt_train_report *r, const char *name)
{
    const lt_metric *metric = lt_recipe_metric(recipe, name);
    return metric ? lt_metric_value(metric, r) : (double)NAN;
}

void report_clear(lt_train_report *r)
{
    const double none = (double)NAN;
    *r = (lt_train_report){.beta = none, .capacity = none, .learning_rate = none, .beta_first = none};
    for (int i = 0; i < LT_METRICS; i++)
        r->values[i] = none;
}

int lt_loss_parts(const lt_recipe *r, const lt_train_report *t, lt_loss_part parts[LT_LOSS_PARTS])
{
    return kind_of(r)->loss_parts ? kind_of(r)->loss_parts(r, t, parts) : 0;
}

const char *lt_train_warning(const lt_recipe *r, const lt_train_report *t)
{
    return kind_of(r)->warn ? kind_of(r)->warn(r, t) : NULL;
}

/* ---- Recipes with these kinds ---- */

int lt_recipe_open(const char *name_or_path, const char *const *sets, int n, lt_recipe **out)
{
    return recipe_open(&kind_table, name_or_path, sets, n, out);
}

lt_recipe *lt_recipe_parse(const char *label, const char *words, const char *const *sets, int n)
{
    lt_recipe *r;
    recipe_parse(&kind_table, label, words, sets, n, &r);
    return r;
}

const char *lt_recipe_resumable(int i) { return recipe_resumable(&kind_table, i); }
