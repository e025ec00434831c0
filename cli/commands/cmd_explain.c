/* SPDX-License-Identifier: MIT */
/* latent explain: what the numbers of a run are made of, and what they may stand beside. */
#include "explanation.h"
#include "shared_options.h"

#include <math.h>
#include <string.h>

enum { TEXT_COLUMN = 26 };

/* ---- As JSON ---- */

/* Numbers of a gan are none of nats. */
static json_t *terms_json(const lt_ledger *l, const lt_ledger_term *of, int n)
{
    json_t *terms = json_array();
    for (int i = 0; i < n; i++) {
        const lt_ledger_term *t = &of[i];
        json_array_append_new(terms,
                              json_pack("{s:s, s:o, s:b, s:s}", "name", t->name,
                                        l->has_likelihood ? "nats" : "value", json_number(t->nats),
                                        "is_sum", t->is_sum, "text", t->text));
    }
    return terms;
}

static json_t *published_json(const lt_ledger *l)
{
    json_t *rows = json_array();
    const lt_published *p;
    for (int i = 0; (p = lt_published_get(i)) != NULL; i++) {
        const char *why = lt_published_differs(p, l);
        json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:f, s:s, s:b}", "images",
                                p->images, "pixels", lt_pixels_name(p->pixels), "model", p->model,
                                "estimator", p->is_elbo ? "elbo" : "nll", "k", p->samples, "split",
                                lt_split_name(p->split), "nats", p->nats, "source", p->source,
                                "comparable", why == NULL);
        if (p->epochs)
            json_object_set_new(row, "epochs", json_integer(p->epochs));
        json_object_set_new(row, "same_objective", json_boolean(lt_published_is_like(p, l)));
        if (why)
            json_object_set_new(row, "because", json_string(why));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *explanation_json(const explanation *e)
{
    const lt_ledger *l = &e->ledger;
    json_t *notes = json_array();
    for (int i = 0; i < l->n_notes; i++)
        json_array_append_new(notes, json_string(l->notes[i]));
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:I, s:b, s:s, s:s, s:s, s:i, s:s, s:I, s:o, s:o, s:o, s:o}",
                  "checkpoint", e->t.checkpoint, "set", l->set, "pixels", lt_pixels_name(l->pixels),
                  "dimensions", (json_int_t)l->dimensions, "has_likelihood", l->has_likelihood,
                  "likelihood", l->likelihood, "prior", l->prior, "objective", l->objective,
                  "layers", l->layers, "bound", l->bound, "draws", (json_int_t)l->draws, "sigma",
                  json_number(l->sigma), "constant", json_number(l->constant), "beta",
                  json_number(l->beta), "capacity", json_number(l->capacity));
    json_t *measured = json_pack(
        "{s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "split", lt_split_name(e->split), "images",
        (json_int_t)e->found.images, "epoch", (json_int_t)e->epoch, "neg_elbo",
        json_estimate((lt_estimate){l->neg_elbo, e->found.neg_elbo_se}), "bits_per_dim",
        json_pack("{s:o, s:s?}", "value", json_number(l->bits_per_dim), "kind",
                  l->has_likelihood ? lt_unit_name(l->unit) : NULL),
        "minimized", terms_json(l, l->minimized, l->n_minimized), "terms",
        terms_json(l, l->terms, l->n_terms), "notes", notes, "published", published_json(l));
    json_object_update(o, measured);
    json_decref(measured);
    return o;
}

/* ---- On a terminal ---- */

static void print_field(const char *name, const char *text)
{
    printf("  %-12s", name);
    print_wrapped(stdout, -14, text);
}

