/* SPDX-License-Identifier: MIT */
/* latent explain: the terms of a run's numbers, and published numbers that are comparable. */
#include "shared_options.h"

#include <math.h>
#include <stdlib.h>

enum { TEXT_COLUMN = 26 };

/* ---- On a terminal ---- */

static void print_field(const char *name, const char *text)
{
    printf("  %-12s", name);
    print_wrapped(stdout, -14, text);
}

static void print_data(const lt_explanation *e)
{
    const lt_ledger *l = &e->ledger;
    char line[1024], when[64] = "evaluated now";
    if (e->epoch)
        snprintf(when, sizeof when, "after epoch %lld", (long long)e->epoch);
    print("%s\n\n", e->checkpoint);
    snprintf(line, sizeof line, "%s, %lld values per image: %s%s", l->set, (long long)l->dimensions,
             lt_pixels_text(l->pixels), l->limit ? "; limited by data.limit" : "");
    print_field("data", line);
    if (l->has_likelihood) {
        snprintf(line, sizeof line, "%lld %s images, %s", (long long)e->found.images,
                 e->data ? lt_split_name(e->split) : "validation (or test)", when);
        print_field("measured on", line);
    }
    print_field("likelihood", l->has_likelihood ? l->likelihood : "none");
    if (l->has_bound)
        print_field("prior", l->prior);
    print_field("objective", l->objective);
}

static void print_list(const lt_ledger_term *terms, int n)
{
    double shown[LT_LEDGER_TERMS];
    lt_ledger_round(terms, n, shown);
    for (int i = 0; i < n; i++) {
        const lt_ledger_term *t = &terms[i];
        printf("%s %-12s ", t->is_sum ? " =" : "  ", t->name);
        if (isnan(t->nats))
            printf("%8s  ", "-");
        else
            printf("%8.2f  ", lt_shown_number(shown[i], 2));
        print_wrapped(stdout, -TEXT_COLUMN, t->text);
    }
}

static void print_minimized(const lt_explanation *e)
{
    const lt_ledger *l = &e->ledger;
    printf("\nTraining loss%s: ", l->has_likelihood ? ", nats per image" : "");
    if (e->trained.epoch)
        printf("means over epoch %lld\n", (long long)e->trained.epoch);
    else
        puts("a checkpoint does not hold the numbers");
    print_list(l->minimized, l->n_minimized);
}

static void print_notes(const lt_ledger *l)
{
    for (int i = 0; i < l->n_notes; i++) {
        putchar('\n');
        print_wrapped(stdout, 0, l->notes[i]);
    }
}

static void print_terms(const lt_explanation *e)
{
    const lt_ledger *l = &e->ledger;
    printf("\nReported, nats per image: %lld %s images\n", (long long)e->found.images,
           e->data ? lt_split_name(e->split) : "validation (or test)");
    print_list(l->terms, l->n_terms);
    if (!l->has_bound)
        return;
    printf("   %-12s %8.4f  ", "bits/dim", l->bits_per_dim);
    print_wrapped(stdout, -TEXT_COLUMN,
                  l->unit == LT_DISCRETE  ? "-ELBO / (log 2 x dimensions), of probabilities"
                  : l->unit == LT_DENSITY ? "-ELBO / (log 2 x dimensions), of a density on [0, 1]"
                                          : "-ELBO / (log 2 x dimensions), of a cross-entropy");
    if (isfinite(e->found.neg_elbo_se))
        printf("The standard error of -ELBO is %.2f; one sample of q(z|x) per image.\n",
               e->found.neg_elbo_se);
}

/* GAN only: the numbers of training. */
static void print_state(const lt_explanation *e)
{
    puts("\nReported for both networks");
    print_list(e->ledger.terms, e->ledger.n_terms);
}

/* "-ELBO, valid   101.28  MODEL (SOURCE)" */
static void print_row(const lt_published *p, const lt_ledger *l)
{
    char how[32], text[512];
    if (p->is_elbo)
        snprintf(how, sizeof how, "-ELBO");
    else if (p->samples)
        snprintf(how, sizeof how, "NLL K=%d", p->samples);
    else
        snprintf(how, sizeof how, "NLL K=?");
    snprintf(text, sizeof text, "%s (%s)%s", p->model, p->source,
             lt_published_is_like(p, l) ? ": same objective" : "");
    printf("   %-12s %8.2f  %-5s ", how, p->nats, lt_split_name(p->split));
    print_wrapped(stdout, -(TEXT_COLUMN + 6), text);
}

