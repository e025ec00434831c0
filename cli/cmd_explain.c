/* SPDX-License-Identifier: MIT */
/* latent explain: what the numbers of a run are made of, and what they may stand beside. */
#include "cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_COLUMN = 26, MAX_LINE = 1 << 16 };

typedef struct explanation {
    trained t;
    const char *run;
    lt_validation found;
    lt_train_report report; /* of the last epoch that has a line; epoch 0: none */
    int64_t epoch;          /* of the validation; 0: evaluated now */
    lt_split split;
    bool has_data; /* else the split is that which training would take */
    lt_ledger ledger;
} explanation;

/* ---- What was measured ---- */

static double number_of(const json_t *o, const char *name)
{
    const json_t *value = json_object_get(o, name);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

/* Takes what a line of metrics.jsonl has. */
static void take_line(explanation *e, const char *line)
{
    json_t *o = json_loads(line, 0, NULL);
    const json_t *valid = json_object_get(o, "valid");
    if (json_is_number(json_object_get(o, "epoch")))
        e->report = (lt_train_report){.step = json_integer_value(json_object_get(o, "step")),
                                      .epoch = json_integer_value(json_object_get(o, "epoch")),
                                      .images = json_integer_value(json_object_get(o, "images")),
                                      .loss = number_of(o, "loss"),
                                      .rate = number_of(o, "rate"),
                                      .distortion = number_of(o, "distortion"),
                                      .beta = number_of(o, "beta"),
                                      .critic_loss = number_of(o, "critic_loss"),
                                      .generator_loss = number_of(o, "generator_loss"),
                                      .d_real = number_of(o, "d_real"),
                                      .d_fake = number_of(o, "d_fake"),
                                      .penalty = number_of(o, "penalty"),
                                      .gradient_norm = number_of(o, "gradient_norm"),
                                      .estimate = number_of(o, "estimate"),
                                      .spread = number_of(o, "spread")};
    if (json_is_object(valid) && json_is_number(json_object_get(valid, "elbo"))) {
        e->found = (lt_validation){.images = (int64_t)number_of(valid, "images"),
                                   .elbo = number_of(valid, "elbo"),
                                   .elbo_se = number_of(valid, "elbo_se"),
                                   .rate = number_of(valid, "rate"),
                                   .distortion = number_of(valid, "distortion"),
                                   .squared_error = number_of(valid, "squared_error")};
        e->epoch = json_integer_value(json_object_get(o, "epoch"));
    }
    json_decref(o);
}

/* The last validation in RUN/metrics.jsonl; none if RUN is a checkpoint. */
static void read_metrics(explanation *e)
{
    char path[4096];
    static char line[MAX_LINE];
    snprintf(path, sizeof path, "%s/metrics.jsonl", e->run);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        take_line(e, line);
    if (f)
        fclose(f);
}

static bool go_on(void *user, double done)
{
    (void)user, (void)done;
    return !is_stopped();
}

static int evaluate(explanation *e)
{
    lt_evaluation found;
    watch_signals();
    LT_TRY(lt_evaluate(e->t.model, e->t.data, e->split, &(lt_eval_options){.progress = go_on},
                       &found));
    e->found = (lt_validation){.images = found.images,
                               .elbo = found.elbo.value,
                               .elbo_se = found.elbo.se,
                               .rate = found.rate.value,
                               .distortion = found.distortion.value,
                               .squared_error = found.squared_error.value};
    return LT_OK;
}

/* The data is needed only where nothing has been measured yet. */
static int open_data(explanation *e, const char *data)
{
    int status = lt_recipe_open_data(lt_model_recipe(e->t.model), data, &e->t.data);
    e->has_data = status == LT_OK;
    e->split = e->has_data ? lt_dataset_split(e->t.data, LT_VALID) : LT_VALID;
    return status == LT_OK || e->epoch > 0 ? LT_OK : status;
}

static int find(explanation *e, const char *data)
{
    LT_TRY(trained_open(&e->t, e->run, false, NULL));
    read_metrics(e);
    if (data) /* what was measured was another's */
        e->epoch = 0;
    bool has_likelihood = lt_model_has_likelihood(e->t.model);
    int status = open_data(e, data);
    if (has_likelihood && status == LT_OK && e->epoch == 0)
        status = evaluate(e);
    if (has_likelihood)
        LT_TRY(status);
    if (e->epoch == 0 && !has_likelihood)
        e->found.elbo = e->found.elbo_se = (double)NAN;
    lt_ledger_facts facts = {.data = e->has_data ? lt_dataset_describe(e->t.data) : NULL,
                             .found = &e->found,
                             .trained = e->report.epoch ? &e->report : NULL};
    return lt_ledger_make(&e->ledger, e->t.model, &facts);
}

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
        (json_int_t)e->found.images, "epoch", (json_int_t)e->epoch, "elbo",
        json_estimate((lt_estimate){l->elbo, e->found.elbo_se}), "bits_per_dim",
        json_pack("{s:o, s:s?}", "value", json_number(l->bits_per_dim), "kind",
                  l->has_likelihood ? lt_unit_name(l->unit) : NULL),
        "minimised", terms_json(l, l->minimised, l->n_minimised), "terms",
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
    printf("%s\n\n", e->t.checkpoint);
    snprintf(line, sizeof line, "%s, %lld numbers an image: %s%s", l->set, (long long)l->dimensions,
             lt_pixels_text(l->pixels), l->limit ? "; cut to a part by data.limit" : "");
    print_field("data", line);
    if (l->has_likelihood) {
        snprintf(line, sizeof line, "%lld %s images, %s", (long long)e->found.images,
                 e->has_data ? lt_split_name(e->split) : "validation (or test)", when);
        print_field("measured on", line);
    }
    print_field("likelihood", l->has_likelihood ? l->likelihood : "none");
    if (l->has_likelihood)
        print_field("prior", l->prior);
    print_field("objective", l->objective);
}