static void print_data(const explanation *e)
{
    const lt_ledger *l = &e->ledger;
    char line[1024], when[64] = "evaluated now";
    if (e->epoch)
        snprintf(when, sizeof when, "after epoch %lld", (long long)e->epoch);
    print("%s\n\n", e->t.checkpoint);
    snprintf(line, sizeof line, "%s, %lld numbers an image: %s%s", l->set, (long long)l->dimensions,
             lt_pixels_text(l->pixels), l->limit ? "; cut to a part by data.limit" : "");
    print_field("data", line);
    if (l->has_likelihood) {
        snprintf(line, sizeof line, "%lld %s images, %s", (long long)e->found.images,
                 e->has_data ? lt_split_name(e->split) : "validation (or test)", when);
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
    explanation_round(terms, n, shown);
    for (int i = 0; i < n; i++) {
        const lt_ledger_term *t = &terms[i];
        printf("%s %-12s ", t->is_sum ? " =" : "  ", t->name);
        if (isnan(t->nats))
            printf("%8s  ", "-");
        else
            printf("%8.2f  ", shown_number(shown[i], 2));
        print_wrapped(stdout, -TEXT_COLUMN, t->text);
    }
}

static void print_minimized(const explanation *e)
{
    const lt_ledger *l = &e->ledger;
    printf("\nWhat training minimized%s: ", l->has_likelihood ? ", nats per image" : "");
    if (e->report.epoch)
        printf("means over epoch %lld as it went on\n", (long long)e->report.epoch);
    else
        puts("the numbers are not in a checkpoint");
    print_list(l->minimized, l->n_minimized);
}

static void print_notes(const lt_ledger *l)
{
    for (int i = 0; i < l->n_notes; i++) {
        putchar('\n');
        print_wrapped(stdout, 0, l->notes[i]);
    }
}

static void print_terms(const explanation *e)
{
    const lt_ledger *l = &e->ledger;
    printf("\nWhat is reported, nats per image: %lld %s images\n", (long long)e->found.images,
           e->has_data ? lt_split_name(e->split) : "validation (or test)");
    print_list(l->terms, l->n_terms);
    if (!l->has_bound)
        return;
    printf("   %-12s %8.4f  ", "bits/dim", l->bits_per_dim);
    print_wrapped(stdout, -TEXT_COLUMN,
                  l->unit == LT_DISCRETE  ? "-ELBO / (log 2 x numbers): of probabilities"
                  : l->unit == LT_DENSITY ? "-ELBO / (log 2 x numbers): of a density on [0, 1]"
                                          : "-ELBO / (log 2 x numbers): of a cross-entropy");
    if (isfinite(e->found.neg_elbo_se))
        printf("The standard error of -ELBO is %.2f; q(z|x) is drawn from once.\n",
               e->found.neg_elbo_se);
}

/* A gan's numbers are those of its training alone. */
static void print_state(const explanation *e)
{
    puts("\nWhat is reported of both");
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
             lt_published_is_like(p, l) ? ": as here" : "");
    printf("   %-12s %8.2f  %-5s ", how, p->nats, lt_split_name(p->split));
    print_wrapped(stdout, -(TEXT_COLUMN + 6), text);
}

static void print_comparable(const explanation *e)
{
    const lt_published *p;
    bool is_any = false, has_nll = false;
    puts("\nMay stand beside");
    for (int i = 0; (p = lt_published_get(i)) != NULL; i++)
        if (!lt_published_differs(p, &e->ledger)) {
            print_row(p, &e->ledger);
            is_any = true;
            has_nll |= !p->is_elbo;
        }
    if (!is_any)
        puts("   none of the published numbers that are known here");
    if (has_nll)
        print_wrapped(
            stdout, 0,
            "NLL is -log p(x) by K importance samples and lower than -ELBO: compare it with "
            "`latent eval RUN --split test --nll K`, with the same K.");
}

