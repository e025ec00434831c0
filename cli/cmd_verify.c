/* SPDX-License-Identifier: MIT */
/* latent verify: checks with known answers, on this machine. */
#include "cli.h"

typedef struct progress {
    bool as_json;
    json_t *list;
} progress;

static json_t *check_json(const lt_check *c)
{
    return json_pack("{s:s, s:s, s:b, s:s, s:o}", "area", c->area, "name", c->name, "ok", c->is_ok,
                     "text", c->text, "seconds", json_number(c->seconds));
}

static bool show(void *user, const lt_check *c)
{
    progress *p = user;
    if (p->as_json)
        json_array_append_new(p->list, check_json(c));
    else
        printf("%-7s %s: %s, %s\n", c->is_ok ? "ok" : "FAILED", c->area, c->name, c->text);
    fflush(stdout);
    return !is_stopped();
}

static int run(const command *c, int argc, const char **argv)
{
    progress p = {0};
    lt_verify_options o = {.on_check = show, .user = &p};
    const flag flags[] = {{"quick", 'q', FLAG_SWITCH, &o.is_quick, NULL, "fewer draws", 0, 0, NULL},
                          FLAG_JSON(&p.as_json),
                          {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    lt_verification v;
    p.list = json_array();
    watch_signals();
    int status = lt_verify(&o, &v);
    if (p.as_json && status == LT_OK)
        print_json(json_pack("{s:b, s:i, s:i, s:o, s:O}", "ok", v.failed == 0, "checks", v.checks,
                             "failed", v.failed, "seconds", json_number(v.seconds), "list",
                             p.list));
    json_decref(p.list);
    command_line_clear(&line);
    if (status != LT_OK)
        return complain_library(c, status);
    char time[32];
    fflush(stdout);
    say("%d checks, %d failed, %s", v.checks, v.failed, time_text(v.seconds, time));
    return v.failed ? CODE_FAILED : CODE_DONE;
}

const command cmd_verify = {
    .name = "verify",
    .summary = "check this build on this machine",
    .operands = "[options]",
    .about =
        "Runs checks whose answers are known, and prints a line for each; leaves with 1 if one "
        "fails. They take less than a minute:\n"
        "  random numbers         published vectors of the generator, moments of draws\n"
        "  gradients              of every operator, first and second, against differences\n"
        "  cpu against reference  every operator in floats against plain loops in doubles\n"
        "  distributions          divergences, entropies and densities against formulas, "
        "integrals and means of draws\n"
        "  linear Gaussian model  bounds and likelihoods where the true ones are known\n"
        "  threads                the same bits from training with 1, 2, 3, 4 and 8\n"
        "  training               losses as in double precision\n"
        "  checkpoints            read back, training goes on with the same bits\n"
        "\n"
        "A failure is a mistake in latent, in a library it uses, or in the machine: please report "
        "it with what `latent version` says.\n",
    .examples = "  latent verify\n"
                "  latent verify --json > verify.json\n",
    .run = run};