static void print_list(const lt_ledger_term *terms, int n)
{
    for (int i = 0; i < n; i++) {
        const lt_ledger_term *t = &terms[i];
        printf("%s %-11s ", t->is_sum ? " =" : "  ", t->name);
        if (isnan(t->nats))
            printf("%9s  ", "-");
        else
            printf("%9.2f  ", t->nats);
        print_wrapped(stdout, -TEXT_COLUMN, t->text);
    }
}

static void print_minimised(const explanation *e)
{
    const lt_ledger *l = &e->ledger;
    printf("\nWhat training minimised%s: ", l->has_likelihood ? ", nats per image" : "");
    if (e->report.epoch)
        printf("means over epoch %lld as it went on\n", (long long)e->report.epoch);
    else
        puts("the numbers are not in a checkpoint");
    print_list(l->minimised, l->n_minimised);
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
    printf("   %-11s %9.4f  ", "bits/dim", l->bits_per_dim);
    print_wrapped(stdout, -TEXT_COLUMN,
                  l->unit == LT_DISCRETE  ? "-ELBO / (log 2 x numbers): of probabilities"
                  : l->unit == LT_DENSITY ? "-ELBO / (log 2 x numbers): of a density on [0, 1]"
                                          : "-ELBO / (log 2 x numbers): of a cross-entropy");
    if (isfinite(e->found.elbo_se))
        printf("The standard error of the ELBO is %.2f; q(z|x) is drawn from once.\n",
               e->found.elbo_se);
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
    printf("   %-11s %9.2f  %-5s ", how, p->nats, lt_split_name(p->split));
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

/* Rows that `why` keeps away, for the images that row `first` is of. */
typedef struct kept_away {
    int n, first;
    double low, high; /* nats */
} kept_away;

static kept_away count_kept_away(const lt_ledger *l, const lt_published *p, const char *why)
{
    kept_away a = {.first = -1, .low = HUGE_VAL, .high = -HUGE_VAL};
    const lt_published *q;
    for (int i = 0; (q = lt_published_get(i)) != NULL; i++) {
        const char *its = lt_published_differs(q, l);
        if (!its || strcmp(its, why) != 0 || strcmp(q->images, p->images) != 0)
            continue;
        a.first = a.n++ ? a.first : i;
        a.low = fmin(a.low, q->nats);
        a.high = fmax(a.high, q->nats);
    }
    return a;
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
    print_minimised(e);
    if (!e->ledger.has_likelihood) {
        print_state(e);
        print_notes(&e->ledger);
        return;
    }
    print_terms(e);
    print_notes(&e->ledger);
    print_comparable(e);
    print_others(&e->ledger);
}

static int run(const command *c, int argc, const char **argv)
{
    explanation e = {.epoch = 0};
    bool as_json = false;
    const char *data = NULL;
    const flag flags[] = {FLAG_JSON(&as_json),
                          FLAG_DATA(&data, "evaluate on this data set instead of the recipe's"),
                          {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    e.run = line.operand[0];
    int status = find(&e, data);
    if (status == LT_OK && as_json)
        print_json(explanation_json(&e));
    else if (status == LT_OK) {
        print_all(&e);
    }
    trained_close(&e.t);
    command_line_clear(&line);
    return status == LT_OK ? CODE_DONE : complain_library(c, status);
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
        "those of the last validation in RUN's metrics.jsonl; a checkpoint file, or a run without "
        "any, is evaluated.\n",
    .examples = "  latent explain runs/ift6135-vae\n"
                "  latent explain runs/i2dl-mlp-vae --json\n",
    .run = run};
