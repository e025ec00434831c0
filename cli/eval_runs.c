/* SPDX-License-Identifier: MIT */
/* latent eval of several runs: their numbers in one table, and what differs, each image with itself. */
#include "eval_request.h"

#include <latent/ledger.h>

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* A run that has been evaluated. Its data are closed, as all of them at once may not fit into memory. */
typedef struct contestant {
    trained t;
    eval_findings f;
    per_image each;
    lt_data_options options; /* of its data */
    lt_image_size size;
    char data[LT_TEXT_SIZE]; /* their name */
    json_t *json;
} contestant;

typedef struct contest {
    const eval_request *q;
    bool with_quality; /* samples are scored */
    int n;
    contestant *all;
    lt_split split; /* of the first one's data */
} contest;

static int evaluate(contest *all, contestant *k, const char *run)
{
    const eval_request *q = all->q;
    LT_TRY(lt_model_open_data(k->t.model, q->data, q->sets.item, q->sets.n, &k->t.data));
    LT_TRY(lt_model_check_data(k->t.model, k->t.data));
    const lt_dataset_info *info = lt_dataset_describe(k->t.data);
    k->f = eval_plan(q, run, &k->t);
    k->options = info->options;
    k->size = (lt_image_size){info->h, info->w, info->c};
    snprintf(k->data, sizeof k->data, "%s", info->name);
    all->split = k == all->all ? k->f.split : all->split;
    k->f.with_quality = all->with_quality;
    k->f.with_bounds = lt_model_can(k->t.model, LT_CAN_LIKELIHOOD); /* else its row says so */
    int status = eval_find(q, &k->f, &k->each);
    if (status == LT_OK && q->as_json)
        k->json = eval_json(&k->f);
    lt_dataset_free(k->t.data);
    k->t.data = NULL;
    return status;
}

static void contest_clear(contest *all)
{
    for (int i = 0; i < all->n; i++) {
        lt_diagnosis_clear(&all->all[i].f.codes);
        per_image_close(&all->all[i].each);
        json_decref(all->all[i].json);
        trained_close(&all->all[i].t);
    }
    free(all->all);
}

/* ---- Whether two compare ---- */

/* Of data that were asked for instead of the recipes': how their pixels are made. */
static const char *pixels_differ(const contestant *a, const contestant *b)
{
    bool is_random = a->options.binarize == LT_BINARIZE_FIXED;
    if (a->size.h != b->size.h || a->size.w != b->size.w || a->size.c != b->size.c)
        return "the images are of other sizes or channels";
    if (a->options.binarize != b->options.binarize || (is_random && a->options.seed != b->options.seed))
        return "the pixels are made bits in other ways";
    return NULL;
}

/* Why their bounds do not compare; NULL if they do. */
static const char *differ(const contest *all, const contestant *a, const contestant *b)
{
    const char *why = all->q->data ? pixels_differ(a, b)
                                   : lt_recipes_differ(lt_model_recipe(a->t.model),
                                                       lt_model_recipe(b->t.model), LT_NUMBERS_LIKELIHOOD);
    if (!why && a->f.split != b->f.split)
        why = "the splits differ";
    if (!why && a->f.e.images != b->f.e.images)
        why = "the numbers of images differ";
    if (!why && a->f.e.unit != b->f.e.unit)
        why = "the nats are of different things: probabilities, densities, cross-entropies";
    return why;
}

/* ---- The table of bounds ---- */

enum { CELL = 32, NAME_WIDTH = 24, CELL_WIDTH = 16, MAX_COLUMNS = 8 + LT_MAX_BOUNDS };

typedef struct bound_column {
    char title[CELL];
    lt_estimate of[EVAL_MAX_RUNS]; /* NaN: has none */
    int digits;
} bound_column;

