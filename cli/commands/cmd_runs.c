/* SPDX-License-Identifier: MIT */
/* latent runs: a table of runs and their results. */
#include "shared_options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DIRS = 64, CELL = 48, WIDE_NAME = 26 };

/* Runs of all given directories. */
typedef struct listing {
    lt_run_summary *runs;
    int n, capacity;
} listing;

static void listing_clear(listing *l)
{
    for (int i = 0; i < l->n; i++)
        lt_run_summary_clear(&l->runs[i]);
    free(l->runs);
}

static bool is_listed_already(const listing *l, const char *dir)
{
    for (int i = 0; i < l->n; i++)
        if (strcmp(l->runs[i].directory, dir) == 0)
            return true;
    return false;
}

static void add_run(listing *l, const char *dir)
{
    if (is_listed_already(l, dir))
        return;
    if (l->n == l->capacity) {
        lt_run_summary *more = plot_room((size_t)(2 * l->capacity + 16), sizeof *more);
        if (l->n)
            memcpy(more, l->runs, sizeof *more * (size_t)l->n);
        free(l->runs);
        l->runs = more;
        l->capacity = 2 * l->capacity + 16;
    }
    if (lt_run_summarize(dir, &l->runs[l->n]) == LT_OK)
        l->n++;
    else
        lt_run_summary_clear(&l->runs[l->n]); /* removed meanwhile */
}

/* Returns the exit code. */
static int add_directory(const command *c, listing *l, const char *dir)
{
    char **runs;
    int n, status = lt_runs_find(dir, &runs, &n);
    if (status != LT_OK)
        return complain_library(c, status);
    if (n == 0)
        say("%s: no runs found", dir);
    for (int i = 0; i < n; i++)
        add_run(l, runs[i]);
    lt_runs_free(runs, n);
    return CODE_DONE;
}

/* ---- Cells; "": no value ---- */

typedef char cell[CELL];

static void write_kind(const lt_run_summary *s, cell out)
{
    snprintf(out, CELL, "%s", s->recipe ? lt_recipe_kind(s->recipe) : "");
}

static void write_data(const lt_run_summary *s, cell out)
{
    char *name = lt_run_name(s->recipe ? lt_recipe_dataset(s->recipe) : "");
    snprintf(out, CELL, "%.17s", name);
    free(name);
}

static void write_epochs(const lt_run_summary *s, cell out)
{
    if (s->recipe)
        snprintf(out, CELL, "%jd/%jd", (intmax_t)s->epochs, (intmax_t)s->wanted);
    else
        snprintf(out, CELL, "%jd", (intmax_t)s->epochs);
}

static void write_estimate(double value, double se, int digits, cell out)
{
    char error[LT_ERROR_TEXT];
    if (!isfinite(value))
        return;
    snprintf(out, CELL, "%.*f%s%s", digits, lt_shown_number(value, digits), isfinite(se) ? " " : "",
             isfinite(se) ? lt_shown_error(se, digits, error) : "");
}

static void write_elbo(const lt_run_summary *s, cell out)
{
    if (s->has_log && s->last.valid.images > 0)
        write_estimate(s->last.valid.neg_elbo, s->last.valid.neg_elbo_se, 2, out);
}

/* For runs without validation. */
static void write_loss(const lt_run_summary *s, cell out)
{
    if (s->has_log && s->recipe && (s->last.valid.images == 0 || isnan(s->last.valid.neg_elbo)))
        write_estimate(lt_report_value(s->recipe, &s->last.train, "loss"), (double)NAN, 2, out);
}

/* GAN only: the discriminator's estimate of the divergence. */
static void write_critic(const lt_run_summary *s, cell out)
{
    if (s->has_log && s->recipe)
        write_estimate(lt_report_value(s->recipe, &s->last.train, "estimate"), (double)NAN, 3, out);
}

/* Marks results of older checkpoints with a star. */
static void mark_older(const lt_run_summary *s, const lt_run_result *r, cell out)
{
    size_t used = strlen(out);
    if (strcmp(r->checkpoint, s->checkpoint) != 0)
        snprintf(out + used, CELL - used, "*");
}

static void write_nll(const lt_run_summary *s, cell out)
{
    const lt_run_result *r = lt_run_summary_nll(s);
    if (!r)
        return;
    write_estimate(r->nll, r->nll_se, 2, out);
    mark_older(s, r, out);
}

static void write_fid(const lt_run_summary *s, cell out)
{
    const lt_run_result *r = lt_run_summary_fid(s);
    if (!r)
        return;
    write_estimate(r->fid, (double)NAN, 2, out);
    mark_older(s, r, out);
}

static void write_state(const lt_run_summary *s, cell out)
{
    snprintf(out, CELL, "%s", lt_run_state_name(s->state));
}

/* ---- The table ---- */

/* Columns after the name. */
typedef struct column {
    const char *title;
    void (*write)(const lt_run_summary *s, cell out);
    bool is_number;
    const char *meaning; /* a line under the table. Nullable */
} column;