/* Each reason once. */
static void print_others(const lt_ledger *l)
{
    const lt_published *p;
    puts("\nMay not stand beside");
    for (int i = 0; (p = lt_published_get(i)) != NULL; i++) {
        char range[64], text[512];
        const char *why = lt_published_differs(p, l);
        kept_away a = why ? count_kept_away(l, p, why) : (kept_away){.first = -1};
        if (a.first != i)
            continue;
        snprintf(range, sizeof range, a.n > 1 ? "%.2f to %.2f" : "%.2f", a.low, a.high);
        snprintf(text, sizeof text, "%d on %s, %s: %s", a.n, p->images, range, why);
        printf("   ");
        print_wrapped(stdout, -5, text);
    }
}

static void print_all(const explanation *e)
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

typedef struct explain_request {
    const char *data;
    int split;
    int64_t images, seed, threads;
    bool as_json, is_of_split;
} explain_request;

static bool go_on(void *user, double done)
{
    (void)user, (void)done;
    return !is_stopped();
}

/* The numbers of a split, evaluated now, in place of what training has written down. */
static int evaluate_split(explanation *e, const explain_request *q)
{
    lt_evaluation found;
    if (!e->has_data)
        LT_TRY(lt_model_open_data(e->t.model, q->data, NULL, 0, &e->t.data));
    e->has_data = true;
    LT_TRY(lt_model_check_data(e->t.model, e->t.data));
    lt_split split = lt_dataset_split(e->t.data, (lt_split)q->split);
    int all = lt_dataset_describe(e->t.data)->n[split];
    lt_eval_options o = {.images = q->images < all ? (int)q->images : 0, .seed = (uint64_t)q->seed,
                         .run = {.threads = (int)q->threads, .progress = go_on}};
    watch_signals();
    LT_TRY(lt_evaluate(e->t.model, e->t.data, split, &o, &found));
    return explanation_take(e, &found, split);
}

/* Gives the exit code. */
static int explain(const command *c, explanation *e, const explain_request *q)
{
    int status = explanation_find(e, q->data);
    if (status == LT_OK && q->is_of_split && !lt_model_can(e->t.model, LT_CAN_LIKELIHOOD))
        return complain(c, CODE_USAGE, "--split: %s has no likelihood, so there is nothing to evaluate", e->run);
    if (status == LT_OK && q->is_of_split)
        status = evaluate_split(e, q);
    if (status != LT_OK)
        return complain_library(c, status);
    if (q->as_json)
        print_json(explanation_json(e));
    else
        print_all(e);
    return CODE_DONE;
}

static int run(const command *c, int argc, const char **argv)
{
    explanation e = {.epoch = 0};
    explain_request q = {.split = LT_VALID};
    const flag flags[] = {{OPTION_JSON, .value = &q.as_json},
                          {OPTION_DATA, .value = &q.data},
                          {OPTION_SPLIT, .value = &q.split,
                           .note = "evaluated now; default: what training found at last"},
                          {OPTION_IMAGES, .value = &q.images, .needs = "split", .min = 1, .max = INT32_MAX,
                           .note = "spread over the split; default: all"},
                          {OPTION_SEED, .value = &q.seed, .needs = "split", .note = "default: 0"},
                          {OPTION_THREADS, .value = &q.threads},
                          {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    e.run = line.operand[0];
    q.is_of_split = flag_is_given(&line, "split");
    int code = explain(c, &e, &q);
    trained_close(&e.t);
    command_line_clear(&line);
    return code;
}

const command cmd_explain = {
    .name = "explain",
    .summary = "say what the numbers of a run mean, and what they compare with",
    .operands = "RUN [options]",
    .min_operands = 1,
    .max_operands = 1,
    .about =
        "The ledger of the loss: each term in nats per image with its constants, what it is the "
        "logarithm of, and which published numbers may stand beside it, or why not. Numbers are "
        "those of the last validation in RUN's metrics.jsonl, or of --split; a checkpoint file, or a run "
        "without any, is evaluated.\n",
    .examples = "  latent explain runs/ift6135-vae\n"
                "  latent explain runs/i2dl-mlp-vae --json\n",
    .run = run};
