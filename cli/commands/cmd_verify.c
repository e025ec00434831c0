/* SPDX-License-Identifier: MIT */
/* latent verify: checks with known answers, on this machine. */
#include "shared_options.h"

#include <math.h>

/* ---- Every check ---- */

typedef struct progress {
    bool as_json, has_begun;
    json_t *list;
    double truth; /* of estimates */
} progress;

static json_t *check_json(const lt_check *c)
{
    return json_pack("{s:s, s:s, s:b, s:s, s:o}", "area", c->area, "name", c->name, "ok", c->is_ok,
                     "text", c->text, "seconds", json_number(c->seconds));
}

static bool show(void *user, const lt_check *c)
{
    progress *p = user;
    if (p->as_json) {
        json_array_append_new(p->list, check_json(c));
    } else {
        begin_style(c->is_ok ? STYLE_GOOD : STYLE_ERROR);
        printf("%-7s", c->is_ok ? "ok" : "FAILED");
        end_style();
        printf(" %s: %s, %s\n", c->area, c->name, c->text);
    }
    fflush(stdout);
    return !is_stopped();
}

static int run_checks(const command *c, const command_line *names, bool is_quick, bool as_json)
{
    progress p = {.as_json = as_json, .list = json_array()};
    lt_verification v;
    int status = lt_verify(&(lt_verify_options){.is_quick = is_quick, .only = names->operand,
                                                .n_only = names->n, .on_check = show, .user = &p},
                           &v);
    if (as_json && status == LT_OK)
        print_json(json_pack("{s:b, s:i, s:i, s:o, s:O}", "ok", v.failed == 0, "checks", v.checks,
                             "failed", v.failed, "seconds", json_number(v.seconds), "list",
                             p.list));
    json_decref(p.list);
    if (status == LT_NOT_FOUND)
        return complain(c, CODE_USAGE, "%s", lt_last_error());
    if (status != LT_OK)
        return complain_library(c, status);
    char time[32];
    fflush(stdout);
    say("%d checks, %d failed, %s", v.checks, v.failed, time_text(v.seconds, time));
    return v.failed ? CODE_FAILED : CODE_DONE;
}

/* ---- Estimates of log p(x) ---- */

static json_t *estimate_json(const lt_known_estimate *e)
{
    json_t *o = json_pack("{s:s, s:i, s:o, s:o, s:o, s:o, s:b, s:b}", "estimator", e->name, "draws",
                          e->draws, "value", json_number(e->found.value), "se",
                          json_number(e->found.se), "expected_above", json_number(e->above), "off",
                          json_number(e->off), "right_side", e->is_right_side, "ok", e->is_ok);
    if (e->steps)
        json_object_set_new(o, "steps", json_integer(e->steps));
    return o;
}

static void print_estimate(const lt_known_estimate *e)
{
    char draws[32];
    double off = fabs(e->off) < 0.05 ? 0 : e->off; /* not -0.0 */
    snprintf(draws, sizeof draws, e->steps ? "%d x %d" : "%d", e->draws, e->steps);
    printf("%-22s%9s %8.5f +- %.5f %8.5f %8.5f %6.1f %s\n", e->name, draws, e->found.value,
           e->found.se, e->found.value - e->truth, e->above, off,
           e->is_ok            ? "ok"
           : e->is_right_side ? "FAILED"
                              : "BELOW");
}

static bool show_estimate(void *user, const lt_known_estimate *e)
{
    progress *p = user;
    if (!p->has_begun && !p->as_json)
        printf("A linear Gaussian model; q(z|x) is wider than the posterior.\n"
               "-log p(x) is %.5f nats per image.\n\n%-22s%9s %9s   %7s %8s %8s %6s\n",
               e->truth, "estimate", "draws", "-log p(x)", "error", "above it", "expected",
               "off by");
    p->has_begun = true;
    p->truth = e->truth;
    if (p->as_json)
        json_array_append_new(p->list, estimate_json(e));
    else
        print_estimate(e);
    fflush(stdout);
    return !is_stopped();
}

