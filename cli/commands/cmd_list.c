/* SPDX-License-Identifier: MIT */
/* latent list: the layers, losses and other values that recipes accept, from the tables of the recipe parser. */
#include "shared_options.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_ROWS = 128 };

/* The description of a table of the library. */
typedef struct table_text {
    const char *name, *summary;
    const char *about; /* where its rows are used, and what they are; wrapped */
} table_text;

static const table_text texts[] = {
    {"sections", "the keys of a recipe", "The sections of a recipe and the keys in each: what --set can change."},
    {"layers", "the layers of networks",
     "The lines of model.encoder and model.decoder in a recipe. Leading options may be given by position, the "
     "others as key=value."},
    {"initializers", "initializers of weights", "Values of model.init in a recipe."},
    {"likelihoods", "distributions of the pixels given the code",
     "Values of model.likelihood in a recipe. Each is a log density or log probability with all its constants, "
     "in nats."},
    {"priors", "prior distributions of codes",
     "Values of model.prior in a recipe: p(z). Parameters of a prior are trained with the networks."},
    {"losses", "losses of discriminator and generator",
     "Values of objective.loss in a recipe of a GAN. Each bounds a divergence of the data p and the samples q. v is "
     "the discriminator's raw output; in the f-GAN family T = g_f(v), and the discriminator maximizes E T(x) - E f*(T(G(z)))."},
    {"penalties", "regularizers of the discriminator", "Values of objective.penalty in a recipe of a GAN."},
    {"objectives", "training objectives", "Values of model.kind in a recipe."},
    {"optimizers", "optimization algorithms",
     "Values of optimizer in a recipe, and of objective.discriminator_optimizer in a recipe of a GAN. Each is "
     "the one of that name in PyTorch."},
    {"schedules", "schedules of weights and learning rates",
     "Values of objective.schedule, which multiplies beta, of objective.capacity_schedule and of "
     "learning_rate_schedule in a recipe."},
    {"distributions", "distributions for latent divergence",
     "Values of --p and --q of latent divergence: on the line (uniform, normal) or in the plane."},
};

enum { TABLES = sizeof texts / sizeof texts[0] };

/* Word `index` of "a|b|c". */
static json_t *choice_json(const char *choices, int index)
{
    while (index-- > 0)
        choices += strcspn(choices, "|") + 1;
    return json_stringn(choices, strcspn(choices, "|"));
}

static json_t *default_json(const lt_option *o)
{
    switch (o->kind) {
    case LT_KIND_INT: return json_integer((json_int_t)o->fallback);
    case LT_KIND_REAL: return json_number(o->fallback);
    case LT_KIND_BOOL: return json_boolean(o->fallback != 0);
    case LT_KIND_CHOICE: return choice_json(o->choices, (int)o->fallback);
    case LT_KIND_TEXT:
    case LT_KIND_PATH: return json_string(o->choices ? o->choices : "");
    }
    return json_null();
}

static json_t *option_json(const lt_option *o)
{
    static const char *const kinds[] = {"int", "real", "bool", "choice", "text", "path"};
    json_t *row = json_pack("{s:s, s:s, s:s, s:b, s:b}", "name", o->name, "kind", kinds[o->kind],
                            "help", o->help, "positional", o->positional, "required", o->required);
    if (!o->required)
        json_object_set_new(row, "default", default_json(o));
    if (o->kind == LT_KIND_CHOICE)
        json_object_set_new(row, "choices", json_string(o->choices));
    if ((o->kind == LT_KIND_INT || o->kind == LT_KIND_REAL) && o->min < o->max) {
        json_object_set_new(row, "min", json_number(o->min));
        json_object_set_new(row, "max", json_number(o->max));
    }
    return row;
}

static json_t *entry_json(const lt_table_entry *e)
{
    json_t *options = json_array();
    for (const lt_option *o = e->options; o && o->name; o++)
        json_array_append_new(options, option_json(o));
    return json_pack("{s:s, s:s, s:o}", "name", e->name, "summary", e->summary, "options", options);
}

/* Prints lines of "  name  text" with the text wrapped below itself. */
static void print_options(char *help)
{
    for (char *line = strtok(help, "\n"); line; line = strtok(NULL, "\n")) {
        size_t column = strspn(line, " ");
        column += strcspn(line + column, " ");
        column += strspn(line + column, " ");
        printf("%.*s", (int)column, line);
        print_wrapped(stdout, -(int)column, line + column);
    }
}

