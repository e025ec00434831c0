/* SPDX-License-Identifier: MIT */
/* latent eval of several runs: their numbers in one table, and the paired differences over images. */
#include "eval_request.h"

#include <latent/ledger.h>

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* An evaluated run. Its data is closed, as all data at once may not fit into memory. */
typedef struct contestant {
    trained t;
    eval_findings f;
} contestant;

typedef struct contest {
    eval_request request;
    int n;
    contestant *all;
} contest;

static int evaluate(const eval_request *q, contestant *k, const char *run)
{
    LT_TRY(lt_model_open_data(k->t.model, q->data, q->sets.item, q->sets.n, &k->t.data));
    LT_TRY(lt_model_check_data(k->t.model, k->t.data));
    k->f = (eval_findings){.run = run, .trained = &k->t};
    int status = eval_find(q, &k->f);
    lt_dataset_free(k->t.data);
    k->t.data = NULL;
    return status;
}

static void contest_clear(contest *all)
{
    for (int i = 0; i < all->n; i++) {
        lt_scorecard_clear(&all->all[i].f.card);
        trained_close(&all->all[i].t);
    }
    free(all->all);
}

/* ---- The table of bounds ---- */

enum { CELL = 32, NAME_WIDTH = 24, CELL_WIDTH = 16, MAX_COLUMNS = 8 + LT_MAX_BOUNDS };

typedef struct bound_column {
    char title[CELL];
    lt_estimate of[EVAL_MAX_RUNS]; /* NaN: none */
    int digits;
} bound_column;

static lt_estimate estimate_of(const contestant *k, int which, int bound)
{
    const lt_evaluation *e = &k->f.card.evaluation;
    const lt_estimate all[] = {e->neg_elbo, e->rate, e->distortion, e->nll, k->f.card.ais.nll,
                               k->f.card.codes.mutual_information, e->squared_error, e->bits_per_dim};
    enum { INFORMATION = 5 };
    bool has_codes = lt_model_can(k->t.model, LT_CAN_BOUND);
    if (!k->f.card.has_bounds || (bound < 0 && which == INFORMATION && !has_codes))
        return (lt_estimate){(double)NAN, (double)NAN};
    return bound >= 0 ? e->bounds[bound].value : all[which];
}

static void add_column(const contest *all, bound_column *columns, int *n, const char *title, int which,
                       int bound)
{
    bound_column *c = &columns[(*n)++];
    *c = (bound_column){.digits = which == 7 ? 4 : 2};
    snprintf(c->title, sizeof c->title, "%s", title);
    for (int i = 0; i < all->n; i++)
        c->of[i] = estimate_of(&all->all[i], which, bound);
}

static int list_columns(const contest *all, bound_column *columns)
{
    char title[CELL];
    int n = 0;
    add_column(all, columns, &n, "-ELBO", 0, -1);
    add_column(all, columns, &n, "rate", 1, -1);
    add_column(all, columns, &n, "distortion", 2, -1);
    for (int i = 0; i < all->request.n_iwae; i++) {
        snprintf(title, sizeof title, "IWAE, k = %d", all->request.iwae[i]);
        add_column(all, columns, &n, title, 0, i);
    }
    snprintf(title, sizeof title, "NLL, K = %jd", (intmax_t)all->request.samples);
    if (all->request.samples > 0)
        add_column(all, columns, &n, title, 3, -1);
    if (all->request.ais[0] > 0)
        add_column(all, columns, &n, "AIS", 4, -1);
    add_column(all, columns, &n, "information", 5, -1);
    add_column(all, columns, &n, "squared error", 6, -1);
    add_column(all, columns, &n, "bits/dimension", 7, -1);
    return n;
}

static void write_cell(const bound_column *c, int i, char cell[2 * CELL])
{
    char error[LT_ERROR_TEXT];
    if (isfinite(c->of[i].value))
        snprintf(cell, 2 * CELL, "%.*f%s%s", c->digits, lt_shown_number(c->of[i].value, c->digits),
                 isfinite(c->of[i].se) ? " " : "", lt_shown_error(c->of[i].se, c->digits, error));
    else
        snprintf(cell, 2 * CELL, "-");
}