/* A column without numbers is omitted. */
static const column columns[] = {
    {"model", write_kind, false, NULL},
    {"data", write_data, false, NULL},
    {"epochs", write_epochs, true, NULL},
    {"state", write_state, false, NULL},
    {"-ELBO", write_elbo, true, "-ELBO: of the validation after the last epoch, nats per image."},
    {"loss", write_loss, true, "loss: of training in the last epoch, nats per image."},
    {"discriminator", write_critic, true, "discriminator: its estimate of the divergence."},
    {"NLL", write_nll, true, "NLL: the last result of latent eval --nll, nats per image."},
    {"FID", write_fid, true, "FID: the last result of latent eval --quality."},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

/* Lists the columns that have a value for some run. */
static int list_columns(const listing *l, const column *shown[COLUMNS])
{
    int n = 0;
    for (int k = 0; k < COLUMNS; k++) {
        bool has_text = false;
        for (int i = 0; i < l->n && !has_text; i++) {
            cell text = "";
            columns[k].write(&l->runs[i], text);
            has_text = text[0];
        }
        if (has_text)
            shown[n++] = &columns[k];
    }
    return n;
}

static void print_columns(const listing *l, const column *const *shown, int n)
{
    bool is_left[1 + COLUMNS] = {true};
    cell *texts = plot_room((size_t)(l->n * n + 1), sizeof *texts);
    const char **cells = plot_room((size_t)((l->n + 1) * (n + 1)), sizeof *cells);
    cells[0] = "run";
    for (int k = 0; k < n; k++) {
        cells[1 + k] = shown[k]->title;
        is_left[1 + k] = !shown[k]->is_number;
    }
    for (int i = 0; i < l->n; i++) {
        cells[(i + 1) * (n + 1)] = l->runs[i].directory;
        for (int k = 0; k < n; k++) {
            texts[i * n + k][0] = 0;
            shown[k]->write(&l->runs[i], texts[i * n + k]);
            cells[(i + 1) * (n + 1) + 1 + k] = texts[i * n + k];
        }
    }
    print_cells(cells, l->n + 1, n + 1, &(cells_look){.name_most = WIDE_NAME, .is_left = is_left});
    free(cells);
    free(texts);
}

/* Whether some number belongs to an older checkpoint. */
static bool has_older(const listing *l)
{
    for (int i = 0; i < l->n; i++) {
        cell texts[2] = {"", ""};
        write_nll(&l->runs[i], texts[0]);
        write_fid(&l->runs[i], texts[1]);
        if (strchr(texts[0], '*') || strchr(texts[1], '*'))
            return true;
    }
    return false;
}

static void print_notes(const listing *l, const column *const *shown, int n)
{
    char notes[640] = "";
    for (int k = 0; k < n; k++)
        if (shown[k]->meaning)
            add_words(notes, sizeof notes, "%s%s", notes[0] ? " " : "", shown[k]->meaning);
    if (has_older(l))
        add_words(notes, sizeof notes, " *: not of the newest checkpoint.");
    if (notes[0] && l->n > 1)
        add_words(notes, sizeof notes, " To compare runs: latent eval RUN RUN.");
    if (notes[0]) {
        putchar('\n');
        print_wrapped(stdout, 0, notes);
    }
    for (int i = 0; i < l->n; i++)
        if (l->runs[i].state == LT_RUN_BROKEN)
            print("%s: %s\n", l->runs[i].directory, l->runs[i].problem);
}

static void print_table(const listing *l)
{
    if (l->n == 0)
        return;
    const column *shown[COLUMNS];
    int n = list_columns(l, shown);
    print_columns(l, shown, n);
    print_notes(l, shown, n);
}

static int print_runs_json(const listing *l)
{
    char *text = lt_runs_json(l->n, l->runs);
    if (!text)
        return LT_VALUE;
    print_json_text(text);
    free(text);
    return LT_OK;
}

/* ---- The command ---- */

static int run_runs(const command *c, int argc, const char **argv)
{
    bool as_json = false;
    const flag flags[] = {{OPTION_JSON, .value = &as_json}, {0}};
    command_line line;
    if (!command_line_read(c, flags, argc, argv, &line))
        return line.code;
    listing l = {.n = 0};
    int code = line.n == 0 ? add_directory(c, &l, "runs") : CODE_DONE;
    for (int i = 0; i < line.n && code == CODE_DONE; i++)
        code = add_directory(c, &l, line.operand[i]);
    if (code == CODE_DONE && as_json)
        code = print_runs_json(&l) == LT_OK ? CODE_DONE : complain_library(c, LT_VALUE);
    else if (code == CODE_DONE)
        print_table(&l);
    listing_clear(&l);
    command_line_clear(&line);
    return code;
}

const command cmd_runs = {
    .name = "runs", .summary = "list runs and their results",
    .operands = "[DIR...] [options]", .min_operands = 0, .max_operands = MAX_DIRS,
    .about =
        "DIR is a run or a directory with runs, up to three levels deep; default: runs. The table shows "
        "the results of training and of latent eval, from the run's metrics.jsonl and "
        "evaluations.jsonl. No model is opened, and runs may be in training.\n"
        "\n"
        "The state of a run: done, all epochs of its recipe are trained; running, a process "
        "works on it; stopped, latent resume continues it; broken, the reason is below the table.\n",
    .examples = "  latent runs\n"
                "  latent runs sweeps/* --json\n",
    .run = run_runs};
