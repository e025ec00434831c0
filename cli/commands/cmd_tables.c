/* SPDX-License-Identifier: MIT */
/* latent layers, likelihoods, priors, losses, penalties, objectives, optimisers ...: what may stand
   in a recipe, from the tables that the recipe parser itself reads. */
#include "shared_options.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_ROWS = 128 };

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

/* Lines of "  name  text", the text wrapped below itself. */
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

static int print_table(const command *c, const char *wanted, bool as_json)
{
    const char *names[MAX_ROWS + 1];
    int n = 0, shown = 0;
    json_t *all = json_array();
    lt_table_entry e;
    for (; n < MAX_ROWS && lt_table_get(c->name, n, &e); n++) {
        names[n] = e.name;
        if (wanted && strcmp(wanted, e.name) != 0)
            continue;
        shown++;
        if (as_json)
            json_array_append_new(all, entry_json(&e));
        else
            print_entry(&e);
    }
    names[n] = NULL;
    if (as_json && shown)
        print_json(json_incref(all));
    json_decref(all);
    if (wanted && !shown)
        return complain(c, CODE_FAILED, "there is no '%s' among the %s%s", wanted, c->name,
                        suggestion(wanted, names));
    return CODE_DONE;
}

static int run(const command *c, int argc, const char **argv)
{
    bool as_json = false;
    const flag flags[] = {{OPTION_JSON, .value = &as_json}, {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    int code = print_table(c, line.n > 0 ? line.operand[0] : NULL, as_json);
    command_line_clear(&line);
    return code;
}

const command cmd_layers = {
    .name = "layers", .summary = "what a network may be made of",
    .operands = "[NAME]", .max_operands = 1,
    .about = "The lines of model.encoder and model.decoder in a recipe. Options that stand first "
             "may be given by place, the others as key=value.\n",
    .examples = "  latent layers linear\n",
    .run = run};

const command cmd_likelihoods = {
    .name = "likelihoods", .summary = "what the pixels may be distributed like, given the code",
    .operands = "[NAME]", .max_operands = 1,
    .about = "Values of model.likelihood in a recipe. Every one is a log density or log "
             "probability with all its constants, in nats.\n",
    .examples = "  latent likelihoods\n",
    .run = run};

const command cmd_priors = {
    .name = "priors", .summary = "what codes are distributed like before an image is seen",
    .operands = "[NAME]", .max_operands = 1,
    .about = "Values of model.prior in a recipe: p(z). What a prior has of parameters is trained "
             "with the networks.\n",
    .examples = "  latent priors mixture\n",
    .run = run};

const command cmd_losses = {
    .name = "losses", .summary = "what a critic and a generator may minimise",
    .operands = "[NAME]", .max_operands = 1,
    .about = "Values of objective.loss in a recipe of a GAN. Each bounds a divergence of the data p "
             "and the samples q. v is the critic's raw output; in the f-GAN family T = g_f(v), and "
             "the critic maximises E T(x) - E f*(T(G(z))).\n",
    .examples = "  latent losses wasserstein\n",
    .run = run};

const command cmd_penalties = {
    .name = "penalties", .summary = "what may keep a critic smooth",
    .operands = "[NAME]", .max_operands = 1,
    .about = "Values of objective.penalty in a recipe of a GAN.\n",
    .examples = "  latent penalties lipschitz\n",
    .run = run};

const command cmd_objectives = {
    .name = "objectives", .summary = "what training may minimise",
    .operands = "[NAME]", .max_operands = 1,
    .about = "Values of model.kind in a recipe.\n",
    .examples = "  latent objectives\n",
    .run = run};

const command cmd_optimisers = {
    .name = "optimisers", .summary = "how training may go downhill",
    .operands = "[NAME]", .max_operands = 1,
    .about = "Values of optimiser in a recipe, and of objective.critic_optimiser in one of a GAN; each does "
             "what PyTorch's of that name does.\n",
    .examples = "  latent optimisers adam\n",
    .run = run};

const command cmd_schedules = {
    .name = "schedules", .summary = "how a weight may change during training",
    .operands = "[NAME]", .max_operands = 1,
    .about = "Values of objective.schedule, which multiplies beta, of objective.capacity_schedule "
             "and of learning_rate_schedule in a recipe.\n",
    .examples = "  latent schedules linear\n",
    .run = run};

const command cmd_initialisers = {
    .name = "initialisers", .summary = "what weights may start from",
    .operands = "[NAME]", .max_operands = 1,
    .about = "Values of model.init in a recipe.\n",
    .examples = "  latent initialisers\n",
    .run = run};

const command cmd_distributions = {
    .name = "distributions", .summary = "what latent divergence compares",
    .operands = "[NAME]", .max_operands = 1,
    .about = "Values of --p and --q of latent divergence: on the line (uniform, normal) or in the "
             "plane.\n",
    .examples = "  latent divergence --p \"normal 0 2\" -m kl\n",
    .run = run};

const command cmd_sections = {
    .name = "sections", .summary = "the keys of a recipe",
    .operands = "[NAME]", .max_operands = 1,
    .about = "The sections of a recipe and the keys in each: what --set can change.\n",
    .examples = "  latent sections train\n",
    .run = run};