static int run_estimators(const command *c, bool is_quick, bool as_json)
{
    int failed = 0;
    progress p = {.as_json = as_json, .list = json_array()};
    int status = lt_verify_estimators(is_quick, show_estimate, &p, &failed);
    if (as_json && status == LT_OK)
        print_json(json_pack("{s:b, s:s, s:o, s:O}", "ok", failed == 0, "unit", "nats/image",
                             "truth", json_number(p.truth), "estimates", p.list));
    json_decref(p.list);
    if (status != LT_OK)
        return complain_library(c, status);
    if (!as_json) {
        putchar('\n');
        print_wrapped(stdout, 0,
                      "`above it` is the estimate minus the truth, `expected` its expectation: by its "
                      "formula, or for chains by the variance of their weights. `off by` is the "
                      "difference of the two in standard errors. A row is ok if that is at most 3, and "
                      "the estimate is at most 3 errors below the truth.");
    }
    return failed ? CODE_FAILED : CODE_DONE;
}

/* ---- The command ---- */

static int run_verify(const command *c, int argc, const char **argv)
{
    bool as_json = false, is_quick = false, is_estimators = false;
    const flag flags[] = {
        {.name = "quick", .kind = FLAG_SWITCH, .value = &is_quick, .help = "fewer draws"},
        {.name = "estimators", .kind = FLAG_SWITCH, .value = &is_estimators,
         .help = "only estimates of log p(x), as a table against the truth"},
        {OPTION_JSON, .value = &as_json},
        {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    watch_signals();
    int code = is_estimators && line.n > 0
                   ? complain(c, CODE_USAGE, "--estimators takes no names, found '%s'",
                              line.operand[0])
               : is_estimators ? run_estimators(c, is_quick, as_json)
                               : run_checks(c, &line, is_quick, as_json);
    command_line_clear(&line);
    return code;
}

const command cmd_verify = {
    .name = "verify",
    .summary = "check this build on this machine",
    .operands = "[NAME...] [options]",
    .max_operands = 64,
    .about =
        "Runs checks with known answers and prints a line for each; exits with 1 if one "
        "fails. They take about ten seconds:\n"
        "  random numbers         published vectors of the generator, moments of samples\n"
        "  gradients              of every operator, first and second, against differences\n"
        "  cpu against reference  every operator in floats against plain loops in doubles\n"
        "  distributions          divergences and entropies against formulas, integrals and "
        "means of samples\n"
        "  densities              every family against its definition: integrals of 1, entropies, "
        "divergences, samples by their noise\n"
        "  likelihoods            log p(x|z) of every line, its width, mean image and samples\n"
        "  bounds                 what a VAE minimizes, and its gradient, by every option of the "
        "objective\n"
        "  losses, penalties      of discriminators and generators: values, gradients, divergences\n"
        "  optimizers, schedules  several steps by hand, factors at known steps\n"
        "  initializers, layers   bounds and moments; outputs by plain loops\n"
        "  scores                 weights, tails, FID, KID and others where they are known\n"
        "  linear Gaussian model  bounds and likelihoods where the true ones are known\n"
        "  critics                divergences of known distributions\n"
        "  threads                training gives the same bits with 1, 2, 3, 4 and 8 threads\n"
        "  training               losses as in double precision\n"
        "  checkpoints            read back; resumed training gives the same bits\n"
        "\n"
        "NAMEs select areas, as listed above, or single checks, such as "
        "\"densities: laplace\" or laplace.\n"
        "\n"
        "--estimators prints the estimates of log p(x) as a table: each result, its standard error, "
        "how far it is above the truth, and how far it should be.\n"
        "\n"
        "A failure is a bug in latent, in a library it uses, or in the machine: please report "
        "it with the output of `latent version`.\n",
    .examples = "  latent verify\n"
                "  latent verify densities \"penalties: r1\"\n"
                "  latent verify --estimators\n"
                "  latent verify --json > verify.json\n",
    .run = run_verify};