static void print_entry(const lt_table_entry *e)
{
    printf("%-20s ", e->name);
    print_wrapped(stdout, -21, e->summary);
    char *help = e->options && e->options->name ? lt_table_help(e->options) : NULL;
    if (help) {
        print_options(help);
        putchar('\n');
    }
    free(help);
}

static const table_text *find_text(const char *name)
{
    for (int i = 0; i < TABLES; i++)
        if (strcmp(texts[i].name, name) == 0)
            return &texts[i];
    return NULL;
}

/* Returns the table that has a row called `name`, or NULL. */
static const char *table_with(const char *name)
{
    lt_table_entry e;
    for (int i = 0; i < TABLES; i++)
        for (int k = 0; lt_table_get(texts[i].name, k, &e); k++)
            if (strcmp(e.name, name) == 0)
                return texts[i].name;
    return NULL;
}

static int refuse_table(const command *c, const char *name)
{
    const char *names[TABLES + 1] = {NULL}, *table = table_with(name);
    if (table)
        return complain(c, CODE_FAILED, "'%s' is a row, not a table: latent list %s %s", name, table, name);
    for (int i = 0; i < TABLES; i++)
        names[i] = texts[i].name;
    return complain(c, CODE_FAILED, "unknown table '%s'%s (see: latent list)", name,
                    suggestion(name, names));
}

static json_t *table_json(const char *name)
{
    lt_table_entry e;
    json_t *rows = json_array();
    for (int i = 0; lt_table_get(name, i, &e); i++)
        json_array_append_new(rows, entry_json(&e));
    return rows;
}

static int list_tables(bool as_json)
{
    json_t *all = json_object();
    for (int i = 0; i < TABLES; i++) {
        if (as_json)
            json_object_set_new(all, texts[i].name, table_json(texts[i].name));
        else {
            printf("%-14s ", texts[i].name);
            print_wrapped(stdout, -15, texts[i].summary);
            print_wrapped(stdout, 15, texts[i].about);
        }
    }
    if (as_json)
        print_json(json_incref(all));
    json_decref(all);
    return CODE_DONE;
}

static int list_table(const table_text *t, bool as_json)
{
    lt_table_entry e;
    if (as_json) {
        print_json(table_json(t->name));
        return CODE_DONE;
    }
    for (int i = 0; lt_table_get(t->name, i, &e); i++)
        print_entry(&e);
    return CODE_DONE;
}

/* Prints the rows of one name: sections have several parts. */
static int list_row(const command *c, const table_text *t, const char *wanted, bool as_json)
{
    const char *names[MAX_ROWS + 1];
    int n = 0, shown = 0;
    json_t *found = json_array();
    lt_table_entry e;
    for (; n < MAX_ROWS && lt_table_get(t->name, n, &e); n++) {
        names[n] = e.name;
        if (strcmp(wanted, e.name) != 0)
            continue;
        shown++;
        if (as_json)
            json_array_append_new(found, entry_json(&e));
        else
            print_entry(&e);
    }
    names[n] = NULL;
    if (as_json && shown)
        print_json(json_incref(found));
    json_decref(found);
    if (!shown)
        return complain(c, CODE_FAILED, "unknown name '%s' in %s%s", wanted, t->name, suggestion(wanted, names));
    return CODE_DONE;
}

static int run_list(const command *c, int argc, const char **argv)
{
    bool as_json = false;
    const flag flags[] = {{OPTION_JSON, .value = &as_json}, {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    int code;
    const table_text *t = line.n > 0 ? find_text(line.operand[0]) : NULL;
    if (line.n == 0)
        code = list_tables(as_json);
    else if (!t)
        code = refuse_table(c, line.operand[0]);
    else if (line.n == 1)
        code = list_table(t, as_json);
    else
        code = list_row(c, t, line.operand[1], as_json);
    command_line_clear(&line);
    return code;
}

const command cmd_list = {
    .name = "list", .summary = "list the values of recipes: layers, priors, losses ...",
    .operands = "[TABLE [NAME]] [options]", .max_operands = 2,
    .about = "Without operands, lists the tables; with one, its rows and their options. The recipe parser reads the "
             "same tables, so they are complete.\n",
    .examples = "  latent list\n"
                "  latent list layers\n"
                "  latent list layers conv\n"
                "  latent list optimizers --json\n",
    .run = run_list};
