/* SPDX-License-Identifier: MIT */
/* The keys that may change when a run is resumed. A checkpoint is a state of the training that one recipe describes;
   with another batch size, seed or network it would not be a state of any training. */
#include "recipe/recipe.h"

#include "base/memory.h"
#include "base/status.h"
#include "nn/optimizers.h"

#include <stdlib.h>
#include <string.h>

/* Optimizer keys are those that its state does not depend on. Keys of kinds of models come after those of the
   recipe's optimizer. */
static const char *const first_resumable[] = {"name",        "summary",      "data.set",
                                              "data.path",   "data.strict",  "optimizer.lr",
                                              "optimizer.weight_decay"};
static const char *const last_resumable[] = {
    "learning_rate_schedule", "train.epochs",           "train.clip_norm", "train.samples_every",
    "train.samples_at",       "train.checkpoint_every", "train.keep_checkpoints"};

/* Key i of one kind, counted after *past keys of other kinds; NULL: it has no more. */
static const char *resumable_of(const recipe_kind *kind, int i, int *past)
{
    *past = 0;
    for (; kind->resumable && kind->resumable[*past]; ++*past)
        if (*past == i)
            return kind->resumable[i];
    return NULL;
}

/* Key i of all kinds, or of one. */
static const char *resumable_at(const spec_table *kinds, const recipe_kind *only, int i)
{
    const int first = COUNT_OF(first_resumable);
    if (i < first)
        return i >= 0 ? first_resumable[i] : NULL;
    i -= first;
    for (int k = 0; kinds->rows[k]; k++) {
        const recipe_kind *kind = (const recipe_kind *)kinds->rows[k];
        int past = 0;
        const char *key = only && only != kind ? NULL : resumable_of(kind, i, &past);
        if (key)
            return key;
        i -= past;
    }
    return i < COUNT_OF(last_resumable) ? last_resumable[i] : NULL;
}

const char *recipe_resumable(const spec_table *kinds, int i) { return resumable_at(kinds, NULL, i); }

static bool is_resumable(const lt_recipe *r, const char *key)
{
    const char *allowed;
    for (int i = 0; (allowed = resumable_at(r->kinds, recipe_kind_of(r), i)) != NULL; i++)
        if (strcmp(allowed, key) == 0)
            return true;
    return false;
}

/* ---- Differences ---- */

typedef struct comparison {
    const lt_recipe *of;
    recipe_change_function *tell;
    void *user;
} comparison;

static void tell_change(const comparison *c, const char *key, const char *then, const char *now)
{
    c->tell(c->user, &(recipe_change){key, then, now, is_resumable(c->of, key)});
}

/* Compares one option of two structs of the same type; `prefix` is "" or ends with '.'. */
static void compare_option(const comparison *c, const char *prefix, const lt_option *row,
                           const void *then, const void *now)
{
    text a = {0}, b = {0};
    section_print_value(row, then, &a);
    section_print_value(row, now, &b);
    if (strcmp(text_get(&a), text_get(&b)) != 0) {
        char *key = must_format("%s%s", prefix, row->name);
        tell_change(c, key, text_get(&a), text_get(&b));
        free(key);
    }
    text_clear(&a);
    text_clear(&b);
}

/* Compares two lines, option by option if they have the same row. */
static void compare_lines(const comparison *c, const char *key, const spec *then, const spec *now)
{
    if (then->row == now->row && then->row) {
        char *prefix = must_format("%s.", key);
        for (const lt_option *row = then->row->options; row->name; row++)
            compare_option(c, prefix, row, then->options, now->options);
        free(prefix);
    } else if (then->row && now->row) {
        tell_change(c, key, then->row->name, now->row->name);
    }
}

/* Whether this key holds an optimizer; those are compared option by option. */
static bool is_optimizer(const comparison *c, const char *prefix, const char *name)
{
    char *path = must_format("%s%s", prefix, name);
    bool is = recipe_line_table(c->of->kinds, path) == &optimizer_table;
    free(path);
    return is;
}

