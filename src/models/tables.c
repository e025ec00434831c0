/* SPDX-License-Identifier: MIT */
/* The list of all tables, and that of the objectives. */
#include "models/priors.h"

#include "base/status.h"
#include "models/adversarial.h"
#include "nn/optimizers.h"
#include "models/penalties.h"
#include "models/toys.h"
#include "nn/init.h"
#include "nn/likelihoods.h"

#include <string.h>

/* ---- Objectives ---- */

static const spec_row *const objectives[] = {
#define OBJECTIVE(NAME) &objective_##NAME.spec,
#include "models/models.def"
#undef OBJECTIVE
    NULL};

const spec_table objective_table = {"kind of model", objectives};

const objective_row *objective_of(const lt_recipe *r)
{
    return (const objective_row *)r->objective.row;
}

/* ---- All ---- */

static const struct {
    const char *name;
    const spec_table *table;
} tables[] = {
    {"layers", &layer_table},         {"initialisers", &initialiser_table},
    {"likelihoods", &likelihood_table}, {"priors", &prior_table},
    {"losses", &adversarial_loss_table}, {"penalties", &penalty_table},
    {"objectives", &objective_table}, {"optimisers", &optimizer_table},
    {"schedules", &schedule_table},   {"sections", &section_table},
    {"distributions", &toy_table},
};

const char *lt_table_name(int i)
{
    return i >= 0 && i < COUNT_OF(tables) ? tables[i].name : NULL;
}

static const spec_table *find_table(const char *name)
{
    for (int i = 0; i < COUNT_OF(tables); i++)
        if (strcmp(tables[i].name, name) == 0)
            return tables[i].table;
    return NULL;
}

bool lt_table_get(const char *table, int i, lt_table_entry *entry)
{
    const spec_table *t = find_table(table);
    if (!t || i < 0)
        return false;
    for (int j = 0; j <= i; j++)
        if (!t->rows[j])
            return false;
    const spec_row *row = t->rows[i];
    *entry = (lt_table_entry){.name = row->name, .summary = row->summary, .options = row->options};
    return true;
}

char *lt_table_help(const lt_option *options)
{
    text help = {0};
    options_help(options, &help);
    return text_take(&help);
}