static void print_comparable(const lt_explanation *e)
{
    const lt_published *p;
    bool is_any = false, has_nll = false;
    puts("\nComparable with");
    for (int i = 0; (p = lt_published_get(i)) != NULL; i++)
        if (!lt_published_differs(p, &e->ledger)) {
            print_row(p, &e->ledger);
            is_any = true;
            has_nll |= !p->is_elbo;
        }
    if (!is_any)
        puts("   none of the published numbers that latent knows");
    if (has_nll)
        print_wrapped(
            stdout, 0,
            "NLL is -log p(x) estimated with K importance samples, and lower than -ELBO: compare it with "
            "`latent eval RUN --split test --nll K` for the same K.");
}

/* Prints each reason once. */
static void print_others(const lt_ledger *l)
{
    const lt_published *p;
    puts("\nNot comparable with");
    for (int i = 0; (p = lt_published_get(i)) != NULL; i++) {
        char range[64], text[512];
        lt_published_group a = lt_published_kept_apart(l, i);
        if (a.first != i)
            continue;
        snprintf(range, sizeof range, a.n > 1 ? "%.2f to %.2f" : "%.2f", a.low, a.high);
        snprintf(text, sizeof text, "%d on %s, %s: %s", a.n, p->images, range, lt_published_differs(p, l));
        printf("   ");
        print_wrapped(stdout, -5, text);
    }
}

static void print_all(const lt_explanation *e)
{
    print_data(e);
    print_minimized(e);
    if (!e->ledger.has_likelihood) {
        print_state(e);
        print_notes(&e->ledger);
        return;
    }
    print_terms(e);
    print_notes(&e->ledger);
    if (!e->ledger.has_bound)
        return;
    print_comparable(e);
    print_others(&e->ledger);
}

/* ---- The command ---- */

static bool go_on(void *user, double done)
{
    (void)user, (void)done;
    return !is_stopped();
}

/* Returns the exit code. */
static int explain(const command *c, const char *run, const lt_explain_options *o, bool as_json)
{
    lt_explanation e;
    if (o->with_split && !may_have(&run, 1, LT_CAN_LIKELIHOOD))
        return complain(c, CODE_USAGE, "--split: %s has no likelihood, so there is nothing to evaluate", run);
    warnings_expect(run);
    watch_signals();
    int status = lt_explain(run, o, &e), code = CODE_DONE;
    char *text = status == LT_OK && as_json ? lt_explanation_json(&e) : NULL;
    if (status != LT_OK || (as_json && !text))
        code = complain_library(c, status);
    else if (as_json)
        print_json_text(text);
    else
        print_all(&e);
    free(text);
    lt_explanation_clear(&e);
    return code;
}

static int run_explain(const command *c, int argc, const char **argv)
{
    const char *data = NULL;
    int split = LT_VALID;
    int64_t images = 0, seed = 0, threads = 0;
    bool as_json = false;
    const flag flags[] = {{OPTION_JSON, .value = &as_json},
                          {OPTION_DATA, .value = &data},
                          {OPTION_SPLIT, .value = &split,
                           .note = "evaluated now; default: the last validation of training"},
                          {OPTION_IMAGES, .value = &images, .needs = "split", .min = 1, .max = INT32_MAX,
                           .note = "a stratified sample of the split; default: all"},
                          {OPTION_SEED, .value = &seed, .needs = "split", .note = "default: 0"},
                          {OPTION_THREADS, .value = &threads},
                          {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    lt_explain_options o = {.data = data, .with_split = flag_is_given(&line, "split"), .split = (lt_split)split,
                            .images = (int)images, .seed = (uint64_t)seed,
                            .run = {.threads = (int)threads, .progress = go_on}};
    int code = explain(c, line.operand[0], &o, as_json);
    command_line_clear(&line);
    return code;
}

const command cmd_explain = {
    .name = "explain",
    .summary = "explain the numbers of a run, and what they are comparable with",
    .operands = "RUN [options]",
    .min_operands = 1,
    .max_operands = 1,
    .about =
        "Prints the ledger of the loss: each term in nats per image with its constants and its unit, "
        "and which published numbers are comparable with it, or why not. The numbers are "
        "those of the last validation in RUN's metrics.jsonl, or of --split; a checkpoint file, or a run "
        "without a validation, is evaluated.\n",
    .examples = "  latent explain runs/ift6135-vae\n"
                "  latent explain runs/i2dl-mlp-vae --json\n",
    .run = run_explain};