static lt_estimate estimate_of(const contestant *k, int which, int bound)
{
    const lt_evaluation *e = &k->f.e;
    const lt_estimate all[] = {e->neg_elbo, e->rate, e->distortion, e->nll, k->f.ais.nll,
                               k->f.codes.mutual_information, e->squared_error, e->bits_per_dim};
    enum { INFORMATION = 5 };
    bool has_codes = lt_model_can(k->t.model, LT_CAN_BOUND);
    if (!k->f.with_bounds || (bound < 0 && which == INFORMATION && !has_codes))
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
    for (int i = 0; i < all->q->n_iwae; i++) {
        snprintf(title, sizeof title, "IWAE, k = %d", all->q->iwae[i]);
        add_column(all, columns, &n, title, 0, i);
    }
    snprintf(title, sizeof title, "NLL, K = %jd", (intmax_t)all->q->samples);
    if (all->q->samples > 0)
        add_column(all, columns, &n, title, 3, -1);
    if (all->q->ais[0] > 0)
        add_column(all, columns, &n, "AIS", 4, -1);
    add_column(all, columns, &n, "information", 5, -1);
    add_column(all, columns, &n, "squared error", 6, -1);
    add_column(all, columns, &n, "bits/dimension", 7, -1);
    return n;
}

static void write_cell(const bound_column *c, int i, char cell[2 * CELL])
{
    char error[ERROR_TEXT];
    if (isfinite(c->of[i].value))
        snprintf(cell, 2 * CELL, "%.*f%s%s", c->digits, shown_number(c->of[i].value, c->digits),
                 isfinite(c->of[i].se) ? " " : "", error_text(c->of[i].se, c->digits, error));
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

/* ---- What differs ---- */

/* A line, wrapped. */
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

/* "-ELBO of B less that of A: -1.20 +- 0.03": images are as hard for both, so this error is smaller than those of
   the table. */
static void print_difference(const char *what, const char *a, const char *b, lt_estimate d)
{
    char error[ERROR_TEXT];
    print_line("%s of %s less that of %s: %.2f %s", what, b, a, shown_number(d.value, 2),
               error_text(d.se, 2, error));
}

static void print_differences(const contest *all)
{
    const contestant *a = NULL;
    for (int i = 0; i < all->n; i++) {
        const contestant *b = &all->all[i];
        if (!b->f.with_bounds) {
            print_line("%s has no likelihood, so there are no bounds: --quality judges its samples.", b->f.run);
            continue;
        }
        if (!a) {
            a = b;
            continue;
        }
        const char *why = differ(all, a, b);
        if (why) {
            print_line("%s and %s do not compare: %s.", a->f.run, b->f.run, why);
            continue;
        }
        int64_t n = a->f.e.images;
        bool has_bounds = lt_model_can(a->t.model, LT_CAN_BOUND);
        print_difference(has_bounds ? "-ELBO" : "distortion", a->f.run, b->f.run,
                         has_bounds ? lt_estimate_mean_difference(b->each.neg_elbo, a->each.neg_elbo, n)
                                    : lt_estimate_mean_difference(b->each.distortion, a->each.distortion, n));
        if (all->q->samples > 0)
            print_difference("NLL", a->f.run, b->f.run, lt_estimate_mean_difference(b->each.nll, a->each.nll, n));
    }
}

static void print_doubts(const contest *all)
{
    for (int i = 0; i < all->n; i++) {
        const eval_findings *f = &all->all[i].f;
        if (f->with_bounds && lt_evaluation_is_biased(&f->e))
            print_line("%s: do not believe what %d draws say: Pareto k is above 0.7 for %.0f %% of the images.",
                       f->run, f->e.draws, 100 * f->e.pareto_share);
        if (f->with_bounds && f->codes.is_collapsed)
            print_line("%s: POSTERIOR COLLAPSE: %s.", f->run, f->codes.reason);
        if (f->with_bounds && f->e.unit == LT_CROSS_ENTROPY)
            print_line("%s: pixels are not 0 or 1, so these are cross-entropies and bound no likelihood.", f->run);
    }
}

static bool has_bounds(const contest *all)
{
    for (int i = 0; i < all->n; i++)
        if (all->all[i].f.with_bounds)
            return true;
    return false;
}

/* What the numbers are of: as many images of one data set, or of each run its own. */
static void print_images(const contest *all)
{
    const contestant *first = NULL;
    bool is_one = true;
    for (int i = 0; i < all->n; i++) {
        const contestant *k = &all->all[i];
        if (!k->f.with_bounds)
            continue;
        first = first ? first : k;
        is_one &= strcmp(k->data, first->data) == 0 && k->f.e.images == first->f.e.images &&
                  k->f.split == first->f.split;
    }
    if (is_one)
        print("%lld %s images of %s; nats per image, +- standard error\n", (long long)first->f.e.images,
              lt_split_name(first->f.split), first->data);
    else
        print("Each run on its own images; nats per image, +- standard error\n");
    for (int i = 0; i < all->n && !is_one; i++)
        if (all->all[i].f.with_bounds)
            print("  %s: %lld %s images of %s\n", all->all[i].f.run, (long long)all->all[i].f.e.images,
                  lt_split_name(all->all[i].f.split), all->all[i].data);
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

/* Rows of runs whose scores do not compare are no contest. Gives the exit code. */
static int check_quality(const command *c, const contest *all)
{
    const eval_findings *a = &all->all[0].f;
    for (int i = 1; i < all->n && a->with_quality; i++) {
        const eval_findings *b = &all->all[i].f;
        if (b->with_quality && lt_quality_compare(&a->quality, &b->quality) != LT_OK)
            return complain(c, CODE_FAILED, "%s and %s: %s", a->run, b->run, lt_last_error());
    }
    return CODE_DONE;
}

/* Only where all of them were scored. */
static bool has_quality(const contest *all)
{
    for (int i = 0; i < all->n; i++)
        if (!all->all[i].f.with_quality)
            return false;
    return true;
}

static void print_quality(const contest *all)
{
    lt_quality quality[EVAL_MAX_RUNS];
    const char *names[EVAL_MAX_RUNS];
    for (int i = 0; i < all->n; i++) {
        quality[i] = all->all[i].f.quality;
        names[i] = all->all[i].f.run;
    }
    quality_print_runs(all->all[0].data, all->split, all->n, names, quality);
}

/* ---- All of it ---- */

/* Differences from the first run that has bounds; null where they do not compare. */
static json_t *differences_json(const contest *all)
{
    json_t *list = json_array();
    const contestant *a = NULL;
    for (int i = 0; i < all->n; i++) {
        const contestant *b = &all->all[i];
        if (!b->f.with_bounds)
            continue;
        if (a) {
            const char *why = differ(all, a, b);
            json_t *o = json_pack("{s:o, s:o, s:o}", "run", json_text(b->f.run), "less", json_text(a->f.run), "neg_elbo",
                                  why ? json_null()
                                      : json_estimate(lt_estimate_mean_difference(b->each.neg_elbo, a->each.neg_elbo,
                                                                      a->f.e.images)));
            if (why)
                json_object_set_new(o, "do_not_compare", json_string(why));
            json_array_append_new(list, o);
        }
        a = a ? a : b;
    }
    return list;
}

static json_t *contest_json(contest *all)
{
    json_t *runs = json_array();
    for (int i = 0; i < all->n; i++) {
        json_array_append_new(runs, all->all[i].json);
        all->all[i].json = NULL;
    }
    json_t *o = json_pack("{s:s, s:o, s:o}", "split", lt_split_name(all->split), "runs", runs, "differences",
                          differences_json(all));
    if (has_quality(all))
        json_object_set_new(o, "digest", json_string(all->all[0].f.quality.digest));
    return o;
}

static void report(contest *all)
{
    if (all->q->as_json) {
        print_json(contest_json(all));
    } else {
        if (has_bounds(all))
            print_bounds(all);
        if (has_bounds(all) && has_quality(all))
            putchar('\n');
        if (has_quality(all))
            print_quality(all);
    }
    fflush(stdout);
}

/* All models, before any work. Where none has a likelihood their samples are scored unasked. */
static int open_all(contest *all, const char *const *runs)
{
    bool has_likelihood = false;
    for (int i = 0; i < all->n; i++) {
        LT_TRY(trained_open(&all->all[i].t, runs[i], false, NULL));
        has_likelihood |= lt_model_can(all->all[i].t.model, LT_CAN_LIKELIHOOD);
    }
    all->with_quality = all->q->with_quality || !has_likelihood;
    return LT_OK;
}

/* Gives the exit code. */
static int evaluate_all(const command *c, contest *all, const char *const *runs)
{
    int opened = open_all(all, runs);
    if (opened != LT_OK)
        return complain_library(c, opened);
    for (int i = 0; i < all->n; i++) {
        int status = evaluate(all, &all->all[i], runs[i]);
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
    contest all = {.q = q, .n = n, .all = plot_room((size_t)n, sizeof *all.all)};
    watch_signals();
    int code = evaluate_all(c, &all, runs);
    if (code == CODE_DONE)
        report(&all);
    contest_clear(&all);
    return code;
}