static void compare_section(const comparison *c, lt_recipe *then, lt_recipe *now, int which)
{
    section a = recipe_section(then, which), b = recipe_section(now, which);
    char *name = which == RECIPE_TOP ? must_copy_text("") : must_format("%s.", a.name);
    for (int i = 0; i < COUNT_OF(a.parts) && a.parts[i].table; i++)
        for (const lt_option *row = a.parts[i].table; row->name; row++)
            if (!is_optimizer(c, name, row->name))
                compare_option(c, name, row, a.parts[i].options, b.parts[i].options);
    free(name);
}

/* ---- Lists of layers ---- */

/* The line of text at `at` without indent and dash, or "nothing" at the end. */
static char *line_at(const char *at)
{
    at += strspn(at, " -");
    return *at ? must_format("%.*s", (int)strcspn(at, "\n"), at) : must_copy_text("nothing");
}

/* Reports the first line that differs. */
static void compare_list(const comparison *c, const char *key, const network *then,
                         const network *now)
{
    text a = {0}, b = {0};
    network_print(then, 0, "", &a);
    network_print(now, 0, "", &b);
    const char *x = text_get(&a), *y = text_get(&b);
    size_t n = 0, line = 0;
    for (; x[n] && x[n] == y[n]; n++)
        line = x[n] == '\n' ? n + 1 : line;
    if (x[n] != y[n]) {
        char *was = line_at(x + line), *is = line_at(y + line);
        tell_change(c, key, was, is);
        free(was);
        free(is);
    }
    text_clear(&a);
    text_clear(&b);
}

/* ---- Whole recipes ---- */

/* Compares the lines and networks of two recipes of one kind. */
static void compare_kind(const comparison *c, const lt_recipe *then, const lt_recipe *now)
{
    const recipe_kind *kind = recipe_kind_of(then);
    compare_lines(c, "optimizer", &then->optimizer, &now->optimizer);
    for (int i = 0; kind->lines && kind->lines[i].key; i++) {
        char *path = kind_line_path(&kind->lines[i]);
        if (kind->lines[i].table == &optimizer_table)
            compare_lines(c, path, recipe_line(then, i), recipe_line(now, i));
        free(path);
    }
    for (int i = 0; kind->networks[i].key; i++) {
        char *path = kind_network_path(&kind->networks[i]);
        compare_list(c, path, recipe_network(then, i), recipe_network(now, i));
        free(path);
    }
}

void recipe_compare(const lt_recipe *then, const lt_recipe *now, recipe_change_function *tell,
                    void *user)
{
    comparison c = {now, tell, user};
    lt_recipe *a = (lt_recipe *)then, *b = (lt_recipe *)now; /* recipe_section is not const: it also serves reading */
    if (strcmp(then->model.kind, now->model.kind) != 0) {    /* all other keys differ too */
        tell_change(&c, "model.kind", then->model.kind, now->model.kind);
        return;
    }
    for (int which = RECIPE_TOP; which <= RECIPE_TRAIN; which++)
        compare_section(&c, a, b, which);
    compare_kind(&c, then, now);
}

/* ---- Resuming ---- */

static void refuse_change(void *list, const recipe_change *change)
{
    text *t = list;
    if (!change->may_change)
        text_format(t, "%s%s (from %.60s to %.60s)", t->size ? ", " : "", change->key, change->then,
                    change->now);
}

int lt_recipe_check_resume(const lt_recipe *then, const lt_recipe *now)
{
    text refused = {0}, allowed = {0};
    recipe_compare(then, now, refuse_change, &refused);
    const char *key;
    for (int i = 0; (key = resumable_at(now->kinds, recipe_kind_of(now), i)) != NULL; i++)
        text_format(&allowed, "%s%s", i ? ", " : "", key);
    int status = LT_OK;
    if (refused.size)
        status = status_fail(LT_VALUE,
                             "%s cannot change when a run is resumed; these can: %s",
                             text_get(&refused), text_get(&allowed));
    text_clear(&refused);
    text_clear(&allowed);
    return status;
}