static void print_columns(const contest *all, const bound_column *columns, int n)
{
    static const cells_look look = {.name_least = NAME_WIDTH, .name_most = NAME_WIDTH, .cell_least = CELL_WIDTH};
    char (*texts)[2 * CELL] = plot_room((size_t)(all->n * n), sizeof *texts);
    const char **cells = plot_room((size_t)((all->n + 1) * (n + 1)), sizeof *cells);
    cells[0] = "";
    for (int k = 0; k < n; k++)
        cells[1 + k] = columns[k].title;
    for (int i = 0; i < all->n; i++) {
        cells[(i + 1) * (n + 1)] = all->all[i].f.run;
        for (int k = 0; k < n; k++) {
            write_cell(&columns[k], i, texts[i * n + k]);
            cells[(i + 1) * (n + 1) + 1 + k] = texts[i * n + k];
        }
    }
    putchar('\n');
    print_cells(cells, all->n + 1, n + 1, &look);
    free(cells);
    free(texts);
}

/* ---- Differences ---- */

/* Prints a line, wrapped. */
static void print_line(const char *format, ...) LT_PRINTF(1, 2);
static void print_line(const char *format, ...)
{
    char words[1024];
    va_list values;
    va_start(values, format);
    vsnprintf(words, sizeof words, format, values);
    va_end(values);
    print_wrapped(stdout, 0, words);
}

/* "-ELBO of B less that of A: -1.20 +- 0.03". Images are equally hard for both, so this error is smaller than those in
   the table. */
static void print_difference(const char *what, const char *a, const char *b, lt_estimate d)
{
    char error[LT_ERROR_TEXT];
    print_line("%s of %s less that of %s: %.2f %s", what, b, a, lt_shown_number(d.value, 2),
               lt_shown_error(d.se, 2, error));
}

static void print_differences(const contest *all)
{
    const contestant *a = NULL;
    for (int i = 0; i < all->n; i++) {
        const contestant *b = &all->all[i];
        if (!b->f.card.has_bounds) {
            print_line("%s has no likelihood, so there are no bounds: --quality scores its samples.", b->f.run);
            continue;
        }
        if (!a) {
            a = b;
            continue;
        }
        const char *why = lt_scorecards_differ(&a->f.card, &b->f.card);
        if (why) {
            print_line("%s and %s are not comparable: %s.", a->f.run, b->f.run, why);
            continue;
        }
        int64_t n = a->f.card.evaluation.images;
        bool has_bounds = lt_model_can(a->t.model, LT_CAN_BOUND);
        print_difference(has_bounds ? "-ELBO" : "distortion", a->f.run, b->f.run,
                         has_bounds ? lt_estimate_mean_difference(b->f.card.images.neg_elbo, a->f.card.images.neg_elbo, n)
                                    : lt_estimate_mean_difference(b->f.card.images.distortion, a->f.card.images.distortion, n));
        if (all->request.samples > 0)
            print_difference("NLL", a->f.run, b->f.run, lt_estimate_mean_difference(b->f.card.images.nll, a->f.card.images.nll, n));
    }
}

static void print_doubts(const contest *all)
{
    for (int i = 0; i < all->n; i++) {
        const eval_findings *f = &all->all[i].f;
        if (f->card.has_bounds && lt_evaluation_is_biased(&f->card.evaluation))
            print_line("%s: the estimates with %d samples are unreliable: Pareto k is above 0.7 for %.0f %% of the images.",
                       f->run, f->card.evaluation.draws, 100 * f->card.evaluation.pareto_share);
        if (f->card.has_bounds && f->card.codes.is_collapsed)
            print_line("%s: POSTERIOR COLLAPSE: %s.", f->run, f->card.codes.reason);
        if (f->card.has_bounds && f->card.evaluation.unit == LT_CROSS_ENTROPY)
            print_line("%s: pixels are not 0 or 1, so these are cross-entropies and bound no likelihood.", f->run);
    }
}

static bool has_bounds(const contest *all)
{
    for (int i = 0; i < all->n; i++)
        if (all->all[i].f.card.has_bounds)
            return true;
    return false;
}

/* Prints the images evaluated: of one data set, or each run's own. */
static void print_images(const contest *all)
{
    const contestant *first = NULL;
    bool is_one = true;
    for (int i = 0; i < all->n; i++) {
        const contestant *k = &all->all[i];
        if (!k->f.card.has_bounds)
            continue;
        first = first ? first : k;
        is_one &= strcmp(k->f.card.set, first->f.card.set) == 0 && k->f.card.evaluation.images == first->f.card.evaluation.images &&
                  k->f.card.split == first->f.card.split;
    }
    if (is_one)
        print("%lld %s images of %s; nats per image, +- standard error\n", (long long)first->f.card.evaluation.images,
              lt_split_name(first->f.card.split), first->f.card.set);
    else
        print("Each run on its own images; nats per image, +- standard error\n");
    for (int i = 0; i < all->n && !is_one; i++)
        if (all->all[i].f.card.has_bounds)
            print("  %s: %lld %s images of %s\n", all->all[i].f.run, (long long)all->all[i].f.card.evaluation.images,
                  lt_split_name(all->all[i].f.card.split), all->all[i].f.card.set);
}

