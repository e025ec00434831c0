/* SPDX-License-Identifier: MIT */
/* One row per epoch, in fixed columns. */
#include "epoch_rows.h"

#include "layout.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum { MAX_COLUMNS = 16, CELL = 48, ROWS_OF_HEADS = 25 };

/* The cell of a column. */
typedef struct cell {
    const char *head, *before; /* separator from the previous cell: "  ", " = ", " + " */
    char text[CELL];
    int width;
    int rank; /* 0: always shown; else the highest is omitted first */
    bool is_ragged; /* the last column, of variable width */
} cell;

typedef struct row {
    cell cells[MAX_COLUMNS];
    int n;
} row;

/* ---- Cells ---- */

static cell *add_cell(row *to, const char *before, const char *head, int width)
{
    cell *c = &to->cells[to->n++];
    int least = (int)strlen(head);
    *c = (cell){.head = head, .before = before, .width = width > least ? width : least};
    return c;
}

static void add_number(row *to, const char *head, int width, int digits, double value)
{
    cell *c = add_cell(to, "  ", head, width);
    if (isfinite(value))
        snprintf(c->text, CELL, "%.*f", digits, lt_shown_number(value, digits));
    else
        snprintf(c->text, CELL, isnan(value) ? "-" : value > 0 ? "inf" : "-inf");
}

static void add_epoch(row *to, const epoch_rows *rows, const lt_train_report *r)
{
    char last[CELL];
    int width = snprintf(last, sizeof last, "epoch %lld/%lld", (long long)rows->epochs,
                         (long long)rows->epochs);
    cell *c = add_cell(to, "", "epoch", width);
    snprintf(c->text, CELL, "epoch %lld/%lld", (long long)r->epoch, (long long)rows->epochs);
}

/* "1:05", "2:07:31". */
static void add_time(row *to, double seconds)
{
    int64_t s = (int64_t)(seconds + 0.5);
    cell *c = add_cell(to, "  ", "time", 7);
    c->rank = 1;
    if (s < 3600)
        snprintf(c->text, CELL, "%d:%02d", (int)(s / 60), (int)(s % 60));
    else
        snprintf(c->text, CELL, "%lld:%02d:%02d", (long long)(s / 3600), (int)(s / 60 % 60),
                 (int)(s % 60));
}

double epoch_speed(const lt_train_report *r)
{
    return r->seconds > 0 ? (double)r->images_timed / r->seconds : 0;
}

static void add_speed(row *to, const lt_train_report *r)
{
    add_number(to, "images/s", 8, 0, epoch_speed(r));
    to->cells[to->n - 1].rank = 2;
}

/* ---- The equation of a loss ---- */

/* Rounds as a ledger does: a gap goes from the sum of the other parts to the loss. */
static double round_loss(lt_loss_part *parts, int n, double loss)
{
    double *all[LT_LOSS_PARTS], mean = parts[0].nats + parts[1].nats, rest;
    for (int i = 0; i < n; i++)
        all[i] = &parts[i].nats;
    if (n > 2 && strcmp(parts[2].name, "gap") == 0) {
        lt_shown_parts(all, 2, &mean, 2);
        rest = loss - mean;
        lt_shown_parts(all + 2, 1, &rest, 2);
        return mean + rest;
    }
    lt_shown_parts(all, n, &loss, 2);
    return loss;
}

/* "263.71 = 242.17 + 21.54": the parts in the order of lt_loss_parts. */
static void add_equation(row *to, const epoch_rows *rows, lt_loss_part *parts, int n, double loss)
{
    int width = rows->is_wide ? 8 : 7;
    add_number(to, "loss", width, 2, round_loss(parts, n, loss));
    for (int i = 0; i < n; i++) {
        bool is_less = i > 0 && parts[i].nats < 0;
        add_number(to, parts[i].name, width, 2, is_less ? -parts[i].nats : parts[i].nats);
        to->cells[to->n - 1].before = i == 0 ? " = " : is_less ? " - " : " + ";
    }
}

/* Adds the factors of the product in the loss: the rate, the target, the weight; "0 -> 3" if it changes within the
   epoch. */
static void add_weights(row *to, const lt_train_report *r, bool has_target)
{
    if (has_target) {
        cell *c = add_cell(to, "  ", "C", 6);
        snprintf(c->text, CELL, "%.6g", r->capacity);
    }
    bool moves = r->beta_first != r->beta;
    cell *c = add_cell(to, "  ", "beta", moves ? 13 : 6);
    c->is_ragged = true;
    if (moves)
        snprintf(c->text, CELL, "%.3g -> %.6g", r->beta_first, r->beta);
    else
        snprintf(c->text, CELL, "%.6g", r->beta);
}

/* ---- What the recipe's training reports ---- */

/* Whether the equation shows this metric: the loss, or a part of that name. */
static bool is_in_equation(const lt_metric *m, const lt_loss_part *parts, int n)
{
    bool is_there = n > 0 && m->index == 0;
    for (int i = 0; i < n; i++)
        is_there |= strcmp(parts[i].name, m->name) == 0;
    return is_there;
}

