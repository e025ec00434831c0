/* SPDX-License-Identifier: MIT */
/* The list of all tables. */
#include "models/priors.h"

#include "base/status.h"
#include "models/adversarial.h"
#include "nn/optimizers.h"
#include "models/penalties.h"
#include "models/toys.h"
#include "nn/init.h"
#include "nn/likelihoods.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* ---- The keys of recipes ---- */

enum { MAX_KINDS = 32, SUMMARY = 240 };

/* A row for each kind's own keys of `model`: "for a gan, and lists: generator, discriminator". */
static spec_row kind_rows[MAX_KINDS];
static char kind_summaries[MAX_KINDS][SUMMARY];
static int n_kinds;
static pthread_once_t kinds_once = PTHREAD_ONCE_INIT;

/* Lists that depend on a number come last. */
static void summarize_kind(const recipe_kind *kind, char *summary)
{
    text t = {0};
    text_format(&t, "for %s, and lists", kind->phrase);
    for (const kind_network *n = kind->networks; n->key; n++)
        text_format(&t, "%s%s%s%s", n == kind->networks ? ": " : n->with && !n[-1].with ? "; " : ", ",
                    n->within ? n->within : "", n->within ? "." : "", n->key);
    LT_ASSERT(t.size < SUMMARY);
    snprintf(summary, SUMMARY, "%s", text_get(&t));
    text_clear(&t);
}

static void list_kinds(void)
{
    for (; kind_table.rows[n_kinds]; n_kinds++) {
        const recipe_kind *kind = (const recipe_kind *)kind_table.rows[n_kinds];
        LT_ASSERT(n_kinds < MAX_KINDS);
        summarize_kind(kind, kind_summaries[n_kinds]);
        kind_rows[n_kinds] = (spec_row){
            .name = "model", .summary = kind_summaries[n_kinds], .options = kind->model_keys};
    }
}

/* The rows of the kinds follow the keys that all kinds share. */
static const spec_row *section_row(int i)
{
    pthread_once(&kinds_once, list_kinds);
    if (i < RECIPE_KIND_ROWS)
        return recipe_section_row(i);
    i -= RECIPE_KIND_ROWS;
    return i < n_kinds ? &kind_rows[i] : recipe_section_row(i - n_kinds + RECIPE_KIND_ROWS);
}

/* ---- All ---- */

static const struct {
    const char *name;
    const spec_table *table;
} tables[] = {
    {"sections", NULL}, /* see section_row */
    {"layers", &layer_table}, {"initializers", &initializer_table},
    {"likelihoods", &likelihood_table}, {"priors", &prior_table},
    {"losses", &adversarial_loss_table}, {"penalties", &penalty_table},
    {"objectives", &kind_table}, {"optimizers", &optimizer_table},
    {"schedules", &schedule_table}, {"distributions", &toy_table},
};

const char *lt_table_name(int i)
{
    return i >= 0 && i < COUNT_OF(tables) ? tables[i].name : NULL;
}

static const spec_row *find_row(const spec_table *t, int i)
{
    if (!t)
        return section_row(i);
    for (int j = 0; j <= i; j++)
        if (!t->rows[j])
            return NULL;
    return t->rows[i];
}

bool lt_table_get(const char *table, int i, lt_table_entry *entry)
{
    for (int k = 0; k < COUNT_OF(tables) && i >= 0; k++) {
        const spec_row *row = strcmp(tables[k].name, table) == 0 ? find_row(tables[k].table, i) : NULL;
        if (!row)
            continue;
        *entry = (lt_table_entry){.name = row->name, .summary = row->summary, .options = row->options};
        return true;
    }
    return false;
}

char *lt_table_help(const lt_option *options)
{
    text help = {0};
    options_help(options, &help);
    return text_take(&help);
}