static void print_bounds(const contest *all)
{
    bound_column columns[MAX_COLUMNS];
    print_images(all);
    print_columns(all, columns, list_columns(all, columns));
    putchar('\n');
    print_differences(all);
    print_doubts(all);
}

/* ---- Quality ---- */

/* Refuses runs whose scores are not comparable. Returns the exit code. */
static int check_quality(const command *c, const contest *all)
{
    const eval_findings *a = &all->all[0].f;
    for (int i = 1; i < all->n && a->card.has_quality; i++) {
        const eval_findings *b = &all->all[i].f;
        if (b->card.has_quality && lt_quality_compare(&a->card.quality, &b->card.quality) != LT_OK)
            return complain(c, CODE_FAILED, "%s and %s: %s", a->run, b->run, lt_last_error());
    }
    return CODE_DONE;
}

/* Whether all of them were scored. */
static bool has_quality(const contest *all)
{
    for (int i = 0; i < all->n; i++)
        if (!all->all[i].f.card.has_quality)
            return false;
    return true;
}

static void print_quality(const contest *all)
{
    lt_quality quality[EVAL_MAX_RUNS];
    const char *names[EVAL_MAX_RUNS];
    for (int i = 0; i < all->n; i++) {
        quality[i] = all->all[i].f.card.quality;
        names[i] = all->all[i].f.run;
    }
    quality_print_runs(all->all[0].f.card.set, all->all[0].f.card.split, all->n, names, quality);
}

/* ---- Evaluation ---- */

static int print_comparison(const contest *all)
{
    const char *runs[EVAL_MAX_RUNS];
    lt_scorecard *cards = plot_room((size_t)all->n, sizeof *cards);
    for (int i = 0; i < all->n; i++) {
        runs[i] = all->all[i].f.run;
        cards[i] = all->all[i].f.card;
    }
    char *text = lt_comparison_json(all->n, runs, cards);
    free(cards);
    if (!text)
        return LT_VALUE;
    print_json_text(text);
    free(text);
    return LT_OK;
}

static int report(const contest *all)
{
    int status = all->request.as_json ? print_comparison(all) : LT_OK;
    if (!all->request.as_json && has_bounds(all))
        print_bounds(all);
    if (!all->request.as_json && has_bounds(all) && has_quality(all))
        putchar('\n');
    if (!all->request.as_json && has_quality(all))
        print_quality(all);
    fflush(stdout);
    return status;
}

/* Opens all models before any work. If none has a likelihood, their samples are scored. */
static int open_all(contest *all, const char *const *runs)
{
    bool has_likelihood = false;
    for (int i = 0; i < all->n; i++) {
        LT_TRY(trained_open(&all->all[i].t, runs[i], false, NULL));
        has_likelihood |= lt_model_can(all->all[i].t.model, LT_CAN_LIKELIHOOD);
    }
    all->request.with_quality |= !has_likelihood;
    return LT_OK;
}

/* Returns the exit code. */
static int evaluate_all(const command *c, contest *all, const char *const *runs)
{
    int opened = open_all(all, runs);
    if (opened != LT_OK)
        return complain_library(c, opened);
    for (int i = 0; i < all->n; i++) {
        int status = evaluate(&all->request, &all->all[i], runs[i]);
        if (status != LT_OK)
            return complain_library(c, status);
        int code = check_quality(c, all);
        if (code != CODE_DONE)
            return code;
    }
    return CODE_DONE;
}

int eval_compare_runs(const command *c, const eval_request *q, int n, const char *const *runs)
{
    contest all = {.request = *q, .n = n, .all = plot_room((size_t)n, sizeof *all.all)};
    watch_signals();
    int code = evaluate_all(c, &all, runs);
    if (code == CODE_DONE) {
        int status = report(&all);
        code = status == LT_OK ? CODE_DONE : complain_library(c, status);
    }
    contest_clear(&all);
    return code;
}
