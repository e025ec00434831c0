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

static void list_tables(void)
{
    for (int i = 0; i < TABLES; i++) {
        printf("%-14s ", texts[i].name);
        print_wrapped(stdout, -15, texts[i].summary);
        print_wrapped(stdout, 15, texts[i].about);
    }
}

/* Prints the rows of a table, or those called `wanted`: sections have several parts. Nullable: wanted. */
static int list_rows(const command *c, const table_text *t, const char *wanted)
{
    const char *names[MAX_ROWS + 1];
    int n = 0, shown = 0;
    lt_table_entry e;
    for (; n < MAX_ROWS && lt_table_get(t->name, n, &e); n++) {
        names[n] = e.name;
        if (wanted && strcmp(wanted, e.name) != 0)
            continue;
        shown++;
        print_entry(&e);
    }
    names[n] = NULL;
    return shown ? CODE_DONE
                 : complain(c, CODE_FAILED, "unknown name '%s' in %s%s", wanted, t->name, suggestion(wanted, names));
}

/* As JSON; false: there is no such row. Nullable: t (all tables), wanted. */
static bool print_tables_json(const table_text *t, const char *wanted)
{
    char *text = t ? lt_table_json(t->name, wanted) : lt_tables_json();
    if (text)
        print_json_text(text);
    free(text);
    return text != NULL;
}

static int run_list(const command *c, int argc, const char **argv)
{
    bool as_json = false;
    const flag flags[] = {{OPTION_JSON, .value = &as_json}, {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    int code = CODE_DONE;
    const table_text *t = line.n > 0 ? find_text(line.operand[0]) : NULL;
    const char *wanted = line.n > 1 ? line.operand[1] : NULL;
    if (line.n > 0 && !t)
        code = refuse_table(c, line.operand[0]);
    else if (as_json && print_tables_json(t, wanted))
        code = CODE_DONE;
    else if (t)
        code = list_rows(c, t, wanted);
    else
        list_tables();
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