/* Adds the available metrics: those of all recipes of the kind, or those of only some. */
static void add_metrics(row *to, const epoch_rows *rows, const lt_train_report *r, const lt_loss_part *parts, int n,
                        bool are_optional)
{
    int count;
    const lt_metric *m = lt_recipe_metrics(rows->recipe, &count);
    for (int i = 0; i < count; i++) {
        double value = lt_metric_value(&m[i], r);
        bool is_shown = m[i].label && m[i].is_optional == are_optional && (!are_optional || isfinite(value));
        if (is_shown && !is_in_equation(&m[i], parts, n))
            add_number(to, m[i].label, m[i].width, m[i].digits, value);
    }
}

/* The validated number: a bound if the model has one, else the loss. */
static double validated(const epoch_rows *rows, const lt_validation *v)
{
    return lt_recipe_can(rows->recipe, LT_CAN_BOUND) ? v->neg_elbo : v->loss;
}

static void fill_row(row *to, const epoch_rows *rows, const lt_train_report *r, const lt_validation *v,
                     double seconds)
{
    lt_loss_part parts[LT_LOSS_PARTS];
    int n = lt_loss_parts(rows->recipe, r, parts);
    bool is_weighted = n > 1 && strcmp(parts[1].name, "rate") != 0;
    if (n > 0)
        add_equation(to, rows, parts, n, lt_metric_value(lt_recipe_loss(rows->recipe), r));
    add_metrics(to, rows, r, parts, n, false);
    if (v)
        add_number(to, "valid", rows->is_wide ? 8 : 7, 2, validated(rows, v));
    add_metrics(to, rows, r, parts, n, true);
    add_speed(to, r);
    add_time(to, seconds);
    if (is_weighted)
        add_weights(to, r, strcmp(parts[1].name, "off target") == 0);
}

/* ---- Rows ---- */

static int whole_width(const row *of, uint32_t shown)
{
    int width = 0;
    for (int i = 0; i < of->n; i++)
        if (shown >> i & 1)
            width += (int)strlen(of->cells[i].before) + of->cells[i].width;
    return width;
}

/* Chooses the columns that fit. */
static uint32_t choose_columns(const row *of, int width)
{
    uint32_t shown = ((uint32_t)1 << of->n) - 1;
    for (int rank = 2; rank > 0 && whole_width(of, shown) > width; rank--)
        for (int i = 0; i < of->n; i++)
            if (of->cells[i].rank == rank)
                shown &= ~((uint32_t)1 << i);
    return shown;
}

/* The first column and ragged ones are left-aligned, the others right-aligned. */
static void lay_row(const row *of, uint32_t shown, bool is_heads, char *line, size_t size)
{
    line[0] = 0;
    for (int i = 0; i < of->n; i++) {
        const cell *c = &of->cells[i];
        const char *text = is_heads ? c->head : c->text, *before = c->before;
        if (is_heads && strcmp(before, " - ") == 0)
            before = " + ";
        if (shown >> i & 1)
            add_words(line, size, "%s%*s", before, c->is_ragged ? 0 : i == 0 ? -c->width : c->width, text);
    }
}

/* Repeats the heads when they have scrolled off the terminal. */
static bool needs_heads(const epoch_rows *rows)
{
    return rows->width == 0 || (rows->written >= ROWS_OF_HEADS && isatty(STDERR_FILENO));
}

static void say_row(epoch_rows *rows, const row *of)
{
    char line[512];
    if (needs_heads(rows)) {
        int width = line_width(STDERR_FILENO);
        rows->width = width > 0 ? width : page_width(STDERR_FILENO);
        rows->shown = choose_columns(of, rows->width);
        rows->written = 0;
        lay_row(of, rows->shown, true, line, sizeof line);
        say_styled(STYLE_HEADING, "%s", line);
    }
    lay_row(of, rows->shown, false, line, sizeof line);
    say("%s", line);
    rows->written++;
}

void epoch_rows_say(epoch_rows *rows, const lt_train_report *r, const lt_validation *v, double seconds)
{
    row all = {.n = 0};
    add_epoch(&all, rows, r);
    fill_row(&all, rows, r, v, seconds);
    say_row(rows, &all);
}

const char *epoch_loss_text(const epoch_rows *rows, const lt_train_report *r, char text[64])
{
    const lt_metric *loss = lt_recipe_loss(rows->recipe);
    if (lt_recipe_can(rows->recipe, LT_CAN_LIKELIHOOD))
        snprintf(text, 64, "%.2f nats", lt_metric_value(loss, r));
    else
        snprintf(text, 64, "%s %.*f", loss->label, loss->digits, lt_metric_value(loss, r));
    return text;
}

void epoch_rows_explain(const epoch_rows *rows, int valid, lt_split split)
{
    lt_score score;
    if (lt_recipe_score(rows->recipe, &score))
        say_wrapped("losses are means over images; real, fake: %s, %s: %s; estimate: %s", score.real,
                    score.fake, score.text, score.estimate);
    else
        say_wrapped("nats per image, means over the epoch; valid: %s of %d %s image%s after it",
                    lt_recipe_can(rows->recipe, LT_CAN_BOUND) ? "-ELBO" : "loss", valid, lt_split_name(split),
                    valid == 1 ? "" : "s");
}
